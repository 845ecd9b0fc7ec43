"""The pool of async connections."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from crowsfoot.drivers.connection import AsyncConnection
from crowsfoot.errors import InterfaceError


class _Bench:
    """The pool's state for one event loop."""

    __slots__ = ("busy", "idle", "size", "waiters")

    def __init__(self) -> None:
        self.size = 0  # open or being opened
        self.idle: list[AsyncConnection] = []
        self.busy: set[AsyncConnection] = set()
        # A waiter is handed a connection, or None: the right to open one.
        self.waiters: deque[asyncio.Future[AsyncConnection | None]] = deque()

    def hand_on(self, connection: AsyncConnection | None) -> None:
        """Give a connection, or the place of one that is gone, to who has waited longest."""
        while self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if connection is None:
            self.size -= 1
        else:
            self.idle.append(connection)


class Pool:
    """Up to ``max_size`` async connections per event loop; the one used last is handed out first.

    Taking and returning a clean connection sends nothing. One that was left in a transaction or with session state is
    reset; one that is closed is forgotten and its place given on. Event loops do not share connections, and those of a
    loop that has ended are dropped when the next loop comes.
    """

    def __init__(self, open: Callable[[], Awaitable[AsyncConnection]], max_size: int = 10) -> None:
        if max_size < 1:
            raise ValueError("max_size must be at least 1")
        self.max_size = max_size
        self._open = open
        self._benches: dict[asyncio.AbstractEventLoop, _Bench] = {}
        self._leaving: set[AsyncConnection] = set()  # taken when the pool was closed

    async def acquire(self) -> AsyncConnection:
        """A connection for the current task alone, until ``release``. Waits, first come first served, for a free one.

        Raises what opening a connection raises.
        """
        loop = asyncio.get_running_loop()
        bench = self._benches.get(loop) or self._new_bench(loop)
        if not bench.waiters:
            while bench.idle:
                connection = bench.idle.pop()
                if not connection.closed:
                    bench.busy.add(connection)
                    return connection
                bench.size -= 1
            if bench.size < self.max_size:
                bench.size += 1
                return await self._fill(bench)
        return await self._wait(loop, bench)

    async def release(self, connection: AsyncConnection) -> None:
        """Take a connection back. Raises ``InterfaceError`` for one that was not acquired in this event loop."""
        if connection in self._leaving:
            self._leaving.discard(connection)
            await connection.close()
            return
        bench = self._benches.get(asyncio.get_running_loop())
        if bench is None or connection not in bench.busy:
            raise InterfaceError(
                "This connection was not acquired from this pool in this event loop, or was released before."
            )
        bench.busy.discard(connection)
        usable: AsyncConnection | None = None
        try:
            if not connection.closed:
                if connection.needs_reset:
                    await connection.reset()
                usable = connection
        except Exception:  # it cannot be cleaned: the next one gets a new connection
            connection.abandon()
        except BaseException:
            connection.abandon()
            raise
        finally:
            bench.hand_on(usable)

    async def close(self) -> None:
        """Close the idle connections of this event loop and drop those of others.

        Connections that are taken close when they are released. Tasks that wait for one get an ``InterfaceError``. A
        later ``acquire`` opens the pool anew.
        """
        loop = asyncio.get_running_loop()
        for other in list(self._benches):
            bench = self._benches.pop(other)
            if other is not loop:
                _drop(other, [*bench.idle, *bench.busy])
                continue
            self._leaving |= bench.busy
            for waiter in bench.waiters:
                if not waiter.done():
                    waiter.set_exception(InterfaceError("The pool was closed while this task waited for a connection."))
            for connection in bench.idle:
                await connection.close()

    async def _fill(self, bench: _Bench) -> AsyncConnection:
        """Open a connection in a place that is already counted."""
        try:
            connection = await self._open()
        except BaseException:
            bench.hand_on(None)
            raise
        bench.busy.add(connection)
        return connection

    async def _wait(self, loop: asyncio.AbstractEventLoop, bench: _Bench) -> AsyncConnection:
        waiter: asyncio.Future[AsyncConnection | None] = loop.create_future()
        bench.waiters.append(waiter)
        try:
            connection = await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                bench.hand_on(waiter.result())  # handed over in the moment of the cancellation
            raise
        if connection is None:
            return await self._fill(bench)
        bench.busy.add(connection)
        return connection

    def _new_bench(self, loop: asyncio.AbstractEventLoop) -> _Bench:
        for other in [known for known in self._benches if known.is_closed()]:
            bench = self._benches.pop(other)
            _drop(other, [*bench.idle, *bench.busy])
        bench = self._benches[loop] = _Bench()
        return bench


def _drop(loop: asyncio.AbstractEventLoop, connections: Iterable[AsyncConnection]) -> None:
    for connection in connections:
        if loop.is_closed():
            connection.abandon()
        else:  # a loop that runs in another thread, or will run again
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(connection.abandon)
