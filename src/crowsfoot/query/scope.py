"""Scopes: where the names and values of an expression are bound. One scope serves one chained call of one query."""

from __future__ import annotations

import re
from typing import Any

from crowsfoot.errors import FieldError, NotSupportedError
from crowsfoot.query import lookups, paths, quantifiers
from crowsfoot.query.behind import Behind, many_step
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F, OuterRef
from crowsfoot.query.inference import UNKNOWN
from crowsfoot.query.matching import Matching, Preparer
from crowsfoot.query.resolved import (
    Col,
    ColumnTuple,
    Condition,
    Embedded,
    OuterCol,
    Ref,
    RelatedExists,
    ResolvedOuterRef,
)
from crowsfoot.query.subqueries import Subquery


class Scope(Matching):
    """Binds expressions to a query. ``values`` and ``preparers`` are the slots that were opened, in order.

    ``start`` is the number of the first slot, ``group`` the number of the ``filter()`` call (None outside of one).
    """

    def __init__(self, query: Any, group: int | None = None, start: int | None = None) -> None:
        self.query = query
        self.entity = query.entity
        # The aggregates of the same ``aggregate()`` call, over which no other can be taken.
        self.peers: frozenset[str] = frozenset()
        # To-one ends between the query's entity and the one that names are looked up on.
        self.prefix: tuple[Any, ...] = ()
        self.group = group
        self.start = query.size if start is None else start
        self.values: list[Any] = []
        self.preparers: list[Preparer | None] = []
        self.annotations: dict[str, Any] = query.annotation_map
        self.pinned: tuple[tuple[Any, Any], ...] = ()
        # Whether a query inside of what is bound here can refer to this one.
        self.refers = True
        self.cacheable = True
        # The scope of the query around this one, where that is known while names are bound.
        self.around: Scope | None = None

    def inner(self, end: Any) -> Scope:
        """A scope on the far side of ``end``, whose slots follow those that are open here; see ``take``."""
        found = Scope(self.query.far_side(end), group=1, start=self.start + len(self.values))
        found.around = self
        return found

    def start_from(self, ends: tuple[Any, ...]) -> None:
        """Look names up on the entity that ``ends`` lead to."""
        if ends:
            self.prefix, self.entity = ends, ends[-1].target

    # -- names ---------------------------------------------------------------------------------------------------------

    def resolve_ref(self, name: str, allow_joins: bool = True, summarize: bool = False) -> Any:
        """The annotation or column called ``name``, transforms included. Raises ``FieldError``."""
        parts = tuple(name.split(paths.SEPARATOR))
        found = self._annotation(parts)
        if found is not None:
            node, rest = found
            if summarize and node.refs in self.query.hidden and node.refs not in self.peers:
                raise FieldError(f"Cannot aggregate over the {node.refs!r} alias. Use annotate() to promote it.")
            if not allow_joins and any(isinstance(part, Col) and part.ends for part in node.flatten()):
                raise FieldError("Joined field references are not permitted in this query")
        else:
            path = self.parse(parts)
            if not allow_joins and any(len(end.hops) for end in path.ends) and not self._local(path):
                raise FieldError("Joined field references are not permitted in this query")
            return self._arrived(path, parts)
        for position, transform in enumerate(rest):
            node = self.transform(node, transform, rest[position:])
        return node

    def _arrived(self, path: paths.Path, parts: tuple[str, ...]) -> Any:
        """The column that ``path``, written as ``parts``, arrives at, transforms included. Raises ``FieldError``."""
        node, rest = self.column(path), path.rest
        if rest and path.final is not None and node.get_transform(rest[0]) is None:
            raise FieldError(paths.unknown_keyword(rest[0], path.final.target))
        if rest and path.final is None and node.get_transform(rest[0]) is None:
            raise FieldError(
                f"Cannot resolve keyword {rest[0]!r} into field. Join on {parts[-len(rest) - 1]!r} not permitted."
            )
        for position, transform in enumerate(rest):
            node = self.transform(node, transform, rest[position:])
        return node

    def check_root(self, root: Any, path: str) -> None:
        """Raise ``FieldError`` where the typed path ``path`` starts from another model than names are looked up on."""
        if root is None:
            return
        for entity in (self.entity, self.query.entity):
            model = entity.model
            if issubclass(model, root) or issubclass(root, model) or root._meta.label == model._meta.label:
                return
        here, there = self.query.entity.model._meta, root._meta
        said = f"{there.object_name}.{path.replace(paths.SEPARATOR, '.')}"
        ends = self.query.entity.ends.values()
        ways = [end.name for end in ends if end.target.model is root and end.name.isidentifier()]
        near = f" Did you mean {here.object_name}.{ways[0]}.{path.replace(paths.SEPARATOR, '.')}?" if ways else ""
        raise FieldError(f"{said} is a path of {there.label}, and this query is about {here.label}.{near}")

    def check_outer_root(self, root: Any, path: str, depth: int) -> None:
        """``check_root`` for a path of the query ``depth`` levels further out, where that one is known already."""
        scope: Scope | None = self
        for _ in range(depth):
            scope = None if scope is None else scope.around
        if scope is not None:
            scope.check_root(root, path)

    def inherited_columns(self, sql: str) -> list[Col]:
        """The columns that SQL of one's own may mean and that are kept in the tables of inherited models."""
        words = set(re.findall(r"\w+", sql.lower()))
        kept = [a for a in self.entity.attributes.values() if a.via and a.column.name.lower() in words]
        return [Col((*self.prefix, *a.via), a) for a in kept]

    def bind_references(self, statement: Any) -> Any:
        """A query inside this one, in which references to this one know their types.

        Raises ``FieldError`` or ``NotSupportedError`` where it refers to what is not here.
        """
        if not self.refers or not any(_refers_out(node) for node in statement.nodes()):
            return statement

        def typed(node: Any) -> Any:
            if not _refers_out(node):
                return None
            self.check_root(node.root, node.name)
            found = self.resolve_ref(node.name)
            if found.contains_over_clause:
                raise NotSupportedError(f"Referencing outer query window expression is not supported: {node.name}.")
            known, node = found._output_field_or_none, node.copy()
            node._output_field = known or UNKNOWN
            return node

        statement = statement.mapped(typed)
        for node in statement.nodes():
            if hasattr(node, "check_source"):
                node.check_source()
        return statement

    def parse(self, parts: tuple[str, ...]) -> paths.Path:
        """A name as a path from the entity that names are looked up on. Raises ``FieldError``."""
        relations = paths.NO_NAMES if self.prefix else self.query.relation_map
        path = paths.parse(self.entity, parts, relations, self.annotations)
        if not self.pinned:
            return path
        ends = list(path.ends)
        for position, (known, instead) in enumerate(self.pinned):
            if position == len(ends) or ends[position] is not known:
                break
            ends[position] = instead
        final = None if path.final is None else ends[-1]
        return paths.Path(tuple(ends), path.attributes, path.rest, final)

    def pin(self, ends: tuple[Any, ...], instead: tuple[Any, ...]) -> None:
        """Names that walk ``ends`` walk others instead, as far as they go together."""
        self.pinned = tuple(zip(ends, instead, strict=True))

    def _local(self, path: paths.Path) -> bool:
        return len(path.ends) == 1 and path.final is not None and path.final.holds_key

    def _annotation(self, parts: tuple[str, ...]) -> tuple[Any, tuple[str, ...]] | None:
        for size in range(len(parts), 0, -1):
            name = paths.SEPARATOR.join(parts[:size])
            if name in self.annotations:
                return Ref(name, self.annotations[name]), parts[size:]
        return None

    def column(self, path: paths.Path) -> Any:
        """The column(s) that a path arrives at."""
        group = self.group if self.group is not None else self.query.joined_group(path.ends)
        cols = [Col((*self.prefix, *path.ends), attribute, group) for attribute in path.attributes]
        return cols[0] if len(cols) == 1 else ColumnTuple(cols)

    # -- conditions ----------------------------------------------------------------------------------------------------

    def resolve_condition(self, q: Any, allow_joins: bool = True, summarize: bool = False, splits: bool = True) -> Any:
        """A ``Q``, or any boolean expression, as a tree of resolved look-ups. The tree is walked with a stack.

        Inside a NOT a look-up through a to-many relation becomes an EXISTS of its own (if it ``splits``), so that
        ``exclude`` means "has no such row"; under an odd number of NOTs a comparison with NULL has to be false.
        """
        if not isinstance(q, Q):
            return self._boolean(q, allow_joins, summarize)
        stack = [_Frame(q, q.negated, q.negated)]
        while True:
            frame = stack[-1]
            if frame.position == len(frame.q.children):
                stack.pop()
                # An empty condition says nothing, negated or not.
                done = Condition(frame.done, frame.q.connector, frame.q.negated and bool(frame.done))
                if not stack:
                    return done
                if frame.done and done.connector == stack[-1].q.connector != Q.XOR and not done.negated:
                    stack[-1].done += frame.done
                elif frame.done:
                    stack[-1].done.append(done)
                continue
            child = frame.q.children[frame.position]
            frame.position += 1
            if isinstance(child, Q):
                stack.append(_Frame(child, frame.inside or child.negated, frame.negated ^ child.negated))
            elif isinstance(child, tuple):
                frame.done.append(self.leaf(child[0], child[1], splits and frame.inside, frame.negated, allow_joins))
            else:
                frame.done.append(self._boolean(child, allow_joins, summarize))

    def _boolean(self, expression: Any, allow_joins: bool, summarize: bool) -> Any:
        if not hasattr(expression, "resolve_expression"):
            if isinstance(expression, dict):
                raise FieldError("Cannot parse keyword query as dict: write **{…}, or a Q.")
            raise TypeError("Cannot filter against a non-conditional expression.")
        node = expression.resolve_expression(self, allow_joins=allow_joins, summarize=summarize)
        said = node.source if isinstance(node, Ref) else node
        _check_filterable(said)
        if type(said).conditional is True:
            return node
        if not node.conditional:
            raise TypeError("Cannot filter against a non-conditional expression.")
        return self.build_lookup(node, node.get_lookup("exact"), True)

    def leaf(self, name: str, value: Any, inside: bool, negated: bool, allow_joins: bool = True) -> Any:
        """One ``name=value`` pair as a look-up, ``inside`` a NOT or not, under an odd number of them or not."""
        if not isinstance(name, str):
            raise FieldError(f"Cannot parse keyword query as {type(name).__name__}; a look-up's name is a string.")
        self.check_root(getattr(name, "root", None), name)
        parts = tuple(name.split(paths.SEPARATOR))
        found = self._annotation(parts)
        if found is not None:
            node, rest = found
            _check_filterable(node.source)
            # As in Django what was computed is compared as it is: NULL is neither, in a NOT as outside of one.
            return self.finish(node, rest, value, None, negated=False)
        path = self.parse(parts)
        if not allow_joins and path.ends and not self._local(path):
            raise FieldError("Joined field references are not permitted in this query")
        if quantifiers.asks_for_all(path):
            if path.rest[0] != quantifiers.COUNT:
                return quantifiers.quantified(self, path, value)
            return self.finish(quantifiers.counted(self, path), path.rest[1:], value, None, negated)
        many = many_step(path.ends)
        if inside and many is not None:
            return self.split(path, many, value)
        return self.finish(self.column(path), path.rest, value, path.final, negated)

    def split(self, path: paths.Path, many: int, value: Any) -> Any:
        """A look-up through a to-many relation inside a NOT, as EXISTS over the related rows."""
        far = Behind(path.ends[: many + 1])
        inner = self.query.far_side(far.end)
        for condition in far.conditions:
            inner = inner.with_step(condition)
        scope = Scope(inner, group=1, start=self.start + len(self.values))
        scope.around, scope.refers = self, False
        value = self._moved_in(value, far, scope)
        column = scope.column(paths.Path(far.ends(path.ends), path.attributes, path.rest, path.final))
        leaf = scope.finish(column, path.rest, value, path.final, False)
        for node in leaf.flatten():
            if isinstance(node, Embedded):
                node.skips += 1
        self.take(scope)
        prefix = (*self.prefix, *far.prefix)
        exists = RelatedExists(prefix, far.end, inner.with_step(leaf), 0, self.group)
        if accepts_null(leaf):
            none = Condition([RelatedExists(prefix, far.end, inner, 0, self.group)], negated=True)
            return Condition([exists, none], "OR")
        return exists

    def _moved_in(self, value: Any, far: Behind, scope: Scope) -> Any:
        """A look-up's value as ``scope``, the query over the related rows, takes it: names are names of the query
        around it, but those that go through the same relation are about the same row, as they are outside of a NOT."""
        if type(value) in (list, tuple):
            return type(value)([self._moved_in(part, far, scope) for part in value])
        if not hasattr(value, "resolve_expression") or hasattr(value, "as_subquery"):
            return value
        if isinstance(value, OuterRef):
            return OuterRef(value)
        if isinstance(value, F):
            self.check_root(value._root, value._path)
            parts = tuple(value._path.split(paths.SEPARATOR))
            path = None if self._annotation(parts) is not None else self.parse(parts)
            if path is None or not far.has(path.ends):
                return OuterRef(value)
            inside = paths.Path(far.ends(path.ends), path.attributes, path.rest, path.final)
            return scope._arrived(inside, parts)
        if isinstance(value, Q):
            around = Scope(self.query, self.group, start=scope.start + len(scope.values))
            around.start_from(self.prefix)
            condition = around.resolve_condition(value, splits=False)
            scope.take(around)
            return OuterCol(condition)
        node = value.copy()
        if isinstance(node, Subquery):
            node.skips += 1
        sources = node.get_source_expressions()
        node.set_source_expressions([None if e is None else self._moved_in(e, far, scope) for e in sources])
        return node


def _refers_out(node: Any) -> bool:
    return isinstance(node, ResolvedOuterRef) and node.depth == 1


def _check_filterable(node: Any) -> None:
    if not node.filterable:
        raise NotSupportedError(f"{type(node).__name__} is disallowed in the filter clause.")


class _Frame:
    """A ``Q`` whose children are being resolved."""

    __slots__ = ("done", "inside", "negated", "position", "q")

    def __init__(self, q: Q, inside: bool, negated: bool) -> None:
        self.q, self.inside, self.negated, self.position = q, inside, negated, 0
        self.done: list[Any] = []


def accepts_null(node: Any) -> bool:
    """Whether a look-up holds where its left side is NULL."""
    if isinstance(node, lookups.IsNull):
        return bool(node.rhs)
    return isinstance(node, lookups.Lookup) and not all(e.null_strict for e in node.lhs.flatten())
