"""The search of settings: equal tries, validation data only, resumable, and the defaults chosen."""

import dataclasses
import itertools
import json

import numpy as np
import pytest

from benchmarks import defaults, logs, spaces, tune
from benchmarks.storage import store
from benchmarks.tune import Search

TINY = [Search(model, "tiny") for model in ("ItemKNN", "EASE")]


def test_the_validation_set_is_cut_from_the_training_set_only():
    log = logs.load("tiny")
    rows = {
        name: set(zip(part.user.tolist(), part.item.tolist(), strict=True))
        for name, part in {
            "test": log.test.held_out, "validation": log.validation.held_out,
            "train": log.validation.train, "all": log.test.train,
        }.items()
    }  # fmt: skip
    assert rows["train"] | rows["validation"] == rows["all"]
    assert not rows["test"] & rows["all"] and not rows["train"] & rows["validation"]
    assert len(rows["validation"]) > 50


RANGES = {"defaults": spaces.SPACES, "chapters": spaces.WIDE, "returning": spaces.RETURNING}
SEARCHED = [(name, model) for name, ranges in RANGES.items() for model in ranges]


@pytest.mark.parametrize("name, model", SEARCHED)
def test_draws_stay_in_their_ranges_and_differ(name, model):
    ranges = RANGES[name]
    settings = [spaces.draw(model, number, ranges=ranges) for number in range(40)]
    assert settings == [spaces.draw(model, number, ranges=ranges) for number in range(40)]
    for name, space in ranges[model].items():
        values = {setting[name] for setting in settings}
        if isinstance(space, spaces.OneOf):
            assert values == set(space.values)
        else:
            assert len(values) > 10 and space.low * 0.95 <= min(values)
            assert max(values) <= space.high * 1.05
            assert not space.whole or all(isinstance(value, int) for value in values)


def test_every_hyperparameter_of_our_models_has_a_range():
    left_out = {"rng", "n_threads", "item_features", "negatives"}
    left_out |= {"cg_steps", "momentum", "reg_exponent"}
    left_out |= {"hidden", "mask_seen", "user_features"}  # TwoTower is searched by ids
    for name, model in SEARCHED:
        if spaces.is_ours(model):
            names = {field.name for field in dataclasses.fields(getattr(spaces.models, model))}
            fixed = left_out | ({"correction"} if model == "TwoTower" else set())
            assert names - fixed == set(RANGES[name][model]) - fixed, model


def test_the_chapters_search_all_their_models_with_as_many_tries():
    chapters = [search for search in tune.searches() if search.wide]
    assert {search.n_tries for search in chapters} == {tune.WIDE_TRIES}
    compared = [search.model for search in chapters if search.log != logs.ALL_FILMS]
    assert sorted(compared) == sorted([*spaces.WIDE] * (len(logs.CHAPTERS) - 1))


@pytest.mark.parametrize("ours, rival", [("ImplicitALS", "implicit ALS"), ("BPR", "implicit BPR")])
def test_both_sides_of_a_race_try_the_same_numbers(ours, rival):
    for number in range(5):
        pair = [list(spaces.draw(model, number).values()) for model in (ours, rival)]
        assert pair[0] == pair[1]
    searches = [tune.race_search(model, 64) for model in (ours, rival)]
    assert [s.fixed for s in searches] == [{"negatives": "popular"} if ours == "BPR" else {}, {}]
    assert Search("BPR", "tiny").fixed == {}


def test_the_stored_settings_are_those_that_a_new_search_would_try():
    stored = tune.read(tune.SETTINGS)
    for search in tune.searches():
        entry = stored[search.log][search.name]
        drawn = [search.draw(number) for number in range(search.n_tries)]
        assert [one["setting"] for one in entry["tries"]] == drawn, search
        assert entry["setting"] == search.best(entry["tries"])["setting"], search


def test_both_sides_of_a_race_have_as_many_tries():
    for sides, sizes in tune.RACES.items():
        assert len({tune.race_search(side, size).n_tries for side in sides for size in sizes}) == 1


def test_a_given_number_of_factors_is_kept():
    drawn = spaces.draw("BPR", 3)
    assert spaces.draw("BPR", 3, factors=32) == drawn | {"factors": 32}
    assert spaces.draw("LightFM WARP", 3, factors=32)["no_components"] == 32
    assert spaces.draw("EASE", 3, factors=32) == spaces.draw("EASE", 3)


def test_values_at_the_edge_of_their_range_are_named():
    setting = {"factors": 128, "epochs": 5, "learning_rate": 0.03, "reg": 0.1}
    assert spaces.edges("BPR", setting) == {"factors": "high", "epochs": "low", "reg": "high"}
    setting["negatives"] = "popular"  # not searched
    assert spaces.edges("BPR", setting, factors=128) == {"epochs": "low", "reg": "high"}


