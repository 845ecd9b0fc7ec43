"""How a new instance takes its arguments: a function is generated for each set of names that a model is made with."""

from __future__ import annotations

from collections.abc import Callable
from inspect import getattr_static
from keyword import iskeyword
from typing import Any

from crowsfoot.models.fields.base import Field

Fill = Callable[[Any, dict[str, Any]], None]


def make_fill(model: Any, fields: tuple[Any, ...], names: tuple[str, ...]) -> Fill | None:
    """``fill(instance, given)``: the fields set to what was given under ``names``, the others to their defaults.

    None where that takes more than setting fields: for a name that is none, one that is given twice, a model that has
    a word in how its attributes are set.
    """
    if model.__setattr__ is not object.__setattr__:
        return None
    left = set(names)
    scope: dict[str, Any] = {}
    lines: list[str] = []
    for number, field in enumerate(fields):
        value: str | None
        if field.attname in left:
            left.discard(field.attname)
            name, value = field.attname, f"given[{field.attname!r}]"
        elif field.is_relation and field.name in left:
            left.discard(field.name)
            name, value = field.name, f"given[{field.name!r}]"
        elif field.generated:
            continue
        else:
            name, value = field.attname, _default(field, f"d{number}", scope)
        if not name.isidentifier() or iskeyword(name):
            return None
        # What stands on the class for a field's own attribute has no say in what a new instance is made of.
        covered = name == field.attname and hasattr(getattr_static(model, name, None), "__set__")
        lines.append(f"    o.__dict__[{name!r}] = {value}" if covered else f"    o.{name} = {value}")
    if left or not lines:
        return None
    exec("\n".join(["def fill(o, given):", *lines]), scope)
    made: Fill = scope["fill"]
    return made


def _default(field: Any, name: str, scope: dict[str, Any]) -> str:
    """What a field is set to where nothing is given: an expression over ``scope``."""
    usual = type(field).get_default is Field.get_default
    if not usual or field.has_db_default() or (field.has_default() and callable(field.default)):
        scope[name] = field.get_default
        return f"{name}()"
    scope[name] = field.get_default()
    return name
