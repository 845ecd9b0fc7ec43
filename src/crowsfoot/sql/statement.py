"""Statements ready for a driver: text, how values are bound to it, and what its rows hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from crowsfoot.query.expressions import Value
from crowsfoot.query.inference import UNKNOWN
from crowsfoot.query.shapes import TALLY
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.sql.compiler import Slot
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.joins import Names, Said

Converter = Callable[[Any], Any]
Reader = Converter | None | tuple[Converter | None, ...]


@dataclass(slots=True)
class Row:
    """What a stretch of a result row is: one entity's attributes, the related rows after it, then further values."""

    entity: Entity
    attributes: list[tuple[Attribute, Converter | None]] = field(default_factory=list)
    related: list[tuple[Any, Row]] = field(default_factory=list)
    # A value of several columns has a tuple of converters.
    extras: list[tuple[str, Reader]] = field(default_factory=list)
    kind: str = "model"
    partial: bool = False
    # Whether the database sends further columns that nobody reads.
    unread: bool = False

    @property
    def width(self) -> int:
        """How many columns of the result are read."""
        values = sum(len(reader) if isinstance(reader, tuple) else 1 for _, reader in self.extras)
        return len(self.attributes) + sum(row.width for _, row in self.related) + values


@dataclass(slots=True)
class Compiled:
    """A statement ready for a driver: its text, how values are bound to it, and what its rows hold."""

    sql: str
    bind: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    row: Row | None = None
    # What the conditions of joins said, where they may say something else the next time.
    said: tuple[Said, ...] = ()

    def __post_init__(self) -> None:
        TALLY.count_compiled()


def statement(
    dialect: Dialect, sql: str, params: list[Any], row: Row | None = None, names: Names | None = None
) -> Compiled:
    """Compiled text and its parameters, as a driver takes them."""
    numbers, bound = list(range(1, len(params) + 1)), params
    if dialect.numbered_parameters:
        found: dict[Any, int] = {}
        bound = []
        for place, param in enumerate(params):
            # What is said twice, in ORDER BY as it is selected, has to be the same to the database.
            key = (
                param.identity
                if isinstance(param, Slot)
                else ("again", id(param))
                if isinstance(param, Value)
                else (place,)
            )
            if key not in found:
                bound.append(param)
                found[key] = len(bound)
            numbers[place] = found[key]
    said = () if names is None else tuple(names.said)
    return Compiled(dialect.numbered(sql, numbers), make_binder(dialect, bound), row, said)


def make_binder(dialect: Dialect, params: list[Any]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """A generated function from a query's slot values to a driver's parameters."""
    if not params:
        return lambda values: ()
    names: dict[str, Any] = {}
    terms: list[str] = []
    for number, param in enumerate(params):
        term, value_type = _term(param, number, names)
        array = isinstance(param, Slot) and param.array
        bind = dialect.array_binder(value_type) if array else dialect.binder(value_type)
        own = value_type.db_binder(dialect) if hasattr(value_type, "db_binder") else None
        if own is not None:  # a custom field converts first
            bind = _after(_each(own) if array else own, bind)
        if bind is None:
            terms.append(term)
            continue
        names[f"b{number}"] = bind
        terms.append(f"b{number}({term})" if array else f"(None if {term} is None else b{number}({term}))")
    source = f"lambda v: ({', '.join(terms)},)"
    made: Callable[[tuple[Any, ...]], tuple[Any, ...]] = eval(source, names)
    return made


def _each(convert: Converter) -> Converter:
    return lambda values: [convert(value) for value in values]


def _after(first: Converter, then: Converter | None) -> Converter:
    return first if then is None else lambda value: then(first(value))


def _term(param: Any, number: int, names: dict[str, Any]) -> tuple[str, Any]:
    if isinstance(param, Slot):
        if param.array and param.item is not None:
            return f"[t[{param.item}] for t in v[{param.index}]]", param.value_type
        return f"v[{param.index}]" + ("" if param.item is None else f"[{param.item}]"), param.value_type
    constant = param if isinstance(param, Value) else Value(param)
    names[f"c{number}"] = constant.value
    return f"c{number}", constant._output_field or constant._resolve_output_field() or UNKNOWN
