"""Group commit: rows of many requests in one transaction, each acknowledged when it is durable.

A commit waits for the disk. While one does, the rows of other requests gather, and the next commit
takes them all; so the rate of events is not bounded by that of commits. Rows are stored in the
order in which they were given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from newsreco.api.events import EventStore
from newsreco.api.events.store import Row

AT_MOST = 500  # rows of one transaction
LINGER = 0.01  # seconds in which rows gather before each transaction
WAITING = 20_000  # rows that may wait; more are refused


class Overloaded(Exception):
    """More rows wait than can be stored in time."""


class Writer:
    """Stores rows from one event loop; `async with Writer(store) as writer`."""

    def __init__(self, store: EventStore):
        self.store = store
        self.waiting: asyncio.Queue = asyncio.Queue(WAITING)
        self.last: asyncio.Future | None = None

    async def __aenter__(self) -> Writer:
        self.task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Store what waits, then stop."""
        await self.flush()
        self.task.cancel()

    async def flush(self) -> None:
        """Return when all rows given so far are stored, or have failed."""
        if self.last is not None:  # rows are stored in order, as long as the task lives
            await asyncio.wait([self.last, self.task], return_when=asyncio.FIRST_COMPLETED)

    def put(self, row: Row) -> asyncio.Future:
        """Store a row soon; the future's result is False if its id was known already."""
        done = asyncio.get_running_loop().create_future()
        try:
            self.waiting.put_nowait((row, done))
        except asyncio.QueueFull:
            raise Overloaded from None
        self.last = done
        given = asyncio.shield(done)  # a client that leaves does not take its row along
        given.add_done_callback(_retrieve)  # a row nobody waits for may fail without a warning
        return given

    async def _run(self) -> None:
        while True:
            batch = [await self.waiting.get()]
            await asyncio.sleep(LINGER)
            while len(batch) < AT_MOST and not self.waiting.empty():
                batch.append(self.waiting.get_nowait())
            await self._store(batch)

    async def _store(self, batch: Sequence[tuple[Row, asyncio.Future]]) -> None:
        rows = [row for row, _ in batch]
        try:
            stored = await asyncio.to_thread(self.store.add, rows)
        except Exception as error:  # of any kind: each request gets it, and the next batch goes on
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
        else:
            for (_, done), new in zip(batch, stored):
                if not done.done():  # its client may have gone away
                    done.set_result(new)


def _retrieve(done: asyncio.Future) -> None:
    if not done.cancelled():
        done.exception()
