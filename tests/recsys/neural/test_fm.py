"""FactorizationMachine and DeepFM: the double sum, finite differences, and bad input."""

import numpy as np
import pytest
import torch

import recsys
from recsys.fields import FieldEncoder
from recsys.logistic import LogisticRanker
from recsys.neural import DeepFM, FactorizationMachine, click_model, field_batches, fm
from recsys.neural import checkpoint as checkpoints

BOTH = [FactorizationMachine, DeepFM]
QUICK = {"epochs": 3, "factors": 4, "batch_size": 64, "n_threads": 1, "device": "cpu"}


def table(n=400, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "user": rng.integers(0, 8, n),
        "item": rng.integers(0, 6, n),
        "tags": [["x", "y", "z"][: rng.integers(0, 4)] for _ in range(n)],
        "age": rng.normal(size=n),
    }


def clicks(rows):
    """Clicks where user and item have the same parity: no column tells anything alone."""
    return (np.asarray(rows["user"]) + np.asarray(rows["item"])) % 2 == 0


def encoded(n=400, seed=0):
    encoder = FieldEncoder(["user", "item"], ["tags"], ["age"], n_bins=4).fit(table())
    rows = table(n, seed)
    return encoder.transform(rows), clicks(rows)


def network_and_inputs(kind, n=30):
    """A network of random weights in double precision, and the bags of some rows."""
    fields, labels = encoded(n)
    model = kind(factors=3) if kind is FactorizationMachine else kind(factors=3, dropout=0.0)
    model.names, model.starts = fields.names, fields.starts
    torch.manual_seed(0)
    network = model._network().double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.3 * torch.randn_like(parameter))
    features, bags, parts = field_batches.as_field_bags(fields.matrix, fields.starts)
    inputs = [torch.from_numpy(part) for part in (features, bags, parts.astype(np.float64))]
    return network, inputs, fields.matrix.toarray(), labels


def double_loop(network, rows):
    """The definition of Rendle (2010), pair by pair."""
    w0, w, v = (
        getattr(network, name).detach().numpy() for name in ("bias", "linear", "embeddings")
    )
    logits = []
    for x in rows:
        s = w0 + sum(w[i, 0] * x[i] for i in range(len(x)))
        for i in range(len(x)):
            for j in range(i + 1, len(x)):
                s += v[i] @ v[j] * x[i] * x[j]
        logits.append(s)
    return np.array(logits)


def perceptron(network, rows, starts):
    """DeepFM's second part: each field's sum of vectors, through the layers, in NumPy."""
    v = network.embeddings.detach().numpy()
    out = np.hstack([rows[:, a:b] @ v[a:b] for a, b in zip(starts, starts[1:])])
    layers = [layer for layer in network.deep if isinstance(layer, torch.nn.Linear)]
    for number, layer in enumerate(layers):
        out = out @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        out = np.maximum(out, 0) if number < len(layers) - 1 else out
    return out[:, 0]


def test_the_pairwise_term_is_the_double_sum():
    network, inputs, rows, _ = network_and_inputs(FactorizationMachine)
    expected = double_loop(network, rows)
    assert expected.std() > 0.1
    np.testing.assert_allclose(network(*inputs).detach().numpy(), expected, rtol=1e-6, atol=1e-7)


def test_deepfm_adds_a_perceptron_on_the_same_vectors():
    network, inputs, rows, _ = network_and_inputs(DeepFM)
    deep = perceptron(network, rows, encoded()[0].starts)
    assert deep.std() > 0.01
    expected = double_loop(network, rows) + deep
    np.testing.assert_allclose(network(*inputs).detach().numpy(), expected, rtol=1e-6, atol=1e-7)
    assert sum("embeddings" in name for name, _ in network.named_parameters()) == 1


@pytest.mark.parametrize("kind", BOTH)
def test_gradients_are_those_of_finite_differences(kind):
    network, inputs, _, labels = network_and_inputs(kind)
    labels = torch.from_numpy(labels.astype(np.float64))

    def loss():
        logits = network(*inputs)
        return (torch.log1p(torch.exp(logits)) - labels * logits).mean() + network.penalty() / 7

    loss().backward()
    rng, step = np.random.default_rng(0), 1e-6
    for parameter in network.parameters():
        flat, gradient = parameter.data.view(-1), parameter.grad.view(-1)
        for at in rng.integers(0, len(flat), 6):
            before = flat[at].item()
            flat[at] = before + step
            above = loss().item()
            flat[at] = before - step
            slope = (above - loss().item()) / (2 * step)
            flat[at] = before
            assert gradient[at].item() == pytest.approx(slope, rel=1e-4, abs=1e-7)


def test_the_penalty_is_the_sum_of_squares_of_weights_and_vectors():
    network, _, _, _ = network_and_inputs(DeepFM)
    w, v = network.linear.detach().numpy(), network.embeddings.detach().numpy()
    assert network.penalty().item() == pytest.approx((w**2).sum() + (v**2).sum())


