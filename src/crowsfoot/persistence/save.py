"""Saving rows: INSERT and UPDATE of one table's values, as operations. A statement is compiled once for its columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from crowsfoot.drivers.run import Execute, Fetch, Operation
from crowsfoot.errors import FieldError, IntegrityError
from crowsfoot.persistence.hydrate import Hydrator, make_hydrator
from crowsfoot.persistence.integrity import explain
from crowsfoot.persistence.session import Session
from crowsfoot.query.expressions import F
from crowsfoot.query.nodes import mapped
from crowsfoot.query.resolved import Col, Param
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.statement import Compiled
from crowsfoot.sql.write import Conflict, compile_insert, compile_update, having


@lru_cache(maxsize=4096)
def insert_plan(
    dialect: Dialect, entity: Entity, attributes: tuple[Attribute, ...], rows: int, returning: tuple[Attribute, ...],
    conflict: Conflict | None,
) -> tuple[Compiled, Hydrator | None]:  # fmt: skip
    return _with_hydrator(compile_insert(dialect, entity, attributes, rows, returning, conflict))


def _with_hydrator(compiled: Compiled) -> tuple[Compiled, Hydrator | None]:
    """A statement with what reads the values that it returns, if it does. They are no instances, so of no database."""
    return compiled, None if compiled.row is None else make_hydrator(compiled.row, "")


@lru_cache(maxsize=4096)
def update_plan(
    dialect: Dialect, entity: Entity, attributes: tuple[Attribute, ...], returning: tuple[Attribute, ...]
) -> tuple[Compiled, Hydrator | None]:
    """UPDATE of one row by key: the values first, then the key."""
    assignments = [(a, Param(i, a.value_type)) for i, a in enumerate(attributes)]
    query = having(entity, own_key_attributes(entity), len(attributes))
    return _with_hydrator(compile_update(dialect, query, assignments, returning))


def own_key_attributes(entity: Entity) -> tuple[Attribute, ...]:
    """The key's attributes in the entity's own table."""
    return tuple(entity.key)


def is_expression(value: Any) -> bool:
    return hasattr(value, "resolve_expression")


def insert_rows(
    session: Session,
    entity: Entity,
    attributes: tuple[Attribute, ...],
    rows: Sequence[Sequence[Any]],
    returning: tuple[Attribute, ...] = (),
    conflict: Conflict | None = None,
) -> Operation[list[Any]]:
    """INSERT rows of prepared values (or expressions); returns the ``returning`` values of each. One statement."""
    flat = [value for row in rows for value in row]
    if any(map(is_expression, flat)):
        compiled, hydrate, slots = _insert_with_expressions(session, entity, attributes, rows, returning, conflict)
    else:
        compiled, hydrate = insert_plan(session.dialect, entity, attributes, len(rows), returning, conflict)
        slots = tuple(flat)
    session.wrote(entity.table.name)
    params = compiled.bind(slots)
    try:
        if hydrate is not None:
            found: list[Any] = yield Fetch(compiled.sql, params, hydrate)
            return found
        yield Execute(compiled.sql, params)
    except IntegrityError as error:
        yield from explain(session.dialect, error, entity, attributes, rows)
        raise
    return []


def _insert_with_expressions(
    session: Session, entity: Entity, attributes: tuple[Attribute, ...], rows: Sequence[Sequence[Any]],
    returning: tuple[Attribute, ...], conflict: Conflict | None,
) -> tuple[Compiled, Hydrator | None, tuple[Any, ...]]:  # fmt: skip
    expressions: dict[tuple[int, int], Any] = {}
    flat: list[Any] = []
    scope = Scope(Query(entity), start=len(rows) * len(attributes))
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if is_expression(value):
                expressions[r, c] = _for_insert(value, attributes[c], scope)
                value = None
            flat.append(value)
    flat += [v if p is None else p(v) for v, p in zip(scope.values, scope.preparers, strict=True)]
    made = compile_insert(session.dialect, entity, attributes, len(rows), returning, conflict, expressions)
    return *_with_hydrator(made), tuple(flat)


def _for_insert(value: Any, attribute: Attribute, scope: Scope) -> Any:
    """An expression bound to a row that is to be. Raises ``FieldError`` or ``ValueError`` where it needs rows."""
    node = value.resolve_expression(scope, allow_joins=False, for_save=True)
    if node.contains_aggregate or node.contains_over_clause:
        what = "Aggregate functions" if node.contains_aggregate else "Window expressions"
        raise FieldError(f"{what} are not allowed in this query ({attribute.name}={value!r}).")
    if any(isinstance(part, Col) for part in node.flatten()):
        named = mapped(value, lambda part: part.resolve_expression(scope) if isinstance(part, F) else None)
        raise ValueError(
            f'Failed to insert expression "{named}" on {attribute.field or attribute.name}. '
            "F() expressions can only be used to update, not to insert."
        )
    return node


def update_row(
    session: Session,
    entity: Entity,
    attributes: tuple[Attribute, ...],
    values: Sequence[Any],
    key: tuple[Any, ...],
    returning: tuple[Attribute, ...] = (),
) -> Operation[Any]:
    """UPDATE one row by its key; returns whether there was such a row, or its ``returning`` values. One statement."""
    session.updates(entity)
    if any(is_expression(value) for value in values):
        compiled, hydrate, slots = _with_expressions(session.dialect, entity, attributes, values, key, returning)
    else:
        compiled, hydrate = update_plan(session.dialect, entity, attributes, returning)
        slots = (*values, *key)
    try:
        if hydrate is not None:
            found = yield Fetch(compiled.sql, compiled.bind(slots), hydrate)
            return found[0] if found else False
        count = yield Execute(compiled.sql, compiled.bind(slots))
    except IntegrityError as error:
        yield from explain(session.dialect, error, entity, attributes, [values])
        raise
    return count > 0


def _with_expressions(
    dialect: Dialect, entity: Entity, attributes: tuple[Attribute, ...], values: Sequence[Any], key: tuple[Any, ...],
    returning: tuple[Attribute, ...],
) -> tuple[Compiled, Hydrator | None, tuple[Any, ...]]:  # fmt: skip
    query = Query(entity)
    scope = Scope(query)
    assignments = []
    for attribute, value in zip(attributes, values, strict=True):
        if is_expression(value):
            node = value.resolve_expression(scope, allow_joins=False, for_save=True)
        else:
            node = Param(scope.slot(value, None)[0], attribute.value_type)
        assignments.append((attribute, node))
    for attribute, value in zip(own_key_attributes(entity), key, strict=True):
        condition = attribute.value_type.get_lookup("exact")(
            Col((), attribute), Param(scope.slot(value, None)[0], attribute.value_type)
        )
        condition.is_resolved = True
        query = query.with_step(condition)
    slots = tuple(v if p is None else p(v) for v, p in zip(scope.values, scope.preparers, strict=True))
    return *_with_hydrator(compile_update(dialect, query, assignments, returning)), slots
