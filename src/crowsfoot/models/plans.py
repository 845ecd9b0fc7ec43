"""Plans: what is sent for a shape, and how values go in and rows come out."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from crowsfoot.persistence.hydrate import first_value, make_hydrator, make_owned_hydrator
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Entity
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.peers import compile_per_owner
from crowsfoot.sql.select import SelectCompiler, compile_count, compile_exists, compile_select
from crowsfoot.sql.statement import Compiled

MAX_GET_RESULTS = 21


class Plan:
    """``sql``, ``bind`` from slot values to parameters, and ``hydrate`` from rows to results.

    ``said`` is what conditions of joins said when it was made; it holds for as long as they say the same.
    """

    __slots__ = ("bind", "hydrate", "said", "sql")

    def __init__(self, compiled: Compiled, hydrate: Any) -> None:
        self.sql = compiled.sql
        self.bind = compiled.bind
        self.hydrate = hydrate
        self.said = compiled.said

    def holds(self, dialect: Dialect, entity: Entity) -> bool:
        """Whether the conditions in it still say what they said."""
        compiler = SelectCompiler(dialect, Query(entity))
        return all(said.again(compiler) == said for said in self.said)


class Owned(NamedTuple):
    """The operation of reading rows as lists, by the values that each has under ``names``. ``shared`` says that a row
    which is in several lists is one instance, ``back`` is the slot in which a row keeps its owner, ``listed`` says that
    the rows have to be put on the list of their cohort."""

    names: tuple[str, ...]
    shared: bool
    back: str | None
    listed: bool


def row_maker(kind: str, names: Sequence[str]) -> Callable[[tuple[Any, ...]], Any]:
    """What ``values()`` and ``values_list()`` make of a tuple: a ``dict``, ``named``, ``flat``, or the tuple itself."""
    if kind == "dict":
        return lambda row: dict(zip(names, row, strict=True))
    if kind == "named":
        named: Any = namedtuple("Row", names)  # type: ignore[misc]  # pyright: ignore[reportUntypedNamedTuple]
        return lambda row: named(*row)
    return (lambda row: row[0]) if kind == "flat" else tuple


def any_row(rows: Iterable[Sequence[Any]]) -> bool:
    return bool(list(rows))


def select_plan(
    query: Query, dialect: Dialect, alias: str, operation: str | Owned, has_low: bool, has_high: bool, mode: Any
) -> Plan:
    """Compile ``operation`` (``select``, ``get``, ``count``, ``exists``, or an ``Owned``, whose plan does not hydrate
    where the rows don't tell whose they are). Raises ``EmptyResultSet``."""
    if has_low or has_high:
        query, _ = query.with_limits(1 if has_low else 0, 2 if has_high else None)
    if operation == "count":
        compiled = compile_count(dialect, query)
        return Plan(compiled, first_value)
    if operation == "exists":
        compiled = compile_exists(dialect, query if has_low or has_high or query.distinct_on else query.without_order())
        return Plan(compiled, any_row)
    if operation == "get" and not (has_low or has_high or query.distinct_on or query.combined is not None):
        query = query.without_order().but(limits=(MAX_GET_RESULTS, None))
    compiled = compile_per_owner(dialect, query) if query.per and query.is_sliced else compile_select(dialect, query)
    row = compiled.row
    assert row is not None
    if not isinstance(operation, Owned):
        return Plan(compiled, make_hydrator(row, alias, mode, alone=operation == "get"))
    told = {attribute.name for attribute, _ in row.attributes} | {name for name, _ in row.extras}
    if row.kind != "model" or not told.issuperset(operation.names):
        return Plan(compiled, None)
    names, shared, back, listed = operation
    return Plan(compiled, make_owned_hydrator(row, alias, mode, names, back, shared, listed))
