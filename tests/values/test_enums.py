"""Enumerations as choices, and choices in every form."""

from __future__ import annotations

import copy
import datetime as dt
import enum
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from crowsfoot.enums import (
    BlankChoiceIterator,
    CallableChoiceIterator,
    Choices,
    IntegerChoices,
    TextChoices,
    flatten_choices,
    normalize_choices,
)
from crowsfoot.functional import lazystr


class Suit(IntegerChoices):
    DIAMOND = 1, "Diamond"
    SPADE = 2, "Spade"
    BIG_HEART = 3

    __empty__ = "(Pick)"


class Size(TextChoices):
    SMALL = "S", "Little"
    NOT_SET = enum.auto()
    LARGE = enum.auto(), "Big"
    OTHER = ""


class Landing(dt.date, Choices):
    APOLLO_11 = 1969, 7, 20, "Apollo 11 (Eagle)"
    APOLLO_12 = 1969, 11, 19


class Plain(Choices):
    ONE = 1, "First"
    PAIR = (1, 2), "Two"
    BOTH = (3, 4)


def test_integers() -> None:
    assert Suit.choices == [(None, "(Pick)"), (1, "Diamond"), (2, "Spade"), (3, "Big Heart")]
    assert Suit.labels == ["(Pick)", "Diamond", "Spade", "Big Heart"]
    assert Suit.values == [None, 1, 2, 3]
    assert Suit.names == ["__empty__", "DIAMOND", "SPADE", "BIG_HEART"]
    assert Suit(1) is Suit["DIAMOND"] is Suit.DIAMOND
    assert Suit.DIAMOND.label == "Diamond"
    assert Suit.SPADE + Suit.DIAMOND == 3
    assert str(Suit.SPADE) == f"{Suit.SPADE}" == "2"
    assert repr(Suit.SPADE) == "Suit.SPADE"
    with pytest.raises(ValueError, match="9 is not a valid Suit"):
        Suit(9)


def test_membership() -> None:
    for inside in (1, Suit.DIAMOND, 2.0):
        assert inside in Suit
    for outside in (0, "1", None, [], Size.SMALL):
        assert outside not in Suit


def test_text() -> None:
    assert Size.choices == [("S", "Little"), ("NOT_SET", "Not Set"), ("LARGE", "Big"), ("", "Other")]
    assert Size.SMALL == "S"
    assert str(Size.SMALL) == f"{Size.SMALL}" == f"{Size.SMALL!s}" == "S"
    assert Size.SMALL.label == "Little"
    assert Size.SMALL.value == "S"
    assert type(Size.SMALL.value) is str
    assert {Size.SMALL: 1}["S"] == {"S": 1}[Size.SMALL] == 1
    assert isinstance(Size.SMALL, str)
    assert Size.do_not_call_in_templates is Size.SMALL.do_not_call_in_templates is True


def test_other_types_of_value() -> None:
    assert Landing.choices == [
        (dt.date(1969, 7, 20), "Apollo 11 (Eagle)"),
        (dt.date(1969, 11, 19), "Apollo 12"),
    ]
    assert str(Landing.APOLLO_11) == "1969-07-20"
    assert Plain.choices == [(1, "First"), ((1, 2), "Two"), ((3, 4), "Both")]


def test_members_are_copied_and_pickled_as_themselves() -> None:
    for member in (Suit.SPADE, Size.SMALL, Landing.APOLLO_12, Plain.PAIR):
        assert pickle.loads(pickle.dumps(member)) is member
        assert copy.deepcopy(member) is member


def test_values_are_unique_and_typed() -> None:
    with pytest.raises(ValueError, match="duplicate values found"):

        class Twice(TextChoices):  # pyright: ignore[reportUnusedClass]
            A = "x", "One"
            B = "x", "Two"

    with pytest.raises((ValueError, TypeError)):

        class Wrong(IntegerChoices):  # pyright: ignore[reportUnusedClass]
            A = "x", "One"


def test_methods_in_a_choices_class() -> None:
    class Level(IntegerChoices):
        LOW = 1
        HIGH = 2

        @property
        def shout(self) -> str:
            return self.label.upper()

    assert Level.HIGH.shout == "HIGH"
    assert Level.names == ["LOW", "HIGH"]


FLAT = [("a", "A"), ("b", "B")]
GROUPED = [("x", "X"), ("g", [("a", "A"), ("b", "B")])]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (FLAT, FLAT),
        ((["a", "A"], ("b", "B")), FLAT),
        ({"a": "A", "b": "B"}, FLAT),
        (iter(FLAT), FLAT),
        (GROUPED, GROUPED),
        ({"x": "X", "g": {"a": "A", "b": "B"}}, GROUPED),
        ([("x", "X"), ("g", tuple(FLAT))], GROUPED),
        ({"x": "X", "g": lambda: {"a": "A", "b": "B"}}, GROUPED),
        ([("g", Size)], [("g", Size.choices)]),
        (Suit, Suit.choices),
        ([], []),
        ({}, []),
    ],
)
def test_normalize(written: Any, expected: Any) -> None:
    assert normalize_choices(written) == expected


@pytest.mark.parametrize("odd", [None, 3, "ab", b"ab", [1, 2], ["ab", "cd"], [("a",)], enum.Enum, [("a", "b"), 3], int])
def test_what_is_not_choices_is_left_alone(odd: Any) -> None:
    assert normalize_choices(odd) is odd


@pytest.mark.parametrize("function", [lambda: FLAT, lambda: dict(FLAT), lambda: lambda: iter(FLAT)])
def test_functions_are_asked_at_each_reading(function: Callable[[], Any]) -> None:
    calls: list[int] = []

    def counted() -> Any:
        calls.append(1)
        return function()

    choices = normalize_choices(counted)
    assert isinstance(choices, CallableChoiceIterator)
    assert normalize_choices(choices) is choices
    assert not calls
    assert list(choices) == list(choices) == FLAT
    assert len(calls) == 2
    assert choices == FLAT
    assert choices != FLAT[:1]
    assert choices != 3
    assert choices[1] == ("b", "B")
    assert choices[:1] == [("a", "A")]


def test_flatten() -> None:
    assert list(flatten_choices(GROUPED)) == [("x", "X"), *FLAT]
    assert list(flatten_choices(normalize_choices(lambda: GROUPED))) == [("x", "X"), *FLAT]
    assert list(flatten_choices(None)) == []


def test_blank_choice() -> None:
    blank = [("", "---")]
    assert list(BlankChoiceIterator(FLAT, blank)) == blank + FLAT
    for existing in ([("", "none"), *FLAT], [(None, "none")], [("g", [("", "none")])]):
        assert list(BlankChoiceIterator(existing, blank)) == existing
    assert BlankChoiceIterator([], blank) == blank


def test_a_label_may_be_a_promise() -> None:
    class Size(TextChoices):
        SMALL = "S", lazystr("Small")

    assert (Size.SMALL.value, str(Size.SMALL.label), Size.choices) == ("S", "Small", [("S", "Small")])
