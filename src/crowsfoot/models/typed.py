"""Typed paths: ``Post.author.name == "Asha"`` is ``Q(author__name="Asha")``.

``FieldPath[T]`` is what the class attribute of a field of type ``T`` is. Type checkers see ``T``; at run time a path is
an ``F`` whose comparisons make ``Q`` objects, so it can stand wherever a name or an expression can.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, overload

from crowsfoot.errors import unknown_name
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import Combinable, F, OrderBy
from crowsfoot.query.nodes import BaseExpression

T = TypeVar("T")
# What ``filter()`` takes besides look-ups by name.
Condition: TypeAlias = Q | Combinable | BaseExpression


class PathName(str):
    """The name of a look-up that a typed path made, which knows the model that the path starts from."""

    __slots__ = ("root",)
    root: Any


class Comparison(Q):
    """What comparing a path gives: a condition that is neither true nor false in Python."""

    __slots__ = ()

    @property
    def identity(self) -> Any:
        return self.copy().identity  # that of the same condition written with names

    def __bool__(self) -> bool:
        ((name, value),) = self.children
        if isinstance(value, F):  # so that dictionaries find a path again
            return bool(name == value._path)
        raise TypeError(
            f"{self!r} is a condition for filter(), neither true nor false in Python. Join conditions with &, | and ~ "
            "(each in parentheses) instead of and, or and not; write between() for a < path < b."
        )


class FieldPath(F, Generic[T]):
    """The path to a field, as an expression of type ``T``. Comparisons give conditions for ``filter()``.

    It stands wherever the name of a field does. Raises ``FieldError`` in a query about another model.
    """

    def __init__(self, name: str, root: Any = None) -> None:
        super().__init__(name)
        self._root = root

    def __eq__(self, other: T | FieldPath[T]) -> Q:  # type: ignore[override]
        return self._compare("exact", other)

    def __ne__(self, other: T | FieldPath[T]) -> Q:  # type: ignore[override]
        return ~self._compare("exact", other)

    def __lt__(self, other: T | FieldPath[T]) -> Q:
        return self._compare("lt", other)

    def __le__(self, other: T | FieldPath[T]) -> Q:
        return self._compare("lte", other)

    def __gt__(self, other: T | FieldPath[T]) -> Q:
        return self._compare("gt", other)

    def __ge__(self, other: T | FieldPath[T]) -> Q:
        return self._compare("gte", other)

    __hash__ = F.__hash__

    def _compare(self, lookup: str, value: Any) -> Q:
        if lookup == "exact" and value is None:
            lookup, value = "isnull", True
        name = PathName(self._path if lookup == "exact" else f"{self._path}__{lookup}")
        name.root = self._root
        return Comparison((name, value))

    def in_(self, values: Iterable[T]) -> Q:
        """One of ``values``."""
        return self._compare("in", values)

    def is_null(self, value: bool = True) -> Q:
        """Whether the value is NULL."""
        return self._compare("isnull", value)

    def between(self, low: T, high: T) -> Q:
        """From ``low`` to ``high``, both included."""
        return self._compare("range", (low, high))

    def contains(self: FieldPath[str] | FieldPath[str | None], text: str) -> Q:
        return self._compare("contains", text)

    def icontains(self: FieldPath[str] | FieldPath[str | None], text: str) -> Q:
        return self._compare("icontains", text)

    def startswith(self: FieldPath[str] | FieldPath[str | None], text: str) -> Q:
        return self._compare("startswith", text)

    def endswith(self: FieldPath[str] | FieldPath[str | None], text: str) -> Q:
        return self._compare("endswith", text)

    def asc(self, **options: Any) -> OrderBy:
        return super().asc(**options)

    def desc(self, **options: Any) -> OrderBy:
        return super().desc(**options)


class IsModel(Protocol):
    """A model class or instance, as far as type checkers must know to tell it from None."""

    @property
    def pk(self) -> Any: ...


class ImplicitKey:
    """What type checkers see in the ``id`` of a model that declares none. Nothing has it at run time.

    On an instance it is an ``int``; the ``Any`` beside it lets a model declare another ``id``, such as a ``UUIDField``.
    """

    @overload
    def __get__(self, instance: None, owner: Any) -> FieldPath[int]: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> int | Any: ...
    def __get__(self, instance: Any, owner: Any) -> Any:
        raise NotImplementedError

    def __set__(self, instance: Any, value: int | None) -> None:
        raise NotImplementedError


class RelationPath(FieldPath[Any]):
    """The path to a relation; its attributes are paths to what the relation leads to."""

    def __init__(self, name: str, target: Any, root: Any = None) -> None:
        super().__init__(name, root)
        self._target = target

    def __getattribute__(self, name: str) -> Any:
        """A field of the target comes before anything of the path's own: ``Post.author.name`` is the author's name."""
        if not name.startswith("_") and hasattr(type(self), name) and self._target().__path__(name) is not None:
            return self.__getattr__(name)
        return super().__getattribute__(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return step(self._target(), name, f"{self._path}__", self._root)


def step(model: Any, name: str, prefix: str = "", root: Any = None) -> Any:
    """The path ``prefix + name`` from ``model``, which began at ``root`` or here.

    Raises ``AttributeError`` with the nearest name.
    """
    found = model.__path__(name)
    if found is None:
        meta = model._meta
        names = [field.name for field in [*meta.fields, *meta.many_to_many]]
        raise AttributeError(unknown_name("field", name, meta.label, names))
    if isinstance(found, tuple):
        query_name, target = found
        return RelationPath(prefix + query_name, target, root or model)
    return FieldPath(prefix + found, root or model)
