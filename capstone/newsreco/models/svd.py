r"""The SVD system: matrix factorisation of clicks on displayed articles, read from the store.

Each displayed pair of user and article is a rating, 1 if it was ever clicked and 0 if not, as
known at the time of training. `recsys.models.BiasedMF` factorises them (the "SVD" of Funk 2006).
Only the articles' side is kept. A user's side is computed on request, from the user's rows in the
store at that time: with the articles' vectors fixed, :math:`a_i = (1, y_i)` and
:math:`z_u = (b_u, x_u)`, the same objective is a small ridge regression,

.. math:: z_u = \Big( \sum_i a_i a_i^\top + \lambda n_u I \Big)^{-1}
    \sum_i a_i \, (r_{ui} - \mu - b_i) .

So users of the training set, new users and the last hour's events are served in the same way.

A rating estimates whether the user clicks the article if it is displayed. What is displayed is
the editors' choice; so the score is the rating times the article's recent views,

.. math:: s_{ui} = (1 + v_i) \, \max(\hat r_{ui}, 0) .

Recommended are live articles, displayed within a day, except those the user has clicked. Left
out: articles newer than the training, which have no vector until the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
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


@dataclass(frozen=True)
class SVDSettings:
    """Settings of a training.

    Parameters
    ----------
    factors, epochs, learning_rate, reg
        Of `recsys.models.BiasedMF`.
    live_hours, fresh_hours : float
        An article displayed within `live_hours` can be recommended; the views that multiply its
        score are those of the last `fresh_hours`.
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
        validation.whole_number("seed", self.seed, low=0, high=2**32 - 1)
        for name in ("live_hours", "fresh_hours"):
            validation.real_number(name, getattr(self, name), open_low=True)

    def model(self) -> BiasedMF:
        """The factorisation, not fitted."""
        return BiasedMF(self.factors, self.learning_rate, self.reg, self.epochs, rng=self.seed)


