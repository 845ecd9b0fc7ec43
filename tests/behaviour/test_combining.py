"""`union`, `intersection` and `difference`: nested, ordered, sliced, and of other models."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post, Tag

from crowsfoot.errors import DatabaseError, NotSupportedError
from crowsfoot.models import Count, Exists, F, OuterRef, Subquery, Value
from crowsfoot.models.functions import Length

COLUMNS = "Combined querysets need the same number of columns"
NO_COLUMN = "ORDER BY term does not match any column in the result set"


async def fill(do: Any) -> None:
    """Authors a (1 year) to e (5), of whom d has written x and y; tags a and z."""
    for age, name in enumerate("abcde", 1):
        made = await do(Author.objects.create, name=name, age=age)
    dora = await do(Author.objects.get, name="d")
    for rank, title in enumerate("xy"):
        await do(Post.objects.create, title=title, rank=rank, author=dora, editor=made)
    for name in "az":
        await do(Tag.objects.create, name=name)


def young(age: int) -> Any:
    return Author.objects.filter(age__lte=age)


def old(age: int) -> Any:
    return Author.objects.filter(age__gte=age)


async def names(do: Any, queryset: Any) -> str:
    return "".join([row.name for row in await do.rows(queryset)])


async def test_values_are_chosen_in_every_part(do: Any) -> None:
    await fill(do)
    both = young(1).union(old(4)).order_by("name")
    assert await do.rows(both.values_list("name", flat=True)) == ["a", "d", "e"]
    assert await do.rows(both.values("age")) == [{"age": 1}, {"age": 4}, {"age": 5}]
    assert await do.rows(young(3).intersection(old(3)).values_list("name", "age")) == [("c", 3)]
    assert await do.rows(old(3).difference(old(5)).order_by("-age").values_list("age")) == [(4,), (3,)]


async def test_a_sliced_part_brings_its_slice_alone(do: Any) -> None:
    await fill(do)
    first, last = Author.objects.order_by("age")[:2], Author.objects.order_by("-age")[:2]
    assert await names(do, first.union(last).order_by("-age")) == "edba"
    assert await names(do, first.union(last).order_by("age")[1:3]) == "bd"
    assert await do(first.union(last).count) == 4
    assert await names(do, young(4).union(old(5)).difference(first).order_by("name")) == "cde"
    assert await do(young(1).union(young(1), all=True).count) == 2


async def test_order_by_what_is_not_selected(do: Any) -> None:
    await fill(do)
    both = young(2).union(old(4))
    assert await do.rows(both.order_by("-age").values_list("name", flat=True)) == ["e", "d", "b", "a"]
    assert await do.rows(both.values_list("name", flat=True).order_by(F("age") * -1)) == ["e", "d", "b", "a"]
    one = young(1).annotate(last=Value(1), twice=F("last") * 2)
    other = old(5).annotate(last=Value(0), twice=F("last") * 2)
    assert await names(do, one.union(other).order_by("last")) == "ea"
    assert await do.rows(one.union(other).order_by("twice").values_list("age", flat=True)) == [5, 1]
    assert await names(do, both.order_by(F("age").desc(nulls_last=True))) == "edba"


async def test_an_order_that_no_part_can_have_is_refused(do: Any) -> None:
    await fill(do)
    chosen = young(1).values("name").union(old(5).values("name"))
    with do.queries(0), pytest.raises(DatabaseError, match=NO_COLUMN):
        await do.rows(chosen.order_by("age"))
    with do.queries(0), pytest.raises(NotSupportedError, match="at random"):
        await do.rows(young(1).union(old(5)).order_by("?"))
    with do.queries(0), pytest.raises(DatabaseError, match=COLUMNS):
        await do.rows(young(1).values("name", "age").union(old(5).values("name")))


async def test_parts_of_other_models(do: Any) -> None:
    await fill(do)
    both = Author.objects.filter(name="e").values(label=F("name"), size=Length("name"))
    tags = Tag.objects.values("name").annotate(size=Value(7))
    assert await do.rows(both.union(tags).order_by("label")) == [
        {"label": "a", "size": 7}, {"label": "e", "size": 1}, {"label": "z", "size": 7},
    ]  # fmt: skip
    assert await do.rows(young(1).union(Tag.objects.all()).values_list("name").order_by("name")) == [("a",), ("z",)]


async def test_inside_another_query(do: Any) -> None:
    await fill(do)
    both = young(1).union(old(5))
    assert await names(do, Author.objects.exclude(pk__in=both.values("pk")).order_by("name")) == "bcd"
    assert await names(do, Author.objects.filter(pk__in=both.order_by("-age").values("pk")[:1])) == "e"
    written = Post.objects.filter(author=OuterRef("pk"), title="x").union(
        Post.objects.filter(editor=OuterRef("pk"), title="y")
    )
    rows = Author.objects.annotate(n=Subquery(written.values("title")[:1])).filter(n__isnull=False).order_by("name")
    assert [(row.name, row.n) for row in await do.rows(rows)] == [("d", "x"), ("e", "y")]
    assert await names(do, Author.objects.filter(Exists(written)).order_by("name")) == "de"


async def test_related_rows_are_read_from_every_part(do: Any) -> None:
    await fill(do)
    rows = Post.objects.select_related("author")
    both = rows.filter(title="x").union(rows.filter(title="y")).order_by("-rank")
    assert await do(both.count) == 2
    with do.queries(1):
        assert [(row.title, row.author.name) for row in await do.rows(both)] == [("y", "d"), ("x", "d")]


async def test_a_distinct_slice_in_a_subquery_keeps_its_order(do: Any) -> None:
    await fill(do)
    newest = Post.objects.order_by("-rank").distinct().values("editor")[:1]
    assert await names(do, Author.objects.filter(pk__in=newest)) == "e"


async def test_what_makes_no_sense_after_a_combination_is_refused(do: Any) -> None:
    both = young(1).union(old(5))
    for name in ("annotate", "defer", "delete", "distinct", "exclude", "filter", "only", "select_related", "update"):
        with pytest.raises(NotSupportedError, match=rf"Calling QuerySet.{name}\(\) after union\(\) is not supported."):
            getattr(both, name)()
    with pytest.raises(NotSupportedError, match=r"get\(...\) with filters after union\(\)"):
        await do(both.get, name="a")
    with pytest.raises(TypeError, match=r"Cannot use \| operator with combined queryset."):
        both | young(1)
    with pytest.raises(NotSupportedError, match=r"annotate\(\) after union\(\)"):
        both.values(size=Length("name"))


async def test_conditions_of_two_querysets(do: Any) -> None:
    await fill(do)
    rows = Author.objects.order_by("-name").annotate(twice=F("age") * 2).filter(twice__lt=4)
    either = rows | Author.objects.filter(posts__title="x")
    with do.captured() as sent:
        assert [(row.name, row.twice) for row in await do.rows(either)] == [("d", 8), ("a", 2)]
    assert [text.count("SELECT") for text in map(str, sent)] == [1]
    assert await names(do, either | old(5)) == "eda"
    assert await names(do, (young(3) & old(2)).order_by("name")) == "bc"
    assert await names(do, (young(3) ^ old(3)).order_by("name")) == "abde"
    assert await names(do, (young(3) | old(5).order_by("-age"))) == "ecba"
    assert await names(do, (Author.objects.all() | old(5)).order_by("name")) == "abcde"


async def test_conditions_on_relations_are_asked_of_rows_of_their_own_by_and_alone(do: Any) -> None:
    await fill(do)
    x, y = Author.objects.filter(posts__title="x"), Author.objects.filter(posts__title="y")
    assert await names(do, x & y) == "d"
    assert await names(do, x | y) == "dd"  # a join finds her twice, as in Django
    assert await names(do, (x | y).distinct()) == "d"
    assert await names(do, Author.objects.exclude(posts__title="x") & y) == ""


async def test_merged_querysets_with_other_shapes(do: Any) -> None:
    await fill(do)
    assert await names(do, (young(3).distinct() | old(5)).order_by("name")) == "abce"
    assert await names(do, young(5).order_by("age")[:2] | old(5)) in ("abe", "aeb", "eab")
    dora = await do(Author.objects.get, name="d")
    found = dora.posts.filter(title="x") | dora.posts.filter(title="y")
    with do.queries(1):
        assert [(post.title, post.author) for post in await do.rows(found.order_by("title"))] == [
            ("x", dora), ("y", dora),
        ]  # fmt: skip


async def test_either_of_two_querysets_asks_of_the_same_related_rows(do: Any) -> None:
    """As in Django the first ``filter()`` of one shares its join with the first of the other."""
    await fill(do)
    some = Author.objects.filter(name="a").filter(posts__isnull=False)
    assert await names(do, some | Author.objects.filter(posts__title="x")) == "d"
    late = Author.objects.filter(name="a").filter(posts__rank=0)
    assert await names(do, Author.objects.filter(posts__rank__gte=0) | late) == "dd"


async def test_what_the_first_computes_and_loads_is_kept(do: Any) -> None:
    await fill(do)
    counted = Author.objects.annotate(n=Count("posts"))
    for rows in (
        counted.filter(n__gt=1) | young(1),
        counted.order_by("-n")[:1] | young(1),
        counted.filter(age=4).distinct() | young(1),
        counted.filter(n__gt=1) ^ young(1),
    ):
        assert {(row.name, row.n) for row in await do.rows(rows)} == {("d", 2), ("a", 0)}
        assert [row.name for row in await do.rows(rows.filter(n=0))] == ["a"]
    assert [(row.name, row.n) for row in await do.rows(counted.filter(n__gt=1) & old(2))] == [("d", 2)]
    posts = Post.objects.select_related("author").filter(rank=1).distinct() | Post.objects.filter(rank=0)
    with do.queries(1):
        assert [post.author.name for post in await do.rows(posts)] == ["d", "d"]
    (only,) = await do.rows(Author.objects.only("name").distinct().filter(age=1) | young(1))
    assert only.get_deferred_fields() == {"age"}
    dora = await do(Author.objects.get, name="d")
    assert len(await do.rows(dora.posts.filter(rank=0).distinct() | Post.objects.filter(rank=1))) == 2


async def test_an_annotation_of_chosen_related_rows_is_not_kept_by_halves(do: Any) -> None:
    chosen = Author.objects.filter(posts__rank=1).annotate(n=Count("posts"))
    with do.queries(0), pytest.raises(NotSupportedError, match="The annotation 'n' is about related rows that filter"):
        _ = chosen | young(1)
