"""Questions: each method of querysets that reads, with the number of statements it sends."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post, Profile, Tag

from crowsfoot.errors import FieldError
from crowsfoot.models import Avg, Count, F, Max, Prefetch, Sum


async def library(do: Any) -> tuple[Any, Any]:
    """Asha with three posts, Ben with one."""
    asha, ben = (
        await do(Author.objects.create, name="Asha", age=40),
        await do(Author.objects.create, name="Ben", age=30),
    )
    for rank, title in enumerate(("Hello", "Django tips", "Async"), 1):
        await do(Post.objects.create, title=title, rank=rank, author=asha)
    await do(Post.objects.create, title="Gardens", rank=9, author=ben)
    return asha, ben


async def test_get(do: Any) -> None:
    asha, _ = await library(do)
    with do.queries(1):
        found = await do(Author.objects.get, name="Asha")
    assert found == asha
    assert (found.age, found._state.db, found._state.adding) == (40, "default", False)
    assert await do(Post.objects.filter(author=asha).get, title="Async") == await do(Post.objects.get, rank=3)
    with pytest.raises(Author.DoesNotExist, match="Author matching query does not exist"):
        await do(Author.objects.get, name="Nobody")
    with pytest.raises(Post.MultipleObjectsReturned, match="returned 3"):
        await do(Post.objects.get, author=asha)
    with pytest.raises(FieldError, match="name"):
        await do(Author.objects.get, nam="Asha")


async def test_first_and_last(do: Any) -> None:
    await library(do)
    with do.queries(4):
        assert str(await do(Post.objects.first)) == "Hello"
        assert str(await do(Post.objects.last)) == "Gardens"
        assert str(await do(Post.objects.order_by("-rank").first)) == "Gardens"
        assert str(await do(Post.objects.order_by("-rank").last)) == "Hello"
    with do.queries(2):
        assert await do(Post.objects.filter(rank=99).first) is None
        assert await do(Post.objects.filter(rank=99).last) is None


async def test_earliest_and_latest(do: Any) -> None:
    await library(do)
    with do.queries(4):
        assert str(await do(Post.objects.earliest)) == "Hello"
        assert str(await do(Post.objects.latest)) == "Gardens"
        assert str(await do(Post.objects.earliest, "title")) == "Async"
        assert str(await do(Post.objects.latest, "title")) == "Hello"
    with pytest.raises(Post.DoesNotExist):
        await do(Post.objects.filter(rank=99).latest)
    with pytest.raises(ValueError, match="get_latest_by"):
        await do(Author.objects.latest)


async def test_count_exists_contains(do: Any) -> None:
    asha, ben = await library(do)
    posts = Post.objects.filter(author=asha)
    with do.queries(5):
        assert await do(posts.count) == 3
        assert await do(posts.exists)
        assert not await do(posts.filter(rank=99).exists)
        assert await do(Author.objects.contains, ben)
        assert not await do(Author.objects.filter(age=40).contains, ben)
    loaded = Post.objects.filter(author=asha)
    rows = await do.rows(loaded)
    with do.queries(0):
        assert await do(loaded.count) == 3
        assert await do(loaded.exists)
        assert await do(loaded.contains, rows[0])
    with pytest.raises(ValueError, match="unsaved"):
        await do(Author.objects.contains, Author(name="new"))


async def test_an_empty_queryset_sends_nothing(do: Any) -> None:
    nothing = Author.objects.none()
    with do.queries(0):
        assert await do.rows(nothing) == []
        assert await do(nothing.count) == 0
        assert not await do(nothing.exists)
        assert await do(nothing.first) is None
        assert await do(Author.objects.filter(pk__in=[]).count) == 0
        assert await do(Author.objects.in_bulk, []) == {}
        with pytest.raises(Author.DoesNotExist):
            await do(nothing.get)
        assert await do(nothing.aggregate, total=Sum("age"), n=Count("pk")) == {"total": None, "n": 0}
        assert await do(nothing.aggregate, total=Sum("age", default=7)) == {"total": 7}


async def test_aggregate(do: Any) -> None:
    await library(do)
    with do.queries(2):
        assert await do(Author.objects.aggregate, Avg("age"), oldest=Max("age")) == {"age__avg": 35, "oldest": 40}
        assert await do(Post.objects.filter(author__name="Asha").aggregate, n=Count("pk")) == {"n": 3}
    with pytest.raises(TypeError, match="non-expression"):
        await do(Author.objects.aggregate, oldest=3)


@pytest.mark.capability(73)
async def test_annotations(do: Any) -> None:
    await library(do)
    with do.queries(1):
        found = await do.rows(Author.objects.annotate(n=Count("posts")).order_by("-n"))
    assert [(author.name, author.n) for author in found] == [("Asha", 3), ("Ben", 1)]


async def test_in_bulk(do: Any) -> None:
    asha, ben = await library(do)
    with do.queries(3):
        assert await do(Author.objects.in_bulk, [asha.pk, 0]) == {asha.pk: asha}
        assert await do(Author.objects.in_bulk, ["Ben"], field_name="name") == {"Ben": ben}
        assert set(await do(Author.objects.in_bulk)) == {asha.pk, ben.pk}
    with pytest.raises(ValueError, match="unique"):
        await do(Author.objects.in_bulk, [1], field_name="age")


async def test_in_bulk_by_a_relation(do: Any) -> None:
    asha, _ = await library(do)
    profile = await do(Profile.objects.create, author=asha)
    with do.queries(1):
        assert await do(Profile.objects.in_bulk, [asha.pk], field_name="author") == {asha: profile}


async def test_iteration_asks_once(do: Any) -> None:
    await library(do)
    posts = Post.objects.order_by("rank")
    with do.queries(1):
        assert [str(p) for p in await do.rows(posts)] == ["Hello", "Django tips", "Async", "Gardens"]
        assert await do.rows(posts) == await do.rows(posts)
    with do.queries(2):
        assert [str(p) for p in posts[1:3]] == ["Django tips", "Async"]
        assert [str(p) for p in await do.rows(posts.all()[1:3])] == ["Django tips", "Async"]
        assert [p["title"] for p in await do.rows(posts.values("title")[:1])] == ["Hello"]


async def test_iterator(do: Any) -> None:
    await library(do)
    posts = Post.objects.order_by("rank")
    with do.captured() as sent:
        assert [p.rank async for p in do.each(do.iterator(posts, chunk_size=3))] == [1, 2, 3, 9]
    assert len([q for q in sent if "SELECT" in q["sql"]]) == 1
    assert posts._result_cache is None
    with pytest.raises(ValueError, match="positive"):
        await do.rows(do.iterator(posts, chunk_size=0))
    by_author = posts.prefetch_related("tags")
    assert [p.rank async for p in do.each(do.iterator(by_author, chunk_size=2))] == [1, 2, 3, 9]


async def test_an_iterator_that_is_left_early(do: Any) -> None:
    await library(do)
    rows = do.iterator(Post.objects.order_by("rank"), chunk_size=1)
    async for post in do.each(rows):
        assert post.rank == 1
        break
    await (rows.aclose() if do.is_async else _closed(rows))
    assert await do(Post.objects.count) == 4
    assert await do(Post.objects.update, rank=0) == 4


async def _closed(rows: Any) -> None:
    rows.close()


async def test_other_queries_while_an_iterator_is_open(do: Any) -> None:
    asha, _ = await library(do)
    posts = do.each(do.iterator(Post.objects.order_by("rank"), chunk_size=1))
    seen = [(p.rank, await do(Author.objects.filter(pk=p.author_id).exists)) async for p in posts]
    assert seen == [(1, True), (2, True), (3, True), (9, True)]
    async with do.atomic():
        async for post in do.each(do.iterator(Post.objects.order_by("rank"), chunk_size=1)):
            await do(post.save)
    assert await do(Post.objects.filter(author=asha).count) == 3


@pytest.mark.capability(129)
async def test_explain(do: Any) -> None:
    with do.queries(1):
        plan = await do(Author.objects.filter(name="Asha").explain)
    assert "behaviour_author" in plan


@pytest.mark.capability(83)
async def test_select_related_and_prefetch_related(do: Any) -> None:
    asha, ben = await library(do)
    tag = await do(Tag.objects.create, name="x")
    for post in await do.rows(Post.objects.filter(author=asha)):
        await do(post.tags.add, tag)
    with do.queries(1):
        posts = await do.rows(Post.objects.select_related("author").order_by("rank"))
        assert [p.author.name for p in posts] == ["Asha", "Asha", "Asha", "Ben"]
    with do.queries(3):
        authors = await do.rows(Author.objects.order_by("name").prefetch_related("posts__tags"))
        assert [[[t.name for t in p.tags.all()] for p in a.posts.all()] for a in authors] == [[["x"]] * 3, [[]]]
    with do.queries(2):
        newest = Prefetch("posts", Post.objects.filter(rank__gt=2), to_attr="newest")
        authors = await do.rows(Author.objects.order_by("name").prefetch_related(newest))
        assert [[p.rank for p in a.newest] for a in authors] == [[3], [9]]
    with do.queries(2):
        found = await do(Author.objects.prefetch_related("posts").get, pk=ben.pk)
        assert [p.rank for p in found.posts.all()] == [9]


async def test_distinct_rows_in_the_order_of_a_column_that_is_not_read(do: Any) -> None:
    for name, rank in (("Asha", 2), ("Ben", 1)):
        author = await do(Author.objects.create, name=name)
        await do(Post.objects.create, title="Same", author=author, rank=rank)
    rows = Post.objects.distinct().order_by("-author__name")
    assert [post.rank for post in await do.rows(rows)] == [1, 2]
    # SQL compares what it sorts by too, so rows that differ there alone are not the same
    assert await do.rows(Post.objects.values_list("title").distinct().order_by("rank")) == [("Same",), ("Same",)]
    assert await do.rows(Post.objects.values("title").distinct().order_by("title")) == [{"title": "Same"}]


async def test_more_values_than_a_star_stands_behind(do: Any) -> None:
    await do(Author.objects.create, name="Asha", age=3)
    many = {f"v{number}": F("age") + number for number in range(300)}
    row = await do(Author.objects.annotate(**many).values("name", *many).get)
    assert (row["name"], row["v0"], row["v299"]) == ("Asha", 3, 302)
    assert len((await do.rows(Author.objects.annotate(**many).values_list("age", *many)))[0]) == 301
    counts = await do(Author.objects.aggregate, **{f"n{number}": Count("pk") for number in range(300)})
    assert set(counts.values()) == {1}
