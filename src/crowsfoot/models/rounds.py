"""Who is answered ahead: a question that one member of a cohort after another asks, and how many are answered at once.

The first who asks is answered alone, the second with one more, then four, eight, … whoever comes next: after k
queries 2^k - 1 members have their answers, in whatever order they ask. When a member asks again, another round begins
beside the first, so that a second loop over the same members costs as little as the first. Answers that are dropped, as
by a write, show that many were prepared in vain: fewer are then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

# A member may ask as often as this in each step of a loop; it is then answered alone.
ROUNDS = 4
MOST = 1 << 16


class Asked:
    """One question as the members of a cohort ask it. ``batch`` are the last answers."""

    __slots__ = ("batch", "children", "rounds")

    def __init__(self, children: Any) -> None:
        # The rows that arrive by one relation are one cohort, however many questions brought them.
        self.children = children
        self.rounds: list[Round] = []
        self.batch: Any = None

    def next_owners(self, owner: Any, key: Any, key_of: Callable[[Any], Any], batch: Any) -> dict[Any, Any]:
        """The asking owner and those that are answered with it, by key; their answers are ``batch``."""
        if self.batch is not None and not self.batch.held_until(batch):
            self.rounds = [Round(max(1, self.rounds[0].size // 4))]
        self.batch = batch
        for current in self.rounds:
            if key not in current.answered:
                break
        else:
            current = Round()
            self.rounds = [*self.rounds[1 - ROUNDS :], current]
        found = {key: owner} if current.size == 1 else current.with_others(owner, key, key_of)
        current.answered.update(found)
        if current.size < MOST:
            current.size *= 2
        return found


class Round:
    """Each member of a cohort is answered once: asked by itself, or ahead."""

    __slots__ = ("answered", "position", "size")

    def __init__(self, size: int = 1) -> None:
        self.size = size
        # Where in the cohort the last search ended: most likely the next to ask stands there.
        self.position = 0
        self.answered: set[Any] = set()

    def with_others(self, owner: Any, key: Any, key_of: Callable[[Any], Any]) -> dict[Any, Any]:
        """The owner and those that come after it in the cohort; where these are not enough those that come before, the
        nearest first, as in a loop that goes backwards."""
        kind, size, members = type(owner), self.size, owner._origin.members
        position = _position(members, owner, self.position)
        following = [member() for member in members[position : position + size]]
        if set(map(type, following)) == {kind}:
            keys = list(map(key_of, following))
            if None not in keys and not self.answered & set(keys):
                whole = dict(zip(keys, following, strict=True))
                number = len(whole)
                if number == size or number + len(self.answered) == len(members):  # the way of a loop, and its end
                    self.position = position + number
                    return whole
        found = {key: owner}
        self.position = position + 1 + self._gather(islice(members, position + 1, None), found, kind, key_of)
        number = len(found)
        if number < size and number + len(self.answered) < len(members):
            self._gather(reversed(members[:position]), found, kind, key_of)
        return found

    def _gather(self, members: Iterable[Any], found: dict[Any, Any], kind: Any, key_of: Callable[[Any], Any]) -> int:
        """Add members that nobody has answered to ``found`` until it is full; how many were looked at."""
        looked_at = 0
        for member in members:
            looked_at += 1
            other = member()
            if type(other) is kind:
                key = key_of(other)
                if key is not None and key not in self.answered and key not in found:
                    found[key] = other
                    if len(found) == self.size:
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
