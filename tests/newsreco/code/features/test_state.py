"""State by hand: counters that are full, the profile's half-life, replay at equal times."""

from dataclasses import replace

import numpy as np
import pytest

from newsreco.data import Articles, Impressions, NewsLog
from newsreco.data.times import DAY, HOUR
from newsreco.evaluation.lists import _sample_impressions
from newsreco.features.kernels import Column
from newsreco.features.matrix import candidate_features
from newsreco.features.state import CLICK_COLUMNS, State, replay_impressions


def make_log(rows, n_items):
    """A log of impressions (user, hour, shown, clicked), of articles with one topic."""
    names, zeros = [f"N{i}" for i in range(n_items)], np.zeros(n_items, np.int32)
    articles = Articles(
        names, names, names, names, zeros, zeros, ["news"], ["news"], [()] * n_items
    )
    users, hours, shown, clicked = zip(*rows)
    impressions = Impressions(
        [f"I{r}" for r in range(len(rows))],
        np.array(users, np.int32),
        np.array(hours, float) * HOUR,
        np.cumsum([0, *map(len, shown)]),
        np.concatenate(shown).astype(np.int32),
        np.concatenate([np.isin(s, c) for s, c in zip(shown, clicked)]),
    )
    n_users = max(users) + 1
    nothing = np.zeros(n_users + 1, np.int64), np.empty(0, np.int32)
    return NewsLog(articles, [f"U{u}" for u in range(n_users)], *nothing, impressions)


def state_after(log, half_life=10 * HOUR):
    state = State.empty(log, half_life)
    state.advance(log, 0, len(log.impressions))
    return state


def test_counters_of_a_user_stop_when_they_are_full():
    """66 impressions of 1,000 articles are more than the 65,535 that fit."""
    everything = np.arange(1000)
    log = make_log([(0, hour, everything, everything) for hour in range(66)], 1000)
    arrays = state_after(log).arrays
    assert arrays.user_topics[0, 0].tolist() == [65_535, 65_535]
    assert arrays.topics[0].tolist() == [66_000, 66_000]
    assert arrays.user_clicks[0] == arrays.n_clicks[0] == 66_000
    assert arrays.totals.tolist() == [66_000, 66_000]


def test_counters_of_clicks_and_views_are_apart():
    arrays = state_after(make_log([(0, 1, [0, 1, 2], [1]), (1, 2, [0, 2], [0, 2])], 3)).arrays
    assert arrays.user_topics[:, 0].tolist() == [[1, 3], [2, 2]]
    assert arrays.topics[0].tolist() == arrays.totals.tolist() == [3, 5]


@pytest.mark.parametrize("half_life", [10 * HOUR, 5 * HOUR])
def test_profile_halves_every_half_life(half_life):
    """Clicks at hours 0 and 10, seen from hour 20."""
    state = state_after(make_log([(0, 0, [0], [0]), (0, 10, [1, 2], [1])], 3), half_life)
    profile = state.profile(0, 20 * HOUR, np.eye(3, dtype=np.float32))
    old, new = 0.5 ** (20 * HOUR / half_life), 0.5 ** (10 * HOUR / half_life)
    np.testing.assert_allclose(profile, [old, new, 0])
    assert profile.dtype == np.float32


def test_counters_of_an_article_decay_with_hours_and_days():
    arrays = state_after(make_log([(0, 0, [0], [0]), (1, 48, [0, 1], [0])], 2)).arrays
    np.testing.assert_allclose(arrays.item_clicks[0], [1 + 0.5**8, 1.5])  # 6 hours, 2 days
    np.testing.assert_allclose(arrays.item_views, [1.5, 1])
    assert (arrays.first_shown[0], arrays.last_shown[0]) == (0, 2 * DAY)


def test_all_clicks_of_the_last_impression_count_and_the_nearest_are_ten():
    """Twelve clicks at once: each is one of the last, and the first two are not among the ten."""
    clicked = np.arange(12)
    state = state_after(make_log([(0, 0, [13], [13]), (0, 1, clicked, clicked)], 14))
    vectors = np.eye(14, dtype=np.float32)
    X = candidate_features(state, vectors, 0, 2 * HOUR, np.arange(14))
    assert X[:, Column.LAST].tolist() == [1] * 12 + [0, 0]
    assert X[:, Column.NEAREST].tolist() == [0] * 2 + [1] * 10 + [0, 0]


