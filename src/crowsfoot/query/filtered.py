"""`FilteredRelation`: a relation under a name of its own, whose join has a condition beside its keys."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

from crowsfoot.query import paths
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import name_of
from crowsfoot.query.scope import Scope
from crowsfoot.query.shapes import freeze
from crowsfoot.query.statements import Query


class FilteredRelation:
    """``annotate(cheap=FilteredRelation("books", condition=Q(books__price__lt=5)))`` joins the books that meet it.

    ``cheap`` is then a relation like ``books``, for look-ups, ``values()``, ``order_by()``, aggregates and
    ``select_related()``. Raises ``ValueError`` for an empty name and a condition that is no ``Q``.
    """

    def __init__(self, relation_name: Any, *, condition: Q = Q()) -> None:  # noqa: B008
        self._root = getattr(relation_name, "_root", None)
        relation_name = name_of(relation_name)
        if not relation_name:
            raise ValueError("relation_name cannot be empty.")
        if not isinstance(condition, Q):
            raise ValueError("condition argument must be a Q() instance.")
        self.relation_name = relation_name
        self.condition = condition

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FilteredRelation):
            return NotImplemented
        return (self.relation_name, self.condition) == (other.relation_name, other.condition)

    def __hash__(self) -> int:
        return hash((FilteredRelation, self.relation_name))

    def freeze(self, out: list[Any]) -> Hashable:
        """This relation as part of the key of a shape."""
        return FilteredRelation, self.relation_name, self._root, freeze(self.condition, out)

    def resolve_expression(self, scope: Any, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(f"{self!r} is a relation, not a value: name it in annotate() or alias(), by a keyword.")

    def __repr__(self) -> str:
        return f"<FilteredRelation: {self.relation_name!r} where {self.condition}>"


def check_name(name: str) -> None:
    if "." in name:
        raise ValueError(f"FilteredRelation doesn't support aliases with periods (got {name!r}).")


def join(query: Query, name: str, relation: FilteredRelation) -> tuple[Query, Scope]:
    """``query`` with ``relation`` under ``name``, and the scope that holds the slots of its condition.

    Raises ``ValueError`` for a name or a condition that says something else than the relation.
    """
    wanted = relation.relation_name
    scope = Scope(query)
    scope.check_root(relation._root, wanted)
    path = paths.parse(query.entity, tuple(wanted.split(paths.SEPARATOR)), query.relation_map)
    if path.rest or path.final is None:
        raise ValueError(f"FilteredRelation's relation_name cannot contain lookups (got {wanted!r}).")
    for lookup, value in _leaves(relation.condition):
        _check(query, wanted, lookup, value)
    *before, last = path.ends
    pinned: tuple[Pinned, ...] = ()
    for end in before:
        pinned = (*pinned, end if isinstance(end, Pinned) else Pinned(end, name, pinned))
    pinned = (*pinned, Pinned(last.end if isinstance(last, Pinned) else last, name, pinned))
    scope.pin(path.ends, pinned)
    if relation.condition.children:
        # It speaks of the row that is joined: negated or not, no look-up becomes an EXISTS.
        pinned[-1].condition = scope.resolve_condition(relation.condition, splits=False)
    found = query.but(
        relations=(*[(n, p) for n, p in query.relations if n != name], (name, pinned)), size=query.start_after(scope)
    )
    return found, scope


def _leaves(q: Q) -> Iterator[tuple[str, Any]]:
    """The look-ups of a condition, by name and value."""
    stack: list[Any] = [q]
    while stack:
        child = stack.pop()
        if isinstance(child, Q):
            stack += child.children
        elif isinstance(child, tuple):
            yield child


def _check(query: Query, relation: str, lookup: str, value: Any) -> None:
    """A condition is about the row that is joined: it goes no deeper, and not by another way."""
    if hasattr(value, "as_subquery"):
        raise ValueError("Passing a QuerySet within a FilteredRelation is not supported.")
    parts = lookup.split(paths.SEPARATOR)
    rest = paths.parse(query.entity, tuple(parts), query.relation_map).rest
    names = parts[: len(parts) - len(rest)]
    wanted = relation.split(paths.SEPARATOR)
    way = names[: -1 if rest else -2]
    if any(name != other for name, other in zip(way, wanted, strict=False)):
        raise ValueError(
            f"FilteredRelation's condition doesn't support relations outside the {relation!r} (got {lookup!r})."
        )
    if len(names) > len(wanted) + 1:
        raise ValueError(
            "FilteredRelation's condition doesn't support nested relations deeper than the relation_name "
            f"(got {lookup!r} for {relation!r})."
        )


class NoWayBack(NamedTuple):
    """The inverse of an end whose rows do not belong to the row that the query starts from."""

    accessor: None = None
    is_collection: bool = True


class Pinned:
    """One step of a `FilteredRelation` called ``name``: ``end``, joined for that name alone, wherever the name is used.

    ``path`` are the steps from the query's entity to this one. ``condition`` belongs to the last step. Of several rows
    each is joined: a look-up asks about one. Where the end leads to exactly one row, a row whose related row does not
    meet the condition is left out, as in Django.
    """

    many = False
    is_collection = False
    condition: Any = None
    # Whether it may find several rows, whatever the look-ups that are written with its name are about.
    several: bool

    def __init__(self, end: Any, name: str, before: tuple[Pinned, ...]) -> None:
        self.end = end
        self.name = name
        self.several = end.many
        self.accessor = self.slot = name  # nothing on the class stands in the way of an instance's attribute
        self.minimum = 0 if end.many else end.minimum
        self.path = (*before, self)
        self.inverse = NoWayBack() if before else end.inverse

    def again(self, before: tuple[Pinned, ...]) -> Pinned:
        """This step where a query starts at a later row, behind ``before``; its rows may be missing there."""
        found = Pinned(self.end, self.name, before)
        found.minimum = 0
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.end, name)
