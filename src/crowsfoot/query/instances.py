"""Expressions over the values of one instance, in place of a table's columns: what constraints are checked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crowsfoot.errors import FieldError
from crowsfoot.query import paths
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F, Value
from crowsfoot.query.nodes import BaseExpression
from crowsfoot.query.resolved import ColumnTuple
from crowsfoot.query.scope import Scope
from crowsfoot.schema.entity import Attribute


class OfInstance(BaseExpression):
    """``expression`` with every field name standing for a value in ``values``, by attribute name.

    A value may be an expression itself: a generated column's, or a default that the database computes.
    """

    cacheable = False

    def __init__(self, expression: Any, values: Mapping[str, Any]) -> None:
        super().__init__()
        self.expression = expression
        self.values = values

    @property
    def conditional(self) -> bool:
        return bool(getattr(self.expression, "conditional", False))

    def get_source_expressions(self) -> list[Any]:
        return [self.expression]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.expression,) = exprs

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        return self.expression.resolve_expression(InstanceScope(query, self.values), False, reuse, summarize, for_save)


class Saved(Value):
    """A value as a row is saved with it: None is NULL, for JSON too."""

    @property
    def meant(self) -> Any:
        return self.value


class InstanceScope(Scope):
    """A scope in which names are values. Its slots are those of the scope around it."""

    def __init__(self, around: Scope, known: Mapping[str, Any]) -> None:
        super().__init__(around.query, None, around.start)
        self.values, self.preparers = around.values, around.preparers
        self.annotations = {}
        self.known = known

    def resolve_ref(self, name: str, allow_joins: bool = True, summarize: bool = False) -> Any:
        node, rest, _ = self._parsed(name)
        for transform in rest:
            node = self.transform(node, transform)
        return node

    def leaf(self, name: str, value: Any, inside: bool, negated: bool, allow_joins: bool = True) -> Any:
        node, rest, final = self._parsed(name)
        return self.finish(node, rest, value, final, negated)

    def _parsed(self, name: str) -> tuple[Any, tuple[str, ...], Any]:
        path = paths.parse(self.entity, tuple(name.split(paths.SEPARATOR)))
        attributes = path.attributes
        if path.ends:
            if not self._local(path):
                raise FieldError(f"Joined field references are not permitted in this query: {name!r}.")
            attributes = self.entity.attributes_of(path.ends[0].local_columns)
        nodes = [self._value(attribute) for attribute in attributes]
        return (nodes[0] if len(nodes) == 1 else ColumnTuple(nodes)), path.rest, path.final

    def _value(self, attribute: Attribute) -> Any:
        if attribute.name not in self.known:
            raise FieldError(f"{self.entity.label} has no value for {attribute.name!r} here.")
        value = self.known[attribute.name]
        if not hasattr(value, "resolve_expression"):
            value = Saved(value, output_field=attribute.value_type)
        return value.resolve_expression(self)


def referenced_names(*nodes: Any) -> set[str]:
    """The first part of every name in these expressions: ``author`` for ``author__name``."""
    found: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, tuple) and len(node) == 2 and isinstance(node[0], str):
            found.add(node[0].partition(paths.SEPARATOR)[0])
            stack.append(node[1])
        elif isinstance(node, F):
            found.add(node._path.partition(paths.SEPARATOR)[0])
        elif isinstance(node, Q):
            stack.extend(node.children)
        elif isinstance(node, BaseExpression):
            stack.extend(e for e in node.get_source_expressions() if e is not None)
        elif isinstance(node, (list, tuple)):
            stack.extend(node)
    return found
