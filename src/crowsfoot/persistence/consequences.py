"""What hangs on an entity's rows: which go with them, which are changed, which forbid it. Read from the relations.

No row is looked at here: the result holds for every delete of one entity. `delete` carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from crowsfoot.schema.entity import Entity
from crowsfoot.schema.relation import SET_NULL, End, KeyOf, OnDelete

DELETE, UPDATE, PROTECT, RESTRICT, NOTHING = "delete", "update", "protect", "restrict", "nothing"
# From a row of a model to the rows of the models that it inherits from: these go with it.
UP = "up"
TAKES = frozenset({DELETE, UP})


class Edge:
    """Rows of ``target`` that hang on rows of ``source``: those whose ``target_columns`` equal its ``source_columns``,
    or, where the relation is no matter of columns alone, those that a join leads from to them.

    ``action`` is what becomes of them when the source's rows go; ``top`` is the edge by which their branch leaves the
    root. ``where`` are further conditions on the target's columns, which hold a key: whose.
    """

    __slots__ = ("action", "end", "source", "target", "top")

    def __init__(self, end: End, source: Entity, action: str, top: Edge | None) -> None:
        self.end = end
        self.source = source
        self.target: Entity = end.target.concrete
        self.action = action
        self.top = top if top is not None else self

    @property
    def rule(self) -> OnDelete:
        return self.end.relation.on_delete

    @property
    def source_columns(self) -> tuple[str, ...]:
        return tuple(attribute.column.name for attribute in self.end.anchors)

    @property
    def target_columns(self) -> tuple[str, ...]:
        return self.end.hops[0].target_columns

    @property
    def where(self) -> tuple[tuple[str, KeyOf], ...]:
        return self.end.hops[0].where

    @property
    def changed_columns(self) -> tuple[str, ...]:
        """The columns that an update sets: the key's, or those that the rule names."""
        return self.rule.columns or self.target_columns

    @property
    def label(self) -> str:
        """How messages name it: ``Post.author``."""
        return f"{self.end.relation.forward.owner.name}.{self.end.relation.forward.name}"

    def __repr__(self) -> str:
        return f"<Edge {self.source.label} -> {self.label} {self.action}>"


