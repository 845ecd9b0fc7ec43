"""Where a database differs from the models: tables, columns, and foreign keys with their rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from crowsfoot.database import DEFAULT, databases
from crowsfoot.drivers.run import Fetch, Operation
from crowsfoot.models.tables import complete
from crowsfoot.persistence.session import Session
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.table import ForeignKey
from crowsfoot.sql import catalogue, names
from crowsfoot.sql.catalogue import Catalogue, Found
from crowsfoot.sql.dialect import Dialect


def find_drift(models: Sequence[Any], using: str = DEFAULT) -> list[str]:
    """A sentence for each difference between these models and their tables. Two queries, whatever their number.

    Types, defaults, indexes and checks are not looked at.
    """
    database = databases[using]
    found = database.run(_read)
    entities = [complete(model) for model in models if model._meta.managed and not model._meta.proxy]
    return [sentence for entity in entities for sentence in _differences(entity, found, database.dialect)]


def _read(session: Session) -> Operation[Catalogue]:
    vendor = session.dialect.vendor
    columns = yield Fetch(catalogue.COLUMNS[vendor], (), list)
    keys = yield Fetch(catalogue.KEYS[vendor], (), list)
    return catalogue.read(columns, keys)


def _differences(entity: Entity, found: Catalogue, dialect: Dialect) -> Iterator[str]:
    schema, name = names.split_name(entity.table.name)
    table = found.get((entity.table.schema or schema or "", name))
    if table is None:
        yield f"{entity.label}: the table {name} is not there."
        return
    yield from _columns(entity, table)
    wanted = {key.columns: key for key in entity.table.foreign_keys}
    for columns, key in wanted.items():
        # A key over a column that is missing is told of with the column.
        if set(columns) <= table.columns.keys():
            yield from _key(entity, key, table.keys.get(columns), dialect)
    for columns, there in table.keys.items():
        if columns not in wanted:
            pair = f"{', '.join(columns)} to {there.target}"
            yield f"{entity.label}: the database has a foreign key from {pair} that the model does not have."


def _columns(entity: Entity, table: Found) -> Iterator[str]:
    for column in entity.table.columns.values():
        name = f"{entity.label}.{entity.attribute_of(column.name).name}"
        if column.name not in table.columns:
            yield f"{name}: the column {column.name} is not there."
        elif column.generated is None and table.columns[column.name] != column.null:
            said = ("may not be NULL", "may be NULL")
            yield f"{name}: the column {said[table.columns[column.name]]}, but in the model it {said[column.null]}."
    for unknown in table.columns.keys() - entity.table.columns.keys():
        yield f"{entity.label}: the table has a column {unknown} that the model does not have."


def _key(entity: Entity, key: ForeignKey, there: ForeignKey | None, dialect: Dialect) -> Iterator[str]:
    ends = [end for end in entity.ends.values() if end.holds_key and end.local_columns == key.columns]
    name = f"{entity.label}.{ends[0].name if ends else '+'.join(key.columns)}"
    if there is None:
        yield f"{name}: the database has no foreign key for it."
        return
    target = names.split_name(key.target)[1]
    if there.target != target or (there.target_columns and there.target_columns != key.target_columns):
        leads = f"{there.target} ({', '.join(there.target_columns)})"
        yield f"{name}: the foreign key leads to {leads}, not to {target} ({', '.join(key.target_columns)})."
    on_delete = "NO ACTION" if key.is_partial and not dialect.sets_some_columns else key.on_delete
    pairs = ("ON DELETE", there.on_delete, on_delete), ("ON UPDATE", there.on_update, key.on_update)
    for words, has, should in pairs:
        if has != should:
            yield f"{name}: the database says {words} {has}, and the model {should}."
