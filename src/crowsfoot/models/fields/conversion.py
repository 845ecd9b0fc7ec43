"""Fields whose values are converted by their logical type, with the field's own words where that refuses."""

from __future__ import annotations

from typing import Any, TypeVar

from crowsfoot.errors import ValidationError
from crowsfoot.functional import evaluated
from crowsfoot.models.fields.base import Field

T = TypeVar("T")


class TypedField(Field[T]):
    """A field whose ``to_python`` is its logical type's ``prepare``."""

    empty_strings_allowed = False

    def to_python(self, value: Any) -> Any:
        try:
            return self.type.prepare(value)
        except ValidationError as error:
            raise self.refusal(value, getattr(error, "code", "invalid")) from None
        except (TypeError, ValueError, OverflowError):
            raise self.refusal(value) from None

    def refusal(self, value: Any, code: str = "invalid") -> ValidationError:
        """The error that says why ``value`` is none for this field."""
        if code not in self.error_messages:
            code = "invalid"
        return ValidationError(self.error_messages[code], code=code, params={"value": value})


class ConvertedField(TypedField[T]):
    """A field that prepares a value for a query the way it converts one for validation.

    So a subclass that overrides ``to_python`` decides both, as in Django.
    """

    def get_prep_value(self, value: Any) -> Any:
        return self.type.prepare(self.to_python(evaluated(value)))
