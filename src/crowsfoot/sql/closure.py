"""Rows of one table and all that hang on them through keys of the same table: a recursive query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crowsfoot.query.depth import bounded
from crowsfoot.query.resolved import Closure, Col
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Attribute
from crowsfoot.sql.compiler import RENDERERS, Compiler
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.select import SelectCompiler
from crowsfoot.sql.statement import Compiled, Row, make_binder

# One equality of a key: the columns of the row that hangs on another, and the columns of that other row.
Link = tuple[tuple[Attribute, ...], tuple[Attribute, ...]]


@bounded
def compile_closure(dialect: Dialect, seed: Query, links: Sequence[Link]) -> Compiled:
    """The rows of ``seed``, the rows that hang on these by any of ``links``, and so on, each row once.

    A row is its entity's key, then for each link the columns of both its sides. Raises ``EmptyResultSet``.
    """
    wanted = [*seed.entity.key, *_sides(links)]
    compiler = SelectCompiler(dialect, _seeding(seed, links))
    sql, params = _recursive(compiler, links, wanted)
    row = Row(seed.entity, [(a, compiler.reader(a.value_type)) for a in wanted], kind="tuple")
    return Compiled(dialect.finish(sql, len(params)), make_binder(dialect, params), row, tuple(compiler.names.said))


def _nested(outer: Compiler, node: Closure) -> tuple[str, list[Any]]:
    """The keys of a closure, as a subquery."""
    compiler = outer.nested(_seeding(node.statement, node.links), 0)
    sql, params = _recursive(compiler, node.links, node.statement.entity.key)
    return f"({sql})", params


def _sides(links: Sequence[Link]) -> list[Attribute]:
    return [a for link in links for side in link for a in side]


def _seeding(seed: Query, links: Sequence[Link]) -> Query:
    """``seed`` with the columns that the recursion needs."""
    attributes = dict.fromkeys([*seed.entity.key, *_sides(links)])
    columns = tuple((a.name, Col((), a)) for a in attributes)
    return seed.without_order().but(columns=columns, rows="tuple", related=(), lock=None)


def _recursive(compiler: Compiler, links: Sequence[Link], wanted: Sequence[Attribute]) -> tuple[str, list[Any]]:
    entity, quote = compiler.query.entity, compiler.quote_name
    attributes = list(dict.fromkeys([*entity.key, *_sides(links)]))
    first, params = compiler.select()
    found, table = quote(compiler.names.take("found")), quote(entity.table.name)
    ties = [
        " AND ".join(
            f"{table}.{quote(a.column.name)} = {found}.{quote(b.column.name)}" for a, b in zip(near, far, strict=True)
        )
        for near, far in links
    ]
    tie = " OR ".join(f"({t})" for t in ties) if len(ties) > 1 else ties[0]
    mine = ", ".join(f"{table}.{quote(a.column.name)}" for a in attributes)
    names = ", ".join(quote(a.column.name) for a in attributes)
    chosen = ", ".join(f"{found}.{quote(a.column.name)}" for a in wanted)
    sql = (
        f"WITH RECURSIVE {found} ({names}) AS ({first} UNION SELECT {mine} FROM {table} INNER JOIN {found} ON ({tie})) "
        f"SELECT {chosen} FROM {found}"
    )
    return sql, params


RENDERERS[Closure] = _nested
