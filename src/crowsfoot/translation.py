"""Django's translation functions, for code that marks its texts. There is one language: texts come back as they are."""

from __future__ import annotations


def gettext(message: str) -> str:
    return message


def ngettext(singular: str, plural: str, number: int) -> str:
    return singular if number == 1 else plural


def pgettext(context: str, message: str) -> str:
    return message


def npgettext(context: str, singular: str, plural: str, number: int) -> str:
    return singular if number == 1 else plural


gettext_lazy = gettext_noop = gettext
ngettext_lazy = ngettext
pgettext_lazy = pgettext
npgettext_lazy = npgettext
