"""INSERT, UPDATE and DELETE statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crowsfoot.errors import EmptyResultSet
from crowsfoot.query.depth import bounded
from crowsfoot.query.lookups import In
from crowsfoot.query.resolved import Col, ColumnTuple, Embedded, Param
from crowsfoot.query.statements import Query, key_column
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.sql.compiler import Slot
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.select import SelectCompiler
from crowsfoot.sql.statement import Compiled, Row, statement


class Conflict:
    """ON CONFLICT: ignore the row, or update ``update`` where ``target`` collides (attributes)."""

    __slots__ = ("target", "update")

    def __init__(self, target: Sequence[Attribute] = (), update: Sequence[Attribute] = ()) -> None:
        self.target, self.update = tuple(target), tuple(update)


def compile_insert(
    dialect: Dialect,
    entity: Entity,
    attributes: Sequence[Attribute],
    rows: int,
    returning: Sequence[Attribute] = (),
    conflict: Conflict | None = None,
    expressions: dict[tuple[int, int], Any] | None = None,
) -> Compiled:
    """INSERT of ``rows`` rows, whose values are in slots row by row. ``expressions`` stand in for some of them, by
    (row, column); their own slots come after all rows'. ``returning`` are the attributes that the database fills."""
    quote = dialect.quote_name
    table = quote(entity.table.name)
    compiler = SelectCompiler(dialect, Query(entity))
    compiler.bare = True
    params: list[Any] = []
    if not attributes:
        sql = f"INSERT INTO {table} DEFAULT VALUES"
    else:
        lines: list[str] = []
        for row in range(rows):
            marks: list[str] = []
            for position, attribute in enumerate(attributes):
                node = (expressions or {}).get((row, position))
                if node is None:
                    marks.append("%s")
                    params.append(Slot(row * len(attributes) + position, attribute.value_type))
                else:
                    text, more = compiler.value_of(node)
                    marks.append(text)
                    params += more
            lines.append(f"({', '.join(marks)})")
        names = ", ".join(quote(a.column.name) for a in attributes)
        sql = f"INSERT INTO {table} ({names}) VALUES {', '.join(lines)}"
    if conflict is not None:
        sql += _on_conflict(dialect, conflict)
    row_layout = None
    if returning:
        owner = "" if dialect.vendor == "sqlite" else f"{table}."
        sql += " RETURNING " + ", ".join(owner + quote(a.column.name) for a in returning)
        row_layout = Row(entity, [(a, compiler.reader(a.value_type)) for a in returning], kind="tuple")
    return statement(dialect, sql, params, row_layout)


def compile_insert_arrays(
    dialect: Dialect, entity: Entity, attributes: Sequence[Attribute], returning: Sequence[Attribute],
    conflict: Conflict | None,
) -> Compiled:  # fmt: skip
    """INSERT of any number of rows, whose values are in slots column by column: an array for each."""
    quote = dialect.quote_name
    table = quote(entity.table.name)
    names = ", ".join(quote(a.column.name) for a in attributes)
    arrays = ", ".join(f"{dialect.cast_parameter('%s', a.value_type)}[]" for a in attributes)
    sql = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})"
    if conflict is not None:
        sql += _on_conflict(dialect, conflict)
    if returning:
        sql += " RETURNING " + ", ".join(f"{table}.{quote(a.column.name)}" for a in returning)
    return statement(dialect, sql, [Slot(i, a.value_type, array=True) for i, a in enumerate(attributes)])


def compile_update_many(
    dialect: Dialect, entity: Entity, attributes: Sequence[Attribute], rows: int | None
) -> Compiled:
    """UPDATE of rows by key, each to values of its own: the key and the ``attributes``, in slots row by row, or (where
    ``rows`` is None) column by column, an array for each."""
    quote = dialect.quote_name
    table = quote(entity.table.name)
    key = entity.key[0]
    columns = [key, *attributes]
    names = ", ".join(f"c{place}" for place in range(len(columns)))
    sets = ", ".join(f"{quote(a.column.name)} = v.c{place}" for place, a in enumerate(attributes, 1))
    end = f"WHERE {table}.{quote(key.column.name)} = v.c0"
    if rows is None:
        arrays = ", ".join(f"{dialect.cast_parameter('%s', a.value_type)}[]" for a in columns)
        sql = f"UPDATE {table} SET {sets} FROM unnest({arrays}) AS v ({names}) {end}"
        return statement(dialect, sql, [Slot(i, a.value_type, array=True) for i, a in enumerate(columns)])
    marks = f"({', '.join(['%s'] * len(columns))})"
    sql = f"WITH v ({names}) AS (VALUES {', '.join([marks] * rows)}) UPDATE {table} SET {sets} FROM v {end}"
    slots = [Slot(row * len(columns) + i, a.value_type) for row in range(rows) for i, a in enumerate(columns)]
    return statement(dialect, sql, [*slots])


