"""Blend: normalised scores, weights of the largest likelihood, and no leak of held-out data."""

import copy
import hashlib

import numba
import numpy as np
import pytest

import recsys
from recsys import Interactions, blend, last_fraction
from recsys.blend import Blend, blend_weights, length_features, maximise, normalized
from recsys.metrics import ndcg_at_k
from recsys.models import (
    EASE,
    ContentBased,
    ImplicitALS,
    ItemKNN,
    Markov,
    Popularity,
    Random,
)
from recsys.models.base import Recommender

MINUS = -np.inf


@pytest.fixture(scope="module")
def fitted(train):
    return Blend(ItemKNN(), Popularity()).fit(train, progress=False)


# Normalised scores


def test_standard_scores_by_hand():
    """Mean 2 and variance (4 + 0 + 4) / 3; the lowest goes to the item without a score."""
    unit = 2 / np.sqrt(8 / 3)
    found = normalized([[4.0, 2.0, 0.0, MINUS]])
    np.testing.assert_allclose(found, [[unit, 0, -unit, -unit]])


def test_standard_scores_measure_the_items_not_seen():
    """Mean and deviation of 1 and 3; the seen 12 is 10 deviations above."""
    seen = np.array([[True, False, False]])
    np.testing.assert_allclose(normalized([[12.0, 1.0, 3.0]], "standard", seen), [[10, -1, 1]])


def test_ranks_count_the_items_not_seen():
    """Scores 9 (seen), 7, 5 (seen), 3: the unseen have ranks 1 and 2, a seen one the rank that it
    would take among them: 1 for 9, 2 for 5."""
    seen = np.array([[False, True, False, True]])
    found = normalized([[3.0, 9.0, 7.0, 5.0]], "rank", seen)
    np.testing.assert_allclose(found, -np.log([[2, 1, 1, 2]]))


def test_ties_of_rank_go_to_the_lower_id():
    found = normalized([[1.0, 1.0, 2.0]], "rank")
    np.testing.assert_allclose(found, -np.log([[2, 3, 1]]))


@pytest.mark.parametrize("normalize", ["standard", "rank"])
def test_scores_without_a_scale(normalize):
    """No score at all, or all equal: nothing is preferred, and nothing is nan."""
    nothing, equal = normalized([[MINUS, MINUS], [3.0, 3.0]], normalize)
    assert nothing.tolist() == [0, 0]
    assert np.isfinite(equal).all()
    if normalize == "standard":
        assert equal.tolist() == [0, 0]


@pytest.mark.parametrize("normalize", ["standard", "rank"])
def test_a_linear_change_of_scale_changes_nothing(normalize):
    scores = np.random.default_rng(0).normal(size=(5, 40))
    scores[:, 7] = MINUS
    seen = np.arange(40) % 5 == np.arange(5)[:, None]
    first = normalized(scores, normalize, seen)
    np.testing.assert_allclose(normalized(1000 * scores - 3, normalize, seen), first, atol=1e-9)


# The weights


def test_one_feature_by_hand():
    """One user, two candidates, scores 1 and 0, the first held out: maximise ln sigma(v) - v^2 / 2.

    Its slope 1 - sigma(v) - v is zero at v = 0.4012.
    """
    Z, target = np.array([[[1.0], [0.0]]]), np.array([[1.0, 0.0]])
    (v,) = maximise(Z, target, np.ones((1, 1)), reg=1.0).ravel()
    assert v == pytest.approx(1 / (1 + np.exp(v)), abs=1e-4) and v == pytest.approx(
        0.4012, abs=1e-3
    )


def problem(n=60, c=12, m=3, seed=0):
    rng = np.random.default_rng(seed)
    Z, target = rng.normal(size=(n, c, m)), np.zeros((n, c))
    target[:, 0] = 1
    target[::3, :2] = 0.5
    target[:, -1] = -1
    Z[:, -1] = 1e6  # padding, which must not count
    return Z, target, np.column_stack([np.ones(n), rng.random(n)])


def objective(V, Z, target, g, reg):
    """The objective of the module, one user and item at a time."""
    value = 0.0
    for z, t, features in zip(Z, target, g):
        r = (z @ V @ features)[t >= 0]
        for i in np.flatnonzero(t > 0):
            value += t[i] * (r[i] - np.log(np.exp(r).sum()))
    return value - reg / 2 * (V**2).sum()


@pytest.mark.parametrize("reg", [0.1, 1.0, 10.0])
def test_the_weights_are_the_maximum(reg):
    Z, target, g = problem()
    V = maximise(Z, target, g, reg)
    assert V.shape == (3, 2) and np.abs(V).max() > 0.005

    def minus(v):
        return -objective(v.reshape(3, 2), Z, target, g, reg)

    def numeric(v):
        steps = 1e-5 * np.eye(6)
        return np.array([(minus(v + s) - minus(v - s)) / 2e-5 for s in steps])

    slope, free = numeric(V.ravel()), V.ravel() > 0
    assert np.abs(slope[free]).max() < 0.01 and slope[~free].min(initial=0) > -0.01
    assert free.sum() >= 2 and (V >= 0).all()


