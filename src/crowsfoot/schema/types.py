"""Logical types: what a value means, independent of any database.

A type prepares values (any acceptable Python value in, one canonical Python value out) and owns the look-ups that apply
to it. How a canonical value is bound, stored and read back is each dialect's declaration, keyed by ``kind``.
"""

from __future__ import annotations

import copy
import datetime
import decimal
import ipaddress
import json
import uuid
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from types import MethodType
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from crowsfoot import dateparse, timezones
from crowsfoot.conf import settings
from crowsfoot.errors import ValidationError

Converter = Callable[[Any], Any]


class Unless:
    """Prepares a value, unless its class is ``plain``: such a value is bound as it is, and nobody need be called."""

    __slots__ = ("plain", "slowly")

    def __init__(self, plain: type, slowly: Callable[[Any], Any]) -> None:
        self.plain, self.slowly = plain, slowly

    def __call__(self, value: Any) -> Any:
        return value if type(value) is self.plain else self.slowly(value)


@runtime_checkable
class ValueType(Protocol):
    """What an expression needs to know of its values. Logical types and model fields both answer it."""

    @property
    def kind(self) -> str: ...
    @property
    def type(self) -> Type: ...
    def prepare(self, value: Any) -> Any: ...
    def get_lookup(self, name: str) -> Any: ...
    def get_transform(self, name: str) -> Any: ...
    def db_converters(self, connection: Any, expression: Any = None) -> list[Converter]: ...


class _OnClassOrInstance:
    """A method of a class that has a twin for its instances, under one name."""

    def __init__(self, on_class: Callable[..., Any], on_instance: Callable[..., Any]) -> None:
        self.on_class, self.on_instance = on_class, on_instance

    def __get__(self, instance: Any, owner: Any) -> Any:
        return MethodType(self.on_class, owner) if instance is None else MethodType(self.on_instance, instance)


class LookupRegistry:
    """Look-ups and transforms by name, found along the class's ancestors as Python finds methods.

    ``register_lookup(lookup, lookup_name=None)`` makes a ``Lookup`` or ``Transform`` class available: called on a class
    for all of its instances (it is a decorator, too), called on an instance for this one alone.
    """

    class_lookups: ClassVar[dict[str, Any]] = {}
    # Whether what is registered for the ancestors of this very class does not count for it.
    lookups_apart: ClassVar[bool] = False

    def _class_register(cls: Any, lookup: Any, lookup_name: str | None = None) -> Any:  # pyright: ignore[reportSelfClsParameterName]
        if "class_lookups" not in cls.__dict__:
            cls.class_lookups = {}
        cls.class_lookups[lookup_name or lookup.lookup_name] = lookup
        _changed()
        return lookup

    def _instance_register(self, lookup: Any, lookup_name: str | None = None) -> Any:
        self.__dict__.setdefault("instance_lookups", {})[lookup_name or lookup.lookup_name] = lookup
        _changed()
        return lookup

    def _class_unregister(cls: Any, lookup: Any, lookup_name: str | None = None) -> None:  # pyright: ignore[reportSelfClsParameterName]
        del cls.class_lookups[lookup_name or lookup.lookup_name]
        _changed()

    def _instance_unregister(self, lookup: Any, lookup_name: str | None = None) -> None:
        del self.__dict__["instance_lookups"][lookup_name or lookup.lookup_name]
        _changed()

    register_lookup: Any = _OnClassOrInstance(_class_register, _instance_register)
    _unregister_lookup: Any = _OnClassOrInstance(_class_unregister, _instance_unregister)

    @classmethod
    def find_lookup(cls, name: str) -> Any:
        return cls.get_class_lookups().get(name)

    @classmethod
    @cache
    def get_class_lookups(cls) -> dict[str, Any]:
        """Every look-up and transform of the class by name: kept until one is registered, and not to be changed."""
        found: dict[str, Any] = {}
        for klass in cls.__mro__:
            found = {**klass.__dict__.get("class_lookups", {}), **found}
            if klass.__dict__.get("lookups_apart"):
                break
        return found

    def _class_lookups(cls: Any) -> dict[str, Any]:  # pyright: ignore[reportSelfClsParameterName]
        return {**cls.get_class_lookups()}

    def _instance_lookups(self) -> dict[str, Any]:
        return {**type(self).get_lookups(), **self.__dict__.get("instance_lookups", {})}

    # Every look-up and transform of a class, or of an instance, by name.
    get_lookups: Any = _OnClassOrInstance(_class_lookups, _instance_lookups)

    def find_own(self, name: str) -> Any:
        """What was registered for this instance or its class."""
        found = self.__dict__.get("instance_lookups", {}).get(name)
        return self.find_lookup(name) if found is None else found

    def get_lookup(self, name: str) -> Any:
        found = self.find_own(name)
        return found if found is not None and not getattr(found, "is_transform", False) else None

    def get_transform(self, name: str) -> Any:
        found = self.find_own(name)
        return found if found is not None and getattr(found, "is_transform", False) else None


