"""Where the grammar's choices come from: hypothesis, which makes failing examples small, or a random number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class Chance:
    """Choices, each made of one number from ``below(n)``, 0 to n - 1. The first option is the simplest."""

    def __init__(self, below: Callable[[int], int]) -> None:
        self.below = below

    def pick(self, options: Sequence[T]) -> T:
        """One of them, all equally likely."""
        return options[self.below(len(options))]

    def weighted(self, *options: tuple[int, Any]) -> Any:
        """One of the second values; the first say how often."""
        number = self.below(sum(weight for weight, _ in options))
        for weight, option in options:
            number -= weight
            if number < 0:
                return option
        raise AssertionError

    def happens(self, percent: int) -> bool:
        """True in so many of a hundred cases; what it leads to is left out of a smaller example."""
        return self.below(100) >= 100 - percent

    def some(self, options: Sequence[T], least: int, most: int) -> list[T]:
        """Several different ones, in any order."""
        left = list(options)
        number = min(len(left), least + self.below(most - least + 1))
        return [left.pop(self.below(len(left))) for _ in range(number)]
