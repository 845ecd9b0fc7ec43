"""The types of values, and of what operators make of them."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Iterable
from functools import cache
from typing import Any

from crowsfoot.errors import FieldError
from crowsfoot.schema import types
from crowsfoot.schema.types import ValueType


class MixedTypes(FieldError):
    """Of an expression whose parts are of types that do not go together: its own has to be told."""


class TupleType(types.Type):
    """The type of a composite key: a tuple of values, each of the type at its place in ``parts``."""

    kind = "tuple"
    python = tuple
    lookups_apart = True  # a tuple contains no text and begins with nothing

    def __init__(self, parts: tuple[ValueType, ...]) -> None:
        self.parts = parts


# The class of field that most columns of a kind have; the ``models`` floor fills it in. What is registered there serves
# computed values too.
FIELD_CLASSES: dict[str, Any] = {}


class _Unknown(types.Type):
    def __reduce__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()
BOOLEAN = types.Boolean()
TEXT = types.Text()
FLOAT = types.Float()
DECIMAL = types.Decimal()
INT = types.Integer("integer")
INTEGER = types.Integer("bigint")
PYTHON_TYPES: dict[type, ValueType] = {
    bool: BOOLEAN,
    int: INTEGER,
    float: types.Float(),
    str: types.Text(),
    bytes: types.Binary(),
    decimal.Decimal: types.Decimal(),
    datetime.datetime: types.DateTime(),
    datetime.date: types.Date(),
    datetime.time: types.Time(),
    datetime.timedelta: types.Duration(),
    uuid.UUID: types.UUID(),
}
DATE = types.Date()
DATETIME = types.DateTime()
DURATION = types.Duration()
NUMERIC = {"smallint": 0, "integer": 1, "bigint": 2, "decimal": 3, "float": 4}
WHOLE = ("smallint", "integer", "bigint")
BITWISE = ("&", "|", "<<", ">>", "#")


def type_of(value: Any) -> ValueType:
    """The logical type of a plain Python value."""
    for klass in type(value).__mro__:
        found = PYTHON_TYPES.get(klass)
        if found is not None:
            return found
    return UNKNOWN


def is_text(value_type: ValueType) -> bool:
    return value_type.kind in ("text", "char")


def common_type(types_found: Iterable[ValueType | None]) -> ValueType | None:
    """The type of an expression whose parts have these types; None where none is known.

    Raises ``FieldError`` where they are of different families: whole numbers and texts of any length are one each.
    """
    found: ValueType | None = None
    for known in types_found:
        if known is None or known.kind == "any":
            continue
        if found is None or found.kind == known.kind:
            found = found or known
        elif is_text(found) and is_text(known):
            continue
        elif found.kind in WHOLE and known.kind in WHOLE:
            found = max(found, known, key=lambda each: NUMERIC[each.kind])
        else:
            raise MixedTypes(
                f"Expression contains mixed types: {type_name(found)}, {type_name(known)}. You must set output_field."
            )
    return found


def combined_type(connector: str, left: ValueType | None, right: ValueType | None) -> ValueType | None:
    """The type of ``left connector right``, or None where it makes no sense or cannot be told."""
    if left is None or right is None:
        return None
    one, other = left.kind, right.kind
    if "any" in (one, other):
        return right if one == "any" else left
    if one in NUMERIC and other in NUMERIC:
        if connector in BITWISE and not (one in WHOLE and other in WHOLE):
            return None
        if {one, other} == {"float", "decimal"}:
            return None
        return left if NUMERIC[one] >= NUMERIC[other] else right
    return _temporal(connector, left, right)


def _temporal(connector: str, left: ValueType, right: ValueType) -> ValueType | None:
    """Moments and durations: the distance of two moments, and a moment moved by a duration."""
    one, other = left.kind, right.kind
    if connector not in ("+", "-"):
        if one == "duration" and other in NUMERIC and connector in ("*", "/"):
            return left
        return right if other == "duration" and one in NUMERIC and connector == "*" else None
    if other == "duration":
        moved = {"date": DATETIME, "datetime": left, "time": left, "duration": left}
        return moved.get(one)
    if one == "duration" and connector == "+":
        return {"date": DATETIME, "datetime": right, "time": right}.get(other)
    return DURATION if connector == "-" and one == other and one in ("date", "datetime", "time") else None


def type_name(value_type: ValueType | None) -> str:
    """How messages call a type: as the class of its fields, where that is known."""
    if value_type is None:
        return "NoneType"
    known = FIELD_CLASSES.get(value_type.kind) if isinstance(value_type, types.Type) else None
    return (known or type(value_type)).__name__


def as_field(value_type: ValueType) -> Any:
    """A field of this type, as users know types: itself, where it is a field or no field is of its kind."""
    return _field_of(value_type) if isinstance(value_type, types.Type) else value_type


@cache
def _field_of(value_type: types.Type) -> Any:
    known = FIELD_CLASSES.get(value_type.kind)
    if known is None:
        return value_type
    options = {"length": "max_length"} | {name: name for name in ("max_digits", "decimal_places", "encoder", "decoder")}
    given = {option: getattr(value_type, name, None) for name, option in options.items()}
    return known(**{option: value for option, value in given.items() if value is not None})


def computed(value_type: ValueType, name: str, what: str) -> Any:
    """The look-up or transform (``get_lookup``, ``get_transform``) that a computed value of this type has; that of a
    foreign key has those of the field that it points at, too."""
    found = getattr(value_type, what)(name)
    target = getattr(value_type, "target_field", None) if found is None else None
    if target is not None:
        return computed(target, name, what)
    if found is not None or not isinstance(value_type, types.Type):
        return found
    known = FIELD_CLASSES.get(value_type.kind)
    found = None if known is None else known.find_lookup(name)
    return found if found is not None and found.is_transform is (what == "get_transform") else None
