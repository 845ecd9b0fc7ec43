"""What ``only()`` and ``defer()`` mean: the names given, and which attributes of which entity are loaded for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from crowsfoot.errors import FieldDoesNotExist, FieldError, unknown_name
from crowsfoot.query.paths import SEPARATOR
from crowsfoot.schema.entity import Attribute, Entity

# The names given, and whether they are those to leave out.
Deferred: TypeAlias = tuple[frozenset[str], bool]
ALL: Deferred = (frozenset(), True)


def changed(deferred: Deferred, names: Iterable[str], defer: bool, entity: Entity) -> Deferred:
    """``deferred`` after ``defer(*names)`` or ``only(*names)``: ``defer()`` adds up, and ``only()`` replaces."""
    known, leaves_out = deferred
    given = frozenset(part for name in names for part in ([a.name for a in entity.key] if name == "pk" else [name]))
    if defer:
        if leaves_out:
            return known | given, True
        return (known - given, False) if known - given else (given - known, True)
    return (given - known if leaves_out else given), False


def check(entity: Entity, names: Iterable[str], named: Mapping[str, Any]) -> None:
    """Raise ``FieldDoesNotExist`` for a name that is no field, ``FieldError`` for one behind what is no relation."""
    for name in names:
        here = entity
        *way, last = name.split(SEPARATOR)
        for position, part in enumerate(way):
            end = named[part][-1] if not position and part in named else _end(here, part)
            if end is None:
                _known(here, part)
                raise FieldError(f"{here.name}.{part} is no relation: nothing can be behind it in {name!r}.")
            here = end.target
        if last != "pk" and _end(here, last) is None:
            _known(here, last)


def _end(entity: Entity, name: str) -> Any:
    found = entity.find(name)
    return found if found is not None and not isinstance(found, Attribute) else None


def _known(entity: Entity, name: str) -> None:
    if entity.find(name) is None:
        near = unknown_name("field", name, entity.label, entity.names)
        raise FieldDoesNotExist(f"{entity.name} has no field named {name!r}. {near}")


def _attributes(entity: Entity, name: str) -> list[str]:
    """The attributes that a name stands for: several for ``pk`` and for a foreign key, where these have several
    columns."""
    if name == "pk":
        return [attribute.name for attribute in entity.key]
    end = entity.ends.get(name)
    if end is not None and end.holds_key:
        return [attribute.name for attribute in entity.attributes_of(end.local_columns)]
    return [entity.aliases.get(name, name)]


class Loading:
    """The choice for one entity: ``tree`` holds the names given, and behind each relation those that follow it."""

    __slots__ = ("defer", "tree")

    def __init__(self, tree: dict[str, Any], defer: bool) -> None:
        self.tree = tree
        self.defer = defer

    @classmethod
    def of(cls, deferred: Deferred) -> Loading:
        names, defer = deferred
        tree: dict[str, Any] = {}
        for name in names:
            here = tree
            for part in name.split(SEPARATOR):
                here = here.setdefault(part, {})
        return cls(tree, defer)

    @property
    def is_partial(self) -> bool:
        return bool(self.tree)

    def attributes(self, entity: Entity) -> list[Attribute]:
        """The attributes that are loaded, the key always among them."""
        every = list(entity.attributes.values())
        if not self.tree:
            return every
        given = [name for name, inner in self.tree.items() if not (self.defer and inner)]
        leaves = {leaf for name in given for leaf in _attributes(entity, name)}
        keys = {a.name for a in entity.key}
        return [a for a in every if a.name in keys or (a.name in leaves) is not self.defer]

    def behind(self, end: Any) -> Loading:
        """The choice for the entity that ``end`` leads to; all of it where no name goes that way."""
        inner = self.tree.get(end.name) or self.tree.get(end.accessor)
        return Loading(inner, self.defer) if inner else EVERYTHING

    def check_related(self, entity: Entity, end: Any) -> None:
        """Raise ``FieldError`` where ``end`` is to be joined though its key is not to be loaded."""
        is_own = entity.ends.get(end.name) is end
        if self.tree and end.holds_key and is_own:
            loaded = {a.name for a in self.attributes(entity)}
            if any(a.name not in loaded for a in entity.attributes_of(end.local_columns)):
                raise FieldError(
                    f"Field {entity.name}.{end.name} cannot be both deferred and traversed using select_related at the "
                    "same time."
                )


EVERYTHING = Loading({}, True)
