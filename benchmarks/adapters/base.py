"""What an adapter is: a class with ``open(url)``, ``close()`` and a method for each workload that it can do."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.data import LEVELS, Sizes


class Adapter:
    """A method named like a workload does it once. Where it is a coroutine function, it runs in one event loop."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes

    def open(self, url: str) -> None:
        """Connect to a filled database. What may be prepared once per process is prepared here."""
        raise NotImplementedError

    def close(self) -> None:
        """Disconnect."""

    def versions(self) -> dict[str, str]:
        """The versions of what is measured, by name."""
        return {}

    # -- what the operations of orm-benchmarks do their work on, which are random there --------------------------------

    def windows(self) -> list[tuple[int, int]]:
        """Levels, and how many rows of that level to pass over."""
        highest = max(1, self.sizes.journals // 5 - 20)
        return [(LEVELS[number % 5], number * 37 % highest) for number in range(self.sizes.singly)]

    def journal_keys(self) -> list[int]:
        number = 2 * self.sizes.journal
        return [1 + key * 7 % number for key in range(number)]

    def other(self, level: int) -> int:
        """The level that an item gets when it is changed."""
        return 10 + level % 50

    # -- what IMDBench asks for and writes -----------------------------------------------------------------------------

    def film_keys(self) -> range:
        """The keys of the movies, persons or users that are asked for."""
        return range(1, 1 + self.sizes.movies, self.sizes.movies // self.sizes.asked)

    def changed_keys(self) -> range:
        """The keys of the movies that are changed."""
        return range(1, 1 + min(self.sizes.made, self.sizes.movies))

    def made(self) -> Iterator[tuple[int, int, list[int]]]:
        """Numbers of new movies, each with the keys of a director and of three persons of the cast."""
        for number in range(self.sizes.made):
            first = 1 + number % (self.sizes.people - 3)
            yield number, first, [first + 1, first + 2, first + 3]
