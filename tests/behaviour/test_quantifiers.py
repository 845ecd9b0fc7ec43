"""``posts__some``, ``__every``, ``__none``, ``posts__count``: all conditions for one related row, no row twice."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post, Tag

from crowsfoot.errors import FieldError
from crowsfoot.models import Case, F, OuterRef, Q, When


async def fill(do: Any) -> None:
    """Ann: a (1, red), b (2, blue). Ben: c (2, red and blue). Cas: nothing. Dee: d (rank 3, no tag)."""
    red, blue = await do(Tag.objects.create, name="red"), await do(Tag.objects.create, name="blue")
    rows = [("Ann", "a", 1, [red]), ("Ann", "b", 2, [blue]), ("Ben", "c", 2, [red, blue]), ("Dee", "d", 3, [])]
    await do(Author.objects.create, name="Cas", age=2)
    for name, title, rank, tags in rows:
        author, _ = await do(Author.objects.get_or_create, name=name, defaults={"age": 2})
        post = await do(Post.objects.create, title=title, rank=rank, author=author)
        await do(post.tags.add, *tags)


async def names(do: Any, *args: Any, **kwargs: Any) -> str:
    rows = Author.objects.filter(*args, **kwargs).order_by("name").values_list("name", flat=True)
    return " ".join(await do.rows(rows))


@pytest.mark.capability(67, 70, 71)
async def test_some(do: Any) -> None:
    await fill(do)
    assert await names(do, posts__some=Q(rank=2)) == "Ann Ben"
    assert await names(do, posts__some=Q(rank=1, tags__name="blue")) == ""
    assert await names(do, posts__some=Q(rank=1) | Q(rank=3)) == "Ann Dee"
    assert await names(do, posts__some=Q(rank__gte=1)) == "Ann Ben Dee"
    assert await names(do, posts__some=Q()) == "Ann Ben Dee"
    assert await names(do, ~Q(posts__some=Q(rank=2))) == "Cas Dee"
    assert await names(do, posts__some=Q(rank=F("author__age"))) == "Ann Ben"
    assert await names(do, posts__some=Q(rank=OuterRef("age"))) == "Ann Ben"


@pytest.mark.capability(68)
async def test_every(do: Any) -> None:
    await fill(do)
    assert await names(do, posts__every=Q(rank=2)) == "Ben Cas"
    assert await names(do, posts__every=Q(tags__name="red")) == "Ben Cas"
    assert await names(do, posts__every=Q(editor__name="Ann")) == "Cas"


@pytest.mark.capability(69)
async def test_none(do: Any) -> None:
    await fill(do)
    assert await names(do, posts__none=Q(rank=2)) == "Cas Dee"
    assert await names(do, posts__none=Q()) == "Cas"


@pytest.mark.capability(72)
async def test_count(do: Any) -> None:
    await fill(do)
    assert await names(do, posts__count=2) == "Ann"
    assert await names(do, posts__count__gte=1) == "Ann Ben Dee"
    assert await names(do, posts__count__in=[0, 2]) == "Ann Cas"
    assert await names(do, ~Q(posts__count=0)) == "Ann Ben Dee"
    posts = Post.objects.filter(tags__count__lt=2).order_by("title").values_list("title", flat=True)
    assert await do.rows(posts) == ["a", "b", "d"]


async def test_through_several_relations(do: Any) -> None:
    await fill(do)
    assert await names(do, posts__tags__some=Q(name="blue")) == "Ann Ben"
    assert await names(do, posts__tags__none=Q(name="blue")) == "Cas Dee"
    assert await names(do, posts__tags__every=Q(name="red")) == "Cas Dee"
    tags = Tag.objects.filter(posts__author__some=Q(name="Ben")).order_by("name").values_list("name", flat=True)
    assert await do.rows(tags) == ["blue", "red"]
    posts = Post.objects.filter(author__posts__some=Q(rank=1)).order_by("title").values_list("title", flat=True)
    assert await do.rows(posts) == ["a", "b"]


async def test_exclude_compares_values_of_one_related_row(do: Any) -> None:
    """Ann has a post whose rank is over its editor's age, and one whose rank is not."""
    await fill(do)
    young, old = await do(Author.objects.create, name="Eve", age=0), await do(Author.objects.create, name="Fay", age=9)
    await do(Post.objects.filter(title="a").update, editor=young)
    await do(Post.objects.filter(title__in=["b", "c"]).update, editor=old)

    async def without(*args: Any, **kwargs: Any) -> str:
        return await names(do, ~Q(*args, **kwargs), name__lt="E")

    assert await without(posts__rank__gt=F("posts__editor__age")) == "Ben Cas Dee"
    assert await without(posts__rank__lt=F("posts__editor__age") - 7) == "Ann Ben Cas Dee"
    assert await without(posts__rank__range=(F("posts__editor__age"), F("posts__rank"))) == "Ben Cas Dee"
    assert await without(posts__title=F("posts__title")) == "Cas"
    assert await without(posts__tags__name__gt=F("posts__title")) == "Cas Dee"
    # Other names are those of the row that is asked about.
    assert await without(posts__rank__in=[F("age")]) == "Cas Dee"
    assert await without(posts__rank=Case(When(name="Ann", then=1), default=3)) == "Ben Cas"
    with pytest.raises(FieldError, match="Cannot resolve keyword 'nope'"):
        Author.objects.exclude(posts__rank=F("posts__nope"))


async def test_mistakes_are_told_before_any_sql(do: Any) -> None:
    with do.queries(0):
        with pytest.raises(FieldError, match="'author' leads to one row only"):
            Post.objects.filter(author__some=Q(name="Ann"))
        with pytest.raises(TypeError, match=r"posts__some=Q\(…\), not 'a'"):
            Author.objects.filter(posts__some="a")
        with pytest.raises(FieldError, match="Nothing can follow 'posts__some'"):
            Author.objects.filter(posts__some__title=Q())
        with pytest.raises(FieldError, match="counts through several"):
            Author.objects.filter(posts__tags__count=1)
        with pytest.raises(FieldError, match=r"behaviour\.Post has no field 'titel'; did you mean 'title'\?"):
            Author.objects.filter(posts__some=Q(titel="a"))
