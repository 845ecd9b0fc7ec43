"""Functions that SQLite lacks, written in Python and registered on every connection."""

from __future__ import annotations

import datetime
import hashlib
import json
import operator
import random
import re
import statistics
import time
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from crowsfoot import dateparse
from crowsfoot.sql.sqlite import datetime_out, duration_in, duration_out

Part = Callable[[Any], int]
compiled = lru_cache(256)(re.compile)


def regexp(pattern: str, text: Any) -> bool:
    return bool(compiled(pattern).search(str(text)))


# -- dates and times ---------------------------------------------------------------------------------------------------


@lru_cache(64)
def zone_of(name: str) -> datetime.tzinfo:
    """The zone of this name, or of an offset such as ``+05:30``."""
    if name[0] not in "+-":
        return ZoneInfo(name)
    hours, _, minutes = name[1:].partition(":")
    offset = datetime.timedelta(hours=int(hours), minutes=int(minutes or 0))
    return datetime.timezone(-offset if name[0] == "-" else offset)


def moment_of(value: Any, zone: str = "") -> Any:
    """What a column holds, as a ``datetime``, a ``time`` or a ``timedelta``; a moment is moved into ``zone``."""
    if isinstance(value, (int, float)):
        return duration_in(value)
    if len(value) > 10:
        moment = dateparse.parse_datetime(value)
        if moment is not None:
            if not zone:
                return moment.replace(tzinfo=None)
            return moment.replace(tzinfo=moment.tzinfo or datetime.UTC).astimezone(zone_of(zone)).replace(tzinfo=None)
    day = dateparse.parse_date(value)
    if day is not None:
        return datetime.datetime(day.year, day.month, day.day)
    return dateparse.parse_time(value)


PARTS: dict[str, Part] = {
    "iso_year": lambda moment: moment.isocalendar().year,
    "quarter": lambda moment: (moment.month + 2) // 3,
    "week": lambda moment: moment.isocalendar().week,
    "week_day": lambda moment: moment.isoweekday() % 7 + 1,
    "iso_week_day": lambda moment: moment.isoweekday(),
}
DURATION_PARTS: dict[str, Part] = {
    "day": lambda duration: duration.days,
    "hour": lambda duration: duration.seconds // 3600,
    "minute": lambda duration: duration.seconds // 60 % 60,
    "second": lambda duration: duration.seconds % 60,
}


def extract(part: str, value: Any, zone: str) -> int:
    moment = moment_of(value, zone)
    if isinstance(moment, datetime.timedelta):
        return DURATION_PARTS[part](moment)
    found = PARTS.get(part)
    return found(moment) if found is not None else getattr(moment, part)


CUT: dict[str, dict[str, int]] = {"second": {"microsecond": 0}}
CUT["minute"] = {**CUT["second"], "second": 0}
CUT["hour"] = {**CUT["minute"], "minute": 0}
CUT["day"] = CUT["week"] = {**CUT["hour"], "hour": 0}
CUT["month"] = CUT["quarter"] = {**CUT["day"], "day": 1}
CUT["year"] = {**CUT["month"], "month": 1}


def trunc(part: str, kind: str, value: Any, zone: str) -> str:
    """``value`` without all that is smaller than ``part``, as a date, a time, or a moment as columns hold it."""
    moment = moment_of(value, zone).replace(**CUT.get(part, {}))
    if part == "quarter":
        moment = moment.replace(month=(moment.month - 1) // 3 * 3 + 1)
    elif part == "week":
        moment -= datetime.timedelta(days=moment.weekday())
    if kind == "datetime":
        return datetime_out(moment.replace(tzinfo=zone_of(zone)) if zone else moment)
    if isinstance(moment, datetime.datetime):
        moment = moment.date() if kind == "date" else moment.time()
    return str(moment.isoformat())


def time_diff(left: Any, right: Any) -> int:
    """Microseconds between two moments."""
    one, other = _dated(moment_of(left)), _dated(moment_of(right))
    return duration_out(one - other)


def _dated(moment: Any) -> datetime.datetime:
    return datetime.datetime.combine(DAY, moment) if isinstance(moment, datetime.time) else moment


def time_add(connector: str, left: Any, right: Any) -> str:
    """A moment and a duration added or subtracted; a time of day stays one."""
    moments: list[Any] = [moment_of(left), moment_of(right)]
    is_time = any(isinstance(each, datetime.time) for each in moments)
    moments = [_dated(each) if isinstance(each, datetime.time) else each for each in moments]
    one, other = moments
    result = one + other if connector == "+" else one - other
    return str(result.time().isoformat() if is_time else result.isoformat(" "))


DAY = datetime.date(1900, 1, 1)


# -- JSON --------------------------------------------------------------------------------------------------------------


def json_contains(whole: str, part: str) -> bool:
    """Whether ``part`` is in ``whole`` as PostgreSQL's ``@>`` has it: an array also contains a single item."""
    one, other = json.loads(whole), json.loads(part)
    if isinstance(one, list) and not isinstance(other, (list, dict)):
        return any(_same(item, other) for item in one)
    return _contains(one, other)


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and _contains(whole[key], value) for key, value in part.items())
    if isinstance(whole, list) and isinstance(part, list):
        return all(any(_contains(item, wanted) for item in whole) for wanted in part)
    return _same(whole, part)


