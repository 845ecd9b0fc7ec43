"""A thread that owns something which blocks, and runs what event loops send it, one job after the other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from crowsfoot.errors import InterfaceError

# The task that waits for a job, for whoever wants to know where it stands. It is noted while somebody is in WATCHERS.
TASK: ContextVar[asyncio.Task[Any] | None] = ContextVar("crowsfoot_task", default=None)
WATCHERS: list[object] = []

P = ParamSpec("P")
T = TypeVar("T")


class _Job:
    __slots__ = ("args", "context", "function", "future", "loop")

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], context: Context, future: asyncio.Future[Any]
    ) -> None:
        self.function, self.args, self.context, self.future = function, args, context, future
        self.loop = future.get_loop()

    def run(self) -> None:
        """In the worker's thread: run, and send the outcome to the loop that waits for it."""
        if self.future.cancelled():
            return
        result: Any = None
        error: BaseException | None = None
        try:
            result = self.context.run(self.function, *self.args)
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # the loop has ended; nobody waits
            self.loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class _Last:
    """The end of the queue, and what to do before the thread ends."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function


def _serve(jobs: SimpleQueue[_Job | _Last]) -> None:
    while isinstance(job := jobs.get(), _Job):
        job.run()
        del job  # not to keep its result alive until the next one
    job.function()


def _nothing() -> None:
    pass


class Worker:
    """The thread starts with the first job and ends with ``stop()``. Usable from several event loops.

    ``interrupt`` is called, from the loop's thread, when the task that waits for a running job is cancelled.
    """

    def __init__(self, name: str, interrupt: Callable[[], None] = _nothing) -> None:
        self._jobs: SimpleQueue[_Job | _Last] = SimpleQueue()
        self._name = name
        self._interrupt = interrupt
        self._thread: threading.Thread | None = None
        self._stopped = False

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``function(*args)`` in the thread, in the caller's context variables; one hop, about 30 us.

        A cancelled call that has not begun is skipped. One that runs is interrupted and waited for, so that afterwards
        the thread has nothing of this task left to do. Raises ``InterfaceError`` after ``stop()``.
        """
        if kwargs:
            raise TypeError("call() passes positional arguments only")
        if self._stopped:
            raise InterfaceError("The connection is closed: open a new one.")
        future: asyncio.Future[T] = self._send(function, args)
        try:
            return await future
        except asyncio.CancelledError:
            if not self._stopped:
                self._interrupt()
                await self._finish()
            raise

    def stop(self, last: Callable[[], None] = _nothing) -> None:
        """End the thread once the jobs sent so far and then ``last`` are done. Returns at once; twice is no error."""
        if not self._stopped:
            self._stopped = True
            if self._thread is None:
                last()
            else:
                self._jobs.put(_Last(last))

    def __del__(self) -> None:
        self.stop()  # a connection that was forgotten does not keep its thread

    def _send(self, function: Callable[..., Any], args: tuple[Any, ...]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        context = copy_context()
        if WATCHERS:
            context.run(TASK.set, asyncio.current_task())
        self._jobs.put(_Job(function, args, context, future))
        if self._thread is None:
            # A daemon: a program that forgets to close a connection still ends.
            self._thread = threading.Thread(target=_serve, args=(self._jobs,), name=self._name, daemon=True)
            self._thread.start()
        return future

    async def _finish(self) -> None:
        """Wait until the job that runs now is done, however often the task is cancelled meanwhile."""
        barrier = self._send(_nothing, ())
        while not barrier.done():
            try:
                await asyncio.wait([barrier])
            except asyncio.CancelledError:
                continue
