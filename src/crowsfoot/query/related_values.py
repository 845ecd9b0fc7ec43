"""Instances and querysets given as the values of a relation: what they have to be, and the keys that they stand for."""

from __future__ import annotations

from typing import Any

from crowsfoot.schema.entity import Attribute


def check_related(end: Any, value: Any) -> None:
    """Raise ``ValueError`` where ``value`` is an instance or queryset of a model that the relation does not lead to."""
    entity = getattr(value, "__entity__", None)
    if entity is None or is_a(entity, end.target) or is_a(end.target, entity):
        return
    if hasattr(value, "as_subquery"):
        if value.has_chosen_columns:
            return
        raise ValueError(f'Cannot use QuerySet for "{entity.name}": Use a QuerySet for "{end.target.name}".')
    raise ValueError(f'Cannot query "{value}": Must be "{end.target.name}" instance.')


def is_a(entity: Any, other: Any) -> bool:
    """Whether rows of ``entity`` are rows of ``other``: the same concrete table, or one that inherits from it."""
    if entity.concrete is other.concrete:
        return True
    return any(is_a(link.target, other) for link in entity.parents)


def related_key(value: Any, attributes: tuple[Attribute, ...]) -> Any:
    """The key by which a related instance is looked up; a plain value is its own key."""
    entity = getattr(value.__class__, "__entity__", None)
    if entity is None:
        return value
    key = tuple(_attribute_value(value, attribute) for attribute in attributes)
    if any(part is None for part in key):
        raise ValueError(
            f"Model instances passed to related filters must be saved. {value!r} has no {attributes[0].name}."
        )
    return key[0] if len(key) == 1 else key


def _attribute_value(value: Any, attribute: Attribute) -> Any:
    for name in (attribute.name, "pk"):
        if hasattr(value, name):
            found = getattr(value, name)
            return related_key(found, attribute.entity.key) if hasattr(found, "__entity__") else found
    raise ValueError(f"{value!r} has no {attribute.name}.")
