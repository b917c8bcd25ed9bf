"""The oracle of the made-up world agrees with the truth of what was shown."""

import numpy as np
import pytest

from newsreco.data import make_world
from newsreco.data.oracle import Oracle
from newsreco.lists import just_before
from newsreco.state import State

SIZE = {"n_articles": 60, "n_impressions": 300, "n_users": 40, "seed": 3}


@pytest.mark.parametrize("click_model", ["taste", "coin"])
def test_its_chances_of_what_was_shown_are_the_truth(click_model):
    world = make_world(**SIZE, click_model=click_model)
    oracle, shown = Oracle(**SIZE, click_model=click_model), world.log.impressions
    visits = just_before(state := State.empty(world.log, 1e5), world.log, 0, range(len(shown)))
    for user, time, page in visits:
        chances = oracle.chances(state, user, time, shown.item[page])
        np.testing.assert_array_equal(chances, world.truth.relevance[page])
