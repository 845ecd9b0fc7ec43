"""The logical type behind each internal type: what ``get_internal_type()`` answers, in Django's names.

A custom field often says only "I am stored as a CharField"; this table is where that gets its meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from crowsfoot.schema import types


def _integer(kind: str, *, auto: bool = False, positive: bool = False) -> Callable[[Any], types.Type]:
    return lambda _: types.Integer(kind, auto=auto, positive=positive)


def _char(field: Any) -> types.Type:
    return types.Text(field.max_length, getattr(field, "db_collation", None))


def _text(field: Any) -> types.Type:
    return types.Text(None, getattr(field, "db_collation", None))


def _decimal(field: Any) -> types.Type:
    return types.Decimal(field.max_digits, field.decimal_places)


def _json(field: Any) -> types.Type:
    return types.JSON(getattr(field, "encoder", None), getattr(field, "decoder", None))


_TYPES: Final[dict[str, Callable[[Any], types.Type]]] = {
    "AutoField": _integer("integer", auto=True),
    "BigAutoField": _integer("bigint", auto=True),
    "BigIntegerField": _integer("bigint"),
    "BinaryField": lambda _: types.Binary(),
    "BooleanField": lambda _: types.Boolean(),
    "CharField": _char,
    "DateField": lambda _: types.Date(),
    "DateTimeField": lambda _: types.DateTime(),
    "DecimalField": _decimal,
    "DurationField": lambda _: types.Duration(),
    "FileField": _char,
    "FilePathField": _char,
    "FloatField": lambda _: types.Float(),
    "GenericIPAddressField": lambda _: types.Inet(),
    "IntegerField": _integer("integer"),
    "JSONField": _json,
    "PositiveBigIntegerField": _integer("bigint", positive=True),
    "PositiveIntegerField": _integer("integer", positive=True),
    "PositiveSmallIntegerField": _integer("smallint", positive=True),
    "SlugField": _char,
    "SmallAutoField": _integer("smallint", auto=True),
    "SmallIntegerField": _integer("smallint"),
    "TextField": _text,
    "TimeField": lambda _: types.Time(),
    "UUIDField": lambda _: types.UUID(),
}


def logical_type(field: Any) -> types.Type:
    """The logical type of ``field`` by its internal type; a plain ``Type`` where that is not one of Django's."""
    make = _TYPES.get(field.get_internal_type())
    return types.Type() if make is None else make(field)
