r"""Blending: a weighted sum of several models' scores, with weights learned on validation data.

The scores of two models have no common scale, so each user's are normalised first, to
:math:`z_{mui}` for model m. Linear stacking (Wolpert 1992; Breiman 1996) sums them with weights,
and *feature-weighted* linear stacking (Sill, Takacs, Mackey and Lin 2009) lets the weights depend
on features :math:`g_f` of the user, here on the length of the history:

.. math:: \hat r_{ui} = \sum_m w_m(u) \, z_{mui}, \qquad w_m(u) = \sum_f V_{mf} \, g_f(u)

Sill and colleagues fit ratings by least squares. A list is an order, so V maximises the likelihood
of each user's held-out items :math:`H_u` among candidates :math:`C_u`, all of them or a sample:

.. math:: \sum_u \frac{1}{|H_u|} \sum_{i \in H_u}
          \ln \frac{\exp \hat r_{ui}}{\sum_{j \in C_u} \exp \hat r_{uj}}
          - \frac{\lambda}{2} \|V\|^2

with no weight below 0 (Breiman's advice, or a new user might get the least popular items). It is
concave, so one maximum is as high as any other. The models that supply :math:`z` must not have seen
:math:`H_u`: a model that remembers its training data looks better there than it is. So `fit` holds
out the last part of each history, fits copies on the rest, learns V, and fits the models again on
all. Left out: weights that depend on the item, and a tree ensemble in place of the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import minimize

from recsys import validation
from recsys.interactions import Interactions, check_log
from recsys.models.base import Recommender
from recsys.models.ensemble import Ensemble
from recsys.split import last_fraction
from recsys.threads import on_snapshot

NORMS = ("standard", "rank")
N_USERS, N_NEGATIVES = 2000, 1000  # of validation; a larger number is sampled
USERS_AT_ONCE = 64  # whose scores are in memory


@dataclass(eq=False, init=False)
class Blend(Ensemble):
    """A weighted sum of the models' normalised scores.

    An item that a model cannot score counts as its lowest; one that no model of a weight above 0
    can score stays without a score, for a `Fallback` to fill.

    Parameters
    ----------
    *models : two or more recommenders, as in Blend(ItemKNN(), Popularity())
        Fitted together, on copies; those given stay as they are.
    normalize : {"standard", "rank"}
        See `normalized`.
    by_history : bool
        Whether the weights depend on the length of the history.
    fraction : float above 0, at most 0.5
        The last part of each history, on which the weights are learned.
    reg : float
    rng : int or numpy.random.Generator
        Draws users and candidates where there are many.

    Attributes after `fit`
    ----------------------
    weights : array (n_models, 1) float64, or (n_models, 2) with `by_history`
        V: of all users; or of those with the shortest and with the longest history.
    lengths : array (2,) float64
        The shortest and the longest history in the fit of V, on which others are clipped.
    fitted_models : list of recommenders
        On all of train.
    """

    learned: ClassVar[tuple[str, ...]] = ("weights", "lengths")

    normalize: str = "standard"
    by_history: bool = False
    fraction: float = 0.2
    reg: float = 1.0
    rng: int | np.random.Generator = 0

    def __init__(
        self,
        *models: Recommender,
        normalize: str = "standard",
        by_history: bool = False,
        fraction: float = 0.2,
        reg: float = 1.0,
        rng: int | np.random.Generator = 0,
    ):
        super().__init__(*models)
        self.normalize, self.by_history, self.fraction = normalize, by_history, fraction
        self.reg, self.rng = reg, rng
        self._check_parameters()

    def _check_parameters(self) -> None:
        super()._check_parameters()
        validation.one_of("normalize", self.normalize, NORMS)
        validation.true_or_false("by_history", self.by_history)
        validation.real_number("fraction", self.fraction, high=0.5, open_low=True)

    def _fit(self, train: Interactions, progress: bool) -> None:
        early, held_out = last_fraction(train, self.fraction)
        models = self.fit_models(early, progress)
        options = self.normalize, self.by_history, self.reg, self.rng
        self.weights, self.lengths = blend_weights(models, held_out, *options)
        self.fitted_models = self.fit_models(train, progress)

    def _scores(self, users: np.ndarray) -> np.ndarray:
        seen = self.history[users].toarray() > 0
        scores, rated = np.zeros(seen.shape), np.zeros(seen.shape, bool)
        for model, weight in zip(self.fitted_models, self._weights_of(users).T):
            own = model.score(users)
            rated |= (own > -np.inf) & (weight[:, None] > 0)
            scores += weight[:, None] * normalized(own, self.normalize, seen)
        return np.where(rated, scores, -np.inf)

    @on_snapshot
    def user_weights(self, users: Sequence[int]) -> np.ndarray:
        """The weight of each model for each user: (n, n_models) float64."""
        return self._weights_of(self._check_users(users))

    def _weights_of(self, users: np.ndarray) -> np.ndarray:
        length = np.diff(self.history.indptr)[users]
        return length_features(length, self.lengths, self.by_history) @ self.weights.T


def normalized(scores: Any, normalize: str = "standard", seen: Any = None) -> np.ndarray:
    """Each row's scores on a scale that the scores of other models share: (n, n_items) float64.

    "standard" subtracts the row's mean and divides by its standard deviation. "rank" gives
    -ln(rank), ties to the lower id; the exponential of w times that is Zipf's law, rank to the
    power -w. Both look at the items that are not `seen` (n, n_items) and have a score; the seen
    are put on the same scale.

    An item without a score, -inf, gets the lowest value of its row, and a row without any score
    only zeros.

    >>> normalized([[3.0, 1.0, 2.0, -np.inf]]).round(2)
    array([[ 1.22, -1.22,  0.  , -1.22]])
    >>> normalized([[3.0, 1.0, 2.0, -np.inf]], "rank").round(2)
    array([[ 0.  , -1.1 , -0.69, -1.1 ]])
    """
    validation.one_of("normalize", normalize, NORMS)
    scores = np.asarray(validation.matrix("scores", scores), np.float64)
    rated = scores > -np.inf
    counted = rated if seen is None else rated & ~np.asarray(seen, bool)
    values = _standard(scores, counted) if normalize == "standard" else _by_rank(scores, counted)
    lowest = values.min(axis=1, where=rated, initial=np.inf, keepdims=True)
    return np.where(rated, values, np.where(np.isinf(lowest), 0.0, lowest))


def _standard(scores: np.ndarray, counted: np.ndarray) -> np.ndarray:
    n = np.maximum(counted.sum(axis=1, keepdims=True), 1)
    mean = scores.sum(axis=1, where=counted, keepdims=True) / n
    centred = np.where(scores > -np.inf, scores - mean, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=1, where=counted, keepdims=True) / n)
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-12)


def _by_rank(scores: np.ndarray, counted: np.ndarray) -> np.ndarray:
    order = np.argsort(-scores, axis=1, kind="stable")
    ahead = np.take_along_axis(counted, order, axis=1)
    rank = np.cumsum(ahead, axis=1) + ~ahead  # among the counted, from 1
    values = np.empty(scores.shape)
    np.put_along_axis(values, order, np.log(1 / rank), axis=1)
    return values


def length_features(length: np.ndarray, ends: np.ndarray, by_history: bool) -> np.ndarray:
    """g(u): a column of ones; or (1 - t, t), with t from 0 to 1 between the `ends`, in logarithms.

    >>> length_features(np.array([0, 1, 7, 90]), np.array([1, 31]), by_history=True)
    array([[1. , 0. ],
           [1. , 0. ],
           [0.5, 0.5],
           [0. , 1. ]])
    """
    if not by_history:
        return np.ones((len(length), 1))
    low, high = np.log2(1 + ends)
    t = (np.log2(1 + np.clip(length, *ends)) - low) / max(high - low, 1e-12)
    return np.column_stack([1 - t, t])


def blend_weights(
    models: Sequence[Recommender],
    held_out: Interactions,
    normalize: str = "standard",
    by_history: bool = False,
    reg: float = 1.0,
    rng: int | np.random.Generator = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """The weights V, and the shortest and longest history that they were learned on.

    Parameters
    ----------
    models : fitted recommenders
        On a log without the rows of `held_out`, or the weights favour what overfits.
    held_out : Interactions
        What those models should have recommended.

    Returns
    -------
    weights : array (n_models, 1 or 2) float64
    lengths : array (2,) float64
    """
    check_log("held_out", held_out)
    reg, rng = validation.real_number("reg", reg), validation.random_generator(rng)
    users = np.unique(held_out.user)
    if not len(users):
        raise ValueError("held_out must hold at least one interaction, got none")
    if len(users) > N_USERS:
        users = np.sort(rng.choice(users, N_USERS, replace=False))
    Z, target = _candidates(models, users, held_out, normalize, rng)
    length = np.diff(models[0].history.indptr)[users]
    lengths = np.array([length.min(), length.max()], np.float64)
    return maximise(Z, target, length_features(length, lengths, by_history), reg), lengths


def _candidates(
    models: Sequence[Recommender],
    users: np.ndarray,
    held_out: Interactions,
    normalize: str,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Z (n, c, n_models) of each user's candidates; 1 / |H_u| where held out (n, c), else 0.

    Candidates are the held-out items and items outside the history; -1 pads the target.
    """
    relevant, history = held_out.matrix[users], models[0].history[users]
    longest = np.diff(relevant.indptr).max()
    size = min(N_NEGATIVES, held_out.n_items) + longest
    Z = np.zeros((len(users), size, len(models)))
    target = np.full((len(users), size), -1.0)
    for start in range(0, len(users), USERS_AT_ONCE):
        rows = slice(start, start + USERS_AT_ONCE)
        seen = history[rows].toarray() > 0
        scores = [normalized(model.score(users[rows]), normalize, seen) for model in models]
        for row, z in enumerate(np.stack(scores, axis=2), start):  # (n_items, n_models) each
            hits = relevant[row].indices
            others = np.setdiff1d(np.flatnonzero(~seen[row - start]), hits, assume_unique=True)
            if len(others) > N_NEGATIVES:
                others = np.sort(rng.choice(others, N_NEGATIVES, replace=False))
            n = len(hits) + len(others)
            Z[row, :n] = z[np.concatenate([hits, others])]
            target[row, :n], target[row, : len(hits)] = 0, 1 / len(hits)
    return Z, target


