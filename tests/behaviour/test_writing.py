"""Writing rows: by querysets and by instances, with the number of statements each sends."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post, Tag

from crowsfoot.errors import FieldError, IntegrityError
from crowsfoot.functional import SimpleLazyObject, lazy, lazystr
from crowsfoot.models import F

# BEGIN and COMMIT, or SAVEPOINT and RELEASE.
BLOCK = 2


async def test_create(do: Any) -> None:
    with do.queries(1):
        asha = await do(Author.objects.create, name="Asha", age=40)
    assert (asha._state.adding, asha._state.db) == (False, "default")
    assert await do(Author.objects.get, pk=asha.pk) == asha
    with pytest.raises(IntegrityError):
        await do(Author.objects.create, name="Asha")
    with pytest.raises(TypeError, match="nickname"):
        await do(Author.objects.create, nickname="A")
    assert await do(Author.objects.count) == 1


async def test_get_or_create(do: Any) -> None:
    with do.queries(2 + BLOCK):
        made = await do(Author.objects.get_or_create, name="Asha", defaults={"age": lambda: 40})
    with do.queries(1):
        found = await do(Author.objects.get_or_create, name="Asha", defaults={"age": 1})
    assert made == (found[0], True)
    assert found[1] is False
    assert found[0].age == 40
    with pytest.raises(FieldError, match="nickname"):
        await do(Author.objects.get_or_create, name="Ben", defaults={"nickname": 1})


async def test_lazy_values_are_computed_when_a_row_is_made(do: Any) -> None:
    def refuse() -> object:
        raise AssertionError("nobody asked")

    made, _ = await do(Author.objects.get_or_create, name=lazystr("Asha"), defaults={"age": lazy(lambda: 40, int)()})
    found, new = await do(Author.objects.get_or_create, name="Asha", defaults=lazy(refuse, object)())
    assert (found, found.age, new) == (made, 40, False)
    asha: Any = SimpleLazyObject(lambda: made)
    post = await do(Post.objects.create, title=lazystr("Lazy"), author=asha)
    assert post.author is made
    assert await do(Post.objects.filter(author=asha, title__startswith=lazystr("La")).count) == 1
    tag = await do(Tag.objects.create, name="t")
    await do(post.tags.add, SimpleLazyObject(lambda: tag))
    await do(made.edited.add, SimpleLazyObject(lambda: post))
    assert (await do(post.tags.count), await do(made.edited.count)) == (1, 1)


async def test_get_or_create_that_fails_leaves_the_transaction_usable(do: Any) -> None:
    await do(Author.objects.create, name="Asha", age=40)
    async with do.atomic():
        with pytest.raises(IntegrityError):
            await do(Author.objects.get_or_create, age=41, defaults={"name": "Asha"})
        await do(Author.objects.create, name="Ben")
    assert await do(Author.objects.count) == 2


async def test_update_or_create(do: Any) -> None:
    asha, made = await do(Author.objects.update_or_create, name="Asha", defaults={"age": 40})
    assert made
    with do.queries(2 + BLOCK):
        found, made = await do(Author.objects.update_or_create, name="Asha", defaults={"age": 41})
    assert (found, made, found.age) == (asha, False, 41)
    ben, made = await do(Author.objects.update_or_create, name="Ben", defaults={"age": 1}, create_defaults={"age": 30})
    assert (made, ben.age) == (True, 30)
    await do(asha.refresh_from_db)
    assert asha.age == 41


async def test_bulk_create(do: Any) -> None:
    with do.queries(1):
        made = await do(Author.objects.bulk_create, [Author(name=f"a{n}", age=n) for n in range(5)])
    assert len({author.pk for author in made}) == 5
    assert [a.name for a in await do.rows(Author.objects.order_by("age"))] == [f"a{n}" for n in range(5)]
    with do.queries(2 + BLOCK):
        await do(Author.objects.bulk_create, [Author(name=f"b{n}") for n in range(4)], batch_size=2)
    with do.queries(0):
        assert await do(Author.objects.bulk_create, []) == []
    with pytest.raises(IntegrityError):
        await do(Author.objects.bulk_create, [Author(name="new"), Author(name="a0")])
    assert not await do(Author.objects.filter(name="new").exists)
    await do(Author.objects.bulk_create, [Author(name="new"), Author(name="a0", age=99)], ignore_conflicts=True)
    assert (await do(Author.objects.get, name="a0")).age == 0
    await do(
        Author.objects.bulk_create,
        [Author(name="a0", age=99)],
        update_conflicts=True,
        update_fields=["age"],
        unique_fields=["name"],
    )
    assert (await do(Author.objects.get, name="a0")).age == 99
    assert await do(Author.objects.count) == 10


async def test_bulk_update(do: Any) -> None:
    authors = await do(Author.objects.bulk_create, [Author(name=f"a{n}", age=n) for n in range(4)])
    for author in authors:
        author.age += 10
    authors[3].age = F("age") + 100
    with do.queries(1 + BLOCK):
        assert await do(Author.objects.bulk_update, authors, ["age"]) == 4
    with do.queries(2 + BLOCK):
        assert await do(Author.objects.bulk_update, authors[:3], ["name"], batch_size=2) == 3
    assert [a.age for a in await do.rows(Author.objects.order_by("name"))] == [10, 11, 12, 103]
    with pytest.raises(ValueError, match="primary key set"):
        await do(Author.objects.bulk_update, [Author(name="new")], ["age"])


async def test_update(do: Any) -> None:
    await do(Author.objects.bulk_create, [Author(name=f"a{n}", age=n) for n in range(4)])
    with do.queries(1):
        assert await do(Author.objects.filter(age__gte=2).update, age=F("age") * 10) == 2
    with do.queries(0):
        assert await do(Author.objects.none().update, age=1) == 0
    assert [a.age for a in await do.rows(Author.objects.order_by("name"))] == [0, 1, 20, 30]
    with pytest.raises(TypeError, match="slice"):
        await do(Author.objects.all()[:2].update, age=1)
    with pytest.raises(IntegrityError):
        await do(Author.objects.update, name="the same")


async def test_delete_by_queryset(do: Any) -> None:
    asha, ben = await do(Author.objects.create, name="Asha"), await do(Author.objects.create, name="Ben")
    for author in (asha, asha, ben):
        await do(Post.objects.create, title="t", author=author, editor=ben)
    posts = Post.objects.filter(author=ben)
    assert await do(posts.delete) == (1, {"behaviour.Post": 1})
    assert await do(Author.objects.filter(name="Asha").delete) == (3, {"behaviour.Author": 1, "behaviour.Post": 2})
    post = await do(Post.objects.create, title="t", author=await do(Author.objects.create, name="C"), editor=ben)
    assert await do(Author.objects.filter(name="Ben").delete) == (1, {"behaviour.Author": 1})
    await do(post.refresh_from_db)
    assert post.editor_id is None
    assert await do(Author.objects.none().delete) == (0, {})


async def test_save(do: Any) -> None:
    asha = Author(name="Asha")
    with do.queries(1):
        await do(asha.save)
    asha.name, asha.age = "Asha R.", 41
    with do.queries(1):
        await do(asha.save)
    asha.name, asha.age = "not saved", 42
    with do.queries(1):
        await do(asha.save, update_fields=["age"])
    with do.queries(0):
        await do(asha.save, update_fields=[])
    found = await do(Author.objects.get, pk=asha.pk)
    assert (found.name, found.age) == ("Asha R.", 42)
    with pytest.raises(IntegrityError):
        await do(asha.save, force_insert=True)
    with pytest.raises(ValueError, match="nickname"):
        await do(asha.save, update_fields=["nickname"])
    with pytest.raises(Author.NotUpdated):
        await do(Author(pk=0, name="x").save, force_update=True)
    with do.queries(2):  # a key of its own: an UPDATE is tried, then it is an INSERT
        await do(Author(pk=asha.pk + 1000, name="Ben").save)


async def test_save_refuses_an_unsaved_relation(do: Any) -> None:
    post = Post(title="t", author=Author(name="never saved"))
    with pytest.raises(ValueError, match="unsaved related object 'author'"):
        await do(post.save)
    post.author = author = Author(name="saved later")
    await do(author.save)
    await do(post.save)
    assert post.author_id == author.pk


async def test_refresh(do: Any) -> None:
    asha = await do(Author.objects.create, name="Asha", age=40)
    await do(Author.objects.update, name="Asha R.", age=41)
    with do.queries(1):
        await do(asha.refresh_from_db, fields=["age"])
    assert (asha.name, asha.age) == ("Asha", 41)
    with do.queries(1):
        await do(asha.refresh_from_db)
    assert asha.name == "Asha R."
    await do(Author.objects.filter(pk=asha.pk).delete)
    with pytest.raises(Author.DoesNotExist):
        await do(asha.refresh_from_db)


async def test_delete_by_instance(do: Any) -> None:
    asha = await do(Author.objects.create, name="Asha")
    await do(Post.objects.create, title="t", author=asha)
    assert await do(asha.delete) == (2, {"behaviour.Author": 1, "behaviour.Post": 1})
    assert asha.pk is None
    assert await do(Post.objects.count) == 0
    with pytest.raises(ValueError, match="can't be deleted"):
        await do(asha.delete)
