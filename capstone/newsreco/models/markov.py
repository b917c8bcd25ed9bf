r"""A first-order Markov chain over clicks: what is clicked on the impression after this one?

Clicks of one impression have no order among themselves, so a transition leads from each click of
one impression to each click of the user's next. From the transitions of all users so far,

.. math:: P(i \mid j) = \frac{n_{ji} + \kappa \, q_i}{\sum_{i'} n_{ji'} + \kappa}

with :math:`n_{ji}` the transitions from j to i and :math:`q_i` the fraction of all clicks so far
that were on i, to which the estimate is smoothed where j is rare. In news, articles are always
rare: they live for a day. The same chain over *subcategories*, which stay, has more data. Left
out: the time between impressions, and chains of higher order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np

SMOOTHING = 5.0  # kappa, in transitions


@dataclass(eq=False)
class MarkovChain:
    """Transitions counted so far, in dictionaries: memory grows with the pairs observed.

    Examples
    --------
    >>> chain = MarkovChain(smoothing=1.0)
    >>> chain.count(["a"], ["b"])
    >>> chain.count(["a"], ["c", "b"])
    >>> chain.probabilities(["a"], ["a", "b", "c"]).round(3)
    array([0.   , 0.667, 0.333])
    """

    smoothing: float = SMOOTHING
    transitions: dict[Hashable, Counter] = field(default_factory=lambda: defaultdict(Counter))
    clicks: Counter = field(default_factory=Counter)
    n_clicks: int = 0

    def count(self, before: list, after: list) -> None:
        """Count a transition from each of the clicks before to each of the clicks after."""
        for source in before:
            self.transitions[source].update(after)
        self.clicks.update(after)
        self.n_clicks += len(after)

    def probabilities(self, before: list, items: list) -> np.ndarray:
        """P of each of `items`, averaged over the clicks `before`: (n,) float64."""
        fraction = np.array([self.clicks[i] for i in items], float) / max(self.n_clicks, 1)
        if not len(before):
            return fraction
        rows = []
        for source in before:
            known = self.transitions.get(source, Counter())
            counts = np.array([known[i] for i in items], float)
            total = known.total() + self.smoothing
            rows.append((counts + self.smoothing * fraction) / total)
        return np.mean(rows, axis=0)

    def log_lift(self, before: list, items: list) -> np.ndarray:
        """Log of P given `before` over P without it, which is what order adds: (n,) float64."""
        fraction = self.probabilities([], items)
        return np.log((self.probabilities(before, items) + 1e-9) / (fraction + 1e-9))
