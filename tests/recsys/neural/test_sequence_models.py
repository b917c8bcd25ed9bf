"""SASRec, BERT4Rec and GRU4Rec: what each position may see, what is learned, and the contract."""

import numpy as np
import pytest
import torch

import recsys
from recsys import Interactions
from recsys.neural import BERT4Rec, GRU4Rec, SASRec

MODELS = [SASRec, BERT4Rec, GRU4Rec]
SMALL = {"factors": 16, "max_length": 6, "batch_size": 16, "learning_rate": 0.01, "n_threads": 1}


def cycle(n_users=40, n_items=12, length=8):
    """User u begins at item u and goes on to the next number, around in a circle."""
    user, step = np.divmod(np.arange(n_users * length), length)
    return Interactions(user, (user + step) % n_items, step.astype(float), n_items=n_items)


def learned(kind, **given):
    epochs = 200 if kind is BERT4Rec else 30  # it learns from fewer positions
    extra = {"dropout": 0.0, "epochs": epochs, "warmup_steps": 0}
    return kind(**SMALL | extra | given).fit(cycle(), progress=False)


@pytest.fixture(scope="module")
def fitted():
    return {kind: learned(kind) for kind in MODELS}


@pytest.mark.parametrize("kind", MODELS)
def test_the_next_item_of_a_cycle_is_learned(kind, fitted):
    items, _ = fitted[kind].recommend(np.arange(40), 1, exclude_seen=False)
    assert (items[:, 0] == (np.arange(40) + 8) % 12).mean() == 1.0


@pytest.mark.parametrize("loss", ["bce", "gbce", "sampled_softmax"])
def test_every_loss_learns_the_cycle(loss):
    model = learned(SASRec, loss=loss, n_negatives=4, epochs=150)
    items, _ = model.recommend(np.arange(40), 1, exclude_seen=False)
    assert (items[:, 0] == (np.arange(40) + 8) % 12).mean() > 0.95


@pytest.mark.parametrize("kind", [SASRec, GRU4Rec])
def test_a_later_item_changes_no_earlier_position(kind, fitted):
    network = fitted[kind].network
    with torch.inference_mode():
        first = network(torch.tensor([[1, 5, 3, 7, 2]]))
        other = network(torch.tensor([[1, 5, 3, 8, 0]]))
    assert torch.equal(first[:, :3], other[:, :3])
    assert not torch.allclose(first[:, 3:], other[:, 3:])


