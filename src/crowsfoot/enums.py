"""Enumerations as choices of a field, and choices in whatever form they are written.

``TextChoices`` and ``IntegerChoices`` are enumerations whose members have a label; ``normalize_choices`` turns every
way of writing choices into a list of pairs, ``flatten_choices`` takes the groups out of one.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeGuard, cast, overload

from crowsfoot.functional import Promise

__all__ = [
    "BaseChoiceIterator",
    "BlankChoiceIterator",
    "CallableChoiceIterator",
    "Choices",
    "ChoicesType",
    "IntegerChoices",
    "TextChoices",
    "flatten_choices",
    "normalize_choices",
]


def _is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


class ChoicesType(enum.EnumType):
    """The class of ``Choices`` classes: it takes the labels out of the values and lists choices."""

    def __new__(metacls, classname: str, bases: tuple[type, ...], classdict: Any, **kwds: Any) -> ChoicesType:
        has_data_type = any(getattr(base, "_member_type_", base) is not object for base in bases)
        labels: list[str] = []
        namespace: Any = dict
        for name in classdict._member_names:
            value, label = _split(classdict[name], name)
            if _is_sequence(value) and len(value) == 1 and not has_data_type:
                value = value[0]
            labels.append(label)
            namespace.__setitem__(classdict, name, value)  # that of an enumeration refuses a second assignment
        cls = super().__new__(metacls, classname, bases, classdict, **kwds)
        for member, label in zip(cls._members(), labels, strict=True):
            member._label_ = label
        enum.unique(cast("type[enum.Enum]", cls))
        return cls

    def __contains__(cls, value: object) -> bool:
        """Whether ``value`` is a member or the value of one (Python 3.12's rule, in 3.11 too)."""
        return isinstance(value, cls) or any(value == member.value for member in cls._members())

    def _members(cls) -> list[Choices]:
        members: Any = dict(cls.__members__)
        return list(members.values())

    def _empty(cls) -> list[tuple[None, str]]:
        label: str | None = getattr(cls, "__empty__", None)
        return [] if label is None else [(None, label)]

    @property
    def names(cls) -> list[str]:
        """The members' names, after ``__empty__`` where the class has it."""
        return ["__empty__" for _ in cls._empty()] + [member.name for member in cls._members()]

    @property
    def choices(cls) -> list[tuple[Any, str]]:
        """The pairs of value and label, after ``(None, __empty__)`` where the class has it."""
        return [*cls._empty(), *((member.value, member.label) for member in cls._members())]

    @property
    def labels(cls) -> list[str]:
        """The labels of ``choices``."""
        return [label for _, label in cls.choices]

    @property
    def values(cls) -> list[Any]:
        """The values of ``choices``."""
        return [value for value, _ in cls.choices]


def _split(value: Any, name: str) -> tuple[Any, str]:
    """The value and the label of a member as it is written: ``"S", "Small"``, or ``"S"`` with a label from its name."""
    if _is_sequence(value) and len(value) > 1 and isinstance(value[-1], (str, Promise)):
        return tuple(value[:-1]), cast("str", value[-1])
    return value, name.replace("_", " ").title()


class Choices(enum.Enum, metaclass=ChoicesType):
    """An enumeration whose members have a label: ``SMALL = "S", "Small"``; the label defaults to the name's words.

    ``str(member)`` is its value. ``__empty__ = "…"`` in the class gives the choice of None a label.
    """

    _label_: str

    @enum.property
    def label(self) -> str:
        """What people read."""
        return self._label_

    @enum.property
    def value(self) -> Any:
        """What is stored."""
        return self._value_

    do_not_call_in_templates = enum.nonmember(True)

    def __str__(self) -> str:
        return str(self.value)

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}.{self._name_}"


class IntegerChoices(int, Choices):
    """Choices whose values are integers: ``SPADE = 1, "Spade"``."""

    @enum.property
    def value(self) -> int:
        return cast("int", self._value_)


class TextChoices(str, Choices):
    """Choices whose values are strings: ``SMALL = "S", "Small"``; ``auto()`` makes the member's name its value."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        return name

    @enum.property
    def value(self) -> str:
        return cast("str", self._value_)


# -- choices in every form ---------------------------------------------------------------------------------------------


class BaseChoiceIterator:
    """Choices that are worked out when they are read; equal to a list of the same choices."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        others: Any = other
        if isinstance(other, Iterable):
            pairs = itertools.zip_longest(self, others, fillvalue=object())
            return all(mine == theirs for mine, theirs in pairs)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    @overload
    def __getitem__(self, index: int) -> tuple[Any, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[Any, Any]]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return list(self)[index]


BLANK_CHOICE_DASH: Final = [("", "---------")]
"""What a form shows where nothing is chosen."""


class BlankChoiceIterator(BaseChoiceIterator):
    """``choices`` after ``blank_choice`` (pairs), which is left out where they have a choice of None or "" already."""

    def __init__(self, choices: Any, blank_choice: Iterable[tuple[Any, Any]]) -> None:
        self.choices = choices
        self.blank_choice = list(blank_choice)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        choices = list(self.choices)
        if not any(value is None or value == "" for value, _ in flatten_choices(choices)):
            yield from self.blank_choice
        yield from choices


class CallableChoiceIterator(BaseChoiceIterator):
    """The choices that a function gives, asked anew at each reading. ``func`` is the function."""

    def __init__(self, func: Callable[[], Any]) -> None:
        self.func = func

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        yield from normalize_choices(self.func())


_GROUPS: Final = (list, tuple, Mapping, Iterator, BaseChoiceIterator, ChoicesType)
"""What stands for several choices where a label is expected."""


def normalize_choices(value: Any) -> Any:
    """Choices as a list of pairs, however they were written.

    ``value`` is a list of pairs, a mapping, a ``Choices`` class, an iterator or a function that gives one of these; a
    label that is any of these is a group. A function becomes a ``CallableChoiceIterator``. What is none of these is
    returned as it is, for the checks of the field to complain about.
    """
    return _normalize(value, groups=True)


def _normalize(value: Any, *, groups: bool) -> Any:
    if isinstance(value, ChoicesType):
        return value.choices
    if value is None or isinstance(value, (str, bytes, BaseChoiceIterator)):
        return value
    if callable(value) and not isinstance(value, type):
        return CallableChoiceIterator(value) if groups else _normalize(value(), groups=False)
    listed = _listed(value)
    if listed is None:
        return value
    if not all(_is_sequence(pair) and len(pair) == 2 for pair in listed):
        return listed if isinstance(value, Iterator) else value  # an iterator can be read only once
    return [(key, _normalize(label, groups=False) if groups and _is_group(label) else label) for key, label in listed]


def _listed(value: Any) -> list[Any] | None:
    """What ``value`` contains, a mapping's as pairs; None for what cannot be read one by one."""
    parts: Any = value
    if isinstance(value, Mapping):
        parts = parts.items()
    elif not isinstance(value, Iterable) or isinstance(value, type):
        return None
    return list(parts)


def _is_group(label: Any) -> bool:
    return isinstance(label, _GROUPS) or (callable(label) and not isinstance(label, type))


def flatten_choices(choices: Iterable[Any] | None) -> Iterator[tuple[Any, Any]]:
    """The pairs of normalized choices, those of groups in the place of their group. None has none."""
    for value, label in choices or ():
        if _is_sequence(label):
            yield from label
        else:
            yield value, label
