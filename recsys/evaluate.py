"""Evaluation of models on a test set, with a bootstrap confidence interval for each metric.

Every item of the catalogue is a candidate (full ranking), except those in the user's training
history. A test item that is in it, or that has no training interaction, cannot be recommended at
all, and the report says how many can.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.bootstrap import bootstrap_means, interval
from recsys.compiled import compiled
from recsys.interactions import Interactions, check_log, check_same_labels
from recsys.kernels import contains
from recsys.metrics import beyond_accuracy, ranking
from recsys.progress import progress_bar

if TYPE_CHECKING:
    import pandas as pd

    from recsys.models.base import Recommender

RANKING = {
    "recall": ranking.recall_at_k,
    "precision": ranking.precision_at_k,
    "hit": ranking.hit_at_k,
    "ndcg": ranking.ndcg_at_k,
    "map": ranking.average_precision_at_k,
    "mrr": ranking.reciprocal_rank_at_k,
}


@dataclass(frozen=True)
class Report:
    """Result of `evaluate`: `report["recall@10"]` is a mean, `print(report)` a table.

    Attributes
    ----------
    model : str
    k : int or tuple of int
        Lengths of the lists.
    users : array (n,) int32
        The users with a target, a pair in the test set, in rising order; others are left out.
    per_user : dict of str to array (n,) float64
        Values of each metric that has one value per user.
    overall : dict of str to float
        Metrics of all lists together: coverage and the Gini index.
    n_without_target : int
        Number of users without any.
    n_targets, n_reachable : int
        Number of targets, and of those that could have been recommended at all.
    """

    model: str
    k: int | tuple[int, ...]
    users: np.ndarray
    per_user: dict[str, np.ndarray]
    overall: dict[str, float]
    n_without_target: int
    n_targets: int
    n_reachable: int

    @property
    def reachable(self) -> float:
        """Fraction of the targets that could have been recommended: an upper bound of recall."""
        return self.n_reachable / self.n_targets

    def __getitem__(self, metric: str) -> float:
        self._check(metric)
        if metric in self.overall:
            return self.overall[metric]
        return _mean(self.per_user[metric])

    def interval(self, metric: str) -> tuple[float, float]:
        """95 % bootstrap interval over users; nan for a metric of all lists together."""
        self._check(metric)
        if metric in self.overall:
            return float("nan"), float("nan")
        low, high = interval(bootstrap_means(self.per_user[metric][:, None]))
        return float(low[0]), float(high[0])

    @property
    def table(self) -> pd.DataFrame:
        """All metrics: columns value, low, high."""
        import pandas as pd

        names = [*self.per_user, *self.overall]
        ends = np.full((len(names), 2), np.nan)
        values = np.column_stack(list(self.per_user.values()))
        ends[: len(self.per_user)] = np.transpose(interval(bootstrap_means(values)))
        rows = {"value": [self[name] for name in names], "low": ends[:, 0], "high": ends[:, 1]}
        return pd.DataFrame(rows, index=names).rename_axis(columns="metric")

    def __str__(self) -> str:
        lines = [
            self.model,
            f"{len(self.users):,} users with a target, {self.n_without_target:,} without",
            f"{self.n_reachable:,} of {self.n_targets:,} targets ({self.reachable:.1%}) "
            "could have been recommended",
            f"{'metric':<16}{'value':>8}   95 % interval",
        ]
        for name, row in self.table.iterrows():
            ends = "" if np.isnan(row.low) else f"   {row.low:.4f} to {row.high:.4f}"
            lines.append(f"{name:<16}{row.value:>8.4f}{ends}")
        return "\n".join(lines)

    __repr__ = __str__

    def _check(self, metric: str) -> None:
        validation.one_of("metric", metric, [*self.per_user, *self.overall])


def evaluate(
    model: Recommender,
    train: Interactions,
    test: Interactions,
    k: int | Sequence[int] = 10,
    item_features: Any = None,
) -> Report:
    """Evaluate a fitted model on held-out interactions by full ranking.

    Parameters
    ----------
    model : Recommender
        Fitted on `train` and nothing else.
    train, test : Interactions
        Of the same users and items. Each row of test is a relevant item: its value, if it has
        one, must be above 0.
    k : int or sequence of int
        Length of the lists; of several, the lists are made once, and each gets its metrics.
    item_features : array or sparse matrix (n_items, d), not negative, optional
        Genres, for instance; adds diversity and calibration.

    Returns
    -------
    Report
        Users without test items are left out of the means and counted.
    """
    lengths = _lengths(k)
    _check_logs(model, train, test)
    users = np.unique(test.user)
    longest, _ = model.recommend(users, max(lengths))
    relevant = test.matrix[users]
    history = train.matrix
    per_user, overall = {}, {}
    for length in lengths:
        lists = longest[:, :length]
        per_user |= {f"{name}@{length}": f(lists, relevant, length) for name, f in RANKING.items()}
        per_user |= _beyond_accuracy(lists, relevant, train, users, item_features, length)
        overall[f"coverage@{length}"] = beyond_accuracy.coverage(lists, train.n_items)
        overall[f"gini@{length}"] = beyond_accuracy.gini(lists, train.n_items)
    known = np.bincount(history.indices, minlength=train.n_items) > 0
    seen = _pairs(relevant).multiply(_pairs(history[users]))
    reachable = known[relevant.indices].sum() - seen.nnz
    return Report(
        model=str(model),
        k=lengths if np.iterable(k) else lengths[0],
        users=users,
        per_user=per_user,
        overall=overall,
        n_without_target=train.n_users - len(users),
        n_targets=relevant.nnz,
        n_reachable=int(reachable),
    )


def _lengths(k: int | Sequence[int]) -> tuple[int, ...]:
    """The lengths of the lists, all different."""
    if not np.iterable(k) or isinstance(k, (str, Set, Mapping)):
        return (validation.whole_number("k", k),)
    lengths = tuple(validation.whole_number("k", length) for length in k)
    if not lengths or len(set(lengths)) < len(lengths):
        raise ValueError(f"k must hold one length or more, all different, got {k!r}")
    return lengths


def _beyond_accuracy(
    lists: np.ndarray,
    relevant: Any,
    train: Interactions,
    users: np.ndarray,
    item_features: Any,
    k: int,
) -> dict[str, np.ndarray]:
    """The metrics that look at more than the targets, each with one value per user."""
    item_users = np.bincount(train.matrix.indices, minlength=train.n_items)
    expected = _most_popular(train, users, k)
    values = {
        f"novelty@{k}": beyond_accuracy.novelty(lists, item_users, train.n_users),
        f"popularity@{k}": beyond_accuracy.popularity_bias(lists, item_users, train.n_users),
        f"serendipity@{k}": beyond_accuracy.serendipity(lists, relevant, expected),
    }
    if item_features is not None:
        if not sparse.issparse(item_features):
            item_features = validation.as_array("item_features", item_features)
        validation.features("item_features", item_features)
        if item_features.shape[0] != train.n_items:
            raise ValueError(
                f"item_features must have n_items = {train.n_items} rows, "
                f"got shape {item_features.shape}"
            )
        history = train.matrix[users]
        values[f"diversity@{k}"] = beyond_accuracy.intra_list_diversity(lists, item_features)
        values[f"calibration@{k}"] = beyond_accuracy.calibration(lists, history, item_features)
    return values


def _most_popular(train: Interactions, users: np.ndarray, k: int) -> np.ndarray:
    """Each user's k most popular items that are not in their history, padded with -1."""
    by_popularity = np.argsort(-np.bincount(train.item, minlength=train.n_items), kind="stable")
    lists = np.full((len(users), k), -1, np.int32)
    fill_with_unseen(lists, by_popularity, train.matrix.indptr, train.matrix.indices, users)
    return lists


