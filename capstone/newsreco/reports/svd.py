"""The performance report of the SVD system, in Markdown."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from newsreco.evaluation.svd import SVDEvaluation
from newsreco.reports.render import render

LABELS = {
    "popularity": "Popularity (all clicks)",
    "trending": "Trending (clicks of the last day)",
    "svd": "SVD",
}


def performance_report(evaluation: SVDEvaluation) -> str:
    """The task, the users, and the metrics beside popularity and trending."""
    system, table = evaluation.system, evaluation.table("popularity")
    n_reachable, n_targets = evaluation.reachable()
    settings = asdict(system.settings).items()
    metrics = {
        metric: [(LABELS.get(name, name), table.loc[name, metric]) for name in evaluation.values]
        for metric in table.index.unique("metric")
    }
    return render(
        "svd.md",
        cutoff=f"{datetime.fromtimestamp(system.at, UTC):%Y-%m-%dT%H:%M:%SZ}",
        k=evaluation.k,
        n_live=int(evaluation.live.sum()),
        n_users=len(evaluation.users),
        n_targets=n_targets,
        n_reachable=n_reachable,
        settings=", ".join(f"{name} {value:g}" for name, value in settings),
        data_fingerprint=system.data_fingerprint,
        metrics=metrics,
    )
