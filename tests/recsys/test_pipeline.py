"""Two stages: what the pool holds, what the ranker sees, and no leak from the later log."""

import copy

import numpy as np
import pytest

from recsys import Interactions, evaluate, last_fraction
from recsys.models import ItemKNN, Popularity, Random
from recsys.pipeline import TwoStage
from recsys.rerank import to_unit_range


class Recorder:
    """A ranker that keeps what it was given, and scores by the first feature."""

    def fit(self, X, clicked):
        self.X, self.clicked = X, clicked

    def scores(self, X):
        return X[:, 0].astype(float)


@pytest.fixture(scope="module")
def logs(train_test):
    return last_fraction(train_test[0])


def make(ranker=None, **more):
    retrievers = {"neighbors": ItemKNN(n_neighbors=40), "popular": Popularity()}
    return TwoStage(retrievers, **{"pool_size": 30} | more, ranker=ranker or Recorder())


def test_candidates_are_the_retrievers_lists_without_the_history(logs):
    early, late = logs
    stages = make().fit(early, late)
    row, items, found_by = stages.candidates([5, 9])
    lists = [model.recommend([5, 9], 30)[0] for model in stages.fitted.values()]
    for n, user in enumerate([5, 9]):
        mine = items[row == n]
        assert len(mine) == len(set(mine.tolist())) == 30
        assert not set(mine.tolist()) & set(early.item[early.user == user].tolist())
        assert (
            mine[:2].tolist()
            == list(dict.fromkeys([lists[0][n, 0], lists[1][n, 0], lists[0][n, 1]]))[:2]
        )
        for column in range(2):
            assert found_by[row == n, column].tolist() == np.isin(mine, lists[column][n]).tolist()


def test_the_ranker_learns_from_candidates_and_what_came_later(logs):
    early, late = logs
    stages = make().fit(early, late)
    users = np.unique(late.user)
    row, items, _ = stages.candidates(users)
    pairs = set(zip(late.user.tolist(), late.item.tolist()))
    assert stages.ranker.clicked.tolist() == [
        (u, i) in pairs for u, i in zip(users[row].tolist(), items.tolist())
    ]
    assert 0 < stages.ranker.clicked.mean() < 0.5
    at = np.flatnonzero(row == 3)
    for column, model in enumerate(stages.fitted.values()):
        expected = to_unit_range(model.score(int(users[3]))[items[at]])
        np.testing.assert_allclose(stages.ranker.X[at, column], expected, rtol=1e-5)
    counts = np.bincount(early.item, minlength=early.n_items)
    np.testing.assert_allclose(stages.ranker.X[at, 4], np.log1p(counts[items[at]]), rtol=1e-6)
    assert stages.feature_names[2:] == ["neighbors found", "popular found", "log popularity"]


def test_features_hold_nothing_of_the_later_log(logs):
    """Another later log of the same users changes labels, never features."""
    early, late = logs
    other = Interactions(late.user, late.item[::-1], late.time, None, late.n_users, late.n_items)
    first, second = (make().fit(early, later).ranker for later in (late, other))
    assert np.array_equal(first.X, second.X)
    assert not np.array_equal(first.clicked, second.clicked)


def test_refit_changes_the_retrievers_and_not_the_ranker(logs):
    early, late = logs
    stages = TwoStage(make().retrievers, 30).fit(early, late)
    before = copy.deepcopy(stages.ranker)
    whole = early.append(late)
    assert np.array_equal(stages.refit(whole).ranker.weights, before.weights)
    assert stages.data_fingerprint == whole.fingerprint
    expected = ItemKNN(n_neighbors=40).fit(whole).score(7)
    assert np.array_equal(stages.fitted["neighbors"].score(7), expected)
    items, _ = stages.recommend(7, 10)
    assert not set(items.tolist()) & set(whole.item[whole.user == 7].tolist())


