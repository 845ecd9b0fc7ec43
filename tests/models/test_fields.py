"""Fields alone: what they convert, refuse, write into migrations and complain about. No database and no model."""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import json
import pickle
import uuid
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowsfoot import enums, timezones, validators
from crowsfoot.errors import ValidationError
from crowsfoot.models import fields
from crowsfoot.query.expressions import F
from crowsfoot.schema import types
from crowsfoot.schema.table import NO_DEFAULT, Generated

UTC = dt.UTC
D = decimal.Decimal


def named(field: Any, name: str = "x") -> Any:
    field.set_attributes_from_name(name)
    return field


def refusal(call: Any, *args: Any) -> tuple[str, str | None]:
    with pytest.raises(ValidationError) as caught:
        call(*args)
    return caught.value.messages[0], caught.value.error_list[0].code


class Model:
    """As little of a model as a field wants."""

    _get_next_or_previous_by_FIELD = None

    def __init_subclass__(cls) -> None:
        cls._meta = SimpleNamespace(label=f"app.{cls.__name__}", add_field=lambda field, private: None, auto_field=None)


def in_model(field: Any, name: str = "x") -> type[Any]:
    class Thing(Model):
        pass

    Thing._get_next_or_previous_by_FIELD = lambda self, field, is_next: (field.name, is_next)
    field.contribute_to_class(Thing, name)
    return Thing


# -- conversion --------------------------------------------------------------------------------------------------------

CONVERTED = [
    (fields.IntegerField(), " 3 ", 3),
    (fields.IntegerField(), 3.9, 3),
    (fields.IntegerField(), True, 1),
    (fields.BigIntegerField(), str(2**40), 2**40),
    (fields.FloatField(), "1.5", 1.5),
    (fields.DecimalField(max_digits=5, decimal_places=2), "1.50", D("1.50")),
    (fields.DecimalField(max_digits=5, decimal_places=2), 0.1, D("0.10000")),
    (fields.DecimalField(), 3, D(3)),
    (fields.BooleanField(), "t", True),
    (fields.BooleanField(), "False", False),
    (fields.BooleanField(), D(1), True),
    (fields.BooleanField(null=True), "", None),
    (fields.CharField(), 3, "3"),
    (fields.TextField(), D("1.0"), "1.0"),
    (fields.UUIDField(), "0" * 31 + "5", uuid.UUID(int=5)),
    (fields.UUIDField(), 5, uuid.UUID(int=5)),
    (fields.GenericIPAddressField(), " 2001:0db8:0::1 ", "2001:db8::1"),
    (fields.GenericIPAddressField(), "fe80::1%eth0", "fe80::1"),
    (fields.GenericIPAddressField(), "::ffff:102:304", "::ffff:1.2.3.4"),
    (fields.GenericIPAddressField(unpack_ipv4=True), "::ffff:102:304", "1.2.3.4"),
    (fields.GenericIPAddressField(), " 1.2.3.4", "1.2.3.4"),
    (fields.DateField(), "2024-6-1", dt.date(2024, 6, 1)),
    (fields.DateField(), dt.datetime(2024, 6, 1, 3), dt.date(2024, 6, 1)),
    (fields.DateTimeField(), "2024-06-01 03:04Z", dt.datetime(2024, 6, 1, 3, 4, tzinfo=UTC)),
    (fields.DateTimeField(), "2024-06-01", dt.datetime(2024, 6, 1)),
    (fields.TimeField(), "3:04", dt.time(3, 4)),
    (fields.TimeField(), dt.datetime(2024, 6, 1, 3), dt.time(3)),
    (fields.DurationField(), "1 02:03:04.5", dt.timedelta(1, 7384, 500_000)),
    (fields.DurationField(), "P1DT2H", dt.timedelta(1, 7200)),
    (fields.BinaryField(), "aGVsbG8=", b"hello"),
    (fields.BinaryField(), b"hello", b"hello"),
    (fields.JSONField(), {"a": [1]}, {"a": [1]}),
]


@pytest.mark.parametrize(("field", "value", "expected"), CONVERTED)
def test_to_python_converts(field: Any, value: Any, expected: Any) -> None:
    found = named(copy.copy(field)).to_python(value)
    assert (found, type(found)) == (expected, type(expected))


