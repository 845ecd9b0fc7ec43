"""Managers that show a part of the rows: what they unlink."""

from __future__ import annotations

from typing import Any

import pytest

from crowsfoot import models


class Living(models.Manager[Any]):
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(alive=True)


class Nobody(models.Manager[Any]):
    def get_queryset(self) -> Any:
        return super().get_queryset().none()


class Person(models.Model):
    name = models.CharField(max_length=20, unique=True)
    alive = models.BooleanField(default=True)
    friends: Any = models.ManyToManyField("self")

    objects: Any = models.Manager()
    living: Any = Living()
    nobody: Any = Nobody()

    class Meta:
        app_label = "narrow"


class Club(models.Model):
    members: Any = models.ManyToManyField(Person, related_name="clubs")

    class Meta:
        app_label = "narrow"


TABLES = (Person, Club)


@pytest.fixture
def people(do: Any) -> Any:
    async def make() -> list[Any]:
        return [await do(Person.objects.create, name=n, alive=n != "Bo") for n in ("Ann", "Bo", "Cy")]

    return make


async def names(do: Any, rows: Any) -> list[str]:
    return [row.name for row in await do.rows(rows.order_by("name"))]


async def test_what_a_manager_does_not_show_it_does_not_unlink(do: Any, people: Any) -> None:
    ann, bo, cy = await people()
    club = await do(Club.objects.create)
    await do(club.members.add, ann, bo, cy)
    living = club.members(manager="living")
    with do.queries(3):  # in a transaction
        await do(living.remove, ann, bo)
    assert await names(do, club.members) == ["Bo", "Cy"]
    with do.queries(3):  # in a transaction
        await do(living.clear)
    assert await names(do, club.members) == ["Bo"]
    await do(living.set, [cy])
    assert await names(do, club.members) == ["Bo", "Cy"]
    await do(living.set, [ann], clear=True)
    assert await names(do, club.members) == ["Ann", "Bo"]
    await do(club.members(manager="nobody").clear)
    await do(club.members(manager="nobody").remove, ann)
    assert await names(do, club.members) == ["Ann", "Bo"]
    await do(club.members.remove, bo)
    assert await names(do, club.members) == ["Ann"]


async def test_both_links_of_a_symmetrical_relation(do: Any, people: Any) -> None:
    ann, bo, cy = await people()
    await do(ann.friends.add, bo, cy)
    await do(ann.friends(manager="living").remove, bo, cy)
    assert await names(do, ann.friends) == ["Bo"]
    assert await names(do, bo.friends) == ["Ann"]
    assert await names(do, cy.friends) == []
    await do(ann.friends.add, cy)
    await do(ann.friends(manager="living").clear)
    assert (await names(do, ann.friends), await names(do, cy.friends)) == (["Bo"], [])
    await do(ann.friends.clear)
    assert await names(do, bo.friends) == []
