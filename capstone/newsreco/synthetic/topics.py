"""The topics of the synthetic news: what each subcategory tells, in words of its own.

The grammar is plain text. `= category/subcategory weight` opens a topic; the weight is its share
of all articles. `- ...` is a title and opens a kind of story, a further `- ...` right after it is
another title of the same kind; the lines `. ...` that follow are the sentences of its abstract, of
which the first always stands. `~ category: ...` is a sentence with which any story of the category
may end, so that the topics of one category share words.

`name: a | b | c` lists what `{name}` may become in the topic above. `{20-45}` is a number from 20
to 45, the same one wherever the story says `{20-45}`. All other names (clubs, people, places) are
filled in by `words.py`; `{person2}` is another one than `{person}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from newsreco.synthetic.grammar_news import NEWS
from newsreco.synthetic.grammar_sport import SPORT


@dataclass
class Kind:
    """A kind of story: its titles and the sentences of its abstract."""

    titles: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)


@dataclass
class Topic:
    """One subcategory: its share of the news, its kinds of stories and its own words."""

    category: str
    subcategory: str
    weight: float
    kinds: list[Kind] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)
    endings: list[str] = field(default_factory=list)


def read_grammar(grammar: str) -> list[Topic]:
    """The topics of a grammar, in its order."""
    topics: list[Topic] = []
    endings: dict[str, list[str]] = {}
    for line in grammar.strip().splitlines():
        mark, rest = line.split(" ", 1)
        if mark == "~":
            category, sentence = rest.split(": ", 1)
            endings.setdefault(category, []).append(f"{sentence}.")
        elif mark == "=":
            name, weight = rest.split()
            category, subcategory = name.split("/")
            topics.append(Topic(category, subcategory, float(weight), endings=endings[category]))
        elif mark == "-":
            kinds = topics[-1].kinds
            if not kinds or kinds[-1].sentences:
                kinds.append(Kind())
            kinds[-1].titles.append(rest)
        elif mark == ".":
            topics[-1].kinds[-1].sentences.append(rest)
        else:
            topics[-1].words[mark.rstrip(":")] = [word.strip() for word in rest.split("|")]
    return topics


TOPICS = read_grammar(SPORT) + read_grammar(NEWS)
