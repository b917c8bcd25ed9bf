"""When two sides of a race are equally good: better than Popularity, and ours non-inferior.

Non-inferior: the paired 95 % interval over users of the difference in NDCG@10, each side averaged
over its seeds, lies above minus 1 % of the rival's NDCG@10. The margin was fixed beforehand.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.logs import mean_interval

MARGIN = 0.01  # of the rival's NDCG@10


class RefusedRace(ValueError):
    """A race of a model that is no better than Popularity says nothing."""


def check_above_popularity(side: str, ndcg: np.ndarray, popularity: np.ndarray) -> None:
    """Refuse a side, (seeds, users), whose interval above Popularity reaches zero."""
    low, high = mean_interval(ndcg.mean(axis=0) - popularity)
    if low <= 0:
        raise RefusedRace(
            f"{side} must be better than Popularity ({popularity.mean():.4f}) to be raced, got "
            f"NDCG@10 {ndcg.mean():.4f}, difference {low:+.4f} to {high:+.4f}"
        )


def compare(ours: np.ndarray, theirs: np.ndarray, popularity: np.ndarray) -> dict[str, Any]:
    """The difference of two sides, each (seeds, users), and whether ours is non-inferior."""
    for side, ndcg in (("ours", ours), ("theirs", theirs)):
        check_above_popularity(side, ndcg, popularity)
    difference = ours.mean(axis=0) - theirs.mean(axis=0)
    low, high = mean_interval(difference)
    margin = MARGIN * float(theirs.mean())
    return {
        "metric": "ndcg@10",
        "popularity": float(popularity.mean()),
        "difference": float(difference.mean()),
        "low": low,
        "high": high,
        "margin": margin,
        "non_inferior": bool(low >= -margin),
        "seeds": len(ours),
        "users": len(popularity),
    }
