"""Passwords: made, checked, upgraded, and odd input."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crowsfoot.conf import settings
from crowsfoot.contrib.auth import algorithms, hashers
from crowsfoot.contrib.auth.hashers import (
    BasePasswordHasher,
    burn,
    check_password,
    get_hasher,
    identify_hasher,
    is_password_usable,
    make_password,
)
from crowsfoot.errors import ImproperlyConfigured

DJANGO = "django.contrib.auth.hashers."

# Made by Django 6.1.3 for the password "lètmein" and the salt "seasalt1" (sha1 by an old one's rule).
MADE_BY_DJANGO = {
    "pbkdf2_sha256": "pbkdf2_sha256$1500000$seasalt1$GHqTbXejcR7Aavq3HYgpYYf9GveUPakVD6gZqTE8aZA=",
    "pbkdf2_sha1": "pbkdf2_sha1$1500000$seasalt1$BmhtipfOnc5UGnWpEX9oiPWney4=",
    "argon2": "argon2$argon2id$v=19$m=102400,t=2,p=8$c2Vhc2FsdDE$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI",
    "scrypt": "scrypt$16384$seasalt1$8$5$/MlTuTBYKY3YXCACnaatdGlVdOyQ9d6QrwFbPS+1Oo1EhEtqViqzcDVOMgVGjOQFwXYHtPTK9"
    "/lkeINun4xHgw==",
    "md5": "md5$seasalt1$dddc94d790e6dde53c090307844536f5",
}
ALGORITHMS = [*MADE_BY_DJANGO, "sha1"]


class QuickPBKDF2(algorithms.PBKDF2PasswordHasher):
    iterations = 3


class QuickSHA1(algorithms.PBKDF2SHA1PasswordHasher):
    iterations = 3


class QuickArgon2(algorithms.Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = 1, 8, 1


class QuickScrypt(algorithms.ScryptPasswordHasher):
    work_factor, block_size, parallelism = 2, 1, 1


QUICK = [
    f"{__name__}.{name}" if name.startswith("Quick") else f"{hashers.__name__}.{name}"
    for name in ("QuickPBKDF2", "QuickSHA1", "QuickArgon2", "QuickScrypt", "MD5PasswordHasher", "SHA1PasswordHasher")
]


@pytest.fixture
def quick() -> Iterator[None]:
    with settings.override(PASSWORD_HASHERS=QUICK):
        yield


@pytest.mark.parametrize("algorithm", list(MADE_BY_DJANGO))
def test_hashes_made_by_django(algorithm: str) -> None:
    made = MADE_BY_DJANGO[algorithm]
    paths = [*settings.PASSWORD_HASHERS, DJANGO + "MD5PasswordHasher"]
    with settings.override(PASSWORD_HASHERS=paths):
        assert make_password("lètmein", "seasalt1", algorithm) == made
        calls: list[Any] = []
        assert check_password("lètmein", made, calls.append)
        assert calls == ["lètmein"]  # the salt is short, or the algorithm not the preferred one
        assert not check_password("letmein", made, calls.append)
        assert len(calls) == 1
        assert identify_hasher(made).algorithm == algorithm


def test_a_new_hash_is_not_made_anew() -> None:
    made = make_password("secret")
    assert made.startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$")
    assert check_password("secret", made, pytest.fail)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_making_and_checking(quick: None, algorithm: str) -> None:
    made = make_password("secret", hasher=algorithm)
    assert made != make_password("secret", hasher=algorithm)
    assert made.startswith(f"{algorithm}$")
    assert is_password_usable(made)
    assert check_password("secret", made, pytest.fail, preferred=algorithm)
    assert check_password(b"secret", made)
    assert not check_password("Secret", made)
    assert not check_password("", made)
    assert check_password("", make_password("", hasher=algorithm))
    hasher = get_hasher(algorithm)
    assert hasher.encode("x", "salt" * 6) == make_password("x", "salt" * 6, algorithm)
    assert not hasher.must_update(made)
    assert hasher.must_update(hasher.encode("x", "saltsalt"))
    summary = hasher.safe_summary(made)
    assert summary["algorithm"] == algorithm
    assert summary["hash"].endswith("***")
    for salt in ("", "a$b"):
        if algorithm != "argon2":
            with pytest.raises(ValueError, match=r"salt must be provided and cannot contain \$\."):
                hasher.encode("x", salt)


@pytest.mark.parametrize(
    ("algorithm", "changed"),
    [
        ("pbkdf2_sha256", {"iterations": 4}),
        ("argon2", {"memory_cost": 16}),
        ("argon2", {"time_cost": 2}),
        ("argon2", {"parallelism": 2, "memory_cost": 16}),
        ("scrypt", {"work_factor": 4}),
        ("scrypt", {"block_size": 2}),
        ("scrypt", {"parallelism": 2}),
    ],
)
def test_other_costs_are_verified_and_replaced(quick: None, algorithm: str, changed: dict[str, int]) -> None:
    other = type(get_hasher(algorithm))()
    for name, value in changed.items():
        setattr(other, name, value)
    made = other.encode("secret", other.salt())
    calls: list[Any] = []
    assert check_password("secret", made, calls.append, preferred=algorithm)
    assert calls == ["secret"]


def test_a_wrong_password_costs_what_a_new_hash_costs(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []
    real = algorithms.hashlib.pbkdf2_hmac

    def counted(name: str, password: bytes, salt: bytes, iterations: int) -> bytes:
        rounds.append(iterations)
        return real(name, password, salt, iterations)

    old = get_hasher("pbkdf2_sha256").encode("secret", "salt" * 6, 1)  # type: ignore[call-arg]
    monkeypatch.setattr(algorithms.hashlib, "pbkdf2_hmac", counted)
    assert not check_password("wrong", old)
    assert sum(rounds) == 3
    for encoded in ("", "!", "nonsense", "x$y", None, make_password(None), "pbkdf2_sha256$a$b$c"):
        rounds.clear()
        assert not check_password("wrong", encoded)
        assert rounds == [3]
    rounds.clear()
    burn("wrong")
    burn(None)
    assert rounds == [3, 3]
    asyncio.run(hashers.aburn("wrong"))
    assert rounds == [3, 3, 3]


def test_unusable_passwords(quick: None) -> None:
    made = make_password(None)
    assert len(made) == 41
    assert made != make_password(None)
    assert not is_password_usable(made)
    assert is_password_usable("")
    assert is_password_usable(None)
    for password in (None, "", "!", made, made[1:]):
        assert not check_password(password, made)


def test_async(quick: None) -> None:
    stored: list[Any] = []

    async def store(password: str) -> None:
        stored.append(password)

    async def both() -> list[bool]:
        made = make_password("secret", hasher="md5")
        return [await hashers.acheck_password(password, made, store) for password in ("secret", "wrong")]

    assert asyncio.run(both()) == [True, False]
    assert stored == ["secret"]


def test_unknown_algorithms_and_settings(quick: None) -> None:
    with pytest.raises(ValueError, match=r"Unknown password hashing algorithm 'x'\. Did you specify it in"):
        get_hasher("x")
    with pytest.raises(ValueError, match="Unknown password hashing algorithm 'nonsense'"):
        identify_hasher("nonsense")
    number: Any = 1
    with pytest.raises(TypeError, match=r"Password must be a string or bytes, got int\."):
        make_password(number)
    for path in (
        "nowhere.Hasher",
        "hasher",
        "",
        f"{hashers.__name__}.Nothing",
        "builtins.dict",
        hashers.__name__ + ".",
    ):
        with settings.override(PASSWORD_HASHERS=[path]), pytest.raises(ImproperlyConfigured, match="PASSWORD_HASHERS"):
            make_password("x")
    with settings.override(PASSWORD_HASHERS=[]), pytest.raises(ImproperlyConfigured, match="PASSWORD_HASHERS"):
        make_password("x")


def test_without_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_password("secret", hasher="argon2")
    monkeypatch.setattr(algorithms, "_argon2", None)
    assert get_hasher().algorithm == "pbkdf2_sha256"
    with pytest.raises(ImproperlyConfigured, match="pip install"):
        make_password("secret", hasher="argon2")
    with pytest.raises(ImproperlyConfigured, match="pip install"):
        check_password("secret", made)


def test_django_settings_name_our_hashers() -> None:
    with settings.override(PASSWORD_HASHERS=[DJANGO + "MD5PasswordHasher"]):
        assert type(get_hasher()) is hashers.MD5PasswordHasher


MUTILATED = [
    "",
    "$",
    "$$$$$$",
    "argon2",
    "argon2$",
    "argon2$$$$$",
    "argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdA$",
    "argon2$argon2id$v=19$m=8,t=1,p=1$$",
    "argon2$argon2id$v=19$m=99999999999,t=1,p=1$c2Vhc2FsdDE$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI",
    "argon2$argon2id$v=19$m=8,t=99999999,p=1$c2Vhc2FsdDE$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI",
    "argon2$argon2id$v=19$m=8,t=x,p=1$c2Vhc2FsdDE$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI",
    "argon2$argon2é$v=19$m=8,t=1,p=1$c2Vhc2FsdDE$xyz",
    "argon2$argon2id$v=19$m=8,t=1,p=1$c2Vhc2FsdDE$\x00",
    "argon2$argon2id$v=19$m=8,t=0,p=0$c2Vhc2FsdDE$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI",
    "pbkdf2_sha256$0$salt$x",
    "pbkdf2_sha256$-1$salt$x",
    "pbkdf2_sha256$9999999999999999999999$salt$x",
    "pbkdf2_sha256$" + "9" * 5000 + "$salt$x",
    "pbkdf2_sha256$2000000000$salt$x",
    "pbkdf2_sha256$1$$x",
    "pbkdf2_sha256$١$salt$x",
    "pbkdf2_sha256$1_0$salt$x",
    "pbkdf2_sha256$1$salt",
    "pbkdf2_sha256$1$salt$é\ud800",
    "pbkdf2_sha256$1$\ud800\x00$x",
    "scrypt$3$salt$1$1$x",
    "scrypt$1$salt$1$1$x",
    "scrypt$1073741824$salt$8$5$x",
    "scrypt$2$salt$99999999$99999999$x",
    "scrypt$2$salt$1",
    "md5$$x",
    "md5$a$b$c",
    "sha1$a",
    "bcrypt$$2b$12$abc",
    "!" + "x" * 100_000,
]
ODD_PASSWORDS = ["", "\x00", "a\x00b", "\ud800", "😀", "x" * 100_000, b"", b"\xff\x00", "$", "!"]


@pytest.mark.parametrize("encoded", MUTILATED)
def test_mutilated_hashes_fit_nothing(quick: None, encoded: str) -> None:
    for password in ODD_PASSWORDS[:5]:
        assert check_password(password, encoded, pytest.fail) is False
    for hasher in hashers.get_hashers():
        assert hasher.verify("x", encoded) is False


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_odd_passwords(quick: None, algorithm: str) -> None:
    for password in ODD_PASSWORDS:
        made = make_password(password, hasher=algorithm)
        assert check_password(password, made)
        assert not check_password("other", made)
        assert not check_password(None, made)
    odd: Any
    for odd in (1, [], object(), True):
        assert check_password(odd, made) is False
        assert check_password("x", odd) is False


WITH_SURROGATES = st.text(st.characters(codec=None, categories=None), max_size=20)


@hypothesis_settings(max_examples=60, deadline=None)
@given(WITH_SURROGATES, WITH_SURROGATES, st.sampled_from(ALGORITHMS))
@example("\ud800", "", "argon2")
def test_checks_never_raise(password: str, tail: str, algorithm: str) -> None:
    with settings.override(PASSWORD_HASHERS=QUICK):
        made = make_password(password, hasher=algorithm)
        assert check_password(password, made)
        assert check_password(tail, made) == (tail == password)
        for encoded in (tail, f"{algorithm}${tail}", made + tail, made[: -len(tail) - 1], tail + made):
            assert check_password("another" + password, encoded) is False


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_hash_survives_a_changed_character(data: st.DataObject) -> None:
    with settings.override(PASSWORD_HASHERS=QUICK):
        made = make_password("secret", hasher=data.draw(st.sampled_from(["md5", "sha1", "pbkdf2_sha256"])))
        place = data.draw(st.integers(0, len(made) - 1))
        other = data.draw(st.characters().filter(lambda letter: letter != made[place]))
        assert not check_password("secret", made[:place] + other + made[place + 1 :])


def test_a_hasher_of_ones_own() -> None:
    base = BasePasswordHasher()
    with pytest.raises(NotImplementedError):
        base.encode("x", "y")
    assert base.must_update("x") is False
    assert base.harden_runtime("x", "y") is None  # type: ignore[func-returns-value]
    assert len(base.salt()) == 22
    assert get_hasher(base) is base
    assert hashers.mask_hash("abcdefghi") == "abcdef***"