REFUSED = [
    (fields.IntegerField(), "1.5", "“1.5” value must be an integer.", "invalid"),
    (fields.IntegerField(), float("inf"), "“inf” value must be an integer.", "invalid"),
    (fields.FloatField(), "x", "“x” value must be a float.", "invalid"),
    (fields.DecimalField(), "x", "“x” value must be a decimal number.", "invalid"),
    (fields.DecimalField(), D("NaN"), "“NaN” value must be a decimal number.", "invalid"),
    (fields.DecimalField(), float("inf"), "“inf” value must be a decimal number.", "invalid"),
    (fields.BooleanField(), None, "“None” value must be either True or False.", "invalid"),
    (fields.BooleanField(), [], "“[]” value must be either True or False.", "invalid"),
    (fields.BooleanField(null=True), 2, "“2” value must be either True, False, or None.", "invalid"),
    (fields.UUIDField(), "x", "“x” is not a valid UUID.", "invalid"),
    (fields.UUIDField(), 1.5, "“1.5” is not a valid UUID.", "invalid"),
    (fields.GenericIPAddressField(), "1:2:3", "Enter a valid IPv6 address.", "invalid"),
    (
        fields.DateField(),
        "1.6.2024",
        "“1.6.2024” value has an invalid date format. It must be in YYYY-MM-DD format.",
        "invalid",
    ),
    (
        fields.DateField(),
        "2024-13-01",
        "“2024-13-01” value has the correct format (YYYY-MM-DD) but it is an invalid date.",
        "invalid_date",
    ),
    (fields.DateField(), 5, "“5” value has an invalid date format. It must be in YYYY-MM-DD format.", "invalid"),
    (
        fields.DateTimeField(),
        "2024-13-01",
        "“2024-13-01” value has the correct format (YYYY-MM-DD) but it is an invalid date.",
        "invalid_date",
    ),
    (
        fields.DateTimeField(),
        "2024-01-01 25:00",
        "“2024-01-01 25:00” value has the correct format (YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ]) "
        "but it is an invalid date/time.",
        "invalid_datetime",
    ),
    (
        fields.DateTimeField(),
        "soon",
        "“soon” value has an invalid format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format.",
        "invalid",
    ),
    (
        fields.TimeField(),
        "25:00",
        "“25:00” value has the correct format (HH:MM[:ss[.uuuuuu]]) but it is an invalid time.",
        "invalid_time",
    ),
    (
        fields.DurationField(),
        "x",
        "“x” value has an invalid format. It must be in [DD] [[HH:]MM:]ss[.uuuuuu] format.",
        "invalid",
    ),
    (fields.BinaryField(), "é", "“é” is not a valid binary value.", "invalid"),
]


@pytest.mark.parametrize(("field", "value", "message", "code"), REFUSED)
def test_to_python_refuses(field: Any, value: Any, message: str, code: str) -> None:
    assert refusal(named(copy.copy(field)).to_python, value) == (message, code)


def test_a_refusal_takes_the_options_words() -> None:
    field = fields.DateField(error_messages={"invalid": "A day, please."})
    assert refusal(field.to_python, "x") == ("A day, please.", "invalid")


@pytest.mark.parametrize("field", [field for field, *_ in CONVERTED if not isinstance(field, fields.BooleanField)])
def test_none_stays_none(field: Any) -> None:
    assert field.to_python(None) is None
    assert field.get_prep_value(None) is None


@pytest.mark.parametrize(
    ("field", "value", "kind", "sentence"),
    [
        (fields.IntegerField(), "x", ValueError, "Field 'x' expected a number but got 'x'."),
        (fields.IntegerField(), [], TypeError, "Field 'x' expected a number but got []."),
        (fields.AutoField(primary_key=True), "", ValueError, "Field 'x' expected a number but got ''."),
        (fields.FloatField(), "x", ValueError, "Field 'x' expected a number but got 'x'."),
        (fields.BinaryField(), "x", TypeError, "Field 'x' expected bytes but got 'x'."),
        (fields.BinaryField(), 5, TypeError, "Field 'x' expected bytes but got 5."),
    ],
)
def test_prepare_names_the_field(field: Any, value: Any, kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind) as caught:
        named(field).get_prep_value(value)
    assert str(caught.value) == sentence


