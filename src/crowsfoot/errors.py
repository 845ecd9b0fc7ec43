"""Every exception of Crowsfoot, and the one way to word an unknown name.

Django's names and family tree are kept, so that ``except IntegrityError`` and ``except Post.DoesNotExist`` mean what a
Django developer expects. No exception of a driver leaves the package: drivers raise one of the ``DatabaseError``
family, with the driver's own exception as ``__cause__``.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

NON_FIELD_ERRORS = "__all__"


def unknown_name(kind: str, name: str, owner: str, known: Iterable[str]) -> str:
    """The sentence for a name that does not exist: what was looked for, where, the nearest name, and all the choices.

    >>> unknown_name("field", "titel", "blog.Post", ["id", "title"])
    "blog.Post has no field 'titel'. Did you mean 'title'? Choices are: id, title."
    """
    choices = sorted(set(known))
    near = get_close_matches(name, choices, n=1, cutoff=0.6)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    listed = f" Choices are: {', '.join(choices)}." if choices else ""
    return f"{owner} has no {kind} {name!r}.{hint}{listed}"


# -- models and configuration ------------------------------------------------------------------------------------------


class ImproperlyConfigured(Exception):
    """A setting, a URL or a project file is missing or wrong; the message says which and what to write."""


class ConnectionDoesNotExist(ImproperlyConfigured):
    """No database has that alias."""


class AppRegistryNotReady(Exception):
    """Models were used before all of them were known."""


class ModelError(ImproperlyConfigured):
    """Models that contradict themselves or each other. Raised when models are resolved, before any SQL is sent.

    ``problems`` holds one sentence per mistake; all of them are reported at once.
    """

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        lines = self.problems if len(self.problems) == 1 else [f"  - {p}" for p in self.problems]
        head = "" if len(self.problems) == 1 else f"{len(self.problems)} problems in the models:\n"
        super().__init__(head + "\n".join(lines))


class ObjectDoesNotExist(Exception):
    """The base of every model's ``DoesNotExist``."""

    silent_variable_failure = True


class MultipleObjectsReturned(Exception):
    """The base of every model's ``MultipleObjectsReturned``."""


class ObjectNotUpdated(Exception):
    """The base of every model's ``NotUpdated``: a forced update matched no row."""


class FieldDoesNotExist(Exception):
    """A model has no field of that name."""


class FieldError(Exception):
    """A look-up, an ordering or an expression does not fit the models."""


class FieldFetchBlocked(FieldError):
    """``FETCH_RAISE`` is in force and a value that was not loaded was touched."""


class PermissionDenied(Exception):
    """The user may not do this; raised by an authentication backend, it ends the question for all backends."""


class SuspiciousOperation(Exception):
    """Something was asked for that nobody asks for in good faith."""


class SuspiciousFileOperation(SuspiciousOperation):
    """The name of a file leads out of the place where files are kept, or is none."""


class SynchronousOnlyOperation(Exception):
    """A relation or deferred field that is not loaded was touched inside a running event loop.

    The message names the awaitable that loads it.
    """


class EmptyResultSet(Exception):
    """A condition that no row can meet; the compiler answers it without a query."""


class FullResultSet(Exception):
    """A condition that every row meets; the compiler leaves it out."""