def test_bert4rec_sees_both_sides_and_no_padding(fitted):
    network = fitted[BERT4Rec].network
    padding = fitted[BERT4Rec].n_items
    with torch.inference_mode():
        first = network(torch.tensor([[1, 5, 3, 7]]))
        other = network(torch.tensor([[1, 5, 3, 8]]))
        padded = network(torch.tensor([[1, 5, 3, 7, padding, padding]]))
    assert (first - other).abs().amax(dim=2).min() > 1e-4
    torch.testing.assert_close(padded[:, :4], first, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", MODELS)
def test_a_batch_gives_each_user_what_they_get_alone(kind, fitted):
    model = fitted[kind].fold_in([[1], [3, 4, 5, 6, 7], [2, 9], [0, 1, 2, 3, 4, 5, 6, 7, 8]])
    together = model.score(np.arange(4))
    for user in range(4):
        np.testing.assert_allclose(together[user], model.score([user])[0], rtol=0, atol=1e-5)


def test_attention_is_the_weighted_mean_by_hand(fitted):
    block = fitted[SASRec].network.blocks[0]
    x = torch.randn(1, 4, 16, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = block.attention(x, None)[0].numpy()
        q, k, v = block.queries_keys_values(x)[0].reshape(4, 3, 2, 8).permute(1, 2, 0, 3).numpy()
        out = block.out.weight.numpy(), block.out.bias.numpy()
    expected = np.zeros((4, 16))
    for t in range(4):
        heads = []
        for h in range(2):
            weights = np.exp([q[h, t] @ k[h, s] / np.sqrt(8) for s in range(t + 1)])
            heads.append(weights / weights.sum() @ v[h, : t + 1])
        expected[t] = out[0] @ np.concatenate(heads) + out[1]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_bert4rec_hides_items_and_predicts_those_only():
    model = BERT4Rec(**SMALL | {"mask_probability": 0.3})
    log = cycle(n_users=3_000)
    model._set_history(log.matrix, "")
    model._prepare(log)
    read, targets, hidden = model._training_batch(np.arange(3_000), np.random.default_rng(0))
    mask = model.n_items + 1
    assert ((read == mask) == hidden).all()
    assert (read[~hidden] == targets[~hidden]).all()
    assert targets[0].tolist() == [2, 3, 4, 5, 6, 7]  # the last six of eight
    n = hidden.size
    lone = 3_000 * 0.7**6  # histories of which none was hidden: their last one is
    assert hidden.sum() == pytest.approx(0.3 * n + lone, abs=4 * np.sqrt(n * 0.21))
    assert hidden.any(axis=1).all()
    asked, at = model._asked(np.arange(2))
    assert asked[1].tolist() == [4, 5, 6, 7, 8, mask] and at.tolist() == [5, 5]


def test_sasrec_reads_the_items_before_and_predicts_the_next():
    model = SASRec(**SMALL)
    log = Interactions([0, 0, 0, 1, 2, 2], [4, 3, 5, 1, 0, 2], [3.0, 1, 2, 1, 2, 1], n_items=7)
    model._set_history(log.matrix, "")
    model._prepare(log)
    batches = list(model._training_batches(np.random.default_rng(0)))
    assert len(batches) == 1  # user 1 has one item, and trains nothing
    read, targets, where = batches[0]
    assert read.tolist() == [[2, 0], [3, 5]]
    assert targets.tolist() == [[0, 7], [5, 4]]
    assert where.tolist() == [[True, False], [True, True]]


def test_every_user_is_in_one_batch_and_long_histories_are_cut_to_the_last():
    rng = np.random.default_rng(1)
    lengths = rng.integers(2, 30, 200)
    user = np.repeat(np.arange(200), lengths)
    log = Interactions(user, np.arange(len(user)), np.arange(len(user)).astype(float))
    model = SASRec(**SMALL)
    model._set_history(log.matrix, "")
    model._prepare(log)
    last = np.cumsum(lengths) - 1  # item numbers, as each row has its own
    seen, padding, cells = [], 0, 0
    for read, targets, where in model._training_batches(rng):
        sizes = where.sum(axis=1)
        ends = targets[np.arange(len(targets)), sizes - 1]
        seen += ends.tolist()
        assert (sizes == np.minimum(6, lengths[np.searchsorted(last, ends)] - 1)).all()
        assert len(read) <= 16
        padding, cells = padding + (~where).sum(), cells + where.size
    assert sorted(seen) == last.tolist()
    assert padding < 0.1 * cells


def test_order_is_what_is_learned():
    """On shuffled histories the last item says nothing of the next."""
    log = cycle()
    times = np.random.default_rng(0).permutation(len(log)).astype(float)
    shuffled = Interactions(log.user, log.item, times, n_items=12)
    model = SASRec(**SMALL | {"epochs": 30}).fit(shuffled, progress=False)
    histories = [[i, (i + 1) % 12, (i + 2) % 12] for i in range(12)]
    items, _ = model.fold_in(histories).recommend(np.arange(12), 1, exclude_seen=False)
    assert (items[:, 0] == (np.arange(12) + 3) % 12).mean() < 0.6


@pytest.mark.parametrize("kind", MODELS)
def test_fold_in_takes_lists_and_logs_and_no_matrix(kind, fitted):
    model = fitted[kind]
    lists = model.fold_in([[1, 2, 3, 4, 5], [], [7]])  # as long as what it was trained on
    log = Interactions(
        [0, 0, 0, 0, 0, 2], [5, 3, 1, 4, 2, 7], [5.0, 3, 1, 4, 2, 1], n_users=3, n_items=12
    )
    logs = model.fold_in(log)
    assert np.array_equal(lists.score(np.arange(3)), logs.score(np.arange(3)))
    assert lists.recommend(0, 1)[0].tolist() == [6]
    assert lists.recommend(1, 3)[0].tolist() == [-1, -1, -1]  # no history
    for given in (log.matrix, Interactions([0], [1], n_items=12)):
        with pytest.raises(ValueError, match="histories must be lists in order of time"):
            model.fold_in(given)


@pytest.mark.parametrize("kind", MODELS)
def test_lists_leave_out_what_was_seen_and_end_with_the_catalogue(kind, fitted):
    model = fitted[kind]
    items, scores = model.recommend(np.arange(40), 30)
    for user in range(40):
        unseen = {(user + 8 + j) % 12 for j in range(4)}
        assert set(items[user].tolist()) == unseen | {-1}
        assert np.isneginf(scores[user][4:]).all()


@pytest.mark.parametrize("kind", MODELS)
def test_a_user_with_one_item_gets_a_list(kind):
    log = cycle()
    one = Interactions(
        np.append(log.user, 40), np.append(log.item, 4), np.append(log.time, 0.0), n_items=12
    )
    items, _ = learned(kind).fit(one, progress=False).recommend(40, 11)
    assert sorted(items.tolist()) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    if kind is not BERT4Rec:  # it has learned from windows of six items only
        assert items[0] == 5


@pytest.mark.parametrize("kind", MODELS)
def test_saved_models_and_resumed_trainings_have_the_same_bits(kind, fitted, tmp_path):
    log = cycle()
    whole = kind(**SMALL | {"epochs": 3}).fit(log, progress=False)
    whole.save(tmp_path / "model")
    users = np.arange(40)
    assert np.array_equal(recsys.load(tmp_path / "model").score(users), whole.score(users))
    kind(**SMALL | {"epochs": 1}).fit(log, progress=False, checkpoint=tmp_path / "state")
    longer = kind(**SMALL | {"epochs": 3})
    longer.fit(log, progress=False, checkpoint=tmp_path / "state")
    assert np.array_equal(longer.score(users), whole.score(users))
    other = kind(**SMALL | {"epochs": 3, "rng": 1}).fit(log, progress=False)
    assert not np.array_equal(other.score(users), whole.score(users))


def test_the_validation_loss_is_a_softmax_over_all_items():
    log = cycle()
    held = Interactions(np.arange(40), (np.arange(40) + 8) % 12, n_items=12)
    model = SASRec(**SMALL | {"epochs": 2}).fit(log, progress=False, validation=held)
    scores = model.score(np.arange(40)).astype(float)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = -np.log(p[held.user, held.item]).mean()
    assert model.training_history[-1]["validation_loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss": "hinge"}, "loss must be one of"),
        ({"heads": 3}, "heads must divide factors = 16"),
        ({"max_length": 1}, "max_length must be at least 2"),
        ({"calibration": 1.5}, "calibration must be"),
    ],
)
def test_parameters_are_checked(given, message):
    with pytest.raises(ValueError, match=message):
        SASRec(**SMALL | given)


@pytest.mark.parametrize("kind", MODELS)
def test_a_log_without_times_is_refused(kind):
    with pytest.raises(ValueError, match="train.time must be given"):
        kind(**SMALL).fit(Interactions([0, 0], [1, 2]), progress=False)


@pytest.mark.parametrize("kind", [SASRec, GRU4Rec])
def test_learning_rate_rises_then_halves(kind):
    log = cycle(n_users=8)  # one batch, so one step per epoch
    given = SMALL | {"epochs": 5, "warmup_steps": 2, "decay_steps": 2, "learning_rate": 0.04}
    model = kind(**given).fit(log, progress=False)
    rates = [record["learning_rate"] for record in model.training_history]
    expected = [0.02, 0.04 * 0.5**0.5, 0.02, 0.04 * 0.5**1.5, 0.01]
    assert rates == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("steps", [0, -1, 2.5])
def test_decay_steps_are_whole_and_positive(steps):
    with pytest.raises(ValueError, match="decay_steps must be"):
        SASRec(decay_steps=steps).fit(cycle(), progress=False)
