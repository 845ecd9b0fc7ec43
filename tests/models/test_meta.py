"""What ``_meta`` says of a model's fields and of the relations to it: as Django says it, in Django's order."""

from __future__ import annotations

from typing import Any

import pytest

import crowsfoot
from crowsfoot import models
from crowsfoot.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from crowsfoot.contrib.contenttypes.models import ContentType
from crowsfoot.database import databases
from crowsfoot.errors import ValidationError


class Region(models.Model):
    class Meta:
        app_label = "meta"


class Place(models.Model):
    name = models.CharField(max_length=50, unique=True)
    code = models.IntegerField(default=0)
    region: Any = models.ForeignKey(Region, models.CASCADE, null=True, blank=True)
    neighbours: Any = models.ManyToManyField("self")
    visited: Any = models.ManyToManyField(Region, related_name="+")

    class Meta:
        app_label = "meta"
        unique_together = [("name", "code")]


class Cafe(Place):
    opens = models.IntegerField()
    owner: Any = models.ForeignKey(Region, models.CASCADE, related_name="+")
    notes = GenericRelation("meta.Note")

    class Meta:
        app_label = "meta"
        constraints = [models.CheckConstraint(condition=models.Q(opens__gt=5), name="meta_opens_late")]


class OpenCafe(Cafe):
    class Meta:
        app_label = "meta"
        proxy = True


class Chain(OpenCafe):
    size = models.IntegerField()

    class Meta:
        app_label = "meta"


class Note(models.Model):
    kind: Any = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    number = models.IntegerField()
    about = GenericForeignKey("kind", "number")
    place: Any = models.ForeignKey(Place, models.CASCADE, related_name="place_notes")
    cafe: Any = models.OneToOneField(Cafe, models.CASCADE)
    hidden: Any = models.ForeignKey(Chain, models.CASCADE, related_name="secret+")

    class Meta:
        app_label = "meta"


class Label(models.Model):
    place_number = models.IntegerField()
    place: Any = models.ForeignObject(Place, models.CASCADE, ["place_no"], ["id"], related_name="labels")

    class Meta:
        app_label = "meta"


PLACE = ["id", "name", "code", "region", "neighbours", "visited"]
CAFE = ["place_ptr", "opens", "owner"]
ABOVE = ["place_notes", "labels", *PLACE]


def names(fields: Any) -> list[str]:
    return [field.name for field in fields]


def test_fields_of_inherited_models_come_first() -> None:
    assert names(Chain._meta.fields) == ["id", "name", "code", "region", *CAFE, "cafe_ptr", "size"]
    assert names(Chain._meta.local_fields) == ["cafe_ptr", "size"]
    for model in (Cafe, OpenCafe, Chain):
        assert names(model._meta.many_to_many) == ["neighbours", "visited"]


@pytest.mark.parametrize("model", [Cafe, OpenCafe])
def test_fields_and_ways_back_come_model_by_model(model: Any) -> None:
    assert names(Place._meta.get_fields()) == ["cafe", *ABOVE]
    assert names(model._meta.get_fields()) == [*ABOVE, "chain", "note", *CAFE, "notes"]
    assert names(model._meta.get_fields(include_parents=False)) == ["chain", "note", *CAFE, "notes"]


def test_hidden_relations_are_told_on_demand() -> None:
    assert names(Chain._meta.get_fields(include_parents=False)) == ["cafe_ptr", "size", "notes"]
    assert names(Chain._meta.get_fields(False, include_hidden=True)) == ["secret+", "cafe_ptr", "size", "notes"]
    hidden = {rel.name for rel in Place._meta.get_fields(include_hidden=True)} - {*names(Place._meta.get_fields())}
    assert hidden == {"Place_neighbours+", "Place_visited+", "neighbours_rel_+"}
    assert "_meta_place_visited_+" in names(Region._meta.get_fields(include_hidden=True))
    assert "+" in names(Region._meta.get_fields(include_hidden=True))


def test_related_objects_are_the_ways_back() -> None:
    assert names(Place._meta.related_objects) == ["neighbours_rel_+", "cafe", "place_notes", "labels"]
    assert names(Chain._meta.related_objects) == ["neighbours_rel_+", "place_notes", "labels", "note"]
    assert [rel.related_model for rel in Cafe._meta.related_objects[1:]] == [Note, Label, Chain, Note]


def test_an_abstract_model_has_fields_and_no_ways_back() -> None:
    class Base(models.Model):
        friends: Any = models.ManyToManyField("self")

        class Meta:
            app_label = "meta"
            abstract = True

    class Member(Base):
        class Meta:
            app_label = "meta"

    assert names(Base._meta.get_fields(include_hidden=True)) == ["friends"]
    assert "friends_rel_+" in names(Member._meta.related_objects)


def test_the_model_of_a_proxy_is_its_parent() -> None:
    assert OpenCafe._meta.parents == {Cafe: None}
    assert OpenCafe._meta.all_parents == (Cafe, Place)
    assert OpenCafe._meta.get_ancestor_link(Place) is Cafe._meta.get_field("place_ptr")


def test_a_proxy_is_validated_by_the_rules_of_its_model() -> None:
    crowsfoot.connect("sqlite://:memory:")
    crowsfoot.create_tables(ContentType, Region, Place, Cafe, Chain, Note)
    region = Region.objects.create()
    cafe = OpenCafe.objects.create(name="Bar", opens=9, owner=region)
    assert OpenCafe.objects.get(pk=cafe.pk).place_ptr_id == cafe.pk
    cafe.full_clean()
    with pytest.raises(ValidationError) as caught:
        OpenCafe(name="Bar", opens=3, owner=region).full_clean()
    assert set(caught.value.message_dict) == {"__all__", "name"}
    assert len(caught.value.message_dict["__all__"]) == 2
    databases.close_all()
