"""Features: right by definition, the same online as offline, and blind to what comes later."""

from dataclasses import replace

import numpy as np
import pytest

from newsreco.features.embeddings import TfIdfEmbedder
from newsreco.features.matrix import FEATURES, POSITION, candidate_features, replay
from newsreco.features.matrix_reference import features_reference
from newsreco.features.state import DAY, State

HALF_LIFE = 3 * DAY


def coarse(log):
    """The log with its clock rounded down to two hours, so that many visits share a moment."""
    shown = log.impressions
    return replace(log, impressions=replace(shown, time=np.floor(shown.time / 7200) * 7200))


@pytest.fixture(scope="module", params=["seconds", "coarse clock"])
def log(request, world):
    return world.log if request.param == "seconds" else coarse(world.log)


@pytest.fixture(scope="module")
def vectors(world):
    texts = world.log.articles.texts()
    return TfIdfEmbedder(dimensions=16).fit(texts).transform(texts)


@pytest.fixture(scope="module")
def X(log, vectors):
    return replay(log, State.empty(log, HALF_LIFE), vectors)


def rows(log, visit):
    return slice(log.impressions.start[visit], log.impressions.start[visit + 1])


def test_agree_with_their_definitions(log, vectors, X):
    for visit in range(0, len(log.impressions), 23):
        expected = features_reference(log, vectors, HALF_LIFE, visit)
        np.testing.assert_allclose(X[rows(log, visit)], expected, rtol=1e-4, atol=1e-5)
    assert (X.std(axis=0) > 0).all(), "every feature varies, so that the comparison says something"


def test_online_equals_offline_bit_for_bit(log, vectors, X):
    """Events fed one at a time, then the question: the very bits of the training row."""
    state, fed = State.empty(log, HALF_LIFE), 0
    shown = log.impressions
    for visit in range(0, len(shown), 31):
        moment, user = shown.time[visit], shown.user[visit]
        for event in range(fed, log.cut(moment)):
            state.advance(log, event, event + 1)
        fed = max(fed, log.cut(moment))
        earlier = slice(log.history_start[user], log.history_start[user + 1])
        state.arrive(user, log.history_item[earlier])
        items = shown.item[rows(log, visit)]
        online = candidate_features(state, vectors, user, moment, items, np.arange(len(items)))
        assert online.tobytes() == X[rows(log, visit)].tobytes()


def test_an_impressions_own_clicks_are_in_none_of_its_features(log, vectors, X):
    """Turn over every label of one moment: its own features stay, bit for bit."""
    shown = log.impressions
    moment = shown.time[len(shown) // 2]
    first, last = log.cut(moment), int(np.searchsorted(shown.time, moment, side="right"))
    clicked = shown.clicked.copy()
    own = slice(shown.start[first], shown.start[last])
    clicked[own] = ~clicked[own]
    turned = replace(log, impressions=replace(shown, clicked=clicked))
    Z = replay(turned, State.empty(turned, HALF_LIFE), vectors)
    assert Z[: own.stop].tobytes() == X[: own.stop].tobytes()
    assert (Z[own.stop :] != X[own.stop :]).any(), "later ones do see them"


def test_in_pieces_as_in_one(log, vectors, X):
    state = State.empty(log, HALF_LIFE)
    middle = log.cut(log.impressions.time[400])
    parts = [replay(log, state, vectors, 0, middle), replay(log, state, vectors, middle)]
    assert np.concatenate(parts).tobytes() == X.tobytes()


def test_a_copy_goes_its_own_way(log):
    state = State.empty(log, HALF_LIFE)
    state.advance(log, 0, 10)
    copy = state.copy()
    state.advance(log, 10, len(log.impressions))
    assert copy.arrays.totals[1] == log.impressions.start[10] < state.arrays.totals[1]


def test_somebody_unknown_has_no_history(log, vectors):
    state = State.empty(log, HALF_LIFE)
    state.advance(log, 0, 200)
    found = candidate_features(state, vectors, -1, state.now + 1, np.arange(5))
    own = [FEATURES.index(n) for n in ("profile", "last", "nearest", "category", "history")]
    assert (found[:, own] == 0).all()
    assert (found[:, POSITION] == 0).all()


def test_recent_clicks_are_newest_first(world):
    log = world.log
    state = State.empty(log, HALF_LIFE)
    state.advance(log, 0, len(log.impressions))
    user = int(np.argmax(state.arrays.user_clicks))
    items, times = state.recent_clicks(user, 5)
    clicks = log.clicks()
    mine = clicks.time[clicks.user == user]
    assert times.tolist() == sorted(mine, reverse=True)[:5]
    assert set(items) <= set(clicks.item[clicks.user == user].tolist())


def test_bad_input(log, vectors):
    with pytest.raises(ValueError, match="half_life"):
        State.empty(log, 0)
    state = State.empty(log, HALF_LIFE)
    state.advance(log, 0, 200)
    with pytest.raises(ValueError, match="time"):
        candidate_features(state, vectors, 0, state.now - 1, np.arange(3))
    if log.impressions.time[0] < state.now:
        with pytest.raises(ValueError, match="before"):
            state.advance(log, 0, 1)
