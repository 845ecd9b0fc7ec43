"""`Func`, the base of every database function, and what is written like one: `Case` and `Collate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import Expression, F, Value
from crowsfoot.schema.types import ValueType


class Func(Expression):
    """A database function: ``function`` and ``template`` say it, ``arity`` fixes the number of arguments.

    Strings among the arguments are field names. ``sql`` maps a dialect's name to a template that differs there.
    """

    function: str | None = None
    template = "%(function)s(%(expressions)s)"
    arg_joiner = ", "
    arity: int | None = None
    sql: ClassVar[dict[str, str]] = {}

    def __init__(self, *expressions: Any, output_field: ValueType | None = None, **extra: Any) -> None:
        if self.arity is not None and len(expressions) != self.arity:
            raise TypeError(
                f"'{type(self).__name__}' takes exactly {self.arity} "
                f"{'argument' if self.arity == 1 else 'arguments'} ({len(expressions)} given)"
            )
        super().__init__(output_field)
        self.source_expressions = as_expressions(*expressions)
        self.extra = extra

    def get_source_expressions(self) -> list[Any]:
        return self.source_expressions

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.source_expressions = list(exprs)

    def as_sql(
        self,
        compiler: Any,
        connection: Any,
        function: str | None = None,
        template: str | None = None,
        arg_joiner: str | None = None,
        **extra_context: Any,
    ) -> tuple[str, list[Any]]:
        parts: list[str] = []
        params: list[Any] = []
        for source in self.source_expressions:
            text, more = compiler.compile(source)
            parts.append(text)
            params.extend(more)
        data = {**self.extra, **extra_context}
        data["function"] = function or data.get("function", self.function)
        joiner = arg_joiner or data.get("arg_joiner", self.arg_joiner)
        data["expressions"] = data["field"] = joiner.join(parts)
        chosen = template or data.get("template") or self.sql.get(connection.vendor, self.template)
        return chosen % data, params

    def __repr__(self) -> str:
        args = self.arg_joiner.join(map(str, self.source_expressions))
        extra = "".join(f", {name}={value}" for name, value in sorted({**self.extra, **self._repr_options()}.items()))
        return f"{type(self).__name__}({args}{extra})"

    def _repr_options(self) -> dict[str, Any]:
        """The options beside ``extra`` that its repr shows."""
        return {}

    def copy(self) -> Self:
        node = super().copy()
        node.source_expressions = self.source_expressions[:]
        node.extra = self.extra.copy()
        return node

    @property
    def allowed_default(self) -> bool:
        return not self.source_expressions or super().allowed_default


def as_expressions(*expressions: Any) -> list[Any]:
    """Each argument as an expression: a string is a field name, a plain value is a value."""
    return [e if hasattr(e, "resolve_expression") else (F(e) if isinstance(e, str) else Value(e)) for e in expressions]


class When(Expression):
    """One branch of a ``Case``: ``When(status="open", then=Value(1))``."""

    template = "WHEN %(condition)s THEN %(result)s"

    def __init__(self, condition: Any = None, then: Any = None, **lookups: Any) -> None:
        if lookups:
            if condition is None:
                condition, lookups = Q(**lookups), {}
            elif getattr(condition, "conditional", False):
                condition, lookups = Q(condition, **lookups), {}
        if condition is None or not getattr(condition, "conditional", False) or lookups:
            raise TypeError("When() supports a Q object, a boolean expression, or lookups as a condition.")
        if isinstance(condition, Q) and not condition.children:
            raise ValueError("An empty Q() can't be used as a When() condition.")
        super().__init__()
        self.condition = condition
        self.result = as_expressions(then)[0]

    def get_source_expressions(self) -> list[Any]:
        return [self.condition, self.result]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.condition, self.result = exprs

    def get_source_fields(self) -> list[ValueType | None]:
        return [self.result._output_field_or_none]

    def get_group_by_cols(self) -> list[Any]:
        """Those of its parts: it is no expression by itself."""
        return [c for e in self.get_source_expressions() for c in e.get_group_by_cols()]

    def __str__(self) -> str:
        return f"WHEN {self.condition!r} THEN {self.result!r}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class Case(Expression):
    """The first ``When`` that holds, else ``default``."""

    def __init__(self, *cases: Any, default: Any = None, output_field: ValueType | None = None, **extra: Any) -> None:
        if not all(isinstance(case, When) for case in cases):
            raise TypeError("Positional arguments must all be When objects.")
        super().__init__(output_field)
        self.cases = list(cases)
        self.default = as_expressions(default)[0]
        self.extra = extra

    def get_source_expressions(self) -> list[Any]:
        return [*self.cases, self.default]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        *self.cases, self.default = exprs

    def __str__(self) -> str:
        return f"CASE {', '.join(map(str, self.cases))}, ELSE {self.default!r}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def copy(self) -> Self:
        node = super().copy()
        node.cases = self.cases[:]
        return node


class Collate(Func):
    """An expression under another collation."""

    function = "COLLATE"
    template = "%(expressions)s %(function)s %(collation)s"

    def __init__(self, expression: Any, collation: str) -> None:
        if not collation or not all(c.isalnum() or c in "_-." for c in collation):
            raise ValueError(f"Invalid collation name: {collation!r}.")
        self.collation = collation
        super().__init__(expression)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return super().as_sql(compiler, connection, collation=compiler.quote_name(self.collation), **extra)
