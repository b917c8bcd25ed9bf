"""The articles of the synthetic log: when each is published, and its text."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from newsreco.data.articles import numbered
from newsreco.data.log import Articles
from newsreco.data.times import DAY, HOUR
from newsreco.synthetic.text import Story, repeat_story, write_story
from newsreco.synthetic.topics import TOPICS

START = 1_740_960_000.0  # Monday 3 March 2025, 00:00 UTC
DAYS_BEFORE, DAYS = 5, 14  # articles are published before the log begins, too
EARLY_ARTICLES = 24  # at least as many as fill the first pages
REPEATED = 0.04  # fraction of the articles that repeat a wire story
QUALITY_SD, EDITOR_ERROR_SD = 0.75, 0.5

# Relative activity of writers and users in each hour of the day (UTC).
HOURS = np.array(
    [3, 2, 1, 1, 2, 4, 8, 12, 14, 13, 12, 12, 13, 12, 11, 11, 12, 13, 14, 15, 14, 12, 9, 5], float
)


@dataclass(frozen=True, eq=False)
class SyntheticArticles:
    """All articles; the arrays are in order of publication, which is not the file's order.

    Parameters
    ----------
    stories : list of Story
        In the file's order, as `articles`.
    by_publication : array (m,) int32
        Number in the file of the article published first, second, ...
    published : array (m,) float64
        Seconds since START, rising.
    topic : array (m,) int32
    quality, editor_score : array (m,) float64
        What an article adds to the logit of every click on it, and the editor's estimate of that.
    """

    articles: Articles
    stories: list[Story]
    by_publication: np.ndarray
    published: np.ndarray
    topic: np.ndarray
    quality: np.ndarray
    editor_score: np.ndarray


def make_articles(n: int, seed: int) -> SyntheticArticles:
    """n articles of all topics, a few of which repeat an earlier wire story."""
    rng = np.random.default_rng([seed, 1])
    published = random_times(n, -DAYS_BEFORE, DAYS, rng)
    published[rng.permutation(n)[:EARLY_ARTICLES]] = random_times(
        EARLY_ARTICLES, -DAYS_BEFORE, 0, rng
    )
    weight = np.array([topic.weight for topic in TOPICS])
    topic = rng.choice(len(weight), n, p=weight / weight.sum())
    quality = rng.normal(0, QUALITY_SD, n)
    copies, originals = rng.permutation(n)[: 2 * round(REPEATED * n)].reshape(2, -1)
    later = published[originals] + rng.uniform(0.5, 8, len(copies)) * HOUR
    published[copies] = np.minimum(later, DAYS * DAY - 1)
    topic[copies], quality[copies] = topic[originals], quality[originals]
    editor_score = quality + rng.normal(0, EDITOR_ERROR_SD, n)
    stories = write_stories(topic, dict(zip(copies.tolist(), originals.tolist())), Random(seed))
    order = np.argsort(published, kind="stable").astype(np.int32)
    columns = published, topic.astype(np.int32), quality, editor_score
    sorted_columns = (values[order] for values in columns)
    return SyntheticArticles(to_articles(stories, rng), stories, order, *sorted_columns)


def random_times(n: int, first: int, last: int, rng: np.random.Generator) -> np.ndarray:
    """n times between two days, most of them by day: seconds since START, float64."""
    day = rng.integers(first, last, n)
    hour = rng.choice(24, n, p=HOURS / HOURS.sum())
    return day * DAY + (hour + rng.random(n)) * HOUR


def write_stories(topic: np.ndarray, original: dict[int, int], rng: Random) -> list[Story]:
    """A story of each topic, or a repetition of another."""
    stories = [write_story(int(t), rng) for t in topic]
    for copy, first in original.items():
        stories[copy] = repeat_story(stories[first], rng)
    return stories


def to_articles(stories: list[Story], rng: np.random.Generator) -> Articles:
    """The stories as articles with ids and addresses."""
    category, categories = numbered([TOPICS[story.topic].category for story in stories])
    subcategory, subcategories = numbered([TOPICS[story.topic].subcategory for story in stories])
    ids = [f"N{number}" for number in 10_000 + rng.permutation(len(stories))]
    return Articles(
        ids=ids,
        title=[story.title for story in stories],
        abstract=[story.abstract for story in stories],
        url=[f"https://news.example/{name}.html" for name in ids],
        category=category,
        subcategory=subcategory,
        categories=categories,
        subcategories=subcategories,
        entities=[story.entities() for story in stories],
    )
