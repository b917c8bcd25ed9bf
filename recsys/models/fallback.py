"""A chain of models: positions that the first cannot fill are filled by the next.

Some models abstain: `Markov` after an item without observed transitions, `ItemKNN` for a new
user. A switching hybrid (Burke 2002) takes the first model's list and fills the remaining
positions with the next one's best. Left out: mixing the scores of several models.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recsys import bundle
from recsys.interactions import Interactions
from recsys.models.base import Recommender
from recsys.models.filters import ItemFilter
from recsys.threads import on_snapshot

SHARED = ("history", "user_labels", "item_labels", "is_folded")  # by all its models


@dataclass(eq=False)
class Fallback(Recommender):
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

    needs_history: ClassVar[bool] = False  # each model applies its own rule

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
        self, users: np.ndarray, allowed: ItemFilter, items: np.ndarray, scores: np.ndarray
    ) -> None:
        items[:], scores[:] = self.fitted_models[0].top_items(users, items.shape[1], allowed)
        short = np.flatnonzero(items[:, -1] < 0)  # only these need the other models
        rest = items[short], scores[short]
        super()._recommend(users[short], allowed.select(short), *rest)
        items[short], scores[short] = rest

    @on_snapshot
    def fold_in(self, histories: Any) -> Fallback:
        """The models for new users, numbered from 0.

        Raises ValueError if a model has no `fold_in`.
        `histories` must suit all the models.
        """
        self._check_fitted()
        model = self.with_histories(histories)
        model.fitted_models = [_fold_in(part, histories) for part in self.fitted_models]
        return model

    @property
    def parameters(self) -> dict[str, Any]:
        """Module, class and parameters of each model, in order."""
        parts = [bundle.class_name(type(m)) | {"parameters": m.parameters} for m in self.models]
        return {"models": parts}

    def state(self) -> dict[str, Any]:
        """What all share, and each model's arrays by its position: 0_transitions, 1_item_scores."""
        arrays = {
            f"{position}_{name}": array
            for position, model in enumerate(self.fitted_models)
            for name, array in model.state().items()
            if name not in SHARED
        }
        return super().state() | arrays

    @classmethod
    def restore(cls, parameters: dict, fingerprint: str, arrays: dict) -> Fallback:
        """The model that `save` wrote; `recsys.load` calls this."""
        parts = []
        for position, part in enumerate(parameters["models"]):
            start = f"{position}_"
            own = {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}
            part_class = bundle.find_class(part["module"], part["class"])
            own["history"] = arrays["history"]
            parts.append(part_class.restore(part["parameters"], fingerprint, own))
        model = cls(*parts)
        model._set_history(arrays["history"], fingerprint)
        model.__dict__.update({name: arrays[name] for name in SHARED if name in arrays})
        model.fitted_models = parts
        return model


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


def _fold_in(model: Recommender, histories: Any) -> Recommender:
    if not hasattr(model, "fold_in"):
        raise ValueError(f"models must all be able to fold in, got {model!r}, which cannot")
    return model.fold_in(histories)
