"""Files of questions with known sources, by which the assistant is evaluated.

`newsreco.synthetic.make_questions` makes them for synthetic data, and `newsreco sample` writes them
beside it. Other news needs questions of its own, in a file of the same form.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from newsreco.data.log import Articles
from newsreco.synthetic.questions import KINDS, Question, letter
from newsreco.synthetic.sample import QUESTIONS


def split_questions(questions: list[Question], seed: int = 0) -> tuple[list, list]:
    """Two halves, for choosing a threshold and for evaluation; each kind is halved."""
    rng = np.random.default_rng(seed)
    halves: tuple[list, list] = ([], [])
    for kind in KINDS:
        rows = [question for question in questions if question.kind == kind]
        for n, row in enumerate(rng.permutation(len(rows))):
            halves[n % 2].append(rows[row])
    return halves


def add_letters(articles: Articles, questions: list[Question]) -> tuple[Articles, list[Question]]:
    """Every second trap is asked in a letter, an article of its own, and becomes "quoted"."""
    traps = [q for q in questions if q.kind in ("never", "swapped", "same-surname")]
    asked = traps[::2]
    titles, abstracts = zip(*map(letter, asked)) if asked else ((), ())
    more = len(asked)
    columns = {"ids": [f"letter-{i + 1}" for i in range(more)], "title": titles}
    columns |= {"abstract": abstracts, "url": [""] * more, "entities": [()] * more}
    longer = {name: [*getattr(articles, name), *values] for name, values in columns.items()}
    for name in ("category", "subcategory"):
        longer[name] = np.append(getattr(articles, name), np.zeros(more, np.int32))
    quoted = [replace(q, kind="quoted") if q in asked else q for q in questions]
    return replace(articles, **longer), quoted


def load_questions(path: str | Path, articles: Articles) -> list[Question]:
    """Questions from a file, or from the questions.jsonl of a folder that `newsreco sample` wrote.

    Each line is a JSON object {"question": ..., "sources": [ids], "answer": ..., "kind": ...}.
    `sources` is empty if the articles do not answer the question; `answer` and `kind` are optional.

    Raises
    ------
    ValueError
        If a folder has no questions, a line is malformed, or a source is not an article.
    """
    path = Path(path)
    if path.is_dir():
        path = path / QUESTIONS
        if not path.is_file():
            raise ValueError(
                f"{path.parent} has no {QUESTIONS}: `newsreco sample` writes one with synthetic "
                "data; for other data give a file of your own questions"
            )
    lines = path.read_text(encoding="utf-8").splitlines()
    ids = set(articles.ids)
    return [
        _read_question(line, ids, f"{path}, line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]


def _read_question(line: str, ids: set[str], where: str) -> Question:
    """The question of a line; ValueError says where the line is and what is wrong with it."""
    question = _parse_question(line)
    if question is None:
        raise ValueError(
            f'{where}: must be {{"question": ..., "sources": [...]}}, got {line[:60]!r}'
        )
    if unknown := [source for source in question.sources if source not in ids]:
        raise ValueError(f"{where}: no article has the id {unknown[0]!r}")
    return question


def _parse_question(line: str) -> Question | None:
    """A question from a line of JSON; None if the line is not one."""
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
    kind = row.get("kind", "fact" if sources else "elsewhere")
    if kind not in KINDS or (kind == "fact") != bool(sources):
        return None
    return Question(text, kind, tuple(sources), answer)
