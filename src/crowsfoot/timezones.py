"""Aware and naive date-times, and the time zone in which people read them (``django.utils.timezone``).

The default zone is the setting TIME_ZONE; the current one is what ``activate`` or ``override`` chose in this thread or
task, else the default. Zones are ``zoneinfo``'s.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from zoneinfo import ZoneInfo

from crowsfoot.conf import settings
from crowsfoot.errors import ImproperlyConfigured

__all__ = [
    "activate",
    "deactivate",
    "get_current_timezone",
    "get_current_timezone_name",
    "get_default_timezone",
    "get_default_timezone_name",
    "get_fixed_timezone",
    "is_aware",
    "is_naive",
    "localdate",
    "localtime",
    "make_aware",
    "make_naive",
    "now",
    "override",
    "timedelta",
    "utc",
]

utc: Final = dt.UTC
timedelta: Final = dt.timedelta

_active: ContextVar[dt.tzinfo | None] = ContextVar("crowsfoot_timezone", default=None)


def get_fixed_timezone(offset: dt.timedelta | float) -> dt.timezone:
    """The zone that is always ``offset`` (a timedelta, or minutes) east of UTC, named like ``+0530``."""
    minutes = offset.total_seconds() // 60 if isinstance(offset, dt.timedelta) else offset
    hours, rest = divmod(int(abs(minutes)), 60)
    return dt.timezone(dt.timedelta(minutes=minutes), f"{'-' if minutes < 0 else '+'}{hours:02d}{rest:02d}")


def get_default_timezone() -> dt.tzinfo:
    """The zone of the setting TIME_ZONE. Raises ``ImproperlyConfigured`` where no such zone is known."""
    try:
        return ZoneInfo(settings.TIME_ZONE)  # zoneinfo keeps the zones it has read
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise ImproperlyConfigured(
            f"TIME_ZONE = {settings.TIME_ZONE!r} is not a time zone that this system knows, "
            "such as 'UTC' or 'Europe/Paris' (`pip install tzdata` brings the list)."
        ) from error


def get_default_timezone_name() -> str:
    """The name of the default zone."""
    return _name(get_default_timezone())


def get_current_timezone() -> dt.tzinfo:
    """The zone that was activated in this thread or task, else the default zone."""
    return _active.get() or get_default_timezone()


def get_current_timezone_name() -> str:
    """The name of the current zone."""
    return _name(get_current_timezone())


def _name(zone: dt.tzinfo) -> str:
    return zone.tzname(None) or str(zone)


def _zone(timezone: dt.tzinfo | str) -> dt.tzinfo:
    # Whatever the caller passed: the public functions are called from untyped code too.
    if isinstance(timezone, dt.tzinfo):
        return timezone
    if isinstance(timezone, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        return ZoneInfo(timezone)
    raise ValueError(f"Invalid timezone: {timezone!r}")


def activate(timezone: dt.tzinfo | str) -> None:
    """Make ``timezone`` (a zone, or its name) the current one in this thread or task.

    Raises ``ValueError`` for something else, and ``zoneinfo.ZoneInfoNotFoundError`` for an unknown name.
    """
    _active.set(_zone(timezone))


def deactivate() -> None:
    """Return to the default zone in this thread or task."""
    _active.set(None)


@contextmanager
def override(timezone: dt.tzinfo | str | None) -> Generator[None, None, None]:
    """Make ``timezone`` the current zone for a block or a decorated function; None stands for the default zone."""
    token = _active.set(None if timezone is None else _zone(timezone))
    try:
        yield
    finally:
        _active.reset(token)


def now() -> dt.datetime:
    """The present moment: aware and in UTC with USE_TZ, else naive and in the computer's local time."""
    return dt.datetime.now(utc) if settings.USE_TZ else dt.datetime.now()


def localtime(value: dt.datetime | None = None, timezone: dt.tzinfo | None = None) -> dt.datetime:
    """An aware ``value`` (by default now) as a clock in ``timezone`` (by default the current zone) shows it.

    Raises ``ValueError`` for a naive value.
    """
    if value is None:
        # now() where it can be, so that a test that replaces it moves this clock too.
        value = now() if settings.USE_TZ else dt.datetime.now(utc)
    if is_naive(value):
        raise ValueError("localtime() cannot be applied to a naive datetime")
    return value.astimezone(timezone or get_current_timezone())


def localdate(value: dt.datetime | None = None, timezone: dt.tzinfo | None = None) -> dt.date:
    """The date in ``timezone`` at the moment ``value``; arguments and errors are those of ``localtime``."""
    return localtime(value, timezone).date()


def is_aware(value: dt.datetime | dt.time) -> bool:
    """Whether a date-time or time says how far it is from UTC."""
    return value.utcoffset() is not None


def is_naive(value: dt.datetime | dt.time) -> bool:
    """Whether a date-time or time does not say how far it is from UTC."""
    return value.utcoffset() is None


def make_aware(value: dt.datetime, timezone: dt.tzinfo | None = None) -> dt.datetime:
    """A naive ``value`` as the wall clock of ``timezone`` (by default the current zone).

    Of an hour that a clock shows twice, ``value.fold`` chooses. Raises ``ValueError`` for an aware value.
    """
    if is_aware(value):
        raise ValueError(f"make_aware expects a naive datetime, got {value}")
    return value.replace(tzinfo=timezone or get_current_timezone())


def make_naive(value: dt.datetime, timezone: dt.tzinfo | None = None) -> dt.datetime:
    """An aware ``value`` as the wall clock of ``timezone`` (by default the current zone) shows it, without a zone.

    Raises ``ValueError`` for a naive value.
    """
    if is_naive(value):
        raise ValueError("make_naive() cannot be applied to a naive datetime")
    return value.astimezone(timezone or get_current_timezone()).replace(tzinfo=None)
