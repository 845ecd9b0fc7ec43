"""Expressions: `F`, `Value`, `Func`, `Case`, `Subquery` and their kin, with Django's names and meaning.

An expression lives twice. As the user writes it, it holds names and values. Resolved against a scope (``resolve_expression``)
it holds columns and numbered slots instead, so that a statement is compiled once for all values. How a node is said in SQL
is the compiler's business; a node may override ``as_sql`` (or ``as_sqlite``, ``as_postgresql``, …) to say it itself.
"""

from __future__ import annotations

import copy
import copyreg
import datetime
import decimal
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Self

from crowsfoot.errors import FieldError
from crowsfoot.schema import types
from crowsfoot.schema.types import ValueType

UNKNOWN = types.Type()
BOOLEAN = types.Boolean()
INTEGER = types.Integer("bigint")
PYTHON_TYPES: dict[type, ValueType] = {
    bool: BOOLEAN,
    int: INTEGER,
    float: types.Float(),
    str: types.Text(),
    bytes: types.Binary(),
    decimal.Decimal: types.Decimal(),
    datetime.datetime: types.DateTime(),
    datetime.date: types.Date(),
    datetime.time: types.Time(),
    datetime.timedelta: types.Duration(),
    uuid.UUID: types.UUID(),
}


def type_of(value: Any) -> ValueType:
    """The logical type of a plain Python value."""
    for klass in type(value).__mro__:
        found = PYTHON_TYPES.get(klass)
        if found is not None:
            return found
    return UNKNOWN


class Combinable:
    """The operators of anything that can stand in an expression."""

    ADD, SUB, MUL, DIV, POW, MOD = "+", "-", "*", "/", "^", "%%"
    BITAND, BITOR, BITLEFTSHIFT, BITRIGHTSHIFT, BITXOR = "&", "|", "<<", ">>", "#"

    def _combine(self, other: Any, connector: str, swapped: bool = False) -> CombinedExpression:
        if not hasattr(other, "resolve_expression"):
            other = Value(other)
        return CombinedExpression(other, connector, self) if swapped else CombinedExpression(self, connector, other)

    def __neg__(self) -> CombinedExpression:
        return self._combine(-1, self.MUL)

    def __add__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.ADD)

    def __radd__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.ADD, True)

    def __sub__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.SUB)

    def __rsub__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.SUB, True)

    def __mul__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.MUL)

    def __rmul__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.MUL, True)

    def __truediv__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.DIV)

    def __rtruediv__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.DIV, True)

    def __mod__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.MOD)

    def __rmod__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.MOD, True)

    def __pow__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.POW)

    def __rpow__(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.POW, True)

    def bitand(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.BITAND)

    def bitor(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.BITOR)

    def bitxor(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.BITXOR)

    def bitleftshift(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.BITLEFTSHIFT)

    def bitrightshift(self, other: Any) -> CombinedExpression:
        return self._combine(other, self.BITRIGHTSHIFT)

    def _logical(self, other: Any, connector: str) -> Any:
        if getattr(self, "conditional", False) and getattr(other, "conditional", False):
            return Q(self) & Q(other) if connector == Q.AND else Q(self) | Q(other)
        raise NotImplementedError("Use .bitand(), .bitor(), and .bitxor() for bitwise logical operations.")

    def __and__(self, other: Any) -> Any:
        return self._logical(other, Q.AND)

    def __or__(self, other: Any) -> Any:
        return self._logical(other, Q.OR)

    def __xor__(self, other: Any) -> Any:
        if getattr(self, "conditional", False) and getattr(other, "conditional", False):
            return Q(self) ^ Q(other)
        raise NotImplementedError("Use .bitand(), .bitor(), and .bitxor() for bitwise logical operations.")

    __rand__ = __ror__ = __rxor__ = lambda self, other: self._logical(other, "")

    def __invert__(self) -> Any:
        return NegatedExpression(self)

    def asc(self, **options: Any) -> OrderBy:
        return OrderBy(self, **options)

    def desc(self, **options: Any) -> OrderBy:
        return OrderBy(self, descending=True, **options)


