"""What rows are grouped by, what an aggregate is computed over, and which questions about aggregates are refused."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post, Tag

from crowsfoot.errors import FieldError
from crowsfoot.models import (
    AnyValue,
    Avg,
    BitAnd,
    BitOr,
    BitXor,
    Case,
    Count,
    Exists,
    F,
    FloatField,
    Func,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    StdDev,
    StringAgg,
    Subquery,
    Sum,
    Value,
    Variance,
    When,
    Window,
)
from crowsfoot.models.functions import Cast, Coalesce, ExtractMonth, Greatest, Length, RowNumber


async def fill(do: Any) -> None:
    """Ann (age 2) wrote a (rank 1) and b (2), Ben (3) c (3), d (4) and e (5). Tags: a x y, b x, c x y z."""
    tags = {name: await do(Tag.objects.create, name=name) for name in "xyz"}
    authors = [await do(Author.objects.create, name=name, age=age) for age, name in ((2, "Ann"), (3, "Ben"))]
    for rank, (title, names) in enumerate([("a", "xy"), ("b", "x"), ("c", "xyz"), ("d", ""), ("e", "")], 1):
        post = await do(Post.objects.create, title=title, rank=rank, author=authors[rank > 2])
        await do(post.tags.add, *[tags[name] for name in names])


async def rows(do: Any, queryset: Any, *names: str) -> list[Any]:
    return await do.rows(queryset.values_list(*names))


async def test_a_condition_that_comes_later_joins_for_itself(do: Any) -> None:
    await fill(do)
    posts = Post.objects.annotate(n=Count("tags")).filter(tags__name="y", n__gt=1)
    assert await do(posts.aggregate, total=Sum("rank")) == {"total": 4}
    assert await rows(do, posts.order_by("title"), "title", "n") == [("a", 2), ("c", 3)]
    before = Post.objects.filter(tags__name="y").annotate(n=Count("tags")).order_by("title")
    assert await rows(do, before, "title", "n") == [("a", 1), ("c", 1)]


async def test_values_before_an_aggregate_group_and_values_after_choose(do: Any) -> None:
    await fill(do)
    by_size = Post.objects.values(size=Greatest("rank", 3)).annotate(n=Count("pk"))
    assert sorted(await rows(do, by_size, "n")) == [(1,), (1,), (3,)]
    mean = by_size.annotate(each=Max("size") / Cast("n", FloatField()))
    assert sorted(await do.rows(mean.values_list("each", flat=True))) == [1.0, 4.0, 5.0]
    assert await do(mean.values_list("each").aggregate, mean=Avg("each")) == {"mean": 10 / 3}
    doubled = Post.objects.annotate(copy=F("rank")).values("author", "copy").annotate(n=Count("pk")).values("author")
    assert len(await do.rows(doubled)) == 5


async def test_a_constant_makes_no_groups(do: Any) -> None:
    await fill(do)
    whole = Post.objects.annotate(all=Value(1)).values("all").annotate(n=Count("pk"))
    assert await do.rows(whole) == [{"all": 1, "n": 5}]
    assert await do.rows(whole.filter(title="z")) == [{"all": 1, "n": 0}]


async def test_a_condition_beside_an_aggregate_may_name_other_columns(do: Any) -> None:
    await fill(do)
    by_author = Post.objects.values("author__name").annotate(n=Count("pk"))
    assert len(await do.rows(by_author.filter(Q(n__gt=2) | Q(rank=1)))) == 1
    some = Post.objects.annotate(n=Count("tags")).exclude(Q(n__gte=1) & Q(author__name="Ann")).values("rank")
    assert await do(some.count) == 3


async def test_what_is_not_selected_makes_no_groups(do: Any) -> None:
    await fill(do)
    first = Subquery(Tag.objects.filter(name=OuterRef("posts__tags__name")).values("id")[:1])
    authors = Author.objects.annotate(tag=first).filter(tag__isnull=False).annotate(top=Min("posts__rank"))
    assert await rows(do, authors.order_by("name"), "name", "top") == [("Ann", 1), ("Ben", 3)]


async def test_constants_and_cases_among_the_columns(do: Any) -> None:
    await fill(do)
    posts = Post.objects.annotate(
        n=Count("tags"), none=Exists(Tag.objects.none()), all=Q(), best=Case(
            When(rank__lt=3, then=Value(0)), default=Max("tags__id") - Max("tags__id") + 1,
        ),
    ).order_by("title")  # fmt: skip
    assert await rows(do, posts, "n", "none", "all", "best") == [
        (2, False, True, 0), (1, False, True, 0), (3, False, True, 1), (0, False, True, None), (0, False, True, None),
    ]  # fmt: skip


async def test_the_condition_of_an_aggregate_speaks_of_the_row_it_counts(do: Any) -> None:
    await fill(do)
    posts = Post.objects.annotate(n=Count("tags", filter=~Q(tags__name="x"))).order_by("title")
    assert await do.rows(posts.values_list("n", flat=True)) == [1, 0, 2, 0, 0]
    texts = StringAgg("tags__name", Value("+"), filter=~Q(tags__name="y"), order_by="tags__name")
    inner = Post.objects.filter(pk=OuterRef("pk")).annotate(text=texts).values("text")
    found = Post.objects.annotate(text=Subquery(inner)).order_by("title").values_list("text", flat=True)
    assert await do.rows(found) == ["x", "x", "x+z", None, None]


async def test_texts_joined_each_once(do: Any) -> None:
    await fill(do)
    tags = Post.objects.values("author__name").annotate(
        names=StringAgg("tags__name", Value(" & "), distinct=True, order_by="tags__name", default=Value("-"))
    )
    assert await rows(do, tags.order_by("author__name"), "names") == [("x & y",), ("x & y & z",)]
    assert await do(Post.objects.filter(rank__gt=3).aggregate, names=StringAgg(
        "tags__name", Value(","), distinct=True, default=Value("-"))
    ) == {"names": "-"}  # fmt: skip


async def test_bits(do: Any) -> None:
    await fill(do)
    bits = {"every": BitAnd("rank"), "any": BitOr("rank"), "odd": BitXor("rank")}
    assert await do(Post.objects.filter(rank__gte=3).aggregate, **bits) == {"every": 0, "any": 7, "odd": 2}
    assert await do(Post.objects.filter(rank__gt=9).aggregate, **bits) == {"every": None, "any": None, "odd": None}


async def test_aggregates_of_nothing(do: Any) -> None:
    with do.queries(0):
        assert await do(Post.objects.none().aggregate, n=Count("pk"), s=Sum("rank"), c=Coalesce(Sum("rank"), 7)) == {
            "n": 0, "s": None, "c": 7,
        }  # fmt: skip
    raw = Func("rank", function="COUNT", output_field=IntegerField())
    raw.contains_aggregate = True
    with do.queries(1):  # only the database knows
        assert await do(Post.objects.none().aggregate, n=raw, s=Sum("rank")) == {"n": 0, "s": None}


async def test_what_makes_no_sense_is_refused(do: Any) -> None:
    with pytest.raises(FieldError, match=r"without also including it in annotate\(\) .*: Avg\(F\(posts__rank\)\)"):
        Author.objects.values("age").order_by(Avg("posts__rank"))
    with pytest.raises(FieldError, match="Cannot aggregate over the 'years' alias"):
        await do(Author.objects.alias(years=F("age")).aggregate, n=Sum("years"))
    with pytest.raises(FieldError, match="Cannot select the 'years' alias"):
        Author.objects.alias(years=F("age")).values("years")
    with pytest.raises(FieldError, match="It was excluded by a previous values"):
        Author.objects.annotate(years=F("age"), again=F("age")).values("again").values("years")
    with pytest.raises(FieldError, match=r"Cannot infer type of '\+' .* FloatField, CharField"):
        await do.rows(Author.objects.annotate(x=Value(1.5) + Value("a")))
    with pytest.raises(ValueError, match="Column aliases cannot contain"):
        await do(Author.objects.aggregate, **{"a b": Count("pk")})
    wrong: list[tuple[Any, tuple[Any, ...]]] = [
        (Sum, ("a", "b")), (Max, ()), (StdDev, ("a", True, "b")), (Variance, ("a", True, 1)),
    ]  # fmt: skip
    for kind, args in wrong:
        with pytest.raises(TypeError):
            kind(*args)


async def test_distinct_rows_ordered_by_a_subquery_with_values(do: Any) -> None:
    await fill(do)
    newest = Post.objects.filter(author=OuterRef("pk"), title__contains="b").values("rank")[:1]
    authors = Author.objects.annotate(newest=Subquery(newest)).order_by(F("newest").asc(nulls_first=True)).distinct()
    assert [row.name for row in await do.rows(authors)] == ["Ben", "Ann"]
    by_length = Author.objects.order_by(Length("name") + F("age") * 2, "name").distinct()
    assert [row.name for row in await do.rows(by_length)] == ["Ann", "Ben"]


async def test_which_order_is_total(do: Any) -> None:
    assert [
        queryset.totally_ordered
        for queryset in (
            Post.objects.order_by("pk"), Post.objects.order_by("author__pk"), Post.objects.order_by().none(),
            Post.objects.order_by("-id").none(), Author.objects.order_by("name"), Author.objects.order_by("age"),
        )
    ] == [True, False, False, True, True, False]  # fmt: skip


async def test_an_order_by_another_way_to_the_same_rows_shares_their_join(do: Any) -> None:
    await fill(do)
    tag = await do(Tag.objects.get, name="x")
    post = await do(Post.objects.get, title="c")
    assert [row.title for row in await do.rows(tag.posts.order_by("-tags__name", "title"))] == ["a", "b", "c"]
    assert [row.name for row in await do.rows(post.tags.order_by("-posts__rank", "name"))] == ["x", "y", "z"]


async def test_rows_grouped_by_a_subquery(do: Any) -> None:
    await fill(do)
    long = Post.objects.filter(author=OuterRef("pk"), rank__gt=2).values("author").annotate(n=Count("pk")).values("n")
    assert sorted(await do.rows(Author.objects.values_list(Subquery(long)).annotate(of=Count("*"))), key=str) == [
        (3, 1), (None, 1),
    ]  # fmt: skip
    tagged = Exists(Tag.objects.filter(posts=OuterRef("pk")))
    by_tag = Post.objects.values(tagged=tagged).annotate(n=Count("pk"), top=AnyValue("rank", filter=Q(rank__gt=4)))
    assert await rows(do, by_tag.order_by("tagged"), "tagged", "n", "top") == [(False, 2, 5), (True, 3, None)]


async def test_an_annotation_called_like_a_column_of_a_related_row(do: Any) -> None:
    await fill(do)
    posts = Post.objects.select_related("author").annotate(name=F("rank") * -1)
    assert [post.title for post in await do.rows(posts.order_by("name"))] == ["e", "d", "c", "b", "a"]


async def test_references_to_the_query_around_know_their_types(do: Any) -> None:
    await fill(do)
    nearest = Post.objects.filter(rank__gt=OuterRef("rank") + 1).order_by("rank").values("title")[:1]
    rows = Post.objects.annotate(next=Subquery(nearest)).order_by("rank").values_list("title", "next")
    assert await do.rows(rows) == [("a", "c"), ("b", "d"), ("c", "e"), ("d", None), ("e", None)]
    with pytest.raises(ValueError, match="Extract input expression must be"):
        Post.objects.annotate(x=Subquery(Tag.objects.filter(pk=ExtractMonth(OuterRef("title"))).values("pk")))
    with pytest.raises(FieldError, match=r"Cannot resolve keyword 'titel'.*did you mean 'title'"):
        Post.objects.annotate(x=Exists(Tag.objects.filter(name=OuterRef("titel"))))


async def test_the_first_of_grouped_rows(do: Any) -> None:
    await fill(do)
    first = await do(Author.objects.annotate(n=Count("posts")).first)
    assert (first.name, first.n) == ("Ann", 2)
    assert (await do(Author.objects.values("pk").annotate(n=Count("posts")).last))["n"] == 3
    with pytest.raises(TypeError, match="unordered queryset performing aggregation"):
        await do(Author.objects.values("age").annotate(n=Count("posts")).first)


async def test_an_instance_stands_for_its_key_in_a_comparison_with_a_subquery(do: Any) -> None:
    await fill(do)
    ben = await do(Author.objects.get, name="Ben")
    author = Subquery(Post.objects.filter(pk=OuterRef("pk")).values("author"))
    posts = Post.objects.annotate(by=author).filter(by=ben).order_by("title")
    assert [post.title for post in await do.rows(posts)] == ["c", "d", "e"]


async def test_aggregates_over_several_relations_at_once(do: Any) -> None:
    await fill(do)
    posts = Post.objects.aggregate
    assert await do(posts, tags=Count("tags"), pages=Count("pages"), peers=Count("author__posts")) == {
        "tags": 6, "pages": 0, "peers": 13,
    }  # fmt: skip
    wrote = Author.objects.annotate(n=Count("posts"))
    assert await do(wrote.aggregate, posts=Sum("n"), edited=Count("edited"), age=Sum("age")) == {
        "posts": 5, "edited": 0, "age": 5,
    }  # fmt: skip


async def test_an_order_by_a_subquery_is_said_once(do: Any) -> None:
    """What is grouped by, or selected for DISTINCT, and what is ordered by are the same expression to the database."""
    await fill(do)
    of_ann = Case(When(Q(author__in=Author.objects.filter(name="Ann")), then=Value(1)), default=Value(0))
    grouped = Post.objects.annotate(n=Count("tags")).order_by(of_ann.desc(), "title")
    assert await rows(do, grouped, "title", "n") == [("a", 2), ("b", 1), ("c", 3), ("d", 0), ("e", 0)]
    assert [post.title for post in await do.rows(Post.objects.distinct().order_by(of_ann, "title"))] == list("cdeab")


async def test_windows_are_no_groups(do: Any) -> None:
    """They are computed after the groups, and over these: grouping by one would do nothing, or something else."""
    await fill(do)
    place = Window(RowNumber(), partition_by="author", order_by="rank")
    posts = Post.objects.annotate(place=place)
    for wrong in (posts.values("place"), posts.annotate(k=F("place") + 1).values("author", "k"),
                  Post.objects.values(p=place)):  # fmt: skip
        with pytest.raises(FieldError, match=r"Cannot group by '(place|k|p)': it is a window function"):
            wrong.annotate(n=Count("pk"))
    # Each row is a group of its own.
    keyed = posts.values("pk", "place").annotate(n=Count("tags")).order_by("title")
    assert await rows(do, keyed, "place", "n") == [(1, 2), (2, 1), (1, 3), (2, 0), (3, 0)]
    # What is annotated after values() is computed over the groups, before or after the aggregates.
    place = Window(RowNumber(), order_by="-author")
    for asked in ({"n": Count("pk"), "place": place}, {"place": place, "n": Count("pk")}):
        grouped = Post.objects.values("author").annotate(**asked).order_by("author")
        assert await rows(do, grouped, "n", "place") == [(2, 2), (3, 1)]


async def test_what_is_computed_of_a_window_beside_aggregates(do: Any) -> None:
    await fill(do)
    posts = Post.objects.annotate(place=Window(RowNumber(), order_by="-rank")).order_by("title")
    assert await rows(do, posts.annotate(next=F("place") + 1, n=Count("tags")), "next", "n") == [
        (6, 2), (5, 1), (4, 3), (3, 0), (2, 0)
    ]  # fmt: skip
