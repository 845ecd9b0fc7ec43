"""What a declaration of a relation gives: both ways, the names that were asked for, and what the database keeps."""

from __future__ import annotations

from math import ceil, log2
from typing import Any

import declaring_models
import pytest
from declaring_models import Arena, Fan, Licence, Match, Membership, Person, Season, Team, Venue

from crowsfoot import create_tables, models
from crowsfoot.database import Database
from crowsfoot.drift import find_drift
from crowsfoot.errors import FieldError, IntegrityError
from crowsfoot.testing import isolated_registry

TABLES = declaring_models.TABLES  # what the database has here


async def named(do: Any, model: Any, *names: str) -> list[Any]:
    return [await do(model.objects.create, name=name) for name in names]


async def teams(do: Any, *codes: str) -> list[Any]:
    return [await do(Team.objects.create, name=code, code=code) for code in codes]


async def names(do: Any, rows: Any) -> list[str]:
    return sorted(row.name for row in await do.rows(rows))


@pytest.mark.capability(1, 15)
async def test_a_foreign_key_and_its_way_back(do: Any) -> None:
    ann, ben = await named(do, Person, "Ann", "Ben")
    (red,) = await teams(do, "RED")
    for person in (ann, ben):
        await do(Membership.objects.create, team=red, person=person)
    found = await do(Membership.objects.select_related("team").get, person=ben)
    assert found.team == red
    assert found.team_id == red.pk
    assert await do(red.membership_set.count) == 2
    with pytest.raises(IntegrityError, match=r"Membership\.team points at"):
        await do(Membership.objects.create, team_id=red.pk + 1, person=ann)


@pytest.mark.capability(2)
async def test_a_one_to_one_is_an_object_on_either_side(do: Any) -> None:
    ann, ben = await named(do, Person, "Ann", "Ben")
    licence = await do(Licence.objects.create, person=ann)
    ann, ben = await do.rows(Person.objects.select_related("licence").order_by("name"))
    assert ann.licence == licence
    assert ann.licence.person is ann
    assert not hasattr(ben, "licence")
    with pytest.raises(IntegrityError, match="unique"):
        await do(Licence.objects.create, person=ann)


@pytest.mark.capability(4, 5, 57)
async def test_a_link_with_fields_and_several_keys(do: Any) -> None:
    ann, ben = await named(do, Person, "Ann", "Ben")
    red, blue = await teams(do, "RED", "BLU")
    await do(red.members.add, ann, through_defaults={"role": "captain", "invited_by": ben})
    await do(ann.teams.add, blue)
    assert await names(do, red.members.all()) == ["Ann"]
    assert await names(do, ann.teams.all()) == ["BLU", "RED"]
    assert await do(ben.teams.count) == 0
    link = await do(Membership.objects.get, team=red)
    assert (link.role, link.person_id, link.invited_by_id) == ("captain", ann.pk, ben.pk)
    assert await names(do, Team.objects.filter(membership__role="captain")) == ["RED"]


@pytest.mark.capability(6)
async def test_targets_that_come_later_are_named(do: Any) -> None:
    assert Team._meta.get_field("members").related_model is Person
    assert Team._meta.get_field("members").remote_field.through is Membership


@pytest.mark.capability(7)
async def test_rows_that_point_at_rows_of_their_own_table(do: Any) -> None:
    (ann,) = await named(do, Person, "Ann")
    ben = await do(ann.pupils.create, name="Ben")
    await do(ben.pupils.create, name="Cas")
    assert await names(do, Person.objects.filter(mentor__mentor=ann)) == ["Cas"]
    assert await names(do, Person.objects.filter(pupils__pupils__name="Cas")) == ["Ann"]


@pytest.mark.capability(8)
async def test_friends_are_each_others(do: Any) -> None:
    ann, ben = await named(do, Person, "Ann", "Ben")
    await do(ann.friends.add, ben)
    assert await names(do, ben.friends.all()) == ["Ann"]
    assert await names(do, Person.objects.filter(friends=ben)) == ["Ann"]
    await do(ben.friends.remove, ann)
    assert await do(ann.friends.count) == 0


@pytest.mark.capability(9, 13, 14)
async def test_a_key_to_another_column_and_the_names_of_its_way_back(do: Any) -> None:
    red, blue = await teams(do, "RED", "BLU")
    fan = await do(red.fans.create)
    assert fan.team_id == "RED"
    assert (await do(Fan.objects.select_related("team").get)).team == red
    assert await names(do, Team.objects.filter(fan=fan)) == ["RED"]
    assert await names(do, Team.objects.exclude(fan=fan)) == ["BLU"]
    with pytest.raises(FieldError, match="fans"):
        Team.objects.filter(fans=fan)
    with pytest.raises(IntegrityError, match=r"Fan\.team points at"):
        await do(Fan.objects.create, team_id="XXX")
    assert await do(blue.fans.count) == 0


