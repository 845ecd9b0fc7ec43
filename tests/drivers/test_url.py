"""Database URLs: every good one survives the way there and back, every bad one is explained without its password."""

from __future__ import annotations

import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowsfoot.drivers.url import parse_url
from crowsfoot.errors import ImproperlyConfigured

words = st.text(string.ascii_letters + string.digits + "äß@:/?#%& é+", min_size=1, max_size=12)
names = st.text(string.ascii_letters + string.digits + "_-äß@:?#% ", min_size=1, max_size=12)
hosts = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z]{2,4})?", fullmatch=True) | st.just("127.0.0.1")


@given(words, words, hosts, st.integers(1, 65535), names, st.sampled_from(["postgres", "postgresql", "mysql"]))
def test_a_server_url_is_read_into_its_parts(
    user: str, password: str, host: str, port: int, name: str, scheme: str
) -> None:
    parts = parse_url(
        f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{host}:{port}/{quote(name, safe='')}"
    )
    assert (parts.user, parts.password, parts.host, parts.port, parts.database) == (user, password, host, port, name)
    assert parts.scheme == ("mysql" if scheme == "mysql" else "postgresql")


@given(st.text("abcXYZ0123", min_size=6, max_size=12), names)
def test_no_rendering_shows_the_password_and_the_rest_survives(password: str, name: str) -> None:
    secret = f"~{password}~"
    parts = parse_url(f"postgresql://u:{secret}@h/{quote(name, safe='')}?application_name=a%20b")
    for text in (parts.safe, str(parts), repr(parts)):
        assert secret not in text
    again = parse_url(parts.safe)
    assert again.password == "***"
    assert (again.user, again.host, again.port, again.database, again.options) == (
        parts.user, parts.host, parts.port, parts.database, parts.options,
    )  # fmt: skip


@given(
    st.text(max_size=30), st.sampled_from(["", "sqlite://", "sqlite:///", "postgresql://", "postgresql://u:S3CRET@"])
)
def test_any_text_is_read_or_explained(text: str, start: str) -> None:
    try:
        parts = parse_url(start + text)
    except ImproperlyConfigured as error:
        shown = str(error)
    else:
        shown = str(parts)
    assert "://" in shown
    assert "S3CRET" not in shown


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("sqlite:///blog.db", "blog.db"),
        ("sqlite:///data/blog.db", "data/blog.db"),
        ("sqlite:////srv/blog.db", "/srv/blog.db"),
        ("sqlite:///C:/blog.db", "C:/blog.db"),
        ("sqlite:///my%20blog.db", "my blog.db"),
        ("sqlite:///file:blog.db?mode=ro", "file:blog.db?mode=ro"),
        ("sqlite3:///blog.db", "blog.db"),
    ],
)
def test_sqlite_files(url: str, database: str) -> None:
    parts = parse_url(url)
    assert (parts.scheme, parts.database, parts.memory_key) == ("sqlite", database, None)


@pytest.mark.parametrize("url", ["sqlite://:memory:", "sqlite:///:memory:"])
def test_each_memory_url_is_a_database_of_its_own(url: str) -> None:
    one, other = parse_url(url), parse_url(url)
    assert one.database == ":memory:"
    assert one.memory_key is not None
    assert one.memory_key is not other.memory_key
    assert one == other


def test_named_memory_urls_are_the_same_database() -> None:
    url = "sqlite:///file:blog?mode=memory&cache=shared"
    one, other = parse_url(url), parse_url(url)
    assert one.memory_key is other.memory_key is not None
    assert parse_url("sqlite:///file:shop?mode=memory&cache=shared").memory_key is not one.memory_key
    assert parse_url(one.safe).memory_key is one.memory_key


def test_the_timeout_is_an_option_of_ours_and_not_of_the_file() -> None:
    assert parse_url("sqlite:///blog.db").timeout == 5
    parts = parse_url("sqlite:///file:blog.db?mode=ro&timeout=0.5")
    assert (parts.timeout, parts.database) == (0.5, "file:blog.db?mode=ro")
    assert parse_url(parts.safe) == parts


def test_defaults_of_a_server_url() -> None:
    parts = parse_url("postgres:///blog")
    assert (parts.user, parts.password, parts.host, parts.port) == (None, None, None, None)
    assert parse_url("postgresql://db.example/blog").port == 5432
    assert parse_url("postgresql://[::1]/blog").host == "::1"
    assert parse_url("postgresql:///blog?host=/run/postgresql").host == "/run/postgresql"
    assert parse_url("postgresql://h/blog?timezone=Europe/Berlin").options["timezone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("blog.db", "sqlite:///blog.db"),
        ("postgress://h/blog", "Did you mean 'postgres"),
        ("sqlite://blog.db", "three slashes"),
        ("sqlite:///", "name of the file is missing"),
        ("sqlite:///blog.db?tiemout=3", "Did you mean 'timeout'"),
        ("sqlite:///blog.db?timeout=long", "'long'"),
        ("sqlite:///file:", "after 'file:'"),
        ("postgresql://h", "name of the database is missing"),
        ("postgresql://h/a/b", "has a '/'"),
        ("postgresql://u:pw@h:port/blog", "port is not a number"),
        ("postgresql://u:p/w@h/blog", "%2F"),
        ("postgresql://[::1/blog", "brackets"),
        ("postgresql://h/blog?sslmod=require", "Did you mean 'sslmode'"),
        ("postgresql://h/blog?connect_timeout=x", "connect_timeout"),
        ("postgresql://u:p#w@h/blog", "%23"),
    ],
)
def test_a_wrong_url_says_what_and_shows_the_shape(url: str, says: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        parse_url(url)
    assert says in str(caught.value)
    assert "://" in str(caught.value)