def test_the_objective_is_the_mean_loss_and_the_penalty_per_row():
    fields, labels = encoded()
    settings = QUICK | {"epochs": 1, "batch_size": 400, "learning_rate": 1e-9}
    plain, strong = (FactorizationMachine(**settings, reg=reg) for reg in (0.0, 5000.0))
    for model in (plain, strong):
        model.fit(fields, labels, progress=False)
    v = plain.weights["embeddings"]
    extra = strong.training_history[0]["loss"] - plain.training_history[0]["loss"]
    assert extra == pytest.approx(5000 / 800 * (v**2).sum(), rel=1e-3)
    p = plain.predict(fields).astype(np.float64)
    expected = -np.log(np.where(labels, p, 1 - p)).mean()
    assert plain.training_history[0]["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", BOTH)
def test_products_that_no_column_shows_alone_are_learned(kind):
    fields, labels = encoded(2000)
    held, held_labels = encoded(500, seed=1)
    settings = QUICK | {"epochs": 60, "learning_rate": 0.02, "reg": 0.01}
    model = kind(**settings).fit(fields, labels, progress=False)
    assert ((model.predict(held) > 0.5) == held_labels).mean() > 0.97
    linear = LogisticRanker().fit(fields.matrix.toarray(), labels)
    right = (linear.probabilities(held.matrix.toarray()) > 0.5) == held_labels
    assert right.mean() < 0.7
    assert model.n_parameters == sum(array.size for array in model.weights.values())


@pytest.mark.parametrize("kind", BOTH)
def test_predictions_are_probabilities_and_do_not_depend_on_the_batch(kind, monkeypatch):
    fields, labels = encoded()
    model = kind(**QUICK).fit(fields, labels, progress=False)
    whole = model.predict(fields)
    assert whole.dtype == np.float32 and whole.shape == (400,)
    assert 0 < whole.min() < whole.max() < 1
    monkeypatch.setattr(click_model, "ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(model.predict(fields), whole, rtol=1e-5)
    assert model.predict(fields.select(slice(0, 0))).shape == (0,)


@pytest.mark.parametrize("kind", BOTH)
def test_an_unseen_value_adds_nothing(kind):
    encoder = FieldEncoder(["user", "item"]).fit({"user": [1, 2], "item": [1, 2]})
    fields = encoder.transform({"user": [1, 2] * 50, "item": [1, 1, 2, 2] * 25})
    model = kind(**QUICK | {"epochs": 20}).fit(fields, [0, 1, 1, 0] * 25, progress=False)
    for name in ("linear", "embeddings"):
        unknown = model.weights[name][fields.starts[:-1]]
        assert not unknown.any() and model.weights[name].any()
    new = encoder.transform({"user": [1, 1], "item": [99, None]})
    p = model.predict(new)
    assert p[0] == p[1]
    if kind is FactorizationMachine:
        logit = model.weights["bias"] + model.weights["linear"][1, 0]
        assert p[0] == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-5)


def test_training_begins_at_the_click_rate():
    fields, _ = encoded()
    model = FactorizationMachine(**QUICK | {"epochs": 0})
    model.fit(fields, np.arange(400) < 40, progress=False)
    assert model.predict(fields) == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("kind", BOTH)
def test_saved_models_predict_alike_and_seeds_decide(kind, tmp_path):
    fields, labels = encoded()
    model = kind(**QUICK).fit(fields, labels, (fields, labels), progress=False)
    model.save(tmp_path / "model")
    loaded = recsys.load(tmp_path / "model")
    assert np.array_equal(loaded.predict(fields), model.predict(fields))
    assert loaded.training_history == model.training_history
    assert loaded.parameters == model.parameters and loaded.names == fields.names
    again = kind(**QUICK).fit(fields, labels, progress=False)
    other = kind(**QUICK, rng=1).fit(fields, labels, progress=False)
    assert np.array_equal(again.predict(fields), model.predict(fields))
    assert not np.array_equal(other.predict(fields), model.predict(fields))


def test_the_validation_loss_is_that_of_the_predictions_and_the_best_epoch_is_kept(monkeypatch):
    monkeypatch.setattr(field_batches, "ROWS_AT_ONCE", 33)
    fields, labels = encoded()
    held, held_labels = encoded(100, seed=1)
    wrong = ~held_labels  # the better the fit, the worse
    settings = QUICK | {"epochs": 9, "learning_rate": 0.05, "reg": 0.0}
    model = FactorizationMachine(**settings, patience=2)
    model.fit(fields, labels, (held, wrong), progress=False)
    losses = [record["validation_loss"] for record in model.training_history]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 9
    p = model.predict(held).astype(np.float64)
    assert min(losses) == pytest.approx(-np.log(np.where(wrong, p, 1 - p)).mean(), rel=1e-5)