def test_every_search_has_the_same_tries_and_keeps_the_best(tmp_path):
    path = tmp_path / "settings.json"
    tune.run(TINY, 4, path)
    results = json.loads(path.read_text())
    found = results["tiny"]
    assert results["machine"]["cores"] >= 1
    for search in TINY:
        entry = found[search.name]
        assert [t["setting"] for t in entry["tries"]] == [
            spaces.draw(search.model, number) for number in range(4)
        ]
        assert (entry["n_tries"], entry["rng"]) == (4, 0)
        best = max(entry["tries"], key=lambda t: t["value"])
        assert (entry["value"], entry["setting"]) == (best["value"], best["setting"])
        holdout = logs.load("tiny").validation
        model = spaces.build(search.model, holdout.train, 0, **best["setting"]).fit(holdout.train)
        assert entry["value"] == pytest.approx(holdout.ndcg(model).mean())


def test_an_interrupted_search_goes_on_where_it_stopped(tmp_path, monkeypatch):
    path, calls = tmp_path / "settings.json", []

    def attempt(search, setting, stop_after=3):
        calls.append((search.name, setting))
        if len(calls) == stop_after + 1:
            raise KeyboardInterrupt
        return {"setting": setting, "value": len(calls) / 10}

    monkeypatch.setattr(tune, "attempt", attempt)
    with pytest.raises(KeyboardInterrupt):
        tune.run(TINY, 3, path)
    assert sum(entry["n_tries"] for entry in json.loads(path.read_text())["tiny"].values()) == 3
    tune.run(TINY, 3, path)
    wanted = [(s.name, spaces.draw(s.model, number)) for number in range(3) for s in TINY]
    assert calls == wanted[:4] + wanted[3:]  # the interrupted try is the only one repeated
    assert tune.tuned(TINY[0], path) == spaces.draw("ItemKNN", 2)


def test_tries_of_an_earlier_range_are_made_again(tmp_path, monkeypatch):
    path, calls = tmp_path / "settings.json", []

    def attempt(search, setting):
        calls.append(setting)
        return {"setting": setting, "value": len(calls) / 10}

    monkeypatch.setattr(tune, "attempt", attempt)
    tune.run(TINY[1:], 3, path)
    earlier = calls[:]
    monkeypatch.setitem(spaces.SPACES, "EASE", {"reg": spaces.Between(5, 50)})
    tune.run(TINY[1:], 3, path)
    assert len(calls) == 6 and not any(setting in earlier for setting in calls[3:])
    stored = json.loads(path.read_text())["tiny"]["EASE"]["tries"]
    assert [one["setting"] for one in stored] == calls[3:]


def test_steps_are_counted_again_for_other_settings(tmp_path, monkeypatch):
    path, calls = tmp_path / "settings.json", []
    sides = "BPR", "implicit BPR"
    monkeypatch.setattr(tune, "RACES", {sides: (32,)})
    monkeypatch.setattr("benchmarks.stopping.stop", lambda *given: calls.append(given) or ENTRY)
    monkeypatch.setattr(tune, "load", lambda name: logs.load("tiny"))
    chosen = [tune.race_search(side, 32) for side in sides]
    for epochs in (5, 5, 6):
        found = {s.name: {"setting": {"factors": 64, "epochs": epochs}} for s in chosen}
        stops = json.loads(path.read_text())["stops"] if path.exists() else {}
        store({logs.LIKES_1M: found, "stops": stops}, path)
        tune.run_stops(chosen, path)
    assert [given[2]["BPR"] for given in calls] == [
        {"factors": 32, "epochs": epochs} for epochs in (5, 6)
    ]
    assert tune.stopped(*sides, 32, path)["settings"]["BPR"]["epochs"] == 6


ENTRY = {"steps": {"BPR": 3, "implicit BPR": 2}, "target": 0.1}


def test_a_setting_that_cannot_be_fitted_costs_one_try(tmp_path, monkeypatch):
    fits = itertools.count()

    def fit(model, train, setting):
        if next(fits) == 0:
            raise ValueError("too large")
        return spaces.build(model, train, 0, **setting).fit(train)

    monkeypatch.setattr(tune, "fit", fit)
    path = tmp_path / "settings.json"
    tune.run(TINY[:1], 2, path)
    entry = json.loads(path.read_text())["tiny"]["ItemKNN"]
    assert [t["value"] is None for t in entry["tries"]] == [True, False]
    assert entry["setting"] == spaces.draw("ItemKNN", 1)


