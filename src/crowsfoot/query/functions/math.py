"""Functions of numbers."""

from __future__ import annotations

from typing import Any, ClassVar

from crowsfoot.query.expressions import Value
from crowsfoot.query.func import Func
from crowsfoot.query.inference import DECIMAL, FLOAT, INT, NUMERIC
from crowsfoot.query.lookups import Transform
from crowsfoot.schema.types import ValueType

__all__ = [
    "ACos", "ASin", "ATan", "ATan2", "Abs", "Ceil", "Cos", "Cot", "Degrees", "Exp", "Floor", "Ln", "Log", "Mod", "Pi",
    "Power", "Radians", "Random", "Round", "Sign", "Sin", "Sqrt", "Tan",
]  # fmt: skip


class _Numeric(Func):
    """What the database computes is made a number of the type that is promised: databases widen as they please."""

    # PostgreSQL has some functions for exact numbers only.
    exact_only: ClassVar[bool] = False

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        node = self
        if self.exact_only and connection.vendor == "postgresql":
            node = self.copy()
            node.source_expressions = [_Exact(e) if _kind(e) == "float" else e for e in self.source_expressions]
        sql, params = super(_Numeric, node).as_sql(compiler, connection, **extra)
        known = self._output_field_or_none
        return (sql if known is None else compiler.dialect.as_number(sql, known)), params


class _Exact(Func):
    template = "(%(expressions)s)::numeric"
    _output_field = DECIMAL


def _kind(node: Any) -> str:
    known = node._output_field_or_none
    return "any" if known is None else known.kind


class _Real(_Numeric):
    """The result is a float, or exact where an argument is."""

    def _resolve_output_field(self) -> ValueType | None:
        fields = self.get_source_fields()
        kinds = {f.kind for f in fields if f is not None}
        if "decimal" in kinds:
            return next(f for f in fields if f is not None and f.kind == "decimal") if len(kinds) == 1 else DECIMAL
        if kinds & set(NUMERIC) or not kinds:
            return FLOAT
        return super()._resolve_output_field()


class _RealTransform(_Real, Transform):
    null_strict = True


class Abs(_Numeric, Transform):
    function = "ABS"
    lookup_name = "abs"
    null_strict = True


class Ceil(_Numeric, Transform):
    function = "CEILING"
    lookup_name = "ceil"
    null_strict = True


class Floor(_Numeric, Transform):
    function = "FLOOR"
    lookup_name = "floor"
    null_strict = True


class Sign(_Numeric, Transform):
    function = "SIGN"
    lookup_name = "sign"
    null_strict = True
    sql: ClassVar = {"sqlite": "(SIGN(%(expressions)s) * 1.0)"}


class Round(_Numeric, Transform):
    """A number rounded to ``precision`` places after the point; PostgreSQL also takes a negative one."""

    function = "ROUND"
    lookup_name = "round"
    arity = None
    null_strict = True
    exact_only = True

    def __init__(self, expression: Any, precision: Any = 0, **extra: Any) -> None:
        self.is_negative = isinstance(precision, int) and precision < 0
        if not hasattr(precision, "resolve_expression"):
            precision = Value(precision, output_field=INT)
        super().__init__(expression, precision, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        if self.is_negative:
            raise ValueError("SQLite does not support negative precision.")
        return self.as_sql(compiler, connection, **extra)

    def get_source_fields(self) -> list[ValueType | None]:
        return [self.source_expressions[0]._output_field_or_none]


class ACos(_RealTransform):
    function = "ACOS"
    lookup_name = "acos"


class ASin(_RealTransform):
    function = "ASIN"
    lookup_name = "asin"


class ATan(_RealTransform):
    function = "ATAN"
    lookup_name = "atan"


class ATan2(_Real):
    function = "ATAN2"
    arity = 2


class Cos(_RealTransform):
    function = "COS"
    lookup_name = "cos"


class Cot(_RealTransform):
    function = "COT"
    lookup_name = "cot"
    sql: ClassVar = {"sqlite": "(1.0 / TAN(%(expressions)s))"}


class Degrees(_RealTransform):
    function = "DEGREES"
    lookup_name = "degrees"


class Exp(_RealTransform):
    function = "EXP"
    lookup_name = "exp"


class Ln(_RealTransform):
    function = "LN"
    lookup_name = "ln"


class Log(_Real):
    """The logarithm of the second argument to the base of the first."""

    function = "LOG"
    arity = 2
    exact_only = True


class Mod(_Real):
    """The remainder of a division."""

    function = "MOD"
    arity = 2
    exact_only = True


class Pi(_Real):
    function = "PI"
    arity = 0


class Power(_Real):
    function = "POWER"
    arity = 2


class Radians(_RealTransform):
    function = "RADIANS"
    lookup_name = "radians"


class Random(_Real):
    """A number from 0 to 1, another one for each row."""

    function = "RANDOM"
    arity = 0
    # SQLite's own has all 64 bits of an integer.
    sql: ClassVar = {"sqlite": "(RANDOM() / 18446744073709551616.0 + 0.5)"}

    def get_group_by_cols(self) -> list[Any]:
        return []


class Sin(_RealTransform):
    function = "SIN"
    lookup_name = "sin"


class Sqrt(_RealTransform):
    function = "SQRT"
    lookup_name = "sqrt"


class Tan(_RealTransform):
    function = "TAN"
    lookup_name = "tan"
