"""Training: from a log to a model, and its evaluation on the held-out impressions after it.

The log is cut at a time between two impressions. Everything is learned from the part before: the
embedder's words and patterns, of the articles known by then, the counters, the ranker. With
`refit`, the model that is kept learns from the whole log afterwards; the metrics stay those of the
model that did not see the held-out impressions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from tqdm import tqdm

from newsreco.data import NewsLog
from newsreco.evaluation.impressions import Evaluation
from newsreco.evaluation.lists import AT_MOST
from newsreco.evaluation.model import evaluate
from newsreco.features.embeddings import make_embedder
from newsreco.features.matrix import replay
from newsreco.features.state import State
from newsreco.models.bundle import NewsModel, Settings
from newsreco.models.cooccurrence import fit_tables
from newsreco.models.rankers import RANKERS
from newsreco.synthetic.ground_truth import GroundTruth

WARM_UP = 0.1  # fraction of the impressions, the first, that only fill the counters
STAGES = ("embeddings", "features", "ranker", "co-occurrence", "evaluation")


@dataclass(eq=False)
class Result:
    """A trained model and its evaluation.

    Parameters
    ----------
    model : NewsModel
    metrics : dict of str to float
        On the held-out period, with the keys that `newsreco train --json` writes.
    steps : list of dict
        The ranker's training loss or metric, step by step.
    evaluation : Evaluation
        Every scorer's metrics per impression.
    """

    model: NewsModel
    metrics: dict[str, float]
    steps: list[dict]
    evaluation: Evaluation = field(repr=False)

    @property
    def settings(self) -> Settings:
        return self.model.settings

    @property
    def data_fingerprint(self) -> str:
        return self.model.data_fingerprint

    @property
    def per_impression(self) -> pd.DataFrame:
        """The ranker's metrics, one row per held-out impression."""
        return self.evaluation.per_impression("ranker")


def train(
    log: NewsLog,
    settings: Settings | None = None,
    truth: GroundTruth | None = None,
    progress: bool = True,
    lists: int = AT_MOST,
) -> Result:
    """Train on the earlier impressions of a log and evaluate on the later ones.

    Parameters
    ----------
    log : NewsLog
    settings : Settings, optional
    truth : GroundTruth, optional
        Known click probabilities of a synthetic log, for the evaluation only.
    progress : bool
        Show a progress bar.
    lists : int
        As for `evaluate`.
    """
    settings = settings or Settings()
    past = log.before(log.cutoff_time(settings.test_fraction))
    stages = len(STAGES) + settings.refit * (len(STAGES) - 1)
    with tqdm(total=stages, disable=not progress, unit="stage") as bar:
        model = fit_model(past, settings, bar)
        bar.set_description("evaluation")
        evaluation, metrics = evaluate(model, log, truth, lists)
        bar.update()
        if settings.refit:
            model = fit_model(log, settings, bar)
    return Result(model, metrics, model.ranker.steps, evaluation)


def fit_model(past: NewsLog, settings: Settings, bar: tqdm | None = None) -> NewsModel:
    """The model, from `past` alone; the bar advances with each stage."""
    bar = tqdm(disable=True) if bar is None else bar
    bar.set_description("embeddings")
    embedder = make_embedder(settings.embedder)
    texts = past.articles.texts()
    embedder.fit([texts[i] for i in known_articles(past)])
    vectors = embedder.transform(texts)
    bar.update()
    bar.set_description("features")
    state = State.empty(past, settings.half_life)
    X = replay(past, state, vectors)
    bar.update()
    bar.set_description("ranker")
    ranker = _fit_ranker(past, X, settings)
    bar.update()
    bar.set_description("co-occurrence")
    tables = fit_tables(past)
    bar.update()
    parts = settings, embedder, vectors, ranker, tables, state.compact(), past.articles
    return NewsModel(*parts, past.user_ids, past.fingerprint())


def known_articles(past: NewsLog) -> np.ndarray:
    """Ids of the articles shown, or clicked earlier, ascending."""
    return np.unique(np.concatenate([past.impressions.item, past.history_item]))


def _fit_ranker(past: NewsLog, X: np.ndarray, settings: Settings):
    """The ranker, fitted on the impressions after the warm-up."""
    first = int(len(past.impressions) * WARM_UP)
    shown = past.impressions.rows(first, len(past.impressions))
    rows = X[past.impressions.start[first] :]
    ranker_class = RANKERS[settings.ranker]
    random = settings.ranker == "lambdamart"
    ranker = ranker_class(rng=settings.seed) if random else ranker_class()
    return ranker.fit(rows, shown.clicked, shown.start)
