"""Claude as the writer of an answer, by API key; whatever goes wrong is one exception, NoAnswer.

The key is read when a request is made and kept nowhere. Attempts are bounded in number and in
time. Reasons that are logged name a kind of failure, never a message, a header or a key. What is
sent, and what is believed of the reply, stands in `prompt.py`. Left out: streaming, conversation,
tools.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from newsreco.assistant.prompt import NoAnswer, check, request, text_of
from newsreco.config import read_config

RETRIED = {408, 409, 429}  # and everything from 500 on


@dataclass
class Claude:
    """Answers written by Claude.

    Parameters
    ----------
    model : str
        By default, the setting NEWSRECO_CLAUDE_MODEL.
    timeout : float
        Seconds of silence from the server before an attempt is given up.
    attempts : int
        How often to try where trying again may help: a time-out, no connection, 408, 409, 429, 5xx.
    patience : float
        Seconds after which no further attempt is begun.
    max_tokens : int
        Of the answer and of the thinking before it.
    connection : optional
        The HTTP client that the anthropic package shall use.
    sleep, clock : functions
        time.sleep and time.monotonic, so that a test need not wait.
    """

    model: str = field(default_factory=lambda: read_config().claude_model)
    timeout: float = 20.0
    attempts: int = 3
    patience: float = 40.0
    max_tokens: int = 2048
    connection: Any = field(default=None, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    name: ClassVar[str] = "claude"

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, got {self.attempts}")

    def write(self, question: str, passages: Sequence[str]) -> str:
        """The checked answer, which cites passages[0] as [1]; "" where they do not hold one.

        Raises
        ------
        NoAnswer
        """
        try:
            reply = self._request(request(self.model, self.max_tokens, question, passages))
        except NoAnswer:
            raise
        except Exception as error:  # whatever it is, the reader still gets an answer
            raise NoAnswer(describe(error)) from None
        return check(text_of(reply), question, passages)

    def _request(self, body: dict) -> Any:
        """One reply, by several attempts where that may help."""
        key = read_config().anthropic_api_key.get_secret_value().strip()
        if not key:
            raise NoAnswer("ANTHROPIC_API_KEY is not set")
        if not re.fullmatch(r"[!-~]+", key):  # it goes into a header
            raise NoAnswer("ANTHROPIC_API_KEY holds a character that no key has")
        try:
            import anthropic
        except ImportError:
            raise NoAnswer("the package anthropic is not installed") from None
        options = {"api_key": key, "timeout": self.timeout, "max_retries": 0}
        client = anthropic.Anthropic(**options, http_client=self.connection)
        try:
            return self._attempt(client, body)
        finally:
            if self.connection is None:
                client.close()

    def _attempt(self, client: Any, body: dict) -> Any:
        """The reply to the first attempt that gets one; the error of the last where none does."""
        from anthropic import APIConnectionError, APIStatusError

        start = self.clock()
        for attempt in range(1, self.attempts + 1):
            try:
                return client.messages.create(**body)
            except (APIConnectionError, APIStatusError) as error:
                wait = pause(error, attempt)
                late = self.clock() - start + wait > self.patience
                if attempt == self.attempts or wait < 0 or late:
                    raise
                self.sleep(wait)


def pause(error: Any, attempt: int) -> float:
    """Seconds to wait before the next attempt: 0.5, 1, 2, ... or what the server asks for.

    Negative where another attempt cannot help.
    """
    status = getattr(error, "status_code", None)
    if status is not None and status < 500 and status not in RETRIED:
        return -1.0
    usual = 0.5 * 2.0 ** (attempt - 1)
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return max(usual, float(headers.get("retry-after", 0)))
    except ValueError:  # a date
        return usual


def describe(error: Exception) -> str:
    """A failure by its kind alone: its message may quote what was sent."""
    status = getattr(error, "status_code", None)
    return type(error).__name__ + (f" {status}" if isinstance(status, int) else "")
