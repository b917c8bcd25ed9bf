"""Top-k, folding in and the exact solvers, each side given the same matrices."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from implicit.als import AlternatingLeastSquares
from scipy.linalg import lapack
from scipy.sparse.linalg import svds
from surprise import SVD, Dataset, Reader

from benchmarks.harness import Race
from benchmarks.logs import Holdout
from benchmarks.rivals import THREADS, Ranked, writable
from recsys import Interactions, load_movielens
from recsys.metrics import ndcg_at_k, rmse
from recsys.models import EASE, BiasedMF, ImplicitALS, PureSVD
from recsys.models.als import als_loss, extra_confidence

ALPHA, REG, FACTORS = 1.0, 10.0, 64
RATING_SPLITS = 5


def fitted_als(holdout: Holdout) -> tuple[ImplicitALS, AlternatingLeastSquares]:
    """Our model and the rival's with the same factors."""
    model = ImplicitALS(factors=FACTORS, alpha=ALPHA, reg=REG, iterations=15, n_threads=THREADS)
    model.fit(holdout.train, progress=False)
    rival = AlternatingLeastSquares(
        factors=FACTORS, alpha=1.0, regularization=REG, num_threads=THREADS, use_gpu=False
    )
    rival.user_factors, rival.item_factors = model.user_factors, model.item_factors
    rival._item_norms = None
    return model, rival


def best_ten(holdout: Holdout) -> Race:
    """Top 10 for every user by one and the same factors, seen items left out."""
    model, rival = fitted_als(holdout)
    history = writable(holdout.train)
    users = np.flatnonzero(np.diff(history.indptr))
    rows = np.searchsorted(users, holdout.users)
    relevant = holdout.held_out.matrix[holdout.users]

    def quality(lists: Any) -> dict[str, float]:
        return {"ndcg@10": float(ndcg_at_k(np.asarray(lists)[rows], relevant, 10).mean())}

    return Race(
        rival="implicit",
        ours=lambda run: model.recommend(users, 10)[0],
        theirs=lambda run: rival.recommend(users, history[users], N=10)[0],
        target=2.5,
        setting={"factors": FACTORS, "users": len(users)},
        quality=quality,
    )


def fold_in(holdout: Holdout) -> Race:
    """Vectors of 10,000 users the model never saw, for 64 item factors."""
    model, rival = fitted_als(holdout)
    history = writable(holdout.train)
    users = np.flatnonzero(np.diff(history.indptr))
    histories = history[np.random.default_rng(0).choice(users, 10_000)]
    extra = extra_confidence(histories, ALPHA)
    confidence = histories.copy()
    confidence.data = 1 + np.float32(ALPHA) * confidence.data
    rows = np.arange(10_000)

    def quality(vectors: Any) -> dict[str, float]:
        return {"loss": als_loss(np.asarray(vectors), model.item_factors, extra, REG, 0.0)}

    return Race(
        rival="implicit",
        ours=lambda run: model.fold_in(histories).user_factors,
        theirs=lambda run: rival.recalculate_user(rows, confidence),
        target=1.5,
        setting={"factors": FACTORS},
        quality=quality,
    )


def ease(holdout: Holdout) -> Race:
    """Beside the two LAPACK calls that any exact fit needs, on the finished matrix."""
    history = writable(holdout.train)
    gram = (history.T @ history).toarray() + 200.0 * np.eye(holdout.train.n_items)
    matrix = np.empty_like(gram, order="F")

    def prepare() -> None:
        matrix[:] = gram

    def theirs(run: int) -> Any:
        factor, _ = lapack.dpotrf(matrix, lower=1, overwrite_a=1, clean=0)
        return lapack.dpotri(factor, lower=1, overwrite_c=1)[0]

    def quality(product: Any) -> dict[str, float]:
        fitted = isinstance(product, EASE)
        weights = product.item_weights if fitted else -product / np.diag(product)
        return {"weight": float(np.abs(np.tril(weights, -1)).mean())}

    return Race(
        rival="LAPACK",
        ours=lambda run: EASE(reg=200.0, n_threads=THREADS).fit(holdout.train, progress=False),
        theirs=theirs,
        target=0.85,
        setting={"reg": 200.0},
        quality=quality,
        prepare=prepare,
        blas_threads=THREADS,
    )


def pure_svd(factors: int, holdout: Holdout) -> Race:
    """Beside SciPy's svds (ARPACK) in double precision, as ours; quality: the spectrum's length."""
    history = writable(holdout.train)
    matrix = history.astype(np.float64)

    def ours(run: int) -> Any:
        return PureSVD(factors, rng=run, n_threads=THREADS).fit(holdout.train, progress=False)

    def theirs(run: int) -> Any:
        left, sigma, right = svds(matrix, k=factors, random_state=run)
        return SimpleNamespace(
            user_factors=left * sigma, item_factors=right.T, singular_values=sigma
        )

    return Race(
        rival="svds",
        ours=ours,
        theirs=theirs,
        target=1,
        setting={"factors": factors},
        quality=lambda model: {"spectrum": float(np.linalg.norm(model.singular_values))},
        holdout=holdout,
        ranked=lambda model: model if isinstance(model, PureSVD) else Ranked(model, history),
        blas_threads=THREADS,
    )


def biased_mf() -> Race:
    """The rival's default factors, epochs, learning rate and penalty; one split per run."""
    data = load_movielens("latest-small")

    def split(run: int) -> tuple[Interactions, Interactions]:
        test = np.random.default_rng(run % RATING_SPLITS).random(len(data)) < 0.2
        return data.select(~test), data.select(test)

    trains = [split(run)[0] for run in range(RATING_SPLITS)]
    scale = Reader(rating_scale=(data.value.min(), data.value.max()))
    theirs_trains = []
    for train in trains:
        train.fingerprint, train.matrix  # noqa: B018  computed once, outside the timing
        frame = pd.DataFrame({"u": train.user, "i": train.item, "r": train.value})
        theirs_trains.append(Dataset.load_from_df(frame, scale).build_full_trainset())

    def ours(run: int) -> Any:
        model = BiasedMF(100, 0.005, 0.02, 20, rng=run, n_threads=THREADS)
        return run, model.fit(trains[run % RATING_SPLITS], progress=False)

    def theirs(run: int) -> Any:
        return run, SVD(random_state=run).fit(theirs_trains[run % RATING_SPLITS])

    def quality(product: Any) -> dict[str, float]:
        run, model = product
        test = split(run)[1]
        if isinstance(model, BiasedMF):
            return {"rmse": rmse(model.predict(test.user, test.item), test.value)}
        pairs = zip(test.user.tolist(), test.item.tolist(), strict=True)
        return {"rmse": rmse([model.predict(u, i).est for u, i in pairs], test.value)}

    setting = {"factors": 100, "epochs": 20, "ratings": repr(data)}
    return Race("surprise", ours, theirs, 5, setting, quality)
