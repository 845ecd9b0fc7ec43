"""PostgreSQL: what only it does, psycopg and asyncpg from one body."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from crowsfoot import errors
from crowsfoot.drivers.pool import Pool
from crowsfoot.drivers.postgresql import Report, translate
from crowsfoot.drivers.url import parse_url

UTC = dt.UTC
ID = uuid.UUID("12345678-1234-5678-1234-567812345678")


@pytest.fixture
def connection(open_postgres: Callable[[], Any]) -> Any:
    return open_postgres()


def one(connection: Any, sql: str, *params: Any) -> Any:
    return connection.fetch(sql, params, list)[0][0]


# -- types -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("smallint", 7),
        ("int", -70000),
        ("bigint", 2**62),
        ("double precision", 1.25),
        ("double precision", float("inf")),
        ("numeric", Decimal("1234567890.123456789")),
        ("numeric(10, 2)", Decimal("0.10")),
        ("bool", True),
        ("text", "ä 'quoted' \\ %s $1"),
        ("varchar", ""),
        ("bytea", b"\0\xff'\\"),
        ("date", dt.date(2024, 2, 29)),
        ("time", dt.time(23, 59, 59, 999999)),
        ("timestamp", dt.datetime(2024, 2, 29, 12, 30, 0, 1)),
        ("timestamptz", dt.datetime(2024, 7, 1, 12, 30, tzinfo=UTC)),
        ("timestamptz", dt.datetime(1900, 1, 1, tzinfo=UTC)),
        ("interval", dt.timedelta(days=400, seconds=5, microseconds=1)),
        ("interval", -dt.timedelta(hours=30)),
        ("uuid", ID),
        ("json", '{"b": 1, "a": [null, "ä"]}'),
        ("jsonb", '{"a": [null, 1.50, "ä"]}'),
        ("inet", "10.1.2.3"),
        ("inet", "10.1.2.3/24"),
        ("cidr", "10.1.0.0/16"),
        ("int[]", [3, 1, 2]),
        ("int[]", []),
        ("int[]", [1, None]),
        ("bigint[]", [1, 2**40]),
        ("text[]", ["a", 'b"c', "", "ä,{}"]),
        ("uuid[]", [ID]),
    ],
)
def test_a_value_comes_back_as_it_went_and_so_does_null(connection: Any, name: str, value: Any) -> None:
    connection.execute(f"CREATE TABLE t (v {name})")
    for sent in (value, None, value, value, value):  # also after psycopg has prepared it
        connection.execute("INSERT INTO t VALUES ($1)", (sent,))
    got = connection.fetch("SELECT v FROM t", (), lambda rows: [row[0] for row in rows])
    assert got == [value, None, value, value, value]
    for each in got:
        if each is not None:
            assert isinstance(each, type(value))
            if isinstance(value, dt.datetime):
                assert each.tzinfo is value.tzinfo
            assert type(each) is type(value) or name == "uuid"  # asyncpg has a faster subclass


def test_a_list_is_one_parameter(connection: Any) -> None:
    connection.script(
        f"CREATE TABLE t (i int, s varchar(9), u uuid); INSERT INTO t VALUES (1, 'a', '{ID}'), (2, 'b', NULL)"
    )
    sql = "SELECT i FROM t WHERE {} = ANY($1) ORDER BY i"
    for column, values, found in [
        ("i", [1, 2, 70000], [1, 2]),
        ("i", [], []),
        ("i", [-5, 2], [2]),
        ("i", [None, 2], [2]),
        ("s", ["b", "c"], [2]),
        ("u", [ID, uuid.uuid4()], [1]),
    ]:
        assert connection.fetch(sql.format(column), (values,), lambda rows: [row[0] for row in rows]) == found


@pytest.mark.parametrize(
    "values", [[], [0], [-1, 1 << 31], [-(1 << 63), (1 << 63) - 1], [1, None], [1 << 70, -3]], ids=str
)
def test_integers_of_any_size_are_a_list(connection: Any, values: list[int | None]) -> None:
    (row,) = connection.fetch("SELECT $1::numeric[]", (values,), list)
    assert row[0] == values


def test_the_time_zone(connection: Any) -> None:
    assert one(connection, "SHOW TimeZone") == "UTC"
    connection.set_timezone("Asia/Kolkata")
    assert one(connection, "SELECT '2024-01-01 05:30'::timestamptz") == dt.datetime(2024, 1, 1, tzinfo=UTC)
    with pytest.raises(errors.DataError):
        connection.set_timezone("Mars/Olympus")


@pytest.mark.parametrize(
    ("sql", "value"),
    [("SELECT $1::int", object()), ("SELECT $1::text", "\ud800"), ("SELECT $1::text", "a\0b"), ("SELECT $1::int", "x")],
)
def test_a_value_that_does_not_fit_is_a_data_error(connection: Any, sql: str, value: Any) -> None:
    with pytest.raises(errors.DataError):
        connection.fetch(sql, (value,), list)
    assert one(connection, "SELECT 1") == 1


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "constraint", "columns"),
    [
        ("INSERT INTO t VALUES (1, 5, 5, 1, NULL)", "t_pkey", ("id",)),
        ("INSERT INTO t VALUES (2, 1, 2, 1, NULL)", "pair", ("a", "the B")),
        ("INSERT INTO t VALUES (2, 5, 5, NULL, NULL)", None, ("c",)),
        ("INSERT INTO t VALUES (2, 5, 5, -1, NULL)", "positive", ()),
        ("INSERT INTO t VALUES (2, 5, 5, 1, 99)", "t_parent_fkey", ("parent",)),
        ("INSERT INTO t VALUES (2, 3, 9, 1, NULL)", "half", ()),
        ("DELETE FROM t WHERE id = 1", "t_parent_fkey", ("id",)),
    ],
)
def test_constraints(connection: Any, sql: str, constraint: Any, columns: Any) -> None:
    connection.script(
        'CREATE TABLE t (id int PRIMARY KEY, a int, "the B" int, c int NOT NULL CONSTRAINT positive CHECK (c > 0),'
        ' parent int REFERENCES t (id), CONSTRAINT pair UNIQUE (a, "the B")); CREATE UNIQUE INDEX half ON t ((a / 2));'
        "INSERT INTO t VALUES (1, 1, 2, 1, NULL), (7, 2, 7, 1, 1)"
    )
    with pytest.raises(errors.IntegrityError) as caught:
        connection.execute(sql)
    error = caught.value
    assert (error.constraint, error.table, error.columns) == (constraint, "t", columns)


@pytest.mark.parametrize(
    ("sql", "kind", "says"),
    [
        ("SELECT * FROM nowhere", errors.ProgrammingError, "nowhere"),
        ("SELECT x", errors.ProgrammingError, "migrate"),
        ("SELECT 1/0", errors.DataError, "division by zero"),
        ("SELEC", errors.ProgrammingError, "syntax error"),
        ("SELECT 'x'::int", errors.DataError, "invalid input syntax"),
    ],
)
def test_other_errors(connection: Any, sql: str, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        connection.execute(sql)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("23505", errors.IntegrityError), ("22003", errors.DataError), ("40001", errors.OperationalError),
        ("40P01", errors.OperationalError), ("42P01", errors.ProgrammingError), ("0A000", errors.NotSupportedError),
        ("08006", errors.OperationalError), ("53300", errors.OperationalError), ("57014", errors.OperationalError),
        ("25P02", errors.InternalError), ("XX000", errors.InternalError), ("P0001", errors.ProgrammingError),
        ("ZZ999", errors.DatabaseError),
    ],
)  # fmt: skip
def test_the_class_of_an_sqlstate(state: str, kind: type[Exception]) -> None:
    assert type(translate(Report(state, "text", "detail", "hint"))) is kind


def test_an_aborted_transaction(connection: Any) -> None:
    connection.execute("BEGIN")
    with pytest.raises(errors.DataError):
        connection.execute("SELECT 1/0")
    assert connection.in_transaction
    with pytest.raises(errors.InternalError, match="aborted"):
        connection.execute("SELECT 1")
    connection.execute("ROLLBACK")
    assert not connection.in_transaction


def test_a_lost_connection_is_operational_and_then_closed(connection: Any, open_postgres: Callable[[], Any]) -> None:
    other = open_postgres()
    pid = one(connection, "SELECT pg_backend_pid()")
    one(other, "SELECT pg_terminate_backend($1)", pid)
    with pytest.raises((errors.OperationalError, errors.InterfaceError)):  # asyncpg may have heard of it already
        one(connection, "SELECT 1")
    assert connection.closed
    assert not connection.in_transaction


def test_a_prepared_statement_survives_a_changed_table(connection: Any, open_postgres: Callable[[], Any]) -> None:
    connection.script("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    for _ in range(5):
        assert one(connection, "SELECT * FROM t") == 1
    open_postgres().execute("ALTER TABLE t ALTER a TYPE text")
    assert one(connection, "SELECT * FROM t") == "1"
    open_postgres().execute("ALTER TABLE t ALTER a TYPE int USING a::int")
    assert one(connection, "SELECT * FROM t") == 1


# -- connecting --------------------------------------------------------------------------------------------------------


def connect_both(url: str) -> list[str]:
    """What both drivers say to a URL."""
    from crowsfoot.drivers import postgresql_async, postgresql_sync

    said: list[str] = []
    with pytest.raises(errors.OperationalError) as caught:
        postgresql_sync.connect(parse_url(url))
    said.append(str(caught.value))
    with pytest.raises(errors.OperationalError) as caught:
        asyncio.run(postgresql_async.aconnect(parse_url(url)))
    said.append(str(caught.value))
    return said


def test_no_server_there() -> None:
    for text in connect_both("postgresql://u:S3CRET@127.0.0.1:1/blog"):
        assert "No PostgreSQL answers at 127.0.0.1:1. Start the server, or change" in text
        assert "S3CRET" not in text


def test_a_host_that_is_not_known() -> None:
    for text in connect_both("postgresql://u:S3CRET@nowhere.invalid/blog?connect_timeout=5"):
        assert "nowhere.invalid" in text


def test_a_missing_database_and_a_missing_role(postgres_url: str) -> None:
    base = postgres_url.rpartition("/")[0]
    for text in connect_both(f"{base}/no_such_db"):
        assert "Create it with: createdb no_such_db" in text
    parts = parse_url(postgres_url)
    if parts.host == "127.0.0.1" and not parts.password:
        for text in connect_both(f"postgresql://nobody9@127.0.0.1:{parts.port}/{parts.database}"):
            assert "'nobody9'" in text


def test_options_of_the_url(postgres_url: str) -> None:
    from crowsfoot.drivers import postgresql_async, postgresql_sync

    parts = parse_url(
        f"{postgres_url}?timezone=Europe/Berlin&application_name=blog&options=-c%20search_path%3Dx&prepare=off"
        "&sslmode=prefer&connect_timeout=5"
    )
    sql = "SELECT current_setting('TimeZone'), current_setting('application_name'), current_setting('search_path')"
    connection = postgresql_sync.connect(parts)
    assert connection.raw.prepare_threshold is None
    assert connection.fetch(sql, (), list) == [("Europe/Berlin", "blog", "x")]
    connection.close()

    async def main() -> None:
        connection = await postgresql_async.aconnect(parts)
        assert [tuple(row) for row in await connection.fetch(sql, (), list)] == [("Europe/Berlin", "blog", "x")]
        await connection.close()

    asyncio.run(main())


# -- the pool ----------------------------------------------------------------------------------------------------------


def test_the_pool_cleans_what_was_left_and_survives_several_loops(postgres_url: str) -> None:
    from crowsfoot.drivers import postgresql_async

    parts = parse_url(postgres_url)
    pool = Pool(lambda: postgresql_async.aconnect(parts), 1)

    async def use() -> None:
        pid = None
        for leave in (
            "BEGIN", "SET statement_timeout = 1234", "SELECT pg_advisory_lock(7)", "LISTEN news", "SELECT 1",
        ):  # fmt: skip
            connection: Any = await pool.acquire()
            await connection.set_timezone("Asia/Kolkata")
            mine = (await connection.fetch("SELECT pg_backend_pid()", (), list))[0][0]
            assert pid in (None, mine)
            pid = mine
            await connection.execute(leave)
            connection.dirty = connection.dirty or "lock" in leave  # what the floor above does for raw SQL
            await connection.open_cursor("SELECT 1", ())
            await pool.release(connection)
            rows = await connection.fetch(
                "SELECT current_setting('statement_timeout'), current_setting('TimeZone'),"
                " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),"
                " (SELECT count(*) FROM pg_cursors WHERE is_holdable)", (), list
            )  # fmt: skip
            assert tuple(rows[0]) == ("0", "Asia/Kolkata", 0, 0)
            assert not connection.in_transaction

    asyncio.run(use())
    asyncio.run(use())
    asyncio.run(pool.close())


def test_a_cancelled_query_leaves_a_usable_connection(postgres_url: str) -> None:
    from crowsfoot.drivers import postgresql_async

    async def main() -> None:
        pool = Pool(lambda: postgresql_async.aconnect(parse_url(postgres_url)), 1)
        for _ in range(3):
            connection = await pool.acquire()
            await connection.execute("BEGIN")
            with pytest.raises(asyncio.TimeoutError):
                async with asyncio.timeout(0.05):
                    await connection.fetch("SELECT pg_sleep(30)", (), list)
            await pool.release(connection)
        connection = await pool.acquire()
        assert not connection.in_transaction
        assert [tuple(row) for row in await connection.fetch("SELECT 1", (), list)] == [(1,)]
        await pool.release(connection)
        await pool.close()

    asyncio.run(main())


def test_two_tasks_on_one_connection_are_told(postgres_url: str) -> None:
    from crowsfoot.drivers import postgresql_async

    async def main() -> None:
        connection = await postgresql_async.aconnect(parse_url(postgres_url))
        both = [connection.fetch("SELECT pg_sleep(0.05)", (), list) for _ in range(2)]
        results = await asyncio.gather(*both, return_exceptions=True)
        assert any(isinstance(each, errors.InterfaceError) and "each task" in str(each) for each in results)
        await connection.close()

    asyncio.run(main())


def test_a_connection_of_a_dead_loop_is_dropped_without_a_warning(postgres_url: str) -> None:
    from crowsfoot.drivers import postgresql_async

    connection = asyncio.run(postgresql_async.aconnect(parse_url(postgres_url)))
    connection.abandon()
    connection.abandon()
    assert connection.closed
    assert not connection.in_transaction
    del connection
    gc.collect()  # a ResourceWarning would fail this test
