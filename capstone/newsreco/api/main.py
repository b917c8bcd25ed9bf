"""The application: `create_app(home, config)` for one worker."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse

from newsreco import __version__
from newsreco.api.home import Home
from newsreco.api.metrics import Metrics
from newsreco.api.middleware import Gate
from newsreco.api.routes import admin, news, users
from newsreco.api.security import Guard, RateLimiter
from newsreco.api.service import Service
from newsreco.api.writer import Overloaded
from newsreco.config import Config

LOG = logging.getLogger("newsreco.api")
ERRORS = {
    code: {"model": dict, "description": text}
    for code, text in {
        401: "no API key and no session",
        403: "not for this user",
        404: "unknown",
        429: "too many requests",
        503: "no model, or the database does not answer",
    }.items()
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
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = service = Service(home, config, metrics)
        await service.start()
        yield
        await service.stop()

    app = FastAPI(title="newsreco", version=__version__, lifespan=lifespan)
    app.state.metrics = metrics
    app.state.guard = Guard(config.api_key.get_secret_value(), home.secret(), demo)
    for routes in (admin, news, users):
        app.include_router(routes.router, prefix="/api")
    _handle_errors(app)
    _wrap(app, config, metrics)

    @app.get("/prometheus", include_in_schema=False)
    async def prometheus() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return app


def _wrap(app: FastAPI, config: Config, metrics: Metrics) -> None:
    origins = [origin.strip() for origin in config.cors_origins.split(",") if origin.strip()]
    if origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Content-Type", "X-API-Key", "X-CSRF-Token", "X-Request-ID"],
        )  # fmt: skip
    app.add_middleware(Gate, limiter=RateLimiter(config.rate_limit), metrics=metrics)


def _handle_errors(app: FastAPI) -> None:
    """Answers that show nothing of the inside; the log has the rest."""

    @app.exception_handler(Overloaded)
    @app.exception_handler(ConnectionError)
    async def busy(request: Request, error: Exception) -> JSONResponse:
        LOG.error("not stored: %s", error)
        detail = "the event could not be stored; send it again"
        return JSONResponse({"detail": detail}, 503, {"Retry-After": "1"})

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        LOG.exception("unexpected error", exc_info=error)
        request_id = request.scope.get("state", {}).get("request_id", "")
        return JSONResponse({"detail": "internal error", "request_id": request_id}, 500)


def from_environment() -> FastAPI:
    """The application of a worker that `newsreco serve` starts; it passes on what it decided."""
    import os

    from newsreco.config import read_config

    home = Home(Path(os.environ["NEWSRECO_HOME"]))
    return create_app(home, read_config(), demo=os.environ.get("NEWSRECO_DEMO") == "1")
