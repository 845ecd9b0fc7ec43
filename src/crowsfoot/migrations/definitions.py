"""Fields, indexes and managers as plain values that can be compared, whoever wrote them."""

from __future__ import annotations

import functools
import re
from typing import Any

from crowsfoot.migrations.modelstate import ModelState
from crowsfoot.migrations.utils import Key, target_of, through_of
from crowsfoot.query.nodes import BaseExpression

RELATIONS = ("to", "through")


def plain(value: Any) -> Any:
    """``value`` with everything that can be deconstructed taken apart, so that ``==`` compares what it says."""
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, functools.partial):
        return value.func, plain(value.args), plain(value.keywords)
    if isinstance(value, re.Pattern):
        return value.pattern, value.flags
    if isinstance(value, (type, BaseExpression)) or not hasattr(value, "deconstruct"):
        return value
    said = value.deconstruct()
    return [plain(part) for part in (said[1:] if len(said) == 4 else said)]


def field_definition(field: Any, key: Key) -> tuple[str, Any, dict[str, Any]]:
    """``(path, args, options)`` of a field of model ``key``; relations name models in one way."""
    _, path, args, kwargs = field.deconstruct()
    options = {option: plain(value) for option, value in kwargs.items()}
    target, through = target_of(field, *key), through_of(field, *key)
    for option, found in (("to", target), ("through", through)):
        if found is not None:
            options[option] = ".".join(found)
    return path, plain(args), options


def shape(state: ModelState) -> list[Any]:
    """A model's fields but for whom they relate to: what a renamed model has in common with the one it was."""
    found = []
    for _, field in sorted(state.fields.items()):
        path, args, options = field_definition(field, state.key)
        found.append((path, args, {k: v for k, v in options.items() if k not in RELATIONS or not field.is_relation}))
    return found


def managers(state: ModelState) -> list[Any]:
    return [(name, plain(manager)) for name, manager in state.managers]
