"""Look-ups: the comparisons behind ``title__startswith="H"``. Each is one small declaration, its SQL beside it.

A look-up is registered on the logical type (or the field class) that it applies to. ``sql`` holds its text with
``{lhs}`` and ``{rhs}``; the key ``""`` is what every dialect says unless it has an entry of its own. ``prepare`` turns
the value given into the value bound, when the queryset is built, so that wrong values are refused before any SQL is
sent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from crowsfoot.query.expressions import Expression, Value
from crowsfoot.query.func import Func
from crowsfoot.query.inference import BOOLEAN, TEXT, UNKNOWN, computed
from crowsfoot.query.nodes import Uncacheable
from crowsfoot.query.resolved import Col, ExpressionList, Param, RowKey
from crowsfoot.schema import types
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.relation import Hop
from crowsfoot.schema.types import LookupRegistry, Type, ValueType


class Lookup(Expression):
    """A comparison of ``lhs`` with ``rhs``. Subclass it and register it on a field class to add your own.

    Own look-ups may override ``as_sql(compiler, connection)`` as in Django, with ``process_lhs`` and ``process_rhs``.
    """

    lookup_name: str | None = None
    conditional = True  # pyright: ignore[reportAssignmentType]
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
        if self.is_resolved:
            return self
        lhs = self.lhs if hasattr(self.lhs, "resolve_expression") else Value(self.lhs)
        lhs = lhs.resolve_expression(query, allow_joins, reuse, summarize, for_save)
        # The left side's type may have a look-up of this kind of its own.
        known = lhs.get_lookup(self.lookup_name) if self.lookup_name else None
        kind = known if known is not None and issubclass(known, type(self)) else type(self)
        return query.build_lookup(lhs, kind, self.rhs)

    # -- values --------------------------------------------------------------------------------------------------------

    @property
    def compared_type(self) -> ValueType | None:
        """What the right side is prepared as."""
        return self.lhs._output_field_or_none

    def prepare(self, value: Any) -> Any:
        """The value to bind for ``value``; raises ``TypeError``, ``ValueError`` or ``ValidationError``."""
        value_type = self.compared_type
        return value if value_type is None or not self.prepare_rhs else value_type.prepare(value)

    def preparer(self) -> Callable[[Any], Any]:
        """What prepares this look-up's value at each call of a query that was built before: the short way there."""
        value_type = self.compared_type
        if type(self).prepare is Lookup.prepare and self.prepare_rhs and value_type is not None:
            preparer: Callable[[Any], Any] = getattr(value_type, "preparer", value_type.prepare)
            return preparer
        return self.prepare

    def get_prep_lookup(self) -> Any:
        return self.prepare(self.rhs)

    @property
    def rhs_type(self) -> ValueType:
        """What the prepared value is bound as."""
        return (self.compared_type if self.prepare_rhs else None) or UNKNOWN

    def bind(self, index: int) -> Lookup:
        """This look-up with its value in slot ``index``."""
        self.rhs = Param(index, self.rhs_type)
        return self

    def bind_expressions(self, expressions: Sequence[Any]) -> None:
        """Take several expressions for the right side."""
        self.rhs = ExpressionList(*expressions)

    def decided(self, value: Any) -> bool | None:
        """Whether the look-up holds for every row with a value (True) or for none (False); None where rows decide."""
        return None

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


class Transform(LookupRegistry, Func):
    """A function that look-ups may follow: ``date__year__gte``. Register it like a look-up.

    Look-ups registered on the transform itself go before those of its result's type.
    """

    lookup_name: str | None = None
    bilateral = False
    arity: int | None = 1
    is_transform: ClassVar[bool] = True

    @property
    def lhs(self) -> Any:
        return self.get_source_expressions()[0]

    def get_lookup(self, name: str) -> Any:
        return super().get_lookup(name) or computed(self.value_type, name, "get_lookup")

    def get_transform(self, name: str) -> Any:
        return super().get_transform(name) or computed(self.value_type, name, "get_transform")

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


