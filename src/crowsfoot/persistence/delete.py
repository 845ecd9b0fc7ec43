"""Deleting rows with all that hangs on them, as an operation over entities.

What needs model classes (instances, signals, the values of ``SET``, the words of a refusal) are methods of `Deletion`
that `models.deletion` fills in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from crowsfoot.drivers.run import Execute, Fetch, Operation
from crowsfoot.errors import IntegrityError
from crowsfoot.persistence.consequences import Edge
from crowsfoot.persistence.delete_statements import DeleteStatements, Statement
from crowsfoot.persistence.integrity import explain_delete, holding
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.schema.entity import Entity

Batch = tuple[Entity, list[Any]]


class Deletion:
    """One delete on its way. ``values`` are those of the root query, or the keys that were given.

    First everything is looked up and asked that may stop it, then it is carried out; nothing is sent that changes a
    row before all refusals are known. Costs a statement for each table and each key to change, one for each PROTECT,
    RESTRICT and computed ``SET`` that can be reached, and one for each table whose keys or rows have to be looked up.
    Branches that are known to have no rows cost nothing.
    """

    def __init__(self, session: Session, statements: DeleteStatements, values: Sequence[Any]) -> None:
        self.session = session
        self.statements = statements
        self.consequences = statements.consequences
        self.values: list[Any] = [*values, *[[] for _ in range(statements.size - len(values))]]
        self.instances: dict[Entity, list[Any]] = {}
        self.counts: dict[Entity, int] = {}
        self._alive: set[Entity] = set()
        self._changes: list[Edge] = []
        # What is deleted of each cyclic group, by its first entity: batches of keys, children first.
        self._batches: dict[Entity, list[Batch]] = {}

    def run(self) -> Operation[dict[Entity, int]]:
        """Delete, in a transaction where that takes more than one statement; gives the number of rows by entity.

        Raises ``ProtectedError`` and ``RestrictedError`` before anything is changed, so that an open transaction can go
        on; and ``IntegrityError`` where another transaction added rows in between.
        """
        root = self.consequences.root
        if self.statements.is_single:
            self.session.wrote(None if self.consequences.edges else root.table.name)
            self.counts[root] = yield from self._delete(root)
        elif self.session.in_atomic_block:
            yield from self._whole()
        else:
            yield from atomically(self.session, self._whole())
        return {entity: count for entity, count in self.counts.items() if count}

    def _whole(self) -> Operation[None]:
        for group in self.consequences.groups:
            yield from self._choose(group)
        yield from self._ask()
        if self._alive:
            yield from atomically(self.session, self._carry_out())

    # -- what the models add -------------------------------------------------------------------------------------------

    def load(self, what: Entity | Edge) -> Operation[list[Any]]:
        """Instances of the rows that ``DeleteStatements.loading`` describes."""
        raise NotImplementedError

    def load_root(self) -> Operation[list[Any]]:
        """Instances of the rows that were asked to go."""
        raise NotImplementedError

    def key(self, instance: Any) -> Any:
        """The key of an instance, as it is bound."""
        raise NotImplementedError

    def refuse(self, action: str, blockers: dict[Edge, list[Any]]) -> None:
        """Raise, naming the instances that forbid the delete."""
        raise NotImplementedError

    def computes(self, edge: Edge) -> bool:
        """Whether finding the new value of the edge's key runs code, which is not to run for nothing."""
        raise NotImplementedError

    def new_value(self, edge: Edge) -> Any:
        """What the edge's key is set to, as it is bound."""
        raise NotImplementedError

    def before(self, instances: list[Any]) -> Operation[None]:
        """Run with the loaded rows of each entity, before anything is changed."""
        raise NotImplementedError

    def after(self, instances: list[Any]) -> Operation[None]:
        """Run with the loaded rows of each entity, when they are gone."""
        raise NotImplementedError

    # -- looking up ----------------------------------------------------------------------------------------------------

    def _choose(self, group: list[Entity]) -> Operation[None]:
        entity = group[0]
        incoming = [edge for member in group for edge in self.consequences.incoming[member]]
        if self.consequences.root not in group and not any(edge.source in self._alive for edge in incoming):
            return
        if self.consequences.is_cyclic(group):
            yield from self._choose_cyclic(group)
        elif entity in self.statements.hooked:
            if entity not in self.instances:
                yield from self._load_instances(entity)
        elif entity in self.statements.seeds:
            self.values[self.statements.known[entity].slot] = yield from self._keys(
                entity, self.statements.key_lookup(entity)
            )
        known = self.statements.known
        self._alive.update(e for e in group if e not in known or self.values[known[e].slot] != [])

    def _load_instances(self, entity: Entity) -> Operation[None]:
        is_root = entity is self.consequences.root
        self.instances[entity] = found = yield from (self.load_root() if is_root else self.load(entity))
        if entity in self.statements.seeds:
            self.values[self.statements.known[entity].slot] = [self.key(instance) for instance in found]

    def _choose_cyclic(self, group: list[Entity]) -> Operation[None]:
        if self.statements.is_closed(group):
            batches = yield from self._closure(group[0])
        else:
            batches = yield from self._spread(group)
        self._batches[group[0]] = batches
        for entity in group:
            keys = [key for member, batch in batches if member is entity for key in batch]
            self.values[self.statements.known[entity].slot] = keys
            if keys and entity in self.statements.hooked:
                given = {self.key(instance): instance for instance in self.instances.get(entity, ())}
                found = yield from self.load(entity)
                self.instances[entity] = [given.get(self.key(instance), instance) for instance in found]

    def _closure(self, entity: Entity) -> Operation[list[Batch]]:
        """Rows that hang on rows of their own table, found by one statement."""
        statement, links = self.statements.closure(entity)
        rows = yield from self._fetch(statement)
        width = len(entity.key)
        keys = self._prepared(entity, [row[0] if width == 1 else row[:width] for row in rows])
        depth = self.session.dialect.cascade_depth
        if depth is None or len(keys) <= depth:
            return [(entity, keys)] if keys else []
        ordered = _children_first(keys, [row[width:] for row in rows], [len(near) for near, _ in links])
        return [(entity, ordered[i : i + depth]) for i in range(0, len(ordered), depth)]

    def _spread(self, group: list[Entity]) -> Operation[list[Batch]]:
        """Rows of tables that hang on each other: what hangs on the rows found last is looked up until nothing does."""
        seen: dict[Entity, set[Any]] = {entity: set() for entity in group}
        waiting: list[Batch] = []
        batches: list[Batch] = []

        def take(entity: Entity, keys: list[Any]) -> None:
            fresh = [key for key in dict.fromkeys(keys) if key not in seen[entity]]
            if fresh:
                seen[entity].update(fresh)
                waiting.append((entity, fresh))

        for entity in group:
            take(entity, (yield from self._keys(entity, self.statements.key_lookup(entity))))
        inside: dict[Entity, list[Edge]] = defaultdict(list)
        for entity in group:
            for edge in self.consequences.incoming[entity]:
                inside[edge.source].append(edge)
        while waiting:
            entity, keys = waiting.pop(0)
            batches.append((entity, keys))
            self.values[self.statements.known[entity].slot] = keys
            for edge in inside[entity]:
                take(edge.target, (yield from self._keys(edge.target, self.statements.next_lookup(edge))))
        return batches[::-1]

    # -- asking --------------------------------------------------------------------------------------------------------

    def _ask(self) -> Operation[None]:
        """Look for what forbids the delete, then compute the new values of keys."""
        for edges in (self.statements.protects, self.statements.restricts):
            blockers: dict[Edge, list[Any]] = {}
            for edge in edges:
                if edge.source in self._alive:
                    found = yield from self.load(edge)
                    if found:
                        blockers[edge] = found
            if blockers:
                self.refuse(edges[0].action, blockers)
        for edge, slot in self.statements.updates.items():
            if edge.source in self._alive and (
                not self.computes(edge) or (yield from self._fetch(self.statements.question(edge)))
            ):
                self.values[slot] = self.new_value(edge)
                self._changes.append(edge)

    # -- carrying out --------------------------------------------------------------------------------------------------

    def _carry_out(self) -> Operation[None]:
        session, dialect = self.session, self.session.dialect
        session.wrote()
        order = [entity for group in self.consequences.order for entity in group if entity in self._alive]
        for entity in order:
            if entity in self.instances:
                yield from self.before(self.instances[entity])
        defers = self.consequences.defers or any(len(self._batches.get(e, ())) > 1 for e in self.consequences.tied)
        if defers:
            yield Execute(dialect.defer_keys)
        for edge in self._changes:
            yield from self._change(edge)
        for group in self.consequences.order:
            if self.consequences.is_cyclic(group):
                yield from self._delete_cyclic(self._batches.get(group[0], []))
            elif group[0] in self._alive:
                entity = group[0]
                self.counts[entity] = yield from self._delete(entity)
                if entity in self.instances:
                    yield from self.after(self.instances[entity])
        if defers and dialect.check_keys is not None:
            yield Execute(dialect.check_keys)

    def _change(self, edge: Edge) -> Operation[None]:
        value = self.values[self.statements.updates[edge]]
        if hasattr(value, "resolve_expression"):
            statement, more = self.statements.update_by(edge, value)
            yield Execute(statement.sql, statement.bind((*self.values, *more)))
        else:
            yield from self._execute(self.statements.update(edge))

    def _delete_cyclic(self, batches: list[Batch]) -> Operation[None]:
        """The keys found are counted: of rows that hang on each other, the database takes some along by itself."""
        all_keys = {entity: self.values[self.statements.known[entity].slot] for entity, _ in batches}
        for entity, keys in batches:
            self.values[self.statements.known[entity].slot] = keys
            yield from self._delete(entity)
            self.counts[entity] = self.counts.get(entity, 0) + len(keys)
            if entity in self.instances:
                gone = set(keys)
                yield from self.after([i for i in self.instances[entity] if self.key(i) in gone])
        for entity, keys in all_keys.items():  # the rows that these inherit are found by the same slot
            self.values[self.statements.known[entity].slot] = keys

    def _delete(self, entity: Entity) -> Operation[int]:
        try:
            return (yield from self._execute(self.statements.delete(entity)))
        except IntegrityError as error:
            yield from self._explain(error, entity)
            raise

    def _explain(self, error: IntegrityError, entity: Entity) -> Operation[None]:
        """Say what held rows of ``entity`` back: PostgreSQL names it; on SQLite, rows that point at them are found."""
        edges = [e for e in self.consequences.edges if e.source is entity and e.end.relation.constrained]
        if error.constraint is not None:
            end = holding(error, [edge.end for edge in edges])
            if end is not None:
                explain_delete(error, end)
            return
        for edge in edges:
            keys = yield from self._keys(edge.target, self.statements.next_lookup(edge))
            if keys:
                explain_delete(error, edge.end, keys[0])
                return

    # -- statements ----------------------------------------------------------------------------------------------------

    def _execute(self, statement: Statement | None) -> Operation[int]:
        if statement is None:
            return 0
        count: int = yield Execute(statement.sql, statement.bind(tuple(self.values)))
        return count

    def _fetch(self, statement: Statement | None) -> Operation[list[Any]]:
        if statement is None:
            return []
        found: list[Any] = yield Fetch(statement.sql, statement.bind(tuple(self.values)), statement.hydrate or list)
        return found

    def _keys(self, entity: Entity, statement: Statement | None) -> Operation[list[Any]]:
        return self._prepared(entity, (yield from self._fetch(statement)))

    def _prepared(self, entity: Entity, keys: list[Any]) -> list[Any]:
        """Keys as they were read, as they are bound."""
        prepare = [a.value_type.prepare for a in entity.key]
        if len(prepare) == 1:
            return list(map(prepare[0], keys))
        return [tuple(p(part) for p, part in zip(prepare, key, strict=True)) for key in keys]


def _children_first(keys: list[Any], links: list[Sequence[Any]], widths: list[int]) -> list[Any]:
    """``keys`` so that what hangs on a row stands before it, as far as there is no circle.

    ``links`` are, for each row and each link of its table, the columns that point and the columns that are pointed at;
    ``widths`` tells how many columns a link has.
    """
    above: list[set[int]] = [set() for _ in keys]
    hanging = [0] * len(keys)
    start = 0
    for width in widths:
        near, far = slice(start, start + width), slice(start + width, start + 2 * width)
        rows = {tuple(row[far]): number for number, row in enumerate(links)}
        for number, row in enumerate(links):
            parent = rows.get(tuple(row[near]))
            if parent is not None and parent != number and parent not in above[number]:
                above[number].add(parent)
                hanging[parent] += 1
        start += 2 * width
    ready = [number for number, count in enumerate(hanging) if not count]
    for number in ready:
        for parent in above[number]:
            hanging[parent] -= 1
            if not hanging[parent]:
                ready.append(parent)
    placed = set(ready)
    return [keys[n] for n in ready] + [keys[n] for n in range(len(keys)) if n not in placed]
