"""How a new instance takes its arguments: an ``__init__`` is generated for each model that has none of its own."""

from __future__ import annotations

from collections.abc import Callable
from inspect import getattr_static
from keyword import iskeyword
from typing import Any

from crowsfoot.models import signals
from crowsfoot.models.fields.base import Field


class Missing:
    """Stands for an argument that was not given."""

    def __repr__(self) -> str:
        return "<not given>"


MISSING = Missing()


def make_init(model: Any, fields: tuple[Any, ...], general: Callable[[Any, Any, Any], None]) -> Any:
    """``__init__`` with a keyword for each field, that sets what is given and the defaults of the others.

    ``general(instance, args, kwargs)`` does what takes more: arguments by position, names that are no fields, receivers
    of signals, instances of a class that inherits the model. None for a model where that is everything.
    """
    names = [name for field in fields for name in dict.fromkeys((field.attname, field.name))]
    if model.__setattr__ is not object.__setattr__ or any(not n.isidentifier() or iskeyword(n) for n in names):
        return None
    scope: dict[str, Any] = {
        "model_": model, "MISSING_": MISSING, "general_": general, "pre_": signals.pre_init, "post_": signals.post_init,
    }  # fmt: skip
    lines: list[str] = []
    special = ["args_", "kwargs_", "type(self_) is not model_", "pre_.receivers", "post_.receivers"]
    for number, field in enumerate(fields):
        name = field.attname
        # What stands on the class for a field's own attribute has no say in what a new instance is made of.
        covered = hasattr(getattr_static(model, name, None), "__set__")
        target = f"self_.__dict__[{name!r}]" if covered else f"self_.{name}"
        default = None if field.generated else _default(field, f"d{number}_", scope)
        otherwise = f"if {name} is not MISSING_: {target} = {name}"
        if default is not None:
            otherwise = f"{target} = {default} if {name} is MISSING_ else {name}"
        if field.name != name:
            special.append(f"({name} is not MISSING_ and {field.name} is not MISSING_)")
            lines += [f"if {field.name} is not MISSING_: self_.{field.name} = {field.name}", f"else: {otherwise}"]
        else:
            lines.append(otherwise)
    given = ", ".join(f"({name!r}, {name})" for name in names)
    source = [
        f"def __init__(self_, /, *args_, {', '.join(f'{name}=MISSING_' for name in names)}, **kwargs_):",
        f"    if {' or '.join(special)}:",
        f"        kwargs_.update(pair_ for pair_ in ({given},) if pair_[1] is not MISSING_)",
        "        return general_(self_, args_, kwargs_)",
        *[f"    {line}" for line in lines],
    ]
    exec("\n".join(source), scope)
    made = scope["__init__"]
    made.is_usual = made.is_made = True
    made.__qualname__ = f"{model.__qualname__}.__init__"
    made.__module__ = model.__module__
    return made


def _default(field: Any, name: str, scope: dict[str, Any]) -> str:
    """What a field is set to where nothing is given: an expression over ``scope``."""
    usual = type(field).get_default is Field.get_default
    if not usual or field.has_db_default() or (field.has_default() and callable(field.default)):
        scope[name] = field.get_default
        return f"{name}()"
    scope[name] = field.get_default()
    return name
