"""The live model: counters as in training, events once, exploration with its propensity."""

import numpy as np
import pytest

from newsreco.api.events import Event, EventStore, NewArticle, ServedList
from newsreco.api.events.log import with_events
from newsreco.api.live import LiveModel
from newsreco.models.bundle import Settings
from newsreco.training import fit_model

ITEM_COUNTERS = ("item_clicks", "item_views", "item_time", "first_shown", "last_shown")
OTHER_COUNTERS = ("category_clicks", "category_views", "topics", "totals", "now")


@pytest.fixture(scope="module")
def model(world):
    return fit_model(world.log, Settings())


@pytest.fixture
def store(tmp_path):
    with EventStore(f"sqlite:///{tmp_path}/events.db") as store:
        yield store


def event(n, user, article, kind, time, list_id="l1"):
    return Event(f"e{n}", user, article, kind, time, list_id)


def totals(live, model):
    """Clicks and views counted since the training."""
    return (live.state.arrays.totals - model.state.arrays.totals).tolist()


def test_live_counters_are_those_of_training_on_the_same_events(world, model, store):
    start, ids = model.state.now, world.log.articles.ids
    rng, n = np.random.default_rng(0), 0
    for number in range(30):
        user = f"new{rng.integers(5)}" if number % 2 else world.log.user_ids[rng.integers(40)]
        shown = tuple(ids[i] for i in rng.choice(len(ids), 6, replace=False))
        time, list_id = start + 60 * (number + 1), f"l{number}"
        rows = [ServedList(list_id, user, time, "v1", "a", shown)]
        for article in shown:
            kinds = ["impression", "click"] if rng.random() < 0.4 else ["impression"]
            for kind in rng.permutation(kinds):
                rows.append(event(n, user, article, str(kind), time, list_id))
                n += 1
        store.add(rows)
    live = LiveModel(model, "v1", store)
    grown = with_events(world.log, store)
    state = model.state.copy()
    first = len(world.log.impressions)
    state.advance(grown, first, len(grown.impressions))
    for name in ITEM_COUNTERS + OTHER_COUNTERS:
        np.testing.assert_allclose(
            getattr(live.state.arrays, name), getattr(state.arrays, name), rtol=1e-12, err_msg=name
        )
    for number, user in enumerate(grown.user_ids):
        mine = live.user_number[user]
        found = live.state.recent_clicks(mine)
        wanted = state.recent_clicks(number)
        assert sorted(found[0]) == sorted(wanted[0]) and sorted(found[1]) == sorted(wanted[1])
        np.testing.assert_array_equal(
            live.state.arrays.user_topics[mine], state.arrays.user_topics[number]
        )


@pytest.mark.parametrize("kinds", [("impression", "click"), ("click", "impression"), ("click",)])
def test_a_clicked_article_of_a_list_was_seen_once(model, store, kinds):
    now, article = model.state.now, model.articles.ids[0]
    store.add([event(n, "ann", article, kind, now + 1 + n) for n, kind in enumerate(kinds)])
    assert totals(LiveModel(model, "v1", store), model) == [1, 1]


def test_the_same_article_in_another_list_is_seen_again(model, store):
    now, article = model.state.now, model.articles.ids[0]
    store.add([event(n, "ann", article, "impression", now + 1, f"l{n}") for n in range(3)])
    assert totals(LiveModel(model, "v1", store), model) == [0, 3]


def test_a_like_is_a_click_without_a_view_once(model, store):
    now, article = model.state.now, model.articles.ids[0]
    store.add([event(n, "ann", article, kind, now + 1) for n, kind in enumerate(("like", "like"))])
    store.add([event(9, "ann", article, "dwell", now + 2)])
    assert totals(LiveModel(model, "v1", store), model) == [1, 0]


def test_events_that_the_training_knew_are_not_counted_again(model, store):
    now, article = model.state.now, model.articles.ids[0]
    store.add([event(1, "ann", article, "click", now), event(2, "ann", article, "click", now - 5)])
    live = LiveModel(model, "v1", store)
    assert totals(live, model) == [0, 0] and live.state.now == now


