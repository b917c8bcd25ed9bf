"""The shared trainer: the same bits again, resumed or not; what goes wrong stops it in a sentence.

The model is matrix factorization by squared error, small enough to be followed by hand.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

import recsys
from recsys import Interactions
from recsys.neural import checkpoint as checkpoints
from recsys.neural import device, trainer
from recsys.neural.base import NeuralRecommender


class Factors(torch.nn.Module):
    def __init__(self, n_users, n_items, factors, dropout):
        super().__init__()
        self.users = torch.nn.Embedding(n_users, factors)
        self.items = torch.nn.Embedding(n_items, factors)
        self.dropout = torch.nn.Dropout(dropout)

    def forward(self, users):
        return self.dropout(self.users(users)) @ self.items.weight.T


@dataclass(eq=False)
class Squares(NeuralRecommender):
    """Every cell of the matrix, by squared error."""

    learned: ClassVar[tuple[str, ...]] = ()
    factors: int = 4
    batch_size: int = 8
    learning_rate: float = 0.05
    dropout: float = 0.2

    def _network(self):
        return Factors(self.n_users, self.n_items, self.factors, self.dropout)

    def _training_batches(self, rng):
        order = rng.permutation(self.n_users)
        for start in range(0, self.n_users, self.batch_size):
            users = order[start : start + self.batch_size]
            yield users, self.history[users].toarray()

    def _validation_batches(self, held_out):
        users = np.unique(held_out.user)
        return [(users, held_out.matrix[users].toarray())]

    def _loss(self, network, batch):
        users, targets = (torch.from_numpy(part) for part in batch)
        return ((network(users) - targets) ** 2).mean()

    def _scores(self, users):
        with torch.inference_mode():
            return self.network(torch.from_numpy(users.astype(np.int64))).numpy()


def split_blocks():
    """Two groups of 10 users and 12 items; each user has 8 of the own group's, 2 are held out."""
    user, item = np.divmod(np.arange(20 * 24), 24)
    own = (user >= 10) == (item >= 12)
    turn = (user + item) % 6
    train = Interactions(user[own & (turn > 1)], item[own & (turn > 1)], n_users=20, n_items=24)
    held = Interactions(user[own & (turn == 0)], item[own & (turn == 0)], n_users=20, n_items=24)
    return train, held


def same(first, second):
    assert first.weights.keys() == second.weights.keys()
    return all(np.array_equal(first.weights[n], second.weights[n]) for n in first.weights)


def test_a_network_learns_the_blocks():
    train, _ = split_blocks()
    model = Squares(epochs=150, factors=2, dropout=0.0).fit(train, progress=False)
    items, _ = model.recommend(np.arange(20), 4)
    assert ((items >= 12) == (np.arange(20) >= 10)[:, None]).mean() > 0.95
    losses = [record["loss"] for record in model.training_history]
    assert losses[-1] < 0.25 * losses[0]
    assert model.n_parameters == (20 + 24) * 2


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    train, _ = split_blocks()
    first, again, other = (
        Squares(epochs=3, rng=seed).fit(train, progress=False) for seed in (1, 1, 2)
    )
    assert same(first, again) and not same(first, other)


def test_training_leaves_torchs_random_numbers_and_settings_alone():
    train, _ = split_blocks()
    torch.manual_seed(5)
    expected = torch.rand(3).tolist()
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    Squares(epochs=1, n_threads=1).fit(train, progress=False)
    assert torch.rand(3).tolist() == expected
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("stop_after", [1, 2, 4])
def test_resumed_training_equals_uninterrupted_training(tmp_path, stop_after):
    train, held = split_blocks()
    whole = Squares(epochs=5).fit(train, progress=False, validation=held)

    class Crash(Exception):
        pass

    def crash(record):
        if record["epoch"] == stop_after:
            raise Crash

    model = Squares(epochs=5)
    with pytest.raises(Crash):
        model.fit(train, progress=False, validation=held, checkpoint=tmp_path, on_epoch=crash)
    assert not model.is_fitted
    later = []
    model.fit(train, progress=False, validation=held, checkpoint=tmp_path, on_epoch=later.append)
    assert [record["epoch"] for record in later] == list(range(stop_after + 1, 6))
    again = []
    model.fit(train, progress=False, validation=held, checkpoint=tmp_path, on_epoch=again.append)
    assert again == []  # all five epochs are in the checkpoint
    assert same(model, whole)
    assert losses(model) == losses(whole) and len(losses(whole)) == 5


def losses(model):
    return [(r["epoch"], r["loss"], r["validation_loss"]) for r in model.training_history]


def test_evaluation_changes_nothing_in_the_training():
    train, held = split_blocks()
    with_it = Squares(epochs=4).fit(train, progress=False, validation=held)
    assert same(with_it, Squares(epochs=4).fit(train, progress=False))


