"""Passwords as hashes, in the formats that ``django.contrib.auth.hashers`` stores.

``make_password`` hashes, ``check_password`` verifies. The first of PASSWORD_HASHERS makes new hashes; the others are
verified, and replaced by the first at the next log-in. What an attacker can choose, the password, never makes a check
raise and hardly changes how long it takes.
"""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, Final

from crowsfoot.conf import settings
from crowsfoot.contrib.auth.algorithms import (
    Argon2PasswordHasher,
    BasePasswordHasher,
    MD5PasswordHasher,
    PBKDF2PasswordHasher,
    PBKDF2SHA1PasswordHasher,
    ScryptPasswordHasher,
    SHA1PasswordHasher,
    mask_hash,
    must_update_salt,
)
from crowsfoot.contrib.auth.loading import load
from crowsfoot.errors import ImproperlyConfigured

__all__ = [
    "UNUSABLE_PASSWORD_PREFIX",
    "UNUSABLE_PASSWORD_SUFFIX_LENGTH",
    "Argon2PasswordHasher",
    "BasePasswordHasher",
    "MD5PasswordHasher",
    "PBKDF2PasswordHasher",
    "PBKDF2SHA1PasswordHasher",
    "SHA1PasswordHasher",
    "ScryptPasswordHasher",
    "aburn",
    "acheck_password",
    "burn",
    "check_password",
    "get_hasher",
    "get_hashers",
    "get_hashers_by_algorithm",
    "identify_hasher",
    "is_password_usable",
    "make_password",
    "mask_hash",
    "must_update_salt",
    "verify_password",
]

UNUSABLE_PASSWORD_PREFIX: Final = "!"
UNUSABLE_PASSWORD_SUFFIX_LENGTH: Final = 40
"""Random characters after the prefix, so that a token made from one unusable password does not fit another."""

_LETTERS: Final = string.ascii_letters + string.digits


# -- the hashers in force ----------------------------------------------------------------------------------------------


def get_hashers() -> list[BasePasswordHasher]:
    """One hasher for each path in PASSWORD_HASHERS. Raises ``ImproperlyConfigured`` for a path that is no hasher."""
    return list(_hashers(tuple(settings.PASSWORD_HASHERS)))


@lru_cache(maxsize=32)
def _hashers(paths: tuple[str, ...]) -> tuple[BasePasswordHasher, ...]:
    return tuple(_hasher(path) for path in paths)


def _hasher(path: str) -> BasePasswordHasher:
    try:
        hasher: Any = load(path)()
    except ImportError as error:
        raise ImproperlyConfigured(f"PASSWORD_HASHERS: {path!r} cannot be imported: {error}") from error
    if not isinstance(hasher, BasePasswordHasher) or not hasher.algorithm:
        raise ImproperlyConfigured(f"PASSWORD_HASHERS: {path!r} is not a hasher with the name of an algorithm.")
    return hasher


def get_hashers_by_algorithm() -> dict[str, BasePasswordHasher]:
    """The hashers of PASSWORD_HASHERS under the names of their algorithms."""
    return {hasher.algorithm: hasher for hasher in get_hashers()}


def get_hasher(algorithm: str | BasePasswordHasher = "default") -> BasePasswordHasher:
    """The hasher of an algorithm; a hasher is itself.

    "default" is the first of PASSWORD_HASHERS whose library is installed. Raises ``ValueError`` for an algorithm that
    is not in PASSWORD_HASHERS, and ``ImproperlyConfigured`` where there is no default.
    """
    if isinstance(algorithm, BasePasswordHasher):
        return algorithm
    if algorithm == "default":
        hasher = next((hasher for hasher in get_hashers() if hasher.is_available()), None)
        if hasher is None:
            raise ImproperlyConfigured("PASSWORD_HASHERS names no hasher whose library is installed.")
        return hasher
    try:
        return get_hashers_by_algorithm()[algorithm]
    except KeyError:
        raise ValueError(
            f"Unknown password hashing algorithm '{algorithm}'. Did you specify it in the PASSWORD_HASHERS setting?"
        ) from None


