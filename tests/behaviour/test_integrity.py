"""Violated constraints say which model, field and value it was, the same on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post, Profile, Tag

from crowsfoot.errors import IntegrityError


async def test_a_value_that_must_be_unique(do: Any) -> None:
    await do(Author.objects.create, name="Asha")
    sentence = r"behaviour\.Author\.name must be unique, and another row has 'Asha'"
    with pytest.raises(IntegrityError, match=sentence) as told:
        await do(Author.objects.create, name="Asha")
    assert (told.value.model, told.value.field) == (Author, Author._meta.get_field("name"))
    ben = await do(Author.objects.create, name="Ben")
    ben.name = "Asha"
    with pytest.raises(IntegrityError, match=r"Author\.name must be unique"):
        await do(ben.save)
    with pytest.raises(IntegrityError, match=r"Author\.name must be unique, and another row has one of these values"):
        await do(Author.objects.bulk_create, [Author(name="Cas"), Author(name="Asha")])
    assert await do(Author.objects.count) == 2


async def test_a_second_profile(do: Any) -> None:
    asha = await do(Author.objects.create, name="Asha")
    await do(Profile.objects.create, author=asha)
    with pytest.raises(IntegrityError, match=r"behaviour\.Profile\.author_id must be unique") as told:
        await do(Profile.objects.create, author=asha)
    assert told.value.field is Profile._meta.get_field("author")


async def test_a_value_that_is_missing(do: Any) -> None:
    with pytest.raises(IntegrityError, match=r"behaviour\.Tag\.name may not be empty: .* null=True") as told:
        await do(Tag.objects.create, name=None)
    assert (told.value.model, told.value.field) == (Tag, Tag._meta.get_field("name"))


@pytest.mark.capability(132)
async def test_a_key_that_points_nowhere(do: Any) -> None:
    asha = await do(Author.objects.create, name="Asha")
    with pytest.raises(
        IntegrityError, match=rf"behaviour\.Post\.editor points at behaviour\.Author {asha.pk + 7}, which is not there"
    ) as told:
        await do(Post.objects.create, title="x", author=asha, editor_id=asha.pk + 7)
    assert told.value.field is Post._meta.get_field("editor")
    assert told.value.relation is Post._meta.get_field("editor").relation.forward
    post = await do(Post.objects.create, title="x", author=asha)
    post.author_id = asha.pk + 8
    with pytest.raises(IntegrityError, match=r"behaviour\.Post\.author points at"):
        await do(post.save)


async def test_a_transaction_goes_on_around_it(do: Any) -> None:
    asha = await do(Author.objects.create, name="Asha")
    async with do.atomic():
        with pytest.raises(IntegrityError, match="points at"):
            async with do.atomic():
                await do(Post.objects.create, title="x", author_id=asha.pk + 1)
        await do(Post.objects.create, title="y", author=asha)
    assert await do(Post.objects.count) == 1


async def test_rows_that_are_updated_together(do: Any) -> None:
    for name in ("Asha", "Ben"):
        await do(Author.objects.create, name=name)
    with pytest.raises(IntegrityError, match=r"Author\.name must be unique, and another row has 'Cas' already") as told:
        await do(Author.objects.update, name="Cas")
    assert told.value.field is Author._meta.get_field("name")
    asha = await do(Author.objects.get, name="Asha")
    await do(Post.objects.create, title="x", author=asha)
    with pytest.raises(
        IntegrityError, match=rf"Post\.author points at behaviour\.Author {asha.pk + 9}, which is not there"
    ):
        await do(Post.objects.update, author_id=asha.pk + 9)


@pytest.mark.capability(132)
async def test_a_key_that_is_checked_at_the_commit(do: Any) -> None:
    asha = await do(Author.objects.create, name="Asha")
    post = await do(Post.objects.create, title="x", author=asha)

    async def point_nowhere() -> None:
        async with do.atomic():
            await do.sql(do.database.dialect.defer_keys)
            await do(Post.objects.filter(pk=post.pk).update, editor_id=asha.pk + 9)

    with pytest.raises(IntegrityError, match=r"points by editor at a behaviour\.Author that is not there") as told:
        await point_nowhere()
    assert (told.value.model, told.value.field) == (Post, Post._meta.get_field("editor"))
    assert told.value.relation is Post._meta.get_field("editor").relation.forward
    await do(post.refresh_from_db)
    assert post.editor_id is None
