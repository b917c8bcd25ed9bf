"""evaluate and leaderboard: correct metrics and intervals, and no leak."""

import numpy as np
import pandas as pd
import pytest

from recsys import Interactions, Report, evaluate, leaderboard, leave_last_out, make_synthetic
from recsys.metrics import (
    average_precision_at_k,
    calibration,
    coverage,
    gini,
    hit_at_k,
    intra_list_diversity,
    ndcg_at_k,
    novelty,
    popularity_bias,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
    serendipity,
)
from recsys.models import EASE, ItemKNN, Popularity, Random, Trending
from recsys.text import multi_hot

DETERMINISTIC = [Popularity(), Trending(half_life=5000), ItemKNN(), EASE(5.0)]


def test_report_holds_the_values_of_the_metrics(train_test):
    train, test = train_test
    genres, _ = multi_hot(train.item_info["genre"])
    model = ItemKNN().fit(train)
    report = evaluate(model, train, test, k=7, item_features=genres)
    users = np.unique(test.user)
    lists, _ = model.recommend(users, 7)
    relevant = [set(test.item[test.user == u].tolist()) for u in users]
    item_users = np.array([len(set(train.user[train.item == i])) for i in range(150)])
    most_popular, _ = Popularity().fit(train).recommend(users, 7)
    expected = {
        "recall@7": recall_at_k(lists, relevant, 7),
        "precision@7": precision_at_k(lists, relevant, 7),
        "hit@7": hit_at_k(lists, relevant, 7),
        "ndcg@7": ndcg_at_k(lists, relevant, 7),
        "map@7": average_precision_at_k(lists, relevant, 7),
        "mrr@7": reciprocal_rank_at_k(lists, relevant, 7),
        "novelty@7": novelty(lists, item_users, 300),
        "popularity@7": popularity_bias(lists, item_users, 300),
        "serendipity@7": serendipity(lists, relevant, most_popular),
        "diversity@7": intra_list_diversity(lists, genres),
        "calibration@7": calibration(lists, train.matrix[users], genres),
    }
    assert report.users.tolist() == users.tolist()
    assert report.per_user.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(report.per_user[name], values)
        assert report[name] == pytest.approx(np.nanmean(values))
        low, high = report.interval(name)
        assert low < report[name] < high
    assert report.overall == {"coverage@7": coverage(lists, 150), "gini@7": gini(lists, 150)}
    assert report["coverage@7"] == coverage(lists, 150)
    assert np.isnan(report.interval("gini@7")).all()


def test_table_and_printed_report_agree(train_test):
    report = evaluate(Popularity().fit(train_test[0]), *train_test)
    table = report.table
    assert table.index.tolist() == [*report.per_user, *report.overall]
    for name, row in table.iterrows():
        assert row["value"] == report[name]
        line = next(line for line in str(report).splitlines() if line.startswith(name))
        assert f"{row['value']:.4f}" in line
        if name in report.per_user:
            assert f"{row['low']:.4f} to {row['high']:.4f}" in line
    # All columns share their resamples, so only the width is that of a column resampled alone.
    low, high = report.interval("ndcg@10")
    row = table.loc["ndcg@10"]
    assert high - low == pytest.approx(row["high"] - row["low"], rel=0.15)
    assert repr(report) == str(report) and str(report).startswith("Popularity()")


def small():
    """Three users, four items; user 2 has no target, and item 3 has no training interaction."""
    train = Interactions([0, 0, 1, 2], [0, 1, 0, 2], [1, 2, 3, 4], n_users=3, n_items=4)
    test = Interactions([0, 0, 1, 1, 1], [1, 2, 3, 1, 1], [5, 6, 7, 8, 9], n_users=3, n_items=4)
    return train, test