class Expression(Combinable):
    """The base of every node. Nodes are values: equal when their class and constructor arguments are equal.

    ``null_strict`` says that the result is NULL whenever any input is NULL; joins are chosen by it, so it is False
    wherever that is not known.
    """

    filterable = True
    conditional = False
    window_compatible = False
    contains_aggregate = False
    contains_over_clause = False
    contains_subquery = False
    null_strict = False
    is_resolved = False
    _output_field: ValueType | None = None
    _init: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._init = (args, kwargs)
        return self

    def __init__(self, output_field: ValueType | None = None) -> None:
        if output_field is not None:
            self._output_field = output_field

    def __reduce_ex__(self, protocol: Any) -> Any:
        return copyreg.__newobj__, (type(self),), self.__dict__  # type: ignore[attr-defined]

    # -- structure -----------------------------------------------------------------------------------------------------

    def get_source_expressions(self) -> list[Any]:
        """The nodes below this one (None where an optional one is left out)."""
        return []

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        assert not exprs

    def copy(self) -> Self:
        return copy.copy(self)

    def flatten(self) -> Iterator[Any]:
        """This node and all below it, parents first."""
        stack: list[Any] = [self]
        while stack:
            node = stack.pop()
            yield node
            if isinstance(node, Expression):
                stack.extend(e for e in reversed(node.get_source_expressions()) if e is not None)

    @property
    def convert_value(self) -> Any:
        return None

    def resolve_expression(
        self, query: Any = None, allow_joins: bool = True, reuse: Any = None, summarize: bool = False, for_save: bool = False
    ) -> Any:
        """This node with its names and values bound to ``query``, a scope. Raises ``FieldError`` on an unknown name."""
        node = self.copy()
        node.is_resolved = True
        sources = [
            e.resolve_expression(query, allow_joins, reuse, summarize, for_save) if e is not None else None
            for e in self.get_source_expressions()
        ]
        node.set_source_expressions(sources)
        node._inherit(sources)
        return node

    def _inherit(self, sources: Sequence[Any]) -> None:
        known = [e for e in sources if e is not None]
        if any(e.contains_aggregate for e in known):
            self.contains_aggregate = True
        if any(e.contains_over_clause for e in known):
            self.contains_over_clause = True
        if any(e.contains_subquery for e in known):
            self.contains_subquery = True

    # -- type ----------------------------------------------------------------------------------------------------------

    @property
    def output_field(self) -> ValueType:
        """The type of the result; raises ``FieldError`` where it cannot be told and was not given."""
        if self._output_field is None:
            found = self._resolve_output_field()
            if found is None:
                raise FieldError(
                    f"Cannot resolve expression type, unknown output_field: {type(self).__name__} needs output_field=…"
                )
            self._output_field = found
        return self._output_field

    @property
    def _output_field_or_none(self) -> ValueType | None:
        try:
            return self.output_field
        except FieldError:
            return None

    def _resolve_output_field(self) -> ValueType | None:
        found: ValueType | None = None
        for source in self.get_source_fields():
            if source is None or source.kind == "any":
                continue
            if found is None:
                found = source
            elif source.kind != found.kind:
                raise FieldError(
                    f"Expression contains mixed types: {found.kind}, {source.kind}. You must set output_field."
                )
        return found

    def get_source_fields(self) -> list[ValueType | None]:
        return [e._output_field_or_none for e in self.get_source_expressions() if e is not None]

    def get_lookup(self, lookup: str) -> Any:
        return self.output_field.get_lookup(lookup)

    def get_transform(self, name: str) -> Any:
        return self.output_field.get_transform(name)

    def get_db_converters(self, connection: Any) -> list[Any]:
        return []

    # -- SQL -----------------------------------------------------------------------------------------------------------

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """``(sql, params)`` with ``%s`` for each parameter. The compiler knows how; subclasses may say it themselves."""
        result: tuple[str, list[Any]] = compiler.render(self)
        return result

    def get_group_by_cols(self) -> list[Any]:
        """The nodes that a GROUP BY needs so that this one may be selected beside aggregates."""
        if not self.contains_aggregate:
            return [self]
        return [c for e in self.get_source_expressions() if e is not None for c in e.get_group_by_cols()]

    def get_refs(self) -> set[str]:
        return {r for e in self.get_source_expressions() if e is not None for r in e.get_refs()}

    def select_format(self, compiler: Any, sql: str, params: Any) -> Any:
        return sql, params

    # -- equality ------------------------------------------------------------------------------------------------------

    @property
    def identity(self) -> Any:
        args, kwargs = self._init
        return (type(self), _hashable(args), _hashable(tuple(sorted(kwargs.items()))))

    def __eq__(self, other: object) -> Any:
        return isinstance(other, Expression) and other.identity == self.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __repr__(self) -> str:
        args, kwargs = self._init
        parts = [repr(a) for a in args] + [f"{k}={v!r}" for k, v in kwargs.items()]
        return f"{type(self).__name__}({', '.join(parts)})"


