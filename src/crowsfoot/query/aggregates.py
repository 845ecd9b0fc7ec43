"""Aggregates: `Count`, `Sum`, `Avg`, `Max`, `Min`, `StdDev`, `Variance`, `AnyValue` and `StringAgg`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from crowsfoot.errors import FieldError
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F, Value
from crowsfoot.query.func import Func, as_expressions
from crowsfoot.query.inference import INTEGER
from crowsfoot.query.resolved import Condition, Resolved, Star, parts
from crowsfoot.schema import types
from crowsfoot.schema.types import ValueType

FLOAT = types.Float()


class Aggregate(Func):
    """A function of many rows.

    ``filter`` chooses the rows, ``distinct`` counts equal values once, ``default`` stands in where there is no row,
    ``order_by`` orders what is concatenated.
    """

    template = "%(function)s(%(distinct)s%(expressions)s%(order_by)s)%(filter)s"
    contains_aggregate = True
    name: str | None = None
    window_compatible = True
    allow_distinct = False
    allow_order_by = False
    empty_result_set_value: Any = None
    # Whether databases give a number of another type than is promised here.
    widened: ClassVar[bool] = False

    def __init__(
        self,
        *expressions: Any,
        distinct: bool = False,
        filter: Any = None,
        default: Any = None,
        order_by: Any = None,
        **extra: Any,
    ) -> None:
        if distinct and not self.allow_distinct:
            raise TypeError(f"{type(self).__name__} does not allow distinct.")
        if order_by and not self.allow_order_by:
            raise TypeError(f"{type(self).__name__} does not allow order_by.")
        if default is not None and self.empty_result_set_value is not None:
            raise TypeError(f"{type(self).__name__} does not allow default.")
        super().__init__(*expressions, **extra)
        self.distinct = distinct
        self.filter = filter
        self.default = default if default is None or hasattr(default, "resolve_expression") else Value(default)
        self.order_by = as_orderings(order_by) if order_by else []

    def get_source_expressions(self) -> list[Any]:
        return [*self.source_expressions, self.filter, self.default, *self.order_by]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        size = len(self.source_expressions)
        self.source_expressions = list(exprs[:size])
        self.filter, self.default, *self.order_by = exprs[size:]

    def get_source_fields(self) -> list[ValueType | None]:
        return [e._output_field_or_none for e in self.source_expressions]

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        node = super().resolve_expression(query, allow_joins, reuse, summarize, for_save)
        for given, bound in zip(self.source_expressions, node.source_expressions, strict=True):
            if bound.contains_aggregate:
                refs = bound.get_refs()
                if not (summarize and refs and refs.isdisjoint(query.peers)):
                    name = getattr(given, "name", None) or repr(given)
                    raise FieldError(f"Cannot compute {type(self).__name__}('{name}'): '{name}' is an aggregate")
        for given, bound in zip(self.get_source_expressions(), node.get_source_expressions(), strict=True):
            # Windows are computed after aggregates: only aggregate() has a subquery for those that go by a name.
            if bound is not None and bound.contains_over_clause and not (summarize and _by_name(bound)):
                name = getattr(given, "name", None) or repr(given)
                raise FieldError(
                    f"Cannot compute {type(self).__name__}('{name}'): '{name}' is a window function. Only aggregate() "
                    "computes over one, by the name that annotate() gave it."
                )
        node.contains_aggregate = True
        return node

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        result: tuple[str, list[Any]] = compiler.aggregate(self, **extra)
        return result

    def get_group_by_cols(self) -> list[Any]:
        return []

    def _repr_options(self) -> dict[str, Any]:
        found = {"distinct": self.distinct, "filter": self.filter, "default": self.default, "order_by": self.order_by}
        return {name: value for name, value in found.items() if value}

    @property
    def default_alias(self) -> str:
        """The name of the aggregate where none is given: ``books__count``."""
        first = [e._path if isinstance(e, F) else e.name for e in self.source_expressions if _is_named(e)]
        if len(self.source_expressions) != 1 or not first:
            raise TypeError("Complex expressions require an alias")
        return f"{first[0]}__{(self.name or type(self).__name__).lower()}"

    @property
    def window(self) -> Any:
        return None


def as_orderings(order_by: Any) -> list[Any]:
    """``order_by`` of an aggregate, as expressions: a string may begin with ``-``."""
    given = order_by if isinstance(order_by, (list, tuple)) else [order_by]
    found = []
    for item in given:
        if isinstance(item, str) and item.startswith("-"):
            found.append(as_expressions(item[1:])[0].desc())
        else:
            node = as_expressions(item)[0]
            found.append(node if hasattr(node, "descending") else node.asc())
    return found


class AnyValue(Aggregate):
    function = "ANY_VALUE"
    name = "AnyValue"
    arity = 1
    sql: ClassVar = {"sqlite": "MIN(%(expressions)s)%(filter)s"}

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        """The first that is not NULL: ``ANY_VALUE`` is only known from PostgreSQL 16 on."""
        if "over" in extra:
            return self.as_sql(compiler, connection, **extra)
        node = self.copy()
        node.filter = Condition([*([self.filter] if has_filter(self.filter) else []), _HasValue(self)])
        template = "(ARRAY_AGG(%(expressions)s)%(filter)s)[1]"
        result: tuple[str, list[Any]] = compiler.aggregate(node, template=template)
        return result


class _HasValue(Resolved):
    """Whether the argument of an aggregate is not NULL."""

    def __init__(self, aggregate: Aggregate) -> None:
        super().__init__()
        self.source = aggregate.source_expressions[0]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        sql, params = compiler.compile(self.source)
        return f"{sql} IS NOT NULL", params


class Avg(Aggregate):
    function = "AVG"
    name = "Avg"
    arity = 1
    allow_distinct = True
    widened = True

    def _resolve_output_field(self) -> ValueType | None:
        source = self.source_expressions[0]._output_field_or_none
        if source is not None and source.kind in ("smallint", "integer", "bigint"):
            return FLOAT
        return super()._resolve_output_field()


class Count(Aggregate):
    """The number of rows, or of values that are not NULL. It is 0, never None, where there is none."""

    function = "COUNT"
    name = "Count"
    arity = 1
    allow_distinct = True
    empty_result_set_value = 0
    allows_composite_expressions = True

    def __init__(self, expression: Any, filter: Any = None, **extra: Any) -> None:
        if isinstance(expression, str) and expression == "*":
            expression = Star()
        if isinstance(expression, Star) and filter is not None:
            raise ValueError("Star cannot be used with filter. Please specify a field.")
        super().__init__(expression, filter=filter, **extra)

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        node = super().resolve_expression(query, allow_joins, reuse, summarize, for_save)
        (source,) = node.source_expressions
        if source.is_composite:  # a row has all of its key or none of it: the first part counts for the rest
            if node.distinct:
                raise ValueError("COUNT(DISTINCT) doesn't support composite primary keys")
            node.source_expressions = [source.get_source_expressions()[0]]
        return node

    def _resolve_output_field(self) -> ValueType | None:
        return INTEGER


class Max(Aggregate):
    function = "MAX"
    name = "Max"
    arity = 1


class Min(Aggregate):
    function = "MIN"
    name = "Min"
    arity = 1


class Sum(Aggregate):
    function = "SUM"
    name = "Sum"
    arity = 1
    allow_distinct = True


class _Spread(Aggregate):
    """How far numbers lie apart."""

    widened = True
    arity = 1

    def _resolve_output_field(self) -> ValueType | None:
        found = super()._resolve_output_field()
        return FLOAT if found is not None and found.kind in ("smallint", "integer", "bigint") else found


class StdDev(_Spread):
    """The standard deviation of the population, or of a sample with ``sample=True``."""

    name = "StdDev"

    def __init__(self, expression: Any, sample: bool = False, **extra: Any) -> None:
        self.function = "STDDEV_SAMP" if sample else "STDDEV_POP"
        super().__init__(expression, **extra)


class Variance(_Spread):
    """The variance of the population, or of a sample with ``sample=True``."""

    name = "Variance"

    def __init__(self, expression: Any, sample: bool = False, **extra: Any) -> None:
        self.function = "VAR_SAMP" if sample else "VAR_POP"
        super().__init__(expression, **extra)


class BitAnd(Aggregate):
    """The bits that all whole numbers have."""

    function = "BIT_AND"
    name = "BitAnd"
    arity = 1


class BitOr(Aggregate):
    """The bits that any of the whole numbers has."""

    function = "BIT_OR"
    name = "BitOr"
    arity = 1


class BitXor(Aggregate):
    """The bits that an odd number of the whole numbers have."""

    function = "BIT_XOR"
    name = "BitXor"
    arity = 1


class StringAgg(Aggregate):
    """Texts joined by ``delimiter``."""

    function = "STRING_AGG"
    name = "StringAgg"
    allow_distinct = True
    allow_order_by = True
    sql: ClassVar = {"sqlite": "GROUP_CONCAT(%(expressions)s%(order_by)s)%(filter)s"}

    def __init__(self, expression: Any, delimiter: Any, **extra: Any) -> None:
        self.delimiter = delimiter if hasattr(delimiter, "resolve_expression") else Value(str(delimiter))
        super().__init__(expression, self.delimiter, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        """SQLite takes DISTINCT before one argument alone: the texts are collected, then joined."""
        if not self.distinct:
            return self.as_sql(compiler, connection, **extra)
        node = self.copy()
        node.source_expressions, node.default = self.source_expressions[:1], None
        found, params = compiler.aggregate(node, function="JSON_GROUP_ARRAY", template=Aggregate.template, **extra)
        delimiter, more = compiler.compile(self.source_expressions[1])
        text, params = f"crowsfoot_join({found}, {delimiter})", [*params, *more]
        if self.default is None:
            return text, params
        default, more = compiler.compile(self.default)
        return f"COALESCE({text}, {default})", [*params, *more]

    def _resolve_output_field(self) -> ValueType | None:
        return types.Text()


def has_filter(q: Any) -> bool:
    """Whether an aggregate's ``filter`` says anything."""
    return q is not None and not (isinstance(q, Q) and not q)


def _by_name(node: Any) -> bool:
    """Whether all windows in ``node`` are in annotations that it names."""
    return not any(type(part).contains_over_clause for part in parts(node))


def _is_named(expression: Any) -> bool:
    return isinstance(expression, F) or hasattr(expression, "name")
