"""The hot scores: the published formulas, and the models on a log."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import Interactions, evaluate, leaderboard
from recsys.models import HackerNewsHot, Popularity, RedditHot
from recsys.models.hot import REDDIT_START, hacker_news_score, reddit_hot_score

AMOUNT = st.integers(0, 10**6)


def test_hacker_news_by_hand():
    assert hacker_news_score(33, 30) == pytest.approx(16 / 512)  # 32^0.8 / 32^1.8
    assert hacker_news_score([1, 0], 0, gravity=1).tolist() == [0, -0.5]
    assert hacker_news_score(5, [0, 2], gravity=1, exponent=1).tolist() == [2, 1]
    assert hacker_news_score(5, 100, gravity=0, exponent=1) == 4


def test_reddit_by_hand():
    at = REDDIT_START
    assert reddit_hot_score([12, 2, 0], [2, 12, 0], at).tolist() == [1, -1, 0]
    assert reddit_hot_score(11, 1, at) == reddit_hot_score(1, 0, at + 45_000) == 1
    assert reddit_hot_score(1, 0, [at, at - 90_000]).tolist() == [0, -2]


@given(votes=AMOUNT, more=st.integers(1, 1000), age=st.floats(0, 1e5), later=st.floats(0.1, 1e5))
def test_more_votes_raise_and_age_lowers(votes, more, age, later):
    score = hacker_news_score(votes, age)
    assert hacker_news_score(votes + more, age) > score
    if votes > 1:
        assert hacker_news_score(votes, age + later) < score
    assert reddit_hot_score(votes + more, 0, age) >= reddit_hot_score(votes, 0, age)
    assert reddit_hot_score(votes, 0, age + later) > reddit_hot_score(votes, 0, age)


@given(ups=AMOUNT, downs=AMOUNT, time=st.integers(0, 2 * 10**9))
def test_reddit_is_the_published_function(ups, downs, time):
    """Written out step by step, with its rounding to seven digits."""
    votes = ups - downs
    order = math.log(max(abs(votes), 1), 10)
    sign = 1 if votes > 0 else -1 if votes < 0 else 0
    expected = round(sign * order + (time - 1134028003) / 45000, 7)
    assert reddit_hot_score(ups, downs, time) == pytest.approx(expected, abs=6e-8)


@pytest.mark.parametrize("wrong", [-1, np.nan, np.inf, "5", None, [3, -0.5]])
def test_invalid_numbers_raise(wrong):
    calls = {
        "votes": lambda: hacker_news_score(wrong, 1),
        "age_hours": lambda: hacker_news_score(1, wrong),
        "ups": lambda: reddit_hot_score(wrong, 1, 1),
        "downs": lambda: reddit_hot_score(1, wrong, 1),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=f"^{name} must .*, got"):
            call()
    if wrong != -1 and not isinstance(wrong, list):
        with pytest.raises(ValueError, match="^time must .*, got"):
            reddit_hot_score(1, 1, wrong)
    with pytest.raises(ValueError, match="^gravity must be"):
        hacker_news_score(1, 1, gravity=-1)


@pytest.fixture
def news():
    """Item 0: 33 votes, 30 hours old. Item 1: 2 votes, new. Item 2: 3 votes, 62 hours old."""
    item = [0] * 33 + [1] * 2 + [2] * 3
    time = 1e9 + 3600 * np.array([-30.0] + [-1.0] * 32 + [0, 0] + [-62, -1, -1])
    return Interactions(np.arange(38), item, time, n_items=4)


def test_models_score_votes_and_ages_at_the_end_of_the_log(news):
    model = HackerNewsHot().fit(news)
    expected = [16 / 512, 1 / 2**1.8, 2**0.8 / 64**1.8, -np.inf]
    np.testing.assert_allclose(model.item_scores, expected)
    assert model.recommend(5, 4, exclude_seen=False)[0].tolist() == [1, 0, 2, -1]
    assert HackerNewsHot(gravity=0).fit(news).recommend(37, 2)[0].tolist() == [0, 1]
    model = RedditHot().fit(news)
    np.testing.assert_allclose(
        model.item_scores,
        [np.log10(33) - 30 / 12.5, np.log10(2), np.log10(3) - 62 / 12.5, -np.inf],
    )


def test_a_shift_in_time_changes_no_score(news):
    """Scores from 1970 on would be too large for small differences in float32."""
    for kind in (HackerNewsHot, RedditHot):
        later = Interactions(news.user, news.item, news.time + 86400, n_items=4)
        assert kind().fit(later).item_scores.tolist() == kind().fit(news).item_scores.tolist()


def test_hot_models_on_a_leaderboard(train_test):
    models = [Popularity(), HackerNewsHot(), HackerNewsHot(gravity=0.5), RedditHot()]
    table = leaderboard(models, *train_test, progress=False)
    assert table.index.tolist() == [
        "Popularity",
        "HackerNewsHot(gravity=1.8)",
        "HackerNewsHot(gravity=0.5)",
        "RedditHot",
    ]
    assert evaluate(RedditHot().fit(train_test[0]), *train_test)["recall@10"] > 0
