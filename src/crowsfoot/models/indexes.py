"""`Index`, for ``Meta.indexes``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F
from crowsfoot.schema import table
from crowsfoot.sql.names import meta_index_name


class Index:
    """An index over ``fields`` (``-`` in front for descending order) or over ``expressions``.

    ``condition``, a ``Q``, leaves rows out; ``include`` are fields that are stored beside the key on PostgreSQL, and
    ``opclasses`` its operator classes, one for each field. Only an index over fields may go without a ``name``.
    """

    suffix = "idx"
    max_name_length = 30
    # PostgreSQL's index method where it is not the usual one.
    method: ClassVar[str | None] = None

    def __init__(
        self,
        *expressions: Any,
        fields: Sequence[str] = (),
        name: str | None = None,
        db_tablespace: str | None = None,
        opclasses: Sequence[str] = (),
        condition: Q | None = None,
        include: Sequence[str] | None = None,
    ) -> None:
        if not isinstance(condition, Q | None):
            raise ValueError("Index.condition must be a Q instance.")
        if expressions and fields:
            raise ValueError("Index.fields and expressions are mutually exclusive.")
        for what, given in (("opclasses", opclasses), ("condition", condition), ("expressions", expressions)):
            if given and not name:
                raise ValueError(f"An index must be named to use {what}.")
        for what, value in (("fields", fields), ("opclasses", opclasses)):
            if not isinstance(value, (list, tuple)):
                raise ValueError(f"Index.{what} must be a list or tuple.")
        if not expressions and not fields:
            raise ValueError("At least one field or expression is required to define an index.")
        if expressions and opclasses:
            raise ValueError(
                "Index.opclasses cannot be used with expressions. Use "
                "django.contrib.postgres.indexes.OpClass() instead."
            )
        if opclasses and len(fields) != len(opclasses):
            raise ValueError("Index.fields and Index.opclasses must have the same number of elements.")
        if not all(isinstance(field, str) for field in fields):
            raise ValueError("Index.fields must contain only strings with field names.")
        if include and not name:
            raise ValueError("A covering index must be named.")
        if not isinstance(include, list | tuple | None):
            raise ValueError("Index.include must be a list or tuple.")
        self.fields = list(fields)
        self.fields_orders = [(f.removeprefix("-"), "DESC" if f.startswith("-") else "") for f in self.fields]
        self.name = name or ""
        self.db_tablespace = db_tablespace
        self.opclasses = opclasses
        self.condition = condition
        self.include = tuple(include or ())
        self.expressions = tuple(F(e) if isinstance(e, str) else e for e in expressions)

    @property
    def contains_expressions(self) -> bool:
        return bool(self.expressions)

    def set_name_with_model(self, model: Any) -> None:
        """Name the index after its model's table and columns. Raises ``ValueError`` where ``suffix`` is too long."""
        name = meta_index_name(model._meta.db_table, self._columns(model), self.suffix)
        if len(name) > self.max_name_length:
            raise ValueError(
                "Index too long for multiple database support. Is self.suffix longer than 3 characters? "
                f"{name!r} has {len(name)} characters, {self.max_name_length} are allowed."
            )
        self.name = name

    def describe(self, model: Any) -> table.Index:
        """The index as a part of ``model``'s table."""
        return table.Index(
            self.name,
            self._columns(model),
            self.expressions,
            self.condition,
            tuple(model._meta.get_field(name).column for name in self.include),
            tuple(self.opclasses),
            self.method,
        )

    def _columns(self, model: Any) -> tuple[tuple[str, bool], ...]:
        get_field = model._meta.get_field
        return tuple((part.column, bool(order)) for name, order in self.fields_orders for part in get_field(name).parts)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """``(path, args, kwargs)`` that make an equal index."""
        kwargs: dict[str, Any] = {"name": self.name}
        if self.db_tablespace is not None:
            kwargs["db_tablespace"] = self.db_tablespace
        for option in ("fields", "opclasses", "condition", "include"):
            if getattr(self, option):
                kwargs[option] = getattr(self, option)
        return public_path(type(self)), self.expressions, kwargs

    def clone(self) -> Self:
        _, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Index) or type(self) is not type(other):
            return NotImplemented
        return self.deconstruct() == other.deconstruct()

    # An index can be changed, as in Django.
    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return described(self, "fields", "expressions", "name", "db_tablespace", "condition", "include", "opclasses")


def public_path(klass: type) -> str:
    """The path under which migrations import a class: Django's for what this package defines."""
    if klass.__module__.startswith("crowsfoot.models"):
        return f"django.db.models.{klass.__qualname__}"
    return f"{klass.__module__}.{klass.__qualname__}"


def described(thing: Any, *options: str) -> str:
    """``<Index: fields=['title'] name='by_title'>``: the options that say something."""
    values = [(option, getattr(thing, option)) for option in options]
    said = [f"{o}={v!s}" if o == "condition" else f"{o}={v!r}" for o, v in values if v is False or v]
    return f"<{type(thing).__qualname__}: {' '.join(said)}>"
