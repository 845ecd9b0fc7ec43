"""Fields written as Django's documentation writes them: their own conversions, and their own words for the column."""

from __future__ import annotations

import datetime
from typing import Any

from crowsfoot import models
from crowsfoot.connection import connection
from crowsfoot.models import Max
from crowsfoot.models.functions import Upper
from crowsfoot.query.expressions import F


class Marked(str):
    """Text that says which database it came from, and for what."""

    vendor: str
    expression: Any


class MarkedField(models.CharField):
    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if value is None:
            return None
        found = Marked(value.removeprefix(f"{connection.vendor}:"))
        found.vendor, found.expression = connection.vendor, expression
        return found

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return None if value is None else f"{connection.vendor}:{value}"


class WordedMoment(models.DateTimeField):
    """A moment in a column that it words itself; it is read as any other all the same."""

    def db_type(self, connection: Any) -> str:
        return "timestamptz" if connection.vendor == "postgresql" else "moment"


class Code(models.CharField):
    def db_type(self, connection: Any) -> str:
        return super().db_type(connection).replace("varchar", "char")

    def rel_db_type(self, connection: Any) -> str:
        return "varchar(9)"


class Lower(models.CharField):
    """Its values are compared in lower case, by the one or the other method that Django names."""

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return None if prepared is None else prepared.lower()


class Trimmed(models.TextField):
    def to_python(self, value: Any) -> Any:
        return None if value is None else str(value).strip()


class Word(models.Model):
    lower: Any = Lower(max_length=20)
    trimmed: Any = Trimmed()
    plain: Any = models.CharField(max_length=20)

    class Meta:
        app_label = "custom_fields"


class Size(models.TextChoices):
    LARGE = "large"


class Origin(models.Model):
    code = Code(max_length=9, primary_key=True)

    class Meta:
        app_label = "custom_fields"


class Thing(models.Model):
    mark: Any = MarkedField(max_length=50, null=True)
    moment = WordedMoment(null=True)
    origin: Any = models.ForeignKey(Origin, on_delete=models.CASCADE, null=True)

    class Meta:
        app_label = "custom_fields"


TABLES = (Origin, Thing, Word)


async def test_a_field_converts_by_the_database_it_is_used_with(do):
    await do(Thing.objects.create, mark="a")
    await do(Thing.objects.bulk_create, [Thing(mark="b"), Thing()])
    found = await do(Thing.objects.get, mark="a")
    assert (found.mark, found.mark.vendor) == ("a", do.vendor)
    assert found.mark.expression.target is Thing._meta.get_field("mark")
    assert sorted(mark for mark in await do.rows(Thing.objects.values_list("mark", flat=True)) if mark) == ["a", "b"]
    assert (await do(Thing.objects.aggregate, last=Max("mark")))["last"] == "b"
    assert await do(Thing.objects.filter(mark__in=["a", "b", "c"]).count) == 2
    await do(Thing.objects.filter(mark="a").update, mark="c")
    (found,) = await do.rows(Thing.objects.defer("mark").filter(mark="c"))
    assert await do(found.load, "mark") == "c"
    assert await do(Thing.objects.filter(mark__isnull=True).count) == 1


async def test_a_column_that_a_field_words_itself_is_read_and_compared_as_its_kind_is(do):
    moment = datetime.datetime(2026, 5, 4, 3, 2, 1, tzinfo=datetime.UTC)
    thing = await do(Thing.objects.create, moment=moment)
    assert (await do(Thing.objects.get, moment__year=2026, moment__lte=moment)).moment == moment
    assert await do(Thing.objects.filter(moment=F("moment")).exists)
    await do(thing.refresh_from_db)
    assert thing.moment == moment


async def test_the_words_of_columns_and_of_keys_to_them(do):
    meta = Thing._meta
    assert meta.get_field("moment").db_type(connection) == ("timestamptz" if do.vendor == "postgresql" else "moment")
    assert Origin._meta.pk.db_type(connection) == "char(9)"
    assert meta.get_field("origin").db_type(connection) == "varchar(9)"
    column = meta.entity.table.columns["origin_id"]
    assert column.type.own_words(do.vendor) == "varchar(9)"
    origin = await do(Origin.objects.create, code="123456789")
    await do(Thing.objects.create, origin=origin)
    (thing,) = await do.rows(Thing.objects.select_related("origin").filter(origin__code="123456789"))
    assert thing.origin == origin


async def test_each_value_that_is_compared_goes_by_the_fields_own_methods(do):
    await do(Word.objects.create, lower="Asha", trimmed=" Ben ", plain="large")
    await do(Word.objects.create, lower="x", trimmed="x", plain="5")
    for asked in ({"lower": "ASHA"}, {"trimmed": " Ben  "}, {"plain": "large"}, {"plain": Size.LARGE}, {"plain": 5}):
        for _ in range(3):  # built, and from what was built
            assert len(await do.rows(Word.objects.filter(**asked))) == 1, asked
    found = Word.objects.annotate(upper=Upper("plain"))
    for value, number in (("LARGE", 1), ("large", 0), (5, 1), ("5", 1)):
        assert await do(found.filter(upper=value).count) == number
