"""SparkALS: its objective against NumPy, the contract of the models, files, and what is missing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import recsys
from recsys import Interactions, make_synthetic
from recsys.models import ImplicitALS
from recsys.spark import SparkALS
from recsys.spark_session import spark_session

MASTER = "local[1]"
ALPHA, REG = 2.0, 2.0


@pytest.fixture(scope="module", autouse=True)
def session():
    """One session for all tests: starting one takes seconds."""
    with spark_session(MASTER, "1g") as running:
        running.conf.set("spark.sql.shuffle.partitions", "2")
        yield running


def spark_als(**parameters):
    return SparkALS(**{"factors": 2, "master": MASTER, "blocks": 2, "memory": "1g"} | parameters)


def weighted_log():
    """Two groups and some noise; users 5 and 30 and item 7 have no rows; rows repeat."""
    rng = np.random.default_rng(1)
    user, own = rng.integers(0, 30, 400), rng.random(400) < 0.9
    item = 2 * (10 * rng.random(400) ** 1.3).astype(int) + (user % 2 == own)
    keep = (user != 5) & (item != 7)
    value = rng.integers(1, 5, 400)
    return Interactions(user[keep], item[keep], None, value[keep], n_users=31, n_items=20)


def regular_log():
    """Two groups; 24 users with 5 items each, 12 items with 10 users each."""
    user = np.repeat(np.arange(24), 5)
    item = 2 * ((user // 2 + np.tile(np.arange(5), 24)) % 6) + user % 2
    return Interactions(user, item, None, np.random.default_rng(0).integers(1, 6, 120))


@pytest.fixture(scope="module")
def log():
    return weighted_log()


@pytest.fixture(scope="module")
def fitted(log, session):
    return spark_als(alpha=ALPHA, reg=REG, iterations=10).fit(log, progress=False)


def solved(Y, R):
    """The minimiser X for fixed Y of sum c (p - xy)^2 + REG sum n_u |x_u|^2, in float64."""
    X = np.zeros((len(R), Y.shape[1]))
    for u in np.flatnonzero(R.any(axis=1)):
        c, p = 1 + ALPHA * R[u], (R[u] > 0).astype(float)
        A = (Y.T * c) @ Y + REG * p.sum() * np.eye(Y.shape[1])
        X[u] = np.linalg.solve(A, Y.T @ (c * p))
    return X


def objective(model, R):
    X, Y = model.user_factors.astype(float), model.item_factors.astype(float)
    c, p = 1 + ALPHA * R, (R > 0).astype(float)
    penalty = p.sum(axis=1) @ (X**2).sum(axis=1) + p.sum(axis=0) @ (Y**2).sum(axis=1)
    return (c * (p - X @ Y.T) ** 2).sum() + REG * penalty


def test_users_solve_the_normal_equations(fitted, log):
    R = log.matrix.toarray().astype(float)
    expected = solved(fitted.item_factors.astype(float), R)
    np.testing.assert_allclose(fitted.user_factors, expected, atol=2e-6)
    assert np.abs(expected).max() > 0.2


def test_items_solve_the_normal_equations_once_converged(fitted, log):
    R = log.matrix.toarray().astype(float)
    expected = solved(fitted.user_factors.astype(float), R.T)
    np.testing.assert_allclose(fitted.item_factors, expected, atol=2e-4)


def test_loss_is_the_objective_with_penalties_by_count(fitted, log):
    assert fitted.loss(log) == pytest.approx(objective(fitted, log.matrix.toarray()), rel=1e-6)


def test_spark_and_our_loops_reach_the_same_minimum(fitted, log):
    ours = spark_als(alpha=ALPHA, reg=REG, iterations=20, master=None).fit(log, progress=False)
    assert ours.loss(log) == pytest.approx(fitted.loss(log), rel=1e-5)
    everyone = np.flatnonzero(np.diff(log.matrix.indptr))
    known = np.flatnonzero(np.bincount(log.item, minlength=log.n_items))
    gap = ours.score(everyone)[:, known] - fitted.score(everyone)[:, known]
    assert np.abs(gap).max() < 1e-3


def test_equal_row_counts_give_the_objective_of_implicit_als():
    """reg' = reg sqrt(5 * 10), and vectors of another length."""
    log = regular_log()
    assert set(np.bincount(log.user)) == {5} and set(np.bincount(log.item)) == {10}
    assert log.matrix.nnz == len(log)
    spark = spark_als(alpha=ALPHA, reg=REG, iterations=10).fit(log, progress=False)
    same = ImplicitALS(2, ALPHA, REG * np.sqrt(5 * 10), iterations=20).fit(log, progress=False)
    assert spark.loss(log) == pytest.approx(same.loss(log), rel=1e-5)
    users = np.arange(24)
    np.testing.assert_allclose(spark.score(users), same.score(users), atol=5e-4)
    scale = np.linalg.norm(same.user_factors) / np.linalg.norm(spark.user_factors)
    assert scale == pytest.approx((5 / 10) ** 0.25, rel=1e-3)


