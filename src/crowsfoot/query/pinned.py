"""Ends of relations that are joined under a name of their own."""

from __future__ import annotations

from typing import Any, NamedTuple


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

    def __init__(self, end: Any, name: str, before: tuple[Pinned, ...]) -> None:
        self.end = end
        self.name = name
        self.accessor = self.slot = name  # nothing on the class stands in the way of an instance's attribute
        self.minimum = 0 if end.many else end.minimum
        self.path = (*before, self)
        self.inverse = NoWayBack() if before else end.inverse

    def __getattr__(self, name: str) -> Any:
        return getattr(self.end, name)
