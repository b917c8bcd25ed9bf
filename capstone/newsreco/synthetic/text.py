"""The texts of the synthetic news. All clubs, people, places and firms in them are invented."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from newsreco.output import json_text
from newsreco.synthetic.topics import NAMES, TOPICS, Sentence

SQUAD, WOMEN = 9, 5  # players of a club; the first of the squad is the goalkeeper
TYPES = {"club": "O", "rival": "O", "firm": "O", "place": "G", "person": "P", "woman": "P"}
TYPES |= {"scorer": "P", "target": "P", "keeper": "P"}
FIRST_ENTITY = 9_000_000_000  # far above the numbers that Wikidata has assigned


class Slots(dict):
    """The values of a story's slots, each drawn on first use and then kept."""

    def __init__(self, rng: Random, own: dict[str, list[str]]) -> None:
        super().__init__()
        self.rng, self.own = rng, own

    def __missing__(self, name: str) -> str:
        if name in self.own:
            value = pick(self.rng, self.own[name])
        elif name[0].isdigit():  # such as 20-45
            value = str(between(self.rng, *map(int, name.split("-"))))
        else:
            value = MAKERS[name.rstrip("2")](self, self.rng)
        self[name] = value
        return value


def pick(rng: Random, values: Sequence):
    """One of the values."""
    return values[int(rng.random() * len(values))]


def between(rng: Random, low: int, high: int) -> int:
    """A whole number from low to high."""
    return low + int(rng.random() * (high - low + 1))


def player(club: str, number: int) -> str:
    """Player `number` of a club: the same in every story."""
    first, last = NAMES["first_name"], NAMES["last_name"]
    n = (SQUAD + WOMEN) * NAMES["club"].index(club) + number
    shifted = (5 * n + n // len(first)) % len(last)  # so that no two players share both names
    return f"{first[n % len(first)]} {last[shifted]}"


def _win(slots: Slots, rng: Random) -> str:
    loser = pick(rng, (0, 0, 1, 1, 2))
    return f"{loser + pick(rng, (1, 1, 2, 3))}-{loser}"


MAKERS = {
    "club": lambda slots, rng: pick(rng, NAMES["club"]),
    "rival": lambda slots, rng: pick(rng, [c for c in NAMES["club"] if c != slots["club"]]),
    "ground": lambda slots, rng: f"{slots['club'].split()[0]} Park",
    "scorer": lambda slots, rng: player(slots["club"], between(rng, 1, SQUAD - 1)),
    "keeper": lambda slots, rng: player(slots["club"], 0),
    "target": lambda slots, rng: player(slots["rival"], between(rng, 1, SQUAD - 1)),
    "woman": lambda slots, rng: player(slots["club"], SQUAD + between(rng, 0, WOMEN - 1)),
    "person": lambda slots, rng: (
        f"{pick(rng, NAMES['first_name'])} {pick(rng, NAMES['last_name'])}"
    ),
    "place": lambda slots, rng: pick(rng, NAMES["place"]),
    "firm": lambda slots, rng: pick(rng, NAMES["firm"]),
    "day": lambda slots, rng: pick(rng, NAMES["day"]),
    "sum": lambda slots, rng: f"${between(rng, 11, 990) / 10:g} million",
    "win": _win,
    "rout": lambda slots, rng: "{}-{}".format(*pick(rng, ((3, 0), (3, 1), (4, 0), (4, 2), (5, 1)))),
    "draw": lambda slots, rng: "{0}-{0}".format(pick(rng, (1, 1, 2, 3))),
    "nth": lambda slots, rng: pick(rng, ("second", "third", "fourth", "fifth")),
    "minute": lambda slots, rng: ordinal(between(rng, 3, 90)),
    "crowd": lambda slots, rng: f"{between(rng, 3_000, 52_000):,}",
}


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, ..., 11th, ..."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


@dataclass(frozen=True)
class Story:
    """The text of one article and what it was made from.

    Parameters
    ----------
    topic : int
        Index into `TOPICS`.
    names : dict of str to str
        Type of each name in the text: P(erson), O(rganisation) or G(eographic).
    sentences : tuple of Sentence
        Templates of the sentences of the abstract.
    slots : dict of str to str
        Values that fill the templates.
    """

    topic: int
    title: str
    abstract: str
    names: dict[str, str]
    sentences: tuple[Sentence, ...]
    slots: dict[str, str]

    def entities(self) -> tuple[str, ...]:
        """Wikidata ids of the names in the title, then of those only in the abstract."""
        in_title = [name for name in self.names if name in self.title]
        return tuple(wikidata(name) for name in dict.fromkeys([*in_title, *self.names]))

    def mentions(self, text: str) -> str:
        """The entity column of a title or an abstract, in JSON, as in MIND."""
        return json_text(
            [
                {
                    "Label": name,
                    "Type": letter,
                    "WikidataId": wikidata(name),
                    "Confidence": 1.0,
                    "OccurrenceOffsets": [text.index(name)],
                    "SurfaceForms": [name],
                }
                for name, letter in self.names.items()
                if name in text
            ]
        )


def write_story(topic: int, rng: Random) -> Story:
    """A new story of a topic; one in fourteen has no abstract."""
    subject = TOPICS[topic]
    template, slots = pick(rng, subject.templates), Slots(rng, subject.values)
    title = pick(rng, template.titles).format_map(slots)
    chosen = template.sentences[:1]
    chosen += [s for s in template.sentences[1:] if rng.random() < 0.75]
    chosen += [pick(rng, subject.endings)] if rng.random() < 0.75 else []
    abstract = " ".join(sentence.text.format_map(slots) for sentence in chosen)
    if rng.random() < 1 / 14:
        abstract, chosen = "", []
    title = title[0].upper() + title[1:]
    names = _names(slots, f"{title}\n{abstract}")
    return Story(topic, title, abstract, names, tuple(chosen), dict(slots))


def _names(slots: Slots, text: str) -> dict[str, str]:
    """The names that a text holds, with their types."""
    typed = ((value, TYPES.get(slot.rstrip("2"))) for slot, value in slots.items())
    return {name: letter for name, letter in typed if letter and name in text}


def repeat_story(story: Story, rng: Random) -> Story:
    """The same wire story again: nearly the same title, the same abstract."""
    form = pick(rng, ("Update: {}", "{} - report", "{} (updated)", "{}, agency reports"))
    return replace(story, title=form.format(story.title))


@cache
def wikidata(name: str) -> str:
    """An id in Wikidata's form, with a number that Wikidata has not assigned."""
    digest = hashlib.sha256(name.encode()).digest()
    return f"Q{FIRST_ENTITY + int.from_bytes(digest[:8]) % 100_000_000}"
