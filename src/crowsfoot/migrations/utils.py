"""Which model a relation points at, and which fields refer to a model, where fields are not bound to any class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from crowsfoot.models.fields.related import RECURSIVE

Key: TypeAlias = tuple[str, str]
"""A model: its app and its name in lower case."""


def resolve(reference: Any, app_label: str, model_name: str) -> Key:
    """The model that ``reference`` means in a field of ``app_label.model_name``: a class, ``"self"``, ``"Model"`` or
    ``"app.Model"``.
    """
    if not isinstance(reference, str):
        return reference._meta.app_label, reference._meta.model_name
    if reference == RECURSIVE:
        return app_label, model_name.lower()
    app, _, name = reference.rpartition(".")
    return app or app_label, name.lower()


def target_of(field: Any, app_label: str, model_name: str) -> Key | None:
    """The model that a relation field points at; None for other fields."""
    return resolve(field.to, app_label, model_name) if field.is_relation and hasattr(field, "to") else None


def through_of(field: Any, app_label: str, model_name: str) -> Key | None:
    """The model that links a many-to-many field, where one is named."""
    through = getattr(field, "through", None)
    return resolve(through, app_label, model_name) if through is not None and not is_made(through) else None


def is_made(through: Any) -> bool:
    """Whether a link model was made for its field, rather than named by it."""
    return not isinstance(through, str) and bool(through._meta.auto_created)


def models_of(field: Any, app_label: str, model_name: str) -> Iterator[Key]:
    """Every model that a field names."""
    for key in (target_of(field, app_label, model_name), through_of(field, app_label, model_name)):
        if key is not None:
            yield key


def field_names(field: Any, app_label: str, model_name: str, owner: Key, name: str) -> bool:
    """Whether a field of ``app_label.model_name`` names the field ``name`` of ``owner``: as ``to_field``, as one of
    ``through_fields``, or as the key that it points at without saying so.
    """
    if target_of(field, app_label, model_name) == owner and not field.many_to_many:
        return field.to_field is None or field.to_field == name
    if through_of(field, app_label, model_name) == owner:
        return field.through_fields is None or name in field.through_fields
    return False


def together(option: Any) -> set[tuple[str, ...]]:
    """``unique_together`` in whatever form it is written, as a set of tuples."""
    if not option:
        return set()
    if all(isinstance(name, str) for name in option):
        return {tuple(option)}
    return {tuple(names) for names in option}


def replaced(names: Iterable[str], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if name == old else name for name in names)
