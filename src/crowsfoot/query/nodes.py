"""What every node of an expression is: a value with nodes below it, a type, and SQL.

An expression lives twice. As the user writes it, it holds names and values. Resolved against a scope
(``resolve_expression``) it holds columns and numbered slots instead, so that a statement is compiled once for all
values. How a node is said in SQL is the compiler's business; a node may override ``as_sql`` (or ``as_sqlite``,
``as_postgresql``, …) to say it itself.
"""

from __future__ import annotations

import copyreg
import inspect
from collections.abc import Callable, Iterator, KeysView, Mapping, Sequence
from functools import cache
from typing import Any, Self

from crowsfoot.errors import FieldError
from crowsfoot.query.inference import as_field, common_type, computed
from crowsfoot.schema.types import ValueType


class Uncacheable(Exception):
    """Of a query whose SQL depends on more than its structure: on a value, or on code outside of this package."""


class BaseExpression:
    """The base of every node. Nodes are values: equal when their class and constructor arguments are equal.

    ``null_strict`` says that the result is NULL whenever any input is NULL; joins are chosen by it, so it is False
    wherever that is not known.
    """

    filterable = True
    window_compatible = False
    contains_aggregate = False
    contains_over_clause = False
    contains_subquery = False
    null_strict = False
    is_resolved = False
    # Whether SQL compiled for one node serves all of the same class, constructor arguments and sources.
    cacheable = True
    # Whether a composite key may stand among the sources; and whether the node is one.
    allows_composite_expressions = False
    is_composite = False
    # Whether it can be computed outside of the index or constraint that it stands in; where not, its source is.
    constraint_validation_compatible = True
    # Its value over no rows at all, where that is known without asking; NotImplemented where it is not.
    empty_result_set_value: Any = NotImplemented
    _output_field: ValueType | None = None
    _init: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._init = (args, kwargs)
        return self

    def __init__(self, output_field: ValueType | None = None) -> None:
        if output_field is not None:
            self._output_field = output_field

    def __copy__(self) -> Self:
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__)
        return found

    def __reduce_ex__(self, protocol: Any) -> Any:
        return copyreg.__newobj__, (type(self),), self.__getstate__()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]

    # -- structure -----------------------------------------------------------------------------------------------------

    def get_source_expressions(self) -> list[Any]:
        """The nodes below this one (None where an optional one is left out)."""
        return []

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        assert not exprs

    @property
    def allowed_default(self) -> bool:
        """Whether a ``db_default`` may hold it: one that reads no field."""
        sources = [e for e in self.get_source_expressions() if e is not None]
        return bool(sources) and all(_is_constant(e) for e in sources)

    def copy(self) -> Self:
        return self.__copy__()

    def flatten(self) -> Iterator[Any]:
        """This node and all below it, parents first."""
        stack: list[Any] = [self]
        while stack:
            node = stack.pop()
            yield node
            if isinstance(node, BaseExpression):
                stack.extend(e for e in reversed(node.get_source_expressions()) if e is not None)

    def convert_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """What becomes of a value that was read, once it has its type. Override it for results of your own."""
        return value

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        """This node with its names and values bound to ``query``, a scope; itself where it is bound already.

        Raises ``FieldError`` on an unknown name.
        """
        if self.is_resolved:
            return self
        node = self.copy()
        node.is_resolved = True
        sources = [
            e.resolve_expression(query, allow_joins, reuse, summarize, for_save) if e is not None else None
            for e in self.get_source_expressions()
        ]
        if not self.allows_composite_expressions and any(e is not None and e.is_composite for e in sources):
            raise ValueError(f"{type(self).__name__} expression does not support composite primary keys.")
        node.set_source_expressions(sources)
        node._inherit(sources)
        return node

    def _inherit(self, sources: Sequence[Any]) -> None:
        known = [e for e in sources if e is not None]
        if any(e.contains_aggregate for e in known):
            self.contains_aggregate = True
        if any(e.contains_over_clause for e in known):
            self.contains_over_clause = True
        if any(e.contains_subquery for e in known):
            self.contains_subquery = True

    @property
    def conditional(self) -> bool:
        """Whether it is true or false, and so may stand alone in ``filter()``."""
        known = self._output_field_or_none if self.is_resolved else self._output_field
        return known is not None and known.kind == "boolean"

    # -- type ----------------------------------------------------------------------------------------------------------

    @property
    def output_field(self) -> Any:
        """A field of the result's type; raises ``FieldError`` where it cannot be told and was not given."""
        return as_field(self._told_type())

    @output_field.setter
    def output_field(self, value: ValueType | None) -> None:
        self._output_field = value

    @property
    def value_type(self) -> ValueType:
        """What ``output_field`` is a field of: a subclass may say it in a property or an attribute of that name."""
        is_own = type(self).output_field is not BaseExpression.output_field
        return self.output_field if is_own else self._told_type()

    def _told_type(self) -> ValueType:
        if self._output_field is None:
            found = self._resolve_output_field()
            if found is None:
                raise FieldError(
                    f"Cannot resolve expression type, unknown output_field: {type(self).__name__} needs output_field=…"
                )
            self._output_field = found
        return self._output_field

    @property
    def _output_field_or_none(self) -> ValueType | None:
        try:
            return self.value_type
        except FieldError:
            return None

    def _resolve_output_field(self) -> ValueType | None:
        return common_type(self.get_source_fields())

    def get_source_fields(self) -> list[ValueType | None]:
        return [e._output_field_or_none for e in self.get_source_expressions() if e is not None]

    def get_lookup(self, lookup: str) -> Any:
        return computed(self.value_type, lookup, "get_lookup")

    def get_transform(self, name: str) -> Any:
        return computed(self.value_type, name, "get_transform")

    def get_db_converters(self, connection: Any) -> list[Any]:
        return []

    # -- SQL -----------------------------------------------------------------------------------------------------------

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """``(sql, params)``, ``%s`` for each parameter. The compiler knows how; subclasses may say it themselves."""
        result: tuple[str, list[Any]] = compiler.render(self)
        return result

    def replace_expressions(self, replacements: Mapping[Any, Any]) -> Any:
        """A copy in which every node that is a key of ``replacements`` is its value."""
        if self in replacements:
            return replacements[self]
        sources = self.get_source_expressions()
        node = self.copy()
        node.set_source_expressions([e.replace_expressions(replacements) if e is not None else None for e in sources])
        return node

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """``(path, args, kwargs)`` that make an equal node; what this package defines goes by Django's path."""
        args, kwargs = self._init
        kind = type(self)
        path = f"{kind.__module__}.{kind.__qualname__}"
        if kind.__module__.startswith("crowsfoot.query.functions."):
            path = f"django.db.models.functions.{kind.__qualname__}"
        elif kind.__module__.startswith("crowsfoot.query."):
            path = f"django.db.models.{kind.__qualname__}"
        return path, args, kwargs

    def get_expression_for_validation(self) -> Any:
        """What is computed of a row to see whether a constraint on this holds."""
        if self.constraint_validation_compatible:
            return self
        sources = self.get_source_expressions()
        if len(sources) != 1:
            raise ValueError(
                "Expressions with constraint_validation_compatible set to False must have only one source expression."
                f" {type(self).__name__} has {len(sources)}."
            )
        return sources[0]

    def get_group_by_cols(self) -> list[Any]:
        """The nodes that a GROUP BY needs so that this one may be selected beside aggregates."""
        if not (self.contains_aggregate or self.contains_over_clause):
            return [self]
        return [c for e in self.get_source_expressions() if e is not None for c in e.get_group_by_cols()]

    def get_refs(self) -> set[str]:
        return {r for e in self.get_source_expressions() if e is not None for r in e.get_refs()}

    def select_format(self, compiler: Any, sql: str, params: Any) -> Any:
        return sql, params

    # -- equality ------------------------------------------------------------------------------------------------------

    @property
    def identity(self) -> Any:
        args, kwargs = self._init
        sources = tuple(hashable(e) for e in self.get_source_expressions())  # which may have been replaced
        try:
            given = _signature(type(self)).bind_partial(self, *args, **kwargs)  # type: ignore[arg-type]
        except TypeError:  # as when the constructor was told what it does not know: then it has raised, or hides it
            return (type(self), hashable(args), hashable(tuple(sorted(kwargs.items()))), sources)
        given.apply_defaults()
        given.arguments.pop(next(iter(given.arguments)))  # the node itself
        return (type(self), hashable(given.arguments), sources)

    def __eq__(self, other: object) -> Any:
        return other.identity == self.identity if isinstance(other, BaseExpression) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.identity)

    def __repr__(self) -> str:
        args, kwargs = self._init
        parts = [repr(a) for a in args] + [f"{k}={v!r}" for k, v in kwargs.items()]
        return f"{type(self).__name__}({', '.join(parts)})"


