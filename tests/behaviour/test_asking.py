"""Questions over relations: paths, orders, subqueries, windows, joins under a condition, and sets that are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from behaviour_models import TABLES, Author, Post, Profile, Tag

from crowsfoot import create_tables
from crowsfoot.conf import settings
from crowsfoot.database import Database, databases
from crowsfoot.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Max,
    OuterRef,
    Q,
    Subquery,
    Window,
)
from crowsfoot.models.functions import RowNumber
from crowsfoot.transaction import atomic


async def blog(do: Any) -> None:
    """Ann (40) wrote a (rank 3, red) and b (1), Ben (30) wrote c (2, red and blue), which Ann edited; Cas none."""
    ann, ben = [await do(Author.objects.create, name=name, age=age) for name, age in (("Ann", 40), ("Ben", 30))]
    await do(Author.objects.create, name="Cas")
    await do(Profile.objects.create, author=ben, motto="onwards")
    red, blue = [await do(Tag.objects.create, name=name) for name in ("red", "blue")]
    for title, rank, author, editor, tags in (
        ("a", 3, ann, None, [red]),
        ("b", 1, ann, None, []),
        ("c", 2, ben, ann, [red, blue]),
    ):
        post = await do(Post.objects.create, title=title, rank=rank, author=author, editor=editor)
        await do(post.tags.add, *tags)


async def titles(do: Any, rows: Any) -> list[str]:
    return [row.title async for row in do.each(rows)]


@pytest.mark.capability(66)
async def test_paths_over_each_kind_of_relation(do: Any) -> None:
    await blog(do)
    with do.queries(5):
        assert await titles(do, Post.objects.filter(author__age__gt=35).order_by("title")) == ["a", "b"]
        assert await titles(do, Post.objects.filter(author__profile__motto__startswith="on")) == ["c"]
        assert await titles(do, Post.objects.filter(tags__name="red", editor=None)) == ["a"]
        assert await titles(do, Post.objects.exclude(tags__name="red")) == ["b"]
        authors = Author.objects.filter(edited__tags__name="blue").values_list("name", "edited__author__name")
        assert await do.rows(authors) == [("Ann", "Ben")]


@pytest.mark.capability(77)
async def test_order_by_a_field_of_a_related_row(do: Any) -> None:
    await blog(do)
    with do.queries(2):
        assert await titles(do, Post.objects.order_by("author__age", "-rank")) == ["c", "a", "b"]
        assert await titles(do, Post.objects.order_by(F("editor__name").asc(nulls_last=True), "title")) == [
            "c",
            "a",
            "b",
        ]


async def test_exclude_and_what_is_missing(do: Any) -> None:
    """A field without a value does not meet a condition; what is computed without one is neither in nor out."""
    await blog(do)
    assert [a.name for a in await do.rows(Author.objects.exclude(age__lt=35).order_by("name"))] == ["Ann", "Cas"]
    computed = Author.objects.annotate(half=F("age") / 2, top=Max("posts__rank")).order_by("name")
    assert [a.name for a in await do.rows(computed.exclude(half__lt=20))] == ["Ann"]
    assert [a.name for a in await do.rows(computed.exclude(top__gt=2))] == ["Ben"]
    assert await titles(do, Post.objects.exclude(rank__lt=F("editor__age")).order_by("title")) == ["a", "b"]
    assert await titles(do, Post.objects.exclude(rank__lt=F("editor__age") + 1).order_by("title")) == []


async def test_columns_of_many_rows_are_counted_as_they_are_listed(do: Any) -> None:
    await blog(do)
    tags = Post.objects.values_list("title", "tags__name")
    assert await do(tags.count) == len(await do.rows(tags)) == 4
    assert await do(Post.objects.annotate(tag=F("tags__name")).count) == 4
    assert await do(Post.objects.values("title", "author__name").count) == 3


async def test_a_condition_is_compared_with_a_list(do: Any) -> None:
    await blog(do)
    posts = Post.objects.annotate(high=ExpressionWrapper(Q(rank__gte=2), output_field=BooleanField()))
    assert await titles(do, posts.filter(high__in=[True]).order_by("title")) == ["a", "c"]
    assert await titles(do, posts.exclude(high__in=[True]).filter(high__isnull=False)) == ["b"]


@pytest.mark.capability(79)
async def test_subqueries_that_speak_of_the_outer_row(do: Any) -> None:
    await blog(do)
    own = Post.objects.filter(author=OuterRef("pk"))
    with do.queries(3):
        authors = Author.objects.annotate(best=Subquery(own.order_by("-rank").values("title")[:1])).order_by("name")
        assert await do.rows(authors.values_list("name", "best")) == [("Ann", "a"), ("Ben", "c"), ("Cas", None)]
        tagged = Author.objects.filter(Exists(own.filter(tags__name="blue")))
        assert [author.name for author in await do.rows(tagged)] == ["Ben"]
        silent = Author.objects.filter(~Exists(own))
        assert [author.name for author in await do.rows(silent)] == ["Cas"]


@pytest.mark.capability(80)
async def test_windows_over_related_rows(do: Any) -> None:
    await blog(do)
    place = Window(RowNumber(), partition_by=F("author__name"), order_by=F("rank").desc())
    rows = Post.objects.annotate(place=place).order_by("title").values_list("title", "place")
    with do.queries(1):
        assert await do.rows(rows) == [("a", 1), ("b", 2), ("c", 1)]


@pytest.mark.capability(81)
async def test_one_relation_joined_twice(do: Any) -> None:
    await blog(do)
    authors = Author.objects.annotate(
        high=FilteredRelation("posts", condition=Q(posts__rank=3)),
        low=FilteredRelation("posts", condition=Q(posts__rank=1)),
    ).order_by("name")
    with do.queries(2):
        rows = authors.values_list("name", "high__title", "low__title")
        assert await do.rows(rows) == [("Ann", "a", "b"), ("Ben", None, None), ("Cas", None, None)]
        assert [author.name for author in await do.rows(authors.filter(high__title="a", low__title="b"))] == ["Ann"]


@pytest.mark.capability(49)
async def test_sets_found_over_relations_are_written(do: Any) -> None:
    await blog(do)
    with do.queries(1):
        assert await do(Post.objects.filter(author__age__gt=35, tags__name="red").update, rank=9) == 1
    assert await titles(do, Post.objects.filter(rank=9)) == ["a"]
    assert await do(Author.objects.filter(posts__tags__name="blue").update, age=31) == 1
    with do.captured() as sent:
        _, counts = await do(Post.objects.filter(author__name="Ann").delete)
    assert counts == {"behaviour.Post": 2, "behaviour.Post_tags": 1}
    assert sum(query["sql"].startswith("DELETE") for query in sent) <= 5, "one for each table that points at posts"
    assert await titles(do, Post.objects.all()) == ["c"]


# -- two connections, and two databases --------------------------------------------------------------------------------


@pytest.mark.capability(141)
def test_related_rows_are_locked_by_name(database: Database) -> None:
    """On PostgreSQL: SQLite knows no locks of rows, its writers take turns."""
    if database.vendor != "postgresql":
        return
    ann = Author.objects.create(name="Ann")
    Post.objects.create(title="a", author=ann)
    another = databases["another"] = Database("another", database.parts)
    try:
        with atomic():
            post = Post.objects.select_related("author").select_for_update(of=("self",)).get()
            assert post.author == ann
            with atomic(using="another"):
                assert list(Post.objects.using("another").select_for_update(skip_locked=True)) == []
                assert list(Author.objects.using("another").select_for_update(nowait=True)) == [ann]
        with atomic():
            Post.objects.select_related("author").select_for_update(of=("author",)).get()
            with atomic(using="another"):
                assert list(Author.objects.using("another").select_for_update(skip_locked=True)) == []
    finally:
        another.close()
        del databases["another"]


class TagsElsewhere:
    """A router: tags are in another database than the rest."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "elsewhere" if model is Tag else None

    db_for_write = db_for_read


@pytest.fixture
def elsewhere(sqlite_file: Path) -> Iterator[Database]:
    found = databases["elsewhere"] = Database("elsewhere", f"sqlite:///{sqlite_file}")
    create_tables(*TABLES, using="elsewhere")
    with settings.override(DATABASE_ROUTERS=[TagsElsewhere()]):
        yield found
    found.close()
    del databases["elsewhere"]


@pytest.mark.capability(133)
async def test_each_model_has_its_database(do: Any, elsewhere: Database) -> None:
    with do.queries(2):
        ann = await do(Author.objects.create, name="Ann")
        tag = await do(Tag.objects.create, name="red")
        assert await do(Tag.objects.get, name="red") == tag
        assert await do(ann.posts.count) == 0
    assert (ann._state.db, tag._state.db) == ("default", "elsewhere")
    assert await do(Tag.objects.using("default").count) == 0
    tag.name = "blue"
    await do(tag.save)
    assert await do(Tag.objects.using("elsewhere").filter(name="blue").count) == 1
    if do.is_async:
        await elsewhere.aclose()