def _hashable(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return (type(value), tuple(_hashable(v) for v in value))
    if isinstance(value, dict):
        return (dict, tuple((k, _hashable(v)) for k, v in value.items()))
    if isinstance(value, (set, frozenset)):
        return frozenset(value)
    try:
        hash(value)
    except TypeError:
        return id(value)
    return (type(value), value)


# -- leaves ------------------------------------------------------------------------------------------------------------


class F(Combinable):
    """The value of a field of the same row, or of a row that its path leads to: ``F("author__name")``."""

    allowed_default = False

    def __init__(self, name: str) -> None:
        self.name = name

    def resolve_expression(
        self, query: Any = None, allow_joins: bool = True, reuse: Any = None, summarize: bool = False, for_save: bool = False
    ) -> Any:
        return query.resolve_ref(self.name, allow_joins=allow_joins, summarize=summarize)

    def replace_expressions(self, replacements: dict[Any, Any]) -> Any:
        return replacements.get(self, self)

    def __getitem__(self, subscript: int | slice) -> Sliced:
        return Sliced(self, subscript)

    def __eq__(self, other: object) -> Any:
        return type(self) is type(other) and self.name == other.name  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    def copy(self) -> Any:
        return copy.copy(self)

    def __contains__(self, other: Any) -> bool:
        raise TypeError(f"argument of type '{type(self).__name__}' is not iterable")


class OuterRef(F):
    """Inside a subquery: the value of a field of the row of the query around it."""

    contains_aggregate = False
    contains_over_clause = False
    contains_subquery = False

    def resolve_expression(
        self, query: Any = None, allow_joins: bool = True, reuse: Any = None, summarize: bool = False, for_save: bool = False
    ) -> Any:
        depth, name = 1, self.name
        while isinstance(name, OuterRef):
            depth, name = depth + 1, name.name
        if isinstance(name, F):
            name = name.name
        return ResolvedOuterRef(name, depth)


class Resolved(Expression):
    """A node that only resolution makes; it is bound already."""

    is_resolved = True

    def resolve_expression(
        self, query: Any = None, allow_joins: bool = True, reuse: Any = None, summarize: bool = False, for_save: bool = False
    ) -> Any:
        return self


class ResolvedOuterRef(Resolved):
    """A name to look up in the query ``depth`` levels further out, when that one is compiled."""

    null_strict = True

    def __init__(self, name: str, depth: int = 1) -> None:
        super().__init__()
        self.name = name
        self.depth = depth

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
        return self.attribute.value_type  # type: ignore[no-any-return]

    @property
    def target(self) -> Any:
        return self.attribute.field

    @property
    def is_many(self) -> bool:
        return any(end.many for end in self.ends)

    @property
    def nullable(self) -> bool:
        return self.attribute.column.null or any(not end.minimum for end in self.ends)


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

    def get_refs(self) -> set[str]:
        return {self.refs}

    @property
    def null_strict(self) -> bool:  # type: ignore[override]
        return bool(self.source.null_strict)

    @property
    def conditional(self) -> bool:  # type: ignore[override]
        return bool(self.source.conditional)


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


class Value(Expression):
    """A plain value as an expression. ``output_field`` is told from the value where it can be."""

    null_strict = True

    def __init__(self, value: Any, output_field: ValueType | None = None) -> None:
        super().__init__(output_field)
        self.value = value

    def resolve_expression(
        self, query: Any = None, allow_joins: bool = True, reuse: Any = None, summarize: bool = False, for_save: bool = False
    ) -> Any:
        node = Param(*query.slot(self.value, self._output_field.prepare if self._output_field else None))
        node.cast = True
        node._output_field = self._output_field or self._resolve_output_field() or UNKNOWN
        node.for_save = for_save  # type: ignore[attr-defined]
        return node

    def _resolve_output_field(self) -> ValueType | None:
        found = type_of(self.value)
        return None if found is UNKNOWN else found

    @property
    def empty_result_set_value(self) -> Any:
        return self.value


class RawSQL(Expression):
    """SQL written by hand, with ``%s`` for each of ``params``. Never build ``sql`` from what a user sent."""

    def __init__(self, sql: str, params: Sequence[Any], output_field: ValueType | None = None) -> None:
        super().__init__(output_field or UNKNOWN)
        self.sql = sql
        self.params = params

    def resolve_expression(
        self, query: Any = None, allow_joins: bool = True, reuse: Any = None, summarize: bool = False, for_save: bool = False
    ) -> Any:
        node = self.copy()
        node.params = [Param(*query.slot(p, None)) for p in self.params]
        for param, value in zip(node.params, self.params, strict=True):
            param._output_field = type_of(value)
        return node


class Star(Expression):
    """The ``*`` of ``COUNT(*)``."""

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def get_group_by_cols(self) -> list[Any]:
        return []


class Nothing(Resolved):
    """The condition that no row meets."""

    conditional = True

    def _resolve_output_field(self) -> ValueType | None:
        return BOOLEAN


class Everything(Resolved):
    """The condition that every row meets."""

    conditional = True

    def _resolve_output_field(self) -> ValueType | None:
        return BOOLEAN


class DefaultValue(Resolved):
    """The ``DEFAULT`` of an INSERT: the database fills the column."""


# -- composition -------------------------------------------------------------------------------------------------------


class CombinedExpression(Expression):
    """Two expressions and the operator between them."""

    null_strict = True

    def __init__(self, lhs: Any, connector: str, rhs: Any, output_field: ValueType | None = None) -> None:
        super().__init__(output_field)
        self.connector = connector
        self.lhs = lhs
        self.rhs = rhs

    def get_source_expressions(self) -> list[Any]:
        return [self.lhs, self.rhs]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.lhs, self.rhs = exprs

    def _resolve_output_field(self) -> ValueType | None:
        left, right = self.lhs._output_field_or_none, self.rhs._output_field_or_none
        found = combined_type(self.connector, left, right)
        if found is None:
            raise FieldError(
                f"Cannot infer type of {self.connector!r} expression involving these types: "
                f"{_type_name(left)}, {_type_name(right)}. You must set output_field."
            )
        return found


def _type_name(value_type: ValueType | None) -> str:
    return "unknown" if value_type is None else type(value_type).__name__


NUMERIC = {"smallint": 0, "integer": 1, "bigint": 2, "decimal": 3, "float": 4}


def combined_type(connector: str, left: ValueType | None, right: ValueType | None) -> ValueType | None:
    """The type of ``left connector right``, or None where it makes no sense or cannot be told."""
    if left is None or right is None:
        return None
    one, other = left.kind, right.kind
    if one in NUMERIC and other in NUMERIC:
        if "float" in (one, other) and "decimal" in (one, other):
            return None if connector != "^" else left
        return left if NUMERIC[one] >= NUMERIC[other] else right
    if "any" in (one, other):
        return right if one == "any" else left
    moments = {"date", "datetime", "time"}
    if connector == "-" and one in moments and one == other:
        return PYTHON_TYPES[datetime.timedelta]
    if connector in "+-" and one in moments and other == "duration":
        return PYTHON_TYPES[datetime.datetime] if one == "date" else left
    if connector == "+" and one == "duration" and other in moments:
        return PYTHON_TYPES[datetime.datetime] if other == "date" else right
    if one == "duration" and (other == "duration" and connector in "+-" or other in NUMERIC and connector in "*/"):
        return left
    if other == "duration" and one in NUMERIC and connector == "*":
        return right
    return left if one == other and one not in moments else None


class ExpressionWrapper(Expression):
    """An expression whose type is given: ``ExpressionWrapper(F("a") / F("b"), output_field=FloatField())``."""

    def __init__(self, expression: Any, output_field: ValueType) -> None:
        super().__init__(output_field)
        self.expression = F(expression) if isinstance(expression, str) else expression

    @property
    def conditional(self) -> bool:  # type: ignore[override]
        return self._output_field is not None and self._output_field.kind == "boolean"

    def get_source_expressions(self) -> list[Any]:
        return [self.expression]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.expression,) = exprs

    def get_group_by_cols(self) -> list[Any]:
        if isinstance(self.expression, Expression):
            return self.expression.get_group_by_cols()
        return super().get_group_by_cols()