def test_a_large_alpha_gives_the_objective_of_exponent_one():
    log = make_synthetic(n_users=60, n_items=40, n_interactions=900, rng=2)
    log = Interactions(log.user, log.item, None, None, 60, 40)
    pairs = np.unique(np.column_stack([log.user, log.item]), axis=0)
    log = Interactions(*pairs.T, None, None, 60, 40)
    alpha, reg = 1e4, 500.0
    spark = spark_als(alpha=alpha, reg=reg, iterations=30, master=None).fit(log, progress=False)
    ours = ImplicitALS(2, alpha, reg / alpha, 1.0, iterations=30).fit(log, progress=False)
    assert spark.loss(log) == pytest.approx(ours.loss(log), rel=5e-3)


def test_rows_of_a_pair_are_summed(log, fitted):
    pairs = log.matrix.tocoo()
    once = Interactions(pairs.row, pairs.col, None, pairs.data, 31, 20)
    again = spark_als(alpha=ALPHA, reg=REG, iterations=10).fit(once, progress=False)
    assert len(once) < len(log)
    assert (again.user_factors == fitted.user_factors).all()


def test_the_same_rng_gives_the_same_bits_and_another_rng_others(log):
    first, same, other = (
        spark_als(iterations=3, rng=rng).fit(log, progress=False).item_factors
        for rng in (5, np.random.default_rng(5), 6)
    )
    assert first.tobytes() == same.tobytes() and np.abs(first - other).max() > 1e-4


def test_missing_items_of_the_block_are_recommended():
    """Two groups of users and items; each user's list is the own group's items not yet seen."""
    user, item = np.divmod(np.arange(26 * 16), 16)
    own = (user >= 12) == (item >= 8)
    held_out = own & ((user + 3 * item) % 4 == 0)
    train = Interactions(user[own & ~held_out], item[own & ~held_out], n_users=26, n_items=16)
    model = spark_als(iterations=8).fit(train, progress=False)
    items, scores = model.recommend(np.arange(26), 2)
    for u in range(26):
        assert set(items[u].tolist()) == set(item[held_out & (user == u)].tolist())
    assert (items.dtype, scores.dtype) == (np.int32, np.float32)
    assert (model.recommend(0, 16)[0][10:] == -1).all()


def test_users_and_items_without_rows_are_as_in_implicit_als(log, fitted):
    ours = ImplicitALS(2).fit(log, progress=False)
    for model in (fitted, ours):
        assert model.user_factors.shape == (31, 2) and model.item_factors.shape == (20, 2)
        assert model.user_factors.dtype == model.item_factors.dtype == np.float32
        assert np.abs(model.user_factors[[5, 30]]).max() < 1e-6
        assert np.abs(model.item_factors[7]).max() < 1e-6
        assert model.recommend(30, 3)[0].tolist() == [-1, -1, -1]
        assert np.isneginf(model.score(0)).nonzero()[0].tolist() == [7]
        assert 7 not in model.recommend(0, 20, exclude_seen=False)[0]


def test_seen_items_are_left_out(log, fitted):
    items, _ = fitted.recommend(np.arange(31), 20)
    for user in range(31):
        assert not set(items[user].tolist()) & set(log.matrix[user].indices.tolist())


def test_folding_in_the_history_gives_the_vectors_of_the_fit(log, fitted):
    folded = fitted.fold_in(log.matrix)
    np.testing.assert_allclose(folded.user_factors, fitted.user_factors, atol=1e-4)


def test_contributions_of_the_history_sum_to_the_score(log, fitted):
    items, parts = fitted.explain(3, 2, k=20)
    assert (items >= 0).sum() == np.diff(log.matrix.indptr)[3]
    assert parts.sum() == pytest.approx(fitted.score(3)[2], abs=1e-4)


