"""Changing tables where ALTER TABLE can: foreign keys first out of the way, then everything else, table by table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from crowsfoot.sql import names
from crowsfoot.sql.changes import Change, Difference, Matched, R, Statements, compare, match, rename_steps
from crowsfoot.sql.definitions import ColumnText, ForeignRule, IndexRule, Renderer, Rule, TableText, UniqueRule

# Types that PostgreSQL turns into each other when a value is assigned, as it turns anything into a string. A cast by
# USING would do more than that: it cuts strings that are too long for the new column, where an assignment refuses them.
STRINGS = frozenset({"char", "text"})
NUMBERS = frozenset({"smallint", "integer", "bigint", "decimal", "float"})
MOMENTS = frozenset({"date", "datetime"})


class AlterPlan:
    """The statements of one or more changes that belong together. ``run`` makes them."""

    def __init__(self, renderer: Renderer, changes: Sequence[Change]) -> None:
        self.renderer = renderer
        self.quote = renderer.quote
        self.differences = compare(renderer, changes)
        self.out = Statements()

    def run(self) -> Statements:
        self._rebuilt = {id(d): rebuilt_columns(d) for d in self.differences}
        keys = [(d, self._matched_keys(d)) for d in self.differences]
        for difference, matched in keys:
            for rule in matched.gone:
                self.drop_constraint(difference.old, rule.name)
        rules = [(d, self._matched_rules(d)) for d in self.differences]
        for difference, matches in rules:
            self._drop_rules(difference, *matches)
        for difference in self.differences:
            self._rename(difference)
        for difference in self.differences:
            self._columns(difference)
        for difference, matches in rules:
            self._add_rules(difference, *matches)
        for difference, matched in keys:
            for old, new in matched.renamed:
                self.alter(difference.after, f"RENAME CONSTRAINT {self.quote(old.name)} TO {self.quote(new.name)}")
            for rule in matched.new:
                self.add_foreign_key(difference.after, rule)
        for difference in self.differences:
            self._comments(difference)
        return self.out

    # -- one statement each --------------------------------------------------------------------------------------------

    def alter(self, table: TableText, *actions: str) -> None:
        self.out.append(f"ALTER TABLE {table.sql} {', '.join(actions)}")

    def drop_constraint(self, table: TableText, name: str) -> None:
        self.alter(table, f"DROP CONSTRAINT {self.quote(name)}")

    def drop_unnamed(self, table: TableText, *constraints: str) -> None:
        """Drop a constraint that has one of several names, according to who made it and when."""
        self.alter(table, *(f"DROP CONSTRAINT IF EXISTS {self.quote(name)}" for name in constraints))

    def add_constraint(self, table: TableText, rule: Rule) -> None:
        self.alter(table, f"ADD CONSTRAINT {self.quote(rule.name)} {rule.text}")

    def add_foreign_key(self, table: TableText, rule: ForeignRule) -> None:
        self.alter(table, f"ADD CONSTRAINT {self.quote(rule.name)} {self.renderer.foreign_key_sql(rule)}")

    def drop_unique(self, table: TableText, rule: UniqueRule) -> None:
        if rule.automatic:
            self.drop_unnamed(table, rule.name, names.postgresql_name(table.name, next(iter(rule.columns)), "key"))
        else:
            self.drop_constraint(table, rule.name)

    def drop_index(self, table: TableText, name: str) -> None:
        self.out.append(f"DROP INDEX IF EXISTS {self.renderer.qualified(name, table.schema)}")

    def rename_index(self, table: TableText, old: str, new: str) -> None:
        """Rename an index, or the constraint that it belongs to; one that is not there is passed over."""
        if old != new:
            qualified = self.renderer.qualified(old, table.schema)
            self.out.append(f"ALTER INDEX IF EXISTS {qualified} RENAME TO {self.quote(new)}")

    def comment(self, what: str, comment: str | None) -> None:
        self.out.append(f"COMMENT ON {what} IS {'NULL' if comment is None else self.renderer.text_literal(comment)}")

    # -- foreign keys --------------------------------------------------------------------------------------------------

    def _matched_keys(self, difference: Difference) -> Matched:
        """Foreign keys compared; one over a column that changes its type on either side goes and comes again."""
        matched = match(difference.before.foreign_keys, difference.after.foreign_keys)
        going = {rule.name for rule in matched.gone} | {old.name for old, _ in matched.renamed}
        for name, rule in difference.before.foreign_keys.items():
            if name not in going and self._is_disturbed(difference, rule):
                matched.gone.append(rule)
                matched.new.append(difference.after.foreign_keys[name])
        for old, new in list(matched.renamed):
            if self._is_disturbed(difference, old):
                matched.renamed.remove((old, new))
                matched.gone.append(old)
                matched.new.append(new)
        return matched

    def _is_disturbed(self, difference: Difference, rule: ForeignRule) -> bool:
        if rule.columns & self._disturbed(difference):
            return True
        for other in self.differences:
            disturbed = set(rule.target_columns) & self._disturbed(other) or self._loses_key(other, rule)
            if disturbed and other.change.after.table.name == rule.target:
                return True
        return False

    def _disturbed(self, difference: Difference) -> set[str]:
        changed = {new.name for old, new in difference.kept if (old.type, old.collation) != (new.type, new.collation)}
        return changed | self._rebuilt[id(difference)]

    def _loses_key(self, difference: Difference, rule: ForeignRule) -> bool:
        """Whether what makes the target's columns unique goes or comes, so that the key cannot stand on it."""
        columns = set(rule.target_columns)
        if difference.before.primary_key != difference.after.primary_key and columns <= {
            *difference.before.primary_key,
            *difference.after.primary_key,
        }:
            return True
        uniques = match(difference.before.uniques, difference.after.uniques)
        return any(unique.columns == columns for unique in [*uniques.gone, *uniques.new])

    # -- other rules ---------------------------------------------------------------------------------------------------

    def _matched_rules(self, difference: Difference) -> tuple[Matched, Matched, Matched]:
        """Uniques, checks and indexes compared. Those over a column that is dropped and made again come again too, and
        so do conditions and expressions over one that becomes another kind of value: they would keep their casts.
        """
        before, after = difference.before, difference.after
        found = (
            match(before.uniques, after.uniques),
            match(before.checks, after.checks),
            match(before.indexes, after.indexes),
        )
        rebuilt = self._rebuilt[id(difference)]
        kinds: tuple[Mapping[str, Rule], ...] = (after.uniques, after.checks, after.indexes)
        for matched, rules in zip(found, kinds, strict=True):
            matched.renamed[:] = [pair for pair in matched.renamed if not pair[1].columns & rebuilt]
            coming = {rule.name for rule in matched.new} | {now.name for _, now in matched.renamed}
            again = [rule for name, rule in rules.items() if rule.columns & rebuilt and name not in coming]
            matched.new.extend(again)  # the old ones go with their column
        retyped = {new.name for old, new in difference.kept if old.family != new.family} - rebuilt
        self._again(found[1], before.checks, after.checks, lambda rule: bool(rule.columns & retyped))
        self._again(
            found[2], before.indexes, after.indexes, lambda rule: rule.computed and bool(rule.columns & retyped)
        )
        return found

    def _again(
        self, matched: Matched, before: Mapping[str, R], after: Mapping[str, R], wanted: Callable[[R], bool]
    ) -> None:
        """Have rules that stay go and come again."""
        gone, coming = {rule.name for rule in matched.gone}, {rule.name for rule in matched.new}
        moved = {old.name: new.name for old, new in matched.renamed}
        for name, rule in before.items():
            now = moved.get(name, name)
            if name not in gone and now in after and now not in coming and wanted(after[now]):
                matched.gone.append(rule)
                matched.new.append(after[now])
        matched.renamed[:] = [(old, new) for old, new in matched.renamed if not wanted(new)]

    def _drop_rules(self, difference: Difference, uniques: Matched, checks: Matched, indexes: Matched) -> None:
        old = difference.old
        for rule in checks.gone:
            self.drop_constraint(old, rule.name)
        for rule in indexes.gone:
            self.drop_index(old, rule.name)
        for rule in uniques.gone:
            self.drop_unique(old, old.uniques[rule.name])
        if difference.before.primary_key != difference.after.primary_key and old.primary_key:
            self.drop_unnamed(
                old,
                names.postgresql_name(old.name, "", "pkey"),
                names.index_name(old.name, old.primary_key, "_pk"),
            )
        moved = difference.change.renames
        for name, column in old.columns.items():
            now = difference.after.columns.get(moved.get(name, name))
            stays = now is not None and now.check == column.check and now.name == name and not difference.moved
            if column.check is not None and not stays and now is not None:
                self.drop_unnamed(old, names.postgresql_name(old.name, name, "check"), names.check_name(old.name, name))

    def _add_rules(self, difference: Difference, uniques: Matched, checks: Matched, indexes: Matched) -> None:
        old, after = difference.old, difference.after
        if difference.before.primary_key != after.primary_key and after.primary_key:
            name = names.postgresql_name(after.name, "", "pkey")
            columns = self.renderer.columns(after.primary_key)
            self.alter(after, f"ADD CONSTRAINT {self.quote(name)} PRIMARY KEY ({columns})")
        elif difference.moved:
            pkey = names.postgresql_name(old.name, "", "pkey"), names.postgresql_name(after.name, "", "pkey")
            self.rename_index(after, *pkey)
        for before, now in uniques.renamed:
            if before.automatic:
                column = next(iter(old.uniques[before.name].columns))
                self.rename_index(after, names.postgresql_name(old.name, column, "key"), now.name)
            self.rename_index(after, before.name, now.name)
        for rule in uniques.new:
            self.add_constraint(after, rule)
        for before, now in checks.renamed:
            self.alter(after, f"RENAME CONSTRAINT {self.quote(before.name)} TO {self.quote(now.name)}")
        for rule in checks.new:
            self.add_constraint(after, rule)
        for before, now in indexes.renamed:
            self.rename_index(after, before.name, now.name)
        for rule in indexes.new:
            self.create_index(rule)

    def create_index(self, rule: IndexRule) -> None:
        self.out.append(self.renderer.create_index(rule))

    # -- names and columns ---------------------------------------------------------------------------------------------

    def _rename(self, difference: Difference) -> None:
        old, after = difference.old, difference.after
        if old.schema != after.schema:
            self.alter(old, f"SET SCHEMA {self.quote(after.schema or 'public')}")
        if old.name != after.name:
            here = self.renderer.qualified(old.name, after.schema)
            self.out.append(f"ALTER TABLE {here} RENAME TO {self.quote(after.name)}")
        for before, now in rename_steps(difference.change.renames):
            self.alter(after, f"RENAME COLUMN {self.quote(before)} TO {self.quote(now)}")

    def _columns(self, difference: Difference) -> None:
        after = difference.after
        rebuilt = self._rebuilt[id(difference)]
        again = [old for old, _ in difference.kept if old.name in rebuilt]
        # What is computed from other columns goes before them and comes after them.
        for column in sorted([*difference.dropped, *again], key=lambda column: column.generated is None):
            self.alter(after, f"DROP COLUMN {self.quote(column.name)}")
        fresh = [*difference.added, *(new for _, new in difference.kept if new.name in rebuilt)]
        for column in fresh:
            if column.generated is None:
                self._add_column(difference, column)
        for old, new in difference.kept:
            if new.name not in rebuilt:
                self._alter_column(difference, old, new)
        for column in fresh:
            if column.generated is not None:
                self._add_column(difference, column)

    def _add_column(self, difference: Difference, column: ColumnText) -> None:
        """Rows that are there get their value by a default, which PostgreSQL need not write into each of them."""
        table, name = difference.after, self.quote(column.name)
        fill = difference.filled.get(column.name)
        if fill is not None and fill.columns:  # computed from the row, which a default cannot be
            definition = self.renderer.column_sql(table, replace(column, null=True), keys=False)
            self.alter(table, f"ADD COLUMN {definition}")
            self.out.append(f"UPDATE {table.sql} SET {name} = {fill.sql}")
            self.out.append("SET CONSTRAINTS ALL IMMEDIATE")
            if not column.null:
                self.alter(table, f"ALTER COLUMN {name} SET NOT NULL")
            return
        definition = self.renderer.column_sql(table, column, default=fill, keys=False)
        self.alter(table, f"ADD COLUMN {definition}")
        if fill is not None:
            self._default(table, column)

    def _default(self, table: TableText, column: ColumnText) -> None:
        what = "DROP DEFAULT" if column.default is None else f"SET DEFAULT {column.default.sql}"
        self.alter(table, f"ALTER COLUMN {self.quote(column.name)} {what}")

    def _alter_column(self, difference: Difference, old: ColumnText, new: ColumnText) -> None:
        table, name = difference.after, self.quote(new.name)
        retyped = (old.type, old.collation) != (new.type, new.collation)
        if old.generated is not None and new.generated is None:
            self.alter(table, f"ALTER COLUMN {name} DROP EXPRESSION")
        if old.identity and not new.identity:
            # Before 4.1 Django numbered rows by a default.
            self.alter(table, f"ALTER COLUMN {name} DROP IDENTITY IF EXISTS", f"ALTER COLUMN {name} DROP DEFAULT")
        default = old.default
        if retyped:
            if default is not None:  # it would have to be cast as well, and by itself it is not
                self.alter(table, f"ALTER COLUMN {name} DROP DEFAULT")
                default = None
            collate = f" COLLATE {new.collation}" if new.collation else ""
            self.alter(table, f"ALTER COLUMN {name} TYPE {new.type}{collate}{using(name, old, new)}")
        if default != new.default:
            self._default(table, new)
        if old.null and not new.null and new.generated is None:
            self._fill(difference, new)
            self.alter(table, f"ALTER COLUMN {name} SET NOT NULL")
        elif new.null and not old.null:
            self.alter(table, f"ALTER COLUMN {name} DROP NOT NULL")
        if new.identity and not old.identity:
            self.alter(table, f"ALTER COLUMN {name} ADD {self.renderer.dialect.identity_suffix}")
            self.out.append(reset_sequence(self.renderer, table, new.name))
        was_called = next((o for o, n in difference.change.renames.items() if n == new.name), new.name)
        if new.check is not None and (old.check != new.check or was_called != new.name or difference.moved):
            label = names.postgresql_name(table.name, new.name, "check")
            self.alter(table, f"ADD CONSTRAINT {self.quote(label)} CHECK ({new.check})")

    def _fill(self, difference: Difference, column: ColumnText) -> None:
        value = difference.value_for(column)
        if value is not None:
            name = self.quote(column.name)
            self.out.append(f"UPDATE {difference.after.sql} SET {name} = {value.sql} WHERE {name} IS NULL")
            # A constraint that waits for the end of the transaction would forbid ALTER TABLE until then.
            self.out.append("SET CONSTRAINTS ALL IMMEDIATE")

    def _comments(self, difference: Difference) -> None:
        before, after = difference.before, difference.after
        if before.comment != after.comment:
            self.comment(f"TABLE {after.sql}", after.comment)
        for name, column in after.columns.items():
            old = before.columns.get(name)
            again = name in self._rebuilt[id(difference)]
            if column.comment != (None if old is None or again else old.comment):
                self.comment(f"COLUMN {after.sql}.{self.quote(name)}", column.comment)


