"""The two loops, with a connection that only records."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

from crowsfoot import errors
from crowsfoot.drivers.run import (
    CloseCursor,
    Execute,
    ExecuteMany,
    Fetch,
    FetchRows,
    OpenCursor,
    Request,
    Script,
    arun,
    run,
)


class Fake:
    """Answers a request with its SQL, or raises what `fails` says for it."""

    def __init__(self, **fails: BaseException) -> None:
        self.fails = fails
        self.log: list[Any] = []

    def _do(self, *call: Any) -> Any:
        self.log.append(call)
        if call[1] in self.fails:
            raise self.fails[call[1]]
        return call[1]

    def fetch(self, sql: str, params: Any, hydrate: Any) -> Any:
        return hydrate([(self._do("fetch", sql, params),)])

    def execute(self, sql: str, params: Any = ()) -> Any:
        return self._do("execute", sql, params)

    def execute_many(self, sql: str, rows: Any) -> Any:
        return self._do("execute_many", sql, rows)

    def script(self, sql: str) -> Any:
        return self._do("script", sql)

    def open_cursor(self, sql: str, params: Any) -> Any:
        return self._do("open_cursor", sql, params)

    def fetch_rows(self, cursor: Any, size: int) -> Any:
        return self._do("fetch_rows", cursor, size)

    def close_cursor(self, cursor: Any) -> Any:
        return self._do("close_cursor", cursor)


class AsyncFake:
    """The same behind awaits."""

    def __init__(self, inner: Fake) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        async def method(*args: Any) -> Any:
            await asyncio.sleep(0)
            return getattr(self.inner, name)(*args)

        return method


def sync_drive(connection: Fake, operation: Any) -> Any:
    return run(connection, operation)  # type: ignore[arg-type]


def async_drive(connection: Fake, operation: Any) -> Any:
    return asyncio.run(arun(AsyncFake(connection), operation))  # type: ignore[arg-type]


@pytest.fixture(params=[sync_drive, async_drive], ids=["run", "arun"])
def drive(request: pytest.FixtureRequest) -> Any:
    return request.param


Steps = Generator[Request, Any, Any]


def test_every_request_calls_its_method_and_gets_its_answer(drive: Any) -> None:
    def operation() -> Steps:
        answers = [
            (yield Fetch("a", (1,), list)),
            (yield Execute("b")),
            (yield ExecuteMany("c", [(1,)])),
            (yield Script("d")),
            (yield OpenCursor("e")),
            (yield FetchRows("f", 3)),
            (yield CloseCursor("g")),
        ]
        return answers

    fake = Fake()
    assert drive(fake, operation()) == [[("a",)], "b", "c", "d", "e", "f", "g"]
    assert fake.log == [
        ("fetch", "a", (1,)),
        ("execute", "b", ()),
        ("execute_many", "c", [(1,)]),
        ("script", "d"),
        ("open_cursor", "e", ()),
        ("fetch_rows", "f", 3),
        ("close_cursor", "g"),
    ]


def test_an_operation_without_requests_returns_its_value(drive: Any) -> None:
    def operation() -> Steps:
        return 7
        yield

    assert drive(Fake(), operation()) == 7


def test_an_error_arrives_at_its_yield_and_can_be_handled(drive: Any) -> None:
    def operation() -> Steps:
        try:
            yield Execute("bad")
        except errors.IntegrityError as error:
            yield Execute("repair")
            return str(error)

    fake = Fake(bad=errors.IntegrityError("no"))
    assert drive(fake, operation()) == "no"
    assert [call[1] for call in fake.log] == ["bad", "repair"]


@pytest.mark.parametrize("error", [errors.OperationalError("gone"), ValueError("hydrate"), StopIteration("next")])
def test_an_error_that_nobody_handles_leaves_after_the_generator_cleaned_up(drive: Any, error: Exception) -> None:
    def operation() -> Steps:
        try:
            yield Execute("bad")
        except Exception:
            yield Execute("ROLLBACK")
            raise

    fake = Fake(bad=error)
    # Python turns a StopIteration that leaves a generator, or a coroutine, into a RuntimeError.
    with pytest.raises((type(error), RuntimeError)):
        drive(fake, operation())
    assert fake.log[-1][1] == "ROLLBACK"


def test_a_failing_cleanup_is_thrown_in_too(drive: Any) -> None:
    def operation() -> Steps:
        try:
            yield Execute("bad")
        except errors.Error:
            try:
                yield Execute("worse")
            except errors.Error as error:
                return f"saw {error}"

    assert drive(Fake(bad=errors.Error("1"), worse=errors.Error("2")), operation()) == "saw 2"


def test_a_base_exception_closes_the_generator(drive: Any) -> None:
    seen: list[str] = []

    def operation() -> Steps:
        try:
            yield Execute("bad")
        except Exception:
            seen.append("exception")
        finally:
            seen.append("finally")

    with pytest.raises(KeyboardInterrupt):
        drive(Fake(bad=KeyboardInterrupt()), operation())
    assert seen == ["finally"]


def test_a_cancelled_task_closes_the_generator() -> None:
    seen: list[str] = []

    class Slow:
        async def execute(self, sql: str, params: Any) -> int:
            await asyncio.sleep(60)
            return 0

    def operation() -> Steps:
        try:
            yield Execute("slow")
        except Exception:
            seen.append("exception")
        finally:
            seen.append("finally")

    async def main() -> None:
        task = asyncio.create_task(arun(Slow(), operation()))  # type: ignore[arg-type]
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert seen == ["finally"]
