"""Claude as the writer of an answer, by API key; every failure is one exception, NoAnswer.

The key is read when a request is made and never stored. The SDK retries what may succeed later
(time-outs, lost connections, 408, 409, 429 and 5xx), a bounded number of times. Reasons that are
logged name a kind of failure, never a message, a header or a key. What is sent, and which replies
are accepted, is in `prompt.py`. Left out: streaming, conversation, tools.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from newsreco.assistant.prompt import NoAnswer, check, request, text_of
from newsreco.config import read_config

MAX_WAIT = 20.0  # seconds; a server that asks for a longer wait is not asked again


@dataclass
class Claude:
    """Answers written by Claude.

    Parameters
    ----------
    model : str
        By default, the setting NEWSRECO_CLAUDE_MODEL.
    timeout : float
        Seconds without data from the server after which an attempt fails.
    max_retries : int
        Further attempts after the first.
    max_tokens : int
        Limit of the answer and of the thinking before it.
    transport : optional
        The HTTP transport of the requests, for tests.
    """

    model: str = field(default_factory=lambda: read_config().claude_model)
    timeout: float = 20.0
    max_retries: int = 2
    max_tokens: int = 2048
    transport: Any = field(default=None, repr=False)

    name: ClassVar[str] = "claude"

    def write(self, question: str, passages: Sequence[str]) -> str:
        """The checked answer, which cites passages[0] as [1]; "" if they do not hold one.

        Raises
        ------
        NoAnswer
        """
        try:
            reply = self._request(request(self.model, self.max_tokens, question, passages))
        except NoAnswer:
            raise
        except Exception as error:  # the user still gets the extractive answer
            raise NoAnswer(describe(error)) from None
        return check(text_of(reply), question, passages)

    def _request(self, body: dict) -> Any:
        key = read_config().anthropic_api_key.get_secret_value().strip()
        if not key:
            raise NoAnswer("ANTHROPIC_API_KEY is not set")
        if not re.fullmatch(r"[!-~]+", key):  # it goes into a header
            raise NoAnswer("ANTHROPIC_API_KEY holds a character that no key has")
        try:
            from anthropic import Anthropic, DefaultHttpxClient
        except ImportError:
            raise NoAnswer("the package anthropic is not installed") from None
        options = {"event_hooks": {"response": [refuse_long_wait]}}
        if self.transport is not None:
            options["transport"] = self.transport
        limits = {"timeout": self.timeout, "max_retries": self.max_retries}
        with Anthropic(api_key=key, http_client=DefaultHttpxClient(**options), **limits) as client:
            return client.messages.create(**body)


def refuse_long_wait(response: Any) -> None:
    """Stop the SDK's retries, which would wait as long as the server asks, beyond MAX_WAIT."""
    milliseconds = response.headers.get("retry-after-ms")
    try:
        wait = (
            float(milliseconds) / 1000 if milliseconds else float(response.headers["retry-after"])
        )
    except KeyError:  # the SDK's own, short wait
        return
    except ValueError:  # a date, perhaps a distant one
        wait = float("inf")
    if not wait <= MAX_WAIT:
        response.headers["x-should-retry"] = "false"


def describe(error: Exception) -> str:
    """A failure by its kind alone: its message may quote what was sent."""
    status = getattr(error, "status_code", None)
    return type(error).__name__ + (f" {status}" if isinstance(status, int) else "")
