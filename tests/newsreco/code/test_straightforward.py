"""The straightforward version in `make bench` recommends the same lists as ours."""

import numpy as np
import pytest

from benchmarks.straightforward import PlainRecommender
from newsreco.models.bundle import Settings
from newsreco.models.pipeline import RecommendationPipeline
from newsreco.synthetic import make_synthetic_log
from newsreco.training import train


@pytest.fixture(scope="module")
def served():
    world = make_synthetic_log(n_articles=300, n_impressions=1500, n_users=100, seed=3)
    return RecommendationPipeline(train(world.log, Settings(), progress=False).model)


def test_straightforward_version_recommends_the_same_lists(served):
    plain = PlainRecommender(served)
    users = np.flatnonzero(served.state.arrays.user_clicks).tolist()[:30]
    assert len(users) == 30
    for user in users:
        assert plain.recommend(user) == served.recommend(user).items.tolist()
