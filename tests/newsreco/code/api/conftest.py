"""A home with a small model, and clients of a service over it."""

import shutil

import pytest
from api_clients import KEY, open_session
from starlette.testclient import TestClient

from newsreco.api.home import Home
from newsreco.api.main import create_app
from newsreco.config import Config
from newsreco.models.bundle import Settings
from newsreco.training import train


@pytest.fixture(scope="session")
def made_home(tmp_path_factory, world):
    """A home whose model knows the shared small log."""
    folder = tmp_path_factory.mktemp("home")
    train(world.log, Settings(refit=True), progress=False, lists=0).model.save(folder / "model")
    (folder / "secret").write_text("secret of the tests")
    return folder


@pytest.fixture
def home(made_home, tmp_path):
    """A copy of it, without events."""
    shutil.copytree(made_home, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def start(home):
    """A function that starts a service over the home: the test client of a new worker."""
    started = []

    def start(demo=False, **settings):
        config = Config(**{"api_key": KEY, "explore": 0.0, "rate_limit": 1e6} | settings)
        client = TestClient(create_app(home, config, demo), raise_server_exceptions=False)
        client.__enter__()
        started.append(client)
        return client

    yield start
    for client in started:
        client.__exit__(None, None, None)


@pytest.fixture
def admin(start):
    """A client with the API key."""
    client = start()
    client.headers["X-API-Key"] = KEY
    return client


@pytest.fixture
def browser(start):
    """A client with a session, as a browser has one: user and token are attributes."""
    return open_session(start())
