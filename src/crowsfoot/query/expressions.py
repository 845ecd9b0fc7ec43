"""Expressions and their operators: `F`, `Value`, `F("a") + 1` and their kin, with Django's names and meaning."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crowsfoot.errors import FieldError, NotSupportedError
from crowsfoot.query.conditions import Q
from crowsfoot.query.inference import BOOLEAN, UNKNOWN, MixedTypes, combined_type, is_text, type_name, type_of
from crowsfoot.query.nodes import BaseExpression
from crowsfoot.query.resolved import Param, ResolvedOuterRef
from crowsfoot.schema.types import JSON_NULL, ValueType


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

    def _logical(self, other: Any, combine: Callable[[Q, Q], Q]) -> Any:
        if getattr(self, "conditional", False) and getattr(other, "conditional", False):
            return combine(Q(self), other if isinstance(other, Q) else Q(other))
        raise NotImplementedError("Use .bitand(), .bitor(), and .bitxor() for bitwise logical operations.")

    def __and__(self, other: Any) -> Any:
        return self._logical(other, operator.and_)

    def __or__(self, other: Any) -> Any:
        return self._logical(other, operator.or_)

    def __xor__(self, other: Any) -> Any:
        return self._logical(other, operator.xor)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Any:
        return NegatedExpression(self)

    def asc(self, **options: Any) -> OrderBy:
        return OrderBy(self, **options)

    def desc(self, **options: Any) -> OrderBy:
        return OrderBy(self, descending=True, **options)


class Expression(BaseExpression, Combinable):
    """The base of what users write: a node with operators. Nodes are equal when their class and arguments are."""


class F(Combinable):
    """The value of a field of the same row, or of a row that its path leads to: ``F("author__name")``."""

    allowed_default = False
    # The model that a typed path starts from; that of the query around this one for an `OuterRef`.
    _root: Any = None

    def __init__(self, name: Any) -> None:
        # Private, because a typed path's public attributes are the fields that it leads to, a field `name` among them.
        if isinstance(name, Q):
            raise TypeError(f"{type(self).__name__}() takes the name of a field, not the condition {name!r}.")
        self._path: Any = name._path if isinstance(name, F) and not isinstance(name, OuterRef) else name
        if isinstance(name, F) and name._root is not None:
            self._root = name._root

    @property
    def name(self) -> str:
        """The name that was given."""
        return self._path

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        if self._root is not None:
            query.check_root(self._root, self._path)
        return query.resolve_ref(self._path, allow_joins=allow_joins, summarize=summarize)

    def replace_expressions(self, replacements: Mapping[Any, Any]) -> Any:
        """What stands for this field. ``F("start__year")`` is the year of what stands for ``F("start")``."""
        instead = replacements.get(self)
        if instead is not None:
            return instead
        name, *transforms = self._path.split("__")
        found = replacements.get(F(name)) if transforms else None
        for transform in transforms:
            known = None if found is None or found._output_field_or_none is None else found.get_transform(transform)
            if known is None:
                return self
            found = known(found)
        return self if found is None else found

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        return f"django.db.models.{type(self).__qualname__}", (self._path,), {}

    def __getitem__(self, subscript: int | slice) -> Sliced:
        return Sliced(self, subscript)

    def __eq__(self, other: object) -> Any:
        return isinstance(other, F) and type(self) is type(other) and self._path == other._path

    def __hash__(self) -> int:
        return hash((type(self), self._path))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path})"

    def copy(self) -> Any:
        return copy.copy(self)

    def __contains__(self, other: Any) -> bool:
        raise TypeError(f"argument of type '{type(self).__name__}' is not iterable")

    def __iter__(self) -> Any:
        raise TypeError(f"'{type(self).__name__}' object is not iterable")  # its slices would have no end


class OuterRef(F):
    """Inside a subquery: the value of a field of the row of the query around it."""

    contains_aggregate = False
    contains_over_clause = False
    contains_subquery = False

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        depth, name = 1, self._path
        while isinstance(name, OuterRef):
            depth, name = depth + 1, name._path
        if isinstance(name, F):
            name = name._path
        if self._root is not None:
            query.check_outer_root(self._root, name, depth)
        return ResolvedOuterRef(name, depth, self._root)


class Value(Expression):
    """A plain value as an expression. ``output_field`` is told from the value where it can be."""

    allowed_default = True  # pyright: ignore[reportAssignmentType]
    null_strict = True

    def __init__(self, value: Any, output_field: ValueType | None = None) -> None:
        super().__init__(output_field)
        self.value = value

    def get_group_by_cols(self) -> list[Any]:
        return []

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        node = Param(*query.slot(self.meant, self._output_field.prepare if self._output_field else None))
        node.cast = True
        node._output_field = self._output_field or self._resolve_output_field() or UNKNOWN
        node.for_save = for_save  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        return node

    @property
    def meant(self) -> Any:
        """The value: None of JSON is JSON's own null."""
        is_json = self._output_field is not None and self._output_field.kind == "json"
        return JSON_NULL if is_json and self.value is None else self.value

    def _resolve_output_field(self) -> ValueType | None:
        found = type_of(self.value)
        return None if found is UNKNOWN else found

    @property
    def empty_result_set_value(self) -> Any:
        return self.value


