"""Each way to declare a relation, once."""

from __future__ import annotations

from typing import Any

from crowsfoot import models


class Team(models.Model):
    name = models.CharField(max_length=30)
    code = models.CharField(max_length=3, unique=True)
    members: Any = models.ManyToManyField(
        "Person", through="Membership", through_fields=("team", "person"), related_name="teams"
    )

    class Meta:
        app_label = "declaring"


class Person(models.Model):
    name = models.CharField(max_length=30)
    mentor: Any = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="pupils")
    friends: Any = models.ManyToManyField("self")

    class Meta:
        app_label = "declaring"


class Membership(models.Model):
    team: Any = models.ForeignKey(Team, on_delete=models.CASCADE)
    person: Any = models.ForeignKey(Person, on_delete=models.CASCADE)
    invited_by: Any = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="invitations")
    role = models.CharField(max_length=20, default="player")

    class Meta:
        app_label = "declaring"


class Licence(models.Model):
    person: Any = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="licence")

    class Meta:
        app_label = "declaring"


class Fan(models.Model):
    team: Any = models.ForeignKey(
        Team, on_delete=models.CASCADE, to_field="code", related_name="fans", related_query_name="fan"
    )
    rival: Any = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    told_by: Any = models.ForeignKey(Person, on_delete=models.DO_NOTHING, null=True, db_constraint=False)

    class Meta:
        app_label = "declaring"


class Season(models.Model):
    """What another program recorded, by the teams' codes; the database knows of no key."""

    code = models.CharField(max_length=3)
    year = models.IntegerField()
    points = models.IntegerField(default=0)
    team: Any = models.ForeignObject(
        Team, on_delete=models.DO_NOTHING, from_fields=("code",), to_fields=("code",), null=True, related_name="seasons"
    )

    class Meta:
        app_label = "declaring"


class Venue(models.Model):
    name = models.CharField(max_length=30)

    class Meta:
        app_label = "declaring"


class Arena(Venue):
    seats = models.IntegerField()

    class Meta:
        app_label = "declaring"


class Match(models.Model):
    venue: Any = models.ForeignKey(Venue, on_delete=models.CASCADE, null=True, related_name="matches")
    arena: Any = models.ForeignKey(Arena, on_delete=models.CASCADE, null=True, related_name="finals")

    class Meta:
        app_label = "declaring"


TABLES = (Team, Person, Membership, Licence, Fan, Season, Venue, Arena, Match)