def compile_links(dialect: Dialect, entity: Entity, here: Attribute, there: Attribute) -> tuple[Compiled, Compiled]:
    """INSERT of a link of two keys, and of links of one key to several in an array; those that are there are left."""
    quote = dialect.quote_name
    into = f"INSERT INTO {quote(entity.table.name)} ({quote(here.column.name)}, {quote(there.column.name)})"
    end = " ON CONFLICT DO NOTHING"
    one = f"{into} VALUES (%s, %s){end}"
    slots = [Slot(0, here.value_type), Slot(1, there.value_type)]
    own = dialect.cast_parameter("%s", here.value_type)
    several = f"{into} SELECT {own}, {dialect.each('%s', there.value_type)}{end}"
    arrays = [slots[0], Slot(1, there.value_type, array=True)]
    return statement(dialect, one, [*slots]), statement(dialect, several, [*arrays])


def _on_conflict(dialect: Dialect, conflict: Conflict) -> str:
    quote = dialect.quote_name
    if not conflict.update:
        return " ON CONFLICT DO NOTHING"
    target = ", ".join(quote(a.column.name) for a in conflict.target)
    sets = ", ".join(f"{quote(a.column.name)} = EXCLUDED.{quote(a.column.name)}" for a in conflict.update)
    return f" ON CONFLICT ({target}) DO UPDATE SET {sets}"


@bounded
def compile_update(
    dialect: Dialect, query: Query, assignments: Sequence[tuple[Attribute, Any]], returning: Sequence[Attribute] = ()
) -> Compiled:
    """UPDATE of a query's rows. ``assignments`` are ``(attribute, resolved expression)`` of the query's own table.

    Rows that are found through joins, or are sliced, are updated by key. Raises ``EmptyResultSet``.
    """
    quote = dialect.quote_name
    table = query.entity.table
    sets: list[str] = []
    params: list[Any] = []
    compiler = SelectCompiler(dialect, query)
    for attribute, node in assignments:
        text, more = compiler.value_of(node)
        sets.append(f"{quote(attribute.column.name)} = {text}")
        params += more
    where, where_params = _own_where(dialect, compiler, query)
    sql = f"UPDATE {quote(table.name)} SET {', '.join(sets)}{where}"
    params += where_params
    row_layout = None
    if returning:
        sql += " RETURNING " + ", ".join(quote(a.column.name) for a in returning)
        row_layout = Row(query.entity, [(a, compiler.reader(a.value_type)) for a in returning], kind="tuple")
    return statement(dialect, sql, params, row_layout, compiler.names)


def having(entity: Entity, attributes: Sequence[Attribute], start: int = 0) -> Query:
    """The rows of an entity whose ``attributes`` have the values of the slots from ``start`` on."""
    query = Query(entity)
    for slot, attribute in enumerate(attributes, start):
        exact = attribute.value_type.get_lookup("exact")
        node = exact(Col((), attribute), Param(slot, attribute.value_type))
        node.is_resolved = True
        query = query.with_step(node)
    return query


@bounded
def compile_delete(dialect: Dialect, query: Query) -> Compiled:
    """DELETE of a query's rows. Raises ``EmptyResultSet``."""
    compiler = SelectCompiler(dialect, query)
    where, params = _own_where(dialect, compiler, query)
    sql = f"DELETE FROM {dialect.quote_name(query.entity.table.name)}{where}"
    return statement(dialect, sql, params, names=compiler.names)


def _own_where(dialect: Dialect, compiler: SelectCompiler, query: Query) -> tuple[str, list[Any]]:
    """The WHERE clause over the query's own table; rows that need more are chosen by key."""
    if query.empty:
        raise EmptyResultSet
    simple = not (query.is_sliced or query.is_aggregated or query.asks_windows or query.distinct or query.combined)
    if simple:
        where, params, having, _ = compiler._conditions("")
        if not compiler.joins.root.children and not having:
            return (f" WHERE {where}" if where else ""), params
    node = In(keys_of(query), None)
    node.rhs = Embedded(_keys_only(query), 0)
    outside = SelectCompiler(dialect, Query(query.entity))
    sql, params = outside.compile(node)
    compiler.names.said = outside.names.said
    return f" WHERE {sql}", params


def keys_of(query: Query) -> Any:
    """The key of a query's own table, as an expression."""
    columns = own_key(query.entity)
    return columns[0] if len(columns) == 1 else ColumnTuple(columns)


def own_key(entity: Entity) -> list[Any]:
    return [Col((), a) if a.column.name in entity.table.columns else key_column(a) for a in entity.key]


def _keys_only(query: Query) -> Query:
    items = tuple((a.name, key_column(a)) for a in query.entity.key)
    ordered = query if query.is_sliced else query.without_order()
    return ordered.but(columns=items, rows="tuple", related=(), extra_columns=(), lock=None)