def test_more_epochs_go_on_from_a_finished_training(tmp_path):
    train, _ = split_blocks()
    Squares(epochs=2).fit(train, progress=False, checkpoint=tmp_path)
    longer = Squares(epochs=4).fit(train, progress=False, checkpoint=tmp_path)
    assert same(longer, Squares(epochs=4).fit(train, progress=False))
    with pytest.raises(ValueError, match="epochs must be at least 4"):
        Squares(epochs=3).fit(train, progress=False, checkpoint=tmp_path)


def test_early_stopping_keeps_the_best_epoch():
    train, held = split_blocks()
    seen = {}
    values = iter([0.1, 0.4, 0.3, 0.2, 0.9])

    class Scripted(Squares):
        def _evaluate(self, network, held_out):
            value = next(values)
            seen[value] = network.state_dict()["items.weight"].numpy().copy()
            return {"validation_ndcg_at_10": value}

    model = Scripted(epochs=9, patience=2).fit(train, progress=False, validation=held)
    assert [r["validation_ndcg_at_10"] for r in model.training_history] == [0.1, 0.4, 0.3, 0.2]
    assert np.array_equal(model.weights["items.weight"], seen[0.4])


def test_a_resumed_training_keeps_the_best_epoch_of_before(tmp_path):
    train, held = split_blocks()
    values = iter([0.9, 0.1, 0.2])

    class Scripted(Squares):
        def _evaluate(self, network, held_out):
            return {"validation_ndcg_at_10": next(values)}

    first = Scripted(epochs=1, patience=9).fit(train, False, held, tmp_path)
    longer = Scripted(epochs=3, patience=9).fit(train, False, held, tmp_path)
    assert len(longer.training_history) == 3
    assert same(longer, first)


def test_without_patience_the_last_weights_are_kept():
    train, held = split_blocks()
    plain = Squares(epochs=3).fit(train, progress=False)
    assert same(Squares(epochs=3).fit(train, progress=False, validation=held), plain)


def test_on_epoch_may_end_the_training():
    train, _ = split_blocks()
    records = []

    def stop(record):
        records.append(record)
        return record["epoch"] == 2

    model = Squares(epochs=9).fit(train, progress=False, on_epoch=stop)
    assert [r["epoch"] for r in records] == [1, 2]
    assert same(model, Squares(epochs=2).fit(train, progress=False))


def test_the_validation_metrics_are_those_of_the_fitted_model():
    train, held = split_blocks()
    model = Squares(epochs=3).fit(train, progress=False, validation=held)
    items, _ = model.recommend(np.arange(20), 10)
    discounts = 1 / np.log2(np.arange(2, 12))
    ndcg = []
    for user in range(20):
        relevant = held.matrix[user].indices
        gain = discounts[np.isin(items[user], relevant)].sum()
        ndcg.append(gain / discounts[: len(relevant)].sum())
    last = model.training_history[-1]
    assert last["validation_ndcg_at_10"] == pytest.approx(np.mean(ndcg), rel=1e-9)
    error = model.score(np.arange(20)) - held.matrix.toarray()
    assert last["validation_loss"] == pytest.approx((error**2).mean(), rel=1e-5)


def test_a_loss_that_is_not_finite_names_the_step_and_keeps_the_checkpoint(tmp_path):
    train, held = split_blocks()
    steps = []

    class Diverging(Squares):
        def _loss(self, network, batch):
            steps.append(1)
            scale = float("nan") if len(steps) == 8 else 1.0  # three steps per epoch
            return super()._loss(network, batch) * scale

    model = Diverging(epochs=5)
    with pytest.raises(ValueError, match="learning_rate .* nan at step 2 of epoch 3"):
        model.fit(train, progress=False, checkpoint=tmp_path)
    assert not model.is_fitted
    assert [r["epoch"] for r in checkpoints.read(tmp_path).records] == [1, 2]


def test_weights_that_are_not_finite_are_never_kept(tmp_path):
    train, _ = split_blocks()

    class Bad(Squares):  # the root of 0 is 0, and its slope infinite
        def _loss(self, network, batch):
            return super()._loss(network, batch) + torch.sqrt(0 * network.items.weight).sum()

    with pytest.raises(ValueError, match="items.weight was not finite after epoch 1"):
        Bad(epochs=2, batch_size=20).fit(train, progress=False, checkpoint=tmp_path)
    assert checkpoints.read(tmp_path) is None


def test_a_damaged_checkpoint_is_refused(tmp_path):
    train, _ = split_blocks()
    Squares(epochs=1).fit(train, progress=False, checkpoint=tmp_path)
    file = tmp_path / checkpoints.FILE
    whole = file.read_bytes()
    middle = len(whole) // 2
    for damaged in (whole[:-30], whole[:middle], b"", whole[:200] + b"\xff" * 40 + whole[240:]):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged or cut short"):
            Squares(epochs=2).fit(train, progress=False, checkpoint=tmp_path)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    train, held = split_blocks()
    Squares(epochs=1).fit(train, progress=False, checkpoint=tmp_path)
    for model, log, validation in [
        (Squares(epochs=2, factors=5), train, None),
        (Squares(epochs=2, rng=1), train, None),
        (Squares(epochs=2), held, None),
        (Squares(epochs=2), train, held),
    ]:
        with pytest.raises(ValueError, match="the same model, parameters and data"):
            model.fit(log, progress=False, validation=validation, checkpoint=tmp_path)


