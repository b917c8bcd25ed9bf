"""newsreco serve: the API over a home, with one or several workers."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import tempfile
from pathlib import Path

from newsreco.cli.options import add_command
from newsreco.output import say


def add(commands: argparse._SubParsersAction) -> None:
    """The parser of this command."""
    parser = add_command(
        commands, "serve", "serve recommendations, search and answers over HTTP",
        "--home home --demo",
    )  # fmt: skip
    parser.add_argument(
        "--home", metavar="FOLDER", default="newsreco-home",
        help="folder of data, model, MLflow database and events; made where it is missing",
    )  # fmt: skip
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, default=8000, help="port to listen at")
    parser.add_argument("--workers", type=int, default=1, help="number of processes")
    parser.add_argument("--demo", action="store_true", help="let a browser become any user")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prepare the home, then serve until Ctrl-C."""
    from newsreco.api.home import Home, check_writable
    from newsreco.config import read_config

    read_config()  # first, to refuse a wrong setting
    if arguments.workers < 1:
        raise ValueError(f"--workers must be at least 1, got {arguments.workers}")
    check_port(arguments.host, arguments.port)
    folder = Path(arguments.home)
    check_writable(folder)
    Home(folder).prepare()
    with tempfile.TemporaryDirectory(prefix="newsreco-metrics-") as metrics:
        set_environment(folder, arguments.demo, metrics if arguments.workers > 1 else "")
        say(f"newsreco at http://{arguments.host}:{arguments.port} (Ctrl-C ends it)")
        serve(arguments)
    return 0


def check_port(host: str, port: int) -> None:
    """ValueError if nothing can listen there."""
    if not 1 <= port <= 65_535:
        raise ValueError(f"--port must be 1 to 65535, got {port}")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ValueError(
                f"port {port} of {host} is not free ({error.strerror}): give another with --port"
            ) from None


def set_environment(home: Path, demo: bool, metrics: str) -> None:
    """What the workers need to know, and one API key for all of them."""
    from newsreco.api.events import EventStore
    from newsreco.config import read_config

    os.environ["NEWSRECO_HOME"] = str(home.absolute())
    os.environ["NEWSRECO_DEMO"] = "1" if demo else "0"
    if metrics:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
    config = read_config()
    if not config.api_key.get_secret_value():
        os.environ["NEWSRECO_API_KEY"] = key = secrets.token_urlsafe(24)
        say(f"API key of this run: {key} (NEWSRECO_API_KEY sets one that stays)")
    url = config.events_url or f"sqlite:///{home.absolute() / 'events.db'}"
    EventStore(url).close()  # makes the tables before several workers would


def serve(arguments: argparse.Namespace) -> None:
    """Run uvicorn, with JSON lines as its log."""
    import uvicorn

    formatter = {"()": "newsreco.api.middleware.JsonLines"}
    handler = {"class": "logging.StreamHandler", "formatter": "json"}
    uvicorn.run(
        "newsreco.api.main:from_environment",
        factory=True,
        http="newsreco.api.protocol:Protocol",
        host=arguments.host,
        port=arguments.port,
        workers=arguments.workers if arguments.workers > 1 else None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        log_config={
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": formatter},
            "handlers": {"stderr": handler},
            "root": {"handlers": ["stderr"], "level": "INFO"},
        },
    )
