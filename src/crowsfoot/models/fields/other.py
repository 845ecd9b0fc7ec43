"""Fields of bytes and of JSON, and of what the database computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from crowsfoot.models.fields.base import Field
from crowsfoot.schema import types
from crowsfoot.schema.table import Column, Generated

T = TypeVar("T")


class BinaryField(Field[T]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def make_type(self) -> types.Type:
        return types.Binary()


class JSONField(Field[T]):
    empty_strings_allowed = False

    def __init__(
        self, verbose_name: Any = None, name: Any = None, encoder: Any = None, decoder: Any = None, **kwargs: Any
    ) -> None:
        self.encoder, self.decoder = encoder, decoder
        super().__init__(verbose_name, name, **kwargs)

    def make_type(self) -> types.Type:
        return types.JSON(self.encoder, self.decoder)


class GeneratedField(Field[T]):
    generated = True
    db_returning = True

    def __init__(self, *, expression: Any, output_field: Any, db_persist: bool, **kwargs: Any) -> None:
        self.expression, self.output_field, self.db_persist = expression, output_field, db_persist
        kwargs["editable"] = False
        kwargs["blank"] = True
        super().__init__(**kwargs)

    def make_type(self) -> types.Type:
        found: types.Type = self.output_field.type
        return found

    def make_column(self) -> Column:
        return replace(super().make_column(), generated=Generated(self.expression, self.db_persist))
