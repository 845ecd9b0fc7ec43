"""Scopes: where the names and values of an expression are bound. One scope serves one chained call of one query."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any

from crowsfoot.errors import FieldError
from crowsfoot.query import lookups, paths, quantifiers
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F, OuterRef, Value
from crowsfoot.query.inference import UNKNOWN
from crowsfoot.query.nodes import BaseExpression
from crowsfoot.query.resolved import (
    Col,
    ColumnTuple,
    Condition,
    Embedded,
    ExpressionList,
    Nothing,
    Param,
    Ref,
    RelatedExists,
    ResolvedOuterRef,
)
from crowsfoot.query.subqueries import Subquery
from crowsfoot.query.tuples import TupleLookup
from crowsfoot.schema.entity import Attribute
from crowsfoot.schema.types import ValueType

Preparer = Callable[[Any], Any]
COMPUTED: Any = object()
"""In a scope's values: what its preparer makes out of nothing, at each call anew."""


class Scope:
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
        # Whether what was bound here serves other values too.
        self.cacheable = True

    # -- slots ---------------------------------------------------------------------------------------------------------

    def slot(self, value: Any, prepare: Preparer | None) -> tuple[int, ValueType]:
        """Open a slot for ``value``; gives its number and a first idea of its type."""
        self.values.append(value)
        self.preparers.append(prepare)
        return self.start + len(self.values) - 1, UNKNOWN

    def computed(self, compute: Callable[[], Any]) -> int:
        """Open a slot that ``compute`` fills at each call, such as the current time zone; gives its number."""
        return self.slot(COMPUTED, lambda _: compute())[0]

    def embed(self, queryset: Any) -> tuple[Any, int]:
        """Take a queryset in as a subquery: its statement, and how far its slots move."""
        offset = self.start + len(self.values)
        statement, values = queryset.as_subquery()
        self.values.extend(values)
        self.preparers.extend([None] * len(values))
        return statement, offset

    def inner(self, end: Any) -> Scope:
        """A scope on the far side of ``end``, whose slots follow those that are open here; see ``take``."""
        return Scope(self.query.far_side(end), group=1, start=self.start + len(self.values))

    def start_from(self, ends: tuple[Any, ...]) -> None:
        """Look names up on the entity that ``ends`` lead to."""
        if ends:
            self.prefix, self.entity = ends, ends[-1].target

    def take(self, inner: Scope) -> None:
        """Make the slots that were opened in an inner scope this one's too."""
        self.values.extend(inner.values)
        self.preparers.extend(inner.preparers)
        self.cacheable = self.cacheable and inner.cacheable

    # -- names ---------------------------------------------------------------------------------------------------------

    def resolve_ref(self, name: str, allow_joins: bool = True, summarize: bool = False) -> Any:
        """The annotation or column called ``name``, transforms included. Raises ``FieldError``."""
        parts = tuple(name.split(paths.SEPARATOR))
        found = self._annotation(parts)
        if found is not None:
            node, rest = found
        else:
            path = self.parse(parts)
            if not allow_joins and any(len(end.hops) for end in path.ends) and not self._local(path):
                raise FieldError("Joined field references are not permitted in this query")
            node, rest = self.column(path), path.rest
            if rest and path.final is not None and node.get_transform(rest[0]) is None:
                raise FieldError(paths.unknown_keyword(rest[0], path.final.target))
        for transform in rest:
            node = self.transform(node, transform)
        return node

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

    def transform(self, node: Any, name: str) -> Any:
        found = node.get_transform(name)
        if found is None:
            kind = type(node._output_field_or_none).__name__
            known = _lookup_names(node)
            raise FieldError(
                f"Unsupported lookup '{name}' for {kind} or join on the field not permitted" + _near(name, known)
            )
        return found(node).resolve_expression(self)

    # -- conditions ----------------------------------------------------------------------------------------------------

    def resolve_condition(self, q: Any, allow_joins: bool = True, summarize: bool = False) -> Any:
        """A ``Q``, or any boolean expression, as a tree of resolved look-ups. The tree is walked with a stack.

        Inside a NOT a look-up through a to-many relation becomes an EXISTS of its own, so that ``exclude`` means "has
        no such row"; under an odd number of NOTs a comparison with NULL has to be false.
        """
        if not isinstance(q, Q):
            return self._boolean(q, allow_joins, summarize)
        stack = [_Frame(q, q.negated, q.negated)]
        while True:
            frame = stack[-1]
            if frame.position == len(frame.q.children):
                stack.pop()
                done = Condition(frame.done, frame.q.connector, frame.q.negated)
                if not stack:
                    return done
                stack[-1].done.append(done)
                continue
            child = frame.q.children[frame.position]
            frame.position += 1
            if isinstance(child, Q):
                stack.append(_Frame(child, frame.inside or child.negated, frame.negated ^ child.negated))
            elif isinstance(child, tuple):
                frame.done.append(self.leaf(child[0], child[1], frame.inside, frame.negated, allow_joins))
            else:
                frame.done.append(self._boolean(child, allow_joins, summarize))

    def _boolean(self, expression: Any, allow_joins: bool, summarize: bool) -> Any:
        if not hasattr(expression, "resolve_expression"):
            raise TypeError("Cannot filter against a non-conditional expression.")
        node = expression.resolve_expression(self, allow_joins=allow_joins, summarize=summarize)
        said = node.source if isinstance(node, Ref) else node
        if type(said).conditional is True:
            return node
        if not node.conditional:
            raise TypeError("Cannot filter against a non-conditional expression.")
        return self.build_lookup(node, node.get_lookup("exact"), True)

    def leaf(self, name: str, value: Any, inside: bool, negated: bool, allow_joins: bool = True) -> Any:
        """One ``name=value`` pair as a look-up, ``inside`` a NOT or not, under an odd number of them or not."""
        if not isinstance(name, str):
            raise FieldError(f"Cannot parse keyword query as {type(name).__name__}; a look-up's name is a string.")
        parts = tuple(name.split(paths.SEPARATOR))
        found = self._annotation(parts)
        if found is not None:
            node, rest = found
            if not node.source.filterable:
                raise NotSupported(node.source)
            return self.finish(node, rest, value, None, negated)
        path = self.parse(parts)
        if not allow_joins and path.ends and not self._local(path):
            raise FieldError("Joined field references are not permitted in this query")
        if quantifiers.asks_for_all(path):
            if path.rest[0] != quantifiers.COUNT:
                return quantifiers.quantified(self, path, value)
            return self.finish(quantifiers.counted(self, path), path.rest[1:], value, None, negated)
        many = next((i for i, end in enumerate(path.ends) if end.many), None)
        if inside and many is not None:
            return self.split(path, many, value)
        return self.finish(self.column(path), path.rest, value, path.final, negated)

    def finish(self, node: Any, rest: tuple[str, ...], value: Any, final: Any, negated: bool) -> Any:
        """Apply the transforms and the look-up left over after a path."""
        *transforms, last = rest or ("exact",)
        for name in transforms:
            node = self.transform(node, name)
        found = node.get_lookup(last)
        if found is None:
            if node.get_transform(last) is None:
                if final is not None and not transforms:
                    raise FieldError(
                        f"Related Field got invalid lookup: {last}"
                        + _near(last, [*_lookup_names(node), *final.target.names])
                    )
                kind = type(node._output_field_or_none).__name__
                raise FieldError(
                    f"Unsupported lookup '{last}' for {kind} or join on the field not permitted"
                    + _near(last, _lookup_names(node))
                )
            node = self.transform(node, last)
            found = node.get_lookup("exact")
        return self.build_lookup(node, found, value, final, negated)

    def split(self, path: paths.Path, many: int, value: Any) -> Any:
        """A look-up through a to-many relation inside a NOT, as EXISTS over the related rows."""
        prefix, end, after = path.ends[:many], path.ends[many], path.ends[many + 1 :]
        inner = self.query.far_side(end)
        scope = Scope(inner, group=1, start=self.start + len(self.values))
        if hasattr(value, "resolve_expression"):
            value = _outer(value)
        column = scope.column(paths.Path(after, path.attributes, path.rest, path.final))
        leaf = scope.finish(column, path.rest, value, path.final, False)
        offset = 0
        self.values.extend(scope.values)
        self.preparers.extend(scope.preparers)
        prefix = (*self.prefix, *prefix)
        exists = RelatedExists(prefix, end, inner.with_step(leaf), offset, self.group)
        if accepts_null(leaf):
            none = Condition([RelatedExists(prefix, end, inner, offset, self.group)], negated=True)
            return Condition([exists, none], "OR")
        return exists

    # -- look-ups ------------------------------------------------------------------------------------------------------

    def build_lookup(self, lhs: Any, found: Any, value: Any, final: Any = None, negated: bool = False) -> Any:
        """``found(lhs, value)`` with its value in a slot, or its expression bound."""
        both = lhs.get_bilateral_transforms() if isinstance(lhs, lookups.Transform) else []
        if both and value is not None and found.lookup_name != "isnull":
            value = transformed(value, both)
        if isinstance(value, (BaseExpression, F, Q)):
            return self._bound(found(lhs, _comparable(found, value.resolve_expression(self), value)), negated)
        keys = self._own_key(lhs, value) if final is None else self._key_reader(final, found, value)
        if hasattr(value, "as_subquery"):
            return self._subquery(lhs, found, value, negated)
        if value is None:
            return self._none(lhs, found)
        if found.lookup_name == "isnull":
            node = found(lhs, value)
            node.rhs = node.get_prep_lookup()
            return self._bound(node, negated)
        if found.takes_list:
            return self._list(lhs, found, value, negated, keys)
        return self._slotted(found(lhs, value), found, value, negated, keys)

    def _slotted(self, node: Any, found: Any, value: Any, negated: bool, keys: Preparer | None = None) -> Any:
        if isinstance(value, (list, tuple)) and any(isinstance(v, (BaseExpression, F)) for v in value):
            node.bind_expressions([e.resolve_expression(self) for e in as_values(value)])
            return self._bound(node, negated)
        always = node.decided(value) if keys is None else None
        if always is not None:
            self.cacheable = False
            return self._bound(lookups.IsNull(node.lhs, False), negated) if always else Nothing()
        index, _ = self.slot(value, _after(keys, _preparer(node, found)))
        return self._bound(node.bind(index), negated)

    def _bound(self, node: Any, negated: bool) -> Any:
        node.is_resolved = True
        node._inherit([e for e in node.get_source_expressions() if isinstance(e, BaseExpression)])
        node.guarded = negated
        return node

    def _none(self, lhs: Any, found: Any) -> Any:
        if found.can_use_none_as_rhs:
            node = found(lhs, None)
            return self._slotted(node, found, None, False)
        if found.lookup_name not in ("exact", "iexact"):
            raise ValueError("Cannot use None as a query value")
        isnull = lhs.get_lookup("isnull") or lookups.IsNull
        return self._bound(isnull(lhs, True), False)

    def _list(self, lhs: Any, found: Any, value: Any, negated: bool, keys: Preparer | None = None) -> Any:
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise found(lhs, value).no_list(value)
        items = list(value)
        if lhs.is_composite and any(_has_expression(item) for item in items):
            node = found(lhs, None)
            rows = [ColumnTuple([e.resolve_expression(self) for e in as_values(item)]) for item in items]
            node.rhs = ExpressionList(rows)
            return self._bound(node, negated)
        if any(isinstance(v, (BaseExpression, F)) or hasattr(v, "as_subquery") for v in items):
            node = found(lhs, None)
            node.rhs = ExpressionList([e.resolve_expression(self) for e in as_values(items)])
            return self._bound(node, negated)
        # A None in the list of an ``exclude`` leaves out the rows without a value too.
        missing = lookups.IsNull(lhs, True) if negated and any(v is None for v in items) else None
        if all(found.is_missing(v) for v in items):
            self.cacheable = self.cacheable and all(v is None for v in items)
            return Nothing() if missing is None else self._bound(missing, False)
        node = found(lhs, items)
        index, _ = self.slot(value, _after(keys, _preparer(node, found)))
        node.rhs = Param(index, node.rhs_type, array=True)
        node = self._bound(node, negated)
        return node if missing is None else Condition([node, self._bound(missing, False)], "OR")

    def _subquery(self, lhs: Any, found: Any, queryset: Any, negated: bool) -> Any:
        chosen = queryset.for_lookup(lhs, found)
        statement, offset = self.embed(chosen)
        wanted, given = len(lhs.get_source_expressions()) if lhs.is_composite else 1, _width(statement)
        if given != wanted:
            said = repr(found.lookup_name) if found.takes_list or lhs.is_composite else found.lookup_name
            raise ValueError(
                f"The QuerySet value for the {said} lookup must have {wanted} selected fields (received {given})"
            )
        node = found(lhs, None)
        node.rhs = Embedded(statement, offset)
        return self._bound(node, negated)

    def _own_key(self, lhs: Any, value: Any) -> Preparer | None:
        """An instance compared with a key that is a relation itself: ``pk=restaurant``."""
        if not hasattr(value.__class__, "__entity__") or not isinstance(lhs, (Col, ColumnTuple)):
            return None
        return lambda item: related_key(item, item.__entity__.key)

    def _key_reader(self, end: Any, found: Any, value: Any) -> Preparer | None:
        """How model instances given as values become keys; they are checked against the relation here."""
        check_related(end, value)
        attributes = paths.arrival(end)
        if isinstance(value, (list, tuple, set, frozenset)):
            for item in value:
                check_related(end, item)
            if found.takes_list:
                return lambda items: [related_key(item, attributes) for item in items]
        if hasattr(value.__class__, "__entity__"):
            return lambda item: related_key(item, attributes)
        return None