def test_weights_that_drew_the_data_are_found_again():
    """Multinomial choices among ten candidates, of 4,000 users with weights 1.5, 0.5 and 0."""
    rng, true = np.random.default_rng(1), np.array([1.5, 0.5, 0.0])
    Z = rng.normal(size=(4000, 10, 3))
    choice = (Z @ true + rng.gumbel(size=(4000, 10))).argmax(axis=1)
    target = np.eye(10)[choice]
    found = maximise(Z, target, np.ones((4000, 1)), reg=0.0).ravel()
    np.testing.assert_allclose(found, true, atol=0.1)  # about four standard errors


def test_no_weight_is_negative():
    """The held-out candidate has the lower score, so any weight lowers the likelihood."""
    Z, target = np.array([[[0.0], [1.0]]]), np.array([[1.0, 0.0]])
    assert maximise(Z, target, np.ones((1, 1)), reg=0.1).tolist() == [[0.0]]


def test_features_of_the_length_are_clipped_at_the_ends():
    g = length_features(np.array([0, 3, 7, 15, 900]), np.array([3, 15]), True)
    np.testing.assert_allclose(g, [[1, 0], [1, 0], [0.5, 0.5], [0, 1], [0, 1]])
    same = length_features(np.array([2, 5]), np.array([5, 5]), True)
    np.testing.assert_allclose(same, [[1, 0], [1, 0]])


class Oracle(Recommender):
    """Scores the items of a given matrix 1 and others 0, for users of an even or odd id."""

    needs_history = False

    def __init__(self, answers, parity):
        self.answers, self.parity = answers, parity

    def _fit(self, train, progress):
        pass

    def _scores(self, users):
        own = (users % 2 == self.parity)[:, None]
        return np.where(own, self.answers[users].toarray() > 0, False).astype(np.float32)


def test_a_model_that_knows_the_answers_gets_the_weight(train):
    early, held_out = last_fraction(train)
    oracle = Oracle(held_out.matrix, 0).fit(early), Random().fit(early)
    (good,), (noise,) = blend_weights(oracle, held_out)[0]
    assert good > 0.3 and abs(noise) < 0.1


def test_the_weights_follow_the_history():
    """Of 60 users half have 4 items and half have 40; Oracle 0 knows those of the short ones."""
    rows = [(u, i) for u in range(60) for i in rng_items(u)]
    user, item = np.transpose(rows)
    log = Interactions(user, item, np.arange(len(rows)), n_users=60, n_items=100)
    early, held_out = last_fraction(log, 0.25)
    models = [Oracle(held_out.matrix, parity).fit(early) for parity in (0, 1)]
    V, lengths = blend_weights(models, held_out, by_history=True)
    assert lengths.tolist() == [3, 30]
    assert V[0, 0] > V[1, 0] + 0.2 and V[1, 1] > V[0, 1] + 0.2


def rng_items(u):
    """4 items of an even user, 40 of an odd one."""
    return np.random.default_rng(u).permutation(100)[: 4 if u % 2 == 0 else 40].tolist()


def test_the_weights_see_no_held_out_item_in_the_models(train, monkeypatch):
    """`fit` must learn the weights from models that were fitted without the held-out rows."""
    seen = []
    real = blend.blend_weights

    def spy(models, held_out, *options):
        seen.append((models, held_out))
        return real(models, held_out, *options)

    monkeypatch.setattr(blend, "blend_weights", spy)
    model = Blend(ItemKNN(), Popularity()).fit(train, progress=False)
    ((parts, held_out),) = seen
    early, expected = last_fraction(train, 0.2)
    assert held_out.fingerprint == expected.fingerprint
    assert {part.data_fingerprint for part in parts} == {early.fingerprint}
    assert {part.data_fingerprint for part in model.fitted_models} == {train.fingerprint}


def test_fit_hands_on_its_parameters(train, monkeypatch):
    options = {"normalize": "rank", "by_history": True, "fraction": 0.4, "reg": 3.0, "rng": 7}
    seen = []

    def spy(models, held_out, *given):
        seen.append((held_out.fingerprint, *given))
        return np.ones((2, 2)), np.array([1.0, 9.0])

    monkeypatch.setattr(blend, "blend_weights", spy)
    Blend(ItemKNN(), Popularity(), **options).fit(train, progress=False)
    assert seen == [(last_fraction(train, 0.4)[1].fingerprint, "rank", True, 3.0, 7)]


