"""Training: from a log to a model, and its evaluation on the impressions that came afterwards.

The log is cut at a moment, whole impressions on either side. Everything is learned from before:
the words and patterns of the articles known by then, the counters, the ranker. In the evaluation the
learned parts stand still while the counters go on, as they would in use: an impression is scored
with what was known just before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from tqdm import tqdm

from newsreco.data import NewsLog
from newsreco.evaluation.impressions import Evaluation, pooled_auc
from newsreco.evaluation.lists import AT_MOST, evaluate_lists, list_metrics
from newsreco.features.embeddings import make_embedder
from newsreco.features.matrix import FEATURES, replay
from newsreco.features.state import State
from newsreco.models.bundle import NewsModel, Settings
from newsreco.models.cooccurrence import fit_tables
from newsreco.models.rankers import RANKERS

WARM_UP = 0.1  # the first impressions only fill the counters: nothing is learned from them
SIMPLE = {"trending": "trend_days", "profile": "profile", "last click": "last"}  # one feature alone
BEST_POSSIBLE = {"true probability": "", "true probability without position": "_without_position"}
STAGES = ("words", "features", "ranker", "tables", "evaluation")


@dataclass(eq=False)
class Result:
    """What a training gives.

    Parameters
    ----------
    model : NewsModel
    metrics : dict of str to float
        Of the evaluation; keys as `newsreco train --json` writes them.
    steps : list of dict
        The ranker's loss, step by step.
    evaluation : Evaluation
        Every scorer's metrics, impression by impression.
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
        """The ranker's metrics, one row an impression of the evaluation."""
        return self.evaluation.per_impression("ranker")


def train(
    log: NewsLog,
    settings: Settings | None = None,
    truth=None,
    progress: bool = True,
    lists: int = AT_MOST,
) -> Result:
    """Learn from the earlier impressions of a log and judge on the later ones.

    Parameters
    ----------
    log : NewsLog
    settings : Settings, optional
    truth : GroundTruth, optional
        Known click chances of a made-up log; they serve the evaluation only.
    progress : bool
        Show a bar.
    lists : int
        As for `evaluate`.
    """
    settings = settings or Settings()
    moment = log.cutoff_time(settings.test_fraction)
    with tqdm(total=len(STAGES), disable=not progress, unit="stage") as bar:
        model, steps = _learn(log.before(moment), settings, bar)
        bar.set_description("evaluation")
        evaluation, metrics = evaluate(model, log, truth, lists)
        bar.update()
    return Result(model, metrics, steps, evaluation)


def _learn(past: NewsLog, settings: Settings, bar: tqdm) -> tuple[NewsModel, list[dict]]:
    """The model, from nothing but `past`; the bar moves with each stage."""
    bar.set_description("words")
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
    bar.set_description("tables")
    tables = fit_tables(past)
    bar.update()
    fingerprint = past.fingerprint()
    parts = settings, embedder, vectors, ranker, tables, state.compact(), past.articles
    return NewsModel(*parts, past.user_ids, fingerprint), ranker.steps


def known_articles(past: NewsLog) -> np.ndarray:
    """Articles shown, or clicked earlier, by anybody: their ids, rising."""
    return np.unique(np.concatenate([past.impressions.item, past.history_item]))


def _fit_ranker(past: NewsLog, X: np.ndarray, settings: Settings):
    first = int(len(past.impressions) * WARM_UP)
    shown = past.impressions.rows(first, len(past.impressions))
    rows = X[past.impressions.start[first] :]
    kind = RANKERS[settings.ranker]
    ranker = kind(rng=settings.seed) if settings.ranker == "lambdamart" else kind()
    return ranker.fit(rows, shown.clicked, shown.start)


def evaluate(
    model: NewsModel, log: NewsLog, truth=None, lists: int = AT_MOST
) -> tuple[Evaluation, dict[str, float]]:
    """Judge a model on all impressions of `log` later than those it learned from.

    Parameters
    ----------
    log : NewsLog
        The one that the model was trained on, or one that continues it.
    truth : GroundTruth, optional
    lists : int
        For so many impressions at most, also ask for a list of all live articles; 0 for none.

    Returns
    -------
    evaluation : Evaluation
        The order of what was shown.
    metrics : dict of str to float
    """
    first = int(np.searchsorted(log.impressions.time, model.state.now, side="right"))
    last = len(log.impressions)
    if first == last:
        raise ValueError(
            f"log must go on after {model.state.now:.0f} (seconds UTC), where training ended, "
            f"got none of its {last} impressions later than that"
        )
    if model.user_ids != log.user_ids[: len(model.user_ids)]:
        raise ValueError("log must begin as the training log did: its users differ")
    state = model.state.copy()
    X = replay(log, state, model.vectors, first, last)
    shown = log.impressions.rows(first, last)
    evaluation = Evaluation(shown, rng=model.settings.seed)
    placed = model.scores(X, placed=True)
    scorers = {
        "ranker": model.scores(X),
        "displayed order": -places(shown),
        "with positions": placed,
    }
    for name, feature in SIMPLE.items():
        scorers[name] = X[:, FEATURES.index(feature)]
    if truth is not None:
        later = slice(log.impressions.start[first], None)
        scorers |= {
            "true probability": truth.probability[later],
            "true probability without position": truth.relevance[later],
        }
    for name, scores in scorers.items():
        evaluation.add(name, scores)
    metrics = _metrics(evaluation, scorers)
    if lists:
        metrics |= list_metrics(evaluate_lists(model, log, at_most=lists), rng=model.settings.seed)
    return evaluation, metrics


def places(shown) -> np.ndarray:
    """The place on the page of everything shown, from 0: (n_shown,) int64."""
    return np.arange(len(shown.item)) - np.repeat(shown.start[:-1], np.diff(shown.start))


def _metrics(evaluation: Evaluation, scorers: dict[str, np.ndarray]) -> dict[str, float]:
    if not evaluation.n_evaluated:
        raise ValueError(
            f"none of the {len(evaluation.shown)} impressions of the evaluation holds both a "
            "click and an article not clicked: there is nothing to evaluate"
        )
    metrics = evaluation.metrics("ranker", "ranker")
    metrics |= evaluation.metrics("displayed order", "displayed_order")
    gap, low, high = evaluation.difference("ranker", "displayed order")
    metrics |= {
        "gain_over_displayed_order": gap,
        "gain_over_displayed_order_low": low,
        "gain_over_displayed_order_high": high,
    }
    for name in (*SIMPLE, "with positions"):
        metrics[f"{name.replace(' ', '_')}_auc"] = evaluation.mean(name)
    metrics["ranker_pooled_auc"] = pooled_auc(evaluation.shown, scorers["ranker"])
    for name, suffix in BEST_POSSIBLE.items():
        if name in scorers:
            metrics[f"best_possible_auc{suffix}"] = best = evaluation.mean(name)
            if best > 0.51:  # not where clicks are random: there is nothing to reach
                fraction = (metrics["ranker_auc"] - 0.5) / (best - 0.5)
                metrics[f"fraction_of_best_possible{suffix}"] = fraction
    metrics |= {
        "impressions": len(evaluation.shown),
        "impressions_evaluated": evaluation.n_evaluated,
    }
    return metrics | {"users": len(evaluation.users)}
