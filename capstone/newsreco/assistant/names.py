"""Names: when two of them are of the same person, firm or place.

A whole name is only itself: Ada Reyes is neither Ada Moreno nor Ben Reyes. A surname, or the first
word of a longer name, is accepted for the whole only where no other name of the news has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from newsreco.assistant.grammar import names_in, tokens

Name = tuple[str, ...]
PROPER = re.compile(r"(?<=[^\W\d_A-Z] )[^\W\d_a-z][\w'’-]+")
LOWER = re.compile(r"(?<![\w'’-])[^\W\d_A-Z][^\W\d_A-Z]+(?![\w])")


class Names:
    """The names of a collection of texts, looked up one word at a time.

    Attributes
    ----------
    common : frozenset of str
        Words that some text writes in lower case.
    proper : frozenset of str
        Words that some text writes with a capital, after a word in lower case.
    """

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self.texts = list(texts)
        self.common = frozenset(word for text in self.texts for word in LOWER.findall(text))
        self.proper = frozenset(w.lower() for text in self.texts for w in PROPER.findall(text))
        self.found: dict[str, set[Name]] = {}

    def having(self, word: str) -> set[Name]:
        """The names of two or more words with this one (in lower case) among them."""
        if word not in self.found:
            texts = [text for text in self.texts if word in text.lower()]
            names = {name for text in texts for name in names_in(tokens(text, self.common))}
            self.found[word] = {name for name in names if len(name) > 1 and word in name}
        return self.found[word]

    def same(self, asked: Name, said: Name, context: Iterable[Name] = ()) -> bool:
        """Whether a name of a question and one of a sentence with the names `context` agree."""
        if asked == said:
            return True
        if len(asked) > 1 and said[1:] == asked and said[0] not in self.proper:
            return True  # a sentence begins "Burglar Ada Reyes ..."
        short, whole = sorted((asked, said), key=len)
        if len(short) == len(whole) or not _shortens(short, whole):
            return False
        return {n for n in self.having(short[0]) if _shortens(short, n)} == {whole}


def _shortens(short: Name, whole: Name) -> bool:
    """Whether a word is the end of a longer name, as a surname is, or its beginning."""
    return len(short) == 1 and short[0] in (whole[0], whole[-1])
