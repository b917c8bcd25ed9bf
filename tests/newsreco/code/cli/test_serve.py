"""The command that serves: what it refuses at once, and several workers."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from newsreco.cli import main

ROOT = Path(__file__).parents[4]


def test_a_taken_port_is_refused_in_a_sentence(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--home", str(tmp_path), "--port", str(port)]) == 2
    assert f"port {port} of 127.0.0.1 is not free" in capsys.readouterr().err


def test_a_home_that_cannot_be_made_is_refused(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["serve", "--home", str(tmp_path / "file" / "home")]) == 2
    assert "cannot be made" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--port", "0"], ["--port", "70000"], ["--workers", "0"]], ids=" ".join
)
def test_numbers_out_of_range_are_refused(words, tmp_path, capsys):
    assert main(["serve", "--home", str(tmp_path), *words]) == 2
    assert words[0] in capsys.readouterr().err


def test_a_wrong_setting_is_refused_before_anything_is_made(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NEWSRECO_EXPLORE", "2")
    assert main(["serve", "--home", str(tmp_path / "home")]) == 2
    assert "explore" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_workers_share_events_and_end_with_the_command(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["serve", "--home", str(tmp_path / "home"), "--port", str(port), "--workers", "2"]
    path = os.pathsep.join(map(str, (ROOT, ROOT / "capstone")))
    env = os.environ | {"PYTHONPATH": path, "NO_PROXY": "127.0.0.1", "NEWSRECO_EXPLORE": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "newsreco", *words],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        key = next(m[1] for line in process.stdout if (m := re.search("run: ([^ ]+)", line)))
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": key}) as http:
            for _ in range(600):
                try:
                    found = http.get("/api/recommend/ann").json()
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            event = {"user_id": "ann", "news_id": found["recommendations"][0]["id"]}
            assert http.post("/api/feedback", json=event | {"event": "click"}).json()["stored"]
        starts = set()
        for _ in range(20):  # each connection may meet another worker
            answer = httpx.get(
                f"http://127.0.0.1:{port}/api/recommend/ann", headers={"X-API-Key": key}
            )
            starts.add(answer.json()["cold_start"])
        assert starts == {False}
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in (0, -signal.SIGINT, 130)
    finally:
        process.kill()
        process.stdout.close()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