@compiled
def fill_with_unseen(lists, ranking, ptr, items, users):
    """Write the first items of `ranking` that are not in the user's history into each row."""
    for row in range(len(users)):
        history = items[ptr[users[row]] : ptr[users[row] + 1]]
        n = 0
        for item in ranking:
            if n == lists.shape[1]:
                break
            if not contains(history, item):
                lists[row, n] = item
                n += 1


def leaderboard(
    models: Sequence[Recommender | tuple[str, Recommender]],
    train: Interactions,
    test: Interactions,
    k: int = 10,
    baseline: int | str = 0,
    metric: str = "ndcg",
    progress: bool = True,
) -> pd.DataFrame:
    """Models side by side, each compared with a baseline on the same users.

    Parameters
    ----------
    models : sequence of models or of (name, model)
        Copies of those that are not fitted yet are fitted on `train`.
    train, test : Interactions
    k : int
    baseline : int or str
        Index or name of the model that the others are compared with.
    metric : str
        Metric of the interval and the difference: "ndcg", "recall", "precision", "hit", "map" or
        "mrr".

    Returns
    -------
    DataFrame
        One row per model. Columns recall@k, ndcg@k, map@k, coverage@k; low and high, the 95 %
        interval of the chosen metric; difference from the baseline in that metric, with its
        paired interval, difference_low and difference_high: if it excludes zero, the difference
        is statistically significant. `attrs["reachable"]` is the fraction of targets that could
        have been recommended.
    """
    validation.one_of("metric", metric, list(RANKING))
    named = _named(models)
    k = validation.whole_number("k", k)
    first = _baseline(baseline, [name for name, _ in named])
    reports = {}
    for name, model in progress_bar(named, "models", progress):
        if not getattr(model, "is_fitted", True):
            model = copy.copy(model).fit(train, progress)
        reports[name] = evaluate(model, train, test, k)
    table = _comparison(reports, first, metric, k)
    table.attrs["reachable"] = reports[first].reachable
    return table


