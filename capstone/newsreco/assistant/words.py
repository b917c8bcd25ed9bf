r"""Words: questions cleaned, tokenized and weighted.

A passage that answers a question need not use its verbs, but has to contain its names. So a name,
which is any word after the first with a capital letter or a digit, weighs as much as NAME_WEIGHT
other words. With :math:`a_w` = NAME_WEIGHT or 1, the coverage of question q by a text is

.. math:: \sum_{w \in q \cap \text{text}} a_w \Big/ \sum_{w \in q} a_w
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from newsreco.features.embeddings import STOP_WORDS
from recsys.text import WORD, tokenize

MAX_QUESTION = 1_000  # characters
NAME_WEIGHT = 4.0
# Control characters that move a terminal's cursor or turn the direction of writing.
# Scripts that put no space between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese.
UNSEPARATED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]+)"
)
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
ASKING = {"tell", "know", "give", "show", "say", "please", "many", "much", "happened", "happen"}
IGNORED = frozenset(STOP_WORDS) | ASKING


def clean_question(question: str) -> str:
    """The question on one line, without control characters.

    Raises
    ------
    ValueError
        If it is not a text, is empty, or has more than MAX_QUESTION characters.
    """
    if not isinstance(question, str):
        raise ValueError(f"question must be a text, got {type(question).__name__}")
    text = unicodedata.normalize("NFC", printable(question))
    text = " ".join(text.split())
    if not text:
        raise ValueError("question must hold at least one printable character, got none")
    if len(text) > MAX_QUESTION:
        raise ValueError(
            f"question must have at most {MAX_QUESTION:,} characters, got {len(text):,}"
        )
    return text


def printable(text: str) -> str:
    """The text with each control character replaced by a space."""
    return UNPRINTABLE.sub(" ", text)


def terms(text: str) -> list[str]:
    """The content words of a text, in order: lower case, without stop words and plural s.

    >>> terms("Who scored the goals in Porto?")
    ['scored', 'goal', 'porto']
    """
    return [stem(word) for word in split_words(text) if word not in IGNORED]


def split_words(text: str) -> list[str]:
    """The words of a text in lower case; of an unseparated script, pairs of characters.

    >>> split_words("Tarn won 東京都")
    ['tarn', 'won', '東京', '京都']
    """
    words: list[str] = []
    for i, part in enumerate(UNSEPARATED.split(text)):
        if i % 2:  # the separators of this split are the runs of such a script
            words += [part[j : j + 2] for j in range(max(len(part) - 1, 1))]
        else:
            words += tokenize(part)
    return words


def weigh(question: str) -> dict[str, float]:
    """The content words of a question and their weights, which sum to 1; {} without any.

    >>> weigh("Who beat Tarn?")
    {'beat': 0.2, 'tarn': 0.8}
    """
    _, *later = WORD.findall(question) or [""]
    names = {stem(word.lower()) for word in later if not word.islower()}
    weights = {word: NAME_WEIGHT if word in names else 1.0 for word in terms(question)}
    total = sum(weights.values())
    return {word: weight / total for word, weight in weights.items()}


def coverage(weights: dict[str, float], text: str) -> float:
    """Summed weight of the question's words that a text contains, 0 to 1."""
    held = set(terms(text))
    return sum(weight for word, weight in weights.items() if word in held)


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The word without a plural s, by the three rules of Harman's S stemmer (1991).

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
