"""partial_fit: a fit on the first rows and an update with the rest, against a fit on all rows."""

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys import Interactions, evaluate
from recsys.metrics import ndcg_at_k
from recsys.models import ImplicitALS, ItemKNN, Popularity, Trending, UserKNN

MODELS = [
    Popularity(),
    Trending(half_life=300.0),
    ItemKNN(n_neighbors=40, shrinkage=2.0),
    UserKNN(n_neighbors=40, shrinkage=2.0),
]


def halves():
    """A log over 90 users and 1,300 items; its first half lacks the last users and items."""
    rng = np.random.default_rng(0)
    user, item = rng.integers(0, 90, 8000), (1300 * rng.random(8000) ** 2).astype(int)
    first = np.arange(8000) < 5000
    first &= (user < 80) & (item < 1100)
    time = np.where(first, 0.0, 4000.0) + np.arange(8000) / 2
    order = np.argsort(~first, kind="stable")
    user, item, time, n = user[order], item[order], time[order], first.sum()
    users, items = [f"u{u}" for u in range(90)], list(range(5000, 6300))

    def log(rows, n_users, n_items):
        labels = {"user_labels": users[:n_users], "item_labels": items[:n_items]}
        return Interactions(user[rows], item[rows], time[rows], **labels)

    return log(slice(n), 80, 1100), log(slice(n, None), 90, 1300), log(slice(None), 90, 1300)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_counts_and_neighbours_equal_a_fit_on_the_whole_log(model, tmp_path):
    old, new, whole = halves()
    fresh = type(model)(**model.parameters).fit(whole, progress=False)
    updated = type(model)(**model.parameters).fit(old, progress=False).partial_fit(new)
    assert (updated.n_users, updated.n_items) == (90, 1300)
    users = np.arange(90)
    np.testing.assert_allclose(updated.score(users), fresh.score(users), rtol=1e-6)
    assert (updated.recommend(users, 50)[0] == fresh.recommend(users, 50)[0]).all()
    assert updated.data_fingerprint == fresh.data_fingerprint == whole.fingerprint
    frame = updated.recommend_labels(["u89", "u0"], 5)
    assert frame["item"].tolist() == fresh.recommend_labels(["u89", "u0"], 5)["item"].tolist()
    evaluate(updated, whole, whole.select(np.arange(50)))  # the logs belong together
    updated.save(tmp_path / "bundle")
    again = recsys.load(tmp_path / "bundle").partial_fit(old_rows_again(new))
    assert again.history.sum() == whole.matrix.sum() + 100


def old_rows_again(new):
    return new.select(np.arange(100))


def test_trending_follows_the_decay_by_hand():
    """Half-life 10: a vote at 0 counts a quarter at 20, one at 10 a half; then all halve again."""
    model = Trending(half_life=10).fit(Interactions([0, 0, 0], [0, 0, 1], [0, 10, 20]))
    assert model.item_scores.tolist() == [0.75, 1]
    model.partial_fit(Interactions([0, 1], [2, 0], [30, 20]))
    assert model.item_scores.tolist() == [0.375 + 0.5, 0.5, 1]
    model.partial_fit(Interactions([1], [1], [20], n_items=3, n_users=2))  # late rows are older
    assert model.item_scores.tolist() == [0.875, 1, 1]


def later_quarter(train):
    rows = np.argsort(train.time, kind="stable")
    cut = len(rows) * 3 // 4
    return train.select(rows[:cut]), train.select(rows[cut:]), train


