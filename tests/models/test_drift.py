"""``find_drift``: what is told of a database that is not as the models say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import crowsfoot
from crowsfoot import models
from crowsfoot.database import Database, databases
from crowsfoot.drift import find_drift
from crowsfoot.testing import assert_num_queries, isolated_registry


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    sqlite = request.param == "sqlite"
    yield crowsfoot.connect("sqlite://:memory:" if sqlite else request.getfixturevalue("postgres_schema"))
    databases.close_all()


def shop(rule: Any = models.CASCADE, **options: Any) -> list[Any]:
    """Models whose keys have this rule; ``without`` leaves a field out, ``null`` lets another be empty."""
    with isolated_registry():

        class Meta:
            app_label = "drift"

        class Maker(models.Model):
            name = models.CharField(max_length=20, null=options.get("null", False))
            Meta = type("Meta", (), {"app_label": "drift"})

        fields: dict[str, Any] = {
            "__module__": __name__,
            "Meta": type("Meta", (), {"app_label": "drift"}),
            "maker": models.ForeignKey(Maker, on_delete=rule, db_constraint=options.get("constraint", True)),
            "code": models.CharField(max_length=5, default=""),
            "tags": models.ManyToManyField(Maker, related_name="+"),
        }
        fields.pop(options.get("without", ""), None)
        part = type(models.Model)("Part", (models.Model,), fields)
        return [Maker, part, *[f.remote_field.through for f in part._meta.local_many_to_many]]


def test_what_was_just_made_is_as_it_should_be(database: Database) -> None:
    made = shop()
    crowsfoot.create_tables(*made)
    with assert_num_queries(2):
        assert find_drift(made) == []


@pytest.mark.capability(118)
def test_each_difference_is_told(database: Database) -> None:
    assert find_drift(shop())[0] == "drift.Maker: the table drift_maker is not there."
    crowsfoot.create_tables(*shop())
    assert find_drift(shop(models.PROTECT)) == [
        "drift.Part.maker: the database says ON DELETE CASCADE, and the model RESTRICT.",
    ]
    assert find_drift(shop(null=True)) == [
        "drift.Maker.name: the column may not be NULL, but in the model it may be NULL.",
    ]
    assert find_drift(shop(without="code")) == ["drift.Part: the table has a column code that the model does not have."]
    assert find_drift(shop(constraint=False)) == [
        "drift.Part: the database has a foreign key from maker_id to drift_maker that the model does not have.",
    ]


@pytest.mark.capability(118)
def test_what_is_missing_is_told(database: Database) -> None:
    crowsfoot.create_tables(*shop(constraint=False, without="code"))
    assert find_drift(shop()) == [
        "drift.Part.code: the column code is not there.",
        "drift.Part.maker: the database has no foreign key for it.",
    ]
