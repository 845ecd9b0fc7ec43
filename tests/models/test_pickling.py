"""Querysets and what they are made of, pickled: the question stays the question."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator
from typing import Any

import pytest

import crowsfoot
from crowsfoot import models
from crowsfoot.database import databases
from crowsfoot.models import FETCH_RAISE, Case, Count, Exists, F, OuterRef, Prefetch, Q, Value, When
from crowsfoot.models.functions import Lower, RowNumber, TruncYear
from crowsfoot.testing import assert_num_queries


class Inker(models.Model):
    name = models.CharField(max_length=50)
    born = models.DateTimeField(null=True)

    class Meta:
        app_label = "pickling"


class Colourist(Inker):
    tones = models.IntegerField(default=1)

    class Meta:
        app_label = "pickling"


class Strip(models.Model):
    title = models.CharField(max_length=50)
    inker: Any = models.ForeignKey(Inker, models.CASCADE, related_name="strips")
    fans: Any = models.ManyToManyField(Inker, related_name="likes")

    class Meta:
        app_label = "pickling"


@pytest.fixture(autouse=True)
def rows() -> Generator[None]:
    crowsfoot.connect("sqlite://:memory:")
    crowsfoot.create_tables(Inker, Colourist, Strip)
    asha, ben = Inker.objects.create(name="Asha"), Inker.objects.create(name="Ben")
    Colourist.objects.create(name="Cy", tones=5)
    for title in ("One", "Two"):
        Strip.objects.create(title=title, inker=asha).fans.add(ben)
    yield
    databases.close_all()


def again(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def asha() -> Any:
    return Inker.objects.get(name="Asha")


QUESTIONS: dict[str, Callable[[], Any]] = {
    "filter": lambda: Inker.objects.filter(name__startswith="A"),
    "inherited": lambda: Colourist.objects.filter(name="Cy", tones__gt=3),
    "exclude": lambda: Inker.objects.exclude(strips__title="One"),
    "count": lambda: Inker.objects.annotate(n=Count("strips")).filter(n__gte=1).order_by("-n"),
    "exists": lambda: Inker.objects.filter(Exists(Strip.objects.filter(inker=OuterRef("pk")))),
    "subquery": lambda: Inker.objects.filter(pk__in=Strip.objects.values("inker")),
    "values": lambda: Strip.objects.values("inker__name").annotate(n=Count("id")),
    "case": lambda: Inker.objects.annotate(c=Case(When(name="Asha", then=Value(1)), default=F("id"))).filter(c=1),
    "functions": lambda: Inker.objects.annotate(low=Lower("name"), y=TruncYear("born")).filter(low="ben"),
    "window": lambda: Inker.objects.annotate(r=models.Window(RowNumber(), order_by="name")),
    "some": lambda: Inker.objects.filter(strips__some=Q(title="One")),
    "slice": lambda: Inker.objects.order_by("name")[1:2],
    "related": lambda: asha().strips.filter(title="Two"),
    "links": lambda: Strip.objects.get(title="One").fans.filter(name="Ben"),
    "joined": lambda: Strip.objects.filter(fans__name__icontains="e").select_related("inker").only("title", "inker"),
    "union": lambda: Inker.objects.filter(name="Asha").union(Inker.objects.filter(name="Ben")),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_queryset_keeps_its_rows_and_its_question(name: str) -> None:
    asked = QUESTIONS[name]()
    expected = list(asked)
    assert expected
    with assert_num_queries(0):
        found = again(asked)
        assert list(found) == expected
    assert list(found.all()) == expected


def test_a_question_goes_on_after_it() -> None:
    found = again(Inker.objects.filter(name__in=["Asha", "Ben"]))
    assert [inker.name for inker in found.filter(strips__isnull=True)] == ["Ben"]
    assert found.count() == 2


def test_what_holds_a_queryset_does_not_ask_it() -> None:
    two = Strip.objects.filter(title="Two")
    with assert_num_queries(0):
        prefetch = again(Prefetch("strips", two))
        condition = again(Exists(Strip.objects.filter(inker=OuterRef("pk"), title="Two")))
    found: Any = Inker.objects.prefetch_related(prefetch).get(condition)
    assert [strip.title for strip in found.strips.all()] == ["Two"]


def test_instances_keep_their_fetch_mode() -> None:
    found = again(Inker.objects.fetch_mode(FETCH_RAISE).first())
    assert found._state.fetch_mode is FETCH_RAISE
