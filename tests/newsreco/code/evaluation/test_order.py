"""What the order of clicks adds: tuned before the cut, compared with the chain reversed."""

from dataclasses import replace

import numpy as np
import pytest

from newsreco.data.times import DAY
from newsreco.evaluation.next_click import click_transitions, contexts, evaluate_shown
from newsreco.evaluation.order import (
    CHAINS,
    SCORERS,
    WEIGHTS,
    blend,
    evaluate_order,
    mean_over_logs,
    vectors_as_of,
)
from newsreco.synthetic import make_synthetic_log
from newsreco.training import known_articles


@pytest.fixture(scope="module")
def found(world):
    return evaluate_order(world.log, "tfidf", 3 * DAY)


def test_blends_hold_the_chosen_weight(found):
    evaluation, weights = found
    assert set(weights) == set(CHAINS) and set(weights.values()) <= set(WEIGHTS)
    for chain in CHAINS:
        scores = evaluation.scores["content"] + weights[chain] * evaluation.scores[chain]
        np.testing.assert_array_equal(evaluation.scores[f"content + {chain}"], scores)


def test_weights_are_the_best_on_impressions_before_the_cut(world, found):
    log = world.log
    first = log.cut(log.cutoff_time(0.2))
    middle = log.cut(log.impressions.time[first // 2])
    vectors = vectors_as_of(log, "tfidf", log.impressions.time[middle])
    validation = evaluate_shown(log, vectors, 3 * DAY, SCORERS, middle, first)
    assert validation.shown.time.max() < log.cutoff_time(0.2) <= found[0].shown.time.min()
    for chain in CHAINS:
        for weight in WEIGHTS:
            validation.add(str(weight), blend(validation, chain, weight))
        best = max(validation.mean(str(weight)) for weight in WEIGHTS)
        assert validation.mean(str(found[1][chain])) == best


def test_vectors_do_not_change_with_articles_of_the_test_period(world):
    log = world.log
    cutoff = log.cutoff_time(0.2)
    known = known_articles(log.before(cutoff))
    later = np.setdiff1d(np.arange(log.n_items), known)
    title = list(log.articles.title)
    for item in later:
        title[item] = f"Zebra walrus {item % 3} giraffe"
    changed = replace(log, articles=replace(log.articles, title=title))
    before, after = (vectors_as_of(one, "tfidf", cutoff) for one in (log, changed))
    assert len(later) > 5
    np.testing.assert_array_equal(before[known], after[known])


def test_reversed_chain_is_the_transpose_of_the_chain(world):
    log = world.log
    vectors = np.zeros((log.n_items, 1), np.float32)
    *_, context = contexts(log, vectors, 3 * DAY, 500)
    forwards, backwards = context.topics.transitions, context.reversed_topics.transitions
    assert forwards
    for source, row in forwards.items():
        for after, n in row.items():
            assert backwards[after][source] == n
    n_before = [len(b) for t, b, _ in click_transitions(log) if t < context.target.time]
    assert context.reversed_topics.n_clicks == sum(n_before)


def test_random_clicks_have_no_order():
    logs = [
        make_synthetic_log(100, 1_500, 80, seed=seed, click_model="random").log for seed in range(8)
    ]
    evaluations = [evaluate_order(log, "tfidf", 3 * DAY)[0] for log in logs]
    gains = [e.difference("content + order", "content + reversed")[0] for e in evaluations]
    _, low, high = mean_over_logs(gains, level=0.997)
    assert low < 0 < high


def test_interval_over_logs_is_that_of_student():
    mean, low, high = mean_over_logs([1.0, 2.0, 3.0])
    assert mean == 2
    assert (high - low) / 2 == pytest.approx(4.302652729911275 / np.sqrt(3))
