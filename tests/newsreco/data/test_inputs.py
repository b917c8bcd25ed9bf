"""Are the inputs what we think? The synthetic data, measured by its own log."""

import json
from functools import cache

import numpy as np
import pytest

from newsreco.synthetic import make_synthetic_log
from newsreco.synthetic.clicks import POSITION_BIAS
from newsreco.synthetic.generate import CLICK_RATE, make_plan

SEEDS = range(4)


@cache
def synthetic(seed, click_model="preference"):
    return make_synthetic_log(seed=seed, click_model=click_model)


def position(shown):
    """(n_shown,) int: position of each entry on the page, from 0."""
    return np.arange(len(shown.item)) - shown.start[shown.impression]


def auc(scores, shown):
    """Per-impression AUC of those that hold both labels: one value each, ties count half."""
    values = []
    for first, last in zip(shown.start, shown.start[1:]):
        clicked = shown.clicked[first:last]
        yes, no = scores[first:last][clicked], scores[first:last][~clicked]
        if len(yes) and len(no):
            wins = (yes[:, None] > no).mean() + 0.5 * (yes[:, None] == no).mean()
            values.append(wins)
    return np.array(values)


def standard_error(values):
    return values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("click_model", ["preference", "random"])
def test_click_rate_is_about_one_in_eight(seed, click_model):
    assert synthetic(seed, click_model).log.impressions.clicked.mean() == pytest.approx(
        0.12, abs=0.01
    )


@pytest.mark.parametrize("sizes", [(100, 600, 80), (1000, 12_000, 3000)])
def test_click_rate_is_the_same_at_other_sizes(sizes):
    rates = [make_synthetic_log(*sizes, seed=s).log.impressions.clicked.mean() for s in SEEDS]
    assert np.mean(rates) == pytest.approx(0.12, abs=0.015)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("click_model", ["preference", "random"])
def test_truth_is_calibrated(seed, click_model):
    """As many clicks as the probabilities say: over all, and where they are low or high."""
    made = synthetic(seed, click_model)
    p, clicked = made.truth.probability, made.log.impressions.clicked
    for part in np.array_split(np.argsort(p, kind="stable"), 5):
        error = np.sqrt((p[part] * (1 - p[part])).sum())
        assert abs(clicked[part].sum() - p[part].sum()) < 3.5 * error


@pytest.mark.parametrize("seed", SEEDS)
def test_best_possible_auc_is_between_the_displayed_order_and_one(seed):
    made = synthetic(seed)
    best = auc(made.truth.probability, made.log.impressions).mean()
    order = auc(-position(made.log.impressions), made.log.impressions).mean()
    assert 0.75 < best < 0.85
    assert 0.55 < order < 0.63


def test_position_alone_lowers_the_probability():
    """At equal relevance, the top entry is clicked more often than one far below."""
    top, low = [], []
    for seed in SEEDS:
        made = synthetic(seed)
        shown, where = made.log.impressions, position(made.log.impressions)
        similar = (made.truth.relevance > 0.15) & (made.truth.relevance < 0.25)
        top.append(shown.clicked[similar & (where == 0)])
        low.append(shown.clicked[similar & (where >= 10)])
    top, low = np.concatenate(top), np.concatenate(low)
    assert top.mean() - low.mean() > 3 * np.hypot(standard_error(top), standard_error(low))


def test_position_effect_is_what_the_formula_says():
    truth, where = synthetic(0).truth, position(synthetic(0).log.impressions)
    sure = (truth.probability > 0.01) & (truth.relevance < 0.99)  # six digits are enough there
    odds = [np.log(p[sure] / (1 - p[sure])) for p in (truth.relevance, truth.probability)]
    np.testing.assert_allclose(odds[0] - odds[1], POSITION_BIAS * np.log1p(where[sure]), atol=2e-4)


def test_random_clicks_are_independent_of_everything():
    made = [synthetic(seed, "random") for seed in SEEDS]
    for one in made:
        assert (one.truth.probability == CLICK_RATE).all()
        assert (one.truth.relevance == CLICK_RATE).all()
    for score in (
        lambda w: -position(w.log.impressions),
        lambda w: -w.log.impressions.item,
        lambda w: -first_shown(w.log)[w.log.impressions.item],
        lambda w: w.truth.probability,
    ):
        values = np.concatenate([auc(score(w), w.log.impressions) for w in made])
        assert abs(values.mean() - 0.5) < 3 * standard_error(values) + 1e-12


