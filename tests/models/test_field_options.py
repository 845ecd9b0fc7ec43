"""What fields say about themselves: columns, what is written into migrations, and mistakes in their options."""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import json
import pickle
from typing import Any

import pytest
from field_helpers import in_model, named
from hypothesis import given
from hypothesis import strategies as st

from crowsfoot import models, timezones, validators
from crowsfoot.models import fields
from crowsfoot.query.expressions import F
from crowsfoot.schema import types
from crowsfoot.schema.table import NO_DEFAULT, Generated

UTC = dt.UTC
D = decimal.Decimal


# -- types and columns -------------------------------------------------------------------------------------------------

COLUMNS = [
    (fields.AutoField(primary_key=True), types.Integer("integer", auto=True)),
    (fields.BigAutoField(primary_key=True), types.Integer("bigint", auto=True)),
    (fields.SmallAutoField(primary_key=True), types.Integer("smallint", auto=True)),
    (fields.IntegerField(), types.Integer("integer")),
    (fields.PositiveBigIntegerField(), types.Integer("bigint", positive=True)),
    (fields.PositiveSmallIntegerField(), types.Integer("smallint", positive=True)),
    (fields.FloatField(), types.Float()),
    (fields.DecimalField(max_digits=5, decimal_places=2), types.Decimal(5, 2)),
    (fields.BooleanField(), types.Boolean()),
    (fields.CharField(max_length=5, db_collation="C"), types.Text(5, "C")),
    (fields.CharField(), types.Text(None)),
    (fields.TextField(max_length=5), types.Text(None)),
    (fields.SlugField(), types.Text(50)),
    (fields.EmailField(), types.Text(254)),
    (fields.URLField(), types.Text(200)),
    (fields.UUIDField(), types.UUID()),
    (fields.GenericIPAddressField(), types.Inet()),
    (fields.DateField(), types.Date()),
    (fields.DateTimeField(), types.DateTime()),
    (fields.TimeField(), types.Time()),
    (fields.DurationField(), types.Duration()),
    (fields.BinaryField(), types.Binary()),
    (fields.JSONField(encoder=json.JSONEncoder), types.JSON(json.JSONEncoder)),
]


@pytest.mark.parametrize(("field", "expected"), COLUMNS)
def test_the_type_of_the_column(field: Any, expected: types.Type) -> None:
    column = named(field).make_column()
    assert (column.type, column.identity) == (expected, isinstance(field, fields.AutoField))


def test_an_internal_type_gives_a_custom_field_its_column() -> None:
    class Point(fields.Field[tuple[int, int]]):
        def get_internal_type(self) -> str:
            return "CharField"

    class Worded(fields.CharField[str]):
        def db_type(self, connection: Any) -> str | None:
            return "citext"

    class Unknown(fields.Field[Any]):
        pass

    class Short(fields.CharField[str]):
        pass

    assert Point(max_length=9).type == types.Text(9)
    assert Worded().type == types.Text(None).worded({"sqlite": "citext", "postgresql": "citext"})
    assert Unknown().type == types.Type()
    assert Short(max_length=3).get_internal_type() == "CharField"


def test_auto_fields() -> None:
    field = named(fields.BigAutoField(primary_key=True))
    assert isinstance(field, fields.AutoField)
    assert isinstance(field, fields.BigIntegerField)
    assert (field.get_default(), field.db_returning, field.blank) == (None, True, True)
    model = in_model(field, "id")
    with pytest.raises(ValueError, match=r"Model app\.Thing can't have more than one auto-generated field"):
        fields.AutoField(primary_key=True).contribute_to_class(model, "other")


@pytest.mark.parametrize(
    ("field", "default"),
    [
        (fields.CharField(), ""),
        (fields.CharField(null=True), None),
        (fields.CharField(default=str), ""),
        (fields.IntegerField(), None),
        (fields.BooleanField(), None),
        (fields.BinaryField(), b""),
        (fields.BinaryField(null=True), None),
        (fields.GenericIPAddressField(), None),
        (fields.UUIDField(), None),
        (fields.DateField(), None),
        (fields.JSONField(default=dict), {}),
    ],
)
def test_defaults(field: Any, default: Any) -> None:
    assert field.get_default() == default


def test_a_database_default_is_asked_back() -> None:
    field = named(fields.IntegerField(db_default=3))
    assert field.db_returning
    assert field.make_column().default == 3
    assert isinstance(field.get_default(), fields.DatabaseDefault)
    assert named(fields.IntegerField()).make_column().default is NO_DEFAULT


