"""Loading related rows ahead: `Prefetch`, `prefetch_related_objects`, and what they cost in queries."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import pytest
from behaviour_models import Author, Post, Profile, Tag

from crowsfoot.models import Count, F, Prefetch, aprefetch_related_objects, prefetch_related_objects

assert aprefetch_related_objects


async def blog(do: Any) -> None:
    """Asha wrote a1 to a4, Ben wrote b1; the even ones have two tags, the others one. Only Asha has a profile."""
    asha, ben = await do(Author.objects.create, name="Asha"), await do(Author.objects.create, name="Ben")
    await do(Profile.objects.create, author=asha, motto="on")
    red, blue = await do(Tag.objects.create, name="red"), await do(Tag.objects.create, name="blue")
    for title, rank, author in [("a1", 1, asha), ("a2", 2, asha), ("a3", 3, asha), ("a4", 4, asha), ("b1", 1, ben)]:
        post = await do(Post.objects.create, title=title, rank=rank, author=author)
        await do(post.tags.add, red, *([] if rank % 2 else [blue]))


async def authors(do: Any, *lookups: Any) -> list[Any]:
    return await do.rows(Author.objects.prefetch_related(*lookups).order_by("name"))


def titles(posts: Any) -> list[str]:
    return [post.title for post in posts]


@pytest.mark.capability(87, 90)
async def test_a_queryset_and_a_list(do: Any) -> None:
    await blog(do)
    late = Post.objects.filter(rank__gt=2).order_by("-rank")
    with do.queries(3):
        asha, ben = await authors(
            do, Prefetch("posts", late), Prefetch("posts", Post.objects.order_by("rank"), "every")
        )
    with do.queries(0):
        assert titles(await do.rows(asha.posts.all())) == ["a4", "a3"]
        assert titles(await do.rows(ben.posts.all())) == []
        assert titles(asha.every) == ["a1", "a2", "a3", "a4"]
        assert isinstance(ben.every, list)
        assert asha.every[0].author is asha
    with do.queries(1):  # a copy asks anew, about the rows of the prefetch's queryset that are the author's
        assert titles(await do.rows(asha.posts.all().filter(title__startswith="a"))) == ["a4", "a3"]


class Late(Post):
    class Meta:
        app_label = "behaviour"
        proxy = True


async def test_a_queryset_of_another_model_is_refused(do: Any) -> None:
    await blog(do)
    for rows, lookup, words in [
        (Post.objects.all(), Prefetch("tags", Author.objects.all()), "for behaviour.Tag, which behaviour.Post.tags"),
        (Post.objects.all(), Prefetch("author", Tag.objects.all()), "for behaviour.Author, which behaviour.Post.aut"),
        (Author.objects.all(), Prefetch("posts", Tag.objects.all(), "them"), "not one for behaviour.Tag"),
        (Tag.objects.all(), Prefetch("posts__author", Profile.objects.all()), "not one for behaviour.Profile"),
    ]:
        with do.queries(1 + ("__" in lookup.prefetch_to)), pytest.raises(ValueError, match=words):
            await do.rows(rows.prefetch_related(lookup))
    asha, _ = await authors(do, Prefetch("posts", Late.objects.order_by("rank")))
    with do.queries(0):
        rows = await do.rows(asha.posts.all())
        assert titles(rows) == ["a1", "a2", "a3", "a4"]
        assert type(rows[0]) is Late


async def test_a_row_of_several_owners_is_one_instance(do: Any) -> None:
    await blog(do)
    posts = await do.rows(Post.objects.order_by("pk").prefetch_related("tags"))
    tags = [await do.rows(post.tags.all()) for post in posts]
    assert [tag.name for tag in tags[1]] == ["red", "blue"]
    assert len({id(tag) for row in tags for tag in row}) == 2
    noted = Tag.objects.annotate(of=F("posts__title"))  # what differs from link to link makes it another instance
    posts = await do.rows(Post.objects.order_by("pk").prefetch_related(Prefetch("tags", noted, "noted")))
    assert {tag.of for tag in posts[0].noted} >= {"a1"}


async def test_what_was_loaded_goes_with_a_pickled_instance(do: Any) -> None:
    await blog(do)
    asha = (await authors(do, "posts__tags"))[0]
    with do.queries(0):
        copied = pickle.loads(pickle.dumps(asha))
        assert titles(await do.rows(copied.posts.all())) == titles(await do.rows(asha.posts.all()))
        first = (await do.rows(copied.posts.all()))[0]
        assert first.author is copied
        assert [tag.name for tag in await do.rows(first.tags.all())] == ["red"]
        assert titles(await do.rows(copy.copy(asha).posts.all())) == titles(await do.rows(asha.posts.all()))


async def test_one_of_many_does_not_keep_the_rest(do: Any) -> None:
    await blog(do)
    asha, ben = await authors(do, "posts")
    gone = weakref.ref(asha), weakref.ref((await do.rows(asha.posts.all()))[0])
    del asha
    await do(Author.objects.count)  # whoever runs queries forgets the last one
    gc.collect()
    assert [found() for found in gone] == [None, None]
    assert titles(await do.rows(ben.posts.all())) == ["b1"]


@pytest.mark.capability(88, 89)
async def test_a_slice_for_each_owner(do: Any) -> None:
    await blog(do)
    newest = Post.objects.order_by("-rank")
    with do.queries(2):
        asha, ben = await authors(do, Prefetch("posts", newest[:2], "newest"))
    assert (titles(asha.newest), titles(ben.newest)) == (["a4", "a3"], ["b1"])
    asha, ben = await authors(do, Prefetch("posts", newest[1:3], "middle"))
    assert (titles(asha.middle), titles(ben.middle)) == (["a3", "a2"], [])
    asha, ben = await authors(do, Prefetch("posts", newest[2:], "rest"))
    assert (titles(asha.rest), titles(ben.rest)) == (["a2", "a1"], [])
    with do.queries(2):
        by_tag = await do.rows(Tag.objects.order_by("name").prefetch_related(Prefetch("posts", newest[:1], "newest")))
    assert [titles(tag.newest) for tag in by_tag] == [["a4"], ["a4"]]


async def test_a_slice_of_what_is_counted_or_distinct(do: Any) -> None:
    await blog(do)
    counted = Post.objects.annotate(n=Count("tags")).order_by("-n", "rank")[:2]
    asha, _ = await authors(do, Prefetch("posts", counted, "most"))
    assert [(post.title, post.n) for post in asha.most] == [("a2", 2), ("a4", 2)]
    each_once = Post.objects.filter(tags__name__in=["red", "blue"]).distinct().order_by("-rank")[:3]
    asha, _ = await authors(do, Prefetch("posts", each_once, "once"))
    assert titles(asha.once) == ["a4", "a3", "a2"]


async def test_nested(do: Any) -> None:
    await blog(do)
    inner = Post.objects.order_by("rank").prefetch_related(Prefetch("tags", Tag.objects.order_by("name"), "labels"))
    with do.queries(3):
        asha, ben = await authors(do, Prefetch("posts", inner))
    with do.queries(0):
        assert [[tag.name for tag in post.labels] for post in await do.rows(asha.posts.all())][:2] == [
            ["red"],
            ["blue", "red"],
        ]
    with do.queries(4):
        (tag, *_), _ = await do.rows(Tag.objects.prefetch_related("posts__author__profile")), None
    with do.queries(0):
        assert {post.author.name for post in await do.rows(tag.posts.all())} == {"Asha", "Ben"}
    assert ben.name == "Ben"


async def test_conditions_on_the_link_are_about_the_link_that_is_prefetched(do: Any) -> None:
    await blog(do)
    through = Post.tags.through
    link = await do(through.objects.order_by("pk").first)
    tags = Tag.objects.annotate(link=F("posts__pk")).filter(link=link.post_id)
    with do.queries(2):
        posts = await do.rows(Post.objects.order_by("pk").prefetch_related(Prefetch("tags", tags, "chosen")))
    assert [[tag.name for tag in post.chosen] for post in posts] == [["red"], [], [], [], []]


async def test_to_one_left_out_by_the_queryset(do: Any) -> None:
    await blog(do)
    nobody = Author.objects.filter(name="Zoe")
    with do.queries(2):
        post, *_ = await do.rows(Post.objects.prefetch_related(Prefetch("author", nobody)))
    with do.queries(0), pytest.raises(Author.DoesNotExist):
        _ = post.author
    assert not hasattr(post, "author")
    (post, *_) = await do.rows(Post.objects.prefetch_related(Prefetch("author", nobody, "writer")))
    assert post.writer is None
    post.author_id = post.author_id
    asha = await do(Author.objects.get, name="Asha")
    post.author = asha
    assert post.author is asha


@pytest.mark.capability(98)
async def test_instances_that_are_here(do: Any) -> None:
    await blog(do)
    asha, ben = await do.rows(Author.objects.order_by("name"))
    with do.queries(1):
        await do(prefetch_related_objects, {asha, ben}, "posts")
    with do.queries(0):
        await do(prefetch_related_objects, [asha, ben], "posts")
        await do(prefetch_related_objects, [], "posts")
        assert len(await do.rows(asha.posts.all())) == 4
    with do.queries(1):
        await do(prefetch_related_objects, [asha], Prefetch("profile"))
    with do.queries(0):
        assert asha.profile.motto == "on"
    new = await do(asha.posts.create, title="a5")
    assert new in await do.rows(asha.posts.all()), "a write forgets what was prefetched"


async def test_mistakes(do: Any) -> None:
    await blog(do)
    cases: list[tuple[type[Exception], str, list[Any]]] = [
        (AttributeError, "Cannot find 'postz' on Author object.*posts", ["postz"]),
        (ValueError, "'posts__title' does not resolve to an item that supports prefetching", ["posts__title"]),
        (ValueError, "to_attr=age conflicts with a field on the Author model", [Prefetch("posts", to_attr="age")]),
        (ValueError, "already seen with a different queryset", ["posts", Prefetch("posts", Post.objects.all())]),
    ]
    for kind, message, lookups in cases:
        with pytest.raises(kind, match=message):
            await authors(do, *lookups)
    for rows in (Post.objects.values("title"), Post.objects.values_list("title"), Post.objects.raw("SELECT 1")):
        with pytest.raises(ValueError, match="cannot use raw"):
            Prefetch("posts", rows)
    with pytest.raises(ValueError, match="length of 1"):
        Author(pk=1).posts.get_prefetch_querysets([], [Post.objects.all(), Post.objects.all()])
    with pytest.raises(ValueError, match="chunk_size must be provided"):
        Author.objects.prefetch_related("posts").iterator()


@pytest.mark.capability(103)
async def test_in_parts(do: Any) -> None:
    await blog(do)
    with do.queries(1 + 3):
        found = [
            (post.title, post.author.name)
            async for post in iterated(do, Post.objects.order_by("title").prefetch_related("author"), 2)
        ]
    assert found[0] == ("a1", "Asha")
    assert len(found) == 5


async def iterated(do: Any, queryset: Any, size: int) -> Any:
    rows = do.iterator(queryset, chunk_size=size)
    if do.is_async:
        async for row in rows:
            yield row
    else:
        for row in rows:
            yield row


async def test_raw(do: Any) -> None:
    await blog(do)
    sql = "SELECT id, title AS called, rank + 1 AS next FROM behaviour_post WHERE title = %s"
    with do.queries(3):
        rows = Post.objects.raw(sql, ["a2"], translations={"called": "title"}).prefetch_related("tags")
        (post,) = await do.rows(rows)
        assert post.next == 3
        assert post.title == "a2"
        assert len(await do.rows(post.tags.all())) == 2
        assert await do(post.load, "rank") == 2
    assert "title = a2" in repr(rows)
    with pytest.raises(Exception, match="must include the primary key"):
        await do.rows(Post.objects.raw("SELECT title FROM behaviour_post"))


async def test_what_a_manager_changes_or_deletes_is_seen_by_each_owner(do: Any) -> None:
    await blog(do)
    for owner in await authors(do, "posts"):
        assert len(await do.rows(owner.posts.all())) > 0
        await do(owner.posts.all().update, title="new")
        assert set(titles(await do.rows(owner.posts.all()))) == {"new"}
        await do(owner.posts.all().delete)
        assert await do.rows(owner.posts.all()) == []


async def test_a_deep_copy_has_rows_of_its_own(do: Any) -> None:
    await blog(do)
    asha = (await authors(do, "posts"))[0]
    copied = copy.deepcopy(asha)
    rows = await do.rows(copied.posts.all())
    assert titles(rows) == titles(await do.rows(asha.posts.all()))
    assert all(post.author is copied for post in rows)
