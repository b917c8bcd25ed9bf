"""The oracle of the made-up world agrees with the truth of what was shown."""

import numpy as np
import pytest

from newsreco.evaluation.lists import replay_impressions
from newsreco.features.state import State
from newsreco.synthetic import make_synthetic_log
from newsreco.synthetic.click_model import TrueClickModel

SIZE = {"n_articles": 60, "n_impressions": 300, "n_users": 40, "seed": 3}


@pytest.mark.parametrize("click_model", ["taste", "coin"])
def test_its_chances_of_what_was_shown_are_the_truth(click_model):
    world = make_synthetic_log(**SIZE, click_model=click_model)
    oracle, shown = TrueClickModel(**SIZE, click_model=click_model), world.log.impressions
    visits = replay_impressions(
        state := State.empty(world.log, 1e5), world.log, 0, range(len(shown))
    )
    for user, time, page in visits:
        chances = oracle.chances(state, user, time, shown.item[page])
        np.testing.assert_array_equal(chances, world.truth.relevance[page])
