"""JSON: its own null beside NULL, lists with expressions in them, keys that stand for a path."""

from __future__ import annotations

from typing import Any

import pytest

from crowsfoot import models
from crowsfoot.encoder import DjangoJSONEncoder
from crowsfoot.errors import ValidationError
from crowsfoot.models import F, JSONNull, Value
from crowsfoot.query.json import KeyTransform


class Record(models.Model):
    name = models.CharField(max_length=20)
    data: Any = models.JSONField(null=True)
    kept: Any = models.JSONField(db_default=JSONNull(), encoder=DjangoJSONEncoder)

    class Meta:
        app_label = "json_records"


TABLES = (Record,)

DATA: dict[str, Any] = {
    "one": {"j": 1},
    "null": {"j": None, "foo": "bar", "bax": {"foo": "bar"}},
    "other": {"k": [1, 2]},
    "nothing": None,
    "just null": JSONNull(),
    "text": "yes",
    "number": 7,
}


@pytest.fixture
def fill(do):
    async def make():
        for name, data in DATA.items():
            await do(Record.objects.create, name=name, data=data)

    return make


async def names(do, queryset):
    return [record.name for record in await do.rows(queryset.order_by("pk"))]


async def test_null_of_json_and_null_of_the_database(do, fill):
    await fill()
    assert await names(do, Record.objects.filter(data__isnull=True)) == ["nothing"]
    assert await names(do, Record.objects.filter(data=JSONNull())) == ["just null"]
    assert await names(do, Record.objects.filter(data__j=None)) == ["null"]
    assert await names(do, Record.objects.filter(data__j__iexact=None)) == ["null"]
    assert await names(do, Record.objects.exclude(data__j=None)) == ["one"]
    assert (await do(Record.objects.create, name="made")).kept is None
    assert await do(Record.objects.filter(kept__isnull=False).count) == len(DATA) + 1


def test_none_is_checked_as_it_is_saved(database):
    """A constraint says of an instance what it will say of the row."""

    def allows(data, **condition):
        try:
            models.CheckConstraint(condition=models.Q(**condition), name="rule").validate(Record, Record(data=data))
        except ValidationError:
            return False
        return True

    assert [allows(data, data__isnull=True) for data in (None, JSONNull(), {})] == [True, False, False]
    assert [allows(data, data__isnull=False) for data in (None, JSONNull(), {})] == [False, True, True]
    assert [allows(data, data__j=1) for data in (None, {"j": 1}, {"j": 2})] == [True, True, False]


async def test_lists_of_json_with_expressions_in_them(do, fill):
    await fill()
    assert await names(do, Record.objects.filter(data__in=[JSONNull(), {"k": [1, 2]}, "no"])) == ["other", "just null"]
    assert await names(do, Record.objects.filter(data__j__in=[Value(1), "x"])) == ["one"]
    assert await names(do, Record.objects.filter(data__in=[Value("7", models.IntegerField())])) == ["number"]
    assert await names(do, Record.objects.filter(data__in=[Value("yes", models.CharField())])) == ["text"]
    assert await names(do, Record.objects.filter(data__in=[Value(None, models.CharField())])) == []
    assert await names(do, Record.objects.filter(data__foo__in=[F("data__bax__foo"), {}])) == ["null"]


async def test_an_expression_of_keys_is_the_path_to_them(do, fill):
    await fill()
    path = KeyTransform("foo", KeyTransform("bax", "data"))
    assert await names(do, Record.objects.filter(data__has_key=path)) == ["null"]
    assert await names(do, Record.objects.filter(data__has_key=F("data__bax__foo"))) == ["null"]
    assert await names(do, Record.objects.filter(data__has_key="k")) == ["other"]