def test_the_trained_model_itself_is_not_changed(model, store):
    before = model.state.arrays.totals.copy()
    store.add([event(1, "ann", model.articles.ids[0], "click", model.state.now + 1)])
    LiveModel(model, "v1", store)
    np.testing.assert_array_equal(model.state.arrays.totals, before)


def test_an_article_that_arrives_is_live_and_scored_by_its_text(model, store):
    now = model.state.now
    twin = 7  # an article with the same text has the same vector
    texts = model.articles.title[twin], model.articles.abstract[twin]
    live = LiveModel(model, "v1", store)
    store.add([NewArticle("NEW", "zoology", "owls", *texts, "", now + 1)])
    live.catch_up()
    item = live.item_number["NEW"]
    np.testing.assert_allclose(live.model.vectors[item], model.vectors[twin], atol=1e-6)
    assert live.pipeline.live(-1, now + 2)[0][item]
    assert live.model.articles.categories[live.model.articles.category[item]] == "zoology"


def test_exploration_shows_any_live_article_with_its_propensity(model, store):
    epsilon, k = 0.5, 5
    live = LiveModel(model, "v1", store, epsilon, np.random.default_rng(0))
    greedy = LiveModel(model, "v1", store).recommend("ann", k, model.state.now, "a").record
    n_choices = int(live.pipeline.live(-1, model.state.now)[0].sum()) - (k - 1)
    drawn = [live.recommend("ann", k, model.state.now, "a").record for _ in range(600)]
    for record in drawn:
        assert record.news_ids[: k - 1] == greedy.news_ids[: k - 1]
        assert record.explored == k - 1 and len(set(record.news_ids)) == k
        same = record.news_ids[-1] == greedy.news_ids[-1]
        wanted = epsilon / n_choices + (1 - epsilon) * same
        assert record.propensity == pytest.approx(wanted)
    other = np.mean([record.news_ids[-1] != greedy.news_ids[-1] for record in drawn])
    assert abs(other - epsilon * (1 - 1 / n_choices)) < 4 * np.sqrt(0.25 / 600)
    assert len({record.news_ids[-1] for record in drawn}) > n_choices / 2
    weights = [1 / r.propensity for r in drawn if r.news_ids[-1] == greedy.news_ids[-1]]
    assert abs(np.sum(weights) / 600 - 1) < 0.15, "inverse propensities sum to the number of draws"


def test_warming_up_changes_nothing(model, store):
    live = LiveModel(model, "v1", store)
    before = {name: array.copy() for name, array in live.state.arrays._asdict().items()}
    first = live.recommend("ann", 10, model.state.now, "a").record.news_ids
    live.warm_up()
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(live.state.arrays, name), array)
    assert live.recommend("ann", 10, model.state.now, "a").record.news_ids == first


def test_without_exploration_lists_are_deterministic(model, store):
    live = LiveModel(model, "v1", store)
    records = [live.recommend("ann", 10, model.state.now, "a").record for _ in range(2)]
    assert records[0].news_ids == records[1].news_ids
    assert (records[0].explored, records[0].propensity) == (-1, 1.0)


def test_old_news_is_recommended_where_little_is_new(model, store):
    much_later = model.state.now + 1e7
    store.add([event(1, "bob", model.articles.ids[0], "impression", much_later)])
    live = LiveModel(model, "v1", store)
    assert len(live.recommend("ann", 10, much_later, "a").entries) == 10


def test_users_keep_their_numbers_after_a_deletion(model, store):
    now, ids = model.state.now, model.articles.ids
    store.add([event(n, f"u{n}", ids[n], "click", now + 1) for n in range(3)])
    live = LiveModel(model, "v1", store)
    store.delete_user("u1", now)
    live.catch_up()
    store.add([event(7, "u3", ids[7], "click", now + 2)])
    live.catch_up()
    for user, item in (("u0", 0), ("u2", 2), ("u3", 7)):
        clicks, _ = live.state.recent_clicks(live.user_number[user])
        assert clicks.tolist() == [item]