def test_candidates_are_all_unseen_items_or_a_sample(train, monkeypatch):
    early, held_out = last_fraction(train)
    models, users = [Popularity().fit(early)], np.unique(held_out.user)[:9]
    relevant = held_out.matrix[users]

    def candidates(rng=0):
        rng = np.random.default_rng(rng)
        return blend._candidates(models, users, held_out, "standard", rng)

    Z, target = candidates()
    unseen = (early.matrix[users].toarray() == 0) | (relevant.toarray() > 0)
    assert ((target >= 0).sum(axis=1) == unseen.sum(axis=1)).all()
    np.testing.assert_allclose(np.maximum(target, 0).sum(axis=1), 1)
    assert ((target > 0).sum(axis=1) == np.diff(relevant.indptr)).all()
    z = normalized(models[0].score(users), seen=early.matrix[users].toarray() > 0)
    for row in range(9):
        found = np.sort(Z[row][target[row] >= 0, 0])
        np.testing.assert_allclose(found, np.sort(z[row][unseen[row]]))
        hit = np.sort(Z[row][target[row] > 0, 0])
        np.testing.assert_allclose(hit, np.sort(z[row][relevant[row].indices]))
    monkeypatch.setattr(blend, "N_NEGATIVES", 20)
    Z, target = candidates()
    assert ((target == 0).sum(axis=1) == 20).all()
    assert (candidates()[0] == Z).all() and (candidates(1)[0] != Z).any()


def test_users_of_validation_are_sampled(train, monkeypatch):
    early, held_out = last_fraction(train)
    models = [ItemKNN().fit(early), Popularity().fit(early)]
    everyone = blend_weights(models, held_out)[0]
    monkeypatch.setattr(blend, "N_USERS", 100)
    some, again, other = (blend_weights(models, held_out, rng=rng)[0] for rng in (0, 0, 1))
    assert (some == again).all() and (some != other).any() and (some != everyone).any()
    np.testing.assert_allclose(some, everyone, atol=0.5)


# The model


def test_scores_are_the_weighted_sum(fitted, train):
    users = np.array([5, 0, 77])
    seen = train.matrix[users].toarray() > 0
    parts = [normalized(m.score(users), "standard", seen) for m in fitted.fitted_models]
    expected = sum(w * z for w, z in zip(fitted.weights.ravel(), parts))
    np.testing.assert_allclose(fitted.score(users), expected, rtol=1e-5)
    np.testing.assert_allclose(fitted.user_weights(users), np.tile(fitted.weights.T, (3, 1)))


def test_equal_models_share_the_weight_and_change_no_list(train):
    model = Blend(ItemKNN(), ItemKNN()).fit(train, progress=False)
    assert model.weights[0] == pytest.approx(model.weights[1], abs=1e-3)
    alone, _ = ItemKNN().fit(train, progress=False).recommend(np.arange(300), 10)
    both, _ = model.recommend(np.arange(300), 10)
    assert (both == alone).mean() > 0.99  # rounding may exchange two near ties


def test_a_useful_model_beside_noise_keeps_its_quality(train_test):
    train, test = train_test
    users = np.unique(test.user)

    def ndcg(model):
        items, _ = model.fit(train, progress=False).recommend(users, 10)
        return ndcg_at_k(items, test.matrix[users], 10).mean()

    noisy = Blend(ItemKNN(), Random(), normalize="rank")
    assert ndcg(noisy) > 0.9 * ndcg(ItemKNN()) > 1.5 * ndcg(Random())
    assert noisy.weights[0] > 5 * abs(noisy.weights[1])


def test_what_no_weighted_model_can_score_stays_without(train):
    """ItemKNN and EASE score no item of a new user, Popularity all, if it has a weight."""
    wider = Interactions(train.user, train.item, train.time, n_users=301, n_items=151)
    model = Blend(ItemKNN(), EASE()).fit(wider, progress=False)
    assert model.recommend(300, 4)[0].tolist() == [-1] * 4
    model = Blend(ItemKNN(), Popularity()).fit(wider, progress=False)
    popular = Popularity().fit(wider).recommend(300, 4)[0]
    for weight, expected in ((0.0, [-1] * 4), (0.1, popular.tolist())):
        model.weights = np.array([[1.0], [weight]])
        assert model.recommend(300, 4)[0].tolist() == expected
        assert np.isneginf(model.score(0)[150]) == (weight == 0)


def test_seen_items_are_left_out_and_the_lists_are_ordered(fitted, train):
    items, scores = fitted.recommend(np.arange(300), 20)
    for user in range(300):
        assert not set(items[user].tolist()) & set(train.matrix[user].indices.tolist())
    assert (np.diff(scores, axis=1) <= 0).all()


def bits(model):
    users = np.arange(model.n_users)
    arrays = [model.score(users), *model.recommend(users, 9), model.weights, model.lengths]
    return hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()


