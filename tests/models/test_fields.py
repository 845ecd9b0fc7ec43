"""Fields alone: what they convert and refuse. No database and no model."""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import uuid
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
from field_helpers import in_model, named, refusal
from hypothesis import given
from hypothesis import strategies as st

from crowsfoot import enums, timezones, validators
from crowsfoot.models import fields
from crowsfoot.schema import types

UTC = dt.UTC
D = decimal.Decimal


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


def test_no_warning_for_an_aware_moment() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fields.DateTimeField().prepare(dt.datetime(2024, 6, 1, tzinfo=UTC))


def test_a_naive_moment_that_an_expression_is_compared_with_is_made_aware_with_a_warning() -> None:
    with pytest.warns(RuntimeWarning, match=r"DateTimeField \(unbound\) received a naive datetime"):
        found = types.DateTime().prepare(dt.date(2024, 6, 1))
    assert found == timezones.make_aware(dt.datetime(2024, 6, 1), timezones.get_default_timezone())
