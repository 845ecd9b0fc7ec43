"""`aggregate()`: values over all rows of a query, in a subquery where rows are grouped, distinct or sliced first."""

from __future__ import annotations

from typing import Any

from crowsfoot.query.depth import bounded
from crowsfoot.query.fanout import multiplies
from crowsfoot.query.resolved import Col, Never, Ref
from crowsfoot.query.statements import Query
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.outside import Inner
from crowsfoot.sql.select import Output, SelectCompiler
from crowsfoot.sql.statement import Compiled, Row, statement


@bounded
def compile_aggregate(dialect: Dialect, query: Query, nodes: dict[str, Any], *, of_nothing: bool = False) -> Compiled:
    """One row of the aggregates ``nodes`` over ``query``.

    Raises ``EmptyResultSet`` where there is no row; but with ``of_nothing`` the database is to say what they are then.
    """
    if of_nothing:
        query = Query(query.entity, steps=(Never(),), annotations=query.annotations)
    items = tuple(nodes.items())
    if len(items) > 1 and multiplies(query, nodes.values()):
        # Each over rows of its own: joined to one another they would count pairs.
        compiled = [_compiled(dialect, query, (item,), nodes) for item in items]
        texts = [f"({sql}) AS {dialect.quote_name(n)}" for (n, _), (sql, _, _) in zip(items, compiled, strict=True)]
        row = Row(query.entity, kind="dict", extras=[value for _, _, part in compiled for value in part.extras])
        return statement(dialect, f"SELECT {', '.join(texts)}", [p for _, more, _ in compiled for p in more], row)
    return statement(dialect, *_compiled(dialect, query, items, nodes))


def _compiled(
    dialect: Dialect, query: Query, items: tuple[tuple[str, Any], ...], peers: dict[str, Any]
) -> tuple[str, list[Any], Row]:
    ordered = query if query.is_sliced or query.distinct_on else query.without_order()
    base = ordered.but(related=(), lock=None)
    nested = query.is_aggregated or query.distinct or query.is_sliced or query.combined is not None
    nested = nested or query.asks_windows or any(_over_computed(node) for _, node in items)
    if not nested:
        outer = base.but(columns=items, rows="dict", grouping=None, hidden=frozenset(n for n, _ in query.annotations))
        compiler = SelectCompiler(dialect, outer)
        sql, params = compiler.select()
        return sql, params, compiler.row
    return _nested(dialect, base, items, peers)


def _over_computed(node: Any) -> bool:
    """Whether an annotation that is used is an aggregate or a window itself, which no aggregate can be taken of."""
    sources = [part.source for part in node.flatten() if isinstance(part, Ref)]
    return any(source.contains_aggregate or source.contains_over_clause for source in sources)


def _nested(
    dialect: Dialect, base: Query, items: tuple[tuple[str, Any], ...], peers: dict[str, Any]
) -> tuple[str, list[Any], Row]:
    columns: dict[str, Any] = {}
    outer_nodes = [(name, _outside(node, columns, peers)) for name, node in items]
    chosen = list(base.columns) if base.columns is not None and base.distinct else []
    taken = {name for name, _ in chosen}
    chosen += [(name, node) for name, node in columns.items() if name not in taken]
    if base.distinct and base.columns is None:
        chosen = [(a.name, Col(a.via, a)) for a in base.entity.attributes.values()] + chosen
    if not chosen:
        key = base.entity.key[0]
        chosen.append(("one", Col(key.via, key)))
    inner = base.but(columns=tuple(chosen), rows="tuple")
    compiler = _Aliased(dialect, inner)
    inner_sql, params = compiler.select()
    parts: list[str] = []
    outer_params: list[Any] = []
    row = Row(base.entity, kind="dict")
    for name, node in outer_nodes:
        sql, more = compiler.compile(node)
        parts.append(f"{sql} AS {dialect.quote_name(name)}")
        outer_params += more
        row.extras.append((name, compiler._reader(node)))
    sql = f"SELECT {', '.join(parts)} FROM ({inner_sql}) {dialect.quote_name('subquery')}"
    return sql, outer_params + params, row


class _Aliased(SelectCompiler):
    """A SELECT whose columns all have the names that the outer query uses."""

    def _chosen(self, query: Query) -> Any:
        outputs: list[Output] = []
        params: list[Any] = []
        self.row = Row(query.entity, kind="tuple")
        for name, node in query.columns or ():
            sql, more = self.value_of(node)
            outputs.append((sql, name))
            self.places[id(node)] = len(outputs)
            params += more
        return outputs, params


def _outside(node: Any, columns: dict[str, Any], peers: dict[str, Any]) -> Any:
    """``node`` with what it reads of the rows replaced by columns of the subquery."""
    if isinstance(node, Ref):
        if node.refs in peers:
            return _outside(node.source, columns, peers)
        columns[node.refs] = node.source
        return Inner("subquery", node.refs, node.source)
    if isinstance(node, Col):
        name = f"__col{len(columns) + 1}"
        for known, source in columns.items():
            if isinstance(source, Col) and source.place == node.place:
                name = known
        columns[name] = node
        return Inner("subquery", name, node)
    if not node.get_source_expressions():
        return node
    copy = node.copy()
    copy.set_source_expressions(
        [None if e is None else _outside(e, columns, peers) for e in node.get_source_expressions()]
    )
    return copy
