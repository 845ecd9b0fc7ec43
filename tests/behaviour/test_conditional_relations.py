"""Relations whose join has a condition, which may change between two questions, and those that have no other tie."""

from __future__ import annotations

from math import ceil, log2
from typing import Any

import conditional_models
import pytest
from conditional_models import Article, Author, Column, Memo, Region, Wording

from crowsfoot.models import Count, F, Prefetch, Q
from crowsfoot.query.tuples import TupleExact, TupleIn
from crowsfoot.translation import activate, deactivate, get_language, override

TABLES = conditional_models.TABLES  # what the database has here

PATHS = ("a", "a/b", "a/b/c", "a/d", "x", "x/y")


async def articles(do: Any, number: int, languages: tuple[str, ...] = ("en", "fi")) -> list[Any]:
    """Articles with a wording in each language; the last has none in Finnish."""
    await do(Article.objects.bulk_create, [Article(code=f"{i:04}") for i in range(number)])
    found = await do.rows(Article.objects.order_by("id"))
    await do(
        Wording.objects.bulk_create,
        [
            Wording(article=article, language=language, title=f"{article.code} {language}")
            for article in found
            for language in languages
            if (article, language) != (found[-1], "fi")
        ],
    )
    return found


async def regions(do: Any) -> dict[str, Any]:
    await do(Region.objects.bulk_create, [Region(path=path) for path in PATHS])
    return {str(region): region for region in await do.rows(Region.objects.all())}


async def one(do: Any, instance: Any, name: str) -> Any:
    """The related row of an instance, touched or awaited."""
    if do.is_async:
        return await instance.aload(name)
    return getattr(instance, name)


# -- in SQL ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wording", "text"])
async def test_one_queryset_asks_in_the_language_of_the_moment(do: Any, name: str) -> None:
    await articles(do, 3)
    titles = Article.objects.order_by("id").values_list(f"{name}__title", flat=True)
    for _ in range(2):
        with override("en"):
            assert await do.rows(titles.all()) == ["0000 en", "0001 en", "0002 en"]
        with override("fi"):
            assert await do.rows(titles.all()) == ["0000 fi", "0001 fi", None]


@pytest.mark.capability(17)
async def test_look_ups_obey_it(do: Any) -> None:
    *_, last = await articles(do, 3)
    finnish = {"wording__title__endswith": "fi"}
    with override("fi"):
        assert await do(Article.objects.filter(**finnish).count) == 2
        assert await do.rows(Article.objects.exclude(**finnish)) == [last]
        assert await do.rows(Article.objects.filter(wording=None)) == [last]
        assert await do.rows(Article.objects.filter(wording__isnull=True)) == [last]
        assert await do(Article.objects.filter(~Q(wording__title="0000 fi")).count) == 2
    with override("en"):
        assert not await do(Article.objects.filter(**finnish).exists)
        assert await do(Article.objects.filter(wording__isnull=False).count) == 3


async def test_get_in_a_loop_is_not_bound_to_the_first_language(do: Any) -> None:
    await articles(do, 2)
    for language in ("en", "fi", "en"):
        with override(language):
            found = await do(Article.objects.get, wording__title=f"0000 {language}")
            assert found.code == "0000"


async def test_an_instance_is_found_only_while_it_is_the_related_row(do: Any) -> None:
    first, _ = await articles(do, 2)
    english = await do(Wording.objects.get, article=first, language="en")
    with override("en"):
        assert await do.rows(Article.objects.filter(wording=english)) == [first]
        assert await do.rows(Article.objects.filter(wording__in=[english])) == [first]
    with override("fi"):
        assert await do.rows(Article.objects.filter(wording=english)) == []


@pytest.mark.parametrize("name", ["wording", "text"])
async def test_select_related(do: Any, name: str) -> None:
    await articles(do, 3)
    for language, expected in (("en", "0002 en"), ("fi", None)):
        with override(language), do.queries(1):
            found = await do.rows(Article.objects.select_related(name).order_by("id"))
            assert getattr(found[0], name).title == f"0000 {language}"
            assert getattr(getattr(found[2], name), "title", None) == expected


@pytest.mark.capability(17)
@pytest.mark.parametrize("name", ["wording", "text"])
async def test_prefetches(do: Any, name: str) -> None:
    await articles(do, 3)
    for language, expected in (("en", "0002 en"), ("fi", None)):
        with override(language), do.queries(2):
            found = await do.rows(Article.objects.prefetch_related(name).order_by("id"))
            assert getattr(found[0], name).title == f"0000 {language}"
            assert getattr(getattr(found[2], name), "title", None) == expected
    given = Prefetch(name, Wording.objects.filter(title__startswith="0001"), to_attr="kept")
    with override("en"):
        found = await do.rows(Article.objects.prefetch_related(given).order_by("id"))
    assert [getattr(article.kept, "title", None) for article in found] == [None, "0001 en", None]


