"""Take the picture of `mlflow ui` in chapter 23, capstone/notebooks/images/mlflow-ui.png.

    python scripts/mlflow_ui.py

The chapter's evaluation run and its sweep are recorded in a new SQLite file, `mlflow ui` shows
them, and Debian's Chromium takes the picture. It is the same up to the machine's fonts and what
a run has of its own: its time and duration.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from browser import answers, chromium
from execute import environment
from screenshots import IMAGES

EXPERIMENT = "news"
SIZE = (1200, 590)  # of the window
HIDDEN = ("Dataset", "Source", "Models")  # columns
SHOWN = ("ranker_auc", "ranker_auc_low", "ranker_auc_high", "half_life_days")
COLORS = 128  # of the picture's palette


def record_runs(uri: str) -> str:
    """Record the runs of chapter 23; the experiment's id."""
    from newsreco.models.bundle import Settings
    from newsreco.synthetic import make_synthetic_log
    from newsreco.tracking.client import mlflow_client
    from newsreco.tracking.runs import tracked
    from newsreco.tracking.sweep import sweep, validation_log
    from newsreco.training import train

    log = make_synthetic_log().log
    with tracked(Settings(), uri, EXPERIMENT, name="evaluation") as run:
        run.log(train(log, progress=False, lists=0), log, report=False)
    grid = [Settings(days) for days in (0.3, 1.0, 3.0, 10.0, 30.0)]
    grid.append(Settings(ranker="lambdamart"))
    sweep(validation_log(log), grid, uri, EXPERIMENT, name="validation")
    with mlflow_client(uri) as mlflow:
        return mlflow.get_experiment_by_name(EXPERIMENT).experiment_id


@contextlib.contextmanager
def mlflow_ui(uri: str, folder: Path) -> Iterator[str]:
    """The address of `mlflow ui` on a store, while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri]
    env = environment() | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "ui.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--workers", "1"],
            cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            if answers(f"{address}/health"):
                break
            time.sleep(0.1)
        else:
            raise RuntimeError(f"`mlflow ui` did not start: {(folder / 'ui.log').read_text()}")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # its workers, too
        process.wait(timeout=20)


def take(page, address: str, experiment: str, path: Path) -> None:
    """The table of runs: the sweep unfolded, with a metric, its interval and a parameter."""
    page.goto(f"{address}/#/experiments/{experiment}/runs")
    page.get_by_text("evaluation", exact=True).first.wait_for(timeout=60_000)
    page.get_by_role("button", name="Close", exact=True).click()  # of the assistant
    page.get_by_role("button", name="Toggle sidebar").click()
    page.get_by_role("button", name="Columns").click()
    tree = page.get_by_test_id("column-selector-tree")
    for name in HIDDEN:
        tree.get_by_text(name, exact=True).click()
    for name in SHOWN:
        page.get_by_placeholder("Search columns").fill(name)
        title = tree.locator("[class*=tree-title]")
        title.filter(has_text=re.compile(f"^{name}$")).click()
    page.keyboard.press("Escape")
    page.locator("[data-component-id*=runnamecellrenderer]").first.click()  # its nested runs
    page.get_by_text("tfidf, lambdamart").first.wait_for()
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_000)
    page.screenshot(path=path)


def shrink(path: Path) -> None:
    """Store the picture with a palette."""
    from PIL import Image

    Image.open(path).convert("RGB").quantize(COLORS).save(path, optimize=True)


def main() -> int:
    """Record, show, take the picture."""
    path = IMAGES / "mlflow-ui.png"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        uri = f"sqlite:///{folder}/mlflow.db"
        experiment = record_runs(uri)
        with mlflow_ui(uri, folder) as address, chromium() as browser:
            width, height = SIZE
            page = browser.new_page(viewport={"width": width, "height": height})
            take(page, address, experiment, path)
    shrink(path)
    print(path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
