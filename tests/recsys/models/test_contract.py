"""The contract that every model in recsys.models passes."""

import hashlib
import inspect
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

import recsys
from recsys import Interactions, models
from recsys.retrieval.exact import top_k_reference

PERSONAL = [name for name in models.__all__ if getattr(models, name).needs_history]
APPROXIMATE = [
    "BPR",
    "WARP",
    "SampledSoftmax",
    "TwoTower",
    "BiasedMF",
]  # fold in by other steps than fit's
EXACT = [name for name in models.__all__ if name not in APPROXIMATE]
CONTENT = ["ContentBased", "Markov"]  # score items without interactions


def pytest_generate_tests(metafunc):
    """Parametrise `name` by all models, and `personal` by those that need history."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", models.__all__)
    if "personal" in metafunc.fixturenames:
        metafunc.parametrize("personal", PERSONAL)


def blocks():
    """Two disjoint groups, and the items held out of each user's own group.

    Group 0: 24 users and items 0-15. Group 1: 28 users and items 16-31. Each user's history holds
    12 of their group's 16 items. Group 0 came later.
    """
    user, item = np.divmod(np.arange(52 * 32), 32)
    own = (user >= 24) == (item >= 16)
    held_out = own & ((user + 3 * item) % 4 == 0)
    rows = own & ~held_out
    time = np.where(user < 24, 2e6, 1e6)
    train = Interactions(user[rows], item[rows], time[rows], n_users=52, n_items=32)
    answers = [set(item[held_out & (user == u)].tolist()) for u in range(52)]
    return train, answers


def bits(model):
    """A digest of a fitted model's arrays, lists and scores."""
    digest = hashlib.sha256()
    users = np.arange(model.n_users)
    learned = [getattr(model, name) for name in model.learned]
    for array in [*model.recommend(users, 20), model.score(users), *learned]:
        array = array.toarray() if hasattr(array, "toarray") else array
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def test_every_model_is_under_contract(fitted):
    assert sorted(fitted) == sorted(models.__all__)


def test_personal_models_recommend_the_items_missing_in_the_block(personal, make):
    train, answers = blocks()
    few = {"factors": 2} if hasattr(make(personal), "factors") else {}
    items, _ = make(personal, **few).fit(train, progress=False).recommend(np.arange(52), 4)
    assert ((items >= 16) == (np.arange(52) >= 24)[:, None]).all()
    assert np.mean([set(row) == answer for row, answer in zip(items.tolist(), answers)]) > 0.95


def test_popularity_ranks_by_count_and_trending_by_recent_count(make):
    train, _ = blocks()
    counts = np.bincount(train.item)
    assert (counts[:16] == 18).all() and (counts[16:] == 21).all()
    # User 0 (group 0) has all of items 0-15 but 0, 4, 8, 12; user 51 all of 16-31 but four.
    for name, first, last in [
        ("Popularity", [16, 17, 18, 19], [19, 23, 27, 31, 0, 1]),
        ("Trending", [0, 4, 8, 12, 16, 17], [0, 1, 2, 3]),
    ]:
        model = make(name).fit(train)
        assert model.recommend(0, len(first))[0].tolist() == first
        assert model.recommend(51, len(last))[0].tolist() == last


def test_random_gives_each_item_the_same_probability(make):
    log = Interactions(np.arange(4000), np.arange(4000) % 10)
    items, _ = make("Random").fit(log).recommend(np.arange(4000), 10, exclude_seen=False)
    for position in range(10):
        counts = np.bincount(items[:, position], minlength=10)
        assert np.abs(counts - 400).max() < 5 * np.sqrt(4000 * 0.1 * 0.9)
    other, _ = make("Random", rng=4).fit(log).recommend(np.arange(4000), 10, exclude_seen=False)
    assert 0.05 < (items == other).mean() < 0.15


def test_shapes_and_types(name, fitted):
    model = fitted[name]
    items, scores = model.recommend([5, 3, 5], 7)
    assert (items.shape, items.dtype) == ((3, 7), np.int32)
    assert (scores.shape, scores.dtype) == ((3, 7), np.float32)
    assert (model.score([5, 3]).shape, model.score([5, 3]).dtype) == ((2, 150), np.float32)
    one_items, one_scores = model.recommend(5, 7)
    assert one_items.tolist() == items[0].tolist() and one_scores.tolist() == scores[0].tolist()
    assert model.score(5).tolist() == model.score([5])[0].tolist()
    assert [array.shape for array in model.recommend([], 7)] == [(0, 7), (0, 7)]


