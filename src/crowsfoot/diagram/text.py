"""Diagrams drawn with characters: boxes, and lines that end in crow's feet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crowsfoot.diagram.graph import Box, Foot, Graph, Line, read
from crowsfoot.diagram.layout import Node, Plan, layers
from crowsfoot.diagram.routing import Channel, Run, Stop, route

BETWEEN = 3  # blank columns between two drawings that stand side by side


@dataclass(frozen=True, slots=True)
class Pen:
    """The characters of a drawing. ``corners`` are those of a box: top left, top right, bottom left, bottom right."""

    across: str
    down: str
    bar: str
    tees: str
    corners: str
    turns: dict[tuple[bool, bool], str]
    """The turn of a line by (it comes from the left, it goes down)."""


UNICODE = Pen(
    "─", "│", "┼", "├┤", "┌┐└┘",
    {(True, True): "┐", (True, False): "┘", (False, True): "┌", (False, False): "└"},
)  # fmt: skip
ASCII = Pen("-", "|", "|", "++", "++++", dict.fromkeys(UNICODE.turns, "+"))
FEET = {
    Foot(0, False): "zero or one",
    Foot(1, False): "exactly one",
    Foot(0, True): "zero or many",
    Foot(1, True): "one or many",
}


def to_text(models: Iterable[Any], width: int = 80, *, ascii: bool = False) -> str:
    """A drawing of ``models`` (or entities) and the relations among them, for a terminal ``width`` characters wide.

    What is pointed at stands left of what points at it, and a line's label, its name and on_delete rule, is beside the
    model that declares it. Where the columns do not fit, they are folded into fewer, or the rules are left out. A
    drawing may still be wider, since names are never cut. ``ascii`` draws with plain characters. Sends nothing.
    """
    graph = read(models)
    pen = ASCII if ascii else UNICODE
    connected = parts(graph)
    shelves = [
        *_shelves([fitting(*part, width, pen).text() for part in connected if part[1]], width),
        *_shelves([fitting(*part, width, pen).text() for part in connected if not part[1]], width),
    ]
    return "\n\n".join(_side_by_side(shelf) for shelf in shelves) + "\n" if shelves else ""


def legend(*, ascii: bool = False) -> str:
    """What the ends of the lines mean, in one line."""
    pen = ASCII if ascii else UNICODE
    return "   ".join(f"{pen.across}{_mirrored(_foot(foot, pen))} {words}" for foot, words in FEET.items())


def parts(graph: Graph) -> list[tuple[list[Box], list[Line]]]:
    """The graph in connected parts, in the order of the boxes."""
    group: dict[Box, list[Box]] = {box: [box] for box in graph.boxes}
    for line in graph.lines:
        one, other = group[line.owner], group[line.target]
        if one is not other:
            one += other
            group.update(dict.fromkeys(other, one))
    groups = {id(boxes): boxes for boxes in group.values()}
    order = {box: number for number, box in enumerate(graph.boxes)}
    return [
        (sorted(boxes, key=order.__getitem__), [line for line in graph.lines if group[line.owner] is boxes])
        for boxes in groups.values()
    ]


def fitting(boxes: Sequence[Box], lines: Sequence[Line], width: int, pen: Pen = UNICODE) -> Drawing:
    """The drawing that fits into ``width``: in as many columns as can be, at the cost of the rules in the labels if it
    must be, and in one column at last."""
    most = max(layers(boxes, lines).values()) + 1
    several = range(most, 1, -1)
    for columns, rules in [*((n, True) for n in several), *((n, False) for n in several)]:
        drawing = _drawing(boxes, lines, columns, pen, rules)
        if drawing.width <= width:
            return drawing
    return _drawing(boxes, lines, 1, pen, True)


def _drawing(boxes: Sequence[Box], lines: Sequence[Line], columns: int, pen: Pen, rules: bool) -> Drawing:
    plan = Plan(boxes, lines, columns)
    return Drawing(plan, route(plan), pen, rules)


def _shelves(drawings: list[list[str]], width: int) -> list[list[list[str]]]:
    """The drawings in rows, side by side as far as ``width`` goes."""
    shelves: list[list[list[str]]] = []
    for drawing in drawings:
        room = sum(len(known[0]) + BETWEEN for known in shelves[-1]) if shelves else 0
        if shelves and room + len(drawing[0]) <= width:
            shelves[-1].append(drawing)
        else:
            shelves.append([drawing])
    return shelves


def _side_by_side(drawings: list[list[str]]) -> str:
    height = max(len(drawing) for drawing in drawings)
    blocks = [drawing + [" " * len(drawing[0])] * (height - len(drawing)) for drawing in drawings]
    return "\n".join((" " * BETWEEN).join(lines).rstrip() for lines in zip(*blocks, strict=True))


def _foot(foot: Foot, pen: Pen) -> str:
    """The marks from the box on its left outwards."""
    if foot.many:
        return ">" + (pen.bar if foot.minimum else "o")
    return f"{pen.across}{pen.bar}{pen.bar if foot.minimum else 'o'}"


def _mirrored(marks: str) -> str:
    return marks[::-1].replace(">", "<")


@dataclass
class Drawing:
    """A plan with its channels, measured and ready to be drawn."""

    plan: Plan
    channels: list[Channel]
    pen: Pen
    rules: bool
    left: list[int] = field(init=False)
    """The first and, in ``right``, the first no longer used x of each column's boxes."""
    right: list[int] = field(init=False)
    tracks: list[int] = field(init=False)
    """The x of each channel's first track."""
    width: int = field(init=False)

    def __post_init__(self) -> None:
        self.left, self.right, self.tracks = [], [], []
        x = 0
        for column, channel in zip(self.plan.columns, self.channels, strict=True):
            self.left.append(x)
            x += max(_box_width(node.box) for node in column if node.box is not None)
            self.right.append(x)
            stops = [stop for run in channel.runs for stop in run.stops]
            near = max((len(self._text_at(stop)) for stop in stops if stop.from_left), default=0)
            far = max((len(self._text_at(stop)) for stop in stops if not stop.from_left), default=0)
            self.tracks.append(x + near + 1)
            if stops:
                x += near + 1 + 2 * channel.tracks + far
        self.width = x

    # -- drawing -------------------------------------------------------------------------------------------------------

    def text(self) -> list[str]:
        """The lines of the drawing, all of one length."""
        nodes = [node for column in self.plan.columns for node in column]
        rows = max(
            max(node.top + node.height for node in nodes),
            max((run.span[1] + 1 for channel in self.channels for run in channel.runs), default=0),
        )
        self.cells = [[" "] * self.width for _ in range(rows)]
        for node in nodes:
            if node.box is None:
                self._through(node)
        for number, channel in enumerate(self.channels):
            for run in channel.runs:
                self._across(run, number)
            for run in channel.runs:
                self._down(run, number)
        for node in nodes:
            if node.box is not None:
                self._box(node, node.box)
        return ["".join(row) for row in self.cells]

    def x_of(self, run: Run, channel: int) -> int:
        return self.tracks[channel] + 2 * run.track

    def _marks_at(self, stop: Stop) -> str:
        """The marks at a stop, from the node outwards, and the bit of line that follows."""
        return _foot(stop.foot, self.pen) + self.pen.across if stop.foot is not None else ""

    def _text_at(self, stop: Stop) -> str:
        """What stands on the line beside a stop, as it is read from left to right."""
        marks, line = self._marks_at(stop), stop.names
        label = "" if line is None else f" {line.label if self.rules else line.name} "
        return marks + label if stop.from_left else label + _mirrored(marks)

    def _write(self, x: int, y: int, text: str) -> None:
        self.cells[y][x : x + len(text)] = text

    def _rule(self, y: int, start: int, end: int) -> None:
        self._write(start, y, self.pen.across * (end - start))

    def _through(self, node: Node) -> None:
        """A line on its way through a column."""
        row = next(stop.row for run in self.channels[node.column].runs for stop in run.stops if stop.node is node)
        self._rule(row, self.left[node.column], self.right[node.column])

    def _across(self, run: Run, channel: int) -> None:
        """The horizontals of a run, with the marks and labels on them."""
        if run.is_straight:
            self._rule(run.stops[0].row, self.right[channel], self.left[channel + 1])
        for stop in run.stops:
            text = self._text_at(stop)
            if stop.from_left:
                start, end = self.right[channel], self.x_of(run, channel)
                at = start
            else:
                start, end = self.x_of(run, channel), self.left[channel + 1]
                at = end - len(text)
            if not run.is_straight:
                self._rule(stop.row, start, end)
            self._write(at, stop.row, text)

    def _down(self, run: Run, channel: int) -> None:
        """The vertical of a run; it passes over the lines that it crosses."""
        if run.is_straight:
            return
        x = self.x_of(run, channel)
        top, bottom = run.span
        for y in range(top + 1, bottom):
            self._write(x, y, self.pen.down)
        for stop in run.stops:
            self._write(x, stop.row, self.pen.turns[stop.from_left, stop.row == top])

    def _box(self, node: Node, box: Box) -> None:
        pen, x = self.pen, self.left[node.column]
        inner = self.right[node.column] - x - 2
        rule = pen.across * inner
        names = max(len(row.name) for row in box.rows) if box.rows else 0
        lines = [f" {row.name:<{names}}  {' '.join(row.keys)}".ljust(inner) for row in box.rows]
        lines += [" " * inner] * (len(node.rows) - len(lines))
        self._write(x, node.top, pen.corners[0] + rule + pen.corners[1])
        self._write(x, node.top + 1, f"{pen.down}{' ' + box.name:<{inner}}{pen.down}")
        self._write(x, node.top + 2, pen.tees[0] + rule + pen.tees[1])
        for number, line in enumerate(lines):
            self._write(x, node.top + 3 + number, pen.down + line + pen.down)
        self._write(x, node.top + node.height - 1, pen.corners[2] + rule + pen.corners[3])


def _box_width(box: Box | None) -> int:
    if box is None:
        return 0
    names = max((len(row.name) for row in box.rows), default=0)
    keys = max((len(" ".join(row.keys)) for row in box.rows), default=0)
    return max(names + 2 + keys, len(box.name)) + 4
