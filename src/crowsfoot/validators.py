"""Validators: callables that raise ``ValidationError`` for a value that is not as it should be.

Names, messages and codes are those of ``django.core.validators``. Each validator can be compared, hashed, pickled and
written into a migration: ``deconstruct()`` gives the path under which a migration names it and its arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import PurePath
from typing import Any, ClassVar, Final, Self

from crowsfoot import addresses
from crowsfoot.addresses import MAX_URL_LENGTH
from crowsfoot.errors import ValidationError
from crowsfoot.files.images import pillow

EMPTY_VALUES: Final[tuple[Any, ...]] = (None, "", [], (), {})
"""The values for which a field that may be blank runs no validators."""

_DJANGO: Final = "django.core.validators"


@dataclass(frozen=True, slots=True)
class _Counted:
    """A message whose wording depends on a number: ``message % params`` looks at ``params[key]``."""

    one: str
    many: str
    key: str

    def __mod__(self, params: Mapping[str, Any]) -> str:
        return (self.one if params[self.key] == 1 else self.many) % params

    def __str__(self) -> str:
        return self.many


class _Validator:
    """What all validators share: they remember how they were made, and are equal when they decide alike."""

    _made: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._made = (args, kwargs)
        return self

    def __call__(self, value: Any) -> None:
        """Nothing for a good value; ``ValidationError`` for another."""
        raise NotImplementedError

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Where the class is imported from (in Django's names), and the arguments to call it with again."""
        cls = type(self)
        args, kwargs = self._made
        return f"{_DJANGO if cls.__module__ == __name__ else cls.__module__}.{cls.__qualname__}", args, dict(kwargs)

    def _identity(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Validator):
            return NotImplemented
        return type(self) is type(other) and self._identity() == other._identity()

    def __hash__(self) -> int:
        try:
            return hash((type(self), self._identity()))
        except TypeError:  # a limit that cannot be hashed
            return hash(type(self))

    def __repr__(self) -> str:
        args, kwargs = self._made
        shown = [repr(arg) for arg in args] + [f"{name}={value!r}" for name, value in kwargs.items()]
        return f"{type(self).__qualname__}({', '.join(shown)})"


class _Worded(_Validator):
    """A validator whose message and code can be given, and have a default."""

    message: Any
    code: str = "invalid"

    def __init__(self, message: Any = None, code: str | None = None) -> None:
        if message is not None:
            self.message = message
        if code is not None:
            self.code = code

    def _refusal(self, value: Any) -> ValidationError:
        return ValidationError(self.message, code=self.code, params={"value": value})

    def _identity(self) -> tuple[Any, ...]:
        return self.message, self.code


# -- patterns ----------------------------------------------------------------------------------------------------------


class RegexValidator(_Validator):
    """The text of a value must contain a match of ``regex``; with ``inverse_match`` it must not.

    ``regex`` is a pattern or its text, ``flags`` those of its text. Raises ``TypeError`` for flags with a pattern.
    """

    regex: Any = ""
    message: Any = "Enter a valid value."
    code: str = "invalid"
    inverse_match: bool = False
    flags: int = 0

    def __init__(
        self,
        regex: str | re.Pattern[str] | None = None,
        message: Any = None,
        code: str | None = None,
        inverse_match: bool | None = None,
        flags: int | re.RegexFlag | None = None,
    ) -> None:
        given = {"regex": regex, "message": message, "code": code, "inverse_match": inverse_match, "flags": flags}
        for name, value in given.items():
            if value is not None:
                setattr(self, name, value)
        if isinstance(self.regex, str):
            self.regex = re.compile(self.regex, self.flags)
        elif self.flags:
            raise TypeError("If the flags are set, regex must be a regular expression string.")

    def __call__(self, value: Any) -> None:
        if bool(self.regex.search(str(value))) is self.inverse_match:
            raise ValidationError(self.message, code=self.code, params={"value": value})

    def _identity(self) -> tuple[Any, ...]:
        return self.regex.pattern, self.regex.flags, self.message, self.code, self.inverse_match


validate_integer: Final = RegexValidator(
    # A pattern rather than int(): " 1 " and "1_000" are integers to Python and not to people.
    re.compile(r"^-?\d+\Z"),
    "Enter a valid integer.",
    "invalid",
)
integer_validator: Final = validate_integer

