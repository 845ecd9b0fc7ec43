"""A row, and rows that point at it under each rule, so that what the database does by itself can be seen."""

from __future__ import annotations

from typing import Any

from crowsfoot import models


class Owner(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        app_label = "rules"


def spare() -> int:
    """The key of the row that keys go to."""
    return 1


class Child(models.Model):
    """One row for each rule: the keys that it does not use are empty."""

    cascade: Any = models.ForeignKey(Owner, on_delete=models.CASCADE, null=True, related_name="+")
    in_database: Any = models.ForeignKey(Owner, on_delete=models.DB_CASCADE, null=True, related_name="+")
    emptied: Any = models.ForeignKey(Owner, on_delete=models.SET_NULL, null=True, related_name="+")
    default: Any = models.ForeignKey(Owner, on_delete=models.SET_DEFAULT, null=True, default=1, related_name="+")
    protected: Any = models.ForeignKey(Owner, on_delete=models.PROTECT, null=True, related_name="+")
    restricted: Any = models.ForeignKey(Owner, on_delete=models.RESTRICT, null=True, related_name="+")
    nothing: Any = models.ForeignKey(Owner, on_delete=models.DO_NOTHING, null=True, related_name="+")
    called: Any = models.ForeignKey(Owner, on_delete=models.SET(spare), null=True, related_name="+")

    class Meta:
        app_label = "rules"


class Grandchild(models.Model):
    child: Any = models.ForeignKey(Child, on_delete=models.DB_CASCADE)

    class Meta:
        app_label = "rules"


class Country(models.Model):
    code = models.CharField(max_length=2, primary_key=True)
    president: Any = models.ForeignKey(
        "Citizen", on_delete=models.SET_NULL, null=True, related_name="+", deferrable=models.Deferrable.DEFERRED
    )

    class Meta:
        app_label = "rules"


class Citizen(models.Model):
    """Its keys follow those of countries, or are emptied."""

    country: Any = models.ForeignKey(
        Country,
        on_delete=models.CASCADE,
        on_update=models.CASCADE,
        deferrable=models.Deferrable.DEFERRED,
        constraint_name="citizen_of_country",
        related_name="citizens",
    )
    second: Any = models.ForeignKey(
        Country, on_delete=models.SET_NULL, on_update=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        app_label = "rules"


class Basket(models.Model):
    class Meta:
        app_label = "rules"


class Item(models.Model):
    """What is not in a basket any more is nowhere."""

    name = models.CharField(max_length=20)
    basket: Any = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="items", delete_orphan=True)

    class Meta:
        app_label = "rules"


class Mark(models.Model):
    item: Any = models.ForeignKey(Item, on_delete=models.CASCADE)

    class Meta:
        app_label = "rules"


TABLES = (Owner, Child, Grandchild, Country, Citizen, Basket, Item, Mark)