def test_generated_fields() -> None:
    total = F("a") + F("b")
    field = fields.GeneratedField(expression=total, output_field=fields.IntegerField(), db_persist=True)
    named(field, "total")
    column = field.make_column()
    assert column.generated == Generated(total, stored=True)
    assert column.type == types.Integer("integer")
    assert (field.generated, field.concrete, field.editable, field.db_returning) == (True, True, False, True)
    assert field.prepare("3") == 3
    with pytest.raises(ValueError, match="Field 'total' expected a number but got 'x'"):
        field.prepare("x")
    assert field.get_default() is None


def test_a_generated_text_has_its_collation() -> None:
    output = fields.CharField(max_length=3, db_collation="C")
    field = fields.GeneratedField(expression=F("a"), output_field=output, db_persist=False)
    column = named(field).make_column()
    assert (column.collation, column.type, column.generated.stored) == ("C", types.Text(3, "C"), False)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"editable": True}, "GeneratedField cannot be editable."),
        ({"blank": False}, "GeneratedField must be blank."),
        ({"default": 1}, "GeneratedField cannot have a default."),
        ({"db_default": 1}, "GeneratedField cannot have a database default."),
        ({"db_persist": None}, "GeneratedField.db_persist must be True or False."),
    ],
)
def test_generated_fields_refuse_to_be_written(options: dict[str, Any], sentence: str) -> None:
    given = {"expression": F("a"), "output_field": fields.IntegerField(), "db_persist": True, **options}
    with pytest.raises(ValueError, match=sentence):
        fields.GeneratedField(**given)


def test_a_generated_value_is_converted_as_its_output_field_says() -> None:
    class Doubled(fields.IntegerField[int]):
        def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
            return value * 2

    field = fields.GeneratedField(expression=F("a"), output_field=Doubled(), db_persist=True)
    (convert,) = field.db_converters(None)
    assert convert(3) == 6


# -- migrations --------------------------------------------------------------------------------------------------------

WRITTEN: list[tuple[Any, dict[str, Any]]] = [
    (fields.AutoField(primary_key=True), {"primary_key": True}),
    (fields.IntegerField(default=0), {"default": 0}),
    (fields.CharField(max_length=5), {"max_length": 5}),
    (fields.CharField("", max_length=5), {"verbose_name": "", "max_length": 5}),
    (fields.CharField(max_length=5, db_collation="C"), {"max_length": 5, "db_collation": "C"}),
    (fields.TextField(db_collation="C"), {"db_collation": "C"}),
    (fields.SlugField(), {}),
    (fields.SlugField(max_length=40, db_index=False), {"max_length": 40, "db_index": False}),
    (fields.SlugField(max_length=None, allow_unicode=True), {"max_length": None, "allow_unicode": True}),
    (fields.EmailField(), {"max_length": 254}),
    (fields.EmailField(max_length=None), {"max_length": None}),
    (fields.URLField(), {}),
    (fields.URLField(max_length=100), {"max_length": 100}),
    (fields.UUIDField(unique=True), {"unique": True}),
    (fields.GenericIPAddressField(), {}),
    (fields.GenericIPAddressField(protocol="IPv4"), {"protocol": "IPv4"}),
    (fields.GenericIPAddressField(unpack_ipv4=True), {"unpack_ipv4": True}),
    (fields.DecimalField(max_digits=5, decimal_places=0), {"max_digits": 5, "decimal_places": 0}),
    (fields.DateTimeField(auto_now=True), {"auto_now": True}),
    (fields.TimeField(auto_now_add=True), {"auto_now_add": True}),
    (fields.BinaryField(), {}),
    (fields.BinaryField(editable=True), {"editable": True}),
    (fields.JSONField(encoder=json.JSONEncoder, null=True), {"encoder": json.JSONEncoder, "null": True}),
    (fields.CharField(choices={"a": "A"}), {"choices": [("a", "A")]}),
    (fields.CharField(choices=()), {"choices": []}),
]


@pytest.mark.parametrize(("field", "kwargs"), WRITTEN)
def test_deconstruct(field: Any, kwargs: dict[str, Any]) -> None:
    assert named(field).deconstruct() == ("x", f"django.db.models.{type(field).__name__}", [], kwargs)


def test_choices_from_a_function_are_written_as_the_function() -> None:
    def sizes() -> list[tuple[str, str]]:
        return [("S", "Small")]

    assert fields.CharField(choices=sizes).deconstruct()[3] == {"choices": sizes}


def test_deconstruct_of_a_generated_field() -> None:
    output = fields.IntegerField()
    field = fields.GeneratedField(expression=F("a"), output_field=output, db_persist=False, null=True)
    kwargs = field.deconstruct()[3]
    assert kwargs == {"expression": F("a"), "output_field": output, "db_persist": False, "null": True}
    assert field.clone().deconstruct()[3] == kwargs