def test_users_and_targets_are_counted():
    """Of four different targets, (0, 1) was seen before and item 3 has no interaction."""
    train, test = small()
    report = evaluate(Popularity().fit(train), train, test, k=2)
    assert (report.users.tolist(), report.n_without_target) == ([0, 1], 1)
    assert (report.n_targets, report.n_reachable, report.reachable) == (4, 2, 0.5)
    # User 0 gets items 2, 3 with targets 1, 2; user 1 gets 1, 2 with targets 1, 3.
    assert report.per_user["recall@2"].tolist() == [0.5, 0.5]
    text = str(report)
    assert "2 users with a target, 1 without" in text
    assert "2 of 4 targets (50.0%) could have been recommended" in text


@pytest.mark.parametrize("values", [[1, 1], [0.5, 2], None])
def test_pairs_count_independently_of_their_value(values):
    """User 0 interacted with item 0 with value 0: it counts as seen."""
    train = Interactions([0, 0, 1], [0, 1, 2], value=[0, 1, 1], n_users=2, n_items=4)
    test = Interactions([0, 0], [0, 2], value=values, n_users=2, n_items=4)
    report = evaluate(Popularity().fit(train), train, test, k=2)
    assert (report.n_targets, report.n_reachable) == (2, 1)


def test_recall_of_complete_lists_is_the_reachable_fraction():
    """Lists of all unseen items hold exactly the reachable targets."""
    train, test = leave_last_out(make_synthetic(rng=5))
    report = evaluate(Popularity().fit(train), train, test, k=150)
    assert report["recall@150"] == pytest.approx(report.reachable)
    assert 0.2 < report.reachable < 0.6


@pytest.mark.parametrize("model", DETERMINISTIC, ids=lambda model: type(model).__name__)
def test_order_of_rows_and_numbering_of_users_do_not_matter(model, train_test):
    train, test = train_test
    rng = np.random.default_rng(0)
    new = rng.permutation(300)

    def shuffled(log):
        rows = rng.permutation(len(log))
        return Interactions(
            new[log.user][rows], log.item[rows], log.time[rows], n_users=300, n_items=150
        )

    expected = evaluate(model.fit(train), train, test)
    train, test = shuffled(train), shuffled(test)
    found = evaluate(model.fit(train), train, test)
    assert (found.n_targets, found.n_reachable) == (expected.n_targets, expected.n_reachable)
    for name in expected.table.index:
        assert found[name] == expected[name]
        if name in expected.per_user:
            assert found.interval(name) == expected.interval(name)


def test_model_fitted_on_other_data_is_refused(train_test):
    train, test = train_test
    whole = Interactions(
        np.r_[train.user, test.user], np.r_[train.item, test.item], np.r_[train.time, test.time]
    )
    for log in (whole, test, train.select(np.arange(len(train)) > 0)):
        model = Popularity().fit(log)
        with pytest.raises(ValueError, match="model must have been fitted on train itself"):
            evaluate(model, train, test)
        with pytest.raises(ValueError, match="model must have been fitted on train itself"):
            leaderboard([Random(), ("leak", model)], train, test)
    reordered = train.select(np.arange(len(train))[::-1])
    assert evaluate(Popularity().fit(reordered), train, test)["hit@10"] >= 0


def test_invalid_input_is_refused(train_test):
    train, test = train_test
    model, empty = Popularity().fit(train), Interactions([], [], n_users=300, n_items=150)
    small_train, small_test = small()
    for args, message in [
        ((model, train, empty), "test must hold at least one interaction, got none"),
        ((model, empty, test), "train must hold at least one interaction, got none"),
        ((model, train.matrix, test), "train must be Interactions, got csr_matrix"),
        ((model, train, test.matrix), "test must be Interactions, got csr_matrix"),
        ((model, train, small_test), "train and test must have the same users and items, got"),
        ((model, train, test, 0), "k must be at least 1, got 0"),
        ((model, train, test, 2.5), "k must be a whole number, got 2.5"),
        ((Popularity(), train, test), "Popularity must be fitted first"),
        (
            (model, train, test, 5, np.eye(3)),
            r"item_features must have n_items = 150 rows, got shape",
        ),
    ]:
        with pytest.raises(ValueError, match=f"^{message}"):
            evaluate(*args)
    report = evaluate(model, train, test)
    for call in (report.__getitem__, report.interval):
        with pytest.raises(
            ValueError, match="^metric must be one of .*recall@10.*, got 'recall@5'"
        ):
            call("recall@5")


