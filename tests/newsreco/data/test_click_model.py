"""The true click model agrees with the ground truth of what was shown."""

import numpy as np
import pytest

from newsreco.features.state import State, replay_impressions
from newsreco.synthetic import make_synthetic_log
from newsreco.synthetic.click_model import TrueClickModel

SIZE = {"n_articles": 60, "n_impressions": 300, "n_users": 40, "seed": 3}


@pytest.mark.parametrize("click_model", ["preference", "random"])
def test_probabilities_of_what_was_shown_are_the_ground_truth(click_model):
    made = make_synthetic_log(**SIZE, click_model=click_model)
    model, shown = TrueClickModel(**SIZE, click_model=click_model), made.log.impressions
    state = State.empty(made.log, 1e5)
    rows = range(len(shown))
    for user, time, page in replay_impressions(state, made.log, rows):
        found = model.probabilities(state, user, time, shown.item[page])
        np.testing.assert_array_equal(found, made.truth.relevance[page])