def mapped(node: Any, replace: Callable[[Any], Any]) -> Any:
    """``node`` with every part that ``replace`` has something for replaced by it; the same node where none is.

    ``replace`` is asked about a node before those below it, and gives None to go on there. The tree is walked with a
    stack, since users choose its depth.
    """
    done: dict[int, Any] = {}
    stack: list[tuple[Any, bool]] = [(node, False)]
    while stack:
        part, below = stack.pop()
        if id(part) in done:
            continue
        sources = [e for e in part.get_source_expressions() if e is not None] if below else []
        if below:
            done[id(part)] = _with_sources(part, done) if any(done[id(e)] is not e for e in sources) else part
            continue
        instead = replace(part)
        if instead is not None or not hasattr(part, "get_source_expressions"):
            done[id(part)] = part if instead is None else instead
            continue
        stack.append((part, True))
        stack += [(e, False) for e in part.get_source_expressions() if e is not None]
    return done[id(node)]


def _with_sources(node: Any, done: dict[int, Any]) -> Any:
    found = node.copy()
    found.set_source_expressions([None if e is None else done[id(e)] for e in node.get_source_expressions()])
    return found


@cache
def _signature(kind: Any) -> inspect.Signature:
    return inspect.signature(kind.__init__)


def hashable(value: Any) -> Any:
    """What stands for an argument when nodes are compared: a field's class, or its model and name where it has them."""
    if hasattr(value, "contribute_to_class"):
        return (type(value), getattr(value, "model", None), getattr(value, "name", None))
    if isinstance(value, (list, tuple, KeysView)):
        return (tuple, tuple(hashable(v) for v in value))
    if isinstance(value, dict):
        return (dict, tuple((k, hashable(v)) for k, v in value.items()))
    if isinstance(value, (set, frozenset)):
        return frozenset(value)
    if isinstance(value, str):  # the name of a typed look-up is its text
        return (str, str(value))
    try:
        hash(value)
    except TypeError:
        return id(value)
    return (type(value), value)


def _is_constant(node: Any) -> bool:
    return bool(getattr(node, "allowed_default", not hasattr(node, "resolve_expression")))
