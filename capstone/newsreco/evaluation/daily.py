"""Day by day: a model updated each morning beside one trained anew each morning.

Training reads the whole log again; an update counts the last day's events. Whether training anew
is worth it is measured on each day of the held-out period, for the same impressions, with both
models brought up to date at the beginning of the day.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from newsreco.data import NewsLog
from newsreco.data.times import DAY, iso_time
from newsreco.evaluation.intervals import mean_over_users, paired_difference
from newsreco.evaluation.lists import evaluate_lists
from newsreco.evaluation.model import evaluate
from newsreco.models.bundle import NewsModel
from newsreco.models.update import update

METRICS = ("auc", "recall")


def evaluate_daily(
    log: NewsLog,
    model: NewsModel,
    fit: Callable[[NewsLog], NewsModel],
    lists: int = 200,
    rng: int = 0,
) -> dict[str, pd.DataFrame]:
    """Metrics of both models on each day after the training, impression by impression.

    Parameters
    ----------
    log : NewsLog
        The training log, or one that continues it.
    model : NewsModel
    fit : function
        Trains a model on a log as `model` was trained.
    lists : int
        Impressions of each day, at most, for which lists are recommended too.
    rng : int
        Seed of the sample of these.

    Returns
    -------
    dict of str to DataFrame
        By metric ("auc" of what was shown, "recall" of the ranked list of 10): columns user,
        updated and retrained, one row per impression.
    """
    values: dict[str, list[pd.DataFrame]] = {metric: [] for metric in METRICS}
    for start in day_starts(log, model.state.now):
        past, until = log.before(start), log.before(start + DAY)
        model = update(model, past).model
        models = {"updated": model, "retrained": fit(past)}
        for metric, table in _metrics(models, until, lists, rng).items():
            values[metric].append(table)
    return {metric: pd.concat(tables, ignore_index=True) for metric, tables in values.items()}


def day_starts(log: NewsLog, after: float) -> list[float]:
    """Times a day apart, from the first impression after a time; each day holds impressions."""
    time = log.impressions.time[log.impressions.time > after]
    if len(time) == 0:
        raise ValueError(f"log must hold impressions later than {iso_time(after)}")
    starts = np.arange(time[0], time[-1] + 1, DAY)
    return [float(s) for s in starts if ((time >= s) & (time < s + DAY)).any()]


def _metrics(
    models: dict[str, NewsModel], until: NewsLog, lists: int, rng: int
) -> dict[str, pd.DataFrame]:
    """Values per impression of one day, which ends with the log; one column per model."""
    auc, recall = {}, {}
    for name, model in models.items():
        table = evaluate(model, until, lists=0)[0].per_impression("ranker")
        auc["user"], auc[name] = table["user"], table["auc"]
        listed = evaluate_lists(model, until, at_most=lists, rng=rng)
        recall["user"], recall[name] = listed["user"], listed["ranked recall"]
    return {"auc": pd.DataFrame(auc).dropna(), "recall": pd.DataFrame(recall)}


def daily_table(values: dict[str, pd.DataFrame], rng: int = 0) -> pd.DataFrame:
    """Means with 95 % intervals over users, and the difference of updated minus retrained."""
    rows = {}
    for metric, table in values.items():
        user = table["user"].to_numpy()
        updated, retrained = (table[name].to_numpy() for name in ("updated", "retrained"))
        for name, value in (("updated", updated), ("retrained", retrained)):
            rows[metric, name] = mean_over_users(value, user, rng)
        rows[metric, "difference"] = paired_difference(updated, retrained, user, rng)
    return pd.DataFrame(rows, ["mean", "low", "high"]).T
