"""How deep and how wide a query may be: it works, or an error says by name that it is too deep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from query_models import Event

from crowsfoot.errors import FieldError, QueryTooDeep
from crowsfoot.models import Case, F, Q, Value, When

MANY = 5_000


def any_of(number: int) -> Q:
    found = Q()
    for i in range(number):
        found |= Q(number=i)
    return found


def in_turn(number: int) -> Q:
    found = Q(number=3)
    for i in range(number):
        found = found & Q(id__gt=-i) if i % 2 else found | Q(id=-i)
    return found


def side_by_side(number: int) -> Q:
    found = Q(number=3)
    for i in range(number):
        found = Q(Q(id__gt=-i), found)
    return found


def sum_of(number: int) -> Any:
    found: Any = F("number")
    for i in range(number):
        found = found + i
    return found


def cases(number: int) -> Any:
    found: Any = Value(0)
    for i in range(number):
        found = Case(When(number=i, then=Value(i)), default=found)
    return found


def nested(number: int) -> Any:
    found = Event.objects.filter(number=3)
    for _ in range(number):
        found = Event.objects.filter(pk__in=found)
    return found


def united(number: int) -> Any:
    found = Event.objects.filter(number=3)
    for i in range(number):
        found = found.union(Event.objects.filter(pk=-i))
    return found


def annotated(number: int) -> Any:
    found = Event.objects.annotate(a0=F("number") + 1)
    for i in range(1, number):
        found = found.annotate(**{f"a{i}": F(f"a{i - 1}") + 1})
    return found.values_list(f"a{number - 1}")


def filtered(number: int) -> Any:
    found = Event.objects.all()
    for i in range(number):
        found = found.filter(id__gt=-i)
    return found


def merged(number: int) -> Any:
    found = Event.objects.filter(number=3)
    for i in range(number):
        found = found | Event.objects.filter(pk=-i)
    return found


@pytest.mark.parametrize(
    ("make", "number"),
    [
        (lambda: Event.objects.filter(any_of(MANY)), 1),
        (lambda: Event.objects.exclude(any_of(MANY)), 1),
        (lambda: Event.objects.filter(in_turn(100)), 1),
        (lambda: Event.objects.filter(side_by_side(1_000)), 1),
        (lambda: filtered(1_000), 2),
        (lambda: merged(300), 1),
        (lambda: nested(20), 1),
        (lambda: united(30), 1),
        (lambda: annotated(50), 2),
        (lambda: Event.objects.annotate(x=sum_of(100)), 2),
    ],
    ids=["or", "exclude", "and in or", "and in and", "filter", "|", "subquery", "union", "annotate", "sum"],
)
def test_many(ask: Any, make: Callable[[], Any], number: int) -> None:
    assert len(ask(make())) == number


@pytest.mark.parametrize(
    "make",
    [
        lambda: Event.objects.filter(in_turn(MANY)),
        lambda: nested(500),
        lambda: united(500),
        lambda: annotated(1_000),
        lambda: Event.objects.annotate(x=sum_of(MANY)),
        lambda: Event.objects.annotate(x=cases(MANY)),
        lambda: Event.objects.order_by(sum_of(MANY)),
    ],
    ids=["and in or", "subquery", "union", "annotate", "sum", "case", "order"],
)
def test_too_deep(ask: Any, make: Callable[[], Any]) -> None:
    with pytest.raises(QueryTooDeep):
        ask(make())
    assert ask.which(number=3) == [1]  # and nothing is spoilt


def test_too_deep_for_answers_and_changes(ask: Any) -> None:
    deep = sum_of(MANY)
    with pytest.raises(QueryTooDeep):
        ask.one(Event.objects.filter(pk=-1).update, number=deep)
    with pytest.raises(QueryTooDeep):
        ask.one(nested(1_000).count)
    with pytest.raises(QueryTooDeep):
        ask.one(nested(1_000).exists)
    with pytest.raises(FieldError, match="has more than 64 parts"):
        Event.objects.filter(**{"__".join(["number"] * 1_000): 1})