# Who has to know that a name may mean another look-up now: what was made of names before is made anew.
LISTENERS: list[Callable[[], None]] = [LookupRegistry.get_class_lookups.cache_clear]


def _changed() -> None:
    for listener in LISTENERS:
        listener()


class Type(LookupRegistry):
    """A logical type. ``python`` is the canonical Python class of its values."""

    kind: str = "any"
    python: type = object
    expected = "a value"
    column_words: tuple[tuple[str, str], ...] = ()

    def prepare(self, value: Any) -> Any:
        """The canonical value for ``value``; raises ``TypeError``, ``ValueError`` or ``ValidationError``."""
        return value

    @property
    def preparer(self) -> Callable[[Any], Any]:
        """``prepare``, or ``Unless`` where it has nothing to do for values of one class."""
        return self.prepare

    @property
    def type(self) -> Type:
        """The logical type itself (a model field answers with the type it has)."""
        return self

    def db_converters(self, connection: Any, expression: Any = None) -> list[Converter]:
        """Converters beyond the dialect's own (custom fields have some)."""
        return []

    def worded(self, words: Mapping[str, str]) -> Self:
        """This type in a column that a custom field words itself: ``words`` are its types by vendor."""
        if not words:
            return self
        found = copy.copy(self)
        found.column_words = tuple(sorted(words.items()))
        return found

    def for_reference(self) -> Type:
        """The type of a column that holds the values of one of this type, as a foreign key does."""
        return self

    def own_words(self, vendor: str) -> str | None:
        """A custom field's own words for the column; None where they are the dialect's."""
        return dict(self.column_words).get(vendor)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), tuple(sorted(self.__dict__.items()))))

    def __repr__(self) -> str:
        options = ", ".join(f"{k}={v!r}" for k, v in self.__dict__.items() if v is not None)
        return f"{type(self).__name__}({options})"


class Integer(Type):
    """Whole numbers. ``kind`` is one of smallint, integer, bigint and their auto and positive forms."""

    python = int
    expected = "a number"
    ranges: ClassVar[dict[str, tuple[int, int]]] = {
        "smallint": (-(2**15), 2**15 - 1),
        "integer": (-(2**31), 2**31 - 1),
        "bigint": (-(2**63), 2**63 - 1),
    }

    def __init__(self, kind: str = "integer", *, auto: bool = False, positive: bool = False) -> None:
        self.kind = kind
        self.auto = auto
        self.positive = positive

    def for_reference(self) -> Type:
        return Integer(self.kind) if self.positive and not self.column_words else self

    @property
    def range(self) -> tuple[int, int]:
        """The smallest and the largest value that a column of this type holds."""
        low, high = self.ranges[self.kind]
        return (0 if self.positive else low), high

    def prepare(self, value: Any) -> Any:
        if value is None or type(value) is int:
            return value
        return int(value)


class Float(Type):
    kind = "float"
    python = float
    expected = "a number"

    def prepare(self, value: Any) -> Any:
        return None if value is None else float(value)


