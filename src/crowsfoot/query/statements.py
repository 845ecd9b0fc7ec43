"""Statements: a frozen description of a whole query. Each chained call makes a changed copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from crowsfoot.errors import FieldError
from crowsfoot.query import paths
from crowsfoot.query.aggregates import Aggregate, Count
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F, OrderBy
from crowsfoot.query.inference import UNKNOWN
from crowsfoot.query.loading import ALL, Deferred
from crowsfoot.query.nodes import BaseExpression, mapped
from crowsfoot.query.resolved import Col, ColumnTuple, Condition, Param, Ref, RelatedExists, parts
from crowsfoot.query.scope import Scope
from crowsfoot.query.subqueries import shift
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.types import ValueType


@dataclass(frozen=True, slots=True)
class Related:
    """One relation that ``select_related`` joins: the end, what is joined behind it, and whether a name asked for."""

    end: Any
    children: tuple[Related, ...] = ()
    named: bool = True


@dataclass(frozen=True, slots=True)
class Combined:
    """UNION, INTERSECT or EXCEPT of ``parts``: queries, and how far the slots of each are shifted."""

    operator: str
    all: bool
    parts: tuple[tuple[Any, int], ...]


@dataclass(frozen=True, slots=True)
class Lock:
    """SELECT … FOR UPDATE and its options."""

    nowait: bool = False
    skip_locked: bool = False
    of: tuple[str, ...] = ()
    no_key: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT over ``entity``.

    ``steps`` are conditions in the order of their ``filter()`` calls; ``annotations`` are ``(name, expression)`` pairs,
    of which those in ``hidden`` are not selected. ``size`` is the number of slots, ``group`` the number of the last
    ``filter()`` call. ``rows`` says what comes out: ``model``, ``dict``, ``tuple``, ``flat`` or ``named``; ``columns``
    are the names chosen by ``values()``, the first ``chosen`` of them, and those annotated after it. ``tie`` is
    ``(position, number)`` of the steps that bind related rows to their owner. ``deferred`` is ``(names, defer)``.
    ``limits`` are the slots of LIMIT and OFFSET, which hold for the whole result, or for each value of the extra
    columns named in ``per``. ``relations`` are relations with names of their own and the ends that lead to them.
    ``tables`` are further ones that SQL of one's own speaks of. ``using`` is the alias of the database that a subquery
    was bound to. ``assigned`` is what an UPDATE of the rows sets, as ``(attribute, expression)`` pairs.
    """

    entity: Entity
    steps: tuple[Any, ...] = ()
    annotations: tuple[tuple[str, Any], ...] = ()
    hidden: frozenset[str] = frozenset()
    size: int = 0
    group: int = 0
    sticky: bool = False
    order: tuple[Any, ...] | None = None
    flipped: bool = False
    distinct: bool = False
    distinct_on: tuple[Any, ...] = ()
    rows: str = "model"
    columns: tuple[Any, ...] | None = None
    chosen: int = 0
    grouping: tuple[Any, ...] | None = None
    deferred: Deferred = ALL
    related: tuple[Related, ...] = ()
    limits: tuple[Any, Any] = (None, None)
    combined: Combined | None = None
    lock: Lock | None = None
    empty: bool = False
    extra_columns: tuple[tuple[str, Any], ...] = ()
    per: tuple[str, ...] = ()
    relations: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    tie: tuple[int, int] | None = None
    tables: tuple[str, ...] = ()
    using: str | None = None
    assigned: tuple[tuple[Attribute, Any], ...] = ()

    # -- reading -------------------------------------------------------------------------------------------------------

    @property
    def annotation_map(self) -> dict[str, Any]:
        return dict(self.annotations)

    @property
    def relation_map(self) -> dict[str, tuple[Any, ...]]:
        return dict(self.relations)

    @property
    def selected_annotations(self) -> list[tuple[str, Any]]:
        return [(name, node) for name, node in self.annotations if name not in self.hidden]

    def joined_group(self, ends: tuple[Any, ...]) -> int | None:
        """The number of the last ``filter()`` call that joined the to-many relation ``ends`` go through; 0 for none,
        and None where no such relation is on the way.

        Values, annotations and orders speak of the rows that it found. A call that comes later joins for itself.
        """
        many = next((i for i, end in enumerate(ends) if end.many), None)
        if many is None:
            return None
        way, hop = ends[:many], ends[many].hops[0].identity  # a link table is one, whichever relation leads to it
        return max(_joins(self.steps).get((way, hop), ()), default=0)

    @property
    def is_aggregated(self) -> bool:
        return self.grouping is not None

    @property
    def has_all_columns(self) -> bool:
        """Whether every field is selected: ``values()`` without names, or no call of it."""
        return self.columns is None or self.entity.attributes.keys() <= dict(self.columns).keys()

    @property
    def asks_windows(self) -> bool:
        """Whether a condition is about a window function, which is computed after WHERE and HAVING."""
        return any(step.contains_over_clause for step in self.steps)

    @property
    def is_sliced(self) -> bool:
        return self.limits != (None, None)

    def nodes(self) -> Iterator[Any]:
        """Every expression of this query and of those that are combined in it, with the nodes below each."""
        named = [node for _, node in (*self.annotations, *(self.columns or ()), *self.extra_columns)]
        for node in (*self.steps, *named, *(self.order or ()), *self.distinct_on):
            if isinstance(node, BaseExpression):
                yield from node.flatten()
        for part, _ in self.combined.parts if self.combined is not None else ():
            yield from part.nodes()

    def mapped(self, replace: Callable[[Any], Any]) -> Query:
        """This query with what ``replace`` has for its nodes in their place; see ``nodes.mapped``."""

        def each(node: Any) -> Any:
            return mapped(node, replace) if isinstance(node, BaseExpression) else node

        def named(pairs: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, Any], ...]:
            return tuple((name, each(node)) for name, node in pairs)

        combined = self.combined
        if combined is not None:
            parts = tuple((part.mapped(replace), offset) for part, offset in combined.parts)
            combined = Combined(combined.operator, combined.all, parts)
        return self.but(
            steps=tuple(map(each, self.steps)), annotations=named(self.annotations),
            columns=None if self.columns is None else named(self.columns), extra_columns=named(self.extra_columns),
            order=None if self.order is None else tuple(map(each, self.order)),
            distinct_on=tuple(map(each, self.distinct_on)), combined=combined,
            grouping=self.grouping if self.grouping in (None, GROUP_BY_KEY) else tuple(map(each, self.grouping)),
        )  # fmt: skip

    def single_type(self) -> ValueType:
        """The type of the one column that is selected; raises ``FieldError`` where there are several."""
        chosen = self.output()
        if len(chosen) != 1:
            if self.columns is None:
                return self.entity.key[0].value_type
            raise FieldError("Cannot resolve expression type, unknown output_field")
        return chosen[0][1].value_type

    def output(self) -> list[tuple[str, Any]]:
        """What ``values()`` selects, as ``(name, expression)``."""
        if self.columns is None:
            return self.selected_annotations
        return list(self.columns)

    # -- changing ------------------------------------------------------------------------------------------------------

    def but(self, **parts: Any) -> Query:
        return replace(self, **parts)

    @staticmethod
    def far_side(end: Any) -> Query:
        """A query on the far side of ``end``."""
        return Query(end.target, group=1)

    def with_step(self, condition: Any) -> Query:
        return replace(self, steps=(*self.steps, condition))

    def filter_scope(self) -> Scope:
        """The scope of the next ``filter()`` call."""
        return Scope(self, self.group if self.sticky else self.group + 1)

    def filtered(self, scope: Scope, condition: Any) -> Query:
        group = scope.group or 0
        return replace(
            self, steps=(*self.steps, condition), size=self.size + len(scope.values), group=group, sticky=False
        )  # fmt: skip

    def annotated(self, name: str, expression: Any, scope: Scope, *, selected: bool = True) -> Query:
        """Add an annotation that ``scope`` resolved. The first aggregate fixes what is grouped by."""
        grouping = self.grouping
        if expression.contains_aggregate and grouping is None:
            grouping = GROUP_BY_KEY if self.columns is None else self._groups(self.columns)
        columns = self.columns
        if columns is not None and selected and name not in dict(columns):
            columns = (*columns, (name, Ref(name, expression)))
            if grouping is not None and not expression.contains_aggregate and grouping is not GROUP_BY_KEY:
                grouping = (*grouping, expression)
        return replace(
            self,
            annotations=(*((n, e) for n, e in self.annotations if n != name), (name, expression)),
            hidden=self.hidden - {name} if selected else self.hidden | {name},
            size=self.start_after(scope),
            grouping=grouping,
            columns=columns,
        )

    def _groups(self, columns: tuple[Any, ...]) -> tuple[Any, ...]:
        """What is grouped by. Windows are computed over the groups: one that ``values()`` chose is over the rows, which
        is the same only where each row is a group. Raises ``FieldError`` where it is not."""
        windows = [name for name, node in columns[: self.chosen] if node.contains_over_clause]
        if windows and not has_key(self.entity, [node for _, node in columns if not node.contains_over_clause]):
            raise FieldError(
                f"Cannot group by {windows[0]!r}: it is a window function, which is computed after the groups. Name "
                "the key in values() too, or group in Python."
            )
        return tuple(node for _, node in columns)

    def start_after(self, scope: Scope) -> int:
        return scope.start + len(scope.values)

    def ordered(self, items: tuple[Any, ...], scope: Scope) -> Query:
        return replace(self, order=items, flipped=False, size=self.start_after(scope))

    def selecting(self, rows: str, items: tuple[tuple[str, Any], ...] | None, scope: Scope | None = None) -> Query:
        """Select only these ``(name, expression)`` pairs, as ``rows`` of that kind."""
        size = self.size if scope is None else self.start_after(scope)
        return replace(self, rows=rows, columns=items, chosen=len(items or ()), related=(), size=size)

    @property
    def is_plain(self) -> bool:
        """Whether all that it says of which rows it finds is conditions."""
        shaped = self.is_sliced or self.distinct or self.is_aggregated or self.columns is not None or self.empty
        return not (shaped or self.combined is not None or self.tables or self.relations or self.extra_columns)

    def merged(self, other: Query, connector: str) -> Query:
        """The rows of this query and, or, or exclusively or those of ``other``, whose slots follow this one's.

        As in Django, what ``&`` asks of a to-many relation is asked of rows of its own, and for the others of the same.
        The order is the other's, where it has one.
        """
        shared = {} if connector == Q.AND else _shared(self.steps, other.steps)

        def moved(node: Any) -> Any:
            if isinstance(node, Col):
                if node.group is None:
                    return None
                group = shared.get((_branch(node), node.group), node.group + self.group)
                return Col(node.ends, node.attribute, group)
            found = shift(node, self.size)
            if isinstance(found, RelatedExists) and found.group is not None:
                found.group += self.group
            return found

        steps = tuple(mapped(step, moved) for step in other.steps)
        if connector != Q.AND:
            steps = (Condition([*_sides(self.steps, connector), *_sides(steps, connector)], connector),)
        order = None if other.order is None else tuple(mapped(i, moved) if i is not RANDOM else i for i in other.order)
        return self.but(
            steps=(*self.steps, *steps) if connector == Q.AND else steps, size=self.size + other.size, tie=None,
            sticky=False, group=self.group + other.group, order=order or self.order,
            flipped=other.flipped if order else self.flipped,
        )  # fmt: skip

    def without_order(self) -> Query:
        return replace(self, order=(), flipped=False)

    def with_limits(self, low: int, high: int | None) -> tuple[Query, tuple[int, ...]]:
        """This query sliced to rows ``low`` to ``high``, and the values of the slots that this opens."""
        values: list[int] = []
        slots: list[Any] = []
        for value in (None if high is None else high - low, low or None):
            if value is None:
                slots.append(None)
            else:
                slots.append(Param(self.size + len(values), UNKNOWN))
                values.append(value)
        return replace(self, limits=(slots[0], slots[1]), size=self.size + len(values)), tuple(values)


