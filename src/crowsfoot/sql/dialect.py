"""Dialects as declared differences. The base says what SQLite and PostgreSQL have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from crowsfoot.query.expressions import CombinedExpression
from crowsfoot.schema.types import Date, DateTime, Decimal, Duration, Time, Type, ValueType

Converter = Callable[[Any], Any]


class Dialect:
    """How one kind of database says things. One instance serves one database; it holds no state that changes."""

    # The alias of the database.
    alias: str | None = None
    vendor: ClassVar[str] = ""
    display_name: ClassVar[str] = ""
    # The longest name of a table, column or constraint; longer ones are shortened with a hash.
    max_name_length: ClassVar[int] = 63
    column_types: ClassVar[dict[str, str]] = {}
    random: ClassVar[str] = "RANDOM()"
    true: ClassVar[str] = "TRUE"
    false: ClassVar[str] = "FALSE"
    distinct_on: ClassVar[bool] = False
    limit_needs_number: ClassVar[str | None] = None
    supports_default_keyword: ClassVar[bool] = True
    # Whether most changes of a table need a new one that its rows are copied to.
    rebuilds_tables: ClassVar[bool] = False
    # Whether indexes have methods, operator classes and included columns, and uniques may be deferred or count NULLs.
    index_options: ClassVar[bool] = False
    # Whether ON DELETE SET NULL may name some of the key's columns, and whether tables and columns have comments.
    sets_some_columns: ClassVar[bool] = False
    comments: ClassVar[bool] = False
    # What stands behind the definition of a column that numbers rows.
    identity_suffix: ClassVar[str] = ""
    begin: ClassVar[str] = "BEGIN"
    # Check keys at the end of the transaction, and at the statement again (None where that cannot be undone before).
    defer_keys: ClassVar[str] = "SET CONSTRAINTS ALL DEFERRED"
    # Where the database does not say which key it is that a COMMIT refuses: SELECT of its table, column and row.
    keys_that_fail: ClassVar[str | None] = None
    check_keys: ClassVar[str | None] = "SET CONSTRAINTS ALL IMMEDIATE"
    # How many rows deep one DELETE may take rows along by ON DELETE CASCADE; None where there is no such limit.
    cascade_depth: ClassVar[int | None] = None
    operators: ClassVar[dict[str, str]] = {}
    # Whether a parameter may be named twice. An expression that stands in several clauses is then one to the server.
    numbered_parameters: ClassVar[bool] = False
    # How many parameters a statement may have.
    max_query_params: ClassVar[int] = 65_535
    # Whether a list of tuples is bound as one parameter; else the values at each place are an array of their own.
    binds_tuples: ClassVar[bool] = False

    # Whether the driver knows the key that a new row was given, without its being returned.
    key_is_rowid: ClassVar[bool] = False
    # Whether a CASE has to be told its type where it is stored.
    casts_cases: ClassVar[bool] = False
    # What a database of this kind can do, by Django's names (`features`): expressions of one's own ask for it.
    features: Any = None

    def __init__(self) -> None:
        self.as_vendor = f"as_{self.vendor}"

    # -- names ---------------------------------------------------------------------------------------------------------

    def quote_name(self, name: str) -> str:
        if name.startswith('"') and name.endswith('"'):
            return name
        return '"' + name.replace('"', '""').replace("%", "%%") + '"'

    @property
    def ops(self) -> Dialect:
        """Custom expressions written for Django ask ``connection.ops``."""
        return self

    # -- values for SQL of one's own, under Django's names -------------------------------------------------------------

    def adapt_datefield_value(self, value: Any) -> Any:
        """A date as the driver takes it; None stays None. So for the others."""
        return self._adapted(value, Date())

    def adapt_datetimefield_value(self, value: Any) -> Any:
        return self._adapted(value, DateTime())

    def adapt_timefield_value(self, value: Any) -> Any:
        return self._adapted(value, Time())

    def adapt_decimalfield_value(
        self, value: Any, max_digits: int | None = None, decimal_places: int | None = None
    ) -> Any:
        return self._adapted(value, Decimal(max_digits, decimal_places))

    def adapt_durationfield_value(self, value: Any) -> Any:
        return self._adapted(value, Duration())

    def _adapted(self, value: Any, value_type: Type) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        bind = self.binder(value_type)
        prepared = value_type.prepare(value)
        return prepared if bind is None else bind(prepared)

    # -- SQL of one's own, under Django's names ------------------------------------------------------------------------

    def date_extract_sql(self, lookup_type: str, sql: str, params: Iterable[Any]) -> tuple[str, list[Any]]:
        """A part of a date or a time as a number: ``"year"``, ``"hour"`` and the others of `Extract`."""
        if not lookup_type.isidentifier():
            raise ValueError(f"Invalid lookup type: {lookup_type!r}. It is the name of a part, such as 'year'.")
        return self.part_of(lookup_type, sql), [*params]

    time_extract_sql = date_extract_sql

    def part_of(self, part: str, sql: str, zone: str = "''") -> str:
        """A part of a value as a number. ``zone`` is the SQL for the zone of a moment that is not local already."""
        raise NotImplementedError

    # -- parameters ----------------------------------------------------------------------------------------------------

    def placeholder(self, number: int) -> str:
        """The mark of the parameter with this number, counted from 1."""
        raise NotImplementedError

    def cast_parameter(self, mark: str, value_type: ValueType) -> str:
        """A parameter whose type the database could not tell from where it stands."""
        return mark

    def operand(self, mark: str, value_type: ValueType, *, of_column: bool) -> str:
        """A parameter that something of ``value_type`` is compared with: a column, or else an expression."""
        return mark

    def finish(self, sql: str, count: int) -> str:
        """SQL with ``%s`` and ``%%`` made into what the driver takes."""
        return self.numbered(sql, range(1, count + 1))

    def numbered(self, sql: str, numbers: Iterable[int]) -> str:
        """As ``finish``, where a parameter may stand in several places: ``numbers`` has its number for each ``%s``."""
        return sql % tuple([self.placeholder(number) for number in numbers])

    # -- values --------------------------------------------------------------------------------------------------------

    def binder(self, value_type: ValueType) -> Converter | None:
        """What turns a canonical value (never None) into what the driver binds; None where nothing has to."""
        raise NotImplementedError

    def array_binder(self, value_type: ValueType) -> Converter:
        """What turns a list of canonical values into one parameter."""
        raise NotImplementedError

    def reader(self, value_type: ValueType) -> Converter | None:
        """What turns a driver's value (never None) into the canonical one; None where nothing has to."""
        raise NotImplementedError

    def read_declared(self, types: Sequence[str | None], rows: list[Sequence[Any]]) -> list[Sequence[Any]]:
        """What SQL of one's own found, with values read by the types that their columns were declared with, where the
        driver does not do that."""
        raise NotImplementedError

    # -- types ---------------------------------------------------------------------------------------------------------

    def column_type(self, column_type: Type, identity: bool = False) -> str:
        """The database's words for a column of this type, or those of a custom field."""
        return column_type.own_words(self.vendor) or self.built_in(column_type, identity)

    def built_in(self, column_type: Type, identity: bool = False) -> str:
        """The database's own words for a type."""
        raise NotImplementedError

    def column_check(self, column_type: Type, column: str) -> str | None:
        """The condition that a column of this type always meets; ``column`` is its quoted name."""
        return f"{column} >= 0" if getattr(column_type, "positive", False) else None

    def literal(self, value: Any, value_type: ValueType) -> str:
        """A canonical value as SQL text, for statements that take no parameters. Raises ``NotSupportedError``."""
        raise NotImplementedError

    # -- expressions ---------------------------------------------------------------------------------------------------

    def combine(self, node: CombinedExpression, lhs: str, rhs: str) -> str:
        """``lhs operator rhs``."""
        template = self.operators.get(node.connector)
        if template is not None:
            return template.replace("{lhs}", lhs).replace("{rhs}", rhs)
        return f"({lhs} {node.connector} {rhs})"

    def cast(self, sql: str, value_type: ValueType) -> str:
        """``sql`` as a value of another type."""
        return f"CAST({sql} AS {self.column_type(value_type.type)})"

    def equal(self, near: str, near_type: Type, far: str, far_type: Type) -> str:
        """Two columns compared, of which one may be text that holds the other."""
        return f"{near} = {far}"

    def comparable(self, sql: str, value_type: ValueType | None) -> str:
        """A value in the one form that equal values have."""
        return sql

    def compared(self, sql: str, own: ValueType | None, other: ValueType | None) -> str:
        """One side of a comparison of two expressions, of these types."""
        return sql

    def sort_key(self, sql: str, value_type: ValueType) -> str:
        """What rows are ordered by, where that is not the value itself."""
        return sql

    def as_number(self, sql: str, value_type: ValueType) -> str:
        """What a mathematical function gives, as a number of the type that is promised."""
        return sql

    def in_array(self, lhs: str, mark: str, node: Any) -> str:
        """``lhs IN (…)`` where the list is one parameter."""
        raise NotImplementedError

    def in_tuples(self, lhs: str, parts: Sequence[ValueType]) -> str:
        """``lhs IN (…)`` where ``lhs`` is a row of values and the list is one parameter, or one for each part."""
        raise NotImplementedError

    def each(self, mark: str, value_type: ValueType) -> str:
        """What ends a SELECT: a last column with each value of the array that is bound, and where it comes from."""
        raise NotImplementedError

    def pattern(self, pattern: str, rhs: str) -> str:
        """A LIKE pattern made in SQL around an expression whose special characters are escaped."""
        escaped = f"REPLACE(REPLACE(REPLACE({rhs}, '\\', '\\\\'), '%%', '\\%%'), '_', '\\_')"
        before, after = pattern.split("{}")
        parts = [*(["'%%'"] if before else []), escaped, *(["'%%'"] if after else [])]
        return " || ".join(parts)

    # The words before a statement that is to be explained, the formats in which that can be, and the options.
    explain_words: ClassVar[str] = "EXPLAIN"
    explain_formats: ClassVar[frozenset[str]] = frozenset()
    explain_options: ClassVar[frozenset[str]] = frozenset()

    def explain(self, wanted: str | None, options: Mapping[str, Any]) -> str:
        """What stands before a statement whose plan is asked for. Raises ``ValueError`` for what is not known."""
        for name in options:
            if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or "--" in name:
                raise ValueError(f"Invalid option name: {name!r}.")
        unknown = sorted(name for name in options if name.upper() not in self.explain_options)
        if unknown:
            raise ValueError(f"Unknown options: {', '.join(unknown)}")
        found = [f"{name.upper()} {_said(value)}" for name, value in options.items()]
        if wanted is not None:
            if wanted.upper() not in self.explain_formats:
                known = ", ".join(sorted(self.explain_formats))
                which = f"Allowed formats: {known}" if known else f"{self.display_name} does not support any formats."
                raise ValueError(f"{wanted.upper()} is not a recognized format. {which}")
            found.append(f"FORMAT {wanted.upper()}")
        return f"{self.explain_words} ({', '.join(found)})" if found else self.explain_words

    def lock(self, nowait: bool, skip_locked: bool, of: list[str], no_key: bool) -> str:
        """The locking clause of a SELECT; empty where rows cannot be locked."""
        return ""


def _said(option: Any) -> str:
    """The value of an option: a word, or true or false."""
    if isinstance(option, str):
        if not option.isidentifier():
            raise ValueError(f"Invalid option value: {option!r}.")
        return option.upper()
    return "true" if option else "false"