def first_shown(log):
    """(n_items,) float64: when each article was first on a page; infinite if never."""
    first = np.full(log.n_items, np.inf)
    np.minimum.at(first, log.impressions.item, log.impressions.time[log.impressions.impression])
    return first


@pytest.mark.parametrize("seed", SEEDS)
def test_fresh_articles_are_clicked_more(seed):
    log = synthetic(seed).log
    shown = log.impressions
    age = shown.time[shown.impression] - first_shown(log)[shown.item]
    young, old = shown.clicked[age < 6 * 3600], shown.clicked[age > 48 * 3600]
    assert young.mean() - old.mean() > 3 * np.hypot(standard_error(young), standard_error(old))


def follow_up(seed):
    """Fractions of clicks, and of articles shown, in the topic of the last click and the next."""
    plan = make_plan(300, 4000, 400, seed, "preference")
    topic = np.empty(300, int)
    topic[plan.articles.by_publication] = plan.articles.topic
    shown, last, rows = synthetic(seed).log.impressions, {}, []
    for r in range(len(shown)):
        page = slice(shown.start[r], shown.start[r + 1])
        topics, clicked = topic[shown.item[page]], shown.clicked[page]
        if clicked.any():
            u = shown.user[r]
            if u in last:
                hits = np.array([topics == last[u], topics == plan.users.next_topic[last[u]]])
                rows.append([*hits[:, clicked].mean(axis=1), *hits.mean(axis=1)])
            last[u] = topics[clicked][-1]
    return np.mean(rows, axis=0)


@pytest.mark.parametrize("seed", SEEDS)
def test_clicks_follow_the_topic_of_the_last_click_and_the_next_topic(seed):
    same, after, same_shown, after_shown = follow_up(seed)
    assert same > 1.8 * same_shown
    assert after > 1.5 * after_shown


def test_activity_has_a_heavy_tail():
    counts = np.sort(np.bincount(synthetic(0).log.impressions.user))[::-1]
    assert counts[:40].sum() > 0.25 * counts.sum()  # a tenth of the users
    assert np.median(counts) < counts.mean()
    assert counts[-1] >= 1


def test_histories_hold_each_article_once_and_some_are_empty():
    log = synthetic(0).log
    sizes = np.diff(log.history_start)
    assert 0.04 < (sizes == 0).mean() < 0.2
    for u in range(log.n_users):
        clicks = log.history_item[log.history_start[u] : log.history_start[u + 1]]
        assert len(set(clicks)) == len(clicks)


@pytest.mark.parametrize("seed", SEEDS)
def test_news_reads_like_news(seed):
    articles = synthetic(seed).log.articles
    assert len(articles.categories) >= 15
    assert len(articles.subcategories) >= 30
    fraction = np.bincount(articles.category)[articles.categories.index("soccer")] / 300
    assert 0.25 < fraction < 0.42  # soccer-heavy
    empty = np.mean([not abstract for abstract in articles.abstract])
    assert 0.02 < empty < 0.15
    for text in articles.title + articles.abstract:
        assert not set("{}\t\n") & set(text)
    assert all(title and title[0] not in "abcdefghijklmnopqrstuvwxyz" for title in articles.title)
    assert len(set(articles.title)) > 290


@pytest.mark.parametrize("seed", SEEDS)
def test_some_stories_are_repeated(seed):
    titles = synthetic(seed).log.articles.title
    again = [t for t in titles if any(o != t and o in t for o in titles)]
    assert 0.02 * len(titles) <= len(again) <= 0.06 * len(titles)


def test_topics_have_words_of_their_own():
    """An article's nearest other by shared words is mostly of its own subcategory."""
    from recsys.text import TfIdf

    articles = synthetic(0).log.articles
    X = TfIdf().fit_transform(articles.texts())
    near = (X @ X.T).toarray()
    np.fill_diagonal(near, -1)
    agree = articles.subcategory[near.argmax(axis=1)] == articles.subcategory
    assert agree.mean() > 0.8


def test_entities_are_what_the_text_names():
    plan = make_plan(300, 1, 1, 0, "preference")
    articles = plan.articles.articles
    for story, title, abstract, ids in zip(
        plan.articles.stories, articles.title, articles.abstract, articles.entities
    ):
        found = []
        for text in (title, abstract):
            for entity in json.loads(story.mentions(text)):
                [offset], [form] = entity["OccurrenceOffsets"], entity["SurfaceForms"]
                assert text[offset : offset + len(form)] == form
                found.append(entity["WikidataId"])
        assert tuple(dict.fromkeys(found)) == ids
        assert all(name.startswith("Q9") for name in ids)
    assert sum(map(bool, articles.entities)) > 280
