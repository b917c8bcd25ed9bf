"""Association rules: counted by hand, against plain loops, and their thresholds."""

from itertools import permutations

import numpy as np
import pytest
from scipy import sparse

from recsys import Interactions
from recsys.models import AssociationRules
from recsys.models import rules as rules_module
from recsys.models.rules import pair_counts

# Ten users: bread (0) and butter (1) together in 3, bread in 5, butter in 4, jam (2) in 2, one of
# them with bread; one user has jam twice. User 10 and item 3 have no row.
BASKETS = [[0, 1], [0, 1], [0, 1], [0], [0, 2], [1], [2, 2], [4], [4], [4]]
LOG = Interactions.from_matrix(
    np.array([[np.count_nonzero(np.array(b) == i) for i in range(5)] for b in BASKETS + [[]]])
)


def all_rules(measure="confidence"):
    return AssociationRules(0.0, 0.0, measure)


def table(log, **thresholds):
    frame = AssociationRules(**{"min_confidence": 0.0} | thresholds).fit(log).rules()
    return {(j, i): tuple(values) for j, i, *values in frame.itertuples(index=False)}


def test_support_confidence_and_lift_by_hand():
    """Ten transactions: the user without items is none, and the second jam counts once."""
    found = table(LOG, min_support=0.0)
    assert set(found) == {(0, 1), (1, 0), (0, 2), (2, 0)}
    assert found[0, 1] == pytest.approx((3 / 10, 3 / 5, (3 / 5) / (4 / 10)))
    assert found[1, 0] == pytest.approx((3 / 10, 3 / 4, (3 / 4) / (5 / 10)))
    assert found[0, 2] == pytest.approx((1 / 10, 1 / 5, (1 / 5) / (2 / 10)))
    assert found[2, 0] == pytest.approx((1 / 10, 1 / 2, 1.0))


@pytest.mark.parametrize(
    "thresholds, kept",
    [
        ({"min_support": 0.3}, {(0, 1), (1, 0)}),  # reached exactly
        ({"min_support": 0.31}, set()),
        ({"min_support": 0.1, "min_confidence": 0.6}, {(0, 1), (1, 0)}),
        ({"min_support": 0.1, "min_confidence": 0.61}, {(1, 0)}),
        ({"min_support": 0.1, "min_confidence": 0.5}, {(0, 1), (1, 0), (2, 0)}),
        ({"min_support": 1.0}, set()),
        ({"min_support": 0.0, "min_confidence": 1.0}, set()),
    ],
)
def test_thresholds_are_inclusive(thresholds, kept):
    assert set(table(LOG, **thresholds)) == kept


def test_a_score_sums_the_rules_of_the_history():
    users = [[0, 2], [1], [3]]
    for measure, expected in (("confidence", [3 / 5, 3 / 4]), ("lift", [1.5, 1.5])):
        model = all_rules(measure).fit(LOG).fold_in(users)
        scores = model.score([0, 1, 2])
        assert scores[0, 1] == pytest.approx(expected[0])
        assert scores[1, 0] == pytest.approx(expected[1])
        assert np.isneginf(scores[2]).all() and np.isneginf(scores[0, 4])
    log = Interactions([0, 0, 0, 1, 1, 2, 2, 3], [0, 1, 2, 0, 2, 1, 2, 0])
    both = all_rules().fit(log).fold_in([[0, 1]]).score(0)
    assert both[2] == pytest.approx(2 / 3 + 2 / 2)  # 0 -> 2 and 1 -> 2


def test_lift_favours_the_rare_and_confidence_the_popular():
    """Everyone has 0; 0 tells nothing about it, while 1 and 2 are always together."""
    log = Interactions([0, 0, 0, 1, 1, 1, *range(2, 10)], [0, 1, 2, 0, 1, 2, *[0] * 8])
    by_confidence = all_rules().fit(log).fold_in([[1]])
    by_lift = all_rules("lift").fit(log).fold_in([[1]])
    assert by_confidence.recommend(0, 2)[0].tolist() == [0, 2]  # a tie at 1, to the lower id
    assert by_lift.recommend(0, 2)[0].tolist() == [2, 0]
    assert by_lift.score(0)[[0, 2]] == pytest.approx([1.0, 5.0])


def pair_counts_reference(matrix, least, min_confidence):
    """The definition, pair by pair, on a dense matrix."""
    X = matrix.toarray() > 0
    counts = np.zeros((X.shape[1],) * 2)
    for j, i in permutations(range(X.shape[1]), 2):
        both, own = np.count_nonzero(X[:, j] & X[:, i]), np.count_nonzero(X[:, j])
        if both >= max(least, 1) and both >= min_confidence * own:
            counts[j, i] = both
    return counts


@pytest.mark.parametrize("least, min_confidence", [(0, 0), (3, 0), (0, 0.5), (2, 0.4), (1e9, 0)])
@pytest.mark.parametrize("rows", [1, 7, 1024])
def test_pair_counts_against_plain_loops(least, min_confidence, rows, ragged, monkeypatch):
    monkeypatch.setattr(rules_module, "ROWS", rows)
    for seed in range(3):
        matrix = ragged(40, 30, 400, seed).matrix
        found = pair_counts(matrix, least, min_confidence)
        assert found.has_sorted_indices and found.dtype == np.float32
        expected = pair_counts_reference(matrix, least, min_confidence)
        np.testing.assert_array_equal(found.toarray(), expected)


def test_fractions_that_a_float_cannot_hold_are_still_reached():
    """0.07 * 100 is 7.000000000000001."""
    history = sparse.csr_matrix(np.repeat([[1, 1], [0, 1]], [7, 93], axis=0))
    assert 0.07 * 100 > 7
    assert pair_counts(history, 0.07 * 100).nnz == 2
    assert pair_counts(history, 0, 0.07)[1, 0] == 7


def test_the_table_is_sorted_cut_and_labelled():
    labels = ["bread", "butter", "jam", "tea", "salt"]
    log = Interactions(LOG.user, LOG.item, n_users=11, n_items=5, item_labels=labels)
    model = all_rules().fit(log)
    frame = model.rules()
    assert list(frame.columns) == ["antecedent", "consequent", "support", "confidence", "lift"]
    assert frame["antecedent"].tolist() == ["butter", "bread", "jam", "bread"]
    assert frame["consequent"].tolist() == ["bread", "butter", "bread", "jam"]
    by_lift = model.rules("lift", k=3)
    assert by_lift["antecedent"].tolist() == ["bread", "butter", "bread"]  # ties: 1.5, 1.5, 1, 1
    assert by_lift["consequent"].tolist() == ["butter", "bread", "jam"]
    assert model.rules("support")["support"].is_monotonic_decreasing
    assert len(AssociationRules(1.0).fit(log).rules()) == 0


def test_refitting_forgets_the_strengths_of_before():
    model = all_rules().fit(LOG)
    model.score(0)
    other = Interactions([0, 0], [2, 3], n_items=5)
    assert model.fit(other).score(0).tolist() == [-np.inf, -np.inf, 1, 1, -np.inf]


def test_invalid_arguments_raise():
    model = AssociationRules().fit(LOG)
    with pytest.raises(ValueError, match="^by must be one of .* got 'count'"):
        model.rules("count")
    with pytest.raises(ValueError, match="^k must be at least 1, got 0"):
        model.rules(k=0)
    with pytest.raises(ValueError, match="AssociationRules must be fitted first"):
        AssociationRules().rules()
