# ruff: noqa: PT012  (what raises here is the end of a block, and the block's body is the point)
"""What goes wrong with a database: named errors that say what to do, sync and async alike."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from behaviour_models import TABLES, Absent, Author

from crowsfoot import connect, create_tables
from crowsfoot.database import Database, databases
from crowsfoot.errors import DatabaseError, Error, ImproperlyConfigured, OperationalError
from crowsfoot.transaction import atomic


@pytest.fixture
def default() -> Iterator[None]:
    """Whatever a test connects as the default database is gone afterwards."""
    before = dict(databases)
    databases.close_all()
    yield
    databases.close_all()
    databases.update(before)


def both_ways(kind: type[Exception]) -> list[str]:
    """The messages of the errors that a query raises, sync and async."""
    found = []
    with pytest.raises(kind) as caught:
        Author.objects.count()
    found.append(str(caught.value))

    async def main() -> None:
        try:
            await Author.objects.acount()
        finally:
            await databases["default"].aclose()

    with pytest.raises(kind) as caught:
        asyncio.run(main())
    found.append(str(caught.value))
    return found


def test_a_table_that_is_not_there_names_the_commands(database: Database) -> None:
    for call in (Absent.objects.count, lambda: list(Absent.objects.all()), lambda: Absent.objects.create(name="x")):
        with pytest.raises(DatabaseError) as caught:
            call()
        said(str(caught.value))

    async def main() -> None:
        for acall in (Absent.objects.acount, Absent.objects.afirst, Absent(name="x").asave):
            with pytest.raises(DatabaseError) as caught:
                await acall()
            said(str(caught.value))
        await database.aclose()

    asyncio.run(main())


def said(text: str) -> None:
    assert "behaviour_absent" in text
    for remedy in ("python manage.py migrate", "create_tables("):
        assert text.count(remedy) == 1, text


@pytest.mark.usefixtures("default")
def test_no_database_at_all() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"crowsfoot\.connect\('sqlite:///blog\.db'\)"):
        Author.objects.count()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("blog.db", "sqlite:///"),
        ("postgres//localhost/blog", "://"),
        ("oracle://localhost/blog", "oracle"),
        ("postgresql://localhost:port/blog", "port"),
    ],
)
def test_a_url_that_is_none(url: str, says: str) -> None:
    with pytest.raises((ImproperlyConfigured, Error)) as caught:
        connect(url, "elsewhere")
    assert says in str(caught.value)
    assert "elsewhere" not in databases


@pytest.mark.usefixtures("default")
def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    connect(f"sqlite:///{tmp_path}/nowhere/blog.db")
    for text in both_ways(OperationalError):
        assert f"The folder {tmp_path}/nowhere does not exist" in text


@pytest.mark.usefixtures("default")
def test_a_file_that_is_no_database(sqlite_file: Path) -> None:
    sqlite_file.write_text("Dear diary, " * 1000)
    connect(f"sqlite:///{sqlite_file}")
    for text in both_ways(DatabaseError):
        assert "not a SQLite database" in text
        assert str(sqlite_file) in text


@pytest.mark.usefixtures("default", "postgres_url")
def test_a_server_that_is_not_there() -> None:
    connect("postgresql://nobody:secret@127.0.0.1:1/blog")
    for text in both_ways(OperationalError):
        assert "No PostgreSQL answers at 127.0.0.1:1" in text
        assert "Start the server" in text
        assert "secret" not in text


@pytest.mark.usefixtures("default")
def test_a_database_that_is_not_on_the_server(postgres_url: str) -> None:
    connect(postgres_url.rpartition("/")[0] + "/no_such_blog")
    for text in both_ways(OperationalError):
        assert "There is no database 'no_such_blog'" in text
        assert "createdb no_such_blog" in text


@pytest.mark.usefixtures("default")
def test_a_file_that_another_writer_has_locked(sqlite_file: Path) -> None:
    database = connect(f"sqlite:///{sqlite_file}?timeout=0.05")
    create_tables(*TABLES)
    other = database.copy()
    other.session.connection.execute("BEGIN IMMEDIATE")

    async def main() -> None:
        with pytest.raises(OperationalError, match="Another connection is writing"):
            await Author.objects.acreate(name="a")
        with pytest.raises(OperationalError, match="Another connection is writing"):
            async with atomic():
                raise AssertionError
        assert await Author.objects.acount() == 0  # readers go on
        await database.aclose()

    with pytest.raises(OperationalError, match="Another connection is writing"):
        Author.objects.create(name="a")
    with pytest.raises(OperationalError, match="Another connection is writing"), atomic():
        raise AssertionError
    assert Author.objects.count() == 0
    asyncio.run(main())
    other.session.connection.execute("COMMIT")
    other.close()
    Author.objects.create(name="a")


def fill(start: int) -> list[Any]:
    return [Author(name=f"{n:090}") for n in range(start, start + 100)]


@pytest.mark.usefixtures("default")
def test_a_disk_that_is_full(sqlite_file: Path) -> None:
    database = connect(f"sqlite:///{sqlite_file}")
    create_tables(*TABLES)
    raw = database.session.connection
    pages = raw.query("PRAGMA page_count", ()).rows[0][0]
    raw.query(f"PRAGMA max_page_count = {pages + 20}", ())
    with pytest.raises(OperationalError, match="The disk is full: free some space"):
        for n in range(100):
            Author.objects.bulk_create(fill(n * 100))
    kept = Author.objects.count()
    assert kept % 100 == 0, "a statement is whole or not at all"
    with pytest.raises(OperationalError, match="full"), atomic():
        Author.objects.filter(name=f"{0:090}").update(age=1)
        with pytest.raises(OperationalError, match="full"), atomic():
            Author.objects.bulk_create(fill(100_000))
            Author.objects.bulk_create(fill(200_000))
        Author.objects.bulk_create(fill(300_000))
    assert not database.session.connection.in_transaction
    assert Author.objects.count() == kept
    raw.query(f"PRAGMA max_page_count = {pages + 1000}", ())
    Author.objects.bulk_create(fill(400_000))
    assert Author.objects.count() == kept + 100
