"""Changing tables where ALTER TABLE can do little: a new table, a copy of every row, and the old table's name.

Renames go first and by ALTER TABLE, which carries them into the foreign keys of other tables. What is left is done in
place where SQLite can (indexes, most new columns, columns that nothing uses), and otherwise by rebuilding the table.
"""

from __future__ import annotations

from collections.abc import Sequence

from crowsfoot.sql.changes import Change, Difference, Statements, compare, match, rename_steps
from crowsfoot.sql.definitions import ColumnText, Renderer, TableText

PREFIX = "new__"


class RebuildPlan:
    """The statements of one or more changes that belong together. ``run`` makes them."""

    def __init__(self, renderer: Renderer, changes: Sequence[Change]) -> None:
        self.renderer = renderer
        self.quote = renderer.quote
        self.differences = compare(renderer, changes)
        self.out = Statements()

    def run(self) -> Statements:
        for difference in self.differences:
            self._rename(difference)
        for difference in self.differences:
            if needs_rebuild(difference):
                self._rebuild(difference)
            else:
                self._change_in_place(difference)
        return self.out

    def _rename(self, difference: Difference) -> None:
        old, after = difference.old, difference.after
        # An index of a name that is wanted again, or of a column that goes, stands in the way.
        indexes = match(difference.before.indexes, after.indexes)
        for rule in [*indexes.gone, *(rule for rule, _ in indexes.renamed)]:
            self.out.append(f"DROP INDEX IF EXISTS {self.quote(rule.name)}")
        if old.name != after.name:
            self.out.append(f"ALTER TABLE {old.sql} RENAME TO {after.sql}")
        for before, now in rename_steps(difference.change.renames):
            self.out.append(f"ALTER TABLE {after.sql} RENAME COLUMN {self.quote(before)} TO {self.quote(now)}")

    # -- in place ------------------------------------------------------------------------------------------------------

    def _change_in_place(self, difference: Difference) -> None:
        table = difference.after
        for column in difference.added:
            self.out.append(f"ALTER TABLE {table.sql} ADD COLUMN {self.renderer.column_sql(table, column)}")
            fill = difference.filled.get(column.name)
            if fill is not None:
                self.out.append(f"UPDATE {table.sql} SET {self.quote(column.name)} = {fill.sql}")
        for column in difference.dropped:
            self.out.append(f"ALTER TABLE {table.sql} DROP COLUMN {self.quote(column.name)}")
        indexes = match(difference.before.indexes, table.indexes)
        for rule in [*(rule for _, rule in indexes.renamed), *indexes.new]:
            self.out.append(self.renderer.create_index(rule))

    # -- rebuilding ----------------------------------------------------------------------------------------------------

    def _rebuild(self, difference: Difference) -> None:
        table = difference.after
        name = f"{PREFIX}{table.name}"
        fresh = self.renderer.qualified(name, table.schema)
        copied = self._copied(difference)
        self.out.needs_foreign_keys_off = True
        self.out.append(self.renderer.create_table(table, fresh))
        columns, values = self.renderer.columns(tuple(copied)), ", ".join(copied.values())
        self.out.append(f"INSERT INTO {fresh} ({columns}) SELECT {values} FROM {table.sql}")
        if is_numbered(difference.before) and is_numbered(table):
            self._keep_numbering(table.name, name)
        self.out.append(f"DROP TABLE {table.sql}")
        # As SQLite renames since 3.25 it reads every view, and fails at those of a table that is gone for a moment.
        self.out.append("PRAGMA legacy_alter_table = ON")
        self.out.append(f"ALTER TABLE {fresh} RENAME TO {self.quote(table.name)}")
        self.out.append("PRAGMA legacy_alter_table = OFF")
        self.out.extend(self.renderer.create_index(rule) for rule in table.indexes.values())

    def _copied(self, difference: Difference) -> dict[str, str]:
        """For each column of the new table the SQL for its values, read from the old one; others get their default."""
        copied: dict[str, str] = {}
        for name, column in difference.after.columns.items():
            if column.generated is not None:
                continue
            old = difference.before.columns.get(name)
            value = difference.value_for(column)
            if old is not None:
                copied[name] = self.quote(name)
                if old.null and not column.null and value is not None:
                    copied[name] = f"coalesce({self.quote(name)}, {value.sql})"
            elif name in difference.filled:
                copied[name] = difference.filled[name].sql
        if not copied:  # nothing is left of the rows but their number
            name, column = next(iter(difference.after.columns.items()))
            copied[name] = "NULL" if column.default is None else column.default.sql
        return copied

    def _keep_numbering(self, old: str, new: str) -> None:
        """AUTOINCREMENT promises never to use a number again, so the highest that was ever given is kept as well."""
        before, now = self.renderer.text_literal(old), self.renderer.text_literal(new)
        known = f"SELECT 1 FROM sqlite_sequence WHERE name = {before}"
        self.out.append(f"DELETE FROM sqlite_sequence WHERE name = {now} AND EXISTS ({known})")
        self.out.append(
            f"INSERT INTO sqlite_sequence (name, seq) SELECT {now}, seq FROM sqlite_sequence WHERE name = {before}"
        )


def is_numbered(table: TableText) -> bool:
    return any(column.identity for column in table.columns.values())


def needs_rebuild(difference: Difference) -> bool:
    """Whether the change is more than ALTER TABLE and indexes can do."""
    before, after = difference.before, difference.after
    added = {column.name for column in difference.added}
    if before.primary_key != after.primary_key or match(before.checks, after.checks):
        return True
    uniques = match(before.uniques, after.uniques)
    if uniques.gone or uniques.new or any(not (a.automatic and b.automatic) for a, b in uniques.renamed):
        return True
    keys = match(before.foreign_keys, after.foreign_keys)
    if keys.gone or any(rule.key not in {(name,) for name in added} for rule in keys.new):
        return True
    return (
        any(physical(old) != physical(new) for old, new in difference.kept)
        or any(not is_addable(difference, column) for column in difference.added)
        or any(is_used(before, column) for column in difference.dropped)
    )


def physical(column: ColumnText) -> tuple[object, ...]:
    """All of a column that its definition says."""
    return (
        column.type, column.collation, column.default, column.generated, column.stored, column.null, column.identity,
        column.check,
    )  # fmt: skip


def is_addable(difference: Difference, column: ColumnText) -> bool:
    """Whether ADD COLUMN takes the column: it is no key, and rows have a value for it that is the same for all."""
    table = difference.after
    if column.name in table.primary_key or any(column.name in rule.columns for rule in table.uniques.values()):
        return False
    if column.generated is not None:
        return not column.stored
    if column.default is not None:
        refers = any(column.name in rule.key for rule in table.foreign_keys.values())
        return column.default.constant and not refers and (column.null or column.default.sql != "NULL")
    return column.null


def is_used(table: TableText, column: ColumnText) -> bool:
    """Whether anything but an index needs the column, so that DROP COLUMN refuses it."""
    if column.name in table.primary_key:
        return True
    rules = [*table.uniques.values(), *table.checks.values(), *table.foreign_keys.values()]
    if any(column.name in rule.columns for rule in rules):
        return True
    return any(c.generated is not None and column.name in c.generated.columns for c in table.columns.values())
