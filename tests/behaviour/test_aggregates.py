"""Aggregates over relations: each is right, whatever else is joined."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Chapter, Post, Tag

from crowsfoot import plan_cache
from crowsfoot.errors import FieldError
from crowsfoot.models import Avg, Case, Count, F, Max, Q, Sum, Value, When


async def fill(do: Any) -> Any:
    """Ann wrote a (rank 1) and b (2) and edited c; Ben wrote c (3), d (4) and e (5). Tags: a x y, b x, c x y z."""
    tags = {name: await do(Tag.objects.create, name=name) for name in "xyz"}
    ann, ben = [await do(Author.objects.create, name=name, age=2) for name in ("Ann", "Ben")]
    await do(Author.objects.create, name="Cas")
    for rank, (title, author, names) in enumerate(
        [("a", ann, "xy"), ("b", ann, "x"), ("c", ben, "xyz"), ("d", ben, ""), ("e", ben, "")], 1
    ):
        editor = ann if title == "c" else None
        post = await do(Post.objects.create, title=title, rank=rank, author=author, editor=editor)
        await do(post.tags.add, *[tags[name] for name in names])
    return ann


async def rows(do: Any, queryset: Any, *names: str) -> list[Any]:
    return await do.rows(queryset.values_list(*names))


@pytest.mark.capability(75)
async def test_two_relations_do_not_multiply_each_other(do: Any) -> None:
    await fill(do)
    authors = Author.objects.annotate(written=Count("posts"), redacted=Count("edited")).order_by("name")
    assert await rows(do, authors, "written", "redacted") == [(2, 1), (3, 0), (0, 0)]
    posts = Post.objects.annotate(
        n=Count("tags"), peers=Count("author__posts"), top=Max("author__posts__rank")
    ).order_by("title")
    assert await rows(do, posts, "n", "peers", "top") == [(2, 2, 2), (1, 2, 2), (3, 3, 5), (0, 3, 5), (0, 3, 5)]


@pytest.mark.capability(76)
async def test_sums_are_not_multiplied_either(do: Any) -> None:
    await fill(do)
    authors = Author.objects.annotate(
        ranks=Sum("posts__rank"), edits=Count("edited"), mean=Avg("posts__rank")
    ).order_by("name")
    assert await rows(do, authors, "ranks", "edits", "mean") == [(3, 1, 1.5), (12, 0, 4.0), (None, 0, None)]


async def test_a_default_for_no_row_is_the_same_beside_another_relation(do: Any) -> None:
    await fill(do)
    ranks = Sum(Case(When(posts__rank__gt=1, then=F("posts__rank")), default=Value(1)))
    alone = await rows(do, Author.objects.annotate(ranks=ranks).order_by("name"), "ranks")
    beside = Author.objects.annotate(edits=Count("edited"), ranks=ranks).order_by("name")
    assert [row[1:] for row in await rows(do, beside, "edits", "ranks")] == alone == [(3,), (12,), (1,)]


@pytest.mark.capability(78)
async def test_they_can_be_filtered_ordered_and_combined(do: Any) -> None:
    await fill(do)
    both = Author.objects.annotate(
        written=Count("posts"), redacted=Count("edited"), all=Count("posts") + Count("edited")
    )
    assert await rows(do, both.filter(written__gte=2, redacted=0), "name") == [("Ben",)]
    assert await rows(do, both.order_by("-all", "name"), "name", "all") == [("Ann", 3), ("Ben", 3), ("Cas", 0)]
    assert await rows(do, both.filter(written__gt=F("redacted")).order_by("name"), "name") == [("Ann",), ("Ben",)]
    assert await do(both.filter(all__gt=0).count) == 2
    assert await do(both.aggregate, total=Sum("all")) == {"total": 6}


@pytest.mark.capability(74)
async def test_a_condition_before_speaks_of_the_same_rows(do: Any) -> None:
    await fill(do)
    some = Author.objects.filter(posts__rank__gte=2).annotate(n=Count("posts"), edits=Count("edited")).order_by("name")
    assert await rows(do, some, "name", "n", "edits") == [("Ann", 1, 1), ("Ben", 3, 0)]
    own = Author.objects.annotate(n=Count("posts", filter=Q(posts__rank__gte=2)), edits=Count("edited"))
    assert await rows(do, own.order_by("name"), "n", "edits") == [(1, 1), (3, 0), (0, 0)]


async def test_a_condition_after_does_not_change_them(do: Any) -> None:
    await fill(do)
    after = Post.objects.annotate(n=Count("tags")).filter(tags__name="y").order_by("title")
    assert [title for title, _ in await rows(do, after, "title", "n")] == ["a", "c"]


async def test_instances_carry_them(do: Any) -> None:
    ann = await fill(do)
    counted = await do(Author.objects.annotate(written=Count("posts"), redacted=Count("edited")).get, pk=ann.pk)
    assert (counted, counted.written, counted.redacted) == (ann, 2, 1)


async def test_an_aggregate_of_a_peer_is_refused(do: Any) -> None:
    await fill(do)
    with pytest.raises(FieldError, match="'n' is an aggregate"):
        await do(Author.objects.aggregate, n=Count("pk"), m=Sum("n"))


async def test_aggregates_over_several_relations_count_rows_in_a_loop_too(do: Any) -> None:
    tags = [await do(Tag.objects.create, name=name) for name in "xyz"]
    for number in range(5):
        author = await do(Author.objects.create, name=f"a{number}")
        for rank in range(number):
            post = await do(Post.objects.create, title=f"{number}.{rank}", rank=rank, author=author)
            await do(post.tags.add, *tags[:rank])
            for title in "cd"[: number % 3]:
                await do(Chapter.objects.create, post=post, title=title)
    asks: list[Any] = [
        lambda posts: do(posts.aggregate, n=Count("chapters"), tags=Count("tags"), total=Sum("rank"), all=Count("*")),
        lambda posts: do(posts.filter(rank__gt=0).aggregate, Count("tags"), Max("chapters__title"), Count("chapters")),
        lambda posts: do(posts.filter(tags__name="x").aggregate, n=Count("chapters"), tags=Count("tags")),
    ]
    for ask in asks:
        wanted = [await ask(Post.objects.filter(author=author.pk)) for author in await do.rows(Author.objects.all())]
        with do.queries(4):  # the authors; then one, two and two of them
            found = [await ask(author.posts) for author in await do.rows(Author.objects.all())]
        assert found == wanted
    assert found[4] == {"n": 3, "tags": 3}
    for ask in asks[:2]:
        wanted = [await ask(Post.objects.filter(tags=tag)) for tag in tags]
        assert [await ask(tag.posts) for tag in await do.rows(Tag.objects.order_by("name"))] == wanted


async def test_they_are_written_once_for_all_values(do: Any) -> None:
    await fill(do)

    async def ask(least: int, more: int, rows: slice) -> tuple[Any, ...]:
        posts = Post.objects.filter(rank__gte=least).order_by("rank")[rows]
        aggregates = {
            "number": Count("pk", filter=Q(rank__lt=5 - more)),
            "total": Sum(F("rank") + more),
            "none": Sum("rank", filter=Q(rank__gt=9 - more), default=7),
        }
        found = await do(posts.aggregate, **aggregates)
        return tuple(found[name] for name in aggregates)

    assert await ask(1, 1, slice(None)) == (3, 20, 7)
    assert await ask(1, 1, slice(4)) == (3, 14, 7)
    compiled = plan_cache().compiled
    assert await ask(2, 0, slice(None)) == (3, 14, 7)
    assert await ask(3, 3, slice(2)) == (0, 13, 7)
    assert await ask(6, 2, slice(None)) == (0, None, 7)
    assert plan_cache().compiled == compiled
