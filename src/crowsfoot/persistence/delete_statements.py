"""How rows are deleted with all that hangs on them: what is looked up first, and the statements after that.

`DeleteStatements` are made once per kind of delete, and compiled when they are first needed. Where nothing
forces rows to be looked at, each table is one DELETE whose condition leads back, by subqueries, to the rows asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from crowsfoot.errors import EmptyResultSet
from crowsfoot.persistence.consequences import PROTECT, RESTRICT, UP, UPDATE, Consequences, Edge
from crowsfoot.persistence.hydrate import make_hydrator
from crowsfoot.query.functions.comparison import Cast
from crowsfoot.query.lookups import Exact, In, Lookup, marks
from crowsfoot.query.resolved import Col, ColumnTuple, Condition, Embedded, ExpressionList, Param
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.relation import SET_NULL
from crowsfoot.sql.closure import Link, compile_closure
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.select import compile_exists, compile_select
from crowsfoot.sql.statement import Compiled
from crowsfoot.sql.write import compile_delete, compile_update

# How many ways to one table a statement may spell out as subqueries; beyond that the keys are looked up.
MANY_WAYS = 16


class Known(NamedTuple):
    """Keys that are at hand: in a numbered slot, as a list or (``many`` is False) as one key."""

    slot: int
    many: bool = True


class Statement(NamedTuple):
    """A statement for a driver; ``hydrate`` is None where it gives no rows."""

    sql: str
    bind: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    hydrate: Callable[..., Any] | None
    # Whether a condition is in it that may say something else the next time.
    passing: bool = False


class DeleteStatements:
    """What is sent to delete rows of one entity.

    ``root`` is the query that was asked to delete, or one on the keys in slot ``given``. ``hooked`` are the entities
    whose rows must be loaded, because signals are sent for them. ``known`` has the slots of the keys that are at hand
    when the deleting begins; all other rows are described by conditions. ``seeds`` are the queries by which the looking
    up of an entity begins, and ``size`` is the number of slots: the root's own values are the first of them.
    """

    def __init__(
        self, dialect: Dialect, consequences: Consequences, root: Query, given: Known | None, hooked: frozenset[Entity]
    ) -> None:
        self.dialect = dialect
        self.consequences = consequences
        self.hooked = hooked
        self.root = (
            root if given is None else Query(root.entity, (_matches(own_key(consequences.root), given),), size=1)
        )
        self.size = self.root.size
        self.protects, self.restricts = consequences.of(PROTECT), consequences.of(RESTRICT)
        self.updates = {edge: self._slot() for edge in consequences.of(UPDATE)}
        self._compiled: dict[Hashable, Statement | None] = {}
        # What loads instances, kept by whoever knows how.
        self.loaders: dict[Hashable, Any] = {}
        self.known: dict[Entity, Known] = {} if given is None else {consequences.root: given}
        self.seeds: dict[Entity, Query] = {}
        self.is_single = not hooked and len(consequences.entities) == 1 and not (
            self.protects or self.restricts or self.updates or consequences.is_cyclic(consequences.groups[0])
        )  # fmt: skip
        ways: dict[Entity, int] = {}
        for group in [] if self.is_single else consequences.groups:
            self._decide(group, ways)

    @property
    def is_straight(self) -> bool:
        """Whether all there is to do is one DELETE for each table: nothing to look up, to ask or to change before."""
        consequences = self.consequences
        before = self.hooked or self.seeds or self.protects or self.restricts or self.updates or consequences.defers
        return not before and not any(map(consequences.is_cyclic, consequences.groups))

    # -- what is looked up first ---------------------------------------------------------------------------------------

    def _slot(self) -> int:
        self.size += 1
        return self.size - 1

    def _decide(self, group: list[Entity], ways: dict[Entity, int]) -> None:
        """Whether the keys of a group have to be looked up, given those of the groups before it."""
        (entity, *others), incoming = group, self.consequences.incoming[group[0]]
        if self.consequences.is_cyclic(group):
            self._look_up(group)
        elif not others and entity not in self.known:
            ways[entity] = sum(1 if e.source in self.known else ways[e.source] for e in incoming) or 1
            if len(incoming) == 1 and (known := self._inherited(incoming[0])) is not None:
                self.known[entity] = known
            elif entity in self.hooked or ways[entity] > MANY_WAYS or self._must_know(entity, incoming):
                self._look_up(group)

    def _inherited(self, edge: Edge) -> Known | None:
        """The keys at hand that are also those of the rows which theirs inherit from."""
        same = edge.action == UP and edge.source_columns == key_columns(edge.source)
        return self.known.get(edge.source) if same else None

    def _look_up(self, group: list[Entity]) -> None:
        for entity in group:
            self.seeds[entity] = self._first_of(entity, group)
        for entity in group:
            self.known[entity] = Known(self._slot())

    def _first_of(self, entity: Entity, group: list[Entity]) -> Query:
        """The rows of ``entity`` that do not go for the sake of rows of its own group."""
        if entity is self.consequences.root:
            return self.root
        outside = [self._hang(e) for e in self.consequences.incoming[entity] if e.source not in group]
        return Query(entity, (_any(outside),)) if outside else Query(entity, empty=True)

    def _must_know(self, entity: Entity, incoming: list[Edge]) -> bool:
        """Whether the condition that describes the rows may not hold any more when they are to be deleted."""
        if entity is self.consequences.root and (self.hooked or not is_plain(self.root)):
            return True
        outgoing = [e for edges in self.consequences.incoming.values() for e in edges if e.source is entity]
        if any(e.action == UP for e in (*incoming, *outgoing)):
            return True
        changed = {c for e in self.updates if e.target is entity for c in e.changed_columns}
        used = {c for e in incoming for c in e.target_columns} | {c for e in outgoing for c in e.source_columns}
        return bool(changed) and (entity is self.consequences.root or bool(changed & used))

    # -- conditions ----------------------------------------------------------------------------------------------------

    def rows(self, entity: Entity) -> Query:
        """The rows of ``entity`` that go."""
        known = self.known.get(entity)
        if known is not None:
            return Query(entity, (_matches(own_key(entity), known),))
        if entity is self.consequences.root:
            return self.root
        return Query(entity, (_any([self._hang(e) for e in self.consequences.incoming[entity]]),))

    def links(self, entity: Entity) -> list[Link]:
        """How rows of ``entity`` hang on other rows of it."""
        edges = [e for e in self.consequences.incoming[entity] if e.source is entity]
        return [(entity.attributes_of(e.target_columns), entity.attributes_of(e.source_columns)) for e in edges]

    def hanging(self, edge: Edge) -> Query:
        """The rows of the edge's target that hang on rows that go. For RESTRICT without those that go themselves."""
        return self.staying(edge) if edge.action == RESTRICT else Query(edge.target, (self._hang(edge),))

    def staying(self, edge: Edge) -> Query:
        """The rows of the edge's target that hang on rows that go, and do not go themselves."""
        query = Query(edge.target, (self._hang(edge),))
        if edge.target not in self.consequences.incoming:
            return query
        if edge.target in self.known:
            going: Any = self.rows(edge.target).steps[0]
        else:
            going = among(own_key(edge.target), selecting(self.rows(edge.target), edge.target.key))
        return query.with_step(Condition([going], negated=True))

    def loading(self, what: Entity | Edge) -> Query:
        """The rows to load: those of a hooked entity, or those by which an edge forbids the delete."""
        if isinstance(what, Edge):
            return self.hanging(what)
        looked_up = what in self.seeds and not self.consequences.is_cyclic([what])
        return self.seeds[what] if looked_up else self.rows(what)

    def _hang(self, edge: Edge) -> Any:
        end, hop = edge.end, edge.end.hops[0]
        if hop.condition is not None:
            columns = [Col((end.inverse,), a, 0) for a in end.anchors]
        else:
            columns = [Col(a.via, a) for a in (edge.target.attribute_in(hop.target, c) for c in hop.target_columns)]
        known = self.known.get(edge.source)
        if known is not None and edge.source_columns == key_columns(edge.source) and edge.end.convert is None:
            condition = _matches(columns, known)
        else:
            source = selecting(self.rows(edge.source), edge.source.attributes_of(edge.source_columns))
            condition = among(columns, source if edge.end.convert is None else _converted(source, columns))
        return Condition([condition, *marks(edge.target, hop)]) if edge.where else condition

    def is_closed(self, group: list[Entity]) -> bool:
        """Whether one statement finds all rows of the group: those of one table, tied by columns of their own."""
        incoming = self.consequences.incoming[group[0]]
        return len(group) == 1 and all(e.end.hops[0].condition is None for e in incoming if e.source is group[0])

    # -- statements ----------------------------------------------------------------------------------------------------

    def key_lookup(self, entity: Entity) -> Statement | None:
        """SELECT of the keys by which the look-up of ``entity`` begins; None where no row can match."""
        query = selecting(self.seeds[entity], entity.key)
        return self._statement(("seed", entity), lambda: compile_select(self.dialect, query))

    def next_lookup(self, edge: Edge) -> Statement | None:
        """SELECT of the keys of the rows that hang on those in the source's slot."""
        query = selecting(Query(edge.target, (self._hang(edge),)), edge.target.key)
        return self._statement(("next", edge), lambda: compile_select(self.dialect, query))

    def closure(self, entity: Entity) -> tuple[Statement | None, list[Link]]:
        """SELECT of rows with all that hang on them in their own table (see ``compile_closure``), and its links."""
        links, seed = self.links(entity), self.seeds[entity]
        return self._statement(("closure", entity), lambda: compile_closure(self.dialect, seed, links)), links

    def question(self, edge: Edge) -> Statement | None:
        """SELECT of whether any row hangs by ``edge``."""
        return self._statement(("question", edge), lambda: compile_exists(self.dialect, self.hanging(edge)))

    def update(self, edge: Edge) -> Statement | None:
        """UPDATE of the keys by ``edge`` to the value in its slot."""
        index, composite = self.updates[edge], len(edge.target_columns) > 1
        assignments = [
            (a, Param(index, a.value_type, edge.target_columns.index(a.column.name) if composite else None))
            for a in edge.target.attributes_of(edge.changed_columns)
        ]
        return self._statement(
            ("update", edge), lambda: compile_update(self.dialect, self._changing(edge), assignments)
        )

    def _changing(self, edge: Edge) -> Query:
        """The rows whose keys change. Those that go too are let go of by NULL, which breaks circles, and by nothing
        else: where they would point instead there may be no row."""
        return self.hanging(edge) if edge.rule.name == SET_NULL.name else self.staying(edge)

    def update_by(self, edge: Edge, expression: Any) -> tuple[Statement, list[Any]]:
        """UPDATE of the keys by ``edge`` to an expression; its own values stand in slots behind the others."""
        query = self._changing(edge)
        scope = Scope(query, start=self.size)
        node = expression.resolve_expression(scope, allow_joins=False, for_save=True)
        made = compile_update(self.dialect, query, [(a, node) for a in edge.target.attributes_of(edge.changed_columns)])
        values = [v if p is None else p(v) for v, p in zip(scope.values, scope.preparers, strict=True)]
        return Statement(made.sql, made.bind, None), values

    def delete(self, entity: Entity) -> Statement | None:
        """DELETE of the rows of ``entity`` that go."""
        return self._statement(("delete", entity), lambda: compile_delete(self.dialect, self.rows(entity)))

    def _statement(self, key: Hashable, make: Callable[[], Compiled]) -> Statement | None:
        found = self._compiled.get(key)
        if key not in self._compiled or (found is not None and found.passing):
            try:
                made = make()
            except EmptyResultSet:
                found = None
            else:
                hydrate = None if made.row is None else make_hydrator(made.row, "")
                found = Statement(made.sql, made.bind, hydrate, bool(made.said))
            self._compiled[key] = found
        return found


