"""Evaluation of a model on the impressions after its training, beside baselines.

The learned parts stay fixed and the counters advance, as in use: an impression is scored with
what was known just before it.
"""

from __future__ import annotations

import numpy as np

from newsreco.data import Impressions, NewsLog
from newsreco.data.times import iso_time
from newsreco.evaluation.impressions import Evaluation, pooled_auc
from newsreco.evaluation.lists import AT_MOST, evaluate_lists, list_metrics
from newsreco.features.kernels import Column
from newsreco.features.matrix import replay
from newsreco.models.bundle import NewsModel
from newsreco.models.matching import match
from newsreco.synthetic.ground_truth import GroundTruth

BASELINES = {  # one feature alone
    "trending": Column.TREND_DAYS,
    "profile": Column.PROFILE,
    "last click": Column.LAST,
}
BEST_POSSIBLE = {"true probability": "", "true probability without position": "_without_position"}


def evaluate(
    model: NewsModel, log: NewsLog, truth: GroundTruth | None = None, lists: int = AT_MOST
) -> tuple[Evaluation, dict[str, float]]:
    """Evaluate a model on all impressions of `log` later than its training.

    Parameters
    ----------
    log : NewsLog
        Of the model's site. Articles and users are matched by id; new ones are taken on.
    truth : GroundTruth, optional
        Known click probabilities of a synthetic log.
    lists : int
        Number of impressions, at most, for which lists are recommended too; 0 for none.

    Returns
    -------
    evaluation : Evaluation
        Of the order of what was shown.
    metrics : dict of str to float
    """
    matched = match(model, log)
    model, log = matched.model, matched.log
    first, last = _held_out(model, log)
    X = replay(log, model.state.copy(), model.vectors, first, last)
    shown = log.impressions.rows(first, last)
    scorers = {
        "ranker": model.score_features(X),
        "displayed order": -displayed_positions(shown),
        "with positions": model.score_features(X, with_positions=True),
    }
    scorers |= {name: X[:, column] for name, column in BASELINES.items()}
    if truth is not None:
        rows = slice(log.impressions.start[first], None)
        scores = truth.probability[rows], truth.relevance[rows]
        scorers |= dict(zip(BEST_POSSIBLE, scores))
    evaluation = Evaluation(shown, rng=model.settings.seed)
    for name, scores in scorers.items():
        evaluation.add(name, scores)
    metrics = _metrics(evaluation)
    if lists:
        metrics |= list_metrics(evaluate_lists(model, log, at_most=lists), rng=model.settings.seed)
    return evaluation, metrics


def _held_out(model: NewsModel, log: NewsLog) -> tuple[int, int]:
    """First and last + 1 of the impressions after the training; ValueError if there are none."""
    first = int(np.searchsorted(log.impressions.time, model.state.now, side="right"))
    last = len(log.impressions)
    if first == last:
        end = iso_time(model.state.now)
        raise ValueError(f"log must hold impressions later than {end}, the end of training")
    return first, last


def displayed_positions(shown: Impressions) -> np.ndarray:
    """Position of everything shown in its impression, from 0: (n_shown,) int64."""
    return np.arange(len(shown.item)) - np.repeat(shown.start[:-1], np.diff(shown.start))


def _metrics(evaluation: Evaluation) -> dict[str, float]:
    if not evaluation.n_evaluated:
        raise ValueError(
            f"none of the {len(evaluation.shown)} impressions of the evaluation holds both a "
            "click and an article not clicked: there is nothing to evaluate"
        )
    metrics = evaluation.metrics("ranker", "ranker")
    metrics |= evaluation.metrics("displayed order", "displayed_order")
    gain, low, high = evaluation.difference("ranker", "displayed order")
    metrics |= {
        "gain_over_displayed_order": gain,
        "gain_over_displayed_order_low": low,
        "gain_over_displayed_order_high": high,
    }
    for name in (*BASELINES, "with positions"):
        metrics[f"{name.replace(' ', '_')}_auc"] = evaluation.mean(name)
    metrics["ranker_pooled_auc"] = pooled_auc(evaluation.shown, evaluation.scores["ranker"])
    metrics |= _best_possible(evaluation)
    return metrics | {
        "impressions": len(evaluation.shown),
        "impressions_evaluated": evaluation.n_evaluated,
        "users": len(evaluation.users),
    }


def _best_possible(evaluation: Evaluation) -> dict[str, float]:
    """AUC of the true probabilities, and the fraction of it that the ranker reaches above 0.5."""
    aucs, fractions = {}, {}
    for name, suffix in BEST_POSSIBLE.items():
        if name in evaluation.values:
            aucs[f"best_possible_auc{suffix}"] = best = evaluation.mean(name)
            if best > 0.51:  # random clicks leave nothing to reach
                fraction = (evaluation.mean("ranker") - 0.5) / (best - 0.5)
                fractions[f"fraction_of_best_possible{suffix}"] = fraction
    return aucs | fractions
