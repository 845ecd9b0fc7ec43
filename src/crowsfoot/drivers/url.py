"""A database URL, read into its parts and shown again without its password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NoReturn
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit
from weakref import WeakValueDictionary

from crowsfoot.errors import ImproperlyConfigured, unknown_name

SHAPES = {
    "sqlite": "sqlite:///blog.db (next to you), sqlite:////srv/blog.db (absolute) or sqlite://:memory:",
    "postgresql": "postgresql://user:password@localhost:5432/blog",
    "mysql": "mysql://user:password@localhost:3306/blog",
}
_ALIASES = {"postgres": "postgresql", "sqlite3": "sqlite"}
_PORTS = {"postgresql": 5432, "mysql": 3306}
_OPTIONS = {
    "sqlite": {"timeout"},
    "postgresql": {
        "application_name", "connect_timeout", "options", "prepare", "sslcert", "sslcrl", "sslkey", "sslmode",
        "sslrootcert", "target_session_attrs", "timezone",
    },
}  # fmt: skip


class MemoryKey:
    """Stands for one database in memory, which lives as long as its key: who holds the ``URLParts`` holds the data."""

    __slots__ = ("__weakref__", "name")

    def __init__(self, name: str = "") -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<MemoryKey {self.name or hex(id(self))}>"


_named: WeakValueDictionary[str, MemoryKey] = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class URLParts:
    """What a database URL says. ``database`` is a file (or ``file:`` URI) for SQLite and a name for a server.

    ``memory_key`` is set for SQLite databases in memory: every connection opened from parts with the same key sees the
    same database. ``str()``, ``repr()`` and ``safe`` never show the password.
    """

    scheme: str
    database: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    memory_key: MemoryKey | None = field(default=None, compare=False)

    @property
    def safe(self) -> str:
        """The URL with ``***`` in place of the password."""
        query = f"?{urlencode(self.options)}" if self.options else ""
        if self.scheme == "sqlite":
            if self.database == ":memory:":
                return f"sqlite://:memory:{query}"
            if query and "?" in self.database:
                query = "&" + query[1:]
            return f"sqlite:///{self.database}{query}"
        login = quote(self.user, safe="") if self.user else ""
        if self.password is not None:
            login += ":***"
        host = f"[{self.host}]" if self.host and ":" in self.host else quote(self.host or "", safe="")
        port = f":{self.port}" if self.port is not None else ""
        return f"{self.scheme}://{login}{'@' if login else ''}{host}{port}/{quote(self.database, safe='')}{query}"

    def __str__(self) -> str:
        return self.safe

    @property
    def timeout(self) -> float:
        """Seconds a SQLite connection waits for another writer: ``?timeout=``, else 5."""
        return float(self.options.get("timeout", "5"))


def parse_url(url: str) -> URLParts:
    """Read ``url``. Raises ``ImproperlyConfigured``: what is wrong and the right shape, never a password.

    >>> parse_url("postgres://asha:secret@db.example/blog").safe
    'postgresql://asha:***@db.example:5432/blog'
    """
    scheme, found, rest = url.strip().partition("://")
    scheme = _ALIASES.get(scheme.lower(), scheme.lower())
    if not found:
        shapes = "; ".join(SHAPES.values())
        raise ImproperlyConfigured(
            f"A database URL starts with its kind and '://', and this one does not. Write {shapes}."
        )
    if scheme not in SHAPES:
        choices = unknown_name("kind", scheme, "A database URL", SHAPES)
        raise ImproperlyConfigured(f"{choices} Write {'; '.join(SHAPES.values())}.")
    return _sqlite(rest) if scheme == "sqlite" else _server(scheme, rest)


def _wrong(scheme: str, what: str) -> NoReturn:
    # Not from what urllib raised: it quotes the URL, and a password that is not escaped can be in any part of it.
    raise ImproperlyConfigured(f"Wrong {scheme} URL: {what} Write {SHAPES[scheme]}.") from None


def _sqlite(rest: str) -> URLParts:
    path, _, query = rest.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    own = {name: given.pop(name) for name in _OPTIONS["sqlite"] if name in given}
    try:
        good = float(own.get("timeout", "5")) >= 0
    except ValueError:
        good = False
    if not good:
        _wrong("sqlite", f"timeout is a number of seconds, not {own['timeout']!r}.")
    options = MappingProxyType(own)
    if path in (":memory:", "/:memory:"):
        _check_options("sqlite", given)
        return URLParts("sqlite", ":memory:", options=options, memory_key=MemoryKey())
    if not path.startswith("/"):
        _wrong("sqlite", "there must be three slashes before a file's name (four before an absolute path).")
    path = path[1:]
    if path.startswith("file:"):
        return _sqlite_uri(path, given, options)
    _check_options("sqlite", given)
    if not path or path.endswith("/") or "\0" in unquote(path):
        _wrong("sqlite", "the name of the file is missing.")
    return URLParts("sqlite", unquote(path), options=options)


def _sqlite_uri(path: str, given: dict[str, str], options: Mapping[str, str]) -> URLParts:
    """A ``file:`` URI; SQLite's own options stay in it. In memory, the same name is the same database."""
    name = path.removeprefix("file:")
    if not name:
        _wrong("sqlite", "the name after 'file:' is missing.")
    key = None
    if given.get("mode") == "memory":
        key = MemoryKey(name)
        if given.get("cache") == "shared":
            key = _named.setdefault(name, key)
    uri = f"{path}?{urlencode(given)}" if given else path
    return URLParts("sqlite", uri, options=options, memory_key=key)


def _server(scheme: str, rest: str) -> URLParts:
    if "#" in rest:
        _wrong(scheme, "it has a '#', which must be written %23.")
    try:
        split: SplitResult = urlsplit(f"{scheme}://{rest}")
    except ValueError:
        _wrong(scheme, "the host is not readable (an IPv6 address stands in brackets, [::1]).")
    try:
        port = split.port
    except ValueError:
        _wrong(scheme, "the port is not a number from 1 to 65535 (write / @ : in a password as %2F %40 %3A).")
    options = dict(parse_qsl(split.query, keep_blank_values=True))
    host = unquote(split.hostname) if split.hostname else options.pop("host", None)
    database = unquote(split.path[1:])
    if not database or "/" in database:
        _wrong(scheme, "the name of the database is missing." if not database else "the database's name has a '/'.")
    _check_options(scheme, options)
    if options.get("connect_timeout") and not options["connect_timeout"].isdecimal():
        _wrong(scheme, f"connect_timeout is a number of seconds, not {options['connect_timeout']!r}.")
    return URLParts(
        scheme=scheme,
        database=database,
        user=unquote(split.username) if split.username else None,
        password=unquote(split.password) if split.password is not None else None,
        host=host,
        port=port or (_PORTS[scheme] if host else None),
        options=MappingProxyType(options),
    )


def _check_options(scheme: str, options: Mapping[str, str]) -> None:
    known = _OPTIONS.get(scheme)
    for name in options:
        if not name.isidentifier():
            _wrong(scheme, "an option after the '?' has no proper name (a '?' in a password is written %3F).")
        if known is not None and name not in known:
            _wrong(scheme, unknown_name("option", name, f"A {scheme} URL", known))
