r"""Features of articles for a user at a time: what a ranker may know before the click.

Counts over the whole log would contain the click to be predicted. So the log is replayed:
features are computed as of the time of each impression, from earlier events only, and the
impression is counted afterwards. Serving runs the same compiled function on the same counters, so
features online equal those in training, bit for bit.

A user's profile is the sum of the vectors of their last clicks, each halved every half-life h;
counters of clicks and views decay alike, with half-lives of their own:

.. math:: z_u(t) = \sum_{(i, s) \in u,\, s < t} 2^{-(t - s) / h} \, v_i, \qquad
          c_i(t) = \sum_{\text{clicks } s < t} 2^{-(t - s) / h_c}

Clicks before the log have no time; they decay from its first impression, the latest time at which
they can have happened. Left out: dwell time, and what was scrolled past.
"""

from __future__ import annotations

import numpy as np

from newsreco.data import NewsLog
from newsreco.features.counters import count_impression, load_history
from newsreco.features.kernels import Column, compute_features
from newsreco.features.state import State
from recsys.compiled import compiled

FEATURES = tuple(column.name.lower() for column in Column)


def candidate_features(
    state: State,
    vectors: np.ndarray,
    user: int,
    time: float,
    items: np.ndarray,
    positions: np.ndarray | None = None,
) -> np.ndarray:
    """Features of `items` for one user at a time: (n, len(FEATURES)) float32.

    Parameters
    ----------
    state : State
        Advanced by all events before `time`.
    vectors : array (n_items, d) float32
        Unit rows, or zeros.
    user : int
        -1 for an unknown user.
    time : float
        Seconds UTC; not before the last event that the state has counted.
    items : array (n,) of int
    positions : array (n,) of int, optional
        In the impression, from 0; by default all are at the top.
    """
    if time < state.now:
        raise ValueError(f"time must not be before the state's own {state.now}, got {time}")
    items = np.ascontiguousarray(items, np.int32)
    positions = np.zeros(len(items), np.int64) if positions is None else np.asarray(positions)
    X = np.zeros((len(items), len(FEATURES)), np.float32)
    compute_features(state.arrays, vectors, user, time, items, positions.astype(np.int64), X)
    return X


def replay(
    log: NewsLog, state: State, vectors: np.ndarray, first: int = 0, last: int | None = None
) -> np.ndarray:
    """Features of everything shown in impressions first..last-1, as of the time of each.

    The state must have counted all before impression `first`, and is advanced past the others.
    Impressions of one time do not see each other. Returns (n_shown, len(FEATURES)) float32.
    """
    last = len(log.impressions) if last is None else last
    shown = log.impressions
    state.make_room(log, first, last)
    X = np.zeros((shown.start[last] - shown.start[first], len(FEATURES)), np.float32)
    history = log.history_start, log.history_item
    events = shown.user, shown.time, shown.start, shown.item, shown.clicked
    _replay(state.arrays, vectors, *history, *events, first, last, X)
    return X


# Numba's cache notices changes of this file only: after editing kernels.py or counters.py, delete
# the *.nbi files in __pycache__.


@compiled
def _replay(
    arrays, vectors, history_start, history_item, user, time, start, item, clicked, first, last, X
):
    """For each time: load histories, compute features, then count the impressions."""
    begin = first
    while begin < last:
        end = begin
        while end < last and time[end] == time[begin]:
            load_history(arrays, np.int64(user[end]), history_start, history_item)
            end += 1
        for r in range(begin, end):
            shown = slice(start[r], start[r + 1])
            rows = slice(start[r] - start[first], start[r + 1] - start[first])
            positions = np.arange(start[r + 1] - start[r])
            u = np.int64(user[r])  # as in calls from Python: each function is compiled once
            compute_features(arrays, vectors, u, time[r], item[shown], positions, X[rows])
        for r in range(begin, end):
            shown = slice(start[r], start[r + 1])
            count_impression(arrays, np.int64(user[r]), time[r], item[shown], clicked[shown])
        begin = end
