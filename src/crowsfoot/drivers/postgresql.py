"""What the two PostgreSQL drivers share: the wording of errors, cursors on the server, and the meaning of the URL.

SQL has ``$1, $2, …`` for both. They read the same types: int, float, Decimal, bool, str, bytes, date, time, datetime
(aware ones in UTC), timedelta, UUID, arrays as lists, and json, jsonb, inet and cidr as text.

What differs is binding, because asyncpg sends binary values: it takes exactly the type that the server infers for a
placeholder, while psycopg sends text that the server casts. So the compiler writes a cast where the context does not
give the type (``$1::int``, not ``SELECT $1`` or ``$1 + $2``), an int is not bound where a text is expected, and a naive
datetime not where an aware one is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count

from crowsfoot import errors
from crowsfoot.conf import settings
from crowsfoot.drivers.url import URLParts
from crowsfoot.timezones import get_default_timezone_name

IN_DOUBT = "RevalidateCachedQuery"
"""The server's function that reports a prepared statement whose result type has changed since."""

# The first two characters of an SQLSTATE; exceptions of the rule by the whole of it.
_CLASSES: dict[str, type[errors.Error]] = {
    "08": errors.OperationalError,
    "0A": errors.NotSupportedError,
    "10": errors.ProgrammingError,
    "20": errors.ProgrammingError,
    "21": errors.ProgrammingError,
    "22": errors.DataError,
    "23": errors.IntegrityError,
    "24": errors.InternalError,
    "25": errors.InternalError,
    "26": errors.ProgrammingError,
    "27": errors.OperationalError,
    "28": errors.OperationalError,
    "2B": errors.InternalError,
    "2D": errors.InternalError,
    "2F": errors.OperationalError,
    "34": errors.ProgrammingError,
    "38": errors.OperationalError,
    "39": errors.OperationalError,
    "3B": errors.OperationalError,
    "3D": errors.ProgrammingError,
    "3F": errors.ProgrammingError,
    "40": errors.OperationalError,
    "42": errors.ProgrammingError,
    "44": errors.ProgrammingError,
    "53": errors.OperationalError,
    "54": errors.OperationalError,
    "55": errors.OperationalError,
    "57": errors.OperationalError,
    "58": errors.OperationalError,
    "F0": errors.OperationalError,
    "HV": errors.OperationalError,
    "P0": errors.ProgrammingError,
    "XX": errors.InternalError,
}
_STATES: dict[str, type[errors.Error]] = {"08P01": errors.ProgrammingError, "54001": errors.QueryTooDeep}

_REMEDIES = {
    "40001": "Another transaction got in between: run this transaction again.",
    "40P01": "Two transactions wait for each other: run this one again, and lock rows in the same order everywhere.",
    "42501": "The user of the URL has not been granted this.",
    "42703": "Does the database lag behind the models? Run `migrate`.",
    "42P18": "Write the type of the placeholder: $1::int, for example.",
    "53100": "The server's disk is full.",
    "53300": "The server has no connection left: lower the pool's max_size or raise max_connections.",
    "55P03": "Another transaction holds the lock.",
    "57014": "A cancelled task or statement_timeout ended it.",
    "57P01": "The server is shutting down or restarting: connect again.",
}
_KEY = re.compile(r'Key \((.+?)\)=\(|"?Key \((.+?)\)')
_NAME = re.compile(r'"((?:[^"]|"")+)"|([^\W\d][\w$]*)')


@dataclass(frozen=True, slots=True)
class Report:
    """What the server says about an error."""

    sqlstate: str
    message: str
    detail: str | None = None
    hint: str | None = None
    constraint: str | None = None
    table: str | None = None
    column: str | None = None


def translate(report: Report) -> errors.Error:
    """The exception for a report, in the server's words and with a remedy where one is known."""
    state = report.sqlstate
    kind = _STATES.get(state) or _CLASSES.get(state[:2], errors.DatabaseError)
    lines = [report.message]
    if report.detail:
        lines.append(f"DETAIL:  {report.detail}")
    if report.hint:
        lines.append(f"HINT:  {report.hint}")
    if state in _REMEDIES:
        lines.append(_REMEDIES[state])
    error = kind("\n".join(lines))
    if isinstance(error, errors.IntegrityError):
        error.constraint = report.constraint
        error.table = report.table
        error.columns = (report.column,) if report.column else _columns(report.detail or "")
    return error