def maximise(Z: np.ndarray, target: np.ndarray, g: np.ndarray, reg: float) -> np.ndarray:
    """The V (n_models, n_features), not below 0, of the largest likelihood, see the module.

    Parameters
    ----------
    Z : array (n, c, n_models)
        Normalised scores of each user's candidates.
    target : array (n, c)
        1 / |H_u| where a candidate was held out, 0 where not, -1 where there is none.
    g : array (n, n_features)
        Features of the users.
    reg : float
    """
    shape = Z.shape[2], g.shape[1]
    padding, hit = target < 0, np.maximum(target, 0)

    def loss(V: np.ndarray) -> tuple[float, np.ndarray]:
        w = np.einsum("nf,mf->nm", g, V.reshape(shape))
        r = np.where(padding, -1e30, np.einsum("ncm,nm->nc", Z, w))
        r -= r.max(axis=1, keepdims=True)
        r -= np.log(np.exp(r).sum(axis=1, keepdims=True))  # ln of the probability
        slope = np.einsum("nm,nf->mf", np.einsum("nc,ncm->nm", np.exp(r) - hit, Z), g).ravel()
        return reg / 2 * V @ V - (hit * r).sum(), slope + reg * V

    start = np.zeros(shape).ravel()
    bounds = [(0.0, None)] * len(start)
    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x.reshape(shape)
