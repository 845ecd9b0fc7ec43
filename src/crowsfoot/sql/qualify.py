"""Conditions about window functions: the rows are computed in a subquery, and chosen around it.

A window is computed after WHERE, GROUP BY and HAVING, over the rows that are left by these. So conditions without
windows stay inside, and those with one, the order and the limits are said outside.
"""

from __future__ import annotations

from typing import Any

from crowsfoot.errors import FullResultSet
from crowsfoot.query.resolved import Condition, Ref
from crowsfoot.query.statements import RANDOM
from crowsfoot.sql.conditions import compile_condition
from crowsfoot.sql.outside import Exports

TABLE, COLUMN = "qualify", "qual"


def select(compiler: Any, outputs: list[Any], params: list[Any], conditions: Any, unordered: bool) -> Any:
    """The statement for a query whose ``compiler.over_windows`` are conditions about windows."""
    query, quote = compiler.query, compiler.quote_name
    table = compiler.names.take(TABLE)
    found = Exports(compiler, table)
    asked = Condition([found.outside(step) for step in compiler.over_windows])
    order = [] if unordered else [_ordered(found, item) for item in compiler._order_nodes()]
    first_on = [found.take(node) for node in query.distinct_on]
    group = compiler._grouping(outputs, [column for node in found.nodes for column in _read(node)])
    compiler._settle()
    body, body_params = compiler._body(conditions, group)
    names = [f"c{number}" for number in range(len(outputs))]
    inside = [f"{text} AS {quote(name)}" for (text, _), name in zip(outputs, names, strict=True)]
    inside += [f"{text} AS {quote(found.name(number))}" for number, (text, _) in enumerate(found.columns)]
    inner_params = [*params, *[p for _, more in found.columns for p in more], *body_params]
    chosen = [f"{quote(table)}.{quote(name)}" for name in names]
    by = [(compiler.compile(item) if item is not RANDOM else (f"{compiler.dialect.random} ASC", [])) for item in order]
    distinct = ""
    if first_on:
        distinct = f"DISTINCT ON ({', '.join(compiler.compile(node)[0] for node in first_on)}) "
    elif query.distinct:
        distinct = "DISTINCT "
        chosen += [compiler.compile(item.expression)[0] for item in order if item is not RANDOM]
    where, where_params = _where(compiler, asked)
    shown = [compiler.named((text, name)) for text, (_, name) in zip(chosen, outputs, strict=False)]
    sql = f"SELECT {distinct}{', '.join([*shown, *chosen[len(outputs) :]])}"
    sql += f" FROM (SELECT {', '.join(inside)}{body}) {quote(table)}{where}"
    sql += f" ORDER BY {', '.join(text for text, _ in by)}" if by else ""
    compiler.row.unread = compiler.row.unread or len(chosen) > len(outputs)
    limit, limit_params = compiler._limits()
    sql = compiler.first_columns(sql + limit, len(outputs), len(chosen)) if unordered is False else sql + limit
    return sql, [*inner_params, *where_params, *[p for _, more in by for p in more], *limit_params]


def _read(node: Any) -> list[Any]:
    """The columns that a window reads of the rows; nothing of what else is computed inside."""
    source = node.source if isinstance(node, Ref) else node
    return [c for c in source.get_group_by_cols() if not c.contains_over_clause] if source.contains_over_clause else []


def _ordered(found: Exports, item: Any) -> Any:
    if item is RANDOM:
        return item
    node = item.copy()
    node.expression = found.take(item.expression)
    return node


def _where(compiler: Any, asked: Condition) -> tuple[str, list[Any]]:
    try:
        clause = compile_condition(compiler, asked)
    except FullResultSet:
        return "", []
    return f" WHERE {clause.sql}", clause.params
