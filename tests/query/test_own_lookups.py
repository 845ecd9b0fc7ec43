"""Look-ups and transforms of one's own, as Django's documentation writes them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
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


class Year(models.Transform):
    """As Django's documentation has it: the database says how."""

    lookup_name = "own_year"
    output_field = models.IntegerField()

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        sql, params = compiler.compile(self.lhs)
        return connection.ops.date_extract_sql("year", sql, params)


class Hour(models.Transform):
    lookup_name = "own_hour"
    output_field = models.IntegerField()

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        sql, params = compiler.compile(self.lhs)
        return connection.ops.time_extract_sql("hour", sql, params)


def test_the_database_says_what_a_part_is(ask: Any) -> None:
    with registered(models.DateField, Year), registered(models.TimeField, Hour):
        days = ask(Event.objects.order_by("id").values_list("day__own_year", "day__year"))
        assert [one for one, _ in days] == [other for _, other in days]
        assert ask.which(day__own_year=days[0][0]) == ask.which(day__year=days[0][1])
        assert ask.which(time__own_hour__gte=13) == ask.which(time__hour__gte=13) == [1]
    with pytest.raises(ValueError, match="Invalid lookup type"):
        ask.database.dialect.date_extract_sql("year')--", "day", [])


class Exactly(lookups.Exact):
    lookup_name = "exactly"


def test_what_is_registered_for_a_foreign_object_serves_foreign_keys() -> None:
    author = Post._meta.get_field("author")
    assert author.get_lookup("exactly") is None
    assert "exactly" not in author.get_lookups()
    with registered(models.ForeignObject, Exactly):
        assert author.get_lookup("exactly") is Exactly
        assert "exactly" in author.get_lookups()
        found = Post.objects.filter(author__exactly=3)
        assert '"author_id" = ?' in compile_select(SQLite(), found._query).sql
    assert author.get_lookup("exactly") is None
    with pytest.raises(FieldError):
        Post.objects.filter(author__exactly=3)


def test_what_is_registered_for_all_fields_is_of_the_key_that_a_relation_compares() -> None:
    author = Post._meta.get_field("author")
    with registered(models.Field, Exactly):
        assert author.get_lookup("exactly") is None
        assert "exactly" not in author.get_lookups()
        assert author.target_field.get_lookup("exactly") is Exactly
        for name in ("author__exactly", "author_id__exactly"):
            assert '"author_id" = ?' in compile_select(SQLite(), Post.objects.filter(**{name: 3})._query).sql


def test_the_lookups_of_a_class_are_worked_out_once() -> None:
    author = Post._meta.get_field("author")
    author.get_class_lookups.cache_clear()
    assert author.get_class_lookups() is models.ForeignKey.get_class_lookups() == author.get_lookups()
    with registered(models.ForeignObject, Exactly):
        assert author.get_class_lookups() == models.OneToOneField.get_class_lookups() == {"exactly": Exactly}
    assert author.get_class_lookups() == {}
    with registered(models.Field, Exactly), registered(models.IntegerField, NotEqual, "exactly"):
        assert models.BigIntegerField.get_class_lookups()["exactly"] is NotEqual
        assert models.CharField.get_class_lookups()["exactly"] is Exactly


class Plus(models.Func):
    """Writes down what it is told of its parts, as expressions written for Django ask."""

    arg_joiner = " + "
    template = "%(expressions)s"
    told: Any = ()

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        type(self).told = [part.output_field for part in self.get_source_expressions()]
        return super().as_sql(compiler, connection, **extra)


def test_an_output_field_is_a_field(ask: Any) -> None:
    parts = (models.Value(1), models.F("number"), models.functions.Length("name"), models.F("number") + 1)
    assert len(ask(Event.objects.annotate(n=Plus(*parts, output_field=models.IntegerField())))) == 2
    assert [type(field) for field in Plus.told] == [models.IntegerField] * 4
    assert Plus.told[1] is Event._meta.get_field("number")
    for value, kind in (
        ("x", models.CharField), (True, models.BooleanField), (1.5, models.FloatField), (b"x", models.BinaryField),
        (Decimal("1.5"), models.DecimalField), (uuid.UUID(int=1), models.UUIDField),
    ):  # fmt: skip
        assert type(models.Value(value).output_field) is kind
        assert models.Value(value).output_field is models.Value(value).output_field
    assert isinstance(models.Exists(Event.objects.all()).output_field, models.BooleanField)
    price = models.Value(1, output_field=Event._meta.get_field("price")).output_field
    assert (price.max_digits, price.decimal_places) == (8, 2)


def test_a_comparison_is_a_boolean_whatever_it_compares(ask: Any) -> None:
    for left, right in (("price", Decimal(1)), ("number", 1), ("name", "A"), ("day", date(1990, 1, 1))):
        node = lookups.GreaterThan(models.F(left), right)
        assert isinstance(node.output_field, models.BooleanField)
        assert ask(Event.objects.filter(id=1).annotate(v=node).values_list("v", flat=True)) == [True]
        (found,) = ask(Event.objects.filter(id=1).annotate(v=node).values_list("v", flat=True))
        assert found is True


def test_an_output_field_may_be_set_and_unset() -> None:
    node = models.Value(None)
    with pytest.raises(FieldError):
        _ = node.output_field
    node.output_field = models.IntegerField()
    assert isinstance(node.output_field, models.IntegerField)
    node.output_field = None
    with pytest.raises(FieldError):
        _ = node.output_field


def test_a_subclass_may_compute_its_output_field(ask: Any) -> None:
    class Twice(models.Func):
        template = "2 * %(expressions)s"

        @property
        def output_field(self) -> Any:
            return self.get_source_expressions()[0].output_field

    class Half(models.Func):
        template = "%(expressions)s"

        @property
        def output_field(self) -> Any:
            return super().output_field

    assert ask(Event.objects.order_by("id").annotate(v=Twice("price")).values_list("v", flat=True)) == [
        2 * price for price in ask(Event.objects.order_by("id").values_list("price", flat=True))
    ]
    assert ask(Event.objects.annotate(v=Half("number")).filter(v__gte=-(10**9)).values_list("id"))


def test_a_wrapped_expression_is_grouped_by_under_the_type_that_was_told() -> None:
    wrapper = models.ExpressionWrapper(Twin("a", "b"), output_field=models.IntegerField())
    (node,) = wrapper.get_group_by_cols()
    assert node == wrapper.expression
    assert isinstance(node.output_field, models.IntegerField)


class Twin(models.Func):
    arg_joiner = " || "
    template = "%(expressions)s"
