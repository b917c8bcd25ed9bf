"""What a made-up world's people would have clicked, also where they were not shown it.

A log tells only about what the editor put on the page. In the synthetic world the chance of
every click is a known formula, so a list can be judged by what it would have earned, and the
judgement by the log held against it. No real site can know this; a trial with part of the
visitors is how it is estimated there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from newsreco.synthetic import clicks as walk
from newsreco.synthetic.world import BEGIN, CLICK_RATE, make_plan


class TrueClickModel:
    """The known chances of a world made with the same arguments; see `make_synthetic_log`.

    Parameters
    ----------
    n_articles, n_impressions, n_users, seed : int
    click_model : {"taste", "coin"}
    """

    def __init__(
        self,
        n_articles: int = 300,
        n_impressions: int = 4_000,
        n_users: int = 400,
        seed: int = 0,
        click_model: str = "taste",
    ):
        plan = make_plan(n_articles, n_impressions, n_users, seed, click_model)
        press, readers = plan.press, plan.readers
        self._articles = press.published, press.topic, press.quality, press.liked
        self._people = readers.taste, readers.later, readers.turn, readers.after
        self._place = np.argsort(press.by_age)  # of an article in the order of publication
        self._level = plan.level
        self._rate = CLICK_RATE if click_model == "coin" else 0.0

    def chances(self, state: Any, user: int, time: float, items: np.ndarray) -> np.ndarray:
        """The chance of a click on each item at the top of a page: (n,) float64.

        Parameters
        ----------
        state : newsreco.features.state.State
            Advanced by all events before `time`; it knows the person's last click.
        user : int
        time : float
            Seconds UTC.
        items : array (n,) of int
        """
        topic, when = -1, 0.0
        newest = state.arrays.user_newest[user]
        if newest >= 0 and not state.arrays.click_untimed[newest]:
            topic = self._articles[1][self._place[state.arrays.click_item[newest]]]
            when = state.arrays.click_time[newest] - BEGIN
        places = self._place[np.asarray(items, np.int64)]
        found = np.empty(len(places))
        told = self._articles, self._people, topic, when, self._level, self._rate
        _chances(user, places, time - BEGIN, *told, found)
        return found


@njit(cache=True)
def _chances(user, places, now, articles, people, topic, when, level, rate, found):
    for n in range(len(places)):
        logit = level + walk.appeal(user, places[n], now, articles, people, topic, when)
        found[n] = walk.chance(logit, rate)
