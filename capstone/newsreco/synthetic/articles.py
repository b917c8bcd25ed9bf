"""The press of the synthetic world: when each article comes out, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from newsreco.data.articles import numbered
from newsreco.data.log import Articles
from newsreco.synthetic.text import Story, retell, tell
from newsreco.synthetic.topics import TOPICS

DAY, HOUR = 86_400.0, 3_600.0
BEGIN = 1_740_960_000.0  # Monday 3 March 2025, 00:00 UTC
DAYS_BEFORE, DAYS = 5, 14  # articles come out before the log, too
STOCK = 24  # at least so many do, so that the first page can be filled
SAME_STORY = 0.04  # share of the articles that tell a wire story again
QUALITY, GUESS = 0.75, 0.5  # spread of the articles' quality, and of the editor's error about it

# How busy each hour of the day is (UTC), for those who write and those who read.
HOURS = np.array(
    [3, 2, 1, 1, 2, 4, 8, 12, 14, 13, 12, 12, 13, 12, 11, 11, 12, 13, 14, 15, 14, 12, 9, 5], float
)


@dataclass(frozen=True, eq=False)
class Press:
    """All articles; the arrays are in the order of publication, which the file hides.

    Parameters
    ----------
    by_age : array (m,) int32
        Which article of the file came out first, second, ...
    published : array (m,) float64
        Seconds since BEGIN, rising.
    topic : array (m,) int32
    quality, liked : array (m,) float64
        What an article adds to everybody's appetite, and the editor's guess of it.
    """

    articles: Articles
    stories: list[Story]
    by_age: np.ndarray
    published: np.ndarray
    topic: np.ndarray
    quality: np.ndarray
    liked: np.ndarray


def make_press(n: int, seed: int) -> Press:
    """n articles of all topics, a few of which are the same wire story again."""
    rng = np.random.default_rng([seed, 1])
    published = moments(n, -DAYS_BEFORE, DAYS, rng)
    published[rng.permutation(n)[:STOCK]] = moments(STOCK, -DAYS_BEFORE, 0, rng)
    weight = np.array([topic.weight for topic in TOPICS])
    topic = rng.choice(len(weight), n, p=weight / weight.sum())
    quality = rng.normal(0, QUALITY, n)
    copies, originals = rng.permutation(n)[: 2 * round(SAME_STORY * n)].reshape(2, -1)
    later = published[originals] + rng.uniform(0.5, 8, len(copies)) * HOUR
    published[copies] = np.minimum(later, DAYS * DAY - 1)
    topic[copies], quality[copies] = topic[originals], quality[originals]
    liked = quality + rng.normal(0, GUESS, n)
    stories = write(topic, dict(zip(copies.tolist(), originals.tolist())), Random(seed))
    by_age = np.argsort(published, kind="stable").astype(np.int32)
    columns = (values[by_age] for values in (published, topic.astype(np.int32), quality, liked))
    return Press(edit(stories, rng), stories, by_age, *columns)


def moments(n: int, first: int, last: int, rng: np.random.Generator) -> np.ndarray:
    """n moments between two days, most of them by day: seconds since BEGIN, float64."""
    day = rng.integers(first, last, n)
    hour = rng.choice(24, n, p=HOURS / HOURS.sum())
    return day * DAY + (hour + rng.random(n)) * HOUR


def write(topic: np.ndarray, original: dict[int, int], rng: Random) -> list[Story]:
    """A story of each topic, or another's told again."""
    stories = [tell(int(t), rng) for t in topic]
    for copy, first in original.items():
        stories[copy] = retell(stories[first], rng)
    return stories


def edit(stories: list[Story], rng: np.random.Generator) -> Articles:
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
