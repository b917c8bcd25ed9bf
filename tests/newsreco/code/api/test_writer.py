"""Group commit: every row is acknowledged after it is stored, in order, and failures reach it."""

import asyncio

import pytest

from newsreco.api.writer import Overloaded, Writer


class Store:
    """Remembers the batches it was given; each takes a while."""

    def __init__(self):
        self.batches, self.broken = [], False

    def add(self, rows):
        import time

        time.sleep(0.01)
        if self.broken:
            raise ConnectionError("gone")
        self.batches.append(list(rows))
        return [row % 2 == 0 for row in rows]


def finish(work):
    """The result of a coroutine; a writer that has stopped fails instead of waiting for ever."""
    return asyncio.run(asyncio.wait_for(work, 20))


def test_rows_that_wait_are_stored_together_in_order():
    async def run():
        store = Store()
        async with Writer(store) as writer:
            results = await asyncio.gather(*(writer.put(n) for n in range(200)))
        return store, results

    store, results = finish(run())
    assert results == [n % 2 == 0 for n in range(200)]
    assert [row for batch in store.batches for row in batch] == list(range(200))
    assert len(store.batches) < 10


def test_a_failure_reaches_each_row_and_the_next_batch_is_stored():
    async def run():
        store = Store()
        async with Writer(store) as writer:
            store.broken = True
            failed = await asyncio.gather(*(writer.put(n) for n in (1, 2)), return_exceptions=True)
            store.broken = False
            return failed, await writer.put(4)

    failed, stored = finish(run())
    assert [type(error) for error in failed] == [ConnectionError] * 2 and stored


def test_a_client_that_leaves_does_not_stop_the_others():
    async def run():
        async with Writer(Store()) as writer:
            left, stays = writer.put(2), writer.put(4)
            left.cancel()
            return await stays

    assert finish(run())


def test_more_rows_than_can_wait_are_refused(monkeypatch):
    monkeypatch.setattr("newsreco.api.writer.WAITING", 3)

    async def run():
        writer = Writer(Store())  # not started: nothing leaves the queue
        for n in range(3):
            writer.put(n)
        with pytest.raises(Overloaded):
            writer.put(3)

    finish(run())


def test_flush_waits_for_earlier_rows_and_not_for_later_ones():
    async def run():
        store = Store()
        async with Writer(store) as writer:
            writer.put(1)
            flushed = asyncio.create_task(writer.flush())
            await asyncio.sleep(0)
            for n in range(2, 40):
                await writer.put(n)
                if flushed.done():
                    return store.batches[0], n

    first, n = finish(run())
    assert first[0] == 1 and n < 5


def test_what_waits_is_stored_before_the_end():
    async def run():
        store = Store()
        async with Writer(store) as writer:
            writer.put(1)
            writer.put(2)
        return store

    assert finish(run()).batches == [[1, 2]]
