"""Runs and versions on a real MLflow server."""

import contextlib
import os
import subprocess
import sys
import time
import urllib.request

import pytest

from newsreco.tracking.promotion import promote
from newsreco.tracking.registry import load_production, register
from newsreco.tracking.runs import run_name
from newsreco.tracking.sweep import compare_runs


@pytest.fixture
def server(mlflow_uri, tmp_path, free_port):
    """The URL of an MLflow server."""
    options = ["--backend-store-uri", mlflow_uri, "--artifacts-destination", f"{tmp_path}/files"]
    options += ["--host", "127.0.0.1", "--port", str(free_port), "--workers", "1"]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with open(tmp_path / "server.log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *options],
            env=os.environ | quiet,
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(f"http://127.0.0.1:{free_port}/health", process)
            yield f"http://127.0.0.1:{free_port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(url, process):
    end = time.monotonic() + 90
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.2)
    raise AssertionError("the server did not start")


def test_server_takes_runs_and_serves_versions(server, result, world, record, read_run):
    run = record(result, world.log, server)
    assert run.reason is None
    metrics = read_run(run.id, server).data.metrics
    assert metrics["ranker_auc"] == result.metrics["ranker_auc"]
    promote(register(run.id, uri=server), uri=server)
    assert load_production(server).data_fingerprint == result.data_fingerprint
    table = compare_runs(server, baseline=run_name(result.settings))
    assert table["difference"].tolist() == [0.0]
