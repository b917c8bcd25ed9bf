"""Evaluation of 100,000 users, and a file of MovieLens-25M's size read and split."""

from __future__ import annotations

from functools import cache
from typing import Any

import ir_measures
import numpy as np
import pandas as pd
import ranx
from ir_measures import AP, RR, P, R, Success, nDCG

from benchmarks.data import long_tailed, ratings_file
from benchmarks.harness import Race
from recsys import Interactions, evaluate, leave_last_out
from recsys.models import ImplicitALS


@cache
def evaluated() -> tuple[ImplicitALS, Interactions, Interactions]:
    """A fitted model of 100,000 users, and its split."""
    train, test = leave_last_out(long_tailed(100_000, 5_000, 2_000_000))
    train.fingerprint  # noqa: B018  computed once, outside the timing
    model = ImplicitALS(factors=32, iterations=2, cg_steps=1).fit(train, progress=False)
    return model, train, test


def our_evaluation(run: int) -> Any:
    return evaluate(*evaluated(), 10)


def lists_and_truth(columns: tuple[str, str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both rivals read tables of text ids: user, item, and score or relevance."""
    model, _, test = evaluated()
    users = np.unique(test.user)
    lists, scores = model.recommend(users, 10)
    found = [np.repeat(users, 10).astype(str), lists.ravel().astype(str), scores.ravel()]
    truth = [test.user.astype(str), test.item.astype(str), np.ones(len(test), int)]
    user, item, score = columns
    recommended = pd.DataFrame({user: found[0], item: found[1], score: found[2].astype(float)})
    return recommended, pd.DataFrame(dict(zip(columns, truth, strict=True)))


def by_ranx() -> Race:
    """From a fitted model to all ranking metrics of 100,000 users; ours adds the others."""
    evaluated()
    names = ["recall@10", "precision@10", "hit_rate@10", "ndcg@10", "map@10", "mrr@10"]

    def theirs(run: int) -> Any:
        recommended, truth = lists_and_truth(("q_id", "doc_id", "score"))
        return ranx.evaluate(ranx.Qrels.from_df(truth), ranx.Run.from_df(recommended), names)

    def quality(found: Any) -> dict[str, float]:
        return {name: float(found[name]) for name in ("recall@10", "ndcg@10", "mrr@10")}

    return Race("ranx", our_evaluation, theirs, 5, quality=quality)


def by_ir_measures() -> Race:
    """The same, beside ir-measures."""
    evaluated()
    names = {"recall@10": R @ 10, "ndcg@10": nDCG @ 10, "mrr@10": RR @ 10}
    measures = [*names.values(), P @ 10, Success @ 10, AP @ 10]

    def theirs(run: int) -> Any:
        recommended, truth = lists_and_truth(("query_id", "doc_id", "score"))
        truth = truth.rename(columns={"score": "relevance"})
        found = ir_measures.calc_aggregate(measures, truth, recommended)
        return {name: found[measure] for name, measure in names.items()}

    def quality(found: Any) -> dict[str, float]:
        return {name: float(found[name]) for name in names}

    return Race("ir-measures", our_evaluation, theirs, 5, quality=quality)


def read_and_split() -> Race:
    """A file of MovieLens-25M's size and columns, from disk to train and test."""
    path = ratings_file()

    def ours(run: int) -> Any:
        log = Interactions.from_csv(path, "userId", "movieId", "timestamp", "rating")
        return leave_last_out(log)

    def theirs(run: int) -> Any:
        """The fastest way in pandas: no sorting, one row per id kept by its position."""
        types = {"userId": "int32", "movieId": "int32", "rating": "float32", "timestamp": "int64"}
        frame = pd.read_csv(path, dtype=types)
        frame["user"], _ = pd.factorize(frame.pop("userId"), sort=True)
        frame["item"], _ = pd.factorize(frame.pop("movieId"), sort=True)
        by_user = frame.groupby("user")["timestamp"]
        last = by_user.idxmax()[by_user.size() > 1]
        held_out = np.zeros(len(frame), bool)
        held_out[last] = True
        return frame[~held_out], frame[held_out]

    def quality(parts: Any) -> dict[str, float]:
        train, test = parts
        return {
            "held out": len(test),
            "mean item": float(np.mean(np.asarray(train.item), dtype=float)),
        }

    return Race("pandas", ours, theirs, 3, quality=quality)
