"""Models that require a kind of database, or features of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crowsfoot import create_tables, models
from crowsfoot.connection import connections
from crowsfoot.database import Database, databases


class Everywhere(models.Model):
    class Meta:
        app_label = "required_features"
        required_db_features = ["supports_json_field"]


class OnPostgreSQL(models.Model):
    class Meta:
        app_label = "required_features"
        required_db_vendor = "postgresql"


class OnMars(models.Model):
    class Meta:
        app_label = "required_features"
        required_db_features = ["supports_json_field", "supports_mars"]


@pytest.fixture
def memory() -> Iterator[str]:
    databases["required"] = Database("required", "sqlite://:memory:")
    yield "required"
    databases["required"].close()
    del databases["required"]


def test_they_have_no_table_where_these_are_missing(memory: str) -> None:
    create_tables(Everywhere, OnPostgreSQL, OnMars, using=memory)
    assert connections[memory].introspection.table_names() == ["required_features_everywhere"]
    assert [model._meta.can_migrate(memory) for model in (Everywhere, OnPostgreSQL, OnMars)] == [True, False, False]
    assert all(model._meta.can_migrate(None) for model in (Everywhere, OnPostgreSQL, OnMars))
