"""Dropout by random bytes: how much is dropped, by how much the rest grows, and when."""

import pytest
import torch

from recsys.neural.dropout import Dropout


@pytest.mark.parametrize(("p", "kept"), [(0.25, 192), (0.5, 128), (0.1, 230)])
def test_elements_are_dropped_or_scaled_so_that_the_mean_stays(p, kept):
    torch.manual_seed(0)
    x = torch.ones(300, 337)  # no multiple of eight
    out = Dropout(p)(x)
    assert out.unique().tolist() == pytest.approx([0.0, 256 / kept])
    n = x.numel()
    deviation = (n * (kept / 256) * (1 - kept / 256)) ** 0.5
    assert abs((out > 0).sum().item() - n * kept / 256) < 4 * deviation


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    out = Dropout(0.5)(torch.ones(100_000)) > 0
    both = (out[1:] & out[:-1]).float().mean().item()
    assert both == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 100_000) ** 0.5)


def test_gradient_passes_where_nothing_was_dropped():
    torch.manual_seed(0)
    x = torch.ones(64, requires_grad=True)
    out = Dropout(0.25)(x)
    out.sum().backward()
    assert torch.equal(x.grad, out)
    assert 0 < (x.grad == 0).sum() < 64


@pytest.mark.parametrize(("p", "training"), [(0.5, False), (0.0, True)])
def test_nothing_is_dropped_in_evaluation_or_with_p_zero(p, training):
    x = torch.randn(50)
    assert torch.equal(Dropout(p).train(training)(x), x)


def test_one_seed_gives_one_mask():
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(Dropout(0.5)(torch.ones(200)))
    assert torch.equal(masks[0], masks[1]) and not torch.equal(masks[0], masks[2])
