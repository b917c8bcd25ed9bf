"""The model as MLflow serves it: a script that reads a bundle, and nothing pickled.

MLflow keeps this file beside the bundle and runs it where the model is loaded ("models from
code"). Input: one row a request, `user` and, if known, `time` in seconds UTC. Output: article
ids, best first. The package newsreco must be installed where this runs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from newsreco.model import NewsModel, load_model


class NewsPythonModel(PythonModel):
    """Recommendations from a bundle."""

    def load_context(self, context) -> None:
        """Read the bundle; ValueError where a byte of it was changed."""
        self.model = load_model(context.artifacts["bundle"])
        self.users = {label: user for user, label in enumerate(self.model.user_ids)}

    def predict(self, context, model_input: pd.DataFrame, params: dict | None = None):
        """One list of article ids a row: DataFrame with the column `items`."""
        k = int((params or {}).get("k", 10))
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        now = self.model.state.now
        times = model_input["time"] if "time" in model_input else [now] * len(model_input)
        rows = zip(model_input["user"], times)
        items = [self._items(user, now if pd.isna(time) else time, k) for user, time in rows]
        return pd.DataFrame({"items": items})

    def _items(self, user: str, time: float, k: int) -> list[str]:
        return recommend(self.model, self.users.get(user, -1), time, k)


def recommend(model: NewsModel, user: int, time: float, k: int) -> list[str]:
    """Ids of the k best articles shown by now that the person has not clicked."""
    shown = np.isfinite(model.state.arrays.first_shown)
    clicked, _ = model.state.recent_clicks(user)
    shown[clicked] = False
    items = np.flatnonzero(shown)
    best = items[np.argsort(-model.rank(model.state, user, time, items), kind="stable")[:k]]
    return [model.articles.ids[i] for i in best]


set_model(NewsPythonModel())
