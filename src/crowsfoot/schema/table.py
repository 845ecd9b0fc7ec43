"""Tables as descriptions: columns, keys, indexes and constraints. What `sql.ddl` turns into statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from crowsfoot.schema.types import Type

# Stands among the tables that a statement reads where SQL of somebody's own may read any.
ANY_TABLE = "*"


class _NoDefault:
    def __repr__(self) -> str:
        return "NO_DEFAULT"

    def __bool__(self) -> bool:
        return False


NO_DEFAULT: Any = _NoDefault()


@dataclass(frozen=True, slots=True)
class Generated:
    """A column that the database computes. ``expression`` is resolved against the table's own entity."""

    expression: Any
    stored: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``default`` is the database's own default: a canonical value or an expression, or ``NO_DEFAULT``."""

    name: str
    type: Type
    null: bool = False
    default: Any = NO_DEFAULT
    identity: bool = False
    generated: Generated | None = None
    collation: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign-key constraint. ``on_delete`` and ``on_update`` are the database's actions, such as ``CASCADE``.

    ``null_columns`` are the columns that a delete's ``SET NULL`` empties where that is not all of them; ``deferrable``
    says whether the key is checked at the statement (``immediate``) or as the transaction ends (``deferred``).
    """

    name: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    on_delete: str = "NO ACTION"
    null_columns: tuple[str, ...] = ()
    on_update: str = "NO ACTION"
    deferrable: str = "immediate"

    @property
    def is_partial(self) -> bool:
        """Whether a delete empties some of the columns and leaves the others."""
        return bool(self.null_columns) and set(self.null_columns) != set(self.columns)


@dataclass(frozen=True, slots=True)
class Unique:
    """A uniqueness rule over columns, or over ``expressions``; with a ``condition`` it holds for those rows only."""

    name: str
    columns: tuple[str, ...] = ()
    expressions: tuple[Any, ...] = ()
    condition: Any = None
    include: tuple[str, ...] = ()
    deferrable: str | None = None
    nulls_distinct: bool | None = None
    opclasses: tuple[str, ...] = ()

    @property
    def is_index(self) -> bool:
        """True where only a unique index, not a constraint, can hold the rule."""
        return bool(self.expressions or self.condition is not None or self.include or self.opclasses)


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that every row meets: a ``Q`` or a boolean expression, resolved by the table's entity."""

    name: str
    condition: Any


@dataclass(frozen=True, slots=True)
class Index:
    """An index. ``columns`` are ``(name, descending)`` pairs, or else ``expressions`` are indexed."""

    name: str
    columns: tuple[tuple[str, bool], ...] = ()
    expressions: tuple[Any, ...] = ()
    condition: Any = None
    include: tuple[str, ...] = ()
    opclasses: tuple[str, ...] = ()
    method: str | None = None


@dataclass(slots=True, eq=False)
class Table:
    """A table: its columns by name, in order, and every rule that it keeps."""

    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    primary_key: tuple[str, ...] = ()
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    uniques: list[Unique] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    comment: str | None = None
    schema: str | None = None

    def column(self, name: str) -> Column:
        return self.columns[name]

    def add(self, columns: Iterable[Column]) -> None:
        for column in columns:
            self.columns[column.name] = column

    def changed(self, **parts: Any) -> Table:
        """A copy with some parts replaced."""
        return replace(self, **parts)

    def __repr__(self) -> str:
        return f"<Table {self.name}: {', '.join(self.columns)}>"