def test_a_full_disk_costs_the_checkpoint_and_not_the_training(tmp_path, monkeypatch, caplog):
    train, _ = split_blocks()
    Squares(epochs=1).fit(train, progress=False, checkpoint=tmp_path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.np, "savez", full)
    model = Squares(epochs=2).fit(train, progress=False, checkpoint=tmp_path)
    monkeypatch.undo()
    assert "No space left on device" in caplog.text
    assert same(model, Squares(epochs=2).fit(train, progress=False))
    assert len(checkpoints.read(tmp_path).records) == 1  # the earlier one


def test_saved_and_loaded_models_agree(tmp_path):
    train, held = split_blocks()
    model = Squares(epochs=2).fit(train, progress=False, validation=held)
    model.save(tmp_path / "model")
    loaded = recsys.load(tmp_path / "model")
    assert same(model, loaded)
    assert np.array_equal(loaded.score(np.arange(20)), model.score(np.arange(20)))
    assert loaded.training_history == model.training_history
    assert loaded.n_parameters == model.n_parameters


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    train, _ = split_blocks()
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device.choose_device("auto") == torch.device("cpu")
    for name in ("cuda", "cuda:1", "mps"):
        with pytest.raises(ValueError, match=f"device must be there, got '{name}'"):
            Squares(device=name).fit(train, progress=False)
    for name in ("gpu", "", None, "cuda:x"):
        with pytest.raises(ValueError, match="device must be 'auto'"):
            Squares(device=name)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"validation": None}, "validation must be given with patience=2"),
        ({"validation": "the rest"}, "validation must be Interactions"),
        ({"validation": Interactions([0], [0])}, "the 20 users and 24 items of train"),
        ({"validation": Interactions([], [], n_users=20, n_items=24)}, "validation must have rows"),
    ],
)
def test_a_validation_set_must_fit_the_training_set(given, message):
    train, _ = split_blocks()
    with pytest.raises(ValueError, match=message):
        Squares(patience=2).fit(train, progress=False, **given)


@pytest.mark.parametrize(
    "given",
    [{"batch_size": 0}, {"patience": 0}, {"dropout": 1.0}, {"epochs": -1}, {"learning_rate": 0.0}],
)
def test_parameters_are_checked(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))} must be"):
        Squares(**given)


def test_the_learning_rate_follows_the_schedule():
    train, _ = split_blocks()

    class Warm(Squares):
        def _schedule(self, step):
            return min(1.0, (step + 1) / 6)

    model = Warm(epochs=3).fit(train, progress=False)
    rates = [record["learning_rate"] for record in model.training_history]
    assert rates == pytest.approx([0.05 * 3 / 6, 0.05, 0.05])


def test_a_resumed_training_goes_on_in_the_schedule(tmp_path):
    train, _ = split_blocks()

    class Falling(Squares):
        def _schedule(self, step):
            return 1 / (step + 1)

    Falling(epochs=1).fit(train, progress=False, checkpoint=tmp_path)
    model = Falling(epochs=2).fit(train, progress=False, checkpoint=tmp_path)
    assert model.training_history[1]["learning_rate"] == pytest.approx(0.05 / 6)


def test_the_seed_decides_the_initial_weights_and_a_new_fit_its_lists():
    train, held = split_blocks()
    first, other = (Squares(epochs=0, rng=seed).fit(train) for seed in (1, 2))
    assert not same(first, other)
    model = Squares(epochs=3).fit(train, progress=False, validation=held)
    fresh = Squares(epochs=3).fit(train, progress=False)
    assert np.array_equal(model.score(np.arange(20)), fresh.score(np.arange(20)))
    model.epochs = 9
    before = model.score(0)
    assert not np.array_equal(model.fit(train, progress=False).score(0), before)


def test_the_validation_loss_weighs_batches_by_their_rows():
    train, held = split_blocks()

    class InTwo(Squares):
        def _validation_batches(self, held_out):
            whole = held_out.matrix.toarray()
            return [(np.arange(5), whole[:5]), (np.arange(5, 20), whole[5:])]

    one = Squares(epochs=1).fit(train, progress=False, validation=held).training_history
    two = InTwo(epochs=1).fit(train, progress=False, validation=held).training_history
    assert two[0]["validation_loss"] == pytest.approx(one[0]["validation_loss"], rel=1e-5)


def test_the_loss_of_an_epoch_is_the_mean_over_its_steps():
    network = torch.nn.Linear(1, 1)
    given = iter([1.0, 2.0, 6.0])
    task = trainer.Task(
        "a line", "", lambda: network, lambda rng: range(3),
        lambda network, batch: next(given) + 0 * network.weight.sum(),
        lambda network: torch.optim.SGD(network.parameters(), lr=0.1),
    )  # fmt: skip
    trained = trainer.train(task, np.random.default_rng(0), epochs=1, progress=False)
    assert trained.records[0]["loss"] == 3.0 and trained.records[0]["steps"] == 3
