"""Plain values as SQL text, for statements that take no parameters: CREATE TABLE, CREATE INDEX and their like.

A dialect's ``literal`` gives each Python class its own words; what most databases share is here.
"""

from __future__ import annotations

import decimal
import math
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