# Every database's integers end there; SQLite and the drivers refuse larger ones before they are compared.
LOWEST, HIGHEST = types.Integer.ranges["bigint"]


class _Whole:
    """A whole number compared: with one that no column holds, the answer is known without the rows."""

    beyond: ClassVar[tuple[bool, bool]] = (False, False)  # the answer for a value too low, and for one too high

    def preparer(self) -> Callable[[Any], Any]:
        slowly = super().preparer()  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]

        def prepare(value: Any) -> Any:
            if type(value) is int and LOWEST <= value <= HIGHEST:
                return value
            value = slowly(value)
            if isinstance(value, int) and not LOWEST <= value <= HIGHEST:
                raise Uncacheable
            return value

        return prepare

    def decided(self, value: Any) -> bool | None:
        prepared = self.prepare(value)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        if not isinstance(prepared, int) or LOWEST <= prepared <= HIGHEST:
            return None
        return self.beyond[prepared > HIGHEST]


class _RoundedUp(_Whole):
    """A whole number compared with a fraction: ``n < 2.5`` is ``n < 3`` and ``n >= 2.5`` is ``n >= 3``."""

    def prepare(self, value: Any) -> Any:
        if isinstance(value, float):
            value = math.ceil(value)
        return super().prepare(value)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


@types.Integer.register_lookup
class IntegerExact(_Whole, Exact):
    pass


@types.Integer.register_lookup
class IntegerGreaterThan(_Whole, GreaterThan):
    beyond = (True, False)


@types.Integer.register_lookup
class IntegerGreaterThanOrEqual(_RoundedUp, GreaterThanOrEqual):
    beyond = (True, False)


@types.Integer.register_lookup
class IntegerLessThan(_RoundedUp, LessThan):
    beyond = (False, True)


@types.Integer.register_lookup
class IntegerLessThanOrEqual(_Whole, LessThanOrEqual):
    beyond = (False, True)


