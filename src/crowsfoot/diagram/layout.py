"""Where the boxes of a drawing stand: in columns from what is pointed at to what points, without needless crossings.

This is the usual way to draw layered graphs: layers by the longest path, a one-row stand-in in each column that a line
passes through, an order in each column by the neighbours' middle, then heights that let neighbours face each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from crowsfoot.diagram.graph import Box, Line

HEAD = 3  # a box's upper edge, its name and the rule below it
GAP = 1  # the fewest blank rows between two things in a column
SWEEPS = 6


class Node:
    """What has a place in a column: a box, or the stand-in of a line that passes through (``box`` is None)."""

    __slots__ = ("box", "column", "height", "top")

    def __init__(self, box: Box | None, column: int) -> None:
        self.box = box
        self.column = column
        self.height = HEAD + max(1, len(box.rows)) + 1 if box is not None else 1
        self.top = 0

    @property
    def head(self) -> int:
        return HEAD if self.box is not None else 0

    @property
    def rows(self) -> range:
        """The rows of the drawing at which lines may begin."""
        return range(self.top + self.head, self.top + self.height - (self.box is not None))

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


class Plan:
    """The nodes of one connected drawing, column by column, and the nodes that each line passes, left to right."""

    def __init__(self, boxes: Sequence[Box], lines: Sequence[Line], most: int) -> None:
        places = fold(layers(boxes, lines), lines, most)
        self.columns: list[list[Node]] = [[] for _ in range(max(places.values()) + 1)]
        self.paths: dict[Line, list[Node]] = {}
        nodes = {box: self._add(Node(box, places[box])) for box in boxes}
        for line in lines:
            left, right = sorted((nodes[line.owner], nodes[line.target]), key=lambda node: node.column)
            between = [self._add(Node(None, column)) for column in range(left.column + 1, right.column)]
            self.paths[line] = [left, *between, right]
        self.neighbours: dict[Node, list[Node]] = defaultdict(list)
        for path in self.paths.values():
            for one, other in pairwise(path):
                if one.column != other.column:
                    self.neighbours[one].append(other)
                    self.neighbours[other].append(one)
        self._order()
        self.place()

    def _add(self, node: Node) -> Node:
        self.columns[node.column].append(node)
        return node

    # -- order in the columns ------------------------------------------------------------------------------------------

    def _order(self) -> None:
        """Sort each column by the middle of its neighbours, back and forth; keep the order with fewest crossings."""
        best = [list(column) for column in self.columns]
        fewest = self._crossings()
        for sweep in range(SWEEPS):
            for column in self.columns[::-1] if sweep % 2 else self.columns:
                places = {node: number for nodes in self.columns for number, node in enumerate(nodes)}
                column.sort(key=lambda node, at=places: self._middle_place(node, at))  # type: ignore[misc]
            crossings = self._crossings()
            if crossings < fewest:
                fewest, best = crossings, [list(column) for column in self.columns]
        self.columns = best

    def _middle_place(self, node: Node, places: dict[Node, int]) -> float:
        near = [places[other] for other in self.neighbours[node]]
        return sum(near) / len(near) if near else places[node]

    def _crossings(self) -> int:
        found = 0
        for column, beyond in pairwise(self.columns):
            places = {node: number for number, node in enumerate(beyond)}
            ends = [places[other] for node in column for other in self.neighbours[node] if other in places]
            found += sum(upper > lower for number, upper in enumerate(ends) for lower in ends[number + 1 :])
        return found

    # -- height --------------------------------------------------------------------------------------------------------

    def place(self) -> None:
        """Give every node its ``top``. Called again when a node had to grow."""
        for column in self.columns:
            stack(column, [0.0] * len(column))
        for sweep in range(SWEEPS):
            for column in self.columns[::-1] if sweep % 2 else self.columns:
                stack(column, self._wanted(column))
        highest = min(node.top for column in self.columns for node in column)
        for column in self.columns:
            for node in column:
                node.top -= highest

    def _wanted(self, column: list[Node]) -> list[float]:
        """The top at which each node would face its neighbours; one without any follows the node above it."""
        wanted: list[float] = []
        for number, node in enumerate(column):
            near = [other.top + other.head for other in self.neighbours[node]]
            if near:
                wanted.append(sum(near) / len(near) - node.head)
            else:
                wanted.append(wanted[-1] + column[number - 1].height + GAP if wanted else 0.0)
        return wanted


def stack(column: Sequence[Node], wanted: Sequence[float]) -> None:
    """Put nodes below one another, in their order, with the least sum of squared distances to the tops they want."""
    blocks: list[tuple[float, list[Node], int]] = []  # the mean of the tops wanted of it, its nodes, its height
    for node, top in zip(column, wanted, strict=True):
        mean, nodes, height = top, [node], node.height + GAP
        while blocks and blocks[-1][0] + blocks[-1][2] > mean:
            above, upper, shift = blocks.pop()
            mean = (above * len(upper) + (mean - shift) * len(nodes)) / (len(upper) + len(nodes))
            nodes, height = upper + nodes, shift + height
        blocks.append((mean, nodes, height))
    for mean, nodes, _ in blocks:
        top = int(mean // 1)
        for node in nodes:
            node.top = top
            top += node.height + GAP


def layers(boxes: Iterable[Box], lines: Iterable[Line]) -> dict[Box, int]:
    """The column of each box: right of all that it points at. Where lines run in a circle, one of them runs back."""
    after: dict[Box, list[Box]] = defaultdict(list)
    for line in lines:
        left, right = (line.target, line.owner) if line.points else (line.owner, line.target)
        if left is not right:
            after[left].append(right)
    order: list[Box] = []  # every box before those it leads to, apart from the lines that close a circle
    state: dict[Box, bool] = {}

    def visit(box: Box) -> None:
        state[box] = False
        for other in list(after[box]):
            if state.get(other) is False:
                after[box].remove(other)
            elif other not in state:
                visit(other)
        state[box] = True
        order.insert(0, box)

    for box in boxes:
        if box not in state:
            visit(box)
    layer = dict.fromkeys(order, 0)
    for box in order:
        for other in after[box]:
            layer[other] = max(layer[other], layer[box] + 1)
    entered = {other for others in after.values() for other in others}
    for box in order:
        if box not in entered and after[box]:
            layer[box] = min(layer[other] for other in after[box]) - 1
    return layer


def fold(layer: dict[Box, int], lines: Sequence[Line], most: int) -> dict[Box, int]:
    """The layers in at most ``most`` columns: neighbouring layers share one, so that few lines stay in their column."""
    count = max(layer.values()) + 1
    if count <= most:
        return layer

    def cost(start: int, end: int) -> tuple[int, int]:
        inside = sum(start <= min(both) and max(both) < end for both in spans)
        return inside, sum(start <= number < end for number in layer.values()) ** 2

    spans = [(layer[line.owner], layer[line.target]) for line in lines]
    # The cheapest way to put the first ``end`` layers into so many columns, and where the last of them starts.
    best: list[dict[int, tuple[tuple[int, int], int]]] = [{0: ((0, 0), 0)}]
    for _ in range(most):
        found: dict[int, tuple[tuple[int, int], int]] = {}
        for end in range(1, count + 1):
            ways = [
                ((known[0] + more[0], known[1] + more[1]), start)
                for start, (known, _) in best[-1].items()
                if start < end
                for more in [cost(start, end)]
            ]
            if ways:
                found[end] = min(ways)
        best.append(found)
    column_of: dict[int, int] = {}
    end = count
    for column in range(most, 0, -1):
        start = best[column][end][1]
        column_of.update(dict.fromkeys(range(start, end), column - 1))
        end = start
    return {box: column_of[number] for box, number in layer.items()}
