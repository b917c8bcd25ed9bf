"""Questions about the synthetic news, with known answers and sources.

The templates carry questions beside their sentences, in other words: "How long is Ilko Ostrey out
of action?" for "Ilko Ostrey of Tarn Rovers will miss 6 weeks ...". Names stay, as a user would type
them. A question is kept only if all articles that answer it agree; those articles are its sources.

Unanswerable questions are of five kinds: about something else than the synthetic news
("elsewhere"), about a name that no article contains ("unknown-name"), about known names with which
the event in question never happened ("never"), with two roles of a story exchanged ("swapped"), and
about a namesake of somebody in the news ("same-surname"). `letter` makes an article that only asks
a question ("quoted"). Left out: questions that join two articles.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from newsreco.synthetic.generate import SyntheticLog
from newsreco.synthetic.text import TYPES, Story
from newsreco.synthetic.topics import NAMES, read_lines

UNANSWERABLE = ("elsewhere", "unknown-name", "never", "swapped", "same-surname")
TRAPS = ("other-name", "negated", "hypothetical", "quoted")  # need texts of their own
KINDS = ("fact", *UNANSWERABLE, *TRAPS)
SLOT = re.compile(r"{([\w-]+)}")


@dataclass(frozen=True)
class Question:
    """A question; one without sources has no answer in the news.

    Parameters
    ----------
    kind : str
        "fact", or why it has no answer; one of `KINDS`.
    sources : tuple of str
        Ids of the articles that answer it.
    answer : str
        Words that a right answer contains.
    lines : tuple of str
        The titles and sentences that answer it, if they are known.
    family : str
        The story template, for questions of `families.py`.
    """

    text: str
    kind: str
    sources: tuple[str, ...] = ()
    answer: str = ""
    lines: tuple[str, ...] = ()
    family: str = ""

    @property
    def answerable(self) -> bool:
        return bool(self.sources)


def make_questions(synthetic: SyntheticLog, n: int = 100, seed: int = 0) -> list[Question]:
    """Up to n answerable questions, each from a different story, and as many unanswerable ones."""
    return questions_about(synthetic.log.articles.ids, synthetic.stories, n, seed)


def questions_about(
    ids: list[str], stories: list[Story], n: int = 100, seed: int = 0
) -> list[Question]:
    """The questions of `make_questions` about stories with these article ids."""
    rng = np.random.default_rng(seed)
    facts = _facts(ids, stories)
    answerable, used = [], set()
    for question in (facts[i] for i in rng.permutation(len(facts))):
        if not used & set(question.sources):
            used |= set(question.sources)
            answerable.append(question)
    text = " ".join(f"{story.title}\n{story.abstract}" for story in stories)
    return answerable[:n] + _unanswerable(stories, text, min(n, len(answerable)), rng)


def _facts(ids: list[str], stories: list[Story]) -> list[Question]:
    """All questions on whose answer the articles agree."""
    answers: dict[str, set] = defaultdict(set)
    sources: dict[str, list] = defaultdict(list)
    for article, story in zip(ids, stories):
        for form, answer in _asked(story):
            text = form.format_map(story.slots)
            answers[text].add(answer.format_map(story.slots))
            sources[text].append(article)
    return [
        Question(text, "fact", tuple(dict.fromkeys(sources[text])), found.pop())
        for text, found in answers.items()
        if len(found) == 1 and not any(answer in text for answer in found)
    ]


def _asked(story: Story) -> Iterator[tuple[str, str]]:
    """The (question, answer) templates of a story's sentences."""
    for sentence in story.sentences:
        yield from sentence.questions


def _unanswerable(
    stories: list[Story], text: str, n: int, rng: np.random.Generator
) -> list[Question]:
    """n unanswerable questions, about a fifth of each kind."""
    sizes = [len(part) for part in np.array_split(np.arange(n), len(UNANSWERABLE))]
    elsewhere = [str(line) for line in rng.permutation(read_lines("elsewhere.txt"))]
    unknown = [name for name in read_lines("unknown_names.txt") if name not in text]
    asked = {form.format_map(story.slots) for story in stories for form, _ in _asked(story)}
    return [
        *(Question(line, "elsewhere") for line in elsewhere[: sizes[0]]),
        *_invented(stories, "unknown-name", unknown, sizes[1], rng),
        *_invented(stories, "never", [], sizes[2], rng),
        *_sample(_swapped(stories), asked, "swapped", sizes[3], rng),
        *_sample(_namesakes(stories, text), asked, "same-surname", sizes[4], rng),
    ]


def _sample(
    texts: Iterator[str], asked: set[str], kind: str, n: int, rng: np.random.Generator
) -> list[Question]:
    """n of the texts that are no question with an answer."""
    left = sorted(set(texts) - asked)
    return [Question(left[i], kind) for i in rng.permutation(len(left))[:n]]


def _swapped(stories: list[Story]) -> Iterator[str]:
    """Questions in which two names of one type are exchanged, or the answer is in the question."""
    for story in stories:
        for form, answer in _asked(story):
            inside = SLOT.findall(form)
            for one, other in product(inside, [*inside, *SLOT.findall(answer)]):
                alike = TYPES.get(one.rstrip("2")) == TYPES.get(other.rstrip("2"), "")
                if alike and one != other and " and {" not in form:
                    slots = story.slots
                    yield form.format_map(slots | {one: slots[other], other: slots[one]})


def _namesakes(stories: list[Story], text: str) -> Iterator[str]:
    """Questions about somebody with the surname of a person in the story, unnamed in the text."""

    @cache
    def absent(surname: str) -> list[str]:
        full = (f"{first} {surname}" for first in NAMES["first_name"])
        return [name for name in full if name not in text]

    for story in stories:
        for form, _ in _asked(story):
            for slot in (s for s in SLOT.findall(form) if TYPES.get(s.rstrip("2")) == "P"):
                names = absent(story.slots[slot].split()[-1])
                if names:  # in a large log every name occurs
                    yield form.format_map(story.slots | {slot: names[len(form) % len(names)]})


def letter(question: Question) -> tuple[str, str]:
    """(title, abstract) of a page of letters that asks a question and does not answer it."""
    return f"Letters: {question.text}", f"A reader asks: {question.text} Letters by Friday."


def _invented(
    stories: list[Story], kind: str, unknown: list[str], n: int, rng: np.random.Generator
) -> list[Question]:
    """Questions with an unknown name, or with slot values mixed from different stories."""
    slots_of = defaultdict(list)
    for story in stories:
        for form, _ in _asked(story):
            slots_of[form].append(story.slots)
    forms, found = sorted(slots_of), {}
    asked = {form.format_map(slots) for form in forms for slots in slots_of[form]}
    for _ in range(20 * n):
        form = forms[rng.integers(len(forms))]
        rows, names = slots_of[form], SLOT.findall(form)
        slots = {name: rows[rng.integers(len(rows))][name] for name in names}
        capitalised = [name for name in names if rows[0][name][:1].isupper()]
        if kind == "unknown-name" and capitalised and unknown:
            slots[capitalised[0]] = unknown[rng.integers(len(unknown))]
        elif kind == "unknown-name" or len(slots) < 2:
            continue
        text = form.format_map(slots)
        if text not in asked and len(found) < n:
            found[text] = Question(text, kind)
    return list(found.values())