def _comparison(reports: dict[str, Report], baseline: str, metric: str, k: int) -> pd.DataFrame:
    """The leaderboard's table; see there."""
    import pandas as pd

    position, chosen = list(reports).index(baseline), f"{metric}@{k}"
    means = bootstrap_means(np.column_stack([r.per_user[chosen] for r in reports.values()]))
    low, high = interval(means)
    difference_low, difference_high = interval(means - means[:, [position]])
    columns = {
        f"{name}@{k}": [r[f"{name}@{k}"] for r in reports.values()]
        for name in dict.fromkeys(["recall", "ndcg", "map", metric, "coverage"])
    }
    values = np.array(columns[chosen])
    return (
        pd.DataFrame(columns, index=list(reports))
        .rename_axis(columns="model")
        .assign(
            low=low,
            high=high,
            difference=values - values[position],
            difference_low=difference_low,
            difference_high=difference_high,
        )
    )


def _pairs(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """1 for each stored pair, also for one whose value is zero."""
    ones = np.ones(matrix.nnz, np.float32)
    return sparse.csr_matrix((ones, matrix.indices, matrix.indptr), shape=matrix.shape)


def _mean(values: np.ndarray) -> float:
    """Mean without nan, summed in sorted order: the order of users does not change a bit."""
    values = np.sort(values[~np.isnan(values)])
    return float(values.mean()) if len(values) else float("nan")


def _named(models: Sequence) -> list[tuple[str, Recommender]]:
    """Models with their names: as given, else the class, or with parameters where two clash."""
    if not np.iterable(models) or isinstance(models, (str, Mapping)):
        raise ValueError(f"models must be a list of models or of (name, model), got {models!r}")
    models = list(models)
    if not models:
        raise ValueError("models must hold at least one model, got none")
    pairs = [m if isinstance(m, tuple) else (type(m).__name__, m) for m in models]
    for pair in pairs:
        if len(pair) != 2 or not isinstance(pair[0], str):
            raise ValueError(f"models must hold models or (name, model), got {pair!r}")
        _check_model(pair[1])
    names = [name for name, _ in pairs]
    named = []
    for given, (name, model) in zip(models, pairs, strict=True):
        if names.count(name) > 1 and not isinstance(given, tuple):
            name = str(model)
        if name in [n for n, _ in named]:
            raise ValueError(f"models must have different names, got {name!r} twice")
        named.append((name, model))
    return named


def _baseline(baseline: int | str, names: list[str]) -> str:
    """Name of the baseline, given by index or name."""
    if isinstance(baseline, int) and 0 <= baseline < len(names):
        return names[baseline]
    if baseline not in names:
        raise ValueError(f"baseline must be one of {names}, got {baseline!r}")
    return baseline


def _check_model(model: Any) -> None:
    """ValueError for anything that cannot recommend, such as the class of a model."""
    if isinstance(model, type) or not hasattr(model, "recommend"):
        raise ValueError(f"model must be a model, like Popularity(), got {model!r}")


def _check_logs(model: Recommender, train: Interactions, test: Interactions) -> None:
    """ValueError for logs and models that would leak test data or give wrong metrics."""
    _check_model(model)
    for name, log in (("train", train), ("test", test)):
        check_log(name, log)
        if len(log) == 0:
            raise ValueError(f"{name} must hold at least one interaction, got none")
    if (train.n_users, train.n_items) != (test.n_users, test.n_items):
        raise ValueError(
            f"train and test must have the same users and items, got {train!r} and {test!r}"
        )
    check_same_labels("train", train, "test", test)
    if test.value is not None and test.value.min() <= 0:
        raise ValueError(
            f"test.value must be above 0, got {test.value.min():g}: every row of test counts as "
            "relevant; test.positives(min_value) keeps those that are"
        )
    if getattr(model, "data_fingerprint", train.fingerprint) != train.fingerprint:
        raise ValueError(
            "model must have been fitted on train itself; it was fitted on another log, which may "
            "hold test data"
        )
