"""The SQL of relations whose join has a condition, without a database."""

from __future__ import annotations

from typing import Any

from conditional_models import Article, Region

from crowsfoot.sql.postgresql import PostgreSQL
from crowsfoot.sql.select import SelectCompiler, compile_select
from crowsfoot.sql.sqlite import SQLite
from crowsfoot.sql.statement import Compiled
from crowsfoot.translation import override

LITE = SQLite()


def compiled(queryset: Any, dialect: Any = LITE) -> Compiled:
    return compile_select(dialect, queryset.order_by()._query)


def joins(queryset: Any, dialect: Any = LITE) -> str:
    """What stands between FROM and WHERE, without the app's name before each table."""
    text = compiled(queryset, dialect).sql.replace("conditional_", "").replace('"', "")
    return text.partition(" FROM ")[2].partition(" WHERE ")[0]


def test_it_stands_beside_the_equal_columns() -> None:
    found = Article.objects.filter(wording__title="x")
    tie = "article.id = wording.article_id"
    assert joins(found) == f"article INNER JOIN wording ON ({tie} AND (wording.language = ?))"
    assert joins(found, PostgreSQL()).endswith(f"ON ({tie} AND (wording.language = $1))")


def test_a_row_that_may_be_missing_is_joined_to_the_left() -> None:
    assert "LEFT OUTER JOIN wording ON" in joins(Article.objects.select_related("wording"))


def test_the_key_at_hand_does_not_stand_for_the_row() -> None:
    assert "INNER JOIN wording" in joins(Article.objects.filter(wording=3))
    assert "LEFT OUTER JOIN wording" in joins(Article.objects.filter(wording=None))


def test_without_equal_columns_it_stands_alone() -> None:
    text = joins(Region.objects.filter(outer=1))
    assert text.startswith("region INNER JOIN region region_2 ON ((region.path LIKE REPLACE(")
    assert "||" in text


def test_a_look_up_inside_a_not_is_tied_by_the_join_back() -> None:
    sql = compiled(Region.objects.exclude(inner__path="a")).sql.replace("conditional_", "").replace('"', "")
    assert "WHERE NOT (EXISTS(SELECT 1 AS a FROM region region_2 INNER JOIN region region_3 ON ((" in sql
    assert "region_3.id = region.id" in sql


def test_a_statement_tells_what_its_conditions_said() -> None:
    found = Article.objects.filter(wording__title="x")
    with override("fi"):
        (said,) = compiled(found).said
        assert said.again(SelectCompiler(LITE, found._query)) == said
    with override("en"):
        assert said.again(SelectCompiler(LITE, found._query)) != said


def test_plain_relations_say_nothing() -> None:
    assert compiled(Article.objects.filter(wordings__title="x")).said == ()