VALUES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (fields.IntegerField(), st.integers() | st.booleans() | st.integers().map(str)),
    (fields.FloatField(), st.floats(allow_nan=False) | st.integers(-(10**9), 10**9)),
    (fields.DecimalField(max_digits=20, decimal_places=3), st.decimals(allow_nan=False, allow_infinity=False)),
    (fields.BooleanField(), st.sampled_from([True, False, 1, 0, "t", "f", "1", "0", None, 1.0])),
    (fields.CharField(max_length=9), st.text() | st.integers()),
    (fields.TextField(), st.text()),
    (fields.UUIDField(), st.uuids() | st.uuids().map(str) | st.uuids().map(int)),
    (fields.GenericIPAddressField(), st.ip_addresses() | st.ip_addresses().map(str)),
    (fields.GenericIPAddressField(unpack_ipv4=True), st.ip_addresses(v=6)),
    (fields.DateField(), st.dates() | st.datetimes() | st.dates().map(str)),
    (fields.DateTimeField(), st.datetimes(timezones=st.just(UTC)) | st.datetimes(timezones=st.just(UTC)).map(str)),
    (fields.TimeField(), st.times() | st.times().map(str)),
    (fields.DurationField(), st.timedeltas()),
    (fields.BinaryField(), st.binary() | st.binary().map(bytearray) | st.binary().map(memoryview)),
    (fields.JSONField(), st.dictionaries(st.text(), st.integers())),
]


@given(st.data())
def test_preparing_twice_is_preparing_once(data: st.DataObject) -> None:
    field, strategy = data.draw(st.sampled_from(VALUES))
    once = field.prepare(data.draw(strategy))
    assert field.prepare(once) == once
    assert once is None or isinstance(field.type, types.JSON) or isinstance(once, field.type.python)


def test_to_python_of_a_subclass_decides_what_queries_bind() -> None:
    class Lower(fields.CharField[str]):
        def to_python(self, value: Any) -> Any:
            return str(value).lower()

    assert Lower(max_length=9).prepare("ABC") == "abc"


def test_members_of_choices_are_prepared_as_plain_values() -> None:
    class Size(enums.TextChoices):
        SMALL = "S"

    assert type(fields.CharField(max_length=1).prepare(Size.SMALL)) is str


# -- moments -----------------------------------------------------------------------------------------------------------


def test_a_naive_moment_is_made_aware_with_a_warning() -> None:
    field = named(fields.DateTimeField(), "at")
    with pytest.warns(
        RuntimeWarning, match=r"DateTimeField \(unbound\) received a naive datetime \(2024-06-01 00:00:00\)"
    ):
        found = field.prepare("2024-06-01")
    assert found == timezones.make_aware(dt.datetime(2024, 6, 1), timezones.get_default_timezone())


def test_the_warning_names_the_model() -> None:
    field = fields.DateTimeField()
    in_model(field, "at")
    with pytest.warns(RuntimeWarning, match=r"DateTimeField Thing\.at received a naive datetime"):
        field.prepare(dt.datetime(2024, 6, 1))


@pytest.mark.parametrize("make", [fields.DateField, fields.DateTimeField, fields.TimeField])
def test_auto_now_and_auto_now_add(make: Any) -> None:
    always, once, never = (named(make(**options)) for options in ({"auto_now": True}, {"auto_now_add": True}, {}))
    for field in (always, once):
        assert (field.editable, field.blank) == (False, True)
    for field, add, changes in ((always, True, True), (always, False, True), (once, True, True), (once, False, False)):
        instance = SimpleNamespace(x=None)
        value = field.pre_save(instance, add)
        assert (value is not None) is changes
        assert instance.x == value
    assert never.pre_save(SimpleNamespace(x=3), True) == 3
    assert isinstance(always.pre_save(SimpleNamespace(), True), always.type.python)


