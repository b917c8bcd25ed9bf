"""Retrievers and their tables: small cases by hand, and what may be recommended at all."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse

from newsreco.data import Articles, Impressions, NewsLog
from newsreco.features.state import State
from newsreco.models.cooccurrence import (
    best_of_rows_reference,
    co_clicks,
    fit_tables,
    follow,
    visit_transitions,
)
from newsreco.models.retrievers import (
    ContentRetriever,
    TableRetriever,
    TrendingRetriever,
    live_articles,
    make_retrievers,
    pool,
)
from recsys.retrieval import ExactIndex

HOUR = 3600.0


def make_log(visits, n_items=6, histories=()):
    """A log of visits (user, hour, shown, clicked); people are numbers."""
    n_users = 1 + max([v[0] for v in visits], default=-1)
    histories = list(histories) + [[]] * (n_users - len(histories))
    names = [f"N{i}" for i in range(n_items)]
    zeros = np.zeros(n_items, np.int32)
    articles = Articles(
        names, names, names, names, zeros, zeros, ["news"], ["news"], [()] * n_items
    )
    impressions = Impressions(
        [f"I{r}" for r in range(len(visits))],
        np.array([v[0] for v in visits], np.int32),
        np.array([v[1] * HOUR for v in visits]),
        np.cumsum([0] + [len(v[2]) for v in visits]),
        np.array([i for v in visits for i in v[2]], np.int32),
        np.array([i in v[3] for v in visits for i in v[2]], bool),
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


# Person 0 clicks 0 and 1 on one visit, then 2; person 1 clicks 0, then 3; person 2 nothing.
VISITS = [
    (0, 1, [0, 1, 4], [0, 1]),
    (1, 2, [0, 5], [0]),
    (0, 3, [2, 3], [2]),
    (2, 4, [4, 5], []),
    (1, 5, [3, 2], [3]),
]
ALL = np.ones(6, bool)


def test_transitions_go_from_each_click_to_those_of_the_next_visit():
    expected = np.zeros((6, 6))
    expected[0, [2, 3]] = 0.5  # by person 0 and by person 1
    expected[1, 2] = 1
    np.testing.assert_allclose(visit_transitions(make_log(VISITS)).toarray(), expected)


def test_visits_without_clicks_and_other_people_do_not_break_the_chain():
    visits = [(0, 1, [0], [0]), (1, 2, [1], [1]), (0, 3, [2], []), (0, 4, [3], [3])]
    table = visit_transitions(make_log(visits))
    assert table.nnz == 1 and table[0, 3] == 1


def test_visits_of_one_moment_follow_the_order_of_the_file():
    table = visit_transitions(make_log([(0, 1, [0], [0]), (0, 1, [1], [1])]))
    assert table[0, 1] == 1 and table.nnz == 1


def test_co_clicks_count_people_and_earlier_clicks():
    table = co_clicks(make_log(VISITS, histories=[[5], [], [5, 0]]))
    # 0 and 5: people 0 and 2 had both; 0 has three people, 5 two
    assert table[0, 5] == pytest.approx(2 / (np.sqrt(3 * 2) + 10))
    assert table[0, 2] == pytest.approx(1 / (np.sqrt(3 * 1) + 10))
    assert table[2, 4] == 0


def test_a_log_without_clicks_has_empty_tables():
    tables = fit_tables(make_log([(0, 1, [0, 1], [])]))
    assert {name: table.nnz for name, table in tables.items()} == {"item_item": 0, "sequence": 0}


def test_following_a_table_is_a_weighted_sum_of_its_rows():
    rng = np.random.default_rng(0)
    table = sparse.random(90, 90, 0.2, random_state=0, dtype=np.float32, format="csr")
    allowed = rng.random(90) < 0.7
    sources, weights = rng.integers(0, 90, 12), rng.random(12)
    items, scores = follow(table, sources, weights, 20, allowed)
    sums = np.where(allowed, best_of_rows_reference(table, sources, weights), 0)
    np.testing.assert_array_equal(items, np.argsort(-sums, kind="stable")[:20])
    np.testing.assert_allclose(scores, sums[items], rtol=1e-5)
    items, scores = follow(table, sources[:0], weights[:0], 3, allowed)
    assert items.tolist() == [-1, -1, -1] and np.isneginf(scores).all()


def test_ties_go_to_the_lower_article():
    table = sparse.csr_matrix(([1.0, 1.0, 1.0], ([0, 0, 0], [5, 2, 4])), (6, 6), np.float32)
    assert follow(table, np.array([0]), np.ones(1), 2, ALL)[0].tolist() == [2, 4]


def test_item_item_weighs_recent_clicks_more():
    state = state_after(make_log([(0, 0, [0], [0]), (0, 10, [1], [1])]), half_life=10 * HOUR)
    table = sparse.csr_matrix(([0.8, 0.5], ([0, 1], [2, 3])), (6, 6), np.float32)
    items, scores = TableRetriever(table).candidates(state, 0, 10 * HOUR, 5, ALL)
    assert items.tolist() == [3, 2]
    np.testing.assert_allclose(scores, [0.5, 0.4])


def test_sequence_follows_every_click_of_the_last_visit_and_no_other():
    retriever = TableRetriever(sparse.eye_array(6, k=1, dtype=np.float32).tocsr(), True)
    log = make_log([(0, 1, [4], [4]), (0, 2, [0, 2], [0, 2]), (0, 3, [1], [])])
    assert retriever.candidates(state_after(log), 0, 4 * HOUR, 9, ALL)[0].tolist() == [1, 3]


def test_sequence_follows_only_the_newest_of_the_earlier_clicks():
    retriever = TableRetriever(sparse.eye_array(6, k=1, dtype=np.float32).tocsr(), True)
    state = state_after(make_log([(0, 1, [4], [])], histories=[[0, 2]]))
    assert retriever.candidates(state, 0, 4 * HOUR, 9, ALL)[0].tolist() == [3]


def test_content_finds_what_is_nearest_to_the_profile_and_nothing_opposite():
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0], [0.6, 0.8], [0, 0]], np.float32)
    retriever = ContentRetriever(vectors, ExactIndex().fit(vectors))
    state = state_after(make_log([(0, 1, [0, 2], [0])]))
    items, scores = retriever.candidates(state, 0, HOUR, 9, ALL)
    assert items.tolist() == [0, 1, 4]
    np.testing.assert_allclose(scores, [1, 0.8, 0.6], atol=1e-6)
    assert len(retriever.candidates(state, -1, HOUR, 9, ALL)[0]) == 0


def test_trending_halves_clicks_and_ranks_those_without_last():
    visits = [(0, 0, [0], [0]), (1, 0, [0], [0]), (2, 0, [0, 3], [0]), (3, 12, [2, 1], [2])]
    state = state_after(make_log(visits))
    items, scores = TrendingRetriever(0).candidates(state, -1, 12 * HOUR, 4, ALL)
    assert items.tolist() == [2, 0, 1, 3]  # 3 clicks of two half-lives ago are 0.75
    np.testing.assert_allclose(scores, [1, 0.75, 0, 0])
    items, _ = TrendingRetriever(1).candidates(state, -1, 12 * HOUR, 2, ALL)
    assert items.tolist() == [0, 2]  # a half-life of two days forgets less


@pytest.mark.parametrize("k", [1, 4, 15, 60])
@pytest.mark.parametrize("hours", [0, 30])
def test_trending_is_a_sort_of_the_decayed_clicks(world, k, hours):
    state = state_after(world.log)
    arrays, time = state.arrays, state.now + hours * HOUR
    faded = arrays.item_clicks[:, 0] * 0.5 ** ((time - arrays.item_time) / arrays.half_lives[0])
    allowed = np.arange(world.log.n_items) % 3 != 0
    expected = np.argsort(-np.where(allowed, faded.astype(np.float32), -1), kind="stable")
    items, _ = TrendingRetriever(0).candidates(state, -1, time, k, allowed)
    np.testing.assert_array_equal(items, expected[:k])


def test_live_is_what_was_shown_lately_and_not_clicked_by_the_person():
    state = state_after(make_log(VISITS, n_items=7, histories=[[5]]))
    # last shown at hours: 0: 2, 1: 1, 2: 5, 3: 5, 4: 4, 5: 4, 6: never
    assert np.flatnonzero(live_articles(state, -1, 6 * HOUR, 2 * HOUR)).tolist() == [2, 3, 4, 5]
    assert np.flatnonzero(live_articles(state, -1, 6 * HOUR, 1 * HOUR)).tolist() == [2, 3]
    assert np.flatnonzero(live_articles(state, 0, 6 * HOUR, 9 * HOUR)).tolist() == [3, 4]
    assert np.flatnonzero(live_articles(state, 1, 6 * HOUR, 9 * HOUR)).tolist() == [1, 2, 4, 5]
    with pytest.raises(ValueError, match="window must be finite and above 0"):
        live_articles(state, 0, 6 * HOUR, 0)


def test_no_retriever_finds_what_is_not_allowed_or_names_one_twice(world):
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


def test_nothing_learned_after_the_cut_changes_a_table(world):
    log = world.log
    moment = log.cutoff_time(0.4)
    later = np.arange(len(log.impressions.item)) >= log.impressions.start[log.cut(moment)]
    other = dataclasses.replace(log.impressions, clicked=log.impressions.clicked ^ later)
    before, after = (
        fit_tables(x.before(moment)) for x in (log, dataclasses.replace(log, impressions=other))
    )
    for name in before:
        assert (before[name] != after[name]).nnz == 0
    assert (fit_tables(log)["sequence"] != before["sequence"]).nnz > 0


def test_pooling_takes_turns_and_remembers_who_found_what():
    lists = [np.array([3, 1, 0]), np.array([], int), np.array([3, 5, 1])]
    items, found_by = pool(lists, 6, 3)
    assert items.tolist() == [3, 1, 5]
    assert found_by.tolist() == [[True, False, True], [True, False, True], [False, False, True]]
    assert pool(lists, 6, 100)[0].tolist() == [3, 1, 5, 0]
    assert pool([np.array([], int)], 6, 5)[0].tolist() == []


def test_an_unknown_index_is_refused():
    with pytest.raises(ValueError, match="index must be one of"):
        make_retrievers(np.eye(2), {}, "annoy")
