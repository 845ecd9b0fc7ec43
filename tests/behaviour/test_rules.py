"""Rules of keys as the database keeps them, when it is not asked by Crowsfoot, and as both keep them together."""

from __future__ import annotations

from typing import Any

import pytest
import rules_models
from rules_models import Basket, Child, Citizen, Country, Grandchild, Item, Mark, Owner

from crowsfoot import models
from crowsfoot.database import Database
from crowsfoot.drift import find_drift
from crowsfoot.errors import IntegrityError, ModelError
from crowsfoot.models.signals import post_delete
from crowsfoot.testing import isolated_registry

TABLES = rules_models.TABLES  # what the database has here


async def family(do: Any, *keys: str) -> tuple[Any, list[Any]]:
    """An owner beside the one that keys go to, and a child for each of these keys."""
    await do(Owner.objects.create, pk=1, name="spare")
    owner = await do(Owner.objects.create, pk=2, name="Ann")
    others = {"default": None}
    return owner, [await do(Child.objects.create, **{**others, key: owner}) for key in keys]


async def delete_by_hand(do: Any, owner: Any) -> None:
    await do.sql(f"DELETE FROM rules_owner WHERE id = {owner.pk}")


@pytest.mark.capability(32, 34, 35)
async def test_the_database_deletes_and_changes_rows_by_itself(do: Any) -> None:
    owner, (_, _, emptied, default) = await family(do, "cascade", "in_database", "emptied", "default")
    await delete_by_hand(do, owner)
    assert await do.rows(Child.objects.order_by("pk")) == [emptied, default]
    for child in (emptied, default):
        await do(child.refresh_from_db)
    assert (emptied.emptied_id, default.default_id) == (None, 1)


@pytest.mark.capability(36)
@pytest.mark.parametrize("key", ["protected", "restricted", "called"])
async def test_the_database_refuses_by_itself(do: Any, key: str) -> None:
    owner, _ = await family(do, key)
    with pytest.raises(IntegrityError):
        await delete_by_hand(do, owner)
    assert await do(Owner.objects.count) == 2


@pytest.mark.capability(36)
async def test_what_refuses_yields_to_what_deletes_in_the_same_statement(do: Any) -> None:
    owner, _ = await family(do)
    await do(Child.objects.create, cascade=owner, restricted=owner)
    await delete_by_hand(do, owner)
    assert await do(Child.objects.count) == 0


@pytest.mark.capability(39)
async def test_a_key_goes_where_a_function_says(do: Any) -> None:
    owner, (child,) = await family(do, "called")
    assert await do(owner.delete) == (1, {"rules.Owner": 1})
    await do(child.refresh_from_db)
    assert child.called_id == 1


@pytest.mark.capability(42)
async def test_some_rows_go_with_signals_and_others_by_the_database(do: Any) -> None:
    owner, (watched, unseen, emptied) = await family(do, "cascade", "in_database", "emptied")
    for child in (watched, unseen):
        await do(Grandchild.objects.create, child=child)
    heard = []

    def receive(instance: Any, **named: Any) -> None:
        heard.append(instance.pk)

    post_delete.connect(receive, sender=Child)
    try:
        deleted = await do(owner.delete)
    finally:
        post_delete.disconnect(receive, sender=Child)
    assert heard == [watched.pk]
    assert deleted == (2, {"rules.Child": 1, "rules.Owner": 1})
    assert await do.rows(Child.objects.all()) == [emptied]
    assert await do(Grandchild.objects.count) == 0


@pytest.mark.capability(40)
async def test_keys_follow_a_key_that_changes(do: Any) -> None:
    for code in ("NO", "SE"):
        await do(Country.objects.create, code=code)
    ann = await do(Citizen.objects.create, country_id="NO", second_id="SE")
    ben = await do(Citizen.objects.create, country_id="SE", second_id="NO")
    with do.queries(1):
        await do(Country.objects.filter(code="NO").update, code="NN")
    for citizen in (ann, ben):
        await do(citizen.refresh_from_db)
    assert [(c.country_id, c.second_id) for c in (ann, ben)] == [("NN", "SE"), ("SE", None)]
    await do.sql("UPDATE rules_country SET code = 'NO' WHERE code = 'NN'")
    assert await do(Citizen.objects.filter(country_id="NO").get) == ann


async def test_what_was_prepared_for_a_loop_is_dropped_when_keys_follow(do: Any) -> None:
    countries = [await do(Country.objects.create, code=f"A{n}") for n in range(4)]
    await do(Citizen.objects.bulk_create, [Citizen(country=c) for c in countries])
    seen = []
    for country in await do.rows(Country.objects.order_by("code")):
        seen.append(await do(country.citizens.count))
        await do(Country.objects.filter(code="A3").update, code="B3")
    assert seen == [1, 1, 1, 0]


