"""``from_db`` of one's own: what it is told of a row."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

import crowsfoot
from crowsfoot import models
from crowsfoot.database import databases
from crowsfoot.models import FETCH_ONE, FETCH_PEERS
from crowsfoot.testing import assert_num_queries


class Told(models.Model):
    name: Any = models.CharField(max_length=10)
    told: Any = None

    class Meta:
        app_label = "own_from_db"

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any, *, fetch_mode: Any = None) -> Any:
        found = super().from_db(db, field_names, values, fetch_mode=fetch_mode)
        found.told = fetch_mode
        return found


class Below(Told):
    class Meta:
        app_label = "own_from_db"


@pytest.fixture(autouse=True)
def rows() -> Generator[None]:
    crowsfoot.connect("sqlite://:memory:")
    crowsfoot.create_tables(Told, Below)
    Below.objects.create(name="Asha")
    yield
    databases.close_all()


def test_it_is_told_the_fetch_mode_of_the_queryset() -> None:
    assert Told.objects.get().told is FETCH_PEERS
    assert Told.objects.fetch_mode(FETCH_ONE).get().told is FETCH_ONE
    assert Told.objects.fetch_mode(FETCH_PEERS).get().told is FETCH_PEERS


@pytest.mark.parametrize(
    ("queryset", "told"), [(Below.objects, FETCH_PEERS), (Below.objects.fetch_mode(FETCH_ONE), FETCH_ONE)]
)
def test_an_inherited_row_is_told_that_of_its_child(queryset: Any, told: Any) -> None:
    found = queryset.get()
    with assert_num_queries(0):
        assert found.told_ptr.told is told
