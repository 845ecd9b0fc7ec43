"""Fields of numbers and of truth."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, Unpack, overload

from crowsfoot import validators
from crowsfoot.errors import ValidationError
from crowsfoot.models.fields.conversion import ConvertedField, TypedField
from crowsfoot.models.fields.keywords import FieldOptions
from crowsfoot.query.expressions import Combinable
from crowsfoot.schema import types

T = TypeVar("T")

_Number = decimal.Decimal | float | str
"""What the default of a ``DecimalField`` can be written as."""


class IntegerField(TypedField[T]):
    """Whole numbers from -2147483648 to 2147483647; with ``null=True`` also None.

    Strings of digits are read. Raises ``ValidationError`` for what is no whole number or out of the type's range.
    """

    description = "Integer"
    internal_type: ClassVar[str | None] = "IntegerField"
    default_error_messages: ClassVar[dict[str, str]] = {"invalid": "“%(value)s” value must be an integer."}

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: IntegerField[int],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[int]],
        ) -> None: ...
        @overload
        def __init__(
            self: IntegerField[int | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions[int | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    @cached_property
    def validators(self) -> list[Callable[[Any], None]]:
        """Those of the options, and the range of the type where they are wider than that."""
        found = list(super().validators)
        if isinstance(self.type, types.Integer):
            low, high = self.type.range
            if not any(limit >= low for limit in _limits(found, validators.MinValueValidator)):
                found.append(validators.MinValueValidator(low))
            if not any(limit <= high for limit in _limits(found, validators.MaxValueValidator)):
                found.append(validators.MaxValueValidator(high))
        return found

    def check_warnings(self) -> list[str]:
        found = super().check_warnings()
        if self.max_length is not None:
            found.append(f"{self}: 'max_length' is ignored by {type(self).__name__}. Remove it.")
        return found


def _limits(found: list[Callable[[Any], None]], kind: type[validators.BaseValidator]) -> Iterator[Any]:
    for validator in found:
        if isinstance(validator, kind):
            limit = validator.limit_value
            yield limit() if callable(limit) else limit


class BigIntegerField(IntegerField[T]):
    """Whole numbers of 8 bytes; otherwise as ``IntegerField``."""

    description = "Big (8 byte) integer"
    internal_type = "BigIntegerField"
    MAX_BIGINT: ClassVar[int] = 2**63 - 1

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: BigIntegerField[int],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[int]],
        ) -> None: ...
        @overload
        def __init__(
            self: BigIntegerField[int | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions[int | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...


class SmallIntegerField(IntegerField[T]):
    """Whole numbers from -32768 to 32767; otherwise as ``IntegerField``."""

    description = "Small integer"
    internal_type = "SmallIntegerField"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: SmallIntegerField[int],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[int]],
        ) -> None: ...
        @overload
        def __init__(
            self: SmallIntegerField[int | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions[int | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...


class PositiveIntegerField(IntegerField[T]):
    """Whole numbers from 0 to 2147483647; otherwise as ``IntegerField``."""

    description = "Positive integer"
    internal_type = "PositiveIntegerField"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: PositiveIntegerField[int],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[int]],
        ) -> None: ...
        @overload
        def __init__(
            self: PositiveIntegerField[int | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions[int | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...


class PositiveBigIntegerField(BigIntegerField[T]):
    """Whole numbers from 0 to 9223372036854775807; otherwise as ``IntegerField``."""

    description = "Positive big integer"
    internal_type = "PositiveBigIntegerField"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: PositiveBigIntegerField[int],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[int]],
        ) -> None: ...
        @overload
        def __init__(
            self: PositiveBigIntegerField[int | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions[int | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...


class PositiveSmallIntegerField(SmallIntegerField[T]):
    """Whole numbers from 0 to 32767; otherwise as ``IntegerField``."""

    description = "Positive small integer"
    internal_type = "PositiveSmallIntegerField"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: PositiveSmallIntegerField[int],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[int]],
        ) -> None: ...
        @overload
        def __init__(
            self: PositiveSmallIntegerField[int | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions[int | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...


class AutoField(IntegerField[int]):
    """The primary key that the database numbers by itself, in 4 bytes. It is None until the instance is saved.

    Raises ``ValueError`` for the second of one model.
    """

    internal_type = "AutoField"

    def __init__(
        self, verbose_name: str | None = None, name: str | None = None, **options: Unpack[FieldOptions[int]]
    ) -> None:
        every: dict[str, Any] = {**options, "blank": True}
        super().__init__(verbose_name, name, **every)

    if TYPE_CHECKING:

        def __set__(self, instance: Any, value: int | Combinable | None) -> None: ...

    @property
    def db_returning(self) -> bool:
        return True

    @property
    def is_identity(self) -> bool:
        return True

    def validate(self, value: Any, model_instance: Any) -> None:
        """Nothing: before the first save there is no value to validate."""

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        other = getattr(cls._meta, "auto_field", None)
        if other is not None:
            raise ValueError(
                f"Model {cls._meta.label} can't have more than one auto-generated field: {other.name!r} is one already."
            )
        super().contribute_to_class(cls, name, private_only)
        cls._meta.auto_field = self

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["blank"]
        kwargs["primary_key"] = True
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[str]:
        found = super().check(**kwargs)
        if not self.primary_key:
            found.append(f"{self}: an {type(self).__name__} must be the primary key. Write primary_key=True.")
        return found


class BigAutoField(AutoField, BigIntegerField[int]):
    """The primary key that the database numbers by itself, in 8 bytes."""

    internal_type = "BigAutoField"


class SmallAutoField(AutoField, SmallIntegerField[int]):
    """The primary key that the database numbers by itself, in 2 bytes."""

    internal_type = "SmallAutoField"


class FloatField(TypedField[T]):
    """Floating-point numbers of 8 bytes. Raises ``ValidationError`` for what is no number."""

    description = "Floating point number"
    internal_type = "FloatField"
    default_error_messages: ClassVar[dict[str, str]] = {"invalid": "“%(value)s” value must be a float."}

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: FloatField[float],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[float]],
        ) -> None: ...
        @overload
        def __init__(
            self: FloatField[float | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions[float | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...


class DecimalField(ConvertedField[T]):
    """Exact numbers of at most ``max_digits`` digits, ``decimal_places`` of them after the point.

    The two go together; without both, any number of digits is kept as the database keeps it. Strings, integers and
    floats are read. Raises ``ValidationError`` for what is no finite number or has too many digits.
    """

    description = "Decimal number"
    internal_type = "DecimalField"
    default_error_messages: ClassVar[dict[str, str]] = {"invalid": "“%(value)s” value must be a decimal number."}

    @overload
    def __init__(
        self: DecimalField[decimal.Decimal],
        verbose_name: str | None = None,
        name: str | None = None,
        max_digits: int | None = None,
        decimal_places: int | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[_Number]],
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalField[decimal.Decimal | None],
        verbose_name: str | None = None,
        name: str | None = None,
        max_digits: int | None = None,
        decimal_places: int | None = None,
        *,
        null: bool,
        **options: Unpack[FieldOptions[_Number | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        name: str | None = None,
        max_digits: int | None = None,
        decimal_places: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.max_digits = max_digits
        self.decimal_places = decimal_places
        super().__init__(verbose_name, name, **kwargs)

    @cached_property
    def context(self) -> decimal.Context:
        """The precision with which floats become decimals."""
        return decimal.Context(prec=self.max_digits)

    @cached_property
    def validators(self) -> list[Callable[[Any], None]]:
        return [*super().validators, validators.DecimalValidator(self.max_digits, self.decimal_places)]

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        if found is not None and not found.is_finite():
            raise self.refusal(value)
        return found

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if self.max_digits is not None:
            kwargs["max_digits"] = self.max_digits
        if self.decimal_places is not None:
            kwargs["decimal_places"] = self.decimal_places
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[str]:
        return [*super().check(**kwargs), *self._check_digits()]

    def _check_digits(self) -> Iterator[str]:
        digits, places = _count(self.max_digits, 1), _count(self.decimal_places, 0)
        if digits is False:
            yield f"{self}: 'max_digits' must be a positive integer, not {self.max_digits!r}."
        if places is False:
            yield f"{self}: 'decimal_places' must be a non-negative integer, not {self.decimal_places!r}."
        if digits is False or places is False:
            return
        if (digits is None) is not (places is None):
            missing = "max_digits" if digits is None else "decimal_places"
            yield f"{self}: max_digits and decimal_places must both be given or both left out. Write {missing}=… too."
        elif digits is not None and places is not None and places > digits:
            yield (
                f"{self}: 'max_digits' must be greater or equal to 'decimal_places', which it counts too. "
                f"Write max_digits={places} or more."
            )


def _count(value: Any, least: int) -> int | Literal[False] | None:
    """``value`` as a number not below ``least``; False where it is none, None for None."""
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        return False
    return number if number >= least else False


class BooleanField(ConvertedField[T]):
    """True or False; with ``null=True`` also None.

    The strings "t", "True", "1" and "f", "False", "0" are read. Raises ``ValidationError`` for anything else.
    """

    description = "Boolean (Either True or False)"
    internal_type = "BooleanField"
    default_error_messages: ClassVar[dict[str, str]] = {
        "invalid": "“%(value)s” value must be either True or False.",
        "invalid_nullable": "“%(value)s” value must be either True, False, or None.",
    }

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: BooleanField[bool],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[bool]],
        ) -> None: ...
        @overload
        def __init__(
            self: BooleanField[bool | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions[bool | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def to_python(self, value: Any) -> Any:
        if value is True or value is False:
            return value
        if self.null and value in self.empty_values:
            return None
        if value in (True, False):
            return bool(value)
        try:
            return types.Boolean.words[value]
        except (KeyError, TypeError):
            code = "invalid_nullable" if self.null else "invalid"
            raise ValidationError(self.error_messages[code], code="invalid", params={"value": value}) from None

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else super().get_prep_value(value)