@pytest.mark.capability(43)
async def test_what_leaves_its_parent_is_deleted(do: Any) -> None:
    basket, other = [await do(Basket.objects.create) for _ in range(2)]
    a, b, _, d = [await do(basket.items.create, name=name) for name in "abcd"]
    for item in (a, b):
        await do(Mark.objects.create, item=item)
    await do(basket.items.remove, a)
    assert await do(Mark.objects.count) == 1
    await do(other.items.add, d)  # moved, not lost
    new = Item(name="e")
    await do(basket.items.set, [b, new], bulk=False)
    assert [item.name for item in await do.rows(basket.items.order_by("name"))] == ["b", "e"]
    await do(basket.items.set, [new], clear=True)
    assert await do(Mark.objects.count) == 0
    await do(basket.items.clear)
    assert await do.rows(Item.objects.all()) == [d]
    with pytest.raises(Basket.DoesNotExist):
        await do(basket.items.remove, d)
    assert await do(other.items.get) == d


@pytest.mark.capability(20)
async def test_keys_that_are_checked_as_the_transaction_ends(do: Any) -> None:
    """So rows that point at each other are written in any order."""
    async with do.atomic():
        await do(Country.objects.create, code="NO", president_id=1)
        await do(Citizen.objects.create, pk=1, country_id="NO")
    country = await do(Country.objects.select_related("president").get)
    assert country.president.country_id == "NO"
    with pytest.raises(IntegrityError):
        async with do.atomic():
            await do(Citizen.objects.create, country_id="XX")
    assert await do(Citizen.objects.count) == 1
    with pytest.raises(IntegrityError, match=r"Citizen\.second points at"):
        await do(Citizen.objects.create, country_id="NO", second_id="XX")


@pytest.mark.capability(31)
async def test_a_constraint_has_the_name_that_was_chosen(do: Any) -> None:
    """SQLite keeps no names of foreign keys."""
    if do.vendor != "postgresql":
        return
    found = await do.sql(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'rules_citizen'::regclass AND contype = 'f'"
    )
    assert ("citizen_of_country",) in found
    async with do.atomic(durable=True):
        await do.sql("SET CONSTRAINTS citizen_of_country IMMEDIATE")
        with pytest.raises(IntegrityError) as told:
            async with do.atomic():
                await do(Citizen.objects.create, country_id="XX")
    assert told.value.constraint == "citizen_of_country"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"on_update": models.SET_NULL}, "on_update=SET_NULL but its column may not be NULL"),
        ({"on_update": models.SET_DEFAULT}, "on_update=SET_DEFAULT but no db_default"),
        ({"on_update": models.SET(1)}, "is no rule that a database has"),
        ({"on_update": models.CASCADE, "db_constraint": False}, "but db_constraint=False"),
    ],
)
def test_rules_that_no_database_could_follow(options: Any, sentence: str) -> None:
    with isolated_registry():

        class Thing(models.Model):
            owner: Any = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="+", **options)

            class Meta:
                app_label = "rules"

        with pytest.raises(ModelError, match=sentence):
            Thing.objects.count()


def test_the_database_is_as_the_models_say(database: Database) -> None:
    links = [field.remote_field.through for model in TABLES for field in model._meta.local_many_to_many]
    assert find_drift([*TABLES, *links]) == []


async def test_a_row_that_is_pointed_at(do: Any) -> None:
    """Deleted by hand it is refused in the database's words; deleted by rules that say nothing, in ours."""
    owner = await do(Owner.objects.create, name="Ann")
    child = await do(Child.objects.create, nothing=owner, default=None)
    with pytest.raises(IntegrityError, match=r"still points at the rules\.Owner by nothing: delete it first") as told:
        await do(owner.delete)
    assert (told.value.model, told.value.field) == (Child, Child._meta.get_field("nothing"))
    if do.vendor == "sqlite":
        assert f"rules.Child {child.pk} still points" in str(told.value)
    assert await do(Child.objects.count) == 1


async def test_what_goes_anyway_is_not_pointed_elsewhere_first(do: Any) -> None:
    await do(Child.objects.all().delete)
    await do(Owner.objects.filter(pk=1).delete)
    owner = await do(Owner.objects.create, pk=77)
    await do(Child.objects.create, cascade=owner, default=owner)
    assert (await do(owner.delete))[1] == {"rules.Owner": 1, "rules.Child": 1}
