"""The texts of the synthetic news. Every club, person, place and firm in them is invented."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from newsreco.synthetic.topics import TOPICS

CLUBS = """Tarn Rovers|Velmouth Athletic|Karstow Town|Ostermoor City|Lunhaven United|Zorby Dynamo
Brinselby Wanderers|Peldrum County|Quarlow Rangers|Fenwicker Vale|Dunmarrow Albion|Westrel Park
Ildersea Harriers|Calvern Star|Hollinmere Rovers|Marpeth Athletic|Tessaly United|Grindlow Town
Arnsgate Forest|Sablewick City|Norrach Thistle|Ettering Vale|Morvale United|Kilbrandle County"""
FIRST = """Ilko Maren Tovi Sanna Dario Wenna Jorun Pell Asta Corvin Lisbet Oren Thessa Rafe Milo
Yrsa Edda Kasim Noor Bram Selka Tamsin Ulric Vesna Halden Ione Juno Keir Lorcan Nadja Odile Perrin
Quill Runa Soren Tuva Ursel Vidar Willa Zeno"""
LAST = """Varenholt Ostrey Kelbrin Dunmarrek Pellisk Quandaster Torvane Ilsevoss Harrowind Brackmoor
Senneker Aldwyne Carrowby Faltermeer Grisold Jentary Kvistad Lorrimond Mastrow Nethersole Orvandel
Pritchow Rastelle Sorvinal Tervane Umberlow Vantongel Wexcombe Yarrowdale Zellick Ambersett Bolkenau
Crestaway Dravinski Eskelow Fennimar Gorsevelt Hulverin Inkersole Jasperow Kettlewin Ludovane"""
PLACES = """Velmouth Karstow Ostermoor Lunhaven Brinselby Peldrum Quarlow Fenwicker Dunmarrow
Ildersea Zorby Westrel Calvern Hollinmere Marpeth Tessaly Grindlow Arnsgate Sablewick Norrach"""
FIRMS = """Ardenta|Brightquill|Corvexa|Dynaleaf|Ekelund Foods|Ferroluxe|Glimmer & Sons|Halcyonix
Inkwell Systems|Jadewater|Kestrelworks|Lumivar|Mondrake|Nuvolane|Orbisanto|Pallastar"""
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
BARS = [text.replace("\n", "|").split("|") for text in (CLUBS, FIRMS)]
CLUB_NAMES, FIRM_NAMES = BARS
PLACE_NAMES, DAY_NAMES, FIRST_NAMES, LAST_NAMES = (
    text.split() for text in (PLACES, DAYS, FIRST, LAST)
)
SQUAD, WOMEN = 9, 5  # a club's players; the first of the squad is the goalkeeper
LETTERS = {"club": "O", "rival": "O", "firm": "O", "place": "G", "person": "P", "woman": "P"}
LETTERS |= {"scorer": "P", "target": "P", "keeper": "P"}
FIRST_ENTITY = 9_000_000_000  # far above the numbers that Wikidata has given out


class Slots(dict):
    """The values of a story's slots: each is made when it is first asked for, then kept."""

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
    n = (SQUAD + WOMEN) * CLUB_NAMES.index(club) + number
    last = (5 * n + n // len(FIRST_NAMES)) % len(LAST_NAMES)  # so that no two share both names
    return f"{FIRST_NAMES[n % len(FIRST_NAMES)]} {LAST_NAMES[last]}"


def _win(slots: Slots, rng: Random) -> str:
    loser = pick(rng, (0, 0, 1, 1, 2))
    return f"{loser + pick(rng, (1, 1, 2, 3))}-{loser}"


MAKERS = {
    "club": lambda slots, rng: pick(rng, CLUB_NAMES),
    "rival": lambda slots, rng: pick(rng, [c for c in CLUB_NAMES if c != slots["club"]]),
    "ground": lambda slots, rng: f"{slots['club'].split()[0]} Park",
    "scorer": lambda slots, rng: player(slots["club"], between(rng, 1, SQUAD - 1)),
    "keeper": lambda slots, rng: player(slots["club"], 0),
    "target": lambda slots, rng: player(slots["rival"], between(rng, 1, SQUAD - 1)),
    "woman": lambda slots, rng: player(slots["club"], SQUAD + between(rng, 0, WOMEN - 1)),
    "person": lambda slots, rng: f"{pick(rng, FIRST_NAMES)} {pick(rng, LAST_NAMES)}",
    "place": lambda slots, rng: pick(rng, PLACE_NAMES),
    "firm": lambda slots, rng: pick(rng, FIRM_NAMES),
    "day": lambda slots, rng: pick(rng, DAY_NAMES),
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
    """The text of one article; `names` maps what it names to P(erson), O(rganisation) or G."""

    topic: int
    title: str
    abstract: str
    names: dict[str, str]

    def entities(self) -> tuple[str, ...]:
        """The Wikidata ids of the title's names, then of those that only the abstract has."""
        here = [name for name in self.names if name in self.title]
        return tuple(wikidata(name) for name in dict.fromkeys([*here, *self.names]))

    def mentions(self, text: str) -> str:
        """The entity column of a title or an abstract, in JSON, as in MIND."""
        return json.dumps(
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


def tell(topic: int, rng: Random) -> Story:
    """A new story of a topic; one in fourteen has no abstract."""
    plan = TOPICS[topic]
    kind, slots = pick(rng, plan.kinds), Slots(rng, plan.words)
    title = pick(rng, kind.titles).format_map(slots)
    chosen = kind.sentences[:1] + [s for s in kind.sentences[1:] if rng.random() < 0.75]
    chosen += [pick(rng, plan.endings)] if rng.random() < 0.75 else []
    abstract = " ".join(sentence.format_map(slots) for sentence in chosen)
    if rng.random() < 1 / 14:
        abstract = ""
    title = title[0].upper() + title[1:]
    named = ((slots[s], LETTERS.get(s.rstrip("2"))) for s in list(slots))
    names = {n: letter for n, letter in named if letter and (n in title or n in abstract)}
    return Story(topic, title, abstract, names)


def retell(story: Story, rng: Random) -> Story:
    """The same wire story again: nearly the same title, the same abstract."""
    form = pick(rng, ("Update: {}", "{} - report", "{} (updated)", "{}, agency reports"))
    return Story(story.topic, form.format(story.title), story.abstract, story.names)


@cache
def wikidata(name: str) -> str:
    """An id in the form of Wikidata's, of a number that Wikidata has not given out."""
    digest = hashlib.sha256(name.encode()).digest()
    return f"Q{FIRST_ENTITY + int.from_bytes(digest[:8]) % 100_000_000}"
