"""People with notes, cards and labels, notes with topics: every kind of relation that a loop may walk."""

from __future__ import annotations

from typing import Any

from crowsfoot import models
from crowsfoot.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from crowsfoot.contrib.contenttypes.models import ContentType


class Label(models.Model):
    rank = models.IntegerField()
    content_type: Any = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.BigIntegerField()
    thing: Any = GenericForeignKey()

    class Meta:
        app_label = "loops"


class Person(models.Model):
    name = models.CharField(max_length=20)
    bio = models.CharField(max_length=20)
    labels: Any = GenericRelation(Label)

    class Meta:
        app_label = "loops"


class Card(models.Model):
    person: Any = models.OneToOneField(Person, models.CASCADE, related_name="card")

    class Meta:
        app_label = "loops"


class Topic(models.Model):
    rank = models.IntegerField()

    class Meta:
        app_label = "loops"


class Note(models.Model):
    rank = models.IntegerField()
    person: Any = models.ForeignKey(Person, models.CASCADE, related_name="notes")
    topics: Any = models.ManyToManyField(Topic, related_name="notes")

    class Meta:
        app_label = "loops"


TABLES = (ContentType, Label, Person, Card, Topic, Note)
