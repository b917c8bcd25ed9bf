"""Items that nothing connects to a user's history get no score, and a new fit forgets the old."""

import numpy as np
import pytest

from recsys import Interactions
from recsys.models import BPR, EASE, ImplicitALS, ItemKNN, Popularity, PureSVD, UserKNN


@pytest.mark.parametrize("model", [ItemKNN(), UserKNN()], ids=lambda model: type(model).__name__)
def test_items_without_neighbours_are_not_recommended(model):
    """Users 0 and 1 share item 0. Users 2 and 3 share item 2, which nobody else has."""
    model.fit(Interactions([0, 0, 1, 2, 2, 3], [0, 1, 0, 2, 3, 2]))
    items, scores = model.recommend([1, 3], 4)
    assert items.tolist() == [[1, -1, -1, -1], [3, -1, -1, -1]]
    assert np.isneginf(scores[:, 1:]).all()
    # 1 of sqrt(2 x 1) users or items in common
    np.testing.assert_allclose(scores[:, 0], 1 / np.sqrt(2), rtol=1e-6)
    seen = model.recommend(1, 4, exclude_seen=False)[0]
    assert not {2, 3} & set(seen.tolist())


@pytest.mark.parametrize(
    "model",
    [ItemKNN(), EASE(), PureSVD(2), ImplicitALS(2), BPR(2, epochs=1), Popularity()],
    ids=lambda model: type(model).__name__,
)
def test_a_second_fit_forgets_the_cold_items_of_the_first(model):
    """Item 4 has no interactions in the first log, item 0 none in the second."""
    user, item = np.divmod(np.arange(24), 4)
    keep = (user + item) % 3 > 0
    first, second = (
        Interactions(user[keep], item[keep] + shift, n_users=6, n_items=5) for shift in (0, 1)
    )
    users = np.arange(6)
    for log, cold in ((first, 4), (second, 0)):
        model.fit(log, progress=False)
        found = model.recommend(users, 5, exclude_seen=False)[0]
        if model.needs_history:
            assert cold not in found
            assert np.isneginf(model.score(users)[:, cold]).all()
        assert set(found.ravel().tolist()) >= set(range(5)) - {cold}
