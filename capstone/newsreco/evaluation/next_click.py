"""Evaluation of next-click prediction: what will a user click, given their earlier clicks?

Each impression with a click is a test case: the user's earlier clicks are known, and the articles
clicked are the targets. Every scorer ranks twice: the articles shown (metrics per impression), and
all live articles (recall and NDCG of the best k). The first does not penalise articles that were
never shown; the second is what a front page needs, and rewards guessing what the editor shows.

`last_content`, the similarity to the last clicks, is the ablation: it uses no order.
`reversed_lift` is the control: the same transitions, each counted from its end to its start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from newsreco.data import Impressions, NewsLog
from newsreco.data.times import DAY
from newsreco.evaluation.impressions import Evaluation
from newsreco.features.state import State, replay_impressions
from newsreco.models.markov import MarkovChain
from newsreco.models.retrievers import live_articles
from recsys.metrics import ndcg_at_k, recall_at_k

WINDOW = 3 * DAY


class NextClick(NamedTuple):
    """One impression with a click, and what is known before it."""

    impression: int
    user: int
    time: float
    last: np.ndarray  # clicks of the user's last impression with any, ascending ids
    clicked: np.ndarray  # articles clicked on this impression, ascending ids
    live: np.ndarray  # ids of the live articles that the user has not clicked
    shown: np.ndarray  # ids of the articles shown, by position


@dataclass(eq=False)
class Context:
    """What scorers may read: everything known just before a target."""

    target: NextClick
    state: State
    vectors: np.ndarray
    articles: MarkovChain
    topics: MarkovChain
    reversed_topics: MarkovChain  # the transitions of `topics`, from the later to the earlier
    topic: np.ndarray  # (n_items,) the subcategory of each article


Scorer = Callable[[Context, np.ndarray], np.ndarray]


def next_clicks(log: NewsLog, state: State, first: int = 0) -> Iterator[NextClick]:
    """The impressions with a click from `first` on whose user has clicked before.

    `state` is advanced to just before each impression as it is yielded.
    """
    shown = log.impressions
    clicks = np.add.reduceat(shown.clicked, shown.start[:-1], dtype=np.int64)
    clicked = np.flatnonzero(clicks[first:]) + first
    for impression, (user, time, rows) in zip(clicked, replay_impressions(state, log, clicked)):
        last = state.last_clicks(user)
        if len(last):
            items = shown.item[rows]
            targets = np.unique(items[shown.clicked[rows]])
            live = np.flatnonzero(live_articles(state, user, time, WINDOW))
            yield NextClick(int(impression), user, time, last, targets, live, items)


def click_transitions(log: NewsLog) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """(time, clicks before, clicks after) of consecutive impressions of each user, by time."""
    shown, last = log.impressions, {}
    for impression in range(len(shown)):
        rows = slice(shown.start[impression], shown.start[impression + 1])
        after = np.unique(shown.item[rows][shown.clicked[rows]])
        if not len(after):
            continue
        user = int(shown.user[impression])
        yield float(shown.time[impression]), last.get(user, after[:0]), after
        last[user] = after


def contexts(log: NewsLog, vectors: np.ndarray, half_life: float, first: int) -> Iterator[Context]:
    """Each target with counters and chains as of its time."""
    topic = log.articles.subcategory
    state = State.empty(log, half_life)
    articles, topics, backwards = MarkovChain(), MarkovChain(), MarkovChain()
    transitions = click_transitions(log)
    transition = next(transitions, None)
    for target in next_clicks(log, state, first):
        while transition is not None and transition[0] < target.time:
            _, before, after = transition
            articles.count(before.tolist(), after.tolist())
            topics.count(topic[before].tolist(), topic[after].tolist())
            backwards.count(topic[after].tolist(), topic[before].tolist())
            transition = next(transitions, None)
        yield Context(target, state, vectors, articles, topics, backwards, topic)


def trending(context: Context, items: np.ndarray) -> np.ndarray:
    """Decayed clicks of all users in the last hours."""
    arrays = context.state.arrays
    age = context.target.time - arrays.item_time[items]
    return arrays.item_clicks[items, 0] * 0.5 ** (age / arrays.half_lives[0])


def profile(context: Context, items: np.ndarray) -> np.ndarray:
    """Inner product with the decayed profile of all recent clicks."""
    target, vectors = context.target, context.vectors
    return vectors[items] @ context.state.profile(target.user, target.time, vectors)


def last_content(context: Context, items: np.ndarray) -> np.ndarray:
    """Largest cosine with a click of the last impression."""
    return (context.vectors[items] @ context.vectors[context.target.last].T).max(axis=1)


def markov(context: Context, items: np.ndarray) -> np.ndarray:
    """Transition probabilities from the clicks of the last impression."""
    return context.articles.probabilities(context.target.last.tolist(), items.tolist())


def popularity(context: Context, items: np.ndarray) -> np.ndarray:
    """The chain without memory: each article's fraction of all clicks so far."""
    return context.articles.probabilities([], items.tolist())