def test_seen_items_are_excluded_unless_requested(name, fitted, train):
    users = np.arange(train.n_users)
    new, _ = fitted[name].recommend(users, 20)
    all_items, _ = fitted[name].recommend(users, 150, exclude_seen=False)
    rated = np.isfinite(fitted[name].score(users))
    for user in users:
        seen = set(train.matrix[user].indices.tolist())
        assert not seen & set(new[user].tolist())
        assert set(all_items[user].tolist()) - {-1} == set(np.flatnonzero(rated[user]).tolist())
        assert len(seen & set(all_items[user].tolist())) > 0.7 * len(seen)


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_recommend_is_the_order_of_score(name, exclude_seen, fitted, train):
    users = np.arange(train.n_users)
    items, scores = fitted[name].recommend(users, 15, exclude_seen)
    expected = fitted[name].score(users)
    if exclude_seen:
        expected[train.matrix[users].toarray() > 0] = -np.inf
    np.testing.assert_allclose(scores, top_k_reference(expected, 15)[1], rtol=1e-5, atol=1e-6)
    own = np.take_along_axis(expected, np.maximum(items, 0), axis=1)
    found = items >= 0
    np.testing.assert_allclose(scores[found], own[found], rtol=1e-5, atol=1e-6)
    assert (np.diff(scores[found.all(axis=1)], axis=1) <= 0).all()


def test_candidates_and_exclusions(name, fitted, train):
    """`items` for all users, `exclude` for all or per user; the history is left out, too."""
    users, candidates, excluded = [7, 3, 200], [140, 2, 77, 9, 31, 60, 101, 5], [5, 77]
    own = [[2], [], [140, 60]]
    scores = fitted[name].score(users)
    for exclude, lists in ((excluded, [excluded] * 3), (own, own)):
        items, _ = fitted[name].recommend(users, 6, items=candidates, exclude=exclude)
        for row, user in enumerate(users):
            left = set(candidates) - set(lists[row]) - set(train.item[train.user == user].tolist())
            expected = [i for i in left if scores[row, i] > -np.inf]
            expected = sorted(expected, key=lambda i: (-scores[row, i], i))[:6]
            found = items[row][items[row] >= 0].tolist()
            assert len(found) == len(expected) and set(found) <= left
            np.testing.assert_allclose(scores[row, found], scores[row, expected], rtol=1e-5)


def test_k_larger_than_the_catalogue_is_padded(name, fitted, train):
    items, scores = fitted[name].recommend(np.arange(train.n_users), 155)
    padded = items == -1
    assert padded[:, -5:].all() and (padded == np.isneginf(scores)).all()
    assert (np.diff(padded.astype(int), axis=1) >= 0).all()  # behind the items, never between
    for row in items:
        assert len(set(row[row >= 0])) == (row >= 0).sum()


def test_a_user_without_history_gets_popular_items_or_nothing(name, make, fitted, train):
    wider = Interactions(train.user, train.item, train.time, n_users=301, n_items=151)
    model = make(name).fit(wider, progress=False)
    items, scores = model.recommend(300, 5)
    if model.needs_history:
        assert items.tolist() == [-1] * 5 and np.isneginf(scores).all()
        assert np.isneginf(model.score(300)).all()
        assert np.isneginf(model.score(0)[150]) == (name not in CONTENT)
    else:
        assert (items >= 0).all() and np.isfinite(scores).all()
    if name == "Popularity":
        best = np.lexsort((np.arange(150), -np.bincount(train.item)))
        assert items.tolist() == best[:5].tolist()


def test_a_user_who_has_seen_everything_gets_nothing(name, make):
    user = [0] * 40 + [1] * 5 + [2] * 3
    item = [*range(40), *range(5), *range(30, 33)]
    model = make(name).fit(Interactions(user, item, np.arange(48)), progress=False)
    items, scores = model.recommend([0, 1], 6)
    assert items[0].tolist() == [-1] * 6 and np.isneginf(scores[0]).all()
    assert (items[1] >= 5).any()
    assert (model.recommend(0, 6, exclude_seen=False)[0] >= 0).all()


