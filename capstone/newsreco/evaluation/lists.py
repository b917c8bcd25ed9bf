"""Evaluation of recommended lists: are the articles clicked next among the k recommended?

Just before a held-out impression, each stage recommends from *all* live articles, not only the
dozen displayed. This is much harder than ranking the dozen, and biased: users can only click what
they were shown, and most of what is recommended was never shown to them. For synthetic data the
true click model gives the probability of a click on each recommended article instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from newsreco.data import NewsLog
from newsreco.data.times import DAY
from newsreco.features.state import State, replay_impressions
from newsreco.models.bundle import NewsModel
from newsreco.models.matching import match
from newsreco.models.pipeline import RecommendationPipeline
from newsreco.models.retrievers import live_articles
from newsreco.synthetic.click_model import TrueClickModel
from recsys.bootstrap import bootstrap_ratios, interval
from recsys.metrics import ndcg_at_k, recall_at_k

LISTS = ("trending", "candidates", "ranked", "reranked")
AT_MOST = 1000


def evaluate_lists(
    model: NewsModel,
    log: NewsLog,
    k: int = 10,
    at_most: int = AT_MOST,
    rng: int = 0,
    click_model: TrueClickModel | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Recall and NDCG of lists for held-out impressions, one row per impression.

    Parameters
    ----------
    log : NewsLog
        Of the model's site. Articles and users are matched by id; new ones are taken on.
    k : int
        Length of the lists.
    at_most : int
        Impressions with a click that are evaluated, sampled if there are more.
    rng : int
        Seed of this sample.
    click_model : TrueClickModel, optional
        Of the synthetic log, which must number its articles as the model does.
    settings :
        Of the `RecommendationPipeline`, such as `pool_size`.

    Returns
    -------
    DataFrame
        Columns user, reachable (fraction of the clicked articles that were live), and for each
        of `LISTS` recall, ndcg and similarity (mean cosine of two articles of the list), such as
        "ranked recall". With a click model also click_probability, the mean over the list of
        each article's probability at position 0, and "best click_probability" and "displayed
        click_probability", of the k best live articles and of the articles displayed.
    """
    matched = match(model, log)
    if click_model is not None and matched.log is not log:
        raise ValueError("log must number its articles as the model does, for a click model")
    model, log = matched.model, matched.log
    state = model.state.copy()
    pipeline = RecommendationPipeline(model, state, **settings)
    shown, rows = log.impressions, []
    answers, found = [], {name: [] for name in LISTS}
    sample = _sample_impressions(log, state.now, at_most, rng)
    for user, time, impression in replay_impressions(state, log, sample):
        items = shown.item[impression]
        clicked = np.unique(items[shown.clicked[impression]])
        live = live_articles(state, user, time, pipeline.window_days * DAY)
        lists = _lists(pipeline, user, time, k, live)
        row = {"user": user, "reachable": live[clicked].mean()}
        for name, ranked in lists.items():
            found[name].append(ranked[:k])
            row |= dict.fromkeys((f"{name} recall", f"{name} ndcg"), np.nan)  # computed below
            row[f"{name} similarity"] = mean_similarity(model.vectors[ranked[:k]])
        answers.append(clicked)
        if click_model is not None:
            lists = {name: ranked[:k] for name, ranked in lists.items()} | {"displayed": items}
            row |= _click_probabilities(click_model, state, user, time, lists, live, k)
        rows.append(row)
    if not rows:
        raise ValueError("log must hold a click later than the training, got none")
    table = pd.DataFrame(rows)
    for name, lists in found.items():  # all impressions in one call
        table[f"{name} recall"] = recall_at_k(lists, answers, k)
        table[f"{name} ndcg"] = ndcg_at_k(lists, answers, k)
    return table


def _sample_impressions(log: NewsLog, after: float, at_most: int, rng: int) -> np.ndarray:
    """At most so many of the impressions after a time that hold a click, ascending."""
    shown, first = log.impressions, log.cut(np.nextafter(after, np.inf))
    clicks = np.add.reduceat(shown.clicked, shown.start[:-1], dtype=np.int64)
    impressions = first + np.flatnonzero(clicks[first:] > 0)
    if len(impressions) > at_most:
        impressions = np.random.default_rng(rng).choice(impressions, at_most, replace=False)
    return np.sort(impressions)


def _lists(
    pipeline: RecommendationPipeline, user: int, time: float, k: int, live: np.ndarray
) -> dict[str, np.ndarray]:
    """The articles that each stage would recommend if it were the last."""
    state, model = pipeline.state, pipeline.model
    trending, _ = pipeline.retrievers["trending"].candidates(state, user, time, k, live)
    items, _ = pipeline.retrieve(user, time)
    scores = model.score(state, user, time, items)
    ranked = items[np.lexsort((items, -scores))]
    kept, _ = pipeline.rerank(user, time, items, scores, k)
    return {"trending": trending, "candidates": items, "ranked": ranked, "reranked": items[kept]}


def _click_probabilities(
    click_model: TrueClickModel,
    state: State,
    user: int,
    time: float,
    lists: dict[str, np.ndarray],
    live: np.ndarray,
    k: int,
) -> dict[str, float]:
    """Mean click probability of each list, and of the k best live articles."""
    found = {
        name: click_model.probabilities(state, user, time, items) for name, items in lists.items()
    }
    found["best"] = np.sort(click_model.probabilities(state, user, time, np.flatnonzero(live)))[-k:]
    return {
        f"{name} click_probability": float(p.mean()) if len(p) else np.nan
        for name, p in found.items()
    }


def mean_similarity(vectors: np.ndarray) -> float:
    """Mean inner product of two different rows; nan if there are fewer than two."""
    n = len(vectors)
    if n < 2:
        return float("nan")
    total = vectors.sum(axis=0, dtype=np.float64)
    return float((total @ total - (vectors.astype(np.float64) ** 2).sum()) / (n * (n - 1)))


def list_metrics(evaluated: pd.DataFrame, k: int = 10, rng: int = 0) -> dict[str, float]:
    """Means with 95 % intervals over users, with the keys that `newsreco train --json` writes."""
    columns = list(evaluated.columns.drop("user"))
    by_user = evaluated.groupby("user")[columns]
    sums, counts = by_user.sum().to_numpy(), by_user.count().to_numpy()
    low, high = interval(bootstrap_ratios(sums, counts, rng))
    metrics: dict[str, float] = {"lists_evaluated": len(evaluated)}
    for column, mean, below, above in zip(columns, evaluated[columns].mean(), low, high):
        key = column if column == "reachable" else f"{column.replace(' ', '_')}_at_{k}"
        metrics |= {key: float(mean)}
        if column != "reachable":
            metrics |= {f"{key}_low": float(below), f"{key}_high": float(above)}
    return metrics
