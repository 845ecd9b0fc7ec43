"""The statements at work on PostgreSQL: after any change a table is what CREATE TABLE would have made of it."""

from __future__ import annotations

import datetime
import decimal
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ddl_models import author, db_index, entity, field_unique, foreign_key, identity, key_column, post, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F
from crowsfoot.query.func import Func
from crowsfoot.schema import types as t
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.table import Check, Column, Generated, Index, Unique
from crowsfoot.sql.ddl import Change, Schema, Statements
from crowsfoot.sql.postgresql import PostgreSQL

psycopg = pytest.importorskip("psycopg")
SCHEMA = Schema(PostgreSQL())
LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


class Lower(Func):
    function = "LOWER"


class Database:
    """A schema of its own on one connection."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    @contextmanager
    def schema(self) -> Iterator[Database]:
        name = f"ddl_{secrets.token_hex(4)}"
        outside = self.rows("SHOW search_path")[0][0]
        self.connection.execute(f'CREATE SCHEMA "{name}"')
        self.connection.execute(f'SET search_path TO "{name}"')
        try:
            yield self
        finally:
            self.connection.execute(f'DROP SCHEMA "{name}" CASCADE')
            self.connection.execute(f"SET search_path TO {outside}")

    def run(self, statements: Statements) -> None:
        with self.connection.transaction():
            for statement in statements:
                self.connection.execute(statement)

    def rows(self, sql: str) -> list[Any]:
        return list(self.connection.execute(sql).fetchall())

    def structure(self) -> dict[str, set[Any]]:
        """All columns, constraints and indexes, without what differs between any two schemas."""
        columns = self.rows(
            "SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, is_nullable, "
            "column_default, is_identity, generation_expression, collation_name "
            "FROM information_schema.columns WHERE table_schema = current_schema()"
        )
        constraints = self.rows(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = current_schema()::regnamespace"
        )
        indexes = self.rows(
            "SELECT replace(indexdef, current_schema() || '.', '') FROM pg_indexes WHERE schemaname = current_schema()"
        )
        return {"columns": set(columns), "constraints": set(constraints), "indexes": set(indexes)}


@pytest.fixture(scope="module")
def connected(postgres_url: str) -> Iterator[Database]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield Database(connection)


@pytest.fixture
def db(connected: Database) -> Iterator[Database]:
    with connected.schema() as database:
        yield database


def arrives(db: Database, before: list[Entity], after: list[Entity], **options: Any) -> dict[str, set[Any]]:
    """Change ``before`` into ``after``; what is there then is what creating ``after`` gives."""
    db.run(SCHEMA.alter([Change(old, new, **options) for old, new in zip(before, after, strict=True)]))
    found = db.structure()
    with Database(db.connection).schema() as fresh:
        fresh.run(SCHEMA.create_tables(after))
        wanted = fresh.structure()
    return {kind: found[kind] ^ wanted[kind] for kind in found if found[kind] != wanted[kind]}


def filled(db: Database) -> None:
    db.run(SCHEMA.create_tables([post(), author()]))
    db.connection.execute("INSERT INTO blog_author (name) VALUES ('Asha'), ('Bo')")
    db.connection.execute("INSERT INTO blog_post (title, author_id) VALUES ('a', 1), ('b', 2)")


def test_everything_at_once_is_taken(db: Database) -> None:
    big = entity(
        "blog_post", identity(), text("title"), text("slug", 50), Column("n", t.Integer(positive=True), default=5),
        Column("data", t.JSON(), default={"a": "it's"}), Column("ok", t.Boolean(), default=True),
        Column("price", t.Decimal(10, 2), default=decimal.Decimal("1.50")), text("c", 10, collation="C"),
        Column("raw", t.Binary(), default=b"\x00\\"), Column("u", t.UUID(), default=uuid.UUID(int=5)),
        Column("at", t.DateTime(), default=datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC)),
        Column("took", t.Duration(), default=datetime.timedelta(-1, 5)), text("s", default="\\ ' % é"),
        Column("low", t.Text(100), generated=Generated(Lower("title"), True)), key_column("up_id", null=True),
        uniques=[
            field_unique("blog_post", "slug"), field_unique("blog_post", "title", "n"),
            Unique("u2", ("title",), condition=Q(n=1)), Unique("u3", expressions=(Lower("slug"),)),
            Unique("u4", ("n",), nulls_distinct=False), Unique("u5", ("n",), deferrable="deferred"),
            Unique("u6", ("title",), include=("n",), opclasses=("varchar_pattern_ops",)),
            Unique("u7", ("n", "id")),
        ],
        checks=[Check("c1", Q(n__in=[5, 2, -3]) | ~Q(title="it's")), Check("c2", Q(title__startswith="a%b") | Q(n=5))],
        indexes=[
            Index("i1", expressions=(Lower("title"), F("n").desc(nulls_last=True), F("n") + 1)),
            Index("i2", (("data", False),), method="gin", opclasses=("jsonb_path_ops",)),
            Index("i3", (("n", True),), include=("title",), condition=Q(at__gt=LONG_AGO)),
        ],
        foreign_keys=[
            foreign_key("blog_post", ["up_id"], "blog_post", "SET NULL"),
            foreign_key("blog_post", ["n", "up_id"], "blog_post", "SET NULL", ["n", "id"], null_columns=("up_id",)),
        ],
        comment="it's \\ here",
    )  # fmt: skip
    db.run(SCHEMA.create_tables([big]))
    db.connection.execute("INSERT INTO blog_post (title, slug, c) VALUES ('x', 's', '')")
    found = db.rows("SELECT n, data, ok, price, raw, u, took, s, low FROM blog_post")
    assert found == [
        (5, {"a": "it's"}, True, decimal.Decimal("1.50"), b"\x00\\", uuid.UUID(int=5), datetime.timedelta(-1, 5),
         "\\ ' % é", "x"),
    ]  # fmt: skip
    assert db.rows("SELECT obj_description('blog_post'::regclass)") == [("it's \\ here",)]
    assert SCHEMA.diff(big, big) == []
    empty = entity("blog_post", identity())
    assert arrives(db, [big], [empty]) == {}
    differs = arrives(db, [empty], [big], fill={"title": "x", "slug": "s", "c": ""})
    # A unique field has PostgreSQL's name for it when it is made with its table, and Django's when it is added.
    assert {row[1] for row in differs.pop("constraints")} == {"blog_post_slug_key", "blog_post_slug_b95473f2_uniq"}
    assert all("_slug_" in row[0] for row in differs.pop("indexes"))
    assert differs == {}


def test_renaming_a_table_renames_what_is_called_after_it(db: Database) -> None:
    email = text("email")
    before = author("blog_author", email, uniques=[field_unique("blog_author", "email")])
    after = author("blog_writer", email, uniques=[field_unique("blog_writer", "email")])
    db.run(SCHEMA.create_tables([before, post()]))
    differs = arrives(db, [before, post()], [after, post(target="blog_writer")])
    names = {row[1] for row in differs.pop("constraints")}
    assert names == {"blog_writer_email_key", after.table.uniques[0].name}
    assert all("email" in row[0] for row in differs.pop("indexes"))
    assert differs == {}


def test_renaming_columns(db: Database) -> None:
    before = author("blog_author", Column("n", t.Integer(positive=True)), checks=[Check("c", Q(n__lt=9))])
    after = author("blog_author", Column("m", t.Integer(positive=True)), checks=[Check("c", Q(m__lt=9))])
    db.run(SCHEMA.create_tables([before]))
    assert arrives(db, [before], [after], renames={"n": "m"}) == {}


def test_a_key_changes_its_type_with_all_its_references(db: Database) -> None:
    filled(db)
    writer = entity("blog_author", Column("id", t.Text(20)), text("name"))
    key = foreign_key("blog_post", ["author_id"], "blog_author")
    columns = identity(), text("title"), Column("author_id", t.Text(20))
    following = entity("blog_post", *columns, foreign_keys=[key], indexes=[db_index("blog_post", "author_id")])
    assert arrives(db, [author(), post()], [writer, following]) == {}
    assert db.rows("SELECT title, author_id FROM blog_post ORDER BY id") == [("a", "1"), ("b", "2")]


def test_another_primary_key(db: Database) -> None:
    before = author("blog_author", text("slug"), uniques=[field_unique("blog_author", "slug")])
    key = foreign_key("blog_post", ["author_id"], "blog_author")
    after = entity("blog_author", text("slug"), text("name"), primary_key=("slug",))
    db.run(SCHEMA.create_tables([before]))
    db.connection.execute("INSERT INTO blog_author (name, slug) VALUES ('A', 'a')")
    assert arrives(db, [before], [after]) == {}
    assert db.rows("SELECT * FROM blog_author") == [("A", "a")]
    assert arrives(db, [after], [author("blog_author", text("slug"))]) == {}
    assert db.rows("SELECT id FROM blog_author") == [(1,)]
    assert key.target == "blog_author"


def test_numbering_begins_behind_what_is_there(db: Database) -> None:
    before = entity("blog_author", key_column("id"), text("name"))
    db.run(SCHEMA.create_table(before))
    db.connection.execute("INSERT INTO blog_author VALUES (41, 'a')")
    assert arrives(db, [before], [author()]) == {}
    db.connection.execute("INSERT INTO blog_author (name) VALUES ('b')")
    assert db.rows("SELECT max(id) FROM blog_author") == [(42,)]
    db.connection.execute("INSERT INTO blog_author VALUES (99, 'c')")
    db.run(SCHEMA.reset_sequences([author()]))
    db.connection.execute("INSERT INTO blog_author (name) VALUES ('d')")
    assert db.rows("SELECT max(id) FROM blog_author") == [(100,)]
    assert arrives(db, [author()], [before]) == {}


def test_strings_are_not_cut(db: Database) -> None:
    filled(db)
    shorter = entity("blog_author", identity(), text("name", 3))
    with pytest.raises(psycopg.errors.StringDataRightTruncation):
        db.run(SCHEMA.diff(author(), shorter))
    assert db.rows("SELECT name FROM blog_author ORDER BY id") == [("Asha",), ("Bo",)]


def test_computed_columns_change(db: Database) -> None:
    def table(expression: Any, length: int = 100) -> Entity:
        low = Column("low", t.Text(100), generated=Generated(expression, True))
        index = db_index("blog_author", "low")
        return entity("blog_author", identity(), text("name", length), low, indexes=[index])

    db.run(SCHEMA.create_table(table(Lower("name"))))
    db.connection.execute("INSERT INTO blog_author (name) VALUES ('Asha')")
    assert arrives(db, [table(Lower("name"))], [table(Lower("name"), 50)]) == {}
    assert arrives(db, [table(Lower("name"), 50)], [table(Func("name", function="UPPER"), 50)]) == {}
    assert db.rows("SELECT low FROM blog_author") == [("ASHA",)]
    plain = entity("blog_author", identity(), text("name", 50), text("low", null=True))
    assert arrives(db, [table(Func("name", function="UPPER"), 50)], [plain]) == {}
    assert db.rows("SELECT low FROM blog_author") == [("ASHA",)]


def test_filling_within_a_transaction_that_defers(db: Database) -> None:
    """An UPDATE leaves checks of deferred keys behind, and ALTER TABLE refuses while there are any."""
    filled(db)
    before = post(key_column("n", null=True))
    db.run(SCHEMA.diff(post(), before))
    with db.connection.transaction():
        db.connection.execute("SET CONSTRAINTS ALL DEFERRED")
        db.connection.execute("UPDATE blog_post SET author_id = 1")
        for statement in SCHEMA.diff(before, post(key_column("n")), fill={"n": F("author_id") + 1}):
            db.connection.execute(statement)
    assert db.rows("SELECT n FROM blog_post") == [(2,), (2,)]


def test_dropping_and_flushing(db: Database) -> None:
    filled(db)
    db.run(SCHEMA.flush([author()]))
    assert db.rows("SELECT count(*) FROM blog_post") == [(0,)]
    db.run(SCHEMA.drop_table(author().table))
    db.run(SCHEMA.drop_tables([post()]))
    assert db.structure()["columns"] == set()


def test_a_unique_field_that_was_made_with_its_table_can_be_dropped(db: Database) -> None:
    before = author("blog_author", text("email"), uniques=[field_unique("blog_author", "email")])
    after = author("blog_author", text("email"))
    db.run(SCHEMA.create_table(before))
    assert arrives(db, [before], [after]) == {}
    db.run(SCHEMA.diff(after, before))
    assert arrives(db, [before], [after]) == {}


# -- any change at all -------------------------------------------------------------------------------------------------

NAMES = ["a", "b", "c", "d"]
TYPES = [t.Integer(), t.Text(50), t.Text(), t.Integer("bigint", positive=True), t.Decimal(9, 2)]


@st.composite
def tables(draw: st.DrawFn) -> Entity:
    columns: list[Column] = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        options: dict[str, Any] = draw(st.sampled_from([{}, {"default": 7}, {"comment": "it's"}]))
        columns.append(Column(name, draw(st.sampled_from(TYPES)), null=draw(st.booleans()), **options))
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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=tables(), after=tables(), renamed=st.booleans())
def test_any_change_arrives_with_every_row(connected: Database, before: Entity, after: Entity, renamed: bool) -> None:
    renames = dict[str, str]()
    if renamed:
        lost = [name for name in before.table.columns if name not in after.table.columns]
        new = [name for name in after.table.columns if name not in before.table.columns]
        renames = dict(zip(lost, new, strict=False))
    with connected.schema() as db:
        db.run(SCHEMA.create_tables([before, post()]))
        names = list(before.table.columns)
        for row in range(1, 4):
            values = ", ".join(str(row if name == "id" else row * 100 + i) for i, name in enumerate(names))
            db.connection.execute(f"INSERT INTO blog_author ({', '.join(names)}) VALUES ({values})")
            db.connection.execute(f"INSERT INTO blog_post (title, author_id) VALUES ('{row}', {row})")
        fill = {name: 5 for name in after.table.columns if name not in before.table.columns}
        db.run(SCHEMA.alter([Change(before, after, renames, fill)]))
        assert db.rows("SELECT count(*) FROM blog_post") == [(3,)]
        for i, old in enumerate(names):
            name = renames.get(old, old)
            if name in after.table.columns:
                expected = [row if old == "id" else row * 100 + i for row in (1, 2, 3)]
                assert [int(v) for (v,) in db.rows(f"SELECT {name}::numeric FROM blog_author ORDER BY id")] == expected
        found = db.structure()
        with Database(db.connection).schema() as fresh:
            fresh.run(SCHEMA.create_tables([after, post()]))
            assert found == fresh.structure()