async def test_aggregates_and_updates(do: Any) -> None:
    await articles(do, 3)
    with override("fi"):
        assert await do(Article.objects.aggregate, n=Count("wording")) == {"n": 2}
        assert await do(Article.objects.filter(wording__title="0000 fi").update, code="new") == 1
        assert await do(Article.objects.filter(wording__title="0000 en").update, code="newer") == 0


async def test_a_delete_asks_anew(do: Any) -> None:
    await articles(do, 3)
    gone = Article.objects.filter(wording__title__in=["0000 en", "0001 fi"])
    with override("en"):
        assert (await do(gone.all().delete))[1]["conditional.Article"] == 1
    with override("fi"):
        assert (await do(gone.all().delete))[1]["conditional.Article"] == 1
    assert [article.code for article in await do.rows(Article.objects.all())] == ["0002"]


# -- on instances ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wording", "text"])
@pytest.mark.parametrize("size", [1, 10, 100])
async def test_a_loop_costs_one_query(do: Any, name: str, size: int) -> None:
    await articles(do, size)
    with override("en"):
        found = await do.rows(Article.objects.order_by("id"))
        with do.queries(1):
            assert [(await one(do, a, name)).title for a in found] == [f"{i:04} en" for i in range(size)]


@pytest.mark.parametrize("name", ["wording", "text"])
async def test_rows_that_are_missing_are_not_asked_for_again(do: Any, name: str) -> None:
    await articles(do, 4)
    await do(Wording.objects.filter(language="fi").delete)
    with override("fi"):
        found = await do.rows(Article.objects.all())
        with do.queries(1):
            for article in found:
                with pytest.raises(Wording.DoesNotExist):
                    await one(do, article, name)


@pytest.mark.parametrize("name", ["wording", "text"])
async def test_a_loop_over_languages_is_right_and_costs_a_query_for_each(do: Any, name: str) -> None:
    await articles(do, 9)
    found = await do.rows(Article.objects.order_by("id"))
    with do.queries(2):
        for number, article in enumerate(found[:-1]):
            with override("en" if number % 2 else "fi"):
                title = (await one(do, article, name)).title
                assert title == f"{number:04} {get_language()}"


async def test_what_an_instance_has_stays_until_it_is_refreshed(do: Any) -> None:
    first, _ = await articles(do, 2)
    with override("en"):
        assert (await one(do, first, "wording")).language == "en"
    with override("fi"):
        with do.queries(0):
            assert (await one(do, first, "wording")).language == "en"
        await do(first.refresh_from_db)
        assert (await one(do, first, "wording")).language == "fi"


async def test_rows_of_a_child_have_the_relation_too(do: Any) -> None:
    await do(Column.objects.create, code="c", author="Asha")
    column = await do(Column.objects.get, code="c")
    await do(Wording.objects.create, article=column, language="fi", title="kolumni")
    with override("fi"):
        assert (await one(do, column, "wording")).title == "kolumni"
        for rows in (Column.objects.prefetch_related("wording"), Column.objects.select_related("text")):
            (found,) = await do.rows(rows)
            with do.queries(0 if rows._query.related else 1):
                assert (await one(do, found, "text")).title == "kolumni"


async def test_look_ups_of_each_instance(do: Any) -> None:
    first, second = (await articles(do, 3))[:2]
    await do(
        Memo.objects.bulk_create,
        [Memo(article_no=article.id, language=language) for article in (first, second) for language in ("en", "fi")],
    )
    titles = ["0000 en", "0000 fi", "0001 en", "0001 fi"]
    with do.queries(3):
        memos = await do.rows(Memo.objects.order_by("id"))
        assert [(await one(do, memo, "own")).title for memo in memos] == titles
    with do.queries(3):
        memos = await do.rows(Memo.objects.order_by("id").prefetch_related("own"))
        assert [memo.own.title for memo in memos] == titles


