"""Schema operations as SQL: what creates, changes and drops tables, in one dialect.

Statements are whole: they take no parameters, and whoever runs them needs to know nothing but
``Statements.needs_foreign_keys_off``. ``alter`` is the heart: it compares tables as they were with tables as they shall
be. Most other methods are one step of it under its own name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crowsfoot.schema.entity import Entity
from crowsfoot.schema.table import Check, ForeignKey, Index, Table, Unique
from crowsfoot.sql import ddl_postgresql
from crowsfoot.sql.changes import Change, Statements, by_dependency, has_ring
from crowsfoot.sql.ddl_postgresql import AlterPlan
from crowsfoot.sql.ddl_sqlite import RebuildPlan
from crowsfoot.sql.definitions import Renderer
from crowsfoot.sql.dialect import Dialect

__all__ = ["Change", "Schema", "Statements"]


class Schema:
    """Makes the statements of one dialect.

    Every method gives ``Statements``, a list of strings. All raise ``FieldError`` where a check, an index or a computed
    column names a field that the entity lacks (or one of another table), ``NotSupportedError`` for a value that has no
    literal, and what the type of a column raises for a default that it does not accept.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.renderer = Renderer(dialect)

    # -- whole tables --------------------------------------------------------------------------------------------------

    def create_table(self, entity: Entity) -> Statements:
        """CREATE TABLE, then its comments, indexes and foreign keys. The tables that it refers to must exist already,
        except in SQLite, where keys are part of the table and are not looked at before rows come.
        """
        return self.create_tables([entity])

    def create_tables(self, entities: Iterable[Entity]) -> Statements:
        """All tables, each after those that it refers to, and behind them all foreign keys."""
        tables = [self.renderer.table(entity) for entity in by_dependency(entities)]
        out = Statements()
        for table in tables:
            out.take(ddl_postgresql.create_table(self.renderer, table))
        if not self.dialect.rebuilds_tables:
            plan = AlterPlan(self.renderer, ())
            for table in tables:
                for rule in table.foreign_keys.values():
                    plan.add_foreign_key(table, rule)
            out.take(plan.out)
        return out

    def drop_table(self, table: Table) -> Statements:
        """DROP TABLE. PostgreSQL drops the foreign keys that point at it as well; in SQLite they are left pointing at
        nothing, which ``PRAGMA foreign_key_check`` shows where rows use them.
        """
        name = self.renderer.qualified(table.name, table.schema)
        if self.dialect.rebuilds_tables:
            return Statements([f"DROP TABLE {name}"], needs_foreign_keys_off=True)
        return Statements([f"DROP TABLE {name} CASCADE"])

    def drop_tables(self, entities: Iterable[Entity]) -> Statements:
        """The opposite of ``create_tables``."""
        out = Statements()
        for entity in reversed(by_dependency(entities)):
            out.take(self.drop_table(entity.table))
        return out

    def rename_table(
        self, before: Entity, after: Entity, referring: Sequence[tuple[Entity, Entity]] = ()
    ) -> Statements:
        """Give a table, and every index and constraint that is called after it, the name that ``after`` says.

        ``referring`` are other tables with foreign keys to it, as they were and as they shall be.
        """
        return self.alter([Change(before, after), *(Change(old, new) for old, new in referring)])

    # -- changes -------------------------------------------------------------------------------------------------------

    def alter(self, changes: Sequence[Change]) -> Statements:
        """Everything that differs in one or more tables. Give all tables of one step together: a column that changes
        its name or its type changes the foreign keys that lead to it, and those are put right in one go.
        """
        plan = RebuildPlan if self.dialect.rebuilds_tables else AlterPlan
        return plan(self.renderer, changes).run()

    def diff(
        self,
        before: Entity,
        after: Entity,
        *,
        renames: Mapping[str, str] | None = None,
        fill: Mapping[str, Any] | None = None,
        referring: Sequence[tuple[Entity, Entity]] = (),
    ) -> Statements:
        """Everything that differs between two descriptions of a table. See ``Change`` for ``renames`` and ``fill``."""
        first = Change(before, after, renames or {}, fill or {})
        return self.alter([first, *(Change(old, new) for old, new in referring)])

    def add_column(self, before: Entity, after: Entity, column: str, fill: Any = None) -> Statements:
        """Add a column, with its keys and indexes. ``fill`` is the value for rows that are there.

        Raises ``ValueError`` unless the column is what ``after`` has and ``before`` lacks.
        """
        if column not in after.table.columns or column in before.table.columns:
            raise ValueError(f"{column!r} is not a new column of {after.label}")
        return self.diff(before, after, fill=None if fill is None else {column: fill})

    def drop_column(self, before: Entity, after: Entity, column: str) -> Statements:
        """Drop a column, with its keys and indexes. Raises ``ValueError`` unless ``before`` alone has it."""
        if column not in before.table.columns or column in after.table.columns:
            raise ValueError(f"{column!r} is not a column that {before.label} loses")
        return self.diff(before, after)

    def alter_column(
        self,
        before: Entity,
        after: Entity,
        old_name: str,
        new_name: str | None = None,
        *,
        fill: Any = None,
        referring: Sequence[tuple[Entity, Entity]] = (),
    ) -> Statements:
        """Change a column's name, type, nullness, default, numbering or keys. ``fill`` replaces NULLs where the column
        may hold none from now on; without it the default does.
        """
        new_name = new_name or old_name
        renames = {} if new_name == old_name else {old_name: new_name}
        return self.diff(
            before, after, renames=renames, fill=None if fill is None else {new_name: fill}, referring=referring
        )

    def rename_column(
        self,
        before: Entity,
        after: Entity,
        old_name: str,
        new_name: str,
        referring: Sequence[tuple[Entity, Entity]] = (),
    ) -> Statements:
        """Rename a column, and every index and constraint that is called after it."""
        return self.alter_column(before, after, old_name, new_name, referring=referring)

    # -- single rules --------------------------------------------------------------------------------------------------

    def add_foreign_key(self, entity: Entity, key: ForeignKey) -> Statements:
        """Add one rule to a table. ``entity`` may describe the table with the rule or without it."""
        return self._with_and_without(entity, "foreign_keys", key, add=True)

    def drop_foreign_key(self, entity: Entity, key: ForeignKey) -> Statements:
        """Drop one rule of a table. ``entity`` may describe the table with the rule or without it."""
        return self._with_and_without(entity, "foreign_keys", key, add=False)

    def add_unique(self, entity: Entity, unique: Unique) -> Statements:
        return self._with_and_without(entity, "uniques", unique, add=True)

    def drop_unique(self, entity: Entity, unique: Unique) -> Statements:
        return self._with_and_without(entity, "uniques", unique, add=False)

    def add_check(self, entity: Entity, check: Check) -> Statements:
        return self._with_and_without(entity, "checks", check, add=True)

    def drop_check(self, entity: Entity, check: Check) -> Statements:
        return self._with_and_without(entity, "checks", check, add=False)

    def add_index(self, entity: Entity, index: Index) -> Statements:
        return self._with_and_without(entity, "indexes", index, add=True)

    def drop_index(self, entity: Entity, index: Index) -> Statements:
        return self._with_and_without(entity, "indexes", index, add=False)

    def _with_and_without(self, entity: Entity, kind: str, rule: Any, *, add: bool) -> Statements:
        others = [found for found in getattr(entity.table, kind) if found.name != rule.name]
        without, with_rule = seen_with(entity, {kind: others}), seen_with(entity, {kind: [*others, rule]})
        return self.diff(without, with_rule) if add else self.diff(with_rule, without)

    def set_comment(self, entity: Entity, comment: str | None, column: str | None = None) -> Statements:
        """Comment on a table or on one of its columns; None takes the comment away. SQLite has no comments."""
        if not self.dialect.comments:
            return Statements()
        plan = AlterPlan(self.renderer, ())
        name = self.renderer.qualified(entity.table.name, entity.table.schema)
        if column is None:
            plan.comment(f"TABLE {name}", comment)
        else:
            plan.comment(f"COLUMN {name}.{self.renderer.quote(column)}", comment)
        return plan.out

    # -- rows ----------------------------------------------------------------------------------------------------------

    def flush(self, entities: Iterable[Entity]) -> Statements:
        """Empty tables and let their numbering begin again. PostgreSQL empties what refers to them as well."""
        ordered = list(reversed(by_dependency(entities)))
        tables = [self.renderer.qualified(entity.table.name, entity.table.schema) for entity in ordered]
        if not tables:
            return Statements()
        if not self.dialect.rebuilds_tables:
            return Statements([f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"])
        # Children first is enough, unless a key leads round in a ring: then RESTRICT forbids every order.
        out = Statements([f"DELETE FROM {name}" for name in tables], needs_foreign_keys_off=has_ring(ordered))
        numbered = [e.table.name for e in ordered if any(c.identity for c in e.table.columns.values())]
        if numbered:
            listed = ", ".join(self.renderer.text_literal(name) for name in numbered)
            out.append(f"DELETE FROM sqlite_sequence WHERE name IN ({listed})")
        return out

    def reset_sequences(self, entities: Iterable[Entity]) -> Statements:
        """Let numbering go on behind the highest number that is there, after rows came with numbers of their own.

        SQLite does so by itself.
        """
        if self.dialect.rebuilds_tables:
            return Statements()
        tables = [self.renderer.table(entity) for entity in entities]
        return Statements(
            ddl_postgresql.reset_sequence(self.renderer, table, column.name)
            for table in tables
            for column in table.columns.values()
            if column.identity
        )


def seen_with(entity: Entity, parts: Mapping[str, Any]) -> Entity:
    """``entity`` with a table that differs in ``parts``; names are resolved as before."""
    other = Entity(entity.label, entity.table.changed(**parts))
    other.attributes, other.ends, other.aliases = entity.attributes, entity.ends, entity.aliases
    other.parents, other.key = entity.parents, entity.key
    return other
