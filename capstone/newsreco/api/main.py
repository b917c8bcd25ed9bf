"""The application: `create_app(home, config)` for one worker."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse

from newsreco import __version__
from newsreco.api.home import Home
from newsreco.api.metrics import Metrics
from newsreco.api.middleware import MAX_BODY, Gate
from newsreco.api.routes import admin, models, news, users
from newsreco.api.schemas import Error
from newsreco.api.security import Guard, RateLimiter
from newsreco.api.service import Service
from newsreco.api.ui import add_ui
from newsreco.api.writer import Overloaded
from newsreco.config import Config

LOG = logging.getLogger("newsreco.api")
SWITCH_SECONDS = 0.0005  # how long the thread that stores may keep the event loop waiting
ERRORS = {
    status: {"model": Error, "description": reason}
    for status, reason in (
        (400, "the body is no JSON"),
        (401, "no API key and no session, or a wrong key"),
        (403, "not for the user of this session, or without its token"),
        (404, "no such article"),
        (408, "the body did not arrive in time"),
        (413, "the body is too long"),
        (414, "the URL is too long"),
        (429, "too many requests"),
        (503, "no model yet, or the database does not answer"),
    )
}


def create_app(home: Home, config: Config, demo: bool = False) -> FastAPI:
    """The application of one worker; its service starts with it.

    Parameters
    ----------
    home : Home
        Prepared.
    config : Config
        With an API key.
    demo : bool
        Let browsers become any user.

    Raises
    ------
    ValueError
        If there is no API key: then everybody would be an administrator.
    """
    if not config.api_key.get_secret_value():
        raise ValueError("the service needs an API key: set NEWSRECO_API_KEY")
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        sys.setswitchinterval(SWITCH_SECONDS)
        app.state.service = service = Service(home, config, metrics)
        await service.start()
        yield
        await service.stop()

    app = FastAPI(title="newsreco", version=__version__, lifespan=lifespan, max_body_size=MAX_BODY)
    app.state.metrics = metrics
    app.state.guard = Guard(config.api_key.get_secret_value(), home.secret(), demo)
    for routes in (admin, news, users, models):
        app.include_router(routes.router, prefix="/api", responses=ERRORS)
    _handle_errors(app)
    _wrap(app, config, metrics)

    @app.get("/prometheus", include_in_schema=False)
    async def prometheus() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    add_ui(app, config.ui)
    return app


def _wrap(app: FastAPI, config: Config, metrics: Metrics) -> None:
    origins = [origin.strip() for origin in config.cors_origins.split(",") if origin.strip()]
    if origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Content-Type", "X-API-Key", "X-CSRF-Token", "X-Request-ID"],
        )  # fmt: skip
    limits = {"limiter": RateLimiter(config.rate_limit), "metrics": metrics}
    app.add_middleware(Gate, **limits, api_key=config.api_key.get_secret_value())


def _handle_errors(app: FastAPI) -> None:
    """Answers that show nothing of the inside; the log has the rest."""

    @app.exception_handler(Overloaded)
    @app.exception_handler(ConnectionError)
    async def busy(request: Request, error: Exception) -> JSONResponse:
        LOG.error("not stored: %s", error)
        detail = "the event could not be stored; send it again"
        return JSONResponse({"detail": detail}, 503, {"Retry-After": "1"})

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        """What is wrong and where; the input is not repeated."""
        kept = ("type", "loc", "msg")
        return JSONResponse({"detail": [{n: e[n] for n in kept} for e in error.errors()]}, 422)


def from_environment() -> FastAPI:
    """The application of a worker that `newsreco serve` starts; it passes on what it decided."""
    import os

    from newsreco.config import read_config

    home = Home(Path(os.environ["NEWSRECO_HOME"]))
    return create_app(home, read_config(), demo=os.environ.get("NEWSRECO_DEMO") == "1")
