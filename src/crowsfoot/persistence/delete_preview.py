"""Reading what a delete would do: how many rows each relation leads to, without loading or changing any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crowsfoot.drivers.run import Fetch, Operation
from crowsfoot.persistence.consequences import PROTECT, TAKES, UP, Consequences, Edge
from crowsfoot.persistence.delete import Deletion
from crowsfoot.persistence.delete_statements import DeleteStatements, Known, Statement, own_key, selecting, within
from crowsfoot.persistence.hydrate import first_value
from crowsfoot.persistence.session import Session
from crowsfoot.query.inference import UNKNOWN
from crowsfoot.query.resolved import Closure, Param
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Entity
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.select import compile_count


class DeleteCounts(DeleteStatements):
    """SELECTs of how many rows a delete would reach. ``limit`` is the slot of the number up to which is counted.

    Nothing changes in between, so keys are looked up only where no condition describes the rows: in tables that hang on
    each other in a circle, and where very many ways lead to one table. Rows that hang on rows of their own table are
    found inside the statement that counts.
    """

    def __init__(self, dialect: Dialect, consequences: Consequences, root: Query, given: Known | None) -> None:
        self._trees: dict[Entity, Query] = {}
        super().__init__(dialect, consequences, root, given, frozenset())
        self.limit = self._slot()

    def _decide(self, group: list[Entity], ways: dict[Entity, int]) -> None:
        entity = group[0]
        if self.consequences.is_cyclic(group) and self.is_closed(group):
            self._trees[entity] = self._first_of(entity, group)
            self.known.pop(entity, None)
            ways[entity] = 1
        else:
            super()._decide(group, ways)

    def _must_know(self, entity: Entity, incoming: list[Edge]) -> bool:
        return False

    def rows(self, entity: Entity) -> Query:
        seed = self._trees.get(entity)
        if seed is None:
            return super().rows(entity)
        return Query(entity, (within(own_key(entity), Closure(selecting(seed, entity.key), self.links(entity))),))

    def hanging(self, edge: Edge) -> Query:
        return super().hanging(edge) if edge.action in TAKES or edge.action == PROTECT else self.staying(edge)

    def count(self, what: Entity | Edge | None) -> Statement | None:
        """How many rows of an entity go, or hang by an edge; None: how many were asked for."""
        query = self.root if what is None else self.hanging(what) if isinstance(what, Edge) else self.rows(what)
        counted = selecting(query, query.entity.key).but(limits=(Param(self.limit, UNKNOWN), None))
        if query is self.root:  # whose conditions may join a row several times
            counted = counted.but(distinct=True)
        return self._statement(("count", what), lambda: compile_count(self.dialect, counted))


class DeletePreview(Deletion):
    """Reads what a delete would do, and how many rows each relation leads to.

    Afterwards ``counts`` has the number of rows that go, by entity, and ``reached`` the number of rows by edge, both
    without zeros; ``asked`` is the number of rows asked for. None is greater than ``limit``. Costs a query for each
    relation that leaves rows that go, and one for each table that several relations lead to.
    """

    statements: DeleteCounts

    def __init__(self, session: Session, statements: DeleteCounts, values: Sequence[Any], limit: int) -> None:
        super().__init__(session, statements, values)
        self.values[statements.limit] = limit
        self.reached: dict[Edge, int] = {}
        self.asked = 0

    def read(self) -> Operation[None]:
        edges = self.consequences.edges
        self.asked = yield from self._count(None)
        for group in self.consequences.groups:
            yield from self._choose(group)
            for entity in group:
                if entity in self._alive:
                    yield from self._count_rows(entity, group)
            for edge in edges:
                if edge.source in group and edge.action in TAKES and edge in self.consequences.incoming[edge.target]:
                    yield from self._count_edge(edge)
        for edge in edges:  # when it is known which rows go
            if edge.action not in TAKES:
                yield from self._count_edge(edge)
        self.reached = {edge: self.reached[edge] for edge in edges if edge in self.reached}

    def _choose_cyclic(self, group: list[Entity]) -> Operation[None]:
        if not self.statements.is_closed(group):
            yield from super()._choose_cyclic(group)

    def _count_rows(self, entity: Entity, group: list[Entity]) -> Operation[None]:
        is_root = entity is self.consequences.root
        found = [self.reached[edge] for edge in self.consequences.incoming[entity] if edge in self.reached]
        found += [self.asked] if is_root else []
        many = len(found) > 1 or self.consequences.is_cyclic(group)
        count = (yield from self._count(entity)) if many else sum(found)
        if count:
            self.counts[entity] = count
        else:
            self._alive.discard(entity)

    def _count_edge(self, edge: Edge) -> Operation[None]:
        if edge.source not in self._alive:
            return
        count = self.counts[edge.source] if edge.action == UP else (yield from self._count(edge))
        if count:
            self.reached[edge] = count

    def _count(self, what: Entity | Edge | None) -> Operation[int]:
        statement = self.statements.count(what)
        if statement is None:
            return 0
        found: int = yield Fetch(statement.sql, statement.bind(tuple(self.values)), first_value)
        return found
