"""What the models made of other models share: fitting in parts, saving and folding in."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

from recsys import bundle
from recsys.interactions import Interactions
from recsys.models.base import Recommender
from recsys.threads import on_snapshot

SHARED = ("history", "user_labels", "item_labels", "is_folded")  # by all its models


@dataclass(eq=False)
class Ensemble(Recommender):
    """Base of `Fallback` and `Blend`: two or more models fitted on the same log.

    Attributes after `fit`
    ----------------------
    fitted_models : list of recommenders
        Copies; those given stay as they are.
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

    def fit_models(self, train: Interactions, progress: bool) -> list[Recommender]:
        """Copies of the models, fitted."""
        return [copy.copy(model).fit(train, progress) for model in self.models]

    @on_snapshot
    def fold_in(self, histories: Any) -> Ensemble:
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
        """Module, class and parameters of each model, in order, and the ensemble's own."""
        parts = [bundle.class_name(type(m)) | {"parameters": m.parameters} for m in self.models]
        return super().parameters | {"models": parts}

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
    def restore(cls, parameters: dict, fingerprint: str, arrays: dict) -> Ensemble:
        """The model that `save` wrote; `recsys.load` calls this."""
        parts = []
        for position, part in enumerate(parameters["models"]):
            start = f"{position}_"
            own = {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}
            part_class = bundle.find_class(part["module"], part["class"])
            own["history"] = arrays["history"]
            parts.append(part_class.restore(part["parameters"], fingerprint, own))
        model = cls(*parts, **{n: v for n, v in parameters.items() if n != "models"})
        model._set_history(arrays["history"], fingerprint)
        kept = (*SHARED, *cls.learned)
        model.__dict__.update({name: arrays[name] for name in kept if name in arrays})
        model.fitted_models = parts
        return model


def _fold_in(model: Recommender, histories: Any) -> Recommender:
    if not hasattr(model, "fold_in"):
        raise ValueError(f"models must all be able to fold in, got {model!r}, which cannot")
    return model.fold_in(histories)