def test_ties_go_to_the_lower_id(name, make):
    """Items 1-6 have the same users and times, so their scores are equal."""
    user = np.repeat(np.arange(4), 7)
    item = np.tile(np.arange(7), 4)
    log = Interactions([*user, 4], [*item, 0], np.zeros(29), n_items=40)
    model = make(name).fit(log, progress=False)
    if name == "Random":
        model._scores = lambda users: np.ones((len(users), 40), np.float32)
    elif name == "EASE":
        model.item_weights[:] = 1
    elif hasattr(model, "item_factors"):
        model.user_factors[:], model.item_factors[:] = 1, 1
        if hasattr(model, "item_biases") and model.item_biases is not None:
            model.item_biases[:] = 0
    assert model.recommend(4, 4)[0].tolist() == [1, 2, 3, 4]
    assert model.recommend([4, 4], 4)[0].tolist() == [[1, 2, 3, 4]] * 2


def test_repeated_fits_on_any_number_of_threads_give_the_same_bits(name, make, train, fitted):
    expected = bits(fitted[name])
    takes_threads = "n_threads" in fitted[name].parameters
    before = numba.get_num_threads()
    for n_threads in (1, 2, 4):
        numba.set_num_threads(n_threads)
        try:
            model = make(name, **({"n_threads": n_threads} if takes_threads else {}))
            assert bits(model.fit(train, progress=False)) == expected
            assert numba.get_num_threads() == n_threads
        finally:
            numba.set_num_threads(before)


@pytest.mark.parametrize(
    "kind", ["Random", "ImplicitALS", "BPR", "WARP", "SampledSoftmax", "TwoTower", "BiasedMF"]
)
def test_rng_may_be_an_int_or_a_generator(kind, make, train):
    number, same, other = (
        bits(make(kind, rng=rng).fit(train, progress=False))
        for rng in (5, np.random.default_rng(5), 6)
    )
    assert number == same and number != other


SAME_BITS = """
import hashlib, sys
import numpy as np
from recsys import Interactions, make_synthetic, models
log = make_synthetic()
log = Interactions(log.user, log.item, log.time, 1 + np.arange(len(log)) % 5)
for name in sys.argv[1:]:
    for factors in (8, 17, 48):  # not whole vectors of the processor
        passes = {"iterations": 3} if name == "ImplicitALS" else {"epochs": 2}
        model = getattr(models, name)(factors, **passes).fit(log, progress=False)
        bits = model.user_factors.tobytes() + model.item_factors.tobytes()
        print(name, factors, hashlib.sha256(bits).hexdigest())
"""


def test_the_process_that_compiles_and_a_later_one_give_the_same_bits(tmp_path):
    """Code loaded from the cache has been optimised once more than code just compiled."""

    def run(names):
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / names[0])}
        command = [sys.executable, "-c", SAME_BITS, *names]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    halves = ["SampledSoftmax"], ["ImplicitALS", "BPR", "WARP", "BiasedMF"]  # of as much to compile
    with ThreadPoolExecutor(2) as threads:
        compiled, loaded = (list(threads.map(run, halves)) for _ in range(2))
    assert [len(set(lines.splitlines())) for lines in compiled] == [3, 12]
    assert loaded == compiled


def test_fit_changes_neither_its_input_nor_the_callers_arrays(name, make, train):
    columns = [train.user.copy(), train.item.copy(), train.time.copy()]
    log = Interactions(*columns)
    before = [*map(bytes, columns), log.fingerprint, log.matrix.toarray().tobytes()]
    model = make(name).fit(log, progress=False)
    model.recommend(np.arange(50), 5)
    model.score(np.arange(50))
    assert before == [*map(bytes, columns), log.fingerprint, log.matrix.toarray().tobytes()]
    assert all(column.flags.writeable for column in columns)


def test_the_order_of_the_log_changes_no_bit(name, make, train, fitted):
    shuffled = train.select(np.random.default_rng(0).permutation(len(train)))
    assert shuffled.user.tolist() != train.user.tolist()
    assert bits(make(name).fit(shuffled, progress=False)) == bits(fitted[name])


