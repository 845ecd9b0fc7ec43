"""``queryset.query``: the question as a value. Its SQL, its place in other questions, and its way into a pickle."""

from __future__ import annotations

import datetime
import pickle
import uuid
from decimal import Decimal
from typing import Any

import pytest
from behaviour_models import Author, Post

from crowsfoot import create_tables, models
from crowsfoot.errors import EmptyResultSet
from crowsfoot.models import Count, Exists, OuterRef, Q, Subquery


class Sample(models.Model):
    text = models.CharField(max_length=50)
    data = models.BinaryField()
    on = models.BooleanField()
    price = models.DecimalField(max_digits=6, decimal_places=2)
    at = models.DateTimeField()
    took = models.DurationField()
    key = models.UUIDField()

    class Meta:
        app_label = "asked"


MADE: list[Any] = []


@pytest.fixture(autouse=True)
def tables(do: Any) -> None:
    if do.database not in MADE:
        create_tables(Sample)
        MADE.append(do.database)


async def fill(do: Any) -> None:
    for name, ranks in {"Ann": (1, 3), "Ben": (2,), "O'Neil ?1 $1 %s": (7,)}.items():
        author = await do(Author.objects.create, name=name)
        for rank in ranks:
            await do(Post.objects.create, title=f"{name}{rank}", rank=rank, author=author)


QUESTIONS: dict[str, Any] = {
    "text": lambda: Author.objects.filter(name="O'Neil ?1 $1 %s"),
    "numbers": lambda: Post.objects.filter(rank__in=[1, 2]).order_by("-rank"),
    "texts": lambda: Author.objects.filter(name__in=["Ann", "O'Neil ?1 $1 %s"]).order_by("name"),
    "nested": lambda: Author.objects.filter(posts__in=Post.objects.filter(rank__gt=2)).order_by("name"),
    "slice": lambda: Post.objects.order_by("rank")[1:3],
    "like": lambda: Author.objects.filter(name__contains="?1 $"),
    "twice": lambda: Author.objects.filter(Q(name="Ann") | Q(name__contains="Ann")),
    "values": lambda: Author.objects.values_list("name").annotate(n=Count("posts")).filter(n=2),
    "union": lambda: Post.objects.filter(rank=1).union(Post.objects.filter(rank=7)).order_by("rank"),
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_it_is_the_sql_with_the_values_in_it(do: Any, name: str) -> None:
    await fill(do)
    with do.queries(0):
        said = str(QUESTIONS[name]().query)
    rows = await do.sql(said)
    wanted = [row if type(row) is tuple else row.pk for row in await do.rows(QUESTIONS[name]())]
    assert [row if isinstance(wanted[0], tuple) else row[0] for row in rows] == wanted
    assert wanted


async def test_values_of_every_kind_are_said(do: Any) -> None:
    at = datetime.datetime(2024, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)
    kept = {
        "text": "it's", "data": b"\x00'\xff", "on": True, "price": Decimal("12.30"), "at": at,
        "took": datetime.timedelta(days=2, seconds=3), "key": uuid.UUID(int=5),
    }  # fmt: skip
    await do(Sample.objects.all().delete)
    await do(Sample.objects.create, **kept)
    for name, value in kept.items():
        said = str(Sample.objects.filter(**{name: value}).query)
        assert len(await do.sql(said)) == 1, said
    assert "NULL" in str(Sample.objects.values(nothing=models.Value(None, output_field=models.TextField())).query)


async def test_the_sql_and_its_parameters(do: Any) -> None:
    sql, params = Post.objects.filter(rank=3, title="x").query.sql_with_params()
    assert params == (3, "x")
    assert ("$1" in sql) is (do.vendor == "postgresql")
    for nothing in (Post.objects.none(), Post.objects.filter(pk__in=[]), Post.objects.all()[2:2]):
        with pytest.raises(EmptyResultSet, match=r"No behaviour\.Post can match"):
            str(nothing.query)
    assert str(Post.objects.select_for_update().query).startswith("SELECT")  # outside of a transaction as well


async def test_it_is_a_subquery_wherever_the_queryset_is(do: Any) -> None:
    await fill(do)
    many = Post.objects.filter(rank__gt=2)
    assert [a.name for a in await do.rows(Author.objects.filter(posts__in=many.query).order_by("pk")[:1])] == ["Ann"]
    assert await do(Author.objects.filter(pk__in=many.values("author").query).count) == 2
    assert await do(Author.objects.filter(Exists(many.filter(author=OuterRef("pk")).query)).count) == 2
    best = Post.objects.filter(author=OuterRef("pk")).order_by("-rank").values("rank")[:1]
    for rows in (
        Author.objects.annotate(best=best.query).values_list("best"),
        Author.objects.annotate(best=Subquery(best.query)).values_list("best"),
        Author.objects.values_list(best.query),
    ):
        assert await do.rows(rows.order_by("pk")) == [(3,), (2,), (7,)]


async def test_another_queryset_can_ask_it(do: Any) -> None:
    await fill(do)
    asked = Post.objects.filter(rank__gt=1).order_by("-rank")[:2]
    with do.queries(0):
        kept = pickle.dumps(asked.query)
    again = Post.objects.filter(title="x")
    assert await do.rows(again) == []
    again.query = pickle.loads(kept)
    assert [post.rank for post in await do.rows(again)] == [7, 3]
    counted = Post.objects.values("author").annotate(n=Count("pk")).order_by("-n")
    again.query = counted.query
    assert (await do.rows(again[:1]))[0]["n"] == 2
    ann = await do(Author.objects.get, name="Ann")
    hers = ann.posts.all()
    hers.query = asked.query
    assert [post.rank for post in await do.rows(hers)] == [7, 3]
    with pytest.raises(TypeError, match=r"A queryset of behaviour\.Author can't ask for behaviour\.Post"):
        Author.objects.all().query = asked.query


async def test_what_it_tells_of_itself(do: Any) -> None:
    asked = Post.objects.order_by("rank").distinct().query
    assert (asked.model, asked.distinct, asked.is_sliced) == (Post, True, False)
    assert repr(asked) == "<Query of behaviour.Post>"
    with pytest.raises(AttributeError):
        _ = asked.nonsense
    rows = Post.objects.all()
    before = rows.query
    assert str(rows.filter(rank=1).query) != str(before)
