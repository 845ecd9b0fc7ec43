"""Fields of bytes and of JSON, and of what the database computes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from crowsfoot import validators
from crowsfoot.errors import ValidationError
from crowsfoot.models.fields.base import NOT_PROVIDED, Field
from crowsfoot.models.fields.checks import check_length
from crowsfoot.models.fields.keywords import BinaryOptions, ComputedOptions, FieldOptions
from crowsfoot.query.resolved import Col
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import Query
from crowsfoot.schema import types
from crowsfoot.schema.table import Column, Generated

T = TypeVar("T")


class BinaryField(Field[T]):
    """Bytes, at most ``max_length`` of them where that is given. Not editable unless ``editable=True``.

    For validation a string is read as base64. Raises ``ValidationError`` for a string that is none.
    """

    description = "Raw binary data"
    internal_type = "BinaryField"
    empty_values: ClassVar[list[Any]] = [None, b""]
    default_error_messages: ClassVar[dict[str, str]] = {"invalid": "“%(value)s” is not a valid binary value."}

    @overload
    def __init__(
        self: BinaryField[bytes],
        verbose_name: str | None = None,
        name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[BinaryOptions[bytes]],
    ) -> None: ...
    @overload
    def __init__(
        self: BinaryField[bytes | None],
        verbose_name: str | None = None,
        name: str | None = None,
        *,
        null: bool,
        **options: Unpack[BinaryOptions[bytes | None]],
    ) -> None: ...
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)
        if self.max_length is not None:
            self.validators.append(validators.MaxLengthValidator(self.max_length))

    def get_default(self) -> Any:
        if self.has_default() or self.has_db_default() or self.null:
            return super().get_default()
        return b""

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return base64.b64decode(value.encode("ascii"), validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": value}) from None

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, int):  # of which bytes() would make so many zeros
            raise TypeError(f"Field {self.name!r} expected {self.type.expected} but got {value!r}.")
        return super().get_prep_value(value)

    def value_to_string(self, obj: Any) -> str:
        return base64.b64encode(self.value_from_object(obj)).decode("ascii")

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if self.editable:
            kwargs["editable"] = True
        else:
            del kwargs["editable"]
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[str]:
        found = [*super().check(**kwargs), *check_length(self)]
        if isinstance(self.default, str):
            found.append(f"{self}: the default must be bytes, not a string. Write default=b{self.default!r}.")
        return found


class JSONField(Field[T]):
    """Anything that JSON can hold: dicts with strings as keys, lists, strings, numbers, True, False and None.

    None itself is stored as NULL; ``Value(None, JSONField())`` is JSON's null. ``encoder`` and ``decoder`` are classes
    as the standard ``json`` takes them. Raises ``ValidationError`` for what the encoder refuses, and ``ValueError`` for
    an encoder or a decoder that is no class.
    """

    empty_strings_allowed = False
    description = "A JSON object"
    internal_type = "JSONField"
    default_error_messages: ClassVar[dict[str, str]] = {"invalid": "Value must be valid JSON."}

    def __init__(
        self: JSONField[Any],
        verbose_name: str | None = None,
        name: str | None = None,
        encoder: type[json.JSONEncoder] | None = None,
        decoder: type[json.JSONDecoder] | None = None,
        *,
        null: bool = False,
        **options: Unpack[FieldOptions[Any]],
    ) -> None:
        for what, given in (("encoder", encoder), ("decoder", decoder)):
            if given and not callable(given):
                raise ValueError(f"The {what} parameter must be a callable object.")
        self.encoder = encoder
        self.decoder = decoder
        super().__init__(verbose_name, name, null=null, **options)

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        try:
            json.dumps(value, cls=self.encoder)
        except (TypeError, ValueError, RecursionError):
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": value}) from None

    def value_to_string(self, obj: Any) -> Any:
        return self.value_from_object(obj)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if self.encoder is not None:
            kwargs["encoder"] = self.encoder
        if self.decoder is not None:
            kwargs["decoder"] = self.decoder
        return name, path, args, kwargs

    def check_warnings(self) -> list[str]:
        found = super().check_warnings()
        if self.has_default() and self.default is not None and not callable(self.default):
            found.append(
                f"{self}: all instances would share the default {self.default!r}. "
                "Write a function that makes one, such as default=dict."
            )
        return found


class GeneratedField(Field[T]):
    """A column that the database computes from others of its row; it is read after each save and never written.

    ``expression`` is computed, ``output_field`` is a field of the type it has, and ``db_persist`` says whether the
    value is stored or computed when it is read. Raises ``ValueError`` for an option that contradicts this.
    """

    generated = True

    def __init__(
        self,
        *,
        expression: Any,
        output_field: Field[T],
        db_persist: bool,
        verbose_name: str | None = None,
        **options: Unpack[ComputedOptions],
    ) -> None:
        kwargs: dict[str, Any] = {"editable": False, "blank": True, **options}
        if kwargs["editable"]:
            raise ValueError("GeneratedField cannot be editable.")
        if not kwargs["blank"]:
            raise ValueError("GeneratedField must be blank.")
        if kwargs.get("default", NOT_PROVIDED) is not NOT_PROVIDED:
            raise ValueError("GeneratedField cannot have a default.")
        if kwargs.get("db_default", NOT_PROVIDED) is not NOT_PROVIDED:
            raise ValueError("GeneratedField cannot have a database default.")
        if db_persist not in (True, False):
            raise ValueError("GeneratedField.db_persist must be True or False.")
        self.expression = expression
        self.output_field: Field[T] = output_field
        self.db_persist = db_persist
        super().__init__(verbose_name, **kwargs)

    # -- all that concerns the value is the output field's -------------------------------------------------------------

    def get_internal_type(self) -> str:
        return self.output_field.get_internal_type()

    def db_type(self, connection: Any) -> str | None:
        return self.output_field.db_type(connection)

    def db_type_parameters(self, connection: Any) -> dict[str, Any]:
        return self.output_field.db_type_parameters(connection)

    @property
    def value_field(self) -> Field[Any]:
        return self.output_field

    @property
    def collation(self) -> str | None:
        return self.output_field.collation

    def make_type(self) -> types.Type:
        return self.output_field.type

    def get_lookup(self, name: str) -> Any:
        found = self.find_own(name)
        return super().get_lookup(name) if found is not None else self.output_field.get_lookup(name)

    def get_transform(self, name: str) -> Any:
        found = self.find_own(name)
        return super().get_transform(name) if found is not None else self.output_field.get_transform(name)

    def to_python(self, value: Any) -> Any:
        return self.output_field.to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        return self.output_field.get_prep_value(value)

    def db_binder(self, connection: Any) -> Callable[[Any], Any] | None:
        return self.output_field.db_binder(connection)

    def db_converters(self, connection: Any, expression: Any = None) -> list[types.Converter]:
        return self.output_field.db_converters(connection, expression)

    def get_default(self) -> Any:
        """None: there is no value before the database has computed it."""
        return None

    @cached_property
    def referenced_columns(self) -> frozenset[str]:
        """The columns of its table that the expression reads."""
        node = self.expression.resolve_expression(Scope(Query(self.model._meta.entity)), allow_joins=False)
        found: set[str] = set()
        for part in node.flatten():
            if isinstance(part, Col):
                found.update(part.ends[0].local_columns if part.ends else (part.attribute.column.name,))
        return frozenset(found)

    # -- the column ----------------------------------------------------------------------------------------------------

    @property
    def db_returning(self) -> bool:
        return True

    def set_attributes_from_name(self, name: str) -> None:
        super().set_attributes_from_name(name)
        if getattr(self.output_field, "name", None) is None:
            self.output_field.name = self.name  # for its error messages

    def make_column(self) -> Column:
        return replace(super().make_column(), generated=Generated(self.expression, bool(self.db_persist)))

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["blank"], kwargs["editable"]
        kwargs.update(db_persist=self.db_persist, expression=self.expression, output_field=self.output_field)
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[str]:
        found = super().check(**kwargs)
        output = self.output_field.clone()
        inner = output.check(**kwargs)
        return [*found, *(f"{self}: its output_field has a mistake: {sentence}" for sentence in inner)]
