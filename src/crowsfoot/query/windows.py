"""Window functions: `Window` and the frames of rows that it looks at."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

from crowsfoot.errors import FieldError
from crowsfoot.query.aggregates import Aggregate, as_orderings
from crowsfoot.query.expressions import Expression
from crowsfoot.query.func import as_expressions
from crowsfoot.schema.types import ValueType


class WindowFrameExclusion(Enum):
    """Which rows around the current one a frame leaves out."""

    CURRENT_ROW = "CURRENT ROW"
    GROUP = "GROUP"
    TIES = "TIES"
    NO_OTHERS = "NO OTHERS"

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}.{self.name}"


class WindowFrame(Expression):
    """The rows around the current one: from ``start`` to ``end``, 0 being the current row and None no bound."""

    frame_type = ""

    def __init__(
        self, start: int | None = None, end: int | None = None, exclusion: WindowFrameExclusion | None = None
    ) -> None:
        if not isinstance(exclusion, WindowFrameExclusion | None):
            raise TypeError(f"{type(self).__qualname__}.exclusion must be a WindowFrameExclusion instance.")
        super().__init__()
        self.check(start, end)
        self.start, self.end, self.exclusion = start, end, exclusion

    def check(self, start: Any, end: Any) -> None:
        """Raise ``ValueError`` where there are no such bounds."""
        for name, bound in (("start", start), ("end", end)):
            if not isinstance(bound, int | None):
                raise ValueError(f"{name} argument must be an integer, zero, or None, but got '{bound}'.")
        if start is not None and end is not None and start > end:
            raise ValueError("start cannot be greater than end.")

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        start, end = _bound(self.start, "PRECEDING"), _bound(self.end, "FOLLOWING")
        without = f" EXCLUDE {self.exclusion.value}" if self.exclusion is not None else ""
        return f"{self.frame_type} BETWEEN {start} AND {end}{without}", []

    def get_group_by_cols(self) -> list[Any]:
        return []

    def __str__(self) -> str:
        return self.as_sql(None, None)[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


def _bound(rows: int | None, unbounded: str) -> str:
    if rows is None:
        return f"UNBOUNDED {unbounded}"
    if rows == 0:
        return "CURRENT ROW"
    return f"{abs(rows)} {'PRECEDING' if rows < 0 else 'FOLLOWING'}"


class RowRange(WindowFrame):
    """A number of rows before and after."""

    frame_type = "ROWS"


class ValueRange(WindowFrame):
    """The rows whose value in the window's order is near the current row's."""

    frame_type = "RANGE"

    def check(self, start: Any, end: Any) -> None:
        if not (start is None or (isinstance(start, int) and start <= 0)):
            raise ValueError(f"start argument must be a negative integer, zero, or None, but got '{start}'.")
        if not (end is None or (isinstance(end, int) and end >= 0)):
            raise ValueError(f"end argument must be a positive integer, zero, or None, but got '{end}'.")


class Window(Expression):
    """A function of the rows around each row: ``Window(Rank(), partition_by="author", order_by="-likes")``."""

    contains_aggregate = False
    contains_over_clause = True

    def __init__(
        self,
        expression: Any,
        partition_by: Any = None,
        order_by: Any = None,
        frame: WindowFrame | None = None,
        output_field: ValueType | None = None,
    ) -> None:
        if not getattr(expression, "window_compatible", False):
            raise ValueError(f"Expression '{type(expression).__name__}' isn't compatible with OVER clauses.")
        known = order_by is None or isinstance(order_by, (str, list, tuple)) or hasattr(order_by, "resolve_expression")
        if not known:
            raise ValueError(
                "Window.order_by must be either a string reference to a field, an expression, or a list or tuple of "
                f"them not {order_by!r}."
            )
        super().__init__(output_field)
        self.source_expression = expression
        given = partition_by if isinstance(partition_by, (list, tuple)) else [partition_by]
        self.partition_by = as_expressions(*given) if partition_by is not None else []
        self.order_by = as_orderings(order_by) if order_by is not None else []
        self.frame = frame

    def get_source_expressions(self) -> list[Any]:
        return [self.source_expression, self.frame, *self.partition_by, *self.order_by]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.source_expression, self.frame, *rest = exprs
        size = len(self.partition_by)
        self.partition_by, self.order_by = rest[:size], rest[size:]

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        node = super().resolve_expression(query, allow_joins, reuse, summarize, for_save)
        if any(e is not None and e.contains_over_clause for e in node.get_source_expressions()):
            raise FieldError("A window function cannot be computed over another one: put one of them into a subquery.")
        return node

    def _inherit(self, sources: Sequence[Any]) -> None:
        super()._inherit(sources)
        # The function itself is computed for every row; aggregates inside it, or beside it, group the rows first.
        function, _, *others = sources
        inner = [e for e in function.get_source_expressions() if e is not None]
        self.contains_aggregate = any(e.contains_aggregate for e in [*inner, *others])

    def _resolve_output_field(self) -> ValueType | None:
        return self.source_expression._output_field_or_none

    def get_group_by_cols(self) -> list[Any]:
        inner = self.source_expression.get_source_expressions()
        nodes = [e for e in (*self.partition_by, *self.order_by, *inner) if hasattr(e, "get_group_by_cols")]
        return [c for e in nodes for c in e.get_group_by_cols()]

    def __str__(self) -> str:
        clauses = []
        if self.partition_by:
            clauses.append(f"PARTITION BY {', '.join(map(str, self.partition_by))}")
        if self.order_by:
            clauses.append(", ".join(map(str, self.order_by)))
        if self.frame is not None:
            clauses.append(str(self.frame))
        return f"{self.source_expression} OVER ({' '.join(clauses)})"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        clauses: list[str] = []
        params: list[Any] = []
        for words, nodes in (("PARTITION BY ", self.partition_by), ("ORDER BY ", self.order_by)):
            compiled = [compiler.repeated(node) for node in nodes]
            if compiled:
                clauses.append(words + ", ".join(text for text, _ in compiled))
                params += [p for _, more in compiled for p in more]
        if self.frame is not None:
            clauses.append(compiler.compile(self.frame)[0])
        over = f" OVER ({' '.join(clauses)})"
        function = self.source_expression
        if isinstance(function, Aggregate):
            say = getattr(function, compiler.dialect.as_vendor, function.as_sql)
            return say(compiler, connection, over=(over, params))
        sql, first = compiler.compile(function)
        return sql + over, [*first, *params]
