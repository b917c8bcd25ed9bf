"""Validation: invalid arguments raise a ValueError that names the argument.

The errors of the models' contract and of single models are tested there; these are the others.
"""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

import recsys
from recsys import Interactions, evaluate, leaderboard, make_synthetic, metrics, models
from recsys.bootstrap import bootstrap_means, bootstrap_ratios, interval
from recsys.models.hot import hacker_news_score, reddit_hot_score
from recsys.retrieval import top_k
from recsys.split import (
    keep_known_items,
    last_fraction,
    leave_last_out,
    temporal_fold_in,
    temporal_split,
)
from recsys.text import TfIdf, multi_hot, row_lengths, tokenize, unit_rows

TRAIN = Interactions([0, 0, 1, 1], [0, 1, 1, 2], [1, 2, 3, 4])
TEST = Interactions([0, 1], [2, 0], [5, 6], n_items=3)
MODEL = models.Popularity().fit(TRAIN)
FRAME = pd.DataFrame({"u": ["a", "b"], "i": [1, 2]})
RAGGED = [[1], [1, 2]]

INVALID = {
    # interactions
    "item_info['title'] must have n_items = 1 entries, got x": lambda: Interactions(
        [0], [0], item_info={"title": "x"}
    ),
    "item_info must map names to columns, got ['a']": lambda: Interactions(
        [0], [0], item_info=["a"]
    ),
    "user_labels must be a sequence of labels, got 5": lambda: Interactions(
        [0], [0], user_labels=5
    ),
    "user must have rows of one length, got": lambda: Interactions(RAGGED, [0]),
    "value must have rows of one length, got": lambda: Interactions([0], [0], value=RAGGED),
    "rows must be one-dimensional, got shape ()": lambda: TRAIN.select(0),
    "rows must be one-dimensional, got shape (1, 1)": lambda: TRAIN.select([[0]]),
    "labels must be a sequence of labels, got None": lambda: TRAIN.user_ids(None),
    "labels must be a sequence of labels, got 5": lambda: TRAIN.item_ids(5),
    "frame must be a pandas or polars DataFrame, got dict": lambda: Interactions.from_frame(
        {"u": [1]}, "u", "i"
    ),
    "user must be one of ['u', 'i'], got None": lambda: Interactions.from_frame(FRAME, None, "i"),
    "item must be one of ['u', 'i', 'i'], got 'i' more than once": lambda: Interactions.from_frame(
        pd.DataFrame([[1, 2, 3]], columns=["u", "i", "i"]), "u", "i"
    ),
    "user labels must be hashable and of one type": lambda: Interactions.from_frame(
        pl.DataFrame({"u": [[1], [2]], "i": [1, 2]}), "u", "i"
    ),
    "separator must be one character, got '::'": lambda: Interactions.from_csv(
        "log.csv", "u", "i", separator="::"
    ),
    "separator must be one character, got None": lambda: Interactions.from_csv(
        "log.csv", "u", "i", separator=None
    ),
    # splits and data sets
    "data must be Interactions, got DataFrame": lambda: leave_last_out(FRAME),
    "data must be Interactions, got NoneType": lambda: last_fraction(None),
    "data must be Interactions, got ndarray": lambda: temporal_split(np.eye(2)),
    "data must be Interactions, got str": lambda: temporal_fold_in("log"),
    "logs must be Interactions, got list": lambda: keep_known_items([TRAIN, TEST]),
    "logs must be at least one, got none": keep_known_items,
    "repeats must be True or False, got 2": lambda: make_synthetic(repeats=2),
    "name must be one of [": lambda: recsys.load_movielens(["100k"]),
    # models
    "exclude_seen must be True or False, got 'no'": lambda: MODEL.recommend(0, 1, "no"),
    "users must have rows of one length, got": lambda: MODEL.recommend(RAGGED),
    "folder must be a path, got None": lambda: MODEL.save(None),
    "folder must be a path, got 5": lambda: recsys.load(5),
    "data must be Interactions, got None": lambda: als().loss(None),
    "data must have 2 users and 3 items, got": lambda: als().loss(Interactions([0], [9])),
    # evaluation
    "model must be a model, like Popularity(), got None": lambda: evaluate(None, TRAIN, TEST),
    "model must be a model, like Popularity(), got <class": lambda: evaluate(
        models.Popularity, TRAIN, TEST
    ),
    "item_features must be a matrix of numbers, got shape ()": lambda: evaluate(
        MODEL, TRAIN, TEST, item_features="genre"
    ),
    "item_features must be finite, got nan": lambda: evaluate(
        MODEL, TRAIN, TEST, item_features=np.eye(3) * np.nan
    ),
    "item_features must have n_items = 3 rows, got shape (2, 1)": lambda: evaluate(
        MODEL, TRAIN, TEST, item_features=[[1], [0]]
    ),
    "models must be a list of models or of (name, model), got Pop": lambda: leaderboard(
        MODEL, TRAIN, TEST
    ),
    "models must be a list of models or of (name, model), got {": lambda: leaderboard(
        {"a": MODEL}, TRAIN, TEST
    ),
    "models must hold models or (name, model), got (5, ": lambda: leaderboard(
        [(5, MODEL)], TRAIN, TEST
    ),
    "model must be a model, like Popularity(), got 'Popularity'": lambda: leaderboard(
        ["Popularity"], TRAIN, TEST
    ),
    "metric must be one of [": lambda: leaderboard([MODEL], TRAIN, TEST, metric=["ndcg"]),
    "baseline must be one of ['Popularity'], got []": lambda: leaderboard(
        [MODEL], TRAIN, TEST, baseline=[]
    ),
    "values must be a matrix of numbers, got shape (2,)": lambda: bootstrap_means(np.ones(2)),
    "rng must be at least 0, got -1": lambda: bootstrap_means(np.ones((2, 1)), rng=-1),
    "level must be finite and at least 0 and at most 1, got 95": lambda: interval(
        np.ones((2, 1)), 95
    ),
    "counts must have the shape of sums, (2, 1), got (1, 1)": lambda: bootstrap_ratios(
        np.ones((2, 1)), np.ones((1, 1))
    ),
    "sums must be a matrix of numbers, got shape (2,)": lambda: bootstrap_ratios([1, 2], [1, 2]),
    # metrics
    "recommended must be one list per user, got None": lambda: metrics.hit_at_k(None, [{1}], 1),
    "recommended must be one list per user, got 'ab'": lambda: metrics.hit_at_k("ab", [{1}], 1),
    "recommended must be one list per user, got 1": lambda: metrics.hit_at_k([1], [{1}], 1),
    "recommended must be one list per user, got [[1]]": lambda: metrics.hit_at_k([[[1]]], [{1}], 1),
    "recommended must hold ids from 0 to 2147483647, or -1 if short, got -2": (
        lambda: metrics.hit_at_k([[1, -2]], [{1}], 2)
    ),
    "relevant must be one set of items per user, got None": lambda: metrics.hit_at_k(
        [[1]], None, 1
    ),
    "scores must have one entry per row, shape (1,), got ()": lambda: metrics.auc(1, 0.5),
    "expected must have 2 or more columns, got shape (1, 1)": lambda: metrics.serendipity(
        LISTS, [{1}], [[0]]
    ),
    "expected must have one list per user, shape (1, 2 or more), got shape (2, 2)": lambda: (
        metrics.serendipity(LISTS, [{1}], [[0, 1], [0, 1]])
    ),
    "expected must be a matrix of numbers, got shape (2,)": lambda: metrics.serendipity(
        LISTS, [{1}], [0, 1]
    ),
    "expected must hold item ids, got values of type float64": lambda: metrics.serendipity(
        LISTS, [{1}], [[0, np.nan]]
    ),
    "recommended must have 1 or more columns, got shape (1, 0)": lambda: metrics.serendipity(
        [[]], [{1}], LISTS
    ),
    "item_features must be finite and at least 0, got -1": lambda: calibration(-np.eye(3)),
    "item_features must be finite and at least 0, got -2": lambda: calibration(
        sparse.csc_matrix(-2 * np.eye(3))
    ),
    "history must have the rows of recommended and one column per item, shape (1, 3), got (1, 2)": (
        lambda: calibration(np.eye(3), history=np.ones((1, 2)))
    ),
    "history must have the rows of recommended and one column per item, shape (1, 3), got (2, 3)": (
        lambda: calibration(np.eye(3), history=sparse.csr_matrix((2, 3)))
    ),
    "history must be a matrix of numbers, got shape ()": lambda: calibration(
        np.eye(3), history=None
    ),
    "history must be finite, got nan": lambda: calibration(np.eye(3), history=[[1, np.nan, 0]]),
    "actual must have rows of one length, got": lambda: metrics.rmse([1], RAGGED),
    "scores must be a matrix of numbers, got shape (1, 1) of type <U1": lambda: top_k([["a"]], 1),
    "scores must have rows of one length, got": lambda: top_k(RAGGED, 1),
    # hot scores
    "votes and age_hours must have shapes that broadcast, got [(2,), (3,)]": (
        lambda: hacker_news_score([1, 2], [1, 2, 3])
    ),
    "ups and downs and time must have shapes that broadcast, got [(2,), (), (3,)]": (
        lambda: reddit_hot_score([1, 2], 0, [1, 2, 3])
    ),
    # text
    "text must be a str, got None": lambda: tokenize(None),
    "text must be a str, got b'ab'": lambda: tokenize(b"ab"),
    "stop_words must be a sequence of words, got None": lambda: TfIdf(stop_words=None),
    "stop_words must be words in lower case, got 'The'": lambda: TfIdf(stop_words=["The"]),
    "labels must be a sequence of texts, got 'A|B'": lambda: multi_hot("A|B"),
    "labels must be a sequence of texts, got None": lambda: multi_hot(None),
    "labels must all be str, got nan in row 1": lambda: multi_hot(["A", np.nan]),
    "labels must all be str, got ['A', 'B'] in row 0": lambda: multi_hot([["A", "B"]]),
    "separator must be one character or more, got None": lambda: multi_hot(["A"], None),
    "matrix must be a matrix of numbers, got shape (2,)": lambda: unit_rows(np.ones(2)),
    "matrix must be a matrix of numbers, got shape ()": lambda: row_lengths(None),
    "matrix must be finite, got nan": lambda: unit_rows([[np.nan, 1.0]]),
}

