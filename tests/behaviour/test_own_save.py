"""A model's own ``save()`` is called however its rows are created one by one."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Draft, Page, Post

from crowsfoot.connection import connection
from crowsfoot.errors import SynchronousOnlyOperation


async def test_create(do: Any) -> None:
    page = await do(Page.objects.create, title="Hello")
    assert (page.slug, (await do(Page.objects.get)).slug) == ("hello", "hello")


async def test_the_others(do: Any) -> None:
    post = await do(Post.objects.create, title="P", author=await do(Author.objects.create, name="Asha"))
    page, made = await do(Page.objects.get_or_create, title="One")
    assert (page.slug, made) == ("one", True)
    page, made = await do(Page.objects.update_or_create, title="One", defaults={"title": "Two"})
    assert (page.slug, made) == ("two", False)
    assert (await do(post.pages.create, title="Three")).slug == "three"
    await do(post.pages.add, Page(title="Four"), bulk=False)
    assert await do.rows(post.pages.order_by("slug").values_list("slug", flat=True)) == ["four", "three"]


async def test_it_is_in_the_transaction(do: Any) -> None:
    async with do.atomic():
        await do(Page.objects.get_or_create, title="One")
        assert await do(Page.objects.count) == 1
        connection.set_rollback(True)
    assert await do(Page.objects.count) == 0


async def test_async_code_is_told_of_a_save_that_it_cannot_run(do: Any) -> None:
    if not do.is_async:
        assert Draft.objects.create(title=" x ").title == "x"
        return
    for method in (Draft.objects.acreate, Draft.objects.aget_or_create, Draft.objects.aupdate_or_create):
        with pytest.raises(SynchronousOnlyOperation, match=r"behaviour\.Draft has a save\(\) of its own.*asave\(\)"):
            await method(title=" x ")
    assert await do(Draft.objects.count) == 0
