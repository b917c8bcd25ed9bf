"""Retrievers and their tables: small cases by hand, and which articles are live."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse

from newsreco.data import Articles, Impressions, NewsLog
from newsreco.data.times import HOUR
from newsreco.features.state import State
from newsreco.models.cooccurrence import best_of_rows, fit_tables
from newsreco.models.retrievers import (
    ContentRetriever,
    TableRetriever,
    TrendingRetriever,
    live_articles,
    make_retrievers,
)
from recsys.retrieval import ExactIndex


def make_log(impressions, n_items=6, histories=()):
    """A log of impressions (user, hour, shown, clicked)."""
    n_users = 1 + max([row[0] for row in impressions], default=-1)
    histories = list(histories) + [[]] * (n_users - len(histories))
    names = [f"N{i}" for i in range(n_items)]
    zeros = np.zeros(n_items, np.int32)
    articles = Articles(
        names, names, names, names, zeros, zeros, ["news"], ["news"], [()] * n_items
    )
    impressions = Impressions(
        [f"I{r}" for r in range(len(impressions))],
        np.array([row[0] for row in impressions], np.int32),
        np.array([row[1] * HOUR for row in impressions]),
        np.cumsum([0] + [len(row[2]) for row in impressions]),
        np.array([i for row in impressions for i in row[2]], np.int32),
        np.array([i in row[3] for row in impressions for i in row[2]], bool),
    )
    return NewsLog(
        articles,
        [f"U{u}" for u in range(n_users)],
        np.cumsum([0] + [len(h) for h in histories]),
        np.array([i for h in histories for i in h], np.int32),
        impressions,
    )


def state_after(log, half_life=10 * HOUR):
    state = State.empty(log, half_life)
    state.advance(log, 0, len(log.impressions))
    return state


# User 0 clicks 0 and 1 on one impression, then 2; user 1 clicks 0, then 3; user 2 nothing.
IMPRESSIONS = [
    (0, 1, [0, 1, 4], [0, 1]),
    (1, 2, [0, 5], [0]),
    (0, 3, [2, 3], [2]),
    (2, 4, [4, 5], []),
    (1, 5, [3, 2], [3]),
]
ALL = np.ones(6, bool)


def test_transitions_go_from_each_click_to_those_of_the_next_impression():
    expected = np.zeros((6, 6))
    expected[0, [2, 3]] = 0.5  # by user 0 and by user 1
    expected[1, 2] = 1
    np.testing.assert_allclose(fit_tables(make_log(IMPRESSIONS))["sequence"].toarray(), expected)


def test_other_users_and_impressions_without_clicks_do_not_break_the_chain():
    impressions = [(0, 1, [0], [0]), (1, 2, [1], [1]), (0, 3, [2], []), (0, 4, [3], [3])]
    table = fit_tables(make_log(impressions))["sequence"]
    assert table.nnz == 1 and table[0, 3] == 1


def test_a_users_clicks_of_one_time_are_one_impression():
    table = fit_tables(make_log([(0, 1, [0], [0]), (0, 1, [1], [1]), (0, 2, [2], [2])]))["sequence"]
    assert table[0, 2] == table[1, 2] == 1 and table.nnz == 2


def test_co_clicks_count_users_and_earlier_clicks():
    table = fit_tables(make_log(IMPRESSIONS, histories=[[5], [], [5, 0]]))["item_item"]
    # 0 and 5: users 0 and 2 clicked both; 0 has three users, 5 two
    assert table[0, 5] == pytest.approx(2 / (np.sqrt(3 * 2) + 10))
    assert table[0, 2] == pytest.approx(1 / (np.sqrt(3 * 1) + 10))
    assert table[2, 4] == 0


def test_log_without_clicks_has_empty_tables():
    tables = fit_tables(make_log([(0, 1, [0, 1], [])]))
    assert {name: table.nnz for name, table in tables.items()} == {"item_item": 0, "sequence": 0}


def test_best_of_rows_is_a_weighted_sum_of_rows():
    rng = np.random.default_rng(0)
    table = sparse.random(90, 90, 0.2, random_state=0, dtype=np.float32, format="csr")
    allowed = rng.random(90) < 0.7
    sources, weights = rng.integers(0, 90, 12), rng.random(12)
    items, scores = best_of_rows(table, sources, weights, 20, allowed)
    sums = np.where(allowed, weights @ table[sources].toarray().astype(float), 0)
    np.testing.assert_array_equal(items, np.argsort(-sums, kind="stable")[:20])
    np.testing.assert_allclose(scores, sums[items], rtol=1e-5)
    items, scores = best_of_rows(table, sources[:0], weights[:0], 3, allowed)
    assert items.tolist() == [-1, -1, -1] and np.isneginf(scores).all()


def test_ties_go_to_the_lower_article():
    table = sparse.csr_matrix(([1.0, 1.0, 1.0], ([0, 0, 0], [5, 2, 4])), (6, 6), np.float32)
    assert best_of_rows(table, np.array([0]), np.ones(1), 2, ALL)[0].tolist() == [2, 4]


def test_item_item_weights_recent_clicks_more():
    state = state_after(make_log([(0, 0, [0], [0]), (0, 10, [1], [1])]), half_life=10 * HOUR)
    table = sparse.csr_matrix(([0.8, 0.5], ([0, 1], [2, 3])), (6, 6), np.float32)
    items, scores = TableRetriever(table).candidates(state, 0, 10 * HOUR, 5, ALL)
    assert items.tolist() == [3, 2]
    np.testing.assert_allclose(scores, [0.5, 0.4])


def test_sequence_uses_every_click_of_the_last_impression_and_no_other():
    retriever = TableRetriever(sparse.eye_array(6, k=1, dtype=np.float32).tocsr(), True)
    log = make_log([(0, 1, [4], [4]), (0, 2, [0, 2], [0, 2]), (0, 3, [1], [])])
    assert retriever.candidates(state_after(log), 0, 4 * HOUR, 9, ALL)[0].tolist() == [1, 3]


def test_sequence_uses_only_the_newest_of_the_clicks_before_the_log():
    retriever = TableRetriever(sparse.eye_array(6, k=1, dtype=np.float32).tocsr(), True)
    state = state_after(make_log([(0, 1, [4], [])], histories=[[0, 2]]))
    assert retriever.candidates(state, 0, 4 * HOUR, 9, ALL)[0].tolist() == [3]


def test_content_finds_articles_with_positive_similarity_to_the_profile():
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0], [0.6, 0.8], [0, 0]], np.float32)
    retriever = ContentRetriever(vectors, ExactIndex().fit(vectors))
    state = state_after(make_log([(0, 1, [0, 2], [0])]))
    items, scores = retriever.candidates(state, 0, HOUR, 9, ALL)
    assert items.tolist() == [0, 1, 4]
    np.testing.assert_allclose(scores, [1, 0.8, 0.6], atol=1e-6)
    assert len(retriever.candidates(state, -1, HOUR, 9, ALL)[0]) == 0


def test_trending_decays_clicks_and_ranks_articles_without_any_last():
    impressions = [(0, 0, [0], [0]), (1, 0, [0], [0]), (2, 0, [0, 3], [0]), (3, 12, [2, 1], [2])]
    state = state_after(make_log(impressions))
    items, scores = TrendingRetriever(0).candidates(state, -1, 12 * HOUR, 4, ALL)
    assert items.tolist() == [2, 0, 1, 3]  # 3 clicks of two half-lives ago are 0.75
    np.testing.assert_allclose(scores, [1, 0.75, 0, 0])
    items, _ = TrendingRetriever(1).candidates(state, -1, 12 * HOUR, 2, ALL)
    assert items.tolist() == [0, 2]  # a half-life of two days decays less


@pytest.mark.parametrize("k", [1, 4, 15, 60])
@pytest.mark.parametrize("hours", [0, 30])
def test_trending_sorts_by_decayed_clicks(world, k, hours):
    state = state_after(world.log)
    arrays, time = state.arrays, state.now + hours * HOUR
    decayed = arrays.item_clicks[:, 0] * 0.5 ** ((time - arrays.item_time) / arrays.half_lives[0])
    allowed = np.arange(world.log.n_items) % 3 != 0
    expected = np.argsort(-np.where(allowed, decayed.astype(np.float32), -1), kind="stable")
    items, _ = TrendingRetriever(0).candidates(state, -1, time, k, allowed)
    np.testing.assert_array_equal(items, expected[:k])


def test_live_articles_were_shown_recently_and_not_clicked_by_the_user():
    state = state_after(make_log(IMPRESSIONS, n_items=7, histories=[[5]]))
    # last shown at hours: 0: 2, 1: 1, 2: 5, 3: 5, 4: 4, 5: 4, 6: never
    assert np.flatnonzero(live_articles(state, -1, 6 * HOUR, 2 * HOUR)).tolist() == [2, 3, 4, 5]
    assert np.flatnonzero(live_articles(state, -1, 6 * HOUR, 1 * HOUR)).tolist() == [2, 3]
    assert np.flatnonzero(live_articles(state, 0, 6 * HOUR, 9 * HOUR)).tolist() == [3, 4]
    assert np.flatnonzero(live_articles(state, 1, 6 * HOUR, 9 * HOUR)).tolist() == [1, 2, 4, 5]
    with pytest.raises(ValueError, match="window must be finite and above 0"):
        live_articles(state, 0, 6 * HOUR, 0)


def test_candidates_are_allowed_and_distinct(world):
    log = world.log
    state, rng = state_after(log), np.random.default_rng(0)
    vectors = rng.normal(size=(log.n_items, 8)).astype(np.float32)
    retrievers = make_retrievers(vectors, fit_tables(log))
    allowed = rng.random(log.n_items) < 0.3
    for user in range(-1, 20):
        for retriever in retrievers.values():
            items, scores = retriever.candidates(state, user, state.now, 15, allowed)
            assert allowed[items].all() and len(set(items.tolist())) == len(items) <= 15
            assert (np.diff(scores) <= 0).all() and len(scores) == len(items)


def test_clicks_after_the_cut_do_not_change_a_table(world):
    log = world.log
    cut = log.cutoff_time(0.4)
    later = np.arange(len(log.impressions.item)) >= log.impressions.start[log.cut(cut)]
    other = dataclasses.replace(log.impressions, clicked=log.impressions.clicked ^ later)
    before, after = (
        fit_tables(x.before(cut)) for x in (log, dataclasses.replace(log, impressions=other))
    )
    for name in before:
        assert (before[name] != after[name]).nnz == 0
    assert (fit_tables(log)["sequence"] != before["sequence"]).nnz > 0


def test_unknown_index_raises():
    with pytest.raises(ValueError, match="index must be one of"):
        make_retrievers(np.eye(2), {}, "annoy")
