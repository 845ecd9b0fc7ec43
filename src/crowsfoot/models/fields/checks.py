"""What can be wrong with the options of any field, one sentence each: where it is, what is wrong, what to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeGuard

from crowsfoot import enums


def check_field(field: Any) -> Iterator[str]:
    """The mistakes that any field can have."""
    yield from _check_name(field)
    yield from _check_choices(field)
    if field.db_index not in (None, True, False):
        yield f"{field}: 'db_index' must be None, True or False, not {field.db_index!r}."
    if field.primary_key and field.null:
        yield f"{field}: a primary key must not have null=True. Remove null=True, or primary_key=True."
    for position, validator in enumerate(field.validators):
        if not callable(validator):
            yield (
                f"{field}: validators[{position}] ({validator!r}) cannot be called. "
                "Write a function, or an instance of a validator class."
            )


def _check_name(field: Any) -> Iterator[str]:
    name: str | None = field.name
    if name is None:
        return
    if name.endswith("_"):
        yield f"{field}: a field's name must not end with an underscore. Write {name.rstrip('_')!r}, for example."
    elif "__" in name:
        yield (
            f'{field}: a field\'s name must not contain "__", which separates the steps of a look-up. '
            f"Write {name.replace('__', '_')!r}, for example."
        )
    elif name == "pk":
        yield f"{field}: 'pk' always means the primary key, so no field can be called that. Rename it."


def _check_choices(field: Any) -> Iterator[str]:
    choices: Any = field.choices
    if choices is None or isinstance(choices, enums.CallableChoiceIterator):
        return  # what a function will answer is not known yet, and asking it may need the database
    if isinstance(choices, (str, set, frozenset)) or not hasattr(choices, "__iter__"):
        yield (
            f"{field}: 'choices' must be a mapping or an ordered list of pairs, not {field.choices!r}. "
            'Write choices=[("stored value", "what people read"), …].'
        )
        return
    pairs = _pairs(choices)
    if pairs is None:
        yield (
            f"{field}: 'choices' must consist of pairs of a value and what people read, or of a group's name and such "
            'pairs. Write choices=[("stored value", "what people read"), …].'
        )
        return
    longest = max((len(value) for value, _ in pairs if isinstance(value, str)), default=0)
    if isinstance(field.max_length, int) and longest > field.max_length:
        yield (
            f"{field}: 'max_length' is too small to fit the longest value in 'choices' ({longest} characters). "
            f"Write max_length={longest} or more."
        )


def _pairs(choices: Iterable[Any]) -> list[tuple[Any, Any]] | None:
    """The choices without their groups; None where something is neither a pair nor a group of pairs."""
    found: list[tuple[Any, Any]] = []
    for choice in choices:
        if not _is_pair(choice):
            return None
        value, label = choice
        if _is_sequence(value):
            return None
        group: list[Any] = list(label) if _is_sequence(label) else [choice]
        if not all(_is_pair(inner) and not _is_sequence(inner[1]) for inner in group):
            return None
        found += group
    return found


def _is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def _is_pair(choice: Any) -> bool:
    return _is_sequence(choice) and len(choice) == 2


def check_length(field: Any) -> Iterator[str]:
    """A ``max_length`` that is no length."""
    length = field.max_length
    if length is not None and (not isinstance(length, int) or isinstance(length, bool) or length <= 0):
        yield f"{field}: 'max_length' must be a positive integer, not {length!r}. Write max_length=100, for example."
