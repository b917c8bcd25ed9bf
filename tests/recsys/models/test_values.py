"""What values and repeated rows mean to each model: as the table in `recsys.models` says."""

import numpy as np
import pytest

from recsys import Interactions, make_synthetic, models

LOG = make_synthetic(60, 40, 4, 1500, rng=1)
ROW = LOG.matrix.tocoo()
N = len(ROW.row)


def table():
    """The meaning of values and of repeated rows, by model."""
    lines = models.__doc__.split("=" * 16 + "\n")[2].splitlines()
    cells = [
        [cell.strip() for cell in line.split("  ") if cell] for line in lines if line[0] != "="
    ]
    return {name: meaning for names, *meaning in cells for name in names.split(", ")}


def scores(name, value=None, copies=1):
    """The scores of a model fitted on the same pairs, with values or in several copies."""
    user, item = np.tile(ROW.row, copies), np.tile(ROW.col, copies)
    value = None if value is None else np.tile(value, copies)
    log = Interactions(user, item, np.arange(len(user)), value, 60, 40)
    features = np.eye(4)[LOG.item_info["genre"].argsort().argsort() % 4]
    parameters = {
        "ContentBased": {"item_features": features},
        "Fallback": {},
        "BiasedMF": {"factors": 8},
        "ImplicitALS": {"factors": 8},
        "PureSVD": {"factors": 8},
    }
    if name == "Fallback":
        model = models.Fallback(models.ItemKNN(), models.Popularity())
    else:
        model = getattr(models, name)(**parameters.get(name, {}))
    return model.fit(log, progress=False).score(np.arange(60))


STARS = np.random.default_rng(0).integers(1, 6, N)


def test_the_table_holds_every_model():
    assert sorted(table()) == sorted(models.__all__)


@pytest.mark.parametrize("name", [n for n, (value, _) in table().items() if value == "ignored"])
def test_values_are_ignored_where_the_table_says_so(name):
    np.testing.assert_array_equal(scores(name, STARS), scores(name))


@pytest.mark.parametrize("name", ["ImplicitALS", "PureSVD", "ContentBased"])
def test_repeated_rows_are_the_sum_of_their_values(name):
    assert table()[name][1] == "values summed"
    np.testing.assert_allclose(scores(name, STARS, copies=2), scores(name, 2 * STARS), atol=1e-5)
    np.testing.assert_allclose(scores(name, np.ones(N)), scores(name), atol=1e-6)
    assert np.abs(scores(name, STARS) - scores(name)).max() > 0.01


@pytest.mark.parametrize(
    "name", ["Random", "ItemKNN", "UserKNN", "EASE", "BPR", "WARP", "SampledSoftmax"]
)
def test_repeated_rows_are_ignored(name):
    assert table()[name][1] == "ignored"
    np.testing.assert_allclose(scores(name, copies=2), scores(name), atol=1e-5)


@pytest.mark.parametrize("name", ["Popularity", "Trending", "HackerNewsHot", "RedditHot"])
def test_repeated_rows_are_counted(name):
    """A second row of one pair raises its item and no other."""
    assert table()[name][1] == "counted"
    once = Interactions([0, 1, 0], [0, 0, 1], [1, 1, 1])
    twice = Interactions([0, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1])
    model = getattr(models, name)
    gain = model().fit(twice, progress=False).score(0) - model().fit(once, progress=False).score(0)
    assert gain[1] > 0 and gain[0] == 0


def test_the_rating_that_biased_mf_predicts_is_the_value():
    assert table()["BiasedMF"] == ["the rating to predict, required", "each is a rating"]
    with pytest.raises(ValueError, match="^train.value must hold the ratings"):
        scores("BiasedMF")
    for rating in (4.0, 2.0):
        assert scores("BiasedMF", np.full(N, rating)).mean() == pytest.approx(rating, abs=0.05)


def test_confidence_may_not_be_negative():
    with pytest.raises(ValueError, match="^value must be at least 0 for ImplicitALS, got -1"):
        scores("ImplicitALS", -np.ones(N))
