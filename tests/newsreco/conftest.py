"""A small made-up world that the capstone's tests share."""

import pytest

from newsreco.data import make_world


@pytest.fixture(scope="session")
def world():
    """100 articles, 800 impressions, 80 people, clicks by taste."""
    return make_world(n_articles=100, n_impressions=800, n_users=80, seed=1)
