r"""Families of news stories with questions, closer to real news than the synthetic log's.

A family is written by hand: a title and sentences with slots, questions below the lines that answer
them, and traps, which are questions that look alike and that no article answers. `development.txt`
is for writing the rules of the assistant, `evaluation.txt` for measuring what they are worth on
families that nobody looked at meanwhile. The form of both files:

    name: a | b | c            values of a slot, before the first family
    = family                   opens a family
    - title                    `. sentence` likewise; a line may hold several sentences
    ? question -> answer       a question that the line above answers; it may stand below several
                               lines, and have several answers, "answer | answer"
    ! kind: question           a trap, of one of the kinds of `questions.KINDS`

Slots: p1, p2, ... are full names of persons, t1 teams, f1 firms, o1 institutions, c1 towns, d1
days, m1 sums, y1 years, and all of one story are different; k1 has the surname of p1 and another
first name, px is a person of a story of another family, cx a town without a story of this family.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from random import Random

from newsreco.synthetic.questions import Question
from newsreco.synthetic.text import between, pick
from newsreco.synthetic.topics import read_lines, read_values

LISTS = {"o": "institution", "c": "place", "d": "day", "m": "money"}
PARTS = {"p": ("first_name", "last_name"), "t": ("team", "suffix"), "f": ("firm",)}


@dataclass
class Family:
    """The lines of a story, each with its (question, answer) pairs, and (kind, question) traps."""

    name: str
    lines: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    traps: list[tuple[str, str]] = field(default_factory=list)


def read_families(name: str) -> tuple[dict[str, list[str]], list[Family]]:
    """The values and the families of a template file, such as "evaluation"."""
    values: dict[str, list[str]] = {}
    families: list[Family] = []
    for line in read_lines(f"{name}.txt"):
        mark, _, rest = line.partition(" ")
        if mark == "=":
            families.append(Family(rest))
        elif mark in ("-", "."):
            families[-1].lines.append((rest, []))
        elif mark == "?":
            question, answer = rest.split(" -> ")
            families[-1].lines[-1][1].append((question, answer))
        elif mark == "!":
            families[-1].traps.append(tuple(rest.split(": ", 1)))
        elif mark and mark != "#":
            values.update([read_values(line)])
    return values, families


class Cast(dict):
    """The values of one story's slots, drawn on first use, those of persons and firms only once."""

    def __init__(self, pools: dict[str, list[str]], rng: Random) -> None:
        super().__init__()
        self.pools, self.rng, self.absent = pools, rng, {}

    def __missing__(self, slot: str) -> str:
        self[slot] = value = self._draw(slot)
        return value

    def _draw(self, slot: str) -> str:
        kind, rng = slot[0], self.rng
        if slot in self.absent:  # px and the like
            return self.absent[slot]
        if kind.isdigit():  # such as 2-9 or 9,000-9,900
            return f"{between(rng, *(int(n.replace(',', '')) for n in slot.split('-'))):,}"
        if kind == "k":  # k1
            return self._same_surname(self[f"p{slot[1:]}"])
        if kind == "y":
            return str(between(rng, 1950, 2019))
        if kind in "ptfoc" and slot[1:].isdigit():
            return self.pools[kind].pop()
        values = self.pools[LISTS[kind] if slot[1:].isdigit() else slot]
        return pick(rng, [value for value in values if value not in self.values()])

    def _same_surname(self, person: str) -> str:
        surname = person.split(" ", 1)[1]
        kin = [name for name in self.pools["p"] if name.split(" ", 1)[1] == surname]
        self.pools["p"].remove(kin[0])
        return kin[0]


def make_families(
    name: str = "evaluation", stories: int = 4, seed: int = 0
) -> tuple[list[tuple[str, str]], list[Question]]:
    """(title, abstract) pairs, that many of each family, and the questions about them.

    The source "N1" of a question is the first pair, as in `assistant.passages.articles_from`.
    Questions on whose answer the stories disagree are left out, and traps that a story answers.
    """
    values, families = read_families(name)
    rng = Random(seed)
    pools = {k: [" ".join(p) for p in product(*(values[v] for v in PARTS[k]))] for k in PARTS}
    for pool in pools.values():
        rng.shuffle(pool)
    told = [(f, cast) for f in families for cast in _casts(values, pools, stories, rng)]
    for family, cast in told:
        _fill(family, cast)
    for family, cast in told:
        cast.absent = _absent(family, cast, told, rng)
    articles = [_article(family, cast) for family, cast in told]
    return articles, [*_answerable(told), *_traps(told)]


def _casts(
    values: dict[str, list[str]], pools: dict[str, list[str]], n: int, rng: Random
) -> list[Cast]:
    """The casts of one family's stories: no town or institution is in two of them."""
    own = {kind: rng.sample(values[LISTS[kind]], len(values[LISTS[kind]])) for kind in "oc"}
    return [Cast(values | pools | own, rng) for _ in range(n)]


def _fill(family: Family, cast: Cast) -> None:
    """Draw the values of all slots in the text, so that traps find what is left."""
    for line, _ in family.lines:
        line.format_map(cast)


def _absent(family: Family, cast: Cast, told: list, rng: Random) -> dict[str, str]:
    """Names from elsewhere: persons, teams and firms of other families, and an unused town."""
    others = [(slot, v) for f, c in told if f is not family for slot, v in c.items()]
    found = {f"{k}x": pick(rng, [v for s, v in others if s[0] == k]) for k in "ptf"}
    return found | {"cx": cast.pools["c"][0]}


def _article(family: Family, cast: Cast) -> tuple[str, str]:
    title, *sentences = (_line(line, cast) for line, _ in family.lines)
    return title, " ".join(sentences)


def _line(line: str, cast: Cast) -> str:
    text = line.format_map(cast)
    return text[0].upper() + text[1:]


def _answerable(told: list[tuple[Family, Cast]]) -> Iterator[Question]:
    """The questions on whose answer all stories agree, with the lines that answer them."""
    found: dict[str, list] = defaultdict(list)
    for number, (family, cast) in enumerate(told, 1):
        for line, asked in family.lines:
            for question, answer in asked:
                row = (answer.format_map(cast), f"N{number}", _line(line, cast), family.name)
                found[question.format_map(cast)].append(row)
    for text, rows in found.items():
        answers, sources, lines, names = (tuple(dict.fromkeys(column)) for column in zip(*rows))
        if len(answers) == 1:
            yield Question(text, "fact", sources, answers[0], lines, names[0])


def _traps(told: list[tuple[Family, Cast]]) -> Iterator[Question]:
    """The traps, each once, without those that a story answers."""
    asked = {q.format_map(c) for f, c in told for _, rows in f.lines for q, _ in rows}
    for family, cast in told:
        for kind, question in family.traps:
            text = question.format_map(cast)
            if text not in asked:
                asked.add(text)
                yield Question(text, kind, family=family.name)
