# ruff: noqa: PT012  (what raises here is the end of a block, and the block's body is the point)
"""`connection`: SQL of one's own, and transactions by hand."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from behaviour_models import Author

from crowsfoot import transaction
from crowsfoot.conf import settings
from crowsfoot.connection import Connection, connection, connections, reset_queries
from crowsfoot.database import Database
from crowsfoot.errors import (
    DatabaseError,
    ImproperlyConfigured,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
    TransactionManagementError,
)
from crowsfoot.transaction import atomic

pytestmark = pytest.mark.usefixtures("database")


def names() -> list[str]:
    return [author.name for author in Author.objects.order_by("name")]


def test_a_cursor() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO behaviour_author (name, age) VALUES (%s, %s)", ["Asha", 40])
        assert cursor.rowcount == 1
        assert cursor.description is None
        with pytest.raises(ProgrammingError, match="no rows to fetch"):
            cursor.fetchone()
        cursor.executemany("INSERT INTO behaviour_author (name, age) VALUES (%s, %s)", [("Ben", 30), ("Cy", None)])
        cursor.execute(
            "SELECT name, age AS years FROM behaviour_author WHERE name LIKE '%%e%%' OR age > %s ORDER BY 1", (1,)
        )
        assert [column[0] for column in cursor.description or ()] == ["name", "years"]
        assert cursor.fetchone() == ("Asha", 40)
        assert cursor.fetchall() == [("Ben", 30)]
        assert cursor.fetchone() is None
        cursor.execute("SELECT name FROM behaviour_author WHERE name LIKE '%' ORDER BY name")
        assert cursor.fetchmany(2) == [("Asha",), ("Ben",)]
        assert list(cursor) == [("Cy",)]
        cursor.execute("SELECT %(a)s || %(b)s || %(a)s", {"a": "x", "b": "y"})
        assert cursor.fetchone() == ("xyx",)
        cursor.execute("SELECT name FROM behaviour_author WHERE age > 1000")
        assert (cursor.fetchall(), len(cursor.description or ())) == ([], 1)
    with pytest.raises(InterfaceError, match="closed"):
        cursor.execute("SELECT 1")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        "x",
        b"x",
        1.5,
        datetime.date(2026, 1, 2),
        datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
        decimal.Decimal("1.50"),
        uuid.UUID(int=7),
    ],
)
def test_a_cursor_binds_every_plain_type(value: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM behaviour_author WHERE CAST(%s AS varchar(50)) = name", [value])
        assert cursor.fetchall() == []


def test_parameters_that_do_not_fit() -> None:
    with connection.cursor() as cursor:
        for sql, params in (
            ("SELECT %s", []),
            ("SELECT 1", [1]),
            ("SELECT %s, %s", [1]),
            ("SELECT %(a)s", {"b": 1}),
            ("SELECT name FROM t WHERE name LIKE '%' AND age = %s", [1]),
        ):
            with pytest.raises(ProgrammingError, match=r"%s|parameters"):
                cursor.execute(sql, params)


def test_a_cursors_error_is_ours_and_breaks_the_block() -> None:
    with pytest.raises(DatabaseError, match="nowhere"), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM nowhere")
    with atomic():
        Author.objects.create(name="a")
        with pytest.raises(IntegrityError), connection.cursor() as cursor:
            cursor.execute("INSERT INTO behaviour_author (name) VALUES (%s)", ["a"])
        assert connection.needs_rollback
    assert names() == []


def test_sql_of_ones_own_from_async_code(database: Database) -> None:
    async def main() -> None:
        answer = await connections["default"].aquery("INSERT INTO behaviour_author (name) VALUES (%s)", ["a"])
        assert answer.number == 1
        answer = await connections["default"].aquery("SELECT name AS n FROM behaviour_author WHERE age IS NULL")
        assert (answer.columns, [tuple(row) for row in answer.rows]) == (("n",), [("a",)])
        await database.aclose()

    asyncio.run(main())


def test_what_a_connection_tells(database: Database) -> None:
    found = connections["default"]
    assert connection == found
    assert (found.alias, found.vendor) == ("default", database.vendor)
    assert found.settings_dict["NAME"] == database.parts.database
    assert found.ops.quote_name("order") == '"order"'
    assert {"behaviour_author", "behaviour_post_tags"} <= set(found.introspection.table_names())
    assert found.is_usable()
    found.close()
    assert found.connection is None
    found.ensure_connection()
    assert found.connection is not None
    assert "default" in list(connections)
    assert found in connections.all()
    with pytest.raises(ImproperlyConfigured, match=r"no database 'defaul'.*Did you mean 'default'"):
        connections["defaul"]


def test_queries_are_noted_when_asked_for() -> None:
    reset_queries()
    connection.force_debug_cursor = True
    Author.objects.count()
    connection.force_debug_cursor = False
    Author.objects.count()
    assert [query["sql"].split()[0] for query in connection.queries] == ["SELECT"]
    reset_queries()
    assert connection.queries == []


def test_a_copy_is_another_transaction() -> None:
    other = connections["default"].copy()
    try:
        with atomic():
            Author.objects.create(name="a")
            with other.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM behaviour_author")
                assert cursor.fetchone() == (0,)
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("UPDATE behaviour_author SET name = 'b'")
            assert names() == ["a"]
            other.rollback()
            cursor.execute("UPDATE behaviour_author SET name = 'c'")
            other.commit()
        other.set_autocommit(True)
    finally:
        other.close()
    assert names() == ["c"]


@pytest.fixture
def by_hand(database: Database) -> Iterator[None]:
    transaction.set_autocommit(False)
    yield
    transaction.rollback()
    transaction.set_autocommit(True)


@pytest.mark.usefixtures("by_hand")
def test_transactions_by_hand() -> None:
    assert not transaction.get_autocommit()
    Author.objects.create(name="a")
    transaction.rollback()
    Author.objects.create(name="b")
    transaction.commit()
    assert names() == ["b"]
    with pytest.raises(TransactionManagementError, match="manual transaction management"):
        transaction.on_commit(lambda: None)
    with pytest.raises(TransactionManagementError, match="A transaction is open"):
        transaction.set_autocommit(True)


@pytest.mark.usefixtures("by_hand")
def test_a_block_inside_a_transaction_by_hand_is_a_savepoint() -> None:
    called: list[str] = []
    with atomic():
        Author.objects.create(name="a")
        transaction.on_commit(lambda: called.append("a"))
        with pytest.raises(TransactionManagementError, match="forbidden"):
            transaction.commit()
    with pytest.raises(ZeroDivisionError), atomic():
        Author.objects.create(name="b")
        raise ZeroDivisionError
    assert called == []
    transaction.commit()
    assert called == ["a"]
    assert names() == ["a"]


def test_by_hand_is_refused_in_a_block() -> None:
    with atomic():
        assert connection.in_atomic_block
        assert not transaction.get_autocommit()
        for call in (transaction.commit, transaction.rollback, lambda: transaction.set_autocommit(False)):
            with pytest.raises(TransactionManagementError, match="forbidden when an 'atomic' block is active"):
                call()
    assert transaction.get_autocommit()


def test_the_connection_of_an_alias() -> None:
    found = transaction.get_connection()
    assert isinstance(found, Connection)
    assert found is connections["default"]


def ask(sql: str, params: Any = None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0]


def test_features_say_what_the_database_does(database: Database) -> None:
    features = connection.features
    names = [name for name in dir(features) if name.startswith("has_native_")]
    assert [getattr(features, name) for name in names] == [database.vendor == "postgresql"] * 3
    assert bool(ask("SELECT 'A' LIKE 'a'")) is features.has_case_insensitive_like
    last = ask("SELECT n FROM (SELECT 1 AS n UNION ALL SELECT NULL) AS t ORDER BY n LIMIT 1 OFFSET 1")
    assert (last is None) is features.nulls_order_largest
    assert features.can_distinct_on_fields is features.has_select_for_update is (database.vendor == "postgresql")
    assert features.test_db_allows_multiple_connections is True
    assert not hasattr(features, "supports_raster")


def test_a_statement_has_as_many_parameters_as_the_features_say() -> None:
    number = connection.features.max_query_params
    marks = ", ".join(["(1)"] + ["(%s)"] * number)
    insert = f"SELECT COUNT(*) FROM (VALUES {marks}) AS t"
    assert ask(insert, [1] * number) == number + 1
    with pytest.raises(DatabaseError):
        ask(insert.replace("(1)", "(%s)", 1), [1] * (number + 1))


def test_versions_of_postgresql_are_told(database: Database) -> None:
    if database.vendor != "postgresql":
        pytest.skip("only PostgreSQL is told by version")
    major = int(ask("SHOW server_version_num")) // 10_000
    features = connection.features
    assert [features.is_postgresql_16, features.is_postgresql_17, features.is_postgresql_18] == [
        major >= version for version in (16, 17, 18)
    ]


def test_dates_and_times_are_read_where_columns_say_so(database: Database) -> None:
    day, moment = datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 13, 4, 5)
    kind = "datetime" if database.vendor == "sqlite" else "timestamp"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE diary (day date, at {kind}, noon time, done bool, words text)")
        cursor.execute(
            "INSERT INTO diary VALUES (%s, %s, %s, %s, %s)", [day, moment, moment.time(), True, "2026-01-02"]
        )
        cursor.execute("SELECT day, at, noon, done, words, NULL FROM diary")
        assert cursor.fetchall() == [(day, moment, moment.time(), True, "2026-01-02", None)]
        cursor.execute("DROP TABLE diary")


def test_moments_without_time_zones(database: Database) -> None:
    noon = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
    with settings.override(USE_TZ=False, TIME_ZONE="UTC"), connection.cursor() as cursor:
        if database.vendor == "sqlite":
            with pytest.raises(ValueError, match="does not support timezone-aware datetimes when USE_TZ is False"):
                cursor.execute("SELECT %s", [noon])
            return
        cursor.execute("SELECT %s::timestamptz", [noon])
        assert cursor.fetchone() == (noon.replace(tzinfo=None),)