@pytest.mark.parametrize("random", [False, True])
def test_als_approaches_a_fit_on_the_whole_log(random, train):
    """In loss and NDCG, with new rows of known users and with new users and items at random.

    Other starts of the fresh fit differ in loss by about a hundredth of what its sweeps gain after
    the first; the update may miss a tenth of it.
    """
    old, new, whole = halves() if random else later_quarter(train)
    settings = {"factors": 8, "alpha": 5.0, "reg": 1.0, "iterations": 12}
    fresh = ImplicitALS(**settings).fit(whole, progress=False)
    updated = ImplicitALS(**settings).fit(old, progress=False).partial_fit(new, progress=False)
    first = ImplicitALS(**settings | {"iterations": 1}).fit(whole, progress=False)
    gained = first.loss(whole) - fresh.loss(whole)
    assert gained > 0.1 * fresh.loss(whole)
    assert updated.loss(whole) < fresh.loss(whole) + 0.1 * gained
    users = np.arange(whole.n_users)
    ndcg = [
        ndcg_at_k(m.recommend(users, 20, exclude_seen=False)[0], whole.matrix, 20).mean()
        for m in (updated, fresh)
    ]
    assert ndcg[0] == pytest.approx(ndcg[1], rel=0.05)
    assert updated.data_fingerprint == whole.fingerprint


@pytest.mark.parametrize("iterations, sweeps", [(0, 0), (1, 1), (2, 1), (3, 1), (4, 2), (7, 3)])
def test_als_makes_a_third_of_the_sweeps_rounded_up(iterations, sweeps, monkeypatch):
    old, new, _ = halves()
    model = ImplicitALS(4, iterations=iterations).fit(old, progress=False)
    made = []
    monkeypatch.setattr("recsys.models.als.progress_bar", lambda n, *_: made.append(len(n)) or n)
    model.partial_fit(new, progress=False)
    assert made == [sweeps]


def test_an_update_leaves_the_learned_arrays_and_after_an_interruption_the_model(monkeypatch):
    old, new, _ = halves()
    model = ImplicitALS(4, iterations=3).fit(old, progress=False)
    held = dict(model.__dict__)
    before = {name: array.copy() for name, array in held.items() if isinstance(array, np.ndarray)}
    update = ImplicitALS._update

    def interrupted(self, log, progress):
        update(self, log, progress)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ImplicitALS, "_update", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.partial_fit(new, progress=False)
    assert all(model.__dict__[name] is held[name] for name in held)
    model.partial_fit(new, progress=False)
    for name, array in before.items():
        np.testing.assert_array_equal(held[name], array)


def test_logs_that_do_not_continue_the_first_are_refused():
    old, new, _ = halves()
    model = Popularity().fit(old)
    other = Interactions([0], [0], [1], user_labels=["x", *new.user_labels], n_items=1300)
    with pytest.raises(ValueError, match="^new_log must number the known users as the training"):
        model.partial_fit(other)
    with pytest.raises(ValueError, match="^new_log must have at least 80 users, got 1"):
        model.partial_fit(Interactions([0], [0], [1.0]))
    with pytest.raises(ValueError, match="^new_log must have user_labels, as the training log"):
        model.partial_fit(Interactions([0], [0], [1.0], n_users=81, n_items=1100))
    with pytest.raises(ValueError, match="^new_log must have values if the training log has"):
        model.partial_fit(Interactions([0], [0], [1.0], [1.0], n_users=80, n_items=1100))
    with pytest.raises(ValueError, match="^partial_fit needs the fitted model, got one that fold"):
        model.fold_in([[1]]).partial_fit(new)
    with pytest.raises(ValueError, match="^new_log must be Interactions, got list"):
        model.partial_fit([])
    with pytest.raises(ValueError, match="^new_log.time must be given for Trending"):
        Trending().fit(old).partial_fit(Interactions([0], [0], n_users=80, n_items=1100))


def test_a_model_without_labels_takes_no_log_of_other_labels():
    """Without labels an id is its own label, so "x" is no new name of user 0."""
    old = Interactions([0, 1], [0, 1])
    with pytest.raises(ValueError, match="^new_log must number the known users as the training"):
        Popularity().fit(old).partial_fit(Interactions([0], [0], user_labels=["x", "y"], n_items=2))
    rows = pd.DataFrame({"u": [1, 7], "i": [0, 9]})
    new = Interactions.from_frame(rows, "u", "i", like=old, unknown="add")
    model = Popularity().fit(old).partial_fit(new)
    assert model.user_labels == [0, 1, 7] and model.item_labels == [0, 1, 9]
