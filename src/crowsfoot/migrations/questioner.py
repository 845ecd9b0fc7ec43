"""What the autodetector cannot know and has to ask."""

from __future__ import annotations

import ast
import datetime
from collections.abc import Callable, Iterable
from typing import Any

from crowsfoot import timezones
from crowsfoot.models.fields.base import NOT_PROVIDED


class StopAsking(Exception):
    """The person who was asked wants to change the models first."""


class MigrationQuestioner:
    """Answers without asking: apps are meant to have migrations, nothing is renamed, no default is known.

    ``defaults`` are other answers by question: ``{"ask_rename": True}``. ``specified_apps`` were named by the user.
    """

    def __init__(
        self,
        defaults: dict[str, Any] | None = None,
        specified_apps: Iterable[str] | None = None,
        dry_run: bool | None = None,
    ) -> None:
        self.defaults = defaults or {}
        self.specified_apps = set(specified_apps or ())
        self.dry_run = dry_run

    def ask_initial(self, app_label: str) -> bool:
        """Should an app get migrations that has none?"""
        return app_label in self.specified_apps or bool(self.defaults.get("ask_initial", False))

    def ask_not_null_addition(self, field_name: str, model_name: str) -> Any:
        """The value for the rows that are there, of a new field that may not be NULL; None where there is none."""
        return self.defaults.get("ask_not_null_addition")

    def ask_not_null_alteration(self, field_name: str, model_name: str) -> Any:
        """The value in place of NULL for a field that may no longer be NULL; ``NOT_PROVIDED`` where none is needed."""
        return self.defaults.get("ask_not_null_alteration")

    def ask_auto_now_add_addition(self, field_name: str, model_name: str) -> Any:
        """The moment that rows which are there count as made at."""
        return self.defaults.get("ask_auto_now_add_addition")

    def ask_unique_callable_default_addition(self, field_name: str, model_name: str) -> Any:
        """Go on with a unique field whose default is one value for all rows that are there?"""
        return self.defaults.get("ask_unique_callable_default_addition")

    def ask_rename(self, model_name: str, old_name: str, new_name: str, field_instance: Any) -> bool:
        """Was a field renamed?"""
        return bool(self.defaults.get("ask_rename", False))

    def ask_rename_model(self, old_model_state: Any, new_model_state: Any) -> bool:
        """Was a model renamed?"""
        return bool(self.defaults.get("ask_rename_model", False))

    def ask_merge(self, app_label: str) -> bool:
        """Should migrations that stand side by side be joined?"""
        return bool(self.defaults.get("ask_merge", False))


class NonInteractiveMigrationQuestioner(MigrationQuestioner):
    """For scripts: refuses what needs an answer, and says what to write instead."""

    def ask_not_null_addition(self, field_name: str, model_name: str) -> Any:
        raise StopAsking(
            f"Field {field_name!r} on model {model_name!r} is new, may not be NULL and has no default: rows that are "
            "there would have no value. Give it default=… or null=True, or run makemigrations where it can ask."
        )

    def ask_not_null_alteration(self, field_name: str, model_name: str) -> Any:
        return NOT_PROVIDED

    def ask_auto_now_add_addition(self, field_name: str, model_name: str) -> Any:
        return timezones.now

    def ask_merge(self, app_label: str) -> bool:
        return True


class InteractiveMigrationQuestioner(MigrationQuestioner):
    """Asks a person. ``ask`` shows a question and returns the line that was typed; ``tell`` shows a line."""

    def __init__(
        self,
        ask: Callable[[str], str] = input,
        tell: Callable[[str], None] = print,
        specified_apps: Iterable[str] | None = None,
        dry_run: bool | None = None,
    ) -> None:
        super().__init__(None, specified_apps, dry_run)
        self.ask, self.tell = ask, tell

    def _yes(self, question: str) -> bool:
        while True:
            answer = self.ask(f"{question} [y/N] ").strip().lower()
            if answer in ("", "n", "no"):
                return False
            if answer in ("y", "yes"):
                return True
            self.tell("Please answer y or n.")

    def _choice(self, question: str, choices: list[str]) -> int:
        self.tell(question)
        for number, choice in enumerate(choices, 1):
            self.tell(f" {number}) {choice}")
        while True:
            answer = self.ask("Select an option: ").strip()
            if answer.isdigit() and 1 <= int(answer) <= len(choices):
                return int(answer)
            self.tell(f"Please enter a number from 1 to {len(choices)}.")

    def _value(self, default: str = "") -> Any:
        """A value written as Python: a literal, ``timezone.now``, or a call of ``datetime``'s classes."""
        self.tell("Enter the value as Python, such as 0, '', True, None, timezone.now or datetime.date(2026, 1, 31).")
        names = {"datetime": datetime, "timezone": timezones}
        while True:
            text = self.ask(f">>> {f'[{default}] ' if default else ''}").strip() or default
            try:
                return ast.literal_eval(text)
            except (ValueError, SyntaxError):
                pass
            try:
                return eval(
                    text, {"__builtins__": {}}, names
                )  # what the person at the keyboard types, for this project
            except Exception as error:
                self.tell(f"That is no value: {error}")

    def _one_off(self, question: str, *others: str) -> Any:
        """A value, or the number of the other answer that was chosen (as its text)."""
        choices = ["Provide a one-off default now", *others, "Quit and change models.py by hand"]
        chosen = self._choice(question, choices)
        if chosen == len(choices):
            raise StopAsking("Nothing was written.")
        return (None, others[chosen - 2]) if chosen > 1 else (self._value(), None)

    def ask_not_null_addition(self, field_name: str, model_name: str) -> Any:
        return self._one_off(
            f"Field {field_name!r} on model {model_name!r} is new, may not be NULL and has no default. What shall the "
            "rows have that are there?"
        )[0]

    def ask_not_null_alteration(self, field_name: str, model_name: str) -> Any:
        leave = "Leave it: no row holds NULL, or I take care of them before"
        value, other = self._one_off(
            f"Field {field_name!r} on model {model_name!r} may no longer be NULL and has no default. What shall the "
            "rows have that hold NULL?",
            leave,
        )
        return NOT_PROVIDED if other == leave else value

    def ask_auto_now_add_addition(self, field_name: str, model_name: str) -> Any:
        self.tell(
            f"Field {field_name!r} on model {model_name!r} has auto_now_add. When were the rows made that are there?"
        )
        return self._value("timezone.now")

    def ask_unique_callable_default_addition(self, field_name: str, model_name: str) -> Any:
        question = (
            f"Field {field_name!r} on model {model_name!r} is unique, and its default is computed once for all rows "
            "that are there: with more than one row the migration will fail."
        )
        if self._choice(question, ["Go on", "Quit and change models.py by hand"]) == 2:
            raise StopAsking("Nothing was written.")

    def ask_rename(self, model_name: str, old_name: str, new_name: str, field_instance: Any) -> bool:
        kind = type(field_instance).__name__
        return self._yes(f"Was {model_name}.{old_name} renamed to {model_name}.{new_name} (a {kind})?")

    def ask_rename_model(self, old_model_state: Any, new_model_state: Any) -> bool:
        return self._yes(f"Was the model {old_model_state.label} renamed to {new_model_state.name}?")

    def ask_merge(self, app_label: str) -> bool:
        return self._yes(
            f"Join these migrations of {app_label}? They must not change the same things in different ways."
        )
