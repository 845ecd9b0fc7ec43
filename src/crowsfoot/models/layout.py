"""Where Python keeps the attributes of instances: in an array that all instances of a class describe by one table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def share_keys(cls: Any, names: Iterable[str]) -> None:
    """Have instances of ``cls`` keep attributes of these names in the array, whichever of them is set first.

    CPython (3.11 and later) takes names into a class's table while its first some thirty instances are made. What comes
    later is kept in a dict for each instance, which costs four times as much to write. No effect but on speed and size.
    """
    if hasattr(cls, "__del__"):  # it would see an instance that is none
        return
    held = object.__new__(cls).__dict__
    for name in names:
        held[name] = None