@pytest.mark.parametrize("normalize, by_history", [("standard", True), ("rank", False)])
def test_save_and_load_give_the_same_blend(normalize, by_history, train, tmp_path):
    parts = ImplicitALS(4, iterations=2), Markov(), Popularity()
    options = {"normalize": normalize, "by_history": by_history, "rng": 4, "fraction": 0.3}
    model = Blend(*parts, **options).fit(train, progress=False)
    model.save(tmp_path / "blend")
    loaded = recsys.load(tmp_path / "blend")
    assert type(loaded) is Blend and bits(loaded) == bits(model)
    assert loaded.parameters == model.parameters
    assert (loaded.normalize, loaded.by_history, loaded.fraction) == (normalize, by_history, 0.3)


def test_any_number_of_threads_gives_the_same_bits(train):
    def fit():
        parts = ImplicitALS(4, iterations=2), ItemKNN(), Popularity()
        return bits(Blend(*parts, by_history=True).fit(train, progress=False))

    before, found = numba.get_num_threads(), set()
    for n_threads in (1, 2):
        numba.set_num_threads(n_threads)
        try:
            found.add(fit())
        finally:
            numba.set_num_threads(before)
    assert len(found) == 1


def test_folding_in_the_training_histories_gives_the_same_scores(fitted, train):
    users = np.arange(300)
    np.testing.assert_array_equal(fitted.fold_in(train.matrix).score(users), fitted.score(users))
    new = fitted.fold_in([[], [3, 8]])
    assert new.n_users == 2 and 3 not in new.recommend(1, 10)[0]


def test_a_new_users_weights_are_those_of_their_length(train):
    model = Blend(ItemKNN(), Popularity(), by_history=True).fit(train, progress=False)
    low, high = model.lengths.astype(int)
    new = model.fold_in([[], np.arange(low), np.arange(high), np.arange(high + 9)])
    V = model.weights.T
    np.testing.assert_allclose(new.user_weights([0, 1, 2, 3]), V[[0, 0, 1, 1]])


def test_the_models_given_stay_as_they_are(train):
    parts = ItemKNN(), Popularity()
    Blend(*parts).fit(train, progress=False)
    assert not any(part.is_fitted for part in parts)


def test_an_interrupted_fit_leaves_the_blend_as_it_was(fitted, train, monkeypatch):
    model = copy.copy(fitted)
    before = bits(model)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(blend, "blend_weights", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(train, progress=False)
    assert bits(model) == before


@pytest.mark.parametrize(
    "arguments, options, message",
    [
        ((Popularity(),), {}, "^models must be at least two, got 1"),
        ((Popularity(), "EASE"), {}, "^models must be recommenders, .* got 'EASE'"),
        ((Popularity(), EASE()), {"normalize": "max"}, "^normalize must be one of .* got 'max'"),
        ((Popularity(), EASE()), {"by_history": 1}, "^by_history must be True or False, got 1"),
        ((Popularity(), EASE()), {"reg": -1}, "^reg must be finite and at least 0 .*got -1"),
        ((Popularity(), EASE()), {"rng": -1}, "^rng must be"),
        ((Popularity(), EASE()), {"fraction": 0.6}, "^fraction must be .* at most 0.5, got 0.6"),
        ((Popularity(), EASE()), {"fraction": 0}, "^fraction must be finite and above 0"),
    ],
)
def test_invalid_arguments_raise(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        Blend(*arguments, **options)


def test_logs_that_cannot_be_split_raise():
    timeless = Interactions([0, 0], [0, 1])
    with pytest.raises(ValueError, match="^data.time must be given to split by time, got None"):
        Blend(Popularity(), ItemKNN()).fit(timeless)
    short = Interactions([0, 1, 2], [0, 1, 0], [1, 2, 3])
    with pytest.raises(ValueError, match="^held_out must hold at least one interaction, got none"):
        Blend(Popularity(), ItemKNN()).fit(short)
    with pytest.raises(ValueError, match="Blend must be fitted first"):
        Blend(Popularity(), ItemKNN()).user_weights([0])
    with pytest.raises(ValueError, match="^scores must be a matrix"):
        normalized([1.0, 2.0])


def test_a_model_that_cannot_fold_in_is_named(train):
    class Fixed(Recommender):
        needs_history = False
        _fit = lambda self, train, progress: None  # noqa: E731
        _scores = lambda self, users: np.ones((len(users), self.n_items), np.float32)  # noqa: E731

    model = Blend(Popularity(), Fixed()).fit(train, progress=False)
    with pytest.raises(ValueError, match="^models must all be able to fold in"):
        model.fold_in([[1]])


def test_it_takes_models_with_features(train):
    features = np.eye(5)[np.arange(150) % 5]
    model = Blend(ContentBased(features), Popularity()).fit(train, progress=False)
    assert (model.recommend([0], 5)[0] >= 0).all()
