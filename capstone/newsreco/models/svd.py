r"""The SVD system: factors of who clicked what they were shown, read from the store.

Each pair of a person and an article that was shown to them is a rating, 1 if it was ever clicked
and 0 if not, as the store knew it at the moment of training. `recsys.models.BiasedMF` factorises
them (the "SVD" of Funk 2006). Afterwards only the articles' side is kept. A person's side is found
when it is needed, from their rows in the store at that moment: with the articles' vectors fixed,
:math:`a_i = (1, y_i)` and :math:`z_u = (b_u, x_u)`, the same objective is a small ridge regression,

.. math:: z_u = \Big( \sum_i a_i a_i^\top + \lambda n_u I \Big)^{-1}
    \sum_i a_i \, (r_{ui} - \mu - b_i) .

So one path serves the people of training, newcomers, and what happened an hour ago.

A rating answers "would they click it if it were shown?". To be clicked it must also be shown, and
the editors decide that; so the score is the rating times the article's views in the last hours,

.. math:: s_{ui} = (1 + v_i) \, \max(\hat r_{ui}, 0) .

Recommended are live articles, shown within a day, less what the person has clicked. Left out:
articles that came after training; they have no vector until the next one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from newsreco.data.times import HOUR
from newsreco.feature_store.store import FeatureStore
from newsreco.models.bundle import pack, unpack
from recsys import Interactions, bundle, validation
from recsys.models import BiasedMF
from recsys.retrieval import top_k

KIND = "SVDSystem"


@dataclass(frozen=True)
class SVDSettings:
    """What training may choose.

    Parameters
    ----------
    factors, epochs, learning_rate, reg
        Of `recsys.models.BiasedMF`.
    live_hours, fresh_hours : float
        An article shown within `live_hours` can be recommended; the views that its score is
        multiplied by are those of the last `fresh_hours`.
    seed : int
    """

    factors: int = 8
    epochs: int = 30
    learning_rate: float = 0.01
    reg: float = 0.05
    live_hours: float = 24.0
    fresh_hours: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        self.model()
        for name in ("live_hours", "fresh_hours"):
            validation.real_number(name, getattr(self, name), open_low=True)

    def model(self) -> BiasedMF:
        """The factorisation, not yet fitted."""
        return BiasedMF(self.factors, self.learning_rate, self.reg, self.epochs, rng=self.seed)


@dataclass(frozen=True, eq=False)
class SVDSystem:
    """The articles' side of the factorisation.

    Parameters
    ----------
    settings : SVDSettings
    at : float
        Moment of training, seconds UTC: nothing that the store learned later went in.
    items : list of str
        Article ids, sorted; the rows of the arrays.
    mean : float
    item_biases : array (n_items,) float32
    item_factors : array (n_items, factors) float32
    data_fingerprint : str
        Of the ratings.
    """

    settings: SVDSettings
    at: float
    items: list[str]
    mean: float
    item_biases: np.ndarray
    item_factors: np.ndarray
    data_fingerprint: str

    def recommend(
        self, store: FeatureStore, user: str, moment: float, k: int = 5
    ) -> tuple[list[str], np.ndarray]:
        """The k best live articles for one person, from what the store knows at a moment.

        Returns
        -------
        ids : list of str, best first, at most k
        scores : array float32
            Expected rating.

        Raises
        ------
        ValueError
            If the store knows no such person at that moment.
        """
        k = validation.whole_number("k", k)
        pairs = store.snapshot("user_item", moment, user_id=user)
        if pairs.empty:
            known = store.snapshot("user", moment).user_id.head(3).tolist()
            names = ", ".join(map(repr, known)) or "none"
            raise ValueError(f"user must be known at that moment, as are {names}; got {user!r}")
        (rows, ratings), views = self.ratings(pairs), self.exposure(store, moment)
        scores = self.scores(views, rows, ratings)
        items, scores = best(scores, views > 0, rows[ratings > 0], k)
        return [self.items[item] for item in items if item >= 0], scores[items >= 0]

    def scores(self, views: np.ndarray, rows: np.ndarray, ratings: np.ndarray) -> np.ndarray:
        """Views times the expected ratings of a person who gave these: (n_items,) float64."""
        return views * np.maximum(self.expected(rows, ratings), 0)

    def expected(self, rows: np.ndarray, ratings: np.ndarray) -> np.ndarray:
        """Every article's expected rating by a person who gave these: (n_items,) float64."""
        A = np.column_stack([np.ones(len(rows)), self.item_factors[rows]])  # (n, 1 + factors)
        target = ratings - self.mean - self.item_biases[rows]
        penalty = max(self.settings.reg * len(rows), 1e-9)
        z = np.linalg.solve(A.T @ A + penalty * np.eye(A.shape[1]), A.T @ target)
        return self.mean + self.item_biases + z[0] + self.item_factors @ z[1:]

    def ratings(self, pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """One person's pairs as rows of the arrays (n,) and ratings (n,) float64."""
        rows = index_of(self.items, pairs.item_id)
        return rows[rows >= 0], (pairs.clicks.to_numpy() > 0)[rows >= 0].astype(np.float64)

    def exposure(self, store: FeatureStore, moment: float) -> np.ndarray:
        """1 + the recent views of each article that is live at a moment, else 0: (n_items,)."""
        now = store.as_of("item", self.items, moment)
        then = store.as_of("item", self.items, moment - self.settings.fresh_hours * HOUR)
        live = now.event_time >= moment - self.settings.live_hours * HOUR
        return np.where(live, 1 + now.views - then.views.fillna(0), 0)

    def save(self, folder: str | Path) -> None:
        """Write arrays and JSON, all of it or nothing."""
        about = {"settings": asdict(self.settings), "at": self.at, "mean": self.mean}
        arrays = {
            "items": pack(self.items),
            "item_biases": self.item_biases,
            "item_factors": self.item_factors,
        }
        bundle.save(folder, type(self), about, self.data_fingerprint, arrays)


def load_svd(folder: str | Path) -> SVDSystem:
    """Read what `SVDSystem.save` wrote; ValueError where anything was changed or is missing."""
    manifest, arrays = bundle.read(folder)
    if manifest["class"] != KIND:
        raise ValueError(f"model must be a folder of {KIND}, got a {manifest['class']}")
    about = manifest["parameters"]
    return SVDSystem(
        settings=SVDSettings(**about["settings"]),
        at=about["at"],
        items=unpack(arrays["items"]),
        mean=about["mean"],
        item_biases=arrays["item_biases"],
        item_factors=arrays["item_factors"],
        data_fingerprint=manifest["data_fingerprint"],
    )


def train_svd(store: FeatureStore, at: float, settings: SVDSettings | None = None) -> SVDSystem:
    """Factorise the ratings that the store knows at a moment.

    Raises
    ------
    ValueError
        If it knows none then.
    """
    settings = settings or SVDSettings()
    pairs = store.snapshot("user_item", at)
    if pairs.empty:
        raise ValueError(f"at must be a moment by which the store knows something, got {at!r}")
    _, user = np.unique(pairs.user_id.to_numpy(str), return_inverse=True)
    items, item = np.unique(pairs.item_id.to_numpy(str), return_inverse=True)
    train = Interactions(user, item, value=(pairs.clicks.to_numpy() > 0).astype(np.float32))
    model = settings.model().fit(train, progress=False)
    return SVDSystem(
        settings, float(at), items.tolist(), float(model.mean), model.item_biases,
        model.item_factors, train.fingerprint[:16],
    )  # fmt: skip


def best(
    scores: np.ndarray, live: np.ndarray, seen: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k best of what is live and not seen: (k,) int32 padded with -1, and their scores."""
    allowed = np.where(live, scores, -np.inf).astype(np.float32)
    allowed[seen] = -np.inf
    items, found = top_k(allowed[None], k)
    return items[0], found[0]


def index_of(items: list[str], wanted: pd.Series) -> np.ndarray:
    """The places of ids in a sorted list, -1 where they are not in it: (n,)."""
    return pd.Index(items).get_indexer(wanted.to_numpy(object))
