"""Clients that send their requests drop by drop, to a real server over sockets."""

import contextlib
import socket
import threading
import time

import pytest
import uvicorn
from api_clients import KEY

from newsreco.api import middleware, protocol
from newsreco.api.home import Home
from newsreco.api.main import create_app
from newsreco.config import Config

LIMIT = 0.4  # seconds, instead of ten
HEAD = (
    f"POST /api/ask HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\n"
)
BODY = HEAD + "Content-Length: 50\r\n\r\n"
HEALTH = b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def port(made_home, tmp_path_factory):
    """The port of a service in a thread."""
    config = Config(api_key=KEY, events_url=f"sqlite:///{tmp_path_factory.mktemp('slow')}/e.db")
    with socket.create_server(("127.0.0.1", 0)) as free:
        settings = uvicorn.Config(
            create_app(Home(made_home), config), http=protocol.Protocol, log_config=None
        )
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, args=([free],))
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield free.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.fixture
def client(port, monkeypatch):
    """A connection to it, while little time is given."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", LIMIT)
    monkeypatch.setattr(middleware, "BODY_SECONDS", LIMIT)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        yield connection


def until_closed(connection):
    """All that the server still sends."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def answer(connection):
    """One answer of a connection that stays open: status line, or what came of it."""
    return connection.recv(65_536)[:15]


def test_a_client_that_says_nothing_is_let_go(client):
    assert until_closed(client) == b""


@pytest.mark.parametrize("start", [b"G", HEAD.encode()], ids=["one byte", "no end of the head"])
def test_half_a_head_gets_408(client, start):
    client.sendall(start)
    assert until_closed(client).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("start, drop", [(HEAD, b"X-A: b\r\n"), (BODY, b" ")], ids=["head", "body"])
def test_drops_do_not_prolong_the_time(client, start, drop):
    client.sendall(start.encode())
    client.settimeout(LIMIT / 8)
    began, got = time.monotonic(), b""
    while not got and time.monotonic() - began < 5 * LIMIT:
        client.sendall(drop)
        with contextlib.suppress(TimeoutError):
            got = client.recv(100)
    assert got.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_does_not_end_gets_408(client):
    client.sendall(BODY.encode() + b'{"query":')
    found = until_closed(client)
    assert found.startswith(b"HTTP/1.1 408 ")
    assert found.endswith(b'{"detail":"the body took more than 0.4 s"}')


def test_an_open_connection_may_rest_between_requests(client):
    client.sendall(HEALTH)
    assert answer(client) == b"HTTP/1.1 200 OK"
    time.sleep(2 * LIMIT)
    client.sendall(HEALTH)
    assert answer(client) == b"HTTP/1.1 200 OK"


def test_the_second_request_of_a_connection_has_a_limit_too(client):
    client.sendall(HEALTH)
    assert answer(client) == b"HTTP/1.1 200 OK"
    client.sendall(HEALTH[:20])
    assert until_closed(client).startswith(b"HTTP/1.1 408 ")


def test_others_are_served_while_slow_clients_wait(client, port):
    client.sendall(HEALTH[:20])
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as other:
        other.sendall(HEALTH)
        assert answer(other) == b"HTTP/1.1 200 OK"
