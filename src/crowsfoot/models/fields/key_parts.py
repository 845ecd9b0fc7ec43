"""Foreign keys of several columns: which columns these are, and the fields behind those that are the key's own."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from functools import partial
from typing import Any

from crowsfoot.models.fields.base import NOT_PROVIDED, Field
from crowsfoot.query.inference import computed
from crowsfoot.schema import types
from crowsfoot.schema.entity import Attribute, Entity


class KeyPart(Field[Any]):
    """One column that a key of several columns has for itself. Its values are those of the column it points at."""

    def __init__(self, key: Any, attname: str, remote: Attribute, place: int) -> None:
        default = partial(_part_of_default, key, place) if key.has_default() else NOT_PROVIDED
        super().__init__(
            null=key.null, blank=key.blank, editable=False, auto_created=True, name=attname, default=default
        )
        self.key_field = key
        self.remote = remote
        self.place = place
        # Behind the key, and before whatever was declared after it.
        self.creation_counter = key.creation_counter + (place + 1) / 1000

    key_field: Any = None

    def make_type(self) -> types.Type:
        return self.remote.value_type.type

    def get_lookup(self, name: str) -> Any:
        return computed(self.remote.value_type, name, "get_lookup")

    def get_transform(self, name: str) -> Any:
        return computed(self.remote.value_type, name, "get_transform")

    def to_python(self, value: Any) -> Any:
        return value if self.remote.field is None else self.remote.field.to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        return self.remote.value_type.prepare(value)

    def db_converters(self, connection: Any, expression: Any = None) -> list[Any]:
        return self.remote.db_converters(connection, expression)

    def db_binder(self, connection: Any) -> Any:
        value_type: Any = self.remote.value_type
        return value_type.db_binder(connection) if hasattr(value_type, "db_binder") else None


def _part_of_default(key: Any, place: int) -> Any:
    default = key.get_default()
    return None if default is None else default[place]


def spread(key: Any, remotes: Sequence[Attribute]) -> tuple[Attribute, ...]:
    """Give ``key`` its columns, one for each attribute in ``remotes``: the model's own where it has them already.

    The key itself keeps no column. Called again for another target, it finds the columns that it made.
    """
    meta = key.model._meta
    entity: Entity = meta.entity
    _take_out(key, entity)
    names = key.columns or tuple(f"{key.name}_{remote.name}" for remote in remotes)
    found: list[Attribute] = []
    made: list[Attribute] = []
    for place, (name, remote) in enumerate(zip(names, remotes, strict=True)):
        known = entity.attributes.get(entity.aliases.get(name, name))
        if known is None:
            part = KeyPart(key, name, remote, place)
            part.set_attributes_from_name(name)
            part.model = key.model
            bisect.insort(meta.local_fields, part)
            known = Attribute(entity, part.attname, part.make_column(), part, field=part)
            made.append(known)
        elif known.field.key_field is key:
            known.field.remote, known.column = remote, known.field.make_column()
        found.append(known)
    _put_in(key, entity, made)
    return tuple(found)


def _take_out(key: Any, entity: Entity) -> None:
    """Remove the one column that the key was given while its target was not known, and remember where it stood."""
    if not key.concrete:
        return
    key.place = list(entity.attributes).index(key.attname)
    del entity.attributes[key.attname]
    entity.table.columns.pop(key.column, None)
    entity.aliases.pop(key.name, None)
    key.concrete = False
    key.attname, key.column = key.name, None


def _put_in(key: Any, entity: Entity, made: list[Attribute]) -> None:
    """Add the key's own attributes and columns where the key stands among the model's fields."""
    attributes = list(entity.attributes.items())
    attributes[key.place : key.place] = [(attribute.name, attribute) for attribute in made]
    own = {a.column.name: a.column for _, a in attributes if not a.via}
    entity.attributes.clear()
    entity.attributes.update(attributes)
    entity.table.columns.clear()
    entity.table.columns.update(own)
