"""`CheckConstraint` and `UniqueConstraint`, for ``Meta.constraints``: kept by the database, asked by ``full_clean``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Self

from crowsfoot.database import databases
from crowsfoot.drivers.run import Fetch, Operation
from crowsfoot.errors import EmptyResultSet, FullResultSet, ValidationError
from crowsfoot.models.constants import Deferrable
from crowsfoot.models.fields.base import DatabaseDefault
from crowsfoot.models.indexes import described, public_path
from crowsfoot.persistence.session import Session
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F, RawSQL
from crowsfoot.query.instances import OfInstance, referenced_names
from crowsfoot.query.lookups import Exact, IsNull
from crowsfoot.schema import table
from crowsfoot.sql.checks import compile_check

DEFAULT_ALIAS = "default"


class BaseConstraint:
    """A named rule of a table. ``full_clean`` says ``violation_error_message``, with ``violation_error_code``."""

    default_violation_error_message = "Constraint “%(name)s” is violated."
    violation_error_code: str | None = None
    violation_error_message: str | None = None
    non_db_attrs = ("violation_error_code", "violation_error_message")

    def __init__(
        self, *, name: str, violation_error_code: str | None = None, violation_error_message: str | None = None
    ) -> None:
        self.name = name
        if violation_error_code is not None:
            self.violation_error_code = violation_error_code
        if violation_error_message is not None or self.violation_error_message is None:
            self.violation_error_message = violation_error_message or self.default_violation_error_message

    @property
    def contains_expressions(self) -> bool:
        return False

    def contribute_to_table(self, model: Any, described: table.Table) -> None:
        """Add the rule to the description of ``model``'s table."""
        raise NotImplementedError("This method must be implemented by a subclass.")

    def validate(
        self, model: Any, instance: Any, exclude: Collection[str] | None = None, using: str = DEFAULT_ALIAS
    ) -> None:
        """Raise ``ValidationError`` where saving ``instance`` would break the rule. At most one query.

        A rule over fields in ``exclude`` is left alone.
        """
        raise NotImplementedError("This method must be implemented by a subclass.")

    def get_violation_error_message(self) -> str:
        return str(self.violation_error_message) % {"name": self.name}

    def _violated(self) -> ValidationError:
        return ValidationError(self.get_violation_error_message(), code=self.violation_error_code)

    @property
    def _own_message(self) -> str | None:
        message = self.violation_error_message
        return None if message == self.default_violation_error_message else message

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """``(path, args, kwargs)`` that make an equal constraint."""
        kwargs: dict[str, Any] = {"name": self.name}
        if self._own_message is not None:
            kwargs["violation_error_message"] = self._own_message
        if self.violation_error_code is not None:
            kwargs["violation_error_code"] = self.violation_error_code
        return public_path(type(self)), (), kwargs

    def clone(self) -> Self:
        _, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)

    def _said(self, *options: str) -> str:
        plain = described(self, *options, "violation_error_code").removesuffix(">")
        return f"{plain} violation_error_message={self._own_message!r}>" if self._own_message else f"{plain}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.deconstruct()[1:] == other.deconstruct()[1:]

    # A constraint can be changed, as in Django.
    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


class CheckConstraint(BaseConstraint):
    """A condition that holds for every row: ``CheckConstraint(condition=Q(age__gte=18), name="adult")``."""

    def __init__(
        self,
        *,
        condition: Any,
        name: str,
        violation_error_code: str | None = None,
        violation_error_message: str | None = None,
    ) -> None:
        if not getattr(condition, "conditional", False):
            raise TypeError("CheckConstraint.condition must be a Q instance or boolean expression.")
        self.condition = condition
        super().__init__(
            name=name,
            violation_error_code=violation_error_code,
            violation_error_message=violation_error_message,
        )

    def contribute_to_table(self, model: Any, described: table.Table) -> None:
        described.checks.append(table.Check(self.name, self.condition))

    def validate(
        self, model: Any, instance: Any, exclude: Collection[str] | None = None, using: str = DEFAULT_ALIAS
    ) -> None:
        if refers_to(model, [self.condition], exclude or ()) or _is_raw(self.condition):
            return  # what hand-written SQL reads is only known to the database
        entity = model._meta.entity
        condition = OfInstance(self.condition, instance_values(instance, model, exclude or ()))

        def check(session: Session) -> Operation[bool]:
            try:
                sql, params = compile_check(session.dialect, entity, condition)
            except FullResultSet:
                return False
            except EmptyResultSet:
                return True
            broken: bool = yield Fetch(sql, params, lambda rows: bool(list(rows)))
            return broken

        if databases[using].run(check):
            raise self._violated()

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        kwargs["condition"] = self.condition
        return path, args, kwargs

    def __repr__(self) -> str:
        return self._said("condition", "name")


