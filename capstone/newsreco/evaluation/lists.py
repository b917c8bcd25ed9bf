"""How good the two stages' lists are: is what people clicked next among the ten recommended?

For an impression of the held-out period the recommender is asked, just before it, for the best of
*all* live articles, not only of the dozen that the editor showed. It is a far harder question than
ordering the dozen, and a stricter one than is fair: people can only click what they were shown,
and most of what is recommended was never shown to them. In a made-up world an oracle can answer
instead: how likely would they have clicked what is in the list?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from newsreco.data import NewsLog
from newsreco.features.matrix import candidate_features
from newsreco.features.state import DAY, State
from newsreco.models.bundle import NewsModel
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
    oracle: TrueClickModel | None = None,
    **served: Any,
) -> pd.DataFrame:
    """Recall and NDCG of lists for impressions later than the training, one row each.

    Parameters
    ----------
    log : NewsLog
        The training log, or one that continues it.
    k : int
        Length of the lists.
    at_most : int
        Impressions with a click that are judged, drawn without replacement where there are more.
    rng : int
        Of this draw.
    oracle : TrueClickModel, optional
        Of the made-up world that the log is from.
    served :
        Settings of the `RecommendationPipeline`, such as `pool_size`.

    Returns
    -------
    DataFrame
        Columns user, reachable (share of the clicked articles that were live), and for each of
        `LISTS` recall, ndcg and similarity (mean cosine of two articles of the list), such as
        "ranked recall". With an oracle also click_probability, the mean over the list of each article's
        probability at the top of a page, and "best click_probability" and "displayed
        click_probability": of the k best live articles, and of the articles displayed.
    """
    state = model.state.copy()
    recommender = RecommendationPipeline(model, state, **served)
    shown, rows = log.impressions, []
    done = log.cut(np.nextafter(state.now, np.inf))
    for user, time, page in replay_impressions(state, log, done, _drawn(log, done, at_most, rng)):
        wanted = np.unique(shown.item[page][shown.clicked[page]])
        live = live_articles(state, user, time, recommender.window_days * DAY)
        row = {"user": user, "reachable": live[wanted].mean()}
        for name, items in _lists(recommender, user, time, k, live).items():
            row[f"{name} recall"] = recall_at_k([items], [wanted], k)[0]
            row[f"{name} ndcg"] = ndcg_at_k([items], [wanted], k)[0]
            row[f"{name} similarity"] = likeness(model.vectors[items[:k]])
            if oracle is not None:
                row[f"{name} click_probability"] = _mean(
                    oracle.probabilities(state, user, time, items[:k])
                )
        if oracle is not None:
            possible = np.sort(oracle.probabilities(state, user, time, np.flatnonzero(live)))
            row["best click_probability"] = _mean(possible[-k:])
            row["displayed click_probability"] = _mean(
                oracle.probabilities(state, user, time, shown.item[page])
            )
        rows.append(row)
    if not rows:
        raise ValueError("log must hold a click later than the training, got none")
    return pd.DataFrame(rows)


def replay_impressions(
    state: State, log: NewsLog, done: int, visits: Iterable[int]
) -> Iterator[tuple[int, float, slice]]:
    """Bring a state to the moment of each visit, with all that came before it counted.

    Parameters
    ----------
    state : State
        Has counted the first `done` visits of the log; it is changed.
    visits : iterable of int
        Rising, from `done` on.

    Yields
    ------
    user : int
    time : float
        Seconds UTC.
    page : slice
        Where the visit's articles stand in `log.impressions.item`.
    """
    shown = log.impressions
    for visit in visits:
        user, time = int(shown.user[visit]), float(shown.time[visit])
        state.advance(log, done, log.cut(time))
        done = max(done, log.cut(time))
        state.arrive(user, log.history_item[slice(*log.history_start[user : user + 2])])
        yield user, time, slice(shown.start[visit], shown.start[visit + 1])


def likeness(vectors: np.ndarray) -> float:
    """Mean inner product of two different rows; nan where there are not two."""
    n = len(vectors)
    if n < 2:
        return float("nan")
    total = vectors.sum(axis=0, dtype=np.float64)
    return float((total @ total - (vectors.astype(np.float64) ** 2).sum()) / (n * (n - 1)))


def _mean(values: np.ndarray) -> float:
    """The mean; nan of nothing."""
    return float(values.mean()) if len(values) else float("nan")


def _drawn(log: NewsLog, first: int, at_most: int, rng: int) -> np.ndarray:
    """Impressions from `first` on that hold a click, at most so many, in order of time."""
    shown = log.impressions
    clicks = np.add.reduceat(shown.clicked, shown.start[:-1], dtype=np.int64)
    visits = first + np.flatnonzero(clicks[first:] > 0)
    if len(visits) > at_most:
        visits = np.random.default_rng(rng).choice(visits, at_most, replace=False)
    return np.sort(visits)


def _lists(
    recommender: RecommendationPipeline, user: int, time: float, k: int, live: np.ndarray
) -> dict:
    """What each stage would recommend, had it the last word."""
    state, model = recommender.state, recommender.model
    trending, _ = recommender.retrievers["trending"].candidates(state, user, time, k, live)
    items, _ = recommender.retrieve(user, time)
    scores = model.ranker.scores(candidate_features(state, model.vectors, user, time, items))
    ranked = items[np.lexsort((items, -scores))]
    kept, _ = recommender.rerank(user, time, items, scores, k)
    return {"trending": trending, "candidates": items, "ranked": ranked, "reranked": items[kept]}


def list_metrics(judged: pd.DataFrame, k: int = 10, rng: int = 0) -> dict[str, float]:
    """Means with 95 % intervals over people, as the keys of `newsreco train --json`."""
    columns = list(judged.columns.drop("user"))
    by_person = judged.groupby("user")[columns]
    sums, counts = by_person.sum().to_numpy(), by_person.count().to_numpy()
    low, high = interval(bootstrap_ratios(sums, counts, rng))
    metrics: dict[str, float] = {"lists_evaluated": len(judged)}
    for column, mean, below, above in zip(columns, judged[columns].mean(), low, high):
        key = column if column == "reachable" else f"{column.replace(' ', '_')}_at_{k}"
        metrics |= {key: float(mean)}
        if column != "reachable":
            metrics |= {f"{key}_low": float(below), f"{key}_high": float(above)}
    return metrics
