"""What is timed: the same work, on the same log, to the same loss or quality."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import ir_measures
import numpy as np
import pandas as pd
import ranx
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import CosineRecommender
from ir_measures import AP, RR, P, R, Success, nDCG
from lightfm import LightFM
from scipy.linalg import lapack
from scipy.sparse.linalg import svds
from surprise import SVD, Dataset, Reader

from benchmarks.data import long_tailed, ratings_file
from benchmarks.harness import Contest
from recsys import Interactions, evaluate, leave_last_out, load_movielens
from recsys.bootstrap import bootstrap_means, interval
from recsys.metrics import ndcg_at_k, rmse
from recsys.models import BPR, EASE, WARP, BiasedMF, ImplicitALS, ItemKNN, PureSVD, UserKNN
from recsys.models.als import als_loss, extra_confidence
from recsys.retrieval import top_k

THREADS = 2
REG, ALPHA = 10.0, 1.0
SWEEPS = 15  # of the rival
RATING_SPLITS = 5
BPR_EPOCHS, BPR_RATE, BPR_REG = 10, 0.05, 0.01
WARP_EPOCHS = 10  # all else in WARP is each library's default


class Arena:
    """A log, its split, and the judges."""

    def __init__(self, data: Interactions):
        self.train, self.test = leave_last_out(data)
        self.train.fingerprint  # noqa: B018  computed once, here, not inside a timing
        self.history = self.train.matrix
        self.users = np.unique(self.test.user)
        self.relevant = self.test.matrix[self.users]

    def ndcg(self, model: Any) -> np.ndarray:
        """Held-out NDCG@10 by full ranking, one value a user, of either library's factors."""
        lists = [top_k(self._unseen_scores(model, part), 10)[0] for part in self._parts()]
        return ndcg_at_k(np.vstack(lists), self.relevant, 10)

    def factor_quality(self, model: Any) -> dict[str, float]:
        """Held-out NDCG@10, and the chance that the target is scored above a random item."""
        rng = np.random.default_rng(0)
        above = []
        for part in self._parts():
            scores = _scores(model, part)
            target = scores[np.arange(len(part)), self.test.matrix[part].indices]
            others = rng.integers(self.train.n_items, size=(len(part), 100))
            above.append((target[:, None] > np.take_along_axis(scores, others, axis=1)).mean())
        return {"ndcg@10": float(self.ndcg(model).mean()), "auc": float(np.mean(above))}

    def als_quality(self, model: Any) -> dict[str, float]:
        """The objective reached on the training log, and held-out NDCG@10."""
        extra = extra_confidence(self.history, ALPHA)
        loss = als_loss(*_factors(model), extra, REG, 0.0)
        return {"loss": loss, "ndcg@10": float(self.ndcg(model).mean())}

    def not_below(self, ours: Any, theirs: Any) -> bool:
        """Whether the paired 95 % interval of the difference in NDCG@10 reaches zero."""
        difference = self.ndcg(ours) - self.ndcg(theirs)
        return bool(interval(bootstrap_means(difference[:, None]))[1][0] >= 0)

    def _parts(self) -> list[np.ndarray]:
        return np.array_split(self.users, 16)

    def _unseen_scores(self, model: Any, users: np.ndarray) -> np.ndarray:
        scores = _scores(model, users)
        rows, columns = self.history[users].nonzero()
        scores[rows, columns] = -np.inf
        return scores


