"""The rules of a race: who may take part, what equal quality is, and what is timed."""

import json

import numpy as np
import pytest

from benchmarks import logs
from benchmarks.growth import growth_summary
from benchmarks.harness import Race, run
from benchmarks.quality import RefusedRace, compare
from benchmarks.storage import store
from recsys.models import EASE, Popularity, Random

RNG = np.random.default_rng(0)
POPULARITY = RNG.random(4000)
THEIRS = np.stack([POPULARITY + 0.1, POPULARITY + 0.3])  # mean difference 0.2


@pytest.mark.parametrize("below, non_inferior", [(0.9, True), (1.1, False)])
def test_non_inferior_means_within_one_percent_of_the_rival(below, non_inferior):
    margin = 0.01 * THEIRS.mean()
    found = compare(THEIRS - below * margin, THEIRS, POPULARITY)
    assert found["non_inferior"] is non_inferior
    assert found["margin"] == pytest.approx(margin)
    assert found["difference"] == pytest.approx(-below * margin)
    assert (found["seeds"], found["users"]) == (2, 4000)


def test_an_interval_that_reaches_below_the_margin_shows_nothing():
    noise = np.random.default_rng(1).normal(0, 1, 4000)
    noise -= noise.mean()  # equally good on average
    found = compare(THEIRS + noise, THEIRS, POPULARITY)
    assert abs(found["difference"]) < 1e-9
    assert found["low"] < -found["margin"] and not found["non_inferior"]


def test_seeds_are_averaged_before_users_are_resampled():
    noise = RNG.normal(0, 1, 4000)
    found = compare(np.stack([THEIRS[0] + noise, THEIRS[1] - noise]), THEIRS, POPULARITY)
    assert found["high"] - found["low"] < 1e-9 and found["non_inferior"]


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_side_no_better_than_popularity_is_refused(side):
    sides = {"ours": THEIRS, "theirs": THEIRS}
    sides[side] = POPULARITY[None] + RNG.normal(0, 0.1, 4000)
    with pytest.raises(RefusedRace, match=f"^{side} must be better than Popularity"):
        compare(**sides, popularity=POPULARITY)


def race_of(ours, theirs):
    holdout = logs.load("tiny").test
    return Race(
        rival="another",
        ours=lambda run: ours.fit(holdout.train),
        theirs=lambda run: theirs.fit(holdout.train),
        target=1,
        holdout=holdout,
    )


@pytest.mark.parametrize("weak", [Random(), Popularity()])
def test_the_harness_refuses_a_race_of_a_weak_model(weak):
    strong = EASE(reg=20.0)
    for sides in ((weak, strong), (strong, weak)):
        with pytest.raises(RefusedRace, match="must be better than Popularity"):
            run("race", race_of(*sides), 2)


def test_a_race_stores_times_quality_and_comparison(tmp_path):
    row = run("EASE twice", race_of(EASE(reg=20.0), EASE(reg=20.0)), 3)
    assert [len(row["seconds"][side]) for side in ("ours", "theirs")] == [3, 3]
    assert row["quality"]["ours"] == row["quality"]["theirs"]
    assert row["comparison"]["non_inferior"] and row["comparison"]["seeds"] == 3
    store({"contests": [row]}, tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text())["contests"][0] == row


def test_growth_is_the_change_of_time_per_pair():
    rows = [
        {"model": "ALS", "side": side, "pairs": pairs, "seconds": seconds, "peak_mb": mb}
        for side, pairs, seconds, mb in [
            ("ours", 10, 1.0, 5), ("theirs", 10, 2.0, 5),
            ("ours", 100, 20.0, 30), ("theirs", 100, 20.0, 60),
        ]
    ]  # fmt: skip
    assert growth_summary(rows) == [
        {"model": "ALS", "pairs": 100, "ours": 2.0, "theirs": 1.0, "memory": 0.5}
    ]


@pytest.mark.parametrize(
    "ours, rival, target, steps", [("BPR", "implicit BPR", 0.14, (3, 2)),
                                   ("ImplicitALS", "implicit ALS", 0.12, (3, 3))],
)  # fmt: skip
def test_both_sides_stop_where_they_reach_the_target(ours, rival, target, steps, monkeypatch):
    from benchmarks import stopping

    curve = [(1, 0.10), (2, 0.14), (3, 0.12)]
    reached = dict(zip(stopping.checkpoints(ours), (0.09, 0.13, 0.145, 0.15), strict=False))
    monkeypatch.setattr(stopping, "mean_curve", lambda *given: curve)
    monkeypatch.setattr(stopping, "mean_reached", lambda m, s, h, steps, n: reached[steps])
    found = stopping.stop(ours, rival, {ours: {}, rival: {}}, None)
    assert (found["steps"][ours], found["steps"][rival]) == steps
    assert found["target"] == target and found["reached"]


def test_the_curves_are_means_over_seeds_that_differ(monkeypatch):
    from benchmarks import stopping

    class Fitted:
        def __init__(self, rng, steps):
            self.reached = 10 * rng + steps

        def fit(self, train, progress):
            return self

        def recommend(self, userid, *given, **more):
            return np.zeros((len(userid), 1), int), None

    class Reached(logs.Holdout):
        def ndcg(self, model):
            return np.array([getattr(model, "model", model).reached])

    def build(model, train, rng, **setting):
        return Fitted(rng, setting["epochs"])

    def rival(history, rng, watch, **setting):
        for step in range(1, setting["iterations"] + 1):
            watch(step, Fitted(rng, step))

    monkeypatch.setattr(stopping.spaces, "build", build)
    monkeypatch.setitem(stopping.FIT, "implicit BPR", rival)
    tiny = logs.load("tiny").validation
    holdout = Reached(tiny.train, tiny.held_out)
    assert stopping.mean_reached("BPR", {}, holdout, 7, 3) == 7 + 10
    curve = stopping.mean_curve("implicit BPR", {"iterations": 11}, holdout, 3)
    assert curve == [(steps, steps + 10) for steps in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11)]


@pytest.mark.filterwarnings("ignore::Warning:implicit")
@pytest.mark.parametrize("rival", ["implicit ALS", "implicit BPR", "implicit ItemKNN"])
def test_a_rival_recommends_unseen_items_and_beats_popularity(rival):
    from benchmarks.tune import fit

    setting = {
        "implicit ALS": {"factors": 8, "alpha": 2.0, "regularization": 2.0, "iterations": 8},
        "implicit BPR": {"factors": 8, "iterations": 100, "learning_rate": 0.1},
        "implicit ItemKNN": {"n_neighbors": 10},
    }[rival]
    holdout = logs.Log("log", logs.load("tiny").test).test
    model = fit(rival, holdout.train, setting)
    items, scores = model.recommend(holdout.users, 5)
    assert (np.diff(scores, axis=1) <= 0).all()
    seen = holdout.train.matrix[holdout.users].toarray()
    assert not seen[np.arange(len(items))[:, None], items].any()
    assert holdout.ndcg(model).mean() > holdout.popularity.mean()
