"""Cohorts: what a loop over related rows costs, for each kind of relation and question, and when answers are stale."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Awaitable, Callable
from math import ceil, log2
from typing import Any

import pytest
from behaviour_models import Author, Post, Profile, Tag

from crowsfoot.errors import FieldFetchBlocked
from crowsfoot.models import FETCH_ONE, FETCH_RAISE, Count, peers

Question = Callable[[Any, Any], Awaitable[Any]]

SIZES = (1, 10, 100, 1000)


async def fill(do: Any, number: int) -> None:
    """``number`` authors with 0 to 3 posts each, every second with a profile; posts with up to 2 of 5 tags."""
    await do(Author.objects.bulk_create, [Author(name=f"a{i}", age=i % 7) for i in range(number)])
    authors = await do.rows(Author.objects.order_by("pk"))
    await do(Profile.objects.bulk_create, [Profile(author=a, motto=a.name) for a in authors[::2]])
    posts = [
        Post(title=f"{i}-{j}", rank=j, author=a, editor=authors[0]) for i, a in enumerate(authors) for j in range(i % 4)
    ]
    await do(Post.objects.bulk_create, posts)
    tags = await do(Tag.objects.bulk_create, [Tag(name=f"t{i}") for i in range(5)])
    link = Post.tags.through
    links = [link(post=p, tag=tags[k]) for i, p in enumerate(posts) for k in {i % 5, (i + 1) % 5} if i % 3]
    await do(link.objects.bulk_create, links)


async def all_posts(do: Any, author: Any) -> Any:
    return [post.title for post in await do.rows(author.posts.order_by("pk"))]


async def filtered(do: Any, author: Any) -> Any:
    return [post.title for post in await do.rows(author.posts.filter(rank__gt=0, tags__name="t1"))]


async def last_two(do: Any, author: Any) -> Any:
    return [post.title for post in await do.rows(author.posts.order_by("-rank")[:2])]


async def second_page(do: Any, author: Any) -> Any:
    return [post.title for post in await do.rows(author.posts.order_by("rank")[1:3])]


async def first(do: Any, author: Any) -> Any:
    return getattr(await do(author.posts.order_by("-rank").first), "title", None)


async def number(do: Any, author: Any) -> Any:
    return await do(author.posts.filter(rank__lt=2).count)


async def any_tagged(do: Any, author: Any) -> Any:
    return await do(author.posts.filter(tags__name="t1").exists)


QUESTIONS: list[Question] = [all_posts, filtered, last_two, second_page, first, number, any_tagged]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.__name__)
@pytest.mark.capability(95, 96)
async def test_a_loop_costs_the_logarithm(do: Any, question: Question, size: int) -> None:
    await fill(do, size)
    with do.captured() as sent:
        found = [await question(do, author) for author in await do.rows(Author.objects.order_by("pk"))]
    assert len(sent) <= ceil(log2(size)) + 2
    few = Author.objects.order_by("pk").fetch_mode(FETCH_ONE)[:25]
    assert found[:25] == [await question(do, author) for author in await do.rows(few)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.capability(95)
async def test_both_sides_of_a_many_to_many(do: Any, size: int) -> None:
    await fill(do, size)
    with do.captured() as sent:
        posts = await do.rows(Post.objects.order_by("pk"))
        forwards = {post.pk: {tag.name for tag in await do.rows(post.tags.all())} for post in posts}
    assert len(sent) <= ceil(log2(max(len(posts), 1))) + 2
    with do.captured() as sent:
        tags = await do.rows(Tag.objects.all())
        backwards = [(post.pk, tag.name) for tag in tags for post in await do.rows(tag.posts.all())]
    assert len(sent) <= ceil(log2(len(tags))) + 2
    assert {(pk, name) for pk, names in forwards.items() for name in names} == set(backwards)


async def test_nested_loops_do_not_start_again(do: Any) -> None:
    await fill(do, 100)
    with do.captured() as sent:
        titles = set()
        for author in await do.rows(Author.objects.order_by("pk")):
            for post in await do.rows(author.posts.all()):
                titles.update((post.title, tag.name) for tag in await do.rows(post.tags.all()))
                assert post.author is author
    posts = await do(Post.objects.count)
    assert len(sent) <= 1 + (ceil(log2(100)) + 1) + (ceil(log2(posts)) + 1)
    assert len(titles) == await do(Post.tags.through.objects.count)


async def test_it_never_loads_more_than_twice_what_is_used(do: Any) -> None:
    await fill(do, 100)
    authors = await do.rows(Author.objects.order_by("pk"))
    for used in (1, 2, 3, 5, 9, 20, 40):
        loaded = 0
        peers_of = await do.rows(Author.objects.order_by("pk"))
        for author in peers_of[:used]:
            await do.rows(author.posts.all())
        for key, asked in peers_of[0]._origin.prepared.items():
            if isinstance(asked, peers.Asked) and isinstance(key, tuple):
                loaded += len(asked.seen) + len(asked.ready)
        assert loaded <= 2 * used
    assert len(authors) == 100


async def test_one_of_many_costs_one_query_and_loads_only_hers(do: Any) -> None:
    await fill(do, 200)
    authors = await do.rows(Author.objects.order_by("pk"))
    with do.captured() as sent:
        posts = await do.rows(authors[151].posts.all())
    assert len(sent) == 1
    assert [post.author_id for post in posts] == [authors[151].pk] * 3
    assert len(posts[0]._origin.alive()) == 3


async def test_asking_again_asks_the_database(do: Any) -> None:
    await fill(do, 8)
    authors = await do.rows(Author.objects.order_by("pk"))
    for author in authors[:4]:
        await do(author.posts.count)
    with do.queries(1):
        await do(authors[1].posts.count)


async def test_a_write_in_the_loop_is_seen(do: Any) -> None:
    await fill(do, 16)
    counts = []
    for author in await do.rows(Author.objects.order_by("pk")):
        await do(Post.objects.filter(author__pk__gt=author.pk).update, rank=9)
        counts.append(await do(author.posts.filter(rank=9).count))
    assert counts == [0] + [i % 4 for i in range(1, 16)]


async def test_a_write_to_another_table_keeps_what_was_prepared(do: Any) -> None:
    await fill(do, 64)
    with do.captured() as sent:
        for author in await do.rows(Author.objects.order_by("pk")):
            await do(Tag.objects.create, name=f"for {author.name}")
            await do(author.posts.count)
    asked = [query["sql"] for query in sent if query["sql"].startswith("SELECT")]
    assert len(asked) <= log2(64) + 2


async def test_a_link_made_in_the_loop_is_seen(do: Any) -> None:
    await fill(do, 12)
    tag = await do(Tag.objects.create, name="new")
    posts = await do.rows(Post.objects.order_by("pk"))
    seen = []
    for position, post in enumerate(posts[:-1]):
        seen.append(await do(post.tags.filter(name="new").exists))
        await do(posts[position + 1].tags.add, tag)
    assert seen == [False] + [True] * (len(seen) - 1)


async def test_old_answers_are_asked_again(do: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(do, 16)
    authors = await do.rows(Author.objects.order_by("pk"))
    for author in authors[:4]:
        await do(author.posts.count)
    later = time.monotonic() + 2 * peers.MAX_AGE
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with do.queries(1):
        await do(authors[4].posts.count)


async def test_the_end_of_a_transaction_drops_what_was_prepared(do: Any) -> None:
    await fill(do, 16)
    async with do.atomic():
        authors = await do.rows(Author.objects.order_by("pk"))
        for author in authors[:4]:
            await do(author.posts.count)
    with do.queries(1):
        await do(authors[4].posts.count)


@pytest.mark.capability(94)
async def test_to_one_relations_load_for_all(do: Any) -> None:
    await fill(do, 50)
    with do.captured() as sent:
        for post in await do.rows(Post.objects.order_by("pk")):
            if do.is_async:
                await post.aload("author")
            assert post.author.name
    assert len(sent) == 2
    with do.captured() as sent:
        for author in (await do.rows(Author.objects.order_by("pk")))[::2]:
            if do.is_async:
                await author.aload("profile")
            assert author.profile.motto == author.name
    assert len(sent) == 2


async def test_deferred_columns_load_for_all(do: Any) -> None:
    await fill(do, 50)
    with do.queries(2):
        for post in await do.rows(Post.objects.only("rank")):
            if do.is_async:
                await post.aload("title")
            assert post.title


@pytest.mark.capability(93)
async def test_fetch_raise_stops_managers_too(do: Any) -> None:
    await fill(do, 3)
    for author in await do.rows(Author.objects.fetch_mode(FETCH_RAISE)):
        with pytest.raises(FieldFetchBlocked, match=r"Author\.posts"):
            await do(author.posts.count)


async def test_one_instance_does_not_keep_the_rest(do: Any) -> None:
    await fill(do, 100)
    authors = await do.rows(Author.objects.order_by("pk"))
    kept, others = authors[0], [weakref.ref(author) for author in authors[1:]]
    del authors
    await do(Tag.objects.count)  # by now a worker thread has let go of the last result
    gc.collect()
    assert kept.name == "a0"
    assert not any(other() for other in others)


async def test_annotated_rows_come_one_by_one_but_right(do: Any) -> None:
    await fill(do, 6)
    authors = await do.rows(Author.objects.order_by("pk"))
    found = [[p.n for p in await do.rows(a.posts.annotate(n=Count("tags")).order_by("pk"))] for a in authors]
    expected = [[len(await do.rows(p.tags.all())) for p in await do.rows(a.posts.order_by("pk"))] for a in authors]
    assert found == expected