def topic_lift(context: Context, items: np.ndarray) -> np.ndarray:
    """Log lift of each article's subcategory, given those of the last impression."""
    last = context.topic[context.target.last].tolist()
    return context.topics.log_lift(last, context.topic[items].tolist())


def reversed_lift(context: Context, items: np.ndarray) -> np.ndarray:
    """As `topic_lift`, by the chain that runs backwards: what came before, not after."""
    last = context.topic[context.target.last].tolist()
    return context.reversed_topics.log_lift(last, context.topic[items].tolist())


def with_content(weight: float) -> Scorer:
    """A weighted mean of Markov and the similarity to the last clicks."""

    def blend(context: Context, items: np.ndarray) -> np.ndarray:
        return (1 - weight) * markov(context, items) + weight * last_content(context, items)

    return blend


def evaluate_next_click(
    log: NewsLog,
    vectors: np.ndarray,
    half_life: float,
    scorers: dict[str, Scorer],
    first: int,
    last: int,
    k: int = 10,
) -> tuple[Evaluation, pd.DataFrame]:
    """Evaluate scorers on the impressions first..last-1.

    Returns the evaluation on what was shown, and a frame with one row per target: user, and for
    each scorer recall and NDCG of its k best live articles, as columns (name, metric).
    """
    impressions, scores, rows = [], {name: [] for name in scorers}, []
    for context in contexts(log, vectors, half_life, first):
        target = context.target
        if target.impression >= last:
            break
        impressions.append(target.impression)
        row = {("user", ""): target.user}
        for name, scorer in scorers.items():
            scores[name].append(scorer(context, target.shown))
            live = scorer(context, target.live)
            best = target.live[np.lexsort((target.live, -live))][:k]
            row[name, "recall"] = recall_at_k([best], [target.clicked], k)[0]
            row[name, "ndcg"] = ndcg_at_k([best], [target.clicked], k)[0]
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame.columns = pd.MultiIndex.from_tuples(frame.columns)
    return _evaluation(log, impressions, scores), frame


def evaluate_shown(
    log: NewsLog,
    vectors: np.ndarray,
    half_life: float,
    scorers: dict[str, Scorer],
    first: int,
    last: int,
) -> Evaluation:
    """Evaluate scorers on what the impressions first..last-1 showed, and on no other articles."""
    impressions, scores = [], {name: [] for name in scorers}
    for context in contexts(log, vectors, half_life, first):
        if context.target.impression >= last:
            break
        impressions.append(context.target.impression)
        for name, scorer in scorers.items():
            scores[name].append(scorer(context, context.target.shown))
    return _evaluation(log, impressions, scores)


def _evaluation(
    log: NewsLog, impressions: list[int], scores: dict[str, list[np.ndarray]]
) -> Evaluation:
    """Evaluation of each scorer on some impressions; `scores` has one array per impression."""
    evaluation = Evaluation(_select(log.impressions, np.array(impressions, int)))
    for name, parts in scores.items():
        evaluation.add(name, np.concatenate(parts))
    return evaluation


def _select(shown: Impressions, chosen: np.ndarray) -> Impressions:
    """Some of the impressions, whole."""
    sizes = np.diff(shown.start)[chosen]
    rows = np.concatenate([np.arange(shown.start[r], shown.start[r + 1]) for r in chosen])
    start = np.concatenate([[0], np.cumsum(sizes)])
    ids = [shown.ids[r] for r in chosen]
    columns = (array[rows] for array in (shown.item, shown.clicked))
    return Impressions(ids, shown.user[chosen], shown.time[chosen], start, *columns)
