"""Trees with a few words at each node, drawn as text, as a Mermaid flowchart and as an SVG picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

# What a tone looks like: the colours of a box (fill, line).
TONES = {"plain": ("#f6f8fa", "#8c959f"), "alarm": ("#ffebe9", "#cf222e"), "mild": ("#fff8c5", "#bf8700")}
ROW, BOX, INDENT, MARGIN = 34, 24, 28, 12
# The width of a character of the picture's font is a share of its size; text is measured by it.
FONT, ASPECT = 13, 0.62


@dataclass(slots=True)
class Node:
    """``title`` is what the node is, ``link`` how its parent leads to it, ``note`` what is to be said of it.

    ``tone`` is one of ``TONES``.
    """

    title: str
    link: str = ""
    note: str = ""
    tone: str = "plain"
    children: list[Node] = field(default_factory=list["Node"])


@dataclass(frozen=True, slots=True)
class _Place:
    """A node in its line. ``parent`` is the line of its parent; ``guides`` say which ancestors have more below."""

    node: Node
    line: int
    parent: int
    guides: tuple[bool, ...]


def _places(root: Node) -> Iterator[_Place]:
    """Every node, parents first, as the lines of an outline."""
    waiting: list[tuple[Node, int, tuple[bool, ...]]] = [(root, -1, ())]
    line = 0
    while waiting:
        node, parent, guides = waiting.pop()
        yield _Place(node, line, parent, guides)
        below = [(child, line, (*guides, child is not node.children[-1])) for child in node.children]
        waiting.extend(reversed(below))
        line += 1


def to_text(root: Node, *, ascii: bool = False) -> str:
    """An outline, a line for each node: its title, link and note. ``ascii`` draws with plain characters."""
    fork, end, bar = ("|- ", "`- ", "|  ") if ascii else ("├─ ", "└─ ", "│  ")
    lines = []
    for place in _places(root):
        *above, here = place.guides or (False,)
        branch = (fork if here else end) if place.guides else ""
        words = [place.node.title, place.node.link, place.node.note]
        lines.append("".join(bar if more else "   " for more in above) + branch + "  ".join(w for w in words if w))
    return "\n".join(lines) + "\n"


def to_mermaid(root: Node) -> str:
    """A ``flowchart`` from left to right, which GitHub, GitLab and many editors draw."""
    lines = ["flowchart LR"]
    used = set()
    for place in _places(root):
        node = place.node
        words = "<br/>".join(_quoted(word) for word in (node.title, node.note) if word)
        tone = "" if node.tone == "plain" else f":::{node.tone}"
        label = f'|"{_quoted(node.link)}"|' if node.link else ""
        arrow = f"n{place.parent} -->{label} " if place.guides else ""
        lines.append(f'    {arrow}n{place.line}["{words}"]{tone}')
        used.add(node.tone)
    for tone, (fill, line) in TONES.items():
        if tone in used and tone != "plain":
            lines.append(f"    classDef {tone} fill:{fill},stroke:{line}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Text as Mermaid takes it between quotes, where its own entities begin with ``#``."""
    return "".join(f"#{ord(c)};" if c in "#&<>\"'`" else c for c in text)


def to_svg(root: Node) -> str:
    """A picture of the outline that stands alone: a box for each node, its link and note beside it."""
    parts: list[str] = []
    width = 0.0
    rows: list[tuple[float, float]] = []
    for place in _places(root):
        node = place.node
        x, y = MARGIN + INDENT * len(place.guides), MARGIN + ROW * place.line
        rows.append((x, y))
        if place.guides:
            up_x, up_y = rows[place.parent]
            elbow = f"M{up_x + 10:g} {up_y + BOX:g}V{y + BOX / 2:g}H{x:g}"
            parts.append(f'<path d="{elbow}" fill="none" stroke="#8c959f"/>')
        fill, line = TONES[node.tone]
        box = _measure(node.title) + 16
        parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{box:g}" height="{BOX}" rx="4" fill="{fill}" stroke="{line}"/>'
            f'<text x="{x + 8:g}" y="{y + 16:g}">{_escaped(node.title)}</text>'
        )
        beside = "  ".join(word for word in (node.link, node.note) if word)
        if beside:
            parts.append(f'<text x="{x + box + 8:g}" y="{y + 16:g}" fill="#57606a">{_escaped(beside)}</text>')
        width = max(width, x + box + 8 + _measure(beside))
    size = f'width="{width + MARGIN:g}" height="{MARGIN * 2 + ROW * len(rows) - ROW + BOX:g}"'
    style = f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="{FONT}" fill="#1f2328"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f"<g {style}>",
        *parts,
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _measure(text: str) -> float:
    return len(text) * FONT * ASPECT


def _escaped(text: str) -> str:
    """As text of XML. The standard library's ``html`` brings the names of two thousand characters along."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
