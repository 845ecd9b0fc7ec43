"""Slots, and look-ups over them: the half of a scope that knows values; `scope` adds what knows names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any

from crowsfoot.errors import FieldError
from crowsfoot.query import lookups, paths
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F, Value
from crowsfoot.query.inference import UNKNOWN, type_name
from crowsfoot.query.nodes import BaseExpression, Uncacheable
from crowsfoot.query.related_values import check_related, related_key
from crowsfoot.query.resolved import (
    Col,
    ColumnTuple,
    Condition,
    Embedded,
    ExpressionList,
    Nothing,
    Param,
    ResolvedOuterRef,
)
from crowsfoot.query.subqueries import Subquery
from crowsfoot.query.tuples import TupleLookup
from crowsfoot.schema.types import ValueType

Preparer = Callable[[Any], Any]
COMPUTED: Any = object()
"""In a scope's values: what its preparer makes out of nothing, at each call anew."""


class Matching:
    """The slots of one chained call, and the look-ups that are bound to them."""

    start: int
    values: list[Any]
    preparers: list[Preparer | None]
    # Whether what was bound here serves other values too.
    cacheable: bool

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
        statement = self.bind_references(statement)
        if queryset.bound_to is not None:
            statement = statement.but(using=queryset.bound_to)
        self.values.extend(values)
        self.preparers.extend([None] * len(values))
        return statement, offset

    def take(self, inner: Matching) -> None:
        """Make the slots that were opened in an inner scope this one's too."""
        self.values.extend(inner.values)
        self.preparers.extend(inner.preparers)
        self.cacheable = self.cacheable and inner.cacheable

    def bind_references(self, statement: Any) -> Any:
        raise NotImplementedError

    # -- look-ups by name ----------------------------------------------------------------------------------------------

    def finish(self, node: Any, rest: tuple[str, ...], value: Any, final: Any, negated: bool) -> Any:
        """Apply the transforms and the look-up left over after a path, which ``final`` is the last relation of."""
        *transforms, last = rest or ("exact",)
        for position, name in enumerate(transforms):
            node = self.transform(node, name, rest[position:], final if not position else None)
        found = _of_relation(final, last, "get_lookup") if not transforms else None
        found = found or node.get_lookup(last)
        if found is None:
            node = self.transform(node, last, (last,), final if not transforms else None)
            last, found = "exact", node.get_lookup("exact")
        return self.build_lookup(node, found, value, final, negated, last)

    def transform(self, node: Any, name: str, rest: tuple[str, ...] = (), final: Any = None) -> Any:
        """``node`` transformed by what is registered as ``name``. Raises ``FieldError`` where nothing is; ``rest`` is
        all that the user wrote from there on."""
        found = _of_relation(final, name, "get_transform") or node.get_transform(name)
        if found is None:
            known = node._output_field_or_none
            kind, names = type_name(known), _lookup_names(known)
            if final is not None:
                kind = _relation_kind(final)
                names += [*_lookup_names(final.field), *final.target.names]
            raise FieldError(
                f"Unsupported lookup '{'__'.join(rest or (name,))}' for {kind} or join on the field not permitted"
                + _near(name, names)
            )
        return found(node).resolve_expression(self)

    # -- look-ups ------------------------------------------------------------------------------------------------------

    def build_lookup(
        self, lhs: Any, found: Any, value: Any, final: Any = None, negated: bool = False, name: str | None = None
    ) -> Any:
        """``found(lhs, value)`` with its value in a slot, or its expression bound; ``name`` is the one that was asked
        for, where it is another than the look-up's own."""
        kind: Any = found if isinstance(found, type) else type(found(lhs, value))
        asked: str = name or kind.lookup_name
        both = lhs.get_bilateral_transforms() if isinstance(lhs, lookups.Transform) else []
        if both and value is not None and asked != "isnull":
            value = transformed(value, both, lhs)
        if isinstance(value, (BaseExpression, F, Q)):
            return self._bound(found(lhs, _comparable(kind, value.resolve_expression(self), value)), negated)
        keys = self._own_key(lhs, value) if final is None else self._key_reader(final, kind, value)
        if hasattr(value, "as_subquery"):
            if final is not None and lhs.is_composite and kind.lookup_name not in ("exact", "in"):
                raise ValueError(f"{kind.lookup_name!r} doesn't support multi-column subqueries.")
            return self._subquery(lhs, found, kind, value, negated)
        if value is None and not kind.can_use_none_as_rhs:
            return self._none(lhs, asked, final)
        if asked == "isnull":
            node = found(lhs, value)
            node.rhs = node.get_prep_lookup()
            return self._bound(node, negated)
        if kind.takes_list:
            return self._list(lhs, found, value, negated, keys)
        return self._slotted(found(lhs, value), kind, asked, value, negated, keys)

    def _slotted(self, node: Any, kind: Any, name: str, value: Any, negated: bool, keys: Preparer | None) -> Any:
        if isinstance(value, (list, tuple)) and any(isinstance(v, (BaseExpression, F)) for v in value):
            node.bind_expressions([e.resolve_expression(self) for e in lookups.as_values(value)])
            return self._bound(node, negated)
        always = node.decided(value) if keys is None else None
        if always is not None:
            self.cacheable = False
            return self._bound(lookups.IsNull(node.lhs, False), negated) if always else Nothing()
        prepare = _after(keys, _preparer(node, kind))
        if value is not None and _may_give_none(node):
            if prepare(value) is None:
                self.cacheable = False
                return self._none(node.lhs, name, None)
            prepare = _not_none(prepare)
        index, _ = self.slot(value, prepare)
        return self._bound(node.bind(index), negated and value is not None)

    def _bound(self, node: Any, negated: bool) -> Any:
        node.is_resolved = True
        node._inherit([e for e in node.get_source_expressions() if isinstance(e, BaseExpression)])
        node.guarded = negated
        return node

    def _none(self, lhs: Any, name: str, final: Any) -> Any:
        if name not in ("exact", "iexact"):
            raise ValueError("Cannot use None as a query value")
        exact = lhs.get_lookup("exact")
        if exact is not None and exact.can_use_none_as_rhs:
            return self.build_lookup(lhs, exact, None, final)
        isnull = lhs.get_lookup("isnull") or lookups.IsNull
        return self._bound(isnull(lhs, True), False)

    def _list(self, lhs: Any, found: Any, value: Any, negated: bool, keys: Preparer | None = None) -> Any:
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise found(lhs, value).no_list(value)
        items = list(value)
        if lhs.is_composite and any(_has_expression(item) for item in items):
            node = found(lhs, None)
            rows = [ColumnTuple([e.resolve_expression(self) for e in lookups.as_values(item)]) for item in items]
            node.rhs = ExpressionList(*rows)
            return self._bound(node, negated)
        if any(isinstance(v, (BaseExpression, F)) or hasattr(v, "as_subquery") for v in items):
            node = found(lhs, None)
            node.rhs = ExpressionList(*[e.resolve_expression(self) for e in node.expressions(items)])
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

    def _subquery(self, lhs: Any, found: Any, kind: Any, queryset: Any, negated: bool) -> Any:
        chosen = queryset.for_lookup(lhs, kind)
        statement, offset = self.embed(chosen)
        wanted, given = len(lhs.get_source_expressions()) if lhs.is_composite else 1, _width(statement)
        if given != wanted:
            said = repr(kind.lookup_name) if kind.takes_list else kind.lookup_name
            raise ValueError(
                f"The QuerySet value for the {said} lookup must have {wanted} selected fields (received {given})"
            )
        node = found(lhs, None)
        node.rhs = Embedded(statement, offset)
        return self._bound(node, negated)

    def _own_key(self, lhs: Any, value: Any) -> Preparer | None:
        """An instance compared with a key that is a relation itself: ``pk=restaurant``."""
        if not hasattr(value.__class__, "__entity__"):
            return None
        known = None if isinstance(lhs, (Col, ColumnTuple)) else lhs._output_field_or_none
        if known is not None and not (getattr(known, "is_relation", False) or getattr(known, "primary_key", False)):
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


