"""Functions that compare and convert: `Cast`, `Coalesce`, `Greatest`, `Least`, `NullIf`."""

from __future__ import annotations

from typing import Any, ClassVar

from crowsfoot.query.func import Collate, Func
from crowsfoot.schema.types import ValueType

__all__ = ["Cast", "Coalesce", "Collate", "Greatest", "Least", "NullIf"]


class Cast(Func):
    """An expression as a value of another type: ``Cast("code", IntegerField())``."""

    arity = 1

    def __init__(self, expression: Any, output_field: ValueType) -> None:
        super().__init__(expression, output_field=output_field)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        sql, params = compiler.compile(self.source_expressions[0])
        return compiler.dialect.cast(sql, self.value_type), params


class _Several(Func):
    def __init__(self, *expressions: Any, **extra: Any) -> None:
        if len(expressions) < 2:
            raise ValueError(f"{type(self).__name__} must take at least two expressions")
        super().__init__(*expressions, **extra)


class Coalesce(_Several):
    """The first of several expressions that is not NULL."""

    function = "COALESCE"

    @property
    def empty_result_set_value(self) -> Any:
        for expression in self.source_expressions:
            found = getattr(expression, "empty_result_set_value", NotImplemented)
            if found is NotImplemented or found is not None:
                return found
        return None


class Greatest(_Several):
    """The largest of several expressions. With a NULL among them PostgreSQL leaves it out, and SQLite answers NULL."""

    function = "GREATEST"
    sql: ClassVar = {"sqlite": "MAX(%(expressions)s)"}


class Least(_Several):
    """The smallest of several expressions. With a NULL among them PostgreSQL leaves it out, and SQLite answers NULL."""

    function = "LEAST"
    sql: ClassVar = {"sqlite": "MIN(%(expressions)s)"}


class NullIf(Func):
    """NULL where two expressions are equal, else the first."""

    function = "NULLIF"
    arity = 2

    def get_source_fields(self) -> list[ValueType | None]:
        return [self.source_expressions[0]._output_field_or_none]
