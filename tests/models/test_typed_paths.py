"""Typed paths: a condition written with attributes is the one written with underscores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crowsfoot import connect, create_tables, models
from crowsfoot.models import Q
from crowsfoot.testing import isolated_registry


@pytest.fixture
def post() -> Iterator[Any]:
    with isolated_registry():

        class Author(models.Model):
            # Names that a path, being an expression, has a use for itself.
            name = models.CharField(max_length=100)
            contains = models.IntegerField()

        class Post(models.Model):
            title = models.CharField(max_length=200)
            author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")

        yield Post


@pytest.mark.capability(107)
def test_a_path_goes_on_to_fields_of_any_name(post: Any) -> None:
    assert (post.author.name == "Asha") == Q(author__name="Asha")
    assert (post.author.contains > 3) == Q(author__contains__gt=3)
    assert (post.author.posts.author.name == "Asha") == Q(author__posts__author__name="Asha")


def test_a_path_compares(post: Any) -> None:
    assert (post.title == None) == Q(title__isnull=True)  # noqa: E711
    assert (post.title != "x") == ~Q(title="x")
    assert post.title.contains("x") == Q(title__contains="x")
    assert post.author.name.in_(["x"]) == Q(author__name__in=["x"])


def test_a_path_orders(post: Any) -> None:
    connect("sqlite://:memory:", "paths")
    author = post.author.field.related_model
    create_tables(author, post, using="paths")
    for name in ("Asha", "Ben"):
        post.objects.using("paths").create(
            title=name, author=author.objects.using("paths").create(name=name, contains=1)
        )
    rows = post.objects.using("paths")
    assert [row.title for row in rows.order_by(post.author.name.desc())] == ["Ben", "Asha"]
    assert [row.title for row in rows.order_by(post.author)] == ["Asha", "Ben"]


def test_a_name_that_leads_nowhere_is_answered_with_the_nearest(post: Any) -> None:
    with pytest.raises(AttributeError, match=r"'nme'\. Did you mean 'name'"):
        post.author.nme  # noqa: B018