@dataclass(frozen=True, eq=False)
class SVDSystem:
    """The articles' side of the factorisation.

    Parameters
    ----------
    settings : SVDSettings
    at : float
        Time of training, seconds UTC: nothing that the store learned later was used.
    items : list of str
        Article ids, sorted; the rows of the arrays.
    mean : float
    item_biases : array (n_items,) float32
    item_factors : array (n_items, factors) float32
    data_fingerprint : str
        Of the ratings.
    titles : list of str, optional
        Of the items, to show them; the store has none.
    """

    settings: SVDSettings
    at: float
    items: list[str]
    mean: float
    item_biases: np.ndarray
    item_factors: np.ndarray
    data_fingerprint: str
    titles: list[str] | None = None

    def recommend(
        self, store: FeatureStore, user: str, time: float, k: int = 5
    ) -> tuple[list[str], np.ndarray]:
        """The k best live articles for one user, from what the store knows at a time.

        For a user unknown to the store at that time, the ratings are those of the average user.
        If no article is live at the time, it is replaced by `live_time`.

        Returns
        -------
        ids : list of str, best first, at most k
        scores : array float32
            Expected rating times views.

        Raises
        ------
        ValueError
            If the user has clicked all that is live, or the store knows nothing at that time.
        """
        k = validation.whole_number("k", k)
        time = self.live_time(store, time)
        pairs = store.snapshot("user_item", time, user_id=user)
        (rows, ratings), views = self.ratings(pairs), self.exposure(store, time)
        scores = self.scores(views, rows, ratings)
        items, scores = best(scores, views > 0, rows[ratings > 0], k)
        if items[0] < 0:
            raise ValueError(f"no article that {user!r} has not clicked is live at that time")
        return [self.items[item] for item in items if item >= 0], scores[items >= 0]

    def live_time(self, store: FeatureStore, time: float) -> float:
        """The time, or the last one that the store knows if it is later and nothing is live."""
        now = store.now()
        return time if time <= now or self.exposure(store, time).any() else now

    def scores(self, views: np.ndarray, rows: np.ndarray, ratings: np.ndarray) -> np.ndarray:
        """Views times the expected ratings of a user with these ratings: (n_items,) float64."""
        return views * np.maximum(self.expected(rows, ratings), 0)

    def expected(self, rows: np.ndarray, ratings: np.ndarray) -> np.ndarray:
        """Expected ratings of all articles by a user with these: (n_items,) float64."""
        Y = self.item_factors[rows]
        A = np.column_stack([np.ones(len(rows)), Y])  # (n, 1 + factors)
        target = ratings - self.mean - self.item_biases[rows]
        penalty = max(self.settings.reg * len(rows), 1e-9)
        z = np.linalg.solve(A.T @ A + penalty * np.eye(A.shape[1]), A.T @ target)
        return self.mean + self.item_biases + z[0] + self.item_factors @ z[1:]

    def ratings(self, pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """One user's pairs as rows of the arrays (n,) and ratings (n,) float64."""
        rows = index_of(self.items, pairs.item_id)
        return rows[rows >= 0], (pairs.clicks.to_numpy() > 0)[rows >= 0].astype(np.float64)

    def exposure(self, store: FeatureStore, time: float) -> np.ndarray:
        """1 + the recent views of each article that is live at a time, else 0: (n_items,)."""
        now = store.as_of("item", self.items, time)
        then = store.as_of("item", self.items, time - self.settings.fresh_hours * HOUR)
        live = now.event_time >= time - self.settings.live_hours * HOUR
        return np.where(live, 1 + now.views - then.views.fillna(0), 0)

    def save(self, folder: str | Path) -> None:
        """Write the bundle; an interrupted save leaves the old one, or none."""
        parameters = {"settings": asdict(self.settings), "at": self.at, "mean": self.mean}
        arrays = {
            "items": pack(self.items),
            "item_biases": self.item_biases,
            "item_factors": self.item_factors,
        }
        if self.titles is not None:
            arrays["titles"] = pack(self.titles)
        bundle.save(folder, type(self), parameters, self.data_fingerprint, arrays)

    @classmethod
    def restore(
        cls, parameters: dict, fingerprint: str, arrays: dict[str, np.ndarray]
    ) -> SVDSystem:
        """The system that `save` wrote, from the contents of its bundle."""
        settings = SVDSettings(**parameters["settings"])
        texts = [name for name in ("items", "titles") if name in arrays or name == "items"]
        arrays = arrays | {name: unpack(arrays[name]) for name in texts}
        at, mean = parameters["at"], parameters["mean"]
        return cls(settings, at, mean=mean, data_fingerprint=fingerprint, **arrays)


def load_svd(folder: str | Path) -> SVDSystem:
    """Read what `SVDSystem.save` wrote; ValueError if anything was changed or is missing."""
    with bundle.restoring(folder):
        manifest, arrays = bundle.read(folder)
        if manifest["class"] != SVDSystem.__name__:
            raise ValueError(f"{str(folder)!r} must hold an SVDSystem, got a {manifest['class']}")
        return SVDSystem.restore(manifest["parameters"], manifest["data_fingerprint"], arrays)


def train_svd(
    store: FeatureStore,
    at: float,
    settings: SVDSettings | None = None,
    titles: Mapping[str, str] | None = None,
) -> SVDSystem:
    """Factorise the ratings that the store knows at a time; `titles` of articles are kept.

    Raises
    ------
    ValueError
        If it knows none then.
    """
    settings = settings or SVDSettings()
    pairs = store.snapshot("user_item", at)
    if pairs.empty:
        raise ValueError(f"at must be a time by which the store has rows, got {at!r}")
    _, user = np.unique(pairs.user_id.to_numpy(str), return_inverse=True)
    items, item = np.unique(pairs.item_id.to_numpy(str), return_inverse=True)
    train = Interactions(user, item, value=(pairs.clicks.to_numpy() > 0).astype(np.float32))
    model = settings.model().fit(train, progress=False)
    return SVDSystem(
        settings, float(at), items.tolist(), float(model.mean), model.item_biases,
        model.item_factors, train.fingerprint[:16],
        None if titles is None else [titles.get(item, "") for item in items.tolist()],
    )  # fmt: skip


def best(
    scores: np.ndarray, live: np.ndarray, seen: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k best of the live items not seen: (k,) int32 padded with -1, and their scores."""
    allowed = np.where(live, scores, -np.inf).astype(np.float32)
    allowed[seen] = -np.inf
    items, found = top_k(allowed[None], k)
    return items[0], found[0]


def index_of(items: list[str], wanted: pd.Series) -> np.ndarray:
    """Indices of ids in a sorted list, -1 if missing: (n,)."""
    return pd.Index(items).get_indexer(wanted.to_numpy(object))