class NegatedExpression(ExpressionWrapper):
    """NOT of a boolean expression."""

    def __init__(self, expression: Any) -> None:
        super().__init__(expression, BOOLEAN)

    def __invert__(self) -> Any:
        return self.expression.copy()


class Func(Expression):
    """A database function: ``function`` and ``template`` say it, ``arity`` fixes the number of arguments.

    Strings among the arguments are field names. ``sql`` maps a dialect's name to a template that differs there.
    """

    function: str | None = None
    template = "%(function)s(%(expressions)s)"
    arg_joiner = ", "
    arity: int | None = None
    allows_composite_expressions = False
    sql: ClassVar[dict[str, str]] = {}

    def __init__(self, *expressions: Any, output_field: ValueType | None = None, **extra: Any) -> None:
        if self.arity is not None and len(expressions) != self.arity:
            raise TypeError(
                f"'{type(self).__name__}' takes exactly {self.arity} "
                f"{'argument' if self.arity == 1 else 'arguments'} ({len(expressions)} given)"
            )
        super().__init__(output_field)
        self.source_expressions = as_expressions(*expressions)
        self.extra = extra

    def get_source_expressions(self) -> list[Any]:
        return self.source_expressions

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.source_expressions = list(exprs)

    def as_sql(
        self,
        compiler: Any,
        connection: Any,
        function: str | None = None,
        template: str | None = None,
        arg_joiner: str | None = None,
        **extra_context: Any,
    ) -> tuple[str, list[Any]]:
        parts: list[str] = []
        params: list[Any] = []
        for source in self.source_expressions:
            text, more = compiler.compile(source)
            parts.append(text)
            params.extend(more)
        data = {**self.extra, **extra_context}
        data["function"] = function or data.get("function", self.function)
        joiner = arg_joiner or data.get("arg_joiner", self.arg_joiner)
        data["expressions"] = data["field"] = joiner.join(parts)
        chosen = template or data.get("template") or self.sql.get(connection.vendor, self.template)
        return chosen % data, params

    def copy(self) -> Self:
        node = super().copy()
        node.source_expressions = self.source_expressions[:]
        node.extra = self.extra.copy()
        return node

    @property
    def allowed_default(self) -> bool:
        return all(getattr(e, "allowed_default", True) for e in self.source_expressions)


