"""``instance._state``: where an instance came from, as Django shows it."""

from __future__ import annotations

from typing import Any

from crowsfoot.persistence.cohort import FETCH_ONE, FETCH_PEERS, FETCH_RAISE, Cohort, FetchMode, lone
from crowsfoot.schema.relation import SLOT

__all__ = ["FETCH_ONE", "FETCH_PEERS", "FETCH_RAISE", "FetchMode", "ModelState"]


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
        origin: Cohort | None = self._instance._origin
        self._come_from(alias or "", None if origin is None else origin.fetch_mode)

    @property
    def fetch_mode(self) -> FetchMode:
        origin: Cohort | None = self._instance._origin
        return FETCH_PEERS if origin is None or origin.fetch_mode is None else origin.fetch_mode

    @fetch_mode.setter
    def fetch_mode(self, mode: FetchMode) -> None:
        origin: Cohort | None = self._instance._origin
        self._come_from("" if origin is None else origin.db, mode)

    def _come_from(self, alias: str, mode: FetchMode | None) -> None:
        """Give the instance this database and mode; whether it is new stays as it is."""
        held, adding = self._instance.__dict__, self.adding
        held["_origin"] = lone(alias, mode) if alias or mode is not None else None
        if adding is not (held["_origin"] is None):
            held["_adding"] = adding

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
