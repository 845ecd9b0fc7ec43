"""`MigrationOptimizer`: fewer operations that mean the same."""

from __future__ import annotations

from collections.abc import Sequence

from crowsfoot.migrations.operations.base import Operation


class MigrationOptimizer:
    """Joins operations where they can be joined: each operation knows which later ones it can be one with, and which
    ones it may change places with (``Operation.reduce``).
    """

    def optimize(self, operations: Sequence[Operation], app_label: str) -> list[Operation]:
        """The shortest list that joining leads to. Costs the square of the number of operations per pass."""
        found = list(operations)
        while True:
            shorter = self._pass(found, app_label)
            if shorter is None:
                return found
            found = shorter

    def _pass(self, operations: list[Operation], app_label: str) -> list[Operation] | None:
        """The list after the first join that is possible; None where there is none."""
        for first in range(len(operations)):
            joined = self._join(operations, first, app_label)
            if joined is not None:
                return joined
        return None

    def _join(self, operations: list[Operation], first: int, app_label: str) -> list[Operation] | None:
        """Join the operation at ``first`` with the nearest later one that allows it.

        What stands between must let one of the two pass: the earlier one to the right, or the later one to the left.
        """
        operation = operations[first]
        passes_right = True
        for second in range(first + 1, len(operations)):
            result = operation.reduce(operations[second], app_label)
            if isinstance(result, list):
                between = operations[first + 1 : second]
                before, after = operations[:first], operations[second + 1 :]
                if passes_right:
                    return [*before, *between, *result, *after]
                if all(other.reduce(operations[second], app_label) is True for other in between):
                    return [*before, *result, *between, *after]
                return None
            passes_right = passes_right and bool(result)
        return None
