"""A model numbered by age recommends the same articles."""

import numpy as np
import pytest

from newsreco.models.bundle import Settings
from newsreco.models.ordering import ordered_by_age
from newsreco.models.pipeline import RecommendationPipeline
from newsreco.training import train


@pytest.fixture(scope="module")
def model(world):
    return train(world.log, Settings(), progress=False, lists=0).model


def lists(model, users):
    pipeline, ids = RecommendationPipeline(model), model.articles.ids
    return [[ids[item] for item in pipeline.recommend(user).items] for user in users]


def test_lists_are_the_same_by_id(model):
    users = range(-1, 40)
    assert lists(ordered_by_age(model), users) == lists(model, users)


def test_articles_are_in_order_of_their_last_impression(model):
    moved = ordered_by_age(model)
    shown = moved.state.arrays.last_shown
    assert moved.articles.ids != model.articles.ids
    assert (np.diff(shown[np.isfinite(shown)]) >= 0).all()
    assert not np.isfinite(shown[np.isfinite(shown).sum() :]).any()


def test_everything_about_an_article_moves_with_it(model):
    moved = ordered_by_age(model)
    for name in model.articles.ids[::9]:
        old, new = model.articles.ids.index(name), moved.articles.ids.index(name)
        assert moved.articles.title[new] == model.articles.title[old]
        np.testing.assert_array_equal(moved.vectors[new], model.vectors[old])
        for table in model.tables:
            a = dict(zip(model.articles.ids, model.tables[table][old].toarray()[0]))
            b = dict(zip(moved.articles.ids, moved.tables[table][new].toarray()[0]))
            assert a == b
    for user in range(model.state.n_users):
        a = [model.articles.ids[i] for i in model.state.recent_clicks(user)[0]]
        assert a == [moved.articles.ids[i] for i in moved.state.recent_clicks(user)[0]]


def test_the_model_itself_is_not_changed(model):
    before = model.state.arrays.click_item.copy(), model.vectors.copy()
    ordered_by_age(model)
    np.testing.assert_array_equal(model.state.arrays.click_item, before[0])
    np.testing.assert_array_equal(model.vectors, before[1])