def key_columns(entity: Entity) -> tuple[str, ...]:
    return tuple(a.column.name for a in entity.key)


def own_key(entity: Entity) -> list[Col]:
    return [Col((), a) for a in entity.key]


def selecting(query: Query, attributes: Sequence[Attribute]) -> Query:
    """``query`` with these columns of its own table alone: as values where it is one, else as tuples."""
    columns = tuple((a.name, Col((), a)) for a in attributes)
    ordered = query if query.is_sliced else query.without_order()
    rows = "flat" if len(columns) == 1 else "tuple"
    return ordered.but(columns=columns, rows=rows, related=(), extra_columns=(), lock=None)


def _converted(query: Query, columns: list[Col]) -> Query:
    """``query`` with what it selects as values of these columns' types."""
    assert query.columns is not None
    pairs = zip(query.columns, columns, strict=True)
    return query.but(columns=tuple((name, _resolved(Cast(node, c.value_type))) for (name, node), c in pairs))


def narrowed(base: Query, query: Query) -> Query:
    """The rows of ``base`` that are rows of ``query`` too; its slots stand behind the base's."""
    if base.steps or base.size or base.is_sliced or base.is_aggregated or base.combined is not None:
        step = among(own_key(query.entity), selecting(query, query.entity.key), base.size)
        return base.with_step(step)
    return base.but(steps=query.steps)