class Consequences:
    """The entities whose rows a delete of ``root`` rows may take, and the edges between them.

    ``groups`` are these entities in the order in which their rows can be found, the root's first; entities that lead
    to each other stand in one group. ``order`` are the groups in the order of deletion: what points at a row goes
    first. ``defers`` says that there is no such order, so that keys can be checked only when all is done; ``tied`` are
    the first entities of groups in which that holds as soon as their rows go in more than one statement. ``whole``
    follows also what the database does by itself (``DB_CASCADE``), which a delete leaves to it. A ``root`` that is a
    proxy stands for the entity that it is one of, with relations of its own in place of that one's.
    """

    def __init__(
        self, root: Entity, keep_parents: bool, ignored: Callable[[Entity], bool], *, whole: bool = False
    ) -> None:
        self.root: Entity = root.concrete
        self._root_ends = root.ends
        self._whole = whole
        self.edges: list[Edge] = []
        self.entities: list[Entity] = []
        self._walk(keep_parents, ignored)
        self.incoming: dict[Entity, list[Edge]] = {entity: [] for entity in self.entities}
        for edge in self.edges:
            if edge.action in TAKES:
                self.incoming[edge.target].append(edge)
        self._drop_round_trips()
        self.reach = {entity: self._reached_from(entity) for entity in self.entities}
        self.groups = self._group()
        self.defers = False
        self.tied: set[Entity] = set()
        self.order = self._order()

    def of(self, action: str) -> list[Edge]:
        return [edge for edge in self.edges if edge.action == action]

    def is_cyclic(self, group: list[Entity]) -> bool:
        """Whether rows of the group may hang on other rows of it."""
        return group[0] in self.reach[group[0]]

    # -- building ------------------------------------------------------------------------------------------------------

    def _walk(self, keep_parents: bool, ignored: Callable[[Entity], bool]) -> None:
        """Depth first, as the relations are declared. ``tops`` are the edges by which the root was left."""
        tops: dict[Entity, Edge | None] = {self.root: None}
        stack = [self._edges_from(self.root, None, not keep_parents, ignored)]
        self.entities.append(self.root)
        while stack:
            edge = next(stack[-1], None)
            if edge is None:
                stack.pop()
                continue
            self.edges.append(edge)
            if edge.action in TAKES and edge.target not in tops:
                top = tops[edge.source] if edge.action == UP else edge.top
                tops[edge.target] = top
                self.entities.append(edge.target)
                stack.append(self._edges_from(edge.target, top, True, ignored))

    def _edges_from(
        self, entity: Entity, top: Edge | None, with_parents: bool, ignored: Callable[[Entity], bool]
    ) -> Iterator[Edge]:
        if with_parents:
            for link in entity.parents:
                yield Edge(link, entity, UP, top)
        ends = self._root_ends if entity is self.root else entity.ends
        for end in list(ends.values()):
            if leads_to_dependents(end) and not ignored(end.target):
                rule = end.relation.on_delete
                yield Edge(end, entity, rule.effect if self._whole else rule.action, top)

    def _drop_round_trips(self) -> None:
        """A row and its inherited row are found from one side; the way back finds nothing more, unless the other side
        can be reached on its own."""
        changed = True
        while changed:
            changed = False
            for up in self.of(UP):
                incoming = self.incoming[up.target]
                down = next((e for e in self.incoming[up.source] if e.end is up.end.inverse), None)
                if down is None or up not in incoming:
                    continue
                if up.target is not self.root and incoming == [up]:
                    self.incoming[up.source].remove(down)
                    changed = True
                elif up.source is not self.root and self.incoming[up.source] == [down]:
                    incoming.remove(up)
                    changed = True

    def _reached_from(self, entity: Entity) -> set[Entity]:
        found: set[Entity] = set()
        stack = [entity]
        while stack:
            here = stack.pop()
            for target, edges in self.incoming.items():
                if target not in found and any(edge.source is here for edge in edges):
                    found.add(target)
                    stack.append(target)
        return found

    def _group(self) -> list[list[Entity]]:
        """Entities that reach each other are a group; who reaches more stands before those it reaches."""
        groups: list[list[Entity]] = []
        placed: set[Entity] = set()
        for entity in sorted(self.entities, key=lambda e: -len(self.reach[e])):
            if entity not in placed:
                reach = self.reach[entity]
                group = [e for e in self.entities if e is entity or (e in reach and entity in self.reach[e])]
                placed.update(group)
                groups.append(group)
        return groups

    def _order(self) -> list[list[Entity]]:
        """Passes over the groups, in each of which those go whose dependents are gone."""
        group_of = {entity: position for position, group in enumerate(self.groups) for entity in group}
        before: list[set[int]] = [set() for _ in self.groups]
        takers: list[set[int]] = [set() for _ in self.groups]
        for edge in self.edges:
            if edge.target not in group_of or edge.rule.name == SET_NULL.name:
                continue  # an emptied key holds nothing back; one that is set may lead to a row that goes as well
            first, then = (edge.source, edge.target) if edge.action == UP else (edge.target, edge.source)
            if group_of[first] != group_of[then]:
                before[group_of[then]].add(group_of[first])
                if edge.action == DELETE:
                    takers[group_of[then]].add(group_of[first])
            elif edge.action not in TAKES:
                self.tied.add(self.groups[group_of[then]][0])
        waiting = sorted(range(len(self.groups)), key=lambda p: self.entities.index(self.groups[p][0]))
        gone: set[int] = set()
        found: list[list[Entity]] = []
        while waiting:
            ready = _passed(waiting, before, gone)
            if not ready:  # keys that forbid each other: what the plan itself needs decides, and checks wait
                self.defers = True
                ready = [next(p for p in waiting if takers[p] <= gone)]
                gone.update(ready)
            found += [self.groups[p] for p in ready]
            waiting = [p for p in waiting if p not in gone]
        return found


def _passed(waiting: Iterable[int], before: list[set[int]], gone: set[int]) -> list[int]:
    ready = []
    for position in waiting:
        if before[position] <= gone:
            gone.add(position)
            ready.append(position)
    return ready


def leads_to_dependents(end: End) -> bool:
    """Whether the far side of ``end`` holds the key: the way back of a foreign key, or a generic relation."""
    return end.relation.link is None and end.is_forward is end.relation.is_generic
