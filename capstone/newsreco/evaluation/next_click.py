"""The evaluation of what comes next: every scorer answers the same questions, twice.

Once it orders what the page showed (the metrics of an impression), and once it picks the best k of
all live articles (recall and NDCG). The first is fair to what nobody was shown; the second is what
a front page needs, and rewards guessing what the editor shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from newsreco.data import Impressions, NewsLog
from newsreco.evaluation.impressions import Evaluation
from newsreco.features.state import State
from newsreco.models.markov import MarkovChain, Question, questions, steps
from recsys.metrics import ndcg_at_k, recall_at_k


@dataclass(eq=False)
class Moment:
    """What scorers may read: everything that was known just before a question."""

    question: Question
    state: State
    vectors: np.ndarray
    articles: MarkovChain
    topics: MarkovChain
    topic: np.ndarray  # (n_items,) the subcategory of each article


Scorer = Callable[[Moment, np.ndarray], np.ndarray]


def trending(moment: Moment, items: np.ndarray) -> np.ndarray:
    """Clicks of the last hours by anybody, decayed."""
    arrays = moment.state.arrays
    age = moment.question.time - arrays.item_time[items]
    return arrays.item_clicks[items, 0] * 0.5 ** (age / arrays.half_lives[0])


def profile(moment: Moment, items: np.ndarray) -> np.ndarray:
    """Inner product with the decayed profile of all recent clicks."""
    question = moment.question
    return moment.vectors[items] @ moment.state.profile(
        question.user, question.time, moment.vectors
    )


def last_content(moment: Moment, items: np.ndarray) -> np.ndarray:
    """Largest cosine with a click of the last visit: no order is needed to know it."""
    return (moment.vectors[items] @ moment.vectors[moment.question.last].T).max(axis=1)


def markov(moment: Moment, items: np.ndarray) -> np.ndarray:
    """Chances of the articles after those of the last visit."""
    return moment.articles.chances(moment.question.last.tolist(), items.tolist())


def shares(moment: Moment, items: np.ndarray) -> np.ndarray:
    """The chain with its memory taken out: each article's share of all answers so far."""
    return moment.articles.chances([], items.tolist())


def topic_order(moment: Moment, items: np.ndarray) -> np.ndarray:
    """What the subcategories of the last visit add to the chance of each article's."""
    last = moment.topic[moment.question.last].tolist()
    return moment.topics.order_alone(last, moment.topic[items].tolist())


def with_content(weight: float) -> Scorer:
    """Markov and the content of the last visit, blended."""

    def blend(moment: Moment, items: np.ndarray) -> np.ndarray:
        return (1 - weight) * markov(moment, items) + weight * last_content(moment, items)

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
    """All scorers answer the questions of visits first..last-1.

    Returns the evaluation on what was shown, and a frame with one row a question: user, and for each
    scorer the recall and NDCG of its k best live articles, as columns (name, metric).
    """
    asked, scores, rows = [], {name: [] for name in scorers}, []
    for moment in _moments(log, vectors, half_life, first):
        if moment.question.visit >= last:
            break
        question = moment.question
        asked.append(question.visit)
        row = {("user", ""): question.user}
        for name, scorer in scorers.items():
            scores[name].append(scorer(moment, question.shown))
            live = scorer(moment, question.live)
            best = question.live[np.lexsort((question.live, -live))][:k]
            row[name, "recall"] = recall_at_k([best], [question.wanted], k)[0]
            row[name, "ndcg"] = ndcg_at_k([best], [question.wanted], k)[0]
        rows.append(row)
    evaluation = Evaluation(_chosen(log.impressions, np.array(asked, int)))
    for name in scorers:
        evaluation.add(name, np.concatenate(scores[name]))
    frame = pd.DataFrame(rows)
    frame.columns = pd.MultiIndex.from_tuples(frame.columns)
    return evaluation, frame


def _moments(log: NewsLog, vectors: np.ndarray, half_life: float, first: int):
    """Each question with counters and chains as of its moment."""
    topic = log.articles.subcategory
    state, articles, topics = State.empty(log, half_life), MarkovChain(), MarkovChain()
    following = steps(log)
    step = next(following, None)
    for question in questions(log, state, first):
        while step is not None and step[0] < question.time:
            _, before, after = step
            articles.count(before.tolist(), after.tolist())
            topics.count(topic[before].tolist(), topic[after].tolist())
            step = next(following, None)
        yield Moment(question, state, vectors, articles, topics, topic)


def _chosen(shown: Impressions, visits: np.ndarray) -> Impressions:
    """Some of the visits, whole."""
    sizes = np.diff(shown.start)[visits]
    rows = np.concatenate([np.arange(shown.start[v], shown.start[v + 1]) for v in visits])
    start = np.concatenate([[0], np.cumsum(sizes)])
    ids = [shown.ids[v] for v in visits]
    chosen = (array[rows] for array in (shown.item, shown.clicked))
    return Impressions(ids, shown.user[visits], shown.time[visits], start, *chosen)