async def test_links_by_a_condition(do: Any) -> None:
    await do(Author.objects.create, name="Asha")
    author = await do(Author.objects.get, name="Asha")
    first, second = (await articles(do, 3))[:2]
    await do(Memo.objects.bulk_create, [Memo(article_no=a.id, writer=author) for a in (first, second)])
    for language in ("en", "fi"):
        with override(language):
            read = [wording.title for wording in await do.rows(author.read.order_by("title"))]
            assert read == [f"0000 {language}", f"0001 {language}"]
            assert await do(Author.objects.filter(read__title=f"0001 {language}").count) == 1
            assert await do(Author.objects.filter(read__title="0001 sv").count) == 0
            (found,) = await do.rows(Author.objects.prefetch_related("read"))
            assert sorted(wording.title for wording in await do.rows(found.read.all())) == read


async def test_cleaning_asks_nothing_about_it(do: Any) -> None:
    first, _ = await articles(do, 2)
    if not do.is_async:
        with do.queries(0):
            first.full_clean()


async def test_a_new_instance_looks_by_its_own_values(do: Any) -> None:
    first, _ = await articles(do, 2)
    with override("fi"):
        assert (await one(do, Article(id=first.id), "text")).title == "0000 fi"


async def test_assigning_sets_the_equal_fields(do: Any) -> None:
    first, _ = await articles(do, 2)
    english = await do(Wording.objects.get, article=first, language="en")
    article = Article(code="copy", wording=english)
    assert (article.id, article.wording) == (first.id, english)


@pytest.mark.parametrize("size", [1, 10, 100])
async def test_the_way_back_is_a_manager_that_obeys_it(do: Any, size: int) -> None:
    await articles(do, size)
    wordings = await do.rows(Wording.objects.order_by("language", "id"))
    with override("en"), do.captured() as sent:
        shown = [[a.code for a in await do.rows(wording.shown_by.all())] for wording in wordings]
    assert shown == [[f"{i:04}"] for i in range(size)] + [[]] * (size - 1)
    assert len(sent) <= ceil(log2(len(wordings))) + 2


async def test_prepared_answers_are_of_the_language_of_the_question(do: Any) -> None:
    await articles(do, 5)
    wordings = await do.rows(Wording.objects.filter(language="en").order_by("id"))
    for wording in wordings:
        for language, number in (("en", 1), ("fi", 0)):
            with override(language):
                assert await do(wording.shown_by.count) == number
                assert len(await do.rows(wording.shown_by.all())) == number


async def test_the_way_back_prefetched(do: Any) -> None:
    await articles(do, 2)
    with override("en"), do.queries(2):
        found = await do.rows(Wording.objects.prefetch_related("shown_by").order_by("id"))
        codes = {str(w.title): [a.code for a in await do.rows(w.shown_by.all())] for w in found}
    assert codes == {"0000 en": ["0000"], "0000 fi": [], "0001 en": ["0001"]}


# -- without equal fields ----------------------------------------------------------------------------------------------


async def test_both_sides_are_managers(do: Any) -> None:
    found = await regions(do)
    assert [str(r) for r in await do.rows(found["a"].inner.all())] == ["a", "a/b", "a/b/c", "a/d"]
    assert [str(r) for r in await do.rows(found["a/b/c"].outer.all())] == ["a", "a/b", "a/b/c"]
    assert await do(found["a/b"].inner.exclude(path="a/b").count) == 1
    assert str(await do(found["x/y"].outer.order_by("path").first)) == "x"


async def test_look_ups_without_equal_fields(do: Any) -> None:
    found = await regions(do)
    inside = Region.objects.filter(outer=found["a/b"])
    assert [str(r) for r in await do.rows(inside)] == ["a/b", "a/b/c"]
    around = Region.objects.filter(inner__in=[found["a/d"], found["x"]])
    assert [str(r) for r in await do.rows(around)] == ["a", "a/d", "x"]
    assert [str(r) for r in await do.rows(Region.objects.exclude(inner__path="a/b/c"))] == ["a/d", "x", "x/y"]
    assert [str(r) for r in await do.rows(Region.objects.filter(inner__count=1))] == ["a/b/c", "a/d", "x/y"]
    assert [str(r) for r in await do.rows(Region.objects.filter(outer__none=Q(path="a")))] == ["x", "x/y"]


async def test_counted(do: Any) -> None:
    await regions(do)
    rows = Region.objects.annotate(n=Count("inner")).values_list("path", "n")
    assert await do.rows(rows) == [("a", 4), ("a/b", 2), ("a/b/c", 1), ("a/d", 1), ("x", 2), ("x/y", 1)]


