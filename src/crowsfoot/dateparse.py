"""Dates, times and durations from text, and durations to text (``django.utils.dateparse`` and ``duration``).

The parsers answer None for text of another form, and raise ``ValueError`` for text of the right form that names no
date, time or duration, such as February 30th.
"""

from __future__ import annotations

import datetime as dt
import re
from fractions import Fraction
from typing import Final

__all__ = [
    "duration_iso_string",
    "duration_microseconds",
    "duration_string",
    "parse_date",
    "parse_datetime",
    "parse_duration",
    "parse_time",
]

# What is looser than datetime.fromisoformat: one digit for a month, day, hour, minute or second, more than six digits
# of a fraction, and a space before the offset.
_DATE: Final = r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
_TIME: Final = r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,12}))?)?"
_OFFSET: Final = r"\s*(?P<zone>Z|(?P<east>[-+])(?P<zone_hours>\d{2})(?::?(?P<zone_minutes>\d{2}))?)"
_DATETIME: Final = f"{_DATE}[T ]{_TIME}(?:{_OFFSET})?"

_CLOCK_DURATION: Final = (
    r"(?:(?P<days>[-+]?\d+)(?: days?(?:,? (?=.)|$)| (?=.)))?"
    r"(?:(?P<sign>[-+]?)(?:(?:(?P<hours>\d+):)?(?P<minutes>\d+):)?(?P<seconds>\d+)(?:[.,](?P<fraction>\d{1,12}))?)?"
)
"""``4 10:15:30.5`` (Django), ``1 day, 0:00:01`` (Python) and ``-1 days +04:05:06`` (PostgreSQL)."""

_NUMBER: Final = r"\d+(?:[.,]\d+)?"
_ISO_DURATION: Final = (
    rf"(?P<sign>[-+]?)P(?:(?P<W>{_NUMBER})W)?(?:(?P<D>{_NUMBER})D)?"
    rf"(?:T(?:(?P<H>{_NUMBER})H)?(?:(?P<M>{_NUMBER})M)?(?:(?P<S>{_NUMBER})S)?)?"
)
_ISO_UNITS: Final = {"W": 604_800, "D": 86_400, "H": 3_600, "M": 60, "S": 1}


def parse_date(value: str) -> dt.date | None:
    """The date that ``value`` names in ISO 8601, also with one digit for month or day: ``2024-6-1``.

    None for text of another form. Raises ``ValueError`` for a date that does not exist.
    """
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        match = re.fullmatch(_DATE, value, re.ASCII)
        return dt.date(*map(int, match.group("year", "month", "day"))) if match else None


def parse_time(value: str) -> dt.time | None:
    """The time that ``value`` names: ``HH:MM[:SS[.ffffff]]``, one digit being enough for each. An offset is ignored.

    None for text of another form. Raises ``ValueError`` for a time that does not exist.
    """
    try:
        return dt.time.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        match = re.fullmatch(_TIME, value, re.ASCII)
        return dt.time(*_clock(match)) if match else None


def parse_datetime(value: str) -> dt.datetime | None:
    """The date-time that ``value`` names: a date, a space or T, a time, and perhaps an offset from UTC.

    Aware where an offset is given, else naive; a date alone is its midnight. None for text of another form. Raises
    ``ValueError`` for a date-time that does not exist.
    """
    try:
        return dt.datetime.fromisoformat(value)
    except ValueError:
        match = re.fullmatch(_DATETIME, value, re.ASCII)
        if match is None:
            return None
        year, month, day = map(int, match.group("year", "month", "day"))
        return dt.datetime(year, month, day, *_clock(match), tzinfo=_offset(match))


def _clock(match: re.Match[str]) -> tuple[int, int, int, int]:
    return int(match["hour"]), int(match["minute"]), int(match["second"] or 0), _microseconds(match["fraction"])


def _microseconds(fraction: str | None) -> int:
    """The digits after a decimal point as microseconds; further digits are cut off."""
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def _offset(match: re.Match[str]) -> dt.timezone | None:
    if match["zone"] is None:
        return None
    if match["zone"] == "Z":
        return dt.UTC
    east = dt.timedelta(hours=int(match["zone_hours"]), minutes=int(match["zone_minutes"] or 0))
    return dt.timezone(-east if match["east"] == "-" else east)


def parse_duration(value: str) -> dt.timedelta | None:
    """The duration that ``value`` names, in any of four forms.

    ``[D ][[HH:]MM:]SS[.ffffff]``, which ``duration_string`` writes; that of ``str(timedelta)``; ISO 8601 without years
    and months, ``P4DT1H15M20S``; and PostgreSQL's ``3 days 04:05:06``. The sign of a clock holds for the clock, that of
    an ISO duration for all of it. None for text of another form. Raises ``ValueError`` for more than a timedelta holds.
    """
    match = re.fullmatch(_CLOCK_DURATION, value, re.ASCII)
    if match and value:
        clock = _whole(match["hours"]) * 3600 + _whole(match["minutes"]) * 60 + _whole(match["seconds"])
        amount = clock * 1_000_000 + _microseconds(match["fraction"])
        days = _whole(match["days"]) * 86_400_000_000
        return _duration(value, days - amount if match["sign"] == "-" else days + amount)
    match = re.fullmatch(_ISO_DURATION, value, re.ASCII)
    if match is None:
        return None
    seconds = sum(Fraction((match[unit] or "0").replace(",", ".")) * size for unit, size in _ISO_UNITS.items())
    amount = round(seconds * 1_000_000)
    return _duration(value, -amount if match["sign"] == "-" else amount)


def _whole(digits: str | None) -> int:
    return int(digits) if digits else 0


def _duration(value: str, microseconds: int) -> dt.timedelta:
    try:
        return dt.timedelta(microseconds=microseconds)
    except OverflowError:
        raise ValueError(f"a duration of {value[:50]!r} is out of range") from None


def _parts(duration: dt.timedelta) -> tuple[int, int, int, int, int]:
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return duration.days, hours, minutes, seconds, duration.microseconds


def duration_string(duration: dt.timedelta) -> str:
    """``[D ]HH:MM:SS[.ffffff]``, which ``parse_duration`` reads: a negative duration has negative days only."""
    days, hours, minutes, seconds, microseconds = _parts(duration)
    head = f"{days} " if days else ""
    tail = f".{microseconds:06d}" if microseconds else ""
    return f"{head}{hours:02d}:{minutes:02d}:{seconds:02d}{tail}"


def duration_iso_string(duration: dt.timedelta) -> str:
    """ISO 8601's form, ``P1DT02H03M04.000005S``; a negative duration is a sign and the positive one."""
    sign = "-" if duration < dt.timedelta() else ""
    # timedelta.min has no positive twin, so its parts are taken from integers.
    seconds, microseconds = divmod(abs(duration_microseconds(duration)), 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    tail = f".{microseconds:06d}" if microseconds else ""
    return f"{sign}P{days}DT{hours:02d}H{minutes:02d}M{seconds:02d}{tail}S"


def duration_microseconds(duration: dt.timedelta) -> int:
    """All of a duration in microseconds."""
    return duration // dt.timedelta(microseconds=1)
