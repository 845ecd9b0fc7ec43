"""Look-ups: the comparisons behind ``title__startswith="H"``. Each is one small declaration, its SQL beside it.

A look-up is registered on the logical type (or the field class) that it applies to. ``sql`` holds its text with ``{lhs}``
and ``{rhs}``; the key ``""`` is what every dialect says unless it has an entry of its own. ``prepare`` turns the value given
into the value bound, when the queryset is built, so that wrong values are refused before any SQL is sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from crowsfoot.query.expressions import Expression
from crowsfoot.query.func import Func
from crowsfoot.query.inference import BOOLEAN
from crowsfoot.schema import types
from crowsfoot.schema.types import Type, ValueType


class Lookup(Expression):
    """A comparison of ``lhs`` with ``rhs``. Subclass it and register it on a field class to add your own.

    Own look-ups may override ``as_sql(compiler, connection)`` as in Django, with ``process_lhs`` and ``process_rhs``.
    """

    lookup_name: str | None = None
    conditional = True
    bilateral = False
    prepare_rhs = True
    can_use_none_as_rhs = False
    null_strict = True
    is_transform: ClassVar[bool] = False
    sql: ClassVar[dict[str, str]] = {}
    takes_list: ClassVar[bool] = False

    def __init__(self, lhs: Any, rhs: Any) -> None:
        super().__init__(BOOLEAN)
        self.lhs = lhs
        self.rhs = rhs
        self.bilateral_transforms: list[Any] = []

    # -- structure -----------------------------------------------------------------------------------------------------

    def get_source_expressions(self) -> list[Any]:
        return [self.lhs, self.rhs] if hasattr(self.rhs, "resolve_expression") else [self.lhs]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.lhs = exprs[0]
        if len(exprs) > 1:
            self.rhs = exprs[1]

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        """A look-up written as an expression, ``GreaterThan(F("a"), F("b"))``, bound to ``query``."""
        lhs = self.lhs.resolve_expression(query, allow_joins, reuse, summarize, for_save)
        return query.build_lookup(lhs, type(self), self.rhs)

    # -- values --------------------------------------------------------------------------------------------------------

    @property
    def value_type(self) -> ValueType | None:
        """What the right side is prepared as."""
        return self.lhs._output_field_or_none  # type: ignore[no-any-return]

    def prepare(self, value: Any) -> Any:
        """The value to bind for ``value``; raises ``TypeError``, ``ValueError`` or ``ValidationError``."""
        value_type = self.value_type
        return value if value_type is None or not self.prepare_rhs else value_type.prepare(value)

    def get_prep_lookup(self) -> Any:
        return self.prepare(self.rhs)

    # -- SQL as custom look-ups expect it ------------------------------------------------------------------------------

    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> tuple[str, list[Any]]:
        result: tuple[str, list[Any]] = compiler.compile(lhs if lhs is not None else self.lhs)
        return result

    def process_rhs(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        result: tuple[str, list[Any]] = compiler.compile_operand(self.rhs, self)
        return result

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return f"= {rhs}"

    def rhs_is_direct_value(self) -> bool:
        return not hasattr(self.rhs, "as_sql")


class Transform(Func):
    """A function that look-ups may follow: ``date__year__gte``. Register it like a look-up."""

    lookup_name: str | None = None
    bilateral = False
    arity = 1
    is_transform: ClassVar[bool] = True

    @property
    def lhs(self) -> Any:
        return self.get_source_expressions()[0]

    def get_bilateral_transforms(self) -> list[Any]:
        inner = self.lhs.get_bilateral_transforms() if hasattr(self.lhs, "get_bilateral_transforms") else []
        return [*inner, type(self)] if self.bilateral else inner


# -- comparisons -------------------------------------------------------------------------------------------------------


@Type.register_lookup
class Exact(Lookup):
    lookup_name = "exact"
    sql: ClassVar = {"": "{lhs} = {rhs}"}


@Type.register_lookup
class GreaterThan(Lookup):
    lookup_name = "gt"
    sql: ClassVar = {"": "{lhs} > {rhs}"}


@Type.register_lookup
class GreaterThanOrEqual(Lookup):
    lookup_name = "gte"
    sql: ClassVar = {"": "{lhs} >= {rhs}"}


@Type.register_lookup
class LessThan(Lookup):
    lookup_name = "lt"
    sql: ClassVar = {"": "{lhs} < {rhs}"}


@Type.register_lookup
class LessThanOrEqual(Lookup):
    lookup_name = "lte"
    sql: ClassVar = {"": "{lhs} <= {rhs}"}


class _RoundedUp:
    """A whole number compared with a fraction: ``n < 2.5`` is ``n < 3`` and ``n >= 2.5`` is ``n >= 3``."""

    def prepare(self, value: Any) -> Any:
        if isinstance(value, float) and not value.is_integer():
            value = int(value) + (1 if value > 0 else 0)
        return super().prepare(value)  # type: ignore[misc]


@types.Integer.register_lookup
class IntegerLessThan(_RoundedUp, LessThan):
    pass


@types.Integer.register_lookup
class IntegerGreaterThanOrEqual(_RoundedUp, GreaterThanOrEqual):
    pass


@Type.register_lookup
class IsNull(Lookup):
    """``isnull=True`` or ``False``; the value is part of the query's shape, not a parameter."""

    lookup_name = "isnull"
    null_strict = False

    def prepare(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise ValueError("The QuerySet value for an isnull lookup must be True or False.")
        return value


@Type.register_lookup
class In(Lookup):
    """One of a list of values, bound as one array, or of a queryset's one column."""

    lookup_name = "in"
    takes_list = True

    def prepare(self, value: Any) -> Any:
        value_type = self.value_type
        prepared = [value_type.prepare(v) if value_type else v for v in value if v is not None]
        try:
            return list(dict.fromkeys(prepared))
        except TypeError:  # values that cannot be hashed
            return prepared


@Type.register_lookup
class Range(Lookup):
    """Between two values, both included."""

    lookup_name = "range"
    sql: ClassVar = {"": "{lhs} BETWEEN {rhs}"}

    def prepare(self, value: Any) -> Any:
        if isinstance(value, (str, bytes)) or len(list(value)) != 2:
            raise ValueError(f"range takes two values, the lowest and the highest; got {value!r}.")
        return tuple(super(Range, self).prepare(v) for v in value)


# -- text --------------------------------------------------------------------------------------------------------------

LIKE_SPECIAL = re.compile(r"([\\%_])")


def escape_like(text: str) -> str:
    """``text`` with the characters that LIKE treats specially escaped by a backslash."""
    return LIKE_SPECIAL.sub(r"\\\1", text)


class PatternLookup(Lookup):
    """LIKE with the value inside a pattern. An expression on the right is escaped and wrapped in SQL."""

    pattern: ClassVar[str] = "{}"
    prepare_rhs = False
    insensitive: ClassVar[bool] = False

    def prepare(self, value: Any) -> Any:
        if isinstance(value, bytes):
            value = value.decode()
        return self.pattern.format(escape_like(str(value)))


LIKE = {"": "{lhs} LIKE {rhs} ESCAPE '\\'", "postgresql": "{lhs}::text LIKE {rhs}"}
ILIKE = {"": "{lhs} LIKE {rhs} ESCAPE '\\'", "postgresql": "UPPER({lhs}::text) LIKE UPPER({rhs})"}


@Type.register_lookup
class Contains(PatternLookup):
    lookup_name = "contains"
    pattern = "%{}%"
    sql: ClassVar = LIKE


@Type.register_lookup
class StartsWith(PatternLookup):
    lookup_name = "startswith"
    pattern = "{}%"
    sql: ClassVar = LIKE


@Type.register_lookup
class EndsWith(PatternLookup):
    lookup_name = "endswith"
    pattern = "%{}"
    sql: ClassVar = LIKE


@Type.register_lookup
class IContains(Contains):
    lookup_name = "icontains"
    sql: ClassVar = ILIKE


@Type.register_lookup
class IStartsWith(StartsWith):
    lookup_name = "istartswith"
    sql: ClassVar = ILIKE


@Type.register_lookup
class IEndsWith(EndsWith):
    lookup_name = "iendswith"
    sql: ClassVar = ILIKE


@Type.register_lookup
class IExact(PatternLookup):
    lookup_name = "iexact"
    sql: ClassVar = {"": "{lhs} LIKE {rhs} ESCAPE '\\'", "postgresql": "UPPER({lhs}::text) = UPPER({rhs})"}

    def prepare(self, value: Any) -> Any:
        return str(value)


@Type.register_lookup
class Regex(Lookup):
    lookup_name = "regex"
    prepare_rhs = False
    sql: ClassVar = {"": "{lhs} REGEXP {rhs}", "postgresql": "{lhs}::text ~ {rhs}"}

    def prepare(self, value: Any) -> Any:
        return str(value)


@Type.register_lookup
class IRegex(Regex):
    lookup_name = "iregex"
    sql: ClassVar = {"": "{lhs} REGEXP '(?i)' || {rhs}", "postgresql": "{lhs}::text ~* {rhs}"}
