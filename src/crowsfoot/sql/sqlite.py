"""SQLite, as differences from the base dialect."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import uuid
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from crowsfoot import dateparse, timezones
from crowsfoot.conf import settings
from crowsfoot.errors import ProgrammingError
from crowsfoot.query.expressions import CombinedExpression
from crowsfoot.query.functions.datetime import zone_name
from crowsfoot.query.inference import TupleType
from crowsfoot.schema.types import JSON, Decimal, Text, Type, ValueType
from crowsfoot.sql.dialect import Converter, Dialect
from crowsfoot.sql.literals import hexadecimal, no_literal, number_literal, text_literal


def datetime_out(value: datetime.datetime) -> str:
    """Aware moments are stored in UTC, without their offset."""
    if value.tzinfo is not None:
        if not settings.USE_TZ:
            raise ValueError("SQLite backend does not support timezone-aware datetimes when USE_TZ is False.")
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    return value.isoformat(" ")


def datetime_in(value: Any) -> datetime.datetime:
    moment = value if isinstance(value, datetime.datetime) else _parse_moment(value)
    if settings.USE_TZ and moment.tzinfo is None:
        return moment.replace(tzinfo=datetime.UTC)
    return moment


def _parse_moment(value: str) -> datetime.datetime:
    try:
        return datetime.datetime.fromisoformat(value)
    except ValueError:
        parsed = dateparse.parse_datetime(value)
        if parsed is None:
            raise
        return parsed


def date_in(value: Any) -> datetime.date:
    return datetime.date.fromisoformat(value[:10]) if isinstance(value, str) else value


def time_in(value: Any) -> Any:
    return datetime.time.fromisoformat(value.rpartition(" ")[2]) if isinstance(value, str) else value


def time_out(value: datetime.time) -> str:
    if timezones.is_aware(value):
        raise ValueError("SQLite backend does not support timezone-aware times.")
    return value.isoformat()


def uuid_out(value: uuid.UUID | str) -> str:
    """A field of one's own may prepare its values as text."""
    return value.hex if isinstance(value, uuid.UUID) else uuid.UUID(value).hex