LISTS = [[0, 2]]
ONE = sparse.csr_matrix([[1.0, 0, 0]])  # a history of item 0
BEYOND = {
    "coverage": lambda lists: metrics.coverage(lists, 3),
    "gini": lambda lists: metrics.gini(lists, 3),
    "popularity_bias": lambda lists: metrics.popularity_bias(lists, [1, 1, 1], 2),
    "novelty": lambda lists: metrics.novelty(lists, [1, 1, 1], 2),
    "intra_list_diversity": lambda lists: metrics.intra_list_diversity(lists, np.eye(3)),
    "serendipity": lambda lists: metrics.serendipity(lists, [{1}], LISTS),
    "calibration": lambda lists: calibration(np.eye(3), lists),
}
NO_LISTS = {
    "hold item ids, got values of type float64": [[0.0, np.nan]],
    "hold item ids, got values of type float32": np.ones((1, 2), np.float32),
    "hold item ids, got values of type bool": [[True, False]],
    "be a matrix of numbers, got shape () of type object": None,
    "be a matrix of numbers, got shape (2,) of type int": [0, 1],
    "be a matrix of numbers, got shape (1, 1, 1)": [[[0]]],
    "be a matrix of numbers, got shape (1, 1) of type <U1": [["a"]],
    "have rows of one length, got [[1], [1, 2]]": RAGGED,
}
NO_COUNTS = {
    "item_users must be finite and at least 0, got -1": ([1, -1, 2], 2),
    "item_users must be finite and at least 0, got nan": ([1, np.nan, 2], 2),
    "item_users must be at most n_users = 2, got 3": ([1, 3, 2], 2),
    "item_users must have one count per item, got shape ()": (None, 2),
    "item_users must have one count per item, got shape (1, 3)": ([[1, 1, 2]], 2),
    "item_users must have one count per item, got shape (0,)": ([], 2),
    "item_users must have rows of one length, got": (RAGGED, 2),
    "item_users must hold numbers, got ": (["a", "b", "c"], 2),
    "recommended must hold ids from 0 to 1, or -1 if short, got 2": ([1, 1], 2),
    "n_users must be at least 1, got 0": ([0, 0, 0], 0),
    "n_users must be at least 1, got -1": ([0, 0, 0], -1),
    "n_users must be a whole number, got 2.5": ([0, 0, 0], 2.5),
}
NO_FEATURES = {
    "item_features must be a matrix of numbers, got shape (3,)": [1, 1, 1],
    "item_features must be a matrix of numbers, got shape ()": None,
    "item_features must have rows of one length, got": RAGGED,
    "item_features must be finite": np.full((3, 2), np.inf),
    "item_features must have at least one row and one column, got shape (3, 0)": np.ones((3, 0)),
    "item_features must have at least one row and one column, got shape (0, 3)": (
        sparse.csr_matrix((0, 3))
    ),
    "recommended must hold ids from 0 to 1, or -1 if short, got 2": np.eye(2),
}


