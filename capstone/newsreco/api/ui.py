"""The web app's files, as `make app` builds them: pages, and assets that never change.

The built files' names hold their checksums, so a browser keeps them for a year. A page is asked
for anew each time, and answered with 304 where it did not change. An address that is no page gets
the app too, with status 404: the app says so in its own words.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Scope

PAGES = ("/", "/search", "/ask", "/metrics")  # as in the app's App.tsx
FILES = ("/icon.svg",)
BESIDE = Path(__file__).parents[2] / "frontend" / "dist"
FOREVER = "public, max-age=31536000, immutable"
MISSING = "The web app is not built here: `make app` builds it. The API is described at /docs.\n"


def ui_folder(given: str) -> Path | None:
    """The folder of the built app: the one that is given, or beside the package; None without.

    Raises
    ------
    ValueError
        If the folder that is given holds no built app.
    """
    folder = Path(given) if given else BESIDE
    if (folder / "index.html").is_file():
        return folder
    if given:
        raise ValueError(f"NEWSRECO_UI is {given!r}, which has no index.html: build the app first")
    return None


def add_ui(app: FastAPI, given: str) -> None:
    """Serve the web app from a folder, or from beside the package (see `ui_folder`)."""
    folder = ui_folder(given)
    if folder is None:
        app.add_api_route("/", _missing, include_in_schema=False)
        return
    files = StaticFiles(directory=folder)
    assets = Assets(directory=folder / "assets")
    app.mount("/assets", GZipMiddleware(assets, minimum_size=1_000))

    async def page(request: Request) -> Response:
        return await _fresh(files, "index.html", request)

    async def file(request: Request) -> Response:
        return await _fresh(files, request.url.path[1:], request)

    for path in PAGES:
        app.add_api_route(path, page, methods=["GET", "HEAD"], include_in_schema=False)
    for path in FILES:
        app.add_api_route(path, file, methods=["GET", "HEAD"], include_in_schema=False)
    _answer_lost_readers(app, page)


class Assets(StaticFiles):
    """Files whose names change with their contents."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, to be kept."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = FOREVER
        return response


async def _fresh(files: StaticFiles, path: str, request: Request) -> Response:
    response = await files.get_response(path, request.scope)
    response.headers["cache-control"] = "no-cache"
    return response


def _answer_lost_readers(app: FastAPI, page) -> None:
    """A browser that asks for an unknown page gets the app; the API's answers stay JSON."""

    @app.exception_handler(404)
    async def lost(request: Request, error: HTTPException) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        if not wants_page or request.method != "GET" or request.url.path.startswith("/api"):
            return await http_exception_handler(request, error)
        response = await page(request)
        response.status_code = 404
        return response


async def _missing() -> PlainTextResponse:
    return PlainTextResponse(MISSING, 404)
