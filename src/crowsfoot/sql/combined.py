"""UNION, INTERSECT and EXCEPT: each part is a statement of its own; order and limits stand behind the whole.

What ``values()`` chose after the combination is chosen in each part that chose nothing before, and what the whole is
ordered by becomes a column of each part where it is none.
"""

from __future__ import annotations

from typing import Any

from crowsfoot.errors import DatabaseError, EmptyResultSet, NotSupportedError
from crowsfoot.query.loading import Loading
from crowsfoot.query.nodes import mapped
from crowsfoot.query.paths import SEPARATOR
from crowsfoot.query.resolved import Col, Ref
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import RANDOM, Query
from crowsfoot.query.subqueries import shift
from crowsfoot.sql.statement import Row

Part = tuple[Query, int]


def select(compiler: Any, subquery: bool) -> tuple[str, list[Any]]:
    """The statement for a combined query. Raises ``EmptyResultSet``, and ``DatabaseError`` for an order that no part
    can have."""
    query = compiler.query
    parts = [(_chosen(query, part, offset), offset) for part, offset in query.combined.parts]
    order, extra = _order(query, compiler._order_nodes() if query.is_sliced or not subquery else [])
    texts: list[str] = []
    params: list[Any] = []
    rows: list[Row] = []
    for position, (part, offset) in enumerate(parts):
        whole = part.but(extra_columns=(*part.extra_columns, *_extra(query, part, offset, extra)))
        try:
            text, more, row = _part(compiler, whole, offset, position)
        except EmptyResultSet:
            if query.combined.operator == "INTERSECT" or (query.combined.operator == "EXCEPT" and not position):
                raise
            continue
        texts.append(text)
        params += more
        rows.append(row)
    if not texts:
        raise EmptyResultSet
    width = _same_width(rows)
    compiler.row = _row(query, rows[0], len(extra))
    sql = f" {query.combined.operator} {'ALL ' if query.combined.all else ''}".join(texts)
    by = [_by(query, rows[0], item, extra, width - len(extra) + 1) for item in order]
    if by:
        sql += f" ORDER BY {', '.join(by)}"
    limit, limit_params = compiler._limits()
    sql += limit
    return (compiler.first_columns(sql, width - len(extra), width) if subquery else sql), params + limit_params


def _part(compiler: Any, part: Query, offset: int, position: int) -> tuple[str, list[Any], Row]:
    """One of the statements; those with an order, limits or parts of their own stand in a subquery."""
    bare = part if part.is_sliced or part.distinct_on else part.without_order()
    inner = compiler.nested(bare.but(lock=None), offset)
    inner.outer = compiler.outer
    sql, params = inner.select()
    nested = bare.is_sliced or bare.combined is not None or bare.order or bare.asks_windows
    if nested:
        sql = f"SELECT * FROM ({sql}) {compiler.quote_name(f'u{position}')}"
    return sql, params, inner.row


# -- columns -----------------------------------------------------------------------------------------------------------


def _chosen(query: Query, part: Query, offset: int) -> Query:
    """``part`` with the columns of the whole, unless it has columns of its own."""
    if query.columns is None or part.columns is not None:
        return part
    return part.selecting("tuple", tuple((name, seen_from(part, node, offset)) for name, node in query.columns))


def seen_from(part: Query, node: Any, offset: int) -> Any:
    """An expression of the whole, bound to a part: by the same names, its slots counted from the part's ``offset``."""

    def bound(inner: Any) -> Any:
        if isinstance(inner, Ref) and inner.refs in part.annotation_map:
            return Ref(inner.refs, part.annotation_map[inner.refs])
        if isinstance(inner, Col):
            names = [*[end.name for end in inner.ends], inner.attribute.name]
            return Scope(part).resolve_ref(SEPARATOR.join(names))
        return shift(inner, -offset)

    return mapped(node, bound)


def _same_width(rows: list[Row]) -> int:
    widths = [row.width for row in rows]
    if len(set(widths)) > 1:
        raise DatabaseError(
            "Combined querysets need the same number of columns; these have "
            f"{', '.join(map(str, widths))}. Name them by values() or values_list() in each."
        )
    return widths[0]


def _row(query: Query, first: Row, extra: int) -> Row:
    """What rows of the whole hold: the values of the first part, under the names of the whole."""
    row = Row(first.entity, first.attributes, first.related, first.extras, query.rows, first.partial, first.unread)
    if extra:
        row.extras = row.extras[:-extra]
        row.unread = True
    if query.columns is not None:
        values = [reader for _, reader in row.attributes] + [reader for _, reader in row.extras]
        names = [name for name, _ in query.columns]
        if not row.related and len(names) == len(values):
            row.attributes, row.extras = [], list(zip(names, values, strict=True))
    return row


# -- order -------------------------------------------------------------------------------------------------------------


def _order(query: Query, items: list[Any]) -> tuple[list[Any], list[Any]]:
    """What the whole is ordered by, and the expressions among it that are no columns yet."""
    if RANDOM in items:
        raise NotSupportedError("Combined querysets cannot be ordered at random.")
    extra = [item.expression for item in items if not _is_selected(query, item.expression)]
    if extra and any(part.columns is not None for part, _ in query.combined.parts):  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
        raise NotSupportedError(
            f"ORDER BY term does not match any column in the result set: {_said(extra[0])} is not among the columns "
            f"that values() chose, {', '.join(name for name, _ in query.output())}."
        )
    return items, extra


def _extra(query: Query, part: Query, offset: int, extra: list[Any]) -> list[tuple[str, Any]]:
    return [(f"__order{number}", seen_from(part, node, offset)) for number, node in enumerate(extra)]


def _is_selected(query: Query, node: Any) -> bool:
    if query.columns is not None:
        return any(_same(known, node) for _, known in query.columns)
    if isinstance(node, Ref):
        return node.refs in dict(query.selected_annotations)
    return (
        isinstance(node, Col)
        and node.ends == node.attribute.via
        and node.attribute in Loading.of(query.deferred).attributes(query.entity)
    )


def _same(known: Any, node: Any) -> bool:
    if isinstance(known, Ref) and isinstance(node, Ref):
        return known.refs == node.refs
    if isinstance(known, Col) and isinstance(node, Col):
        return known.place == node.place
    return False


def _number(query: Query, row: Row, node: Any) -> int:
    """The place of a selected expression among the columns, counted from 1."""
    widths = [1 for _ in row.attributes] + [related.width for _, related in row.related]
    if query.columns is not None:
        place = next(place for place, (_, known) in enumerate(query.columns) if _same(known, node))
        return sum(_width(reader) for _, reader in row.extras[:place]) + 1
    if isinstance(node, Ref):
        names = [name for name, _ in row.extras]
        return sum(widths) + sum(_width(reader) for _, reader in row.extras[: names.index(node.refs)]) + 1
    return [attribute for attribute, _ in row.attributes].index(node.attribute) + 1


def _by(query: Query, row: Row, item: Any, extra: list[Any], first: int) -> str:
    """One term of the order, by the number of its column."""
    place = next((number for number, node in enumerate(extra) if node is item.expression), None)
    number = _number(query, row, item.expression) if place is None else first + place
    nulls = " NULLS FIRST" if item.nulls_first else " NULLS LAST" if item.nulls_last else ""
    return f"{number} {'DESC' if item.descending else 'ASC'}{nulls}"


def _width(reader: Any) -> int:
    return len(reader) if isinstance(reader, tuple) else 1


def _said(node: Any) -> str:
    return repr(node.attribute.name) if isinstance(node, Col) else repr(getattr(node, "refs", node))