def transformed(value: Any, transforms: list[Any], lhs: Any) -> Any:
    """What is compared with a transform that wants both sides transformed: a value, or each of a list."""
    if hasattr(value, "as_subquery"):
        raise NotImplementedError("Bilateral transformations on nested querysets are not implemented.")
    if isinstance(value, (list, tuple, set, frozenset)):
        return [transformed(item, transforms, lhs) for item in value]
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


def _may_give_none(node: Any) -> bool:
    """Whether preparing a value may give None: then it is compared as None is. Fields of this package never do that."""
    prepare = getattr(type(node.compared_type), "get_prep_value", None) if node.prepare_rhs else None
    return prepare is not None and not prepare.__module__.startswith("crowsfoot.")


def _not_none(prepare: Preparer) -> Preparer:
    def checked(value: Any) -> Any:
        found = prepare(value)
        if found is None:
            raise Uncacheable
        return found

    return checked


# -- names -------------------------------------------------------------------------------------------------------------


def _of_relation(final: Any, name: str, what: str) -> Any:
    """What is registered as ``name`` for a relation's own field, beside what its target's key has."""
    field = getattr(final, "field", None)
    if field is None or not hasattr(field, "find_own") or field.find_own(name) is None:
        return None
    return getattr(field, what)(name)


def _relation_kind(end: Any) -> str:
    """The class by which messages call a relation, as Django does: of the field that the last join follows."""
    if len(end.hops) > 1:
        return "ForeignKey"
    return type(end.field if end.is_forward else end.field.remote_field).__name__


def _lookup_names(known: Any) -> list[str]:
    return [] if known is None else [*known.type.get_lookups(), *getattr(known, "get_lookups", dict)()]


def _near(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown look-up: those that it may have been meant to be."""
    near = difflib.get_close_matches(name, dict.fromkeys(known))
    return f", perhaps you meant {' or '.join(near)}?" if near else "."
