"""What is timed: the same task on the same log, to the same loss or quality."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.harness import Race
from benchmarks.logs import Holdout
from benchmarks.races import evaluation, factorization, neighbors, solvers


def races(holdout: Holdout) -> dict[str, Callable[[], Race]]:
    """All races by name, in the order of the table; each is set up only when it is run."""
    found: dict[str, Callable[[], Race]] = {}
    for factors, target in {32: 7, 64: 7, 128: 6, 256: 5}.items():
        found[f"ALS to equal quality, {factors}"] = partial(
            factorization.to_equal_quality, "ImplicitALS", "implicit ALS", factors, target, holdout
        )
    for factors in (32, 64, 128):
        found[f"BPR per epoch, {factors}"] = partial(factorization.bpr_epochs, factors, 5, holdout)
    for factors in (32, 64, 128):
        found[f"BPR to the rival's best NDCG, {factors}"] = partial(
            factorization.to_equal_quality, "BPR", "implicit BPR", factors, 10, holdout
        )
    for factors in (32, 64):
        found[f"WARP to equal quality, {factors}"] = partial(
            factorization.to_equal_quality, "WARP", "LightFM WARP", factors, 1.5, holdout
        )
    found["ItemKNN"] = partial(neighbors.item_knn, holdout)
    found["UserKNN"] = partial(neighbors.user_knn, holdout)
    found["top 10, all users"] = partial(solvers.best_ten, holdout)
    found["EASE"] = partial(solvers.ease, holdout)
    for factors in (16, 64, 128):
        found[f"PureSVD, {factors}"] = partial(solvers.pure_svd, factors, holdout)
    found["BiasedMF, rating RMSE"] = solvers.biased_mf
    found["ALS fold-in, 10,000 users"] = partial(solvers.fold_in, holdout)
    found["evaluate, 100,000 users, ranx"] = evaluation.by_ranx
    found["evaluate, 100,000 users, ir-measures"] = evaluation.by_ir_measures
    found["read and split a CSV of 25 M rows"] = evaluation.read_and_split
    return found
