"""Nodes that resolution makes: columns, numbered slots, conditions over look-ups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from crowsfoot.query.inference import BOOLEAN, INTEGER, UNKNOWN, TupleType
from crowsfoot.query.nodes import BaseExpression
from crowsfoot.schema.relation import KeyOf
from crowsfoot.schema.types import ValueType


class Resolved(BaseExpression):
    """A node that only resolution makes; it is bound already."""

    is_resolved = True

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        return self


class ResolvedOuterRef(Resolved):
    """A name to look up in the query ``depth`` levels further out, when that one is compiled.

    ``root`` is the model that it starts from, where a typed path said so.
    """

    null_strict = True

    def __init__(self, name: str, depth: int = 1, root: Any = None) -> None:
        super().__init__()
        self.name = name
        self.depth = depth
        self.root = root

    def _resolve_output_field(self) -> ValueType | None:
        return UNKNOWN


class Col(Resolved):
    """A column, reached from the query's entity by ``ends``.

    ``group`` is the number of the ``filter()`` call it belongs to: to-many hops are shared inside one call and not
    between calls. None shares whatever join is there.
    """

    null_strict = True

    def __init__(self, ends: tuple[Any, ...], attribute: Any, group: int | None = None) -> None:
        super().__init__()
        self.ends = ends
        self.attribute = attribute
        self.group = group

    def _resolve_output_field(self) -> ValueType | None:
        return self.attribute.value_type

    def __repr__(self) -> str:
        return f"Col({self.attribute.entity.table.name}, {self.attribute.field or self.attribute.name})"

    @property
    def place(self) -> tuple[Any, ...]:
        """Equal for columns that are the same value of the same row."""
        return self.ends, self.attribute, self.group

    @property
    def target(self) -> Any:
        return self.attribute.field

    @property
    def nullable(self) -> bool:
        return self.attribute.column.null or any(not end.minimum for end in self.ends)


class AliasedCol(Resolved):
    """The column of a field in a table that goes by ``alias`` in the statement."""

    null_strict = True

    def __init__(self, alias: str, target: Any, output_field: ValueType | None = None) -> None:
        super().__init__(output_field)
        self.alias = alias
        self.target = target

    def _resolve_output_field(self) -> ValueType | None:
        return self.target

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return f"{compiler.quote_name(self.alias)}.{compiler.quote_name(self.target.column)}", []


class Ref(Resolved):
    """A reference to an annotation, by its name."""

    def __init__(self, refs: str, source: Any) -> None:
        super().__init__()
        self.refs = refs
        self.source = source
        self._inherit([source])

    def get_source_expressions(self) -> list[Any]:
        return [self.source]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.source,) = exprs

    def _resolve_output_field(self) -> ValueType | None:
        return self.source.value_type

    def get_refs(self) -> set[str]:
        return {self.refs}

    @property
    def null_strict(self) -> bool:  # type: ignore[override]
        return bool(self.source.null_strict)

    @property
    def conditional(self) -> bool:
        return bool(self.source.conditional)


def parts(node: Any) -> Iterator[Any]:
    """A node and those below it; what an annotation refers to by name is not below it."""
    stack = [node]
    while stack:
        part = stack.pop()
        yield part
        if not isinstance(part, Ref) and hasattr(part, "get_source_expressions"):
            stack.extend(e for e in part.get_source_expressions() if e is not None)


class Param(Resolved):
    """A numbered slot that a value is bound to at each run; ``item`` takes one part of a value that is a sequence.

    ``array`` marks a whole list that is bound as one parameter.
    """

    null_strict = True

    def __init__(self, index: int, output_field: ValueType, item: int | None = None, array: bool = False) -> None:
        super().__init__(output_field)
        self.index = index
        self.item = item
        self.array = array
        self.cast = False

    def get_group_by_cols(self) -> list[Any]:
        return []


class Star(Resolved):
    """The ``*`` of ``COUNT(*)``."""

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def get_group_by_cols(self) -> list[Any]:
        return []


class Nothing(Resolved):
    """The condition that no row meets."""

    conditional = True  # pyright: ignore[reportAssignmentType]

    def _resolve_output_field(self) -> ValueType | None:
        return BOOLEAN


class Never(Resolved):
    """A condition that no row meets, which the database is asked all the same."""

    conditional = True  # pyright: ignore[reportAssignmentType]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return "1 = 0", []


class Everything(Resolved):
    """The condition that every row meets."""

    conditional = True  # pyright: ignore[reportAssignmentType]

    def _resolve_output_field(self) -> ValueType | None:
        return BOOLEAN


class DefaultValue(Resolved):
    """The ``DEFAULT`` of an INSERT: the database fills the column."""


class Condition(Resolved):
    """A resolved ``Q``: ``children`` joined by ``connector``, perhaps negated."""

    conditional = True  # pyright: ignore[reportAssignmentType]

    def __init__(self, children: Sequence[Any], connector: str = "AND", negated: bool = False) -> None:
        super().__init__(BOOLEAN)
        self.children = list(children)
        self.connector = connector
        self.negated = negated
        self._inherit(self.children)

    def get_source_expressions(self) -> list[Any]:
        return self.children

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.children = list(exprs)


class RelatedExists(Resolved):
    """Whether ``end`` has a row that meets ``statement``'s conditions, for the row that ``prefix`` leads to.

    ``statement`` describes a query on ``end.target``; its slots are shifted by ``offset``.
    """

    conditional = True  # pyright: ignore[reportAssignmentType]
    contains_subquery = True

    def __init__(self, prefix: tuple[Any, ...], end: Any, statement: Any, offset: int, group: int | None) -> None:
        super().__init__(BOOLEAN)
        self.prefix = prefix
        self.end = end
        self.statement = statement
        self.offset = offset
        self.group = group


class RelatedCount(RelatedExists):
    """How many rows ``end`` has, for the row that ``prefix`` leads to."""

    conditional = False

    def __init__(self, prefix: tuple[Any, ...], end: Any, statement: Any, offset: int, group: int | None) -> None:
        super().__init__(prefix, end, statement, offset, group)
        self._output_field = INTEGER


class RelatedAggregate(RelatedExists):
    """An aggregate over the rows that ``end`` has, for the row that ``prefix`` leads to; ``statement`` selects it."""

    conditional = False

    def __init__(self, prefix: tuple[Any, ...], end: Any, statement: Any, output_field: ValueType) -> None:
        super().__init__(prefix, end, statement, 0, None)
        self._output_field = output_field


class RowKey(Resolved):
    """The key of the row that ``key_of`` describes, which the database looks up as it runs the statement."""

    contains_subquery = True

    def __init__(self, key_of: KeyOf) -> None:
        super().__init__()
        self.key_of = key_of

    def _resolve_output_field(self) -> ValueType | None:
        return self.key_of.entity.key[0].value_type


class OuterCol(Resolved):
    """A column of the query around a subquery, or a question about the row of that query."""

    def __init__(self, col: Any) -> None:
        super().__init__(col.value_type)
        self.col = col

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        result: tuple[str, list[Any]] = compiler.outer.compile(self.col)
        return result


class ColumnTuple(Resolved):
    """The columns of a composite key, or the values that they are compared with, as one."""

    null_strict = True
    is_composite = True
    allows_composite_expressions = True

    def __init__(self, cols: list[Any]) -> None:
        super().__init__()
        self.cols = cols

    def _resolve_output_field(self) -> ValueType | None:
        return TupleType(tuple(col.value_type for col in self.cols))

    def get_source_expressions(self) -> list[Any]:
        return self.cols

    def set_source_expressions(self, exprs: Any) -> None:
        self.cols = list(exprs)

    def get_group_by_cols(self) -> list[Any]:
        return self.cols


class ExpressionList(Resolved):
    """Several expressions in a row, as IN and BETWEEN take them."""

    def __init__(self, *expressions: Any) -> None:
        super().__init__(UNKNOWN)
        self.expressions = list(expressions)
        self._inherit(self.expressions)

    def get_source_expressions(self) -> list[Any]:
        return self.expressions

    def set_source_expressions(self, exprs: Any) -> None:
        self.expressions = list(exprs)


class Embedded(Resolved):
    """A queryset on the right side of a look-up."""

    contains_subquery = True

    def __init__(self, statement: Any, offset: int) -> None:
        super().__init__(UNKNOWN)
        self.statement = statement
        self.offset = offset
        # How many of the queries around it are not those that its references to an outer query mean.
        self.skips = 0


class Closure(Resolved):
    """The keys of the rows of ``statement`` and of all rows of their table that hang on these by any of ``links``.

    A link is the columns of the row that hangs on another, and those of that other row.
    """

    contains_subquery = True

    def __init__(self, statement: Any, links: Sequence[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> None:
        super().__init__(UNKNOWN)
        self.statement = statement
        self.links = links
