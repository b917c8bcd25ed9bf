"""Next-click prediction: targets and chains as of their time, metrics against values by hand."""

from collections import Counter

import numpy as np
import pytest

from newsreco.data.times import DAY
from newsreco.evaluation.impressions import Evaluation
from newsreco.evaluation.next_click import (
    click_transitions,
    contexts,
    evaluate_next_click,
    last_content,
    markov,
    next_clicks,
    popularity,
    topic_lift,
)
from newsreco.features.embeddings import TfIdfEmbedder
from newsreco.features.state import State
from newsreco.models.markov import MarkovChain


@pytest.fixture(scope="module")
def vectors(world):
    texts = world.log.articles.texts()
    return TfIdfEmbedder(dimensions=16).fit(texts).transform(texts)


def clicks_of(log, impression):
    rows = slice(log.impressions.start[impression], log.impressions.start[impression + 1])
    return sorted(set(log.impressions.item[rows][log.impressions.clicked[rows]].tolist()))


def test_transitions_join_consecutive_impressions_with_a_click(world):
    log, last, expected = world.log, {}, []
    for impression, user in enumerate(log.impressions.user.tolist()):
        if clicked := clicks_of(log, impression):
            expected.append((last.get(user, []), clicked))
            last[user] = clicked
    assert [(b.tolist(), a.tolist()) for _, b, a in click_transitions(log)] == expected
    assert sum(bool(before) for before, _ in expected) > 100


def test_contexts_know_only_what_came_before(world, vectors):
    """The chain of each context holds the transitions before its time, and no other."""
    log = world.log
    transitions = list(click_transitions(log))
    n_targets = 0
    for context in contexts(log, vectors, 3 * DAY, 300):
        target = context.target
        n_targets += 1
        assert target.clicked.tolist() == clicks_of(log, target.impression)
        assert context.state.now < target.time
        if n_targets % 20:
            continue
        before = [(b, a) for time, b, a in transitions if time < target.time]
        assert context.articles.n_clicks == sum(len(a) for _, a in before)
        source = int(target.last[0])
        row = Counter(i for b, a in before if source in b for i in a.tolist())
        assert context.articles.transitions.get(source, Counter()) == row
    assert n_targets > 100


def test_last_clicks_are_those_of_the_last_impression_with_any(world):
    log = world.log
    earlier: dict[int, list[tuple[float, list[int]]]] = {}
    n_compared = 0
    for target in next_clicks(log, State.empty(log, 3 * DAY)):
        before = [pair for pair in earlier.get(target.user, []) if pair[0] < target.time]
        if before and len([pair for pair in before if pair[0] == before[-1][0]]) == 1:
            assert target.last.tolist() == before[-1][1]
            n_compared += 1
        clicked = (target.time, target.clicked.tolist())
        earlier.setdefault(target.user, []).append(clicked)
        assert not set(target.last.tolist()) & set(target.live.tolist())
    assert n_compared > 100


def test_only_the_newest_of_the_clicks_before_the_log_is_the_last(world):
    log = world.log
    state = State.empty(log, DAY)
    user = int(np.argmax(np.diff(log.history_start)))
    history = log.history_item[slice(*log.history_start[user : user + 2])]
    state.load_history(user, history)
    assert state.last_clicks(user).tolist() == [history[-1]]


def test_probabilities_sum_to_one_and_heavy_smoothing_removes_memory():
    chain = MarkovChain(smoothing=3.0)
    rng = np.random.default_rng(0)
    for _ in range(50):
        chain.count(rng.integers(0, 6, 2).tolist(), rng.integers(0, 6, 1).tolist())
    items = list(range(6))
    assert chain.probabilities([1, 4], items).sum() == pytest.approx(1)
    smooth = MarkovChain(1e12, chain.transitions, chain.clicks, chain.n_clicks)
    np.testing.assert_allclose(
        smooth.probabilities([1, 4], items), chain.probabilities([], items), atol=1e-9
    )
    assert np.ptp(chain.log_lift([1], items)) > 0.1
    np.testing.assert_allclose(chain.log_lift(["unknown"], items), 0, atol=1e-9)


def test_evaluation_agrees_with_scores_by_hand(world, vectors):
    log = world.log
    first, last = 500, 650
    scorers = {"markov": markov, "popularity": popularity, "topics": topic_lift}
    evaluation, lists = evaluate_next_click(log, vectors, 3 * DAY, scorers, first, last)
    found = [c for c in contexts(log, vectors, 3 * DAY, first) if c.target.impression < last]
    assert len(lists) == len(found) == len(evaluation.shown) > 30
    context = found[0]
    cosine = context.vectors @ context.vectors[context.target.last].T
    items = np.arange(log.n_items)
    np.testing.assert_array_equal(last_content(context, items), cosine.max(axis=1))
    assert lists["markov", "recall"].between(0, 1).all()
    constant = Evaluation(evaluation.shown)
    constant.add("zero", np.zeros(len(evaluation.shown.item)))
    assert constant.mean("zero") == 0.5
    assert evaluation.mean("markov") != evaluation.mean("popularity")
