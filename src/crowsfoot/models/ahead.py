"""Who is answered ahead: a question that one member of a cohort after another asks, and how many are answered at once.

The first who asks is answered alone, the second with one more, then four, eight, … whoever comes next: after k queries
2^k - 1 members have their answers, in whatever order they ask. Who asks again is on another level, where the same
holds; it begins with half as many as the level below has come to, so that a second loop over the same members costs
less than the first. Answers that are dropped, as by a write, show that many were prepared in vain: fewer are then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any


class Asked:
    """One question as the members of a cohort ask it.

    ``counts`` are the answers that each was given, in the order of the members: of two instances of one row each asks
    for itself. ``sizes`` says for each count of the asking one how many are answered next. ``batch`` is where the last
    answers came from.
    """

    __slots__ = ("answered", "batch", "children", "counts", "position", "sizes")

    def __init__(self, children: Any) -> None:
        # The rows that arrive by one relation are one cohort, however many questions brought them.
        self.children = children
        self.counts: list[int] = []
        # How many members were given an answer.
        self.answered = 0
        self.sizes = [1]
        self.batch: Any = None
        # Where in the cohort the last search ended: most likely the next to ask stands there.
        self.position = 0

    def next_owners(self, owner: Any, key: Any, key_of: Callable[[Any], Any], batch: Any) -> dict[Any, Any]:
        """The asking owner and those that are answered with it, by key; their answers are ``batch``."""
        if self.batch is not None and not self.batch.held_until(batch):
            self.counts, self.answered = [], 0
            self.sizes = [max(1, self.sizes[0] // 4)]
        self.batch = batch
        members, counts, sizes = owner._origin.members, self.counts, self.sizes
        counts += [0] * (len(members) - len(counts))
        position = _position(members, owner, self.position)
        if position == len(members):
            return {key: owner}
        level = counts[position]
        if level == len(sizes):
            sizes.append(max(1, sizes[-1] // 2))
        size = sizes[level]
        sizes[level] = 2 * size
        if size > 1 and not any(counts[position : position + size]):
            following = [member() for member in members[position : position + size]]
            if set(map(type, following)) == {type(owner)}:
                found = dict(zip(map(key_of, following), following, strict=True))
                number = len(found)
                # The way of a loop, and its end.
                if None not in found and (number == size or number + self.answered == len(members)):
                    self.position = position + number
                    self.answered += number
                    counts[position : self.position] = [1] * number
                    return found
        found = {key: owner}
        self._give(position)
        self.position = position + 1
        if size > 1:
            self._gather(islice(enumerate(members), position + 1, None), found, size, level, type(owner), key_of)
            if len(found) < size and (level or self.answered < len(members)):
                before = range(position - 1, -1, -1)
                pairs = ((number, members[number]) for number in before)
                self._gather(pairs, found, size, level, type(owner), key_of)
        return found

    def _give(self, position: int) -> None:
        self.answered += not self.counts[position]
        self.counts[position] += 1

    def _gather(
        self, members: Iterable[tuple[int, Any]], found: dict[Any, Any], size: int, level: int, kind: Any, key_of: Any
    ) -> None:
        """Add members that have at most ``level`` answers to ``found`` until it has this size."""
        counts = self.counts
        for position, member in members:
            if counts[position] <= level and type(other := member()) is kind:
                key = key_of(other)
                if key is not None and key not in found:
                    found[key] = other
                    self._give(position)
                    if len(found) == size:
                        break


def _position(members: list[Any], owner: Any, begin: int) -> int:
    """Where ``owner`` stands, looked for from where the last search ended."""
    if begin < len(members) and members[begin]() is owner:
        return begin
    for position in range(begin, len(members)):
        if members[position]() is owner:
            return position
    for position in range(min(begin, len(members))):
        if members[position]() is owner:
            return position
    return len(members)
