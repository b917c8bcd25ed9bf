"""Directional tests of lists: towards a click, diverse by MMR, newer by the bonus."""

import dataclasses

import numpy as np
import pytest

from newsreco.data.times import DAY
from newsreco.models.bundle import Settings
from newsreco.models.pipeline import RecommendationPipeline
from newsreco.training import train


@pytest.fixture(scope="module")
def model(world):
    return train(world.log, Settings(), progress=False).model


def test_click_moves_the_next_list_towards_it(model, world):
    log, vectors = world.log, model.vectors
    here = log.impressions.rows(log.cut(model.state.now + 1), log.cut(model.state.now + 1) + 1)
    changes = []
    for user in range(60):
        served = RecommendationPipeline(model, model.state.copy())
        before = served.recommend(user).items
        item = before[-1]
        columns = {"user": [user], "start": [0, 1], "item": [item], "clicked": [True]}
        columns = {name: np.array(values) for name, values in columns.items()}
        click = dataclasses.replace(log, impressions=dataclasses.replace(here, **columns))
        served.state.advance(click, 0, 1)
        after = served.recommend(user).items
        assert item not in after
        others = before[:-1]
        changes.append(
            (vectors[after] @ vectors[item]).mean() - (vectors[others] @ vectors[item]).mean()
        )
    error = np.std(changes, ddof=1) / np.sqrt(len(changes))
    assert np.mean(changes) > 4 * error


def test_mmr_lowers_similarity_within_lists(model):
    def similarity(trade_off):
        total = 0.0
        for user in range(30):
            v = model.vectors[served[trade_off].recommend(user).items]
            total += (v @ v.T).sum() - len(v)
        return total

    served = {x: RecommendationPipeline(model, trade_off=x) for x in (1.0, 0.3)}
    assert similarity(0.3) < 0.8 * similarity(1.0)


def test_fresh_bonus_makes_lists_newer(model):
    def freshness(bonus):
        served = RecommendationPipeline(model, trade_off=1.0, fresh_bonus=bonus, fresh_hours=24.0)
        state, total = served.state, 0.0
        for user in range(30):
            age = state.now - state.arrays.first_shown[served.recommend(user).items]
            total += (0.5 ** (age / DAY)).sum()
        return total

    assert freshness(2.0) > 1.2 * freshness(0.0)
