"""Render the book from the stored outputs into _build/html. A warning is an error."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "_build" / "html"
BUILD = "from jupyter_book.cli.main import main; main()"
# -W: warnings are errors; -n: so are references that lead nowhere; --all: no page from a cache.
OPTIONS = ["build", ".", "--all", "-W", "-n", "--keep-going", "--quiet"]
LOADED = re.compile(
    r"""<(?:script|img)\b[^>]*\bsrc=["'](https?://[^"']+)|"""
    r"""<link\b[^>]*\brel=["']stylesheet["'][^>]*\bhref=["'](https?://[^"']+)"""
)


def loaded_from_the_network(folder: Path) -> list[str]:
    """Scripts, styles and pictures that a page would fetch: a reader may have no network."""
    return [
        f"{page.relative_to(folder)}: {next(filter(None, match.groups()))}"
        for page in sorted(folder.rglob("*.html"))
        for match in LOADED.finditer(page.read_text(encoding="utf-8"))
    ]


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
    if fetched := loaded_from_the_network(PAGES):
        print("The pages must be whole without a network, but load:", *fetched, sep="\n  ")
        return 1
    first = PAGES / "index.html"
    print(f"The book is ready ({time.monotonic() - started:.0f} s). Open {first.as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
