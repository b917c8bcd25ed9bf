"""Writing a synthetic world as a folder in the MIND schema, bounded in memory."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from newsreco.data.mind import BEHAVIORS, NEWS
from newsreco.files import locked
from newsreco.synthetic.ground_truth import TRUTH
from newsreco.synthetic.world import Piece, Plan, make_plan

FIRST_WORDS = "This folder is SYNTHETIC"
README = """\
{first}. Every article, name, person and click in it was made up by the program
`newsreco sample`. It is no part of MIND and tells nothing about real readers.

The files have the form of MIND, a log of a news site (Wu et al. 2020): news.tsv and
behaviors.tsv; times are in UTC. truth.tsv holds what no real log can tell: for each impression
the articles shown, the probability with which each click was drawn, and the probability that it
would have had at the top of the page.

{settings}
"""
OURS = {NEWS, BEHAVIORS, TRUTH, "README.txt"}


def write_sample(
    folder: str | Path,
    n_articles: int = 300,
    n_impressions: int = 4_000,
    n_users: int = 400,
    seed: int = 0,
    click_model: str = "taste",
    progress: bool = True,
) -> Path:
    """Write the world that `make_synthetic_log` makes of the same arguments, piece by piece.

    The files are written beside the folder and moved into place when all of them are there.

    Raises
    ------
    ValueError
        If the folder holds anything but an earlier sample, or somebody is writing it.
    """
    folder = Path(folder).absolute()
    _check_replaceable(folder)
    plan = make_plan(n_articles, n_impressions, n_users, seed, click_model)
    with locked(folder):
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            _write(draft, plan, progress)
            draft.chmod(0o755)
            _check_replaceable(folder)
            _swap(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder


def _check_replaceable(folder: Path) -> None:
    """A folder that is new, empty or an earlier sample; nothing else is ever overwritten."""
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_dir() and not folder.is_symlink():
        names = {path.name for path in folder.iterdir()}
        readme = folder / "README.txt"
        if not names or (names <= OURS and readme.is_file() and _is_ours(readme)):
            return
    raise ValueError(
        f"out must be a new or empty folder or an earlier sample, got {str(folder)!r}, "
        "which holds something else"
    )


def _is_ours(readme: Path) -> bool:
    with readme.open("rb") as file:
        return file.read(len(FIRST_WORDS)) == FIRST_WORDS.encode()


def _swap(draft: Path, folder: Path) -> None:
    """Put the new folder where the old one is; the old one goes last."""
    if not folder.exists():
        os.replace(draft, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    os.replace(folder, old)
    os.replace(draft, folder)
    shutil.rmtree(old)


def _write(folder: Path, plan: Plan, progress: bool) -> None:
    settings = {"articles": len(plan.press.articles), "impressions": len(plan.readers.user)}
    settings |= {"users": len(plan.readers.ids), "seed": plan.seed}
    settings |= {"click_model": plan.click_model}
    text = README.format(first=FIRST_WORDS, settings=json.dumps(settings))
    (folder / "README.txt").write_text(text, encoding="utf-8")
    with (folder / NEWS).open("w", encoding="utf-8", newline="\n") as news:
        news.writelines(_news_lines(plan))
    with (
        (folder / BEHAVIORS).open("w", encoding="utf-8", newline="\n") as behaviors,
        (folder / TRUTH).open("w", encoding="utf-8", newline="\n") as truth,
    ):
        for piece in plan.pieces(progress):
            for seen, known in _lines(plan, piece):
                behaviors.write(seen)
                truth.write(known)


def _news_lines(plan: Plan) -> Iterator[str]:
    """The lines of news.tsv."""
    a = plan.press.articles
    for i, (name, story) in enumerate(zip(a.ids, plan.press.stories)):
        group = f"{a.categories[a.category[i]]}\t{a.subcategories[a.subcategory[i]]}"
        entities = f"{story.mentions(a.title[i])}\t{story.mentions(a.abstract[i])}"
        yield f"{name}\t{group}\t{a.title[i]}\t{a.abstract[i]}\t{a.url[i]}\t{entities}\n"


def _lines(plan: Plan, piece: Piece) -> Iterator[tuple[str, str]]:
    """The lines of behaviors.tsv and truth.tsv, visit by visit."""
    names, readers = plan.press.articles.ids, plan.readers
    start = (plan.start[piece.first : piece.last + 1] - plan.start[piece.first]).tolist()
    shown = [names[i] for i in piece.item.tolist()]
    labelled = [f"{name}-{click:d}" for name, click in zip(shown, piece.clicked.tolist())]
    chances = [f"{p:.6f}" for p in piece.probability.tolist()]
    tops = [f"{p:.6f}" for p in piece.relevance.tolist()]
    bounds = readers.history_start
    for row, (first, last) in enumerate(zip(start, start[1:]), piece.first):
        u, part = readers.user[row], slice(first, last)
        earlier = readers.history_item[bounds[u] : bounds[u + 1]].tolist()
        history = " ".join([names[i] for i in earlier])
        visit = f"{row + 1}\t{readers.ids[u]}\t{written(readers.time[row])}\t{history}"
        known = "\t".join(" ".join(texts[part]) for texts in (shown, chances, tops))
        yield f"{visit}\t{' '.join(labelled[part])}\n", f"{row + 1}\t{known}\n"


def written(moment: float) -> str:
    """A time in MIND's form, such as 11/13/2019 8:36:57 AM; UTC."""
    t = datetime.fromtimestamp(moment, UTC)
    clock = f"{t.hour % 12 or 12}:{t.minute:02d}:{t.second:02d}"
    return f"{t.month}/{t.day}/{t.year:04d} {clock} {'AM' if t.hour < 12 else 'PM'}"
