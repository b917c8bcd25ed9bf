"""Similar items and users, against cosines computed pair by pair."""

import numpy as np
import pytest
from scipy import sparse

from recsys import Interactions
from recsys.models import BPR, BiasedMF, ContentBased, ImplicitALS, ItemKNN, PureSVD, UserKNN
from recsys.models.similar import stored

N_USERS, N_ITEMS = 60, 2100  # more than two tiles of 1,024 items


@pytest.fixture(scope="module")
def log():
    """The last user has no history, item 5 no interactions."""
    rng = np.random.default_rng(0)
    user, item = rng.integers(0, N_USERS - 1, 12000), rng.integers(0, N_ITEMS, 12000)
    item[item == 5] = 6
    return Interactions(user, item, None, rng.integers(1, 6, 12000), N_USERS, N_ITEMS)


def cosine(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return a @ b / max(np.sqrt((a @ a) * (b @ b)), 1e-30)


def check(found, cosines, one, vectors, left_out):
    others = [j for j in range(len(vectors)) if j != one and j not in left_out]
    expected = {j: cosine(vectors[one], vectors[j]) for j in others}
    best = sorted(others, key=lambda j: (-expected[j], j))[: len(found)]
    own = found[found >= 0]
    assert len(own) == min(len(found), len(others)) and one not in own
    np.testing.assert_allclose([expected[j] for j in own], [expected[j] for j in best], atol=1e-5)
    np.testing.assert_allclose(cosines[: len(own)], [expected[j] for j in own], atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [ImplicitALS(5, iterations=2), PureSVD(6), BPR(7, epochs=2), BiasedMF(4, epochs=2)],
    ids=lambda model: type(model).__name__,
)
def test_factor_models_give_the_largest_cosines(model, log):
    model.fit(log, progress=False)
    cold = set(range(N_ITEMS)) - set(log.item.tolist())
    ids = [0, 1500, 5, 2099]
    assert cold & set(ids) == {5}
    items, cosines = model.similar_items(ids, 50)
    assert items.shape == cosines.shape == (4, 50)
    assert (items.dtype, cosines.dtype) == (np.int32, np.float32)
    assert (items[2] == -1).all() and np.isneginf(cosines[2]).all()
    for row in (0, 1, 3):
        check(items[row], cosines[row], ids[row], model.item_factors, cold)
    users, cosines = model.similar_users([3, 59, 40], 70)
    assert (users[1] == -1).all()
    for row, user in ((0, 3), (2, 40)):
        check(users[row], cosines[row], user, model.user_factors, {59})
    one, _ = model.similar_items(1500, 50)
    assert one.tolist() == items[1].tolist()


def test_neighbours_are_the_stored_ones_in_order(log):
    seen = log.matrix.toarray() > 0
    similarity = np.array([[cosine(seen[:, i], seen[:, j]) for j in range(300)] for i in range(9)])
    small = log.select(log.item < 300)
    small = Interactions(small.user, small.item, n_users=N_USERS, n_items=300)
    items, values = ItemKNN(n_neighbors=20).fit(small).similar_items([8, 2], 25)
    for row, item in ((0, 8), (1, 2)):
        others = [j for j in range(300) if j != item and similarity[item, j] > 0]
        best = sorted(others, key=lambda j: (-similarity[item, j], j))[:20]
        np.testing.assert_allclose(values[row, : len(best)], similarity[item, best], rtol=1e-5)
        assert set(items[row, : len(best) - 3]) <= set(others) and (items[row, 20:] == -1).all()
    users, values = UserKNN(n_neighbors=30).fit(log).similar_users(4, 12)
    expected = sorted((-cosine(seen[4], seen[v]), v) for v in range(59) if v != 4)[:12]
    np.testing.assert_allclose(values, [-value for value, _ in expected], rtol=1e-5)
    assert 4 not in users


@pytest.mark.parametrize("n", [3, 40, 500])
def test_stored_neighbours_of_equal_similarity_come_in_the_order_of_their_ids(n):
    """Also in rows so long that a sort by similarity alone is not stable, and out of order."""
    rng = np.random.default_rng(n)
    values, columns = rng.integers(1, 4, n) / 4, rng.permutation(n)
    matrix = sparse.csr_matrix((values, columns, [0, n, n]), shape=(2, n))
    found, similarities = stored("items", [0, 1], n + 2, matrix)
    by_id = dict(zip(columns.tolist(), values.tolist()))
    expected = sorted(by_id, key=lambda item: (-by_id[item], item))
    assert found.tolist() == [[*expected, -1, -1], [-1] * (n + 2)]
    assert similarities[0, :n].tolist() == [by_id[item] for item in expected]


def test_content_based_items_are_similar_by_features():
    features = np.array([[1, 0], [2, 0], [1, 1], [0, 0], [0, 3]], float)
    model = ContentBased(features).fit(Interactions([0, 0], [0, 4], n_items=5))
    items, cosines = model.similar_items([0, 3], 4)
    assert items.tolist() == [[1, 2, 4, -1], [-1] * 4]
    np.testing.assert_allclose(cosines[0, :3], [1, np.sqrt(0.5), 0], atol=1e-6)


@pytest.mark.parametrize("ids", [-1, N_ITEMS, [0.5], ["a"], [[0]]])
def test_invalid_ids_raise(ids, log):
    model = PureSVD(2).fit(log)
    with pytest.raises(ValueError, match="^items must"):
        model.similar_items(ids)
    with pytest.raises(ValueError, match="^users must"):
        model.similar_users(ids)
    with pytest.raises(ValueError, match="^k must be at least 1, got 0"):
        model.similar_items(0, 0)
