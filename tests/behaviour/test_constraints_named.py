"""The constraint that a violation is about has the same name, columns and field on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from crowsfoot import create_tables, models
from crowsfoot.errors import IntegrityError
from crowsfoot.models import F, Q


class Maker(models.Model):
    class Meta:
        app_label = "named"


class Thing(models.Model):
    code = models.IntegerField(unique=True)
    size = models.PositiveIntegerField(default=1)
    rank = models.IntegerField(default=0)
    maker: Any = models.ForeignKey(Maker, on_delete=models.CASCADE, null=True)
    only: Any = models.OneToOneField(Maker, on_delete=models.CASCADE, null=True, related_name="only_thing")

    class Meta:
        app_label = "named"
        unique_together = [("rank", "maker")]
        constraints = [
            models.UniqueConstraint(fields=["size", "rank"], name="size_rank"),
            models.UniqueConstraint(F("rank") + 1, name="rank_above", condition=Q(rank__gt=5)),
            models.CheckConstraint(condition=Q(rank__lt=100), name="small_rank"),
        ]


MADE: list[Any] = []


@pytest.fixture(autouse=True)
def tables(do: Any) -> None:
    if do.database not in MADE:
        create_tables(Maker, Thing)
        MADE.append(do.database)


@pytest.mark.parametrize(
    ("values", "constraint", "columns", "field"),
    [
        ({"code": 1}, "named_thing_code_key", ("code",), "code"),
        ({"code": 2, "size": 2, "rank": 3}, "size_rank", ("size", "rank"), "size"),
        ({"code": 2, "size": 9, "rank": 3, "maker_id": 500}, "named_thing_rank_maker_id_4b08c027_uniq", None, "rank"),
        ({"code": 2, "only_id": 500}, "named_thing_only_id_key", ("only_id",), "only"),
        ({"code": 2, "id": 100}, "named_thing_pkey", ("id",), "id"),
        ({"code": 2, "size": -1}, "named_thing_size_check", ("size",), "size"),
        ({"code": 2, "rank": 100}, "small_rank", (), None),
        ({"code": 2, "rank": 7}, "rank_above", (), None),
        ({"code": 2, "maker_id": 9}, "named_thing_maker_id_27a9d35c_fk_named_maker_id", ("maker_id",), "maker"),
        ({"code": None}, None, ("code",), "code"),
    ],
)
async def test_each_has_its_name(do: Any, values: Any, constraint: Any, columns: Any, field: str | None) -> None:
    await do(Maker.objects.all().delete)
    await do(Thing.objects.all().delete)
    maker = await do(Maker.objects.create, pk=500)
    await do(Thing.objects.create, pk=100, code=1, size=2, rank=3, maker=maker, only=maker)
    await do(Thing.objects.create, pk=101, code=7, size=7, rank=7)
    with pytest.raises(IntegrityError) as told:
        await do(Thing.objects.bulk_create, [Thing(**values)])
    error = told.value
    assert error.model is Thing
    assert error.field is (None if field is None else Thing._meta.get_field(field))
    assert columns in (None, error.columns)
    assert error.constraint == constraint
