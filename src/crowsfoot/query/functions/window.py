"""Functions of a row's place among others, for use in `Window`."""

from __future__ import annotations

from typing import Any

from crowsfoot.query.expressions import Value
from crowsfoot.query.func import Func
from crowsfoot.query.inference import FLOAT, INT, INTEGER
from crowsfoot.schema.types import ValueType

__all__ = [
    "CumeDist", "DenseRank", "FirstValue", "Lag", "LastValue", "Lead", "NthValue", "Ntile", "PercentRank", "Rank",
    "RowNumber",
]  # fmt: skip


class _WindowFunction(Func):
    window_compatible = True


class CumeDist(_WindowFunction):
    function = "CUME_DIST"
    arity = 0
    _output_field = FLOAT


class DenseRank(_WindowFunction):
    function = "DENSE_RANK"
    arity = 0
    _output_field = INTEGER


class FirstValue(_WindowFunction):
    function = "FIRST_VALUE"
    arity = 1


class LastValue(_WindowFunction):
    function = "LAST_VALUE"
    arity = 1


class _Beside(_WindowFunction):
    """The value some rows before or after, ``default`` where there is no such row."""

    def __init__(self, expression: Any, offset: int = 1, default: Any = None, **extra: Any) -> None:
        name = type(self).__name__
        if expression is None:
            raise ValueError(f"{name} requires a non-null source expression.")
        if offset is None or offset <= 0:
            raise ValueError(f"{name} requires a positive integer for the offset.")
        given = [expression, Value(offset, output_field=INT)]
        super().__init__(*given, *([] if default is None else [default]), **extra)

    def get_source_fields(self) -> list[ValueType | None]:
        return [self.source_expressions[0]._output_field_or_none]


class Lag(_Beside):
    function = "LAG"


class Lead(_Beside):
    function = "LEAD"


class NthValue(_WindowFunction):
    """The value of the nth row of the frame, counted from 1."""

    function = "NTH_VALUE"

    def __init__(self, expression: Any, nth: int = 1, **extra: Any) -> None:
        if expression is None:
            raise ValueError("NthValue requires a non-null source expression.")
        if nth is None or nth <= 0:
            raise ValueError("NthValue requires a positive integer as for nth.")
        super().__init__(expression, Value(nth, output_field=INT), **extra)

    def get_source_fields(self) -> list[ValueType | None]:
        return [self.source_expressions[0]._output_field_or_none]


class Ntile(_WindowFunction):
    """Which of ``num_buckets`` parts of equal size the row falls into."""

    function = "NTILE"
    _output_field = INTEGER

    def __init__(self, num_buckets: int = 1, **extra: Any) -> None:
        if num_buckets <= 0:
            raise ValueError("num_buckets must be greater than 0.")
        super().__init__(Value(num_buckets, output_field=INT), **extra)


class PercentRank(_WindowFunction):
    function = "PERCENT_RANK"
    arity = 0
    _output_field = FLOAT


class Rank(_WindowFunction):
    function = "RANK"
    arity = 0
    _output_field = INTEGER


class RowNumber(_WindowFunction):
    function = "ROW_NUMBER"
    arity = 0
    _output_field = INTEGER
