"""Fetch modes, and ``instance._state``: where an instance came from, as Django shows it."""

from __future__ import annotations

from enum import Enum
from typing import Any

from crowsfoot.persistence.cohort import Cohort, lone
from crowsfoot.schema.relation import SLOT


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


class ModelState:
    """A view of an instance's origin: ``db``, the alias it was loaded from or saved to; ``adding``, if it is new."""

    __slots__ = ("_instance",)

    def __init__(self, instance: Any) -> None:
        self._instance = instance

    @property
    def adding(self) -> bool:
        held = self._instance.__dict__
        return bool(held["_adding"]) if "_adding" in held else self._instance._origin is None

    @adding.setter
    def adding(self, value: bool) -> None:
        self._instance.__dict__["_adding"] = value

    @property
    def db(self) -> str | None:
        origin: Cohort | None = self._instance._origin
        return None if origin is None else origin.db or None

    @db.setter
    def db(self, alias: str | None) -> None:
        held = self._instance.__dict__
        adding = self.adding
        held["_origin"] = None if alias is None else lone(alias)
        if adding is not (held["_origin"] is None):
            held["_adding"] = adding

    @property
    def fetch_mode(self) -> FetchMode:
        origin: Cohort | None = self._instance._origin
        return FETCH_PEERS if origin is None or origin.fetch_mode is None else origin.fetch_mode

    @fetch_mode.setter
    def fetch_mode(self, mode: FetchMode) -> None:
        origin: Cohort | None = self._instance._origin
        self._instance.__dict__["_origin"] = lone(origin.db if origin is not None else "", mode)

    @property
    def fields_cache(self) -> dict[str, Any]:
        """The related instances that are loaded, by accessor (a copy)."""
        held = self._instance.__dict__
        rows = {name.removeprefix(SLOT): row for name, row in held.items() if name.startswith(SLOT)}
        return {name: row for name, row in rows.items() if row is None or hasattr(row, "_meta")}

    @property
    def peers(self) -> tuple[Any, ...]:
        origin: Cohort | None = self._instance._origin
        return tuple(origin.members) if origin is not None else ()
