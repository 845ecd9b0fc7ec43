"""What look-ups find, alike on SQLite and PostgreSQL; and the SQL they are said in."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pytest
from query_models import UTC, Event

from crowsfoot import timezones
from crowsfoot.errors import FieldError
from crowsfoot.models import F, Q, Value
from crowsfoot.query.functions import Length
from crowsfoot.query.json import KT, JSONNull
from crowsfoot.query.lookups import GreaterThan, LessThan

BIG = 10**30
TOKEN = "12345678-1234-4234-8234-123456789abc"


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({"number": BIG}, []),
        ({"number__gt": BIG}, []),
        ({"number__gte": BIG}, []),
        ({"number__lt": BIG}, [1, 2]),
        ({"number__lte": BIG}, [1, 2]),
        ({"number__gt": -BIG}, [1, 2]),
        ({"number__lt": -BIG}, []),
        ({"number__in": [3, BIG]}, [1]),
        ({"number__in": [BIG]}, []),
        ({"number__range": (0, BIG)}, [1]),
        ({"number": 2**40}, []),
        ({"number__lt": 2**40}, [1, 2]),
        ({"number__in": [2**40, -7]}, [2]),
        ({"number__lt": 3.5}, [1, 2]),
        ({"number__gte": 2.5}, [1]),
        ({"ratio": 2.5}, [1]),
        ({"ratio__gt": Decimal("-1.25")}, [1]),
        ({"ratio__lt": 3}, [1, 2]),
        ({"price": Decimal("1.5")}, [1]),
        ({"price": 1.5}, [1]),
        ({"price__in": [Decimal("1.50"), 7]}, [1]),
        ({"price__lt": 0}, [2]),
        ({"open": True}, [1]),
        ({"open__exact": False}, [2]),
        ({"name__icontains": "HELLO"}, [1]),
        ({"name__iexact": "hello WORLD"}, [1]),
        ({"name__iexact": "hello%"}, []),
        ({"name__contains": "%"}, []),
        ({"name__regex": r"^H.*d$"}, [1]),
        ({"name__iregex": r"^h"}, [1]),
        ({"number__icontains": "7"}, [2]),
        ({"number__startswith": "-"}, [2]),
        ({"token": uuid.UUID(TOKEN)}, [1]),
        ({"token": TOKEN}, [1]),
        ({"token__in": [TOKEN]}, [1]),
        ({"token__iexact": TOKEN.upper()}, [1]),
        ({"token__icontains": "5678-1234"}, [1]),
        ({"token__startswith": "12345678-"}, [1]),
        ({"token__endswith": "000001"}, [2]),
        ({"day": "2021-01-03"}, [2]),
        ({"day__range": (datetime.date(2020, 1, 1), datetime.date(2022, 1, 1))}, [2]),
        ({"at__gt": datetime.datetime(2024, 1, 1, tzinfo=UTC)}, [1]),
        ({"time__in": [datetime.time(1, 2)]}, [2]),
        ({"lasts__gt": datetime.timedelta(days=1)}, [1]),
        ({"day__year": 2024}, [1]),
        ({"day__year__lt": 2024}, [2]),
        ({"day__iso_year": 2025}, [1]),
        ({"day__iso_year__gt": 2020}, [1]),
        ({"at__year__in": [2021, 2030]}, [2]),
        ({"at__year__range": (2020, 2022)}, [2]),
        ({"at__year": F("day__year")}, [1, 2]),
    ],
    ids=repr,
)
def test_found(ask: Any, conditions: dict[str, Any], found: list[int]) -> None:
    for _ in range(2):  # the second time by the plan of the first
        assert ask.which(**conditions) == found
    assert ask.which(~Q(**conditions)) == [n for n in (1, 2) if n not in found]


def test_a_number_too_large_does_not_spoil_the_plan_for_others(ask: Any) -> None:
    assert [ask.which(number__gt=n) for n in (0, BIG, -BIG, -7, BIG)] == [[1], [], [1, 2], [1], []]


def test_a_year_begins_where_one_is(ask: Any) -> None:
    with timezones.override("Europe/Paris"):
        assert ask.which(at__year=2025) == [1]
        assert ask.which(at__year__gt=2024) == [1]
    assert ask.which(at__year=2025) == []
    assert ask.which(at__year=2024) == [1]


def test_expressions_are_compared(ask: Any) -> None:
    assert ask.which(GreaterThan(F("number"), 0)) == [1]
    assert ask.which(GreaterThan(Length("name"), Value(3))) == [1]
    assert ask.which(GreaterThan(4, F("number"))) == [1, 2]
    assert ask.which(LessThan(F("number"), 2.5)) == [2]
    assert ask.which(open=Q(number__gt=F("ratio"))) == [1, 2]
    assert ask.which(ratio__lt=F("price")) == []
    assert ask.which(number__in=[F("number"), 100]) == [1, 2]
    sums = Event.objects.annotate(sum=F("price") + Decimal("1.00"))
    assert ask(sums.filter(sum__gt=Decimal("2.00")).values_list("id", flat=True)) == [1]
    assert ask(sums.filter(sum__in=[Decimal("2.50")]).values_list("id", flat=True)) == [1]
    assert ask(sums.filter(sum=2.5).values_list("id", flat=True)) == [1]


# -- JSON --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({"data": {"a": [1, {"b": "x"}], "n": None, "s": "text", "k": 5}}, [1]),
        ({"data": {"a": 1}}, []),
        ({"data__k": 5}, [1]),
        ({"data__k": "5"}, []),
        ({"data__k__gt": 4}, [1]),
        ({"data__k__lte": 4}, []),
        ({"data__k__in": [4, 5]}, [1]),
        ({"data__s": "text"}, [1]),
        ({"data__s__icontains": "EX"}, [1]),
        ({"data__s__startswith": "te"}, [1]),
        ({"data__s__startswith": '"'}, []),
        ({"data__s__iexact": "TEXT"}, [1]),
        ({"data__s__regex": "^t.*t$"}, [1]),
        ({"data__a__1__b": "x"}, [1]),
        ({"data__a__0": 1}, [1]),
        ({"data__a": [1, {"b": "x"}]}, [1]),
        ({"data__n": None}, [1]),
        ({"data__n": JSONNull()}, [1]),
        ({"data__n__isnull": False}, [1]),
        ({"data__missing": None}, []),
        ({"data__missing__isnull": True}, [1, 2]),
        ({"data__k__isnull": True}, [2]),
        ({"data__has_key": "k"}, [1]),
        ({"data__has_key": "missing"}, []),
        ({"data__a__1__has_key": "b"}, [1]),
        ({"data__has_keys": ["k", "s"]}, [1]),
        ({"data__has_keys": ["k", "missing"]}, []),
        ({"data__has_any_keys": ["k", "missing"]}, [1]),
        ({"data__contains": {"k": 5}}, [1]),
        ({"data__contains": {"a": [{"b": "x"}]}}, [1]),
        ({"data__contains": {"k": 6}}, []),
        ({"data__a__contains": 1}, [1]),
        ({"data__a__contained_by": [1, 2, {"b": "x"}]}, [1]),
        ({"data__isnull": True}, [2]),
        ({"data": None}, []),
        ({"data__in": [None, {"x": 1}]}, []),
        ({"data__quo'te\"__x": 1}, []),
    ],
    ids=repr,
)
def test_json(ask: Any, conditions: dict[str, Any], found: list[int]) -> None:
    for _ in range(2):
        assert ask.which(**conditions) == found


def test_json_keys_are_values(ask: Any) -> None:
    assert ask.values(F("data__k")) == [5, None]
    assert ask.values(F("data__a__1")) == [{"b": "x"}, None]
    assert ask.values(KT("data__s")) == ["text", None]
    assert ask.values(KT("data__k")) == ["5", None]
    assert ask.values(Length(KT("data__s"))) == [4, None]
    assert ask(Event.objects.filter(data__k=5).values_list("data__a__0", flat=True)) == [1]
    assert ask(Event.objects.order_by(F("data__k").asc(nulls_first=True)).values_list("id", flat=True)) == [2, 1]


# -- what is refused, before any SQL -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "error", "message"),
    [
        ({"number__isnull": "yes"}, ValueError, "The QuerySet value for an isnull lookup must be True or False."),
        ({"number__gt": None}, ValueError, "Cannot use None as a query value"),
        ({"number__range": (1, 2, 3)}, ValueError, "range takes two values"),
        ({"name__in": "abc"}, TypeError, "takes a list"),
        ({"number__contians": 1}, FieldError, "perhaps you meant contains or icontains"),
        ({"day__hour": 1}, FieldError, "Unsupported lookup 'hour' for DateField"),
        ({"number__year": 1}, FieldError, "Unsupported lookup 'year' for IntegerField"),
        ({"at__date__hour": 1}, FieldError, "Unsupported lookup 'hour'"),
    ],
    ids=repr,
)
def test_refused(conditions: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        Event.objects.filter(**conditions)
    assert message in str(caught.value)