def test_the_order_of_users_only_orders_the_lists(name, fitted):
    users = np.random.default_rng(1).permutation(300)
    items, scores = fitted[name].recommend(users, 10)
    all_items, all_scores = fitted[name].recommend(np.arange(300), 10)
    assert (items == all_items[users]).all()
    np.testing.assert_allclose(scores, all_scores[users], rtol=1e-5, atol=1e-6)


def test_an_unfitted_model_raises(name, make, tmp_path):
    model = make(name)
    calls = [lambda: model.recommend(0), lambda: model.score(0), lambda: model.save(tmp_path / "x")]
    calls += [lambda: model.fold_in([[0]]), lambda: model.recommend_labels([0])]
    log = Interactions([0], [0], [0.0])
    if hasattr(model, "partial_fit"):
        calls.append(lambda: model.partial_fit(log))
    calls += [
        partial(getattr(model, method), 0)
        for method in ("similar_items", "similar_users")
        if hasattr(model, method)
    ]
    for call in calls:
        with pytest.raises(ValueError, match=f"{name} must be fitted first"):
            call()
    assert not model.is_fitted and not (tmp_path / "x").exists()


@pytest.mark.parametrize("users", [-1, 300, [0, 300], [0.5], [np.nan], ["a"], True, [[0]]])
def test_an_unknown_user_raises(name, users, fitted):
    for call in (fitted[name].recommend, fitted[name].score):
        with pytest.raises(ValueError, match="^users must"):
            call(users)


@pytest.mark.parametrize("k", [0, -1, 2.0, "3", None, True])
def test_an_invalid_k_raises(name, k, fitted):
    with pytest.raises(ValueError, match=f"^k must .* got {k!r}"):
        fitted[name].recommend(0, k)


@pytest.mark.parametrize("log", [Interactions([], []), Interactions([], [], n_users=3, n_items=3)])
def test_an_empty_log_raises(name, log, make):
    model = make(name)
    with pytest.raises(ValueError, match="^train must hold at least one interaction, got none"):
        model.fit(log)
    with pytest.raises(ValueError, match="^train must be Interactions, got ndarray"):
        model.fit(log.matrix.toarray())
    assert not model.is_fitted


def test_an_interrupted_fit_leaves_the_model_as_it_was(name, make, train, monkeypatch):
    kind = type(make(name))
    small, _ = blocks()
    fresh, old = make(name), make(name).fit(small, progress=False)
    before, held = bits(old), dict(old.__dict__)
    learn = kind._fit

    def interrupted(self, log, progress):
        learn(self, log, progress)
        raise KeyboardInterrupt

    monkeypatch.setattr(kind, "_fit", interrupted)
    for model in (fresh, old):
        with pytest.raises(KeyboardInterrupt):
            model.fit(train, progress=False)
    assert fresh.__dict__.keys() == make(name).__dict__.keys() and not fresh.is_fitted
    assert fresh.parameters == make(name).parameters
    assert old.__dict__.keys() - {"cold_items"} == held.keys() - {"cold_items"}
    assert bits(old) == before


def test_fitting_again_replaces_the_first_log(name, make, train, fitted):
    small, _ = blocks()
    model = make(name).fit(small, progress=False)
    model.recommend(0)
    assert bits(model.fit(train, progress=False)) == bits(fitted[name])


def test_save_and_load_give_the_same_model(name, fitted, tmp_path):
    fitted[name].save(tmp_path / "deep" / "bundle")
    loaded = recsys.load(str(tmp_path / "deep" / "bundle"))
    assert type(loaded) is type(fitted[name]) and bits(loaded) == bits(fitted[name])
    assert loaded.parameters == fitted[name].parameters
    assert loaded.data_fingerprint == fitted[name].data_fingerprint
    assert (loaded.n_users, loaded.n_items) == (300, 150)


def test_a_bundle_holds_arrays_and_json_and_no_pickle(name, fitted, tmp_path):
    fitted[name].save(tmp_path / "bundle")
    assert sorted(os.listdir(tmp_path / "bundle")) == ["arrays.npz", "manifest.json"]
    assert os.listdir(tmp_path) == ["bundle"]
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    assert manifest["class"] == name and manifest["version"] == recsys.__version__
    with np.load(tmp_path / "bundle" / "arrays.npz", allow_pickle=False) as arrays:
        assert all(arrays[key].dtype.kind in "iuf" for key in arrays.files)