validate_slug: Final = RegexValidator(
    re.compile(r"^[-a-zA-Z0-9_]+\Z"),
    "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.",
    "invalid",
)
validate_unicode_slug: Final = RegexValidator(
    re.compile(r"^[-\w]+\Z"),
    "Enter a valid “slug” consisting of Unicode letters, numbers, underscores, or hyphens.",
    "invalid",
)


def int_list_validator(
    sep: str = ",", message: Any = None, code: str = "invalid", allow_negative: bool = False
) -> RegexValidator:
    """A validator of integers with ``sep`` between them."""
    number = r"-?\d+" if allow_negative else r"\d+"
    pattern = re.compile(rf"^{number}(?:{re.escape(sep)}{number})*\Z")
    return RegexValidator(pattern, message=message, code=code)


validate_comma_separated_integer_list: Final = int_list_validator(message="Enter only digits separated by commas.")


# -- addresses ---------------------------------------------------------------------------------------------------------


def _refuse_ip(protocol: str, value: Any) -> ValidationError:
    message = "Enter a valid %(protocol)s address."
    return ValidationError(message, code="invalid", params={"protocol": protocol, "value": value})


def validate_ipv4_address(value: Any) -> None:
    """``192.0.2.1``; raises ``ValidationError``."""
    if not addresses.is_ipv4(str(value)):
        raise _refuse_ip("IPv4", value)


def validate_ipv6_address(value: Any) -> None:
    """``2001:db8::1``; raises ``ValidationError``."""
    if not addresses.is_ipv6(str(value)):
        raise _refuse_ip("IPv6", value)


def validate_ipv46_address(value: Any) -> None:
    """Either of the two; raises ``ValidationError``."""
    if not addresses.is_ipv4(str(value)) and not addresses.is_ipv6(str(value)):
        raise _refuse_ip("IPv4 or IPv6", value)


ip_address_validator_map: Final[dict[str, list[Callable[[Any], None]]]] = {
    "both": [validate_ipv46_address],
    "ipv4": [validate_ipv4_address],
    "ipv6": [validate_ipv6_address],
}


def ip_address_validators(protocol: str, unpack_ipv4: bool) -> list[Callable[[Any], None]]:
    """The validators of a ``GenericIPAddressField``. Raises ``ValueError`` for arguments that do not go together."""
    if unpack_ipv4 and protocol != "both":
        raise ValueError("You can only use `unpack_ipv4` if `protocol` is set to 'both'")
    try:
        return ip_address_validator_map[protocol.lower()]
    except KeyError:
        known = list(ip_address_validator_map)
        raise ValueError(f"The protocol '{protocol}' is unknown. Supported: {known}") from None


class DomainNameValidator(_Worded):
    """A domain name such as ``example.com``, with or without a final dot; ``accept_idna`` allows more than ASCII."""

    message: Any = "Enter a valid domain name."

    def __init__(self, message: Any = None, code: str | None = None, *, accept_idna: bool = True) -> None:
        super().__init__(message, code)
        self.accept_idna = accept_idna

    def __call__(self, value: Any) -> None:
        if not isinstance(value, str) or not addresses.is_domain(value, ascii_only=not self.accept_idna):
            raise self._refusal(value)

    def _identity(self) -> tuple[Any, ...]:
        return self.message, self.code, self.accept_idna


validate_domain_name: Final = DomainNameValidator()


class EmailValidator(_Worded):
    """An e-mail address. ``allowlist`` names the domains that are accepted though they are not full names."""

    message: Any = "Enter a valid email address."
    domain_allowlist: Collection[str] = ("localhost",)

    def __init__(self, message: Any = None, code: str | None = None, allowlist: Collection[str] | None = None) -> None:
        super().__init__(message, code)
        self.domain_allowlist = self.domain_allowlist if allowlist is None else allowlist

    def __call__(self, value: Any) -> None:
        if not isinstance(value, str) or len(value) > addresses.MAX_EMAIL_LENGTH:
            raise self._refusal(value)
        user, _, domain = value.rpartition("@")
        fits = domain in self.domain_allowlist or self.validate_domain_part(domain)
        if not fits or not addresses.is_email_user(user):
            raise self._refusal(value)

    def validate_domain_part(self, domain_part: str) -> bool:
        """Whether what stands after the ``@`` is a domain, or an IP address in brackets."""
        return addresses.is_email_domain(domain_part)

    def _identity(self) -> tuple[Any, ...]:
        return self.message, self.code, frozenset(self.domain_allowlist)


