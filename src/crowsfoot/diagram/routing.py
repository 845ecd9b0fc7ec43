"""How the lines of a drawing run: only between the columns, each on rows and a track of its own.

Between two columns there is a channel. A line enters it on a row, turns into its track, and leaves it on a row. No two
lines share a row of one channel, so lines never run on top of one another, only across; and there are no boxes there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from crowsfoot.diagram.graph import Foot, Line
from crowsfoot.diagram.layout import Node, Plan


@dataclass(slots=True, eq=False)
class Stop:
    """Where a line meets a node: at its right side (``from_left``: the node is left of the channel) or its left."""

    node: Node
    from_left: bool
    foot: Foot | None = None
    names: Line | None = None
    """The line, at the stop that its label stands beside."""
    row: int = -1


@dataclass(slots=True, eq=False)
class Run:
    """The part of a line that lies in one channel."""

    line: Line
    stops: tuple[Stop, Stop]
    track: int = -1

    @property
    def is_straight(self) -> bool:
        return self.stops[0].row == self.stops[1].row

    @property
    def span(self) -> tuple[int, int]:
        """The upper and the lower row of its vertical."""
        one, other = self.stops[0].row, self.stops[1].row
        return (one, other) if one < other else (other, one)

    def other(self, stop: Stop) -> Stop:
        return self.stops[1] if stop is self.stops[0] else self.stops[0]


class Channel:
    """What lies right of one column."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.taken: dict[int, Run] = {}
        self.tracks = 0

    def is_free(self, row: int, run: Run) -> bool:
        return self.taken.get(row, run) is run

    def take(self, stop: Stop, row: int, run: Run) -> None:
        stop.row = row
        self.taken[row] = run

    # -- rows ----------------------------------------------------------------------------------------------------------

    def straighten(self) -> None:
        """Give one row to both stops of a run wherever their nodes face each other."""
        for run in sorted(self.runs, key=lambda run: (run.stops[0].node.top, run.stops[1].node.top)):
            one, other = run.stops
            if one.from_left is other.from_left:
                continue
            common = set(_choice(one)).intersection(_choice(other))
            row = min((row for row in common if self.is_free(row, run)), default=None)
            if row is not None:
                self.take(one, row, run)
                self.take(other, row, run)

    def settle(self) -> Node | None:
        """Give the stops that are left a row each; returns the first node that is too small for that, if one is."""
        waiting: dict[tuple[Node, bool], list[tuple[Stop, Run]]] = {}
        for run in self.runs:
            for stop in run.stops:
                if stop.row < 0:
                    waiting.setdefault((stop.node, stop.from_left), []).append((stop, run))
        for (node, _), stops in waiting.items():
            free = [row for row in node.rows if row not in self.taken]
            if len(free) < len(stops):
                return node
            stops.sort(key=lambda pair: pair[1].other(pair[0]).node.middle)
            upper = sum(run.other(stop).node.middle < node.middle for stop, run in stops)
            rows = free[:upper] + free[len(free) - (len(stops) - upper) :]
            for (stop, run), row in zip(stops, rows, strict=True):
                self.take(stop, row, run)
        return None

    # -- tracks --------------------------------------------------------------------------------------------------------

    def lay_tracks(self) -> None:
        """Order the verticals so that few lines cross, and let those share a track that are clear of each other."""
        runs = [run for run in self.runs if not run.is_straight]
        changed = True
        while changed:
            changed = False
            for at in range(len(runs) - 1):
                one, other = runs[at], runs[at + 1]
                if crossings(other, one) < crossings(one, other):
                    runs[at], runs[at + 1] = other, one
                    changed = True
        for number, run in enumerate(runs):
            (top, bottom) = run.span
            before = (known for known in runs[:number] if known.span[0] <= bottom and top <= known.span[1])
            run.track = max((known.track + 1 for known in before), default=0)
            self.tracks = max(self.tracks, run.track + 1)


def crossings(one: Run, other: Run) -> int:
    """How often two runs cross when the track of ``one`` lies left of that of ``other``."""
    (top, bottom), (upper, lower) = one.span, other.span
    return sum(top < stop.row < bottom for stop in other.stops if stop.from_left) + sum(
        upper < stop.row < lower for stop in one.stops if not stop.from_left
    )


def _choice(stop: Stop) -> Iterable[int]:
    return (stop.row,) if stop.row >= 0 else stop.node.rows


def route(plan: Plan) -> list[Channel]:
    """The channels right of each column with every run in them. A node with too few rows grows until it has enough."""
    while True:
        channels = [Channel() for _ in plan.columns]
        passing = _fill(channels, plan)
        cramped = _pass_through(channels, passing)
        if cramped is None:
            for channel in channels:
                channel.straighten()
                cramped = cramped or channel.settle()
        if cramped is None:
            for channel in channels:
                channel.lay_tracks()
            return channels
        cramped.height += 1
        plan.place()


def _fill(channels: list[Channel], plan: Plan) -> list[tuple[Run, Run]]:
    """Cut each line into runs; returns, for each stand-in that it passes, the runs before and after it."""
    passing: list[tuple[Run, Run]] = []
    for line, path in plan.paths.items():
        before: Run | None = None
        for one, other in pairwise(path):
            stops = (Stop(one, True), Stop(other, one.column == other.column))
            run = Run(line, stops)
            channels[one.column].runs.append(run)
            if before is not None:
                passing.append((before, run))
            before = run
        _mark_ends(line, channels, path)
    return passing


def _mark_ends(line: Line, channels: list[Channel], path: list[Node]) -> None:
    first = next(run for run in channels[path[0].column].runs if run.line is line).stops[0]
    last = next(run for run in channels[path[-2].column].runs if run.line is line).stops[1]
    owner, target = (first, last) if path[0].box is line.owner else (last, first)
    owner.foot, owner.names, target.foot = line.owner_foot, line, line.target_foot


def _pass_through(channels: list[Channel], passing: list[tuple[Run, Run]]) -> Node | None:
    """Give each stand-in one row for both of its sides; returns the first that finds none."""
    for before, after in passing:
        node = before.stops[1].node
        left, right = channels[node.column - 1], channels[node.column]
        free = [row for row in node.rows if left.is_free(row, before) and right.is_free(row, after)]
        if not free:
            return node
        row = next((row for row in free if row in left.taken), free[0])
        left.take(before.stops[1], row, before)
        right.take(after.stops[0], row, after)
    return None
