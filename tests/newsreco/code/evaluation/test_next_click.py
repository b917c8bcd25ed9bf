"""What comes next: counted as of the moment, without an order that was never there."""

from collections import Counter

import numpy as np
import pytest

from newsreco.evaluation.impressions import Evaluation
from newsreco.evaluation.next_click import (
    _moments,
    evaluate_next_click,
    last_content,
    markov,
    shares,
    topic_order,
)
from newsreco.features.embeddings import TfIdfEmbedder
from newsreco.features.state import DAY, State
from newsreco.models.markov import MarkovChain, questions, steps


@pytest.fixture(scope="module")
def vectors(world):
    texts = world.log.articles.texts()
    return TfIdfEmbedder(dimensions=16).fit(texts).transform(texts)


def clicks_of(log, visit):
    page = slice(log.impressions.start[visit], log.impressions.start[visit + 1])
    return sorted(set(log.impressions.item[page][log.impressions.clicked[page]].tolist()))


def test_steps_are_those_written_out(world):
    """Each person's visits with a click, in time, each beside the one before."""
    log, last, expected = world.log, {}, []
    for visit, user in enumerate(log.impressions.user.tolist()):
        if clicked := clicks_of(log, visit):
            expected.append((last.get(user, []), clicked))
            last[user] = clicked
    assert [(b.tolist(), a.tolist()) for _, b, a in steps(log)] == expected
    assert sum(bool(before) for before, _ in expected) > 100


def test_questions_know_nothing_of_their_own_moment(world, vectors):
    """The chain of each question is that of the steps which ended before it, and no other."""
    log = world.log
    told = list(steps(log))
    n_asked = 0
    for moment in _moments(log, vectors, 3 * DAY, 300):
        question = moment.question
        n_asked += 1
        assert question.wanted.tolist() == clicks_of(log, question.visit)
        assert moment.state.now < question.time
        if n_asked % 20:
            continue
        before = [(b, a) for time, b, a in told if time < question.time]
        assert moment.articles.n_answers == sum(len(a) for _, a in before)
        source = int(question.last[0])
        row = Counter(i for b, a in before if source in b for i in a.tolist())
        assert moment.articles.transitions.get(source, Counter()) == row
    assert n_asked > 100


def test_the_last_visit_of_a_question_is_the_last_one_with_a_click(world):
    log = world.log
    earlier: dict[int, list[tuple[float, list[int]]]] = {}
    n_compared = 0
    for question in questions(log, State.empty(log, 3 * DAY)):
        before = [pair for pair in earlier.get(question.user, []) if pair[0] < question.time]
        if before and len([pair for pair in before if pair[0] == before[-1][0]]) == 1:
            assert question.last.tolist() == before[-1][1]
            n_compared += 1
        mine = (question.time, question.wanted.tolist())
        earlier.setdefault(question.user, []).append(mine)
        assert not set(question.last.tolist()) & set(question.live.tolist())
    assert n_compared > 100


def test_earlier_clicks_have_no_visit_in_common(world):
    """Clicks of before the log share no moment: only the newest counts as the last."""
    log = world.log
    state = State.empty(log, DAY)
    user = int(np.argmax(np.diff(log.history_start)))
    mine = log.history_item[slice(*log.history_start[user : user + 2])]
    state.arrive(user, mine)
    assert state.last_visit(user).tolist() == [mine[-1]]


def test_chances_sum_to_one_and_shares_are_the_chain_without_memory():
    chain = MarkovChain(smoothing=3.0)
    rng = np.random.default_rng(0)
    for _ in range(50):
        chain.count(rng.integers(0, 6, 2).tolist(), rng.integers(0, 6, 1).tolist())
    everything = list(range(6))
    assert chain.chances([1, 4], everything).sum() == pytest.approx(1)
    heavy = MarkovChain(1e12, chain.transitions, chain.answers, chain.n_answers)
    np.testing.assert_allclose(
        heavy.chances([1, 4], everything), chain.chances([], everything), atol=1e-9
    )
    assert np.ptp(chain.order_alone([1], everything)) > 0.1
    np.testing.assert_allclose(chain.order_alone(["never seen"], everything), 0, atol=1e-9)


def test_the_exam_agrees_with_scores_made_by_hand(world, vectors):
    log = world.log
    first, last = 500, 650
    scorers = {"markov": markov, "shares": shares, "order": topic_order}
    evaluation, lists = evaluate_next_click(log, vectors, 3 * DAY, scorers, first, last)
    asked = [
        moment for moment in _moments(log, vectors, 3 * DAY, first) if moment.question.visit < last
    ]
    assert len(lists) == len(asked) == len(evaluation.shown) > 30
    moment = asked[0]
    likeness = moment.vectors @ moment.vectors[moment.question.last].T
    everything = np.arange(log.n_items)
    np.testing.assert_array_equal(last_content(moment, everything), likeness.max(axis=1))
    assert lists["markov", "recall"].between(0, 1).all()
    alone = Evaluation(evaluation.shown)
    alone.add("zero", np.zeros(len(evaluation.shown.item)))
    assert alone.mean("zero") == 0.5
    assert evaluation.mean("markov") != evaluation.mean("shares")
