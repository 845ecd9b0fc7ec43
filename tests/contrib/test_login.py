"""Logging in: who is let in, that no input makes it raise, and that nobody learns from it who has an account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import contrib_models as club
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

import crowsfoot
from crowsfoot.conf import settings
from crowsfoot.contrib import auth
from crowsfoot.contrib.auth import algorithms, backends
from crowsfoot.contrib.auth.hashers import identify_hasher
from crowsfoot.contrib.auth.models import Group, Permission, User
from crowsfoot.contrib.contenttypes.models import ContentType
from crowsfoot.errors import ImproperlyConfigured, PermissionDenied
from crowsfoot.testing import assert_num_queries, rolled_back

MODEL = "crowsfoot.contrib.auth.backends.ModelBackend"
HERE = __name__


@pytest.fixture
def asha(db: Any) -> Any:
    return User.objects.create_user("asha", "asha@example.com", "secret")


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The passwords that were hashed, which is what takes the time of a log-in."""
    passwords: list[Any] = []
    encode = algorithms.MD5PasswordHasher.encode

    def noting(self: Any, password: Any, salt: str) -> str:
        passwords.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(algorithms.MD5PasswordHasher, "encode", noting)
    return passwords


# -- who is let in -----------------------------------------------------------------------------------------------------


def test_name_and_password_prove_a_user(asha: Any, call: Any) -> None:
    user = call(auth, "authenticate", username="asha", password="secret")
    assert user == asha
    assert user.backend == MODEL
    assert call(auth, "authenticate", None, username="asha", password="secret") == asha
    assert call(auth, "authenticate", username="asha", password="Secret") is None
    assert call(auth, "authenticate", username="Asha", password="secret") is None
    assert call(auth, "authenticate", username="ravi", password="secret") is None


def test_a_log_in_is_one_query(asha: Any) -> None:
    with assert_num_queries(1):
        auth.authenticate(username="asha", password="secret")
    with assert_num_queries(1):
        auth.authenticate(username="ravi", password="secret")
    with assert_num_queries(0):
        auth.authenticate(username="asha", password=None)


