"""The service's events as a log, on cases small enough to check by hand."""

import numpy as np
import pytest

from newsreco.api.events import Event, EventStore, NewArticle, ServedList
from newsreco.api.events.log import with_events, without_users
from newsreco.cli import main
from newsreco.synthetic import write_sample


@pytest.fixture
def store(tmp_path):
    with EventStore(f"sqlite:///{tmp_path}/events.db") as store:
        yield store


@pytest.fixture
def later(world):
    """A time after the log, and ids of four articles."""
    return float(world.log.impressions.time[-1]) + 100, world.log.articles.ids[:4]


def last(log):
    """User, time, ids shown and labels of the last impression."""
    shown, row = log.impressions, len(log.impressions) - 1
    here = slice(shown.start[row], shown.start[row + 1])
    ids = [log.articles.ids[item] for item in shown.item[here]]
    return log.user_ids[shown.user[row]], shown.time[row], ids, shown.clicked[here].tolist()


def event(n, user, article, kind, time, list_id=None):
    return Event(f"e{n}", user, article, kind, time, list_id)


def test_a_list_is_one_impression_down_to_what_was_seen(world, store, later):
    time, (a, b, c, d) = later
    store.add(
        [
            ServedList("l1", "ann", time, "v1", "a", (c, a, d, b)),
            event(1, "ann", c, "impression", time + 1, "l1"),
            event(2, "ann", d, "impression", time + 2, "l1"),
            event(3, "ann", a, "click", time + 3, "l1"),
            event(4, "ann", a, "dwell", time + 9, "l1"),
        ]
    )
    grown = with_events(world.log, store)
    assert len(grown.impressions) == len(world.log.impressions) + 1
    assert last(grown) == ("ann", time + 1, [c, a, d], [False, True, False])
    assert grown.user_ids == [*world.log.user_ids, "ann"]


def test_events_without_a_list_or_of_another_users_list_stand_alone(world, store, later):
    time, (a, b, c, _) = later
    store.add([ServedList("l1", "ann", time, "v1", "a", (a, b))])
    store.add([event(1, "bob", a, "like", time + 1, "l1")])
    store.add([event(2, "bob", c, "impression", time + 2)])
    grown = with_events(world.log, store)
    assert len(grown.impressions) == len(world.log.impressions) + 2
    assert last(grown) == ("bob", time + 2, [c], [False])


def test_lists_nobody_looked_at_and_dismissals_are_no_impressions(world, store, later):
    time, (a, b, _, _) = later
    store.add([ServedList("l1", "ann", time, "v1", "a", (a, b))])
    store.add([event(1, "ann", a, "dismiss", time + 1, "l1")])
    assert with_events(world.log, store) is world.log


def test_impressions_are_in_order_of_time_among_those_of_the_log(world, store):
    shown = world.log.impressions
    middle = (shown.time[400] + shown.time[401]) / 2
    store.add([event(1, "ann", world.log.articles.ids[0], "click", middle)])
    grown = with_events(world.log, store).impressions
    assert (np.diff(grown.time) >= 0).all()
    row = grown.ids.index("service-e1")
    assert grown.time[row] == middle
    assert [*grown.ids[:row], *grown.ids[row + 1 :]] == shown.ids
    assert grown.clicked.sum() == shown.clicked.sum() + 1
    for before, after in ((5, 5), (600, 601)):  # the articles of other impressions stay
        old = shown.item[shown.start[before] : shown.start[before + 1]]
        new = grown.item[grown.start[after] : grown.start[after + 1]]
        np.testing.assert_array_equal(old, new)


def test_articles_that_arrived_are_in_the_log(world, store, later):
    time, _ = later
    store.add([NewArticle("NEW", "zoology", "owls", "Owls return", "", "", time)])
    store.add([event(1, world.log.user_ids[3], "NEW", "click", time)])
    grown = with_events(world.log, store)
    assert grown.articles.ids == [*world.log.articles.ids, "NEW"]
    assert last(grown) == (world.log.user_ids[3], time, ["NEW"], [True])


def test_deleted_users_are_left_out_of_the_log_too(world, store, later):
    user = world.log.user_ids[int(world.log.impressions.user[0])]
    store.add([event(1, user, later[1][0], "click", later[0])])
    store.delete_user(user, later[0])
    grown = with_events(world.log, store)
    assert user not in grown.user_ids
    mine = world.log.impressions.user == world.log.user_ids.index(user)
    assert len(grown.impressions) == np.count_nonzero(~mine)


def test_without_users_keeps_the_others_as_they_were(world):
    log = world.log
    gone = set(log.user_ids[::3])
    kept = without_users(log, gone)
    assert kept.user_ids == [user for user in log.user_ids if user not in gone]
    old = {
        log.impressions.ids[row]: row
        for row in range(len(log.impressions))
        if log.user_ids[log.impressions.user[row]] not in gone
    }
    assert kept.impressions.ids == list(old)
    for new, row in list(enumerate(old.values()))[::50]:
        for field in ("item", "clicked"):
            a, b = getattr(kept.impressions, field), getattr(log.impressions, field)
            here = slice(*kept.impressions.start[new : new + 2])
            there = slice(*log.impressions.start[row : row + 2])
            np.testing.assert_array_equal(a[here], b[there])
    for number, user in enumerate(kept.user_ids[:20]):
        before = log.user_ids.index(user)
        a = kept.history_item[slice(*kept.history_start[number : number + 2])]
        b = log.history_item[slice(*log.history_start[before : before + 2])]
        np.testing.assert_array_equal(a, b)


def test_train_learns_from_events(tmp_path, store, capsys):
    write_sample(tmp_path / "data", 60, 400, 40, progress=False)
    lines = (tmp_path / "data" / "news.tsv").read_text().splitlines()
    ids = [line.split("\t")[0] for line in lines]
    store.add([event(n, "ann", ids[n], "click", 2e9 + n) for n in range(30)])
    words = ["train", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "model")]
    words += ["--no-tracking", "--quiet", "--refit", "--events"]
    assert main([*words, f"sqlite:///{tmp_path}/events.db"]) == 0
    assert "30 impressions more" in capsys.readouterr().err
    assert main([*words, f"sqlite:///{tmp_path}/none.db"]) == 2
    assert "is missing" in capsys.readouterr().err
