"""A shop, in which the delete of a customer meets each rule once."""

from __future__ import annotations

from typing import Any

from crowsfoot import models


class Customer(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        app_label = "plan"


class Order(models.Model):
    customer: Any = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    seller: Any = models.ForeignKey(Customer, on_delete=models.SET_NULL, null=True, related_name="sold")
    labels: Any = models.ManyToManyField("Label", related_name="orders")

    class Meta:
        app_label = "plan"


class Label(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        app_label = "plan"


class Line(models.Model):
    order: Any = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    part_of: Any = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="parts")

    class Meta:
        app_label = "plan"


class Trace(models.Model):
    line: Any = models.ForeignKey(Line, on_delete=models.DB_CASCADE, related_name="traces")

    class Meta:
        app_label = "plan"


class Invoice(models.Model):
    customer: Any = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")

    class Meta:
        app_label = "plan"

    def __repr__(self) -> str:
        return f"<Invoice {self.pk}>"


class Refund(models.Model):
    order: Any = models.ForeignKey(Order, on_delete=models.RESTRICT, related_name="refunds")

    class Meta:
        app_label = "plan"


TABLES = (Customer, Label, Order, Line, Trace, Invoice, Refund)