flag = st.booleans()
common = {
    "verbose_name": st.text(max_size=3),
    "primary_key": flag,
    "unique": flag,
    "blank": flag,
    "null": flag,
    "db_index": flag,
    "default": st.none() | st.just(str),
    "editable": flag,
    "serialize": flag,
    "unique_for_date": st.none() | st.just("day"),
    "choices": st.none() | st.lists(st.tuples(st.integers(), st.text(max_size=3))),
    "help_text": st.text(max_size=3),
    "db_column": st.none() | st.text(max_size=3),
    "db_comment": st.none() | st.text(max_size=3),
    "db_tablespace": st.none() | st.text(min_size=1, max_size=3),
    "validators": st.lists(st.just(validators.validate_slug), max_size=1),
    "error_messages": st.none() | st.just({"null": "No."}),
}
length = {"max_length": st.none() | st.integers(1, 99)}
text = {**length, "db_collation": st.none() | st.just("C")}
auto = {"auto_now": flag, "auto_now_add": flag}
own: dict[type[Any], dict[str, st.SearchStrategy[Any]]] = {
    fields.IntegerField: {},
    fields.PositiveSmallIntegerField: {},
    fields.FloatField: {},
    fields.BooleanField: {},
    fields.UUIDField: {},
    fields.DurationField: {},
    fields.CharField: text,
    fields.TextField: text,
    fields.EmailField: text,
    fields.URLField: text,
    fields.SlugField: {**text, "allow_unicode": flag},
    fields.GenericIPAddressField: {"protocol": st.sampled_from(["both", "IPv4", "IPv6"])},
    fields.DateField: auto,
    fields.DateTimeField: auto,
    fields.TimeField: auto,
    fields.DecimalField: {"max_digits": st.none() | st.integers(1, 9), "decimal_places": st.none() | st.integers(0, 9)},
    fields.BinaryField: length,
    fields.JSONField: {"encoder": st.none() | st.just(json.JSONEncoder), "decoder": st.none()},
}


@given(st.data())
def test_a_clone_is_written_as_its_original(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(own, key=lambda kind: kind.__name__)))
    options = data.draw(st.fixed_dictionaries({}, optional={**common, **own[kind]}))
    field = kind(**options)
    clone = field.clone()
    state, again = dict(field.__dict__), dict(clone.__dict__)
    assert clone.deconstruct() == field.deconstruct()
    assert clone.type == field.type
    for different in ("creation_counter", "_type"):
        state.pop(different), again.pop(different)
    assert again == state


@pytest.mark.parametrize("field", [field for field, _ in WRITTEN])
def test_fields_can_be_copied_and_pickled(field: Any) -> None:
    for again in (copy.copy(field), copy.deepcopy(field), pickle.loads(pickle.dumps(field))):
        assert again == field
        assert again.deconstruct() == field.deconstruct()


# -- checks ------------------------------------------------------------------------------------------------------------


def generated(output: Any) -> Any:
    return fields.GeneratedField(expression=F("a"), output_field=output, db_persist=True)


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        (fields.CharField(max_length=0), "'max_length' must be a positive integer, not 0."),
        (fields.CharField(max_length="5"), "'max_length' must be a positive integer, not '5'."),  # type: ignore[call-overload]
        (fields.BinaryField(max_length=-1), "'max_length' must be a positive integer, not -1."),
        (fields.DecimalField(max_digits=5), "max_digits and decimal_places must both be given or both left out."),
        (fields.DecimalField(max_digits=1, decimal_places=2), "'max_digits' must be greater or equal to"),
        (fields.DecimalField(max_digits=0, decimal_places=0), "'max_digits' must be a positive integer, not 0."),
        (fields.DecimalField(max_digits=1, decimal_places=-1), "'decimal_places' must be a non-negative integer"),
        (fields.DateField(auto_now=True, auto_now_add=True), "auto_now, auto_now_add and default exclude each other."),
        (fields.TimeField(auto_now=True, default=None), "auto_now, auto_now_add and default exclude each other."),
        (fields.AutoField(), "an AutoField must be the primary key. Write primary_key=True."),
        (fields.IntegerField(primary_key=True, null=True), "a primary key must not have null=True."),
        (fields.GenericIPAddressField(blank=True), "blank=True needs null=True as well."),
        (fields.BinaryField(default="x"), "the default must be bytes, not a string."),
        (fields.IntegerField(db_index="yes"), "'db_index' must be None, True or False, not 'yes'."),
        (fields.IntegerField(validators=[3]), "validators[0] (3) cannot be called."),
        (fields.CharField(choices="abc"), "'choices' must be a mapping or an ordered list of pairs, not 'abc'."),
        (fields.CharField(choices=3), "'choices' must be a mapping or an ordered list of pairs, not 3."),
        (fields.CharField(choices=["ab"]), "'choices' must consist of pairs"),
        (fields.CharField(choices=[("a", "A", "x")]), "'choices' must consist of pairs"),
        (fields.CharField(choices=[(("a", "b"), "A")]), "'choices' must consist of pairs"),
        (fields.CharField(choices=[("g", [("a", [("b", "B")])])]), "'choices' must consist of pairs"),
        (fields.CharField(max_length=1, choices=[("g", [("ab", "AB")])]), "too small to fit the longest value"),
        (generated(fields.CharField(max_length=0)), "its output_field has a mistake: "),
    ],
)  # fmt: skip
def test_check_complains(field: Any, sentence: str) -> None:
    in_model(field)
    (found,) = field.check()
    assert found.startswith("app.Thing.x: ")
    assert sentence in found


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("x_", "a field's name must not end with an underscore"),
        ("a__b", 'must not contain "__"'),
        ("pk", "'pk' always means the primary key"),
    ],
)
def test_check_complains_about_names(name: str, sentence: str) -> None:
    (found,) = named(fields.IntegerField(), name).check()
    assert sentence in found


