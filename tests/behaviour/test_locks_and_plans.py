"""Rows that are locked, the first row of each value, and the database's plan for a question."""

from __future__ import annotations

import json
from typing import Any

import pytest
from behaviour_models import Author, Post

from crowsfoot.errors import FieldError, TransactionManagementError
from crowsfoot.models import Count, F
from crowsfoot.models.functions import Length


async def test_rows_are_locked_in_a_transaction_only(do: Any) -> None:
    rows = Post.objects.select_related("author").select_for_update(of=("self", "author"))
    if do.vendor == "sqlite":  # a transaction that writes has the whole file
        assert await do.rows(rows) == []
        return
    with do.queries(0), pytest.raises(TransactionManagementError, match="cannot be used outside of a transaction"):
        await do.rows(rows)
    async with do.atomic():
        assert await do.rows(rows) == []
        assert not await do(rows.exists)
        with pytest.raises(FieldError, match=r"select_for_update.*: editor. .* Choices are: self, author."):
            await do.rows(rows.select_for_update(of=("editor",)))


async def test_the_first_row_of_each_value_of_an_annotation(do: Any) -> None:
    if do.vendor == "sqlite":
        return
    ann = await do(Author.objects.create, name="Ann")
    for rank, title in enumerate("abc"):
        await do(Post.objects.create, title=title, rank=rank, author=ann)
    first = Post.objects.annotate(low=Length("title") + F("rank") / 2).order_by("low", "-rank").distinct("low")
    assert [row.title for row in await do.rows(first)] == ["b", "c"]
    with pytest.raises(NotImplementedError, match=r"annotate\(\) \+ distinct\(fields\) is not implemented"):
        await do.rows(first.annotate(n=Count("tags")))
    with pytest.raises(FieldError, match="Cannot resolve keyword 'hidden'"):
        Post.objects.alias(hidden=F("rank")).distinct("hidden")


async def test_explain_knows_its_options(do: Any) -> None:
    with pytest.raises(ValueError, match="Unknown options: NONSENSE"):
        await do(Post.objects.explain, NONSENSE=True)
    with pytest.raises(ValueError, match="Invalid option name: 'verbose; --'"):
        await do(Post.objects.explain, **{"verbose; --": True})
    with pytest.raises(ValueError, match="CSV is not a recognized format"):
        await do(Post.objects.explain, format="csv")
    if do.vendor == "postgresql":
        assert json.loads(await do(Post.objects.explain, format="json", analyze=True, costs=False))
