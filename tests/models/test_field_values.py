"""What fields make of values when models are used: what is refused, what is refreshed, what may be chosen."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import crowsfoot
from crowsfoot import models
from crowsfoot.contrib.contenttypes.fields import GenericRelation
from crowsfoot.database import databases
from crowsfoot.errors import FieldError, ModelError
from crowsfoot.functional import lazy
from crowsfoot.models import F
from crowsfoot.models.model import apps
from crowsfoot.testing import assert_num_queries, flush, isolated_registry


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
