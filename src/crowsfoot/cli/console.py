"""What the commands print with, and how an error reads: a title, what happened, what to do about it."""

from __future__ import annotations

import re
import sys
from typing import IO

from rich.console import Console
from rich.text import Text

from crowsfoot import errors
from crowsfoot.migrations import exceptions, questioner
from crowsfoot.migrations.questioner import StopAsking

TITLES: tuple[tuple[type[Exception], str], ...] = (
    (StopAsking, "No migration was written"),
    (errors.ModelError, "The models need a change"),
    (errors.ImproperlyConfigured, "The project is not set up right"),
    (errors.FieldError, "A query does not fit the models"),
    (errors.ValidationError, "A value is not valid"),
    (errors.IntegrityError, "The rows would break a rule of their tables"),
    (errors.OperationalError, "The database cannot be used"),
    (errors.InterfaceError, "The database cannot be used"),
    (errors.DatabaseError, "The database refuses"),
)

EXPLAINED = {errors.__name__, exceptions.__name__, questioner.__name__}
"""The modules of errors whose words are meant for the user."""


class CommandError(Exception):
    """A command cannot do what was asked: a title, the sentence, and the remedy, if there is one."""

    code = 1

    def __init__(self, title: str, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence)
        self.title, self.sentence, self.remedy = title, sentence, remedy


class UsageError(CommandError):
    """The words after the command are wrong."""

    code = 2


def make_console(file: IO[str]) -> Console:
    """A console that prints text as it is; colours and folding are for people, so a pipe gets neither."""
    return Console(file=file, markup=False, highlight=False, emoji=False, soft_wrap=not file.isatty())


def output() -> Console:
    """The console of results."""
    return make_console(sys.stdout)


def problems() -> Console:
    """The console of everything that is no result: errors, questions, progress."""
    return make_console(sys.stderr)


def is_explained(error: BaseException) -> bool:
    """Whether an error says by itself all that its reader needs."""
    return isinstance(error, CommandError) or any(base.__module__ in EXPLAINED for base in type(error).__mro__)


def show_error(console: Console, error: BaseException) -> None:
    """Print an error that ``is_explained``."""
    if isinstance(error, CommandError):
        title, sentence, remedy = error.title, error.sentence, error.remedy
    else:
        title, (sentence, _, remedy) = _title(error), str(error).strip().partition("\n")
    console.print(Text(title, "bold red"))
    console.print(sentence)
    if remedy:
        console.print(remedy, style=None if isinstance(error, errors.ModelError) else "yellow")


def _title(error: BaseException) -> str:
    for kind, title in TITLES:
        if isinstance(error, kind):
            return title
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
    return words[:1].upper() + words[1:]
