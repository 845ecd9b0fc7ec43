"""The plan of ``post.tags.add(…)``: links are one INSERT that leaves out those that are there, worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crowsfoot.drivers.run import Change, Operation
from crowsfoot.errors import IntegrityError
from crowsfoot.models import signals
from crowsfoot.persistence.integrity import explain
from crowsfoot.schema.types import UUID, Integer, Text
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.write import compile_links

# Keys of these types are bound as they are, or as each dialect says, and have no converter of a field's own.
SIMPLE = (Integer, Text, UUID)


class LinkWrites:
    """How links from one side of a many-to-many are added in one database, while nobody is told of them."""

    def __init__(self, manager: Any, dialect: Dialect) -> None:
        self.dialect = dialect
        self.through = manager.through
        self.entity = manager.through._meta.entity
        self.table = self.entity.table.name
        self.attributes = (manager.here[0], manager.there[0])
        self.target = manager.end.target.model
        self.target_name = manager.end.target.attributes_of(manager.end.remote_columns)[0].name
        self.owner_name = manager.side.name
        here, there = self.types = tuple(attribute.value_type for attribute in self.attributes)
        self.own_class, self.target_class = here.type.python, there.type.python
        self.one, self.several = compile_links(dialect, self.entity, *self.attributes)
        self._told: Any = None
        self._is_silent = False

    def keys(self, instance: Any, objs: Iterable[Any]) -> list[Any] | None:
        """The key of the owner and those of ``objs``, each once.

        None where receivers are told of links, or keys have to be looked at more closely.
        """
        receivers = signals.m2m_changed.receivers
        if receivers is not self._told:  # a new list with each receiver that comes or goes
            self._is_silent = not signals.m2m_changed.has_listeners(self.through)
            self._told = receivers
        own = instance.__dict__.get(self.owner_name)
        if type(own) is not self.own_class or instance._origin is None or not self._is_silent:
            return None
        db = instance._origin.db
        found = [own]
        for obj in objs:
            key = obj
            if type(obj) is self.target:
                if obj._origin is None or obj._origin.db != db:
                    return None
                key = obj.__dict__.get(self.target_name)
            if type(key) is not self.target_class:
                return None
            found.append(key)
        return found if len(found) < 3 else [own, *dict.fromkeys(found[1:])]

    def request(self, keys: list[Any]) -> Change:
        """The one statement that links the first of ``keys`` to the others."""
        if len(keys) == 2:
            return Change(self.one.sql, self.one.bind((keys[0], keys[1])))
        return Change(self.several.sql, self.several.bind((keys[0], keys[1:])))

    def explain(self, error: IntegrityError, keys: Sequence[Any]) -> Operation[None]:
        """Say in ``error`` which link offends."""
        rows = [(keys[0], key) for key in keys[1:]]
        yield from explain(self.dialect, error, self.entity, self.attributes, rows)


def links_of(manager: Any, alias: str, dialect: Dialect) -> LinkWrites | None:
    """The plan of a manager's relation in one database; None where a link is more than a row of two plain keys."""
    kind = type(manager)
    if kind._get_add_plan is not kind.usual_add_plan:
        return None
    kept = kind.link_plans
    found: LinkWrites | None = kept.get(alias)
    if found is None or found.dialect is not dialect:
        if not _is_plain(manager, dialect):
            return None
        found = kept[alias] = LinkWrites(manager, dialect)
    return found


def _is_plain(manager: Any, dialect: Dialect) -> bool:
    meta = manager.through._meta
    values = [a.value_type for side in (manager.here, manager.there) for a in side]
    return (
        bool(meta.auto_created)
        and manager.side.name is not None
        and len(values) == 2
        and not manager.end.relation.symmetrical
        and all(type(v.type) in SIMPLE and v.db_binder(dialect) is None for v in values)
    )
