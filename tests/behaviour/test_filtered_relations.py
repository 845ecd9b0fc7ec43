"""`FilteredRelation`: a relation under a name of its own, joined with a condition."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post, Tag

from crowsfoot.errors import FieldError
from crowsfoot.models import Count, F, FilteredRelation, Q, Sum


async def blog(do: Any) -> None:
    asha, ben = await do(Author.objects.create, name="Asha"), await do(Author.objects.create, name="Ben")
    red = await do(Tag.objects.create, name="red")
    for title, rank, author in [("a1", 1, asha), ("a2", 7, asha), ("b1", 2, ben)]:
        post = await do(Post.objects.create, title=title, rank=rank, author=author)
        if rank > 1:
            await do(post.tags.add, red)


def good(name: str = "good", **more: Any) -> Any:
    return Author.objects.annotate(**{name: FilteredRelation("posts", condition=Q(posts__rank__gt=5))}, **more)


async def test_rows_are_kept_and_joined_only_where_the_condition_holds(do: Any) -> None:
    await blog(do)
    assert await do(good().count) == 2
    assert await do.rows(good().order_by("name").values_list("name", "good__title")) == [("Asha", "a2"), ("Ben", None)]
    assert [a.name for a in await do.rows(good().filter(good__isnull=False))] == ["Asha"]
    assert [a.name for a in await do.rows(good().exclude(good__isnull=False))] == ["Ben"]
    assert [a.name for a in await do.rows(good().filter(good__title="a1"))] == []
    again = good().filter(good__isnull=False).filter(good__rank=7)
    assert [a.name for a in await do.rows(again)] == ["Asha"], "one name is one join"


async def test_the_same_calls_with_other_values(do: Any) -> None:
    await blog(do)
    for least, expected in [(0, 3), (1, 2), (5, 1), (9, 0)]:
        found = Author.objects.alias(p=FilteredRelation("posts", condition=Q(posts__rank__gt=least)))
        assert await do(found.filter(p__isnull=False).count) == expected


async def test_in_aggregates_order_and_expressions(do: Any) -> None:
    await blog(do)
    counted = good().annotate(n=Count("good"), total=Sum("good__rank")).order_by("name")
    assert [(a.n, a.total) for a in await do.rows(counted)] == [(1, 7), (0, None)]
    named = good().annotate(title=F("good__title")).filter(good__isnull=False).order_by("-good__rank")
    assert [a.title for a in await do.rows(named)] == ["a2"]


async def test_its_rows_multiply_nothing_else(do: Any) -> None:
    await blog(do)
    blue = await do(Tag.objects.create, name="blue")
    await do((await do(Post.objects.get, title="a2")).tags.add, blue)
    both = good().annotate(n=Count("good"), m=Count("posts"), total=Sum("good__rank"), all=Sum("posts__rank"))
    rows = await do.rows(both.order_by("name").values_list("n", "m", "total", "all"))
    assert rows == [(1, 2, 7, 8), (0, 1, None, 2)]
    rows = await do.rows(both.filter(good__isnull=False).values_list("n", "m", "total", "all"))
    assert rows == [(1, 2, 7, 8)]
    assert await do(good().aggregate, n=Count("good"), m=Count("posts")) == {"n": 1, "m": 3}
    red = Post.objects.annotate(red=FilteredRelation("tags", condition=Q(tags__name="red")))
    rows = await do.rows(red.annotate(n=Count("red"), m=Count("tags")).order_by("title").values_list("n", "m"))
    assert rows == [(0, 0), (1, 2), (1, 1)]
    far = FilteredRelation("posts__tags", condition=Q(posts__tags__name="blue"))
    chained = good().annotate(tag=far, own=FilteredRelation("good__tags", condition=~Q(good__tags__name="red")))
    counted = chained.annotate(n=Count("tag"), m=Count("posts"), o=Count("own"), e=Count("edited"))
    assert await do.rows(counted.order_by("name").values_list("n", "m", "o", "e")) == [(1, 2, 1, 0), (0, 1, 0, 0)]
    # The condition may speak of the row that the relation starts from, too.
    older = FilteredRelation("posts", condition=Q(posts__rank__gt=F("age")))
    await do(Author.objects.update, age=3)
    counted = Author.objects.annotate(p=older).annotate(n=Count("p"), m=Count("posts")).order_by("name")
    assert await do.rows(counted.values_list("n", "m")) == [(1, 2), (0, 1)]


async def test_exclude_means_that_it_has_no_such_row(do: Any) -> None:
    await blog(do)
    blue = await do(Tag.objects.create, name="blue")
    await do((await do(Post.objects.get, title="a2")).tags.add, blue)
    red = Post.objects.annotate(red=FilteredRelation("tags", condition=Q(tags__name="red")))

    async def left(rows: Any) -> str:
        return " ".join(await do.rows(rows.order_by("pk").values_list("title", flat=True)))

    assert await left(red.exclude(red__isnull=False)) == "a1"
    assert await left(red.exclude(red__isnull=True)) == "a2 b1"
    assert await left(red.exclude(red__name="red")) == "a1"
    assert await left(red.exclude(red__name="blue")) == "a1 a2 b1"
    assert await left(red.filter(~Q(red__name=F("title")))) == "a1 a2 b1"
    assert [a.name for a in await do.rows(good().exclude(good__rank=7))] == ["Ben"]
    through = FilteredRelation("posts__tags", condition=Q(posts__rank__gt=5))
    rows = Author.objects.annotate(tag=through).exclude(tag__name="red")
    assert [a.name for a in await do.rows(rows)] == ["Ben"]
    for rank, expected in [(5, ["Ben"]), (1, []), (9, ["Asha", "Ben"])]:  # one question, with other values
        found = Author.objects.alias(p=FilteredRelation("posts", condition=Q(posts__rank__gt=rank)))
        found = found.exclude(p__title__gt="a").order_by("name")
        assert [a.name for a in await do.rows(found)] == expected


async def test_selected_with_its_row(do: Any) -> None:
    await blog(do)
    with do.queries(1):
        asha, ben = await do.rows(good().select_related("good").order_by("name"))
        assert asha.good.title == "a2"
        assert asha.good.author is asha
        assert ben.good is None
    (asha,) = await do.rows(good().select_related("good").defer("good__title").filter(good__isnull=False))
    assert "title" not in asha.good.__dict__
    assert asha.good.rank == 7


async def test_through_several_relations(do: Any) -> None:
    await blog(do)
    tagged = FilteredRelation("posts__tags", condition=Q(posts__rank__lt=5))
    rows = Author.objects.annotate(tag=tagged).filter(tag__isnull=False).values_list("name", "tag__name")
    assert await do.rows(rows) == [("Ben", "red")]
    chained = good().annotate(tag=FilteredRelation("good__tags", condition=Q(good__tags__name="red")))
    assert await do.rows(chained.order_by("name").values_list("name", "tag__name")) == [("Asha", "red"), ("Ben", None)]
    elsewhere = FilteredRelation("posts__tags", condition=Q(posts__author__name="Ben"))
    assert await do(Author.objects.alias(t=elsewhere).filter(t__isnull=False).count) == 1


@pytest.mark.parametrize(
    ("relation", "message"),
    [
        (FilteredRelation("posts__title"), "cannot contain lookups"),
        (FilteredRelation("posts__title__in"), "cannot contain lookups"),
        (FilteredRelation("posts", condition=Q(posts__tags__name="x")), "deeper than the relation_name"),
        (
            FilteredRelation("posts__tags", condition=Q(posts__author__name__in="x")),
            "relations outside the 'posts__tags'",
        ),
        (FilteredRelation("posts", condition=Q(posts__in=Post.objects.all())), "Passing a QuerySet"),
    ],
)  # fmt: skip
def test_mistakes(relation: Any, message: str, database: Any) -> None:
    with pytest.raises(ValueError, match=message):
        Author.objects.annotate(wrong=relation)


def test_more_mistakes(database: Any) -> None:
    with pytest.raises(ValueError, match="cannot be empty"):
        FilteredRelation("")
    with pytest.raises(ValueError, match=r"must be a Q\(\)"):
        FilteredRelation("posts", condition=F("x"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="aliases with periods"):
        good("a.b")
    with pytest.raises(ValueError, match="prefetch_related"):
        good().prefetch_related("good")
    with pytest.raises(ValueError, match="only"):
        good().only("good__title")
    with pytest.raises(FieldError, match="profile, good"):
        good().select_related("goot")
    with pytest.raises(FieldError, match="good"):
        good().filter(goot=1)
