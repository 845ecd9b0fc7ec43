"""`select_related`'s names as a tree of relations to join."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crowsfoot.errors import FieldError, unknown_name
from crowsfoot.query.paths import NO_NAMES
from crowsfoot.query.statements import Related
from crowsfoot.schema.entity import Entity

MAX_DEPTH = 5


def tree(entity: Entity, names: tuple[str, ...], named: Mapping[str, Any] = NO_NAMES) -> tuple[Related, ...]:
    """The relations that these names lead to; without names all to-one relations that cannot be missing.

    ``named`` are further relations of the entity. Raises ``FieldError`` for a name that is no to-one relation.
    """
    if not names:
        return _required(entity, MAX_DEPTH, ())
    nested: dict[str, list[str]] = {}
    for name in names:
        first, _, rest = name.partition("__")
        nested.setdefault(first, []).extend([rest] if rest else [])
    return tuple(_step(entity, name, tuple(rest), named) for name, rest in nested.items())


def _step(entity: Entity, name: str, rest: tuple[str, ...], named: Mapping[str, Any]) -> Related:
    end: Any = named[name][-1] if name in named else entity.find(name)
    if end is None or not hasattr(end, "hops"):
        end = _by_accessor(entity, name)
    if end is None or end.is_collection:
        choices = [*sorted(_to_one(entity)), *named]
        listed = ", ".join(choices) or "(none)"
        hint = unknown_name("relation", name, entity.label, choices).partition(" Did you mean ")[2].partition("?")[0]
        near = f". Did you mean {hint}?" if hint else ""
        if entity.find(name) is not None and not hasattr(entity.find(name), "hops"):
            raise FieldError(f"Non-relational field given in select_related: '{name}'. Choices are: {listed}{near}")
        raise FieldError(f"Invalid field name(s) given in select_related: '{name}'. Choices are: {listed}{near}")
    return Related(end, tree(end.target, rest) if rest else ())


def _by_accessor(entity: Entity, name: str) -> Any:
    return next((end for end in entity.ends.values() if end.accessor == name and not end.is_collection), None)


def _to_one(entity: Entity) -> dict[str, Any]:
    found = {end.name: end for end in entity.ends.values() if not end.is_collection and not end.name.endswith("+")}
    for link in entity.parents:
        found.update(_to_one(link.target))
    return found


def _required(entity: Entity, depth: int, seen: tuple[Any, ...]) -> tuple[Related, ...]:
    if not depth:
        return ()
    return tuple(
        Related(end, _required(end.target, depth - 1, (*seen, end)), named=False)
        for end in _to_one(entity).values()
        if end.is_forward and end.minimum and end not in seen and not end.relation.is_parent
    )


def merge(one: tuple[Related, ...], other: tuple[Related, ...]) -> tuple[Related, ...]:
    """Two trees as one."""
    found = {item.end: item for item in one}
    for item in other:
        known = found.get(item.end)
        found[item.end] = item if known is None else Related(item.end, merge(known.children, item.children))
    return tuple(found.values())
