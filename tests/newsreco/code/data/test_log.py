"""The log: what its fingerprint covers, and equal times at the cutoff."""

from dataclasses import replace

import numpy as np
import pytest


def with_times(log, times):
    """The log's first impressions, at the given times."""
    rows = log.impressions.rows(0, len(times))
    return replace(log, impressions=replace(rows, time=np.array(times, float)))


def changed(log, part, name):
    """The log with one entry of one array changed."""
    array = getattr(getattr(log, part) if part else log, name).copy()
    array[len(array) // 2] = not array[len(array) // 2] if array.dtype == bool else 7
    if not part:
        return replace(log, **{name: array})
    return replace(log, **{part: replace(getattr(log, part), **{name: array})})


@pytest.mark.parametrize(
    ("part", "name"),
    [
        *(("impressions", name) for name in ("user", "time", "start", "item", "clicked")),
        *(("", name) for name in ("history_start", "history_item")),
    ],
)
def test_fingerprint_depends_on_each_array(world, part, name):
    other = changed(world.log, part, name)
    assert other.fingerprint() != world.log.fingerprint()
    assert len(other.fingerprint()) == 16


@pytest.mark.parametrize("name", ["ids", "title", "abstract"])
def test_fingerprint_depends_on_the_texts_of_the_articles(world, name):
    log, texts = world.log, list(getattr(world.log.articles, name))
    texts[-1] += " more"
    other = replace(log, articles=replace(log.articles, **{name: texts}))
    assert other.fingerprint() != log.fingerprint()
    assert replace(log, articles=replace(log.articles)).fingerprint() == log.fingerprint()


def test_fingerprint_depends_on_the_names_of_the_users(world):
    log = world.log
    other = replace(log, user_ids=[*log.user_ids[:-1], "someone else"])
    assert other.fingerprint() != log.fingerprint()


def test_impressions_at_the_cutoff_belong_to_the_later_part(world):
    """Of 10 impressions the last 20 % begin at number 8, at the time of numbers 6 to 8."""
    log = with_times(world.log, [0, 1, 2, 3, 4, 5, 6, 6, 6, 7])
    assert log.cutoff_time(0.2) == 6.0
    assert log.cut(6.0) == 6 and log.cut(6.1) == 9 and log.cut(-1.0) == 0
    past = log.before(6.0)
    assert past.impressions.time.tolist() == [0, 1, 2, 3, 4, 5]
    assert past.n_users == log.impressions.user[:6].max() + 1
    assert len(past.history_item) == past.history_start[-1]


@pytest.mark.parametrize(
    ("fraction", "cutoff"), [(0.1, 9), (0.2, 8), (0.25, 8), (0.5, 5), (0.9, 1), (0.99, 1)]
)
def test_cutoff_by_hand(world, fraction, cutoff):
    """With 10 impressions a second apart, ceil(10 (1 - fraction)) are in the earlier part."""
    assert with_times(world.log, range(10)).cutoff_time(fraction) == cutoff


def test_a_log_of_one_time_cannot_be_split(world):
    with pytest.raises(ValueError, match="all 5 impressions have the same time"):
        with_times(world.log, [3] * 5).cutoff_time(0.2)


def test_a_click_has_the_time_and_user_of_its_impression(world):
    log, shown = world.log, world.log.impressions
    clicks = log.clicks()
    expected = [
        (shown.user[r], shown.time[r], item)
        for r in range(len(shown))
        for item, clicked in zip(
            *(c[shown.start[r] : shown.start[r + 1]] for c in (shown.item, shown.clicked))
        )
        if clicked
    ]
    assert list(zip(clicks.user, clicks.time, clicks.item)) == expected