def as_expressions(*expressions: Any) -> list[Any]:
    """Each argument as an expression: a string is a field name, a plain value is a value."""
    return [
        e if hasattr(e, "resolve_expression") else (F(e) if isinstance(e, str) else Value(e)) for e in expressions
    ]


class Sliced(Expression):
    """``F("name")[1:5]``: part of a string, counted from 0 as in Python."""

    def __init__(self, expression: Any, subscript: int | slice) -> None:
        super().__init__()
        start: int
        if isinstance(subscript, int):
            start, stop = subscript, subscript + 1
        else:
            if subscript.step is not None:
                raise ValueError("Step argument is not supported.")
            start, stop = subscript.start or 0, subscript.stop
            if stop is not None and stop < start and stop >= 0:
                raise ValueError("Slice stop must be greater than slice start.")
        if start < 0 or (stop is not None and stop < 0):
            raise ValueError("Negative indexing is not supported.")
        if stop == 0:
            raise ValueError("Slice stop must be greater than slice start.")
        self.expression = expression
        self.start = start
        self.length = None if stop is None else stop - start

    def get_source_expressions(self) -> list[Any]:
        return [self.expression]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.expression,) = exprs


class When(Expression):
    """One branch of a ``Case``: ``When(status="open", then=Value(1))``."""

    template = "WHEN %(condition)s THEN %(result)s"

    def __init__(self, condition: Any = None, then: Any = None, **lookups: Any) -> None:
        if lookups:
            if condition is None:
                condition, lookups = Q(**lookups), {}
            elif getattr(condition, "conditional", False):
                condition, lookups = Q(condition, **lookups), {}
        if condition is None or not getattr(condition, "conditional", False) or lookups:
            raise TypeError(
                "When() supports a Q object, a boolean expression, or lookups as a condition."
            )
        if isinstance(condition, Q) and not condition:
            raise ValueError("An empty Q() can't be used as a When() condition.")
        super().__init__()
        self.condition = condition
        self.result = as_expressions(then)[0]

    def get_source_expressions(self) -> list[Any]:
        return [self.condition, self.result]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.condition, self.result = exprs

    def get_source_fields(self) -> list[ValueType | None]:
        return [self.result._output_field_or_none]