@pytest.mark.parametrize("kind", BOTH)
def test_resumed_training_equals_uninterrupted_training(kind, tmp_path):
    fields, labels = encoded()
    whole = kind(**QUICK).fit(fields, labels, progress=False)
    kind(**QUICK | {"epochs": 1}).fit(fields, labels, progress=False, checkpoint=tmp_path)
    later = []
    model = kind(**QUICK)
    model.fit(fields, labels, None, False, checkpoint=tmp_path, on_epoch=later.append)
    assert [record["epoch"] for record in later] == [2, 3]
    assert np.array_equal(model.predict(fields), whole.predict(fields))
    for rows, other in [(fields, ~labels), (fields.select(slice(0, 99)), labels[:99])]:
        with pytest.raises(ValueError, match="the same model, parameters and data"):
            kind(**QUICK).fit(rows, other, progress=False, checkpoint=tmp_path)


def test_a_loss_that_is_not_finite_names_the_step_and_keeps_the_last_good_checkpoint(
    tmp_path, monkeypatch
):
    fields, labels = encoded()
    steps, plain = [], click_model.log_loss

    def diverging(network, batch):
        steps.append(1)  # seven steps per epoch
        return plain(network, batch) * (float("nan") if len(steps) == 10 else 1)

    monkeypatch.setattr(click_model, "log_loss", diverging)
    model = FactorizationMachine(**QUICK)
    with pytest.raises(ValueError, match="learning_rate .* nan at step 3 of epoch 2"):
        model.fit(fields, labels, progress=False, checkpoint=tmp_path)
    assert [record["epoch"] for record in checkpoints.read(tmp_path).records] == [1]
    with pytest.raises(ValueError, match="FactorizationMachine must be fitted first"):
        model.predict(fields)


def test_a_truncated_checkpoint_is_refused(tmp_path):
    fields, labels = encoded()
    FactorizationMachine(**QUICK).fit(fields, labels, progress=False, checkpoint=tmp_path)
    file = tmp_path / checkpoints.FILE
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(ValueError, match="damaged or cut short"):
        FactorizationMachine(**QUICK).fit(fields, labels, progress=False, checkpoint=tmp_path)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ValueError, match="device must be there, got 'cuda'"):
        DeepFM(**QUICK | {"device": "cuda"}).fit(*encoded(), progress=False)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([2] * 400, "clicked must be 0 or 1, got 2 in row 0"),
        ([0] * 399 + [0.5], "clicked must be 0 or 1, got 0.5 in row 399"),
        ([0] * 399 + [np.nan], "clicked must be finite, got nan in row 399"),
        ([0, 1], "clicked must have one entry per row"),
        (["yes"] * 400, "clicked must hold numbers"),
    ],
)
def test_labels_are_checked(labels, message):
    with pytest.raises(ValueError, match=message):
        FactorizationMachine(**QUICK).fit(encoded()[0], labels, progress=False)


def test_fields_are_checked():
    fields, labels = encoded()
    model = FactorizationMachine(**QUICK)
    with pytest.raises(ValueError, match="fields must be Fields of a FieldEncoder, got a dict"):
        model.fit(table(), labels)
    with pytest.raises(ValueError, match="fields must have at least one row"):
        model.fit(fields.select(slice(0, 0)), [])
    other = FieldEncoder(["user"]).fit(table()).transform(table())
    model.fit(fields, labels, progress=False)
    for call in (model.predict, lambda rows: model.fit(fields, labels, (rows, labels))):
        with pytest.raises(ValueError, match="must be of the encoder of the training rows"):
            call(other)
    with pytest.raises(ValueError, match="fields must be Fields"):
        model.predict(table())


def test_a_column_that_is_missing_at_prediction_is_named():
    encoder = FieldEncoder(["user", "item"]).fit(table())
    FactorizationMachine(**QUICK).fit(encoder.transform(table()), clicks(table()), progress=False)
    with pytest.raises(ValueError, match="table must have the column 'item', got \\['user'\\]"):
        encoder.transform({"user": [1]})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "validation must be given with patience=2"),
        (encoded()[0], "validation must be a pair"),
        ((encoded()[0], [3] * 400), "validation must be 0 or 1, got 3"),
    ],
)
def test_validation_rows_are_checked(given, message):
    with pytest.raises(ValueError, match=message):
        FactorizationMachine(**QUICK, patience=2).fit(*encoded(), given)


@pytest.mark.parametrize(
    "given", [{"factors": 0}, {"reg": -1}, {"hidden": 0}, {"layers": 0}, {"dropout": 1.0}]
)
def test_parameters_are_checked(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))} must be"):
        DeepFM(**given)


def test_dropout_is_of_training_only():
    fields, labels = encoded()
    model = DeepFM(**QUICK, dropout=0.5).fit(fields, labels, progress=False)
    assert np.array_equal(model.predict(fields), model.predict(fields))
    assert any(isinstance(layer, torch.nn.Dropout) for layer in model._trained_network().deep)
    assert fm.INITIAL > 0
