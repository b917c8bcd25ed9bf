"""Render the book from the stored outputs into _build/html. A warning is an error."""

import os
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


def main() -> int:
    """Build every page anew; on failure print what the builder said."""
    started = time.monotonic()
    print("Rendering the book ...", flush=True)
    shutil.rmtree(PAGES, ignore_errors=True)
    command = [sys.executable, "-c", BUILD, *OPTIONS]
    env = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout, done.stderr, "The book was not rendered without warnings.", sep="\n")
        return 1
    first = PAGES / "index.html"
    print(f"The book is ready ({time.monotonic() - started:.0f} s). Open {first.as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
