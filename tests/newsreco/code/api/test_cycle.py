"""The cycle on simulated users: who comes, what is logged, and how models are compared."""

import numpy as np
import pytest

from newsreco.api.cycle import (
    K,
    Visits,
    arrivals,
    at_positions,
    compare,
    events_of,
    serve_visits,
    without_positions,
)
from newsreco.api.events import Event, EventStore, NewArticle, ServedList
from newsreco.api.events.log import with_events
from newsreco.features.kernels import Column
from newsreco.models.bundle import Settings
from newsreco.models.update import update
from newsreco.synthetic.click_model import TrueClickModel
from newsreco.training import fit_model


class HalfAtTheTop:
    """A click model in which everything has probability one half at the top."""

    def probabilities(self, state, user, time, items):
        return np.full(len(items), 0.5)


HALF = HalfAtTheTop()


@pytest.fixture(scope="module")
def split(world):
    return world.log.cutoff_time(0.5), world.log.cutoff_time(0.25)


@pytest.fixture(scope="module")
def model(world, split):
    return fit_model(world.log.before(split[0]), Settings())


@pytest.fixture(scope="module")
def visits(world, split):
    return Visits.between(world.log, *split)


@pytest.fixture(scope="module")
def few(visits):
    return Visits(visits.user_ids, visits.user[:40], visits.time[:40])


@pytest.fixture(scope="module")
def serve(world, model, tmp_path_factory):
    """A function that serves visits; it returns the store."""
    stores = []

    def serve(visits, rng=0, truth=HALF):
        store = EventStore(f"sqlite:///{tmp_path_factory.mktemp('cycle')}/events.db")
        stores.append(store)
        serve_visits(model, visits, arrivals(world.log), truth, store, 0.3, rng)
        return store

    yield serve
    for store in stores:
        store.close()


@pytest.fixture(scope="module")
def store(serve, visits):
    """What serving all visits left."""
    return serve(visits)


def test_click_probabilities_fall_with_the_position():
    # odds are divided by (1 + position) ** 0.3: 1 / 2 ** 0.3, 0.25 / 4 ** 0.3
    found = at_positions(np.array([0.5, 0.5, 0.2, 0.2]))
    np.testing.assert_allclose(found[:2], [0.5, 0.448201], atol=1e-6)
    np.testing.assert_allclose(found[3], 0.141585, atol=1e-6)


def test_events_are_one_impression_of_each_article_and_its_clicks():
    record = ServedList("l7", "ann", 60.0, "v1", "a", ("N1", "N2"))
    events = events_of(5, record, np.array([False, True]))
    assert events == [
        Event("5-0-impression", "ann", "N1", "impression", 60.0, "l7", 0),
        Event("5-1-impression", "ann", "N2", "impression", 60.0, "l7", 1),
        Event("5-1-click", "ann", "N2", "click", 60.0, "l7", 1),
    ]


def test_visits_are_from_a_time_until_before_another(world):
    time = world.log.impressions.time
    found = Visits.between(world.log, time[3], time[6])
    np.testing.assert_array_equal(found.time, time[3:6])
    np.testing.assert_array_equal(found.user, world.log.impressions.user[3:6])
    assert len(found) == 3 and len(Visits.between(world.log, time[3])) == len(time) - 3


def test_articles_arrive_in_order_when_the_log_first_shows_them(world):
    shown = world.log.impressions
    first = {}
    for number in range(len(shown)):
        for item in shown.item[shown.start[number] : shown.start[number + 1]]:
            first.setdefault(world.log.articles.ids[item], shown.time[number])
    found = arrivals(world.log)
    assert {article.news_id: article.time for article in found} == first
    assert np.all(np.diff([article.time for article in found]) >= 0)
    titles = dict(zip(world.log.articles.ids, world.log.articles.title))
    assert all(article.title == titles[article.news_id] for article in found)


def test_clicks_follow_the_position(store, visits):
    clicks = np.zeros(K)
    for event in store.all(Event):
        clicks[event.position] += event.event == "click"
    wanted = 1 / (1 + (1 + np.arange(K)) ** 0.3)
    error = np.sqrt(wanted * (1 - wanted) / len(visits))
    assert np.all(np.abs(clicks / len(visits) - wanted) < 4 * error)


def test_each_visit_is_served_one_list_and_sees_all_of_it(store, visits):
    lists = list(store.all(ServedList))
    assert [row.user_id for row in lists] == [visits.user_ids[u] for u in visits.user]
    np.testing.assert_array_equal([row.time for row in lists], visits.time)
    seen = [(e.list_id, e.news_id) for e in store.all(Event) if e.event == "impression"]
    assert seen == [(row.list_id, article) for row in lists for article in row.news_ids]


def test_no_article_is_shown_before_it_arrives(store, world):
    arrived = {article.news_id: article.time for article in arrivals(world.log)}
    assert all(arrived[a] <= row.time for row in store.all(ServedList) for a in row.news_ids)
    late = [article.time for article in store.all(NewArticle)]
    assert late and late == sorted(late)


def test_serving_is_deterministic_by_rng(serve, few):
    def seen(store):
        lists = [(row.news_ids, row.propensity) for row in store.all(ServedList)]
        return lists, [(e.event_id, e.news_id) for e in store.all(Event)]

    one, same, other = (seen(serve(few, rng)) for rng in (0, 0, 1))
    assert one == same and one[0] != other[0] and one[1] != other[1]


def test_a_visit_without_arrivals_is_one_transaction(serve, few, monkeypatch):
    sizes, add = [], EventStore.add
    monkeypatch.setattr(EventStore, "add", lambda self, r: sizes.append(len(r)) or add(self, r))
    store = serve(few)
    n_arriving = len({article.time for article in store.all(NewArticle)})
    assert 0 not in sizes and len(few) < len(sizes) <= len(few) + n_arriving


def test_users_with_other_numbers_are_refused(world, model, split, tmp_path):
    visits = Visits.between(world.log, *split)
    moved = Visits(visits.user_ids[::-1], visits.user, visits.time)
    store = EventStore(f"sqlite:///{tmp_path}/events.db")
    with store, pytest.raises(ValueError, match="numbered"):
        serve_visits(model, moved, [], HALF, store)


def test_without_positions_only_the_ranker_changes(world, model, split):
    log = world.log.before(split[0])
    before = model.ranker.weights.copy()
    plain = without_positions(model, log)
    assert plain.ranker.weights[Column.POSITION] == 0 != before[Column.POSITION]
    np.testing.assert_array_equal(model.ranker.weights, before)
    assert plain.vectors is model.vectors and plain.state is model.state


def test_models_are_compared_by_the_true_probability_of_their_lists(
    world, model, serve, visits, split
):
    truth = TrueClickModel(n_articles=100, n_impressions=800, n_users=80, seed=1)
    grown = with_events(world.log.before(split[0]), serve(visits, truth=truth))
    worse = without_positions(model, grown)
    worse.ranker.weights[:] *= -1
    knows = update(model, grown).model  # the log that all of them are brought up to
    models = {"first": model, "same": model, "knows": knows, "-": worse}
    later = Visits.between(world.log, split[1])
    table = compare(models, grown, later, arrivals(world.log), truth)
    for name in ("same", "knows"):
        assert table.loc[name, "difference":].tolist() == [0, 0, 0]
    assert table.probability["same"] == table.probability["first"]
    assert table.loc["-", "difference_high"] < 0
    low, value, high = table.loc["-", ["difference_low", "difference", "difference_high"]]
    assert low < value < high
    half = compare(models, grown, later, arrivals(world.log), HALF)
    np.testing.assert_allclose(half.probability, 0.5)
