"""Conditions about window functions: the windows see the rows that the other conditions leave."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post, Tag

from crowsfoot.errors import FieldError, NotSupportedError
from crowsfoot.models import Avg, Count, F, Max, OuterRef, Prefetch, Q, StringAgg, Subquery, Sum, Value, Window
from crowsfoot.models.functions import Rank, RowNumber
from crowsfoot.models.lookups import Exact

PLACE = Window(Rank(), partition_by="author", order_by="-rank")


async def fill(do: Any) -> None:
    """Ann wrote a (rank 1) and b (3), Ben c (2), d (5) and e (4); b and d are tagged x."""
    tag = await do(Tag.objects.create, name="x")
    for name, posts in {"Ann": {"a": 1, "b": 3}, "Ben": {"c": 2, "d": 5, "e": 4}}.items():
        author = await do(Author.objects.create, name=name)
        for title, rank in posts.items():
            post = await do(Post.objects.create, title=title, rank=rank, author=author)
            if title in "bd":
                await do(post.tags.add, tag)


async def titles(do: Any, queryset: Any) -> str:
    return "".join([row.title for row in await do.rows(queryset)])


async def test_the_best_of_each(do: Any) -> None:
    await fill(do)
    best = Post.objects.annotate(place=PLACE).filter(place=1)
    assert await titles(do, best.order_by("title")) == "bd"
    assert await titles(do, best.order_by("-rank")[:1]) == "d"
    assert await titles(do, best.filter(rank__lt=5).order_by("title")) == "be"  # of the posts below 5
    assert await do(best.count) == 2
    assert await do(best.exists)
    assert await do(best.aggregate, total=Sum("rank")) == {"total": 8}
    assert await titles(do, Post.objects.filter(Exact(PLACE, 2)).order_by("title")) == "ae"
    assert await do.rows(best.order_by("title").values_list("title", "place")) == [("b", 1), ("d", 1)]


async def test_negated_mixed_and_computed(do: Any) -> None:
    await fill(do)
    posts = Post.objects.alias(place=PLACE, over=F("rank") - Window(Avg("rank"), partition_by="author"))
    assert await titles(do, posts.exclude(place__gt=1).order_by("title")) == "bd"
    assert await titles(do, posts.filter(Q(place=1) | Q(title="a")).order_by("title")) == "abd"
    assert await titles(do, posts.filter(over__gt=0).select_related("author").order_by("title")) == "bde"
    assert await titles(do, posts.exclude(place=1, rank=3).order_by("title")) == "acde"
    assert await titles(do, posts.filter(place=F("rank") + 1).order_by("title")) == "ac"


async def test_beside_aggregates(do: Any) -> None:
    await fill(do)
    posts = Post.objects.annotate(place=PLACE, n=Count("tags"))
    assert await titles(do, posts.filter(place=1, n=1).order_by("title")) == "bd"
    assert await titles(do, posts.filter(Q(place=2) | Q(n=1)).order_by("title")) == "abde"


async def test_in_subqueries_and_for_writing(do: Any) -> None:
    await fill(do)
    best = Post.objects.annotate(place=PLACE).filter(place=1)
    assert [row.name for row in await do.rows(Author.objects.filter(posts__in=best.filter(rank=5)))] == ["Ben"]
    assert await do(best.update, title="best") == 2
    assert await do(Post.objects.filter(title="best").count) == 2
    assert (await do(Post.objects.annotate(place=PLACE).filter(place__gt=1).delete))[0] == 3


async def test_distinct_and_related_managers(do: Any) -> None:
    await fill(do)
    numbered = Post.objects.annotate(number=Window(RowNumber(), order_by="-rank"))
    names = numbered.filter(number__lte=3).distinct().order_by("author__name").values_list("author__name", flat=True)
    assert await do.rows(names) == ["Ann", "Ben"]
    ben = await do(Author.objects.get, name="Ben")
    assert await titles(do, ben.posts.annotate(place=PLACE).filter(place__lte=2).order_by("title")) == "de"
    best = Post.objects.annotate(place=PLACE).filter(place=1)
    authors = await do.rows(Author.objects.order_by("name").prefetch_related(Prefetch("posts", best, to_attr="best")))
    assert [[post.title for post in author.best] for author in authors] == [["b"], ["d"]]


async def test_a_subquery_cannot_refer_to_one(do: Any) -> None:
    posts = Post.objects.annotate(place=PLACE)
    inner = Tag.objects.filter(pk=OuterRef("place")).values("name")[:1]
    with pytest.raises(NotSupportedError, match="outer query window expression is not supported: place"):
        posts.annotate(tag=Subquery(inner))


async def test_beside_aggregates_among_chosen_columns(do: Any) -> None:
    await fill(do)
    posts = Post.objects.annotate(place=PLACE, n=Count("tags")).order_by("title")
    assert await do.rows(posts.values_list("title", "place", "n")) == [
        ("a", 2, 0), ("b", 1, 1), ("c", 3, 0), ("d", 1, 1), ("e", 2, 0)
    ]  # fmt: skip
    assert await do.rows(posts.filter(Q(place=2) | Q(title="c")).values_list("title", "place", "n")) == [
        ("a", 2, 0), ("c", 3, 0), ("e", 2, 0)
    ]  # fmt: skip
    assert await do.rows(posts.exclude(place=1, n=1).values_list("title", flat=True)) == ["a", "c", "e"]


async def test_an_order_by_an_annotation_says_it_again(do: Any) -> None:
    await fill(do)
    doubled = Post.objects.annotate(n=F("rank") * 2).order_by("title")
    places = doubled.annotate(place=Window(RowNumber(), order_by=F("n").desc()))
    assert await do.rows(places.values_list("n", "place")) == [(2, 5), (6, 3), (4, 4), (10, 1), (8, 2)]
    assert await titles(do, doubled.order_by(Window(RowNumber(), order_by="-n"))) == "debca"
    most = Author.objects.annotate(n=Count("posts")).annotate(place=Window(Rank(), order_by="-n")).order_by("name")
    assert await do.rows(most.values_list("name", "n", "place")) == [("Ann", 2, 2), ("Ben", 3, 1)]
    by_author = Post.objects.order_by("author__name").values("author__name")
    grouped = by_author.annotate(n=Count("pk"), place=Window(RowNumber(), order_by="-n"))
    assert await do.rows(grouped.values_list("n", "place")) == [(2, 2), (3, 1)]
    # A joined table has a column of this name, which is not meant.
    named = Post.objects.filter(author__name__gt="").annotate(name=F("rank") * 1).order_by("title")
    assert await do.rows(
        named.annotate(place=Window(RowNumber(), order_by="name")).values_list("name", "place")
    ) == [(1, 1), (3, 3), (2, 2), (5, 5), (4, 4)]  # fmt: skip
    texts = StringAgg("title", Value(""), order_by="-n")
    joined = Post.objects.values("author__name", n=F("rank") % 2).annotate(all=texts).order_by("author__name", "n")
    assert await do.rows(joined.values_list("n", "all")) == [(1, "ab"), (0, "ce"), (1, "d")]


async def test_an_order_by_a_subquery_that_is_grouped_by(do: Any) -> None:
    """To PostgreSQL a subquery with other names in it is another one, which nothing is grouped by."""
    await fill(do)
    most = Post.objects.filter(author=OuterRef("author")).order_by("-rank").values("rank")[:1]
    posts = Post.objects.annotate(most=Subquery(most)).values("most").annotate(n=Count("pk")).order_by("most")
    placed = posts.annotate(
        place=Window(RowNumber(), order_by="-most"), one=Window(RowNumber(), partition_by="most", order_by="most")
    )
    assert await do.rows(placed.values_list("most", "n", "place", "one")) == [(3, 2, 2, 1), (5, 3, 1, 1)]


async def test_over_several_relations(do: Any) -> None:
    """The aggregates that become subqueries are those that a window, or a sum, refers to by name."""
    await fill(do)
    ann, post = await do(Author.objects.get, name="Ann"), await do(Post.objects.get, title="c")
    for title in ("d", "e"):
        await do(Post.objects.filter(title=title).update, editor=ann)
    await do(Post.objects.filter(pk=post.pk).update, editor=ann)
    counts = Author.objects.annotate(n=Count("posts"), m=Count("edited")).order_by("name")
    placed = counts.annotate(place=Window(RowNumber(), order_by="-n"), all=F("n") + F("m"))
    assert await do.rows(placed.values_list("n", "m", "place", "all")) == [(2, 3, 2, 5), (3, 0, 1, 3)]


async def test_aggregates_over_windows(do: Any) -> None:
    await fill(do)
    posts = Post.objects.annotate(place=PLACE)
    assert await do(posts.aggregate, Max("place")) == {"place__max": 3}
    assert await do(posts.aggregate, mean=Avg(F("place") * 2), ranks=Sum("rank")) == {"mean": 3.6, "ranks": 15}
    assert await do(posts.aggregate, first=Count("pk", filter=Q(place=1))) == {"first": 2}
    assert await do(posts.annotate(more=F("place") + 1).aggregate, n=Max("more")) == {"n": 4}
    assert await do(posts.filter(rank__gt=9).aggregate, n=Max("place"), c=Count("place")) == {"n": None, "c": 0}
    grouped = Post.objects.values("author").annotate(n=Count("pk"), place=Window(RowNumber(), order_by="-n"))
    assert await do(grouped.aggregate, last=Max("place"), all=Sum("n")) == {"last": 2, "all": 5}
    ben = await do(Author.objects.get, name="Ben")
    assert await do(ben.posts.annotate(place=PLACE).aggregate, n=Max("place")) == {"n": 3}


async def test_aggregates_over_windows_outside_of_aggregate_are_refused(do: Any) -> None:
    posts = Post.objects.annotate(place=PLACE)
    for wrong in (Max("place"), Count("pk", filter=Q(place=1)), Sum(F("place") + 1)):
        with pytest.raises(FieldError, match=r"Cannot compute .* is a window function. Only aggregate\(\) computes"):
            posts.values("author").annotate(n=wrong)
    with pytest.raises(FieldError, match=r"Cannot compute Max.* is a window function"):
        await do(Post.objects.aggregate, n=Max(PLACE))
    with pytest.raises(FieldError, match=r"Cannot compute Sum\('place'\): 'place' is a window function"):
        posts.annotate(total=Window(Sum("place")))
    with pytest.raises(FieldError, match="cannot be computed over another one"):
        posts.annotate(again=Window(Rank(), order_by="place"))