@pytest.mark.capability(16)
async def test_a_way_back_that_is_switched_off(do: Any) -> None:
    red, blue = await teams(do, "RED", "BLU")
    await do(Fan.objects.create, team=red, rival=blue)
    assert await do(Fan.objects.filter(rival__code="BLU").count) == 1
    assert [end.accessor for end in Team._meta.entity.ends.values() if end.field.name == "rival"] == [None]
    assert await do(blue.delete) == (2, {"declaring.Fan": 1, "declaring.Team": 1})


@pytest.mark.capability(19)
async def test_a_key_that_the_database_does_not_check(do: Any) -> None:
    (red,) = await teams(do, "RED")
    fan = await do(Fan.objects.create, team=red, told_by_id=4711)
    assert await do(Fan.objects.filter(told_by__name="Ann").count) == 0
    (ann,) = await named(do, Person, "Ann")
    fan.told_by = ann
    await do(fan.save)
    assert await do(Fan.objects.get, told_by__name="Ann") == fan
    await do(ann.delete)
    await do(fan.refresh_from_db)
    assert fan.told_by_id is not None


@pytest.mark.capability(18)
async def test_a_relation_over_columns_that_are_no_key(do: Any) -> None:
    many = await teams(do, "RED", "BLU", *[f"T{n:02}" for n in range(30)])
    rows = [Season(code=code, year=year, points=year) for code in ("RED", "BLU", "OLD") for year in (1, 2, 3)]
    await do(Season.objects.bulk_create, rows)
    red = many[0]
    season = await do(Season.objects.select_related("team").get, code="RED", year=2)
    assert season.team == red
    assert [s.year for s in await do.rows(red.seasons.order_by("-year"))] == [3, 2, 1]
    assert await names(do, Team.objects.filter(seasons__points__gt=2)) == ["BLU", "RED"]
    assert await do(Season.objects.filter(team__name="RED").count) == 3
    assert await do(Season.objects.filter(team__name__isnull=True).count) == 3
    with do.queries(2):
        found = await do.rows(Team.objects.filter(seasons__year=1).prefetch_related("seasons").order_by("code"))
        assert [len(team.seasons.all()) for team in found] == [3, 3]
    with do.captured() as sent:
        counts = [await do(team.seasons.count) for team in await do.rows(Team.objects.order_by("-code"))]
    assert sum(counts) == 6
    assert len(sent) <= ceil(log2(len(many))) + 2
    new = await do(red.seasons.create, year=4)
    assert new.code == "RED"


@pytest.mark.capability(22)
async def test_keys_are_indexed(do: Any) -> None:
    asked = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'declaring_membership'",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE tablename = 'declaring_membership'",
    }
    indexes = " ".join(text or "" for (text,) in await do.sql(asked[do.vendor]))
    for column in ("team_id", "person_id", "invited_by_id"):
        assert f'("{column}")' in indexes or f"({column})" in indexes


@pytest.mark.capability(25)
async def test_relations_to_models_that_inherit_tables(do: Any) -> None:
    (field,) = await named(do, Venue, "Field")
    dome = await do(Arena.objects.create, name="Dome", seats=900)
    await do(Match.objects.create, venue=dome, arena=dome)
    await do(Match.objects.create, venue=field)
    assert await do(Match.objects.filter(venue__arena__seats__gt=500).count) == 1
    assert await do(Match.objects.filter(arena__name="Dome").count) == 1
    assert await names(do, Arena.objects.filter(matches__isnull=False)) == ["Dome"]
    with do.queries(1):
        match = await do(Match.objects.select_related("arena", "venue__arena").get, arena__isnull=False)
        assert (match.arena.name, match.arena.seats, match.venue.arena.seats) == ("Dome", 900, 900)
    assert await do(dome.finals.count) == await do(dome.matches.count) == 1
    assert (await do(dome.delete))[0] == 3


@pytest.mark.capability(30)
def test_a_key_into_another_schema(database: Database) -> None:
    """PostgreSQL has schemas; on SQLite a database is one."""
    if database.vendor != "postgresql":
        return
    by_hand = database.session.connection
    by_hand.execute("CREATE SCHEMA elsewhere")
    try:
        with isolated_registry():

            class Country(models.Model):
                name = models.CharField(max_length=20)

                class Meta:
                    app_label = "declaring"
                    db_table = '"elsewhere"."country"'

            class City(models.Model):
                country: Any = models.ForeignKey(Country, on_delete=models.CASCADE, related_name="cities")

                class Meta:
                    app_label = "declaring"

            create_tables(Country, City)
            country = Country.objects.create(name="Norway")
            city = country.cities.create()
            assert City.objects.filter(country__name="Norway").get() == city
            with pytest.raises(IntegrityError, match=r"City\.country points at"):
                City.objects.create(country_id=country.pk + 1)
            by_hand.execute("DELETE FROM elsewhere.country")
            assert City.objects.count() == 0
    finally:
        by_hand.script("DROP TABLE IF EXISTS declaring_city; DROP SCHEMA elsewhere CASCADE")


def test_the_database_is_as_the_models_say(database: Database) -> None:
    links = [field.remote_field.through for model in TABLES for field in model._meta.local_many_to_many]
    assert find_drift([*TABLES, *links]) == []
