"""Models that inherit from models with tables."""

from __future__ import annotations

from typing import Any

import pytest

from crowsfoot import models
from crowsfoot.conf import settings
from crowsfoot.models import Count, Q
from crowsfoot.models.model import ModelBase
from crowsfoot.testing import isolated_registry


class Place(models.Model):
    name = models.CharField(max_length=100)

    class Meta:
        app_label = "inheritance"


class Business(models.Model):
    """Its key has a name of its own, so that a model may inherit from a place as well."""

    number = models.AutoField(primary_key=True)
    trade = models.CharField(max_length=100, default="")

    class Meta:
        app_label = "inheritance"


class Inn(Place, Business):
    beds = models.IntegerField(default=0)

    class Meta:
        app_label = "inheritance"


class Hotel(Inn):
    stars = models.IntegerField(default=0)

    class Meta:
        app_label = "inheritance"


TABLES = (Place, Business, Inn, Hotel)


async def test_an_aggregate_beside_a_condition_on_an_inherited_field(do: Any) -> None:
    await do(Hotel.objects.create, name="Ritz", beds=9)
    await do(Hotel.objects.create, name="Crown", beds=2)
    hotels = Hotel.objects.annotate(n=Count("stars")).exclude(Q(n=1) & Q(name__startswith="R"))
    assert await do.rows(hotels.values_list("beds", flat=True)) == [2]
    assert await do(hotels.values("stars").count) == 1


async def test_update_finds_the_rows_of_each_table(do: Any) -> None:
    await do(Business.objects.create, trade="bakery")  # so that the keys of the two parents differ
    await do(Inn.objects.create, name="Crown", trade="inn", beds=2)
    await do(Hotel.objects.create, name="Ritz", trade="inn", beds=9, stars=5)
    assert await do(Hotel.objects.update, trade="hotel", name="The Ritz", stars=4) == 1
    assert await do.rows(Business.objects.order_by("number").values_list("trade", flat=True)) == [
        "bakery", "inn", "hotel",
    ]  # fmt: skip
    ritz = await do(Hotel.objects.get)
    assert (ritz.name, ritz.trade, ritz.beds, ritz.stars) == ("The Ritz", "hotel", 9, 4)


async def test_the_row_above_is_there_without_a_query(do: Any) -> None:
    await do(Business.objects.create)
    await do(Hotel.objects.create, name="Ritz", trade="hotel", beds=9, stars=5)
    hotel = await do(Hotel.objects.get)
    with do.queries(0):
        inn = hotel.inn_ptr
        place, business = inn.place_ptr, inn.business_ptr
        assert (inn.beds, place.name, business.trade) == (9, "Ritz", "hotel")
        assert (inn.hotel, place.inn) == (hotel, inn)
    assert (inn.pk, business.pk, business._state.adding) == (hotel.pk, hotel.number, False)
    few = await do(Hotel.objects.only("stars").get)
    with do.queries(1):
        await do(few.load, "inn_ptr")
    assert few.inn_ptr.name == "Ritz"


def test_another_row_above_is_another_key() -> None:
    first, second = Inn(id=1, place_ptr_id=1, number=1), Inn(id=2, place_ptr_id=2, number=2)
    hotel: Any = Hotel(inn_ptr=first)
    assert (hotel.pk, hotel.id) == (1, 1)
    hotel.inn_ptr = second
    assert (hotel.pk, hotel.id, hotel.place_ptr_id) == (2, 2, 2)
    hotel.inn_ptr = None
    assert (hotel.pk, hotel.id) == (None, None)


def test_a_link_is_found_in_an_abstract_parent_on_either_side() -> None:
    with isolated_registry():

        class Linked(models.Model):
            place = models.OneToOneField(Place, models.CASCADE, parent_link=True, related_name="+")

            class Meta:
                abstract = True

        class Before(Linked, Place):
            class Meta:
                app_label = "linked"

        class After(Place, Linked):
            class Meta:
                app_label = "linked"

    for model in (Before, After):
        assert [field.name for field in model._meta.local_fields] == ["place"]
        assert model._meta.pk.name == "place"


def test_a_swapped_model_has_no_proxies() -> None:
    with settings.override(FIELD_MODEL="inheritance.Place"), isolated_registry():

        class Field(models.Model):
            class Meta:
                app_label = "linked"
                swappable = "FIELD_MODEL"

        with pytest.raises(TypeError, match=r"Meadow cannot proxy the swapped model 'inheritance\.Place'"):
            ModelBase("Meadow", (Field,), {"__module__": __name__, "Meta": type("Meta", (), {"proxy": True})})
