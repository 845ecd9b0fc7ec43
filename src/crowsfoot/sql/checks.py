"""Conditions over values alone, which no table is needed for."""

from __future__ import annotations

from typing import Any

from crowsfoot.query.depth import bounded
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Entity
from crowsfoot.sql.conditions import compile_condition
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.select import SelectCompiler
from crowsfoot.sql.statement import statement


@bounded
def compile_check(dialect: Dialect, entity: Entity, condition: Any) -> tuple[str, tuple[Any, ...]]:
    """A statement that has a row where ``condition`` is false, and none where it is true or unknown; its parameters.

    Raises ``EmptyResultSet`` or ``FullResultSet`` where the condition is constant.
    """
    query = Query(entity)
    scope = Scope(query)
    compiler = SelectCompiler(dialect, query)
    clause = compile_condition(compiler, scope.resolve_condition(condition))
    compiled = statement(dialect, f"SELECT 1 WHERE NOT ({clause.sql})", clause.params)
    values = (v if p is None else p(v) for v, p in zip(scope.values, scope.preparers, strict=True))
    return compiled.sql, compiled.bind(tuple(values))