def test_lists_are_evaluated_on_impressions_later_than_the_training():
    """Training ended at hour 2; the impression of hour 4 has no click."""
    rows = [(0, hour, [0], [0] if hour != 4 else []) for hour in (1, 2, 2, 3, 4, 5)]
    assert _sample_impressions(make_log(rows, 1), 2 * HOUR, 9, rng=0).tolist() == [3, 5]


def test_replay_leaves_out_impressions_of_the_same_time():
    """Impressions 1 to 3 have the same time: none of them sees another."""
    rows = [(0, 1, [0, 1], [0]), (1, 2, [0, 1], [1]), (0, 2, [1, 2], [2]), (2, 2, [2], [])]
    log = make_log([*rows, (1, 3, [0], [])], 3)
    state, views = State.empty(log, DAY), []
    for user, time, shown in replay_impressions(state, log, range(5)):
        views.append((user, time / HOUR, state.arrays.totals[1], shown.stop - shown.start))
    assert views == [(0, 1, 0, 2), (1, 2, 2, 2), (0, 2, 2, 2), (2, 2, 2, 1), (1, 3, 7, 1)]


def test_replay_goes_on_after_what_was_counted():
    log = make_log([(0, hour, [0], [0]) for hour in (1, 2, 2, 3, 4)], 1)
    state = State.empty(log, DAY)
    state.advance(log, 0, 3)
    counted = [state.arrays.totals[1] for _ in replay_impressions(state, log, [3, 4])]
    assert counted == [3, 4]


def test_history_of_a_user_is_loaded_once_and_first():
    log = make_log([(0, 1, [0, 1], [1]), (0, 2, [2], [])], 3)
    log = replace(log, history_start=np.array([0, 2]), history_item=np.array([2, 0], np.int32))
    state = state_after(log)
    items, times = state.recent_clicks(0)
    assert items.tolist() == [1, 0, 2] and (times == HOUR).all()
    assert state.last_clicks(0).tolist() == [1]
    assert state.recent_clicks(0, 2)[0].tolist() == [1, 0]
    assert state.arrays.totals.tolist() == [1, 3], "clicks before the log are no views"


def test_events_one_by_one_count_as_one_impression():
    log = make_log([(0, 0, [0, 1], []), (1, 5, [2, 0, 1], [0])], n_items=3)
    whole = state_after(log)
    state = State.empty(log, 10 * HOUR)
    state.advance(log, 0, 1)
    for item, clicked in ((2, False), (0, True), (1, False)):
        state.count_event(1, 5 * HOUR, item, True, clicked)
    for name, array in whole.arrays._asdict().items():
        if name not in ("history_loaded", *CLICK_COLUMNS) and not name.startswith("user_"):
            np.testing.assert_allclose(getattr(state.arrays, name), array, err_msg=name)
    np.testing.assert_array_equal(state.arrays.user_topics[1], whole.arrays.user_topics[1])


def test_a_click_after_its_view_adds_a_click_only():
    log = make_log([(0, 0, [0, 1], [])], n_items=2)
    state = state_after(log)
    state.count_event(0, 0.0, 1, False, True)
    assert state.arrays.totals.tolist() == [1, 2]
    assert state.arrays.item_views.tolist() == [1, 1]
    assert state.arrays.item_clicks[:, 0].tolist() == [0, 1]
    assert state.arrays.user_topics[0, 0].tolist() == [1, 2]
    assert state.recent_clicks(0)[0].tolist() == [1]


def test_a_late_event_counts_as_of_the_last_one():
    state = state_after(make_log([(0, 9, [0], [])], n_items=1))
    state.count_event(0, HOUR, 0, True, False)
    assert state.now == 9 * HOUR and state.arrays.item_views[0] == 2


def test_publishing_lets_only_new_articles_count_as_shown():
    state = state_after(make_log([(0, 1, [0], [])], n_items=3))
    state.publish(np.array([0, 2]), 7 * HOUR)
    assert state.arrays.last_shown.tolist() == [HOUR, -np.inf, 7 * HOUR]
    assert state.arrays.item_views.tolist() == [1, 0, 0]


def test_a_forgotten_user_has_no_history_and_articles_keep_their_counts():
    state = state_after(make_log([(0, 1, [0, 1], [1]), (1, 2, [0], [0])], n_items=2))
    clicks = state.arrays.item_clicks.copy()
    state.forget(0)
    assert state.recent_clicks(0)[0].tolist() == [] and state.arrays.user_clicks[0] == 0
    assert not state.arrays.user_topics[0].any()
    assert state.recent_clicks(1)[0].tolist() == [0]
    np.testing.assert_array_equal(state.arrays.item_clicks, clicks)
