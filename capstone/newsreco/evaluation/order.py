r"""What the order of clicks adds: a chain over subcategories beside the same chain reversed.

The words of the last impression are content. A chain over subcategories adds which of them follow
which,

.. math:: s(i) = \text{content}(i) + w \log \frac{P(s_i \mid s_j)}{q_{s_i}} .

Part of that needs no order: users return to a subcategory, and two that interest the same users
stand beside each other in either direction. The control is the reversed chain, which counts each
transition from its end to its start. It holds the same pairs, so the order alone is worth what the
chain gains over it. Each has the weight w that is best on the validation set.

Runs on other synthetic logs are repetitions, and the interval of their mean is over logs: more
users of one log would not show how much logs differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from newsreco.data import NewsLog
from newsreco.evaluation.impressions import Evaluation
from newsreco.evaluation.next_click import (
    evaluate_shown,
    last_content,
    reversed_lift,
    topic_lift,
)
from newsreco.features.embeddings import make_embedder
from newsreco.training import known_articles

WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
SCORERS = {"content": last_content, "order": topic_lift, "reversed": reversed_lift}
CHAINS = ("order", "reversed")


def vectors_as_of(log: NewsLog, embedder: str, time: float) -> np.ndarray:
    """Vectors of all articles, by an embedder fitted on those known before a time: (n_items, d)."""
    past, texts = log.before(time), log.articles.texts()
    fitted = make_embedder(embedder).fit([texts[i] for i in known_articles(past)])
    return fitted.transform(texts)


def evaluate_order(
    log: NewsLog, embedder: str, half_life: float, test_fraction: float = 0.2
) -> tuple[Evaluation, dict[str, float]]:
    """Content alone, with the chain, and with the reversed chain, on the test set.

    The later half of the impressions before the cut is the validation set: each chain
    gets the weight of `WEIGHTS` with the largest AUC there, with an embedder fitted
    on articles of the earlier half. For the test set it is fitted anew, on those
    before the cut.

    Returns
    -------
    evaluation : Evaluation
        Scorers "content", "order", "reversed" and "content + " each of the last two.
    weights : dict of str to float
        The weight chosen, of "order" and of "reversed".
    """
    cutoff = log.cutoff_time(test_fraction)
    first, n = log.cut(cutoff), len(log.impressions)
    middle = log.cut(float(log.impressions.time[first // 2]))
    known = vectors_as_of(log, embedder, float(log.impressions.time[middle]))
    validation = evaluate_shown(log, known, half_life, SCORERS, middle, first)
    vectors = vectors_as_of(log, embedder, cutoff)
    test, weights = evaluate_shown(log, vectors, half_life, SCORERS, first, n), {}
    for chain in CHAINS:
        for weight in WEIGHTS:
            validation.add(str(weight), blend(validation, chain, weight))
        weights[chain] = max(WEIGHTS, key=lambda weight: validation.mean(str(weight)))
        test.add(f"content + {chain}", blend(test, chain, weights[chain]))
    return test, weights


def blend(evaluation: Evaluation, chain: str, weight: float) -> np.ndarray:
    """Content plus the weighted log lift of a chain, for each article shown: (n_shown,)."""
    return evaluation.scores["content"] + weight * evaluation.scores[chain]


def mean_over_logs(values: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """Mean of one value per log, and its interval by the t distribution.

    >>> mean, low, high = mean_over_logs([0.0, 1.0, 2.0, 3.0])
    >>> round(mean, 3), round(low, 3), round(high, 3)
    (1.5, -0.554, 3.554)
    """
    mean, error = float(np.mean(values)), stats.sem(values)
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * error
    return mean, float(mean - half), float(mean + half)
