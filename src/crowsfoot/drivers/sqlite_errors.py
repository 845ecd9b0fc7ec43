"""What went wrong in SQLite, said in Crowsfoot's exceptions, with the file's name and a remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

from crowsfoot import errors

_CONSTRAINT = re.compile(r"(UNIQUE|NOT NULL|CHECK|FOREIGN KEY|PRIMARY KEY) constraint failed(?:: (.*))?", re.DOTALL)
_INDEX = re.compile(r"index '(.*)'")
_STORABLE = (type(None), int, float, str, bytes, bytearray, memoryview)

# apsw's exception -> ours and what to do about it; the first that fits. The classes are those of the standard library's
# sqlite3, because Django's users know them.
_KINDS: tuple[tuple[type[apsw.Error], type[errors.Error], str], ...] = (
    (
        apsw.BusyError,
        errors.OperationalError,
        "Another connection is writing and did not finish in time. Keep transactions short, or wait longer with "
        "?timeout=30 in the URL.",
    ),
    (
        apsw.LockedError,
        errors.OperationalError,
        "Another statement still reads or writes the table. Finish or close open iterators, then try again.",
    ),
    (apsw.FullError, errors.OperationalError, "The disk is full: free some space."),
    (
        apsw.ReadOnlyError,
        errors.OperationalError,
        "The file or its folder may not be written: check its permissions (SQLite also writes a -wal file next to it).",
    ),
    (apsw.NotADBError, errors.DatabaseError, "The file is not a SQLite database (or an encrypted one): check the URL."),
    (apsw.CorruptError, errors.DatabaseError, "The file is damaged: restore a backup, or try sqlite3's .recover."),
    (apsw.IOError, errors.OperationalError, "The file could not be read or written: check the disk and the file."),
    (apsw.MismatchError, errors.IntegrityError, "The value has the wrong type for its column."),
    (apsw.TooBigError, errors.DataError, "The value is larger than SQLite stores."),
    (apsw.BindingsError, errors.ProgrammingError, "Give one parameter for each placeholder."),
    (apsw.InterruptError, errors.OperationalError, "The statement was interrupted, by a cancelled task for example."),
    (apsw.NoMemError, errors.OperationalError, "There is not enough memory."),
    (apsw.InternalError, errors.InternalError, ""),
    (apsw.ConnectionClosedError, errors.InterfaceError, "The connection is closed: open a new one."),
    (apsw.CursorClosedError, errors.InterfaceError, "The cursor is closed."),
    (apsw.MisuseError, errors.InterfaceError, ""),
    (apsw.ThreadingViolationError, errors.InterfaceError, "Use one connection for each thread."),
    (apsw.SQLError, errors.OperationalError, ""),
    (apsw.PermissionsError, errors.OperationalError, ""),
    (apsw.AbortError, errors.OperationalError, ""),
    (apsw.SchemaChangeError, errors.OperationalError, "The schema changed meanwhile: try again."),
)


_TOO_DEEP = ("Expression tree is too large", "parser stack overflow", "Recursion limit")


def translate(error: apsw.Error, file: str) -> errors.Error:
    """The exception to raise ``from error``; ``file`` is what the message calls the database. Costs microseconds."""
    text = str(error)
    if isinstance(error, apsw.ConstraintError):
        return _integrity(text, file)
    if isinstance(error, apsw.CantOpenError):
        return errors.OperationalError(_say(text, file, _cannot_open(file)))
    if text.startswith(_TOO_DEEP):
        return errors.QueryTooDeep(_say(text, file, "SQLite's limits are in its source: nest less."))
    for kind, ours, remedy in _KINDS:
        if isinstance(error, kind):
            return ours(_say(text, file, remedy or _sql_remedy(text)))
    return errors.DatabaseError(_say(text, file, ""))


def unbindable(error: Exception, params: Sequence[Any], file: str) -> errors.DataError | None:
    """The exception for a parameter SQLite cannot store; None where ``error`` has another cause."""
    for number, value in enumerate(params, 1):
        if not isinstance(value, _STORABLE):
            what = f"is a {type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")
            how = "SQLite stores None, int, float, str and bytes: convert it first."
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            what, how = "is an int that needs more than 64 bits", "Store it as text."
        elif isinstance(error, UnicodeEncodeError) and isinstance(value, str) and not _encodes(value):
            what, how = "is a str with a lone surrogate", "It is not valid Unicode: clean it first."
        else:
            continue
        return errors.DataError(_say(f"Parameter {number} {what}", file, how))
    return None


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _say(text: str, file: str, remedy: str) -> str:
    return f"{text} (in {file})." + (f" {remedy}" if remedy else "")


def _integrity(text: str, file: str) -> errors.IntegrityError:
    error = errors.IntegrityError(_say(text, file, ""))
    found = _CONSTRAINT.match(text)
    if found is None or not (what := found[2]):
        return error
    index = _INDEX.fullmatch(what)
    if found[1] == "CHECK":
        error.constraint = what
    elif index:
        error.constraint = index[1]
    else:
        places = [place.rpartition(".") for place in what.split(", ")]
        error.table = places[0][0] or None
        error.columns = tuple(column for _, _, column in places)
    return error


def _cannot_open(file: str) -> str:
    path = Path(file.removeprefix("file:").partition("?")[0])
    if path.is_dir():
        return "That is a folder: add a file's name to the URL."
    if not path.parent.exists():
        return f"The folder {path.parent.absolute()} does not exist: create it, or change the URL."
    return f"Check that you may read and write {path.absolute()} and its folder."


def _sql_remedy(text: str) -> str:
    if text.startswith("no such column") or "has no column named" in text:
        return "Does the database lag behind the models? Run `migrate`."
    return ""