def calibration(features, lists=LISTS, history=ONE):
    return metrics.calibration(lists, history, features)


def als():
    return models.ImplicitALS(factors=2).fit(TRAIN, progress=False)


@pytest.mark.parametrize("message", INVALID)
def test_error_names_the_argument(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        INVALID[message]()


@pytest.mark.parametrize("message", NO_LISTS)
@pytest.mark.parametrize("metric", BEYOND)
def test_beyond_accuracy_refuses_invalid_lists(metric, message):
    with pytest.raises(ValueError, match=f"^recommended must {re.escape(message)}"):
        BEYOND[metric](NO_LISTS[message])


@pytest.mark.parametrize("metric", BEYOND)
def test_beyond_accuracy_refuses_ids_outside_the_catalogue(metric):
    most = 2**31 - 1 if metric == "serendipity" else 2  # which does not know the catalogue
    for wrong in (-2, most + 1):
        message = f"recommended must hold ids from 0 to {most}, or -1 if short, got {wrong}"
        with pytest.raises(ValueError, match=f"^{message}$"):
            BEYOND[metric]([[0, wrong]])


@pytest.mark.parametrize("message", NO_COUNTS)
@pytest.mark.parametrize("metric", [metrics.novelty, metrics.popularity_bias])
def test_user_counts_are_checked(metric, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        metric(LISTS, *NO_COUNTS[message])


@pytest.mark.parametrize("message", NO_FEATURES)
@pytest.mark.parametrize("metric", [metrics.intra_list_diversity, lambda _, f: calibration(f)])
def test_item_features_are_checked(metric, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        metric(LISTS, NO_FEATURES[message])


def test_beyond_accuracy_accepts_all_number_types():
    """Small integer types do not overflow; features may be CSC, bool or lists."""
    counts = np.array([100, 0, 50], np.int8)
    assert metrics.popularity_bias(LISTS, counts, 1000) == pytest.approx(0.075)
    assert metrics.novelty(LISTS, counts, 1000)[0] == pytest.approx(np.log2(200) / 2)
    for features in (np.eye(3, dtype=bool), sparse.csc_matrix(np.eye(3)), np.eye(3).tolist()):
        assert metrics.intra_list_diversity(LISTS, features).tolist() == [1]
        assert calibration(features).tolist() == pytest.approx([np.log(1 / 0.505)])
    empty = np.full((1, 2), -1, np.int8)
    assert metrics.coverage(empty, 3) == 0 and metrics.coverage(np.empty((0, 2)), 3) == 0
    assert np.isnan(metrics.novelty(empty, counts, 1000)).all()


@pytest.mark.parametrize(
    ("kind", "parameter", "wrong"),
    [("BPR", "factors", -1), ("ItemKNN", "n_neighbors", 0), ("Trending", "half_life", -5.0)],
)
def test_changed_parameter_is_checked_again(kind, parameter, wrong):
    model = getattr(models, kind)()
    setattr(model, parameter, wrong)
    with pytest.raises(ValueError, match=f"^{parameter} must .* got {wrong}"):
        model.fit(TRAIN)


@pytest.mark.parametrize("kind", ["BPR", "WARP", "SampledSoftmax", "BiasedMF"])
def test_diverging_training_is_an_error(kind):
    log = make_synthetic(60, 40, 4, 1500)
    log = Interactions(log.user, log.item, value=1 + np.arange(1500) % 5)
    model = getattr(models, kind)(factors=8, learning_rate=1e30)
    with pytest.raises(ValueError, match=r"^learning_rate must be smaller .*, got 1e\+30"):
        model.fit(log, progress=False)
    assert not model.is_fitted


def test_overflowing_confidence_is_an_error():
    log = Interactions([0, 0, 1], [0, 1, 1], value=[3e38, 3e38, 3e38])
    with pytest.raises(ValueError, match=r"^alpha must be smaller for values up to 3e\+38, got 40"):
        models.ImplicitALS(factors=2, alpha=40.0).fit(log, progress=False)
    with pytest.raises(ValueError, match="^train.value must be smaller .*, got values up to 3e"):
        models.ImplicitALS(factors=2, alpha=1.0).fit(log, progress=False)


def test_hot_score_underflows_to_zero():
    assert hacker_news_score([3, 3], [0, 1e9], gravity=100).tolist() == [2**0.8 / 2**100, 0]


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix])
def test_unit_rows_accept_all_sparse_formats_and_integers(kind):
    matrix = np.array([[3, 4], [0, 2]])
    assert unit_rows(kind(matrix)).toarray().tolist() == [[0.6, 0.8], [0, 1]]
    assert unit_rows(kind(matrix.astype(float))).toarray().tolist() == [[0.6, 0.8], [0, 1]]
    assert unit_rows(matrix).tolist() == [[0.6, 0.8], [0, 1]]
    assert row_lengths(kind(matrix)).tolist() == row_lengths(matrix).tolist() == [5, 2]


def test_leaderboard_accepts_any_iterable_and_any_object_with_recommend():
    class Custom:
        def recommend(self, users, k):
            return MODEL.recommend(users, k)

    table = leaderboard((m for m in [MODEL, ("custom", Custom())]), TRAIN, TEST, k=2)
    assert table.index.tolist() == ["Popularity", "custom"]
    assert table["difference"].tolist() == [0, 0]
