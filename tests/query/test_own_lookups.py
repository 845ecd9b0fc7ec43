"""Look-ups and transforms of one's own, as Django's documentation writes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from behaviour_models import Author, Post
from query_models import Event

from crowsfoot import models
from crowsfoot.errors import FieldError
from crowsfoot.models import lookups
from crowsfoot.models.functions import Abs
from crowsfoot.sql.select import compile_select
from crowsfoot.sql.sqlite import SQLite


class NotEqual(models.Lookup):
    lookup_name = "ne"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        lhs, lhs_params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.process_rhs(compiler, connection)
        return f"{lhs} <> {rhs}", [*lhs_params, *rhs_params]


class Absolute(models.Transform):
    lookup_name = "absolute"
    bilateral = True
    function = "ABS"


class Near(lookups.Exact):
    lookup_name = "near"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        lhs, lhs_params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.process_rhs(compiler, connection)
        return f"ABS({lhs} - {rhs}) < 2", [*lhs_params, *rhs_params]


class Blank(models.CharField[str]):
    """A field whose empty string is NULL."""

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(value) or None


@contextmanager
def registered(where: Any, lookup: Any, name: str | None = None) -> Iterator[None]:
    where.register_lookup(lookup, name)
    try:
        yield
    finally:
        where._unregister_lookup(lookup, name)


def test_a_lookup_for_every_field(ask: Any) -> None:
    with registered(models.Field, NotEqual):
        assert ask.which(number__ne=3) == [2]
        assert ask.which(name__ne=models.F("name")) == []
    with pytest.raises(FieldError, match="Unsupported lookup 'ne' for IntegerField"):
        ask.which(number__ne=3)


def test_both_sides_are_transformed(ask: Any) -> None:
    with registered(models.IntegerField, Absolute):
        assert ask.which(number__absolute=7) == [2]
        assert ask.which(number__absolute__in=[-3, 7]) == [1, 2]
        assert ask.which(number__absolute=models.F("number")) == [1, 2]
        with pytest.raises(NotImplementedError, match="Bilateral transformations on nested querysets"):
            ask.which(number__absolute__in=Event.objects.values("number"))


def test_a_lookup_of_one_field_alone(ask: Any) -> None:
    number = Event._meta.get_field("number")
    with registered(number, Near):
        assert number.get_lookup("near") is Near
        assert number.get_lookups()["near"] is Near
        assert Event._meta.get_field("id").get_lookup("near") is None
        assert ask.which(number__near=2) == [1]
    assert number.get_lookup("near") is None


def test_another_lookup_takes_a_name_over(ask: Any) -> None:
    number = Event._meta.get_field("number")
    assert ask.which(number=2) == []
    with registered(number, Near, "exact"):
        assert ask.which(number=2) == [1]  # although the same query was built before
        assert ask.which(number=None) == []
    assert ask.which(number=2) == []


def test_a_value_that_is_prepared_to_none_is_compared_as_none() -> None:
    class Shelf(models.Model):
        label = Blank(max_length=5, null=True)

        class Meta:
            app_label = "own_lookups"

    said = [repr(Shelf.objects.filter(label=value)._query.steps) for value in ("x", "", "y")]
    assert ["IsNull" in text for text in said] == [False, True, False]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("title__starts", "Unsupported lookup 'starts' for CharField or join on the field not permitted, perhaps you"),
        ("rank__gt__foo", "Unsupported lookup 'gt__foo' for IntegerField or join on the field not permitted"),
        ("author__editor__name", "Unsupported lookup 'editor__name' for ForeignKey or join on the field not permitted"),
        ("tags__foo", "Unsupported lookup 'foo' for ForeignKey or join on the field not permitted"),
        ("chapters__titel", "Unsupported lookup 'titel' for ManyToOneRel .*, perhaps you meant title"),
    ],
)
def test_unknown_names(name: str, message: str) -> None:
    with pytest.raises(FieldError, match=message):
        Post.objects.filter(**{name: 1})


def test_a_lookup_of_a_relation() -> None:
    author = Post._meta.get_field("author")
    with registered(author, Abs, "absolute"):
        assert author.get_transform("absolute") is Abs
        found = Author.objects.filter(posts__absolute=3)
        assert 'ABS("behaviour_post"."id")' in compile_select(SQLite(), found._query).sql