class Decimal(Type):
    """Exact numbers of ``max_digits`` digits, ``decimal_places`` of them after the point."""

    kind = "decimal"
    python = decimal.Decimal
    expected = "a decimal number"

    def __init__(self, max_digits: int | None = None, decimal_places: int | None = None) -> None:
        self.max_digits = max_digits
        self.decimal_places = decimal_places

    def prepare(self, value: Any) -> Any:
        if value is None or isinstance(value, decimal.Decimal):
            return value
        try:
            if isinstance(value, float):
                if value != value:
                    raise decimal.InvalidOperation
                return decimal.Context(prec=self.max_digits or 28).create_decimal_from_float(value)
            return decimal.Decimal(value)
        except (decimal.InvalidOperation, TypeError, ValueError):
            raise ValidationError(
                "“%(value)s” value must be a decimal number.", code="invalid", params={"value": value}
            ) from None


class Boolean(Type):
    kind = "boolean"
    python = bool
    expected = "either True or False"
    words: ClassVar[dict[Any, bool]] = {"t": True, "True": True, "1": True, "f": False, "False": False, "0": False}

    def prepare(self, value: Any) -> Any:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, (int, float)) and value in (0, 1):
            return bool(value)
        try:
            return self.words[value]
        except (KeyError, TypeError):
            raise ValidationError(
                "“%(value)s” value must be either True or False.", code="invalid", params={"value": value}
            ) from None


class Text(Type):
    """Character strings, of at most ``length`` characters where a length is given."""

    kind = "text"
    python = str
    expected = "a string"

    def __init__(self, length: int | None = None, collation: str | None = None) -> None:
        self.kind = "char" if length is not None else "text"
        self.length = length
        self.collation = collation

    def prepare(self, value: Any) -> Any:
        if value is None or type(value) is str:
            return value
        if isinstance(value, str):
            return str.__str__(value)  # an enum member or another subclass: drivers want the plain class
        return str(value)

    @property
    def preparer(self) -> Callable[[Any], Any]:
        return Unless(str, self.prepare) if type(self).prepare is Text.prepare else self.prepare


class Binary(Type):
    kind = "binary"
    python = bytes
    expected = "bytes"

    def prepare(self, value: Any) -> Any:
        if value is None or type(value) is bytes:
            return value
        if isinstance(value, str):
            raise TypeError(f"expected bytes but got the string {value!r}; encode it first")
        return bytes(value)


class Date(Type):
    kind = "date"
    python = datetime.date
    expected = "a date in the form YYYY-MM-DD"

    def prepare(self, value: Any) -> Any:
        if value is None or type(value) is datetime.date:
            return value
        if isinstance(value, datetime.datetime):
            if settings.USE_TZ and timezones.is_aware(value):
                value = timezones.make_naive(value, timezones.get_default_timezone())
            return value.date()
        if isinstance(value, datetime.date):
            return value
        return _parsed(value, dateparse.parse_date, "date", "YYYY-MM-DD")


def aware(moment: datetime.datetime, field: str) -> datetime.datetime:
    """``moment`` in the default time zone, with a warning, where it has none."""
    if timezones.is_aware(moment):
        return moment
    warnings.warn(
        f"DateTimeField {field} received a naive datetime ({moment}) while time zone support is active.",
        RuntimeWarning,
        stacklevel=3,
    )
    return timezones.make_aware(moment, timezones.get_default_timezone())


class DateTime(Type):
    """Moments. With ``USE_TZ`` values are aware and stored in UTC; without it they are naive and stored as they are
    (an aware one then depends on the database, which may know time zones by itself)."""

    kind = "datetime"
    python = datetime.datetime
    expected = "a date and time in the form YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ]"

    def prepare(self, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, datetime.datetime):
            moment = value
        elif isinstance(value, datetime.date):
            moment = datetime.datetime(value.year, value.month, value.day)
        else:
            moment = self._parse(value)
        return aware(moment, "(unbound)") if settings.USE_TZ else moment

    @staticmethod
    def _parse(value: Any) -> datetime.datetime:
        shape = "YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ]"
        try:
            day = dateparse.parse_date(value) if isinstance(value, str) else None
        except ValueError:
            day = None
        if day is not None:
            return datetime.datetime(day.year, day.month, day.day)
        moment: datetime.datetime = _parsed(value, dateparse.parse_datetime, "datetime", shape)
        return moment