def test_dates_give_a_model_its_neighbours() -> None:
    model = in_model(fields.DateField(), "day")
    assert model().get_next_by_day() == ("day", True)
    assert model().get_previous_by_day() == ("day", False)
    assert not hasattr(in_model(fields.DateField(null=True), "day"), "get_next_by_day")


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (fields.DateField(), dt.date(2024, 6, 1), "2024-06-01"),
        (fields.TimeField(), dt.time(3), "03:00:00"),
        (fields.DateField(), None, ""),
        (fields.DurationField(), dt.timedelta(1, 2), "1 00:00:02"),
        (fields.DurationField(), None, ""),
        (fields.BinaryField(), b"hello", "aGVsbG8="),
        (fields.IntegerField(), 3, "3"),
        (fields.JSONField(), {"a": 1}, {"a": 1}),
    ],
)
def test_value_to_string(field: Any, value: Any, text: Any) -> None:
    assert named(field).value_to_string(SimpleNamespace(x=value)) == text


# -- validation --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "message", "code"),
    [
        (fields.IntegerField(), None, "This field cannot be null.", "null"),
        (fields.CharField(), "", "This field cannot be blank.", "blank"),
        (fields.IntegerField(choices=[(1, "one")]), 2, "Value 2 is not a valid choice.", "invalid_choice"),
        (
            fields.CharField(max_length=2),
            "abc",
            "Ensure this value has at most 2 characters (it has 3).",
            "max_length",
        ),
        (fields.SmallIntegerField(), 40000, "Ensure this value is less than or equal to 32767.", "max_value"),
        (fields.PositiveIntegerField(), -1, "Ensure this value is greater than or equal to 0.", "min_value"),
        (fields.BigIntegerField(), 2**63, f"Ensure this value is less than or equal to {2**63 - 1}.", "max_value"),
        (
            fields.DecimalField(max_digits=3, decimal_places=1),
            "1.23",
            "Ensure that there are no more than 1 decimal place.",
            "max_decimal_places",
        ),
        (
            fields.SlugField(),
            "no slug",
            "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.",
            "invalid",
        ),
        (fields.EmailField(), "x", "Enter a valid email address.", "invalid"),
        (fields.URLField(), "x", "Enter a valid URL.", "invalid"),
        (fields.GenericIPAddressField(protocol="IPv4"), "::1", "Enter a valid IPv4 address.", "invalid"),
        (fields.JSONField(), {1, 2}, "Value must be valid JSON.", "invalid"),
        (
            fields.BinaryField(max_length=1, editable=True),
            b"ab",
            "Ensure this value has at most 1 character (it has 2).",
            "max_length",
        ),
    ],
)
def test_clean_refuses(field: Any, value: Any, message: str, code: str) -> None:
    assert refusal(named(field).clean, value, None) == (message, code)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (fields.CharField(), "any length" * 99),
        (fields.TextField(max_length=2), "abc"),
        (fields.SlugField(allow_unicode=True), "größe"),
        (fields.IntegerField(null=True, blank=True), None),
        (fields.AutoField(primary_key=True), None),
        (fields.BooleanField(), False),
        (fields.JSONField(), [1, None]),
        (fields.CharField(choices={"Group": [("x", "X")]}), "x"),
        (fields.BinaryField(max_length=1), b""),
    ],
)
def test_clean_accepts(field: Any, value: Any) -> None:
    assert named(field).clean(value, None) == value


def test_a_narrower_range_replaces_that_of_the_type() -> None:
    field = fields.IntegerField(validators=[validators.MinValueValidator(1), validators.MaxValueValidator(lambda: 5)])
    assert len(field.validators) == 2
    assert len(fields.IntegerField(validators=[validators.MinValueValidator(-(2**40))]).validators) == 3


def test_a_subclass_may_append_validators() -> None:
    class Even(fields.IntegerField[int]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.validators.append(validators.StepValueValidator(2))

    assert refusal(named(Even()).clean, 3, None)[1] == "step_size"


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
    assert Worded().type == types.Custom("citext")
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
    (convert,) = field.db_converters()
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


def test_no_warning_for_an_aware_moment() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fields.DateTimeField().prepare(dt.datetime(2024, 6, 1, tzinfo=UTC))
