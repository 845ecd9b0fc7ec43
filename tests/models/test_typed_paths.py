"""Typed paths: a condition written with attributes is the one written with underscores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crowsfoot import connect, create_tables, models, transaction
from crowsfoot.database import databases
from crowsfoot.errors import FieldError
from crowsfoot.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    Max,
    OuterRef,
    Prefetch,
    Q,
    StringAgg,
    Subquery,
    Sum,
    Value,
    When,
    Window,
    prefetch_related_objects,
)  # fmt: skip
from crowsfoot.models.functions import Cast, Coalesce, Concat, Lower, TruncMonth, Upper
from crowsfoot.testing import capture_queries, isolated_registry


@pytest.fixture
def post() -> Iterator[Any]:
    with isolated_registry():

        class Author(models.Model):
            # Names that a path, being an expression, has a use for itself.
            name = models.CharField(max_length=100)
            contains = models.IntegerField()

        class Post(models.Model):
            title = models.CharField(max_length=200)
            author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")

        yield Post


@pytest.mark.capability(107)
def test_a_path_goes_on_to_fields_of_any_name(post: Any) -> None:
    assert (post.author.name == "Asha") == Q(author__name="Asha")
    assert (post.author.contains > 3) == Q(author__contains__gt=3)
    assert (post.author.posts.author.name == "Asha") == Q(author__posts__author__name="Asha")


def test_a_path_compares(post: Any) -> None:
    assert (post.title == None) == Q(title__isnull=True)  # noqa: E711
    assert (post.title != "x") == ~Q(title="x")
    assert post.title.contains("x") == Q(title__contains="x")
    assert post.author.name.in_(["x"]) == Q(author__name__in=["x"])


def test_a_path_orders(post: Any) -> None:
    connect("sqlite://:memory:", "paths")
    author = post.author.field.related_model
    create_tables(author, post, using="paths")
    for name in ("Asha", "Ben"):
        post.objects.using("paths").create(
            title=name, author=author.objects.using("paths").create(name=name, contains=1)
        )
    rows = post.objects.using("paths")
    assert [row.title for row in rows.order_by(post.author.name.desc())] == ["Ben", "Asha"]
    assert [row.title for row in rows.order_by(post.author)] == ["Asha", "Ben"]


def test_a_name_that_leads_nowhere_is_answered_with_the_nearest(post: Any) -> None:
    with pytest.raises(AttributeError, match=r"'nme'\. Did you mean 'name'"):
        post.author.nme  # noqa: B018


# -- wherever a name can stand -----------------------------------------------------------------------------------------


class Person(models.Model):
    name = models.CharField(max_length=100, unique=True)
    age = models.IntegerField(null=True)
    born = models.DateField(null=True)

    class Meta:
        app_label = "typed_paths"


class Label(models.Model):
    name = models.CharField(max_length=100)

    class Meta:
        app_label = "typed_paths"


class Essay(models.Model):
    title = models.CharField(max_length=200, unique=True)
    rank = models.IntegerField(default=0)
    sent = models.DateTimeField(null=True)
    author: Any = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="essays")
    labels: Any = models.ManyToManyField(Label, related_name="essays")

    class Meta:
        app_label = "typed_paths"


E: Any = Essay
P: Any = Person
L: Any = Label
# A place, a queryset with names, and the same with paths.
Asking = Callable[[], Any]
PLACES: list[tuple[str, Asking, Asking]] = [
    ("filter", lambda: E.objects.filter(author__name="A"), lambda: E.objects.filter(E.author.name == "A")),
    ("exclude", lambda: E.objects.exclude(author__age__gt=3), lambda: E.objects.exclude(E.author.age > 3)),
    ("right side", lambda: E.objects.filter(rank=F("author__age")), lambda: E.objects.filter(rank=E.author.age)),
    (
        "both sides",
        lambda: E.objects.filter(rank__gt=F("author__age")),
        lambda: E.objects.filter(E.rank > E.author.age),
    ),
    (
        "between",
        lambda: E.objects.filter(rank__range=(1, F("author__age"))),
        lambda: E.objects.filter(E.rank.between(1, E.author.age)),
    ),
    (
        "in a queryset",
        lambda: E.objects.filter(author__in=P.objects.filter(name="x")),
        lambda: E.objects.filter(E.author.in_(P.objects.filter(P.name == "x"))),
    ),
    ("a relation", lambda: E.objects.filter(author__isnull=False), lambda: E.objects.filter(E.author.is_null(False))),
    (
        "joined",
        lambda: E.objects.filter(Q(author__name="A") | ~Q(rank=1)),
        lambda: E.objects.filter((E.author.name == "A") | (E.rank != 1)),
    ),
    (
        "quantifier",
        lambda: P.objects.filter(essays__some=Q(rank=1)),
        lambda: P.objects.filter(essays__some=E.rank == 1),
    ),
    ("the key", lambda: E.objects.filter(author__pk=1, pk=2), lambda: E.objects.filter(E.author.pk == 1, E.pk == 2)),
    ("order_by", lambda: E.objects.order_by("author__name", "pk"), lambda: E.objects.order_by(E.author.name, E.pk)),
    ("order_by desc", lambda: E.objects.order_by("-author__name"), lambda: E.objects.order_by(E.author.name.desc())),
    ("order_by relation", lambda: E.objects.order_by("author"), lambda: E.objects.order_by(E.author)),
    ("values", lambda: E.objects.values("author__name", "rank"), lambda: E.objects.values(E.author.name, E.rank)),
    ("values relation", lambda: E.objects.values("author"), lambda: E.objects.values(E.author)),
    ("values named", lambda: E.objects.values(x=F("author__name")), lambda: E.objects.values(x=E.author.name)),
    ("values_list", lambda: E.objects.values_list("author__name"), lambda: E.objects.values_list(E.author.name)),
    ("flat", lambda: E.objects.values_list("labels", flat=True), lambda: E.objects.values_list(E.labels, flat=True)),
    ("select_related", lambda: E.objects.select_related("author"), lambda: E.objects.select_related(E.author)),
    ("prefetch_related", lambda: E.objects.prefetch_related("labels"), lambda: E.objects.prefetch_related(E.labels)),
    (
        "prefetch further",
        lambda: E.objects.prefetch_related("author__essays"),
        lambda: E.objects.prefetch_related(E.author.essays),
    ),
    (
        "Prefetch",
        lambda: E.objects.prefetch_related(Prefetch("labels", L.objects.filter(name="a"))),
        lambda: E.objects.prefetch_related(Prefetch(E.labels, L.objects.filter(L.name == "a"))),
    ),
    ("annotate", lambda: E.objects.annotate(x=F("author__name")), lambda: E.objects.annotate(x=E.author.name)),
    ("alias", lambda: E.objects.alias(x=F("rank")).filter(x=1), lambda: E.objects.alias(x=E.rank).filter(x=1)),
    ("Count", lambda: P.objects.annotate(n=Count("essays")), lambda: P.objects.annotate(n=Count(P.essays))),
    ("default name", lambda: P.objects.annotate(Count("essays")), lambda: P.objects.annotate(Count(P.essays))),
    (
        "aggregate filter",
        lambda: P.objects.annotate(n=Sum("essays__rank", filter=Q(essays__title="a"))),
        lambda: P.objects.annotate(n=Sum(P.essays.rank, filter=P.essays.title == "a")),
    ),
    (
        "aggregate order",
        lambda: P.objects.annotate(n=StringAgg("essays__title", Value(","), order_by="-essays__rank")),
        lambda: P.objects.annotate(n=StringAgg(P.essays.title, Value(","), order_by=P.essays.rank.desc())),
    ),
    ("aggregate()", lambda: E.objects.aggregate(Max("rank")), lambda: E.objects.aggregate(Max(E.rank))),
    ("F", lambda: E.objects.annotate(x=F("author__name")), lambda: E.objects.annotate(x=F(E.author.name))),
    (
        "only",
        lambda: E.objects.only("title", "author__name").select_related("author"),
        lambda: E.objects.only(E.title, E.author.name).select_related(E.author),
    ),
    ("defer", lambda: E.objects.defer("rank"), lambda: E.objects.defer(E.rank)),
    (
        "in_bulk",
        lambda: E.objects.in_bulk(["a"], field_name="title"),
        lambda: E.objects.in_bulk(["a"], field_name=E.title),
    ),
    ("dates", lambda: E.objects.dates("author__born", "month"), lambda: E.objects.dates(E.author.born, "month")),
    ("datetimes", lambda: E.objects.datetimes("sent", "day"), lambda: E.objects.datetimes(E.sent, "day")),
    ("latest", lambda: E.objects.latest("rank"), lambda: E.objects.latest(E.rank)),
    ("earliest", lambda: E.objects.earliest("-author__age"), lambda: E.objects.earliest(E.author.age.desc())),
    (
        "OuterRef",
        lambda: P.objects.filter(Exists(E.objects.filter(author=OuterRef("pk")))),
        lambda: P.objects.filter(Exists(E.objects.filter(E.author == OuterRef(P.pk)))),
    ),
    (
        "OuterRef of an OuterRef",
        lambda: P.objects.filter(Exists(E.objects.filter(Exists(L.objects.filter(name=OuterRef(OuterRef("name"))))))),
        lambda: P.objects.filter(Exists(E.objects.filter(Exists(L.objects.filter(name=OuterRef(OuterRef(P.name))))))),
    ),
    ("F", lambda: E.objects.annotate(x=F("author__age") + 1), lambda: E.objects.annotate(x=F(E.author.age) + 1)),
    (
        "F in exclude",
        lambda: P.objects.exclude(essays__title=F("name")),
        lambda: P.objects.exclude(essays__title=F(P.name)),
    ),
    (
        "OuterRef path",
        lambda: E.objects.filter(Exists(P.objects.filter(name=OuterRef("author__name")))),
        lambda: E.objects.filter(Exists(P.objects.filter(P.name == OuterRef(E.author.name)))),
    ),
    (
        "Subquery",
        lambda: P.objects.annotate(t=Subquery(E.objects.filter(author=OuterRef("pk")).values("title")[:1])),
        lambda: P.objects.annotate(t=Subquery(E.objects.filter(E.author == OuterRef(P.pk)).values(E.title)[:1])),
    ),
    (
        "function",
        lambda: E.objects.annotate(x=Upper("author__name")),
        lambda: E.objects.annotate(x=Upper(E.author.name)),
    ),
    (
        "functions",
        lambda: E.objects.annotate(x=Concat("title", Value("-"), Lower("author__name"))),
        lambda: E.objects.annotate(x=Concat(E.title, Value("-"), Lower(E.author.name))),
    ),
    (
        "Coalesce",
        lambda: E.objects.annotate(x=Coalesce("author__age", 3)),
        lambda: E.objects.annotate(x=Coalesce(E.author.age, 3)),
    ),
    (
        "arithmetic",
        lambda: E.objects.annotate(x=F("rank") * 2 + F("author__age")),
        lambda: E.objects.annotate(x=E.rank * 2 + E.author.age),
    ),
    (
        "Case",
        lambda: E.objects.annotate(x=Case(When(rank=1, then="title"), default="author__name")),
        lambda: E.objects.annotate(x=Case(When(E.rank == 1, then=E.title), default=E.author.name)),
    ),
    ("Trunc", lambda: E.objects.annotate(x=TruncMonth("sent")), lambda: E.objects.annotate(x=TruncMonth(E.sent))),
    (
        "Cast",
        lambda: E.objects.annotate(x=Cast("rank", models.CharField())),
        lambda: E.objects.annotate(x=Cast(E.rank, models.CharField())),
    ),
    (
        "Window",
        lambda: E.objects.annotate(x=Window(Sum("rank"), partition_by="author", order_by="-rank")),
        lambda: E.objects.annotate(x=Window(Sum(E.rank), partition_by=E.author, order_by=E.rank.desc())),
    ),
    (
        "FilteredRelation",
        lambda: P.objects.annotate(r=FilteredRelation("essays", condition=Q(essays__rank=1))).filter(r__title="a"),
        lambda: P.objects.annotate(r=FilteredRelation(P.essays, condition=P.essays.rank == 1)).filter(r__title="a"),
    ),
    ("update", lambda: E.objects.update(rank=F("rank") + 1), lambda: E.objects.update(rank=E.rank + 1)),
    ("get_or_create", lambda: P.objects.get_or_create(age=F("id")), lambda: P.objects.get_or_create(age=P.id)),
    ("save", lambda: essay().save(update_fields=["rank"]), lambda: essay().save(update_fields=[E.rank])),
    ("refresh", lambda: essay().refresh_from_db(fields=["rank"]), lambda: essay().refresh_from_db(fields=[E.rank])),
    (
        "bulk_update",
        lambda: E.objects.bulk_update([essay()], ["rank"]),
        lambda: E.objects.bulk_update([essay()], [E.rank]),
    ),
    (
        "objects",
        lambda: prefetch_related_objects([essay()], "labels"),
        lambda: prefetch_related_objects([essay()], E.labels),
    ),
]  # fmt: skip


def essay() -> Any:
    return E.objects.get(title="a")


@pytest.fixture
def essays() -> Iterator[None]:
    connect("sqlite://:memory:")
    create_tables(Person, Label, Essay)
    E.objects.create(title="a", author=P.objects.create(name="A", age=1))
    yield
    databases.close_all()


def sent_by(ask: Callable[[], Any]) -> list[str]:
    with transaction.atomic(), capture_queries() as sent:
        found = ask()
        if isinstance(found, models.QuerySet):
            list(found)
        transaction.set_rollback(True)
    return [str(query) for query in sent]


@pytest.mark.parametrize(("by_name", "by_path"), [p[1:] for p in PLACES], ids=[p[0] for p in PLACES])
def test_a_path_stands_where_a_name_can(by_name: Any, by_path: Any, essays: None) -> None:
    assert sent_by(by_path) == sent_by(by_name) != []


def test_distinct_takes_paths_too() -> None:
    assert E.objects.distinct(E.author.name)._shape is E.objects.distinct("author__name")._shape


# What is nonsense, and what is said as the queryset is built.
MISTAKES: list[tuple[Callable[[], Any], Any, str]] = [
    (lambda: E.titel, AttributeError, "Did you mean 'title'"),
    (lambda: E.author.nmae, AttributeError, "Did you mean 'name'"),
    (
        lambda: E.objects.filter(P.name == "x"),
        FieldError,
        r"about typed_paths\.Essay\. Did you mean Essay\.author\.name",
    ),
    (lambda: P.objects.filter(L.name == "x"), FieldError, r"Label\.name is a path of typed_paths\.Label"),
    (lambda: P.objects.order_by(L.name), FieldError, "this query is about"),
    (lambda: P.objects.values(L.name), FieldError, "this query is about"),
    (lambda: P.objects.values_list(L.name, flat=True), FieldError, "this query is about"),
    (lambda: P.objects.only(L.name), FieldError, "this query is about"),
    (lambda: P.objects.annotate(x=Upper(L.name)), FieldError, "this query is about"),
    (lambda: P.objects.annotate(x=Max(L.name)), FieldError, "this query is about"),
    (lambda: P.objects.prefetch_related(E.labels), FieldError, "this query is about"),
    (lambda: P.objects.order_by(F(L.name).desc()), FieldError, "this query is about"),
    (lambda: E.objects.annotate(x=F(L.id)), FieldError, "this query is about"),
    (lambda: E.objects.annotate(x=F(F(L.id)) + 1), FieldError, "this query is about"),
    (lambda: E.objects.update(title=F(L.name)), FieldError, "this query is about"),
    (lambda: E.objects.exclude(labels__name=F(P.name)), FieldError, "this query is about"),
    (lambda: E.objects.exclude(L.name == E.title), FieldError, "this query is about"),
    (lambda: P.objects.bulk_update([P(id=1)], [L.name]), FieldError, "this query is about"),
    (lambda: P.objects.bulk_update([P(id=1)], [F(L.name)]), FieldError, "this query is about"),
    (lambda: P.objects.filter(Exists(E.objects.filter(title=OuterRef(L.name)))), FieldError, r"typed_paths\.Person"),
    (lambda: P.objects.filter(Exists(E.objects.filter(rank=OuterRef(E.id)))), FieldError, "this query is about"),
    (lambda: P.objects.filter(essays__some=Q(title=OuterRef(L.name))), FieldError, r"about typed_paths\.Person"),
    (
        lambda: list(P.objects.filter(Exists(E.objects.filter(labels__some=Q(name=OuterRef(OuterRef(L.name))))))),
        FieldError,
        r"about typed_paths\.Person",
    ),
    (lambda: L.objects.annotate(x=FilteredRelation(P.essays)), FieldError, "this query is about"),
    (lambda: E.objects.filter(E.rank == "abc"), ValueError, "expected a number but got 'abc'"),
    (lambda: E.objects.filter(E.author == L(id=1)), ValueError, 'Must be "Person" instance'),
    (lambda: E.objects.filter(E.title), TypeError, "non-conditional"),
    (lambda: E.objects.select_related(E.title), FieldError, r"Essay\.title is a field"),
    (lambda: E.objects.select_related(E.labels), FieldError, "prefetch_related"),
    (lambda: E.objects.prefetch_related(E.author.name), FieldError, r"Essay\.author\.name is a field"),
    (lambda: E.objects.values(E.title == "a"), FieldError, "is not the name of a field"),
    (lambda: E.objects.order_by(E.title == "a"), FieldError, "names and expressions"),
    (lambda: E.objects.distinct(E.title.desc()), FieldError, "is not the name of a field"),
    (lambda: E.objects.dates(E.rank, "year"), TypeError, "isn't a DateField"),
    (lambda: E.objects.in_bulk([1], field_name=E.rank), ValueError, "must be a unique field"),
    (lambda: F(E.title == "a"), TypeError, "the name of a field"),
    (lambda: Prefetch(E.title == "a"), FieldError, "is not the name of a field"),
    (lambda: E.title == "a" and E.rank == 1, TypeError, "Join conditions with &"),
    (lambda: 1 < E.rank < 3, TypeError, "between"),
    (lambda: list(E.title), TypeError, "not iterable"),
]


@pytest.mark.parametrize(("build", "error", "words"), MISTAKES)
def test_nonsense_is_refused_when_it_is_built(build: Any, error: Any, words: str, essays: None) -> None:
    with pytest.raises(error, match=words):
        build()
    with pytest.raises(error, match=words):  # also where the like has been built before
        build()


def test_a_path_of_another_model_is_refused_where_one_of_the_same_name_was_not() -> None:
    P.objects.filter(P.name == "x").order_by(P.name)
    with pytest.raises(FieldError, match="this query is about"):
        P.objects.filter(L.name == "x")
    with pytest.raises(FieldError, match="this query is about"):
        P.objects.filter(P.name == "x").order_by(L.name)
