"""A trained news model: all that serving needs, in one folder without pickle.

It holds the embedder and all article vectors, the ranker, and the state of counters and clicks
at the end of training. The folder is a bundle of `recsys`: a manifest, arrays, checksums. Each
part has `to_arrays()` and a class method `from_arrays(parameters, arrays)`; a dataclass's fields
are its parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from newsreco import __version__
from newsreco.data import Articles
from newsreco.data.times import DAY
from newsreco.features.embeddings import EMBEDDERS, Embedder
from newsreco.features.kernels import Column
from newsreco.features.matrix import FEATURES, candidate_features
from newsreco.features.state import State
from newsreco.models.cooccurrence import TABLES, Tables
from newsreco.models.rankers import RANKERS
from recsys import bundle, validation


@dataclass(frozen=True)
class Settings:
    """Settings of a training.

    Parameters
    ----------
    half_life_days : float
        Of a click in a user's profile.
    embedder : str
        "tfidf", or "sentence" if sentence-transformers is installed.
    ranker : str
        "logistic" or "lambdamart".
    test_fraction : float
        Fraction of the impressions, the last in time, that are held out.
    seed : int
    refit : bool
        Whether the model learned from the whole log again, after its evaluation.
    """

    half_life_days: float = 3.0
    embedder: str = "tfidf"
    ranker: str = "logistic"
    test_fraction: float = 0.2
    seed: int = 0
    refit: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.half_life_days) and self.half_life_days > 0):
            raise ValueError(f"half_life_days must be above 0, got {self.half_life_days!r}")
        for name, choices in (("embedder", EMBEDDERS), ("ranker", RANKERS)):
            if (value := getattr(self, name)) not in choices:
                hint = ", whose name is now 'lambdamart'" if value == "lambdarank" else ""
                raise ValueError(f"{name} must be one of {sorted(choices)}, got {value!r}{hint}")
        if not 0 < self.test_fraction < 1:
            raise ValueError(f"test_fraction must be between 0 and 1, got {self.test_fraction!r}")
        validation.whole_number("seed", self.seed, low=0, high=2**32 - 1)
        validation.true_or_false("refit", self.refit)

    @property
    def half_life(self) -> float:
        """Half-life in seconds."""
        return self.half_life_days * DAY


@dataclass(eq=False)
class NewsModel:
    """What `newsreco.training.train` makes and a `RecommendationPipeline` serves from.

    Parameters
    ----------
    settings : Settings
    embedder : Embedder
    vectors : array (n_items, d) float32
        One row per article.
    ranker : LogisticRanker or LambdaMARTRanker
    tables : dict of CSR matrices (n_items, n_items) float32
        Co-occurrence of articles, for the retrievers; see `newsreco.models.cooccurrence`.
    state : State
        As of the last training impression.
    articles : Articles
    user_ids : list of str
        Users until then, by number.
    data_fingerprint : str
        Of the log until then.
    """

    settings: Settings
    embedder: Embedder
    vectors: np.ndarray
    ranker: Any
    tables: Tables
    state: State
    articles: Articles
    user_ids: list[str]
    data_fingerprint: str

    def score_features(self, X: np.ndarray, with_positions: bool = False) -> np.ndarray:
        """The ranker's scores of rows of features: (n,) float64.

        To rank articles, all are scored as if at position 0. `with_positions` scores them at the
        positions in X, to predict clicks.
        """
        if not with_positions:
            X = X.copy()
            X[:, Column.POSITION] = 0
        return self.ranker.scores(X)

    def score(self, state: State, user: int, time: float, items: np.ndarray) -> np.ndarray:
        """Scores of `items` for one user at a time: (n,) float64."""
        return self.ranker.scores(candidate_features(state, self.vectors, user, time, items))

    def save(self, folder: str | Path) -> None:
        """Write the bundle; an interrupted save leaves the old one, or none."""
        parts = {"embedder": self.embedder, "ranker": self.ranker, "state": self.state}
        groups = {name: part.to_arrays() for name, part in parts.items()}
        groups |= {"tables": self.tables, "articles": _articles_to_arrays(self.articles)}
        arrays = {"vectors": self.vectors, "users": pack(self.user_ids)}
        for group, members in groups.items():
            arrays |= {f"{group}-{name}": array for name, array in members.items()}
        parameters = {
            "newsreco": __version__,
            "features": list(FEATURES),
            "settings": asdict(self.settings),
            "embedder": asdict(self.embedder),
            "ranker": asdict(self.ranker),
        }
        bundle.save(folder, type(self), parameters, self.data_fingerprint, arrays)

    @classmethod
    def restore(cls, parameters: dict, fingerprint: str, arrays: dict[str, Any]) -> NewsModel:
        """The model that `save` wrote, from the contents of its bundle."""
        if parameters["features"] != list(FEATURES):
            raise ValueError(
                f"the model was trained on the features {parameters['features']}, and this "
                f"version computes {list(FEATURES)}: train it again"
            )
        settings = Settings(**parameters["settings"])
        groups: dict[str, dict[str, Any]] = {"embedder": {}}
        for key, array in arrays.items():
            group, _, name = key.partition("-")
            groups.setdefault(group, {})[name] = array
        embedder, ranker = EMBEDDERS[settings.embedder], RANKERS[settings.ranker]
        return cls(
            settings=settings,
            embedder=embedder.from_arrays(parameters["embedder"], groups["embedder"]),
            vectors=arrays["vectors"],
            ranker=ranker.from_arrays(parameters["ranker"], groups["ranker"]),
            tables={name: groups["tables"][name] for name in TABLES},
            state=State.from_arrays({}, groups["state"]),
            articles=_articles_from_arrays(groups["articles"]),
            user_ids=unpack(arrays["users"]),
            data_fingerprint=fingerprint,
        )


def load_model(folder: str | Path) -> NewsModel:
    """Read what `NewsModel.save` wrote; ValueError if anything was changed or is missing."""
    with bundle.restoring(folder):
        manifest, arrays = bundle.read(folder)
        if manifest["class"] != NewsModel.__name__:
            raise ValueError(f"{str(folder)!r} must hold a NewsModel, got a {manifest['class']}")
        return NewsModel.restore(manifest["parameters"], manifest["data_fingerprint"], arrays)


def pack(texts: Sequence[str]) -> np.ndarray:
    """Texts as one array of bytes, each ended by a zero byte, which no text may hold.

    >>> unpack(pack(["N1", "", "Zürich"]))
    ['N1', '', 'Zürich']
    """
    if any("\0" in text for text in texts):
        raise ValueError("texts must not hold a zero byte")
    return np.frombuffer("".join(f"{text}\0" for text in texts).encode(), np.uint8)


def unpack(array: np.ndarray) -> list[str]:
    """The texts that `pack` packed."""
    return array.tobytes().decode().split("\0")[:-1]


TEXT_COLUMNS = ("ids", "title", "abstract", "url", "categories", "subcategories")


def _articles_to_arrays(articles: Articles) -> dict[str, np.ndarray]:
    arrays = {name: pack(getattr(articles, name)) for name in TEXT_COLUMNS}
    arrays |= {name: getattr(articles, name) for name in ("category", "subcategory")}
    return arrays | {"entities": pack([" ".join(ids) for ids in articles.entities])}


def _articles_from_arrays(arrays: dict[str, np.ndarray]) -> Articles:
    texts = {name: unpack(arrays[name]) for name in (*TEXT_COLUMNS, "entities")}
    texts["entities"] = [tuple(ids.split()) for ids in texts["entities"]]
    return Articles(**arrays | texts)