async def test_prefetched_without_equal_fields(do: Any) -> None:
    await regions(do)
    with do.queries(3):
        found = await do.rows(Region.objects.prefetch_related("inner", "outer"))
        inner = [len(await do.rows(region.inner.all())) for region in found]
        outer = [len(await do.rows(region.outer.all())) for region in found]
    assert (inner, outer) == ([4, 2, 1, 1, 2, 1], [1, 2, 3, 2, 1, 2])
    last = Prefetch("inner", Region.objects.order_by("-path")[:1], to_attr="last")
    found = await do.rows(Region.objects.prefetch_related(last))
    assert [str(region.last[0]) for region in found] == ["a/d", "a/b/c", "a/b/c", "a/d", "x/y", "x/y"]


@pytest.mark.parametrize("size", [1, 10, 100])
async def test_a_loop_over_managers_costs_the_logarithm(do: Any, size: int) -> None:
    await do(Region.objects.bulk_create, [Region(path=f"{i:03}{end}") for i in range(size) for end in ("", "/a")])
    found = await do.rows(Region.objects.filter(path__endswith="/a"))
    with do.captured() as sent:
        outer = [[str(r) for r in await do.rows(region.outer.all())] for region in found]
    assert outer == [[f"{i:03}", f"{i:03}/a"] for i in range(size)]
    assert len(sent) <= (ceil(log2(size)) if size > 1 else 0) + 2


async def test_rows_cannot_be_put_into_a_relation_that_sets_no_field(do: Any) -> None:
    found = await regions(do)
    for write in (found["a"].inner.add, found["a"].outer.add, found["a"].inner.remove):
        with pytest.raises(TypeError, match=r"Region\.(inner|outer) .* no field"):
            await do(write, found["x"])
    with pytest.raises(TypeError, match="no field"):
        await do(found["a"].inner.create, path="b")
    with pytest.raises(TypeError, match="no field"):
        await do(found["a"].inner.set, [])


async def test_a_delete_takes_what_hangs_on_a_row_by_the_condition(do: Any) -> None:
    found = await regions(do)
    assert (await do(found["a/b"].delete))[0] == 2
    assert [str(r) for r in await do.rows(Region.objects.all())] == ["a", "a/d", "x", "x/y"]
    assert (await do(Region.objects.filter(path__in=["a", "x/y"]).delete))[0] == 3
    assert [str(r) for r in await do.rows(Region.objects.all())] == ["x"]


async def test_what_a_delete_would_take_is_read_first(do: Any) -> None:
    found = await regions(do)
    plan = await do(found["a"].delete_plan)
    assert plan.counts == {"conditional.Region": 4}
    assert (await do(plan.execute))[0] == 4


async def test_a_delete_follows_the_condition_of_the_moment(do: Any) -> None:
    first, _ = await articles(do, 2)
    await do(Memo.objects.create, article_no=first.id)
    kept = await do(Memo.objects.create, checked_no=first.id)
    for language in ("fi", "en"):  # a wording that is not shown goes, and nothing hangs on it
        with override("en" if language == "fi" else "fi"):
            await do(Wording.objects.filter(article=first, language=language).delete)
        assert await do(Memo.objects.count) == 2
    english = await do(Wording.objects.create, article=first, language="en", title="again")
    with override("en"):
        await do(english.delete)
    await do(kept.refresh_from_db)
    assert (await do(Memo.objects.count), kept.checked_no) == (1, None)


async def test_a_join_without_any_condition_is_refused(do: Any) -> None:
    with pytest.raises(ValueError, match=r"Join generated an empty ON clause.*Memo\.lost"):
        await do.rows(Memo.objects.filter(lost__name="Asha"))


# -- the rest ----------------------------------------------------------------------------------------------------------


async def test_tuples_are_compared(do: Any) -> None:
    await do(Author.objects.bulk_create, [Author(name="a", age=1), Author(name="b", age=1), Author(name="c", age=2)])
    pair = (F("name"), F("age"))
    names = Author.objects.order_by("name").values_list("name", flat=True)
    assert await do.rows(names.filter(TupleExact(pair, ("b", 1)))) == ["b"]
    assert await do.rows(names.filter(TupleIn(pair, [("a", 1), ("c", 1), ("c", 2)]))) == ["a", "c"]
    chosen = Author.objects.filter(age=1).values_list("name", "age")
    assert await do.rows(names.filter(TupleIn(pair, chosen))) == ["a", "b"]
    with pytest.raises(ValueError, match=r"'exact' lookup of \('name', 'age'\) must have 2 elements"):
        TupleExact(pair, (1, 2, 3))


def test_the_language_belongs_to_the_context() -> None:
    assert get_language() == "en"
    activate("fi")
    with override(None):
        assert get_language() is None
    assert get_language() == "fi"
    with override("sv", deactivate=True):
        assert get_language() == "sv"
    assert get_language() == "en"
    activate("fi")
    deactivate()
    assert get_language() == "en"
