"""What wraps every request: an id and a log line, limits, and headers that protect the browser."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import time
import uuid

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsreco.api.metrics import Metrics
from newsreco.api.security import RateLimiter
from newsreco.output import json_text

LOG = logging.getLogger("newsreco.api.access")
MAX_BODY = 65_536  # bytes
MAX_URL = 4_096
BODY_SECONDS = 10.0  # in which the body of a request must arrive
REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{1,64}")
CSP = "; ".join(
    [
        "default-src 'self'", "img-src 'self' data:", "style-src 'self' 'unsafe-inline'",
        "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
    ]
)  # fmt: skip
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", CSP.encode()),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
# The interactive documentation loads its script and style from a CDN.
CDN = "https://cdn.jsdelivr.net https://fastapi.tiangolo.com"
DOCS_CSP = f"default-src 'self' 'unsafe-inline' {CDN}; img-src 'self' data: {CDN}"
DOCS_CSP += "; frame-ancestors 'none'"


class Gate:
    """Request id, access log, limits of rate and URL, and security headers.

    Requests with the API key are not limited in their rate: a service that has it asks for many.
    """

    def __init__(self, app: ASGIApp, limiter: RateLimiter, metrics: Metrics, api_key: str):
        self.app, self.limiter, self.metrics = app, limiter, metrics
        self.api_key = api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, started = time.perf_counter(), []
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex.encode()
        scope.setdefault("state", {})["request_id"] = request_id.decode()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message["status"])
                extra = [*HEADERS, (b"x-request-id", request_id)]
                if scope["path"] in ("/docs", "/redoc"):
                    extra[3] = (b"content-security-policy", DOCS_CSP.encode())
                message = message | {"headers": [*message["headers"], *extra]}
            await send(message)

        try:
            await self._answer(scope, receive, send_with_headers, started)
        finally:
            seconds, status = time.perf_counter() - began, (started or [499])[0]  # 499: it left
            route = getattr(scope.get("route"), "path", "other")
            self.metrics.request(scope["method"], route, status, seconds)
            fields = {"method": scope["method"], "path": scope["path"], "status": status}
            fields |= {"ms": round(seconds * 1e3, 2), "request_id": request_id.decode()}
            LOG.info("request", extra={"fields": fields})

    async def _answer(self, scope: Scope, receive: Receive, send: Send, started: list) -> None:
        """The application's answer, 414 or 429; 500 without details where it breaks."""
        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, send)
            return
        try:
            await self.app(scope, in_time(receive), send)
        except Exception:
            LOG.exception("unexpected error", extra={"fields": scope["state"]})
            if not started:
                detail = {"detail": "internal error", "request_id": scope["state"]["request_id"]}
                await JSONResponse(detail, 500)(scope, receive, send)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_URL:
            return JSONResponse({"detail": f"the URL must have at most {MAX_URL} bytes"}, 414)
        given = dict(scope["headers"]).get(b"x-api-key", b"")
        if hmac.compare_digest(given, self.api_key):
            return None
        client = scope["client"][0] if scope.get("client") else "unknown"
        if not self.limiter.allows(client):
            detail = {"detail": "too many requests; try again in a second"}
            return JSONResponse(detail, 429, {"Retry-After": "1"})
        return None


def in_time(receive: Receive) -> Receive:
    """`receive`, which raises HTTPException 408 where the body does not arrive in time."""
    left, whole = BODY_SECONDS, False

    async def receive_in_time() -> Message:
        nonlocal left, whole
        if whole:  # from here on it waits for the client to leave
            return await receive()
        began = time.perf_counter()
        try:
            message = await asyncio.wait_for(receive(), left)
        except TimeoutError:
            reason = f"the body took more than {BODY_SECONDS:g} s"
            raise HTTPException(408, reason, {"Connection": "close"}) from None
        left -= time.perf_counter() - began
        whole = not message.get("more_body", False)
        return message

    return receive_in_time


class JsonLines(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        row = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        } | getattr(record, "fields", {})
        if record.exc_info:
            row["exception"] = self.formatException(record.exc_info)
        return json_text(row)