@pytest.mark.parametrize(
    "step, there_before",
    [
        *((step, there) for step in ("savez", "write", "replace 1") for there in (False, True)),
        ("replace 2", True),  # a first save moves one folder only
        ("exchange", True),
    ],
)
def test_an_interrupted_save_leaves_the_old_bundle_or_none(
    step, there_before, fitted, make, tmp_path, monkeypatch
):
    folder = tmp_path / "bundle"
    old = make("Popularity").fit(blocks()[0])
    if there_before:
        old.save(folder)
    calls = []

    def interrupt(original, at):
        def run(*args, **kwargs):
            calls.append(original)
            if len(calls) == at:
                if step == "savez":
                    Path(args[0]).write_bytes(b"half of it")
                raise KeyboardInterrupt
            return original(*args, **kwargs)

        return run

    with monkeypatch.context() as patch:
        if step == "savez":
            patch.setattr(np, "savez", interrupt(np.savez, 1))
        elif step == "write":
            patch.setattr(Path, "write_text", interrupt(Path.write_text, 1))
        elif step == "exchange":
            patch.setattr(recsys.files, "exchanged", interrupt(recsys.files.exchanged, 1))
        else:  # as where folders cannot be exchanged in one step
            patch.setattr(recsys.files, "exchanged", lambda *_: False)
            patch.setattr(os, "replace", interrupt(os.replace, int(step[-1])))
        with pytest.raises(KeyboardInterrupt):
            fitted["ItemKNN"].save(folder)
    assert os.listdir(tmp_path) == (["bundle"] if there_before else [])
    if there_before:
        assert bits(recsys.load(folder)) == bits(old)


@pytest.mark.parametrize("kind", EXACT)
def test_folding_in_the_training_histories_gives_the_same_lists(kind, make, train):
    no_decay = {"half_life": None} if kind == "ContentBased" else {}
    model, users = make(kind, **no_decay).fit(train, progress=False), np.arange(300)
    before = bits(model)
    if kind == "UserKNN":  # one more, since each user is among the voters
        model.n_neighbors += 1
    lists = [train.item[train.user == u] for u in users]
    timed = kind in ("Markov", "Fallback")  # a matrix has no order
    for histories in (lists, train) if timed else (lists, train.matrix, train):
        folded = model.fold_in(histories)
        items, _ = folded.recommend(users, 10)
        expected, _ = model.recommend(users, 10)
        if kind == "ImplicitALS":  # solved to convergence, from another start
            np.testing.assert_allclose(folded.score(users), model.score(users), atol=2e-4)
        elif kind == "UserKNN":
            assert (items == expected).all()
        else:
            assert bits(folded) == before
    assert bits(model) == before


@pytest.mark.parametrize("kind", models.__all__)
def test_a_model_of_new_users_can_be_saved(kind, fitted, train, tmp_path):
    folded = fitted[kind].fold_in([train.matrix[17].indices, [3]])
    folded.save(tmp_path / "bundle")
    loaded = recsys.load(tmp_path / "bundle")
    assert (loaded.recommend([0, 1], 20)[0] == folded.recommend([0, 1], 20)[0]).all()
    assert (loaded.recommend(0, 20)[0] >= 0).sum() == (folded.recommend(0, 20)[0] >= 0).sum() > 5


@pytest.mark.parametrize("kind", models.__all__)
def test_new_users_are_numbered_from_zero(kind, fitted, train):
    history = train.matrix[17].indices
    folded = fitted[kind].fold_in([[], history, [3]])
    items, _ = folded.recommend([0, 1, 2], 5)
    assert (items[0] == -1).all() == fitted[kind].needs_history
    assert len(set(items[1].tolist()) & set(history.tolist())) == 0 and (items[1] >= 0).all()
    assert 3 not in items[2] and (items[2] >= 0).all()
    assert folded.n_users == 3 and fitted[kind].n_users == 300
    with pytest.raises(ValueError, match="^users must hold ids between 0 and 2, got"):
        folded.recommend(3)
    assert len(fitted[kind].fold_in([]).recommend([], 5)[0]) == 0


