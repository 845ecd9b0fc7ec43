"""Conditions about window functions: the windows see the rows that the other conditions leave."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post, Tag

from crowsfoot.errors import NotSupportedError
from crowsfoot.models import Avg, Count, F, OuterRef, Prefetch, Q, Subquery, Sum, Window
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
