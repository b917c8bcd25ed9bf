"""`kill -9` of the service under concurrent events: none that it acknowledged is lost or doubled.

`make crash` takes 50 rounds on SQLite and 10 on PostgreSQL; the tests take two and one.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np
import pytest
import sqlalchemy as sa
from api_clients import KEY

from newsreco.api.events import Event, EventStore

ROOT = Path(__file__).parents[4]
ALL_ROUNDS = {"sqlite": 50, "postgresql": 10}
FEW_ROUNDS = {"sqlite": 2, "postgresql": 1}
CLIENTS = 8


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(home, database, port):
    """A service in a process of its own, once it answers."""
    command = [sys.executable, "-m", "newsreco", "serve", "--home", str(home), "--port", str(port)]
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "capstone"))),
        "NEWSRECO_API_KEY": KEY,
        "NEWSRECO_EVENTS_URL": database,
        "NEWSRECO_RATE_LIMIT": "1e6",
    }
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/api/ready", timeout=5).status_code == 200:
                return process
        except httpx.TransportError:
            time.sleep(0.05)
        assert process.poll() is None, process.stderr.read().decode()
    raise AssertionError("the service did not start")


def send_until_killed(port, client, news_id, acknowledged):
    """Post events, each once more if its answer was lost, until the service is gone."""
    with httpx.Client(headers={"X-API-Key": KEY}, timeout=10) as http:
        for n in range(100_000):
            event = {"user_id": f"u{client}", "news_id": news_id, "event": "click"}
            event |= {"event_id": f"{time.time_ns()}-{client}-{n}"}
            try:
                answer = http.post(f"http://127.0.0.1:{port}/api/feedback", json=event)
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                acknowledged.append(event["event_id"])


def test_no_acknowledged_event_is_lost_or_doubled(home, database, request):
    kind = request.node.callspec.params["database"]
    rounds = (ALL_ROUNDS if "CRASH_KILLS" in os.environ else FEW_ROUNDS)[kind]
    rng, acknowledged = np.random.default_rng(0), []
    for _ in range(rounds):
        port = free_port()
        process = serve(home.folder, database, port)
        found = httpx.get(f"http://127.0.0.1:{port}/api/search", params={"q": "win"}).json()
        news_id = found["results"][0]["id"]
        arguments = [(port, client, news_id, acknowledged) for client in range(CLIENTS)]
        clients = [threading.Thread(target=send_until_killed, args=a) for a in arguments]
        for thread in clients:
            thread.start()
        before = len(acknowledged)
        while len(acknowledged) < before + CLIENTS:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.8))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for thread in clients:
            thread.join()
        with EventStore(database) as store:
            if kind == "sqlite":
                with store.reading() as connection:
                    assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
            stored = Counter(event.event_id for event in store.all(Event))
        assert set(acknowledged) <= set(stored)
        assert set(stored.values()) == {1}
    assert len(acknowledged) >= CLIENTS * rounds


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """Talk to this machine directly."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