WITHOUT = """
import sys
import numpy as np
sys.modules["pyspark"] = sys.modules["py4j"] = None  # cannot be imported
import recsys
from recsys.models import ImplicitALS
model = recsys.load(sys.argv[1])
assert isinstance(model, ImplicitALS)
np.savez(sys.argv[2], items=model.recommend_labels(["u3", "u4"], 6)["item"].to_numpy(),
         folded=model.fold_in([[0, 1, 2]]).user_factors, factors=model.item_factors)
try:
    model.fit(recsys.make_synthetic(), progress=False)
except ImportError as error:
    print(error)
"""


def test_a_bundle_is_served_as_implicit_als_without_spark(log, tmp_path):
    columns = log.user, log.item, None, log.value, 31, 20
    labels = [f"u{u}" for u in range(31)], list(range(100, 120))
    model = spark_als(iterations=2).fit(Interactions(*columns, *labels), progress=False)
    model.save(tmp_path / "bundle")
    command = [sys.executable, "-c", WITHOUT, str(tmp_path / "bundle"), str(tmp_path / "found.npz")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (
        "recsys.spark needs Spark, which is not installed: pip install -e '.[spark]'\n"
    )
    found = np.load(tmp_path / "found.npz")
    expected = model.recommend_labels(["u3", "u4"], 6)["item"]
    assert found["items"].tolist() == expected.tolist() and min(found["items"]) >= 100
    assert (found["factors"] == model.item_factors).all()
    assert (found["folded"] == model.fold_in([[0, 1, 2]]).user_factors).all()
    loaded = recsys.load(tmp_path / "bundle")
    assert loaded.parameters == model.parameters and loaded.master == MASTER


def files(log, folder):
    """The rows as Parquet and as CSV, with item ids that leave gaps."""
    frame = pd.DataFrame({"who": log.user, "what": 1000 + 7 * log.item, "often": log.value})
    frame.to_parquet(folder / "log.parquet")
    frame.to_csv(folder / "log.csv", index=False)
    return [folder / "log.parquet", folder / "log.csv"]


def test_items_learned_from_files_serve_folded_in_users(log, tmp_path):
    known = np.setdiff1d(np.arange(20), [7])
    histories = log.matrix[:, known]
    models = []
    for path in files(log, tmp_path):
        model = spark_als(alpha=ALPHA, reg=REG, iterations=10)
        models.append(model.fit_path(path, user="who", item="what", value="often"))
        assert model.item_labels == (1000 + 7 * known).tolist() and model.n_users == 0
        R = histories.toarray().astype(float)
        found = model.fold_in(histories)
        expected = solved(model.item_factors.astype(float), R)
        np.testing.assert_allclose(found.user_factors, expected, atol=1e-4)
        again = solved(expected, R.T)
        np.testing.assert_allclose(model.item_factors, again, atol=2e-4)
    assert models[0].data_fingerprint == models[1].data_fingerprint
    models[0].save(tmp_path / "bundle")
    loaded = recsys.load(tmp_path / "bundle").fold_in(histories)
    items, scores = loaded.recommend([0, 3], 5)
    assert (items == models[0].fold_in(histories).recommend([0, 3], 5)[0]).all()
    assert (items >= 0).all() and np.isfinite(scores).all()


def test_many_sweeps_need_a_checkpoint_folder(log, session, tmp_path, monkeypatch):
    monkeypatch.setattr(type(session.sparkContext), "getCheckpointDir", lambda self: None)
    model = spark_als(iterations=21)
    message = "^iterations must be at most 20 in a session without checkpoints, got 21: call sess"
    with pytest.raises(ValueError, match=message):
        model.fit(log, progress=False)


def test_files_without_values_count_their_rows(log, tmp_path):
    path = files(log, tmp_path)[0]
    model = spark_als(alpha=ALPHA, reg=REG).fit_path(path, user="who", item="what")
    counted = Interactions(log.user, log.item, None, None, 31, 20)
    R = counted.matrix.toarray()[:, np.setdiff1d(np.arange(20), [7])].astype(float)
    expected = solved(model.item_factors.astype(float), R)
    np.testing.assert_allclose(
        model.fold_in(sparse.csr_matrix(R)).user_factors, expected, atol=1e-4
    )


@pytest.mark.parametrize(
    "columns, message",
    [
        ({"user": "nobody"}, "user must be one of .*who.*, got 'nobody'"),
        ({"item": "name"}, "item must hold whole numbers, got string in 'name'"),
        ({"value": "zero"}, "value must be above 0 for SparkALS, got 0"),
        ({"value": "gaps"}, "path must hold rows without gaps, got 3 rows, 1 with gaps"),
        ({"user": "large"}, "user must be at most 2147483647, got 3000000000"),
    ],
)
def test_files_that_cannot_be_learned_from_are_refused(columns, message, tmp_path):
    frame = pd.DataFrame(
        {
            "who": [0, 1, 2], "what": [3, 4, 5], "name": ["a", "b", "c"], "zero": [1.0, 0.0, 1.0],
            "gaps": [1.0, None, 2.0], "large": [1, 2, 3_000_000_000],
        }
    )  # fmt: skip
    frame.to_parquet(tmp_path / "log.parquet")
    model = spark_als()
    with pytest.raises(ValueError, match=f"^{message}"):
        model.fit_path(tmp_path / "log.parquet", **{"user": "who", "item": "what"} | columns)
    assert not model.is_fitted


def test_invalid_arguments_are_refused(log):
    for parameters in (
        *({"reg": 0}, {"reg": -1.0}, {"blocks": 0}, {"blocks": 2.5}, {"master": 4}, {"memory": 2}),
        *({"factors": 0}, {"alpha": -1}, {"iterations": -1}, {"rng": None}),
    ):
        (name,) = parameters
        with pytest.raises(ValueError, match=f"^{name} must .*, got"):
            spark_als(**parameters)
    for value in (0, -1):
        columns = log.user, log.item, None, np.where(log.user == 3, value, 1.0)
        with pytest.raises(ValueError, match="^value must be above 0 for SparkALS, got"):
            spark_als().fit(Interactions(*columns), progress=False)
    with pytest.raises(ValueError, match="^master must be 'local.1.', as of the running session"):
        spark_als(master="local[2]").fit(log, progress=False)
    with pytest.raises(ValueError, match="^master must be a Spark master to read files, got None"):
        spark_als(master=None).fit_path("nowhere.parquet")


def test_an_interrupted_fit_leaves_the_model_as_it_was(log, fitted, monkeypatch):
    model = spark_als(iterations=2).fit(log, progress=False)
    before = model.user_factors.copy()
    monkeypatch.setattr(
        SparkALS, "_spark_model", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        model.fit(make_synthetic(), progress=False)
    assert model.n_users == 31 and (model.user_factors == before).all()


RUN = """
import sys
import recsys
from recsys.spark import SparkALS
try:
    SparkALS(2, iterations=1, master=sys.argv[1], blocks=1, memory="512m").fit(
        recsys.make_synthetic(n_users=20, n_items=10, n_interactions=100), progress=False)
except Exception as error:
    print(type(error).__name__, error)
"""


def run(master, folder, **environment):
    """Output of a fit in a process of its own, whose temporary files lie in a folder."""
    (folder / "tmp").mkdir()
    options = f"-Djava.io.tmpdir={folder / 'tmp'} -XX:-UsePerfData"
    environment = os.environ | {
        "TMPDIR": str(folder / "tmp"), "SPARK_LOCAL_DIRS": str(folder / "tmp"),
        "SPARK_SUBMIT_OPTS": options, "PYTHONPATH": str(Path(recsys.__file__).parents[1]),
    } | environment  # fmt: skip
    command = [sys.executable, "-c", RUN, master]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_a_missing_java_is_named(tmp_path):
    done = run(MASTER, tmp_path, JAVA_HOME=str(tmp_path))
    assert done.stdout == (
        "RuntimeError recsys.spark needs Java 17 or newer, which was not found: install it, and "
        "set JAVA_HOME if `java` is not on the PATH\n"
    )


def test_a_fit_prints_nothing_and_leaves_no_files(tmp_path):
    done = run(MASTER, tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    left = wait_until_empty(tmp_path / "tmp")
    assert left == [] and [path.name for path in tmp_path.iterdir()] == ["tmp"]


def wait_until_empty(folder):
    """What is left a while after the process ended: Java clears up behind it."""
    for _ in range(100):
        if not (left := list(folder.iterdir())):
            break
        time.sleep(0.1)
    return left
