"""``order_with_respect_to``: rows keep their places among those of the same owner."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Chapter, Post


async def chapters(do: Any, *titles: str) -> tuple[Any, list[Any]]:
    post = await do(Post.objects.create, title="Long read", author=await do(Author.objects.create, name=titles[0]))
    return post, [await do(post.chapters.create, title=title) for title in titles]


async def titles(do: Any, rows: Any) -> list[str]:
    return [row.title async for row in do.each(rows)]


@pytest.mark.capability(26)
async def test_new_rows_come_last(do: Any) -> None:
    post, made = await chapters(do, "One", "Two")
    other, (alone,) = await chapters(do, "Elsewhere")
    await do(Chapter.objects.bulk_create, [Chapter(post=post, title="Three"), Chapter(post=other, title="More")])
    assert [row._order for row in (*made, alone)] == [0, 1, 0]
    assert await titles(do, post.chapters.all()) == ["One", "Two", "Three"]
    assert await titles(do, other.chapters.all()) == ["Elsewhere", "More"]


async def test_another_order(do: Any) -> None:
    post, (one, two, three) = await chapters(do, "One", "Two", "Three")
    _, (elsewhere,) = await chapters(do, "Elsewhere")
    with do.queries(3):  # two are BEGIN and COMMIT
        await do(post.set_chapter_order, [three.pk, elsewhere.pk, one.pk, two.pk])
    assert [key async for key in do.each(post.get_chapter_order())] == [three.pk, one.pk, two.pk]
    assert await do(three.get_next_in_order) == one
    with do.queries(1):
        assert await do(two.get_previous_in_order) == one
    with pytest.raises(Chapter.DoesNotExist):
        await do(two.get_next_in_order)
    await do(elsewhere.refresh_from_db)
    assert elsewhere._order == 0


@pytest.mark.capability(64)
async def test_a_row_is_moved_before_or_after_another(do: Any) -> None:
    post, (one, two, three, four) = await chapters(do, "One", "Two", "Three", "Four")
    _, (elsewhere,) = await chapters(do, "Elsewhere")
    with do.queries(4):  # two are BEGIN and COMMIT
        await do(four.move_before, two)
    assert await titles(do, post.chapters.all()) == ["One", "Four", "Two", "Three"]
    await do(one.move_after, two)
    assert await titles(do, post.chapters.all()) == ["Four", "Two", "One", "Three"]
    await do(one.move_before, three)
    await do(four.move_after, three)
    assert await titles(do, post.chapters.all()) == ["Two", "One", "Three", "Four"]
    for chapter in (one, two, three, four):
        await do(chapter.save)
    assert await titles(do, post.chapters.all()) == ["Two", "One", "Three", "Four"]
    assert await do(three.get_previous_in_order) == one
    for other in (elsewhere, one):
        with pytest.raises(ValueError, match="not ordered among each other"):
            await do(one.move_after, other)
