# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers make of fields: the type of a path on the class, of the value on an instance, and of options."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any, assert_type

from crowsfoot.files import ContentFile
from crowsfoot.models.fields import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    BinaryField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    EmailField,
    FloatField,
    GeneratedField,
    GenericIPAddressField,
    IntegerField,
    JSONField,
    PositiveBigIntegerField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    SlugField,
    SmallAutoField,
    SmallIntegerField,
    TextField,
    TimeField,
    URLField,
    UUIDField,
)
from crowsfoot.models.fields.files import FieldFile, FileField, ImageField
from crowsfoot.models.typed import FieldPath
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F, OrderBy


class Keys:
    auto = AutoField(primary_key=True)
    big = BigAutoField("the number", primary_key=True)
    small = SmallAutoField(primary_key=True)


class Numbers:
    integer = IntegerField(default=0)
    big = BigIntegerField(unique=True)
    small = SmallIntegerField(null=False)
    positive = PositiveIntegerField(default=int)
    positive_big = PositiveBigIntegerField(db_index=True)
    positive_small = PositiveSmallIntegerField(choices=[(1, "one")])
    float = FloatField(default=0)
    decimal = DecimalField(max_digits=9, decimal_places=2, default=0)
    boolean = BooleanField(default=False)


class PerhapsNumbers:
    integer = IntegerField(null=True, blank=True)
    big = BigIntegerField(null=True, default=None)
    small = SmallIntegerField(null=True)
    positive = PositiveIntegerField(null=True)
    positive_big = PositiveBigIntegerField(null=True)
    positive_small = PositiveSmallIntegerField(null=True)
    float = FloatField(null=True)
    decimal = DecimalField("price", null=True, max_digits=9, decimal_places=2)
    boolean = BooleanField(null=True)


class Texts:
    char = CharField("title", max_length=100, help_text="…", default="")
    text = TextField(db_collation="nocase", default=str)
    slug = SlugField(allow_unicode=True)
    email = EmailField(unique=True)
    url = URLField(validators=[], error_messages={"invalid": "No."})
    address = GenericIPAddressField(protocol="IPv4")
    uuid = UUIDField(default=uuid.uuid4, editable=False)


class PerhapsTexts:
    char = CharField(max_length=100, null=True)
    text = TextField(null=True, default=None)
    slug = SlugField(null=True)
    email = EmailField(null=True)
    url = URLField(null=True)
    address = GenericIPAddressField(null=True)
    uuid = UUIDField(null=True)


class Moments:
    date = DateField(auto_now_add=True)
    moment = DateTimeField(auto_now=True)
    time = TimeField(default=datetime.time(12))
    duration = DurationField(default=datetime.timedelta)


class PerhapsMoments:
    date = DateField(null=True)
    moment = DateTimeField(null=True, unique_for_date="date")
    time = TimeField(null=True)
    duration = DurationField(null=True)


class Others:
    binary = BinaryField(max_length=3, default=b"")
    json = JSONField(default=dict)
    names: JSONField[list[str]] = JSONField(default=list)
    total = GeneratedField(expression=F("a") + F("b"), output_field=IntegerField(), db_persist=True)


class PerhapsOthers:
    binary = BinaryField(null=True)
    total = GeneratedField(expression=F("a") + F("b"), output_field=IntegerField(null=True), db_persist=False)


def of_instances(keys: Keys, numbers: Numbers, texts: Texts, moments: Moments, others: Others) -> None:
    assert_type(keys.auto, int)
    assert_type(keys.big, int)
    assert_type(keys.small, int)
    assert_type(numbers.integer, int)
    assert_type(numbers.big, int)
    assert_type(numbers.small, int)
    assert_type(numbers.positive, int)
    assert_type(numbers.positive_big, int)
    assert_type(numbers.positive_small, int)
    assert_type(numbers.float, float)
    assert_type(numbers.decimal, decimal.Decimal)
    assert_type(numbers.boolean, bool)
    assert_type(texts.char, str)
    assert_type(texts.text, str)
    assert_type(texts.slug, str)
    assert_type(texts.email, str)
    assert_type(texts.url, str)
    assert_type(texts.address, str)
    assert_type(texts.uuid, uuid.UUID)
    assert_type(moments.date, datetime.date)
    assert_type(moments.moment, datetime.datetime)
    assert_type(moments.time, datetime.time)
    assert_type(moments.duration, datetime.timedelta)
    assert_type(others.binary, bytes)
    assert_type(others.json, Any)
    assert_type(others.names, list[str])
    assert_type(others.total, int)


def of_instances_that_may_have_none(
    numbers: PerhapsNumbers, texts: PerhapsTexts, moments: PerhapsMoments, others: PerhapsOthers
) -> None:
    assert_type(numbers.integer, int | None)
    assert_type(numbers.big, int | None)
    assert_type(numbers.small, int | None)
    assert_type(numbers.positive, int | None)
    assert_type(numbers.positive_big, int | None)
    assert_type(numbers.positive_small, int | None)
    assert_type(numbers.float, float | None)
    assert_type(numbers.decimal, decimal.Decimal | None)
    assert_type(numbers.boolean, bool | None)
    assert_type(texts.char, str | None)
    assert_type(texts.text, str | None)
    assert_type(texts.slug, str | None)
    assert_type(texts.email, str | None)
    assert_type(texts.url, str | None)
    assert_type(texts.address, str | None)
    assert_type(texts.uuid, uuid.UUID | None)
    assert_type(moments.date, datetime.date | None)
    assert_type(moments.moment, datetime.datetime | None)
    assert_type(moments.time, datetime.time | None)
    assert_type(moments.duration, datetime.timedelta | None)
    assert_type(others.binary, bytes | None)
    assert_type(others.total, int | None)


def of_classes() -> None:
    assert_type(Texts.char, FieldPath[str])
    assert_type(PerhapsTexts.char, FieldPath[str | None])
    assert_type(Keys.auto, FieldPath[int])
    assert_type(Texts.char == "x", Q)
    assert_type(Numbers.integer >= 3, Q)
    assert_type(Texts.char.startswith("x") & Numbers.integer.in_([1, 2]), Q)
    assert_type(Moments.moment.desc(), OrderBy)
    assert_type(PerhapsTexts.char.icontains("x"), Q)


def assignments(keys: Keys, numbers: Numbers, perhaps: PerhapsNumbers) -> None:
    keys.auto = 3
    keys.big = None  # so that the next save makes a new row
    numbers.integer = F("integer") + 1
    perhaps.integer = None
    numbers.integer = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    numbers.integer = "3"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]


class Files:
    file = FileField(upload_to="files")
    image = ImageField(null=True, width_field="width")


def files(instance: Files) -> None:
    assert_type(Files.file, FieldPath[str])
    assert_type(Files.file == "a.txt", Q)
    assert_type(instance.file, FieldFile)
    assert_type(instance.image, FieldFile)
    assert_type(instance.file.url, str)
    instance.file = ContentFile("text", name="a.txt")
    instance.image = None
    instance.file = 3  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]


class OfOnesOwn(CharField[str]):
    """A custom field, written as Django's documentation does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = 7
        super().__init__(*args, **kwargs)


class WithOnesOwn:
    code = OfOnesOwn()


def of_ones_own(instance: WithOnesOwn) -> None:
    assert_type(instance.code, str)


def mistakes() -> None:
    CharField(max_length="3")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    CharField(default=3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    CharField(max_lenght=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    AutoField(auto=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
