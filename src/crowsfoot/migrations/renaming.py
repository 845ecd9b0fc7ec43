"""Indexes, constraints and expressions as they are after a field of their model has got another name."""

from __future__ import annotations

from typing import Any

from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F, Value
from crowsfoot.query.func import Func
from crowsfoot.query.nodes import BaseExpression

NAMES = ("fields", "include")


def rule_renamed(rule: Any, old: str, new: str) -> Any:
    """An index or a constraint of a model whose field ``old`` is called ``new`` now."""
    _, args, kwargs = rule.deconstruct()
    options = {
        option: _names(value, old, new) if option in NAMES else renamed(value, old, new)
        for option, value in kwargs.items()
    }
    return type(rule)(*renamed(tuple(args), old, new), **options)


def renamed(value: Any, old: str, new: str) -> Any:
    """A value in which every path that begins at ``old`` begins at ``new``."""
    if isinstance(value, Q):
        return _condition(value, old, new)
    if isinstance(value, F):
        return type(value)(_path(value.name, old, new))
    if isinstance(value, BaseExpression) and not isinstance(value, Value):
        return _expression(value, old, new)
    if isinstance(value, (list, tuple)):
        return type(value)(renamed(part, old, new) for part in value)
    return value


def _path(path: str, old: str, new: str) -> str:
    first, separator, rest = path.partition("__")
    return f"{new}{separator}{rest}" if first == old else path


def _names(names: Any, old: str, new: str) -> Any:
    return type(names)(f"-{new}" if name == f"-{old}" else new if name == old else name for name in names)


def _condition(value: Q, old: str, new: str) -> Q:
    children = [
        (_path(child[0], old, new), renamed(child[1], old, new))
        if isinstance(child, tuple)
        else renamed(child, old, new)
        for child in value.children
    ]
    return Q(*children, _connector=value.connector, _negated=value.negated)


def _expression(value: BaseExpression, old: str, new: str) -> Any:
    """The same node made anew. A text among a function's arguments is a field's name; When has look-ups by name."""
    args, kwargs = value._init
    named = isinstance(value, Func)
    parts: list[Any] = [_path(a, old, new) if named and isinstance(a, str) else renamed(a, old, new) for a in args]
    options: dict[str, Any] = {_path(name, old, new): renamed(option, old, new) for name, option in kwargs.items()}
    return type(value)(*parts, **options)
