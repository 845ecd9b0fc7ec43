"""The one parser of ``tags__name__startswith``: a name is split into relation ends, an attribute and the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from crowsfoot.errors import FieldError, unknown_name
from crowsfoot.schema.entity import Attribute, Entity

SEPARATOR = "__"
# What no name of a computed column may contain, although it would be quoted.
FORBIDDEN = re.compile(r"[\s\"'`;#\[\]\x00-\x1f\x7f-\x9f]|--|/\*|\*/")
# Chains of look-ups come from users' URLs more often than one would wish; each hop is a join.
MAX_DEPTH = 64
NO_NAMES: Mapping[str, tuple[Any, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Path:
    """``ends`` to walk, the ``attributes`` arrived at (several for a composite key), and the names left over.

    ``final`` is the end that the path stops at where it names a relation itself and no attribute of its target.
    """

    ends: tuple[Any, ...]
    attributes: tuple[Attribute, ...]
    rest: tuple[str, ...]
    final: Any = None


def parse(
    entity: Entity, parts: tuple[str, ...], named: Mapping[str, tuple[Any, ...]] = NO_NAMES, known: Iterable[str] = ()
) -> Path:
    """Walk ``parts`` from ``entity``. Raises ``FieldError`` where the first name is unknown, with the nearest one.

    ``named`` are further relations of the entity, and the ends that lead to each; ``known`` are names that the error
    tells beside those of the fields. A later name that is no field ends the path: it is a transform or a look-up, which
    the caller knows about.
    """
    if len(parts) > MAX_DEPTH:
        raise FieldError(
            f"{SEPARATOR.join(parts)[:80]}… has more than {MAX_DEPTH} parts; a look-up is no longer than that."
        )
    ends: list[Any] = []
    here = entity
    for position, name in enumerate(parts):
        if not position and name in named:
            ends += named[name]
            here = ends[-1].target
            continue
        found = _find(here, name, ends)
        if found is None:
            if position == 0:
                raise FieldError(unknown_keyword(name, entity, [*named, *known]))
            return Path(tuple(ends), arrival(ends[-1]), parts[position:], ends[-1])
        if isinstance(found, tuple):
            return Path(tuple(ends), found, parts[position + 1 :])
        if isinstance(found, Attribute):
            return Path((*ends, *found.via), (found,), parts[position + 1 :])
        ends.append(found)
        here = found.target
    return Path(tuple(ends), arrival(ends[-1]), (), ends[-1])


def _find(here: Entity, name: str, ends: list[Any]) -> Any:
    if name == "pk" and "pk" not in here.attributes:
        return here.key[0] if len(here.key) == 1 else here.key
    found = here.find(name)
    if found is None or isinstance(found, Attribute) or here.ends.get(name) is found:
        return found
    walk_to_owner(here, found, ends)
    return found


def walk_to_owner(entity: Entity, end: Any, ends: list[Any]) -> None:
    """Add the parent links between ``entity`` and the inherited model that owns ``end``."""
    while entity.ends.get(end.name) is not end:
        for link in entity.parents:
            if link.target.find(end.name) is end:
                ends.append(link)
                entity = link.target
                break
        else:
            return


def arrival(end: Any) -> tuple[Attribute, ...]:
    """The attributes of the target that stand for the relation itself: what its last hop arrives at, or the key."""
    if end.holds_key or len(end.hops) == 2:
        columns = end.remote_columns
        try:
            return tuple(end.target.attributes_of(columns))
        except KeyError:
            return tuple(end.target.key)
    return tuple(end.target.key)


def check_alias(name: str) -> None:
    """Raise ``ValueError`` for a name that no computed column may have."""
    if not name or FORBIDDEN.search(name):
        raise ValueError(
            "Column aliases cannot contain whitespace characters, hashes, control characters, quotation marks, "
            f"semicolons, or SQL comments. {name!r} is not one."
        )


def unknown_keyword(name: str, entity: Entity, named: Iterable[str] = ()) -> str:
    """Django's sentence for a keyword that is no field, with the nearest name behind it."""
    if name in entity.refused:
        return entity.refused[name]
    choices = ", ".join(sorted(name for name in {*entity.names, *named} if not name.endswith("+")))
    sentence = f"Cannot resolve keyword {name!r} into field. Choices are: {choices}"
    hint = unknown_name("field", name, entity.label, [*entity.names, *named]).partition(" Did you mean ")
    near = hint[2].partition("?")[0]
    return f"{sentence}. {entity.label} has no field {name!r}; did you mean {near}?" if near else sentence
