"""Plain values as SQL text: for statements that take no parameters (CREATE TABLE, CREATE INDEX and their like), and for
people who read one that does.

A dialect's ``literal`` gives each Python class its own words; what most databases share is here.
"""

from __future__ import annotations

import datetime
import decimal
import math
import re
from collections.abc import Sequence
from typing import Any

from crowsfoot.errors import NotSupportedError


def text_literal(value: str) -> str:
    """A string between quotes, as the SQL standard has it."""
    return "'" + value.replace("'", "''") + "'"


def hexadecimal(value: Any) -> str:
    """The digits of a string of bytes, or of what can be read as one."""
    return bytes(value).hex()


def number_literal(value: Any) -> str | None:
    """An integer, a finite float or decimal; None where ``value`` is none of these."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value) if math.isfinite(value) else None
    if isinstance(value, decimal.Decimal):
        return format(value, "f") if value.is_finite() else None
    return None


def no_literal(value: Any) -> NotSupportedError:
    """The error for a value that cannot be written into a statement."""
    return NotSupportedError(
        f"{value!r} ({type(value).__name__}) cannot be written into a schema statement; use a plain value."
    )


# What is to be left alone, a text or a quoted name; or the mark of a parameter, by its number or its place.
_NUMBERED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?P<mark>\d+)""")
_PLACED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|(?P<mark>\?)""")


def with_values(sql: str, params: Sequence[Any], numbered: bool) -> str:
    """A statement with its parameters written into it, for people to read. Never send it."""
    values = iter(params)

    def said(found: re.Match[str]) -> str:
        if not found["mark"]:
            return found[0]
        value = params[int(found["mark"]) - 1] if numbered else next(values)
        is_bytes = isinstance(value, (bytes, bytearray, memoryview))
        return f"'\\x{hexadecimal(value)}'::bytea" if is_bytes and numbered else shown(value)

    return (_NUMBERED if numbered else _PLACED).sub(said, sql)


def shown(value: Any) -> str:
    """What a driver binds, as SQL for people to read."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"X'{hexadecimal(value)}'"
    if isinstance(value, (list, tuple)):
        return f"ARRAY[{', '.join(map(shown, value))}]"
    if isinstance(value, datetime.timedelta):
        return text_literal(f"{value.total_seconds()} seconds")
    return number_literal(value) or text_literal(str(value))
