"""Reading news.tsv: id, category, subcategory, title, abstract, url, and two entity columns."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from newsreco.data.file_report import FileReport
from newsreco.data.lines import is_header, line_digest, rows
from newsreco.data.load_report import LoadReport
from newsreco.data.log import Articles
from newsreco.output import CONTROL

COLUMNS = 8
ENTITY = re.compile("[!-~]+")  # visible ASCII, without spaces
HEADER = {0: ("newsid", "articleid", "itemid", "nid", "id"), 1: ("category",), 3: ("title",)}


@dataclass
class NewsReader:
    """Articles read from one or several files; `number` maps an id to its row."""

    report: LoadReport
    number: dict[str, int] = field(default_factory=dict)
    texts: list[tuple[str, str, str]] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)
    entities: list[tuple[str, ...]] = field(default_factory=list)

    def read(self, path: Path, name: str, progress: bool) -> None:
        """Add the articles of a file, except those of an earlier file."""
        file, report = self.report.open(name), self.report
        earlier, seen = len(self.number), set()
        for line, columns in rows(path, COLUMNS, report, file, progress):
            article, digest = columns[0], line_digest(columns)
            row = self.number.get(article)
            if is_header(columns, HEADER):
                file.headers += 1
            elif digest in seen:
                file.repeated += 1
            elif not article or article.split() != [article]:
                report.skip(file, line, "no article id", repr(article[:40]))
            elif CONTROL.search(article):
                report.skip(file, line, "control character in the id", repr(article[:40]))
            elif row is not None and row >= earlier:
                report.skip(file, line, "article id seen before", article[:40])
            else:
                seen.add(digest)
                file.read += 1
                file.known += row is not None
                if row is None:
                    self._add(columns, file, line)

    def _add(self, columns: list[str], file: FileReport, line: int) -> None:
        article, category, subcategory, title, abstract, url, *linked = columns
        self.number[article] = len(self.number)
        self.texts.append((title, abstract, url))
        self.groups.append((category, subcategory))
        try:
            self.entities.append(wikidata_ids(linked))
        except ValueError:
            self.entities.append(())
            self.report.drop(file, line, "entities unreadable", article[:40])

    def articles(self) -> Articles:
        """All articles, in the order of the files."""
        title, abstract, url = (list(column) for column in zip(*self.texts))
        category, categories = numbered([group[0] for group in self.groups])
        subcategory, subcategories = numbered([group[1] for group in self.groups])
        ids = list(self.number)
        groups = category, subcategory, categories, subcategories
        return Articles(ids, title, abstract, url, *groups, self.entities)


def wikidata_ids(columns: list[str]) -> tuple[str, ...]:
    """The ids in the entity columns, each once; an empty column holds none.

    Raises
    ------
    ValueError
        If a column is not a JSON list of objects with a "WikidataId".
    """
    found: dict[str, None] = {}
    for column in columns:
        if column in ("", "[]"):
            continue
        try:
            ids = [entity["WikidataId"] for entity in json.loads(column)]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"not a list of entities: {column[:40]!r}") from error
        if not all(isinstance(name, str) and ENTITY.fullmatch(name) for name in ids):
            raise ValueError(f"not Wikidata ids: {column[:40]!r}")
        found |= dict.fromkeys(ids)
    return tuple(found)


def numbered(labels: list[str]) -> tuple[np.ndarray, list[str]]:
    """Each label's number (n,) int32, and the labels in order of first appearance."""
    number: dict[str, int] = {}
    codes = [number.setdefault(label, len(number)) for label in labels]
    return np.array(codes, np.int32), list(number)
