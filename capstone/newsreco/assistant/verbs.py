"""Verbs with one meaning: "Tarn sold Ada to Zorby" says that Zorby bought Ada from Tarn.

`verbs.txt` gives the verbs of each relation and how their roles correspond. A verb that is not
there is a relation of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from newsreco.assistant.grammar import Phrase, data_lines

Filler = TypeVar("Filler")


@dataclass(frozen=True)
class Frame:
    """How one verb states a relation: its own role names to the relation's."""

    relation: str
    roles: dict[str, str] = field(default_factory=dict)
    no_object: bool = False
    symmetric: bool = False
    implied: bool = False


@cache
def frames() -> dict[str, list[Frame]]:
    """The frames of each verb, in the file's order."""
    found: dict[str, list[Frame]] = {}
    for relation, line in data_lines("verbs.txt"):
        verbs, _, changes = line.partition(";")
        roles = dict(change.split("=") for change in changes.split() if "=" in change)
        bare = roles.get("object") == "-"
        if bare:
            del roles["object"]
        for verb in verbs.split("|"):
            words = changes.split()
            frame = Frame(relation, roles, bare, "symmetric" in words, "implied" in words)
            found.setdefault(verb.strip(), []).append(frame)
    return found


@cache
def base_verbs() -> frozenset[str]:
    """The first words of all verbs known by their meaning or their irregular forms."""
    irregular = dict(data_lines("english.txt"))["irregular"].split("; ")
    return frozenset({verb.split()[0] for verb in (*frames(), *irregular)})


def relations(verbs: frozenset[str]) -> list[Frame]:
    """The frames of a verb's possible base forms, those of a verb with its particle first."""
    known = frames()
    phrasal = [frame for verb in sorted(verbs) if " " in verb for frame in known.get(verb, [])]
    single = [frame for verb in sorted(verbs) if " " not in verb for frame in known.get(verb, [])]
    return phrasal + single + [Frame(verb) for verb in sorted(verbs)]


def in_relation(frame: Frame, roles: Mapping[str, Phrase]) -> dict[str, Phrase] | None:
    """The roles by their names in the relation; None if the verb cannot state it like this."""
    said = roles.get("object")
    if frame.no_object and said is not None and said.heads:
        return None
    if frame.no_object and frame.roles.get("subject") is None and not set(frame.roles) & set(roles):
        return None
    found: dict[str, Phrase] = {}
    moved = {new for old, new in frame.roles.items() if old in roles}
    for role, part in roles.items():
        new = frame.roles.get(role)
        if new is not None:
            found[new] = part
        elif role not in moved:
            found.setdefault(role, part)
    return found
