"""Models whose rows belong to a tenant: keys of two columns, and what points at them with or without the tenant."""

from __future__ import annotations

from typing import Any

from crowsfoot import models


class Tenant(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        app_label = "composite"


class Product(models.Model):
    pk = models.CompositePrimaryKey("tenant", "no")
    tenant: Any = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="products")
    no = models.IntegerField()
    name = models.CharField(max_length=20, default="")

    class Meta:
        app_label = "composite"


class Label(models.Model):
    pk = models.CompositePrimaryKey("tenant_id", "name")
    tenant: Any = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=20)

    class Meta:
        app_label = "composite"


class Order(models.Model):
    """Shares its tenant with the product that it orders."""

    pk = models.CompositePrimaryKey("tenant_id", "number")
    tenant: Any = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="orders")
    number = models.IntegerField()
    note = models.CharField(max_length=20, default="")
    product: Any = models.ForeignKey(
        Product, on_delete=models.SET_NULL, null=True, columns=("tenant", "product_no"), related_name="orders"
    )
    labels: Any = models.ManyToManyField(Label, related_name="orders")

    class Meta:
        app_label = "composite"


class Line(models.Model):
    """Points at an order by two columns of its own."""

    order: Any = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    text = models.CharField(max_length=20)

    class Meta:
        app_label = "composite"


class Invoice(models.Model):
    order: Any = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="invoice")
    total = models.IntegerField(default=0)

    class Meta:
        app_label = "composite"


class Complaint(models.Model):
    order: Any = models.ForeignKey(Order, on_delete=models.RESTRICT, related_name="complaints")

    class Meta:
        app_label = "composite"


class Parcel(models.Model):
    order: Any = models.ForeignKey(Order, on_delete=models.SET_NULL, null=True, related_name="parcels")

    class Meta:
        app_label = "composite"


class Node(models.Model):
    """A tree within each tenant."""

    pk = models.CompositePrimaryKey("tenant", "no")
    tenant: Any = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    no = models.IntegerField()
    parent: Any = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, columns=("tenant", "parent_no"), related_name="children"
    )

    class Meta:
        app_label = "composite"


class Step(models.Model):
    """Part of an order: its key is the order's, and a number."""

    pk = models.CompositePrimaryKey("order", "place")
    order: Any = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="steps")
    place = models.IntegerField()

    class Meta:
        app_label = "composite"


TABLES = (Tenant, Product, Label, Order, Line, Invoice, Complaint, Parcel, Node, Step)
