"""Render the book from the stored outputs into _build/html. A warning is an error.

So is a page that a reader could not use: one that needs the network, takes long to load, leads
nowhere, or cannot be found.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "_build" / "html"
BUILD = "from jupyter_book.cli.main import main; main()"
# -W: warnings are errors; -n: so are references that lead nowhere; --all: no page from a cache.
OPTIONS = ["build", ".", "--all", "-W", "-n", "--keep-going", "--quiet"]
LOADED = re.compile(
    r"""<(?:script|img)\b[^>]*\bsrc=["'](https?://[^"']+)|"""
    r"""<link\b[^>]*\brel=["']stylesheet["'][^>]*\bhref=["'](https?://[^"']+)"""
)


LARGEST_PAGE = 1_000_000  # bytes of HTML, the pictures apart
FINDABLE = ("half", "life")  # what a search for "half-life" looks up


def loaded_from_the_network(folder: Path) -> list[str]:
    """Scripts, styles and pictures that a page would fetch: a reader may have no network."""
    return [
        f"{page.relative_to(folder)} loads {next(filter(None, match.groups()))}"
        for page in sorted(folder.rglob("*.html"))
        for match in LOADED.finditer(page.read_text(encoding="utf-8"))
    ]


def large_pages(folder: Path) -> list[str]:
    """Pages that a telephone would wait for."""
    sizes = {page: page.stat().st_size for page in sorted(folder.rglob("*.html"))}
    return [
        f"{page.relative_to(folder)} has {size:,} bytes, more than {LARGEST_PAGE:,}"
        for page, size in sizes.items()
        if size > LARGEST_PAGE
    ]


def missing_buttons(folder: Path) -> list[str]:
    """Chapters that cannot be started on Binder or Colab, or edited, at the book's address."""
    repository = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    address, branch = repository["url"], repository["branch"]
    name = address.removeprefix("https://github.com/")
    problems = []
    for page in sorted((folder / "notebooks").glob("*.html")):
        text, chapter = page.read_text(encoding="utf-8"), f"notebooks/{page.stem}.ipynb"
        buttons = (
            f"https://mybinder.org/v2/gh/{name}/{branch}?urlpath=lab/tree/{chapter}",
            f"https://colab.research.google.com/github/{name}/blob/{branch}/{chapter}",
            f"{address}/edit/{branch}/{chapter}",
        )
        problems += [
            f"notebooks/{page.name} has no button to {button}"
            for button in buttons
            if f'href="{button}"' not in text
        ]
    return problems


def broken_order(folder: Path) -> list[str]:
    """Pages of the table of contents that do not lead to the one before and the one after."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    names = [toc["root"], *(page["file"] for part in toc["parts"] for page in part["chapters"])]
    problems = []
    for place, name in enumerate(names):
        page = folder / f"{name}.html"
        text = page.read_text(encoding="utf-8")
        for kind, near in (("left-prev", place - 1), ("right-next", place + 1)):
            match = re.search(rf'class="{kind}"\s+href="([^"]+)"', text)
            leads = match and (page.parent / match[1]).resolve()
            wanted = (folder / f"{names[near]}.html").resolve() if 0 <= near < len(names) else None
            if leads != wanted:
                problems.append(f"{name}: {kind} leads to {leads}, not to {wanted}")
    return problems


def lost_words(folder: Path) -> list[str]:
    """Words that the search does not find, though the book explains them."""
    index = (folder / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(index[index.index("{") : index.rindex("}") + 1])
    found = index["terms"].keys() | index["titleterms"].keys()
    return [f"the search knows no {word!r}" for word in FINDABLE if word not in found]


CHECKS = [loaded_from_the_network, large_pages, missing_buttons, broken_order, lost_words]


def main() -> int:
    """Build every page anew; on failure print what the builder said."""
    started = time.monotonic()
    print("Rendering the book ...", flush=True)
    shutil.rmtree(PAGES, ignore_errors=True)
    command = [sys.executable, "-c", BUILD, *OPTIONS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        print(re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr))
        print("The book was not rendered, or not without warnings.")
        return 1
    if problems := [problem for check in CHECKS for problem in check(PAGES)]:
        print("The book was rendered, but", *problems, sep="\n  ")
        return 1
    first = PAGES / "index.html"
    print(f"The book is ready ({time.monotonic() - started:.0f} s). Open {first.as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
