"""Reading a folder in the MIND schema: a validating loader that streams.

MIND is a log of Microsoft News (Wu et al. 2020, MIND: A Large-scale Dataset for News
Recommendation). A folder of it has two files, news.tsv and behaviors.tsv. Errors are never repaired
silently: the line or the entry is left out, counted and reported, or, with `strict`, raised.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from newsreco.data.articles import NewsReader
from newsreco.data.behaviors import BehaviorsReader
from newsreco.data.file_report import NO_LABELS, FileReport
from newsreco.data.load_report import LoadReport
from newsreco.data.log import Articles, Impressions, NewsLog

NEWS, BEHAVIORS = "news.tsv", "behaviors.tsv"


def load_mind(
    folder: str | Path, strict: bool = False, progress: bool = True
) -> tuple[NewsLog, LoadReport]:
    """The log of a folder with news.tsv and behaviors.tsv, and a report of the reading.

    The folder may instead hold sub-folders that have the two files, such as MINDsmall_train and
    MINDsmall_dev: they are read in the order of their names and merged by time. An article that
    several of them hold is taken from the first.

    A header line is passed over, and so is a line that is identical to an earlier one, as in
    exports that overlap: both are counted, and are no loss. Impressions that only share an id with
    an earlier one are kept and counted. `report.lost` has the fractions that are lost.

    Left out and counted are lines of the wrong number of columns, not in UTF-8, with a zero byte
    or with a control character in an id; articles with the id of an earlier one of the file;
    impressions with an unreadable time, a label other than 0 and 1, no labels, or no known article;
    of the other impressions, entries whose article is not in news.tsv and second entries of one
    article. Entities that are not JSON count as none. The history of each user is that of the
    earliest impression; ids in it that are not in news.tsv are left out and counted.

    Parameters
    ----------
    folder : str or Path
    strict : bool
        Raise a ValueError at the first problem, with file, line and reason.
    progress : bool
        Show a progress bar for each file.

    Raises
    ------
    ValueError
        If the folder lacks a file, a file is not text, or no article or impression is left.
    """
    report = LoadReport(str(folder), strict)
    parts = data_folders(Path(folder))
    news = _read_news(parts, report, progress)
    behaviors = BehaviorsReader(report, news.number)
    for part in parts:
        path = part / BEHAVIORS
        behaviors.read(path, path.relative_to(folder).as_posix(), progress)
    behaviors.finish()
    if not behaviors.ids:
        raise ValueError(_nothing_left(report, "impression"))
    log = _log(news, behaviors)
    shown = log.impressions
    sizes = (log.n_items, log.n_users, len(shown), len(shown.item), int(shown.clicked.sum()))
    report.sizes = dict(zip(("articles", "users", "impressions", "shown", "clicks"), sizes))
    return log, report


def load_articles(
    folder: str | Path, strict: bool = False, progress: bool = True
) -> tuple[Articles, LoadReport]:
    """The articles without the clicks; parameters and errors as of `load_mind`."""
    report = LoadReport(str(folder), strict)
    articles = _read_news(data_folders(Path(folder)), report, progress).articles()
    report.sizes = {"articles": len(articles)}
    return articles, report


def _read_news(parts: list[Path], report: LoadReport, progress: bool) -> NewsReader:
    """The articles of the news.tsv of each part."""
    news = NewsReader(report)
    for part in parts:
        path = part / NEWS
        news.read(path, path.relative_to(report.folder).as_posix(), progress)
    if not news.number:
        raise ValueError(_nothing_left(report, "article"))
    return news


def data_folders(folder: Path) -> list[Path]:
    """The folders that hold both files: the folder itself, or else its sub-folders.

    Raises
    ------
    ValueError
        If there is none, or one of the two files is missing or is not a file.
    """
    if not folder.is_dir():
        raise ValueError(
            f"folder must be a folder with {NEWS} and {BEHAVIORS}, got {str(folder)!r}"
        )
    within = sorted(path for path in folder.iterdir() if path.is_dir())
    for candidates in ([folder], within):
        found = [c for c in candidates if (c / NEWS).exists() or (c / BEHAVIORS).exists()]
        for part in found:
            for name in (NEWS, BEHAVIORS):
                if not (part / name).is_file():
                    raise ValueError(f"{part} must hold a file {name}; it holds {_names(part)}")
        if found:
            return found
    raise ValueError(
        f"{folder} must hold {NEWS} and {BEHAVIORS}, or sub-folders that do; it holds "
        f"{_names(folder)} (an archive must be unpacked first)"
    )


def _names(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join([*names[:5], *["..."] * (len(names) > 5)]) or "nothing"


def _nothing_left(report: LoadReport, what: str) -> str:
    """Why a data set has no article or no impression."""
    files = [f for f in report.files if f.file.endswith(NEWS if what == "article" else BEHAVIORS)]
    return "; ".join(_why_nothing(report, file, what) for file in files)


def _why_nothing(report: LoadReport, file: FileReport, what: str) -> str:
    if not file.lines:
        return f"{report.folder}: {file.file} is empty"
    reasons = ", ".join(f"{reason} ({n:,})" for reason, n in file.skipped.most_common())
    hint = ""
    if NO_LABELS in file.skipped:
        hint = "; a test set has no clicks, so nothing can be learned from it"
    if "wrong number of columns" in file.skipped:
        hint = f"; {NEWS} has 8 columns and {BEHAVIORS} 5: are they swapped?"
    text = f"{report.folder}: none of the {file.lines:,} lines of {file.file} holds an {what}"
    return f"{text} that can be read: {reasons or 'only a header line'}{hint}"


def _log(news: NewsReader, read: BehaviorsReader) -> NewsLog:
    """All impressions in order of time, and users in order of their first."""
    time, user = np.array(read.time), np.array(read.user, np.int32)
    size = np.array(read.size, np.int64)
    order = np.argsort(time, kind="stable")
    users, first = np.unique(user[order], return_index=True)
    by_time = users[np.argsort(first)]  # earliest first
    rank = np.empty(len(users), np.int32)
    rank[by_time] = np.arange(len(users))
    start, code = _gather(np.array(read.code, np.int32), np.cumsum(size) - size, size, order)
    ids = [read.ids[row] for row in order.tolist()]
    clicked = (code & 1).astype(bool)
    shown = Impressions(ids, rank[user[order]], time[order], start, code >> 1, clicked)
    names = list(read.users)
    taken = np.array([(h.start, h.end - h.start) for h in read.histories], np.int64)
    history = _gather(np.array(read.history_item, np.int32), *taken.T, by_time)
    return NewsLog(news.articles(), [names[u] for u in by_time.tolist()], *history, shown)


def _gather(
    values: np.ndarray, start: np.ndarray, size: np.ndarray, order: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Starts and values of the ragged rows values[start[r]:start[r] + size[r]] in an order."""
    size = size[order]
    ends = np.cumsum(size)
    index = np.repeat(start[order] - (ends - size), size) + np.arange(ends[-1])
    return np.concatenate([[0], ends]), values[index]
