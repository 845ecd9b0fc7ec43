"""`aggregate()`: what is asked of all rows of a queryset at once, and of the related rows of several owners at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from crowsfoot.drivers.run import Fetch, Operation
from crowsfoot.errors import EmptyResultSet
from crowsfoot.models import peers
from crowsfoot.persistence.hydrate import Hydrator, make_hydrator
from crowsfoot.persistence.session import Session
from crowsfoot.query.aggregates import Aggregate
from crowsfoot.query.depth import bounded
from crowsfoot.query.expressions import Value
from crowsfoot.query.nodes import Uncacheable
from crowsfoot.query.scope import Scope
from crowsfoot.query.shapes import Filling, freeze, positions
from crowsfoot.query.statements import Query
from crowsfoot.sql.aggregate import compile_aggregate
from crowsfoot.sql.statement import Compiled


class Aggregation:
    """Named aggregates, resolved for one query. ``values`` are those of their slots, which follow the query's own."""

    __slots__ = ("expressions", "nodes", "scope", "values")

    @bounded
    def __init__(self, query: Query, expressions: dict[str, Any]) -> None:
        self.expressions = expressions
        self.scope = scope = Scope(query)
        self.nodes: dict[str, Any] = {}
        for name, expression in expressions.items():
            scope.annotations = {**query.annotation_map, **self.nodes}
            scope.peers = frozenset(self.nodes)
            node = expression.resolve_expression(scope, summarize=True)
            if not node.contains_aggregate:
                raise TypeError(f"{name} is not an aggregate expression")
            self.nodes[name] = node
        self.values = [v if p is None else p(v) for v, p in zip(scope.values, scope.preparers, strict=True)]

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(self.nodes, values, strict=True))

    def of_nothing(self) -> dict[str, Any] | None:
        """The answer where there is no row; None where only the database knows it."""
        found = {name: _of_nothing(expression) for name, expression in self.expressions.items()}
        return None if any(value is NotImplemented for value in found.values()) else found

    def shape(self) -> tuple[Hashable, tuple[Any, ...]] | None:
        """See ``shape_of``."""
        return shape_of(self.expressions)


def shape_of(expressions: dict[str, Any]) -> tuple[Hashable, tuple[Any, ...]] | None:
    """A key for the structure of aggregates, and the values in them; None where peers cannot share the answer.

    That is so where only the database knows what an aggregate of no row is, since an owner without rows is in no group.
    """
    for expression in expressions.values():
        if not isinstance(expression, Aggregate) or not isinstance(expression.default, (Value, type(None))):
            return None
    key, given = _frozen(expressions)
    return None if key is None else (key, tuple(given))


class Kept(NamedTuple):
    """The plan of aggregates over a shape, and what fills their slots."""

    compiled: Compiled
    hydrate: Hydrator
    filling: Filling


def _frozen(expressions: dict[str, Any]) -> tuple[Hashable, list[Any]]:
    """A key for the structure of expressions by name (None for those of which there is none), and the values in
    them."""
    given: list[Any] = []
    try:
        return tuple([(name, freeze(expression, given)) for name, expression in expressions.items()]), given
    except Uncacheable:
        return None, given


def _of_nothing(expression: Any) -> Any:
    if isinstance(expression, Aggregate) and expression.default is not None:
        return expression.default.value if isinstance(expression.default, Value) else NotImplemented
    return expression.empty_result_set_value


def aggregate(session: Session, queryset: Any, expressions: dict[str, Any]) -> Operation[dict[str, Any]]:
    """The values of these expressions over all rows of ``queryset``, by name. One query, or none where peers asked."""
    if not expressions:
        return {}
    has_peers = queryset._side is not None and peers.has_peers(queryset)
    shape = shape_of(expressions) if has_peers else None
    found: dict[str, Any] | None = peers.taken(queryset, "aggregate", session, shape) if shape else None
    if found is not None:
        return found
    key, given = _frozen(expressions)
    kept = None if key is None else (session.alias, "aggregate", key, queryset._low > 0, queryset._high is not None)
    known: Kept | None = None if has_peers or kept is None else queryset._shape.plans.get(kept)
    if known is not None:
        values = (*queryset._all_values(), *known.filling.values(given))
        answers: list[dict[str, Any]] = yield Fetch(known.compiled.sql, known.compiled.bind(values), known.hydrate)
        return answers[0]
    query, values = queryset.as_subquery()
    asked = Aggregation(query, expressions)
    if has_peers:
        found = yield from peers.answer(session, queryset, "aggregate", asked)
        if found is not None:
            return found
    try:
        compiled = compile_aggregate(session.dialect, query, asked.nodes)
    except EmptyResultSet:
        nothing = asked.of_nothing()
        if nothing is not None:
            return nothing
        compiled = compile_aggregate(session.dialect, query, asked.nodes, of_nothing=True)
    assert compiled.row is not None
    hydrate = make_hydrator(compiled.row, session.alias)
    slots = None if kept is None else positions(given, asked.scope)
    if slots is not None and not compiled.said and asked.scope.cacheable:
        queryset._shape.plans[kept] = Kept(compiled, hydrate, Filling(slots))
    rows: list[dict[str, Any]] = yield Fetch(compiled.sql, compiled.bind((*values, *asked.values)), hydrate)
    return rows[0]
