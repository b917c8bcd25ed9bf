r"""Words: a question cleaned, split, and weighed.

A passage that answers a question need not use its verbs, but has to speak of whom it names. So a
name, which is any word after the first that has a capital letter or is a number, weighs as much
as NAME other words. With :math:`a_w` = NAME or 1, the share that a text holds of question q is

.. math:: \sum_{w \in q \cap \text{text}} a_w \Big/ \sum_{w \in q} a_w
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from newsreco.features.embeddings import STOP_WORDS
from recsys.text import WORD, tokenize

LONGEST_QUESTION = 1_000  # characters
NAME = 4.0
# What moves a terminal's cursor or turns the direction of writing; tab and line break stay.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
ASKING = {"tell", "know", "give", "show", "say", "please", "many", "much", "happened", "happen"}
IGNORED = frozenset(STOP_WORDS) | ASKING


def clean_question(question: str) -> str:
    """The question on one line, without control characters.

    Raises
    ------
    ValueError
        Where it is no text, empty, or longer than LONGEST_QUESTION characters.
    """
    if not isinstance(question, str):
        raise ValueError(f"question must be a text, got {type(question).__name__}")
    text = unicodedata.normalize("NFC", printable(question))
    text = " ".join(text.split())
    if not text:
        raise ValueError("question must hold at least one character that can be read, got none")
    if len(text) > LONGEST_QUESTION:
        raise ValueError(
            f"question must have at most {LONGEST_QUESTION:,} characters, got {len(text):,}"
        )
    return text


def printable(text: str) -> str:
    """The text with a space in place of each character that would disturb a terminal."""
    return UNPRINTABLE.sub(" ", text)


def terms(text: str) -> list[str]:
    """The telling words of a text, in order: lower case, without stop words and plural s.

    >>> terms("Who scored the goals in Porto?")
    ['scored', 'goal', 'porto']
    """
    return [stem(word) for word in tokenize(text) if word not in IGNORED]


def weigh(question: str) -> dict[str, float]:
    """The telling words of a question and their weights, which sum to 1; {} without any.

    >>> weigh("Who beat Tarn?")
    {'beat': 0.2, 'tarn': 0.8}
    """
    _, *later = WORD.findall(question) or [""]
    names = {stem(word.lower()) for word in later if not word.islower()}
    weights = {word: NAME if word in names else 1.0 for word in terms(question)}
    total = sum(weights.values())
    return {word: weight / total for word, weight in weights.items()}


def share(weights: dict[str, float], text: str) -> float:
    """How much of a question a text holds: the summed weight of the words it has, 0 to 1."""
    held = set(terms(text))
    return sum(weight for word, weight in weights.items() if word in held)


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """A plural without its s, by the three rules of Harman's S stemmer (1991).

    >>> [stem(word) for word in ("cities", "goals", "glass", "focus")]
    ['city', 'goal', 'glass', 'focus']
    """
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word
