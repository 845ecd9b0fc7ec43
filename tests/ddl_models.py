"""Entities made by hand for the tests of schema statements: no model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crowsfoot.schema import types as t
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.relation import CASCADE, OnDelete, many_to_one
from crowsfoot.schema.table import Column, ForeignKey, Index, Table, Unique
from crowsfoot.sql import names

BIGINT = t.Integer("bigint")


def identity(name: str = "id") -> Column:
    return Column(name, t.Integer("bigint", auto=True), identity=True)


def text(name: str, length: int | None = 100, **options: Any) -> Column:
    return Column(name, t.Text(length), **options)


def number(name: str, **options: Any) -> Column:
    return Column(name, t.Integer(), **options)


def key_column(name: str, **options: Any) -> Column:
    return Column(name, BIGINT, **options)


def entity(table: str, *columns: Column, primary_key: Sequence[str] = ("id",), **parts: Any) -> Entity:
    """An entity whose attributes are its columns by their names."""
    made = Table(table, {column.name: column for column in columns}, tuple(primary_key), **parts)
    found = Entity(f"blog.{table.removeprefix('blog_').title()}", made)
    for column in columns:
        found.add_attribute(Attribute(found, column.name, column))
    found.key = found.attributes_of(made.primary_key)
    return found


def foreign_key(
    table: str,
    columns: Sequence[str],
    target: str,
    on_delete: str = "CASCADE",
    to: Sequence[str] = ("id",),
    **rest: Any,
) -> ForeignKey:
    name = names.foreign_key_name(table, columns, target, to)
    return ForeignKey(name, tuple(columns), target, tuple(to), on_delete, **rest)


def db_index(table: str, column: str) -> Index:
    return Index(names.index_name(table, [column]), ((column, False),))


def field_unique(table: str, *columns: str) -> Unique:
    return Unique(names.unique_name(table, columns), tuple(columns))


def relate(
    owner: Entity, name: str, target: Entity, columns: Sequence[str], on_delete: OnDelete = CASCADE, null: bool = False
) -> None:
    """Make ``name`` a foreign key of ``owner`` in look-ups."""
    relation = many_to_one(
        owner, name, target, tuple(columns), target.table.primary_key, on_delete,
        accessor=None, query_name=f"{name}+", nullable=null,
    )  # fmt: skip
    for end in relation.ends:
        end.owner.add_end(end)


def author(table: str = "blog_author", *more: Column, **parts: Any) -> Entity:
    return entity(table, identity(), text("name"), *more, **parts)


def post(*more: Column, table: str = "blog_post", target: str = "blog_author", **parts: Any) -> Entity:
    """A post with a title and an author; ``parts`` replaces parts of its table."""
    parts.setdefault("foreign_keys", [foreign_key(table, ["author_id"], target)])
    parts.setdefault("indexes", [db_index(table, "author_id")])
    return entity(table, identity(), text("title"), key_column("author_id"), *more, **parts)
