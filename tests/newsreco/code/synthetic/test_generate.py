"""The synthetic log: seeds, sizes, chunks, texts."""

import numba
import numpy as np
import pytest

from newsreco.synthetic import clicks, generate, make_synthetic_log
from newsreco.synthetic.articles import START
from newsreco.synthetic.generate import make_plan
from newsreco.synthetic.text import SQUAD, WOMEN, player
from newsreco.synthetic.topics import NAMES, TOPICS

SIZES = {"n_articles": 60, "n_impressions": 400, "n_users": 30}
SMALL = {**SIZES, "seed": 3, "click_model": "preference"}


@pytest.fixture(scope="module")
def plan():
    return make_plan(**SMALL)


def same(a, b):
    return a.log.fingerprint() == b.log.fingerprint() and np.array_equal(
        a.truth.probability, b.truth.probability
    )


def test_a_seed_gives_the_same_log_on_any_number_of_threads():
    before = numba.get_num_threads()
    try:
        logs = []
        for n_threads in (1, 2, 4):
            numba.set_num_threads(n_threads)
            logs.append(make_synthetic_log(**SMALL))
    finally:
        numba.set_num_threads(before)
    assert all(same(logs[0], other) for other in logs[1:])
    assert not same(logs[0], make_synthetic_log(**SMALL | {"seed": 4}))


def test_chunks_are_joined(monkeypatch):
    monkeypatch.setattr(generate, "CHUNK", 150)
    made_chunks = list(make_plan(**SMALL).chunks())
    assert [(c.first, c.last) for c in made_chunks] == [(0, 150), (150, 300), (300, 400)]
    made = make_synthetic_log(**SMALL)
    np.testing.assert_array_equal(
        made.log.impressions.item, np.concatenate([c.item for c in made_chunks])
    )


@pytest.mark.parametrize(
    ("n_articles", "n_impressions", "n_users"),
    [(50, 1, 1), (50, 3, 40), (50, 900, 2), (100, 600, 80), (400, 50, 50)],
)
@pytest.mark.parametrize("click_model", ["preference", "random"])
def test_any_size_is_a_valid_log(n_articles, n_impressions, n_users, click_model):
    log = make_synthetic_log(n_articles, n_impressions, n_users, 1, click_model).log
    shown = log.impressions
    assert (log.n_items, len(shown)) == (n_articles, n_impressions)
    assert log.n_users == min(n_users, len(set(shown.user)))
    assert (np.diff(shown.time) >= 0).all()
    sizes = np.diff(shown.start)
    assert sizes.min() >= clicks.MIN_SHOWN
    assert sizes.max() <= clicks.MAX_SHOWN
    pairs = set(zip(shown.impression.tolist(), shown.item.tolist()))
    assert len(pairs) == len(shown.item)  # no article twice on a page
    first = np.unique(shown.user, return_index=True)[1]
    assert (np.diff(first) > 0).all()  # users by first impression


def test_all_users_have_impressions_if_there_are_enough():
    assert make_synthetic_log(100, 600, 80).log.n_users == 80


def test_pages_leave_out_recent_clicks():
    shown = make_synthetic_log(seed=2).log.impressions
    clicked, again = set(), 0
    for row in range(len(shown)):
        page = range(shown.start[row], shown.start[row + 1])
        pairs = [(int(shown.user[row]), int(shown.item[k])) for k in page]
        again += sum(pair in clicked for pair in pairs)
        clicked |= {pair for pair, k in zip(pairs, page) if shown.clicked[k]}
    assert again < 0.01 * len(shown.item)


def test_articles_are_shown_only_after_publication(plan):
    made, articles = make_synthetic_log(**SMALL), plan.articles
    published = np.empty(60)
    published[articles.by_publication] = articles.published
    shown = made.log.impressions
    assert (published[shown.item] <= (shown.time - START)[shown.impression]).all()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n_articles", 49, "n_articles must be at least 50, got 49"),
        ("n_impressions", 0, "n_impressions must be at least 1, got 0"),
        ("n_users", 2.5, "n_users must be a whole number, got 2.5"),
        ("seed", -1, "seed must be between 0 and 4294967295, got -1"),
        ("seed", 2**32, "seed must be between 0 and 4294967295, got 4294967296"),
        ("click_model", "dice", "click_model must be one of .*, got 'dice'"),
    ],
)
def test_wrong_arguments_are_named(name, value, message):
    with pytest.raises(ValueError, match=message):
        make_synthetic_log(**{name: value})


def test_many_topics_each_with_stories():
    assert len({topic.category for topic in TOPICS}) >= 15
    assert len({topic.subcategory for topic in TOPICS}) == len(TOPICS)
    for topic in TOPICS:
        assert topic.templates
        assert all(t.titles and len(t.sentences) > 1 for t in topic.templates)


def test_no_two_players_share_a_name():
    names = [player(club, k) for club in NAMES["club"] for k in range(SQUAD + WOMEN)]
    assert len(set(names)) == len(names)
