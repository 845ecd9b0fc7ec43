"""The statements at work on SQLite: what is there stays there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from ddl_models import author, db_index, entity, field_unique, foreign_key, identity, key_column, number, post, text
from hypothesis import given
from hypothesis import strategies as st

from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F
from crowsfoot.query.func import Func
from crowsfoot.schema import types as t
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.table import Check, Column, Generated, Unique
from crowsfoot.sql.ddl import Change, Schema, Statements
from crowsfoot.sql.sqlite import SQLite

SCHEMA = Schema(SQLite())
Database = sqlite3.Connection


@pytest.fixture
def db() -> Iterator[Database]:
    with closing(opened()) as connection:
        yield connection


def opened() -> Database:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def run(db: Database, statements: Statements) -> None:
    """Run statements as an executor must: with foreign keys off where that is asked for, and checked at the end."""
    if statements.needs_foreign_keys_off:
        db.execute("PRAGMA foreign_keys = OFF")
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements:
            db.execute(statement)
        broken = db.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise sqlite3.IntegrityError(f"FOREIGN KEY constraint failed: {broken}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    finally:
        db.execute("PRAGMA legacy_alter_table = OFF")
        db.execute("PRAGMA foreign_keys = ON")


def rows(db: Database, sql: str) -> list[Any]:
    return db.execute(sql).fetchall()


def structure(db: Database) -> set[tuple[str, str]]:
    """Every table and index as SQLite describes it: what columns, keys and checks there are, in no order."""
    found = set[tuple[str, str]]()
    for name, sql in rows(db, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"):
        body = sql.replace(f'"{name}"', name).replace(" AUTOINCREMENT", "").partition(" ")[2]
        found.update((name, part) for part in body.partition(" (")[2].removesuffix(")").split(", "))
    return found


def filled(db: Database, writer: Entity | None = None, text_entity: Entity | None = None) -> None:
    """Two authors with two posts."""
    run(db, SCHEMA.create_tables([writer or author(), text_entity or post()]))
    db.execute("INSERT INTO blog_author (id, name) VALUES (1, 'Asha'), (2, 'Bo')")
    db.execute("INSERT INTO blog_post (title, author_id) VALUES ('a', 1), ('b', 2)")


def test_a_rebuild_of_the_parent_keeps_its_children(db: Database) -> None:
    filled(db)
    statements = SCHEMA.diff(author(), author("blog_author", number("age")), fill={"age": 30})
    assert statements.needs_foreign_keys_off
    run(db, statements)
    assert rows(db, "SELECT * FROM blog_author") == [(1, "Asha", 30), (2, "Bo", 30)]
    assert rows(db, "SELECT title, author_id FROM blog_post") == [("a", 1), ("b", 2)]
    db.execute("DELETE FROM blog_author WHERE id = 1")
    assert rows(db, "SELECT title FROM blog_post") == [("b",)]


def test_with_foreign_keys_on_the_children_would_be_gone(db: Database) -> None:
    """The trap that ``needs_foreign_keys_off`` is about, so that nobody thinks it may be left out."""
    filled(db)
    for statement in SCHEMA.diff(author(), author("blog_author", number("age")), fill={"age": 30}):
        db.execute(statement)
    assert rows(db, "SELECT * FROM blog_post") == []


def test_numbers_are_never_used_again(db: Database) -> None:
    filled(db)
    db.execute("INSERT INTO blog_author (id, name) VALUES (900, 'gone')")
    db.execute("DELETE FROM blog_author WHERE id = 900")
    run(db, SCHEMA.diff(author(), author("blog_author", number("age")), fill={"age": 0}))
    db.execute("INSERT INTO blog_author (name, age) VALUES ('Cy', 1)")
    assert rows(db, "SELECT max(id) FROM blog_author") == [(901,)]
    assert rows(db, "SELECT name FROM sqlite_sequence ORDER BY name") == [("blog_author",), ("blog_post",)]


def test_rebuilding_an_empty_table_keeps_its_numbering(db: Database) -> None:
    run(db, SCHEMA.create_tables([author()]))
    db.execute("INSERT INTO blog_author (id, name) VALUES (7, 'gone')")
    db.execute("DELETE FROM blog_author")
    run(db, SCHEMA.diff(author(), author("blog_author", number("age"))))
    db.execute("INSERT INTO blog_author (name, age) VALUES ('Cy', 1)")
    assert rows(db, "SELECT id FROM blog_author") == [(8,)]


def test_views_and_triggers_elsewhere_do_not_stop_a_rebuild(db: Database) -> None:
    filled(db)
    db.execute("CREATE VIEW names AS SELECT name FROM blog_author")
    db.execute("CREATE TABLE log (n)")
    db.execute("CREATE TRIGGER t AFTER INSERT ON log BEGIN UPDATE blog_author SET name = name; END")
    run(db, SCHEMA.diff(author(), author("blog_author", number("age")), fill={"age": 30}))
    assert rows(db, "SELECT * FROM names") == [("Asha",), ("Bo",)]


def test_renaming_a_table_takes_its_references_along(db: Database) -> None:
    filled(db)
    pairs = [(post(), post(target="blog_writer"))]
    statements = SCHEMA.rename_table(author(), author("blog_writer"), pairs)
    assert not statements.needs_foreign_keys_off
    run(db, statements)
    assert rows(db, "PRAGMA foreign_key_list(blog_post)")[0][2:5] == ("blog_writer", "author_id", "id")
    db.execute("DELETE FROM blog_writer WHERE id = 1")
    assert rows(db, "SELECT title FROM blog_post") == [("b",)]


def test_renaming_and_rebuilding_at_once(db: Database) -> None:
    """The new name, a new column, a renamed key and a reference of the table to itself."""
    up = foreign_key("tree", ["up_id"], "tree", "SET NULL")
    tree = entity("tree", identity(), text("a"), key_column("up_id", null=True), foreign_keys=[up])
    child = entity("leaf", identity(), key_column("tree_id"), foreign_keys=[foreign_key("leaf", ["tree_id"], "tree")])
    run(db, SCHEMA.create_tables([tree, child]))
    db.execute("INSERT INTO tree (id, a, up_id) VALUES (1, 'x', NULL), (2, 'y', 1)")
    db.execute("INSERT INTO leaf (tree_id) VALUES (2)")
    up = foreign_key("bush", ["over_id"], "bush", "SET NULL", ["no"])
    bush = entity(
        "bush", identity("no"), text("b"), key_column("over_id", null=True), number("n"),
        primary_key=("no",), foreign_keys=[up],
    )  # fmt: skip
    key = foreign_key("leaf", ["tree_id"], "bush", to=["no"])
    leaf = entity("leaf", identity(), key_column("tree_id"), foreign_keys=[key])
    renames = {"id": "no", "a": "b", "up_id": "over_id"}
    run(db, SCHEMA.diff(tree, bush, renames=renames, fill={"n": F("no") * 10}, referring=[(child, leaf)]))
    assert rows(db, "SELECT no, b, over_id, n FROM bush") == [(1, "x", None, 10), (2, "y", 1, 20)]
    assert rows(db, "PRAGMA foreign_key_list(leaf)")[0][2:5] == ("bush", "tree_id", "no")
    assert rows(db, "PRAGMA foreign_key_list(bush)")[0][2:5] == ("bush", "over_id", "no")
    db.execute("DELETE FROM bush WHERE no = 1")
    assert rows(db, "SELECT no, over_id FROM bush") == [(2, None)]
    assert rows(db, "SELECT tree_id FROM leaf") == [(2,)]


def test_columns_that_swap_their_names(db: Database) -> None:
    before = author("blog_author", number("a"), number("b"))
    run(db, SCHEMA.create_table(before))
    db.execute("INSERT INTO blog_author (name, a, b) VALUES ('x', 1, 2)")
    run(db, SCHEMA.diff(before, before, renames={"a": "b", "b": "a"}))
    assert rows(db, "SELECT a, b FROM blog_author") == [(2, 1)]


def test_dropping_a_parent_leaves_children_and_says_so(db: Database) -> None:
    filled(db)
    with pytest.raises(sqlite3.IntegrityError):
        run(db, SCHEMA.drop_table(author().table))
    assert rows(db, "SELECT count(*) FROM blog_post") == [(2,)]
    run(db, SCHEMA.drop_tables([author(), post()]))
    assert rows(db, "SELECT name FROM sqlite_master WHERE name LIKE 'blog%'") == []


def test_not_null_fills_what_is_empty(db: Database) -> None:
    before, after = author("blog_author", text("x", null=True)), author("blog_author", text("x"))
    run(db, SCHEMA.create_table(before))
    db.execute("INSERT INTO blog_author (name, x) VALUES ('a', NULL), ('b', 'kept')")
    with pytest.raises(sqlite3.IntegrityError):
        run(db, SCHEMA.diff(before, after))
    run(db, SCHEMA.diff(before, after, fill={"x": "it's"}))
    assert rows(db, "SELECT x FROM blog_author") == [("it's",), ("kept",)]
    with pytest.raises(sqlite3.IntegrityError):
        db.execute("INSERT INTO blog_author (name) VALUES ('c')")


def test_computed_columns_and_checks_hold(db: Database) -> None:
    class Upper(Func):
        function = "UPPER"

    loud = Column("loud", t.Text(100), generated=Generated(Upper("name"), False))
    stored = Column("shout", t.Text(100), generated=Generated(Upper("name"), True))
    run(db, SCHEMA.create_table(author()))
    db.execute("INSERT INTO blog_author (name) VALUES ('asha')")
    statements = SCHEMA.diff(author(), author("blog_author", loud))
    assert not statements.needs_foreign_keys_off
    run(db, statements)
    checks = [Check("named", Q(name__in=["asha", "bo"]))]
    run(db, SCHEMA.diff(author("blog_author", loud), author("blog_author", loud, stored, checks=checks)))
    assert rows(db, "SELECT loud, shout FROM blog_author") == [("ASHA", "ASHA")]
    with pytest.raises(sqlite3.IntegrityError, match="named"):
        db.execute("INSERT INTO blog_author (name) VALUES ('cy')")


def test_flush(db: Database) -> None:
    filled(db)
    run(db, SCHEMA.flush([author(), post()]))
    db.execute("INSERT INTO blog_author (name) VALUES ('new')")
    assert rows(db, "SELECT id, name FROM blog_author") == [(1, "new")]
    assert rows(db, "SELECT * FROM blog_post") == []


def test_every_kind_of_literal_comes_back(db: Database) -> None:
    values = {"a": "it's \\ 5% \0 é", "b": "x\ny", "c": ""}
    columns = [text(name, default=value) for name, value in values.items()]
    run(db, SCHEMA.create_table(author("blog_author", *columns, number("n", default=-5))))
    db.execute("INSERT INTO blog_author (name) VALUES ('a')")
    assert rows(db, "SELECT a, b, c, n FROM blog_author") == [(*values.values(), -5)]


# -- any change at all -------------------------------------------------------------------------------------------------

NAMES = ["a", "b", "c", "d"]
TYPES = [t.Integer(), t.Text(50), t.Text(), t.Integer("bigint", positive=True)]


@st.composite
def tables(draw: st.DrawFn) -> Entity:
    """A table ``blog_author`` with any of four columns and any rules over them that rows of numbers can keep."""
    columns: list[Column] = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        default = draw(st.sampled_from([{}, {"default": 7}]))
        columns.append(Column(name, draw(st.sampled_from(TYPES)), null=draw(st.booleans()), **default))
    parts: dict[str, Any] = {"uniques": [], "checks": [], "indexes": []}
    for column in columns:
        if draw(st.booleans()):
            parts["indexes"].append(db_index("blog_author", column.name))
        if draw(st.booleans()):
            parts["checks"].append(Check(f"{column.name}_filled", ~Q(**{column.name: -1})))
        if draw(st.booleans()):
            parts["uniques"].append(Unique(f"{column.name}_once", (column.name, "id"), condition=Q(id__gt=0)))
        if draw(st.booleans()):
            parts["uniques"].append(field_unique("blog_author", "id", column.name))
    return entity("blog_author", identity(), *columns, **parts)


@given(before=tables(), after=tables(), renamed=st.booleans())
def test_any_change_keeps_every_row_and_every_child(before: Entity, after: Entity, renamed: bool) -> None:
    renames = dict[str, str]()
    if renamed:  # a column that is lost becomes one that is new
        lost = [name for name in before.table.columns if name not in after.table.columns]
        new = [name for name in after.table.columns if name not in before.table.columns]
        renames = dict(zip(lost, new, strict=False))
    with closing(opened()) as db, closing(opened()) as fresh:
        run(db, SCHEMA.create_tables([before, post()]))
        for number_ in range(1, 4):
            names = list(before.table.columns)
            values = [number_, *(number_ * 100 + i for i in range(1, len(names)))]
            marks = ", ".join("?" for _ in names)
            db.execute(f"INSERT INTO blog_author ({', '.join(names)}) VALUES ({marks})", values)
            db.execute("INSERT INTO blog_post (title, author_id) VALUES (?, ?)", (str(number_), number_))
        fill = {name: 5 for name in after.table.columns if name not in before.table.columns and name != "id"}
        run(db, SCHEMA.alter([Change(before, after, renames, fill)]))

        assert rows(db, "SELECT title, author_id FROM blog_post ORDER BY id") == [(str(n), n) for n in (1, 2, 3)]
        for old in before.table.columns:
            new_name = renames.get(old, old)
            if new_name in after.table.columns:
                expected = [n if old == "id" else n * 100 + list(before.table.columns).index(old) for n in (1, 2, 3)]
                assert [int(v) for (v,) in rows(db, f"SELECT {new_name} FROM blog_author ORDER BY id")] == expected
        for name in set(fill) - set(renames.values()):
            assert {int(v) for (v,) in rows(db, f"SELECT {name} FROM blog_author")} == {5}
        run(fresh, SCHEMA.create_tables([after, post()]))
        assert structure(db) == structure(fresh)
        assert SCHEMA.diff(after, after) == []
