"""A trained news model: all that serving needs, in one folder without pickle.

It holds the embedder and every article's vector, the ranker, and the state of counters and
clicks where training ended. Bundles are those of `recsys`: a manifest, arrays, a sha256 of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from newsreco import __version__
from newsreco.data import Articles
from newsreco.features.embeddings import EMBEDDERS, Embedder, restore_embedder
from newsreco.features.matrix import FEATURES, POSITION, candidate_features
from newsreco.features.state import DAY, Arrays, State
from newsreco.models.cooccurrence import Tables
from newsreco.models.rankers import RANKERS
from recsys import bundle, validation

KIND = "NewsModel"


@dataclass(frozen=True)
class Settings:
    """What a training may choose.

    Parameters
    ----------
    half_life_days : float
        Of a click in a person's profile.
    embedder : str
        "tfidf", or "sentence" where sentence-transformers is installed.
    ranker : str
        "logistic" or "lambdamart".
    test_fraction : float
        Share of the impressions, the last in time, that nothing is learned from.
    seed : int
    """

    half_life_days: float = 3.0
    embedder: str = "tfidf"
    ranker: str = "logistic"
    test_fraction: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.half_life_days) and self.half_life_days > 0):
            raise ValueError(f"half_life_days must be above 0, got {self.half_life_days!r}")
        for name, choices in (("embedder", EMBEDDERS), ("ranker", RANKERS)):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} must be one of {sorted(choices)}, got {getattr(self, name)!r}"
                )
        if not 0 < self.test_fraction < 1:
            raise ValueError(f"test_fraction must be between 0 and 1, got {self.test_fraction!r}")
        validation.whole_number("seed", self.seed, low=0)

    @property
    def half_life(self) -> float:
        """In seconds."""
        return self.half_life_days * DAY


@dataclass(eq=False)
class NewsModel:
    """What `newsreco.training.train` makes and a recommender serves from.

    Parameters
    ----------
    settings : Settings
    embedder : Embedder
    vectors : array (n_items, d) float32
        One row an article.
    ranker : LogisticRanker or LambdaMARTRanker
    tables : dict of CSR matrices (n_items, n_items) float32
        What goes with what, for the retrievers; see `newsreco.models.cooccurrence`.
    state : State
        As of the last impression learned from.
    articles : Articles
    user_ids : list of str
        People seen until then, by their numbers.
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

    def scores(self, X: np.ndarray, placed: bool = False) -> np.ndarray:
        """The ranker's scores of rows of features: (n,) float64.

        An order that depends on where things already stand would be no order, so all are scored
        as if at the top, unless `placed`.
        """
        if not placed:
            X = X.copy()
            X[:, POSITION] = 0
        return self.ranker.scores(X)

    def rank(self, state: State, user: int, time: float, items: np.ndarray) -> np.ndarray:
        """Scores of `items` for one person at a moment: (n,) float64."""
        return self.ranker.scores(candidate_features(state, self.vectors, user, time, items))

    def save(self, folder: str | Path) -> None:
        """Write the bundle; an interrupted save leaves the old one, or none."""
        parameters, learned = self.embedder.state()
        arrays = {"vectors": self.vectors, "users": pack(self.user_ids)}
        arrays |= {f"embedder-{name}": array for name, array in learned.items()}
        arrays |= {f"ranker-{name}": array for name, array in self.ranker.arrays().items()}
        arrays |= {f"tables-{name}": table for name, table in self.tables.items()}
        arrays |= {f"state-{k}": v for k, v in self.state.compact().arrays._asdict().items()}
        arrays |= {f"articles-{name}": array for name, array in _pack_articles(self.articles)}
        about = {
            "newsreco": __version__,
            "features": list(FEATURES),
            "settings": asdict(self.settings),
            "embedder": parameters,
        }
        bundle.save(folder, type(self), about, self.data_fingerprint, arrays)


def load_model(folder: str | Path) -> NewsModel:
    """Read what `NewsModel.save` wrote; ValueError where anything was changed or is missing."""
    manifest, arrays = bundle.read(folder)
    about = manifest["parameters"]
    if manifest["class"] != KIND:
        raise ValueError(f"folder must hold a {KIND}, got a {manifest['class']}: {str(folder)!r}")
    if list(about["features"]) != list(FEATURES):
        raise ValueError(
            f"{str(folder)!r} was trained on other features: {list(about['features'])}; "
            f"this version computes {list(FEATURES)}"
        )
    settings = Settings(**about["settings"])
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        group, _, part = name.partition("-")
        groups.setdefault(group, {})[part] = array
    return NewsModel(
        settings=settings,
        embedder=restore_embedder(about["embedder"], groups.get("embedder", {})),
        vectors=arrays["vectors"],
        ranker=RANKERS[settings.ranker]().restore(groups["ranker"]),
        tables=groups["tables"],
        state=State(Arrays(**groups["state"])),
        articles=_unpack_articles(groups["articles"]),
        user_ids=unpack(arrays["users"]),
        data_fingerprint=manifest["data_fingerprint"],
    )


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


def _pack_articles(articles: Articles) -> list[tuple[str, np.ndarray]]:
    texts = [(name, pack(getattr(articles, name))) for name in TEXT_COLUMNS]
    kinds = [(name, getattr(articles, name)) for name in ("category", "subcategory")]
    return [*texts, *kinds, ("entities", pack([" ".join(e) for e in articles.entities]))]


def _unpack_articles(arrays: dict[str, np.ndarray]) -> Articles:
    texts = {name: unpack(arrays[name]) for name in TEXT_COLUMNS}
    kinds = {name: arrays[name] for name in ("category", "subcategory")}
    return Articles(
        **texts, **kinds, entities=[tuple(e.split()) for e in unpack(arrays["entities"])]
    )
