"""The types of values, and of what operators make of them."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any

from crowsfoot.schema import types
from crowsfoot.schema.types import ValueType


class TupleType(types.Type):
    """The type of a composite key: a tuple of the key's values."""

    kind = "tuple"


TUPLE = TupleType()
UNKNOWN = types.Type()
BOOLEAN = types.Boolean()
TEXT = types.Text()
FLOAT = types.Float()
DECIMAL = types.Decimal()
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
NUMERIC = {"smallint": 0, "integer": 1, "bigint": 2, "decimal": 3, "float": 4}


def type_of(value: Any) -> ValueType:
    """The logical type of a plain Python value."""
    for klass in type(value).__mro__:
        found = PYTHON_TYPES.get(klass)
        if found is not None:
            return found
    return UNKNOWN


def combined_type(connector: str, left: ValueType | None, right: ValueType | None) -> ValueType | None:
    """The type of ``left connector right``, or None where it makes no sense or cannot be told."""
    if left is None or right is None:
        return None
    one, other = left.kind, right.kind
    if one in NUMERIC and other in NUMERIC:
        if "float" in (one, other) and "decimal" in (one, other):
            return None if connector != "^" else left
        return left if NUMERIC[one] >= NUMERIC[other] else right
    if "any" in (one, other):
        return right if one == "any" else left
    moments = {"date", "datetime", "time"}
    if connector == "-" and one in moments and one == other:
        return PYTHON_TYPES[datetime.timedelta]
    if connector in "+-" and one in moments and other == "duration":
        return PYTHON_TYPES[datetime.datetime] if one == "date" else left
    if connector == "+" and one == "duration" and other in moments:
        return PYTHON_TYPES[datetime.datetime] if other == "date" else right
    if one == "duration" and (other == "duration" and connector in "+-" or other in NUMERIC and connector in "*/"):
        return left
    if other == "duration" and one in NUMERIC and connector == "*":
        return right
    return left if one == other and one not in moments else None


def type_name(value_type: ValueType | None) -> str:
    return "unknown" if value_type is None else type(value_type).__name__
