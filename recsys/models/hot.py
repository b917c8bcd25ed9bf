r"""The hot scores of news sites: votes against age, the same for all users.

Hacker News divides the votes by a power of the age (news.arc, Graham 2009), so everything sinks:

.. math:: s = \frac{(n - 1)^{0.8}}{(a + 2)^{g}}

with n votes, of which the first is the author's own, a the age in hours and g the gravity.
Reddit adds the time of the post to the order of magnitude of the votes (_sorts.pyx, 2017):

.. math:: s = \operatorname{sign}(n) \log_{10} \max(|n|, 1) + \frac{t - t_0}{45000}

with n the up-votes less the down-votes: ten times the votes weigh as much as 12.5 hours, and a
score never changes without new votes. Both look at the age of the item; `Trending` looks at
the age of each vote. Left out: Hacker News' penalties by type of post, Reddit's rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys import validation
from recsys.interactions import Interactions
from recsys.models.baselines import ItemScores

HOUR = 3600.0  # seconds
REDDIT_START = 1_134_028_003.0  # 8 December 2005, in seconds since 1970
REDDIT_DECADE = 45_000.0  # seconds that outweigh ten times the votes


def hacker_news_score(
    votes: Any, age_hours: Any, gravity: float = 1.8, exponent: float = 0.8
) -> np.ndarray:
    """Votes, less the author's own, against age.

    Parameters
    ----------
    votes, age_hours : float or array, at least 0
        Of shapes that broadcast.
    gravity : float
        How fast an item sinks.
    exponent : float
        Exponent of the votes: 0.8 in the published source, 1 in the form often quoted.

    Returns
    -------
    array float64

    >>> hacker_news_score(votes=33, age_hours=[0, 2, 30], gravity=2)
    array([4.      , 1.      , 0.015625])
    """
    gained = validation.amounts("votes", votes) - 1
    age = validation.amounts("age_hours", age_hours)
    check_shapes(votes=gained, age_hours=age)
    gravity = validation.real_number("gravity", gravity)
    exponent = validation.real_number("exponent", exponent)
    gained = np.where(gained > 0, np.maximum(gained, 0) ** exponent, gained)
    with np.errstate(over="ignore"):  # an infinite denominator gives a score of 0
        return gained / (age + 2) ** gravity


def reddit_hot_score(ups: Any, downs: Any, time: Any) -> np.ndarray:
    """The order of magnitude of the votes plus the time of the post.

    Parameters
    ----------
    ups, downs : float or array, at least 0
    time : float or array
        Of the post, in seconds since 1970. Shapes must broadcast.

    Returns
    -------
    array float64

    >>> reddit_hot_score(ups=[11, 101, 1], downs=1, time=REDDIT_START + 45_000)
    array([2., 3., 1.])
    >>> float(reddit_hot_score(ups=0, downs=100, time=REDDIT_START + 90_000))
    0.0
    """
    ups, downs = validation.amounts("ups", ups), validation.amounts("downs", downs)
    time = validation.amounts("time", time, low=-np.inf)
    check_shapes(ups=ups, downs=downs, time=time)
    votes = ups - downs
    order = np.log10(np.maximum(np.abs(votes), 1))
    return np.sign(votes) * order + (time - REDDIT_START) / REDDIT_DECADE


def check_shapes(**arrays: np.ndarray) -> None:
    """Raise ValueError unless the arrays broadcast."""
    shapes = [array.shape for array in arrays.values()]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        names = " and ".join(arrays)
        raise ValueError(f"{names} must have shapes that broadcast, got {shapes}") from None


@dataclass(eq=False)
class HackerNewsHot(ItemScores):
    """The items with the highest Hacker News score at the end of the log, for all.

    An interaction is a vote, an item's first interaction the time of its post. Times
    are in seconds. An item without interactions has no age and is not recommended.

    Parameters
    ----------
    gravity : float

    Attributes after `fit`
    ----------------------
    item_scores : array (n_items,) float64
    """

    gravity: float = 1.8

    def _fit(self, train: Interactions, progress: bool) -> None:
        votes, age = votes_and_ages(train, type(self).__name__)
        self.item_scores = np.full(self.n_items, -np.inf)
        voted = votes > 0
        hours = age[voted] / HOUR
        self.item_scores[voted] = hacker_news_score(votes[voted], hours, self.gravity)


@dataclass(eq=False)
class RedditHot(ItemScores):
    """The items with the highest Reddit score, for all; an interaction is an up-vote.

    Times are in seconds and counted from the end of the log, which shifts all scores
    equally and keeps them small. An item without interactions is not recommended.

    Attributes after `fit`
    ----------------------
    item_scores : array (n_items,) float64
    """

    def _fit(self, train: Interactions, progress: bool) -> None:
        votes, age = votes_and_ages(train, type(self).__name__)
        self.item_scores = np.full(self.n_items, -np.inf)
        voted = votes > 0
        posted = REDDIT_START - age[voted]
        self.item_scores[voted] = reddit_hot_score(votes[voted], 0, posted)


def votes_and_ages(train: Interactions, model: str) -> tuple[np.ndarray, np.ndarray]:
    """Each item's interactions (n_items,) and the time since its first; -inf without any."""
    if train.time is None:
        raise ValueError(f"train.time must be given for {model}, got None")
    first = np.full(train.n_items, np.inf)
    np.minimum.at(first, train.item, train.time)
    return np.bincount(train.item, minlength=train.n_items), train.time.max() - first