validate_email: Final = EmailValidator()


class URLValidator(_Worded):
    """An absolute URL with one of ``schemes`` whose host is a domain name, an IP address or ``localhost``."""

    message: Any = "Enter a valid URL."
    schemes: Collection[str] = ("http", "https", "ftp", "ftps")
    max_length: int = MAX_URL_LENGTH

    def __init__(self, schemes: Collection[str] | None = None, message: Any = None, code: str | None = None) -> None:
        super().__init__(message, code)
        self.schemes = self.schemes if schemes is None else schemes

    def __call__(self, value: Any) -> None:
        if not isinstance(value, str) or len(value) > self.max_length or not addresses.is_url(value, self.schemes):
            raise self._refusal(value)

    def _identity(self) -> tuple[Any, ...]:
        return self.message, self.code, frozenset(self.schemes)


# -- limits ------------------------------------------------------------------------------------------------------------


class BaseValidator(_Validator):
    """A value is cleaned and compared with a limit; a subclass says how. ``limit_value`` may be a function."""

    message: Any = "Ensure this value is %(limit_value)s (it is %(show_value)s)."
    code: str = "limit_value"

    def __init__(self, limit_value: Any, message: Any = None) -> None:
        self.limit_value = limit_value
        self.message = self.message if message is None else message

    def __call__(self, value: Any) -> None:
        limit = self._limit()
        cleaned = self.clean(value)
        if self.compare(cleaned, limit):
            params = {"limit_value": limit, "show_value": cleaned, "value": value}
            raise ValidationError(self.message, code=self.code, params=params)

    def _limit(self) -> Any:
        return self.limit_value() if callable(self.limit_value) else self.limit_value

    def compare(self, a: Any, b: Any) -> bool:
        """Whether the cleaned value ``a`` is wrong in view of the limit ``b``."""
        return bool(a is not b)

    def clean(self, x: Any) -> Any:
        """What of the value is compared."""
        return x

    def _identity(self) -> tuple[Any, ...]:
        return self.limit_value, self.message, self.code


class MaxValueValidator(BaseValidator):
    """At most ``limit_value``."""

    message = "Ensure this value is less than or equal to %(limit_value)s."
    code = "max_value"

    def compare(self, a: Any, b: Any) -> bool:
        return bool(a > b)


class MinValueValidator(BaseValidator):
    """At least ``limit_value``."""

    message = "Ensure this value is greater than or equal to %(limit_value)s."
    code = "min_value"

    def compare(self, a: Any, b: Any) -> bool:
        return bool(a < b)


class MaxLengthValidator(BaseValidator):
    """At most ``limit_value`` characters (or elements)."""

    message = _Counted(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    )
    code = "max_length"

    def compare(self, a: Any, b: Any) -> bool:
        return bool(a > b)

    def clean(self, x: Any) -> int:
        return len(x)