def _same(one: Any, other: Any) -> bool:
    """Equal, where True is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


# -- text and more -----------------------------------------------------------------------------------------------------


def lpad(text: str, length: int, fill: str) -> str:
    missing = length - len(text)
    return text[:length] if missing <= 0 else (fill * length)[:missing] + text


def rpad(text: str, length: int, fill: str) -> str:
    return (text + fill * length)[:length]


def left(text: Any, length: int) -> str:
    return str(text)[:length]


def right(text: Any, length: int) -> str:
    return str(text)[-length:] if length else ""


def join(texts: str, delimiter: str) -> str | None:
    """The items of a JSON array as one text; NULL where there is none but NULLs."""
    found = [str(item) for item in json.loads(texts) if item is not None]
    return delimiter.join(found) if found else None


def digest(name: str, text: str) -> str:
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def uuid7() -> str:
    """48 bits of milliseconds, then chance, with the marks of version 7."""
    bits = int(time.time() * 1000) << 80 | random.SystemRandom().getrandbits(80)
    bits = bits & ~(0xF000 << 64) | 0x7000 << 64
    return uuid.UUID(int=bits & ~(0xC000 << 48) | 0x8000 << 48).hex


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """NULL in, NULL out."""

    def call(*args: Any) -> Any:
        return None if None in args else function(*args)

    return call


# -- aggregates --------------------------------------------------------------------------------------------------------


class Statistic:
    """An aggregate of numbers; NULL where ``least`` of them are not there."""

    least = 1
    compute: Callable[[list[float]], float]

    def __init__(self) -> None:
        self.values: list[float] = []

    def step(self, value: float | None) -> None:
        if value is not None:
            self.values.append(float(value))

    def final(self) -> float | None:
        return type(self).compute(self.values) if len(self.values) >= self.least else None


class StdDevPop(Statistic):
    compute = staticmethod(statistics.pstdev)


class StdDevSamp(Statistic):
    least = 2
    compute = staticmethod(statistics.stdev)


class VarPop(Statistic):
    compute = staticmethod(statistics.pvariance)


class VarSamp(Statistic):
    least = 2
    compute = staticmethod(statistics.variance)


class Bits:
    """An aggregate of whole numbers, bit by bit; NULL where there are none."""

    combine: Callable[[int, int], int]

    def __init__(self) -> None:
        self.value: int | None = None

    def step(self, value: int | None) -> None:
        if value is not None:
            self.value = value if self.value is None else type(self).combine(self.value, value)

    def final(self) -> int | None:
        return self.value


class BitAnd(Bits):
    combine = staticmethod(operator.and_)


class BitOr(Bits):
    combine = staticmethod(operator.or_)


class BitXor(Bits):
    combine = staticmethod(operator.xor)


FUNCTIONS: list[tuple[str, int, Callable[..., Any], bool]] = [
    ("regexp", 2, _strict(regexp), True),
    ("crowsfoot_extract", 3, _strict(extract), True),
    ("crowsfoot_trunc", 4, _strict(trunc), True),
    ("crowsfoot_time_diff", 2, _strict(time_diff), True),
    ("crowsfoot_time_add", 3, _strict(time_add), True),
    ("crowsfoot_json_contains", 2, _strict(json_contains), True),
    ("crowsfoot_bitxor", 2, _strict(operator.xor), True),
    ("crowsfoot_lpad", 3, _strict(lpad), True),
    ("crowsfoot_rpad", 3, _strict(rpad), True),
    ("crowsfoot_left", 2, _strict(left), True),
    ("crowsfoot_right", 2, _strict(right), True),
    ("crowsfoot_repeat", 2, _strict(lambda text, number: str(text) * number), True),
    ("crowsfoot_reverse", 1, _strict(lambda text: str(text)[::-1]), True),
    ("crowsfoot_join", 2, _strict(join), True),
    ("crowsfoot_digest", 2, _strict(digest), True),
    ("crowsfoot_uuid4", 0, lambda: uuid.uuid4().hex, False),
    ("crowsfoot_uuid7", 0, uuid7, False),
    ("BIT_AND", 1, BitAnd, True),
    ("BIT_OR", 1, BitOr, True),
    ("BIT_XOR", 1, BitXor, True),
    ("STDDEV_POP", 1, StdDevPop, True),
    ("STDDEV_SAMP", 1, StdDevSamp, True),
    ("VAR_POP", 1, VarPop, True),
    ("VAR_SAMP", 1, VarSamp, True),
]
