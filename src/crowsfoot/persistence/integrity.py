"""Violated constraints in terms of the models: which field or relation it was, which value, and what to do.

PostgreSQL says which constraint and columns it was. SQLite says nothing of a foreign key, so its keys are looked up,
one short query each, on the way out of the failed statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crowsfoot.drivers.run import Fetch, Operation
from crowsfoot.errors import IntegrityError
from crowsfoot.persistence.session import Session
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.sql.select import compile_exists
from crowsfoot.sql.write import having

Values = dict[str, Any]


def explain(
    session: Session,
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
        yield from _foreign_key(session, error, entity, given)
        return
    found = [a for a in entity.own_attributes if a.column.name in error.columns]
    error.field = found[0].field if found else None
    sentence = _sentence(error, entity, found, given)
    if sentence:
        error.args = (f"{error} {sentence}", *error.args[1:])


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
        return f"A {entity.label} must meet the constraint {error.constraint or ''!r}."
    return ""


def _foreign_key(session: Session, error: IntegrityError, entity: Entity, given: list[Values]) -> Operation[None]:
    """Find the key that points at no row: by the columns that the database names, or by looking."""
    for end in entity.ends.values():
        if not (end.is_forward and end.holds_key and end.owner is entity and end.relation.constrained):
            continue
        if error.columns:
            if set(error.columns) == set(end.local_columns):
                _name(error, end, next((_key(end, row) for row in given), None))
                return
            continue
        for row in given:
            key = _key(end, row)
            if key is not None and not (yield from _exists(session, end, key)):
                _name(error, end, key)
                return


def _name(error: IntegrityError, end: Any, key: Any) -> None:
    error.relation, error.field, error.columns = end, end.field, end.local_columns
    value = key[0] if key is not None and len(key) == 1 else key
    error.args = (
        f"{error} {end.owner.label}.{end.name} points at {end.target.label} {value!r}, which is not there: "
        "save it first, or choose one that exists.",
        *error.args[1:],
    )


def _key(end: Any, row: Values) -> tuple[Any, ...] | None:
    key = tuple(row.get(column) for column in end.local_columns)
    return None if None in key else key


def _exists(session: Session, end: Any, key: tuple[Any, ...]) -> Operation[bool]:
    query = having(end.target, end.target.attributes_of(end.remote_columns))
    compiled = compile_exists(session.dialect, query)
    rows = yield Fetch(compiled.sql, compiled.bind(key), list)
    return bool(rows)