def is_plain(query: Query) -> bool:
    """Whether a query's rows can be told from the columns of its own table alone, as often as one likes."""
    if query.is_sliced or query.is_aggregated or query.distinct or query.combined is not None or query.annotations:
        return False
    nodes = [node for step in query.steps for node in step.flatten()]
    return all(
        not node.ends
        if isinstance(node, Col)
        else isinstance(node, (Condition, Lookup, Param, ColumnTuple, ExpressionList))
        for node in nodes
    )


def _resolved(node: Any) -> Any:
    node.is_resolved = True
    return node


def _matches(columns: list[Col], known: Known) -> Any:
    """The rows whose ``columns`` are among the known keys."""
    if known.many:
        (first, *others) = columns
        node = In(ColumnTuple(columns) if others else first, None)
        node.rhs = Param(known.slot, node.lhs.value_type, array=True)
        return _resolved(node)
    items = [None] if len(columns) == 1 else list(range(len(columns)))
    pairs = zip(columns, items, strict=True)
    parts = [_resolved(Exact(c, Param(known.slot, c.value_type, item))) for c, item in pairs]
    return parts[0] if len(parts) == 1 else Condition(parts)


def among(columns: list[Col], query: Query, offset: int = 0) -> Any:
    """The rows whose ``columns`` are among those that ``query`` selects; its slots are moved by ``offset``."""
    return within(columns, Embedded(query, offset))


def within(columns: list[Col], keys: Any) -> Any:
    """The rows whose ``columns`` are among ``keys``, a node that selects them."""
    node = In(columns[0] if len(columns) == 1 else ColumnTuple(columns), None)
    node.rhs = keys
    return _resolved(node)


def _any(conditions: list[Any]) -> Any:
    return conditions[0] if len(conditions) == 1 else Condition(conditions, "OR")
