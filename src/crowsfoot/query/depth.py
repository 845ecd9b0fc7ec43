"""How deep a query may nest: as deep as Python's stack carries, and then an error says so by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from crowsfoot.errors import QueryTooDeep

P = ParamSpec("P")
T = TypeVar("T")


def too_deep() -> QueryTooDeep:
    return QueryTooDeep(
        f"The query nests expressions, subqueries or relations deeper than {sys.getrecursionlimit()} calls of Python "
        "can follow. Write what is built one upon the other side by side: conditions in one Q, values in one list."
    )


def bounded(function: Callable[P, T]) -> Callable[P, T]:
    """``function``, raising ``QueryTooDeep`` where what it walks is deeper than the stack."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except RecursionError:
            raise too_deep() from None

    return call
