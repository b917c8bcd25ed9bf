"""Questions with known sources, to measure the assistant by, and files of them.

`newsreco.assistant.facts` makes them for the synthetic news. Other news needs questions of its own:
`load_questions` reads them from a file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from newsreco.data.log import Articles

KINDS = ("fact", "elsewhere", "stranger", "never")  # see `newsreco.assistant.facts`


@dataclass(frozen=True)
class Question:
    """A question; without sources it has no answer in the news."""

    text: str
    kind: str
    sources: tuple[str, ...] = ()
    answer: str = ""

    @property
    def answerable(self) -> bool:
        return bool(self.sources)


def split_questions(questions: list[Question], seed: int = 0) -> tuple[list, list]:
    """Two halves, one to choose a threshold on and one to judge it; each kind is halved."""
    rng = np.random.default_rng(seed)
    halves: tuple[list, list] = ([], [])
    for kind in KINDS:
        rows = [question for question in questions if question.kind == kind]
        for place, row in enumerate(rng.permutation(len(rows))):
            halves[place % 2].append(rows[row])
    return halves


def load_questions(path: str | Path, articles: Articles) -> list[Question]:
    """Questions from a file of JSON lines: {"question": ..., "sources": [ids], "answer": ...}.

    `sources` is empty where the news has no answer; `answer` may be left out. ValueError names
    the line that cannot be read or whose source is no article.
    """
    ids, questions = set(articles.ids), []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        question = _read_question(line)
        if question is None:
            raise ValueError(
                f'{path}, line {number}: must be {{"question": ..., "sources": [...]}}, '
                f"got {line[:60]!r}"
            )
        if unknown := [source for source in question.sources if source not in ids]:
            raise ValueError(f"{path}, line {number}: no article has the id {unknown[0]!r}")
        questions.append(question)
    return questions


def _read_question(line: str) -> Question | None:
    """A question from a line of JSON; None where it is none."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict):
        return None
    text, sources, answer = row.get("question"), row.get("sources", []), row.get("answer", "")
    texts = [text, answer, *sources] if isinstance(sources, list) else [None]
    if not all(isinstance(part, str) for part in texts):
        return None
    return Question(text, "fact" if sources else "elsewhere", tuple(sources), answer)
