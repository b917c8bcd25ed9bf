r"""Off-policy evaluation: the value of a policy, estimated from the log of another one.

The log has n rows: a context :math:`x_t`, an action :math:`a_t` drawn with probability
:math:`\mu(a_t \mid x_t)` (the propensity), and its reward :math:`r_t`. The value of a policy
:math:`\pi` is its expected reward. With :math:`w_t = \pi(a_t \mid x_t) / \mu(a_t \mid x_t)` and a
model :math:`\hat r(x, a)` of the reward, the estimators are

.. math:: \hat V_{IPS} = \frac{1}{n} \sum_t w_t r_t \qquad
          \hat V_{SNIPS} = \frac{\sum_t w_t r_t}{\sum_t w_t} \qquad
          \hat V_{DM} = \frac{1}{n} \sum_t \sum_a \pi(a \mid x_t) \, \hat r(x_t, a)

.. math:: \hat V_{DR} = \hat V_{DM} + \frac{1}{n} \sum_t w_t (r_t - \hat r(x_t, a_t))

IPS (Horvitz and Thompson 1952) is unbiased if the propensities are right and the log has support:
:math:`\mu > 0` wherever :math:`\pi > 0`. SNIPS (Swaminathan and Joachims 2015) has a small bias
and often a smaller variance. DM is as wrong as its model. DR (Dudik et al. 2011) is unbiased if
the propensities or the model are right, the model being fitted on other rows.

IPS, DM and DR are means of n terms, and their intervals are normal, from the sample variance of
the terms (ddof 1). SNIPS is a ratio of means, and its interval is that of the delta method. Such
intervals are approximate, and need a large `effective_sample_size`. Rows must be independent; those
of a log whose own policy learned meanwhile are not. Left out: clipped weights, and slates.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from scipy import sparse

from recsys import validation

TOLERANCE = 1e-6  # within which probabilities must sum to 1


@dataclass(frozen=True)
class Estimate:
    """An estimated value of a policy, its standard error and the ends of its interval.

    Attributes
    ----------
    value, standard_error, low, high : float
        In the unit of the rewards. All but `value` are nan where the terms do not vary, as in a
        log without any reward: then the log does not tell how wrong the value may be.
    """

    value: float
    standard_error: float
    low: float
    high: float


def ips(policy: Any, action: Any, propensity: Any, reward: Any, level: float = 0.95) -> Estimate:
    """Inverse propensity score estimate of a policy's value (Horvitz and Thompson 1952).

    Parameters
    ----------
    policy : array (n, n_actions) of float
        Probability of each action under the policy to evaluate; each row sums to 1.
    action : array (n,) of int
        The logged actions.
    propensity : array (n,) or (n, n_actions) of float
        Probability with which the logged action was drawn, above 0 and at most 1; or those of all
        actions, by which the support is checked row by row.
    reward : array (n,) of float
    level : float
        Of the confidence interval.

    Returns
    -------
    Estimate
        The interval is normal, from the sample variance of the n terms (ddof 1).

    Raises
    ------
    ValueError
        If the log has fewer than two rows or no support for the policy, or an argument is not as
        above. See `importance_weights`.

    Examples
    --------
    A log of two actions drawn with probability 1/2 each, and a policy that always takes action 1.
    The weights are 0, 2, 0, 2, the terms 0, 2, 0, 0:

    >>> policy = [[0, 1], [0, 1], [0, 1], [0, 1]]
    >>> found = ips(policy, action=[0, 1, 0, 1], propensity=[0.5] * 4, reward=[1, 1, 0, 0])
    >>> found.value, found.standard_error
    (0.5, 0.5)
    """
    weights = importance_weights(policy, action, propensity)
    reward = _rewards(reward, len(weights))
    return _mean(weights * reward, level)


def snips(
    policy: Any,
    action: Any,
    propensity: Any,
    reward: Any,
    level: float = 0.95,
) -> Estimate:
    r"""Self-normalised IPS estimate of a value (Swaminathan and Joachims 2015).

    Parameters and errors are those of `ips`; also a ValueError if all weights are 0.
    The interval is that of the delta method for a ratio of means, with ddof 1, from the
    variance :math:`\frac{n}{n - 1} \sum_t w_t^2 (r_t - \hat V)^2 / (\sum_t w_t)^2`.

    Examples
    --------
    The weights are 0, 2, 0, 2 and the rewards of the two rows that count are 1 and 0,
    so that the variance is 4/3 (4/4 + 4/4) / 16 = 1/6:

    >>> policy = [[0, 1], [0, 1], [0, 1], [0, 1]]
    >>> log = {"action": [0, 1, 0, 1], "propensity": [0.5] * 4, "reward": [1, 1, 0, 0]}
    >>> found = snips(policy, **log)
    >>> found.value, round(found.standard_error, 4)
    (0.5, 0.4082)
    """
    weights = importance_weights(policy, action, propensity)
    reward = _rewards(reward, len(weights))
    if not weights.any():
        wrong = "policy must give some logged action a probability above 0"
        raise ValueError(f"{wrong}, got only 0")
    value = np.sum(weights * reward) / np.sum(weights)
    terms = weights * (reward - value) / np.mean(weights)  # their mean is 0
    return _around(value, terms, level)


def direct_method(policy: Any, predicted: Any, level: float = 0.95) -> Estimate:
    """Mean of the predicted rewards of a policy's actions: no weights, no correction.

    Parameters
    ----------
    policy : array (n, n_actions) of float
        Probability of each action under the policy to evaluate; each row sums to 1.
    predicted : array (n, n_actions) of float
        Predicted reward of each action in each context, by a model fitted on other rows.
    level : float
        Of the confidence interval.

    Returns
    -------
    Estimate
        The interval is normal, from the sample variance over the contexts (ddof 1). It knows
        neither that the model is wrong nor that it was estimated: it covers the value at the
        stated level only if the predictions are the true expected rewards.

    Raises
    ------
    ValueError
        For fewer than two rows, or an argument that is not as above.

    Examples
    --------
    The terms are 0.2 and (0.2 + 0.6) / 2 = 0.4:

    >>> found = direct_method([[1, 0], [0.5, 0.5]], predicted=[[0.2, 0.6], [0.2, 0.6]])
    >>> round(found.value, 4), round(found.standard_error, 4)
    (0.3, 0.1)
    """
    policy = _probabilities("policy", policy)
    return _mean(np.sum(policy * _predictions(predicted, policy.shape), axis=1), level)


def doubly_robust(
    policy: Any, action: Any, propensity: Any, reward: Any, predicted: Any, level: float = 0.95
) -> Estimate:
    """Direct method, corrected by the weighted errors of its model (Dudik et al. 2011).

    Parameters and errors are those of `ips` and of `direct_method`. The interval is normal, from
    the sample variance of the n terms (ddof 1). It holds if `predicted` comes from a model fitted
    on other rows; unlike that of the direct method it needs no right model.

    Examples
    --------
    The model predicts 0.5 for each action; the errors of the two rows with weight 2 are 0.5 and
    -0.5, so that the terms are 0.5, 1.5, 0.5 and -0.5:

    >>> policy = [[0, 1], [0, 1], [0, 1], [0, 1]]
    >>> log = {"action": [0, 1, 0, 1], "propensity": [0.5] * 4, "reward": [1, 1, 0, 0]}
    >>> doubly_robust(policy, **log, predicted=[[0.5, 0.5]] * 4).value
    0.5
    """
    weights = importance_weights(policy, action, propensity)
    reward = _rewards(reward, len(weights))
    policy = _probabilities("policy", policy)
    predicted = _predictions(predicted, policy.shape)
    logged = validation.ids("action", action, policy.shape[1])
    error = reward - predicted[np.arange(len(weights)), logged]
    return _mean(np.sum(policy * predicted, axis=1) + weights * error, level)


def importance_weights(policy: Any, action: Any, propensity: Any) -> np.ndarray:
    """How much likelier each logged action is under a policy than it was in the log: (n,) float64.

    Parameters are those of `ips`. Their mean is close to 1 if the propensities are right.

    Raises
    ------
    ValueError
        For an empty log, arguments of different lengths, probabilities outside 0 to 1, rows that
        do not sum to 1, and logged propensities of 0. Also where there is no support: an action
        that the policy takes, and that the log could not take in that context (propensities of all
        actions) or never took at all (propensities of the logged actions only; then support in
        each context cannot be checked).

    >>> importance_weights([[0.2, 0.8], [0.5, 0.5]], action=[1, 0], propensity=[0.4, 0.25])
    array([2., 2.])
    """
    policy = _probabilities("policy", policy)
    n, n_actions = policy.shape
    action = validation.ids("action", action, n_actions)
    if len(action) != n:
        raise ValueError(f"action must have one entry per row of policy, {n}, got {len(action)}")
    if np.ndim(validation.as_array("propensity", propensity)) == 2:
        table = _probabilities("propensity", propensity)
        if table.shape != policy.shape:
            raise ValueError(f"propensity must be of shape {policy.shape}, got {table.shape}")
        _check_support(policy, table)
        propensity = table[np.arange(n), action]
    else:
        _check_all_logged(policy, action)
    propensity = validation.finite("propensity", propensity, n, np.float64)
    wrong = (propensity <= 0) | (propensity > 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"propensity must be above 0 and at most 1, got {propensity[row]} in row {row}"
        )
    return policy[np.arange(n), action] / propensity


def effective_sample_size(weights: Any) -> float:
    r"""Number of equally weighted rows with the same variance of a mean (Kish 1965).

    .. math:: n_{eff} = \frac{(\sum_t w_t)^2}{\sum_t w_t^2}

    Parameters
    ----------
    weights : array (n,) of float
        From `importance_weights`; at least 0, and not all 0.

    Returns
    -------
    float
        From 1 (one row decides) to n (all weights are equal).

    Raises
    ------
    ValueError
        If weights are negative, nan or infinite, or none is above 0.

    >>> effective_sample_size([1, 1, 1, 1]), effective_sample_size([0, 2, 0, 2])
    (4.0, 2.0)
    """
    weights = validation.amounts("weights", weights)
    if weights.ndim != 1 or not weights.any():
        raise ValueError(
            f"weights must be one-dimensional and not all 0, got shape {weights.shape}"
            f" with a sum of {weights.sum()}"
        )
    weights = weights / weights.max()  # squares that are too small or too large for a float
    return float(weights.sum() ** 2 / np.sum(weights**2))


def _mean(terms: np.ndarray, level: float) -> Estimate:
    """The mean of the terms and its normal interval."""
    return _around(np.mean(terms), terms, level)


def _around(value: float, terms: np.ndarray, level: float) -> Estimate:
    """A value whose error is that of the mean of the terms."""
    level = validation.real_number("level", level, high=1.0, open_low=True)
    if level == 1.0:
        raise ValueError("level must be below 1, got 1.0")
    if len(terms) < 2:
        raise ValueError(f"policy must have two or more rows, got {len(terms)}")
    error = np.std(terms, ddof=1) / np.sqrt(len(terms))
    if error <= 1e-12 * (abs(value) + np.max(np.abs(terms))):  # equal but for rounding
        error = np.nan
    half = NormalDist().inv_cdf((1 + level) / 2) * error
    return Estimate(float(value), float(error), float(value - half), float(value + half))


def _probabilities(name: str, values: Any) -> np.ndarray:
    """`values` as float64 (n, n_actions), n > 0, of rows that sum to 1."""
    table = _dense(name, values)
    if table.size == 0:
        raise ValueError(f"{name} must have at least one row and action, got shape {table.shape}")
    wrong = ~((table >= 0) & (table <= 1))  # also: nan
    if wrong.any():
        row = int(np.argmax(wrong.any(axis=1)))
        raise ValueError(f"{name} must be between 0 and 1, got {table[wrong][0]} in row {row}")
    sums = table.sum(axis=1)
    row = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[row] - 1) > TOLERANCE:
        raise ValueError(f"{name} must have rows that sum to 1, got {sums[row]} in row {row}")
    return table


def _dense(name: str, values: Any) -> np.ndarray:
    table = validation.matrix(name, values)
    return (table.toarray() if sparse.issparse(table) else table).astype(np.float64)


def _rewards(reward: Any, n: int) -> np.ndarray:
    return validation.finite("reward", reward, n, np.float64)


def _predictions(predicted: Any, shape: tuple[int, ...]) -> np.ndarray:
    table = validation.all_finite("predicted", _dense("predicted", predicted))
    if table.shape != shape:
        raise ValueError(f"predicted must be of the shape of policy, {shape}, got {table.shape}")
    return table


def _check_support(policy: np.ndarray, table: np.ndarray) -> None:
    """Each action that the policy takes in a row could be taken there by the log."""
    rows, actions = np.nonzero((policy > 0) & (table == 0))
    if len(rows):
        raise ValueError(
            "propensity must be above 0 wherever policy is (no support), "
            f"got 0 for action {actions[0]} in row {rows[0]}"
        )


def _check_all_logged(policy: np.ndarray, action: np.ndarray) -> None:
    """Each action that the policy takes is in the log."""
    taken = policy.max(axis=0) > 0
    taken[action] = False
    if taken.any():
        raise ValueError(
            "policy must take logged actions only (no support), "
            f"got a probability above 0 for action {np.argmax(taken)}, which the log never took"
        )
