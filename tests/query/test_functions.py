"""What database functions answer, alike on SQLite and PostgreSQL; and what they refuse."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from query_models import Event

from crowsfoot import models, timezones
from crowsfoot.errors import DataError, FieldError, ProgrammingError
from crowsfoot.models import Avg, Case, Count, F, Max, Q, StdDev, Sum, Value, Variance, When, Window
from crowsfoot.query import functions as fn

PARIS = ZoneInfo("Europe/Paris")
UTC = datetime.UTC
date, time, moment, span = datetime.date, datetime.time, datetime.datetime, datetime.timedelta

TEXT: list[tuple[Any, list[Any]]] = [
    (fn.Upper("name"), ["HELLO WORLD", " B "]),
    (fn.Lower("name"), ["hello world", " b "]),
    (fn.Trim("name"), ["Hello world", "b"]),
    (fn.LTrim("name"), ["Hello world", "b "]),
    (fn.RTrim("name"), ["Hello world", " b"]),
    (fn.Length("name"), [11, 3]),
    (fn.Reverse("name"), ["dlrow olleH", " b "]),
    (fn.Left("name", 3), ["Hel", " b "]),
    (fn.Right("name", 3), ["rld", " b "]),
    (fn.LPad("name", 13, Value("xy")), ["xyHello world", "xyxyxyxyxy b "]),
    (fn.LPad("name", 2), ["He", " b"]),
    (fn.RPad("name", 5, Value("xy")), ["Hello", " b xy"]),
    (fn.Repeat("name", 2), ["Hello worldHello world", " b  b "]),
    (fn.Replace("name", Value("l"), Value("L")), ["HeLLo worLd", " b "]),
    (fn.Replace("name", Value(" ")), ["Helloworld", "b"]),
    (fn.StrIndex("name", Value("l")), [3, 0]),
    (fn.Substr("name", 2, 3), ["ell", "b "]),
    (fn.Substr("name", 7), ["world", ""]),
    (fn.Chr(Value(65)), ["A", "A"]),
    (fn.Ord("name"), [72, 32]),
    (fn.MD5(Value("a")), ["0cc175b9c0f1b6a831c399e269772661"] * 2),
    (fn.SHA256(Value("")), ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"] * 2),
    (fn.Concat("name", Value("-"), "number"), ["Hello world-3", " b --7"]),
    (fn.Concat("name", Value(None), Value("!")), ["Hello world!", " b !"]),
    (F("name")[1:4], ["ell", "b "]),
]

NUMBERS: list[tuple[Any, list[Any]]] = [
    (fn.Abs("number"), [3, 7]),
    (fn.Abs("price"), [Decimal("1.50"), Decimal("3.21")]),
    (fn.Ceil("ratio"), [3.0, -1.0]),
    (fn.Floor("ratio"), [2.0, -2.0]),
    (fn.Ceil("price"), [2, -3]),
    (fn.Round("number"), [3, -7]),
    (fn.Round("ratio", 1), [2.5, -1.3]),
    (fn.Round("price"), [2, -3]),
    (fn.Mod("number", 2), [1.0, -1.0]),
    (fn.Mod("ratio", 2), [0.5, -1.25]),
    (fn.Power("number", 2), [9.0, 49.0]),
    (fn.Sqrt(fn.Abs("number")), [math.sqrt(3), math.sqrt(7)]),
    (fn.Ln(fn.Abs("ratio")), [math.log(2.5), math.log(1.25)]),
    (fn.Log(2, fn.Abs("number")), [math.log2(3), math.log2(7)]),
    (fn.Exp("ratio"), [math.exp(2.5), math.exp(-1.25)]),
    (fn.Sign("number"), [1, -1]),
    (fn.Pi(), [math.pi, math.pi]),
    (fn.Radians("number"), [math.radians(3), math.radians(-7)]),
    (fn.Degrees("ratio"), [math.degrees(2.5), math.degrees(-1.25)]),
    (fn.Sin("ratio"), [math.sin(2.5), math.sin(-1.25)]),
    (fn.Cot("ratio"), [1 / math.tan(2.5), 1 / math.tan(-1.25)]),
    (fn.ATan2("number", "ratio"), [math.atan2(3, 2.5), math.atan2(-7, -1.25)]),
]

COMPARED: list[tuple[Any, list[Any]]] = [
    (fn.Coalesce(fn.NullIf("number", Value(3)), Value(0)), [0, -7]),
    (fn.NullIf("number", Value(3)), [None, -7]),
    (fn.Greatest("number", Value(0)), [3, 0]),
    (fn.Least("ratio", Value(0.0)), [0.0, -1.25]),
    (fn.Cast("number", models.CharField(max_length=5)), ["3", "-7"]),
    (fn.Cast(Value("12"), models.IntegerField()), [12, 12]),
    (fn.Cast("number", models.FloatField()), [3.0, -7.0]),
    (fn.Cast("at", models.DateField()), [date(2024, 12, 31), date(2021, 1, 1)]),
    (Case(When(number__gt=0, then=Value("plus")), default=Value("minus")), ["plus", "minus"]),
    (fn.JSONObject(n="number", s="name"), [{"n": 3, "s": "Hello world"}, {"n": -7, "s": " b "}]),
    (fn.JSONObject(d="data"), [{"d": {"a": [1, {"b": "x"}], "n": None, "s": "text", "k": 5}}, {"d": None}]),
    (fn.JSONArray("number", Value("q"), "ratio"), [[3, "q", 2.5], [-7, "q", -1.25]]),
]

COMBINED: list[tuple[Any, list[Any]]] = [
    (F("number") + 1, [4, -6]),
    (1 - F("number"), [-2, 8]),
    (F("number") + 1.5, [4.5, -5.5]),
    (F("price") + Decimal("1.10"), [Decimal("2.60"), Decimal("-2.11")]),
    (F("price") * F("number"), [Decimal("4.50"), Decimal("22.47")]),
    (F("ratio") / 2, [1.25, -0.625]),
    (F("number") ** 2, [9, 49]),
    (F("number") % 2, [1, -1]),
    (F("number").bitand(1), [1, 1]),
    (F("number").bitor(4), [7, -3]),
    (F("number").bitxor(1), [2, -8]),
    (F("number").bitleftshift(1), [6, -14]),
    (-F("number"), [-3, 7]),
    (F("time") + span(hours=12), [time(1, 14, 15, 16), time(13, 2)]),
    (
        F("at") - span(hours=1),
        [moment(2024, 12, 31, 22, 30, 15, 123456, UTC), moment(2020, 12, 31, 23, 30, tzinfo=UTC)],
    ),
    (F("at") + F("lasts"), [moment(2025, 1, 3, 2, 30, 20, 123456, UTC), moment(2021, 1, 1, 0, 33, tzinfo=UTC)]),
    (F("at") - moment(2021, 1, 1, tzinfo=UTC), [span(1460, 84615, 123456), span(minutes=30)]),
    (F("day") - date(2021, 1, 1), [span(1459), span(2)]),
    (F("time") - time(1), [span(0, 44055, 16), span(minutes=2)]),
    (F("lasts") + F("lasts"), [span(days=4, hours=6, seconds=10), span(minutes=6)]),
]


def close(found: Any, expected: Any) -> bool:
    return bool(found == expected or (isinstance(expected, (int, float)) and found == pytest.approx(expected)))


@pytest.mark.parametrize(("expression", "expected"), [*TEXT, *NUMBERS, *COMPARED, *COMBINED], ids=repr)
def test_value(ask: Any, expression: Any, expected: list[Any]) -> None:
    found = ask.values(expression)
    assert all(map(close, found, expected)), found
    if isinstance(expected[0], (float, str, span)):
        assert type(found[0]) is type(expected[0])


def test_a_date_moved_is_a_moment(ask: Any) -> None:
    found = ask.values(F("day") + span(days=1))
    assert [value.replace(tzinfo=None) for value in found] == [moment(2024, 12, 31), moment(2021, 1, 4)]


def test_random_differs_and_stays_below_one(ask: Any) -> None:
    one, other = ask.values(fn.Random())
    assert one != other
    assert 0 <= min(one, other) <= max(one, other) <= 1


def test_now_is_between_before_and_after(ask: Any) -> None:
    before = datetime.datetime.now(UTC) - span(minutes=5)
    assert all(before < value < before + span(minutes=10) for value in ask.values(fn.Now()))
    assert ask.which(at__lt=fn.Now()) == [1, 2]


@pytest.mark.parametrize("function", [fn.UUID4, fn.UUID7])
def test_uuids_are_made_by_the_database(ask: Any, function: Any) -> None:
    if function is fn.UUID7 and ask.vendor == "postgresql":
        pytest.skip("PostgreSQL has uuidv7() from version 18 on.")
    one, other = ask.values(function())
    assert one != other
    assert one.version == int(function.__name__[-1])
    assert one.variant == "specified in RFC 4122"


# -- dates and times ---------------------------------------------------------------------------------------------------

PARTS = {
    "year": ([2025, 2021], [2024, 2021]),
    "iso_year": ([2025, 2020], [2025, 2020]),
    "quarter": ([1, 1], [4, 1]),
    "month": ([1, 1], [12, 1]),
    "week": ([1, 53], [1, 53]),
    "week_day": ([4, 6], [2, 1]),
    "iso_week_day": ([3, 5], [1, 7]),
    "day": ([1, 1], [30, 3]),
    "hour": ([0, 1], [13, 1]),
    "minute": ([30, 30], [14, 2]),
    "second": ([15, 0], [15, 0]),
}


@pytest.mark.parametrize("part", PARTS)
def test_extract(ask: Any, part: str) -> None:
    of_moment, of_other = PARTS[part]
    other = "time" if part in ("hour", "minute", "second") else "day"
    with timezones.override(PARIS):
        assert ask.values(fn.Extract("at", part)) == of_moment
        assert ask.values(fn.Extract(other, part)) == of_other
        assert ask.which(**{f"at__{part}": of_moment[0]}) == [n for n in (1, 2) if of_moment[n - 1] == of_moment[0]]
        assert ask.which(**{f"{other}__{part}__lt": of_other[0]}) == ([2] if of_other[1] < of_other[0] else [])


@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        (ZoneInfo("America/New_York"), [18, 19]),
        (datetime.timezone(span(hours=5, minutes=30)), [5, 6]),
        (datetime.timezone(-span(hours=2)), [21, 22]),
    ],
    ids=str,
)
def test_extract_in_a_zone(ask: Any, zone: Any, hours: list[int]) -> None:
    assert ask.values(fn.ExtractHour("at", tzinfo=zone)) == hours
    with timezones.override(zone):
        assert ask.values(F("at__hour")) == hours


def test_one_queryset_follows_the_current_zone(ask: Any) -> None:
    for zone, day in ((PARIS, 1), (UTC, 31), (PARIS, 1)):
        with timezones.override(zone):
            assert ask.which(at__day=day) == ([1, 2] if day == 1 and zone is PARIS else [1])


def test_durations_have_parts(ask: Any) -> None:
    assert ask.values(fn.ExtractDay("lasts")) == [2, 0]
    assert ask.values(fn.ExtractHour("lasts")) == [3, 0]
    assert ask.values(fn.ExtractMinute("lasts")) == [0, 3]


def test_an_unknown_part_is_an_error_of_the_data_as_well() -> None:
    for family in (DataError, ValueError):
        with pytest.raises(family, match=r"Invalid kind: 'yaer'\. It is one of year, quarter"):
            fn.Trunc("at", "yaer")


@pytest.mark.parametrize("nonsense", [F("at") * span(days=1), F("at") + F("at"), F("at") / 2, span(days=1) * F("at")])
def test_moments_can_only_be_moved_and_subtracted(ask: Any, nonsense: Any) -> None:
    with pytest.raises(ProgrammingError):
        ask.which(at=nonsense)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("year", moment(2025, 1, 1)),
        ("quarter", moment(2025, 1, 1)),
        ("month", moment(2025, 1, 1)),
        ("week", moment(2024, 12, 30)),
        ("day", moment(2025, 1, 1)),
        ("hour", moment(2025, 1, 1)),
        ("minute", moment(2025, 1, 1, 0, 30)),
        ("second", moment(2025, 1, 1, 0, 30, 15)),
    ],
)
def test_trunc(ask: Any, kind: str, expected: datetime.datetime) -> None:
    with timezones.override(PARIS):
        found = ask.values(fn.Trunc("at", kind))[0]
        assert found == expected.replace(tzinfo=PARIS)
        assert found.utcoffset() == span(hours=1)
        assert ask.values(fn.Trunc("at", kind, output_field=models.DateField()))[0] == expected.date()
        cut = Event.objects.annotate(cut=fn.Trunc("at", kind)).filter(cut=found)
        assert ask(cut.values_list("id", flat=True)) == [1]


def test_dates_and_times_are_cut_too(ask: Any) -> None:
    assert ask.values(fn.TruncMonth("day")) == [date(2024, 12, 1), date(2021, 1, 1)]
    assert ask.values(fn.TruncMinute("time")) == [time(13, 14), time(1, 2)]
    with timezones.override(PARIS):
        assert ask.values(fn.TruncDate("at")) == [date(2025, 1, 1), date(2021, 1, 1)]
        assert ask.values(fn.TruncTime("at")) == [time(0, 30, 15, 123456), time(1, 30)]
        assert ask.which(at__date=date(2025, 1, 1)) == [1]
        assert ask.which(at__date__year__gte=2025) == [1]
        assert ask.which(at__time__lt=time(1)) == [1]


def test_groups_by_a_part(ask: Any) -> None:
    grouped = Event.objects.annotate(year=fn.TruncYear("at")).values("year").annotate(n=Count("id")).order_by("year")
    assert ask(grouped.values_list("year", "n")) == [
        (moment(2021, 1, 1, tzinfo=UTC), 1),
        (moment(2024, 1, 1, tzinfo=UTC), 1),
    ]
    by_size = Event.objects.annotate(size=F("number") * 2 + 1).values("size").annotate(n=Count("id")).order_by("size")
    assert ask(by_size.values_list("size", "n")) == [(-13, 1), (7, 1)]


# -- windows and aggregates --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(fn.RowNumber(), order_by="-number"), [1, 2]),
        (Window(fn.Rank(), partition_by="name", order_by="number"), [1, 1]),
        (Window(fn.DenseRank(), order_by=F("number").asc()), [2, 1]),
        (Window(Sum("number"), order_by="number", frame=models.RowRange(start=None, end=0)), [-4, -7]),
        (Window(Sum("number"), order_by="number", frame=models.RowRange(start=0, end=None)), [3, -4]),
        (Window(Avg("number")), [-2.0, -2.0]),
        (Window(Count("id", filter=Q(number__gt=0))), [1, 1]),
        (Window(fn.Lag("number", default=Value(0)), order_by="number"), [-7, 0]),
        (Window(fn.Lead("number"), order_by="number"), [None, 3]),
        (Window(fn.FirstValue("name"), order_by="number"), [" b ", " b "]),
        (Window(fn.NthValue("number", 2), order_by="number"), [3, None]),
        (Window(fn.Ntile(2), order_by="number"), [2, 1]),
        (Window(fn.CumeDist(), order_by="number"), [1.0, 0.5]),
        (Window(fn.PercentRank(), order_by="number"), [1.0, 0.0]),
    ],
    ids=repr,
)
def test_window(ask: Any, window: Any, expected: list[Any]) -> None:
    assert ask.values(window) == expected


def test_aggregates(ask: Any) -> None:
    found = ask.one(
        Event.objects.aggregate,
        mean=Avg("number"),
        spread=StdDev("number"),
        sample=StdDev("ratio", sample=True),
        variance=Variance("number"),
        total=Sum("price"),
        last=Max("at"),
        time=Sum("lasts"),
        none=Sum("number", filter=Q(number__gt=100), default=0),
    )
    assert found["mean"] == -2.0
    assert isinstance(found["mean"], float)
    assert found["spread"] == pytest.approx(5.0)
    assert found["sample"] == pytest.approx(2.651650429)
    assert found["variance"] == pytest.approx(25.0)
    assert found["total"] == Decimal("-1.71")
    assert found["last"] == moment(2024, 12, 31, 23, 30, 15, 123456, UTC)
    assert found["time"] == span(days=2, hours=3, minutes=3, seconds=5)
    assert found["none"] == 0


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fn.Extract("at"), "lookup_name must be provided"),
        (lambda: fn.Extract("at", "year FROM x"), "Invalid lookup_name: 'year FROM x'"),
        (lambda: fn.Trunc("at", "year'"), "Invalid kind"),
        (lambda: fn.Left("name", 0), "'length' must be greater than 0."),
        (lambda: fn.Substr("name", 0), "'pos' must be greater than 0"),
        (lambda: fn.Coalesce("name"), "Coalesce must take at least two expressions"),
        (lambda: fn.Concat("name"), "Concat must take at least two expressions"),
        (lambda: fn.Lag("name", offset=0), "Lag requires a positive integer for the offset."),
        (lambda: fn.Ntile(0), "num_buckets must be greater than 0."),
        (lambda: models.RowRange(start=2, end=1), "start cannot be greater than end"),
        (lambda: Window(F("name")), "isn't compatible with OVER clauses"),
        (
            lambda: Event.objects.annotate(v=fn.ExtractHour("day")),
            "Cannot extract time component 'hour' from DateField 'day'.",
        ),
        (
            lambda: Event.objects.annotate(v=fn.ExtractYear("lasts")),
            "Cannot extract component 'year' from DurationField",
        ),
        (lambda: Event.objects.annotate(v=fn.ExtractYear("name")), "Extract input expression must be DateField"),
        (
            lambda: Event.objects.annotate(v=fn.ExtractYear("day", tzinfo=UTC)),
            "tzinfo can only be used with DateTimeField.",
        ),
        (lambda: Event.objects.annotate(v=fn.TruncHour("day")), "Cannot truncate DateField 'day' to DateTimeField."),
        (lambda: Event.objects.annotate(v=fn.TruncYear("time")), "Cannot truncate TimeField 'time' to DateTimeField."),
    ],
)
def test_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "expression",
    [
        F("ratio") + F("price"),
        F("name") + F("number"),
        F("at") + F("at"),
        F("number").bitand(F("ratio")),
        F("lasts") - F("at"),
    ],
    ids=repr,
)
def test_a_type_that_cannot_be_told(database: Any, expression: Any) -> None:
    with pytest.raises(FieldError, match="You must set output_field"):
        list(Event.objects.annotate(v=expression).filter(v=1))


def test_mixed_types(database: Any) -> None:
    with pytest.raises(FieldError, match="mixed types: CharField, IntegerField"):
        list(Event.objects.annotate(v=fn.Coalesce("name", "number")).filter(v=1))
