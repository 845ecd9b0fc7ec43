"""SQLite: what only it does. What all drivers do alike is in test_alike.py."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import pytest

from crowsfoot import errors
from crowsfoot.drivers import sqlite, sqlite_async
from crowsfoot.drivers.pool import Pool
from crowsfoot.drivers.run import Execute, Fetch, OpenCursor
from crowsfoot.drivers.url import URLParts, parse_url

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


@pytest.fixture
def parts(tmp_path: Path) -> URLParts:
    return parse_url(f"sqlite:///{tmp_path}/blog.db?timeout=0.05")


@pytest.fixture
def connection(parts: URLParts) -> Any:
    connection = sqlite.connect(parts)
    yield connection
    connection.close()


def one(connection: Any, sql: str, *params: Any) -> Any:
    return connection.fetch(sql, params, list)[0][0]


# -- opening -----------------------------------------------------------------------------------------------------------


def test_settings_of_a_connection(connection: Any) -> None:
    assert one(connection, "PRAGMA journal_mode") == "wal"
    assert one(connection, "PRAGMA foreign_keys") == 1
    assert one(connection, "PRAGMA synchronous") == 1
    assert one(connection, "PRAGMA busy_timeout") == 50
    with pytest.raises(errors.OperationalError):
        connection.execute('SELECT "misspelt"')


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.OperationalError, match="not/there does not exist"):
        sqlite.connect(parse_url(f"sqlite:///{tmp_path}/not/there/blog.db"))
    with pytest.raises(errors.OperationalError, match="is a folder"):
        sqlite.connect(parse_url(f"sqlite:///{tmp_path}"))


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear reader, " * 100)
    with pytest.raises(errors.DatabaseError, match=r"letter\.txt.*not a SQLite database"):
        sqlite.connect(parse_url(f"sqlite:///{tmp_path}/letter.txt"))


def test_a_read_only_uri_reads_and_does_not_write(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "blog.db") as made:
        made.execute("CREATE TABLE t (a)")
    made.close()
    connection = sqlite.connect(parse_url(f"sqlite:///file:{tmp_path}/blog.db?mode=ro"))
    assert connection.fetch("SELECT * FROM t", (), list) == []
    with pytest.raises(errors.OperationalError, match=r"blog\.db.*may not be written"):
        connection.execute("INSERT INTO t VALUES (1)")
    connection.close()


def test_functions_are_there_on_each_connection(parts: URLParts, tmp_path: Path) -> None:
    functions = [("twice", 1, lambda x: x * 2, True), ("boom", 0, lambda: 1 / 0, False)]
    for each in (parts, memory := parse_url("sqlite://:memory:"), memory):
        connection = sqlite.connect(each, functions)
        assert one(connection, "SELECT twice(?)", 21) == 42
        with pytest.raises(ZeroDivisionError):  # the function's own error, unchanged
            connection.execute("SELECT boom()")
        connection.close()


# -- values and errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 0, -(2**63), 2**63 - 1, 1.5, "", "ä\0b", b"", b"\0\xff", True])
def test_what_sqlite_stores_comes_back(connection: Any, value: Any) -> None:
    assert one(connection, "SELECT ?", value) == value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Decimal(1), "Parameter 2 is a decimal.Decimal"),
        (object(), "a object"),
        (2**63, "64 bits"),
        ("\ud800", "surrogate"),
    ],
)
def test_what_it_does_not_store_is_named(connection: Any, value: Any, says: str) -> None:
    with pytest.raises(errors.DataError, match=says) as caught:
        connection.fetch("SELECT ?, ?", (1, value), list)
    assert caught.value.__cause__ is not None
    connection.script("CREATE TABLE t (a, b)")
    with pytest.raises(errors.DataError, match=says):
        connection.execute_many("INSERT INTO t VALUES (?, ?)", [(1, 1), (2, value)])


@pytest.mark.parametrize(
    ("sql", "constraint", "table", "columns"),
    [
        ("INSERT INTO t VALUES (1, 5, 5, 1, NULL)", None, "t", ("id",)),
        ("INSERT INTO t VALUES (2, 1, 2, 1, NULL)", None, "t", ("a", "b")),
        ("INSERT INTO t VALUES (2, 5, 5, NULL, NULL)", None, "t", ("c",)),
        ("INSERT INTO t VALUES (2, 5, 5, -1, NULL)", "positive", None, ()),
        ("INSERT INTO t VALUES (2, 5, 5, 1, 99)", None, None, ()),
        ("INSERT INTO t VALUES (2, 6, 9, 1, NULL)", "half", None, ()),
    ],
)
def test_constraints(connection: Any, sql: str, constraint: Any, table: Any, columns: Any) -> None:
    connection.script(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c NOT NULL CONSTRAINT positive CHECK (c > 0),"
        " parent REFERENCES t (id), UNIQUE (a, b)); CREATE UNIQUE INDEX half ON t (a / 2) WHERE a > 5;"
        "INSERT INTO t VALUES (1, 1, 2, 1, NULL), (7, 7, 2, 1, NULL)"
    )
    with pytest.raises(errors.IntegrityError, match=r"constraint failed.*blog\.db") as caught:
        connection.execute(sql)
    error = caught.value
    assert (error.constraint, error.table, error.columns) == (constraint, table, columns)
    assert isinstance(error.__cause__, apsw.ConstraintError)


def test_a_locked_file_says_who_and_what_to_do(connection: Any, parts: URLParts) -> None:
    other = sqlite.connect(parts)
    connection.script("CREATE TABLE t (a); BEGIN IMMEDIATE")
    with pytest.raises(errors.OperationalError, match=r"database is locked.*blog\.db.*\?timeout="):
        other.execute("INSERT INTO t VALUES (1)")
    assert other.fetch("SELECT * FROM t", (), list) == []  # WAL: readers do not wait
    connection.execute("COMMIT")
    assert other.execute("INSERT INTO t VALUES (1)") == 1
    other.close()


def test_a_failed_statement_holds_no_lock(connection: Any, parts: URLParts) -> None:
    connection.script("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")

    def stop(rows: Any) -> None:
        next(iter(rows))
        raise KeyError("hydrate")

    with pytest.raises(KeyError):
        connection.fetch("SELECT a FROM t", (), stop)
    connection.execute("DROP TABLE t")


def test_a_statement_inside_a_hydrate_does_not_disturb_it(connection: Any) -> None:
    connection.script("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)")

    def hydrate(rows: Any) -> list[Any]:
        return [(row[0], one(connection, "SELECT count(*) FROM t")) for row in rows]

    assert connection.fetch("SELECT a FROM t ORDER BY a", (), hydrate) == [(1, 3), (2, 3), (3, 3)]


# -- in memory ---------------------------------------------------------------------------------------------------------


def test_a_second_thread_waits_for_the_statement_of_the_first(parts: URLParts) -> None:
    connection = sqlite.connect(parts)
    connection.execute("CREATE TABLE t (n integer)")
    began, go = threading.Event(), threading.Event()
    seen: list[str] = []

    def slow(rows: Any) -> None:
        began.set()
        assert go.wait(10)
        list(rows)
        seen.append("first")

    def second() -> None:
        assert began.wait(10)
        connection.execute("INSERT INTO t VALUES (1)")
        seen.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    released = threading.Timer(0.1, go.set)
    released.start()
    connection.fetch("SELECT n FROM t", (), slow)
    thread.join()
    released.join()
    assert seen == ["first", "second"]
    connection.close()


@pytest.mark.parametrize("url", ["sqlite://:memory:", "sqlite:///file:shared?mode=memory&cache=shared"])
def test_a_memory_database_is_one_for_all_threads_and_for_async(url: str) -> None:
    parts = parse_url(url)
    first = sqlite.connect(parts)
    first.script("CREATE TABLE t (a)")

    def insert() -> None:
        mine = sqlite.connect(parts)
        for number in range(50):
            mine.execute("INSERT INTO t VALUES (?)", (number,))
        mine.close()

    async def ainsert() -> None:
        mine = await sqlite_async.aconnect(parts)

        def operation() -> Any:
            for number in range(50):
                yield Execute("INSERT INTO t VALUES (?)", (number,))
            return (yield Fetch("SELECT count(*) >= 50 FROM t", (), list))

        assert await mine.drive(operation()) == [(1,)]
        await mine.close()

    threads = [threading.Thread(target=insert) for _ in range(4)]
    for thread in threads:
        thread.start()
    asyncio.run(ainsert())
    for thread in threads:
        thread.join()
    assert one(first, "SELECT count(*) FROM t") == 250
    first.close()
    assert first.closed
    again = sqlite.connect(parts)
    assert one(again, "SELECT count(*) FROM t") == 250
    again.close()


def test_other_urls_are_other_databases_and_they_go_with_their_parts() -> None:
    url = "sqlite:///file:gone?mode=memory&cache=shared"
    parts = parse_url(url)
    connection = sqlite.connect(parts)
    connection.script("CREATE TABLE t (a)")
    for other in (parse_url("sqlite://:memory:"), parse_url("sqlite:///file:else?mode=memory&cache=shared")):
        with pytest.raises(errors.OperationalError, match="no such table"):
            sqlite.connect(other).execute("SELECT * FROM t")
    connection.close()
    del parts, connection
    gc.collect()
    with pytest.raises(errors.OperationalError, match="no such table"):
        sqlite.connect(parse_url(url)).execute("SELECT * FROM t")


def test_a_memory_transaction_is_seen_by_all_and_ended_only_by_its_owner() -> None:
    parts = parse_url("sqlite://:memory:")
    owner = sqlite.connect(parts)
    owner.script("CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1)")

    async def main() -> None:
        async def aopen() -> Any:
            return await sqlite_async.aconnect(parts)

        pool = Pool(aopen, 2)
        guest = await pool.acquire()
        assert guest.in_transaction
        assert await guest.fetch("SELECT a FROM t", (), list) == [(1,)]
        await pool.release(guest)
        await pool.close()

    asyncio.run(main())
    assert owner.in_transaction
    owner.close()
    other = sqlite.connect(parts)
    assert not other.in_transaction
    assert other.fetch("SELECT a FROM t", (), list) == []


# -- async -------------------------------------------------------------------------------------------------------------


def test_a_whole_operation_is_one_hop(parts: URLParts) -> None:
    def operation() -> Any:
        yield Execute("CREATE TABLE t (a)")
        for number in range(10):
            yield Execute("INSERT INTO t VALUES (?)", (number,))
        threads = yield Fetch("SELECT count(*) FROM t", (), lambda rows: (list(rows), threading.current_thread().name))
        return threads

    async def main() -> None:
        connection = await sqlite_async.aconnect(parts)
        hops: list[Any] = []
        send = connection.worker._send
        connection.worker._send = lambda *job: hops.append(job) or send(*job)  # type: ignore[method-assign, func-returns-value]
        rows, thread = await connection.drive(operation())
        assert rows == [(10,)]
        assert thread.startswith("crowsfoot sqlite:///")
        assert len(hops) == 1
        await connection.close()

    asyncio.run(main())


def test_a_cancelled_statement_is_interrupted_and_the_connection_is_fine(parts: URLParts) -> None:
    async def main() -> None:
        connection = await sqlite_async.aconnect(parts)
        task = asyncio.create_task(connection.fetch(ENDLESS, (), list))
        queued = asyncio.create_task(connection.execute("BEGIN"))
        await asyncio.sleep(0.05)
        queued.cancel()
        task.cancel()
        for each in (task, queued):
            with pytest.raises(asyncio.CancelledError):
                await each
        assert not connection.in_transaction  # the BEGIN was never sent
        assert await connection.fetch("SELECT 1", (), list) == [(1,)]
        await connection.close()

    asyncio.run(main())


def test_forgotten_connections_leave_no_thread(parts: URLParts) -> None:
    others = set(threading.enumerate())  # those of tests before may be ending just now

    def mine() -> list[threading.Thread]:
        return [t for t in threading.enumerate() if t.name.startswith("crowsfoot ") and t not in others]

    async def main() -> None:
        abandoned, forgotten = await sqlite_async.aconnect(parts), await sqlite_async.aconnect(parts)
        assert len(mine()) == 2
        abandoned.abandon()
        abandoned.abandon()
        del forgotten

    asyncio.run(main())
    gc.collect()
    for thread in mine():
        thread.join(1)
    assert mine() == []


def test_the_pool_over_several_event_loops(parts: URLParts) -> None:
    async def aopen() -> Any:
        return await sqlite_async.aconnect(parts)

    pool = Pool(aopen, 2)

    async def use(left_open: bool) -> None:
        connection = await pool.acquire()
        await connection.execute("BEGIN")
        if left_open:
            cursor = await connection.open_cursor("SELECT 1", ())
            assert cursor is not None
        await pool.release(connection)
        assert not connection.in_transaction
        assert not connection.needs_reset

    for left_open in (False, True, False):
        asyncio.run(use(left_open))
    asyncio.run(pool.close())


def test_an_observer_in_async_code_runs_in_the_callers_context(parts: URLParts) -> None:
    import contextvars

    variable = contextvars.ContextVar("variable", default="")

    async def main() -> None:
        connection = await sqlite_async.aconnect(parts)
        seen: list[str] = []
        connection.observers.append(lambda sql, params: seen.append(variable.get()))
        variable.set("request 7")

        def operation() -> Any:
            return (yield OpenCursor("SELECT 1"))

        await connection.drive(operation())
        assert seen == ["request 7"]
        await connection.close()

    asyncio.run(main())


def test_a_join_is_planned_once_whatever_its_parameters_are(parts: URLParts) -> None:
    connection = sqlite.connect(parts)
    connection.script("CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY, a integer)")
    planned: list[Any] = []

    def told(*what: Any) -> int:
        planned.append(what)
        return apsw.SQLITE_OK

    connection.raw.authorizer = told  # which SQLite asks when it plans
    sql = "SELECT a.id FROM a JOIN b ON b.a = a.id WHERE b.id = ?"
    connection.fetch(sql, (1,), list)
    once = len(planned)
    for key in range(3):
        connection.fetch(sql, (key,), list)
    assert len(planned) == once > 0
    connection.close()
