"""What fields make of values when models are used: what is refused, what is refreshed, what may be chosen."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import crowsfoot
from crowsfoot import models
from crowsfoot.conf import settings
from crowsfoot.connection import connection
from crowsfoot.contrib.contenttypes.fields import GenericRelation
from crowsfoot.database import databases
from crowsfoot.errors import FieldError, ImproperlyConfigured, ModelError, ValidationError
from crowsfoot.functional import lazy
from crowsfoot.models import Case, F, Value, When
from crowsfoot.models.model import apps
from crowsfoot.query.expressions import RawSQL
from crowsfoot.query.functions import Lower, Now
from crowsfoot.query.lookups import GreaterThan
from crowsfoot.testing import assert_num_queries, capture_queries, flush, isolated_registry


class Shelf(models.Model):
    name = models.CharField(max_length=10)

    class Meta:
        app_label = "field_values"
        ordering = ("-name",)

    def __str__(self) -> str:
        return str(self.name)


class Box(models.Model):
    shelf: Any = models.ForeignKey(Shelf, on_delete=models.CASCADE, null=True)
    side = models.IntegerField(default=1)
    height = models.IntegerField(default=1)
    area: Any = models.GeneratedField(
        expression=F("side") * F("side"), output_field=models.IntegerField(), db_persist=True
    )
    address = models.GenericIPAddressField(null=True)

    class Meta:
        app_label = "field_values"

    def __str__(self) -> str:
        return f"box {self.side}"


class Absent(models.Model):
    """A model whose table is never made."""

    class Meta:
        app_label = "field_values"


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    before = databases.pop("default", None)
    crowsfoot.connect("sqlite://:memory:")
    crowsfoot.create_tables(Shelf, Box)
    yield
    databases.pop("default").close()
    if before is not None:
        databases["default"] = before


def test_a_generated_value_is_read_again_when_what_it_is_made_of_is_written() -> None:
    box = Box()
    with pytest.raises(AttributeError, match="Cannot retrieve deferred field 'area' from an unsaved model"):
        _ = box.area
    box.side = 2
    box.save()
    assert box.area == 4
    Box.objects.update(side=5)
    box.height = 7
    with assert_num_queries(1):
        box.save(update_fields=["height"])
    assert box.area == 4  # as `side` is still 2 here
    box.side = 3
    box.save(update_fields=["side"])
    assert box.area == 9
    assert Box._meta.get_field("area").referenced_columns == {"side"}


def test_an_instance_is_no_value_of_a_plain_column() -> None:
    box = Box.objects.create()
    box.side = Shelf(name="a")
    words = r"Tried to update field field_values\.Box\.side with a model instance, <Shelf: a>\. Use .* IntegerField"
    with pytest.raises(TypeError, match=words):
        box.save()


def test_a_blank_address_is_stored_as_null() -> None:
    box = Box.objects.create(address="")
    box.refresh_from_db()
    assert box.address is None
    Box.objects.update(address="::ffff:0")
    assert Box.objects.get().address == "::ffff:0"


def test_what_may_be_chosen_is_in_the_order_of_the_model() -> None:
    low, high = Shelf.objects.create(name="a"), Shelf.objects.create(name="b")
    field = Box._meta.get_field("shelf")
    assert field.get_choices() == [("", "---------"), (high.pk, "b"), (low.pk, "a")]
    assert field.get_choices(include_blank=False, ordering=["name"]) == [(low.pk, "a"), (high.pk, "b")]
    assert field.get_choices(include_blank=False, limit_choices_to={"name": "a"}) == [(low.pk, "a")]
    first, second = Box.objects.create(side=1), Box.objects.create(side=2)
    back = field.remote_field
    assert back.get_choices(include_blank=False, ordering=["-side"]) == [(second.pk, "box 2"), (first.pk, "box 1")]
    assert back.get_choices(include_blank=False, limit_choices_to={"side": 1}) == [(first.pk, "box 1")]


def test_choices_that_are_given_later_are_put_in_the_same_form() -> None:
    field: Any = models.CharField(max_length=3)
    field.choices = {"a": "A", "Group": {"b": "B"}}
    assert field.flatchoices == [("a", "A"), ("b", "B")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (models.DateField(), datetime.date(2026, 5, 4)),
        (models.TimeField(), datetime.time(3, 2)),
        (models.DurationField(), datetime.timedelta(1)),
        (models.DecimalField(), Decimal("1.5")),
        (models.IntegerField(), 3),
        (models.BooleanField(), True),
        (models.CharField(), "a"),
        (models.FileField(), "a.txt"),
        (models.BinaryField(), b"a"),
    ],
)
def test_a_field_takes_the_promise_of_a_value(field: Any, value: Any) -> None:
    found = field.get_prep_value(lazy(lambda: value, type(value))())
    assert (type(found), found) == (type(value), value)


def test_copies_of_a_field_are_ordered_by_their_models() -> None:
    with isolated_registry():

        class Base(models.Model):
            field = models.IntegerField()

            class Meta:
                abstract = True

        class One(Base):
            pass

        class Two(Base):
            pass

    base, one, two = (model._meta.get_field("field") for model in (Base, One, Two))
    assert base < one < two
    assert two > one > base
    assert len({base, one, two}) == 3


def test_a_relation_points_at_a_model_or_its_name() -> None:
    for kind, options in ((models.ForeignKey, (models.CASCADE,)), (models.ManyToManyField, ())):
        with pytest.raises(TypeError, match=rf"{kind.__name__}\(1\) is invalid. First parameter to {kind.__name__}"):
            kind(1, *options)  # type: ignore[operator]
    assert models.ForeignKey["Shelf"] is models.ForeignKey


def test_a_key_cannot_point_at_a_field_of_another_table() -> None:
    with isolated_registry():

        class Parent(models.Model):
            key = models.IntegerField(unique=True)

        class Child(Parent):
            pass

        class Related(models.Model):
            child: Any = models.ForeignKey(Child, on_delete=models.CASCADE, to_field="key")

        words = r"Related\.child' refers to field 'key' which is not local to model '.*Child'"
        with pytest.raises(FieldError, match=words):
            _ = Related._meta.get_field("child").related_fields
        with pytest.raises(ModelError, match=words):
            Related.objects.count()


def test_a_generic_relation_without_its_key_is_told_to_who_uses_it() -> None:
    with isolated_registry() as registry:

        class Note(models.Model):
            text = models.CharField(max_length=10)

        class Page(models.Model):
            notes: Any = GenericRelation(Note)
            title = models.CharField(max_length=10)

        crowsfoot.create_tables(Note, Page)
        page = Page.objects.create(title="a")
        assert Page.objects.get(title="a") == page
        with pytest.raises(AttributeError, match=r"which has no GenericForeignKey made of the fields 'content_type'"):
            _ = page.notes
        with pytest.raises(FieldError, match="has no GenericForeignKey"):
            Page.objects.filter(notes__text="a")
        assert [sentence for sentence in registry.problems() if "Page.notes is a GenericRelation" in sentence]


def test_flush_leaves_out_models_that_have_no_table() -> None:
    Box.objects.create()
    assert Absent in apps.get_models()
    flush()
    assert Box.objects.count() == 0


def test_a_foreign_object_without_its_fields_is_told_to_who_uses_it() -> None:
    with isolated_registry() as registry:

        class Place(models.Model):
            pass

        class Visit(models.Model):
            place: Any = models.ForeignObject(
                Place, on_delete=models.CASCADE, from_fields=["place_number"], to_fields=["id"], related_name="visits"
            )

        crowsfoot.create_tables(Place, Visit)
        visit = Visit.objects.create()
        with pytest.raises(AttributeError, match="has no field 'place_number'"):
            _ = visit.place
        assert [sentence for sentence in registry.problems() if "place_number" in sentence]


def test_bulk_create_of_a_proxy_fills_the_table_of_its_model() -> None:
    with isolated_registry():

        class Alias(Shelf):
            class Meta:
                proxy = True

    with assert_num_queries(1):
        Alias.objects.bulk_create([Alias(name="a"), Shelf(name="b")])
    assert [str(shelf) for shelf in Shelf.objects.all()] == ["b", "a"]


def test_a_unique_default_of_the_database_is_looked_for() -> None:
    class Numbered(models.Model):
        number = models.IntegerField(unique=True, db_default=7)

        class Meta:
            app_label = "field_values"

    crowsfoot.create_tables(Numbered)
    Numbered.objects.create()
    with pytest.raises(ValidationError, match="already exists"):
        Numbered().full_clean()
    Numbered(number=8).full_clean()


def test_first_without_any_order_asks_for_none() -> None:
    with capture_queries() as queries:
        Shelf.objects.order_by().first()
        Box.objects.first()
    assert "ORDER BY" not in queries[0]["sql"]
    assert "ORDER BY" in queries[1]["sql"]


@pytest.mark.parametrize(
    ("forced", "words"),
    [
        (1, "force_insert must be a bool or tuple."),
        ([], "force_insert must be a bool or tuple."),
        ((object,), "Invalid force_insert member. <class 'object'> must be a model subclass."),
        ((Shelf,), "Invalid force_insert member. Shelf must be a base of Box."),
    ],
)
def test_what_may_be_forced_is_a_bool_or_models(forced: Any, words: str) -> None:
    with assert_num_queries(0), pytest.raises(TypeError) as caught:
        Box().save(force_insert=forced)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        (None, ImproperlyConfigured, "DEFAULT_AUTO_FIELD must not be empty."),
        (
            "django.db.models.NoField",
            ImproperlyConfigured,
            "DEFAULT_AUTO_FIELD refers to the module 'django.db.models.N",
        ),
        ("nowhere.Field", ImproperlyConfigured, "DEFAULT_AUTO_FIELD refers to the module 'nowhere.Field' that could"),
        ("django.db.models.TextField", ValueError, "referred by DEFAULT_AUTO_FIELD must subclass AutoField."),
    ],
)
def test_the_setting_for_keys_names_a_field_that_numbers(path: Any, kind: type[Exception], words: str) -> None:
    with settings.override(DEFAULT_AUTO_FIELD=path), isolated_registry(), pytest.raises(kind) as caught:
        type("Thing", (models.Model,), {"__module__": __name__})
    assert words in str(caught.value)


class Serial(models.BigAutoField):
    pass


def test_the_key_may_be_a_field_of_ones_own() -> None:
    with settings.override(DEFAULT_AUTO_FIELD=f"{__name__}.Serial"), isolated_registry():
        kind: Any = type("Thing", (models.Model,), {"__module__": __name__})
    assert type(kind._meta.pk).__name__ == "Serial"


def test_the_settings_may_say_where_an_instance_is_shown() -> None:
    overrides = {"field_values.thing": lambda thing: f"/things/{thing.pk}/"}
    with settings.override(ABSOLUTE_URL_OVERRIDES=overrides), isolated_registry():
        meta = type("Meta", (), {"app_label": "field_values"})
        kind: Any = type("Thing", (models.Model,), {"__module__": __name__, "Meta": meta})
    assert kind(pk=3).get_absolute_url() == "/things/3/"


def test_the_column_of_a_field_under_another_name() -> None:
    shelf, area = Box._meta.get_field("shelf"), Box._meta.get_field("area")
    assert shelf.get_col("other").output_field is Shelf._meta.pk
    assert isinstance(area.get_col("other", area).output_field, models.IntegerField)
    assert area.get_col(Box._meta.db_table) is area.cached_col


def test_an_expression_that_reads_no_field_may_be_a_default() -> None:
    allowed = [Value(1), Value(1) + Value(2), Now(), RawSQL("1", ()), Case(When(GreaterThan(2, 1), then=3), default=4)]
    assert all(expression.allowed_default for expression in allowed)
    refused = [F("side"), Value(1) + F("side"), Case(When(side=1, then=2)), Lower(F("side"))]
    assert not any(expression.allowed_default for expression in refused)


def test_values_for_sql_of_ones_own() -> None:
    operations = connection.ops
    assert operations.adapt_datefield_value(datetime.date(2026, 5, 4)) == "2026-05-04"
    assert operations.adapt_timefield_value(None) is None
    assert operations.adapt_decimalfield_value(Decimal("1.5"), 5, 2) == "1.5"


def test_a_model_may_ask_for_another_database() -> None:
    def asking(name: str, **options: Any) -> Any:
        meta = type("Meta", (), {"app_label": "field_values", **options})
        return type(name, (models.Model,), {"__module__": __name__, "Meta": meta})

    with isolated_registry():
        elsewhere = asking("Elsewhere", required_db_vendor="postgresql")
        here = asking("Here", required_db_vendor="sqlite", required_db_features=["supports_virtual_generated_columns"])
        featured = asking("Featured", required_db_features=["supports_covering_indexes"])
        crowsfoot.create_tables(elsewhere, here, featured)
    there = connection.introspection.table_names()
    assert {"field_values_here"} == {name for name in there if name.startswith("field_values_")} - {
        "field_values_box",
        "field_values_shelf",
    }
