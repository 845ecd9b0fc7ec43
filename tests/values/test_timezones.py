"""Aware and naive date-times."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowsfoot import timezones as tz
from crowsfoot.conf import settings
from crowsfoot.errors import ImproperlyConfigured

PARIS = ZoneInfo("Europe/Paris")
TOKYO = ZoneInfo("Asia/Tokyo")


def test_now_follows_use_tz() -> None:
    assert tz.is_aware(tz.now())
    assert tz.now().tzinfo is tz.utc
    with settings.override(USE_TZ=False):
        assert tz.is_naive(tz.now())


def test_default_zone_follows_the_setting() -> None:
    assert tz.get_default_timezone_name() == "UTC"
    with settings.override(TIME_ZONE="Europe/Paris"):
        assert tz.get_default_timezone() is PARIS
        assert tz.get_current_timezone_name() == "Europe/Paris"
    for wrong in ("Nowhere/Land", "", "../etc/passwd", None, 3, "Europe"):
        with settings.override(TIME_ZONE=wrong), pytest.raises(ImproperlyConfigured, match="TIME_ZONE"):
            tz.get_default_timezone()


def test_activate_and_override() -> None:
    try:
        tz.activate("Asia/Tokyo")
        assert tz.get_current_timezone() is TOKYO
        with tz.override(PARIS):
            assert tz.get_current_timezone() is PARIS
            with tz.override(None):
                assert tz.get_current_timezone_name() == "UTC"
        assert tz.get_current_timezone() is TOKYO

        @tz.override("Europe/Paris")
        def zone() -> str:
            return tz.get_current_timezone_name()

        assert zone() == zone() == "Europe/Paris"
    finally:
        tz.deactivate()
    assert tz.get_current_timezone_name() == "UTC"
    nothing: Any = None
    with pytest.raises(ValueError, match="Invalid timezone: None"):
        tz.activate(nothing)
    with pytest.raises(ZoneInfoNotFoundError):
        tz.activate("Nowhere/Land")


def test_each_task_has_its_own_zone() -> None:
    async def one(name: str) -> str:
        tz.activate(name)
        await asyncio.sleep(0)
        return tz.get_current_timezone_name()

    async def both() -> list[str]:
        return list(await asyncio.gather(one("Asia/Tokyo"), one("Europe/Paris")))

    assert asyncio.run(both()) == ["Asia/Tokyo", "Europe/Paris"]


def test_local_time_without_use_tz_and_with_a_replaced_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    with settings.override(USE_TZ=False, TIME_ZONE="Asia/Tokyo"):
        assert tz.localtime().tzinfo is TOKYO
    monkeypatch.setattr(tz, "now", lambda: dt.datetime(2015, 1, 1, tzinfo=tz.utc))
    assert tz.localdate() == dt.date(2015, 1, 1)


def test_local_time_and_date() -> None:
    late = dt.datetime(2024, 6, 30, 23, 30, tzinfo=tz.utc)
    assert tz.localtime(late, TOKYO).isoformat() == "2024-07-01T08:30:00+09:00"
    assert tz.localdate(late) == dt.date(2024, 6, 30)
    with tz.override("Asia/Tokyo"):
        assert tz.localdate(late) == dt.date(2024, 7, 1)
        assert tz.localtime().tzinfo is TOKYO
    with pytest.raises(ValueError, match="naive datetime"):
        tz.localtime(dt.datetime(2024, 1, 1))


def test_make_aware_and_naive() -> None:
    noon = dt.datetime(2024, 6, 1, 12)
    assert tz.make_aware(noon, PARIS).isoformat() == "2024-06-01T12:00:00+02:00"
    assert tz.make_naive(tz.make_aware(noon, PARIS), TOKYO) == dt.datetime(2024, 6, 1, 19)
    twice = dt.datetime(2024, 10, 27, 2, 30)
    assert tz.make_aware(twice, PARIS).utcoffset() == dt.timedelta(hours=2)
    assert tz.make_aware(twice.replace(fold=1), PARIS).utcoffset() == dt.timedelta(hours=1)
    with pytest.raises(ValueError, match="expects a naive datetime"):
        tz.make_aware(tz.make_aware(noon))
    with pytest.raises(ValueError, match="cannot be applied to a naive"):
        tz.make_naive(noon)


@given(st.datetimes(dt.datetime(1900, 1, 2), dt.datetime(2100, 1, 1)))
def test_aware_and_back(value: dt.datetime) -> None:
    aware = tz.make_aware(value, tz.utc)
    assert tz.make_naive(aware, tz.utc) == value
    # Python never calls a moment of a repeated hour equal to one in another zone.
    assert tz.localtime(aware, TOKYO).astimezone(tz.utc) == aware


def test_fixed_zones() -> None:
    assert tz.get_fixed_timezone(330).tzname(None) == "+0530"
    assert tz.get_fixed_timezone(dt.timedelta(hours=-3)).tzname(None) == "-0300"
    assert tz.get_fixed_timezone(-210).utcoffset(None) == dt.timedelta(minutes=-210)