@pytest.mark.parametrize("kind", models.__all__)
@pytest.mark.parametrize(
    "histories",
    [
        *([[150]], [[-1]], [[0.5]], [["a"]], [0, 1], 5, ["ab"], [{1}]),
        *(np.eye(150), np.eye(150, dtype=int), np.eye(150, dtype=bool), np.array([[0, 1]])),
        sparse.csr_matrix(([1.0, 0.0], ([0, 0], [3, 4])), (1, 150)),
        *(np.eye(2, 150).tolist(), np.eye(2, 150, dtype=int).tolist()),
        *({0: [1]}, pd.DataFrame([[1, 2]]), pl.DataFrame({"a": [1, 2]})),
    ],
)
def test_a_history_of_unknown_items_raises(kind, histories, fitted):
    with pytest.raises(ValueError, match="^histories must"):
        fitted[kind].fold_in(histories)
    with pytest.raises(ValueError, match="^histories must be over n_items = 150 items, got 7"):
        fitted[kind].fold_in(Interactions([0], [1], n_items=7))
    with pytest.raises(ValueError, match="^histories must have n_items = 150 columns, got 7"):
        fitted[kind].fold_in(Interactions([0], [1], n_items=7).matrix)


def labelled_blocks():
    """The blocks with labels: users "u0", "u1", ..., items 1031, 1030, ..."""
    train, _ = blocks()
    users, items = [f"u{u}" for u in range(52)], [1031 - i for i in range(32)]
    columns = train.user, train.item, train.time, None, 52, 32
    return Interactions(*columns, user_labels=users, item_labels=items)


def test_recommend_labels_is_recommend_by_outside_names(name, make, tmp_path):
    model = make(name).fit(labelled_blocks(), progress=False)
    items, scores = model.recommend([40, 3], 30)
    expected = [
        (f"u{user}", rank + 1, 1031 - item, score)
        for user, row, values in zip([40, 3], items.tolist(), scores.tolist())
        for rank, (item, score) in enumerate(zip(row, values))
        if item >= 0
    ]
    frame = model.recommend_labels(["u40", "u3"], 30)
    assert list(frame.columns) == ["user", "rank", "item", "score"]
    assert list(frame.itertuples(index=False, name=None)) == expected
    model.save(tmp_path / "bundle")
    loaded = recsys.load(tmp_path / "bundle")
    assert loaded.recommend_labels(["u40", "u3"], 30).equals(frame)
    for labels in (np.array(["u40", "u3"]), (label for label in ["u40", "u3"])):
        again = model.recommend_labels(labels, 30)
        assert again.equals(frame) and {type(user) for user in again["user"]} <= {str}
    with pytest.raises(ValueError, match="^unknown user 'u52'; known are 'u0', 'u1', 'u2', ..."):
        loaded.recommend_labels(["u1", "u52"])


@pytest.mark.parametrize("kind", models.__all__)
def test_a_log_of_histories_that_numbers_items_otherwise_is_refused(kind, make, tmp_path):
    """The same sizes, other meanings; also for a bundle, and for a model of new users."""
    log = labelled_blocks()
    columns = log.user, log.item, log.time, log.value, log.n_users, log.n_items
    other = Interactions(*columns, item_labels=log.item_labels[::-1])
    alike = Interactions(*columns, user_labels=range(log.n_users), item_labels=log.item_labels)
    model = make(kind).fit(log, progress=False)
    folded = model.fold_in(alike)
    folded.save(tmp_path / "model")
    message = "^the training log and histories must number the same items alike, got 1031 and"
    for each in (model, folded, recsys.load(tmp_path / "model")):
        with pytest.raises(ValueError, match=message):
            each.fold_in(other)
    assert folded.recommend_labels([3], 1)["item"].isin(log.item_labels).all()


