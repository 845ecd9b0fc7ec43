"""Cohorts: when prepared answers are used, and when they are stale. What loops cost is in test_loops.py."""

from __future__ import annotations

import gc
import weakref
from math import ceil, log2
from typing import Any

import pytest
from behaviour_models import Author, Post, Profile, Tag

from crowsfoot.models import CharField, Count, Value, peers
from crowsfoot.models.expressions import RawSQL
from crowsfoot.models.functions import Concat


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


async def test_asking_again_asks_the_database(do: Any) -> None:
    await fill(do, 8)
    authors = await do.rows(Author.objects.order_by("pk"))
    for author in authors[:4]:
        await do(author.posts.count)
    with do.queries(1):
        await do(authors[1].posts.count)


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
    later = peers.monotonic() + 2 * peers.MAX_AGE
    monkeypatch.setattr(peers, "monotonic", lambda: later)
    with do.queries(1):
        await do(authors[4].posts.count)


async def test_members_that_are_gone_or_ask_out_of_turn_are_no_obstacle(do: Any) -> None:
    await fill(do, 64)
    authors = await do.rows(Author.objects.order_by("pk"))
    gone = set(range(5, 40, 5))
    kept = [author for number, author in enumerate(authors) if number not in gone]
    del authors
    gc.collect()
    seen = {}
    with do.captured() as sent:
        for author in [*kept[30:], *kept[:30:2], *kept[1:30:2]]:  # what was passed over is asked for later
            seen[author.name] = len(await do.rows(author.posts.all()))
    assert seen == {author.name: int(author.name[1:]) % 4 for author in kept}
    assert len(sent) <= 2 * (log2(64) + 2)


async def test_an_answer_belongs_to_the_key_that_it_was_asked_for(do: Any) -> None:
    await fill(do, 16)
    authors = await do.rows(Author.objects.order_by("pk"))
    for author in authors[:2]:
        await do.rows(author.posts.all())
    third, fourth = authors[2:4]
    third.pk = fourth.pk
    assert [p.title for p in await do.rows(third.posts.order_by("pk"))] == ["3-0", "3-1", "3-2"]
    assert sorted(p.title for p in await do.rows(third.posts.all())) == ["3-0", "3-1", "3-2"]


async def test_several_prepared_answers_are_told_apart(do: Any) -> None:
    await fill(do, 16)
    questions: list[Any] = [
        lambda a: do.rows(a.posts.all()),
        lambda a: do(a.posts.count),
        lambda a: do.rows(a.posts.order_by("-rank")[:2]),
        lambda a: do.rows(a.posts.all()),
    ]
    authors = await do.rows(Author.objects.order_by("pk"))
    for number, author in enumerate(authors):
        first, count, last, again = [await ask(author) for ask in questions]
        assert (len(first), count, [p.rank for p in last]) == (
            number % 4, number % 4, [r for r in (number % 4 - 1, number % 4 - 2) if r >= 0],
        )  # fmt: skip
        assert [p.pk for p in first] == [p.pk for p in again]


async def test_the_end_of_a_transaction_drops_what_was_prepared(do: Any) -> None:
    await fill(do, 16)
    async with do.atomic():
        authors = await do.rows(Author.objects.order_by("pk"))
        for author in authors[:4]:
            await do(author.posts.count)
    with do.queries(1):
        await do(authors[4].posts.count)


async def test_one_instance_does_not_keep_the_rest(do: Any) -> None:
    await fill(do, 100)
    authors = await do.rows(Author.objects.order_by("pk"))
    kept, others = authors[0], [weakref.ref(author) for author in authors[1:]]
    del authors
    await do(Tag.objects.count)  # by now a worker thread has let go of the last result
    gc.collect()
    assert kept.name == "a0"
    assert not any(other() for other in others)


