"""The service under load: `python -m benchmarks.load` (`make load`).

Requests arrive at random times at a fixed rate, whether or not earlier ones were answered (an open
loop), so a request that waits for a busy worker counts its waiting. Latency runs from the time at
which a request was due to its last byte. Client and workers share this machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.newsroom import environment
from benchmarks.storage import machine, read, store

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results.json")
SIZES = {"n_articles": 100_000, "n_impressions": 300_000, "n_users": 50_000}
TARGET_P99_MS, TARGET_RATIO = 25, 20
CONNECTIONS = 64
COLD = 0.1  # fraction of the requests for users without history
KEY = "load"
PLAIN_USERS = 10


class Connections:
    """Keep-alive connections, each used by one request at a time."""

    def __init__(self, port: int):
        self.port, self.free = port, asyncio.Queue()

    async def open(self, n: int) -> None:
        """Open n connections."""
        for _ in range(n):
            self.free.put_nowait(await asyncio.open_connection("127.0.0.1", self.port))

    async def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of one request."""
        reader, writer = await self.free.get()
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        answer = await reader.readexactly(length)
        self.free.put_nowait((reader, writer))
        return int(head[9:12]), answer


async def load(
    port: int, users: list[str], articles: list[str], seconds: float, rate: float, events: float
) -> dict[str, Any]:
    """Latencies in ms of recommendations, warm and cold, and of events; number of failures."""
    connections, rng = Connections(port), np.random.default_rng(0)
    await connections.open(CONNECTIONS)
    found: dict[str, list[float]] = {"warm": [], "cold": [], "events": []}
    failures = 0

    async def one(due: float, kind: str, *request: Any) -> None:
        nonlocal failures
        try:
            status, _ = await connections.request(*request)
        except (OSError, asyncio.IncompleteReadError):
            status = 0
        found[kind].append((time.perf_counter() - due) * 1e3)
        failures += status != 200

    tasks = set()
    for due, what in schedule(rng, seconds, rate, events):
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        cold = what == "list" and rng.random() < COLD
        user = f"new{rng.integers(1 << 40)}" if cold else users[rng.integers(len(users))]
        if what == "list":
            request = "GET", f"/api/recommend/{user}?k=10"
            kind = "cold" if cold else "warm"
        else:
            news_id = articles[rng.integers(len(articles))]
            event = {"user_id": user, "news_id": news_id, "event": "click"}
            request = "POST", "/api/feedback", json.dumps(event).encode()
            kind = "events"
        task = asyncio.create_task(one(due, kind, *request))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return {"failures": failures} | {kind: quantiles(ms) for kind, ms in found.items()}


def schedule(rng: np.random.Generator, seconds: float, rate: float, events: float):
    """(time due, what) of all requests, in order: two Poisson processes."""
    begin = time.perf_counter() + 0.5
    for due in np.sort(rng.uniform(0, seconds, rng.poisson((rate + events) * seconds))):
        yield begin + due, "list" if rng.random() < rate / (rate + events) else "event"


def quantiles(ms: list[float]) -> dict[str, float]:
    """Number, median, p95, p99 and maximum."""
    p50, p95, p99 = np.quantile(ms, [0.5, 0.95, 0.99])
    return {"n": len(ms), "p50": p50, "p95": p95, "p99": p99, "max": max(ms)}


