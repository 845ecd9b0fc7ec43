"""Django's translation functions: which language is active, and the marks on texts, which come back as they are."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from crowsfoot.conf import settings
from crowsfoot.functional import Promise, lazy

_DEFAULT: Final[Any] = object()  # the language of the settings
_active: ContextVar[Any] = ContextVar("crowsfoot_language", default=_DEFAULT)


def get_language() -> str | None:
    """The language that was activated in this thread or task, else the setting LANGUAGE_CODE; None after
    ``deactivate_all()``."""
    active = _active.get()
    return settings.LANGUAGE_CODE if active is _DEFAULT else active


def activate(language: str) -> None:
    """Make ``language`` (``"fi"``, ``"pt-br"``) the active one in this thread or task."""
    _active.set(language)


def deactivate() -> None:
    """Return to the language of the settings in this thread or task."""
    _active.set(_DEFAULT)


def deactivate_all() -> None:
    """Have no language in this thread or task."""
    _active.set(None)


@contextmanager
def override(language: str | None, deactivate: bool = False) -> Generator[None, None, None]:
    """Make ``language`` the active one for a block or a decorated function; None stands for no language.

    Afterwards the one from before is active again, or with ``deactivate`` that of the settings.
    """
    token = _active.set(language)
    try:
        yield
    finally:
        _active.reset(token)
        if deactivate:
            _active.set(_DEFAULT)


def gettext(message: str) -> str:
    return message


def ngettext(singular: str, plural: str, number: int) -> str:
    return singular if number == 1 else plural


def pgettext(context: str, message: str) -> str:
    return message


def npgettext(context: str, singular: str, plural: str, number: int) -> str:
    return singular if number == 1 else plural


gettext_noop = gettext
gettext_lazy = lazy(gettext, str)
pgettext_lazy = lazy(pgettext, str)


class _Counted(Promise):
    """One of two texts, chosen when ``%`` tells the number: the value under ``key``, or the only one."""

    def __init__(self, singular: str, plural: str, key: str | None) -> None:
        self.singular, self.plural, self.key = singular, plural, key

    def __mod__(self, values: Any) -> str:
        number = values if self.key is None else values[self.key]
        text = ngettext(self.singular, self.plural, number)
        return text % values if "%" in text else text

    def __str__(self) -> str:
        return self.plural


def ngettext_lazy(singular: str, plural: str, number: int | str | None = None) -> Any:
    """As ``ngettext()``, made when it is needed.

    ``number`` may be told later, by ``text % {"n": 3}``: then it is the name of the value that counts, or is left out.
    """
    if isinstance(number, int):
        return lazy(ngettext, str)(singular, plural, number)
    return _Counted(singular, plural, number)


def npgettext_lazy(context: str, singular: str, plural: str, number: int | str | None = None) -> Any:
    return ngettext_lazy(singular, plural, number)
