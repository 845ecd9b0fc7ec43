"""A model's whole table: the columns that its fields made, with every key, rule and index, under Django's names."""

from __future__ import annotations

from typing import Any

from crowsfoot.schema.entity import Entity
from crowsfoot.schema.relation import SET_NULL
from crowsfoot.schema.table import ForeignKey, Index, Unique
from crowsfoot.sql import names


def complete(model: Any) -> Entity:
    """Fill in the rules of a model's table, once all its relations are linked; returns its entity."""
    meta = model._meta
    entity: Entity = meta.entity
    entity.ensure_ready()
    table = entity.table
    table.foreign_keys, table.uniques, table.checks, table.indexes = [], [], [], []
    table.comment = meta.db_table_comment or None
    for field in meta.local_fields:
        if field.concrete or field.relation is not None:
            _field_rules(entity, field)
    for together in meta.unique_together:
        columns = _columns(meta, together)
        table.uniques.append(Unique(names.unique_name(table.name, columns), columns))
    for index in meta.indexes:
        table.indexes.append(index.describe(model))
    for constraint in meta.constraints:
        constraint.contribute_to_table(model, table)
    return entity


def _field_rules(entity: Entity, field: Any) -> None:
    table, columns = entity.table, tuple(part.column for part in field.parts)
    if field._unique and not field.primary_key:
        table.uniques.append(Unique(names.unique_name(table.name, columns), columns))
    elif field.db_index and not field.unique:
        table.indexes.append(Index(names.index_name(table.name, columns), tuple((column, False) for column in columns)))
    if field.is_relation and field.relation is not None and field.db_constraint:
        table.foreign_keys.append(foreign_key(field))


def foreign_key(field: Any) -> ForeignKey:
    """The constraint of a relation field, its rule included."""
    relation = field.relation
    hop = relation.forward.hops[0]
    rule = relation.on_delete
    sql = rule.sql
    partly = rule.columns if rule.sql == SET_NULL.sql else ()
    if sql == "SET DEFAULT" and not _has_constant_default(field):
        sql = "NO ACTION"  # the default is a callable: only Python knows it
    if sql == "SET NULL" and not all(hop.source.columns[name].null for name in partly or hop.source_columns):
        sql = "NO ACTION"
    on_update = "NO ACTION" if relation.on_update is None else relation.on_update.sql
    deferrable = field.deferrable.value if field.deferrable else "immediate"
    name = names.key_name(relation.forward)
    return ForeignKey(name, hop.source_columns, hop.target.name, hop.target_columns, sql, partly, on_update, deferrable)


def _has_constant_default(field: Any) -> bool:
    return bool(field.has_db_default() or (field.has_default() and not callable(field.default)))


def _columns(meta: Any, field_names: Any) -> tuple[str, ...]:
    return tuple(part.column for name in field_names for part in meta.get_field(name).parts)
