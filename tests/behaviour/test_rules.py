"""Rules of keys as the database keeps them, when it is not asked by Crowsfoot, and as both keep them together."""

from __future__ import annotations

from typing import Any

import pytest
import rules_models
from rules_models import Child, Grandchild, Owner

from crowsfoot.errors import IntegrityError
from crowsfoot.models.signals import post_delete

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
