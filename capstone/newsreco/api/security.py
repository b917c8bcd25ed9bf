"""Who may do what: an API key for services, a signed cookie for browsers, limits for everybody.

A request with the key in X-API-Key may read and write for any user. A browser has a cookie that
names one user, signed so that it cannot be changed, HttpOnly so that no script reads it, and
SameSite so that no other site sends it. Its writes must also carry a token that only a page of this
site could have read (OWASP's signed double-submit pattern).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass

from fastapi import HTTPException, Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

COOKIE = "newsreco_session"
MAX_AGE = 90 * 86_400  # seconds
CLIENTS = 50_000  # that the limiter remembers
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Guard:
    """Decides whose data a request may read and write.

    Parameters
    ----------
    api_key, secret : str
    demo : bool
        Any browser may become any user.
    """

    api_key: str
    secret: str
    demo: bool

    @property
    def signer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt="session")

    def is_admin(self, request: Request) -> bool:
        """Whether the request has the API key; HTTPException 401 if it has a wrong one."""
        given = request.headers.get("x-api-key")
        if given is None:
            return False
        if not hmac.compare_digest(given.encode(), self.api_key.encode()):
            raise HTTPException(401, "X-API-Key is not the key of this service")
        return True

    def require_admin(self, request: Request) -> None:
        """HTTPException 401 without the API key."""
        if not self.is_admin(request):
            raise HTTPException(401, "this needs the header X-API-Key")

    def require_user(self, request: Request, user_id: str) -> None:
        """HTTPException 401 or 403 if the request may not read or write for a user."""
        if self.is_admin(request):
            return
        session = self.session(request)
        if session is None:
            raise HTTPException(401, "this needs the header X-API-Key, or a session")
        if session != user_id:
            raise HTTPException(403, "a session reads and writes for its own user only")
        if request.method not in SAFE:
            self._check_token(request)

    def session(self, request: Request) -> str | None:
        """The user of the cookie; None without a valid one."""
        try:
            return self.signer.loads(request.cookies.get(COOKIE, ""), max_age=MAX_AGE)
        except BadSignature:
            return None

    def open_session(self, request: Request, response: Response, user_id: str) -> str:
        """Set the cookie; returns the token of its writes."""
        cookie = self.signer.dumps(user_id)
        response.set_cookie(
            COOKIE, cookie, MAX_AGE, path="/", httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return self.token(cookie)

    def token(self, cookie: str) -> str:
        """The token that belongs to a cookie."""
        return hmac.new(self.secret.encode(), b"csrf" + cookie.encode(), hashlib.sha256).hexdigest()

    def _check_token(self, request: Request) -> None:
        wanted = self.token(request.cookies.get(COOKIE, ""))
        given = request.headers.get("x-csrf-token", "")
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise HTTPException(403, "a session's writes need the header X-CSRF-Token")


def new_user() -> str:
    """A user id that cannot be guessed."""
    return f"web-{secrets.token_hex(8)}"


class RateLimiter:
    """A token bucket per client: `rate` requests a second, and ten seconds' worth at once."""

    def __init__(self, rate: float):
        self.rate, self.most = rate, 10 * rate
        self.buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, client: str, now: float | None = None) -> bool:
        """Take one token of a client; False if there is none."""
        now = time.monotonic() if now is None else now
        tokens, before = self.buckets.pop(client, (self.most, now))
        tokens = min(tokens + (now - before) * self.rate, self.most)
        allowed = tokens >= 1
        self.buckets[client] = (tokens - allowed, now)
        if len(self.buckets) > CLIENTS:
            self.buckets.popitem(last=False)
        return allowed
