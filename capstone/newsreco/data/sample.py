"""Writing a synthetic world as a folder in the MIND schema, bounded in memory."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from newsreco.data.truth import TRUTH
from newsreco.data.world import Piece, Plan, make_plan

README = """\
This folder is SYNTHETIC. Every article, name, person and click in it was made up by the program
newsreco sample. It is not a part of MIND and tells nothing about real readers.

The files have the form of MIND (Wu et al. 2020): news.tsv and behaviors.tsv.
truth.tsv holds what no real log can: the probability with which each click was drawn.

{settings}
"""


def write_sample(
    folder: str | Path,
    n_articles: int = 300,
    n_impressions: int = 4_000,
    n_users: int = 400,
    seed: int = 0,
    click_model: str = "taste",
    progress: bool = True,
) -> Path:
    """Write the world of `make_world`, of the same arguments, into a folder."""
    folder = Path(folder)
    if folder.exists() and not may_replace(folder):
        raise ValueError(f"folder must be empty, new or an earlier sample, got {str(folder)!r}")
    plan = make_plan(n_articles, n_impressions, n_users, seed, click_model)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(beside, plan, progress)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def may_replace(folder: Path) -> bool:
    """Whether a folder is empty or an earlier sample and nothing else."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {""}
    ours = {"news.tsv", "behaviors.tsv", TRUTH, "README.txt"}
    return not names or names == ours


def _write(folder: Path, plan: Plan, progress: bool) -> None:
    settings = {"articles": len(plan.press.articles), "impressions": len(plan.readers.user)}
    settings |= {"users": len(plan.readers.ids), "seed": plan.seed, "click_model": plan.click_model}
    text = README.format(settings=json.dumps(settings))
    (folder / "README.txt").write_text(text, encoding="utf-8")
    with (folder / "news.tsv").open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(news_lines(plan))
    with (
        (folder / "behaviors.tsv").open("w", encoding="utf-8", newline="\n") as behaviors,
        (folder / TRUTH).open("w", encoding="utf-8", newline="\n") as truth,
    ):
        histories: dict[int, str] = {}
        for piece in plan.pieces(progress):
            for row, line, known in lines(plan, piece, histories):
                behaviors.write(f"{row}\t{line}\n")
                truth.write(f"{row}\t{known}\n")


def news_lines(plan: Plan):
    """The lines of news.tsv."""
    a = plan.press.articles
    for i, (name, story) in enumerate(zip(a.ids, plan.press.stories)):
        head = f"{name}\t{a.categories[a.category[i]]}\t{a.subcategories[a.subcategory[i]]}"
        text = f"{a.title[i]}\t{a.abstract[i]}\t{a.url[i]}"
        yield f"{head}\t{text}\t{story.mentions(a.title[i])}\t{story.mentions(a.abstract[i])}\n"


def lines(plan: Plan, piece: Piece, histories: dict[int, str]):
    """(impression id, rest of its line in behaviors.tsv, rest of its line in truth.tsv)."""
    names, readers = plan.press.articles.ids, plan.readers
    start = plan.start - plan.start[piece.first]
    for row in range(piece.first, piece.last):
        part = slice(start[row], start[row + 1])
        shown = [names[i] for i in piece.item[part].tolist()]
        u = int(readers.user[row])
        if u not in histories:
            bounds = slice(readers.history_start[u], readers.history_start[u + 1])
            histories[u] = " ".join(names[i] for i in readers.history_item[bounds].tolist())
        labels = " ".join(f"{n}-{c:d}" for n, c in zip(shown, piece.clicked[part].tolist()))
        known = " ".join(f"{p:.6f}" for p in piece.probability[part].tolist())
        tops = " ".join(f"{p:.6f}" for p in piece.relevance[part].tolist())
        when = written(readers.time[row])
        yield (
            row + 1,
            f"{readers.ids[u]}\t{when}\t{histories[u]}\t{labels}",
            f"{' '.join(shown)}\t{known}\t{tops}",
        )


def written(moment: float) -> str:
    """A time in MIND's form, such as 11/13/2019 8:36:57 AM; UTC."""
    t = datetime.fromtimestamp(moment, UTC)
    clock = f"{t.hour % 12 or 12}:{t.minute:02d}:{t.second:02d}"
    return f"{t.month}/{t.day}/{t.year} {clock} {'AM' if t.hour < 12 else 'PM'}"
