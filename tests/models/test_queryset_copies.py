"""Copies of a queryset ask what it asks, and a queryset inside another is not asked on its own."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

import crowsfoot
from crowsfoot.contrib.auth.models import Group, Permission
from crowsfoot.contrib.contenttypes.models import ContentType
from crowsfoot.testing import assert_num_queries


@pytest.fixture
def types() -> Iterator[Any]:
    database = crowsfoot.connect("sqlite://:memory:")
    crowsfoot.create_tables(ContentType, Permission, Group)
    for name in ("cat", "dog"):
        animal = ContentType.objects.create(app_label="zoo", model=name)
        Permission.objects.create(codename=f"feed_{name}", name="feed", content_type=animal)
    yield ContentType.objects.filter(model="cat")
    database.close()


def test_a_queryset_as_the_value_of_a_lookup_keeps_its_conditions(types: Any) -> None:
    with assert_num_queries(1):
        found = list(Permission.objects.filter(content_type__in=types).values_list("codename", flat=True))
    assert found == ["feed_cat"]
    with assert_num_queries(1):
        found = list(Permission.objects.exclude(content_type__in=types).values_list("codename", flat=True))
    assert found == ["feed_dog"]
    with assert_num_queries(1):
        assert Permission.objects.get(content_type=types[:1]).codename == "feed_cat"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_asks_the_same(types: Any, duplicate: Any) -> None:
    with assert_num_queries(0):
        copied = duplicate(types)
    assert [row.model for row in copied] == ["cat"]
    assert copied.filter(model="dog").count() == 0
