"""Reads a drawing back: from each mark at a box it follows the line to the other end, as a person's finger would."""

from __future__ import annotations

import re
from dataclasses import dataclass

MARKS = {">o": (0, True), ">┼": (1, True), "─┼o": (0, False), "─┼┼": (1, False)}
TURNS = {"┐": {"left", "down"}, "┘": {"left", "up"}, "┌": {"right", "down"}, "└": {"right", "up"}}
STEPS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
BACK = {"left": "right", "right": "left", "up": "down", "down": "up"}


@dataclass(frozen=True)
class Found:
    """A box: its corner, its size, and what stands in it."""

    x: int
    y: int
    width: int
    height: int
    name: str
    rows: tuple[str, ...]

    def holds(self, x: int, y: int) -> bool:
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class Picture:
    def __init__(self, text: str) -> None:
        lines = text.splitlines()
        width = max(map(len, lines))
        self.cells = [line.ljust(width) for line in lines]
        self.boxes = [self._box(x, y) for y in range(len(lines)) for x in range(width) if self._is_corner(x, y)]
        self.seen: set[tuple[int, int]] = set()
        self.lines = [line for box in self.boxes for line in self._lines_of(box)]

    def at(self, x: int, y: int) -> str:
        inside = 0 <= y < len(self.cells) and 0 <= x < len(self.cells[0])
        return self.cells[y][x] if inside else " "

    def _is_corner(self, x: int, y: int) -> bool:
        return self.at(x, y) == "┌" and self.at(x, y + 2) == "├"

    def _box(self, x: int, y: int) -> Found:
        width = self.cells[y].index("┐", x) - x + 1
        height = next(n for n in range(3, len(self.cells)) if self.at(x, y + n) == "└") + 1
        rows = [self.cells[y + n][x : x + width] for n in range(height)]
        assert rows[0] == "┌" + "─" * (width - 2) + "┐"
        assert rows[2] == "├" + "─" * (width - 2) + "┤"
        assert rows[-1] == "└" + "─" * (width - 2) + "┘"
        assert all(row[0] == row[-1] == "│" for row in (rows[1], *rows[3:-1])), rows
        inner = [row[1:-1].strip() for row in rows]
        return Found(x, y, width, height, inner[1], tuple(row for row in inner[3:-1] if row))

    def box_at(self, x: int, y: int) -> Found | None:
        return next((box for box in self.boxes if box.holds(x, y)), None)

    def _lines_of(self, box: Found) -> list[tuple[object, str, str]]:
        found = []
        for y in range(box.y, box.y + box.height):
            for x, way in ((box.x - 1, "left"), (box.x + box.width, "right")):
                if self.at(x, y) != " ":
                    found.append(self._follow(box, x, y, way))
        return found

    def _follow(self, start: Found, x: int, y: int, way: str) -> tuple[object, str, str]:
        """Both ends of the line, in an order of their own, and what is written on it: name and rule."""
        first, text = self._mark(x, y, way), ""
        while (end := self.box_at(x, y)) is None:
            self.seen.add((x, y))
            character = self.at(x, y)
            if character in TURNS and BACK[way] in TURNS[character]:
                (way,) = TURNS[character] - {BACK[way]}
                text += "─"
            elif way in ("up", "down"):
                assert character == "│", f"the line breaks off at {x}, {y}: {character!r}"
            else:
                text = text + character if way == "right" else character + text
            x, y = x + STEPS[way][0], y + STEPS[way][1]
            assert 0 <= y < len(self.cells), "the line leaves the drawing"
            assert 0 <= x < len(self.cells[0]), "the line leaves the drawing"
        last = self._mark(x - STEPS[way][0], y, BACK[way])
        ((name, rule),) = re.findall(r"([a-z]\w+)(?: ([A-Z_]{3,}))?", text)
        return tuple(sorted([(start.name, *first), (end.name, *last)])), name, rule

    def _mark(self, x: int, y: int, way: str) -> tuple[int, bool]:
        """The foot that begins beside a box at ``x`` and goes in the direction ``way``."""
        step = STEPS[way][0]
        outward = "".join(self.at(x + step * n, y) for n in range(3)).replace("<", ">")
        return next(foot for marks, foot in MARKS.items() if outward.startswith(marks))

    @property
    def strays(self) -> set[tuple[int, int]]:
        """What belongs neither to a box nor to a line that ends at two boxes."""
        return {
            (x, y)
            for y, row in enumerate(self.cells)
            for x, character in enumerate(row)
            if character != " " and self.box_at(x, y) is None and (x, y) not in self.seen
        }