def test_any_object_with_recommend_can_be_evaluated():

    class TrueModel:
        def recommend(self, users, k):
            lists = np.full((len(users), k), -1)
            lists[:, 0] = [{0: 2, 1: 1}[u] for u in users.tolist()]
            return lists, np.zeros((len(users), k))

    report = evaluate(TrueModel(), *small(), k=3)
    assert isinstance(report, Report) and report["hit@3"] == 1 and report["recall@3"] == 0.5


# --- leaderboard ----------------------------------------------------------------------------


def test_leaderboard_holds_the_values_of_the_reports(train_test):
    models = [Popularity(), ItemKNN(), ("wide", ItemKNN(n_neighbors=None)), Random(rng=1)]
    table = leaderboard(models, *train_test, k=5, metric="recall", progress=False)
    assert table.index.tolist() == ["Popularity", "ItemKNN", "wide", "Random"]
    bare = [model[1] if isinstance(model, tuple) else model for model in models]
    assert not any(model.is_fitted for model in bare)
    reports = [evaluate(model.fit(train_test[0]), *train_test, k=5) for model in bare]
    for column in ("recall@5", "ndcg@5", "map@5", "coverage@5"):
        assert table[column].tolist() == [report[column] for report in reports]
    assert table.attrs["reachable"] == reports[0].reachable
    values = np.column_stack([report.per_user["recall@5"] for report in reports])
    np.testing.assert_allclose(table["difference"], values.mean(axis=0) - values[:, 0].mean())
    against = ["difference", "difference_low", "difference_high"]
    assert table.loc["Popularity", against].tolist() == [0, 0, 0]
    for position in (1, 2, 3):
        row, difference = table.iloc[position], values[:, position] - values[:, 0]
        half = 1.96 * difference.std() / np.sqrt(len(difference))
        assert row["difference_low"] == pytest.approx(difference.mean() - half, abs=0.25 * half)
        assert row["difference_high"] == pytest.approx(difference.mean() + half, abs=0.25 * half)
        assert row["low"] < row["recall@5"] < row["high"]


def test_paired_interval_of_similar_models_is_narrow(train_test):
    """Far narrower than the interval of either model."""
    models = [("a", ItemKNN(n_neighbors=100)), ("b", ItemKNN(n_neighbors=110))]
    row = leaderboard(models, *train_test).loc["b"]
    assert row["difference_high"] - row["difference_low"] < 0.5 * (row["high"] - row["low"])


def test_models_are_named_and_a_baseline_is_chosen(train_test):
    two = [ItemKNN(n_neighbors=5), ItemKNN(n_neighbors=9), Popularity()]
    names = ["ItemKNN(n_neighbors=5, shrinkage=0.0)", "ItemKNN(n_neighbors=9, shrinkage=0.0)"]
    for baseline in (2, "Popularity"):
        table = leaderboard(two, *train_test, baseline=baseline)
        assert table.index.tolist() == [*names, "Popularity"]
        assert table["difference"].iloc[2] == 0 and (table["difference"].iloc[:2] != 0).all()
    first = leaderboard(two, *train_test, baseline=0)
    names = ["difference", "difference_low", "difference_high"]
    assert first[names].iloc[0].tolist() == table[names].iloc[2].tolist() == [0, 0, 0]
    swapped = [-first[name].iloc[2] for name in (names[0], names[2], names[1])]
    np.testing.assert_allclose(table[names].iloc[0], swapped)  # the same resamples
    assert "mrr@10" in leaderboard(two, *train_test, metric="mrr").columns


