"""A model against logs of other articles, in another order, of other days: matched by id."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from other_logs import later, renumbered, take_articles, without_articles

from newsreco.evaluation.lists import evaluate_lists
from newsreco.evaluation.model import evaluate
from newsreco.features.matrix import replay
from newsreco.features.state import State
from newsreco.models.bundle import Settings, load_model
from newsreco.models.cooccurrence import click_tables, fit_tables, tables_of_state
from newsreco.models.matching import match
from newsreco.models.pipeline import RecommendationPipeline
from newsreco.models.update import update
from newsreco.synthetic import make_synthetic_log
from newsreco.tracking.gate import compare_models
from newsreco.training import fit_model, train

SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def model(world):
    return train(world.log, Settings(), progress=False, lists=0).model


@pytest.fixture(scope="module")
def shuffled(world):
    return shuffle(world.log, 3)


def shuffle(log, seed):
    rng = np.random.default_rng(seed)
    return renumbered(log, rng.permutation(log.n_items), rng.permutation(log.n_users))


def ids(model, found):
    return [model.articles.ids[item] for item in found.items]


def lists_by_id(model, users, time=None):
    """Article ids and scores recommended to users by id."""
    pipeline, rows = RecommendationPipeline(model), {}
    for user in users:
        number = model.user_ids.index(user) if user in model.user_ids else -1
        found = pipeline.recommend(number, time)
        rows[user] = ids(model, found), found.scores.tolist()
    return rows


def test_metrics_do_not_depend_on_the_numbering(world, model, shuffled):
    assert evaluate(model, shuffled)[1] == evaluate(model, world.log)[1]


def test_lists_do_not_depend_on_the_numbering(world, model, shuffled):
    found, expected = (evaluate_lists(model, log, at_most=40) for log in (shuffled, world.log))
    assert found.drop(columns="user").equals(expected.drop(columns="user"))


def test_matched_log_says_the_same_of_every_id(world, model, shuffled):
    log = match(model, shuffled).log
    a, b = log.impressions, world.log.impressions
    assert [log.articles.ids[i] for i in a.item] == [world.log.articles.ids[i] for i in b.item]
    assert [log.user_ids[u] for u in a.user] == [world.log.user_ids[u] for u in b.user]
    for user in ("U1004", *world.log.user_ids[-3:]):
        if user in world.log.user_ids:
            assert history(log, user) == history(world.log, user) != []
    for name, names in (("category", "categories"), ("subcategory", "subcategories")):
        found = {
            i: getattr(log.articles, names)[c]
            for i, c in zip(log.articles.ids, getattr(log.articles, name))
        }
        expected = world.log.articles
        for article, number in zip(expected.ids, getattr(expected, name)):
            assert found[article] == getattr(expected, names)[number]


def history(log, user):
    u = log.user_ids.index(user)
    return [log.articles.ids[i] for i in log.history_item[slice(*log.history_start[u : u + 2])]]


def test_new_articles_are_embedded_and_begin_at_zero(world):
    dropped = np.zeros(world.log.n_items, bool)
    dropped[[3, 50]] = True
    small = without_articles(world.log, dropped)
    model = train(small, Settings(), progress=False, lists=0).model
    grown = match(model, world.log).model
    new = [grown.articles.ids.index(world.log.articles.ids[row]) for row in (3, 50)]
    assert sorted(new) == [98, 99]
    texts = [world.log.articles.texts()[row] for row in (3, 50)]
    assert np.array_equal(grown.vectors[new], model.embedder.transform(texts))
    assert np.abs(grown.vectors[new]).sum() > 0
    assert np.array_equal(grown.vectors[:98], model.vectors)
    assert (grown.state.arrays.item_views[98:] == 0).all()
    assert np.isneginf(grown.state.arrays.last_shown[98:]).all()


def test_numbers_of_new_articles_do_not_depend_on_the_order_of_the_file(world, shuffled):
    dropped = np.arange(world.log.n_items) % 4 == 1
    small = without_articles(world.log, dropped).before(world.log.cutoff_time(0.2))
    model = fit_model(small, Settings())
    a, b = update(model, world.log).model, update(model, shuffled).model
    assert a.articles.ids == b.articles.ids and len(a.articles.ids) == world.log.n_items
    assert set(a.user_ids) == set(world.log.user_ids) > set(model.user_ids)
    users = world.log.user_ids[-20:]
    assert lists_by_id(a, users) == lists_by_id(b, users)
    found, expected = (evaluate_lists(model, log, at_most=20) for log in (world.log, shuffled))
    assert found.drop(columns="user").equals(expected.drop(columns="user"))


def test_an_article_never_shown_changes_no_metric(world, model):
    log, a = world.log, world.log.articles
    more = take_articles(a, np.arange(len(a)))
    more = replace(
        more, ids=["N0", *more.ids], title=["New", *more.title], abstract=["", *more.abstract],
        url=["", *more.url], entities=[(), *more.entities],
        category=np.append(np.int32(0), more.category).astype(np.int32),
        subcategory=np.append(np.int32(0), more.subcategory).astype(np.int32),
    )  # fmt: skip
    shown = replace(log.impressions, item=log.impressions.item + 1)
    wider = replace(log, articles=more, impressions=shown, history_item=log.history_item + 1)
    assert evaluate(model, wider, lists=0)[1] == evaluate(model, log, lists=0)[1]


def test_a_changed_text_is_embedded_anew(world, model):
    title = list(world.log.articles.title)
    title[7] = "Rovers win the cup after extra time"
    changed = replace(world.log, articles=replace(world.log.articles, title=title))
    matched = match(model, changed)
    assert matched.changed_articles == 1 and matched.new_articles == 0
    text = changed.articles.texts()[7]
    assert np.array_equal(matched.model.vectors[7], model.embedder.transform([text])[0])
    assert not np.array_equal(matched.model.vectors[7], model.vectors[7])
    assert matched.model.articles.title[7] == title[7]


def test_the_log_of_another_site_is_refused(model):
    other = make_synthetic_log(n_articles=100, n_impressions=200, n_users=80, seed=2).log
    with pytest.raises(ValueError, match="have other texts"):
        evaluate(model, other)
    strangers = replace(
        other,
        articles=replace(other.articles, ids=[f"X{i}" for i in other.articles.ids]),
        user_ids=[f"X{u}" for u in other.user_ids],
    )
    with pytest.raises(ValueError, match="in common"):
        update(model, strangers)


def test_state_and_log_of_different_sizes_never_reach_a_compiled_loop(world, model):
    fewer = without_articles(world.log, np.arange(world.log.n_items) < 10)
    with pytest.raises(ValueError, match="match"):
        replay(fewer, model.state.copy(), model.vectors)
    with pytest.raises(ValueError, match="state must know"):
        RecommendationPipeline(model, State.empty(fewer, 3600.0))


def test_update_counts_what_a_state_counts_from_the_beginning(world, model):
    updated = update(model, world.log).model
    expected = State.empty(world.log, model.settings.half_life)
    expected.advance(world.log, 0, len(world.log.impressions))
    expected = expected.to_arrays()
    for name, array in updated.state.to_arrays().items():
        assert np.array_equal(array, expected[name]), name


def test_tables_of_the_state_are_those_of_the_log(world, model):
    expected, found = fit_tables(world.log), update(model, world.log).model.tables
    assert list(found) == list(expected)
    for name in expected:
        assert (found[name] != expected[name]).nnz == 0 and found[name].nnz == expected[name].nnz
        assert found[name].nnz > 100


def test_update_day_by_day_equals_one_update(world, model):
    end, last = model.state.now, world.log.impressions.time[-1]
    half = world.log.impressions.time[world.log.cut((end + last) / 2)]
    first = update(model, world.log.before(half))
    second = update(first.model, shuffle(later(world.log, half), 5))
    whole = update(model, world.log)
    assert first.counted + second.counted == whole.counted > first.counted > 0
    assert second.skipped == 0 and whole.skipped == world.log.cut(np.nextafter(end, np.inf))
    users = ["nobody", *world.log.user_ids[:20]]
    assert lists_by_id(second.model, users) == lists_by_id(whole.model, users)


def test_update_leaves_the_model_as_it_was(world, model):
    before = {name: array.copy() for name, array in model.state.to_arrays().items()}
    update(model, shuffle(world.log, 1))
    after = model.state.to_arrays()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_updated_model_survives_a_save(world, model, tmp_path):
    updated = update(model, world.log).model
    updated.save(tmp_path / "model")
    users = world.log.user_ids[:5]
    assert lists_by_id(load_model(tmp_path / "model"), users) == lists_by_id(updated, users)


def test_comparison_of_models_with_different_numberings(world, model):
    dropped = np.arange(world.log.n_items) % 10 == 3
    other = train(
        without_articles(shuffle(world.log, 8), dropped), Settings(half_life_days=1.0),
        progress=False, lists=0,
    ).model  # fmt: skip
    found = compare_models(other, model, world.log)
    assert np.isfinite(found).all() and found[4] > 50
    assert found == compare_models(other, model, shuffle(world.log, 9))


@given(seed=SEEDS, fraction=st.floats(0, 0.95), keep_old=st.booleans())
@settings(max_examples=25, deadline=None)
def test_any_log_that_shares_articles_is_matched(world, model, seed, fraction, keep_old):
    rng = np.random.default_rng(seed)
    dropped = rng.random(world.log.n_items) < fraction
    log = without_articles(world.log, dropped)
    log = log if keep_old else later(log, log.cutoff_time(0.3))
    other = renumbered(log, rng.permutation(log.n_items), rng.permutation(log.n_users))
    a, b = update(model, log), update(model, other)
    assert str(a) == str(b)
    users = ["nobody", *world.log.user_ids[:3]]
    for time in (None, a.model.state.now + 1e6):
        lists = lists_by_id(a.model, users, time)
        assert lists == lists_by_id(b.model, users, time)
        assert all(found for found, _ in lists.values())
    try:
        expected = evaluate(model, log, lists=5)[1]
    except ValueError as error:  # nothing is left to evaluate
        with pytest.raises(ValueError, match=str(error)[:20]):
            evaluate(model, other, lists=5)
    else:
        np.testing.assert_equal(evaluate(model, other, lists=5)[1], expected)  # nan equals nan


@given(seed=SEEDS)
@settings(max_examples=5, deadline=None)
def test_training_on_any_numbering_gives_the_same_ranking_quality(world, seed):
    found = train(shuffle(world.log, seed), Settings(), progress=False, lists=0).metrics
    expected = train(world.log, Settings(), progress=False, lists=0).metrics
    assert found["ranker_auc"] == pytest.approx(expected["ranker_auc"], abs=2e-3)
    assert found["trending_auc"] == pytest.approx(expected["trending_auc"], abs=1e-6)


def test_two_users_at_one_time_are_two_impressions():
    user, item, time = np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3]), np.array([1.0, 2, 2, 3])
    table = click_tables(user, item, time, 4)["sequence"].toarray()
    assert table[0, 1] == table[2, 3] == 1 and table.sum() == 2


def test_tables_of_two_users_by_hand(world):
    log, n = world.log, world.log.n_items
    shown = replace(
        log.impressions.rows(0, 4),
        user=np.array([0, 1, 0, 1], np.int32), time=np.array([1.0, 2.0, 3.0, 4.0]),
        start=np.arange(0, 9, 2), item=np.array([4, 5, 5, 6, 6, 7, 4, 6], np.int32),
        clicked=np.array([1, 0, 1, 0, 1, 1, 1, 0], bool),
    )  # fmt: skip
    small = replace(
        log, user_ids=["a", "b"], history_start=np.zeros(3, np.int64),
        history_item=np.empty(0, np.int32), impressions=shown,
    )  # fmt: skip
    state = State.empty(small, 3600.0)
    state.advance(small, 0, 4)
    for tables in (fit_tables(small), tables_of_state(state)):
        sequence = tables["sequence"].toarray()
        assert sequence.shape == (n, n) and np.count_nonzero(sequence) == 3
        assert sequence[4, 6] == sequence[4, 7] == 0.5 and sequence[5, 4] == 1.0
