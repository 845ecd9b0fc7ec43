"""`update()` and `bulk_update()` of rows that are kept in several tables, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post

from crowsfoot import create_tables, models, plan_cache
from crowsfoot.errors import FieldError
from crowsfoot.models import Count, F, Max, RowRange, Sum, Value, Window
from crowsfoot.models.expressions import RawSQL
from crowsfoot.models.functions import Concat, Lower, Upper


class Place(models.Model):
    name = models.CharField(max_length=20)
    size = models.IntegerField(default=0)

    class Meta:
        app_label = "updating"


class Cafe(Place):
    menu = models.CharField(max_length=20)
    notes = models.JSONField(null=True)

    class Meta:
        app_label = "updating"


MADE: list[Any] = []


@pytest.fixture(autouse=True)
def tables(do: Any) -> None:
    if do.database not in MADE:
        create_tables(Place, Cafe)
        MADE.append(do.database)
    do.database.session.connection.execute("DELETE FROM updating_cafe")
    do.database.session.connection.execute("DELETE FROM updating_place")


async def cafes(do: Any) -> list[Any]:
    return [await do(Cafe.objects.create, name=name, menu=name * 2, size=size) for size, name in enumerate("abc")]


async def test_fields_of_both_tables(do: Any) -> None:
    await cafes(do)
    assert await do(Cafe.objects.filter(menu__gte="bb").update, name=Upper("name"), menu="-", size=F("size") + 5) == 2
    rows = Cafe.objects.order_by("name").values_list("name", "menu", "size")
    assert sorted(await do.rows(rows)) == [("B", "-", 6), ("C", "-", 7), ("a", "aa", 0)]
    with pytest.raises(FieldError):
        await do(Cafe.objects.update, name=F("menu"))


async def test_many_instances_of_both_tables(do: Any) -> None:
    made = await cafes(do)
    for cafe in made:
        cafe.name, cafe.menu, cafe.notes = cafe.name * 3, f"menu {cafe.name}", {"n": cafe.size}
    assert await do(Cafe.objects.bulk_update, made, ["name", "menu", "notes"]) == 3
    rows = Cafe.objects.order_by("name").values_list("name", "menu", "notes__n")
    assert (await do.rows(rows))[0] == ("aaa", "menu a", 0)
    made[0].notes = None
    await do(Cafe.objects.bulk_update, made[:1], ["notes"])
    assert await do(Cafe.objects.filter(notes__isnull=True).count) == 1


async def test_sql_of_ones_own_knows_the_inherited_table(do: Any) -> None:
    await cafes(do)
    rows = Cafe.objects.annotate(both=RawSQL("upper(name) || menu", ())).order_by("both")
    assert await do.rows(rows.values_list("both", flat=True)) == ["Aaa", "Bbb", "Ccc"]


async def test_what_no_update_can_do(do: Any) -> None:
    await cafes(do)
    joined = "Joined field references are not permitted in this query"
    posts = Post.objects.annotate(by=F("author__name"), shout=Concat(Lower("author__name"), Value("!")))
    for name in ("by", "shout"):
        with pytest.raises(FieldError, match=joined):
            await do(posts.update, title=F(name))
    authors = Author.objects.annotate(top=Max("age"), n=Count("posts"))
    with pytest.raises(
        FieldError, match=r"Aggregate functions .*\(age=Max\(Col\(behaviour_author, behaviour.Author.age"
    ):
        await do(authors.update, age=F("top"))
    ranked = Window(Sum("age"), partition_by="name", order_by="-age", frame=RowRange(start=-1))
    said = (
        r"age=<Window: Sum\(Col\(behaviour_author, behaviour.Author.age\)\) OVER \(PARTITION BY Col\(behaviour_author, "
        r"behaviour.Author.name\) OrderBy\(.*\) ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING\)>"
    )
    with pytest.raises(FieldError, match=said):
        await do(Author.objects.update, age=ranked)
    with pytest.raises(TypeError, match="Cannot negate non-conditional expressions"):
        await do(Author.objects.update, age=~F("name"))
    with pytest.raises(ValueError, match="Unsaved model instance <Author: new> cannot be used"):
        await do(Post.objects.update, author=Author(name="new"))


async def test_what_no_insert_can_do(do: Any) -> None:
    with pytest.raises(
        ValueError, match=r'insert expression "Col\(.*Author.age\) \+ Value\(1\)" on behaviour.Author.age'
    ):
        await do(Author.objects.create, name="x", age=F("age") + 1)
    with pytest.raises(FieldError, match=r"Aggregate functions are not allowed in this query \(age=Max\(Value\(1\)\)"):
        await do(Author.objects.create, name="x", age=Max(Value(1)))


async def test_an_order_by_an_aggregate_is_refused(do: Any) -> None:
    authors = Author.objects.annotate(n=Count("posts"))
    for ordered in (authors.order_by("name", "-n"), authors.order_by(F("n").desc())):
        with do.queries(0), pytest.raises(FieldError, match="Cannot update when ordering by an aggregate: Count"):
            await do(ordered.update, age=1)
    assert await do(authors.order_by("name").update, age=1) == 0
    assert await do(authors.order_by("-n").order_by().update, age=1) == 0


async def test_an_update_is_written_once_for_all_values(do: Any) -> None:
    asha, ben = [await do(Author.objects.create, name=name, age=30) for name in ("Asha", "Ben")]
    post = await do(Post.objects.create, title="one", author=asha)

    async def change(number: int, author: Any) -> None:
        rows = Post.objects.filter(pk=post.pk)
        assert await do(rows.update, title=f"t{number}", rank=F("rank") + number, author=author) == 1

    await change(1, asha)
    compiled = plan_cache().compiled
    await change(2, ben)
    await change(3, asha)
    assert plan_cache().compiled == compiled
    await do(Post.objects.filter(pk=post.pk).update, editor=ben)
    await do(Post.objects.filter(pk=post.pk).update, editor=None)
    found = await do(Post.objects.get, pk=post.pk)
    assert (found.title, found.rank, found.author_id, found.editor_id) == ("t3", 6, asha.pk, None)
