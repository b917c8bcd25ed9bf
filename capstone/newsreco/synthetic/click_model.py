"""The true click model: click probabilities of articles, including those that were not shown.

A log holds clicks only on what the editor showed. In synthetic data every click probability is a
known formula, so a list can be evaluated by its expected clicks, and the evaluation by the log
compared with it. On a real site an A/B test estimates this.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from newsreco.synthetic import clicks
from newsreco.synthetic.articles import START
from newsreco.synthetic.generate import CLICK_RATE, make_plan
from newsreco.synthetic.topics import TOPICS
from recsys.compiled import compiled


class TrueClickModel:
    """The known probabilities of the log that `make_synthetic_log` makes of the same arguments.

    Parameters
    ----------
    n_articles, n_impressions, n_users, seed : int
    click_model : {"preference", "random"}
    """

    def __init__(
        self,
        n_articles: int = 300,
        n_impressions: int = 4_000,
        n_users: int = 400,
        seed: int = 0,
        click_model: str = "preference",
    ):
        plan = make_plan(n_articles, n_impressions, n_users, seed, click_model)
        articles, users = plan.articles, plan.users
        self._articles = (
            articles.published,
            articles.topic,
            articles.quality,
            articles.editor_score,
        )
        self._users = users.preference, users.later, users.drift, users.next_topic
        self._order = np.argsort(articles.by_publication)  # of an article, by publication
        self._intercept = plan.intercept
        self._fixed_rate = CLICK_RATE if click_model == "random" else 0.0

    def followers(self) -> dict[str, str]:
        """For each subcategory, the other one that is preferred after it."""
        names = [topic.subcategory for topic in TOPICS]
        return {name: names[after] for name, after in zip(names, self._users[3].tolist())}

    def probabilities(self, state: Any, user: int, time: float, items: np.ndarray) -> np.ndarray:
        """The probability of a click on each item at the top of a page: (n,) float64.

        Parameters
        ----------
        state : newsreco.features.state.State
            Advanced by all events before `time`; it holds the user's last click.
        user : int
        time : float
            Seconds UTC.
        items : array (n,) of int
        """
        topic, last_time = -1, 0.0
        newest = state.arrays.user_newest[user] if user < state.n_users else -1
        if newest >= 0 and not state.arrays.click_untimed[newest]:
            topic = self._articles[1][self._order[state.arrays.click_item[newest]]]
            last_time = state.arrays.click_time[newest] - START
        rows = self._order[np.asarray(items, np.int64)]
        found = np.empty(len(rows))
        known = self._articles, self._users, topic, last_time, self._intercept, self._fixed_rate
        _fill_probabilities(user, rows, time - START, *known, found)
        return found


@compiled
def _fill_probabilities(user, rows, now, articles, users, topic, time, intercept, rate, found):
    for n in range(len(rows)):
        logit = clicks.relevance_logit(user, rows[n], now, articles, users, topic, time)
        found[n] = clicks.click_probability(intercept + logit, rate)
