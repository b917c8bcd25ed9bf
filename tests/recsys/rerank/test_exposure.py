"""Exposure: cases by hand, and the compiled loop against the formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.rerank import exposure, position_weights, provider_exposure, share_exposure

SECOND = 1 / np.log2(3)  # weight of rank 2; that of rank 3 is 1 / log2(4) = 1/2


def share_reference(candidates, relevance, provider, k, trade_off, target=None, received=None):
    """The rule of the module in NumPy: all fractions computed again for each position."""
    n_providers = max(provider) + 1
    target = np.ones(n_providers) if target is None else np.asarray(target, float)
    got = np.zeros(n_providers) if received is None else np.array(received, float)
    lists = []
    for items, scores in zip(candidates, relevance):
        left = [(item, score) for item, score in zip(items, scores) if item >= 0]
        listed = []
        for rank in range(1, min(k, len(items)) + 1):
            if not left:
                listed.append(-1)
                continue
            fraction = got / got.sum() if got.any() else np.zeros(n_providers)
            gap = target / target.sum() - fraction
            values = [trade_off * s + (1 - trade_off) * gap[provider[i]] for i, s in left]
            best = min(range(len(left)), key=lambda c: (-values[c], left[c][0]))
            item, _ = left.pop(best)
            listed.append(item)
            got[provider[item]] += 1 / np.log2(rank + 1)
        lists.append(listed)
    return np.array(lists)


def test_position_weights_are_those_of_the_discounted_gain():
    np.testing.assert_allclose(position_weights(3), [1, SECOND, 0.5])
    with pytest.raises(ValueError, match="k must be at least 1"):
        position_weights(0)


def test_exposure_by_hand():
    """Padding keeps its rank: an item after a gap is as far down as it is shown."""
    lists = np.array([[2, 0, 1], [2, -1, 0], [-1, -1, -1]])
    np.testing.assert_allclose(exposure(lists, 4), [SECOND + 0.5, 0.5, 2, 0])
    total = 3 + SECOND
    expected = [(SECOND + 1) / total, 0, 2 / total]
    np.testing.assert_allclose(provider_exposure(lists, [0, 0, 2, 2]), expected)


def test_no_lists_give_no_exposure():
    assert exposure(np.empty((0, 3)), 2).tolist() == [0, 0]
    assert exposure(np.empty((2, 0)), 2).tolist() == [0, 0]
    assert provider_exposure([[-1, -1]], [0, 1]).tolist() == [0, 0]


def test_sharing_by_hand():
    """Two providers; target 1/2 each. After the first list, item 0, provider 0 has all: the gaps
    are -.5 and .5. Then item 2 is worth .8 * .5 + .2 * .5 = .5 and item 0 .8 - .1 = .7.
    """
    candidates, provider = np.tile([0, 1, 2], (3, 1)), [0, 0, 1]
    relevance = np.tile([1.0, 0.9, 0.5], (3, 1))
    arguments = candidates, relevance, provider
    assert share_exposure(*arguments, 1, 0.8).ravel().tolist() == [0, 0, 0]
    # half and half: item 2 is worth .25 + .25 = .5, item 0 .5 - .25 = .25; then both have half
    assert share_exposure(*arguments, 1, 0.5).ravel().tolist() == [0, 2, 0]
    # two positions: 0, then 2 at once (.25 + .25 against .45 - .25)
    assert share_exposure(*arguments, 2, 0.5)[0].tolist() == [0, 2]
    # provider 0 had so much before that provider 1 comes first, until it has caught up
    assert share_exposure(*arguments, 1, 0.0, received=[2, 0]).ravel().tolist() == [2, 2, 0]
    # a target of .2 and .8: gaps .2, .8; then .2, -.2; then -.3, .3
    assert share_exposure(*arguments, 1, 0.0, target=[1, 4]).ravel().tolist() == [2, 0, 2]


def test_relevance_only_keeps_the_order():
    rng = np.random.default_rng(0)
    candidates = np.array([rng.permutation(20)[:8] for _ in range(30)])
    relevance = np.sort(rng.random((30, 8)))[:, ::-1]
    found = share_exposure(candidates, relevance, np.arange(20) % 3, 5, 1.0)
    np.testing.assert_array_equal(found, candidates[:, :5])


@given(st.integers(0, 10), st.integers(1, 9), st.integers(0, 300), st.booleans())
def test_sharing_equals_the_formula(tenths, k, seed, more):
    rng = np.random.default_rng(seed)
    provider = np.append(rng.integers(4, size=14), 3)
    candidates = np.array([rng.permutation(15)[:6] for _ in range(12)])
    candidates[rng.random((12, 6)) < 0.2] = -1
    relevance = rng.integers(0, 4, (12, 6)) / 4  # ties occur
    given_ = {"target": rng.random(4) + 0.01, "received": rng.random(4)} if more else {}
    found = share_exposure(candidates, relevance, provider, k, tenths / 10, **given_)
    expected = share_reference(candidates, relevance, provider, k, tenths / 10, **given_)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.int32


def test_many_lists_come_close_to_the_target():
    """Provider 2's items score lowest by far; exposure only gives each its target all the same."""
    rng = np.random.default_rng(1)
    provider = np.arange(12) % 3
    candidates = np.tile(np.arange(12), (400, 1))
    relevance = rng.random((400, 12)) + np.where(provider == 2, 0.0, 2.0)
    unfair = provider_exposure(share_exposure(candidates, relevance, provider, 4, 1.0), provider)
    assert unfair[2] == 0
    for target in ([1, 1, 1], [0.6, 0.3, 0.1]):
        lists = share_exposure(candidates, relevance, provider, 4, 0.0, target)
        wanted = np.array(target) / np.sum(target)
        np.testing.assert_allclose(provider_exposure(lists, provider), wanted, atol=0.002)


