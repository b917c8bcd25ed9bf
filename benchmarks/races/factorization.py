"""ALS, BPR and WARP with the settings and the numbers of steps that `make tune` stored."""

from __future__ import annotations

from typing import Any

from benchmarks import spaces
from benchmarks.harness import Race
from benchmarks.logs import Holdout
from benchmarks.rivals import FIT, Ranked, writable
from benchmarks.stopping import FAST, steps_name
from benchmarks.tune import race_setting, stopped
from recsys.models.base import Recommender

NAMES = {"implicit ALS": "implicit", "implicit BPR": "implicit", "LightFM WARP": "lightfm"}


def to_equal_quality(
    ours: str, rival: str, factors: int, target: float, holdout: Holdout
) -> Race:  # fmt: skip
    """Each side trains until it reaches the rival's best NDCG@10 on the validation set."""
    steps = stopped(ours, rival, factors)["steps"]
    return _race(ours, rival, factors, steps, target, holdout)


def bpr_epochs(factors: int, target: float, holdout: Holdout) -> Race:
    """As many epochs on both sides: those to the rival's best validation NDCG@10."""
    epochs = stopped("BPR", "implicit BPR", factors)["steps"]["implicit BPR"]
    steps = {"BPR": epochs, "implicit BPR": epochs}
    return _race("BPR", "implicit BPR", factors, steps, target, holdout)


def _race(
    ours: str, rival: str, factors: int, steps: dict[str, int], target: float, holdout: Holdout
) -> Race:  # fmt: skip
    train, history = holdout.train, writable(holdout.train)
    settings = {
        side: race_setting(side, factors) | {steps_name(side): steps[side]}
        for side in (ours, rival)
    }
    settings[ours] |= FAST.get(ours, {})

    def fit_ours(run: int) -> Any:
        return spaces.build(ours, train, run, **settings[ours]).fit(train, progress=False)

    def fit_theirs(run: int) -> Any:
        return FIT[rival](history, run, **settings[rival])

    return Race(
        rival=NAMES[rival],
        ours=fit_ours,
        theirs=fit_theirs,
        target=target,
        setting={"ours": settings[ours], "theirs": settings[rival]},
        holdout=holdout,
        ranked=lambda model: model if isinstance(model, Recommender) else Ranked(model, history),
    )
