"""What differs between a table as it was and as it shall be: the input of both ways to change a schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from crowsfoot.schema.entity import Entity
from crowsfoot.sql.definitions import ColumnText, Renames, Renderer, Rule, TableText, Text


class Statements(list[str]):
    """SQL statements in the order to run them.

    ``needs_foreign_keys_off`` says that SQLite must not enforce foreign keys meanwhile: dropping a table deletes its
    rows first, and would delete the rows that refer to them. The pragma has no effect inside a transaction, so whoever
    runs these statements turns it off before BEGIN, and asks ``PRAGMA foreign_key_check`` before COMMIT.
    """

    def __init__(self, statements: Iterable[str] = (), needs_foreign_keys_off: bool = False) -> None:
        super().__init__(statements)
        self.needs_foreign_keys_off = needs_foreign_keys_off

    def take(self, other: Statements) -> None:
        """Add the statements of ``other`` at the end, and what they need."""
        self.extend(other)
        self.needs_foreign_keys_off |= other.needs_foreign_keys_off


@dataclass(frozen=True, slots=True)
class Change:
    """One table before and after.

    ``renames`` are the columns that are called something else now, new names by old ones; every other column that
    has no namesake is dropped or added. ``fill`` gives a value (canonical, or an expression) to the rows that are
    there, by the new name of the column: to all rows for a new column, to those that hold NULL for one that may not.
    """

    before: Entity
    after: Entity
    renames: Mapping[str, str] = field(default_factory=dict[str, str])
    fill: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(slots=True)
class Difference:
    """A change in SQL: the table as it is (``old``), the same in its new names (``before``), and ``after``."""

    change: Change
    old: TableText
    before: TableText
    after: TableText
    filled: dict[str, Text]

    @property
    def moved(self) -> bool:
        return self.old.sql != self.after.sql

    @property
    def dropped(self) -> list[ColumnText]:
        return [column for name, column in self.before.columns.items() if name not in self.after.columns]

    @property
    def added(self) -> list[ColumnText]:
        return [column for name, column in self.after.columns.items() if name not in self.before.columns]

    @property
    def kept(self) -> list[tuple[ColumnText, ColumnText]]:
        """The columns on both sides, as they were and as they shall be."""
        before = self.before.columns
        return [(before[name], new) for name, new in self.after.columns.items() if name in before]

    def value_for(self, column: ColumnText) -> Text | None:
        """What rows get that have no value for ``column``: the one-off value, or the database's own default."""
        return self.filled.get(column.name) or column.default


def compare(renderer: Renderer, changes: Sequence[Change]) -> list[Difference]:
    """Each change in SQL; a rename in one table is a rename in the foreign keys of all others."""
    targets = {c.before.table.name: Renames(c.after.table.name, c.renames) for c in changes}
    found: list[Difference] = []
    for change in changes:
        filled = {
            name: renderer.value(change.after, change.after.table.columns[name], value)
            for name, value in change.fill.items()
            if name in change.after.table.columns
        }
        found.append(
            Difference(
                change,
                renderer.table(change.before),
                renderer.table(change.before, targets[change.before.table.name], targets),
                renderer.table(change.after),
                filled,
            )
        )
    return found


R = TypeVar("R", bound=Rule)


@dataclass(slots=True)
class Matched:
    """Rules compared: those that go, those that only change their name, those that come."""

    gone: list[Any]
    renamed: list[tuple[Any, Any]]
    new: list[Any]

    def __bool__(self) -> bool:
        return bool(self.gone or self.renamed or self.new)


def match(before: Mapping[str, R], after: Mapping[str, R]) -> Matched:
    """Compare rules by their text. One that says the same under another name is renamed."""
    gone = {name: rule for name, rule in before.items() if name not in after or not same(after[name], rule)}
    new = {name: rule for name, rule in after.items() if name not in before or not same(before[name], rule)}
    renamed: list[tuple[R, R]] = []
    for rule in list(gone.values()):
        for other in new.values():
            if same(rule, other) and other.name not in before and rule.name not in after:
                renamed.append((rule, other))
                del gone[rule.name], new[other.name]
                break
    return Matched(list(gone.values()), renamed, list(new.values()))


def same(one: Rule, other: Rule) -> bool:
    """Whether two rules say the same, whatever they are called."""
    return (
        one.text == other.text
        and getattr(one, "unique", None) == getattr(other, "unique", None)
        and getattr(one, "key", None) == getattr(other, "key", None)
    )


def rename_steps(renames: Mapping[str, str]) -> list[tuple[str, str]]:
    """``(old, new)`` pairs in an order that never meets a name in use; a ring of names goes round by a spare one."""
    left = {old: new for old, new in renames.items() if old != new}
    steps: list[tuple[str, str]] = []
    while left:
        free = next((old for old, new in left.items() if new not in left), None)
        if free is None:
            old, new = left.popitem()
            steps.append((old, f"old__{old}"))
            left[f"old__{old}"] = new
        else:
            steps.append((free, left.pop(free)))
    return steps


def by_dependency(entities: Iterable[Entity]) -> list[Entity]:
    """Entities so that each comes after those that its foreign keys lead to, as far as there are no rings."""
    waiting = {entity.table.name: entity for entity in entities}
    done: dict[str, Entity] = {}
    for start in waiting:
        path = [start]
        seen = {start}
        while path:
            here = waiting[path[-1]]
            ahead = (key.target for key in here.table.foreign_keys if key.target in waiting)
            following = next((name for name in ahead if name not in seen and name not in done), None)
            if following is None:
                done.setdefault(path.pop(), here)
            else:
                seen.add(following)
                path.append(following)
    return list(done.values())


def has_ring(entities: Sequence[Entity]) -> bool:
    """Whether foreign keys among ``entities`` lead back to where they began, a table's own key included."""
    position = {entity.table.name: i for i, entity in enumerate(by_dependency(entities))}
    return any(
        position.get(key.target, -1) >= position[entity.table.name]
        for entity in entities
        for key in entity.table.foreign_keys
    )