class Case(Expression):
    """The first ``When`` that holds, else ``default``."""

    def __init__(self, *cases: Any, default: Any = None, output_field: ValueType | None = None, **extra: Any) -> None:
        if not all(isinstance(case, When) for case in cases):
            raise TypeError("Positional arguments must all be When objects.")
        super().__init__(output_field)
        self.cases = list(cases)
        self.default = as_expressions(default)[0]
        self.extra = extra

    def get_source_expressions(self) -> list[Any]:
        return [*self.cases, self.default]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        *self.cases, self.default = exprs

    def copy(self) -> Self:
        node = super().copy()
        node.cases = self.cases[:]
        return node


class Collate(Func):
    """An expression under another collation."""

    function = "COLLATE"
    template = "%(expressions)s %(function)s %(collation)s"

    def __init__(self, expression: Any, collation: str) -> None:
        if not collation or not all(c.isalnum() or c in "_-." for c in collation):
            raise ValueError(f"Invalid collation name: {collation!r}.")
        self.collation = collation
        super().__init__(expression)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return super().as_sql(compiler, connection, collation=compiler.quote_name(self.collation), **extra)


class OrderBy(Expression):
    """An expression with a direction and a place for NULLs."""

    def __init__(
        self, expression: Any, descending: bool = False, nulls_first: bool | None = None, nulls_last: bool | None = None
    ) -> None:
        if nulls_first and nulls_last:
            raise ValueError("nulls_first and nulls_last are mutually exclusive")
        if nulls_first is False or nulls_last is False:
            raise ValueError("nulls_first and nulls_last values must be True or None.")
        if not hasattr(expression, "resolve_expression"):
            raise ValueError("expression must be an expression type")
        super().__init__()
        self.expression = expression
        self.descending = descending
        self.nulls_first = nulls_first
        self.nulls_last = nulls_last

    def get_source_expressions(self) -> list[Any]:
        return [self.expression]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.expression,) = exprs

    def reversed(self) -> OrderBy:
        node = self.copy()
        node.descending = not self.descending
        node.nulls_first, node.nulls_last = self.nulls_last, self.nulls_first
        return node

    reverse_ordering = reversed

    def get_group_by_cols(self) -> list[Any]:
        return [c for e in self.get_source_expressions() for c in e.get_group_by_cols()]


# -- subqueries --------------------------------------------------------------------------------------------------------


class Subquery(Expression):
    """The one value of a queryset, as an expression."""

    contains_subquery = True
    template = "(%(subquery)s)"
    empty_result_set_value: Any = None

    def __init__(self, queryset: Any, output_field: ValueType | None = None, **extra: Any) -> None:
        super().__init__(output_field)
        self.queryset = queryset
        self.extra = extra
        self.statement: Any = None
        self.offset = 0

    def resolve_expression(
        self, query: Any = None, allow_joins: bool = True, reuse: Any = None, summarize: bool = False, for_save: bool = False
    ) -> Any:
        node = self.copy()
        node.is_resolved = True
        node.statement, node.offset = query.embed(self.queryset)
        node.queryset = None
        return node

    def _resolve_output_field(self) -> ValueType | None:
        statement = self.statement if self.statement is not None else self.queryset.query
        return statement.single_type()  # type: ignore[no-any-return]

    def get_group_by_cols(self) -> list[Any]:
        return [self]


class Exists(Subquery):
    """Whether a queryset has any row."""

    conditional = True
    template = "EXISTS(%(subquery)s)"
    empty_result_set_value = False

    def __init__(self, queryset: Any, **kwargs: Any) -> None:
        super().__init__(queryset, **kwargs)
        self._output_field = BOOLEAN


# -- conditions --------------------------------------------------------------------------------------------------------


