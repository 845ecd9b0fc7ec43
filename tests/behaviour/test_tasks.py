# ruff: noqa: PT012  (what raises here is the end of a block, and the block's body is the point)
"""Tasks, threads, interruptions and lost connections: who owns a transaction, and what becomes of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from behaviour_models import TABLES, Author, Post

from crowsfoot import create_tables, transaction
from crowsfoot.database import Database, databases
from crowsfoot.drivers.run import Execute, Operation
from crowsfoot.errors import Error, OperationalError, SynchronousOnlyOperation, TransactionManagementError
from crowsfoot.models import signals
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.transaction import atomic


@pytest.fixture
def memory() -> Iterator[Database]:
    """A database in memory as the default one."""
    before = dict(databases)
    database = databases["default"] = Database("default", "sqlite://:memory:")
    create_tables(*TABLES)
    yield database
    database.close()
    databases.pop("default")
    if "default" in before:
        databases["default"] = before["default"]


def names() -> list[str]:
    return [author.name for author in Author.objects.order_by("name")]


def run(database: Database, main: Any) -> None:
    async def whole() -> None:
        try:
            await main()
        finally:
            await database.aclose()

    asyncio.run(whole())


# -- blocking calls in async code --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: Author.objects.get(name="x"), "aget("),
        (lambda: Author.objects.count(), "acount("),
        (lambda: Author.objects.filter(age=1).update(age=2), "aupdate("),
        (lambda: Author.objects.create(name="x"), "acreate("),
        (lambda: Author(name="x").save(), "asave("),
        (lambda: Author(pk=1).posts.add(Post(pk=1)), "aadd("),
        (lambda: list(Author.objects.all()), "async for"),
        (lambda: len(Author.objects.all()), "acount()"),
        (lambda: bool(Author.objects.all()), "aexists()"),
        (lambda: Author.objects.all()[0], "afirst()"),
        (lambda: repr(Author.objects.all()), "async for"),
        (lambda: list(Author.objects.iterator()), "aiterator("),
        (lambda: Post(author_id=1).load("author"), "aload("),
        (lambda: atomic().__enter__(), "async with atomic()"),
    ],
)
@pytest.mark.usefixtures("memory")
def test_a_blocking_call_names_its_awaitable_twin(call: Any, named: str) -> None:
    async def main() -> None:
        with pytest.raises(SynchronousOnlyOperation) as caught:
            call()
        assert named in str(caught.value)

    asyncio.run(main())


@pytest.mark.usefixtures("memory")
def test_rows_that_async_code_has_prepared_are_not_for_a_blocking_loop() -> None:
    """The first rows of a loop would block, so none of them are given: it fails at once, and not for some data."""

    async def main() -> None:
        await Author.objects.abulk_create([Author(name=str(number)) for number in range(8)])
        first, second, third, *_ = [author async for author in Author.objects.order_by("pk")]
        for author in (first, second):
            assert [post async for post in author.posts.all()] == []
        with pytest.raises(SynchronousOnlyOperation):
            list(third.posts.all())

    asyncio.run(main())


@pytest.mark.parametrize("name", ["DJANGO_ALLOW_ASYNC_UNSAFE", "CROWSFOOT_ALLOW_ASYNC_UNSAFE"])
@pytest.mark.usefixtures("memory")
def test_a_notebook_may_allow_blocking_calls(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> int:
        return Author.objects.count()

    monkeypatch.setenv(name, "1")
    assert asyncio.run(main()) == 0


def test_a_thread_of_async_code_may_block(database: Database) -> None:
    async def main() -> None:
        async with atomic():
            assert await asyncio.to_thread(Author.objects.count) == 0

    run(database, main)


def test_a_receiver_may_not_block_inside_an_async_operation(database: Database) -> None:
    def receiver(**kwargs: Any) -> None:
        with pytest.raises(SynchronousOnlyOperation):
            Author.objects.count()
        called.append(kwargs["sender"])
        transaction.on_commit(lambda: called.append("committed"))

    called: list[Any] = []
    signals.post_save.connect(receiver, sender=Author)

    async def main() -> None:
        async with atomic():
            await Author.objects.acreate(name="a")
            assert called == [Author]

    try:
        run(database, main)
    finally:
        signals.post_save.disconnect(receiver, sender=Author)
    assert called == [Author, "committed"]


# -- tasks -------------------------------------------------------------------------------------------------------------


def test_a_task_started_inside_a_transaction_is_not_in_it(database: Database) -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            async with atomic():
                await Author.objects.acreate(name="mine")
                assert await asyncio.create_task(Author.objects.acount()) == 0
                assert await Author.objects.acount() == 1
                raise ZeroDivisionError
        assert await Author.objects.acount() == 0

    run(database, main)


def test_tasks_have_transactions_of_their_own(database: Database) -> None:
    async def one(number: int) -> None:
        async with atomic():
            await Author.objects.acreate(name=f"a{number}")
            await asyncio.sleep(0)
            await Author.objects.filter(name=f"a{number}").aupdate(age=number)
            if number % 2:
                raise ZeroDivisionError

    async def main() -> None:
        found = await asyncio.gather(*[one(number) for number in range(6)], return_exceptions=True)
        assert [type(result) for result in found] == [type(None), ZeroDivisionError] * 3

    run(database, main)
    assert names() == ["a0", "a2", "a4"]


def test_a_task_that_outlives_the_transaction_it_was_started_in(database: Database) -> None:
    async def later(go: asyncio.Event) -> int:
        await go.wait()
        return await Author.objects.acount()

    async def main() -> None:
        go = asyncio.Event()
        async with atomic():
            await Author.objects.acreate(name="a")
            task = asyncio.create_task(later(go))
        go.set()
        assert await task == 1

    run(database, main)


def test_in_memory_a_task_inside_a_transaction_is_told_instead_of_waiting_forever(memory: Database) -> None:
    async def main() -> None:
        async with atomic():
            await Author.objects.acreate(name="a")
            with pytest.raises(TransactionManagementError, match="another task's atomic block"):
                await asyncio.create_task(Author.objects.acount())
        assert await asyncio.create_task(Author.objects.acount()) == 1

    run(memory, main)


def test_in_memory_other_queries_may_be_asked_while_iterating(memory: Database) -> None:
    Author.objects.bulk_create([Author(name=f"a{n}") for n in range(5)])

    async def main() -> None:
        async for author in Author.objects.order_by("name").aiterator(chunk_size=2):
            author.age = 7
            await asyncio.wait_for(author.asave(), 5)

    run(memory, main)
    assert Author.objects.filter(age=7).count() == 5


def test_a_cancelled_block_rolls_back_and_gives_its_connection_back(database: Database) -> None:
    async def work(started: asyncio.Event) -> None:
        async with atomic():
            await Author.objects.acreate(name="a")
            started.set()
            await asyncio.sleep(60)

    async def main() -> None:
        for _ in range(12):  # more often than the pool has connections
            started = asyncio.Event()
            task = asyncio.create_task(work(started))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert await Author.objects.acount() == 0

    run(database, main)


def test_a_statement_cancelled_inside_a_block_makes_it_unusable(database: Database) -> None:
    slow = "SELECT pg_sleep(60)" if database.vendor == "postgresql" else SLOW_SQLITE

    def sleep(session: Session) -> Operation[None]:
        yield from atomically(session, _execute(slow), savepoint=True)

    async def main() -> None:
        async with atomic():
            await Author.objects.acreate(name="a")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await database.arun(sleep)
            with pytest.raises(TransactionManagementError):
                await Author.objects.acreate(name="b")
        assert await Author.objects.acount() == 0

    run(database, main)


SLOW_SQLITE = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n"
)


def _execute(sql: str) -> Operation[None]:
    yield Execute(sql)


# -- threads and interruptions -----------------------------------------------------------------------------------------


def test_threads_have_connections_of_their_own(database: Database) -> None:
    seen: list[Any] = []

    def work() -> None:
        seen.append(database.session.connection)
        seen.append(Author.objects.count())

    with atomic():
        Author.objects.create(name="a")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen[0] is not database.session.connection
    assert seen[1] == 0


def test_a_thread_that_ends_closes_its_connection(database: Database) -> None:
    seen: list[Any] = []

    def work() -> None:
        Author.objects.count()
        seen.append(database.session.connection)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen[0].closed


def interrupted(session: Session) -> Operation[None]:
    """An operation in a transaction of its own that Ctrl-C ends."""
    yield from atomically(session, _interrupted(), savepoint=True)


def _interrupted() -> Operation[None]:
    yield Execute("INSERT INTO behaviour_author (name) VALUES ('a')")
    raise KeyboardInterrupt


def test_an_interrupted_operation_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(KeyboardInterrupt):
        database.run(interrupted)
    assert not database.session.blocks
    assert names() == []
    Author.objects.create(name="b")
    assert names() == ["b"]


def test_an_interrupted_operation_inside_a_block_makes_it_roll_back(database: Database) -> None:
    with atomic():
        Author.objects.create(name="outer")
        with pytest.raises(KeyboardInterrupt):
            database.run(interrupted)
        with pytest.raises(TransactionManagementError):
            Author.objects.count()
    assert names() == []


def test_ctrl_c_in_a_block_rolls_back(database: Database) -> None:
    with pytest.raises(KeyboardInterrupt), atomic():
        Author.objects.create(name="a")
        raise KeyboardInterrupt
    assert names() == []


# -- connections that go away ------------------------------------------------------------------------------------------


def test_a_connection_that_is_closed_inside_a_block(database: Database) -> None:
    with atomic():
        Author.objects.create(name="a")
        database.close()
        with pytest.raises(Error):
            Author.objects.create(name="b")
    assert names() == []


def test_a_server_that_ends_the_connection(database: Database) -> None:
    if database.vendor != "postgresql":
        pytest.skip("only a server can do that")
    admin = database.copy()

    def end_it() -> None:
        pid = database.session.connection.raw.info.backend_pid
        admin.session.connection.execute("SELECT pg_terminate_backend($1)", (pid,))

    Author.objects.create(name="before")
    end_it()
    with pytest.raises(OperationalError):
        Author.objects.count()
    assert names() == ["before"], "the next query connects again"
    with pytest.raises(Error), atomic():
        Author.objects.create(name="a")
        end_it()
        Author.objects.create(name="b")
    assert names() == ["before"]
    with atomic():  # the error is caught inside: the block still cannot commit
        Author.objects.create(name="a")
        end_it()
        with pytest.raises(Error):
            Author.objects.create(name="b")
        with pytest.raises(TransactionManagementError):
            Author.objects.create(name="c")
    assert names() == ["before"]
    with pytest.raises(Error), atomic():  # it is noticed at COMMIT
        Author.objects.create(name="a")
        end_it()
    assert names() == ["before"]
    admin.close()


# -- for tests ---------------------------------------------------------------------------------------------------------


def test_rolled_back_blocks_nest(database: Database) -> None:
    with database.rolled_back():
        Author.objects.create(name="a")
        with database.rolled_back():
            Author.objects.create(name="b")
            assert names() == ["a", "b"]
        assert names() == ["a"]
        with atomic(durable=True):
            Author.objects.create(name="c")
    assert names() == []


def test_inline_async_code_is_in_the_threads_transaction(database: Database) -> None:
    async def main() -> None:
        assert await Author.objects.acount() == 1
        with pytest.raises(ZeroDivisionError):
            async with atomic():
                await Author.objects.acreate(name="b")
                raise ZeroDivisionError
        async with atomic():
            await Author.objects.acreate(name="c")
        assert [a.name async for a in Author.objects.order_by("name").aiterator()] == ["a", "c"]
        assert await asyncio.to_thread(names) == ["a", "c"]
        with pytest.raises(SynchronousOnlyOperation):
            Author.objects.count()

    with database.rolled_back():
        Author.objects.create(name="a")
        asyncio.run(main())
        assert names() == ["a", "c"]
    assert names() == []


def test_inline_async_code_without_a_transaction(database: Database) -> None:
    async def main() -> None:
        async with atomic():
            await Author.objects.acreate(name="a")
            transaction.on_commit(committed.set)
        await Author.objects.acreate(name="b")

    committed = threading.Event()
    with database.inline():
        session = database.session
        asyncio.run(main())
    assert committed.is_set()
    assert (session, session.blocks) == (database.session, [])
    assert names() == ["a", "b"]
