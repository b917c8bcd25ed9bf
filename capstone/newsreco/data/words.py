"""The texts of the synthetic news: every club, person, place and firm in them is invented."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from newsreco.data.topics import GRAMMAR

CLUBS = [
    "Tarn Rovers",
    "Velmouth Athletic",
    "Karstow Town",
    "Ostermoor City",
    "Lunhaven United",
    "Brinselby Wanderers",
    "Peldrum County",
    "Quarlow Rangers",
    "Fenwicker Vale",
    "Dunmarrow Albion",
    "Ildersea Harriers",
    "Zorby Dynamo",
    "Westrel Park",
    "Calvern Star",
    "Hollinmere Rovers",
    "Marpeth Athletic",
    "Tessaly United",
    "Grindlow Town",
    "Arnsgate Forest",
    "Sablewick City",
    "Norrach Thistle",
    "Ettering Vale",
    "Morvale United",
    "Kilbrandle County",
]
FIRST = [
    "Ilko",
    "Maren",
    "Tovi",
    "Sanna",
    "Dario",
    "Wenna",
    "Jorun",
    "Pell",
    "Asta",
    "Corvin",
    "Lisbet",
    "Oren",
    "Thessa",
    "Rafe",
    "Milo",
    "Yrsa",
    "Edda",
    "Kasim",
    "Noor",
    "Bram",
    "Selka",
    "Tamsin",
    "Ulric",
    "Vesna",
    "Halden",
    "Ione",
    "Juno",
    "Keir",
    "Lorcan",
    "Nadja",
]
LAST = [
    "Varenholt",
    "Ostrey",
    "Kelbrin",
    "Dunmarrow",
    "Pellisk",
    "Quandt-Asher",
    "Torvane",
    "Ilsley-Voss",
    "Harrowind",
    "Brackmoor",
    "Senneker",
    "Aldwyne",
    "Carrowby",
    "Faltermeer",
    "Grisold",
    "Jentary",
    "Kvistad",
    "Lorrimond",
    "Mastrow",
    "Nethersole",
    "Orvandel",
    "Pritchow",
    "Rastelle",
    "Sorvino-Tal",
    "Tervane",
    "Umberlow",
    "Vantongel",
    "Wexcombe",
    "Yarrowdale",
    "Zellick",
]
PLACES = [
    "Velmouth",
    "Karstow",
    "Ostermoor",
    "Lunhaven",
    "Brinselby",
    "Peldrum",
    "Quarlow",
    "Fenwicker",
    "Dunmarrow",
    "Ildersea",
    "Zorby",
    "Westrel",
    "Calvern",
    "Hollinmere",
    "Marpeth",
    "Tessaly",
    "Grindlow",
    "Arnsgate",
    "Sablewick",
    "Norrach",
]
FIRMS = [
    "Ardenta",
    "Brightquill",
    "Corvex Motors",
    "Dynaleaf",
    "Ekelund Foods",
    "Ferrolux",
    "Glimmer & Sons",
    "Halcyo",
    "Inkwell Systems",
    "Jadewater",
    "Kestrelworks",
    "Lumivar",
    "Mondrake",
    "Nuvolane",
    "Orbisant",
    "Pallast",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
KINDS = {"club": "O", "rival": "O", "firm": "O", "place": "G"}
KINDS |= {"person": "P", "other": "P", "scorer": "P"}
FIRST_ENTITY = 9_000_000_000  # far above the numbers that Wikidata has given out


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


def read_grammar(grammar: str = GRAMMAR) -> list[Topic]:
    """The topics of a grammar; its form is told in `topics.py`."""
    topics: list[Topic] = []
    for line in grammar.strip().splitlines():
        mark, rest = line.split(" ", 1)
        if mark == "=":
            name, weight = rest.split()
            topics.append(Topic(*name.split("/"), float(weight)))
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


TOPICS = read_grammar()


@dataclass(frozen=True)
class Story:
    """The text of one article; `names` are the clubs, people, places and firms in it."""

    topic: int
    title: str
    abstract: str
    names: dict[str, str]  # name -> the letter of its kind: P, O or G


def tell(topic: int, rng: np.random.Generator) -> Story:
    """A new story of a topic."""
    plan = TOPICS[topic]
    slots = _slots(rng) | {slot: pick(rng, words) for slot, words in plan.words.items()}
    kind = pick(rng, plan.kinds)
    first, *more = kind.sentences
    chosen = [first] + [sentence for sentence in more if rng.random() < 0.75]
    title = pick(rng, kind.titles).format(**slots)
    abstract = " ".join(chosen).format(**slots) if rng.random() < 0.93 else ""
    used = set(re.findall(r"{(\w+)}", " ".join([*kind.titles, *chosen])))
    found = {slots[slot]: KINDS[slot] for slot in KINDS if slot in used}
    return Story(topic, title, abstract, {n: k for n, k in found.items() if n in title + abstract})


@cache
def wikidata(name: str) -> str:
    """An id as Wikidata's, of a number that Wikidata has not given out."""
    digits = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 100_000_000
    return f"Q{FIRST_ENTITY + digits}"


def entities(story: Story) -> tuple[str, ...]:
    """The Wikidata ids of the title's names, then of those that only the abstract has."""
    names = [n for n in story.names if n in story.title]
    return tuple(map(wikidata, dict.fromkeys([*names, *story.names])))


def mentions(story: Story, text: str) -> str:
    """The entity column of a title or an abstract, in JSON, as in MIND."""
    found = [
        {
            "Label": name,
            "Type": kind,
            "WikidataId": wikidata(name),
            "Confidence": 1.0,
            "OccurrenceOffsets": [text.index(name)],
            "SurfaceForms": [name],
        }
        for name, kind in story.names.items()
        if name in text
    ]
    return json.dumps(found)


def retell(story: Story, rng: np.random.Generator) -> Story:
    """The same wire story again: nearly the same title, the same abstract."""
    form = pick(rng, ["Update: {}", "{} - report", "{} (updated)", "Recap: {}"])
    return Story(story.topic, form.format(story.title), story.abstract, story.names)


def pick(rng: np.random.Generator, values: list):
    """One of the values."""
    return values[int(rng.integers(len(values)))]


def _slots(rng: np.random.Generator) -> dict[str, str]:
    """What a sentence may speak of: two clubs, three people, a place, a firm, numbers."""
    club, rival = (CLUBS[i] for i in rng.choice(len(CLUBS), 2, replace=False))
    people = [f"{pick(rng, FIRST)} {pick(rng, LAST)}" for _ in range(3)]
    goals, less = int(rng.integers(1, 5)), int(rng.integers(0, 4))
    few, n, points, minute, crowd = (int(rng.integers(*r)) for r in RANGES)
    return {
        "club": club,
        "rival": rival,
        "scorer": people[0],
        "person": people[1],
        "other": people[2],
        "place": pick(rng, PLACES),
        "ground": f"{club.split()[0]} Park",
        "firm": pick(rng, FIRMS),
        "day": pick(rng, DAYS),
        "sum": f"${rng.integers(12, 990) / 10:g} million",
        "win": f"{max(goals, less + 1)}-{min(less, goals - 1)}",
        "draw": f"{less}-{less}",
        "percent": str(40 + few * 3),
        "few": str(few),
        "n": str(n),
        "points": str(points),
        "minute": f"{minute}{ordinal(minute)}",
        "crowd": f"{crowd * 37:,}",
    }


RANGES = ((2, 10), (15, 240), (11, 60), (1, 91), (80, 1200))


def ordinal(number: int) -> str:
    """The ending of 1st, 2nd, 3rd, 4th, ..., 11th, ..."""
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