def start(home: Path, port: int, workers: int) -> subprocess.Popen:
    """The service, once it answers."""
    limits = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    settings = {"NEWSRECO_API_KEY": KEY, "NEWSRECO_RATE_LIMIT": "1e9"} | dict.fromkeys(limits, "1")
    words = ["serve", "--home", home, "--port", port, "--workers", workers]
    process = subprocess.Popen(
        [sys.executable, "-m", "newsreco", *map(str, words)],
        env=environment() | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    for _ in range(1200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            time.sleep(3 * workers)  # the others
            return process
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the service did not start")


def worker_megabytes(process: subprocess.Popen) -> list[float]:
    """Resident memory of each worker, in MB."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        text = status.read_text()
        if f"\nPPid:\t{process.pid}\n" in text and "VmRSS" in text:
            found.append(int(text.split("VmRSS:")[1].split()[0]) / 1024)
    return sorted(mb for mb in found if mb > 100)  # not the resource tracker


def straightforward_seconds(model: Path) -> float:
    """Median seconds per list of the straightforward version, in one process."""
    from benchmarks.straightforward import PlainRecommender
    from newsreco.models.bundle import load_model
    from newsreco.models.pipeline import RecommendationPipeline

    plain = PlainRecommender(RecommendationPipeline(load_model(model)))
    users = np.flatnonzero(plain.model.state.arrays.user_clicks)[:PLAIN_USERS]
    seconds = []
    for user in users.tolist():
        began = time.perf_counter()
        plain.recommend(user)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def make_home(folder: Path) -> None:
    """Data and model of 100,000 articles, whose time goes on from the end of the log."""
    from newsreco.api.home import write_clock
    from newsreco.models.bundle import load_model

    for words in (
        ["sample", "--out", "data", "--quiet"]
        + [f"--{name[2:]}={size}" for name, size in SIZES.items()],
        ["train", "--data", "data", "--out", "model", "--no-tracking", "--quiet"],
    ):
        command = [sys.executable, "-m", "newsreco", *words]
        subprocess.run(command, cwd=folder, env=environment(), check=True)
    write_clock(folder, load_model(folder / "model").state.now)


def main() -> None:
    """Serve, load, print, store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=main.__doc__)
    parser.add_argument("--home", type=Path, help="folder with data and model (default: made)")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=300.0, help="recommendations per second")
    parser.add_argument("--events", type=float, default=50.0, help="events per second")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        home = options.home or Path(made)
        if options.home is None:
            make_home(home)
        row = measure(home, options)
    print(line(row))
    store(read(RESULTS) | {"load": row | {"machine": machine()}}, RESULTS)


def measure(home: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All results."""
    from newsreco.data import load_articles
    from newsreco.models.bundle import load_model

    model = load_model(home / "model")
    known = [model.user_ids[u] for u in np.flatnonzero(model.state.arrays.user_clicks)]
    articles = load_articles(home / "data", progress=False)[0].ids
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start(home, port, options.workers)
    rates = options.rate, options.events
    try:
        asyncio.run(load(port, known, articles, 5.0, rates[0] / 3, rates[1]))  # warm up
        found = asyncio.run(load(port, known, articles, options.seconds, *rates))
        memory = worker_megabytes(process)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
    return {
        "setting": {
            "articles": len(articles), "workers": options.workers, "seconds": options.seconds,
            "rate": options.rate, "events": options.events,
        },
        "worker_mb": memory,
        "straightforward_seconds": straightforward_seconds(home / "model"),
    } | found  # fmt: skip


def line(row: dict[str, Any]) -> str:
    """The results as text."""
    setting = row["setting"]
    n = row["warm"]["n"] + row["cold"]["n"]
    rate = n / setting["seconds"]
    plain = setting["workers"] / row["straightforward_seconds"]
    lines = [
        f"{setting['articles']:,} articles, {setting['workers']} workers, {rate:.0f} lists and "
        f"{row['events']['n'] / setting['seconds']:.0f} events per second for "
        f"{setting['seconds']:.0f} s, {row['failures']} failures"
    ]
    for kind in ("warm", "cold", "events"):
        q = row[kind]
        lines.append(
            f"    {kind:7} p50 {q['p50']:.1f} ms, p95 {q['p95']:.1f}, p99 {q['p99']:.1f}, "
            f"max {q['max']:.0f}" + (f" (target p99 {TARGET_P99_MS})" if kind == "warm" else "")
        )
    lines.append(
        f"    straightforward: at most {plain:.1f} lists per second, 1 / {rate / plain:.0f} "
        f"(target {TARGET_RATIO}); memory per worker "
        + ", ".join(f"{mb:.0f} MB" for mb in row["worker_mb"])
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
