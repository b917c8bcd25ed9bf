"""What comes next: counted as of the moment, without an order that was never there."""

from collections import Counter

import numpy as np
import pytest

from newsreco.embed import TfIdfEmbedder
from newsreco.evaluation import Exam
from newsreco.next_article import _moments, last_content, markov, shares, sit, topic_order
from newsreco.sequence import Chain, last_clicks, questions, steps
from newsreco.state import DAY, State


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
    earlier = {}
    for question in questions(log, State.empty(log, 3 * DAY)):
        if question.user in earlier:
            assert question.last.tolist() == earlier[question.user]
        earlier[question.user] = question.wanted.tolist()
        assert not set(question.last.tolist()) & set(question.live.tolist())


def test_earlier_clicks_have_no_visit_in_common(world):
    """Clicks of before the log share no moment: only the newest counts as the last."""
    log = world.log
    state = State.empty(log, DAY)
    user = int(np.argmax(np.diff(log.history_start)))
    mine = log.history_item[slice(*log.history_start[user : user + 2])]
    state.arrive(user, mine)
    assert last_clicks(state, user).tolist() == [mine[-1]]


def test_chances_sum_to_one_and_shares_are_the_chain_without_memory():
    chain = Chain(smoothing=3.0)
    rng = np.random.default_rng(0)
    for _ in range(50):
        chain.count(rng.integers(0, 6, 2).tolist(), rng.integers(0, 6, 1).tolist())
    everything = list(range(6))
    assert chain.chances([1, 4], everything).sum() == pytest.approx(1)
    heavy = Chain(1e12, chain.transitions, chain.answers, chain.n_answers)
    np.testing.assert_allclose(
        heavy.chances([1, 4], everything), chain.chances([], everything), atol=1e-9
    )
    assert np.ptp(chain.order_alone([1], everything)) > 0.1
    assert (chain.order_alone(["never seen"], everything) == 0).all()


def test_the_exam_agrees_with_scores_made_by_hand(world, vectors):
    log = world.log
    first, last = 500, 650
    contestants = {"markov": markov, "shares": shares, "order": topic_order}
    exam, lists = sit(log, vectors, 3 * DAY, contestants, first, last)
    asked = [
        moment for moment in _moments(log, vectors, 3 * DAY, first) if moment.question.visit < last
    ]
    assert len(lists) == len(asked) == len(exam.shown) > 30
    everything = np.arange(log.n_items)
    for moment in asked[:1]:
        best = np.argsort(-last_content(moment, everything), kind="stable")[0]
        assert moment.vectors[best] @ moment.vectors[moment.question.last].T == pytest.approx(
            (moment.vectors @ moment.vectors[moment.question.last].T).max(), rel=1e-5
        )
    assert lists["markov", "recall"].between(0, 1).all()
    alone = Exam(exam.shown)
    alone.enter("zero", np.zeros(len(exam.shown.item)))
    assert alone.mean("zero") == 0.5
    assert exam.mean("markov") != exam.mean("shares")
