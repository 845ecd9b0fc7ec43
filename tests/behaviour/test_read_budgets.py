"""How many calls the hot paths of reading may cost. Raise a budget only knowing why; a lower figure is welcome here.

The first number is functions of the package, the generated ones included, the second what these call that is written
in C.
A loop's figure is for all its rows, so whatever is called for each row shows a hundredfold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from behaviour_models import Author, Post, Tag
from budgets import calls_and_builtins, crossings

from crowsfoot.testing import assert_num_queries

NUMBER = 100


@pytest.fixture
def asha(database: Any) -> Any:
    """The first of a hundred authors, with three posts and two tags on each; the others have a post each."""
    authors = [Author(name=f"a{n}", age=n) for n in range(NUMBER)]
    Author.objects.bulk_create(authors)
    posts = [Post(title=f"p{n}", author=author) for n, author in enumerate([*authors[:1] * 2, *authors])]
    Post.objects.bulk_create(posts)
    tags = Tag.objects.bulk_create([Tag(name=name) for name in "xy"])
    for post in posts[:3]:
        post.tags.add(*tags)
    return Author.objects.get(pk=authors[0].pk)


def spent(prepare: Callable[[], Any], work: Callable[[Any], Any]) -> tuple[int, int]:
    """What ``work`` costs once it has been done before; ``prepare`` makes what it is done with, anew each time."""
    work(prepare())
    work(prepare())
    given = prepare()
    return calls_and_builtins(lambda: work(given))


def get_by_key(pk: Any) -> None:
    Author.objects.get(pk=pk)


def get_with_its_author(pk: Any) -> None:
    assert Post.objects.select_related("author").get(pk=pk).author.name == "a0"


def iterate(rows: Any) -> None:
    for row in rows:
        row.name  # noqa: B018


def filter_and_order(age: int) -> None:
    Author.objects.filter(age__gt=age, name__startswith="a").exclude(name="b").order_by("-name")[:10]


def touch(posts: Any) -> None:
    for post in posts:
        post.author.name  # noqa: B018


def walk_back(authors: Any) -> None:
    for author in authors:
        for post in author.posts.all():
            post.title  # noqa: B018


def all_authors() -> list[Any]:
    return list(Author.objects.all())


def a_prepared_author() -> list[Any]:
    """The fifth of a result: the question of those before it was answered for it too."""
    authors = all_authors()
    walk_back(authors[:4])
    return authors[4:5]


def a_post_whose_author_is_there() -> list[Any]:
    posts = list(Post.objects.all())
    touch(posts[:1])
    return posts[1:2]


@pytest.mark.parametrize(
    ("work", "prepare", "budget"),
    [
        (iterate, lambda: Author.objects.all(), (20, 2 * NUMBER + 8)),
        (filter_and_order, lambda: 5, (33, 23)),
        (touch, a_post_whose_author_is_there, (1, 3)),
        (touch, lambda: list(Post.objects.all()), (350, 970)),
        (walk_back, a_prepared_author, (4, 4)),
        (walk_back, all_authors, (710, 940)),
        (list, lambda: Author.objects.prefetch_related("posts"), (160, 880)),
        (walk_back, lambda: list(Author.objects.prefetch_related("posts")), (4 * NUMBER, 4 * NUMBER)),
    ],
    ids=["rows", "filter", "one-touch", "touches", "prepared", "walk", "prefetch", "prefetched"],
)
def test_reading_is_few_calls(
    asha: Any, work: Callable[[Any], Any], prepare: Callable[[], Any], budget: tuple[int, int]
) -> None:
    own, builtin = spent(prepare, work)
    assert (own <= budget[0], builtin <= budget[1]) == (True, True), f"{own}, {builtin} calls; at most {budget}"


def test_one_row_is_few_calls(asha: Any) -> None:
    post = Post.objects.filter(author=asha)[0]
    for work, key, budget in ((get_by_key, asha.pk, (11, 10)), (get_with_its_author, post.pk, (30, 26))):
        own, builtin = spent(lambda key=key: key, work)
        assert (own <= budget[0], builtin <= budget[1]) == (True, True), f"{work.__name__}: {own}, {builtin} calls"


def test_the_usual_loop_stays_in_few_files(asha: Any) -> None:
    """A filter of related rows by a relation of theirs, and each row's owner: the flow of the first design."""

    def flow(author: Any) -> None:
        titles = {post.title: post.author.name for post in author.posts.filter(tags__name="x")}
        assert titles == {"p0": "a0", "p1": "a0", "p2": "a0"}

    def again() -> Any:
        return Author.objects.get(pk=asha.pk)

    own, builtin = spent(again, flow)
    assert (own <= 40, builtin <= 40) == (True, True), f"{own}, {builtin} calls"
    author = again()
    files, times = crossings(lambda: flow(author))
    assert len(files) <= 12, sorted(files)
    assert times <= 36  # of the 60 that were allowed
    author = again()
    with assert_num_queries(1):
        flow(author)
