"""Querysets as expressions, `Subquery` and `Exists`; and slots moved, where their values are counted from elsewhere."""

from __future__ import annotations

from typing import Any

from crowsfoot.query.expressions import Expression
from crowsfoot.query.inference import BOOLEAN
from crowsfoot.query.resolved import Embedded, Param, RelatedExists
from crowsfoot.schema.types import ValueType


class Subquery(Expression):
    """The one value of a queryset, as an expression."""

    contains_subquery = True
    template = "(%(subquery)s)"
    empty_result_set_value: Any = None

    def __init__(self, queryset: Any, output_field: ValueType | None = None, **extra: Any) -> None:
        super().__init__(output_field)
        self.queryset = getattr(queryset, "queryset", queryset)
        self.extra = extra
        self.statement: Any = None
        self.offset = 0
        self.skips = 0

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        node = self.copy()
        node.is_resolved = True
        node.statement, node.offset = query.embed(self.queryset)
        node.queryset = None
        return node

    def __getstate__(self) -> dict[str, Any]:
        """The queryset is not asked; where it is a statement already, that is enough."""
        state = self.__dict__.copy()
        if self.is_resolved:
            state.pop("_init", None)
        else:
            asked = state["queryset"] = self.queryset.unread()
            args, kwargs = self._init
            state["_init"] = (
                tuple(asked if arg is self.queryset else arg for arg in args),
                {name: asked if arg is self.queryset else arg for name, arg in kwargs.items()},
            )
        return state

    def _resolve_output_field(self) -> ValueType | None:
        statement = self.statement if self.statement is not None else self.queryset._query
        return statement.single_type()

    def get_group_by_cols(self) -> list[Any]:
        return [self]

    def __repr__(self) -> str:
        """Without asking the queryset."""
        query = self.statement if self.statement is not None else self.queryset._query
        return f"{type(self).__name__}(<{query.entity.label}>)"


class Exists(Subquery):
    """Whether a queryset has any row."""

    conditional = True  # pyright: ignore[reportAssignmentType]
    template = "EXISTS(%(subquery)s)"
    empty_result_set_value = False

    def __init__(self, queryset: Any, **kwargs: Any) -> None:
        super().__init__(queryset, **kwargs)
        self._output_field = BOOLEAN


def shift(node: Any, by: int) -> Any:
    """A copy of ``node`` whose own slots are ``by`` further on; None where it has none itself."""
    found: Any
    if isinstance(node, Param):
        found = node.copy()
        found.index += by
        return found
    if isinstance(node, (Embedded, Subquery, RelatedExists)):
        found = node.copy()
        found.offset += by
        return found
    return None
