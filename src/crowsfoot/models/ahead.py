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

    ``counts`` are the answers that each was given, by the ``id`` of the instance: of two instances of one row each asks
    for itself. ``sizes`` says for each count of the asking one how many are answered next. ``batch`` is where the last
    answers came from.
    """

    __slots__ = ("batch", "children", "counts", "position", "sizes")

    def __init__(self, children: Any) -> None:
        # The rows that arrive by one relation are one cohort, however many questions brought them.
        self.children = children
        self.counts: dict[int, int] = {}
        self.sizes = [1]
        self.batch: Any = None
        # Where in the cohort the last search ended: most likely the next to ask stands there.
        self.position = 0

    def next_owners(self, owner: Any, key: Any, key_of: Callable[[Any], Any], batch: Any) -> dict[Any, Any]:
        """The asking owner and those that are answered with it, by key; their answers are ``batch``."""
        if self.batch is not None and not self.batch.held_until(batch):
            self.counts.clear()
            self.sizes = [max(1, self.sizes[0] // 4)]
        self.batch = batch
        counts, sizes = self.counts, self.sizes
        level = counts.get(id(owner), 0)
        if level == len(sizes):
            sizes.append(max(1, sizes[-1] // 2))
        size = sizes[level]
        found = {key: owner} if size == 1 else self._with_others(owner, key, key_of, size, level)
        sizes[level] = 2 * size
        for one in map(id, found.values()):
            counts[one] = counts[one] + 1 if one in counts else 1
        return found

    def _with_others(self, owner: Any, key: Any, key_of: Callable[[Any], Any], size: int, level: int) -> dict[Any, Any]:
        """The owner and those that come after it in the cohort and have no more answers; where these are not enough
        those that come before, the nearest first, as in a loop that goes backwards."""
        kind, members, counts = type(owner), owner._origin.members, self.counts
        position = _position(members, owner, self.position)
        following = [member() for member in members[position : position + size]]
        if set(map(type, following)) == {kind} and not counts.keys() & set(map(id, following)):
            whole = dict(zip(map(key_of, following), following, strict=True))
            number = len(whole)
            # The way of a loop, and its end.
            if None not in whole and (number == size or number + len(counts) == len(members)):
                self.position = position + number
                return whole
        found = {key: owner}
        after, before = islice(members, position + 1, None), reversed(members[:position])
        self.position = position + 1 + self._gather(after, found, size, level, kind, key_of)
        number = len(found)
        if number < size and (level or number + len(counts) < len(members)):
            self._gather(before, found, size, level, kind, key_of)
        return found

    def _gather(
        self, members: Iterable[Any], found: dict[Any, Any], size: int, level: int, kind: Any, key_of: Any
    ) -> int:
        """Add members that have at most ``level`` answers to ``found`` until it has this size; how many were looked
        at."""
        counts, looked_at = self.counts, 0
        for member in members:
            looked_at += 1
            other = member()
            if type(other) is kind and counts.get(id(other), 0) <= level:
                key = key_of(other)
                if key is not None and key not in found:
                    found[key] = other
                    if len(found) == size:
                        break
        return looked_at


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