class Time(Type):
    kind = "time"
    python = datetime.time
    expected = "a time in the form HH:MM[:ss[.uuuuuu]]"

    def prepare(self, value: Any) -> Any:
        if value is None or isinstance(value, datetime.time):
            return value
        if isinstance(value, datetime.datetime):
            return value.time()
        return _parsed(value, dateparse.parse_time, "time", "HH:MM[:ss[.uuuuuu]]")


class Duration(Type):
    kind = "duration"
    python = datetime.timedelta
    expected = "a duration in the form [DD] [[HH:]MM:]ss[.uuuuuu]"

    def prepare(self, value: Any) -> Any:
        if value is None or isinstance(value, datetime.timedelta):
            return value
        return _parsed(value, dateparse.parse_duration, "duration", "[DD] [[HH:]MM:]ss[.uuuuuu]")


class UUID(Type):
    kind = "uuid"
    python = uuid.UUID
    expected = "a UUID"

    def prepare(self, value: Any) -> Any:
        if value is None or isinstance(value, uuid.UUID):
            return value
        try:
            return uuid.UUID(int=value) if isinstance(value, int) else uuid.UUID(value)
        except (AttributeError, ValueError, TypeError):
            raise ValidationError("“%(value)s” is not a valid UUID.", code="invalid", params={"value": value}) from None


class Inet(Type):
    kind = "inet"
    python = str
    expected = "an IP address"

    def prepare(self, value: Any) -> Any:
        if value is None:
            return None
        text = str(value).strip()
        if ":" in text:
            try:
                return str(ipaddress.IPv6Address(text))
            except ValueError:
                pass
        return text


class _JSONNull:
    def __repr__(self) -> str:
        return "JSON_NULL"


JSON_NULL: Any = _JSONNull()
"""JSON's null as a canonical value; None is the NULL of a column."""


class JSON(Type):
    """Any JSON value. ``encoder`` and ``decoder`` are classes as the standard ``json`` module takes them."""

    # What a name after a JSON value means that is no look-up; `query.json` says it.
    keys: ClassVar[Callable[[str], Any] | None] = None

    kind = "json"
    python = object
    expected = "a value that JSON can hold"

    def __init__(self, encoder: Any = None, decoder: Any = None) -> None:
        self.encoder = encoder
        self.decoder = decoder

    def get_transform(self, name: str) -> Any:
        found = super().get_transform(name)
        if found is None and type(self).keys is not None and self.find_lookup(name) is None:
            return type(self).keys(name)  # type: ignore[misc]  # pyright: ignore[reportOptionalCall]
        return found

    def dump(self, value: Any) -> str:
        """``value`` as JSON text."""
        return "null" if value is JSON_NULL else json.dumps(value, cls=self.encoder)

    def load(self, text: Any) -> Any:
        """The value of JSON text."""
        return json.loads(text, cls=self.decoder)


def _parsed(value: Any, parse: Callable[[str], Any], what: str, shape: str) -> Any:
    params = {"value": value}
    try:
        parsed = parse(value)
    except ValueError:
        raise ValidationError(
            f"“%(value)s” value has the correct format ({shape}) but it is an invalid {what}.",
            code=f"invalid_{what}",
            params=params,
        ) from None
    except TypeError:
        raise TypeError(f"expected string or bytes-like object, got {type(value).__name__!r}") from None
    if parsed is None:
        wrong = "date format" if what == "date" else "format"
        raise ValidationError(
            f"“%(value)s” value has an invalid {wrong}. It must be in {shape} format.",
            code="invalid",
            params=params,
        )
    return parsed
