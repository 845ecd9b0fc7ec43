"""Rows of one table and all that hang on them through keys of the same table: one recursive statement."""

from __future__ import annotations

from collections.abc import Sequence

from crowsfoot.query.resolved import Col
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Attribute
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.select import SelectCompiler
from crowsfoot.sql.statement import Compiled, Row, make_binder

# One equality of a key: the columns of the row that hangs on another, and the columns of that other row.
Link = tuple[tuple[Attribute, ...], tuple[Attribute, ...]]


def compile_closure(dialect: Dialect, seed: Query, links: Sequence[Link]) -> Compiled:
    """The rows of ``seed``, the rows that hang on these by any of ``links``, and so on, each row once.

    A row is its entity's key, then for each link the columns of both its sides. Raises ``EmptyResultSet``.
    """
    entity = seed.entity
    wanted = [*entity.key, *[a for near, far in links for side in (near, far) for a in side]]
    attributes = list(dict.fromkeys(wanted))
    columns = tuple((a.name, Col((), a)) for a in attributes)
    compiler = SelectCompiler(dialect, seed.without_order().but(columns=columns, rows="tuple", related=(), lock=None))
    first, params = compiler.select()
    quote = dialect.quote_name
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
    row = Row(entity, [(a, compiler.reader(a.value_type)) for a in wanted], kind="tuple")
    return Compiled(dialect.finish(sql, len(params)), make_binder(dialect, params), row)