class UniqueConstraint(BaseConstraint):
    """No two rows have the same values of ``fields``, or of ``expressions``; with a ``condition``, among its rows only.

    PostgreSQL alone knows ``deferrable``, ``include``, ``opclasses`` and ``nulls_distinct``.
    """

    def __init__(
        self,
        *expressions: Any,
        fields: Sequence[str] = (),
        name: str,
        condition: Q | None = None,
        deferrable: Deferrable | None = None,
        include: Sequence[str] | None = None,
        opclasses: Sequence[str] = (),
        nulls_distinct: bool | None = None,
        violation_error_code: str | None = None,
        violation_error_message: str | None = None,
    ) -> None:
        if not name:
            raise ValueError("A unique constraint must be named.")
        if not expressions and not fields:
            raise ValueError("At least one field or expression is required to define a unique constraint.")
        if expressions and fields:
            raise ValueError("UniqueConstraint.fields and expressions are mutually exclusive.")
        if not isinstance(condition, Q | None):
            raise ValueError("UniqueConstraint.condition must be a Q instance.")
        options = {
            "conditions": condition,
            "include fields": include,
            "opclasses": opclasses,
            "expressions": expressions,
        }
        for what, given in options.items():
            if given and deferrable:
                raise ValueError(f"UniqueConstraint with {what} cannot be deferred.")
        if expressions and opclasses:
            raise ValueError(
                "UniqueConstraint.opclasses cannot be used with expressions. Use "
                "django.contrib.postgres.indexes.OpClass() instead."
            )
        if not isinstance(deferrable, Deferrable | None):
            raise TypeError("UniqueConstraint.deferrable must be a Deferrable instance.")
        if not isinstance(include, list | tuple | None):
            raise TypeError("UniqueConstraint.include must be a list or tuple.")
        if not isinstance(opclasses, list | tuple):
            raise TypeError("UniqueConstraint.opclasses must be a list or tuple.")
        if not isinstance(nulls_distinct, bool | None):
            raise TypeError("UniqueConstraint.nulls_distinct must be a bool.")
        if opclasses and len(fields) != len(opclasses):
            raise ValueError(
                "UniqueConstraint.fields and UniqueConstraint.opclasses must have the same number of elements."
            )
        self.fields = tuple(fields)
        self.condition = condition
        self.deferrable = deferrable
        self.include = tuple(include or ())
        self.opclasses = opclasses
        self.nulls_distinct = nulls_distinct
        self.expressions = tuple(F(e) if isinstance(e, str) else e for e in expressions)
        super().__init__(
            name=name,
            violation_error_code=violation_error_code,
            violation_error_message=violation_error_message,
        )

    @property
    def contains_expressions(self) -> bool:
        return bool(self.expressions)

    def contribute_to_table(self, model: Any, described: table.Table) -> None:
        get_field = model._meta.get_field
        described.uniques.append(
            table.Unique(
                self.name,
                tuple(part.column for name in self.fields for part in get_field(name).parts),
                self.expressions,
                self.condition,
                tuple(get_field(name).column for name in self.include),
                self.deferrable.value if self.deferrable else None,
                self.nulls_distinct,
                tuple(self.opclasses),
            )
        )

    def validate(
        self, model: Any, instance: Any, exclude: Collection[str] | None = None, using: str = DEFAULT_ALIAS
    ) -> None:
        exclude = exclude or ()
        nodes: list[Any] = [F(name) for name in self.fields] + list(self.expressions)
        if self.condition is not None:
            nodes.append(self.condition)
        if refers_to(model, nodes, exclude):
            return
        values = instance_values(instance, model, exclude)
        twins = self._same(model, values)
        if twins is None:
            return
        if self.condition is not None:
            twins = [*twins, self.condition, OfInstance(self.condition, values)]
        rows = model._default_manager.using(using).filter(*twins)
        key = getattr(instance, model._meta.pk.attname)
        if not instance._state.adding and key is not None:
            rows = rows.exclude(pk=key)
        if not rows.exists():
            return
        if self.fields and self.condition is None and self._own_message is None:
            raise instance.unique_error_message(model, self.fields)
        raise self._violated()

    def _same(self, model: Any, values: Mapping[str, Any]) -> list[Any] | None:
        """The conditions that rows with the same values meet; None where NULL makes every row different."""
        found: list[Any] = []
        for name in self.fields:
            field = model._meta.get_field(name)
            value = values[field.attname]
            if value is None and self.nulls_distinct is not False:
                return None
            if hasattr(value, "resolve_expression"):
                found.append(self._equal(F(field.attname), OfInstance(value, values)))
            else:
                found.append(Q((field.attname, value)))
        for expression in self.expressions:
            plain = expression if isinstance(expression, F) else expression.get_expression_for_validation()
            found.append(self._equal(plain, OfInstance(plain, values)))
        return found

    def _equal(self, lhs: Any, rhs: Any) -> Any:
        same = Q(Exact(lhs, rhs))
        return same | Q(IsNull(lhs, True), IsNull(rhs, True)) if self.nulls_distinct is False else same

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, _, kwargs = super().deconstruct()
        for option in ("fields", "condition", "deferrable", "include", "opclasses"):
            if getattr(self, option):
                kwargs[option] = getattr(self, option)
        if self.nulls_distinct is not None:
            kwargs["nulls_distinct"] = self.nulls_distinct
        return path, self.expressions, kwargs

    def __repr__(self) -> str:
        return self._said(
            "fields", "expressions", "name", "condition", "deferrable", "include", "opclasses", "nulls_distinct"
        )


def refers_to(model: Any, nodes: Iterable[Any], names: Collection[str]) -> bool:
    """Whether expressions read one of the fields called ``names``, be it through a generated field."""
    if not names:
        return False
    meta = model._meta
    for name in referenced_names(*nodes):
        field = meta.pk if name == "pk" else meta.get_field(name)
        if name in names or field.name in names or any(part.name in names for part in field.parts):
            return True
        if field.generated and refers_to(model, [field.expression], names):
            return True
    return False


def instance_values(instance: Any, model: Any, exclude: Collection[str]) -> dict[str, Any]:
    """What ``instance`` would be saved with, by attribute name: values, and expressions that the database computes."""
    found: dict[str, Any] = {}
    for field in model._meta.local_concrete_fields:
        if field.name in exclude:
            continue
        if field.generated:
            found[field.attname] = field.expression
            continue
        value = getattr(instance, field.attname)
        if isinstance(value, DatabaseDefault):
            value = value.expression
        found[field.attname] = value
    return found


def _is_raw(condition: Any) -> bool:
    return any(isinstance(node, RawSQL) for node in condition.flatten())