class NotSupported(FieldError):
    def __init__(self, expression: Any) -> None:
        super().__init__(
            f"{type(expression).__name__} cannot be used in a filter; the database computes it afterwards."
        )


class _Frame:
    """A ``Q`` whose children are being resolved."""

    __slots__ = ("done", "inside", "negated", "position", "q")

    def __init__(self, q: Q, inside: bool, negated: bool) -> None:
        self.q, self.inside, self.negated, self.position = q, inside, negated, 0
        self.done: list[Any] = []


def as_values(values: Iterable[Any]) -> list[Any]:
    """Each value as an expression; here a string is a value, not a name."""
    return [value if hasattr(value, "resolve_expression") else Value(value) for value in values]


def transformed(value: Any, transforms: list[Any]) -> Any:
    """What is compared with a transform that wants both sides transformed: a value, or each of a list."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return [transformed(item, transforms) for item in value]
    for transform in transforms:
        value = transform(value if hasattr(value, "resolve_expression") else Value(value))
    return value


def _preparer(node: Any, found: Any) -> Preparer:
    if found.get_prep_lookup is not lookups.Lookup.get_prep_lookup:
        lhs = node.lhs

        def prepare(value: Any) -> Any:
            return found(lhs, value).get_prep_lookup()

        return prepare
    preparer: Preparer = node.preparer()
    return preparer


def _after(keys: Preparer | None, prepare: Preparer) -> Preparer:
    return prepare if keys is None else lambda value: prepare(keys(value))


def _comparable(found: Any, rhs: Any, given: Any) -> Any:
    """``rhs``, unless one side is a composite key and the other a single value."""
    wanted = issubclass(found, TupleLookup)
    if rhs.is_composite and not wanted:
        raise ValueError("CompositePrimaryKey cannot be used as a lookup value. Compare with one of its fields.")
    if wanted and not (rhs.is_composite or isinstance(rhs, (Subquery, ResolvedOuterRef))):
        raise ValueError(
            f"{found.lookup_name!r} subquery lookup of 'pk' only supports OuterRef and QuerySet objects "
            f"(received {type(given).__name__!r})"
        )
    return rhs


def _width(query: Any) -> int:
    """How many columns a query selects."""
    return sum(len(node.get_source_expressions()) if node.is_composite else 1 for _, node in query.output())


def _has_expression(item: Any) -> bool:
    return isinstance(item, (tuple, list)) and any(hasattr(part, "resolve_expression") for part in item)


def accepts_null(node: Any) -> bool:
    """Whether a look-up holds where its left side is NULL."""
    if isinstance(node, lookups.IsNull):
        return bool(node.rhs)
    return isinstance(node, lookups.Lookup) and not all(e.null_strict for e in node.lhs.flatten())


def _outer(value: Any) -> Any:
    """An expression moved one query inwards: its names are names of the query around it."""
    if isinstance(value, OuterRef):
        return OuterRef(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    if isinstance(value, F):
        return OuterRef(value._path)
    node = value.copy()
    node.set_source_expressions([_outer(e) if e is not None else None for e in node.get_source_expressions()])
    return node


def check_related(end: Any, value: Any) -> None:
    """Raise ``ValueError`` where ``value`` is an instance or queryset of a model that the relation does not lead to."""
    entity = getattr(value, "__entity__", None)
    if entity is None or is_a(entity, end.target) or is_a(end.target, entity):
        return
    if hasattr(value, "as_subquery"):
        if value.has_chosen_columns:
            return
        raise ValueError(f'Cannot use QuerySet for "{entity.name}": Use a QuerySet for "{end.target.name}".')
    raise ValueError(f'Cannot query "{value}": Must be "{end.target.name}" instance.')


def is_a(entity: Any, other: Any) -> bool:
    """Whether rows of ``entity`` are rows of ``other``: the same concrete table, or one that inherits from it."""
    if entity.concrete is other.concrete:
        return True
    return any(is_a(link.target, other) for link in entity.parents)


def related_key(value: Any, attributes: tuple[Attribute, ...]) -> Any:
    """The key by which a related instance is looked up; a plain value is its own key."""
    entity = getattr(value.__class__, "__entity__", None)
    if entity is None:
        return value
    key = tuple(_attribute_value(value, attribute) for attribute in attributes)
    if any(part is None for part in key):
        raise ValueError(
            f"Model instances passed to related filters must be saved: {value!r} has no {attributes[0].name}."
        )
    return key[0] if len(key) == 1 else key


def _attribute_value(value: Any, attribute: Attribute) -> Any:
    for name in (attribute.name, "pk"):
        if hasattr(value, name):
            found = getattr(value, name)
            return related_key(found, attribute.entity.key) if hasattr(found, "__entity__") else found
    raise ValueError(f"{value!r} has no {attribute.name}.")


def _lookup_names(node: Any) -> list[str]:
    found = node._output_field_or_none
    return [] if found is None else [*found.type.get_lookups(), *getattr(found, "get_lookups", dict)()]


def _near(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown look-up: those that it may have been meant to be."""
    near = difflib.get_close_matches(name, dict.fromkeys(known))
    return f", perhaps you meant {' or '.join(near)}?" if near else "."
