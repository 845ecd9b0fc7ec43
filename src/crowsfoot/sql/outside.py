"""Expressions seen from outside of a subquery: what they read of its rows becomes columns of it."""

from __future__ import annotations

from typing import Any

from crowsfoot.query.nodes import mapped
from crowsfoot.query.resolved import Condition, ExpressionList, Param, Resolved


class Inner(Resolved):
    """A column of the subquery called ``table``, which computes ``source``."""

    null_strict = True

    def __init__(self, table: str, name: str, source: Any) -> None:
        super().__init__(source._output_field_or_none)
        self.table = table
        self.name = name
        self.source = source

    @property
    def nullable(self) -> bool:
        """Whether a comparison inside a NOT has to look for NULL: as for the column that it shows."""
        return bool(getattr(self.source, "nullable", False))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return f"{compiler.quote_name(self.table)}.{compiler.quote_name(self.name)}", []


class Named(Resolved):
    """A column of the SELECT clause by its name, which ORDER BY knows: as a whole, not inside of an expression."""

    def __init__(self, name: str, source: Any) -> None:
        super().__init__(source._output_field_or_none)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return compiler.quote_name(self.name), []


class Exports:
    """Columns that a subquery called ``table`` gets so that something outside of it can be computed."""

    def __init__(self, compiler: Any, table: str) -> None:
        self.compiler = compiler
        self.table = table
        self.columns: list[tuple[str, list[Any]]] = []
        self.nodes: list[Any] = []

    def take(self, node: Any) -> Inner:
        """``node`` as a column of the subquery."""
        sql, params = self.compiler.value_of(node)
        if (sql, params) not in self.columns:
            self.columns.append((sql, params))
            self.nodes.append(node)
        return Inner(self.table, self.name(self.columns.index((sql, params))), node)

    def name(self, number: int) -> str:
        return f"{self.table}{number}"

    def outside(self, condition: Any) -> Any:
        """A condition with everything that it compares taken from the subquery; values stay where they are."""

        def replace(node: Any) -> Any:
            if isinstance(node, (Param, Condition, ExpressionList)) or (
                hasattr(node, "lookup_name") and node.conditional
            ):
                return None
            return None if node.is_composite else self.take(node)

        return mapped(condition, replace)
