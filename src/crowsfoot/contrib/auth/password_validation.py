"""Whether a new password is good enough (``django.contrib.auth.password_validation``).

``validate_password`` asks the validators of the setting AUTH_PASSWORD_VALIDATORS, a list of
``{"NAME": path, "OPTIONS": {…}}``. A validator has ``validate(password, user)``, which raises ``ValidationError``,
``get_help_text()``, and perhaps ``password_changed(password, user)``. A subclass of one of those here words its
complaint in ``get_error_message()``.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Protocol

from crowsfoot.conf import settings
from crowsfoot.contrib.auth.common_passwords import COMMON_PASSWORDS
from crowsfoot.contrib.auth.loading import load
from crowsfoot.errors import FieldDoesNotExist, ImproperlyConfigured, ValidationError

__all__ = [
    "CommonPasswordValidator",
    "MinimumLengthValidator",
    "NumericPasswordValidator",
    "PasswordValidator",
    "UserAttributeSimilarityValidator",
    "get_default_password_validators",
    "get_password_validators",
    "password_changed",
    "password_validators_help_texts",
    "validate_password",
]


class PasswordValidator(Protocol):
    """What a validator of passwords has."""

    def validate(self, password: str, user: Any = None) -> None:
        """Nothing for a good password; ``ValidationError`` for another."""

    def get_help_text(self) -> str:
        """What the password must be like, in a sentence."""
        ...


def get_default_password_validators() -> list[PasswordValidator]:
    """The validators of AUTH_PASSWORD_VALIDATORS. Raises ``ImproperlyConfigured``."""
    return get_password_validators(settings.AUTH_PASSWORD_VALIDATORS)


def get_password_validators(validator_config: Iterable[dict[str, Any]]) -> list[PasswordValidator]:
    """The validators that a list of ``{"NAME": path, "OPTIONS": {…}}`` describes. Raises ``ImproperlyConfigured``."""
    return [_validator(entry) for entry in validator_config]


def _validator(entry: dict[str, Any]) -> PasswordValidator:
    name = entry.get("NAME")
    if not isinstance(name, str):
        raise ImproperlyConfigured(f"AUTH_PASSWORD_VALIDATORS: {entry!r} has no NAME.")
    try:
        factory = load(name)
    except ImportError:
        raise ImproperlyConfigured(
            f"The module in NAME could not be imported: {name}. Check your AUTH_PASSWORD_VALIDATORS setting."
        ) from None
    validator: PasswordValidator = factory(**entry.get("OPTIONS", {}))
    return validator


def validate_password(
    password: str, user: Any = None, password_validators: Sequence[PasswordValidator] | None = None
) -> None:
    """Ask all validators, by default those of the setting. Raises one ``ValidationError`` with every complaint."""
    errors: list[ValidationError] = []
    for validator in get_default_password_validators() if password_validators is None else password_validators:
        try:
            validator.validate(password, user)
        except ValidationError as error:
            errors.append(error)
    if errors:
        raise ValidationError(errors)


def password_changed(
    password: str, user: Any = None, password_validators: Sequence[PasswordValidator] | None = None
) -> None:
    """Tell all validators that want to know that a password has been set."""
    for validator in get_default_password_validators() if password_validators is None else password_validators:
        told = getattr(validator, "password_changed", None)
        if told is not None:
            told(password, user)


def password_validators_help_texts(password_validators: Sequence[PasswordValidator] | None = None) -> list[str]:
    """The help texts of all validators."""
    chosen = get_default_password_validators() if password_validators is None else password_validators
    return [validator.get_help_text() for validator in chosen]


class MinimumLengthValidator:
    """At least ``min_length`` characters."""

    def __init__(self, min_length: int = 8) -> None:
        self.min_length = min_length

    def _at_least(self) -> str:
        return f"must contain at least {self.min_length} character{'' if self.min_length == 1 else 's'}."

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) < self.min_length:
            params = {"min_length": self.min_length}
            raise ValidationError(self.get_error_message(), code="password_too_short", params=params)

    def get_error_message(self) -> str:
        return f"This password is too short. It {self._at_least()}"

    def get_help_text(self) -> str:
        return f"Your password {self._at_least()}"


class UserAttributeSimilarityValidator:
    """Not much like what others know of the user: an attribute as a whole, or one of its words.

    ``max_similarity`` is the share of the letters in common at which a password is refused, from 0.1 to 1 (equal only).
    Raises ``ValueError`` for less.
    """

    DEFAULT_USER_ATTRIBUTES = ("username", "first_name", "last_name", "email")

    def __init__(self, user_attributes: Iterable[str] = DEFAULT_USER_ATTRIBUTES, max_similarity: float = 0.7) -> None:
        if max_similarity < 0.1:
            raise ValueError("max_similarity must be at least 0.1")
        self.user_attributes = tuple(user_attributes)
        self.max_similarity = max_similarity

    def validate(self, password: str, user: Any = None) -> None:
        secret = password.lower()
        for name in self.user_attributes:
            value = getattr(user, name, None)
            if isinstance(value, str) and value:
                known = value.lower()
                if any(self._is_similar(secret, part) for part in [known, *re.split(r"\W+", known)] if part):
                    params = {"verbose_name": _verbose_name(user, name)}
                    raise ValidationError(self.get_error_message(), code="password_too_similar", params=params)

    def get_error_message(self) -> str:
        return "The password is too similar to the %(verbose_name)s."

    def _is_similar(self, secret: str, part: str) -> bool:
        # The share is 2 * common / (both lengths), so lengths that differ too much need no comparison, and a password
        # of a megabyte is no work.
        most = 2 * min(len(secret), len(part)) / (len(secret) + len(part))
        return most >= self.max_similarity and SequenceMatcher(a=secret, b=part).quick_ratio() >= self.max_similarity

    def get_help_text(self) -> str:
        return "Your password can’t be too similar to your other personal information."


def _verbose_name(user: Any, name: str) -> str:
    try:
        return str(user._meta.get_field(name).verbose_name)
    except (AttributeError, FieldDoesNotExist):
        return name


class CommonPasswordValidator:
    """None of the passwords that are tried first, in upper or lower case.

    The list is a short one of Crowsfoot's own; ``password_list_path`` names a text file, also gzipped, with one
    password in lower case on each line, to use in its place.
    """

    def __init__(self, password_list_path: str | os.PathLike[str] | None = None) -> None:
        self.passwords: frozenset[str] = COMMON_PASSWORDS
        if password_list_path is not None:
            self.passwords = _read_list(Path(password_list_path))

    def validate(self, password: str, user: Any = None) -> None:
        if password.lower().strip() in self.passwords:
            raise ValidationError(self.get_error_message(), code="password_too_common")

    def get_error_message(self) -> str:
        return "This password is too common."

    def get_help_text(self) -> str:
        return "Your password can’t be a commonly used password."


def _read_list(path: Path) -> frozenset[str]:
    content = path.read_bytes()
    text = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    return frozenset(line.strip() for line in text.decode("utf-8").splitlines())


class NumericPasswordValidator:
    """Not digits only."""

    def validate(self, password: str, user: Any = None) -> None:
        if password.isdigit():
            raise ValidationError(self.get_error_message(), code="password_entirely_numeric")

    def get_error_message(self) -> str:
        return "This password is entirely numeric."

    def get_help_text(self) -> str:
        return "Your password can’t be entirely numeric."
