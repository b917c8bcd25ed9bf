"""A chain of models: positions that the first cannot fill are filled by the next.

Some models abstain: `Markov` after an item without observed transitions, `ItemKNN` for a new
user. A switching hybrid (Burke 2002) takes the first model's list and fills the remaining
positions with the next one's best. Left out: mixing the scores of several models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.interactions import Interactions
from recsys.models.ensemble import Ensemble
from recsys.models.filters import ItemFilter


@dataclass(eq=False, init=False)
class Fallback(Ensemble):
    """The first model's list, its empty positions filled from the next, and so on.

    A score is the first model's where it has one. Items that only a later model scores follow
    below the lowest score so far: lower by 1 for the best of them, by 2 for the next. So these
    scores hold the order only.

    Parameters
    ----------
    *models : two or more recommenders, as in Fallback(Markov(), Popularity())
        Fitted together, on copies; those given stay as they are.

    Attributes after `fit`
    ----------------------
    fitted_models : list of recommenders
    """

    def __repr__(self) -> str:
        return f"Fallback({', '.join(map(repr, self.models))})"

    def _fit(self, train: Interactions, progress: bool) -> None:
        self.fitted_models = self.fit_models(train, progress)

    def _scores(self, users: np.ndarray) -> np.ndarray:
        first, *others = self.fitted_models
        scores = first.score(users)
        for model in others:
            for row, later in zip(scores, model.score(users)):
                append_below(row, later)
        return scores

    def _recommend(
        self, users: np.ndarray, allowed: ItemFilter, items: np.ndarray, scores: np.ndarray
    ) -> None:
        items[:], scores[:] = self.fitted_models[0].top_items(users, items.shape[1], allowed)
        short = np.flatnonzero(items[:, -1] < 0)  # only these need the other models
        rest = items[short], scores[short]
        super()._recommend(users[short], allowed.select(short), *rest)
        items[short], scores[short] = rest


def append_below(scores: np.ndarray, later: np.ndarray) -> None:
    """Append the items without a score below all others, in the order of `later`; in place.

    >>> scores = np.array([0.5, -np.inf, 0.2, -np.inf, -np.inf])
    >>> append_below(scores, np.array([7, 8, 9, 10, -np.inf]))
    >>> scores
    array([ 0.5, -1.8,  0.2, -0.8, -inf])
    """
    rated = scores > -np.inf
    new = np.flatnonzero(~rated & (later > -np.inf))
    lowest = float(scores.min(where=rated, initial=np.inf)) if rated.any() else 0.0
    step = max(1.0, abs(lowest) * 1e-6)  # 1, but for scores so large that 1 would be lost
    ranked = new[np.argsort(-later[new], kind="stable")]
    scores[ranked] = lowest - step * np.arange(1, len(new) + 1)
