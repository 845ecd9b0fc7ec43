"""The SQL of expressions and look-ups, without a database."""

from __future__ import annotations

from typing import Any

import pytest
from query_models import Event

from crowsfoot.errors import EmptyResultSet
from crowsfoot.models import Avg, Case, F, Q, Value, When, Window
from crowsfoot.query import functions as fn
from crowsfoot.sql.postgresql import PostgreSQL
from crowsfoot.sql.select import compile_select
from crowsfoot.sql.sqlite import SQLite

DIALECTS = {"sqlite": SQLite(), "postgresql": PostgreSQL()}


def said(queryset: Any, vendor: str) -> str:
    """The statement of a queryset without the table's name before each column."""
    compiled = compile_select(DIALECTS[vendor], queryset.order_by()._query)
    return compiled.sql.replace('"query_event".', "").replace('FROM "query_event"', "FROM t")


@pytest.mark.parametrize(
    ("condition", "sqlite", "postgresql"),
    [
        (Q(number=3), '"number" = ?', '"number" = $1::bigint'),
        (Q(number__in=[1, 2]), '"number" IN (SELECT value FROM json_each(?))', '"number" = ANY($1::bigint[])'),
        (Q(number__gt=10**30), None, None),
        (Q(number__lt=10**30), '"number" IS NOT NULL', '"number" IS NOT NULL'),
        (Q(price__gt=1), '"price" > ?', '"price" > $1'),
        (
            Q(price__in=[1]),
            '"price" IN (SELECT CAST(value AS NUMERIC) FROM json_each(?))',
            '"price" = ANY($1::numeric[])',
        ),
        (Q(name__iexact="x"), 'CAST("name" AS TEXT) = ? COLLATE NOCASE', 'UPPER("name"::text) = UPPER($1)'),
        (Q(token__contains="x"), "\"token\" LIKE REPLACE(?, '-', '') ESCAPE '\\'", '"token"::text LIKE $1'),
        (Q(host__contains="19"), "\"host\" LIKE ? ESCAPE '\\'", 'HOST("host") LIKE $1'),
        (Q(host__iregex="1.9"), "\"host\" REGEXP '(?i)' || ?", 'HOST("host") ~* $1'),
        (Q(day__year=2024), '"day" BETWEEN ? AND ?', '"day" BETWEEN $1 AND $2'),
        (Q(at__year__gt=2024), '"at" > ?', '"at" > $1'),
        (
            Q(at__month=2),
            "crowsfoot_extract('month', \"at\", ?) = ?",
            'EXTRACT(MONTH FROM ("at" AT TIME ZONE $1::text))::integer = $2::bigint',
        ),
        (
            Q(day__month=2),
            "crowsfoot_extract('month', \"day\", '') = ?",
            'EXTRACT(MONTH FROM "day")::integer = $1::bigint',
        ),
        (
            Q(at__date="2024-01-01"),
            "crowsfoot_trunc('date', 'date', \"at\", ?) = ?",
            '(("at" AT TIME ZONE $1::text))::date = $2',
        ),
        (Q(data__a__0=1), 'JSON(("data" -> \'$."a"[0]\')) = JSON(?)', "(\"data\" #> ARRAY['a', '0']) = $1"),
        (Q(data__a__gt=1), "((\"data\" -> '$.\"a\"') ->> '$') > (? ->> '$')", "(\"data\" -> 'a') > $1"),
        (Q(data__contained_by={}), 'crowsfoot_json_contains(?, "data")', '"data" <@ $1'),
        (Q(data__has_key="a"), 'EXISTS(SELECT 1 FROM json_each("data") WHERE key = ?)', '"data" ? $1'),
    ],
    ids=repr,
)
def test_condition(condition: Q, sqlite: str | None, postgresql: str | None) -> None:
    for vendor, expected in (("sqlite", sqlite), ("postgresql", postgresql)):
        rows = Event.objects.filter(condition).values("id")
        if expected is None:
            with pytest.raises(EmptyResultSet):
                said(rows, vendor)
        else:
            assert said(rows, vendor) == f'SELECT "id" FROM t WHERE {expected}'


@pytest.mark.parametrize(
    ("expression", "sqlite", "postgresql"),
    [
        (F("number") + 1, '("number" + ?)', '("number" + $1::bigint)'),
        (F("price") * 2, '("price" * ?)', '("price" * $1::bigint)'),
        (F("number").bitxor(1), 'crowsfoot_bitxor("number", ?)', '("number" # $1::bigint)'),
        (F("day") - F("day"), 'crowsfoot_time_diff("day", "day")', "(interval '1 day' * (\"day\" - \"day\"))"),
        (fn.Substr("name", 2, 3), 'SUBSTR("name", ?, ?)', 'SUBSTRING("name", $1::integer, $2::integer)'),
        (fn.Concat("name", "number"), "(COALESCE(\"name\", '') || COALESCE(CAST(\"number\" AS text), ''))",
         "(COALESCE(\"name\", '') || COALESCE((\"number\")::text, ''))"),
        (fn.Round("ratio", 1), 'ROUND("ratio", ?)', '(ROUND(("ratio")::numeric, $1::integer))::double precision'),
        (fn.Greatest("number", Value(1)), 'MAX("number", ?)', 'GREATEST("number", $1::bigint)'),
        (fn.TruncMonth("day"), "crowsfoot_trunc('month', 'date', \"day\", '')", "(DATE_TRUNC('month', \"day\"))::date"),
        (
            fn.TruncMonth("at"),
            "crowsfoot_trunc('month', 'datetime', \"at\", ?)",
            "(DATE_TRUNC('month', (\"at\" AT TIME ZONE $1::text)) AT TIME ZONE $1::text)",
        ),
        (
            Window(Avg("number"), partition_by="name", order_by="-day"),
            'AVG("number") OVER (PARTITION BY "name" ORDER BY "day" DESC)',
            '(AVG("number") OVER (PARTITION BY "name" ORDER BY "day" DESC))::double precision',
        ),
        (
            Case(When(number=1, then=Value("x")), default=Value("y")),
            'CASE WHEN "number" = ? THEN ? ELSE ? END',
            'CASE WHEN "number" = $1::bigint THEN $2::text ELSE $3::text END',
        ),
    ],
    ids=repr,
)  # fmt: skip
def test_value(expression: Any, sqlite: str, postgresql: str) -> None:
    for vendor, expected in (("sqlite", sqlite), ("postgresql", postgresql)):
        rows = Event.objects.annotate(v=expression).values("v")
        assert said(rows, vendor) == f'SELECT {expected} AS "v" FROM t'


def test_one_number_for_a_parameter_wherever_it_stands() -> None:
    ranked = Event.objects.annotate(size=F("number") + 1).annotate(twice=F("size") * F("size")).values("size", "twice")
    assert said(ranked, "postgresql") == (
        'SELECT ("number" + $1::bigint) AS "size", '
        '(("number" + $1::bigint) * ("number" + $1::bigint)) AS "twice" FROM t'
    )


def test_only_the_order_of_rows_goes_by_the_names_of_columns() -> None:
    sized = Event.objects.annotate(size=F("number") + 1)
    ranked = sized.annotate(place=Window(fn.RowNumber(), order_by="-size")).values("size", "place").order_by("size")
    assert compile_select(DIALECTS["sqlite"], ranked._query).sql.replace('"query_event".', "") == (
        'SELECT ("number" + ?) AS "size", ROW_NUMBER() OVER (ORDER BY ("number" + ?) DESC) AS "place" '
        'FROM "query_event" ORDER BY "size" ASC'
    )
