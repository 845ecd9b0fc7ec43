"""One model with a field of each kind of value, and one with rules, for the tests of expressions."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal

from crowsfoot import models
from crowsfoot.models import F, Q


class Event(models.Model):
    number = models.IntegerField(null=True)
    ratio = models.FloatField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    open = models.BooleanField(default=True)
    name = models.CharField(max_length=100)
    day = models.DateField()
    at = models.DateTimeField()
    time = models.TimeField()
    lasts = models.DurationField()
    token = models.UUIDField()
    data = models.JSONField(null=True)
    host = models.GenericIPAddressField(null=True)

    class Meta:
        app_label = "query"


class Booking(models.Model):
    room = models.CharField(max_length=20)
    seats = models.IntegerField(null=True)
    day = models.DateField()
    state = models.CharField(max_length=20, default="open")

    class Meta:
        app_label = "query"
        indexes = [
            models.Index(fields=["room", "-day"]),
            models.Index(F("seats").desc(), name="%(app_label)s_%(class)s_seats", condition=Q(seats__gt=3)),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(seats__gte=1) | Q(state="closed"), name="has_seats"),
            models.CheckConstraint(
                condition=Q(day__year__gte=2000),
                name="century",
                violation_error_message="Too old.",
                violation_error_code="old",
            ),
            models.UniqueConstraint(fields=["room", "day"], condition=Q(state="open"), name="open_once"),
            models.UniqueConstraint("room", F("seats") + 1, name="by_size"),
        ]


TABLES = (Event, Booking)
UTC = datetime.UTC


def rows() -> list[Event]:
    """Two events; the first is after midnight in Paris and before it in London."""
    return [
        Event(
            number=3,
            ratio=2.5,
            price=Decimal("1.50"),
            name="Hello world",
            day=datetime.date(2024, 12, 30),
            at=datetime.datetime(2024, 12, 31, 23, 30, 15, 123456, UTC),
            time=datetime.time(13, 14, 15, 16),
            lasts=datetime.timedelta(days=2, hours=3, seconds=5),
            token=uuid.UUID("12345678-1234-4234-8234-123456789abc"),
            data={"a": [1, {"b": "x"}], "n": None, "s": "text", "k": 5},
        ),
        Event(
            number=-7,
            ratio=-1.25,
            price=Decimal("-3.21"),
            open=False,
            name=" b ",
            day=datetime.date(2021, 1, 3),
            at=datetime.datetime(2021, 1, 1, 0, 30, tzinfo=UTC),
            time=datetime.time(1, 2),
            lasts=datetime.timedelta(minutes=3),
            token=uuid.UUID("00000000-0000-4000-8000-000000000001"),
            data=None,
        ),
    ]
