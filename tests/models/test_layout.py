"""Attributes of instances are kept where Python keeps them cheapest, whatever is set first."""

from __future__ import annotations

import sys
from typing import Any

from crowsfoot import models
from crowsfoot.models.layout import share_keys
from crowsfoot.schema.relation import slot_of
from crowsfoot.testing import isolated_registry


def is_shared(instance: Any) -> bool:
    """Whether the names of an instance's attributes are in the table of its class, and not in a dict of its own."""
    held = vars(instance)
    return sys.getsizeof(held) < sys.getsizeof({**held})


class Plain:
    pass


def test_what_python_does_by_itself() -> None:
    made = [Plain() for _ in range(40)]
    for number, one in enumerate(made):
        vars(one).update(dict.fromkeys("abcdef", number))
    assert not is_shared(made[-1])


def test_what_is_loaded_first_does_not_decide_what_is_cheap() -> None:
    with isolated_registry():

        class Writer(models.Model):
            name = models.CharField(max_length=9)

        class Text(models.Model):
            title = models.CharField(max_length=9)
            writer = models.ForeignKey(Writer, on_delete=models.CASCADE)

        texts = [Text(title=str(number)) for number in range(40)]
        for text in texts:
            setattr(text, slot_of("writer"), None)
            text._origin = text._prepared = None
        writers = [Writer(name=str(number)) for number in range(40)]
        for writer in writers:
            setattr(writer, slot_of("text_set"), [])
        assert all(map(is_shared, [*texts, *writers]))


def test_querysets_of_ones_own_too() -> None:
    class Rows(models.QuerySet[Any]):
        pass

    made = [object.__new__(Rows) for _ in range(40)]
    for rows in made:
        rows._fetch_mode = None
        rows._owner = rows._result_cache = None
    assert all(map(is_shared, made))


def test_a_class_that_says_goodbye_is_left_alone() -> None:
    said: list[str] = []

    class Guest:
        def __del__(self) -> None:
            said.append("goodbye")

    share_keys(Guest, ["name"])
    assert said == []