class _ByKey:
    def __reduce__(self) -> str:
        return "GROUP_BY_KEY"


GROUP_BY_KEY: Any = _ByKey()


def has_key(entity: Entity, nodes: Iterable[Any]) -> bool:
    """Whether the whole key is among what is grouped by."""
    columns = [col for node in nodes for col in node.get_group_by_cols()]
    own = {_own_column(col) for col in columns if isinstance(col, Col)}
    return {attribute.column.name for attribute in entity.key} <= own


def _own_column(col: Col) -> str | None:
    """The column of the query's own table that ``col`` equals, be it by way of a foreign key."""
    name: str = col.attribute.column.name
    if not col.ends:
        return name
    (end, *more) = col.ends
    near: dict[str, str] = {there: here for here, there in end.hops[0].pairs} if end.holds_key and not more else {}
    return near.get(name)


def _branch(col: Col) -> tuple[Any, ...] | None:
    """What tells the first to-many relation that a column is behind: a link table is one, whichever side it is from."""
    many = next((i for i, end in enumerate(col.ends) if end.many), None)
    return None if many is None else (col.ends[:many], col.ends[many].hops[0].identity)


def _joins(steps: tuple[Any, ...]) -> dict[tuple[Any, ...], list[int]]:
    """The numbers of the ``filter()`` calls that joined each to-many relation, in order."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for step in steps:
        for node in step.flatten():
            if not isinstance(node, Col) or node.group is None:
                continue
            branch = _branch(node)
            if branch is not None and node.group not in (numbers := found.setdefault(branch, [])):
                numbers.append(node.group)
    return {branch: sorted(numbers) for branch, numbers in found.items()}


def _shared(steps: tuple[Any, ...], others: tuple[Any, ...]) -> dict[tuple[Any, int], int]:
    """Which call of ``steps`` a call of ``others`` shares its rows of a to-many relation with, where one is left.

    As in Django the first is for the first, and then the last that joined the relation.
    """
    here, found = _joins(steps), dict[tuple[Any, int], int]()
    for branch, numbers in _joins(others).items():
        left = here.get(branch, [])
        for number, position in zip(numbers, (0, *[-1] * len(left)), strict=False):
            if left:
                found[branch, number] = left.pop(position)
    return found


def _sides(steps: tuple[Any, ...], connector: str) -> list[Any]:
    """Steps as one side of OR or XOR; what is joined by it already is as many sides."""
    side: Any = steps[0] if len(steps) == 1 else Condition(steps)
    while isinstance(side, Condition) and side.connector == Q.AND and not side.negated and len(side.children) == 1:
        (side,) = side.children
    joined = isinstance(side, Condition) and side.connector == connector and not side.negated
    return list(side.children) if joined else [side]


def order_items(query: Query, scope: Scope, names: tuple[Any, ...]) -> tuple[Any, ...]:
    """``order_by()``'s arguments resolved: names with an optional ``-``, ``?``, and expressions.

    A name that stops at a relation is ordered as the related model is ordered by default.
    """
    found: list[Any] = []
    for item in names:
        if isinstance(item, str):
            found.extend(_named(query, scope, item, ()))
        elif isinstance(item, OrderBy) or hasattr(item, "asc"):
            node = item if isinstance(item, OrderBy) else item.asc()
            bound = node.resolve_expression(scope)
            if bound.contains_aggregate and not bound.contains_over_clause and _computes_aggregate(bound):
                raise FieldError(
                    f"Using an aggregate in order_by() without also including it in annotate() is not allowed: {item!r}"
                )
            found.extend(_by_part(bound))
        else:
            raise FieldError(f"order_by() takes names and expressions, not {item!r}.")
    return tuple(found)


def _computes_aggregate(node: Any) -> bool:
    """Whether an aggregate is in ``node`` itself, and not in an annotation that it names."""
    return any(isinstance(part, Aggregate) for part in parts(node))


def _by_part(node: OrderBy) -> list[OrderBy]:
    """An order, in as many steps as a composite key has parts."""
    if not isinstance(node.expression, ColumnTuple):
        return [node]
    found = [node.copy() for _ in node.expression.cols]
    for step, col in zip(found, node.expression.cols, strict=True):
        step.expression = col
    return found


def _named(query: Query, scope: Scope, item: str, seen: tuple[Any, ...]) -> list[Any]:
    if item == "?":
        return [RANDOM]
    descending = item.startswith("-")
    name = item.removeprefix("-").removeprefix("+")
    parts = tuple(name.split(paths.SEPARATOR))
    if scope._annotation(parts) is None:
        path = scope.parse(parts)
        end = path.final
        # By its name a relation is ordered as its target's Meta says; ``author_id`` is the key itself.
        if end is not None and not path.rest and end.target.ordering and end.name == parts[-1]:
            return _by_relation(query, scope, path, descending, seen, name)
    return list(_by_part(OrderBy(F(name).resolve_expression(scope), descending=descending)))


def _by_relation(
    query: Query, scope: Scope, path: paths.Path, descending: bool, seen: tuple[Any, ...], name: str
) -> list[Any]:
    if path.final in seen:
        raise FieldError("Infinite loop caused by ordering.")
    found: list[Any] = []
    for item in path.final.target.ordering:
        if isinstance(item, str):
            flipped = item.startswith("-")
            inner = _named(query, scope, f"{name}{paths.SEPARATOR}{item.removeprefix('-')}", (*seen, path.final))
            found.extend(node.reversed() if flipped else node for node in inner)
        else:
            node = item if isinstance(item, OrderBy) else item.asc()
            found.append(_prefixed(node, name).resolve_expression(scope))
    return [node.reversed() for node in found] if descending else found


def _prefixed(node: Any, name: str) -> Any:
    """An expression of a related model's ordering, seen from here."""
    if isinstance(node, F):
        return F(f"{name}{paths.SEPARATOR}{node._path}")
    copy = node.copy()
    copy.set_source_expressions([_prefixed(e, name) if e is not None else None for e in node.get_source_expressions()])
    return copy


