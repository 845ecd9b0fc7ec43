"""What is loaded with a row: `select_related`, `only` and `defer`; and rows made of SQL of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from behaviour_models import TABLES, Author, Post, Profile, Tag

from crowsfoot import create_tables
from crowsfoot.database import Database, databases
from crowsfoot.errors import FieldDoesNotExist, FieldError
from crowsfoot.models import FETCH_ONE, FETCH_PEERS, FETCH_RAISE, Count, Exists, Prefetch, Subquery
from crowsfoot.testing import assert_num_queries


async def blog(do: Any) -> None:
    asha, ben = await do(Author.objects.create, name="Asha", age=30), await do(Author.objects.create, name="Ben")
    await do(Profile.objects.create, author=asha, motto="on")
    await do(Post.objects.create, title="one", rank=1, author=asha, editor=ben)
    await do(Post.objects.create, title="two", rank=2, author=ben)


async def post(do: Any, queryset: Any) -> Any:
    return await do(queryset.get, title="one")


def held(instance: Any) -> set[str]:
    """The names of the fields that are loaded."""
    return {name for name in instance._meta.entity.attributes if name in instance.__dict__}


async def test_rows_that_join_the_same_row_share_an_instance(do: Any) -> None:
    await blog(do)
    await do(Post.objects.create, title="three", rank=3, author=await do(Author.objects.get, name="Asha"))
    with do.queries(1):
        one, three, two = await do.rows(Post.objects.select_related("author__profile", "editor").order_by("title"))
        assert one.author is three.author is not two.author
        assert one.author.profile.author is one.author
        assert (one.editor.name, two.editor) == ("Ben", None)
        assert one.editor is not two.author  # each relation has instances of its own


@pytest.mark.capability(82)
async def test_joined(do: Any) -> None:
    await blog(do)
    with do.queries(1):
        found = await post(do, Post.objects.select_related("author__profile", "editor"))
        assert found.author.profile.motto == "on"
        assert found.author.profile.author is found.author
        assert found.editor.name == "Ben"
        assert found._state.fields_cache == {"author": found.author, "editor": found.editor}
        assert found.author._state.fields_cache == {"profile": found.author.profile}
    with do.queries(1):
        asha, ben = await do.rows(Author.objects.select_related("profile").order_by("name"))
        assert asha.profile.motto == "on"
        with pytest.raises(Profile.DoesNotExist):
            _ = ben.profile
    with do.queries(1):
        two = await do(Post.objects.select_related("editor").get, title="two")
        assert two.editor is None
    nothing = Post.objects.select_related("author").select_related(None)
    assert "author" not in (await post(do, nothing))._state.fields_cache


@pytest.mark.capability(91)
async def test_only_and_defer_along_relations_in_any_order(do: Any) -> None:
    await blog(do)
    every = {"id", "title", "rank", "author_id", "editor_id"}
    few = {"id", "rank", "author_id"}
    cases: list[tuple[Any, set[str], set[str]]] = [
        (Post.objects.only("rank", "author__name").select_related("author"), few, {"id", "name"}),
        (Post.objects.select_related("author").only("author", "author__pk"), {"id", "author_id"}, {"id"}),
        (Post.objects.defer("rank", "author__age").select_related("author"), every - {"rank"}, {"id", "name"}),
        (Post.objects.select_related("author").defer("author__name", "author__age"), every, {"id"}),
        (Post.objects.select_related("author").defer("rank").defer(None), every, {"id", "name", "age"}),
    ]
    for queryset, own, related in cases:
        with do.queries(1):
            found = await post(do, queryset)
            assert held(found) == own
            assert held(found.author) == related


async def test_only_and_defer_after_each_other(do: Any) -> None:
    await blog(do)
    objects = Post.objects.order_by("pk")
    cases: list[tuple[Any, set[str]]] = [
        (objects.defer("title").defer("rank"), {"id", "author_id", "editor_id"}),
        (objects.only("title").only("rank"), {"id", "rank"}),
        (objects.only("title", "rank").defer("rank"), {"id", "title"}),
        (objects.defer("rank").only("title", "rank"), {"id", "title"}),
        (objects.only("title").defer("title"), {"id", "title", "rank", "author_id", "editor_id"}),
        (objects.only("title").defer("title", "rank"), {"id", "title", "author_id", "editor_id"}),
        (objects.only("pk"), {"id"}),
    ]
    for queryset, names in cases:
        assert held(await do(queryset.first)) == names
    deferred = await do.rows(objects.only("pk"))
    with do.queries(1):
        assert await do(deferred[0].load, "title") == "one"
        assert deferred[1].title == "two", "it came for the whole result"


class Whole(Post):
    """A post of which all is read when something is missing."""

    class Meta:
        app_label = "behaviour"
        proxy = True

    def refresh_from_db(self, using: Any = None, fields: Any = None, from_queryset: Any = None) -> None:
        super().refresh_from_db(using, {*(fields or ()), *self.get_deferred_fields()}, from_queryset)


def test_a_model_says_how_a_lone_instance_of_its_own_is_read(database: Database) -> None:
    asha = Author.objects.create(name="Asha")
    asha.posts.create(title="one", rank=3)
    found = Whole.objects.only("author").get()
    with assert_num_queries(1):
        assert found.title == "one"
        assert found.rank == 3
    asha.posts.create(title="two")
    one, two = Whole.objects.only("author").order_by("pk")
    with assert_num_queries(1):
        assert (one.title, two.title) == ("one", "two"), "several are read together"


async def test_mistakes(do: Any) -> None:
    for name in ("defer", "only"):
        with pytest.raises(FieldDoesNotExist, match=r"Post has no field named 'titel'.*'title'"):
            getattr(Post.objects, name)("titel")
        with pytest.raises(FieldDoesNotExist, match="Author has no field named 'x'"):
            getattr(Post.objects, name)("author__x")
        with pytest.raises(FieldError, match=r"Post\.title is no relation"):
            getattr(Post.objects, name)("title__x")
    for wrong in (Post.objects.only("title"), Post.objects.defer("author")):
        with pytest.raises(FieldError, match=r"Post\.author cannot be both deferred and traversed"):
            await do.rows(wrong.select_related("author"))
    with pytest.raises(FieldError, match="Non-relational field given in select_related: 'title'"):
        Post.objects.select_related("title")
    with pytest.raises(FieldError, match=r"Invalid field name\(s\) given in select_related: 'tags'"):
        Post.objects.select_related("tags")


async def test_merged_querysets_know_both_owners(do: Any) -> None:
    await blog(do)
    asha, ben = await do.rows(Author.objects.order_by("name"))
    with do.queries(1):
        found = await do.rows((asha.posts.all() | ben.posts.all()).order_by("title"))
        assert [p.author for p in found] == [asha, ben]
        assert found[0].author is asha
        assert found[1].author is ben
    (mine,) = await do.rows(asha.posts.all() & ben.edited.all())
    assert mine.author is asha
    assert mine.editor is ben


async def test_extra(do: Any) -> None:
    await blog(do)
    rows = Post.objects.extra(
        select={"next": "rank + %s", "same": "rank"},
        select_params=[1],
        where=["rank < %s", "title LIKE 'o%%'"],
        params=[5],
        order_by=["-behaviour_post.id"],
    )
    (found,) = await do.rows(rows)
    assert (found.title, found.next, found.same) == ("one", 2, 1)
    joined = Post.objects.extra(tables=["behaviour_author"], where=["behaviour_author.id = author_id", "age = 30"])
    assert [p.title for p in await do.rows(joined)] == ["one"]
    assert await do(rows.count) == 1


# -- another database --------------------------------------------------------------------------------------------------


@pytest.fixture
def other(database: Database, sqlite_file: Path) -> Iterator[Database]:
    """A second database, with the same tables."""
    found = databases["other"] = Database("other", f"sqlite:///{sqlite_file}")
    create_tables(*TABLES, using="other")
    yield found
    found.close()
    del databases["other"]


async def test_prefetched_from_where_the_owner_is_or_from_elsewhere(do: Any, other: Database) -> None:
    await blog(do)
    here = await do(Author.objects.get, name="Asha")
    there = await do(Author.objects.using("other").create, pk=here.pk, name="Cleo")
    await do(Post.objects.using("other").create, title="there", author_id=there.pk)
    await do(Tag.objects.using("other").create, name="x")
    with assert_num_queries(2, using="other"), do.queries(0):
        (cleo,) = await do.rows(Author.objects.using("other").prefetch_related(Prefetch("posts", Post.objects.all())))
        assert [p.title for p in await do.rows(cleo.posts.all())] == ["there"]
    elsewhere = Post.objects.using("default").order_by("title")
    with assert_num_queries(1, using="other"), do.queries(1):
        (cleo,) = await do.rows(Author.objects.using("other").prefetch_related(Prefetch("posts", elsewhere)))
        assert [p.title for p in await do.rows(cleo.posts.all())] == ["one"]
    if do.is_async:
        await other.aclose()


async def test_a_subquery_is_answered_where_it_says_or_not_at_all(do: Any, other: Database) -> None:
    await blog(do)
    asha = await do(Author.objects.get, name="Asha")
    there = Author.objects.using("other").filter(name="Asha")
    across = [
        Post.objects.filter(author__in=there),
        Post.objects.exclude(author__in=there.values("pk")),
        Post.objects.annotate(found=Exists(there)).filter(found=True),
        Post.objects.annotate(found=Subquery(there.values("name")[:1])).filter(found="Asha"),
        Post.objects.filter(pk__in=asha.posts.using("other")),
        Post.objects.filter(pk__in=asha.posts.all().using("other").query),
    ]
    refused = r"(?s)different databases.*list\(inner_query\).*asks 'other' for"
    for rows in across:
        with do.queries(0), assert_num_queries(0, using="other"):
            for method in (rows.first, rows.count, Post.objects.filter(pk__in=rows.values("pk")).exists):
                with pytest.raises(ValueError, match=refused):
                    await do(method)
        with pytest.raises(ValueError, match=refused):
            await do(rows.delete)
        assert await do(rows.using("other").count) == 0
    same = Post.objects.using("default").filter(author__in=Author.objects.using("default").filter(name="Asha"))
    assert await do(same.count) == await do(Post.objects.filter(author=asha).count) == 1
    with pytest.raises(ValueError, match="asks 'default' for behaviour"):
        await do(same.using("other").exists)
    assert await do(Post.objects.using("other").filter(pk__in=asha.posts.all()).count) == 0  # goes with the outer one
    if do.is_async:
        await other.aclose()


def test_a_queryset_that_is_kept_speaks_to_each_database_in_its_words(sqlite_tables: Any, postgres_tables: Any) -> None:
    kept = Post.objects.filter(rank__gt=0)
    for tables in (sqlite_tables, postgres_tables, sqlite_tables):
        databases["default"] = found = tables(TABLES)
        assert list(kept.order_by("pk")[:1]) == []
        assert kept.filter(title="x").count() == 0
        found.close()


async def test_a_fetch_mode_stays_with_an_instance(do: Any) -> None:
    await blog(do)
    rows = Author.objects.fetch_mode(FETCH_ONE)
    made = await do(rows.create, name="Cleo")
    also, is_made = await do(rows.get_or_create, name="Dina")
    assert (made._state.fetch_mode, also._state.fetch_mode, is_made) == (FETCH_ONE, FETCH_ONE, True)
    owner = await do(rows.get, name="Asha")
    assert (await do(owner.posts.create, title="three", rank=3))._state.fetch_mode is FETCH_ONE
    assert (await do(Author.objects.create, name="Eve"))._state.fetch_mode is FETCH_PEERS
    new = Author(name="Finn")
    new._state.fetch_mode = FETCH_RAISE
    assert (new._state.adding, new._state.db) == (True, None)
    await do(new.save)
    assert (new._state.adding, new._state.db, new._state.fetch_mode) == (False, "default", FETCH_RAISE)
    new._state.db = "default"
    assert new._state.fetch_mode is FETCH_RAISE
    new._state.db = None
    assert (new._state.adding, new._state.db, new._state.fetch_mode) == (False, None, FETCH_RAISE)
    await do(new.save)
    assert (new._state.db, new._state.fetch_mode) == ("default", FETCH_RAISE)


async def test_a_deferred_value_is_loaded_for_each_instance_of_a_row(do: Any) -> None:
    await blog(do)
    asha = await do(Author.objects.get, name="Asha")
    await do(Post.objects.create, title="three", author=asha)
    with do.queries(2):
        found = await do.rows(Author.objects.filter(posts__rank__gte=0).only("name").order_by("pk"))
        await do(found[0].load, "age")
        assert [row.age for row in found] == [30, 30, None]


class Counted(Author):
    class Meta:
        app_label = "behaviour"
        proxy = True

    seen: Any = ()

    @property
    def number(self) -> Any:
        return self.seen[-1]

    @number.setter
    def number(self, value: Any) -> None:
        self.seen = (*self.seen, value)


async def test_an_annotation_is_set_as_an_attribute(do: Any) -> None:
    await blog(do)
    rows = await do.rows(Counted.objects.annotate(number=Count("posts")).order_by("name"))
    assert [(row.number, row.seen) for row in rows] == [(1, (1,)), (1, (1,))]
