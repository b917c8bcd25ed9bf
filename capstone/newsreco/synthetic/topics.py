"""The topics of the synthetic news, read from `templates/sports.txt` and `templates/news.txt`.

`= category/subcategory weight` opens a topic; the weight is proportional to its number of articles.
`- ...` is a title and opens a story template, a further `- ...` right after it is another title of
the same template; the lines `. ...` that follow are the sentences of its abstract, of which the
first is always used. `? question -> answer` is a question that the sentence above it answers.
`~ category: ...` is a closing sentence for any story of the category, so that the topics of one
category share words.

`name: a | b | c` lists the values of the slot `{name}` in the topic above. `{20-45}` is a number
from 20 to 45, the same one throughout a story. All other slots (clubs, people, places) are filled
in by `text.py`; `{person2}` differs from `{person}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources


@dataclass
class Sentence:
    """A sentence with {slots}, and the (question, answer) pairs about it, with the same slots."""

    text: str
    questions: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class StoryTemplate:
    """Alternative titles and the sentences of the abstract."""

    titles: list[str] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)


@dataclass
class Topic:
    """One subcategory: its weight, its story templates and the values of its own slots."""

    category: str
    subcategory: str
    weight: float
    templates: list[StoryTemplate] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    endings: list[Sentence] = field(default_factory=list)


def read_lines(name: str) -> list[str]:
    """The lines of a file in `templates`."""
    file = resources.files("newsreco.synthetic") / "templates" / name
    return file.read_text(encoding="utf-8").splitlines()


def read_values(line: str) -> tuple[str, list[str]]:
    """The name and the values of a line `name: a | b | c`."""
    name, values = line.split(": ", 1)
    return name, [value.strip() for value in values.split("|")]


def read_topics(lines: list[str]) -> list[Topic]:
    """The topics of a template file, in its order."""
    topics: list[Topic] = []
    endings: dict[str, list[Sentence]] = {}
    for line in lines:
        mark, rest = line.split(" ", 1)
        if mark == "~":
            category, text = rest.split(": ", 1)
            endings.setdefault(category, []).append(Sentence(f"{text}."))
        elif mark == "=":
            name, weight = rest.split()
            category, subcategory = name.split("/")
            topics.append(Topic(category, subcategory, float(weight), endings=endings[category]))
        elif mark in "-.?":
            _extend(topics[-1].templates, mark, rest)
        else:
            name, values = read_values(line)
            topics[-1].values[name] = values
    return topics


def _extend(templates: list[StoryTemplate], mark: str, text: str) -> None:
    """Add a title, a sentence, or a question about the last sentence."""
    if mark == "-":
        if not templates or templates[-1].sentences:
            templates.append(StoryTemplate())
        templates[-1].titles.append(text)
    elif mark == ".":
        templates[-1].sentences.append(Sentence(text))
    else:
        question, answer = text.split(" -> ")
        templates[-1].sentences[-1].questions.append((question, answer))


TOPICS = [*read_topics(read_lines("sports.txt")), *read_topics(read_lines("news.txt"))]
NAMES = dict(map(read_values, read_lines("names.txt")))
