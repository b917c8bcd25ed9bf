"""Reading a folder in the MIND schema (Wu et al. 2020): news.tsv and behaviors.tsv."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from newsreco.data.log import Articles, Impressions, NewsLog


@dataclass
class LoadReport:
    """What was read, what was skipped and why (a first version: counts only)."""

    read: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)


def load_mind(folder, strict: bool = False, progress: bool = True) -> tuple[NewsLog, LoadReport]:
    """The log of a folder in the MIND schema, and a report of what was read."""
    folder = Path(folder)
    report = LoadReport()
    articles, number = read_news(folder / "news.tsv")
    ids, users, times, sizes = [], [], array("d"), array("q", [0])
    items, clicked, histories = array("i"), array("b"), {}
    table = {f"{name}-{label}": 2 * i + label for name, i in number.items() for label in (0, 1)}
    with (folder / "behaviors.tsv").open(encoding="utf-8") as file:
        for line in file:
            name, user, when, earlier, shown = line.rstrip("\n").split("\t")
            codes = [table[token] for token in shown.split()]
            ids.append(name)
            users.append(user)
            times.append(moment(when))
            sizes.append(len(codes))
            items.extend([code >> 1 for code in codes])
            clicked.extend([code & 1 for code in codes])
            if user not in histories or times[-1] < histories[user][0]:
                histories[user] = (times[-1], [number[name] for name in earlier.split()])
    time = np.array(times)
    order = np.argsort(time, kind="stable")
    start = np.cumsum(np.array(sizes))
    rows = [np.arange(start[r], start[r + 1]) for r in order]
    user_number: dict[str, int] = {}
    user = [user_number.setdefault(users[r], len(user_number)) for r in order]
    earlier = [histories[name][1] for name in user_number]
    shown = Impressions(
        [ids[r] for r in order],
        np.array(user, np.int32),
        time[order],
        np.concatenate([[0], np.cumsum(np.diff(start)[order])]),
        np.array(items, np.int32)[np.concatenate(rows)],
        np.array(clicked, bool)[np.concatenate(rows)],
    )
    history_start = np.concatenate([[0], np.cumsum([len(h) for h in earlier])]).astype(np.int64)
    history_item = np.array([i for h in earlier for i in h], np.int32)
    log = NewsLog(articles, list(user_number), history_start, history_item, shown)
    report.read = {"news.tsv": len(articles), "behaviors.tsv": len(shown)}
    return log, report


def read_news(path: Path) -> tuple[Articles, dict[str, int]]:
    """The articles, and each id's number."""
    rows = [line.rstrip("\n").split("\t") for line in path.open(encoding="utf-8")]
    category, categories = numbered([row[1] for row in rows])
    subcategory, subcategories = numbered([row[2] for row in rows])
    columns = [[row[c] for row in rows] for c in (0, 3, 4, 5)]
    entities = [linked(row[6], row[7]) for row in rows]
    articles = Articles(*columns, category, subcategory, categories, subcategories, entities)
    return articles, {name: i for i, name in enumerate(articles.ids)}


def linked(*columns: str) -> tuple[str, ...]:
    """The Wikidata ids of the entity columns, each once."""
    found = [entity["WikidataId"] for column in columns for entity in json.loads(column or "[]")]
    return tuple(dict.fromkeys(found))


def numbered(labels: list[str]) -> tuple[np.ndarray, list[str]]:
    """Each label's number, and the labels in order of first appearance."""
    number: dict[str, int] = {}
    codes = [number.setdefault(label, len(number)) for label in labels]
    return np.array(codes, np.int32), list(number)


def moment(text: str) -> float:
    """Seconds UTC of a time such as 11/13/2019 8:36:57 AM."""
    return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC).timestamp()