@pytest.mark.parametrize(
    "field",
    [
        *(field for field, _ in WRITTEN),
        fields.CharField(),
        fields.DecimalField(),
        fields.BooleanField(null=True),
        fields.GenericIPAddressField(null=True, blank=True),
        fields.CharField(max_length=1, choices=[("a", "A"), ("g", [("b", "B")]), (None, "-")]),
        fields.CharField(choices=lambda: pytest.fail("a function is not asked before it is needed")),
        generated(fields.IntegerField()),
    ],
)
def test_check_is_silent(field: Any) -> None:
    assert named(copy.copy(field)).check() == []
    assert field.check_warnings() == []


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: fields.JSONField(default={}), "all instances would share the default {}"),
        (lambda: fields.IntegerField(max_length=3), "'max_length' is ignored by IntegerField"),
        (lambda: fields.DateTimeField(default=timezones.now()), "the default is the moment at which"),
        (lambda: fields.DateField(default=dt.datetime.now(UTC).date()), "the default is the moment at which"),
        (lambda: fields.TimeField(default=dt.datetime.now(UTC).time()), "the default is the moment at which"),
    ],
)
def test_check_warnings(make: Any, sentence: str) -> None:
    field = make()
    in_model(field)
    (found,) = field.check_warnings()
    assert found.startswith("app.Thing.x: ")
    assert sentence in found


def test_a_fixed_default_of_another_time_is_meant() -> None:
    assert fields.DateTimeField(default=dt.datetime(2000, 1, 1, tzinfo=UTC)).check_warnings() == []
    assert fields.DateField(default=dt.date(2000, 1, 1)).check_warnings() == []


# -- choices -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choices", "value", "shown"),
    [
        ([(1, "one"), ("more", [(2, "two")])], 2, "two"),
        ([(1, "one")], 3, 3),
        ([(None, "nothing")], None, "nothing"),
        ([("a", "A")], ["a"], ["a"]),
        ([(1, "one")], True, "one"),
    ],
)
def test_the_display_of_a_value(choices: Any, value: Any, shown: Any) -> None:
    model = in_model(fields.JSONField(choices=choices))
    instance = model()
    instance.x = value
    assert instance.get_x_display() == shown


def test_options_that_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="unpack_ipv4"):
        fields.GenericIPAddressField(protocol="IPv4", unpack_ipv4=True)
    with pytest.raises(ValueError, match="encoder parameter must be a callable"):
        fields.JSONField(encoder=3)  # type: ignore[arg-type]


def test_a_field_may_be_the_class_attribute_of_something_else() -> None:
    """As ``output_field`` is in expressions, which also set their own."""

    class Function:
        output_field: Any = fields.CharField()

    function = Function()
    assert isinstance(function.output_field, fields.CharField)
    function.output_field = 3
    assert function.output_field == 3


@pytest.mark.parametrize(
    ("field", "column", "value", "instead"),
    [
        (models.IPAddressField(), types.Inet(), "192.0.2.1", "GenericIPAddressField"),
        (models.CommaSeparatedIntegerField(max_length=9), types.Text(9), "1,2", "CharField(validators="),
        (models.NullBooleanField(), types.Boolean(), None, "BooleanField(null=True, blank=True)"),
    ],
)
def test_fields_of_old_migrations_work_there_alone(field: Any, column: Any, value: Any, instead: str) -> None:
    kind = type(field)
    name, path, args, kwargs = field.deconstruct()
    assert (name, path, args) == (None, f"django.db.models.{kind.__name__}", [])
    assert kwargs == ({"max_length": 9} if column == types.Text(9) else {})
    again = kind(**kwargs)
    in_model(again)
    assert again.type == column
    assert again.clean(value, None) == value
    (said,) = again.check()
    assert f"{kind.__name__} has been removed except for support in historical migrations. Use {instead}" in said
