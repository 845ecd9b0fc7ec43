# ruff: noqa: PT012  (what raises here is the end of a block, and the block's body is the point)
"""`atomic` and its companions, one body for sync and async."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from behaviour_models import Author

from crowsfoot import transaction
from crowsfoot.database import Database
from crowsfoot.drivers.run import Execute
from crowsfoot.errors import DatabaseError, IntegrityError, TransactionManagementError
from crowsfoot.transaction import atomic


class Oops(Exception):
    pass


def execute(session: Any, sql: str) -> Any:
    yield Execute(sql)


class Statement:
    def __init__(self, database: Database, sql: str) -> None:
        self.database, self.sql = database, sql

    def run(self) -> None:
        self.database.run(execute, self.sql)

    async def arun(self) -> None:
        await self.database.arun(execute, self.sql)


async def make(do: Any, *names: str) -> None:
    for name in names:
        await do(Author.objects.create, name=name)


async def names(do: Any) -> list[str]:
    return [author.name for author in await do.rows(Author.objects.order_by("name"))]


async def test_a_block_commits_or_rolls_back(do: Any) -> None:
    with do.captured() as sent:
        async with do.atomic():
            await make(do, "a")
    assert [q["sql"].split()[0] for q in sent] == ["BEGIN", "INSERT", "COMMIT"]
    with pytest.raises(Oops):
        async with do.atomic():
            await make(do, "b")
            assert await names(do) == ["a", "b"]
            raise Oops
    assert await names(do) == ["a"]


async def test_sqlite_takes_its_lock_at_the_start(do: Any) -> None:
    with do.captured() as sent:
        async with do.atomic():
            pass
    assert [q["sql"] for q in sent] == ["BEGIN IMMEDIATE" if do.vendor == "sqlite" else "BEGIN", "COMMIT"]


@pytest.mark.parametrize("outer_fails", [False, True])
@pytest.mark.parametrize("inner_fails", [False, True])
async def test_blocks_in_blocks(do: Any, inner_fails: bool, outer_fails: bool) -> None:
    try:
        async with do.atomic():
            await make(do, "outer")
            try:
                async with do.atomic():
                    await make(do, "inner")
                    if inner_fails:
                        raise Oops
            except Oops:
                pass
            await make(do, "after")
            if outer_fails:
                raise Oops
    except Oops:
        pass
    kept = ["after", "inner", "outer"]
    assert await names(do) == ([] if outer_fails else [n for n in kept if not (inner_fails and n == "inner")])


async def test_an_error_inside_a_savepoint_leaves_the_rest_usable(do: Any) -> None:
    async with do.atomic():
        await make(do, "a")
        for _ in range(2):
            with pytest.raises(IntegrityError):
                async with do.atomic():
                    await make(do, "b", "a")
        await make(do, "c")
    assert await names(do) == ["a", "c"]


async def test_an_error_that_is_caught_in_its_own_block_breaks_it(do: Any) -> None:
    async with do.atomic():
        await make(do, "a")
        with pytest.raises(IntegrityError) as first:
            await make(do, "a")
        with do.queries(0):
            with pytest.raises(TransactionManagementError, match="until the end of the 'atomic' block") as caught:
                await make(do, "b")
            assert caught.value.__cause__ is first.value
            with pytest.raises(TransactionManagementError):
                await do.rows(Author.objects.all())
    assert await names(do) == []


async def test_a_failed_read_breaks_its_block_too(do: Any) -> None:
    async with do.atomic():
        await make(do, "a")
        with pytest.raises(DatabaseError, match="nowhere"):
            await do(Statement(do.database, "SELECT * FROM nowhere").run)
        with pytest.raises(TransactionManagementError):
            await make(do, "b")
    assert await names(do) == []


async def test_a_block_without_a_savepoint(do: Any) -> None:
    with do.captured() as sent:
        async with do.atomic(), do.atomic(savepoint=False):
            await make(do, "a")
    assert [q["sql"].split()[0] for q in sent] == ["BEGIN", "INSERT", "COMMIT"]
    async with do.atomic():
        with pytest.raises(Oops):
            async with do.atomic(savepoint=False):
                await make(do, "b")
                raise Oops
        assert transaction.get_rollback()
        with pytest.raises(TransactionManagementError):
            await make(do, "c")
    async with do.atomic():
        async with do.atomic():
            with pytest.raises(Oops):
                async with do.atomic(savepoint=False):
                    await make(do, "d")
                    raise Oops
        await make(do, "e")
    assert await names(do) == ["a", "e"]


async def test_durable(do: Any) -> None:
    async with do.atomic(durable=True):
        await make(do, "a")
    async with do.atomic():
        with pytest.raises(RuntimeError, match="durable"):
            async with do.atomic(durable=True):
                raise AssertionError
        await make(do, "b")
    assert await names(do) == ["a", "b"]


async def test_decorated_functions(do: Any) -> None:
    @atomic
    def sync(fail: bool) -> str:
        Author.objects.create(name="sync")
        if fail:
            raise Oops
        return "done"

    @atomic(savepoint=False)
    async def awaited(fail: bool) -> str:
        await Author.objects.acreate(name="async")
        if fail:
            raise Oops
        return "done"

    async def call(fail: bool) -> str:
        return await awaited(fail) if do.is_async else sync(fail)

    assert sync.__name__ == "sync"
    with pytest.raises(Oops):
        await call(True)
    assert await names(do) == []
    assert await call(False) == "done"
    assert await names(do) == ["async" if do.is_async else "sync"]


async def test_one_atomic_object_may_be_entered_in_itself(do: Any) -> None:
    block = atomic()

    async def nested(depth: int) -> None:
        if do.is_async:
            async with block:
                await inside(depth)
        else:
            with block:
                await inside(depth)

    async def inside(depth: int) -> None:
        await make(do, f"a{depth}")
        if depth:
            await nested(depth - 1)

    await nested(2)
    assert await names(do) == ["a0", "a1", "a2"]


# -- on_commit ---------------------------------------------------------------------------------------------------------


async def test_on_commit_runs_after_the_outermost_commit(do: Any) -> None:
    called: list[str] = []
    async with do.atomic():
        transaction.on_commit(lambda: called.append("first"))
        async with do.atomic():
            transaction.on_commit(lambda: called.append("inner"))
        with pytest.raises(Oops):
            async with do.atomic():
                transaction.on_commit(lambda: called.append("never"))
                raise Oops
        transaction.on_commit(lambda: called.append("last"))
        assert called == []
    assert called == ["first", "inner", "last"]
    async with do.atomic():
        pass
    assert len(called) == 3
    with pytest.raises(Oops):
        async with do.atomic():
            transaction.on_commit(lambda: called.append("never"))
            raise Oops
    transaction.on_commit(lambda: called.append("at once"))
    assert called[3:] == ["at once"]
    with pytest.raises(TypeError, match="callable"):
        transaction.on_commit("not me")  # type: ignore[arg-type]


async def test_on_commit_callbacks_may_query_and_fail(do: Any, caplog: pytest.LogCaptureFixture) -> None:
    called: list[Any] = []

    async def asks() -> None:
        called.append(await names(do))

    def fails() -> None:
        raise Oops

    def look() -> Any:
        return asks() if do.is_async else called.append([a.name for a in Author.objects.all()])

    with pytest.raises(Oops), caplog.at_level(logging.ERROR):
        async with do.atomic():
            await make(do, "a")
            transaction.on_commit(fails, robust=True)
            transaction.on_commit(look)
            transaction.on_commit(fails)
            transaction.on_commit(look)
    assert called == [["a"]]
    assert "Error calling" in caplog.text
    assert await names(do) == ["a"]
    await do(transaction.on_commit, look)
    assert len(called) == 2


# -- by hand -----------------------------------------------------------------------------------------------------------


async def test_savepoints_by_hand(do: Any) -> None:
    assert await do(transaction.savepoint) is None, "there is no transaction"
    called: list[str] = []
    async with do.atomic():
        await make(do, "a")
        first = await do(transaction.savepoint)
        await make(do, "b")
        transaction.on_commit(lambda: called.append("never"))
        await do(transaction.savepoint_rollback, first)
        second = await do(transaction.savepoint)
        await make(do, "c")
        await do(transaction.savepoint_commit, second)
    assert await names(do) == ["a", "c"]
    assert called == []


async def test_going_on_after_an_error_by_hand(do: Any) -> None:
    async with do.atomic():
        await make(do, "a")
        sid = await do(transaction.savepoint)
        with pytest.raises(IntegrityError):
            await make(do, "a")
        await do(transaction.savepoint_rollback, sid)
        transaction.set_rollback(False)
        await make(do, "b")
    assert await names(do) == ["a", "b"]


async def test_the_rollback_flag(do: Any) -> None:
    async with do.atomic():
        await make(do, "a")
        async with do.atomic():
            await make(do, "b")
            assert not transaction.get_rollback()
            transaction.set_rollback(True)
            assert transaction.get_rollback()
        assert not transaction.get_rollback()
    assert await names(do) == ["a"]
    for ask in (transaction.get_rollback, lambda: transaction.set_rollback(True)):
        with pytest.raises(TransactionManagementError, match="outside of an 'atomic' block"):
            ask()


async def test_marking_for_rollback(do: Any) -> None:
    with pytest.raises(Oops), transaction.mark_for_rollback_on_error():
        raise Oops
    async with do.atomic():
        await make(do, "a")
        with pytest.raises(Oops), transaction.mark_for_rollback_on_error():
            raise Oops
    assert await names(do) == []


# -- what goes wrong at the end ----------------------------------------------------------------------------------------


@pytest.fixture
def deferred(database: Database) -> Iterator[None]:
    """A table whose foreign key is checked at COMMIT."""
    columns = "id integer PRIMARY KEY, other integer REFERENCES behaviour_late (id) DEFERRABLE INITIALLY DEFERRED"
    database.run(execute, f"CREATE TABLE behaviour_late ({columns})")
    yield
    database.run(execute, "DROP TABLE behaviour_late")


@pytest.mark.usefixtures("deferred")
async def test_a_commit_that_fails_rolls_back(do: Any) -> None:
    called: list[str] = []
    with pytest.raises(IntegrityError):
        async with do.atomic():
            await make(do, "a")
            transaction.on_commit(lambda: called.append("never"))
            await do(Statement(do.database, "INSERT INTO behaviour_late VALUES (1, 99)").run)
    assert called == []
    assert await names(do) == []
    async with do.atomic():
        await make(do, "b")
    assert await names(do) == ["b"]
