"""The FROM clause: which tables a query reaches, under which aliases, and by INNER or LEFT joins.

Every join starts as LEFT where its relation may be missing. It becomes INNER when the WHERE clause cannot hold for a
row that the join did not find: see `conditions`, which computes that for the whole clause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple
from weakref import ref

from crowsfoot.errors import EmptyResultSet, FullResultSet
from crowsfoot.query.filtered import Pinned
from crowsfoot.schema.entity import Attribute
from crowsfoot.schema.relation import JoinCondition
from crowsfoot.schema.table import Table


class Source:
    """A table in the FROM clause. ``minimum`` is 0 where the join may find no row."""

    __slots__ = (
        "__weakref__", "_parent", "alias", "children", "end", "hop", "inner", "many", "minimum", "needs", "on", "table",
    )  # fmt: skip

    def __init__(self, table: Table, alias: str, parent: Source | None, hop: Any, minimum: int, many: bool) -> None:
        self.table = table
        self.alias = alias
        # Weak, so that a compiled query leaves nothing for the garbage collector.
        self._parent = None if parent is None else ref(parent)
        self.hop = hop
        self.minimum = minimum
        self.many = many
        self.inner = parent is None
        self.end: Any = None
        self.on: Any = None
        self.needs: tuple[Source, ...] = ()
        self.children: dict[Any, Source] = {}

    @property
    def parent(self) -> Source | None:
        return None if self._parent is None else self._parent()

    def lineage(self) -> Iterator[Source]:
        """This source and those it hangs on, the query's own table left out."""
        here: Source | None = self
        while here is not None and (parent := here.parent) is not None:
            yield here
            here = parent

    def walk(self) -> Iterator[Source]:
        """This source and all below it, in the order of joining."""
        stack: list[Source] = [self]
        while stack:
            source = stack.pop()
            yield source
            stack.extend(reversed(source.children.values()))


class Said(NamedTuple):
    """What a join's condition said when a statement was compiled: the statement holds while it says the same."""

    condition: JoinCondition
    source: str
    target: str
    sql: str
    values: tuple[Any, ...]

    def again(self, compiler: Any) -> Said:
        return say(compiler, self.condition, self.source, self.target)[0]


def say(compiler: Any, condition: JoinCondition, source: str, target: str) -> tuple[Said, list[Any]]:
    """The condition of a join between these aliases as SQL, which is empty where it demands nothing; and its parameters
    as a statement takes them."""
    node = condition.node(source, target)
    sql, params = "", list[Any]()
    try:
        if node is not None:
            sql, params = compiler.compile(node)
    except EmptyResultSet:
        sql = compiler.dialect.false
    except FullResultSet:
        sql = compiler.dialect.true
    return Said(condition, source, target, sql, tuple(getattr(param, "value", param) for param in params)), params


class Names:
    """What a whole statement shares, its subqueries included.

    Aliases are unique there: a table's own name while it is free. ``tables`` are those that it reads (`ANY_TABLE` where
    that is not known), ``said`` what the conditions of its joins said.
    """

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.tables: set[str] = set()
        self.said: list[Said] = []

    def take(self, table: str) -> str:
        self.tables.add(table)
        name, number = table, 2
        while name in self.used:
            name, number = f"{table[:55]}_{number}", number + 1
        self.used.add(name)
        return name


class JoinTree:
    """The sources of one query, found by the path that leads to each."""

    def __init__(self, table: Table, names: Names) -> None:
        self.names = names
        self.root = Source(table, names.take(table.name), None, None, 1, False)

    def reach(self, ends: tuple[Any, ...], attribute: Attribute, group: int | None) -> tuple[Source, str]:
        """The source and column for ``attribute`` behind ``ends``, joining no table for a key that is at hand."""
        column = attribute.column.name
        while ends and len(ends[-1].hops) == 1 and (near := self._trim(ends[-1], column)):
            ends, column = ends[:-1], near
        if not ends:
            return self.root, column
        last = ends[-1]
        hops = last.hops
        trimmed = self._trim(last, column)
        source = self.follow(ends[:-1], group)
        for position, hop in enumerate(hops[:-1] if trimmed else hops):
            source = self._child(source, last, position, hop, group)
        return source, trimmed or column

    def _trim(self, end: Any, column: str) -> str | None:
        """The near column that equals ``column`` of the far table, where the last hop need not be walked."""
        hop = end.hops[-1]
        if isinstance(end, Pinned) or not hop.is_equality:
            return None
        if (end.many and len(end.hops) == 1) or not (end.holds_key or end.many):
            return None
        for near, far in hop.pairs:
            if far == column:
                return near
        return None

    def follow(self, ends: tuple[Any, ...], group: int | None) -> Source:
        """The source that ``ends`` lead to, joined where it was not."""
        source = self.root
        for end in ends:
            for position, hop in enumerate(end.hops):
                source = self._child(source, end, position, hop, group)
        return source

    def _child(self, parent: Source, end: Any, position: int, hop: Any, group: int | None) -> Source:
        many = end.many and position == 0
        pinned = isinstance(end, Pinned)
        name = (*hop.identity, end.name) if pinned else hop.identity
        if many and group is None:
            for key, child in parent.children.items():
                if key[0] == name:
                    return child
        key = (name, group if many else None)
        found = parent.children.get(key)
        if found is None:
            is_last = position == len(end.hops) - 1
            if many or (pinned and not end.minimum):
                minimum = 0
            else:
                minimum = end.minimum if is_last and not end.many else 1
            alias = self.names.take(hop.target.name)
            found = parent.children[key] = Source(hop.target, alias, parent, hop, minimum, many)
            found.end = end
            if pinned and is_last:
                found.on = end.condition
        return found

    def settle(self, rejected: frozenset[Source]) -> None:
        """Choose INNER or LEFT for every join, given the sources that the WHERE clause cannot do without."""
        for source in self.root.walk():
            if (parent := source.parent) is not None:
                source.inner = source in rejected or (parent.inner and bool(source.minimum))

    def in_order(self) -> list[Source]:
        """Every source, behind those that its condition speaks of."""
        found: dict[Source, None] = {}
        asked: set[Source] = set()
        stack = list(reversed(list(self.root.walk())))
        while stack:
            source = stack[-1]
            missing = [s for s in (*source.needs, source.parent) if s is not None and s not in found]
            if missing and source not in asked:
                asked.add(source)
                stack += missing
            else:
                found.setdefault(source)
                stack.pop()
        return list(found)

    def render(
        self, quote: Callable[[str], str], on: Callable[[Source], tuple[str, list[Any]]], tables: Iterable[str] = ()
    ) -> tuple[str, list[Any]]:
        """The text after FROM. ``on`` gives the condition of a join; ``tables`` come too, where they are missing."""
        parts: list[str] = []
        params: list[Any] = []
        for source in self.in_order():
            name = quote(source.table.name)
            if source.alias != source.table.name:
                name += f" {quote(source.alias)}"
            if source.parent is None:
                parts.append(name)
                continue
            condition, values = on(source)
            params.extend(values)
            parts.append(f"{'INNER' if source.inner else 'LEFT OUTER'} JOIN {name} ON ({condition})")
        known = {source.alias for source in self.root.walk()}
        others = [f", {quote(table)}" for table in tables if table not in known]
        return " ".join(parts) + "".join(others), params
