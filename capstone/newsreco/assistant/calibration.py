r"""Calibration and evaluation: when to abstain, and how good the answers are.

An answer is given if the confidence reaches a threshold. The threshold is the one with the highest
balanced accuracy on a validation set of questions,

.. math:: \tfrac12 \, P(\text{answers} \mid \text{answerable})
          + \tfrac12 \, P(\text{abstains} \mid \text{unanswerable}),

which does not depend on the fraction of either kind. Ties go to the higher threshold: abstaining is
better than a wrong answer. Everything else is evaluated on the other questions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from newsreco.assistant.answer import Assistant
from newsreco.assistant.search import PassageSearch
from newsreco.synthetic.questions import KINDS, Question
from recsys.bootstrap import bootstrap_means, interval
from recsys.metrics import hit_at_k, reciprocal_rank_at_k


def balanced_threshold(confidence: np.ndarray, answerable: np.ndarray) -> float:
    """The threshold of the highest balanced accuracy, midway between two confidences.

    >>> balanced_threshold(np.array([0.2, 0.4, 0.7, 0.9]), np.array([0, 0, 1, 1], bool))
    0.55
    """
    confidence, answerable = np.asarray(confidence, np.float64), np.asarray(answerable, bool)
    if answerable.all() or not answerable.any():
        raise ValueError("answerable must hold both kinds of questions, got only one")
    levels = np.unique(confidence)
    middles = np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2, [levels[-1] + 1e-6]])
    scores = [balanced_accuracy(confidence, answerable, level) for level in middles]
    best = len(scores) - 1 - int(np.argmax(scores[::-1]))
    return float(middles[best])


def balanced_accuracy(confidence: np.ndarray, answerable: np.ndarray, threshold: float) -> float:
    """Mean of the fraction of answerable questions answered, and of the others not answered."""
    answers = confidence >= threshold
    return float((answers[answerable].mean() + (~answers[~answerable]).mean()) / 2)


def confidences(assistant: Assistant, questions: Sequence[Question]) -> np.ndarray:
    """The confidence of each question: (n,) float64."""
    return np.array([assistant.ask(question.text).confidence for question in questions])


def calibrate(assistant: Assistant, questions: Sequence[Question]) -> float:
    """The threshold for an assistant's articles, chosen on these questions."""
    answerable = np.array([question.answerable for question in questions])
    return balanced_threshold(confidences(assistant, questions), answerable)


def evaluate_search(
    search: PassageSearch, questions: Sequence[Question], k: int = 5
) -> pd.DataFrame:
    """One row per answerable question: hit and reciprocal rank of its sources in k articles."""
    asked = [question for question in questions if question.answerable]
    ids = search.passages.articles.ids
    number = {article: i for i, article in enumerate(ids)}
    found = [search.articles(question.text, k) for question in asked]
    sources = [{number[source] for source in question.sources} for question in asked]
    columns = {
        f"hit@{k}": hit_at_k(found, sources, k),
        f"mrr@{k}": reciprocal_rank_at_k(found, sources, k),
    }
    return pd.DataFrame(columns)


def evaluate_answers(assistant: Assistant, questions: Sequence[Question]) -> pd.DataFrame:
    """One row per question: was it answered, from a source, with the expected answer?

    `cited` and `correct` are nan if there is no answer, or the question is unanswerable.
    """
    rows = []
    for question in questions:
        answer = assistant.ask(question.text)
        given = answer.answered and question.answerable
        cited = bool({c.article for c in answer.citations} & set(question.sources))
        correct = question.answer in answer.text
        rows.append(
            {
                "kind": question.kind,
                "answered": float(answer.answered),
                "cited": float(cited) if given else np.nan,
                "correct": float(correct) if given and question.answer else np.nan,
                "confidence": answer.confidence,
            }
        )
    return pd.DataFrame(rows)


def with_interval(
    values: np.ndarray | pd.Series, fraction: bool = False
) -> tuple[float, float, float]:
    """A mean and its 95 % bootstrap interval over questions; nan is ignored.

    The interval of a `fraction`, a mean of zeros and ones, is exact; see `proportion`.
    """
    values = np.asarray(values, np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return (np.nan,) * 3
    if fraction:
        return proportion(int(values.sum()), len(values))
    low, high = interval(bootstrap_means(values[:, None]))
    return float(values.mean()), float(low[0]), float(high[0])


def proportion(count: int, n: int) -> tuple[float, float, float]:
    """count / n and its exact 95 % interval (Clopper and Pearson 1934).

    >>> proportion(0, 100)[2] < 0.0363
    True
    """
    found = binomtest(count, n).proportion_ci(0.95, "exact")
    return count / n, float(found.low), float(found.high)


def summary(assistant: Assistant, questions: Sequence[Question]) -> pd.DataFrame:
    """The table of metrics that the command and the chapter print."""
    found = evaluate_search(assistant.search, questions)
    answers = evaluate_answers(assistant, questions)
    rows = {name: found[name] for name in found}
    for kind in KINDS:
        answered = answers["answered"][answers["kind"] == kind]
        if len(answered):
            rows[f"answered, {kind}"] = answered
    rows |= {"source cited": answers["cited"], "answer contained": answers["correct"]}
    table = {
        name: (*with_interval(v, not name.startswith("mrr")), int(np.sum(~np.isnan(v))))
        for name, v in rows.items()
    }
    return pd.DataFrame(table, index=["mean", "low", "high", "questions"]).T.astype(
        {"questions": int}
    )
