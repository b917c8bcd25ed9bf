"""The report's first sections: the main result, and the data and settings it belongs to."""

from __future__ import annotations

import platform
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from newsreco import __version__
from newsreco.reports.section import Section, with_interval
from recsys.version import installed_version

if TYPE_CHECKING:
    from newsreco.training import Result

PACKAGES = ("recsys-course", "numpy", "numba", "lightgbm")


def summary(result: Result) -> Section:
    """The main result, in words that the intervals allow."""
    metrics = result.metrics
    auc = with_interval(*(metrics[f"ranker_auc{end}"] for end in ("", "_low", "_high")))
    gain, low, high = (metrics[f"gain_over_displayed_order{end}"] for end in ("", "_low", "_high"))
    verdict = "no significant difference from"
    if low > 0 or high < 0:
        verdict = f"significantly {'better' if low > 0 else 'worse'} than"
    text = (
        f"AUC per impression {auc}: {verdict} the displayed order, "
        f"{metrics['displayed_order_auc']:.3f}; the difference is "
        f"{with_interval(gain, low, high, '+')}. "
    )
    return Section("summary", "Summary", text + _limit(metrics))


def _limit(metrics: dict[str, float]) -> str:
    """How much was possible on synthetic data; on other data, a caution."""
    if "fraction_of_best_possible" in metrics:
        return (
            "The clicks were drawn with known probabilities, whose AUC is "
            f"{metrics['best_possible_auc']:.3f}. The model reaches "
            f"{metrics['fraction_of_best_possible']:.0%} of what they gain over AUC 0.5."
        )
    return (
        "In a log published with shuffled impressions, as MIND is, the displayed order and the "
        "positions carry no information."
    )


def data(result: Result) -> Section:
    """Data, settings and versions."""
    metrics = result.metrics
    synthetic = "best_possible_auc" in metrics
    rows = {
        "data": "SYNTHETIC, with known click probabilities"
        if synthetic
        else "without known click probabilities",
        "data fingerprint": result.data_fingerprint,
        "impressions of the held-out period": f"{metrics['impressions']:,}",
        "of these evaluated (some clicked, not all)": f"{metrics['impressions_evaluated']:,}",
        "users of the held-out period": f"{metrics['users']:,}",
    }
    lost = {what: metrics.get(f"lost_{what}") for what in ("lines", "entries", "clicks")}
    rows |= {f"{what} lost in reading": f"{f:.1%}" for what, f in lost.items() if f is not None}
    rows |= {name: str(value) for name, value in asdict(result.settings).items()} | _versions()
    text = (
        "All metrics are of impressions later than the training data. The 95 % confidence "
        "intervals are of the mean, by bootstrap over users, each with all their impressions."
    )
    table = pd.DataFrame({"": rows.values()}, index=list(rows))
    return Section("data", "Data and settings", text, table)


def _versions() -> dict[str, str]:
    """Versions of Python and of the packages that are installed."""
    versions = {"newsreco": __version__, "Python": platform.python_version()}
    return versions | {name: v for name in PACKAGES if (v := installed_version(name))}
