"""Lists of held-out impressions: each row holds the metrics of its own lists, computed by hand."""

from math import log2

import numpy as np
import pytest

from newsreco.evaluation.lists import LISTS, evaluate_lists
from newsreco.features.state import replay_impressions
from newsreco.models.bundle import Settings
from newsreco.models.pipeline import RecommendationPipeline
from newsreco.training import train

K = 3


@pytest.fixture(scope="module")
def model(world):
    return train(world.log, Settings(), progress=False, lists=0).model


def metrics_by_hand(recommended, clicked):
    """Recall and NDCG at K of one list."""
    hits = [rank for rank, item in enumerate(recommended[:K]) if item in clicked]
    ideal = sum(1 / log2(rank + 2) for rank in range(min(K, len(clicked))))
    return len(hits) / len(clicked), sum(1 / log2(rank + 2) for rank in hits) / ideal


def test_rows_hold_the_metrics_of_their_own_lists(model, world):
    shown, state = world.log.impressions, model.state.copy()
    found = evaluate_lists(model, world.log, k=K)
    pipeline = RecommendationPipeline(model, state)
    held_out = np.arange(world.log.cut(np.nextafter(state.now, np.inf)), len(shown))
    clicks = np.add.reduceat(shown.clicked, shown.start[:-1], dtype=int)
    expected = []
    for user, time, entries in replay_impressions(state, world.log, held_out[clicks[held_out] > 0]):
        clicked = set(shown.item[entries][shown.clicked[entries]].tolist())
        allowed, _ = pipeline.live(user, time)
        trending, _ = pipeline.retrievers["trending"].candidates(state, user, time, K, allowed)
        lists = trending, pipeline.recommend(user, time, K).items
        expected.append([value for one in lists for value in metrics_by_hand(one, clicked)])
    columns = ["trending recall", "trending ndcg", "reranked recall", "reranked ndcg"]
    np.testing.assert_allclose(found[columns], expected, rtol=1e-12)
    assert np.ptp(np.array(expected), axis=0).min() > 0.5, "the lists differ"


def test_columns_are_in_the_order_of_the_stages(model, world):
    found = evaluate_lists(model, world.log, at_most=5)
    metrics = [f"{name} {metric}" for name in LISTS for metric in ("recall", "ndcg", "similarity")]
    assert list(found.columns) == ["user", "reachable", *metrics] and len(found) == 5
