"""The features of a window as they were known at a time.

An impression that comes late changes the totals of its window and of all later ones, but only from
the time on at which it is known. A *version* counts what was known at one time; where two versions
differ, the later one is a correction.
"""

from __future__ import annotations

import numpy as np

from newsreco.data.log import NewsLog
from newsreco.feature_store.views import View
from newsreco.feature_store.windows import Columns, Totals

SAME = 1e-12  # relative difference that the order of additions may make


class Version:
    """Totals of the impressions known by a time, or by the time at which a window is written.

    Parameters
    ----------
    log : NewsLog
    known : array (n_impressions,)
        When each became known; seconds UTC.
    half_life, delay : float
        In seconds, as in the schedule.
    time : float
        Of this version; -inf for the one that is written first.
    """

    def __init__(
        self, log: NewsLog, known: np.ndarray, half_life: float, delay: float, time: float = -np.inf
    ):
        self.totals = Totals(log, half_life)
        self.known, self.delay, self.time = known, delay, time
        self.waiting = np.empty(0, np.int64)  # earlier impressions that are not known yet

    def advance(self, end: float, first: int, last: int) -> dict[str, Columns]:
        """Go on to the window of the impressions first, ..., last - 1; its rows, view by view."""
        time = max(self.time, end + self.delay)
        rows = np.arange(first, last)
        now = self.known[rows] <= time
        came = self.known[self.waiting] <= time
        self.totals.add(end, np.concatenate([self.waiting[came], rows[now]]))
        self.waiting = np.concatenate([self.waiting[~came], rows[~now]])
        return self.totals.rows(rows[now])


def changed(view: View, new: Columns, old: Columns) -> Columns:
    """The rows of one version that another one of the same window lacks, or has differently."""
    number = {key: n for n, key in enumerate(zip(*(old[name] for name in view.keys)))}
    at = np.array([number.get(key, -1) for key in zip(*(new[name] for name in view.keys))], int)
    differs = at < 0
    for name in view.features:
        if len(old[name]):
            differs |= ~np.isclose(new[name], old[name][at], rtol=SAME, atol=0)
    rows = np.flatnonzero(differs)
    keys = {name: [new[name][n] for n in rows] for name in view.keys}
    return keys | {name: new[name][rows] for name in view.features}
