"""Shapes: queries without their values, in a trie. Each chained call is an edge, found by one dictionary look-up.

The key of an edge is the call's names and structure; its values go into numbered slots. So a chain that was built
before costs a look-up per call, and its plan (SQL text, binder, hydrator) is found on the last shape.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any
from weakref import WeakSet

from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F, RawSQL, Value
from crowsfoot.query.matching import COMPUTED
from crowsfoot.query.nodes import BaseExpression, Uncacheable, hashable
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import Query
from crowsfoot.query.subqueries import Subquery
from crowsfoot.schema.types import LISTENERS, Unless

# Types whose values never change the SQL of a comparison, only what is bound.
SCALARS: frozenset[type] = frozenset(
    {
        int, str, float, bytes, decimal.Decimal, datetime.date, datetime.datetime, datetime.time, datetime.timedelta,
        uuid.UUID,
    }
)  # fmt: skip
LIMIT = 10_000


class Tally:
    """What making plans has come to since the process began. A plan that is found is counted by nobody: that would be
    paid for by each query."""

    def __init__(self) -> None:
        self.compiled = 0
        self.emptied = 0
        self._lock = Lock()

    def count_compiled(self) -> None:
        with self._lock:
            self.compiled += 1

    def count_emptied(self) -> None:
        with self._lock:
            self.emptied += 1


TALLY = Tally()


class Filling:
    """``values`` makes the values of new slots from those of a call; it is generated from ``(position among the call's
    values, prepare)`` pairs."""

    __slots__ = ("values",)

    def __init__(self, slots: tuple[tuple[int | None, Callable[[Any], Any] | None], ...]) -> None:
        names: dict[str, Any] = {f"p{i}": prepare for i, (_, prepare) in enumerate(slots)}
        terms = [self._term(i, at, prepare, names) for i, (at, prepare) in enumerate(slots)]
        self.values: Callable[[list[Any]], tuple[Any, ...]] = eval(f"lambda g: ({''.join(terms)})", names)

    def _term(self, i: int, at: int | None, prepare: Callable[[Any], Any] | None, names: dict[str, Any]) -> str:
        given = "None" if at is None else f"g[{at}]"
        if prepare is None:
            return f"{given},"
        if isinstance(prepare, Unless):
            names[f"p{i}"], names[f"c{i}"] = prepare.slowly, prepare.plain
            return f"{given} if type({given}) is c{i} else p{i}({given}),"
        return f"p{i}({given}),"


class Edge(Filling):
    """Where a call leads, and what it fills the new slots with."""

    __slots__ = ("shape",)

    def __init__(self, shape: Shape, slots: tuple[tuple[int | None, Callable[[Any], Any] | None], ...]) -> None:
        super().__init__(slots)
        self.shape = shape


class Shape:
    """A query without its values. ``plans`` holds what was compiled for it, by database and operation."""

    __slots__ = ("__weakref__", "edges", "gets", "is_forgotten", "plans", "query")
    made = 0

    def __init__(self, query: Query) -> None:
        self.query = query
        # Whether another shape is made, or will be, where this one was.
        self.is_forgotten = False
        self.edges: dict[Hashable, Edge] = {}
        self.plans: dict[Hashable, Any] = {}
        # The plans of ``get()`` by database alone, for the shortest way there is.
        self.gets: dict[str, Any] = {}
        SHAPES.add(self)

    def detached(self, build: Callable[[Query], tuple[Query, Scope | None]]) -> tuple[Shape, tuple[Any, ...]]:
        """The shape after a call that cannot be cached, and the values of its slots."""
        query, scope = build(self.query)
        values = () if scope is None else _prepared(scope)
        return Shape(query), values

    def grow(self, given: list[Any], build: Callable[[Query], tuple[Query, Scope | None]], key: Hashable) -> Edge:
        """Make the edge for ``key``. ``given`` are the call's values in the order of the key.

        Raises ``Uncacheable`` where a slot is filled by a value that is not among them.
        """
        query, scope = build(self.query)
        slots = () if scope is None else positions(given, scope)
        if slots is None:
            raise Uncacheable
        if scope is not None and not scope.cacheable:
            raise Uncacheable
        edge = Edge(Shape(query), slots)
        Shape.made += 1
        if Shape.made > LIMIT:
            forget_all()
        self.edges[key] = edge
        return edge


ROOTS: dict[Any, Shape] = {}
# All of them: a queryset that is kept may hold one that no root leads to any more.
SHAPES: WeakSet[Shape] = WeakSet()


def root(query: Query) -> Shape:
    """The shape that every query of an entity starts from."""
    found = ROOTS.get(query.entity)
    if found is None:
        found = ROOTS[query.entity] = Shape(query)
    return found


def forget_all() -> None:
    """Drop every shape but the roots, and every plan; they are made again when they are next asked for."""
    had_plans = False
    for shape in list(SHAPES):
        shape.is_forgotten = True
        had_plans = had_plans or bool(shape.plans)
        shape.edges.clear()
        shape.plans.clear()
        shape.gets.clear()
    for shape in ROOTS.values():
        shape.is_forgotten = False
    if had_plans or Shape.made:
        TALLY.count_emptied()
    Shape.made = 0


LISTENERS.append(forget_all)


def _prepared(scope: Scope) -> tuple[Any, ...]:
    pairs = zip(scope.values, scope.preparers, strict=True)
    return tuple(value if prepare is None else prepare(value) for value, prepare in pairs)


def positions(given: list[Any], scope: Scope) -> tuple[tuple[int | None, Any], ...] | None:
    """For each slot, which of the call's values fills it; None where a slot's value is not among them."""
    found: list[tuple[int | None, Any]] = []
    position = 0
    for value, prepare in zip(scope.values, scope.preparers, strict=True):
        if value is COMPUTED:
            found.append((None, prepare))
            continue
        while position < len(given) and given[position] is not value:
            position += 1
        if position == len(given):
            return None
        found.append((position, prepare))
        position += 1
    return tuple(found)


# -- keys --------------------------------------------------------------------------------------------------------------


def freeze(value: Any, out: list[Any]) -> Hashable:
    """A key for the structure of ``value``; the values inside it are appended to ``out``."""
    try:
        return _freeze(value, out)
    except RecursionError:
        raise Uncacheable from None


def _freeze(value: Any, out: list[Any]) -> Hashable:
    kind: Any = type(value)
    if kind in SCALARS:
        out.append(value)
        return kind
    if value is None:
        return None
    if kind is bool:
        out.append(value)
        return bool, value
    if isinstance(value, Q):
        return _freeze_q(value, out)
    if isinstance(value, F):
        return kind, freeze_name(value._path), value._root
    if isinstance(value, BaseExpression):
        return _freeze_expression(value, out)
    if kind in (list, tuple, set, frozenset) or kind.__name__ in ("dict_keys", "dict_values", "range"):
        return _freeze_list(kind, value, out)
    if hasattr(value, "freeze"):
        return value.freeze(out)
    out.append(value)
    return kind


def freeze_name(name: Any) -> Hashable:
    return name if isinstance(name, str) else (type(name), freeze_name(name.name))


def _freeze_q(q: Q, out: list[Any]) -> Hashable:
    parts: list[Any] = [q.connector, q.negated]
    stack: list[Any] = list(reversed(q.children))
    while stack:
        child = stack.pop()
        if isinstance(child, tuple):
            parts += [child[0], getattr(child[0], "root", None), _freeze(child[1], out)]
        elif isinstance(child, Q):
            parts += ["(", child.connector, child.negated, len(child.children)]
            stack.extend(reversed(child.children))
        else:
            parts.append(_freeze(child, out))
    return tuple(parts)


def _freeze_list(kind: type, values: Any, out: list[Any]) -> Hashable:
    types = set(map(type, values))
    if types <= SCALARS:
        out.append(values)
        return list, len(types) == 0
    if any(hasattr(v, "resolve_expression") or hasattr(v, "freeze") for v in values):
        return kind, tuple(_freeze(v, out) for v in values)
    if tuple in types and any(hasattr(part, "resolve_expression") for v in values if type(v) is tuple for part in v):
        raise Uncacheable
    out.append(values)
    return list, frozenset(types), all(v is None for v in values)


def _freeze_expression(node: BaseExpression, out: list[Any]) -> Hashable:
    kind = type(node)
    if not (node.cacheable and kind.__module__.startswith("crowsfoot.")):
        raise Uncacheable
    if isinstance(node, Value):
        out.append(node.value)
        return kind, type(node.value), _type_key(node._output_field)
    if isinstance(node, Subquery):
        return kind, _freeze(node.queryset, out), _type_key(node._init[1].get("output_field"))
    if isinstance(node, RawSQL):
        out.extend(node.params)
        return kind, node.sql, tuple(map(type, node.params)), _type_key(node._output_field)
    args, kwargs = node._init
    literal = tuple(_literal(a) for a in args), tuple((k, _literal(v)) for k, v in sorted(kwargs.items()))
    return kind, literal, tuple(None if e is None else _freeze(e, out) for e in node.get_source_expressions())


def _literal(value: Any) -> Hashable:
    """A constructor argument as part of a key; those that are nodes are keyed as sources instead."""
    if hasattr(value, "resolve_expression") or hasattr(value, "freeze"):
        return type(value)  # type: ignore[return-value]
    if hasattr(value, "prepare") and hasattr(value, "get_lookup"):
        return _type_key(value)
    if isinstance(value, (list, tuple)):
        return tuple(_literal(v) for v in value)
    return hashable(value)


def _type_key(value_type: Any) -> Hashable:
    if value_type is None:
        return None
    return getattr(value_type, "type", value_type), type(value_type)
