"""The SVD system: point-in-time training, recommendations and evaluation."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from newsreco.data.times import DAY, HOUR
from newsreco.evaluation.svd import SVDEvaluation, evaluate_svd
from newsreco.feature_store import FeatureStore
from newsreco.feature_store.build import build
from newsreco.models.svd import SVDSettings, load_svd, train_svd
from newsreco.reports.svd import performance_report

ARRAYS = ("item_biases", "item_factors")


@pytest.fixture(scope="module")
def built(world):
    store = FeatureStore("sqlite://")
    build(store, world.log, progress=False)
    yield store
    store.close()


@pytest.fixture(scope="module")
def system(built, world):
    return train_svd(built, world.log.cutoff_time(0.2))


@pytest.fixture(scope="module")
def evaluation(built, world, system):
    return evaluate_svd(built, world.log, system)


def same(a, b):
    return a.items == b.items and all(
        getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in ARRAYS
    )


def test_rows_created_after_training_change_nothing(world, system):
    log, store = world.log, FeatureStore("sqlite://")
    shown = log.impressions
    later = np.repeat(shown.time >= system.at, np.diff(shown.start))
    changed = replace(log, impressions=replace(shown, clicked=shown.clicked ^ later))
    build(store, changed, progress=False)
    late = store.snapshot("user_item", system.at).head(50)
    late = late.assign(event_time=late.event_time + 1, created_time=system.at + 1, clicks=99.0)
    store.write("user_item", late)  # true before the training, known after it
    assert same(train_svd(store, system.at), system)
    assert not same(train_svd(store, system.at + 1), system)
    store.close()


def test_save_and_load(system, tmp_path):
    system.save(tmp_path / "m")
    again = load_svd(tmp_path / "m")
    assert same(again, system)
    assert (again.settings, again.at, again.mean) == (system.settings, system.at, system.mean)


def test_changed_byte_is_refused(system, tmp_path):
    system.save(tmp_path / "m")
    path = next((tmp_path / "m").glob("*.npz"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="changed or cut short"):
        load_svd(tmp_path / "m")
    shutil.rmtree(tmp_path / "m")
    with pytest.raises(ValueError, match="folder must be a model bundle"):
        load_svd(tmp_path / "m")


def test_user_side_minimises_the_objective(system):
    rng = np.random.default_rng(0)
    rows, reg = np.arange(12), system.settings.reg
    ratings = rng.integers(0, 2, 12).astype(float)
    A = np.column_stack([np.ones(12), system.item_factors[rows]])
    target = ratings - system.mean - system.item_biases[rows]
    root = np.sqrt(reg * 12) * np.eye(A.shape[1])  # the penalty as rows of a least squares problem
    z = np.linalg.lstsq(np.vstack([A, root]), np.append(target, np.zeros(len(root))), rcond=None)[0]
    expected = system.mean + system.item_biases + z[0] + system.item_factors @ z[1:]
    np.testing.assert_allclose(system.expected(rows, ratings), expected, rtol=1e-6, atol=1e-8)


def test_user_without_ratings_gets_mean_and_item_biases(system):
    none = system.expected(np.array([], int), np.array([]))
    np.testing.assert_allclose(none, system.mean + system.item_biases, rtol=1e-6)


def test_recommends_live_articles_not_clicked(built, world, system):
    time = system.at + 5 * HOUR
    items = built.snapshot("item", time).set_index("item_id")
    lists = []
    for user in world.log.user_ids[:30]:
        found, scores = system.recommend(built, user, time, k=8)
        pairs = built.snapshot("user_item", time, user_id=user)
        assert not set(found) & set(pairs.item_id[pairs.clicks > 0])
        assert (items.loc[found].event_time >= time - DAY).all()
        assert (np.diff(scores) <= 0).all() and len(set(found)) == len(found)
        lists.append(tuple(found))
    assert len(set(lists)) > 10  # personal


def test_recommendations_at_the_cut_are_those_of_the_evaluation(built, world, system, evaluation):
    known = set(built.snapshot("user_item", system.at).user_id)
    checked = 0
    for number, (rows, ratings) in zip(evaluation.users, evaluation.ratings):
        user = world.log.user_ids[number]
        if user not in known:
            continue
        scores = system.scores(evaluation.views, rows, ratings)
        found, given = system.recommend(built, user, system.at, evaluation.k)
        rows = [system.items.index(item) for item in found]
        assert scores[rows].astype(np.float32).tobytes() == given.tobytes()
        checked += 1
    assert checked > 20


def test_new_user_gets_views_times_the_ratings_of_the_average_user(built, system):
    found, scores = system.recommend(built, "U0", system.at, k=4)
    average = np.maximum(system.mean + system.item_biases, 0)
    expected = system.exposure(built, system.at) * average
    order = np.argsort(-expected, kind="stable")[:4]
    assert found == [system.items[item] for item in order]
    np.testing.assert_allclose(scores, expected[order], rtol=1e-6)


def test_long_after_the_last_event_the_list_is_that_of_the_last_time(built, system):
    now = built.now()
    assert system.live_time(built, now + 12 * HOUR) == now + 12 * HOUR
    assert system.live_time(built, now + 99 * DAY) == now
    last, scores = system.recommend(built, "U0", now)
    later, same = system.recommend(built, "U0", now + 99 * DAY)
    assert later == last and (scores == same).all()


def test_time_before_the_first_event_has_no_list(built, system):
    with pytest.raises(ValueError, match="no article that 'U0' has not clicked is live"):
        system.recommend(built, "U0", 1000.0)


def test_titles_are_kept_in_the_bundle(built, system, tmp_path):
    titles = {item: f"title of {item}" for item in system.items[1:]}
    kept = train_svd(built, system.at, titles=titles)
    kept.save(tmp_path / "svd")
    assert load_svd(tmp_path / "svd").titles == ["", *titles.values()]
    system.save(tmp_path / "svd")
    assert load_svd(tmp_path / "svd").titles is None


def test_training_before_the_first_row(built):
    with pytest.raises(ValueError, match="at must be a time by which the store has rows"):
        train_svd(built, 1000.0)
    with pytest.raises(ValueError, match="times must be finite"):
        train_svd(built, float("nan"))


@pytest.mark.parametrize("bad", [{"factors": 0}, {"reg": -1}, {"live_hours": 0}, {"epochs": 1.5}])
def test_bad_settings(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        SVDSettings(**bad)


def test_metrics_by_hand(built, world, system, evaluation):
    """Precision and recall of one scorer, user by user, from the log itself."""
    log = world.log
    clicked = {}
    for r in range(log.cut(system.at), len(log.impressions)):
        part = slice(log.impressions.start[r], log.impressions.start[r + 1])
        for item in log.impressions.item[part][log.impressions.clicked[part]]:
            clicked.setdefault(log.impressions.user[r], set()).add(log.articles.ids[item])
    assert sorted(clicked) == evaluation.users.tolist()
    views = system.exposure(built, system.at)
    targets = reachable = 0
    for number, (rows, ratings) in zip(evaluation.users, evaluation.ratings):
        scores = np.where(views > 0, system.scores(views, rows, ratings), -np.inf)
        scores[rows[ratings > 0]] = -np.inf
        order = np.argsort(-scores.astype(np.float32), kind="stable")[:5]
        names = {system.items[i] for i in order if scores[i] > -np.inf}
        hits = len(names & clicked[number])
        row = evaluation.values["svd"].loc[number]
        assert row.precision == hits / 5
        assert row.recall == hits / len(clicked[number])
        targets += len(clicked[number])
        able = {system.items[i] for i in np.flatnonzero(scores > -np.inf)}
        reachable += len(able & clicked[number])
    assert evaluation.reachable() == (reachable, targets)
    assert 0 < reachable < targets


def test_metrics_and_report_agree(evaluation):
    metrics, report = evaluation.metrics(), performance_report(evaluation)
    mean = evaluation.values["svd"].precision.mean()
    assert metrics["svd_precision_at_5"] == pytest.approx(mean, rel=1e-12)
    low, high = metrics["svd_recall_at_5_low"], metrics["svd_recall_at_5_high"]
    assert low < metrics["svd_recall_at_5"] < high
    assert f"| {metrics['svd_recall_at_5']:.3f} | {low:.3f} to {high:.3f} |" in report
    assert f"{metrics['reachable']} of them" in report


def test_evaluation_needs_later_clicks(built, world, system):
    with pytest.raises(ValueError, match="data must hold clicks after the time of training"):
        SVDEvaluation(built, world.log.before(system.at), system)


def test_new_users_are_evaluated(built, world, system, evaluation):
    known = set(built.snapshot("user_item", system.at).user_id)
    new = [p for p in evaluation.users if world.log.user_ids[p] not in known]
    assert new
    assert evaluation.values["svd"].loc[new].notna().all().all()


def test_now_is_the_first_time_at_which_all_is_known(built):
    now = built.now()
    assert len(built.snapshot("item", now)) == len(built.snapshot("item", now + 10 * DAY))
    latest = pd.concat([built.snapshot(v, now + DAY).created_time for v in built.views]).max()
    assert now == np.nextafter(latest, np.inf)
    empty = FeatureStore("sqlite://")
    with pytest.raises(ValueError, match="the store holds no rows of 'item'"):
        empty.now()
    empty.close()
