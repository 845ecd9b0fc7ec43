"""Whether a new password is good enough."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crowsfoot.conf import settings
from crowsfoot.contrib.auth.common_passwords import COMMON_PASSWORDS
from crowsfoot.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
    UserAttributeSimilarityValidator,
    get_password_validators,
    password_changed,
    password_validators_help_texts,
    validate_password,
)
from crowsfoot.errors import FieldDoesNotExist, ImproperlyConfigured, ValidationError

DJANGO = "django.contrib.auth.password_validation."
ALL = [
    {"NAME": DJANGO + "UserAttributeSimilarityValidator"},
    {"NAME": DJANGO + "MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": DJANGO + "CommonPasswordValidator"},
    {"NAME": DJANGO + "NumericPasswordValidator"},
]


class Meta:
    def get_field(self, name: str) -> Any:
        if name == "email":
            return SimpleNamespace(verbose_name="email address")
        raise FieldDoesNotExist(name)


USER = SimpleNamespace(
    username="christopher", first_name="Anna Maria", last_name=None, email="joe.blow@example.com", _meta=Meta()
)


def refusal(validator: Any, password: str, user: Any = None) -> tuple[str, str | None] | None:
    try:
        validator.validate(password, user)
    except ValidationError as error:
        return error.messages[0], error.code
    return None


def test_minimum_length() -> None:
    too_short = "This password is too short. It must contain at least {}."
    assert refusal(MinimumLengthValidator(), "1234567") == (too_short.format("8 characters"), "password_too_short")
    assert refusal(MinimumLengthValidator(1), "") == (too_short.format("1 character"), "password_too_short")
    assert refusal(MinimumLengthValidator(), "12345678") is None
    assert MinimumLengthValidator(3).get_help_text() == "Your password must contain at least 3 characters."


@pytest.mark.parametrize(
    ("password", "known"),
    [
        ("christopher", "username"),
        ("Christopher1", "username"),
        ("repohtsirhc", "username"),
        ("annamaria", "first_name"),
        ("maria1", "first_name"),
        ("example.com", "email address"),
        ("EXAMPLE", "email address"),
        ("blow", "email address"),
    ],
)
def test_similar(password: str, known: str) -> None:
    message = f"The password is too similar to the {known}."
    assert refusal(UserAttributeSimilarityValidator(), password, USER) == (message, "password_too_similar")


def test_not_similar() -> None:
    validator = UserAttributeSimilarityValidator()
    for password in ("", "a", "correct horse battery", "christopher" * 100_000):
        assert refusal(validator, password, USER) is None
        assert refusal(validator, password) is None
    assert refusal(UserAttributeSimilarityValidator(["first_name"]), "christopher", USER) is None
    assert refusal(UserAttributeSimilarityValidator(max_similarity=1), "christopher1", USER) is None
    assert refusal(UserAttributeSimilarityValidator(max_similarity=1), "christopher", USER)
    message, _ = refusal(validator, "anna", SimpleNamespace(username="anna")) or ("", "")
    assert message == "The password is too similar to the username."
    with pytest.raises(ValueError, match=r"max_similarity must be at least 0\.1"):
        UserAttributeSimilarityValidator(max_similarity=0.09)


def test_common(tmp_path: Path) -> None:
    common = ("This password is too common.", "password_too_common")
    for password in ("password", "Password1", " 123456 ", "QWERTY", "letmein!", "1q2w3e4r", "Summer2024"):
        assert refusal(CommonPasswordValidator(), password) == common
    assert refusal(CommonPasswordValidator(), "kloostertuin-banaan") is None
    assert all(password == password.lower() for password in COMMON_PASSWORDS)
    for content in (b"sesam\nzebra\n", gzip.compress(b"sesam\r\nzebra")):
        path = tmp_path / "list"
        path.write_bytes(content)
        own = CommonPasswordValidator(path)
        assert refusal(own, "SESAM") == common
        assert refusal(own, "password") is None


def test_numeric() -> None:
    numeric = ("This password is entirely numeric.", "password_entirely_numeric")
    assert refusal(NumericPasswordValidator(), "42424242") == numeric
    assert refusal(NumericPasswordValidator(), "4242a") is None


def test_all_together() -> None:
    validate_password("1234")
    with settings.override(AUTH_PASSWORD_VALIDATORS=ALL):
        with pytest.raises(ValidationError) as caught:
            validate_password("1234", USER)
        assert [error.code for error in caught.value.error_list] == [
            "password_too_short",
            "password_too_common",
            "password_entirely_numeric",
        ]
        validate_password("kloostertuin-banaan", USER)
        assert len(password_validators_help_texts()) == 4
        password_changed("x", USER)
    validate_password("1234", USER, [])


def test_password_changed_is_told() -> None:
    told: list[Any] = []

    class Listener(NumericPasswordValidator):
        def password_changed(self, password: str, user: Any = None) -> None:
            told.append((password, user))

    password_changed("x", USER, [Listener(), MinimumLengthValidator()])
    assert told == [("x", USER)]


@pytest.mark.parametrize("entry", [{}, {"NAME": "nowhere.V"}, {"NAME": "V"}, {"NAME": 3}, {"NAME": "os.Nothing"}])
def test_wrong_settings(entry: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="AUTH_PASSWORD_VALIDATORS"):
        get_password_validators([entry])


def test_a_validator_of_ones_own_words_its_complaint() -> None:
    class Numeric(NumericPasswordValidator):
        def get_error_message(self) -> str:
            return "Digits only."

    with pytest.raises(ValidationError) as caught:
        Numeric().validate("123")
    assert caught.value.messages == ["Digits only."]