@pytest.mark.parametrize(
    "models, options, message",
    [
        ([], {}, "models must hold at least one model, got none"),
        (
            [("a", Random()), ("a", Popularity())],
            {},
            "models must have different names, got 'a' twice",
        ),
        ([Random(), Random()], {}, "models must have different names, got 'Random"),
        ([Random()], {"baseline": "Popularity"}, r"baseline must be one of \['Random'\], got 'Pop"),
        ([Random()], {"baseline": 1}, r"baseline must be one of \['Random'\], got 1"),
        ([Random()], {"baseline": -2}, r"baseline must be one of \['Random'\], got -2"),
        ([Random()], {"metric": "auc"}, r"metric must be one of \['recall', .*\], got 'auc'"),
        ([Random()], {"k": 0}, "k must be at least 1, got 0"),
    ],
)
def test_invalid_leaderboards_are_refused(models, options, message, train_test):
    with pytest.raises(ValueError, match=f"^{message}"):
        leaderboard(models, *train_test, **options)


@pytest.mark.parametrize("value", [0, -1])
def test_targets_without_a_positive_value_are_refused(value):
    """Is a rating of 0 a relevant item? `positives` decides."""
    train = Interactions([0, 1], [0, 1], n_items=3)
    test = Interactions([0, 1, 1], [2, 0, 2], value=[1, 2, value])
    with pytest.raises(ValueError, match=f"^test.value must be above 0, got {value}: .*positives"):
        evaluate(Popularity().fit(train), train, test, k=2)
    liked = evaluate(Popularity().fit(train), train, test.positives(1), k=2)
    assert (liked.n_targets, liked["recall@2"]) == (2, 1.0)


@pytest.mark.parametrize("kind", ["user", "item"])
def test_logs_that_number_labels_differently_are_refused(kind):
    """Each numbered alone: the same sizes, other meanings."""
    train = pd.DataFrame({"u": ["ann", "bob"], "i": ["x", "y"]})
    change = {"user": {"bob": "eve"}, "item": {"y": "z"}}[kind]
    later = train.replace(change)
    train = Interactions.from_frame(train, "u", "i")
    test = Interactions.from_frame(later, "u", "i")
    ((known, new),) = change.items()
    message = f"^train and test must number the same {kind}s alike, got '{known}' and '{new}' as"
    for call in (evaluate, lambda model, *logs: leaderboard([model], *logs)):
        with pytest.raises(ValueError, match=message):
            call(Popularity().fit(train), train, test)
    alike = Interactions.from_frame(later, "u", "i", like=train, unknown="drop")
    assert evaluate(Popularity().fit(train), train, alike, k=1).n_targets == 1
    by_id = Interactions(alike.user, alike.item, n_users=2, n_items=2)
    assert evaluate(Popularity().fit(train), train, by_id, k=1).n_targets == 1


class CountsCalls(Popularity):
    calls = 0

    def recommend(self, *args, **options):
        type(self).calls += 1
        return super().recommend(*args, **options)


def test_several_k_give_the_values_of_each_from_one_list(train_test):
    train, test = train_test
    genres, _ = multi_hot(train.item_info["genre"])
    model = CountsCalls().fit(train)
    report = evaluate(model, train, test, k=[20, 5, 10], item_features=genres)
    assert CountsCalls.calls == 1 and report.k == (20, 5, 10)
    for k in (5, 10, 20):
        alone = evaluate(model, train, test, k=k, item_features=genres)
        for name, values in alone.per_user.items():
            np.testing.assert_array_equal(report.per_user[name], values)
        for name, value in alone.overall.items():
            assert report[name] == value
        assert alone.k == k
    assert len(report.table) == 3 * len(alone.table)
    assert f"{'recall@20':<16}{report['recall@20']:>8.4f}" in str(report)


@pytest.mark.parametrize("k", [[], [5, 5], [5, 0], [5, 2.5], "5", None])
def test_wrong_lengths_are_refused(k, train_test):
    with pytest.raises(ValueError, match="^k must"):
        evaluate(Popularity().fit(train_test[0]), *train_test, k=k)
    with pytest.raises(ValueError, match="^k must"):
        leaderboard([Popularity()], *train_test, k=k)
    with pytest.raises(ValueError, match="^k must be a whole number, got"):
        leaderboard([Popularity()], *train_test, k=[5])