def test_lists_are_in_the_order_of_the_ranker_and_ties_go_to_the_lower_id(logs):
    stages = make().fit(*logs)
    ((items, scores),) = stages.rank([4])
    assert (np.diff(scores) <= 0).all()
    assert all(a < b for a, b, s, t in zip(items, items[1:], scores, scores[1:]) if s == t)
    found, values = stages.recommend([4, 2], 8)
    assert found.dtype == np.int32 and values.dtype == np.float32
    assert found[0].tolist() == items[:8].tolist()
    assert stages.recommend(4, 8)[0].tolist() == items[:8].tolist()
    many, none = stages.recommend(4, 40)
    assert (many[30:] == -1).all() and np.isneginf(none[30:]).all() and (many[:30] >= 0).all()


def test_candidates_with_equal_scores_are_in_the_order_of_their_ids(logs):
    class Equal(Recorder):
        def scores(self, X):
            return np.zeros(len(X))

    for items, _ in make(Equal()).fit(*logs).rank([4, 7]):
        assert items.tolist() == sorted(items.tolist()) and len(items) == 30


def test_the_given_retrievers_stay_unfitted(logs):
    stages = make().fit(*logs)
    assert not any(model.is_fitted for model in stages.retrievers.values())
    assert all(model.is_fitted for model in stages.fitted.values())


def test_a_reranker_gets_the_best_first_and_decides_the_order(logs):
    def worst_first(items, scores, k):
        assert (np.diff(scores) <= 0).all()
        return np.arange(len(items))[::-1][:k]

    plain, turned = make().fit(*logs), make(rerank=worst_first).fit(*logs)
    items, _ = plain.rank([4])[0]
    assert turned.recommend(4, 5)[0].tolist() == items[::-1][:5].tolist()


def test_the_pools_recall_is_the_ceiling_and_a_learned_ranker_beats_a_random_order(train_test):
    train, test = train_test
    early, late = last_fraction(train)
    stages = (
        TwoStage({"neighbors": ItemKNN(40), "random": Random()}, 40).fit(early, late).refit(train)
    )
    users = np.unique(test.user)
    row, items, _ = stages.candidates(users)
    ceiling = np.isin(users[row] * 1000 + items, test.user * 1000 + test.item).sum() / len(users)
    report, chance = (evaluate(m, train, test) for m in (stages, Random().fit(train)))
    assert report["recall@10"] <= ceiling < 1
    gain = report.per_user["recall@10"] - chance.per_user["recall@10"]
    assert gain.mean() > 3 * gain.std() / np.sqrt(len(gain))


def test_users_nobody_can_serve_get_an_empty_list(logs):
    early, late = logs
    stages = TwoStage({"neighbors": ItemKNN(40)}, 10, Recorder()).fit(early, late)
    wider = Interactions(early.user, early.item, early.time, None, 301, early.n_items)
    items, scores = stages.refit(wider).recommend([300, 3, 300], 4)
    assert items[[0, 2]].tolist() == [[-1] * 4] * 2 and np.isneginf(scores[[0, 2]]).all()
    assert (items[1] >= 0).all()
    assert stages.recommend([300], 4)[0].tolist() == [[-1] * 4]
    assert stages.recommend([], 4)[0].shape == (0, 4)


def test_errors_name_what_is_wrong(logs):
    early, late = logs
    for wrong in ({}, [Popularity()], None):
        with pytest.raises(
            ValueError, match="^retrievers must map names to one model or more, got"
        ):
            TwoStage(wrong)
    with pytest.raises(ValueError, match="^pool_size must be at least 1, got 0"):
        make(pool_size=0)
    with pytest.raises(ValueError, match="^k must be at least 1, got 0"):
        make().fit(early, late).recommend(0, 0)
    with pytest.raises(ValueError, match="^TwoStage must be fitted first"):
        make().recommend(0)
    seen = early.select(np.arange(50))
    with pytest.raises(ValueError, match="^late must hold a candidate of some user, got none"):
        make().fit(early, seen)
    with pytest.raises(ValueError, match="^users must hold ids between 0 and 299, got 300"):
        make().fit(early, late).recommend(300)