class RawSQL(Expression):
    """SQL written by hand, with ``%s`` for each of ``params``. Never build ``sql`` from what a user sent."""

    allowed_default = True  # pyright: ignore[reportAssignmentType]

    def __init__(self, sql: str, params: Sequence[Any], output_field: ValueType | None = None) -> None:
        super().__init__(output_field or UNKNOWN)
        self.sql = sql
        self.params = params
        # Columns of inherited tables that it speaks of: these tables are joined for it.
        self.inherited: list[Any] = []

    def get_source_expressions(self) -> list[Any]:
        return list(self.params) if self.is_resolved else []

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.params = list(exprs)

    def get_group_by_cols(self) -> list[Any]:
        return [self]

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
        node.inherited = query.inherited_columns(self.sql)
        node.params = [Param(*query.slot(p, None)) for p in self.params]
        for param, value in zip(node.params, self.params, strict=True):
            param._output_field = type_of(value)
        return node


class Extra(RawSQL):
    """A value of ``extra(select=…)``: where all columns are asked for, it comes before them."""


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

    def __str__(self) -> str:
        return f"{self.lhs} {self.connector} {self.rhs}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def _resolve_output_field(self) -> ValueType | None:
        left, right = self.lhs._output_field_or_none, self.rhs._output_field_or_none
        found = combined_type(self.connector, left, right)
        if found is None:
            raise MixedTypes(
                f"Cannot infer type of {self.connector!r} expression involving these types: "
                f"{type_name(left)}, {type_name(right)}. You must set output_field."
            )
        return found


class ExpressionWrapper(Expression):
    """An expression whose type is given: ``ExpressionWrapper(F("a") / F("b"), output_field=FloatField())``."""

    def __init__(self, expression: Any, output_field: ValueType) -> None:
        super().__init__(output_field)
        self.expression = F(expression) if isinstance(expression, str) else expression

    @property
    def conditional(self) -> bool:
        return self._output_field is not None and self._output_field.kind == "boolean"

    def get_source_expressions(self) -> list[Any]:
        return [self.expression]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.expression,) = exprs

    def get_group_by_cols(self) -> list[Any]:
        if isinstance(self.expression, BaseExpression):
            node = self.expression.copy()
            node._output_field = self._output_field  # which it may not be able to tell by itself
            return node.get_group_by_cols()
        return super().get_group_by_cols()


class NegatedExpression(ExpressionWrapper):
    """NOT of a boolean expression."""

    conditional = True  # pyright: ignore[reportAssignmentType]

    def __init__(self, expression: Any) -> None:
        super().__init__(expression, BOOLEAN)

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        node = super().resolve_expression(query, allow_joins, reuse, summarize, for_save)
        if not node.expression.conditional:
            raise TypeError("Cannot negate non-conditional expressions.")
        return node

    def __invert__(self) -> Any:
        return self.expression.copy()


class Sliced(Expression):
    """``F("name")[1:5]``: part of a string, counted from 0 as in Python."""

    def __init__(self, expression: Any, subscript: int | slice) -> None:
        super().__init__()
        start: int
        if not isinstance(subscript, (int, slice)):
            raise TypeError("Argument to slice must be either int or slice instance.")
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

    def __getitem__(self, subscript: int | slice) -> Sliced:
        return Sliced(self, subscript)

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        node = super().resolve_expression(query, allow_joins, reuse, summarize, for_save)
        known = node._output_field_or_none
        if known is not None and known.kind != "any" and not is_text(known):
            raise NotSupportedError("This field does not support slicing.")
        return node

    def get_source_expressions(self) -> list[Any]:
        return [self.expression]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.expression,) = exprs


class OrderBy(Expression):
    """An expression with a direction and a place for NULLs."""

    allows_composite_expressions = True
    constraint_validation_compatible = False

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


def name_of(given: Any) -> Any:
    """The name of a field: a string, or what a path stands for. Raises ``FieldError`` for anything else."""
    if isinstance(given, str):
        return given
    if isinstance(given, F) and isinstance(given._path, str) and not isinstance(given, OuterRef):
        return given._path
    raise FieldError(f"{given!r} is not the name of a field. Write 'author__name', or a path such as Post.author.name.")
