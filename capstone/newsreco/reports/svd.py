"""The performance report of the SVD system, in Markdown."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from newsreco.evaluation.svd import SVDEvaluation

NAMES = {
    "popularity": "Popularity (all clicks)",
    "trending": "Trending (clicks of the last day)",
    "svd": "SVD",
}


def performance_report(evaluation: SVDEvaluation) -> str:
    """What was asked, of whom, and how well the system did, beside popularity and trending."""
    system, table = evaluation.system, evaluation.table("popularity")
    able, targets = evaluation.reachable()
    cut = datetime.fromtimestamp(system.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    lines = [
        "# Performance of the SVD system",
        "",
        f"- **Split:** one cut in time, {cut}. Training knew what the store knew then; every click "
        "of every impression from then on is to be found. The model is not trained again.",
        f"- **Lists:** {evaluation.k} articles a person, from all {int(evaluation.live.sum())} that were live "
        "at the cut, less those the person had clicked (full ranking).",
        f"- **People:** {len(evaluation.users)} who clicked after the cut, each counted once.",
        f"- **Targets:** {targets}; {able} of them ({able / targets:.1%}) were live at the cut and "
        "could have been recommended.",
        f"- **Settings:** {settings_of(evaluation)}; data `{system.data_fingerprint}`.",
        "",
    ]
    for metric in (f"precision_at_{evaluation.k}", f"recall_at_{evaluation.k}"):
        lines += [
            f"| {metric} | value | 95 % interval | less popularity | 95 % interval, paired |",
            "|---|---|---|---|---|",
        ]
        for name in evaluation.values:
            row = table.loc[(name, metric)]
            lines.append(
                f"| {NAMES.get(name, name)} | {row.value:.3f} | {row.low:.3f} to {row.high:.3f} "
                f"| {row.difference:.3f} | {row.difference_low:.3f} to {row.difference_high:.3f} |"
            )
        lines.append("")
    lines += [
        "Intervals are bootstrap intervals over people. They say how far the figures would move "
        "with other people of the same days, and nothing about other days.",
        "",
    ]
    return "\n".join(lines)


def settings_of(evaluation: SVDEvaluation) -> str:
    """The settings in one line."""
    return ", ".join(
        f"{name} {value:g}" for name, value in asdict(evaluation.system.settings).items()
    )