class MinLengthValidator(BaseValidator):
    """At least ``limit_value`` characters (or elements)."""

    message = _Counted(
        "Ensure this value has at least %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at least %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    )
    code = "min_length"

    def compare(self, a: Any, b: Any) -> bool:
        return bool(a < b)

    def clean(self, x: Any) -> int:
        return len(x)


class StepValueValidator(BaseValidator):
    """A multiple of ``limit_value``, counted from ``offset`` where there is one."""

    message = "Ensure this value is a multiple of step size %(limit_value)s."
    code = "step_size"

    def __init__(self, limit_value: Any, message: Any = None, offset: Any = None) -> None:
        super().__init__(limit_value, message)
        self.offset = offset
        if offset is not None and message is None:
            self.message = (
                "Ensure this value is a multiple of step size %(limit_value)s, starting from %(offset)s, "
                "e.g. %(offset)s, %(valid_value1)s, %(valid_value2)s, and so on."
            )

    def __call__(self, value: Any) -> None:
        if self.offset is None:
            super().__call__(value)
            return
        limit = self._limit()
        if self.compare(value, limit):
            params = {"limit_value": limit, "offset": self.offset, "value": value}
            params |= {"valid_value1": self.offset + limit, "valid_value2": self.offset + 2 * limit}
            raise ValidationError(self.message, code=self.code, params=params)

    def compare(self, a: Any, b: Any) -> bool:
        offset = 0 if self.offset is None else self.offset
        try:
            # The numbers as they are written: 0.3 is a multiple of 0.1. The slack is for those that were calculated.
            value, step, start = (Fraction(str(number)) for number in (a, b, offset))
        except ValueError:  # infinite, or not a number
            return True
        rest = (value - start) % step
        return min(abs(rest), abs(step - rest)) * 10**9 > abs(step)

    def _identity(self) -> tuple[Any, ...]:
        return *super()._identity(), self.offset


def _digits(what: str) -> _Counted:
    return _Counted(
        f"Ensure that there are no more than %(max)s digit {what}.",
        f"Ensure that there are no more than %(max)s digits {what}.",
        "max",
    )


class DecimalValidator(_Validator):
    """A number of at most ``max_digits`` digits, at most ``decimal_places`` of them decimals; None is no limit."""

    messages: ClassVar[dict[str, Any]] = {
        "invalid": "Enter a number.",
        "max_digits": _digits("in total"),
        "max_decimal_places": _Counted(
            "Ensure that there are no more than %(max)s decimal place.",
            "Ensure that there are no more than %(max)s decimal places.",
            "max",
        ),
        "max_whole_digits": _digits("before the decimal point"),
    }

    def __init__(self, max_digits: int | None, decimal_places: int | None) -> None:
        self.max_digits = max_digits
        self.decimal_places = decimal_places

    def __call__(self, value: Any) -> None:
        try:
            _, figures, exponent = (value if isinstance(value, Decimal) else Decimal(str(value))).as_tuple()
        except InvalidOperation:
            exponent = "n"
            figures = ()
        if isinstance(exponent, str):  # infinity or not a number
            raise ValidationError(self.messages["invalid"], code="invalid", params={"value": value})
        decimals = max(0, -exponent)
        whole = max(0, len(figures) + exponent) if any(figures) else 0
        limits = (
            ("max_digits", whole + decimals, self.max_digits),
            ("max_decimal_places", decimals, self.decimal_places),
            ("max_whole_digits", whole, self._whole_digits()),
        )
        for code, count, limit in limits:
            if limit is not None and count > limit:
                raise ValidationError(self.messages[code], code=code, params={"max": limit, "value": value})

    def _whole_digits(self) -> int | None:
        if self.max_digits is None or self.decimal_places is None:
            return None
        return self.max_digits - self.decimal_places

    def _identity(self) -> tuple[Any, ...]:
        return self.max_digits, self.decimal_places


class ProhibitNullCharactersValidator(_Worded):
    """No NUL character, which PostgreSQL cannot store."""

    message: Any = "Null characters are not allowed."
    code: str = "null_characters_not_allowed"

    def __call__(self, value: Any) -> None:
        if "\x00" in str(value):
            raise self._refusal(value)


# -- files -------------------------------------------------------------------------------------------------------------


class FileExtensionValidator(_Validator):
    """A file whose name ends in one of ``allowed_extensions``, given without the dot, in whatever case; None is any."""

    message: Any = "File extension “%(extension)s” is not allowed. Allowed extensions are: %(allowed_extensions)s."
    code: str = "invalid_extension"

    def __init__(
        self, allowed_extensions: Collection[str] | None = None, message: Any = None, code: str | None = None
    ) -> None:
        self.allowed_extensions = (
            None if allowed_extensions is None else [extension.lower() for extension in allowed_extensions]
        )
        if message is not None:
            self.message = message
        if code is not None:
            self.code = code

    def __call__(self, value: Any) -> None:
        extension = PurePath(value.name).suffix[1:].lower()
        if self.allowed_extensions is not None and extension not in self.allowed_extensions:
            params = {
                "extension": extension,
                "allowed_extensions": ", ".join(self.allowed_extensions),
                "value": value,
            }
            raise ValidationError(self.message, code=self.code, params=params)

    def _identity(self) -> tuple[Any, ...]:
        allowed = None if self.allowed_extensions is None else frozenset(self.allowed_extensions)
        return allowed, self.message, self.code


def get_available_image_extensions() -> list[str]:
    """The endings of the images that Pillow reads. Raises ``ImproperlyConfigured`` where it is not installed."""
    image = pillow("Image")
    image.init()
    return [extension.lower()[1:] for extension in image.EXTENSION]


def validate_image_file_extension(value: Any) -> None:
    """A file whose name ends as an image's does."""
    FileExtensionValidator(get_available_image_extensions())(value)
