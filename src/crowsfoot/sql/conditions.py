"""Conditions to SQL, and what they say about joins.

For each condition two sets are computed from its parts: the sources without whose row it cannot be true, and those
without whose row it cannot be false. A join whose source is in the first set of the whole WHERE clause may be INNER.
The rules are those of SQL's three-valued logic: a comparison with NULL is neither; AND unites the first set and
intersects the second, OR the other way round, NOT swaps them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from crowsfoot.errors import EmptyResultSet, FullResultSet, QueryTooDeep
from crowsfoot.query.lookups import IsNull, Lookup
from crowsfoot.query.resolved import Col, Condition
from crowsfoot.sql.joins import Source
from crowsfoot.sql.outside import Inner

NONE: frozenset[Source] = frozenset()
# How deep AND, OR and NOT may be in each other: databases need long for more, or refuse it.
DEEPEST = 400
# How many conditions are written side by side.
WIDE = 100


@dataclass(slots=True)
class Clause:
    """A condition in SQL, with the sources it needs to be true and to be false."""

    sql: str
    params: list[Any]
    if_true: frozenset[Source] = field(default=NONE)
    if_false: frozenset[Source] = field(default=NONE)
    atomic: bool = True

    @property
    def text(self) -> str:
        return self.sql if self.atomic else f"({self.sql})"


def compile_condition(compiler: Any, node: Any) -> Clause:
    """``node`` as a clause. Raises ``EmptyResultSet`` or ``FullResultSet`` where it is constant.

    The tree is walked with a stack: its depth is the user's choice.
    """
    if not isinstance(node, Condition):
        return _leaf(compiler, node)
    stack = [_Frame(node)]
    while True:
        frame = stack[-1]
        try:
            if frame.position < len(frame.node.children) and not frame.decided:
                child = frame.node.children[frame.position]
                frame.position += 1
                if isinstance(child, Condition):
                    if len(stack) == DEEPEST:
                        raise QueryTooDeep(f"A condition nests AND, OR and NOT at most {DEEPEST} levels deep.")
                    stack.append(_Frame(child))
                else:
                    frame.take(_leaf(compiler, child))
                continue
            stack.pop()
            clause = frame.close()
            if not stack:
                return clause
            stack[-1].take(clause)
        except (EmptyResultSet, FullResultSet) as constant:
            if stack and stack[-1] is frame:
                frame.constant(isinstance(constant, FullResultSet))
            elif stack:
                stack[-1].constant(isinstance(constant, FullResultSet))
            else:
                raise


class _Frame:
    """A condition whose children are being compiled."""

    __slots__ = ("always", "clauses", "decided", "node", "odd", "position")

    def __init__(self, node: Condition) -> None:
        self.node = node
        self.position = 0
        self.clauses: list[Clause] = []
        self.decided: bool | None = None
        self.always = 0
        self.odd = 0

    def take(self, clause: Clause) -> None:
        self.clauses.append(clause)

    def constant(self, value: bool) -> None:
        """A child that is always true or always false."""
        if self.node.connector == "XOR":
            self.odd += value
        elif value is (self.node.connector == "OR"):
            self.decided = True
        self.always += 1

    def close(self) -> Clause:
        node = self.node
        if node.connector == "XOR":
            return self._xor()
        if self.decided or not self.clauses:
            # All children constant and none decided: AND of trues, OR of falses. An empty condition is true.
            value = node.connector == "OR" if self.decided else (node.connector == "AND" or not self.always)
            raise FullResultSet if value is not node.negated else EmptyResultSet
        joined = self._join()
        return _negate(joined) if node.negated else joined

    def _join(self) -> Clause:
        first, *others = self.clauses
        if not others:
            return first
        true, false = set(first.if_true), set(first.if_false)
        for clause in others:
            if self.node.connector == "AND":
                true |= clause.if_true
                false &= clause.if_false
            else:
                true &= clause.if_true
                false |= clause.if_false
        sql = balanced([c.text for c in self.clauses], f" {self.node.connector} ")
        params = [p for c in self.clauses for p in c.params]
        return Clause(sql, params, frozenset(true), frozenset(false), atomic=False)

    def _xor(self) -> Clause:
        """An odd number of children hold: their truth values are added up."""
        if not self.clauses:
            raise FullResultSet if bool(self.odd % 2) is not self.node.negated else EmptyResultSet
        terms = " + ".join(f"(CASE WHEN {c.sql} THEN 1 ELSE 0 END)" for c in self.clauses)
        params = [p for c in self.clauses for p in c.params]
        odd = (self.odd + 1 + self.node.negated) % 2
        return Clause(f"(({terms}) %% 2) = {odd}", params)


def balanced(texts: list[str], connector: str) -> str:
    """Conditions joined by AND or OR. Many are joined as a tree: SQLite counts each in a plain row as a level."""
    while len(texts) > WIDE:
        groups = [texts[start : start + WIDE] for start in range(0, len(texts), WIDE)]
        texts = [f"({connector.join(group)})" for group in groups]
    return connector.join(texts)


def _negate(clause: Clause) -> Clause:
    return Clause(f"NOT ({clause.sql})", clause.params, clause.if_false, clause.if_true)


def _leaf(compiler: Any, node: Any) -> Clause:
    sql, params = compiler.compile(node)
    if not isinstance(node, Lookup):
        return Clause(sql, params)
    needed = strict_sources(compiler, node)
    if isinstance(node, IsNull):
        return Clause(sql, params, NONE, needed) if node.rhs else Clause(sql, params, needed, NONE)
    if getattr(node, "guarded", False):
        guards = [g for g in _guards(compiler, node) if g]
        if guards:
            return Clause(" AND ".join([sql, *guards]), params, needed, NONE, atomic=False)
    return Clause(sql, params, needed, needed)


def _guards(compiler: Any, node: Lookup) -> list[str]:
    """Inside a NOT a comparison with NULL has to be false, not unknown: ``exclude`` keeps the rows without a value.

    As in Django that holds for what is compared and for a field on the other side that may be NULL itself, and not for
    what is computed there or missing because its row is.
    """
    guarded: list[Any] = [col for col in node.lhs.flatten() if isinstance(col, (Col, Inner)) and col.nullable]
    other = node.rhs.source if isinstance(node.rhs, Inner) else node.rhs
    if isinstance(other, Col):
        source, column = compiler.joins.reach(other.ends, other.attribute, other.group)
        if source.table.columns[column].null:
            guarded.append(node.rhs)
    return list(dict.fromkeys(f"{compiler.compile(col)[0]} IS NOT NULL" for col in guarded))


def strict_sources(compiler: Any, node: Any) -> frozenset[Source]:
    """The sources whose missing row makes ``node`` NULL: those of columns reached through strict nodes alone."""
    found: set[Source] = set()
    stack: list[Any] = [e for e in node.get_source_expressions() if e is not None] if node.null_strict else []
    if isinstance(node, IsNull):
        stack = [node.lhs]
    while stack:
        part = stack.pop()
        if isinstance(part, Col):
            source, _ = compiler.joins.reach(part.ends, part.attribute, part.group)
            found.update(source.lineage())
        elif getattr(part, "null_strict", False):
            stack.extend(e for e in part.get_source_expressions() if e is not None)
    return frozenset(found)
