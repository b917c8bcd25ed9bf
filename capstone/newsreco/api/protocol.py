"""HTTP of a worker: uvicorn's, which also hangs up on clients that do not finish asking.

A connection costs memory as long as it is open, and a client that sends one byte of its request
now and then could hold it for ever. The head of a request must arrive within HEAD_SECONDS; the
body has a time of its own (`newsreco.api.middleware`).
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_SECONDS = 10.0
LATE = b"content-length: 0\r\nconnection: close\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """One connection."""

    timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.timer = self.loop.call_later(HEAD_SECONDS, transport.close)  # not a byte came

    def on_message_begin(self) -> None:
        self._stop()
        self.timer = self.loop.call_later(HEAD_SECONDS, self._refuse)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._stop()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _refuse(self) -> None:
        self.transport.write(STATUS_LINE[408] + LATE)
        self.transport.close()

    def _stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
