"""``crowsfoot.watch()``: queries sent and saved, by the line that asked."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from behaviour_models import Author, Post

import crowsfoot
from crowsfoot.models import FETCH_ONE, Count
from crowsfoot.query import shapes
from crowsfoot.query.shapes import LIMIT, forget_all


def line(word: str) -> str:
    """``file:line`` of this file's line that contains ``word`` in a comment."""
    lines = inspect.getsource(inspect.getmodule(line)).splitlines()  # type: ignore[arg-type]
    return f"{__file__}:{next(i for i, text in enumerate(lines, 1) if text.endswith('# ' + word))}"


def fill() -> None:
    for name in "abcdefgh":
        author = Author.objects.create(name=name)
        Post.objects.create(title=name, author=author)


def test_a_loop_shows_what_it_was_saved(database: Any) -> None:
    fill()
    with crowsfoot.watch() as watched:
        for author in Author.objects.order_by("pk"):  # outer
            list(author.posts.all())  # inner
    sites = {site.place: (site.sent, site.saved) for site in watched.sites}
    assert sites == {line("outer"): (1, 0), line("inner"): (4, 4)}
    assert (watched.sent, watched.saved) == (5, 4)
    first, *rest = watched.report().splitlines()
    assert first == "5 queries sent, 4 saved"
    assert "4 sent, 4 saved" in rest[0]
    assert "behaviour_post" in rest[0]


def test_to_one_relations_are_counted_too(database: Any) -> None:
    fill()
    with crowsfoot.watch() as watched:
        names = [post.author.name for post in Post.objects.order_by("pk")]
    assert names == list("abcdefgh")
    assert (watched.sent, watched.saved) == (2, 7)


@pytest.mark.capability(97)
def test_a_loop_that_asks_for_each_row_is_found(database: Any) -> None:
    Author.objects.bulk_create([Author(name=f"a{number}") for number in range(20)])
    with crowsfoot.watch() as watched:
        for author in Author.objects.order_by("pk"):
            list(author.posts.all())
        assert watched.loops() == []
        for author in Author.objects.fetch_mode(FETCH_ONE):
            author.posts.count()  # by one
        for author in Author.objects.order_by("pk"):
            Post.objects.filter(title=author.name).exists()  # by title
    assert {(site.place, site.repeated) for site in watched.loops()} == {(line("by one"), 20), (line("by title"), 20)}
    assert watched.loops(more_than=20) == []
    assert f"{line('by title')}: 20 sent, 0 saved, a loop: one statement 20 times  SELECT" in watched.report()
    assert watched.report().count("a loop") == 2


def test_nothing_is_counted_outside(database: Any) -> None:
    fill()
    with crowsfoot.watch() as watched:
        pass
    Author.objects.count()
    assert (watched.sent, watched.saved, watched.sites) == (0, 0, [])


@pytest.mark.capability(128)
async def test_the_number_of_queries_is_asserted(do: Any) -> None:
    with do.queries(2):
        assert await do(Author.objects.count) == 0
        assert not await do(Post.objects.exists)
    sentence = r"1 queries were sent, 2 expected:\n1\. SELECT .*behaviour_author"
    with pytest.raises(AssertionError, match=sentence), do.queries(2):
        await do(Author.objects.count)


async def test_lines_are_told_in_async_code_too(do: Any) -> None:
    await do(Author.objects.bulk_create, [Author(name=f"a{number}") for number in range(8)])
    with crowsfoot.watch() as watched:
        authors = await do.rows(Author.objects.order_by("pk"))
        for author in authors:
            await do(author.posts.count)  # asked
    sites = {site.place: (site.sent, site.saved) for site in watched.sites}
    assert len(sites) == 2
    if do.is_async:
        assert not any(place.startswith("(") for place in sites)
    assert (4, 4) in sites.values()


async def test_plans_are_compiled_once_for_a_shape(do: Any) -> None:
    await do(Author.objects.bulk_create, [Author(name=name) for name in "abcd"])

    async def look() -> Any:
        with crowsfoot.watch() as watched:
            for name in "abcd":
                await do(Author.objects.filter(name=name, age__gt=-7).order_by("-age").exists)
        return watched

    before = crowsfoot.plan_cache()
    first, second = await look(), await look()
    after = crowsfoot.plan_cache()
    assert (first.sent, first.compiled, first.hit_rate) == (4, 1, 0.75)
    assert (second.sent, second.compiled, second.hit_rate) == (4, 0, 1.0)
    assert first.report().splitlines()[-1] == "1 plans compiled, hit rate 75%"
    assert after.compiled - before.compiled == 1
    assert after.shapes > before.shapes
    assert after.limit == LIMIT
    await do(Author.objects.filter(name="e", age__gt=-8).order_by("-age").count)
    assert first.compiled == 1  # what is compiled after the block is not its


async def test_the_rate_is_of_statements_that_have_a_plan(do: Any) -> None:
    with crowsfoot.watch() as watched:
        assert watched.hit_rate is None
        async with do.atomic():
            pass
    assert watched.hit_rate is None
    assert "plans" not in watched.report()
    with crowsfoot.watch() as watched:
        for _ in range(2):
            await do(Author.objects.aggregate, n=Count("pk"))
    assert (watched.compiled, watched.hit_rate) == (1, 0.5)


def test_a_full_cache_is_emptied_and_says_so(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_all()
    before = crowsfoot.plan_cache()
    forget_all()  # nothing is there to be dropped
    assert crowsfoot.plan_cache() == before
    assert before.shapes == 0
    monkeypatch.setattr(shapes, "LIMIT", 3)
    for number in range(4):
        Author.objects.filter(**{f"age__{('gt', 'lt', 'gte', 'lte')[number]}": 1}).exists()
    after = crowsfoot.plan_cache()
    assert after.emptied == before.emptied + 1
    assert after.compiled == before.compiled + 4
