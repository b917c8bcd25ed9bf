"""The synthetic world: the kernel, seeds, sizes, pieces, texts."""

import numba
import numpy as np
import pytest

from newsreco.synthetic import clicks as walk
from newsreco.synthetic import make_synthetic_log, world
from newsreco.synthetic.articles import BEGIN
from newsreco.synthetic.clicks_reference import walk_reference
from newsreco.synthetic.text import CLUB_NAMES, SQUAD, WOMEN, player
from newsreco.synthetic.topics import TOPICS
from newsreco.synthetic.world import make_plan

SIZES = {"n_articles": 60, "n_impressions": 400, "n_users": 30}
SMALL = {**SIZES, "seed": 3, "click_model": "taste"}


def run_kernel(plan, bounds, draws):
    """The walk in the pieces that `bounds` cut."""
    state, readers, press = walk.fresh_state(30), plan.readers, plan.press
    parts = []
    for first, last in zip(bounds, bounds[1:]):
        start = plan.start[first : last + 1] - plan.start[first]
        out = walk.empty_pages(start[-1])
        visits = (readers.user[first:last], readers.time[first:last] - BEGIN, start)
        walk.walk(
            visits,
            (press.published, press.topic, press.quality, press.liked),
            (readers.taste, readers.later, readers.turn, readers.after),
            state,
            tuple(d[first:last] for d in draws),
            plan.level,
            0.0,
            out,
        )
        parts.append(out)
    return [np.concatenate(columns) for columns in zip(*parts)]


@pytest.fixture(scope="module")
def plan():
    return make_plan(**SMALL)


@pytest.fixture(scope="module")
def draws():
    return walk.draw(np.random.default_rng(5), 400)


def test_kernel_equals_its_reference(plan, draws):
    readers, press = plan.readers, plan.press
    expected = walk_reference(
        (readers.user, readers.time - BEGIN, plan.start),
        (press.published, press.topic, press.quality, press.liked),
        (readers.taste, readers.later, readers.turn, readers.after),
        draws,
        plan.level,
    )
    found = run_kernel(plan, [0, 400], draws)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_allclose(found[2], expected[2], atol=1.1e-6)
    np.testing.assert_allclose(found[3], expected[3], atol=1.1e-6)


def test_walk_in_pieces_is_the_same_walk(plan, draws):
    whole, pieces = run_kernel(plan, [0, 400], draws), run_kernel(plan, [0, 1, 130, 400], draws)
    for a, b in zip(whole, pieces):
        np.testing.assert_array_equal(a, b)


def same(a, b):
    return a.log.fingerprint() == b.log.fingerprint() and np.array_equal(
        a.truth.probability, b.truth.probability
    )


def test_a_seed_makes_one_world_on_any_number_of_threads():
    before = numba.get_num_threads()
    try:
        worlds = []
        for n_threads in (1, 2, 4):
            numba.set_num_threads(n_threads)
            worlds.append(make_synthetic_log(**SMALL))
    finally:
        numba.set_num_threads(before)
    assert all(same(worlds[0], other) for other in worlds[1:])
    assert not same(worlds[0], make_synthetic_log(**SMALL | {"seed": 4}))


def test_world_beyond_one_piece_joins_them(monkeypatch):
    monkeypatch.setattr(world, "PIECE", 150)
    pieces = list(make_plan(**SMALL).pieces())
    assert [(p.first, p.last) for p in pieces] == [(0, 150), (150, 300), (300, 400)]
    made = make_synthetic_log(**SMALL)
    np.testing.assert_array_equal(
        made.log.impressions.item, np.concatenate([p.item for p in pieces])
    )


@pytest.mark.parametrize(
    ("n_articles", "n_impressions", "n_users"),
    [(50, 1, 1), (50, 3, 40), (50, 900, 2), (100, 600, 80), (400, 50, 50)],
)
@pytest.mark.parametrize("click_model", ["taste", "coin"])
def test_any_size_is_a_valid_log(n_articles, n_impressions, n_users, click_model):
    log = make_synthetic_log(n_articles, n_impressions, n_users, 1, click_model).log
    shown = log.impressions
    assert (log.n_items, len(shown)) == (n_articles, n_impressions)
    assert log.n_users == min(n_users, len(set(shown.user)))
    assert (np.diff(shown.time) >= 0).all()
    sizes = np.diff(shown.start)
    assert sizes.min() >= walk.LEAST_SHOWN
    assert sizes.max() <= walk.MOST_SHOWN
    pairs = set(zip(shown.impression.tolist(), shown.item.tolist()))
    assert len(pairs) == len(shown.item)  # nothing twice on a page
    first = np.unique(shown.user, return_index=True)[1]
    assert (np.diff(first) > 0).all()  # people by first visit


def test_everybody_comes_where_visits_last():
    assert make_synthetic_log(100, 600, 80).log.n_users == 80


def test_pages_leave_out_what_was_clicked_lately():
    shown = make_synthetic_log(seed=2).log.impressions
    clicked, again = set(), 0
    for row in range(len(shown)):
        page = range(shown.start[row], shown.start[row + 1])
        pairs = [(int(shown.user[row]), int(shown.item[k])) for k in page]
        again += sum(pair in clicked for pair in pairs)
        clicked |= {pair for pair, k in zip(pairs, page) if shown.clicked[k]}
    assert again < 0.01 * len(shown.item)


def test_articles_are_shown_only_once_they_are_out(plan):
    made, press = make_synthetic_log(**SMALL), plan.press
    published = np.empty(60)
    published[press.by_age] = press.published
    shown = made.log.impressions
    assert (published[shown.item] <= (shown.time - BEGIN)[shown.impression]).all()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n_articles", 49, "n_articles must be at least 50, got 49"),
        ("n_impressions", 0, "n_impressions must be at least 1, got 0"),
        ("n_users", 2.5, "n_users must be a whole number, got 2.5"),
        ("seed", -1, "seed must be at least 0, got -1"),
        ("click_model", "dice", "click_model must be one of .*, got 'dice'"),
    ],
)
def test_wrong_arguments_are_named(name, value, message):
    with pytest.raises(ValueError, match=message):
        make_synthetic_log(**{name: value})


def test_grammar_has_many_topics_each_with_stories():
    assert len({topic.category for topic in TOPICS}) >= 15
    assert len({topic.subcategory for topic in TOPICS}) == len(TOPICS)
    for topic in TOPICS:
        assert topic.kinds
        assert all(kind.titles and len(kind.sentences) > 1 for kind in topic.kinds)


def test_no_two_players_share_a_name():
    names = [player(club, k) for club in CLUB_NAMES for k in range(SQUAD + WOMEN)]
    assert len(set(names)) == len(names)