def _factors(model: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(model.user_factors), np.asarray(model.item_factors)


def _scores(model: Any, users: np.ndarray) -> np.ndarray:
    X, Y = _factors(model)
    biases = getattr(model, "item_biases", None)
    return X[users] @ Y.T + (0 if biases is None else biases)


def contests() -> dict[str, Callable[[Arena], Contest]]:
    """All of them by name, in the order of the table; each is set up only when it is run."""
    every: dict[str, Callable[[Arena], Contest]] = {}
    for factors in (32, 64, 128, 256):
        every[f"ALS to equal loss and NDCG, {factors}"] = partial(als, factors=factors)
    for factors in (32, 64, 128):
        every[f"BPR, {BPR_EPOCHS} epochs, {factors}"] = partial(bpr, factors=factors)
    for factors in (32, 64, 128):
        every[f"BPR to equal AUC and NDCG, {factors}"] = partial(bpr_to_quality, factors=factors)
    for factors in (32, 64):
        every[f"WARP, {WARP_EPOCHS} epochs, {factors}"] = partial(warp, factors=factors)
    every["ItemKNN, 50 neighbours"] = item_knn
    every["UserKNN, 50 neighbours"] = user_knn
    every["top 10, all users"] = best_ten
    every["EASE"] = ease
    for factors in (16, 64, 128):
        every[f"PureSVD, {factors}"] = partial(pure_svd, factors=factors)
    every["BiasedMF, rating RMSE"] = biased_mf
    every["ALS fold-in, 10,000 people"] = fold_in
    every["evaluate, 100,000 people"] = evaluation
    every["evaluate, 100,000 people, again"] = evaluation_by_ir_measures
    every["read and split a CSV of 25 M rows"] = read_and_split
    return every


def rival_als(arena: Arena, factors: int, run: int) -> Any:
    """implicit's matrix holds the whole confidence, 1 + alpha r."""
    confidence = arena.history.copy()
    confidence.data = 1 + ALPHA * confidence.data
    model = AlternatingLeastSquares(
        factors=factors, alpha=1.0, regularization=REG, iterations=SWEEPS,
        num_threads=THREADS, random_state=run, use_gpu=False,
    )  # fmt: skip
    model.fit(confidence, show_progress=False)
    return model


def our_als(arena: Arena, factors: int, run: int, sweeps: int) -> ImplicitALS:
    model = ImplicitALS(
        factors=factors, alpha=ALPHA, reg=REG, iterations=sweeps, cg_steps=1,
        rng=run, n_threads=THREADS,
    )  # fmt: skip
    return model.fit(arena.train, progress=False)


def als(arena: Arena, factors: int) -> Contest:
    """Until our training loss and held-out NDCG@10 are both those of the rival's 15 sweeps.

    The number of sweeps is found first, outside the timing, with the first run's rng.
    """
    theirs = rival_als(arena, factors, 0)
    loss = arena.als_quality(theirs)["loss"]
    for sweeps in range(3, SWEEPS + 1):
        ours = our_als(arena, factors, 0, sweeps)
        if arena.als_quality(ours)["loss"] <= loss and arena.not_below(ours, theirs):
            break
    return Contest(
        rival="implicit",
        ours=lambda run: our_als(arena, factors, run, sweeps),
        theirs=lambda run: rival_als(arena, factors, run),
        quality=arena.als_quality,
        target={32: 4, 64: 4, 128: 2.5, 256: 2}[factors],
        setting={"our_sweeps": sweeps, "their_sweeps": SWEEPS, "reg": REG, "alpha": ALPHA},
    )


def our_bpr(arena: Arena, factors: int, run: int, epochs: int) -> BPR:
    model = BPR(
        factors=factors, epochs=epochs, learning_rate=BPR_RATE, reg=BPR_REG,
        rng=run, n_threads=THREADS,
    )  # fmt: skip
    return model.fit(arena.train, progress=False)


def rival_bpr(arena: Arena, factors: int, run: int) -> Any:
    model = BayesianPersonalizedRanking(
        factors=factors, iterations=BPR_EPOCHS, learning_rate=BPR_RATE,
        regularization=BPR_REG, num_threads=THREADS, random_state=run, use_gpu=False,
    )  # fmt: skip
    model.fit(arena.history, show_progress=False)
    return model


def bpr(arena: Arena, factors: int, epochs: int = BPR_EPOCHS) -> Contest:
    """The same epochs, step size and penalty."""
    return Contest(
        rival="implicit",
        ours=lambda run: our_bpr(arena, factors, run, epochs),
        theirs=lambda run: rival_bpr(arena, factors, run),
        quality=arena.factor_quality,
        target=3,
        setting={"our_epochs": epochs, "their_epochs": BPR_EPOCHS, "learning_rate": BPR_RATE},
    )


def bpr_to_quality(arena: Arena, factors: int) -> Contest:
    """Until our AUC and NDCG@10 are both those of the rival's 10 epochs."""
    theirs = rival_bpr(arena, factors, 0)
    auc = arena.factor_quality(theirs)["auc"]
    for epochs in range(1, BPR_EPOCHS + 1):
        ours = our_bpr(arena, factors, 0, epochs)
        if arena.factor_quality(ours)["auc"] >= auc and arena.not_below(ours, theirs):
            break
    return bpr(arena, factors, epochs)


def warp(arena: Arena, factors: int) -> Contest:
    """The same epochs; both shorten their steps by AdaGrad, from 0.05."""
    pairs = arena.history.tocoo()

    def ours(run: int) -> Any:
        model = WARP(factors=factors, epochs=WARP_EPOCHS, rng=run, n_threads=THREADS)
        return model.fit(arena.train, progress=False)

    def theirs(run: int) -> Any:
        model = LightFM(no_components=factors, loss="warp", random_state=run)
        return model.fit(pairs, epochs=WARP_EPOCHS, num_threads=THREADS)

    def quality(model: Any) -> dict[str, float]:
        return arena.factor_quality(_plain_factors(model))

    setting = {"epochs": WARP_EPOCHS, "learning_rate": 0.05}
    return Contest("lightfm", ours, theirs, quality, 1.5, setting)


def _plain_factors(model: Any) -> Any:
    """LightFM's vectors under our names; its user biases change no order."""
    if not isinstance(model, LightFM):
        return model
    biases, item_factors = model.get_item_representations()
    _, user_factors = model.get_user_representations()
    return SimpleNamespace(user_factors=user_factors, item_factors=item_factors, item_biases=biases)


def item_knn(arena: Arena) -> Contest:
    """The top 50 neighbours of each item; quality is the sum of the similarities kept."""
    return neighbors(ItemKNN, arena, arena.history)


def user_knn(arena: Arena) -> Contest:
    """The same for each user; the rival takes the users for items."""
    return neighbors(UserKNN, arena, arena.history.T.tocsr())


def neighbors(kind: type, arena: Arena, matrix: Any) -> Contest:
    """`kind` beside the rival, which finds neighbours of the columns of `matrix`."""

    def theirs(run: int) -> Any:
        model = CosineRecommender(K=51, num_threads=THREADS)  # its 51 hold the column itself
        model.fit(matrix, show_progress=False)
        return model

    def ours(run: int) -> Any:
        return kind(n_neighbors=50, n_threads=THREADS).fit(arena.train, progress=False)

    def quality(model: Any) -> dict[str, float]:
        similarity = model.similarity.tocsr()
        similarity.setdiag(0)
        return {"similarity": float(similarity.sum(dtype=np.float64))}

    setting = {"n_neighbors": 50}
    return Contest("implicit", ours, theirs, quality, 1.5, setting)


def best_ten(arena: Arena) -> Contest:
    """Top 10 for every user by one and the same factors, seen items left out."""
    model = ImplicitALS(factors=64, alpha=ALPHA, reg=REG, n_threads=THREADS)
    model.fit(arena.train, progress=False)
    rival = AlternatingLeastSquares(factors=64, num_threads=THREADS, use_gpu=False)
    rival.user_factors, rival.item_factors = model.user_factors, model.item_factors
    rival._item_norms = None

    def ours(run: int) -> Any:
        return model.recommend(arena.users, 10)[0]

    def theirs(run: int) -> Any:
        return rival.recommend(arena.users, arena.history[arena.users], N=10)[0]

    def quality(lists: Any) -> dict[str, float]:
        return {"ndcg@10": float(ndcg_at_k(np.asarray(lists), arena.relevant, 10).mean())}

    return Contest("implicit", ours, theirs, quality, 2.5, {"factors": 64})


def ease(arena: Arena) -> Contest:
    """Beside the two LAPACK calls that any exact fit needs, on the finished matrix."""
    gram = (arena.history.T @ arena.history).toarray() + 200.0 * np.eye(arena.train.n_items)
    matrix = np.empty_like(gram, order="F")

    def prepare() -> None:
        matrix[:] = gram

    def ours(run: int) -> Any:
        return EASE(reg=200.0, n_threads=THREADS).fit(arena.train, progress=False)

    def theirs(run: int) -> Any:
        factor, _ = lapack.dpotrf(matrix, lower=1, overwrite_a=1, clean=0)
        return lapack.dpotri(factor, lower=1, overwrite_c=1)[0]

    def quality(product: Any) -> dict[str, float]:
        fitted = isinstance(product, EASE)
        weights = product.item_weights if fitted else -product / np.diag(product)
        return {"weight": float(np.abs(np.tril(weights, -1)).mean())}

    return Contest("LAPACK", ours, theirs, quality, 0.85, {"reg": 200.0}, prepare, THREADS)


def pure_svd(arena: Arena, factors: int) -> Contest:
    """Beside SciPy's svds (ARPACK) in double precision, as ours; quality: the spectrum's length."""
    matrix = arena.history.astype(np.float64)

    def ours(run: int) -> Any:
        return PureSVD(factors, rng=run, n_threads=THREADS).fit(arena.train, progress=False)

    def theirs(run: int) -> Any:
        left, sigma, right = svds(matrix, k=factors, random_state=run)
        return left * sigma, sigma, right.T

    def quality(product: Any) -> dict[str, float]:
        fitted = isinstance(product, PureSVD)
        sigma = product.singular_values if fitted else product[1]
        return {"spectrum": float(np.linalg.norm(sigma))}

    return Contest("svds", ours, theirs, quality, 1, {"factors": factors}, blas_threads=THREADS)


def biased_mf(arena: Arena) -> Contest:
    """The same factors, epochs, step size and penalty (the rival's defaults); one split a run."""
    data = load_movielens("latest-small")

    def split(run: int) -> tuple[Interactions, Interactions]:
        test = np.random.default_rng(run).random(len(data)) < 0.2
        return data.select(~test), data.select(test)

    trains = [split(run)[0] for run in range(RATING_SPLITS)]
    scale = Reader(rating_scale=(data.value.min(), data.value.max()))
    theirs_trains = []
    for train in trains:
        train.fingerprint, train.matrix  # noqa: B018
        frame = pd.DataFrame({"u": train.user, "i": train.item, "r": train.value})
        theirs_trains.append(Dataset.load_from_df(frame, scale).build_full_trainset())

    def ours(run: int) -> Any:
        model = BiasedMF(100, 0.005, 0.02, 20, rng=run, n_threads=THREADS)
        return run, model.fit(trains[run % RATING_SPLITS], progress=False)

    def theirs(run: int) -> Any:
        return run, SVD(random_state=run).fit(theirs_trains[run % RATING_SPLITS])

    def quality(product: Any) -> dict[str, float]:
        run, model = product
        test = split(run % RATING_SPLITS)[1]
        if isinstance(model, BiasedMF):
            return {"rmse": rmse(model.predict(test.user, test.item), test.value)}
        pairs = zip(test.user.tolist(), test.item.tolist(), strict=True)
        return {"rmse": rmse([model.predict(u, i).est for u, i in pairs], test.value)}

    setting = {"factors": 100, "epochs": 20, "ratings": repr(data)}
    return Contest("surprise", ours, theirs, quality, 5, setting)


def fold_in(arena: Arena) -> Contest:
    """Vectors of 10,000 people the model never saw, for 64 item factors."""
    model = our_als(arena, 64, 0, 8)
    rng = np.random.default_rng(0)
    histories = arena.history[rng.choice(arena.users, 10_000)]
    extra = extra_confidence(histories, ALPHA)
    rival = AlternatingLeastSquares(
        factors=64, alpha=1.0, regularization=REG, num_threads=THREADS, use_gpu=False
    )
    rival.user_factors, rival.item_factors = model.user_factors, model.item_factors
    confidence = histories.copy()
    confidence.data = 1 + ALPHA * confidence.data
    people = np.arange(10_000)

    def ours(run: int) -> Any:
        return model.fold_in(histories).user_factors

    def theirs(run: int) -> Any:
        return rival.recalculate_user(people, confidence)

    def quality(vectors: Any) -> dict[str, float]:
        return {"loss": als_loss(np.asarray(vectors), model.item_factors, extra, REG, 0.0)}

    return Contest("implicit", ours, theirs, quality, 1.5, {"factors": 64})


@cache
def judged() -> tuple[ImplicitALS, Interactions, Interactions]:
    """A fitted model of 100,000 people, and its split."""
    train, test = leave_last_out(long_tailed(100_000, 5_000, 2_000_000))
    train.fingerprint  # noqa: B018
    model = ImplicitALS(factors=32, iterations=2, cg_steps=1).fit(train, progress=False)
    return model, train, test


def our_evaluation(run: int) -> Any:
    return evaluate(*judged(), 10)


def lists_and_truth(columns: tuple[str, str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both judges read tables of text ids: who, what, and the score or the relevance."""
    model, _, test = judged()
    users = np.unique(test.user)
    lists, scores = model.recommend(users, 10)
    found = [np.repeat(users, 10).astype(str), lists.ravel().astype(str), scores.ravel()]
    truth = [test.user.astype(str), test.item.astype(str), np.ones(len(test), int)]
    who, what, score = columns
    recommended = pd.DataFrame({who: found[0], what: found[1], score: found[2].astype(float)})
    return recommended, pd.DataFrame(dict(zip(columns, truth)))


def evaluation(arena: Arena) -> Contest:
    """From a fitted model to all ranking metrics of 100,000 people; ours adds the others."""
    judged()
    names = ["recall@10", "precision@10", "hit_rate@10", "ndcg@10", "map@10", "mrr@10"]

    def theirs(run: int) -> Any:
        recommended, truth = lists_and_truth(("q_id", "doc_id", "score"))
        return ranx.evaluate(ranx.Qrels.from_df(truth), ranx.Run.from_df(recommended), names)

    def quality(found: Any) -> dict[str, float]:
        return {name: float(found[name]) for name in ("recall@10", "ndcg@10", "mrr@10")}

    return Contest("ranx", our_evaluation, theirs, quality, 5)


def evaluation_by_ir_measures(arena: Arena) -> Contest:
    """The same, beside ir-measures."""
    judged()
    names = {"recall@10": R @ 10, "ndcg@10": nDCG @ 10, "mrr@10": RR @ 10}
    measures = [*names.values(), P @ 10, Success @ 10, AP @ 10]

    def theirs(run: int) -> Any:
        recommended, truth = lists_and_truth(("query_id", "doc_id", "score"))
        truth = truth.rename(columns={"score": "relevance"})
        found = ir_measures.calc_aggregate(measures, truth, recommended)
        return {name: found[measure] for name, measure in names.items()}

    def quality(found: Any) -> dict[str, float]:
        return {name: float(found[name]) for name in names}

    return Contest("ir-measures", our_evaluation, theirs, quality, 5)


def read_and_split(arena: Arena) -> Contest:
    """A file of MovieLens-25M's size and columns, from disk to train and test."""
    path = ratings_file()

    def ours(run: int) -> Any:
        log = Interactions.from_csv(path, "userId", "movieId", "timestamp", "rating")
        return leave_last_out(log)

    def theirs(run: int) -> Any:
        """The quickest way that pandas knows: no sorting, one row an id kept by its position."""
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

    return Contest("pandas", ours, theirs, quality, 3)
