"""What every driver does alike: SQLite and PostgreSQL, sync and async, from one body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crowsfoot import errors
from crowsfoot.drivers.run import CloseCursor, Execute, Fetch, FetchRows, OpenCursor


@pytest.fixture
def connection(opener: Callable[[], Any]) -> Any:
    connection = opener()
    connection.script(
        "CREATE TABLE author (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE);"
        "CREATE TABLE post (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES author (id));"
        "INSERT INTO author VALUES (1, 'Asha'), (2, 'Ben'), (3, 'Cy');"
    )
    return connection


def names(connection: Any) -> list[str]:
    return connection.fetch("SELECT name FROM author ORDER BY id", (), lambda rows: [row[0] for row in rows])  # type: ignore[no-any-return]


def rows_of(rows: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in rows]


def test_fetch_hands_the_rows_to_hydrate(connection: Any) -> None:
    rows = connection.fetch("SELECT id, name FROM author WHERE id >= $1 ORDER BY id", (2,), rows_of)
    assert rows == [(2, "Ben"), (3, "Cy")]
    assert connection.fetch("SELECT id FROM author WHERE id = $1", (9,), rows_of) == []
    assert connection.fetch("UPDATE author SET name = 'B' WHERE id = $1", (2,), rows_of) == []
    assert connection.fetch("DELETE FROM author WHERE id = $1 RETURNING name", (2,), rows_of) == [("B",)]


def test_a_large_result_is_whole(connection: Any) -> None:
    connection.execute_many("INSERT INTO author VALUES ($1, $2)", [(n, f"n{n}") for n in range(10, 1010)])
    for _ in range(4):
        assert connection.fetch("SELECT id FROM author WHERE id >= $1 ORDER BY id", (10,), rows_of) == [
            (n,) for n in range(10, 1010)
        ]
        assert len(names(connection)) == 1003


def test_affected_rows(connection: Any) -> None:
    assert connection.execute("UPDATE author SET name = name || '!' WHERE id < $1", (3,)) == 2
    assert connection.execute("DELETE FROM author WHERE id = $1", (99,)) == 0
    assert connection.execute("INSERT INTO author VALUES (9, 'Zoe')") == 1
    assert connection.execute("CREATE TABLE empty (a INTEGER)") in (-1, 0)
    assert connection.execute("BEGIN") in (-1, 0)
    assert connection.execute("ROLLBACK") in (-1, 0)
    assert connection.execute_many("INSERT INTO empty VALUES ($1)", iter([(1,), (2,)])) in (-1, 2)
    assert connection.execute_many("INSERT INTO empty VALUES ($1)", []) in (-1, 0)
    assert connection.fetch("SELECT a FROM empty ORDER BY a", (), rows_of) == [(1,), (2,)]


def test_query_tells_columns_rows_and_count(connection: Any) -> None:
    answer = connection.query("SELECT id, name AS who FROM author WHERE id < $1 ORDER BY id", (3,))
    assert (answer.columns, rows_of(answer.rows), answer.number) == (("id", "who"), [(1, "Asha"), (2, "Ben")], 2)
    answer = connection.query("SELECT id FROM author WHERE id = $1", (9,))
    assert (answer.columns, answer.rows, answer.number) == (("id",), [], 0)
    answer = connection.query("UPDATE author SET name = name || '!'", ())
    assert (answer.columns, answer.rows, answer.number) == ((), [], 3)
    answer = connection.query("INSERT INTO author VALUES (4, 'Di') RETURNING id", ())
    assert (answer.columns, rows_of(answer.rows), answer.number) == (("id",), [(4,)], 1)
    connection.query("BEGIN", ())
    connection.query("DELETE FROM author", ())
    assert connection.in_transaction
    connection.query("ROLLBACK", ())
    assert len(names(connection)) == 4
    with pytest.raises(errors.DatabaseError, match="nowhere"):
        connection.query("SELECT * FROM nowhere", ())


def test_transactions_are_only_what_is_sent(connection: Any, opener: Callable[[], Any]) -> None:
    other = opener()
    assert not connection.in_transaction
    connection.execute("UPDATE author SET name = 'Asha 2' WHERE id = 1")
    assert names(other)[0] == "Asha 2"  # autocommit
    connection.execute("BEGIN")
    assert connection.in_transaction
    connection.execute("SAVEPOINT a")
    connection.execute("DELETE FROM author")
    connection.execute("ROLLBACK TO SAVEPOINT a")
    connection.execute("UPDATE author SET name = 'Asha 3' WHERE id = 1")
    assert names(other)[0] == "Asha 2"
    connection.execute("COMMIT")
    assert not connection.in_transaction
    assert names(other)[0] == "Asha 3"


def test_a_closed_connection_rolls_back_and_says_that_it_is_closed(connection: Any, opener: Callable[[], Any]) -> None:
    connection.execute("BEGIN")
    connection.execute("DELETE FROM author WHERE id = 3")
    connection.close()
    connection.close()
    assert connection.closed
    assert not connection.in_transaction
    with pytest.raises(errors.InterfaceError, match="closed"):
        names(connection)
    with pytest.raises(errors.InterfaceError, match="closed"):
        connection.execute("SELECT 1")
    assert len(names(opener())) == 3


def test_cursors_read_in_parts_while_other_statements_run(connection: Any) -> None:
    cursor = connection.open_cursor("SELECT id, name FROM author WHERE id > $1 ORDER BY id", (0,))
    assert not connection.in_transaction
    assert rows_of(connection.fetch_rows(cursor, 2)) == [(1, "Asha"), (2, "Ben")]
    assert names(connection) == ["Asha", "Ben", "Cy"]
    assert connection.execute("INSERT INTO post VALUES (1, 1)") == 1
    assert rows_of(connection.fetch_rows(cursor, 2)) == [(3, "Cy")]
    assert connection.fetch_rows(cursor, 2) == []
    connection.close_cursor(cursor)
    connection.close_cursor(cursor)
    with pytest.raises(errors.InterfaceError):
        connection.fetch_rows(cursor, 2)
    with pytest.raises(errors.DatabaseError, match="nowhere"):
        connection.open_cursor("SELECT * FROM nowhere", ())


def test_cursors_in_a_transaction_that_ends_or_fails(connection: Any) -> None:
    for end in ("COMMIT", "ROLLBACK"):
        connection.execute("BEGIN")
        cursor = connection.open_cursor("SELECT id FROM author ORDER BY id", ())
        assert rows_of(connection.fetch_rows(cursor, 1)) == [(1,)]
        connection.execute(end)
        connection.close_cursor(cursor)
        assert len(names(connection)) == 3
    connection.execute("BEGIN")
    cursor = connection.open_cursor("SELECT id FROM author ORDER BY id", ())
    with pytest.raises(errors.Error):
        connection.execute("SELECT * FROM nowhere")
    connection.close_cursor(cursor)
    connection.execute("ROLLBACK")
    connection.execute("BEGIN")
    held = connection.open_cursor("SELECT id FROM author ORDER BY id", ())
    connection.close_cursor(held)
    assert connection.in_transaction
    connection.execute("COMMIT")
    connection.execute("DROP TABLE post")


def test_an_operation_with_every_step(connection: Any) -> None:
    def operation() -> Any:
        yield Execute("BEGIN")
        cursor = yield OpenCursor("SELECT id FROM author ORDER BY id")
        first = yield FetchRows(cursor, 2)
        yield CloseCursor(cursor)
        yield Execute("COMMIT")
        try:
            yield Execute("INSERT INTO author VALUES (1, 'again')")
        except errors.IntegrityError as error:
            failed = error.table or "author"
        return rows_of(first), failed, (yield Fetch("SELECT count(*) FROM author", (), rows_of))

    assert connection.drive(operation()) == ([(1,), (2,)], "author", [(3,)])


def test_observers_see_each_statement_before_it_is_sent(connection: Any) -> None:
    seen: list[tuple[str, Any]] = []

    def observer(sql: str, params: Any) -> None:
        seen.append((sql, params))

    connection.observers.append(observer)
    connection.fetch("SELECT 1", (), list)
    connection.execute("DELETE FROM post WHERE id = $1", (1,))
    connection.execute_many("INSERT INTO post VALUES ($1, $2)", iter([(1, 1), (2, 2)]))
    connection.script("SELECT 1; SELECT 2")
    with pytest.raises(errors.Error):
        connection.execute("SELEC")
    assert seen == [
        ("SELECT 1", ()),
        ("DELETE FROM post WHERE id = $1", (1,)),
        ("INSERT INTO post VALUES ($1, $2)", [(1, 1), (2, 2)]),
        ("SELECT 1; SELECT 2", ()),
        ("SELEC", ()),
    ]
    connection.close_cursor(connection.open_cursor("SELECT 3", ()))
    assert sum("SELECT 3" in sql for sql, _ in seen) == 1
    connection.observers.remove(observer)
    names(connection)
    assert sum("name FROM author" in sql for sql, _ in seen) == 0


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("INSERT INTO author VALUES (1, 'x')", errors.IntegrityError),
        ("INSERT INTO author VALUES (7, 'Asha')", errors.IntegrityError),
        ("INSERT INTO author VALUES (7, NULL)", errors.IntegrityError),
        ("INSERT INTO post VALUES (1, 99)", errors.IntegrityError),
        ("SELECT * FROM nowhere", errors.DatabaseError),
        ("SELECT nothing FROM author", errors.DatabaseError),
        ("SELEC 1", errors.DatabaseError),
        ("SELECT id FROM author WHERE id = $1", errors.ProgrammingError),
    ],
)
def test_errors_are_ours_with_the_drivers_as_cause(connection: Any, sql: str, kind: type[Exception]) -> None:
    for call in (
        lambda: connection.fetch(sql, (), list),
        lambda: connection.execute(sql),
        lambda: connection.drive((lambda: (yield Execute(sql)))()),
    ):
        with pytest.raises(kind) as caught:
            call()
        assert type(caught.value).__module__ == "crowsfoot.errors"
        assert caught.value.__cause__ is not None
    assert names(connection) == ["Asha", "Ben", "Cy"]
