"""What becomes of a question: answered rightly, abstained, wrong article, or wrong answer.

An answer is right if the quoted words are a line that the story template marks as answering the
question, so the right name in another role does not count. Any answer to a trap is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from newsreco.assistant.answer import Answer, Assistant
from newsreco.assistant.calibration import proportion
from newsreco.assistant.passages import articles_from
from newsreco.data.log import Articles
from newsreco.synthetic.families import make_families
from newsreco.synthetic.questions import Question
from recsys.bootstrap import bootstrap_ratios, interval

OUTCOMES = ("right", "abstained", "wrong article", "wrong answer")
Outcome = tuple[Question, str]


def outcome(question: Question, answer: Answer) -> str:
    """One of `OUTCOMES`, for a question with marked lines or without an answer."""
    if not answer.answered:
        return "abstained"
    if not question.answerable:
        return "wrong answer"
    cited = answer.citations[0]
    if cited.article not in question.sources:
        return "wrong article"
    said = any(part.lower() in cited.quote.lower() for part in question.answer.split(" | "))
    marked = any(cited.quote in line for line in question.lines)
    return "right" if said and marked else "wrong answer"


def outcomes(assistant: Assistant, questions: Sequence[Question]) -> list[Outcome]:
    """Each question with its outcome."""
    return [(question, outcome(question, assistant.ask(question.text))) for question in questions]


def with_families(
    articles: Articles, name: str = "evaluation", stories: int = 4, seed: int = 0
) -> tuple[Articles, list[Question]]:
    """The stories of a file of families followed by other articles, and the questions on them."""
    pairs, questions = make_families(name, stories, seed)
    return articles_from([*pairs, *zip(articles.title, articles.abstract)]), questions


def outcome_table(before: Iterable[Outcome], after: Iterable[Outcome]) -> pd.DataFrame:
    """Counts of the outcomes, without and with the check of roles, by kind of question."""
    rows = [
        {"kind": "answerable" if question.answerable else question.kind, "when": when, "is": found}
        for when, results in (("before", before), ("after", after))
        for question, found in results
    ]
    table = pd.DataFrame(rows).groupby(["kind", "when", "is"]).size().unstack(fill_value=0)
    table = table.reindex(columns=list(OUTCOMES), fill_value=0)
    kinds = sorted({row["kind"] for row in rows}, key=lambda kind: (kind != "answerable", kind))
    return table.reindex([(kind, when) for kind in kinds for when in ("before", "after")])


def rates(results: Sequence[Outcome]) -> pd.DataFrame:
    """Fractions with 95 % intervals: answered rightly of the answerable, wrong of all questions.

    Questions of one family are alike, so families are resampled, each with all its questions.
    Where none has the outcome, or all have it, resamples do not differ; the interval is then the
    exact one of none, or all, of as many families.
    """
    answerable = [(q.family, found) for q, found in results if q.answerable]
    traps = [(q.family, found) for q, found in results if not q.answerable]
    rows = {
        "answerable, answered rightly": _rate(answerable, "right"),
        "answerable, wrong article": _rate(answerable, "wrong article"),
        "answerable, wrong answer": _rate(answerable, "wrong answer"),
        "traps, answered": _rate(traps, "wrong answer"),
    }
    columns = ["fraction", "low", "high", "questions", "families"]
    table = pd.DataFrame(rows, index=columns).T
    return table.astype({"questions": int, "families": int})


def _rate(found: list[tuple[str, str]], wanted: str) -> tuple[float, float, float, int, int]:
    """Fraction of an outcome, its interval over families, and the numbers of both."""
    _, family = np.unique([name for name, _ in found], return_inverse=True)
    has = np.array([one == wanted for _, one in found])
    sums, counts = np.bincount(family, has), np.bincount(family)
    n = len(counts)
    if has.all() or not has.any():
        _, low, high = proportion(n * int(has.all()), n)
    else:
        low, high = interval(bootstrap_ratios(sums[:, None], counts[:, None])[:, 0])
    return float(has.mean()), float(low), float(high), len(found), n
