"""Dates, times and durations from text and back."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crowsfoot.dateparse import (
    duration_iso_string,
    duration_microseconds,
    duration_string,
    parse_date,
    parse_datetime,
    parse_duration,
    parse_time,
)

D: TypeAlias = dt.date
T: TypeAlias = dt.time
DT: TypeAlias = dt.datetime


def td(**parts: float) -> dt.timedelta:
    return dt.timedelta(**parts)


def east(**parts: int) -> dt.timezone:
    return dt.timezone(dt.timedelta(**parts))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2012-04-23", D(2012, 4, 23)),
        ("2012-4-9", D(2012, 4, 9)),
        ("20120423", D(2012, 4, 23)),
        ("12-04-23", None),
        ("2012-04-23T10:00", None),
        ("2012-4-9\n", None),
        (" 2012-04-23", None),
        ("٢٠١٢-٤-٩", None),
        ("", None),
    ],
)
def test_dates(text: str, expected: D | None) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("09:15", T(9, 15)),
        ("9:5", T(9, 5)),
        ("4:8:16", T(4, 8, 16)),
        ("091500", T(9, 15)),
        ("10:20:30.4", T(10, 20, 30, 400_000)),
        ("9:20:30,4", T(9, 20, 30, 400_000)),
        ("10:20:30.1234567891", T(10, 20, 30, 123_456)),
        ("00:05:23+04:00", T(0, 5, 23)),
        ("9:15 ", None),
        ("9", None),
        ("9:15:00.", None),
        ("", None),
    ],
)
def test_times(text: str, expected: T | None) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2012-04-23T09:15:00", DT(2012, 4, 23, 9, 15)),
        ("2012-4-9 4:8:16", DT(2012, 4, 9, 4, 8, 16)),
        ("2012-04-23T09:15:00Z", DT(2012, 4, 23, 9, 15, tzinfo=dt.UTC)),
        ("2012-4-9 4:8:16-0320", DT(2012, 4, 9, 4, 8, 16, tzinfo=east(hours=-3, minutes=-20))),
        ("2012-04-23T10:20:30.400+02:30", DT(2012, 4, 23, 10, 20, 30, 400_000, east(hours=2, minutes=30))),
        ("2012-04-23T10:20:30,4 +02", DT(2012, 4, 23, 10, 20, 30, 400_000, east(hours=2))),
        ("2012-04-23 10:20:30   Z", DT(2012, 4, 23, 10, 20, 30, tzinfo=dt.UTC)),
        ("2012-04-23", DT(2012, 4, 23)),
        ("2012-4-9", None),
        ("20120423091500", None),
        ("2012-4-9x4:08", None),
        ("2012-4-9 4:8:16+2", None),
        ("", None),
    ],
)
def test_datetimes(text: str, expected: DT | None) -> None:
    parsed = parse_datetime(text)
    assert parsed == expected
    assert (parsed and parsed.utcoffset()) == (expected and expected.utcoffset())


@pytest.mark.parametrize("parse", [parse_date, parse_datetime])
@pytest.mark.parametrize("text", ["2012-04-56", "2012-02-30", "0000-1-1"])
def test_days_that_do_not_exist(parse: Any, text: str) -> None:
    if parse is parse_datetime:
        text += " 9:05"
    with pytest.raises(ValueError, match=r"must be in|out of range|year 0"):
        parse(text)


@pytest.mark.parametrize("text", ["25:00", "9:60", "23:59:60"])
def test_times_that_do_not_exist(text: str) -> None:
    with pytest.raises(ValueError, match="must be in"):
        parse_time(text)
    with pytest.raises(ValueError, match="must be in"):
        parse_datetime(f"2012-04-23 {text}")


def test_offsets_that_do_not_exist() -> None:
    with pytest.raises(ValueError, match="offset"):
        parse_datetime("2012-4-9 4:08+99")


@given(st.dates())
def test_dates_round_trip(value: D) -> None:
    assert parse_date(value.isoformat()) == value
    assert parse_date(f"{value.year:04d}-{value.month}-{value.day}") == value


@given(st.times())
def test_times_round_trip(value: T) -> None:
    assert parse_time(str(value)) == value
    assert parse_time(f"{value.hour}:{value.minute}:{value.second}.{value.microsecond:06d}") == value


@given(st.datetimes(timezones=st.none() | st.timezones() | st.builds(east, minutes=st.integers(-1439, 1439))))
@example(DT(1, 1, 1, tzinfo=east(hours=23)))
def test_datetimes_round_trip(value: DT) -> None:
    for text in (str(value), value.isoformat()):
        parsed = parse_datetime(text)
        assert parsed is not None
        assert parsed.replace(tzinfo=None, fold=value.fold) == value.replace(tzinfo=None)
        assert parsed.utcoffset() == value.utcoffset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30", td(seconds=30)),
        ("15:30", td(minutes=15, seconds=30)),
        ("10:15:30", td(hours=10, minutes=15, seconds=30)),
        ("100:75:99", td(hours=100, minutes=75, seconds=99)),
        ("4 15:30", td(days=4, minutes=15, seconds=30)),
        ("-4 15:30", td(days=-4, minutes=15, seconds=30)),
        ("4 -15:30", td(days=4, minutes=-15, seconds=-30)),
        ("-172800", td(days=-2)),
        ("-30.1", td(seconds=-30, milliseconds=-100)),
        ("15:30.001", td(minutes=15, seconds=30, milliseconds=1)),
        ("15:30,5", td(minutes=15, seconds=30, milliseconds=500)),
        ("1 day, 0:00:01", td(days=1, seconds=1)),
        ("-1 day, 23:59:59", td(seconds=-1)),
        ("3 days", td(days=3)),
        ("-1 days", td(days=-1)),
        ("1 day 04:05:06", td(days=1, hours=4, minutes=5, seconds=6)),
        ("1 day -04:05:06", td(days=1, hours=-4, minutes=-5, seconds=-6)),
        ("-1 days +04:05:06.5", td(days=-1, hours=4, minutes=5, seconds=6.5)),
        ("P4D", td(days=4)),
        ("P1W", td(days=7)),
        ("P0.5D", td(hours=12)),
        ("-P0,5D", td(hours=-12)),
        ("PT5H", td(hours=5)),
        ("-PT1.5M", td(seconds=-90)),
        ("PT0.000005S", td(microseconds=5)),
        ("P4DT1H15M20S", td(days=4, hours=1, minutes=15, seconds=20)),
        ("P1DT", td(days=1)),
        *((text, None) for text in ("", "-", "day", "days", "4 ", "1:15:", "P4Y", "P4M", "P-4D", "p4d", ".5", "5.")),
        *((text, None) for text in (" 30", "30 ", "1 2 3", "1.5 days", "0:0:0:1", "1e3", "4 days ", "1 day, ", "٣")),
        *((text, None) for text in ("30\n", "4  15:30", "3 days\n", "1,5 days", "P1DT-1S", "1 day1")),
    ],
)
def test_durations(text: str, expected: dt.timedelta | None) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["99999999999 0:0:0", "P99999999999D", "9" * 30, "9" * 5000, "-P9999999999W"])
def test_durations_too_long(text: str) -> None:
    with pytest.raises(ValueError, match=r"out of range|digit"):
        parse_duration(text)


@given(st.timedeltas())
@example(dt.timedelta.min)
@example(dt.timedelta.max)
def test_durations_round_trip(value: dt.timedelta) -> None:
    assert parse_duration(str(value)) == value
    assert parse_duration(duration_string(value)) == value
    assert parse_duration(duration_iso_string(value)) == value
    assert dt.timedelta(microseconds=duration_microseconds(value)) == value


@given(st.integers(-10_000, 10_000), st.integers(-(10**12), 10**12))
def test_postgresql_durations(days: int, clock: int) -> None:
    seconds, rest = divmod(abs(clock), 1_000_000)
    sign = "-" if clock < 0 else "+"
    text = f"{days} days {sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:06d}"
    assert parse_duration(text) == dt.timedelta(days=days, microseconds=clock)


@given(st.text(alphabet="0123456789:.,-+ PTWDHMSZdays\n", max_size=24) | st.text(max_size=12))
def test_only_value_error(text: str) -> None:
    for parse in (parse_date, parse_time, parse_datetime, parse_duration):
        with contextlib.suppress(ValueError):
            parse(text)


def test_strings() -> None:
    assert duration_string(td(days=1, hours=1, minutes=3, seconds=5, microseconds=12345)) == "1 01:03:05.012345"
    assert duration_string(td(days=-1, hours=1, minutes=3, seconds=5)) == "-1 01:03:05"
    assert duration_string(td()) == "00:00:00"
    assert duration_iso_string(td(days=1, hours=2, microseconds=1)) == "P1DT02H00M00.000001S"
    assert duration_iso_string(td(days=-1, hours=1, minutes=3, seconds=5)) == "-P0DT22H56M55S"
    assert duration_iso_string(td()) == "P0DT00H00M00S"