def rebuilt_columns(difference: Difference) -> set[str]:
    """Columns that cannot be altered but are dropped and made again: those that are computed, from now on or
    differently, or from a column that changes its type.
    """
    retyped = {new.name for old, new in difference.kept if (old.type, old.collation) != (new.type, new.collation)}
    return {
        new.name
        for old, new in difference.kept
        if new.generated is not None
        and (
            (old.generated, old.stored, old.type, old.collation) != (new.generated, new.stored, new.type, new.collation)
            or new.generated.columns & retyped
        )
    }


def using(name: str, old: ColumnText, new: ColumnText) -> str:
    """The USING clause of a change of type; empty where an assignment does it."""
    kinds = {old.family, new.family}
    if new.family in STRINGS or old.family == new.family != "custom" or kinds <= NUMBERS or kinds <= MOMENTS:
        return ""
    value = name
    if kinds & NUMBERS and "boolean" in kinds:
        value = f"{name}::integer"  # the one kind of number that becomes a boolean and back
    return f" USING {value}::{new.type}" if value != name or old.type != new.type else ""


def reset_sequence(renderer: Renderer, table: TableText, column: str) -> str:
    """Let a column's numbering go on behind the highest number that is there."""
    name = renderer.quote(column)
    sequence = f"pg_get_serial_sequence({renderer.text_literal(table.sql)}, {renderer.text_literal(column)})"
    return f"SELECT setval({sequence}, coalesce(max({name}), 1), max({name}) IS NOT NULL) FROM {table.sql}"


def create_table(renderer: Renderer, table: TableText) -> Statements:
    """CREATE TABLE with comments and indexes; foreign keys come later, by ``add_foreign_keys``."""
    out = Statements([renderer.create_table(table)])
    plan = AlterPlan(renderer, ())
    plan.out = out
    if table.comment is not None:
        plan.comment(f"TABLE {table.sql}", table.comment)
    for name, column in table.columns.items():
        if column.comment is not None:
            plan.comment(f"COLUMN {table.sql}.{renderer.quote(name)}", column.comment)
    out.extend(renderer.create_index(rule) for rule in table.indexes.values())
    return out
