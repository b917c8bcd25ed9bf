"""The compiled click model equals a slow one in NumPy, written from the formula."""

import numpy as np
import pytest

from newsreco.synthetic import clicks
from newsreco.synthetic.articles import START
from newsreco.synthetic.clicks import (
    FOLLOW_UP_HALF_LIFE,
    FRESHNESS,
    FRESHNESS_HALF_LIFE,
    MEMORY,
    NEXT_TOPIC,
    ORDER_FRESHNESS,
    ORDER_NOISE,
    ORDER_SCORE,
    POSITION_BIAS,
    SAME_TOPIC,
    SHOWN_LIFE,
)
from newsreco.synthetic.generate import make_plan


def simulate_reference(impressions, articles, users, uniforms, intercept):
    """(item, clicked, probability, relevance) for users who have no clicks yet."""
    published, topic, quality, editor_score = articles
    preference, later, drift, next_topic = users
    clicked_by = {}  # user -> [(article, time), ...]
    pages = []
    for r, (u, now) in enumerate(zip(*impressions[:2])):
        past = clicked_by.setdefault(u, [])
        recent = [i for i, _ in past[-MEMORY:]]
        n_shown = impressions[2][r + 1] - impressions[2][r]
        draws = uniforms[0][r], uniforms[1][r]
        page = _select(n_shown, now, published, editor_score, recent, *draws)
        fresh = 0.5 ** ((now - published[page]) / FRESHNESS_HALF_LIFE)
        value = ORDER_FRESHNESS * fresh + ORDER_SCORE * editor_score[page]
        order = np.argsort(-value - ORDER_NOISE * uniforms[2][r, :n_shown], kind="stable")
        page, fresh, s = page[order], fresh[order], topic[page[order]]
        angle = drift[u] * now
        logit = intercept + np.cos(angle) * preference[u, s] + np.sin(angle) * later[u, s]
        logit = logit + quality[page] + FRESHNESS * fresh
        if past:
            last, time = topic[past[-1][0]], past[-1][1]
            bonus = np.where(s == last, SAME_TOPIC, np.where(s == next_topic[last], NEXT_TOPIC, 0))
            logit = logit + bonus * 0.5 ** ((now - time) / FOLLOW_UP_HALF_LIFE)
        probability = _sigmoid(logit - POSITION_BIAS * np.log(1 + np.arange(n_shown)))
        clicked = uniforms[3][r, :n_shown] <= probability
        past += [(i, now) for i in page[clicked]]
        pages.append((page, clicked, probability, _sigmoid(logit)))
    return tuple(np.concatenate(columns) for columns in zip(*pages))


def _sigmoid(logit):
    return np.round(1 / (1 + np.exp(-logit)), 6)


def _select(n_shown, now, published, editor_score, recent, ages, acceptance):
    """The articles of a page, in the order in which they were selected."""
    page = []
    for age, accept in zip(ages, acceptance):
        earlier = np.flatnonzero(published <= now + SHOWN_LIFE * np.log(age))
        if len(earlier) and len(page) < n_shown:
            i = earlier[-1]
            rate = 1 / (1 + np.exp(-editor_score[i]))
            if i not in page and i not in recent and accept <= rate:
                page.append(i)
    newest_first = np.flatnonzero(published <= now)[::-1]
    page += [i for i in newest_first if i not in page and i not in recent]
    page += [i for i in newest_first if i not in page]
    return np.array(page[:n_shown])


@pytest.fixture(scope="module")
def plan():
    return make_plan(60, 400, 30, 3, "preference")


@pytest.fixture(scope="module")
def uniforms():
    return clicks.draw_uniforms(np.random.default_rng(5), 400)


def inputs(plan):
    """The arrays of articles and users that both versions take."""
    articles, users = plan.articles, plan.users
    return (
        (articles.published, articles.topic, articles.quality, articles.editor_score),
        (users.preference, users.later, users.drift, users.next_topic),
    )


def simulate(plan, bounds, uniforms):
    """The compiled version, in the chunks that `bounds` cut."""
    state, parts = clicks.initial_state(30), []
    for first, last in zip(bounds, bounds[1:]):
        start = plan.start[first : last + 1] - plan.start[first]
        out = clicks.empty_output(start[-1])
        rows = slice(first, last)
        impressions = plan.users.user[rows], plan.users.time[rows] - START, start
        draws = tuple(values[rows] for values in uniforms)
        clicks.simulate(impressions, *inputs(plan), state, draws, plan.intercept, 0.0, out)
        parts.append(out)
    return [np.concatenate(columns) for columns in zip(*parts)]


def test_compiled_click_model_equals_the_reference(plan, uniforms):
    impressions = plan.users.user, plan.users.time - START, plan.start
    expected = simulate_reference(impressions, *inputs(plan), uniforms, plan.intercept)
    found = simulate(plan, [0, 400], uniforms)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_allclose(found[2], expected[2], atol=1.1e-6)
    np.testing.assert_allclose(found[3], expected[3], atol=1.1e-6)


def test_chunks_do_not_change_the_result(plan, uniforms):
    whole = simulate(plan, [0, 400], uniforms)
    chunks = simulate(plan, [0, 1, 130, 400], uniforms)
    for a, b in zip(whole, chunks):
        np.testing.assert_array_equal(a, b)
