"""Values that are computed when they are needed."""

from __future__ import annotations

import copy
import operator
import pickle
from typing import Any

import pytest

from crowsfoot.functional import LazyObject, SimpleLazyObject, cached_property, classproperty, lazy, lazystr, unwrapped


def greet(name: str) -> str:
    return f"hello {name}"


def boom() -> object:
    raise AssertionError("nobody asked")


def test_a_lazy_call_is_made_each_time_it_is_asked() -> None:
    calls: list[int] = []

    def count() -> int:
        calls.append(1)
        return len(calls)

    promise = lazy(count, int)()
    assert calls == []
    assert promise + 1 == 2
    assert 10 - promise == 8
    assert promise == 3


def test_a_promise_has_the_methods_of_what_it_promises() -> None:
    promise = lazy(greet, str)("you")
    assert promise.upper() == "HELLO YOU"
    assert f"{promise:>11}" == "  hello you"
    assert "oh, " + promise == "oh, hello you"
    assert promise in {"hello you": 1}
    assert promise < lazystr("hello zoe")
    assert pickle.loads(pickle.dumps(promise)) == "hello you"
    assert copy.deepcopy(promise) == "hello you"
    with pytest.raises(AttributeError):
        _ = promise.bit_length


def test_nothing_is_computed_for_its_own_sake() -> None:
    promise = lazy(boom, object)()
    assert {"defaults": promise}
    with pytest.raises(AssertionError, match="nobody asked"):
        str(promise)


def test_a_lazy_object_is_made_once_and_stands_for_what_it_holds() -> None:
    made: list[list[int]] = []

    def make() -> list[int]:
        made.append([1, 2])
        return made[-1]

    held: Any = SimpleLazyObject(make)
    assert "make" in repr(held)
    assert made == []
    assert len(held) == 2
    assert [*held] == [1, 2]
    assert operator.add(held, held) == [1, 2, 1, 2]
    assert isinstance(held, list)
    held.append(4)
    assert unwrapped(held) is made[0]
    assert made == [[1, 2, 4]]
    assert pickle.loads(pickle.dumps(held)) == [1, 2, 4]
    assert copy.copy(held) is not made[0]


def test_attributes_go_through_to_the_object() -> None:
    class Settings:
        level = 1

    class LazySettings(LazyObject):
        def _setup(self) -> None:
            self._wrapped = Settings()

    held: Any = LazySettings()
    held.level = 5
    assert unwrapped(held).level == 5
    del held.level
    assert held.level == 1
    assert not hasattr(held, "__len__")
    assert not hasattr(held, "unknown")


def test_properties_of_a_class_and_cached_ones() -> None:
    class Box:
        made = 0

        @classproperty
        def label(cls: Any) -> str:
            return f"a {cls.__name__}"

        @cached_property
        def content(self) -> int:
            self.made += 1
            return self.made

    box = Box()
    assert (Box.label, box.label) == ("a Box", "a Box")
    assert (box.content, box.content) == (1, 1)
