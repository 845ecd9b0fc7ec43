"""An entity: one table as named attributes and relation ends, all that the floors below ``models`` know of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from crowsfoot.errors import FieldError, unknown_name
from crowsfoot.schema.table import Column, Table
from crowsfoot.schema.types import Converter, ValueType


class Attribute:
    """A named value of an entity, kept in one column.

    ``name`` is the instance attribute (``author_id`` for a foreign key). ``via`` are the parent ends to walk first
    where the column lives in the table of an inherited model. ``value_type`` prepares values and finds look-ups: the
    model field, or a logical type. ``field`` is the model field, which the floors below ``models`` only carry.
    """

    __slots__ = ("column", "entity", "field", "name", "value_type", "via")

    def __init__(
        self,
        entity: Entity,
        name: str,
        column: Column,
        value_type: ValueType | None = None,
        *,
        via: tuple[Any, ...] = (),
        field: Any = None,
    ) -> None:
        self.entity = entity
        self.name = name
        self.column = column
        self.value_type: ValueType = value_type if value_type is not None else column.type
        self.via = via
        self.field = field

    def db_converters(self, connection: Any, expression: Any = None) -> list[Converter]:
        return self.value_type.db_converters(connection, expression)

    def __reduce__(self) -> Any:
        owner = self.via[0].owner if self.via else self.entity
        return _attribute_of, (owner, self.name)

    def __repr__(self) -> str:
        return f"<Attribute {self.entity.label}.{self.name}>"


class Entity:
    """A table with named attributes and ends.

    ``label`` is ``app.Model``; ``key`` the attributes of the primary key, in order; ``names`` everything a look-up may
    start with; ``concrete`` the entity whose table this one shares (itself, but for a proxy). ``hydrate`` makes the
    hydrator for a list of attributes; the ``models`` floor stores it here, so that the floors below build instances
    without knowing model classes.
    """

    def __init__(self, label: str, table: Table) -> None:
        self.label = label
        self.table = table
        self.concrete: Entity = self
        self.attributes: dict[str, Attribute] = {}
        self.ends: MutableMapping[str, Any] = {}
        # Names of the model that no look-up can use, and the sentences that say why.
        self.refused: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self.parents: list[Any] = []
        self.key: tuple[Attribute, ...] = ()
        self.hydrate: Callable[..., Any] | None = None
        self.model: Any = None
        self.ordering: tuple[Any, ...] = ()
        # Whether rows elsewhere change with this one's key, by the database's own doing.
        self.keys_follow = False
        self.ensure_ready: Callable[[], None] = lambda: None
        # What the ``models`` floor finds wrong with it once its relations are linked, one sentence each.
        self.misfits: Callable[[], Iterable[str]] = tuple
        # Where the queries on this entity start; None until its relations are known to be good.
        self.root: Any = None

    @property
    def name(self) -> str:
        """The model's name without its app."""
        return self.label.rpartition(".")[2]

    @property
    def key_columns(self) -> tuple[str, ...]:
        return tuple(attribute.column.name for attribute in self.key)

    # -- building ------------------------------------------------------------------------------------------------------

    def add_attribute(self, attribute: Attribute, *aliases: str) -> None:
        """Add a value; ``aliases`` are other names for it in look-ups (a field's name where the attribute differs)."""
        self.attributes[attribute.name] = attribute
        for alias in aliases:
            if alias != attribute.name:
                self.aliases[alias] = attribute.name

    def add_end(self, end: Any) -> None:
        """Take in a relation's end. A generic relation and a way back may have one name: look-ups mean the former."""
        ends = self._holder(end).ends
        known = ends.get(end.name)
        for field, back in ((end, known), (known, end)) if known is not None else ():
            if field.is_forward and field.relation.is_generic and not back.is_forward:
                back.name += "+"
                ends[back.name] = back
        ends[end.name] = end
        if not end.is_forward and end.relation.on_update is not None:
            self.concrete.keys_follow = True

    def remove_end(self, end: Any) -> None:
        """Forget an end, unless another has its name now."""
        ends, name = self._holder(end).ends, end.name
        if ends.get(name) is end:
            del ends[name]

    def _holder(self, end: Any) -> Entity:
        """What points at a proxy points at the rows it stands for."""
        return self if end.is_forward else self.concrete

    # -- reading -------------------------------------------------------------------------------------------------------

    @property
    def own_attributes(self) -> list[Attribute]:
        """The attributes whose columns are in this entity's own table."""
        return [a for a in self.attributes.values() if not a.via]

    def attribute_of(self, column: str) -> Attribute:
        """The attribute that is kept in ``column`` of this entity's own table."""
        for attribute in self.attributes.values():
            if attribute.column.name == column and not attribute.via:
                return attribute
        raise KeyError(column)

    def attribute_in(self, table: Table, column: str) -> Attribute:
        """The attribute that is kept in ``column`` of ``table``: this entity's own, or that of one it inherits from."""
        for attribute in self.attributes.values():
            if attribute.column.name == column and attribute.entity.table is table:
                return attribute
        raise KeyError(column)

    def attributes_of(self, columns: Iterable[str]) -> tuple[Attribute, ...]:
        return tuple(self.attribute_of(column) for column in columns)

    def find(self, name: str) -> Attribute | Any | None:
        """The attribute or end called ``name`` in look-ups, or None. An end wins over the attribute behind it."""
        found = self.ends.get(name) or self.attributes.get(name)
        if found is not None:
            return found
        for link in self.parents:  # relations of the models it inherits from
            inherited = link.target.find(name)
            if inherited is not None and not isinstance(inherited, Attribute) and _is_inherited(inherited):
                return inherited
        return self.attributes.get(self.aliases.get(name, name))

    def resolve(self, name: str) -> Attribute | Any:
        """As ``find``, but an unknown name raises ``FieldError`` with the nearest one."""
        found = self.find(name)
        if found is None:
            raise FieldError(unknown_name("field", name, self.label, self.names))
        return found

    @property
    def names(self) -> list[str]:
        """Every name that a look-up on this entity may start with."""
        own = [*self.attributes, *self.aliases, *self.ends, *self.refused]
        return own + [name for link in self.parents for name, end in link.target.ends.items() if _is_inherited(end)]

    def __reduce__(self) -> Any:
        return find_entity, (self.label,)

    def __repr__(self) -> str:
        return f"<Entity {self.label}>"


# Finds the entity of a model. Set by ``models``, which knows them: what is pickled names its entities.
FINDERS: list[Callable[[str], Entity]] = []


def find_entity(label: str) -> Entity:
    """The entity with this label. Raises ``LookupError`` where there is none."""
    return FINDERS[0](label)


def _attribute_of(entity: Entity, name: str) -> Attribute:
    return entity.attributes[name]


def _is_inherited(end: Any) -> bool:
    """Whether a child model has a parent's relation too: all but the ways to the parent's other children."""
    return bool(end.is_forward or not end.relation.is_parent)