def test_parameters_are_checked_when_given():
    """Every invalid value of every parameter of every model."""
    wrong = {
        "factors": [0, -1, 2.5, "8", None], "iterations": [-1, 1.5, None], "epochs": [-1, 1.5],
        "cg_steps": [0, 1.5], "momentum": [-0.1, 1.0], "max_trials": [0, -1, 1.5],
        "n_negatives": [0, -1, 1.5], "correction": [1, 0.0, "yes", None],
        "negatives": ["popularity", "", 1, None],
        "n_neighbors": [0, -1, 1.5], "n_threads": [0, -2, 1.5],
        "alpha": [-1, np.nan, np.inf, "1", None], "reg": [-0.1, np.nan, np.inf],
        "reg_exponent": [-1, 3, np.nan], "shrinkage": [-1, np.nan], "half_life": [0, -1, np.inf],
        "learning_rate": [0, -1, np.nan], "rng": [-1, 1.5, None, "a", True],
        "gravity": [-1, np.nan, np.inf, None], "content_weight": [-0.1, 1.5, np.nan, "1", None],
        "min_support": [-0.1, 1.5, np.nan, "1", None], "min_confidence": [-0.1, 1.5, np.nan],
        "measure": ["cosine", "", 1, None],
        "item_features": [5, "genre", [1.0, 2.0], [["a"]], [[np.nan]], [[1e39]]],
        "user_features": [5, "age", [1.0, 2.0], [["a"]], [[np.nan]], [[1e39]]],
        "hidden": [0, -1, 1.5, "8"], "mask_seen": [1, 0.0, "yes", None],
    }  # fmt: skip
    for name in models.__all__:
        kind = getattr(models, name)
        for parameter in inspect.signature(kind).parameters.keys() - {"models"}:
            needed = {"item_features": [[1.0]]} if name == "ContentBased" else {}
            for value in wrong[parameter]:
                with pytest.raises(ValueError, match=f"^{parameter} must .*, got"):
                    kind(**needed | {parameter: value})


def test_errors_name_what_a_log_lacks(make):
    timeless = Interactions([0, 1], [0, 1])
    for name in ("Trending", "HackerNewsHot", "RedditHot", "Markov"):
        with pytest.raises(ValueError, match=f"train.time must be given for {name}, got None"):
            make(name).fit(timeless)
    with pytest.raises(ValueError, match="train.time must be given for a half_life, got None"):
        make("ContentBased").fit(timeless)
    negative = Interactions([0, 1], [0, 1], value=[1, -2])
    with pytest.raises(ValueError, match="value must be at least 0 for ImplicitALS, got .*-2"):
        make("ImplicitALS").fit(negative)


@pytest.mark.parametrize(
    "users, found",
    [
        ({0, 1}, "a set"),
        ((u for u in (0, 1)), "a generator"),
        (map(int, "01"), "a map"),
        ("01", "a str"),
        ({0: 1}, "a dict"),
    ],
)
def test_users_are_a_number_or_a_sequence(users, found, fitted):
    for call in (fitted["Popularity"].recommend, fitted["Popularity"].score):
        with pytest.raises(ValueError, match=f"^users must be a sequence of ids, got {found}$"):
            call(users)


def compiled_versions():
    """Number of compiled versions of each loop of the library, by name."""
    modules = [module for name, module in sys.modules.items() if name.startswith("recsys.")]
    found = [value for module in modules for value in vars(module).values()]
    loops = [value for value in found if hasattr(value, "py_func")]
    loops = [
        inspect.getclosurevars(f).nonlocals["threaded"] if inspect.isfunction(f) else f
        for f in loops
    ]
    assert len(loops) > 20
    return {str(loop): len(loop.signatures) for loop in loops}


def test_saved_and_folded_in_models_compile_nothing_again(name, make, train, tmp_path):
    """Their arrays are read-only too: a loop for writeable ones would be another."""
    model = make(name).fit(train, progress=False)
    model.recommend([0, 1], 5)
    once = compiled_versions()
    model.save(tmp_path / "bundle")
    recsys.load(tmp_path / "bundle").recommend([0, 1], 5)
    assert compiled_versions() == once
    model.fold_in(train).recommend([0, 1], 5)
    once = compiled_versions()
    if name not in ("Markov", "Fallback"):  # a matrix has no order
        model.fold_in(train.matrix).recommend([0, 1], 5)
    model.fold_in([[1, 2], [3]]).recommend([0, 1], 5)
    assert compiled_versions() == once