def test_arguments_are_not_changed():
    candidates, relevance, received = np.array([[0, 1]]), np.ones((1, 2)), np.array([1.0, 0])
    share_exposure(candidates, relevance, [0, 1], 2, 0.5, received=received)
    assert candidates.tolist() == [[0, 1]] and received.tolist() == [1, 0]


def test_padding_and_empty_lists():
    lists = share_exposure([[-1, 3], [-1, -1]], [[-np.inf, 0.5]] * 2, [0, 0, 0, 1], 5, 0.5)
    assert lists.tolist() == [[3, -1], [-1, -1]]
    assert share_exposure(np.empty((0, 3)), np.empty((0, 3)), [0], 5, 0.5).shape == (0, 3)


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"candidates": [[0, 4]]}, "candidates must hold ids from 0 to 2"),
        ({"candidates": [[1, 1]]}, "candidates must hold no item twice, got one in row 0"),
        ({"candidates": [[0, 0]]}, "candidates must hold no item twice, got one in row 0"),
        ({"relevance": [[1.0, np.nan]]}, "relevance must be finite"),
        ({"relevance": [[1.0]]}, "relevance must have the shape of candidates"),
        ({"provider": []}, "provider must have one entry per item"),
        ({"provider": [0, -1, 0]}, "provider must hold ids"),
        ({"k": 0}, "k must be at least 1"),
        ({"trade_off": 2}, "trade_off must be finite and at least 0 and at most 1"),
        ({"target": [0, 0]}, "target must be above 0 for some provider"),
        ({"target": [1]}, "target must have one entry per row"),
        ({"received": [-1, 0]}, "received must be finite and at least 0"),
        ({"received": [np.inf, 0]}, "received must be finite"),
    ],
)
def test_wrong_arguments_are_refused(changed, message):
    arguments = {"candidates": [[0, 1]], "relevance": [[1.0, 0.5]], "provider": [0, 1, 0]}
    with pytest.raises(ValueError, match=message):
        share_exposure(**arguments | {"k": 2, "trade_off": 0.5} | changed)


def test_wrong_lists_are_refused():
    with pytest.raises(ValueError, match="recommended must hold ids from 0 to 1"):
        exposure([[0, 2]], 2)
    with pytest.raises(ValueError, match="n_items must be at least 1"):
        exposure([[0, 1]], 0)