def duration_out(value: datetime.timedelta) -> int:
    return (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds


def duration_in(value: Any) -> datetime.timedelta:
    return datetime.timedelta(microseconds=value)


def decimal_out(value: decimal.Decimal) -> str:
    return format(value, "f")


def decimal_reader(places: int | None) -> Converter:
    """SQLite keeps decimals as numbers: read 15 significant digits, then the column's places."""
    create = decimal.Context(prec=15).create_decimal_from_float
    if places is None:
        return lambda value: create(value) if type(value) is float else decimal.Decimal(value)
    unit = decimal.Decimal(1).scaleb(-places)
    context = decimal.Context(prec=64)

    def read(value: Any) -> decimal.Decimal:
        found = create(value) if type(value) is float else decimal.Decimal(value)
        return found.quantize(unit, context=context)

    return read


class SQLite(Dialect):
    vendor = "sqlite"
    display_name = "SQLite"
    explain_words = "EXPLAIN QUERY PLAN"
    max_name_length = 63
    true = "1"
    false = "0"
    limit_needs_number = "-1"
    supports_default_keyword = False
    rebuilds_tables = True
    identity_suffix = "AUTOINCREMENT"
    begin = "BEGIN IMMEDIATE"
    binds_tuples = True
    max_query_params = 32_766
    defer_keys = "PRAGMA defer_foreign_keys = ON"
    keys_that_fail = (
        'SELECT v."table", k."from", v.rowid FROM pragma_foreign_key_check v '
        'JOIN pragma_foreign_key_list(v."table") k ON k.id = v.fkid ORDER BY v."table", v.rowid, k.seq LIMIT 1'
    )
    check_keys = None  # switching it off forgets the violations so far; the end of the transaction checks them
    key_is_rowid = True
    cascade_depth = 900  # SQLite's own limit for nested triggers is 1,000
    column_types: ClassVar = {
        "smallint": "smallint",
        "integer": "integer",
        "bigint": "bigint",
        "float": "real",
        "decimal": "decimal",
        "boolean": "bool",
        "char": "varchar({length})",
        "text": "text",
        "binary": "BLOB",
        "date": "date",
        "datetime": "datetime",
        "time": "time",
        "duration": "bigint",
        "uuid": "char(32)",
        "inet": "char(39)",
        "json": "text",
    }
    operators: ClassVar = {
        "^": "POWER({lhs}, {rhs})",
        "#": "crowsfoot_bitxor({lhs}, {rhs})",
    }
    binders: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "datetime": datetime_out,
        "date": datetime.date.isoformat,
        "time": time_out,
        "duration": duration_out,
        "decimal": decimal_out,
        "uuid": uuid_out,
        "boolean": int,
        "zone": zone_name,
    }
    readers: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "datetime": datetime_in,
        "date": date_in,
        "time": time_in,
        "duration": duration_in,
        "uuid": uuid.UUID,
        "boolean": bool,
    }

    def read_declared(self, types: Sequence[str | None], rows: list[Sequence[Any]]) -> list[Sequence[Any]]:
        readers = [DECLARED.get((declared or "").lower()) for declared in types]
        if not any(readers):
            return rows
        return [
            tuple(v if read is None or v is None else read(v) for read, v in zip(readers, row, strict=True))
            for row in rows
        ]

    def placeholder(self, number: int) -> str:
        return "?"

    def cast_parameter(self, mark: str, value_type: ValueType) -> str:
        # A decimal is bound as text, which only a column makes a number by itself.
        return f"CAST({mark} AS NUMERIC)" if value_type.kind == "decimal" else mark

    def operand(self, mark: str, value_type: ValueType, *, of_column: bool) -> str:
        return mark if of_column else self.cast_parameter(mark, value_type)

    def cast(self, sql: str, value_type: ValueType) -> str:
        formats = {"date": "%%Y-%%m-%%d", "time": "%%H:%%M:%%f", "datetime": "%%Y-%%m-%%d %%H:%%M:%%f"}
        words = formats.get(value_type.kind)
        return f"STRFTIME('{words}', {sql})" if words else super().cast(sql, value_type)

    def comparable(self, sql: str, value_type: ValueType | None) -> str:
        return f"JSON({sql})" if value_type is not None and value_type.kind == "json" else sql

    def compared(self, sql: str, own: ValueType | None, other: ValueType | None) -> str:
        # Both are text: a day is compared with a moment as its midnight is.
        is_day = own is not None and other is not None and (own.kind, other.kind) == ("date", "datetime")
        return f"STRFTIME('%%Y-%%m-%%d %%H:%%M:%%S', {sql})" if is_day else sql

    def sort_key(self, sql: str, value_type: ValueType) -> str:
        return f"({sql} ->> '$')" if value_type.kind == "json" else sql

    def as_number(self, sql: str, value_type: ValueType) -> str:
        if value_type.kind in ("smallint", "integer", "bigint"):
            return f"CAST({sql} AS INTEGER)"
        return self.cast_parameter(sql, value_type)

    def binder(self, value_type: ValueType) -> Converter | None:
        logical = value_type.type
        if isinstance(logical, JSON):
            return logical.dump
        if logical.kind == "any":
            return bind_any
        return self.binders.get(logical.kind)

    def array_binder(self, value_type: ValueType) -> Converter:
        if isinstance(value_type, TupleType):
            binders = [self.binder(part) or _as_it_is for part in value_type.parts]
            return lambda tuples: json.dumps([[b(v) for b, v in zip(binders, t, strict=True)] for t in tuples])
        bind = self.binder(value_type)
        if bind is None:
            return json.dumps
        return lambda values: json.dumps([bind(value) for value in values])

    def reader(self, value_type: ValueType) -> Converter | None:
        logical = value_type.type
        if isinstance(logical, Decimal):
            return decimal_reader(logical.decimal_places)
        if isinstance(logical, JSON):
            return logical.load
        return self.readers.get(logical.kind)

    def built_in(self, column_type: Type, identity: bool = False) -> str:
        if identity:
            return "integer"
        text = self.column_types[column_type.kind]
        if isinstance(column_type, Text):
            text = text.format(length=column_type.length)
        if getattr(column_type, "positive", False):
            return f"{text} unsigned"
        return text

    def column_check(self, column_type: Type, column: str) -> str | None:
        if isinstance(column_type, JSON):
            return f"(JSON_VALID({column}) OR {column} IS NULL)"
        return super().column_check(column_type, column)

    def literal(self, value: Any, value_type: ValueType) -> str:
        if isinstance(value, decimal.Decimal):  # bound it is text, which only a column would make a number again
            bound: Any = value
        else:
            bind = None if value is None else self.binder(value_type)
            bound = value if bind is None else bind(value)
        if bound is None:
            return "NULL"
        if isinstance(bound, bool):
            return str(int(bound))
        if isinstance(bound, str):
            # A statement's text ends at a NUL.
            return text_literal(bound) if "\0" not in bound else f"CAST(X'{bound.encode().hex()}' AS TEXT)"
        if isinstance(bound, (bytes, bytearray, memoryview)):
            return f"X'{hexadecimal(bound)}'"
        if isinstance(bound, float) and math.isinf(bound):
            return "9e999" if bound > 0 else "-9e999"
        found = number_literal(bound)
        if found is None:
            raise no_literal(value)
        return found

    def in_array(self, lhs: str, mark: str, node: Any) -> str:
        known = node._output_field_or_none
        value = "CAST(value AS NUMERIC)" if known is not None and known.kind == "decimal" else "value"
        if known is not None and known.kind == "json":
            lhs, value = self.comparable(lhs, known), self.comparable("value", known)
        return f"{lhs} IN (SELECT {value} FROM json_each({mark}))"

    def each(self, mark: str, value_type: ValueType) -> str:
        # Without a WHERE, the ON of what may follow would be read as that of a join.
        return f"value FROM json_each({mark}) WHERE true"

    def in_tuples(self, lhs: str, parts: Sequence[ValueType]) -> str:
        items = [f"value ->> {position}" for position in range(len(parts))]
        typed = [self.cast_parameter(item, part) for item, part in zip(items, parts, strict=True)]
        return f"{lhs} IN (SELECT {', '.join(typed)} FROM json_each(%s))"

    def part_of(self, part: str, sql: str, zone: str = "''") -> str:
        return f"crowsfoot_extract('{part}', {sql}, {zone})"

    def combine(self, node: CombinedExpression, lhs: str, rhs: str) -> str:
        kinds = [e._output_field_or_none for e in (node.lhs, node.rhs)]
        found = [k.kind if k is not None else "any" for k in kinds]
        moments = [kind for kind in found if kind in ("date", "datetime", "time")]
        if moments and (node.connector not in "+-" or (node.connector == "+" and len(moments) == 2)):
            # SQLite keeps moments as texts, and would calculate with the numbers at their beginnings.
            raise ProgrammingError(f"No operator {node.connector!r} between {found[0]} and {found[1]}: {node}.")
        if node.connector == "-" and moments and found[0] == found[1]:
            return f"crowsfoot_time_diff({lhs}, {rhs})"
        if node.connector in "+-" and "duration" in found and found != ["duration", "duration"]:
            return f"crowsfoot_time_add('{node.connector}', {lhs}, {rhs})"
        if node.connector == "/" and "decimal" in found:
            return f"({lhs} * 1.0 / {rhs})"  # a whole decimal is kept as an integer
        return super().combine(node, lhs, rhs)


def _as_it_is(value: Any) -> Any:
    return value


# What SQL of one's own finds in columns of these types: moments are naive, since a column does not say their zone.
DECLARED: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "date": date_in,
    "time": time_in,
    "datetime": _parse_moment,
    "timestamp": _parse_moment,
}


def bind_any(value: Any) -> Any:
    """A value of a type that was not told: by its Python class."""
    for klass, kind in BY_CLASS:
        if isinstance(value, klass):
            return SQLite.binders[kind](value)
    return value


BY_CLASS: list[tuple[type, str]] = [
    (bool, "boolean"),
    (datetime.datetime, "datetime"),
    (datetime.date, "date"),
    (datetime.time, "time"),
    (datetime.timedelta, "duration"),
    (decimal.Decimal, "decimal"),
    (uuid.UUID, "uuid"),
]
