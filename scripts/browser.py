"""The web app in a browser: a service over a small home, and Debian's Chromium through Playwright.

Used by the browser tests and by scripts/screenshots.py.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from app import ROOT
from execute import environment

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TRIALS = (  # settings of the trainings that /metrics shows
    {"half_life_days": 1.0},
    {"half_life_days": 7.0, "seed": 1},
    {"refit": True},
)


def find_chromium() -> str | None:
    """The path of a Chromium; CHROMIUM names another than the PATH's."""
    given = os.environ.get("CHROMIUM")
    return given or next(filter(None, map(shutil.which, NAMES)), None)


def make_home(folder: Path, trials: Sequence[dict] = TRIALS, **size: int) -> None:
    """A home with a synthetic sample and one run per trial in MLflow; the last model serves."""
    from newsreco.api.home import Home
    from newsreco.data import load_mind
    from newsreco.models.bundle import Settings
    from newsreco.synthetic import write_sample
    from newsreco.tracking.runs import tracked
    from newsreco.training import train

    home = Home(folder)
    folder.mkdir(parents=True)
    write_sample(home.data, progress=False, **size)
    log, _ = load_mind(home.data, progress=False)
    behind = time.time() - float(log.impressions.time[-1])
    (folder / "clock.json").write_text(json.dumps({"seconds_behind": behind}))
    for trial in trials:
        settings = Settings(**trial)
        with tracked(settings, home.tracking_uri) as run:
            result = train(log, settings, progress=False, lists=100)
            run.log(result, log, home.data, report=False)
    result.model.save(home.model)


@contextlib.contextmanager
def served(home: Path) -> Iterator[str]:
    """The address of `newsreco serve --demo` over a home, while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "newsreco", "serve", "--home", str(home), "--demo"]
    env = environment() | {"NEWSRECO_RATE_LIMIT": "1000"}
    with (home.parent / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=ROOT, env=env, stdout=log, stderr=log
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_ready(address, process, Path(log.name))
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_until_ready(address: str, process: subprocess.Popen, log: Path) -> None:
    """Wait for the service's readiness, at most a minute; RuntimeError with its log."""
    for _ in range(600):
        if answers(f"{address}/api/ready"):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"the service did not start: {log.read_text()[-2000:]}")


def answers(url: str) -> bool:
    """Whether an address answers with success."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:  # also an answer of another status
        return False
    return True


@contextlib.contextmanager
def chromium() -> Iterator:
    """Playwright's handle of a headless Chromium; FileNotFoundError without one."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        raise FileNotFoundError("no Chromium on the PATH: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()
