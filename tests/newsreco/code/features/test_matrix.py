"""Features: equal to their definitions, the same online as offline, and without leaks."""

from dataclasses import replace

import numpy as np
import pytest

from newsreco.data.times import DAY
from newsreco.features.embeddings import TfIdfEmbedder
from newsreco.features.kernels import Column
from newsreco.features.matrix import candidate_features, replay
from newsreco.features.matrix_reference import features_reference
from newsreco.features.state import State

HALF_LIFE = 3 * DAY


def coarse(log):
    """The log with times rounded down to two hours, so that many impressions have the same."""
    shown = log.impressions
    return replace(log, impressions=replace(shown, time=np.floor(shown.time / 7200) * 7200))


@pytest.fixture(scope="module", params=["seconds", "coarse times"])
def log(request, world):
    return world.log if request.param == "seconds" else coarse(world.log)


@pytest.fixture(scope="module")
def vectors(world):
    texts = world.log.articles.texts()
    return TfIdfEmbedder(dimensions=16).fit(texts).transform(texts)


@pytest.fixture(scope="module")
def X(log, vectors):
    return replay(log, State.empty(log, HALF_LIFE), vectors)


def rows(log, impression):
    return slice(log.impressions.start[impression], log.impressions.start[impression + 1])


def test_features_equal_the_reference(log, vectors, X):
    for impression in range(0, len(log.impressions), 23):
        expected = features_reference(log, vectors, HALF_LIFE, impression)
        np.testing.assert_allclose(X[rows(log, impression)], expected, rtol=1e-4, atol=1e-5)
    assert (X.std(axis=0) > 0).all(), "every feature varies"


def test_online_equals_offline_bit_for_bit(log, vectors, X):
    """Events counted one at a time give the same bits as the training rows."""
    state, done = State.empty(log, HALF_LIFE), 0
    shown = log.impressions
    for impression in range(0, len(shown), 31):
        time, user = shown.time[impression], shown.user[impression]
        for event in range(done, log.cut(time)):
            state.advance(log, event, event + 1)
        done = max(done, log.cut(time))
        earlier = slice(log.history_start[user], log.history_start[user + 1])
        state.load_history(user, log.history_item[earlier])
        items = shown.item[rows(log, impression)]
        online = candidate_features(state, vectors, user, time, items, np.arange(len(items)))
        assert online.tobytes() == X[rows(log, impression)].tobytes()


def test_own_clicks_do_not_change_the_features_of_an_impression(log, vectors, X):
    """Flip every label at one time: features at that time do not change by a bit."""
    shown = log.impressions
    time = shown.time[len(shown) // 2]
    first, last = log.cut(time), int(np.searchsorted(shown.time, time, side="right"))
    clicked = shown.clicked.copy()
    own = slice(shown.start[first], shown.start[last])
    clicked[own] = ~clicked[own]
    flipped = replace(log, impressions=replace(shown, clicked=clicked))
    Z = replay(flipped, State.empty(flipped, HALF_LIFE), vectors)
    assert Z[: own.stop].tobytes() == X[: own.stop].tobytes()
    assert (Z[own.stop :] != X[own.stop :]).any(), "later features change"


def test_replay_in_pieces_equals_one_replay(log, vectors, X):
    state = State.empty(log, HALF_LIFE)
    middle = log.cut(log.impressions.time[400])
    parts = [replay(log, state, vectors, 0, middle), replay(log, state, vectors, middle)]
    assert np.concatenate(parts).tobytes() == X.tobytes()


def test_copy_is_independent(log):
    state = State.empty(log, HALF_LIFE)
    state.advance(log, 0, 10)
    copy = state.copy()
    state.advance(log, 10, len(log.impressions))
    assert copy.arrays.totals[1] == log.impressions.start[10] < state.arrays.totals[1]


def test_unknown_user_has_no_history(log, vectors):
    state = State.empty(log, HALF_LIFE)
    state.advance(log, 0, 200)
    found = candidate_features(state, vectors, -1, state.now + 1, np.arange(5))
    own = [Column.PROFILE, Column.LAST, Column.NEAREST, Column.CATEGORY, Column.HISTORY]
    assert (found[:, [*own, Column.POSITION]] == 0).all()


def test_recent_clicks_are_newest_first(world):
    log = world.log
    state = State.empty(log, HALF_LIFE)
    state.advance(log, 0, len(log.impressions))
    user = int(np.argmax(state.arrays.user_clicks))
    items, times = state.recent_clicks(user, 5)
    clicks = log.clicks()
    expected = sorted(clicks.time[clicks.user == user], reverse=True)
    assert times.tolist() == expected[:5]
    assert set(items) <= set(clicks.item[clicks.user == user].tolist())


def test_wrong_arguments_raise(log, vectors):
    with pytest.raises(ValueError, match="half_life"):
        State.empty(log, 0)
    state = State.empty(log, HALF_LIFE)
    state.advance(log, 0, 200)
    with pytest.raises(ValueError, match="time"):
        candidate_features(state, vectors, 0, state.now - 1, np.arange(3))
    if log.impressions.time[0] < state.now:
        with pytest.raises(ValueError, match="before"):
            state.advance(log, 0, 1)