def test_the_lowest_rmse_and_the_highest_ndcg_win():
    tries = [{"value": 0.9}, {"value": None}, {"value": 0.8}, {"value": 0.8}]
    assert Search("BiasedMF", "tiny").best(tries) is tries[2]
    assert Search("BPR", "tiny").best(tries) is tries[0]
    assert Search("BPR", "tiny").best(tries[1:2]) is None


def test_a_missing_setting_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="no setting of EASE on tiny .*: run `make tune`"):
        tune.tuned(TINY[1], tmp_path / "settings.json")


def searched(values, model="EASE", **candidates):
    """Results with the given values of tries 0, 1, ... on each log."""
    return {
        log: {model: {"tries": [
            {"setting": spaces.draw(model, number), "value": x} for number, x in enumerate(v)
        ]}} for log, v in values.items()
    } | {"candidates": {log: {model: v} for log, v in candidates.items()}}  # fmt: skip


def test_the_default_is_best_on_average_over_the_logs():
    results = searched({"a": [0.10, 0.09, 0.02], "b": [0.10, 0.19, 0.20]})
    choice = defaults.choose([Search("EASE", log) for log in "ab"], results)
    assert choice["setting"] == spaces.draw("EASE", 1)  # means 0.75, 0.925 and 0.6
    assert choice["mean"] == 0.925 and choice["relative"] == {"a": 0.9, "b": 0.95}


def test_a_candidate_tried_on_every_log_may_become_the_default():
    values = {"a": [0.10, 0.09], "b": [0.10, 0.19]}
    one, other = {"reg": 123.0}, {"reg": 456.0}
    results = searched(
        values,
        a=[{"setting": one, "value": 0.2}, {"setting": other, "value": 0.5}],
        b=[{"setting": one, "value": 0.19}, {"setting": other, "value": None}],
    )
    choice = defaults.choose([Search("EASE", log) for log in "ab"], results)
    assert choice["setting"] == one and choice["relative"] == {"a": 0.4, "b": 1.0}


def test_the_lowest_rmse_is_best_on_average():
    results = searched({"a": [0.8, 1.0], "b": [1.0, 0.9]}, model="BiasedMF")
    choice = defaults.choose([Search("BiasedMF", log) for log in "ab"], results)
    assert choice["setting"] == spaces.draw("BiasedMF", 0)
    assert choice["relative"] == {"a": 1.0, "b": 0.9}


def test_a_default_in_use_stays_and_round_numbers_are_taken_within_one_percent():
    in_use, round_one, drawn = ({"reg": x} for x in (200.0, 300.0, 123.0))
    assert defaults.default_setting("EASE") == in_use and round_one in defaults.candidates("EASE")
    for means, chosen in [
        ((0.951, 0.955, 0.96), in_use),
        ((0.949, 0.955, 0.96), round_one),
        ((0.949, 0.949, 0.96), drawn),
    ]:
        settings = map(json.dumps, (in_use, round_one, drawn))
        found = defaults.preferred("EASE", dict(zip(settings, means, strict=True)))
        assert json.loads(found) == chosen


def test_candidates_are_whole_settings_and_tried_once(tmp_path):
    for model in defaults.CANDIDATES:
        assert all(set(s) == set(spaces.SPACES[model]) for s in defaults.candidates(model))
    path = tmp_path / "settings.json"
    for _ in range(2):
        defaults.try_candidates(TINY[1], path)
    stored = json.loads(path.read_text())["candidates"]["tiny"]["EASE"]
    assert [one["setting"] for one in stored] == defaults.candidates("EASE")
    assert all(one["value"] > 0 for one in stored)


def test_the_table_compares_the_default_with_the_tuned_setting(tmp_path, capsys):
    path = tmp_path / "settings.json"
    tune.run(TINY[:1], 2, path)
    defaults.print_table(TINY[:1], path)
    printed = capsys.readouterr().out
    choice = json.loads(path.read_text())["defaults"]["ItemKNN"]
    row = choice["test"]["tiny"]
    assert choice["in_use"] == defaults.default_setting("ItemKNN")
    assert f"default {row['default']:.4f}  tuned {row['tuned']:.4f}" in printed
    assert row["popularity"] == pytest.approx(logs.load("tiny").test.popularity.mean())
    assert choice["test_mean"] == pytest.approx(row["default"] / row["tuned"], abs=1e-4)


def test_squared_errors_are_those_of_the_predictions():
    class Constant:
        def predict(self, users, items):
            return np.full(len(users), 3, np.float32)

    log = logs.Interactions([0, 1], [0, 1], value=[5, 2])
    holdout = logs.Holdout(log, log)
    assert tune.value(Search("BiasedMF", "tiny"), holdout, Constant()) == pytest.approx(2.5**0.5)
