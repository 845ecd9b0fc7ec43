"""Expressions as values: equal, made again, sliced; and as conditions."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from query_models import Event

from crowsfoot import models, timezones
from crowsfoot.errors import NotSupportedError
from crowsfoot.models import Case, Count, Exists, ExpressionWrapper, F, Func, OuterRef, Q, Subquery, Value, When
from crowsfoot.query import functions as fn
from crowsfoot.query.lookups import Transform


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (F("a") + 1, F("a") + 1, F("a") + 2),
        (Value(1, models.IntegerField()), Value(1, output_field=models.IntegerField()), Value(1, models.CharField())),
        (Func("a", function="F"), Func("a", function="F"), Func("b", function="F")),
        (fn.Coalesce("a", Value("x")), fn.Coalesce("a", Value("x")), fn.Coalesce("a", Value("y"))),
        (When(a=1, then=2), When(a=1, then=2), When(a=2, then=2)),
        (Count("a", distinct=True), Count("a", distinct=True), Count("a")),
        (Q(a=F("b")), Q(a=F("b")), Q(a=F("c"))),
        (F("a").desc(), F("a").desc(), F("a").asc()),
    ],
    ids=repr,
)
def test_equal_by_what_they_were_made_of(one: Any, same: Any, other: Any) -> None:
    assert one == same
    assert hash(one) == hash(same)
    assert one != other


@pytest.mark.parametrize(
    ("node", "path"),
    [
        (F("a"), "django.db.models.F"),
        (Value(1, models.IntegerField()), "django.db.models.Value"),
        (fn.Upper("a"), "django.db.models.functions.Upper"),
        (fn.Now(), "django.db.models.functions.Now"),
        (Func("a", function="F"), "django.db.models.Func"),
    ],
    ids=repr,
)
def test_made_again_from_what_it_says(node: Any, path: str) -> None:
    found, args, kwargs = node.deconstruct()
    assert found == path
    assert type(node)(*args, **kwargs) == node


def test_names_are_replaced_by_values() -> None:
    known = {F("a"): Value(1)}
    before = F("a") + F("b")
    after = before.replace_expressions(known)
    assert after.get_source_expressions() == [Value(1), F("b")]
    assert after != before
    assert Q(x=F("a"), y=2).replace_expressions(known) == Q(x=Value(1), y=2)


def test_a_name_with_transforms_is_replaced_by_those_of_its_value() -> None:
    moment = Value(datetime.datetime(2025, 3, 1, 14, 10))
    known = {F("at"): moment, F("gone"): Value(None)}
    assert F("at__date__day").replace_expressions(known) == fn.ExtractDay(fn.TruncDate(moment))
    for left in (F("at__nonsense"), F("at__date__nonsense"), F("gone__date"), F("other__date")):
        assert left.replace_expressions(known) is left


@pytest.mark.parametrize(
    ("sliced", "expected"),
    [
        (F("name")[:], "Hello world"),
        (F("name")[0], "H"),
        (F("name")[6:], "world"),
        (F("name")[1:][:3], "ell"),
        (F("name")[2:2], ""),
    ],
)
def test_slices(ask: Any, sliced: Any, expected: str) -> None:
    assert ask.values(sliced)[0] == expected


@pytest.mark.parametrize(
    ("subscript", "error", "message"),
    [
        ("x", TypeError, "Argument to slice must be either int or slice instance."),
        (-1, ValueError, "Negative indexing is not supported."),
        (slice(4, 2), ValueError, "Slice stop must be greater than slice start."),
        (slice(0, 4, 2), ValueError, "Step argument is not supported."),
    ],
    ids=repr,
)
def test_slices_refused(subscript: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        F("name")[subscript]
    assert str(caught.value) == message


def test_numbers_have_no_parts() -> None:
    with pytest.raises(NotSupportedError, match="This field does not support slicing"):
        Event.objects.annotate(part=F("number")[1:])


def test_decimals_divide_exactly(ask: Any) -> None:
    assert ask.values(Value(2) / Value(Decimal("3")))[0] == pytest.approx(Decimal("0.6667"), abs=Decimal("0.0001"))
    assert ask.values(F("price") / 2) == [Decimal("0.75"), Decimal("-1.605")]


@pytest.mark.parametrize(
    "condition",
    [
        Case(When(number__gt=0, then=Value(True)), default=Value(False)),
        Case(When(number__gt=0, then=True), default=False, output_field=models.BooleanField()),
        ExpressionWrapper(Q(number__gt=0), output_field=models.BooleanField()),
        Exists(Event.objects.filter(pk=OuterRef("pk"), number__gt=0)),
        ~Exists(Event.objects.filter(pk=OuterRef("pk"), number__lt=0)),
        Exists(Event.objects.filter(pk=OuterRef("pk"), number__gt=0)) & Q(),
        Exists(Event.objects.filter(pk=OuterRef("pk"), number__gt=0)) | Q(),
        Q() | Exists(Event.objects.filter(pk=OuterRef("pk"), number__gt=0)),
        Q(F("open")),
        Q(Subquery(Event.objects.filter(pk=OuterRef("pk")).values("open")[:1])),
        Q(id__in=Subquery(Event.objects.filter(number__gt=0).values("id"))),
        Q(id__in=Event.objects.filter(number__gt=0)),
        Q(number__gt=Subquery(Event.objects.filter(number__lt=0).values("number")[:1])),
    ],
)
def test_conditions(ask: Any, condition: Any) -> None:
    assert ask.which(condition) == [1]
    assert ask.which(~Q(condition)) == [2]


def test_nothing_is_false(ask: Any) -> None:
    nothing = Event.objects.alias(any=Exists(Event.objects.none()))
    assert ask(nothing.filter(any=False).order_by("id").values_list("id", flat=True)) == [1, 2]
    assert ask(nothing.filter(any=True)) == []


def test_a_number_is_no_condition() -> None:
    with pytest.raises(TypeError, match="Cannot filter against a non-conditional expression"):
        Event.objects.filter(F("number"))


def test_a_queryset_is_asked_in_the_zone_of_that_moment(ask: Any) -> None:
    days = Event.objects.order_by("id").annotate(day_of=fn.ExtractDay("at")).values_list("day_of", flat=True)
    with timezones.override(ZoneInfo("Europe/Paris")):
        assert ask(days.all()) == [1, 1]
    assert ask(days.all()) == [31, 1]


def test_transforms_of_both_sides(ask: Any) -> None:
    class Loud(Transform):
        lookup_name = "loud"
        bilateral = True
        function = "UPPER"

    models.CharField.register_lookup(Loud)
    try:
        assert ask.which(name__loud="heLLo world") == [1]
        assert ask.which(name__loud__startswith="heLLo") == [1]
        assert ask.which(name__loud__in=["heLLo world", " B "]) == [1, 2]
    finally:
        models.CharField._unregister_lookup(Loud)


def test_annotations_in_every_clause(ask: Any) -> None:
    sizes = Event.objects.annotate(size=F("number") * 2, bigger=F("size") + 1)
    assert ask(sizes.filter(bigger__gt=0).values_list("size", "bigger")) == [(6, 7)]
    counted = Event.objects.values("open").annotate(n=Count("id"), more=F("n") + 1).filter(more__gt=1)
    assert ask(counted.order_by("-more", "open").values_list("open", "n", "more")) == [(False, 1, 2), (True, 1, 2)]
