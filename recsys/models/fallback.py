"""A chain of models: where the first has nothing to say, the next one speaks.

Precise methods are often silent: `Markov` about an item that nobody went on from, `ItemKNN`
about a newcomer. A switching hybrid (Burke 2002) takes what the first model gives, and fills
the places left with the next one's best. Left out: mixing the scores of several models.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recsys import bundle
from recsys.interactions import Interactions
from recsys.models.base import Recommender


@dataclass(eq=False)
class Fallback(Recommender):
    """The first model's list, its empty places filled from the next, and so on.

    A score is the first model's where it has one. The items that only a later model rates
    follow below the lowest score of those before: lower by 1 for the best of them, by 2 for the
    next. So the scores tell the order, and only the first model's tell how sure it is.

    Parameters
    ----------
    *models : two or more recommenders, as in Fallback(Markov(), Popularity())
        Fitted together, on copies; those given stay as they are.

    Attributes after `fit`
    ----------------------
    fitted_models : list of recommenders
    """

    needs_history: ClassVar[bool] = False  # each model says for itself what it needs

    models: tuple[Recommender, ...]

    def __init__(self, *models: Recommender):
        for model in models:
            if not isinstance(model, Recommender):
                raise ValueError(f"models must be recommenders, like Popularity(), got {model!r}")
        if len(models) < 2:
            raise ValueError(f"models must be at least two, got {len(models)}")
        self.models = models

    def __repr__(self) -> str:
        return f"Fallback({', '.join(map(repr, self.models))})"

    def _fit(self, train: Interactions, progress: bool) -> None:
        self.fitted_models = [copy.copy(model).fit(train, progress) for model in self.models]

    def _scores(self, users: np.ndarray) -> np.ndarray:
        first, *others = self.fitted_models
        scores = first.score(users)
        for model in others:
            for row, later in zip(scores, model.score(users)):
                append_below(row, later)
        return scores

    def _recommend(
        self, users: np.ndarray, exclude_seen: bool, items: np.ndarray, scores: np.ndarray
    ) -> None:
        k = items.shape[1]
        items[:], scores[:] = self.fitted_models[0].recommend(users, k, exclude_seen)
        short = np.flatnonzero(items[:, -1] < 0)  # only their lists need the other models
        rest = items[short], scores[short]
        super()._recommend(users[short], exclude_seen, *rest)
        items[short], scores[short] = rest

    def fold_in(self, histories: Any) -> Fallback:
        """The same models for people they never saw: user 0 is the first of them.

        Every model must be able to: one that learned a vector for each user and has no
        `fold_in` raises ValueError. `histories` as all the models take it.
        """
        self._check_fitted()
        model = self._for_histories(histories)
        model.fitted_models = [_fold_in(part, histories) for part in self.fitted_models]
        return model

    @property
    def parameters(self) -> dict[str, Any]:
        """Module, class and parameters of each model, in order."""
        parts = [bundle.class_name(type(m)) | {"parameters": m.parameters} for m in self.models]
        return {"models": parts}

    def _arrays(self) -> dict[str, Any]:
        """Each model's arrays, named by its place: 0_transitions, 1_item_scores."""
        return {
            f"{place}_{name}": array
            for place, model in enumerate(self.fitted_models)
            for name, array in model._arrays().items()
        }

    @classmethod
    def restore(cls, parameters: dict, fingerprint: str, arrays: dict) -> Fallback:
        history, parts = arrays["history"], []
        for place, part in enumerate(parameters["models"]):
            start = f"{place}_"
            own = {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}
            part_class = bundle.find_class(part["module"], part["class"])
            own["history"] = history
            parts.append(part_class.restore(part["parameters"], fingerprint, own))
        model = cls(*parts)
        model._remember(history, fingerprint)
        model.fitted_models = parts
        return model


def append_below(scores: np.ndarray, later: np.ndarray) -> None:
    """Give the items without a score their places in `later`, below all scores; in place.

    >>> scores = np.array([0.5, -np.inf, 0.2, -np.inf, -np.inf])
    >>> append_below(scores, np.array([7, 8, 9, 10, -np.inf]))
    >>> scores
    array([ 0.5, -1.8,  0.2, -0.8, -inf])
    """
    rated = scores > -np.inf
    new = np.flatnonzero(~rated & (later > -np.inf))
    lowest = float(scores.min(where=rated, initial=np.inf)) if rated.any() else 0.0
    step = max(1.0, abs(lowest) * 1e-6)  # 1, but for scores so large that 1 would be lost
    best_first = new[np.argsort(-later[new], kind="stable")]
    scores[best_first] = lowest - step * np.arange(1, len(new) + 1)


def _fold_in(model: Recommender, histories: Any) -> Recommender:
    if hasattr(model, "fold_in"):
        return model.fold_in(histories)
    if model.needs_history:
        raise ValueError(f"models must all be able to fold in, got {model!r}, which cannot")
    return model._for_histories(histories)