class _Random:
    """ORDER BY random: a marker that the compiler knows."""

    contains_aggregate = False

    def reversed(self) -> _Random:
        return self

    def __reduce__(self) -> str:
        return "RANDOM"


RANDOM = _Random()


def select_items(scope: Scope, paths: Mapping[str, str]) -> tuple[tuple[str, Any], ...]:
    """``values()``'s arguments, paths by name, resolved to ``(name, expression)`` pairs. Raises ``FieldError``."""
    for path in paths.values():
        _check_selectable(scope.query, path)
    return tuple((name, F(path).resolve_expression(scope)) for name, path in paths.items())


def _check_selectable(query: Query, name: str) -> None:
    if name in query.hidden:
        raise FieldError(f"Cannot select the {name!r} alias. Use annotate() to promote it.")
    if query.columns is not None and name in query.annotation_map and name not in dict(query.columns):
        raise FieldError(
            f"Cannot select the {name!r} alias. It was excluded by a previous values() or values_list() call. Include "
            f"{name!r} in that call to select it."
        )


def key_column(attribute: Attribute) -> Col:
    """The column of an attribute of the query's own entity."""
    return Col(attribute.via, attribute)


def count_star() -> Any:
    """COUNT(*), resolved."""
    node = Count("*")
    node.is_resolved = True
    return node
