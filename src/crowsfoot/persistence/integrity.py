"""Violated constraints in terms of the models: which field or relation it was, which value, and what to do.

PostgreSQL says which constraint and columns it was. SQLite says nothing of a foreign key, so its keys are looked up,
one short query each, on the way out of the failed statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from crowsfoot.drivers.run import Fetch, Operation
from crowsfoot.errors import IntegrityError
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.table import Table
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.names import is_unique_name, key_name, postgresql_name
from crowsfoot.sql.select import compile_exists
from crowsfoot.sql.write import having

Values = dict[str, Any]


class Tables:
    """Where the entity of a table is found that only the database names. The models say how."""

    find: Callable[[str], Entity | None] = staticmethod(lambda table: None)


def explain(
    dialect: Dialect,
    error: IntegrityError,
    entity: Entity,
    attributes: Sequence[Attribute],
    rows: Sequence[Sequence[Any]],
) -> Operation[None]:
    """Say in ``error`` which model, field or relation the rows about to be written offend, and what to do.

    ``rows`` are prepared values in the order of ``attributes``.
    """
    error.model = entity.model
    given = [dict(zip([a.column.name for a in attributes], row, strict=True)) for row in rows]
    if "FOREIGN KEY" in str(error).upper():
        yield from _foreign_key(dialect, error, entity, given)
        return
    _name_rule(error, entity.table)
    found = [a for a in entity.own_attributes if a.column.name in error.columns]
    error.field = found[0].field if found else None
    sentence = _sentence(error, entity, found, given)
    if sentence:
        error.args = (f"{error} {sentence}", *error.args[1:])


def _name_rule(error: IntegrityError, table: Table) -> None:
    """Say which constraint and columns it was, where the database named only the one or the other: SQLite the columns
    of a unique constraint, and each the check of a column in its own way."""
    text = str(error).upper()
    if "CHECK" in text:
        for name in table.columns:
            if error.constraint in (name, postgresql_name(table.name, name, "check")):
                error.constraint, error.columns = postgresql_name(table.name, name, "check"), (name,)
                return
    elif error.constraint is None and error.columns and "UNIQUE" in text:
        columns = set(error.columns)
        if columns == set(table.primary_key):
            error.constraint = postgresql_name(table.name, "", "pkey")
            return
        for rule in table.uniques:
            if set(rule.columns) == columns and not rule.is_index:
                is_fields = len(columns) == 1 and is_unique_name(rule.name, table.name, rule.columns)
                error.constraint = postgresql_name(table.name, rule.columns[0], "key") if is_fields else rule.name
                return


def _sentence(error: IntegrityError, entity: Entity, found: list[Attribute], given: list[Values]) -> str:
    names = " and ".join(f"{entity.label}.{a.name}" for a in found)
    text = str(error).upper()
    if "NOT NULL" in text or "NOT-NULL" in text:
        return f"{names} may not be empty: give it a value, or allow NULL with null=True."
    if found and ("UNIQUE" in text or "DUPLICATE" in text):
        values = "one of these values"
        if len(given) == 1:
            values = ", ".join(repr(given[0].get(a.column.name)) for a in found)
        return f"{names} must be unique, and another row has {values} already: change it, or use get_or_create()."
    if "CHECK" in text:
        rule = f"A {entity.label} must meet the constraint {error.constraint or ''!r}"
        return f"{rule}, which is about {names}." if names else f"{rule}."
    return ""


def _foreign_key(dialect: Dialect, error: IntegrityError, entity: Entity, given: list[Values]) -> Operation[None]:
    """Find the key that points at no row: by the columns that the database names, or by looking."""
    for end in _constraints(entity):
        if error.columns:
            if set(error.columns) == set(end.local_columns):
                _name(error, end, next((_key(end, row) for row in given), None))
                return
            continue
        for row in given:
            key = _key(end, row)
            if key is not None and not (yield from _exists(dialect, end, key)):
                _name(error, end, key)
                return


def _name(error: IntegrityError, end: Any, key: Any) -> None:
    error.relation, error.field, error.columns = end, end.field, end.local_columns
    error.constraint = error.constraint or key_name(end)
    value = key[0] if key is not None and len(key) == 1 else key
    error.args = (
        f"{error} {end.owner.label}.{end.name} points at {end.target.label} {value!r}, which is not there: "
        "save it first, or choose one that exists.",
        *error.args[1:],
    )


def explain_delete(error: IntegrityError, end: Any, key: Any = None) -> None:
    """Say in ``error`` by which relation a row was held back that was to be deleted: ``end``, as that row sees it.

    ``key`` is the key of a row that still points at it.
    """
    back = end.inverse
    error.model, error.relation, error.field = back.owner.model, back, back.field
    error.constraint = error.constraint or key_name(back)
    row = f"A {back.owner.label}" if key is None else f"{back.owner.label} {key!r}"
    error.args = (
        f"{error} {row} still points at the {end.owner.label} by {back.name}: delete it first, or point it elsewhere.",
        *error.args[1:],
    )


def holding(error: IntegrityError, ends: Iterable[Any]) -> Any:
    """That of ``ends``, seen from the row that was to go, which the database named; None where it named none."""
    for end in ends:
        key = end.inverse
        if error.table == key.hops[0].source.name and error.constraint == key_name(key):
            return end
    return None


def explain_commit(dialect: Dialect, error: IntegrityError) -> Operation[None]:
    """Say in ``error``, the answer to a COMMIT, which relation it is. On SQLite the transaction is still open."""
    table, columns, row = error.table, error.columns, None
    if dialect.keys_that_fail is not None:
        found = yield Fetch(dialect.keys_that_fail, (), list)
        if found:
            table, columns, row = found[0][0], (found[0][1],), found[0][2]
    entity = None if table is None else Tables.find(table)
    if entity is None:
        return
    error.model, error.table, error.columns = entity.model, table, columns
    for end in _constraints(entity):
        if error.constraint == key_name(end) or (error.constraint is None and set(columns) <= set(end.local_columns)):
            error.relation, error.field, error.constraint = end, end.field, error.constraint or key_name(end)
            which = f"A {entity.label}" if row is None else f"{entity.label} {row}"
            words = f"{error} {which} points by {end.name} at a {end.target.label} that is not there."
            error.args = (words, *error.args[1:])
            return


def _constraints(entity: Entity) -> list[Any]:
    """The relations whose keys the database checks in rows of ``entity``."""
    ends = entity.ends.values()
    return [e for e in ends if e.is_forward and e.holds_key and e.owner is entity and e.relation.constrained]


def _key(end: Any, row: Values) -> tuple[Any, ...] | None:
    key = tuple(row.get(column) for column in end.local_columns)
    return None if None in key else key


def _exists(dialect: Dialect, end: Any, key: tuple[Any, ...]) -> Operation[bool]:
    query = having(end.target, end.target.attributes_of(end.remote_columns))
    compiled = compile_exists(dialect, query)
    rows = yield Fetch(compiled.sql, compiled.bind(key), list)
    return bool(rows)
