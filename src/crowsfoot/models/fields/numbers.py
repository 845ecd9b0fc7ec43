"""Fields of numbers and of truth."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from crowsfoot import validators
from crowsfoot.errors import ValidationError
from crowsfoot.models.fields.base import Field
from crowsfoot.schema import types

T = TypeVar("T")


class IntegerField(Field[T]):
    """Whole numbers of 4 bytes."""

    empty_strings_allowed = False
    description = "Integer"
    default_error_messages: ClassVar[dict[str, str]] = {"invalid": "“%(value)s” value must be an integer."}
    integer_kind: ClassVar[str] = "integer"
    positive: ClassVar[bool] = False

    def make_type(self) -> types.Type:
        return types.Integer(self.integer_kind, auto=self.is_identity, positive=self.positive)

    @property
    def validators(self) -> list[Any]:
        found = super().validators
        kind = self.type
        assert isinstance(kind, types.Integer)
        low, high = kind.range
        return [*found, validators.MinValueValidator(low), validators.MaxValueValidator(high)]

    def to_python(self, value: Any) -> Any:
        if value is None:
            return None
        try:
            return int(value)
        except (TypeError, ValueError):
            raise ValidationError(
                self.error_messages["invalid"], code="invalid", params={"value": value}
            ) from None


class BigIntegerField(IntegerField[T]):
    """Whole numbers of 8 bytes."""

    description = "Big (8 byte) integer"
    integer_kind = "bigint"


class SmallIntegerField(IntegerField[T]):
    """Whole numbers of 2 bytes."""

    description = "Small integer"
    integer_kind = "smallint"


class PositiveIntegerField(IntegerField[T]):
    description = "Positive integer"
    positive = True


class PositiveBigIntegerField(BigIntegerField[T]):
    description = "Positive big integer"
    positive = True


class PositiveSmallIntegerField(SmallIntegerField[T]):
    description = "Positive small integer"
    positive = True


class AutoField(IntegerField[T]):
    """The primary key that the database numbers by itself."""

    db_returning = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["blank"] = True
        super().__init__(*args, **kwargs)

    @property
    def is_identity(self) -> bool:
        return True

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["blank"]
        kwargs["primary_key"] = True
        return name, path, args, kwargs

    def validate(self, value: Any, model_instance: Any) -> None:
        pass


class BigAutoField(AutoField[T], BigIntegerField[T]):
    pass


class SmallAutoField(AutoField[T], SmallIntegerField[T]):
    pass


class FloatField(Field[T]):
    empty_strings_allowed = False
    description = "Floating point number"

    def make_type(self) -> types.Type:
        return types.Float()


class DecimalField(Field[T]):
    empty_strings_allowed = False
    description = "Decimal number"

    def __init__(
        self, verbose_name: Any = None, name: Any = None, max_digits: Any = None, decimal_places: Any = None, **kwargs: Any
    ) -> None:
        self.max_digits = max_digits
        self.decimal_places = decimal_places
        super().__init__(verbose_name, name, **kwargs)

    def make_type(self) -> types.Type:
        return types.Decimal(self.max_digits, self.decimal_places)


class BooleanField(Field[T]):
    empty_strings_allowed = False
    description = "Boolean (Either True or False)"

    def make_type(self) -> types.Type:
        return types.Boolean()
