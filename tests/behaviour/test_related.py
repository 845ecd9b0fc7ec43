"""Relations: both kinds of manager, to-one values, and what loads for a whole result at once."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post, Profile, Tag

from crowsfoot.errors import FieldDoesNotExist, SynchronousOnlyOperation
from crowsfoot.models.signals import m2m_changed


async def author(do: Any, name: str = "Asha") -> Any:
    return await do(Author.objects.create, name=name)


# -- the way back of a foreign key -------------------------------------------------------------------------------------


@pytest.mark.capability(51, 52, 100)
async def test_rows_that_hold_the_key(do: Any) -> None:
    asha = await author(do)
    with do.queries(1):
        post = await do(asha.posts.create, title="Hello")
    assert post.author is asha
    found, made = await do(asha.posts.get_or_create, title="Hello", defaults={"rank": 5})
    assert (found, made, found.rank) == (post, False, 0)
    other, made = await do(asha.posts.get_or_create, title="Second")
    assert (other.author_id, made) == (asha.pk, True)
    found, made = await do(asha.posts.update_or_create, title="Second", defaults={"rank": 7})
    assert (found.rank, made) == (7, False)
    with do.queries(4):
        assert await do(asha.posts.count) == 2
        assert await do(asha.posts.filter(rank=7).exists)
        assert await do(asha.posts.order_by("rank").first) == post
        assert [p.title for p in await do.rows(asha.posts.order_by("-rank"))] == ["Second", "Hello"]
    assert await do(asha.posts.get, rank=7) == other


@pytest.mark.capability(50)
async def test_add_remove_clear_set_on_a_nullable_key(do: Any) -> None:
    asha, ben = await author(do), await author(do, "Ben")
    one, two, three = [await do(Post.objects.create, title=t, author=ben) for t in "abc"]
    with do.queries(1):
        await do(asha.edited.add, one, two)
    assert one.editor is asha
    with do.queries(1):
        await do(asha.edited.remove, one)
    await do(asha.edited.add, three, bulk=False)
    assert await titles(do, asha.edited) == ["b", "c"]
    with pytest.raises(Author.DoesNotExist):
        await do(asha.edited.remove, await do(Post.objects.get, pk=one.pk))
    await do(asha.edited.set, [one, two])
    assert await titles(do, asha.edited) == ["a", "b"]
    await do(asha.edited.set, [three], clear=True)
    assert await titles(do, asha.edited) == ["c"]
    with do.queries(1):
        await do(asha.edited.clear)
    assert await do(asha.edited.count) == 0
    with pytest.raises(TypeError, match="'Post' instance expected"):
        await do(asha.edited.add, ben)
    with pytest.raises(ValueError, match="isn't saved"):
        await do(asha.edited.add, Post(title="new", author=ben))
    for name in ("remove", "clear", "aremove", "aclear"):
        assert not hasattr(ben.posts, name), "the key may not be NULL"


@pytest.mark.capability(58)
async def test_receivers_of_m2m_changed_are_told_whether_data_are_loaded_raw(do: Any) -> None:
    asha = await author(do)
    post = await do(asha.posts.create, title="a")
    red, blue = await do(Tag.objects.create, name="red"), await do(Tag.objects.create, name="blue")
    await do(post.tags.add, red)
    told: list[Any] = []

    def receive(action: str, raw: bool, pk_set: Any, **more: Any) -> None:
        told.append((action, raw, pk_set))

    m2m_changed.connect(receive, sender=Post.tags.through)
    try:
        await do(post.tags.set_base, [blue], raw=True)
        await do(post.tags.clear)
    finally:
        m2m_changed.disconnect(receive, sender=Post.tags.through)
    assert told == [
        ("pre_remove", True, {red.pk}),
        ("post_remove", True, {red.pk}),
        ("pre_add", True, {blue.pk}),
        ("post_add", True, {blue.pk}),
        ("pre_clear", False, None),
        ("post_clear", False, None),
    ]


async def titles(do: Any, manager: Any) -> list[str]:
    return sorted(post.title for post in await do.rows(manager.all()))


async def test_an_unsaved_owner(do: Any) -> None:
    with pytest.raises(ValueError, match="primary key value"):
        await do(Author(name="new").posts.create, title="t")
    with pytest.raises(ValueError, match=r"value for field|primary key value"):
        await do(Post(title="t").tags.create, name="x")


# -- many-to-many, from both sides -------------------------------------------------------------------------------------


@pytest.mark.capability(3, 50, 56)
async def test_links(do: Any) -> None:
    asha = await author(do)
    post, other = [await do(Post.objects.create, title=t, author=asha) for t in "ab"]
    x, y, z = [await do(Tag.objects.create, name=n) for n in "xyz"]
    await do(post.tags.add, x, y)
    await do(post.tags.add, x)
    assert await names(do, post.tags) == ["x", "y"]
    await do(z.posts.add, post, other.pk)
    assert await names(do, post.tags) == ["x", "y", "z"]
    await do(post.tags.remove, x)
    await do(post.tags.remove, x)
    assert await names(do, post.tags) == ["y", "z"]
    await do(post.tags.set, [x, y])
    assert await names(do, post.tags) == ["x", "y"]
    with do.captured() as sent:
        await do(post.tags.set, [x, y])
    assert not [q for q in sent if q["sql"].startswith(("INSERT", "DELETE"))], "there was nothing to change"
    await do(post.tags.set, [z], clear=True)
    assert await names(do, post.tags) == ["z"]
    assert await titles(do, z.posts) == ["a", "b"]
    await do(z.posts.clear)
    assert await do(other.tags.count) == 0
    with pytest.raises(TypeError, match="'Tag' instance expected"):
        await do(post.tags.add, asha)


async def names(do: Any, manager: Any) -> list[str]:
    return sorted(tag.name for tag in await do.rows(manager.all()))


@pytest.mark.capability(52)
async def test_new_rows_behind_a_link(do: Any) -> None:
    post = await do(Post.objects.create, title="t", author=await author(do))
    x = await do(post.tags.create, name="x")
    assert await do(x.posts.get) == post
    found, made = await do(post.tags.get_or_create, name="x")
    assert (found, made) == (x, False)
    _, made = await do(post.tags.get_or_create, name="y")
    assert made
    found, made = await do(post.tags.update_or_create, name="y", defaults={"name": "yy"})
    assert (found.name, made) == ("yy", False)
    _, made = await do(post.tags.update_or_create, name="z")
    assert made
    assert await names(do, post.tags) == ["x", "yy", "z"]
    with do.queries(2):
        assert await do(post.tags.filter(name="x").count) == 1
        assert [t.name for t in await do.rows(post.tags.order_by("-name")[:1])] == ["z"]


# -- to-one ------------------------------------------------------------------------------------------------------------


@pytest.mark.capability(99)
async def test_load_gives_a_relation_to_the_whole_result(do: Any) -> None:
    asha, ben = await author(do), await author(do, "Ben")
    for owner in (asha, ben, asha):
        await do(Post.objects.create, title="t", author=owner)
    posts = await do.rows(Post.objects.order_by("pk"))
    with do.queries(1):
        assert await do(posts[0].load, "author") == asha
        assert [p.author.name for p in posts] == ["Asha", "Ben", "Asha"]
        assert posts[0].author is posts[2].author
        assert await do(posts[1].load, "author") == ben
        assert await do(posts[1].load, "editor") is None


async def test_load_gives_a_deferred_field(do: Any) -> None:
    asha = await author(do)
    for rank in (1, 2):
        await do(Post.objects.create, title=f"t{rank}", rank=rank, author=asha)
    posts = await do.rows(Post.objects.only("title").order_by("pk"))
    with do.queries(1):
        assert await do(posts[0].load, "rank") == 1
        assert posts[1].rank == 2
    with do.queries(2):
        assert await do(posts[0].load, "author") == asha


async def test_load_goes_back_over_a_one_to_one(do: Any) -> None:
    asha, ben = await author(do), await author(do, "Ben")
    profile = await do(Profile.objects.create, author=asha, motto="m")
    found = await do.rows(Author.objects.order_by("name"))
    with do.queries(1):
        assert await do(found[0].load, "profile") == profile
        with pytest.raises(Profile.DoesNotExist):
            await do(found[1].load, "profile")
    assert found[0].profile.author is found[0]
    assert ben == found[1]


async def test_load_of_what_is_not_to_be_loaded(do: Any) -> None:
    asha = await author(do)
    with pytest.raises(FieldDoesNotExist, match="collection"):
        await do(asha.load, "posts")
    with pytest.raises(FieldDoesNotExist, match="Did you mean 'name'"):
        await do(asha.load, "nam")


@pytest.mark.capability(92)
async def test_touching_a_relation(do: Any) -> None:
    """Sync code loads what it touches, for all; async code is told what to await."""
    asha = await author(do)
    for title in "ab":
        await do(Post.objects.create, title=title, author=asha)
    posts = await do.rows(Post.objects.only("title", "author").order_by("pk"))
    if do.is_async:
        for name in ("author", "rank"):
            with do.queries(0), pytest.raises(SynchronousOnlyOperation) as caught:
                getattr(posts[0], name)
            assert f"Post.{name} is not loaded" in str(caught.value)
            assert f"await post.aload('{name}')" in str(caught.value)
        return
    with do.queries(2):
        assert [(p.author, p.rank) for p in posts] == [(asha, 0)] * 2


# -- what is assigned before it is saved -------------------------------------------------------------------------------


async def test_a_save_that_was_refused_can_be_repeated(do: Any) -> None:
    post = await do((await author(do)).posts.create, title="one")
    post.editor = new = Author(name="Ben")
    with pytest.raises(ValueError, match="unsaved related object 'editor'"):
        await do(post.save)
    assert post.editor is new
    await do(new.save)
    await do(post.save)
    assert (await do(Post.objects.get, pk=post.pk)).editor_id == new.pk


async def test_a_row_assigned_to_an_unsaved_owner_gets_its_key_when_it_is_saved(do: Any) -> None:
    new, profile = Author(name="Ben"), Profile(motto="on")
    new.profile = profile
    await do(new.save)
    await do(profile.save)
    assert (await do(Profile.objects.get, pk=profile.pk)).author_id == new.pk


async def test_a_row_that_was_deleted_stays_where_it_was_loaded(do: Any) -> None:
    asha = await author(do)
    editor = await author(do, "Ben")
    post = await do(asha.posts.create, title="one", editor=editor)
    await do(editor.delete)
    assert post.editor is editor


async def test_a_way_back_that_leads_nowhere_leaves_nothing_behind(do: Any) -> None:
    asha = (await do.rows(Author.objects.filter(pk=(await author(do)).pk).only("name")))[0]
    for _ in range(2):
        with pytest.raises(Profile.DoesNotExist, match="Author has no profile"):
            await do(asha.load, "profile")
    assert not [name for name in vars(asha) if "unanswered" in name]
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        asha.nope  # noqa: B018
