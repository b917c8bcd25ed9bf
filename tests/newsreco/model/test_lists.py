"""Which way lists move: towards what was clicked, apart by MMR, towards the new by a bonus."""

import dataclasses

import numpy as np
import pytest

from newsreco.models.bundle import Settings
from newsreco.models.pipeline import RecommendationPipeline
from newsreco.training import train


@pytest.fixture(scope="module")
def model(world):
    return train(world.log, Settings(), progress=False).model


def test_a_click_moves_the_next_list_towards_it(model, world):
    log, vectors = world.log, model.vectors
    here = log.impressions.rows(log.cut(model.state.now + 1), log.cut(model.state.now + 1) + 1)
    moved = []
    for user in range(60):
        served = RecommendationPipeline(model, model.state.copy())
        before = served.recommend(user).items
        item = before[-1]
        page = {"user": [user], "start": [0, 1], "item": [item], "clicked": [True]}
        page = {name: np.array(values) for name, values in page.items()}
        visit = dataclasses.replace(log, impressions=dataclasses.replace(here, **page))
        served.state.advance(visit, 0, 1)
        after = served.recommend(user).items
        assert item not in after
        others = before[:-1]
        moved.append(
            (vectors[after] @ vectors[item]).mean() - (vectors[others] @ vectors[item]).mean()
        )
    error = np.std(moved, ddof=1) / np.sqrt(len(moved))
    assert np.mean(moved) > 4 * error


def test_a_diverse_list_is_less_alike(model):
    def likeness(trade_off):
        total = 0.0
        for user in range(30):
            v = model.vectors[served[trade_off].recommend(user).items]
            total += (v @ v.T).sum() - len(v)
        return total

    served = {x: RecommendationPipeline(model, trade_off=x) for x in (1.0, 0.3)}
    assert likeness(0.3) < 0.8 * likeness(1.0)


def test_a_bonus_for_the_new_makes_lists_newer(model):
    def newness(bonus):
        served = RecommendationPipeline(model, trade_off=1.0, fresh_bonus=bonus, fresh_hours=24.0)
        state, total = served.state, 0.0
        for user in range(30):
            age = state.now - state.arrays.first_shown[served.recommend(user).items]
            total += (0.5 ** (age / 86_400)).sum()
        return total

    assert newness(2.0) > 1.2 * newness(0.0)
