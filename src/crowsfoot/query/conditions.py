"""Conditions as users write them: `Q`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crowsfoot.query.nodes import hashable


class Q:
    """Conditions, combined with ``&``, ``|``, ``^`` and ``~``: ``Q(name="Asha") | Q(posts__title="Hello")``."""

    AND, OR, XOR = "AND", "OR", "XOR"
    default = AND
    conditional = True

    __slots__ = ("children", "connector", "negated")

    def __init__(self, *args: Any, _connector: str | None = None, _negated: bool = False, **kwargs: Any) -> None:
        if _connector not in (None, self.AND, self.OR, self.XOR):
            raise ValueError(f"connector must be one of 'AND', 'OR', 'XOR', or None. It is {_connector!r}.")
        self.children: list[Any] = [*args, *sorted(kwargs.items())]
        self.connector = _connector or self.AND
        self.negated = _negated

    @classmethod
    def create(cls, children: Sequence[Any], connector: str | None = None, negated: bool = False) -> Q:
        node = cls.__new__(cls)
        node.children, node.connector, node.negated = list(children), connector or cls.AND, negated
        return node

    def add(self, data: Any, conn_type: str) -> Any:
        """Add a condition with a connector, flattening where nothing is lost."""
        if self.connector != conn_type:
            self.children = [Q.create(self.children, self.connector, self.negated), data]
            self.connector, self.negated = conn_type, False
        elif isinstance(data, Q) and not data.negated and (data.connector == conn_type or len(data.children) == 1):
            self.children.extend(data.children)
        else:
            self.children.append(data)
        return data

    def _combine(self, other: Any, connector: str) -> Q:
        if not getattr(other, "conditional", False):
            raise TypeError(other)
        if not self.children:
            return other.copy() if hasattr(other, "copy") else other
        if isinstance(other, Q) and not other.children:
            return self.copy()
        node = Q.create([], connector)
        node.add(self, connector)
        node.add(other, connector)
        return node

    def __and__(self, other: Any) -> Q:
        return self._combine(other, self.AND)

    def __or__(self, other: Any) -> Q:
        return self._combine(other, self.OR)

    def __xor__(self, other: Any) -> Q:
        return self._combine(other, self.XOR)

    def __rand__(self, other: Any) -> Q:
        return Q(other) & self

    def __ror__(self, other: Any) -> Q:
        return Q(other) | self

    def __invert__(self) -> Q:
        return self.copy_negated(not self.negated)

    def copy_negated(self, negated: bool) -> Q:
        return Q.create(self.children, self.connector, negated)

    def copy(self) -> Q:
        return Q.create(self.children, self.connector, self.negated)

    __copy__ = copy

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        """This condition bound to ``query``, a scope: a tree of look-ups.

        As part of an expression it speaks of the row that is joined, negated or not: no look-up becomes an EXISTS.
        """
        return query.resolve_condition(self, allow_joins=allow_joins, summarize=summarize, splits=False)

    def flatten(self) -> Iterator[Any]:
        stack: list[Any] = [self]
        while stack:
            node = stack.pop()
            yield node
            if isinstance(node, tuple):
                node = node[1]
                yield node
            if isinstance(node, Q):
                stack.extend(reversed(node.children))
            elif hasattr(node, "get_source_expressions"):
                stack.extend(e for e in reversed(node.get_source_expressions()) if e is not None)

    @property
    def referenced_base_fields(self) -> set[str]:
        """The first name of every path in it, those of expressions included."""
        names = [child[0] if isinstance(child, tuple) else child.name for child in self.flatten() if _is_name(child)]
        return {name.split("__")[0] for name in names}

    def replace_expressions(self, replacements: Mapping[Any, Any]) -> Q:
        """A copy in which every node that is a key of ``replacements`` is its value."""

        def replaced(value: Any) -> Any:
            return value.replace_expressions(replacements) if hasattr(value, "replace_expressions") else value

        children = [(c[0], replaced(c[1])) if isinstance(c, tuple) else replaced(c) for c in self.children]
        return Q.create(children, self.connector, self.negated)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        args: tuple[Any, ...] = tuple(self.children)
        kwargs: dict[str, Any] = {}
        if self.connector != self.default:
            kwargs["_connector"] = self.connector
        if self.negated:
            kwargs["_negated"] = True
        return "django.db.models.Q", args, kwargs

    @property
    def identity(self) -> Any:
        return (type(self), self.connector, self.negated, tuple(hashable(c) for c in self.children))

    def __bool__(self) -> bool:
        return bool(self.children)

    def __len__(self) -> int:
        return len(self.children)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Q) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __repr__(self) -> str:
        inner = ", ".join(map(repr, self.children))
        return f"<Q: {'(NOT ' if self.negated else ''}({self.connector}: {inner}){')' if self.negated else ''}>"


def _is_name(part: Any) -> bool:
    """Whether a part of a condition is a look-up, or the name of a field: an ``F``, which has nothing below it."""
    if isinstance(part, tuple):
        return True
    return hasattr(part, "resolve_expression") and hasattr(part, "name") and not hasattr(part, "get_source_expressions")
