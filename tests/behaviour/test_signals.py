"""Receivers of the signals of models: plain functions, and coroutine functions that ask the database themselves."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from behaviour_models import Author, Post, Tag

from crowsfoot.connection import connection
from crowsfoot.models import signals


@contextmanager
def connected(signal: Any, function: Any, sender: Any) -> Generator[None]:
    signal.connect(function, sender=sender)
    try:
        yield
    finally:
        signal.disconnect(function, sender=sender)


async def test_a_coroutine_function_is_awaited_in_the_transaction(do: Any) -> None:
    async def make_post(instance: Any, created: bool, **named: Any) -> None:
        if created:
            await Post.objects.acreate(title=f"by {instance.name}", author=instance)

    with connected(signals.post_save, make_post, Author):
        asha = await do(Author.objects.create, name="Asha")
        assert await do(asha.posts.count) == 1
        async with do.atomic():
            await do(Author.objects.create, name="Ben")
            assert await do(Post.objects.count) == 2
            connection.set_rollback(True)
    assert await do(Post.objects.count) == 1


async def test_its_error_goes_to_who_saves(do: Any) -> None:
    async def refuse(instance: Any, **named: Any) -> None:
        if not await Author.objects.filter(name="Asha").aexists():
            raise ValueError("Asha comes first")

    with connected(signals.pre_save, refuse, Author), pytest.raises(ValueError, match="comes first"):
        await do(Author.objects.create, name="Ben")
    assert await do(Author.objects.count) == 0


async def test_deletes_and_links_are_told_too(do: Any) -> None:
    seen: list[Any] = []

    async def count_posts(instance: Any, origin: Any, **named: Any) -> None:
        seen.append((await instance.posts.acount(), origin))

    async def hear(action: str, pk_set: Any, **named: Any) -> None:
        seen.append((action, pk_set, await Tag.objects.acount()))

    asha = await do(Author.objects.create, name="Asha")
    post = await do(Post.objects.create, title="A", author=asha)
    tag = await do(Tag.objects.create, name="t")
    with connected(signals.m2m_changed, hear, Post.tags.through):
        await do(post.tags.add, tag)
    assert seen == [("pre_add", {tag.pk}, 1), ("post_add", {tag.pk}, 1)]
    seen.clear()
    authors = Author.objects.all()
    with connected(signals.pre_delete, count_posts, Author):
        await do(authors.delete)
    assert seen == [(1, authors)]


async def test_raw_saves_write_values_as_they_are(do: Any) -> None:
    seen: list[bool] = []

    def hear(raw: bool, **named: Any) -> None:
        seen.append(raw)

    if do.is_async:
        pytest.skip("save_base() is what loaders of data call, which are sync")
    with connected(signals.pre_save, hear, Author):
        asha = Author(name="Asha")
        asha.save_base(raw=True)
        asha.save()
    assert seen == [True, False]
    assert await do(Author.objects.count) == 1
