"""Fields that Django removed long ago and that old migrations still name. Migrations run with them; models may not use
them, as ``check`` says."""

from __future__ import annotations

from typing import Any

from crowsfoot.models.fields.numbers import BooleanField
from crowsfoot.models.fields.text import CharField, GenericIPAddressField


class _Removed:
    instead: str

    def check(self, **kwargs: Any) -> list[str]:
        name = type(self).__name__
        return [f"{self}: {name} has been removed except for support in historical migrations. Use {self.instead}."]


class IPAddressField(_Removed, GenericIPAddressField[Any]):
    """An IPv4 address, as migrations of old have it."""

    instead = "GenericIPAddressField()"

    def __init__(self, verbose_name: str | None = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(verbose_name, name, "IPv4", **kwargs)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("protocol")
        return name, path, args, kwargs


class CommaSeparatedIntegerField(_Removed, CharField[Any]):
    """Whole numbers with commas between them, as migrations of old have it."""

    instead = "CharField(validators=[validate_comma_separated_integer_list])"


class NullBooleanField(_Removed, BooleanField[Any]):
    """True, False or None, as migrations of old have it."""

    instead = "BooleanField(null=True, blank=True)"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(null=True, blank=True)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["null"], kwargs["blank"]
        return name, path, args, kwargs