async def test_what_no_row_can_meet_is_answered_without_a_query(do: Any) -> None:
    await fill(do, 9)
    with do.queries(1):
        for author in await do.rows(Author.objects.order_by("pk")):
            nothing = author.posts.filter(pk__in=[])
            assert (await do(nothing.count), await do(nothing.exists), await do.rows(nothing)) == (0, False, [])
            assert await do(nothing.aggregate, n=Count("pk")) == {"n": 0}


async def test_instances_of_one_row_are_each_answered(do: Any) -> None:
    await fill(do, 8)
    authors = await do.rows(Author.objects.filter(posts__rank__gte=0).order_by("pk"))
    assert len(authors) > len(set(authors))
    counts = [await do(author.posts.count) for author in authors]
    assert counts == [int(author.name[1:]) % 4 for author in authors]


async def test_annotated_rows_come_one_by_one_but_right(do: Any) -> None:
    await fill(do, 6)
    authors = await do.rows(Author.objects.order_by("pk"))
    found = [[p.n for p in await do.rows(a.posts.annotate(n=Count("tags")).order_by("pk"))] for a in authors]
    expected = [[len(await do.rows(p.tags.all())) for p in await do.rows(a.posts.order_by("pk"))] for a in authors]
    assert found == expected


async def test_nor_does_a_loop_that_ended_early(do: Any) -> None:
    await fill(do, 100)
    authors = await do.rows(Author.objects.order_by("pk"))
    for author in authors[:40]:
        await do.rows(author.posts.all())
    kept, others = authors[0], [weakref.ref(author) for author in authors[1:]]
    del authors, author
    await do(Tag.objects.count)
    gc.collect()
    assert kept.name == "a0"
    assert not any(other() for other in others)


async def test_rows_behind_links_are_one_instance_for_the_owners_of_a_batch(do: Any) -> None:
    tag = await do(Tag.objects.create, name="shared")
    author = await do(Author.objects.create, name="a")
    posts = await do(Post.objects.bulk_create, [Post(title=f"{i}", author=author) for i in range(4)])
    for post in posts:
        await do(post.tags.add, tag)
    found = [(await do.rows(post.tags.all()))[0] for post in await do.rows(Post.objects.order_by("pk"))]
    assert found == [tag] * 4
    assert found[1] is found[2]  # the first was asked for alone, the next two together
    assert found[0] is not found[1]


async def test_an_owner_that_lost_its_key_has_no_rows_to_ask_for(do: Any) -> None:
    await fill(do, 4)
    author, copied = (await do.rows(Author.objects.order_by("pk")))[2:]
    posts = await do.rows(Post.objects.order_by("pk"))
    assert len(await do.rows(author.posts.all())) == 2
    await do.rows(posts[0].tags.all())
    copied.pk = posts[1].pk = None
    with pytest.raises(ValueError, match="needs to have a primary key value"):
        await do.rows(copied.posts.all())
    with pytest.raises(ValueError, match="needs to have a value for field"):
        posts[1].tags  # noqa: B018  the manager itself refuses, as in Django


@pytest.mark.parametrize("how", ["prefetched", "raw"])
async def test_a_write_is_seen_to_whatever_the_question_reads_besides(do: Any, how: str) -> None:
    await fill(do, 12)
    await do(Tag.objects.update, name=Concat(Value("x"), "name"))
    raw = RawSQL("(SELECT max(name) FROM behaviour_tag)", (), output_field=CharField())
    seen = []
    for number, author in enumerate(await do.rows(Author.objects.filter(posts__rank=0).order_by("pk"))):
        if number == 4:
            await do(Tag.objects.update, name=Concat(Value("y"), "name"))
        if how == "raw":
            seen += [(number, post.top[0]) for post in await do.rows(author.posts.annotate(top=raw))]
        else:
            posts = await do.rows(author.posts.filter(tags__pk__gt=0).prefetch_related("tags").order_by("pk"))
            seen += [(number, tag.name[0]) for post in posts for tag in await do.rows(post.tags.all())]
    assert {letter for number, letter in seen if number < 4} == {"x"}
    assert {letter for number, letter in seen if number >= 4} == {"y"}