def test_who_is_not_active_is_not_let_in(asha: Any, call: Any) -> None:
    asha.is_active = False
    asha.save()
    assert call(auth, "authenticate", username="asha", password="secret") is None
    with settings.override(AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.AllowAllUsersModelBackend"]):
        assert call(auth, "authenticate", username="asha", password="secret") == asha


def test_a_user_by_key(asha: Any, call: Any) -> None:
    backend = backends.ModelBackend()
    assert call(backend, "get_user", asha.pk) == asha
    assert call(backend, "get_user", asha.pk + 1) is None
    asha.is_active = False
    asha.save()
    assert call(backend, "get_user", asha.pk) is None


def test_an_own_model_of_users(db: Any, call: Any) -> None:
    with settings.override(AUTH_USER_MODEL="club.Member"):
        member = club.Member(email="asha@example.com")
        member.set_password("secret")
        call(member, "save")
        for credentials in ({"email": "ASHA@example.com"}, {"username": "asha@example.com"}):
            assert call(auth, "authenticate", **credentials, password="secret") == member
        assert call(auth, "authenticate", email="ravi@example.com", password="secret") is None


@pytest.mark.parametrize("number", [7, "7"])
def test_a_name_need_not_be_text(db: Any, call: Any, number: Any) -> None:
    with settings.override(AUTH_USER_MODEL="club.Badge"):
        badge = club.Badge(number=7)
        badge.set_password("secret")
        call(badge, "save")
        assert call(auth, "authenticate", number=number, password="secret") == badge
        for odd in ("seven", 10**30, -(10**30), [7], "", float("nan"), float("inf"), b"x", "7\0"):
            assert call(auth, "authenticate", number=odd, password="secret") is None


# -- odd input ---------------------------------------------------------------------------------------------------------

ODD: list[Any] = [
    None, "", " ", "\0", "asha\0", "\ud800", "asha\udfff", "x" * 1_000_000, "a" * 151, b"asha", bytearray(b"asha"),
    0, 1.5, True, [], ["asha"], {"asha": 1}, object(), User, User(username="asha"), float("nan"), 10**40, "' OR 1=1 --",
    "%s", "?",
]  # fmt: skip


def test_no_name_makes_it_raise(asha: Any, call: Any) -> None:
    for username in ODD:
        assert call(auth, "authenticate", username=username, password="secret") is None, username


@pytest.mark.parametrize("username", ["asha", "ravi"])
def test_no_password_makes_it_raise(asha: Any, call: Any, username: str) -> None:
    for password in ODD:
        assert call(auth, "authenticate", username=username, password=password) is None, password


def test_an_odd_password_fits_itself(db: Any, call: Any) -> None:
    for number, password in enumerate(["\0", "\ud800", "x" * 1_000_000, b"\xff"]):
        user = call(User.objects, "create_user", f"user{number}", password=password)
        assert call(auth, "authenticate", username=user.username, password=password) == user


def test_odd_credentials_do_not_end_a_transaction(asha: Any) -> None:
    with rolled_back():
        for odd in ODD:
            auth.authenticate(username=odd, password="secret")
        assert auth.authenticate(username="asha", password="secret") == asha


def test_no_stored_hash_makes_it_raise(asha: Any, call: Any) -> None:
    for stored in ("", "!", "secret", "md5$", "md5$$x", "argon2$x", "pbkdf2_sha256$a$b$c", "$$$$", "bcrypt$x$y"):
        User.objects.filter(pk=asha.pk).update(password=stored)
        for password in ("secret", "", stored):
            assert call(auth, "authenticate", username="asha", password=password) is None, stored


anything = st.one_of(
    st.none(), st.text(), st.text(st.characters(categories=["Cs"])), st.binary(), st.integers(), st.floats(),
    st.booleans(), st.lists(st.text(), max_size=2), st.sampled_from(["asha", "secret"]),
)  # fmt: skip


@pytest.fixture(scope="module")
def one_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path = tmp_path_factory.mktemp("login") / "club.db"
    database = crowsfoot.connect(f"sqlite:///{path}")
    crowsfoot.create_tables(ContentType, Permission, Group, User)
    yield User.objects.create_user("asha", password="secret")
    database.close()


@given(username=anything, password=anything, others=st.dictionaries(st.text(max_size=5), anything, max_size=2))
@effort(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_given_the_answer_is_a_user_or_none(
    one_user: Any, username: Any, password: Any, others: dict[str, Any]
) -> None:
    right = username == "asha" and password in ("secret", b"secret")
    credentials = {**others, "username": username, "password": password}
    credentials.pop("request", None)
    assert auth.authenticate(**credentials) == (one_user if right else None)


# -- what can be learned from it ---------------------------------------------------------------------------------------


def test_an_unknown_user_costs_what_a_known_one_does(asha: Any, call: Any, hashed: list[Any]) -> None:
    for password in ("wrong", "", "x" * 5000, b"bytes", "\ud800"):
        for username in ("asha", "ravi", "\0", 5):
            hashed.clear()
            call(auth, "authenticate", username=username, password=password)
            assert hashed == [password], username


def test_who_has_no_usable_password_costs_the_same(asha: Any, call: Any, hashed: list[Any]) -> None:
    asha.set_unusable_password()
    asha.save()
    call(auth, "authenticate", username="asha", password="wrong")
    assert hashed == ["wrong"]


# -- hashes that Django made -------------------------------------------------------------------------------------------


ALGORITHMS = ["Argon2", "PBKDF2", "PBKDF2SHA1", "Scrypt", "MD5"]

# Made by Django 6.1 from "secret", at a small cost.
MADE_BY_DJANGO = [
    "pbkdf2_sha256$1000$saltsaltsaltsaltsalt12$GnO9HZP2L92+DEh2PGYIDx80Agf4t3MuW3QZ7qP2v5I=",
    "pbkdf2_sha1$1000$saltsaltsaltsaltsalt12$65tAWk5yPbpfDGYnrjXwiRiO/cA=",
    "scrypt$256$saltsaltsaltsaltsalt12$8$5$"
    "hzper3t5rvGo/KayQTywV6vPm4YS/CEmWnhxV2KW8u3LlEWwuNCWju6Tvt43oH+ETpiCKnYqTRaDaR8cSzqrtQ==",
    "md5$saltsaltsaltsaltsalt12$63cce681f900cdf9acf600906aa5d655",
    "argon2$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdHNhbHQxMg$a0K3R/veDqNxCl2uDFkfNtlnRumV+XBarFLPmwwcKoI",
]


@pytest.mark.parametrize("encoded", MADE_BY_DJANGO, ids=lambda encoded: encoded.partition("$")[0])
def test_a_hash_of_django_lets_in_and_becomes_argon2(db: Any, call: Any, encoded: str) -> None:
    with settings.override(PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{a}PasswordHasher" for a in ALGORITHMS]):
        user = User.objects.create(username="asha", password=encoded)
        assert call(auth, "authenticate", username="asha", password="wrong") is None
        assert call(User.objects, "get").password == encoded
        assert call(auth, "authenticate", username="asha", password="secret") == user
        stored = call(User.objects, "get").password
        assert stored != encoded
        assert identify_hasher(stored).algorithm == "argon2"
        assert call(auth, "authenticate", username="asha", password="secret") == user
        assert call(User.objects, "get").password == stored


# -- several backends --------------------------------------------------------------------------------------------------


class Tokens(backends.BaseBackend):
    """Knows one user by a token."""

    def authenticate(self, request: Any, token: str) -> Any:
        return User.objects.get(username="asha") if token == "t" else None


class Closed(backends.BaseBackend):
    """Lets nobody in."""

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        raise PermissionDenied


def test_a_backend_is_asked_for_the_credentials_it_takes(asha: Any) -> None:
    with settings.override(AUTHENTICATION_BACKENDS=[f"{HERE}.Tokens", MODEL]):
        found = auth.authenticate(token="t")
        assert (found, found.backend) == (asha, f"{HERE}.Tokens")
        assert auth.authenticate(token="other") is None
        assert auth.authenticate(username="asha", password="secret").backend == MODEL


def test_the_awaitable_twin_of_a_plain_backend_runs_it_in_a_thread(asha: Any) -> None:
    with settings.override(AUTHENTICATION_BACKENDS=[f"{HERE}.Tokens"]):
        assert asyncio.run(auth.aauthenticate(token="t")) == asha


def test_permission_denied_ends_the_matter(asha: Any, call: Any) -> None:
    with settings.override(AUTHENTICATION_BACKENDS=[f"{HERE}.Closed", MODEL]):
        assert call(auth, "authenticate", username="asha", password="secret") is None


def test_a_setting_without_backends_is_an_error() -> None:
    with settings.override(AUTHENTICATION_BACKENDS=[]), pytest.raises(ImproperlyConfigured, match="No authentication"):
        auth.get_backends()
    with (
        settings.override(AUTHENTICATION_BACKENDS=["nowhere.Backend"]),
        pytest.raises(ImproperlyConfigured, match="nowhere"),
    ):
        auth.get_backends()