class Q:
    """Conditions, combined with ``&``, ``|``, ``^`` and ``~``: ``Q(name="Asha") | Q(posts__title="Hello")``."""

    AND, OR, XOR = "AND", "OR", "XOR"
    default = AND
    conditional = True

    __slots__ = ("children", "connector", "negated")

    def __init__(self, *args: Any, _connector: str | None = None, _negated: bool = False, **kwargs: Any) -> None:
        if _connector not in (None, self.AND, self.OR, self.XOR):
            raise ValueError(f"_connector must be one of 'AND', 'OR', 'XOR', or None, not {_connector!r}.")
        self.children: list[Any] = [*args, *sorted(kwargs.items())]
        self.connector = _connector or self.AND
        self.negated = _negated

    @classmethod
    def create(cls, children: Sequence[Any], connector: str | None = None, negated: bool = False) -> Q:
        node = cls.__new__(cls)
        node.children, node.connector, node.negated = list(children), connector or cls.AND, negated
        return node

    def add(self, data: Any, conn_type: str) -> Any:
        """Add a condition with a connector, flattening where nothing is lost."""
        if self.connector != conn_type:
            self.children = [Q.create(self.children, self.connector, self.negated), data]
            self.connector, self.negated = conn_type, False
        elif isinstance(data, Q) and not data.negated and (data.connector == conn_type or len(data.children) == 1):
            self.children.extend(data.children)
        else:
            self.children.append(data)
        return data

    def _combine(self, other: Any, connector: str) -> Q:
        if not getattr(other, "conditional", False):
            raise TypeError(other)
        if not self:
            return other.copy() if hasattr(other, "copy") else other  # type: ignore[no-any-return]
        if isinstance(other, Q) and not other:
            return self.copy()
        node = Q.create([], connector)
        node.add(self, connector)
        node.add(other, connector)
        return node

    def __and__(self, other: Any) -> Q:
        return self._combine(other, self.AND)

    def __or__(self, other: Any) -> Q:
        return self._combine(other, self.OR)

    def __xor__(self, other: Any) -> Q:
        return self._combine(other, self.XOR)

    def __rand__(self, other: Any) -> Q:
        return Q(other) & self

    def __ror__(self, other: Any) -> Q:
        return Q(other) | self

    def __invert__(self) -> Q:
        if not self.negated and len(self.children) == 1 and isinstance(self.children[0], Q) and self.children[0].negated:
            return self.children[0].copy_negated(False)
        return Q.create([self], self.AND, True) if self.negated else self.copy_negated(True)

    def copy_negated(self, negated: bool) -> Q:
        return Q.create(self.children, self.connector, negated)

    def copy(self) -> Q:
        return Q.create(self.children, self.connector, self.negated)

    __copy__ = copy

    def resolve_expression(
        self, query: Any = None, allow_joins: bool = True, reuse: Any = None, summarize: bool = False, for_save: bool = False
    ) -> Any:
        """This condition bound to ``query``, a scope: a tree of look-ups."""
        return query.resolve_condition(self, allow_joins=allow_joins, summarize=summarize)

    def flatten(self) -> Iterator[Any]:
        stack: list[Any] = [self]
        while stack:
            node = stack.pop()
            yield node
            if isinstance(node, tuple):
                node = node[1]
                yield node
            if isinstance(node, Q):
                stack.extend(reversed(node.children))

    @property
    def referenced_base_fields(self) -> set[str]:
        return {child[0].split("__")[0] for child in self.flatten() if isinstance(child, tuple)}

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        args: tuple[Any, ...] = tuple(self.children)
        kwargs: dict[str, Any] = {}
        if len(args) == 1 and isinstance(args[0], tuple):
            kwargs, args = {args[0][0]: args[0][1]}, ()
        if self.connector != self.default:
            kwargs["_connector"] = self.connector
        if self.negated:
            kwargs["_negated"] = True
        return "django.db.models.Q", args, kwargs

    @property
    def identity(self) -> Any:
        return (type(self), self.connector, self.negated, tuple(_hashable(c) for c in self.children))

    def __bool__(self) -> bool:
        return bool(self.children)

    def __len__(self) -> int:
        return len(self.children)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Q) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __repr__(self) -> str:
        inner = ", ".join(map(repr, self.children))
        return f"<Q: {'(NOT ' if self.negated else ''}({self.connector}: {inner}){')' if self.negated else ''}>"


class Condition(Resolved):
    """A resolved ``Q``: ``children`` joined by ``connector``, perhaps negated."""

    conditional = True

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

    conditional = True
    contains_subquery = True

    def __init__(self, prefix: tuple[Any, ...], end: Any, statement: Any, offset: int, group: int | None) -> None:
        super().__init__(BOOLEAN)
        self.prefix = prefix
        self.end = end
        self.statement = statement
        self.offset = offset
        self.group = group


Preparer = Callable[[Any], Any]
