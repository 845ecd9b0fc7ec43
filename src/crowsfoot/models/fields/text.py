"""Fields of character strings, and of what is written as one."""

from __future__ import annotations

from typing import Any, TypeVar

from crowsfoot.models.fields.base import Field
from crowsfoot.schema import types

T = TypeVar("T")


class CharField(Field[T]):
    def __init__(self, *args: Any, db_collation: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.db_collation = db_collation

    def make_type(self) -> types.Type:
        return types.Text(self.max_length, self.db_collation)


class TextField(Field[T]):
    def __init__(self, *args: Any, db_collation: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.db_collation = db_collation

    def make_type(self) -> types.Type:
        return types.Text(None, self.db_collation)


class SlugField(CharField[T]):
    def __init__(
        self, *args: Any, max_length: int = 50, db_index: bool = True, allow_unicode: bool = False, **kwargs: Any
    ) -> None:
        self.allow_unicode = allow_unicode
        super().__init__(*args, max_length=max_length, db_index=db_index, **kwargs)


class EmailField(CharField[T]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 254)
        super().__init__(*args, **kwargs)


class URLField(CharField[T]):
    def __init__(self, verbose_name: Any = None, name: Any = None, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 200)
        super().__init__(verbose_name, name, **kwargs)


class GenericIPAddressField(Field[T]):
    empty_strings_allowed = False

    def __init__(
        self, verbose_name: Any = None, name: Any = None, protocol: str = "both", unpack_ipv4: bool = False, **kwargs: Any
    ) -> None:
        self.protocol = protocol
        self.unpack_ipv4 = unpack_ipv4
        kwargs["max_length"] = 39
        super().__init__(verbose_name, name, **kwargs)

    def make_type(self) -> types.Type:
        return types.Inet()


class UUIDField(Field[T]):
    empty_strings_allowed = False

    def __init__(self, verbose_name: Any = None, **kwargs: Any) -> None:
        kwargs["max_length"] = 32
        super().__init__(verbose_name, **kwargs)

    def make_type(self) -> types.Type:
        return types.UUID()