@Type.register_lookup
class IsNull(Lookup):
    """``isnull=True`` or ``False``; the value is part of the query's shape, not a parameter."""

    lookup_name = "isnull"
    null_strict = False

    def prepare(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise ValueError("The QuerySet value for an isnull lookup must be True or False.")
        return value


def as_values(values: Iterable[Any]) -> list[Any]:
    """Each value as an expression; here a string is a value, not a name."""
    return [value if hasattr(value, "resolve_expression") else Value(value) for value in values]


@Type.register_lookup
class In(Lookup):
    """One of a list of values, bound as one array, or of a queryset's one column."""

    lookup_name = "in"
    takes_list = True

    def no_list(self, value: Any) -> Exception:
        """What to raise for a value that is no list."""
        return TypeError(f"{self.lookup_name!r} takes a list, a tuple, a set or a queryset, not {value!r}.")

    def expressions(self, items: Iterable[Any]) -> list[Any]:
        """The items of a list that has expressions in it, all as expressions."""
        return as_values(items)

    @classmethod
    def is_missing(cls, item: Any) -> bool:
        """Whether no row can equal this item."""
        return item is None

    def prepare(self, value: Any) -> Any:
        value_type = self.compared_type
        prepared = [value_type.prepare(v) if value_type else v for v in value if v is not None]
        try:
            return list(dict.fromkeys(prepared))
        except TypeError:  # values that cannot be hashed
            return prepared


@types.Integer.register_lookup
class IntegerIn(In):
    """Numbers that no column holds are left out."""

    def prepare(self, value: Any) -> Any:
        return [v for v in super().prepare(value) if not isinstance(v, int) or LOWEST <= v <= HIGHEST]


@Type.register_lookup
class Range(Lookup):
    """Between two values, both included."""

    lookup_name = "range"
    sql: ClassVar = {"": "{lhs} BETWEEN {rhs}"}

    def prepare(self, value: Any) -> Any:
        if isinstance(value, (str, bytes)) or len(list(value)) != 2:
            raise ValueError(f"range takes two values, the lowest and the highest; got {value!r}.")
        return tuple(super(Range, self).prepare(v) for v in value)

    def bind(self, index: int) -> Lookup:
        self.rhs = ExpressionList(*[Param(index, self.rhs_type, item) for item in (0, 1)])
        return self


@types.Integer.register_lookup
class IntegerRange(Range):
    """Bounds that no column holds are moved to the nearest that it does."""

    def prepare(self, value: Any) -> Any:
        low, high = super().prepare(value)
        return max(low, LOWEST), min(high, HIGHEST)


# -- text --------------------------------------------------------------------------------------------------------------

LIKE_SPECIAL = re.compile(r"([\\%_])")


def escape_like(text: str) -> str:
    """``text`` with the characters that LIKE treats specially escaped by a backslash."""
    return LIKE_SPECIAL.sub(r"\\\1", text)


class TextLookup(Lookup):
    """A look-up whose value is text, whatever the type of the left side."""

    prepare_rhs = False

    @property
    def rhs_type(self) -> ValueType:
        return TEXT

    def prepare(self, value: Any) -> Any:
        return value.decode() if isinstance(value, bytes) else str(value)


class PatternLookup(TextLookup):
    """LIKE with the value inside a pattern. An expression on the right is escaped and wrapped in SQL."""

    pattern: ClassVar[str] = "{}"

    def prepare(self, value: Any) -> Any:
        return self.pattern.format(escape_like(super().prepare(value)))


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
class IExact(TextLookup):
    lookup_name = "iexact"
    sql: ClassVar = {
        "": "CAST({lhs} AS TEXT) = {rhs} COLLATE NOCASE",
        "postgresql": "UPPER({lhs}::text) = UPPER({rhs})",
    }


@Type.register_lookup
class Regex(TextLookup):
    lookup_name = "regex"
    sql: ClassVar = {"": "{lhs} REGEXP {rhs}", "postgresql": "{lhs}::text ~ {rhs}"}


@Type.register_lookup
class IRegex(Regex):
    lookup_name = "iregex"
    sql: ClassVar = {"": "{lhs} REGEXP '(?i)' || {rhs}", "postgresql": "{lhs}::text ~* {rhs}"}


# -- UUIDs and addresses as text ---------------------------------------------------------------------------------------

PATTERNS: tuple[type[TextLookup], ...] = (Contains, StartsWith, EndsWith, IContains, IStartsWith, IEndsWith)


def _say_otherwise(value_type: type[Type], lookup: type[TextLookup], vendor: str, sql: str) -> None:
    """Register ``lookup`` for ``value_type`` with its own SQL on one database."""
    own = type(f"{value_type.__name__}{lookup.__name__}", (lookup,), {"sql": {**lookup.sql, vendor: sql}})
    value_type.register_lookup(own)


# SQLite keeps 32 hexadecimal digits, and people write dashes.
for _lookup in PATTERNS:
    _say_otherwise(types.UUID, _lookup, "sqlite", "{lhs} LIKE REPLACE({rhs}, '-', '') ESCAPE '\\'")
_say_otherwise(types.UUID, IExact, "sqlite", "{lhs} = REPLACE({rhs}, '-', '') COLLATE NOCASE")

# PostgreSQL's text of an address ends in the length of its network.
for _lookup in (*PATTERNS, IExact, Regex, IRegex):
    _say_otherwise(types.Inet, _lookup, "postgresql", _lookup.sql["postgresql"].replace("{lhs}::text", "HOST({lhs})"))


def marks(entity: Entity, hop: Hop) -> list[Exact]:
    """What a hop to ``entity``, or to one that it inherits from, demands beside its key, as conditions."""
    found: list[Exact] = []
    for column, key_of in hop.where:
        attribute = entity.attribute_in(hop.target, column)
        node = Exact(Col(attribute.via, attribute), RowKey(key_of))
        node.is_resolved = True
        found.append(node)
    return found
