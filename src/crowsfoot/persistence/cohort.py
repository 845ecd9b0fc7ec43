"""Cohorts: the instances of one result, who load together what one of them lacks; and the modes of loading."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any
from weakref import ref

# Told of queries that loading for several members saved: see `crowsfoot.watch`.
SAVED: list[Callable[[int], None]] = []


def saved(number: int) -> None:
    """Report that ``number`` queries were not needed."""
    for told in SAVED:
        told(number)


class FetchMode(Enum):
    """What touching an unloaded value does: load it for all peers (the default), for this one alone, or raise."""

    PEERS = "FETCH_PEERS"
    ONE = "FETCH_ONE"
    RAISE = "FETCH_RAISE"

    def __repr__(self) -> str:
        return self.value


FETCH_PEERS = FetchMode.PEERS
FETCH_ONE = FetchMode.ONE
FETCH_RAISE = FetchMode.RAISE


class Cohort:
    """The members of one result, held weakly, and the database they came from.

    Every loaded instance has its cohort as ``_origin``. ``prepared`` holds answers loaded ahead for members that have
    not asked yet.
    """

    __slots__ = ("__weakref__", "_find", "db", "fetch_mode", "members", "prepared")
    members: list[ref[Any]]

    def __init__(self, db: str, members: Iterable[Any] = (), fetch_mode: Any = None) -> None:
        self.db = db
        self.members = list(map(ref, members))
        self.fetch_mode = fetch_mode
        self.prepared: dict[Any, Any] | None = None
        self._find: Callable[[], Iterable[Any]] | None = None

    @classmethod
    def unlisted(cls, db: str, find: Callable[[], Iterable[Any]], fetch_mode: Any = None) -> Cohort:
        """A cohort whose ``members`` are listed when they are first asked for: those among the instances that ``find``
        gives which have come with it. It must not keep them alive."""
        found = cls(db, (), fetch_mode)
        del found.members
        found._find = find
        return found

    def __getattr__(self, name: str) -> Any:
        if name != "members" or self._find is None:
            raise AttributeError(f"A cohort has no {name!r}.")
        find, self._find = self._find, None
        members = {id(member): ref(member) for member in find() if member._origin is self}
        self.members = list(members.values())
        return self.members

    @property
    def is_listed(self) -> bool:
        """Whether somebody has to put new members on the list."""
        return self._find is None

    @property
    def is_lone(self) -> bool:
        """Whether it is that of all instances that came alone."""
        return LONE.get((self.db, self.fetch_mode)) is self

    def children(self, end: Any) -> Cohort:
        """The cohort of what the members reach by ``end``: one, however many queries bring it."""
        if self.prepared is None:
            self.prepared = {}
        found: Cohort | None = self.prepared.get(end)
        if found is None:
            found = self.prepared[end] = Cohort(self.db, (), self.fetch_mode)
        return found

    def take(self, rows: Iterable[Any]) -> None:
        """Make ``rows`` members too: they came by the same relation as those that are."""
        for row in rows:
            row.__dict__["_origin"] = self
            self.members.append(ref(row))

    def __copy__(self) -> Cohort:
        return lone(self.db, self.fetch_mode)

    def __deepcopy__(self, memo: dict[int, Any]) -> Cohort:
        return lone(self.db, self.fetch_mode)

    def __reduce__(self) -> tuple[Callable[..., Cohort], tuple[Any, ...]]:
        return lone, (self.db, self.fetch_mode)


LONE: dict[Any, Cohort] = {}


def lone(db: str, fetch_mode: Any = None) -> Cohort:
    """The cohort of instances that came alone: they have no peers."""
    key = (db, fetch_mode)
    found = LONE.get(key)
    if found is None:
        found = LONE[key] = Cohort(db, (), fetch_mode)
    return found