class ValidationError(Exception):
    """Values that do not pass validation.

    ``message`` is a sentence, another ``ValidationError``, a list of either, or a dict of field name to any of these.
    ``message_dict`` is ``{field: [sentence, …]}`` and raises ``AttributeError`` where no field is named; ``messages``
    is the flat list of sentences. ``code`` names the kind of a single error and ``params`` fills its ``%(name)s``
    marks.
    """

    # Of a single error only; ``error_dict`` and ``error_list`` are what several have.
    message: Any

    def __init__(self, message: Any, code: str | None = None, params: dict[str, Any] | None = None) -> None:
        super().__init__(message, code, params)
        if isinstance(message, ValidationError):
            if hasattr(message, "error_dict"):
                message = message.error_dict
            elif not hasattr(message, "message"):
                message = message.error_list
            else:
                message, code, params = message.message, message.code, message.params
        if isinstance(message, dict):
            self.error_dict: dict[str, list[ValidationError]] = {
                field: _as_error(messages).error_list for field, messages in message.items()
            }
        elif isinstance(message, list):
            self.error_list: list[ValidationError] = []
            for part in message:
                error = _as_error(part)
                if hasattr(error, "error_dict"):
                    self.error_list.extend(e for errors in error.error_dict.values() for e in errors)
                else:
                    self.error_list.extend(error.error_list)
        else:
            self.message, self.code, self.params = message, code, params
            self.error_list = [self]

    @property
    def message_dict(self) -> dict[str, list[str]]:
        return {field: ValidationError(errors).messages for field, errors in self.error_dict.items()}

    @property
    def messages(self) -> list[str]:
        if hasattr(self, "error_dict"):
            return [text for errors in self.error_dict.values() for text in ValidationError(errors).messages]
        return [error.message % error.params if error.params else str(error.message) for error in self.error_list]

    def update_error_dict(self, error_dict: dict[str, list[ValidationError]]) -> dict[str, list[ValidationError]]:
        """Add these errors to ``error_dict``, those of no field under ``NON_FIELD_ERRORS``; returns it."""
        if hasattr(self, "error_dict"):
            for field, errors in self.error_dict.items():
                error_dict.setdefault(field, []).extend(errors)
        else:
            error_dict.setdefault(NON_FIELD_ERRORS, []).extend(self.error_list)
        return error_dict

    def __iter__(self) -> Any:
        if hasattr(self, "error_dict"):
            yield from self.message_dict.items()
        else:
            yield from self.messages

    def __str__(self) -> str:
        return repr(dict(self)) if hasattr(self, "error_dict") else repr(list(self))

    def __repr__(self) -> str:
        return f"ValidationError({self})"

    def _identity(self) -> Any:
        if hasattr(self, "error_dict"):
            return frozenset(
                (name, frozenset(e._identity() for e in errors)) for name, errors in self.error_dict.items()
            )
        if len(self.error_list) == 1 and self.error_list[0] is self:
            return str(self.message), self.code, tuple(sorted((self.params or {}).items(), key=repr))
        return frozenset(error._identity() for error in self.error_list)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ValidationError) and _identity_equal(self, other)

    def __hash__(self) -> int:
        return hash(str(sorted(map(str, self.messages))))


def _identity_equal(one: ValidationError, other: ValidationError) -> bool:
    try:
        return bool(one._identity() == other._identity())
    except TypeError:  # parameters that cannot be hashed
        return str(one) == str(other)


def _as_error(message: Any) -> ValidationError:
    return message if isinstance(message, ValidationError) else ValidationError(message)


# -- the database ------------------------------------------------------------------------------------------------------


class Error(Exception):
    """The base of all that a database can report (the names are those of Python's DB-API)."""


class InterfaceError(Error):
    """The connection itself was misused: it is closed, say."""


class DatabaseError(Error):
    """The database refused a statement. ``undone`` is set where a savepoint has undone it: the transaction goes on."""

    undone = False


class DataError(DatabaseError):
    """A value does not fit its column."""


class UnknownPart(DataError, ValueError):
    """A moment has no such part to be cut at. Django has the database say so, hence the family."""


class OperationalError(DatabaseError):
    """The server, the file or the network failed, not the statement."""


class QueryTooDeep(OperationalError):
    """A query nests deeper than the database, or Python's stack, allows."""


class IntegrityError(DatabaseError):
    """A constraint was violated. ``constraint``, ``table`` and ``columns`` are set where the database tells them.

    ``model``, ``field`` and ``relation`` say the same in terms of the models, where rows of a model were being written.
    """

    constraint: str | None = None
    table: str | None = None
    columns: tuple[str, ...] = ()
    model: Any = None
    field: Any = None
    relation: Any = None


class DeletePlanOutdated(DatabaseError):
    """Rows were added, changed or removed since a delete plan was read; nothing was deleted."""


class InternalError(DatabaseError):
    """The database reports a fault of its own."""


class ProgrammingError(DatabaseError):
    """The SQL is wrong: a table that is not there, say."""


class NotSupportedError(DatabaseError):
    """This database cannot do what was asked."""


class TransactionManagementError(ProgrammingError):
    """A transaction was used in a way that would lose data."""


class ProtectedError(IntegrityError):
    """A delete was refused by ``on_delete=PROTECT``; ``protected_objects`` are the rows that block."""

    def __init__(self, msg: str, protected_objects: Iterable[Any]) -> None:
        self.protected_objects = protected_objects
        super().__init__(msg, protected_objects)

    def __str__(self) -> str:
        return str(self.args[0])


class RestrictedError(IntegrityError):
    """A delete was refused by ``on_delete=RESTRICT``; ``restricted_objects`` are the rows that block."""

    def __init__(self, msg: str, restricted_objects: Iterable[Any]) -> None:
        self.restricted_objects = restricted_objects
        super().__init__(msg, restricted_objects)

    def __str__(self) -> str:
        return str(self.args[0])
