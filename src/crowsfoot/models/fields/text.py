"""Fields of character strings, and of what is written as one."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, Unpack, overload

from crowsfoot import validators
from crowsfoot.errors import ValidationError
from crowsfoot.models.fields.base import Field
from crowsfoot.models.fields.checks import check_length
from crowsfoot.models.fields.conversion import ConvertedField
from crowsfoot.models.fields.keywords import FieldOptions, PathOptions, SlugOptions, TextOptions
from crowsfoot.schema.types import Unless

T = TypeVar("T")


class _StringField(Field[T]):
    """What the fields of text share: any value is kept as ``str(value)``."""

    usual_length: ClassVar[int | None] = None
    """The ``max_length`` of a field that is given none."""
    limits_length: ClassVar[bool] = True
    """Whether ``max_length`` is validated."""

    def __init__(self, *args: Any, db_collation: str | None = None, **kwargs: Any) -> None:
        if self.usual_length is not None:
            kwargs.setdefault("max_length", self.usual_length)
        super().__init__(*args, **kwargs)
        self.db_collation = db_collation
        if self.max_length is None:
            self.description = self.description.replace("up to %(max_length)s", "unlimited")
        if self.limits_length and self.max_length is not None:
            self.validators.append(validators.MaxLengthValidator(self.max_length))

    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else str(value)

    def get_prep_value(self, value: Any) -> Any:
        return self.type.prepare(self.to_python(value))

    @property
    def preparer(self) -> Callable[[Any], Any]:
        kind, ours = type(self), _StringField
        methods = (kind.prepare, kind.get_prep_value, kind.to_python)
        if methods != (Field.prepare, ours.get_prep_value, ours.to_python):
            return self.prepare
        preparer = self.type.preparer
        return Unless(preparer.plain, self.prepare) if isinstance(preparer, Unless) else self.prepare

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if self.db_collation:
            kwargs["db_collation"] = self.db_collation
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[str]:
        return [*super().check(**kwargs), *(check_length(self) if self.limits_length else [])]


class CharField(_StringField[T]):
    """Text of at most ``max_length`` characters; of any length without one.

    Other values become their ``str()``. Raises ``ValidationError`` for text that is too long.
    """

    description = "String (up to %(max_length)s)"
    internal_type: ClassVar[str | None] = "CharField"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: CharField[str],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[TextOptions[str]],
        ) -> None: ...
        @overload
        def __init__(
            self: CharField[str | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[TextOptions[str | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...


class TextField(_StringField[T]):
    """Text of any length. ``max_length`` is for forms; it is neither validated nor in the schema."""

    description = "Text"
    internal_type = "TextField"
    limits_length = False

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: TextField[str],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[TextOptions[str]],
        ) -> None: ...
        @overload
        def __init__(
            self: TextField[str | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[TextOptions[str | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...


class SlugField(CharField[T]):
    """A label of letters, digits, underscores and hyphens, as addresses have them: indexed, at most 50 characters.

    ``allow_unicode`` allows letters beyond ASCII. Raises ``ValidationError`` for other text.
    """

    description = "Slug (up to %(max_length)s)"
    internal_type = "SlugField"
    usual_length = 50
    default_validators: Sequence[Callable[[Any], None]] = [validators.validate_slug]

    @overload
    def __init__(
        self: SlugField[str],
        verbose_name: str | None = None,
        name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[SlugOptions[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: SlugField[str | None],
        verbose_name: str | None = None,
        name: str | None = None,
        *,
        null: bool,
        **options: Unpack[SlugOptions[str | None]],
    ) -> None: ...
    def __init__(self, *args: Any, db_index: bool = True, allow_unicode: bool = False, **kwargs: Any) -> None:
        self.allow_unicode = allow_unicode
        if allow_unicode:
            self.default_validators = [validators.validate_unicode_slug]
        super(CharField, self).__init__(*args, db_index=db_index, **kwargs)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if self.max_length == 50:
            del kwargs["max_length"]
        else:
            kwargs["max_length"] = self.max_length  # None must be said too
        if self.db_index:
            del kwargs["db_index"]
        else:
            kwargs["db_index"] = False
        if self.allow_unicode:
            kwargs["allow_unicode"] = self.allow_unicode
        return name, path, args, kwargs


class EmailField(CharField[T]):
    """An e-mail address, of at most 254 characters. Raises ``ValidationError`` for what is none."""

    description = "Email address"
    default_validators = [validators.validate_email]
    usual_length = 254

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: EmailField[str],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[TextOptions[str]],
        ) -> None: ...
        @overload
        def __init__(
            self: EmailField[str | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[TextOptions[str | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs["max_length"] = self.max_length  # always said, so that another usual length changes no old table
        return name, path, args, kwargs


class URLField(CharField[T]):
    """An absolute URL, of at most 200 characters. Raises ``ValidationError`` for what is none."""

    description = "URL"
    default_validators = [validators.URLValidator()]
    usual_length = 200

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: URLField[str],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[TextOptions[str]],
        ) -> None: ...
        @overload
        def __init__(
            self: URLField[str | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[TextOptions[str | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs["max_length"] = self.max_length  # None must be said too
        if self.max_length == 200:
            del kwargs["max_length"]
        return name, path, args, kwargs


class GenericIPAddressField(Field[T]):
    """An IP address as text; IPv6 in its shortest form.

    ``protocol`` is "both", "IPv4" or "IPv6". With ``unpack_ipv4``, ``::ffff:192.0.2.1`` becomes ``192.0.2.1``. Raises
    ``ValidationError`` for what is no address, and ``ValueError`` for options that do not go together.
    """

    empty_strings_allowed = False
    description = "IP address"
    internal_type = "GenericIPAddressField"
    default_error_messages: ClassVar[dict[str, str]] = {"invalid": "Enter a valid %(protocol)s address."}

    @overload
    def __init__(
        self: GenericIPAddressField[str],
        verbose_name: str | None = None,
        name: str | None = None,
        protocol: str = "both",
        unpack_ipv4: bool = False,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: GenericIPAddressField[str | None],
        verbose_name: str | None = None,
        name: str | None = None,
        protocol: str = "both",
        unpack_ipv4: bool = False,
        *,
        null: bool,
        **options: Unpack[FieldOptions[str | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        name: str | None = None,
        protocol: str = "both",
        unpack_ipv4: bool = False,
        **kwargs: Any,
    ) -> None:
        self.protocol = protocol
        self.unpack_ipv4 = unpack_ipv4
        self.default_validators = validators.ip_address_validators(protocol, unpack_ipv4)
        kwargs["max_length"] = 39
        super().__init__(verbose_name, name, **kwargs)

    def to_python(self, value: Any) -> Any:
        if value is None:
            return None
        text = str(value).strip()
        if ":" not in text:
            return text
        found = self._shortest(text)
        if found is None:
            raise ValidationError(
                self.error_messages["invalid"], code="invalid", params={"protocol": "IPv6", "value": value}
            )
        return found

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        if not text:
            return None
        return self._shortest(text) or text if ":" in text else text

    def _shortest(self, text: str) -> str | None:
        """The IPv6 address in the form that is kept; None where it is none."""
        try:
            address = ipaddress.IPv6Address(text)
        except ValueError:
            return None
        if address.ipv4_mapped is None:
            return str(address).partition("%")[0]  # a scope means something on one machine only
        return str(address.ipv4_mapped) if self.unpack_ipv4 else f"::ffff:{address.ipv4_mapped}"

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length", None)
        if self.unpack_ipv4:
            kwargs["unpack_ipv4"] = self.unpack_ipv4
        if self.protocol != "both":
            kwargs["protocol"] = self.protocol
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[str]:
        found = super().check(**kwargs)
        if self.blank and not self.null:
            found.append(f"{self}: a blank address is stored as NULL, so blank=True needs null=True as well.")
        return found


class UUIDField(ConvertedField[T]):
    """Universally unique identifiers; strings and integers are read. Raises ``ValidationError`` for what is none."""

    description = "Universally unique identifier"
    internal_type = "UUIDField"
    default_error_messages: ClassVar[dict[str, str]] = {"invalid": "“%(value)s” is not a valid UUID."}

    @overload
    def __init__(
        self: UUIDField[uuid.UUID],
        verbose_name: str | None = None,
        *,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[uuid.UUID]],
    ) -> None: ...
    @overload
    def __init__(
        self: UUIDField[uuid.UUID | None],
        verbose_name: str | None = None,
        *,
        null: bool,
        **options: Unpack[FieldOptions[uuid.UUID | None]],
    ) -> None: ...
    def __init__(self, verbose_name: str | None = None, **kwargs: Any) -> None:
        kwargs["max_length"] = 32
        super().__init__(verbose_name, **kwargs)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length", None)
        return name, path, args, kwargs


class FilePathField(_StringField[T]):
    """The path of a file that is there already: one in the folder ``path``, whose name contains a match of ``match``.

    ``path`` is a folder, or a function that gives one; ``recursive`` looks into the folders in it, ``allow_files`` and
    ``allow_folders`` say what may be chosen. These are for forms; the value is not compared with what is on the disk.
    """

    description = "File path"
    internal_type = "FilePathField"
    usual_length = 100

    @overload
    def __init__(
        self: FilePathField[str],
        verbose_name: str | None = None,
        name: str | None = None,
        path: Any = "",
        match: str | None = None,
        recursive: bool = False,
        allow_files: bool = True,
        allow_folders: bool = False,
        *,
        null: Literal[False] = False,
        **options: Unpack[PathOptions[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: FilePathField[str | None],
        verbose_name: str | None = None,
        name: str | None = None,
        path: Any = "",
        match: str | None = None,
        recursive: bool = False,
        allow_files: bool = True,
        allow_folders: bool = False,
        *,
        null: bool,
        **options: Unpack[PathOptions[str | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        name: str | None = None,
        path: Any = "",
        match: str | None = None,
        recursive: bool = False,
        allow_files: bool = True,
        allow_folders: bool = False,
        **kwargs: Any,
    ) -> None:
        self.path = path
        self.match = match
        self.recursive = recursive
        self.allow_files = allow_files
        self.allow_folders = allow_folders
        super().__init__(verbose_name, name, **kwargs)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        usual = {"path": "", "match": None, "recursive": False, "allow_files": True, "allow_folders": False}
        kwargs.update(
            {option: getattr(self, option) for option, value in usual.items() if getattr(self, option) != value}
        )
        if self.max_length == self.usual_length:
            kwargs.pop("max_length", None)
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[str]:
        found = super().check(**kwargs)
        if not self.allow_files and not self.allow_folders:
            found.append(f"{self}: FilePathFields must have either 'allow_files' or 'allow_folders' set to True.")
        return found