def _columns(detail: str) -> tuple[str, ...]:
    """The columns of ``Key (author_id, "order")=(1, 2) already exists.``; none where one is an expression."""
    found = _KEY.match(detail)
    if found is None:
        return ()
    names = [_NAME.fullmatch(part) for part in (found[1] or found[2]).split(", ")]
    return tuple((name[1] or name[2]).replace('""', '"') for name in names if name) if all(names) else ()


def address(parts: URLParts) -> str:
    """``host:port`` for people."""
    return f"{parts.host}:{parts.port}" if parts.host else "the local socket"


def cannot_connect(parts: URLParts, text: str, sqlstate: str | None = None) -> errors.OperationalError:
    """The exception for a connection that could not be made: what is wrong, where, and what to do. No password in it.

    psycopg has no SQLSTATE here, so the text decides where there is none.
    """
    low = text.lower()
    where = address(parts)
    user = f"the user {parts.user!r}" if parts.user else "your user"
    at = f" --host={parts.host} --port={parts.port}" if parts.host else ""
    at += f" --username={parts.user}" if parts.user else ""
    if sqlstate == "3D000" or ('database "' in low and "does not exist" in low):
        say = f"There is no database {parts.database!r} at {where}. Create it with: createdb {parts.database}{at}"
    elif 'role "' in low and "does not exist" in low:
        say = f"PostgreSQL at {where} does not know {user}. Create it with `createuser`, or change the URL."
    elif sqlstate == "28P01" or "password" in low:
        say = f"PostgreSQL at {where} refused the password of {user}. Change it in the URL (special characters as %40)."
    elif sqlstate == "28000" or "pg_hba" in low:
        say = f"PostgreSQL at {where} does not let {user} in from here: see pg_hba.conf, or try ?sslmode=require."
    elif sqlstate == "53300" or "too many" in low:
        say = f"PostgreSQL at {where} has no connection left: lower the pool's max_size or raise max_connections."
    elif "resolve host" in low or "not known" in low or "name resolution" in low or "nodename" in low:
        say = f"The host {parts.host!r} is not known. Check it in the URL."
    elif "refused" in low or "no such file" in low or "connect call failed" in low:
        say = f"No PostgreSQL answers at {where}. Start the server, or change the host and port in the URL."
    elif "timeout" in low or "timed out" in low:
        say = f"PostgreSQL at {where} did not answer in time. Check host and port, or set ?connect_timeout=30."
    else:
        say = f"Cannot connect to PostgreSQL at {where}."
    return errors.OperationalError(f"{say} ({parts.safe}: {' '.join(text.split()) or 'no answer'})")


_TAGS = ("SET ", "set ", "Set ", "LISTEN", "listen", "RESET ", "reset ", "DISCARD", "discard")


def changes_session(sql: str) -> bool:
    """Whether a statement is of those that outlive its transaction in the session. Costs 100 ns."""
    return sql.startswith(_TAGS)


_numbers = count(1)


class ServerCursor:
    """A cursor that lives on the server.

    Outside a transaction it is declared WITH HOLD (``held``): it does not open one that later statements would find
    themselves in, at the price that the server stores the result first.
    """

    __slots__ = ("__weakref__", "held", "name", "statements")

    def __init__(self, held: bool) -> None:
        self.held = held
        self.name = f"crowsfoot_{next(_numbers)}"
        self.statements: dict[int, object] = {}  # asyncpg's, by size

    def declare(self, sql: str) -> str:
        return f"DECLARE {self.name} NO SCROLL CURSOR {'WITH' if self.held else 'WITHOUT'} HOLD FOR {sql}"

    def fetch(self, size: int) -> str:
        return f"FETCH FORWARD {int(size)} FROM {self.name}"

    @property
    def close(self) -> str:
        return f"CLOSE {self.name}"

    @property
    def exists(self) -> str:
        """A statement that has a row if the cursor did not end with its transaction."""
        return f"SELECT 1 FROM pg_catalog.pg_cursors WHERE name = '{self.name}'"


def timezone(parts: URLParts) -> str:
    """The session's time zone: ``?timezone=``, else UTC; the default one where moments have no zone."""
    return parts.options.get("timezone") or ("UTC" if settings.USE_TZ else get_default_timezone_name())


def prepares(parts: URLParts) -> bool:
    """Whether statements may be prepared; ``?prepare=off`` is for a PgBouncer that cannot."""
    return parts.options.get("prepare", "on").lower() not in ("off", "false", "no", "0")
