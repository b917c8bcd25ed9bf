"""Questions made from the synthetic news, whose facts are known.

The news is written from patterns, so its facts can be read back out of the sentences and asked
for in other words: "How long is Ilko Ostrey out of action?" for "Ilko Ostrey of Tarn Rovers will
miss 6 weeks ...". Names stay, as a reader would use them. A question counts only where all
articles that match it agree on the answer; those articles are its sources.

Questions without an answer are of three kinds: about another world ("elsewhere"), about a name
that no article holds ("stranger"), and about known names between which the asked thing never
happened ("never"). Left out: questions that join two articles.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from newsreco.assistant.passages import article_text, sentence_spans
from newsreco.assistant.patterns import ELSEWHERE, PATTERNS, STRANGERS
from newsreco.assistant.questions import Question
from newsreco.data.log import Articles

SLOT = re.compile(r"{([\w-]+)}")
VALUE = {  # what a slot may hold; {20-45} a whole number, others anything
    "win": r"\d+-\d+",
    "draw": r"\d+-\d+",
    "rout": r"\d+-\d+",
    "minute": r"\d+\w\w",
    "sum": r"\$[\d.]+ million",
    "crowd": r"[\d,]+",
}


@dataclass
class Pattern:
    """A sentence of the news with {slots}, and questions whose answer is one of them."""

    sentence: str
    asked: tuple[tuple[str, str], ...]  # (question, answer), both with {slots}

    def match(self, sentence: str) -> dict[str, str] | None:
        """What the slots hold in a sentence of this pattern."""
        if self._literal not in sentence:  # most sentences end here, quickly
            return None
        found = self._form.fullmatch(sentence)
        return dict(zip(SLOT.findall(self.sentence), found.groups())) if found else None

    @cached_property
    def _literal(self) -> str:
        """The longest part between two slots."""
        return max(SLOT.split(self.sentence)[::2], key=len)

    @cached_property
    def _form(self) -> re.Pattern:
        parts = SLOT.split(self.sentence)  # text, slot, text, slot, ..., text
        parts[::2] = map(re.escape, parts[::2])
        parts[1::2] = [
            f"({VALUE.get(p, '[0-9]+' if p[0].isdigit() else '.+?')})" for p in parts[1::2]
        ]
        return re.compile("".join(parts))


def read_patterns(text: str = PATTERNS) -> list[Pattern]:
    """The patterns; their form is told in `patterns.py`."""
    patterns: list[tuple[str, list]] = []
    for line in text.strip().splitlines():
        if line.startswith("? "):
            question, answer = line[2:].split(" -> ")
            patterns[-1][1].append((question, answer))
        else:
            patterns.append((line[2:], []))
    return [Pattern(sentence, tuple(asked)) for sentence, asked in patterns]


def make_questions(articles: Articles, n: int = 100, seed: int = 0) -> list[Question]:
    """Up to n questions with an answer, each on another story, and as many without.

    ValueError where the articles hold no sentence of the synthetic news.
    """
    facts, seen = _facts(articles)
    if not facts:
        raise ValueError(
            "articles must be those of the synthetic news, whose facts are known; "
            "for other news give questions of your own"
        )
    rng = np.random.default_rng(seed)
    rows = [facts[i] for i in rng.permutation(len(facts))]
    answered, told = [], set()
    for question in rows:
        if not told & set(question.sources):
            told |= set(question.sources)
            answered.append(question)
    news = " ".join(article_text(articles, i) for i in range(len(articles)))
    return answered[:n] + _unanswerable(seen, news, min(n, len(answered)), rng)


def _facts(articles: Articles) -> tuple[list[Question], dict[str, list]]:
    """All questions with one right answer, and what was read for each question's form."""
    answers: dict[str, set] = defaultdict(set)
    sources: dict[str, list] = defaultdict(list)
    seen: dict[str, list] = defaultdict(list)
    for item, pattern, slots in _read(articles):
        for form, answer in pattern.asked:
            text = form.format_map(slots)
            answers[text].add(answer.format_map(slots))
            sources[text].append(articles.ids[item])
            seen[form].append(slots)
    unique = [
        Question(text, "fact", tuple(dict.fromkeys(sources[text])), found.pop())
        for text, found in answers.items()
        if len(found) == 1
    ]
    return unique, seen


def _read(articles: Articles) -> Iterable[tuple[int, Pattern, dict[str, str]]]:
    """(article, pattern, slots) of every sentence of a known pattern."""
    patterns = read_patterns()
    for item, abstract in enumerate(articles.abstract):
        for start, end in sentence_spans(abstract):
            for pattern in patterns:
                slots = pattern.match(abstract[start:end])
                if slots:
                    yield item, pattern, slots


def _unanswerable(seen: dict, news: str, n: int, rng: np.random.Generator) -> list[Question]:
    """n questions without an answer, about a third of each kind."""
    parts = np.array_split(np.arange(n), 3)
    elsewhere = [Question(text, "elsewhere") for text in rng.permutation(ELSEWHERE)]
    strangers = [name for name in STRANGERS if name not in news]
    return [
        *elsewhere[: len(parts[0])],
        *_invented(seen, "stranger", strangers, len(parts[1]), rng),
        *_invented(seen, "never", [], len(parts[2]), rng),
    ]


def _invented(seen, kind: str, strangers: list[str], n: int, rng) -> list[Question]:
    """Questions of known forms about an unknown name, or about names that never met."""
    forms, found = sorted(seen), {}
    asked = {form.format_map(slots) for form in forms for slots in seen[form]}
    for _ in range(20 * n):
        form = forms[rng.integers(len(forms))]
        rows = seen[form]
        named = [s for s in SLOT.findall(form) if rows[0][s][:1].isupper()]
        slots = {s: rows[rng.integers(len(rows))][s] for s in SLOT.findall(form)}
        if kind == "stranger" and named and strangers:
            slots[named[0]] = strangers[rng.integers(len(strangers))]
        elif kind == "stranger" or len(slots) < 2:
            continue
        text = form.format_map(slots)
        if text not in asked and len(found) < n:
            found[text] = Question(text, kind)
    return list(found.values())
