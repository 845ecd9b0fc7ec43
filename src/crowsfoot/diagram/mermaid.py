"""Diagrams as Mermaid text, which GitHub, GitLab and many editors draw."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from crowsfoot.diagram.graph import Box, Foot, Line, Row, read

LEFT = {Foot(0, False): "|o", Foot(1, False): "||", Foot(0, True): "}o", Foot(1, True): "}|"}
RIGHT = {Foot(0, False): "o|", Foot(1, False): "||", Foot(0, True): "o{", Foot(1, True): "|{"}


def to_mermaid(models: Iterable[Any]) -> str:
    """An ``erDiagram`` of ``models`` (or entities) and the relations among them. Sends nothing.

    The side that is pointed at stands on the left: ``Author ||--o{ Post : "author CASCADE"``.
    """
    graph = read(models)
    parts = ["erDiagram", *(line for box in graph.boxes for line in _box(box)), *(_line(line) for line in graph.lines)]
    return "\n".join(parts) + "\n"


def _name(box: Box) -> str:
    return box.name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", box.name) else f'"{box.name}"'


def _box(box: Box) -> list[str]:
    return [f"    {_name(box)} {{", *(_row(row) for row in box.rows), "    }"]


def _row(row: Row) -> str:
    # Mermaid's types have no commas: decimal(5,2) is written decimal(5-2).
    words = [row.type.replace(",", "-"), row.name, ", ".join(row.keys), '"nullable"' if row.nullable else ""]
    return "        " + " ".join(word for word in words if word)


def _line(line: Line) -> str:
    left, right = (line.target, line.owner) if line.points else (line.owner, line.target)
    feet = (line.target_foot, line.owner_foot) if line.points else (line.owner_foot, line.target_foot)
    return f'    {_name(left)} {LEFT[feet[0]]}--{RIGHT[feet[1]]} {_name(right)} : "{line.label}"'
