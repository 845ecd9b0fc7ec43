"""Functions that SQLite lacks, written in Python and registered on every connection."""

from __future__ import annotations

import datetime
import math
import re
import statistics
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from crowsfoot import dateparse
from crowsfoot.sql.sqlite import duration_in

compiled = lru_cache(256)(re.compile)


def regexp(pattern: Any, text: Any) -> Any:
    return None if pattern is None or text is None else bool(compiled(pattern).search(str(text)))


def _moment(value: Any) -> Any:
    if isinstance(value, (int, float)):
        return duration_in(value)
    moment = dateparse.parse_datetime(value) if len(value) > 10 else None
    if moment is not None:
        return moment
    day = dateparse.parse_date(value) if len(value) == 10 else None
    if day is not None:
        return datetime.datetime(day.year, day.month, day.day)
    time = dateparse.parse_time(value)
    return None if time is None else datetime.datetime.combine(datetime.date(1900, 1, 1), time)


def time_diff(left: Any, right: Any) -> Any:
    """Microseconds between two moments."""
    if left is None or right is None:
        return None
    delta = _moment(left) - _moment(right)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def time_add(connector: str, left: Any, right: Any) -> Any:
    """A moment and a duration added or subtracted."""
    if left is None or right is None:
        return None
    one, other = _moment(left), _moment(right)
    result = one + other if connector == "+" else one - other
    return result.isoformat(" ") if isinstance(result, datetime.datetime) else result


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """NULL in, NULL out; what is not defined is NULL."""

    def call(*args: Any) -> Any:
        if any(arg is None for arg in args):
            return None
        try:
            return function(*args)
        except (ValueError, OverflowError, ZeroDivisionError, statistics.StatisticsError):
            return None

    return call


FUNCTIONS: list[tuple[str, int, Callable[..., Any], bool]] = [
    ("regexp", 2, regexp, True),
    ("crowsfoot_time_diff", 2, time_diff, True),
    ("crowsfoot_time_add", 3, time_add, True),
    ("POWER", 2, _strict(lambda base, exponent: base**exponent), True),
    ("SQRT", 1, _strict(math.sqrt), True),
]
