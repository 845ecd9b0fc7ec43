"""Operations with what must come before them, in an order that keeps to it, cut into migrations."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crowsfoot.conf import settings
from crowsfoot.migrations import operations as ops
from crowsfoot.migrations.graph import MigrationGraph
from crowsfoot.migrations.migration import Migration, SwappableTuple
from crowsfoot.migrations.operations.base import Operation
from crowsfoot.migrations.operations.fields import FieldOperation
from crowsfoot.migrations.utils import resolve


class Kind(enum.Enum):
    """What must have happened to a model or to a field."""

    CREATE = enum.auto()
    REMOVE = enum.auto()
    ALTER = enum.auto()
    REMOVE_ORDER = enum.auto()
    ALTER_TOGETHER = enum.auto()
    REMOVE_INDEX = enum.auto()


@dataclass(frozen=True, slots=True)
class Need:
    """Something that an operation waits for: ``kind`` done to a model, or to one of its fields.

    ``setting`` is the setting that names the model, where one does.
    """

    app: str
    model: str
    field: str | None
    kind: Kind
    setting: str | None = None

    @classmethod
    def of_setting(cls, setting: str) -> Need:
        app, model = resolve(getattr(settings, setting), "", "")
        return cls(app, model, None, Kind.CREATE, setting)

    def is_met_by(self, operation: Operation) -> bool:
        """Whether it is this operation that is waited for."""
        match self.kind:
            case Kind.CREATE if self.field is None:
                made = operation.name_lower if isinstance(operation, ops.CreateModel) else None
                renamed = operation.new_name_lower if isinstance(operation, ops.RenameModel) else None
                return self.model in (made, renamed)
            case Kind.CREATE:
                return self._makes_field(operation)
            case Kind.REMOVE if self.field is None:
                return isinstance(operation, ops.DeleteModel) and operation.name_lower == self.model
            case Kind.REMOVE:
                return self._is_on_field(operation, ops.RemoveField)
            case Kind.ALTER:
                return self._is_on_field(operation, ops.AlterField)
            case Kind.REMOVE_ORDER:
                return (
                    isinstance(operation, ops.AlterOrderWithRespectTo)
                    and operation.name_lower == self.model
                    and operation.order_with_respect_to != self.field
                )
            case Kind.ALTER_TOGETHER:
                return isinstance(operation, ops.AlterUniqueTogether) and operation.name_lower == self.model
            case Kind.REMOVE_INDEX:
                gone = isinstance(operation, (ops.RemoveIndex, ops.RemoveConstraint))
                return gone and operation.model_name_lower == self.model  # type: ignore[attr-defined]

    def _makes_field(self, operation: Operation) -> bool:
        if isinstance(operation, ops.CreateModel):
            return operation.name_lower == self.model and any(name == self.field for name, _ in operation.fields)
        if isinstance(operation, ops.RenameField):
            return operation.model_name_lower == self.model and operation.new_name == self.field
        return self._is_on_field(operation, ops.AddField)

    def _is_on_field(self, operation: Operation, kind: type[FieldOperation]) -> bool:
        found = isinstance(operation, kind)
        return found and (operation.model_name_lower, operation.name) == (self.model, self.field)  # type: ignore[attr-defined]


@dataclass(slots=True, eq=False)
class Planned:
    """An operation and what it waits for."""

    operation: Operation
    needs: list[Need] = field(default_factory=list[Need])


def sort(planned: list[Planned]) -> list[Planned]:
    """The same, each after those of its own app that it waits for; the order is otherwise kept.

    Raises ``ValueError`` for operations that wait for each other.
    """
    done: dict[Planned, None] = {}

    def place(one: Planned, trail: tuple[Planned, ...]) -> None:
        if one in done:
            return
        if one in trail:
            ring = "; ".join(item.operation.describe() for item in trail[trail.index(one) :])
            raise ValueError(f"These changes wait for each other, and cannot be made in one go: {ring}")
        for other in planned:
            if other is not one and any(need.is_met_by(other.operation) for need in one.needs):
                place(other, (*trail, one))
        done[one] = None

    for one in planned:
        place(one, ())
    return list(done)


class MigrationPlanner:
    """Cuts the operations of all apps into migrations. Operations that need another app's wait for its migration; apps
    that need each other get more than one.
    """

    def __init__(
        self, planned: Mapping[str, list[Planned]], graph: MigrationGraph | None, existing: Iterable[str]
    ) -> None:
        self.pending = {
            app: sort([Planned(one.operation, _in(app, one.needs, planned)) for one in items])
            for app, items in planned.items()
        }
        self.graph = graph
        self.existing = set(existing)
        self.made: dict[str, list[Migration]] = {}

    def run(self) -> dict[str, list[Migration]]:
        """The migrations by app, in order. Raises ``ValueError`` where operations wait for each other."""
        while self.pending:
            whole = [app for app in sorted(self.pending) if len(self._ready(app)) == len(self.pending[app])]
            if whole:
                self._make(whole[0], self.pending[whole[0]])
                continue
            app = next((app for app in sorted(self.pending) if self._ready(app)), None)
            if app is None:
                waiting = "; ".join(items[0].operation.describe() for items in self.pending.values())
                raise ValueError(f"These changes wait for each other, and cannot be made in one go: {waiting}")
            self._make(app, self._ready(app))
        return self.made

    def _ready(self, app: str) -> list[Planned]:
        """The operations at the head of an app's list that wait for no other app any more."""
        found: list[Planned] = []
        for one in self.pending[app]:
            if any(self._is_pending(need) for need in one.needs if need.app != app):
                break
            found.append(one)
        return found

    def _is_pending(self, need: Need) -> bool:
        return any(need.is_met_by(other.operation) for other in self.pending.get(need.app, ()))

    def _make(self, app: str, items: list[Planned]) -> None:
        before = self.made.setdefault(app, [])
        migration = Migration(f"auto_{len(before) + 1}", app)
        migration.operations = [one.operation for one in items]
        needs = dict.fromkeys(need for one in items for need in one.needs if need.app != app)
        migration.dependencies = list(dict.fromkeys(self._dependency(need) for need in needs))
        migration.initial = app not in self.existing
        before.append(migration)
        left = self.pending[app][len(items) :]
        if left:
            self.pending[app] = left
        else:
            del self.pending[app]

    def _dependency(self, need: Need) -> tuple[str, str]:
        if need.setting is not None:
            return SwappableTuple((need.app, "__first__"), need.setting)
        if self.made.get(need.app):
            return self.made[need.app][-1].key
        leaves = self.graph.leaf_nodes(need.app) if self.graph is not None else []
        return leaves[0] if leaves else (need.app, "__first__")


def _in(app: str, needs: Iterable[Need], planned: Mapping[str, Any]) -> list[Need]:
    """The needs that mean something: a removal or alteration in another app, only where there is such an operation."""
    return [
        need
        for need in needs
        if need.app == app
        or need.kind is Kind.CREATE
        or any(need.is_met_by(other.operation) for other in planned.get(need.app, ()))
    ]