def identify_hasher(encoded: str) -> BasePasswordHasher:
    """The hasher that made ``encoded``. Raises ``ValueError`` where none of PASSWORD_HASHERS did."""
    return get_hasher(encoded.split("$", 1)[0] if "$" in encoded else encoded)


# -- making and checking -----------------------------------------------------------------------------------------------


def is_password_usable(encoded: str | None) -> bool:
    """Whether any password could fit: False for what ``make_password(None)`` gave."""
    return encoded is None or not encoded.startswith(UNUSABLE_PASSWORD_PREFIX)


def make_password(
    password: str | bytes | None, salt: str | None = None, hasher: str | BasePasswordHasher = "default"
) -> str:
    """The hash to store for a password; for None one that no password fits.

    ``hasher`` is a hasher or the name of its algorithm; without ``salt`` a random one is taken. Raises ``TypeError``
    for a password that is neither text nor bytes, ``ValueError`` for an unknown algorithm or a salt with a ``$`` in it.
    """
    if password is None:
        return UNUSABLE_PASSWORD_PREFIX + _random_text(UNUSABLE_PASSWORD_SUFFIX_LENGTH)
    if not isinstance(password, (str, bytes)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"Password must be a string or bytes, got {type(password).__qualname__}.")
    chosen = get_hasher(hasher)
    return chosen.encode(password, salt or chosen.salt())


def verify_password(
    password: str | bytes | None, encoded: str | None, preferred: str | BasePasswordHasher = "default"
) -> tuple[bool, bool]:
    """Whether a password fits a hash, and whether the hash should be made anew by the ``preferred`` hasher.

    Whatever the password and the hash are, this does not raise, and it takes about as long as one check. Raises
    ``ImproperlyConfigured`` where the hash needs a library that is not installed.
    """
    best = get_hasher(preferred)
    if not isinstance(password, (str, bytes)):
        return False, False
    hasher = _maker(encoded) if isinstance(encoded, str) else None
    if hasher is None or not isinstance(encoded, str):
        burn(password, best)
        return False, False
    must_update = hasher.algorithm != best.algorithm or best.must_update(encoded)
    fits = hasher.verify(password, encoded)
    if not fits and must_update and hasher.algorithm == best.algorithm:
        # The stored hash is cheaper than a new one; without this a wrong password would tell how old an account is.
        hasher.harden_runtime(password, encoded)
    return fits, must_update


def _maker(encoded: str) -> BasePasswordHasher | None:
    """The hasher of a hash that can be verified; None for an unusable, unknown or mutilated one."""
    if not is_password_usable(encoded):
        return None
    try:
        hasher = identify_hasher(encoded)
        hasher.decode(encoded)
    except (ValueError, OverflowError):
        return None
    return hasher


def check_password(
    password: str | bytes | None,
    encoded: str | None,
    setter: Callable[[Any], object] | None = None,
    preferred: str | BasePasswordHasher = "default",
) -> bool:
    """Whether a password fits a hash.

    Where it does and the hash is not one that the ``preferred`` hasher would make today, ``setter(password)`` is called
    to store a new one. Errors are those of ``verify_password``.
    """
    fits, must_update = verify_password(password, encoded, preferred)
    if fits and must_update and setter is not None:
        setter(password)
    return fits


async def acheck_password(
    password: str | bytes | None,
    encoded: str | None,
    setter: Callable[[Any], Awaitable[object]] | None = None,
    preferred: str | BasePasswordHasher = "default",
) -> bool:
    """``check_password`` with an async ``setter``. The hashing runs in a thread and does not hold up the event loop."""
    fits, must_update = await asyncio.to_thread(verify_password, password, encoded, preferred)
    if fits and must_update and setter is not None:
        await setter(password)
    return fits


def burn(password: str | bytes | None, hasher: str | BasePasswordHasher = "default") -> None:
    """Spend the time of a check on a password, for a user who does not exist: the answer must not come sooner."""
    chosen = get_hasher(hasher)
    chosen.encode(password if isinstance(password, (str, bytes)) else "", chosen.salt())


async def aburn(password: str | bytes | None, hasher: str | BasePasswordHasher = "default") -> None:
    """``burn`` in a thread."""
    await asyncio.to_thread(burn, password, hasher)


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
