"""Managers: ``Post.objects``. A manager makes querysets and offers their methods."""

from __future__ import annotations

import copy
import inspect
import itertools
from typing import Any, ClassVar, Generic, Self, TypeVar

from crowsfoot.models import routing
from crowsfoot.models.queryset import QuerySet
from crowsfoot.models.reading import Reading

M = TypeVar("M")


class BaseManager(Generic[M]):
    """What all managers share. ``from_queryset`` gives a class with a queryset's methods on it."""

    creation_counter: ClassVar[Any] = itertools.count()
    auto_created = False
    use_in_migrations = False
    _queryset_class: ClassVar[Any] = QuerySet
    _built_with_asmanager = False
    _plain = False
    _kept: Any = None
    _constructor_args: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._constructor_args = (args, kwargs)
        return self

    def __init__(self) -> None:
        self.creation_counter = next(BaseManager.creation_counter)  # type: ignore[misc]
        self.model: Any = None
        self.name: str = None  # type: ignore[assignment]
        self._db: str | None = None
        self._hints: dict[str, Any] = {}

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None and self.model is owner and self._plain:
            return self
        if instance is not None:
            raise AttributeError(f"Manager isn't accessible via {type(instance).__name__} instances")
        meta = owner._meta
        if meta.abstract:
            raise AttributeError(f"Manager isn't available; {owner._meta.object_name} is abstract")
        if meta.swapped:
            raise AttributeError(
                f"Manager isn't available; '{meta.label}' has been swapped for '{meta.swapped}'"
            )
        return self if self.model is owner else meta.managers_map[self.name]

    def contribute_to_class(self, cls: Any, name: str) -> None:
        self.name = self.name or name
        self.model = cls
        # Nothing about the model can put this manager out of use: neither a setting nor its being abstract.
        self._plain = not (cls._meta.abstract or cls._meta.swappable)
        setattr(cls, name, self)
        cls._meta.add_manager(self)

    def bound_to(self, model: Any) -> Self:
        """This manager for a class that inherits it."""
        found = copy.copy(self)
        found.model = model
        found._kept = None
        return found

    def db_manager(self, using: str | None = None, hints: Any = None) -> Self:
        """This manager on another database."""
        found = copy.copy(self)
        found._kept = None
        found._db = using or self._db
        found._hints = hints or self._hints
        return found

    @property
    def db(self) -> str:
        return self._db or routing.read(self.model, self._hints)

    def get_queryset(self) -> Any:
        """The rows that this manager speaks of; override it to leave some out."""
        if self._db is None and not self._hints:
            return self._queryset_class(self.model)
        return self._queryset_class(self.model, using=self._db, hints=self._hints)

    def _rows(self) -> Any:
        """``get_queryset()`` for a method that only copies the queryset: then one serves every call."""
        found = self._kept
        if found is not None and found._shape is self.model.__entity__.root:
            return found
        found = self.get_queryset()
        if type(self).get_queryset is BaseManager.get_queryset and self._db is None and not self._hints:
            self._kept = found
        return found

    def all(self) -> Any:
        return self.get_queryset()

    def get(self, *args: Any, **kwargs: Any) -> Any:
        rows = self._kept
        if rows is None or rows._shape is not self.model.__entity__.root:
            rows = self._rows()
        if type(rows).get is Reading.get:  # nobody's own: its arguments need not be packed twice
            return rows._get_by(args, kwargs)
        return rows.get(*args, **kwargs)

    get.__doc__ = Reading.get.__doc__

    def __class_getitem__(cls, *args: Any) -> Any:
        return cls

    @classmethod
    def from_queryset(cls, queryset_class: Any, class_name: str | None = None) -> Any:
        """A manager class with the public methods of ``queryset_class``."""
        name = class_name or f"{cls.__name__}From{queryset_class.__name__}"
        return type(name, (cls,), {"_queryset_class": queryset_class, **_methods(cls, queryset_class)})

    def deconstruct(self) -> tuple[bool, str | None, str | None, Any, Any]:
        """How migrations write this manager."""
        queryset = self._queryset_class
        if self._built_with_asmanager:
            return True, None, f"{queryset.__module__}.{queryset.__name__}", None, None
        path = f"{type(self).__module__}.{type(self).__name__}"
        if path.startswith("crowsfoot.models"):
            path = "django.db.models.manager.Manager"
        args, kwargs = self._constructor_args
        return False, path, None, args, kwargs

    def check(self, **kwargs: Any) -> list[str]:
        return []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self._compared() == other._compared()

    def _compared(self) -> Any:
        return {n: v for n, v in self.__dict__.items() if n not in ("creation_counter", "_kept")}

    def __hash__(self) -> int:
        return id(self)

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.name}"


def _methods(cls: type, queryset_class: type) -> dict[str, Any]:
    """Forwarders for the public methods of a queryset class that the manager class has not itself."""
    found: dict[str, Any] = {}
    for name, method in inspect.getmembers(queryset_class, predicate=inspect.isfunction):
        if hasattr(cls, name):
            continue
        hidden = getattr(method, "queryset_only", None)
        if hidden or (hidden is None and name.startswith("_")):
            continue
        found[name] = _forward(name, method)
    return found


# Methods that leave the queryset they are called on as it is.
COPYING = frozenset({"get", "filter", "exclude", "order_by", "annotate", "values", "values_list", "select_related"})


def _forward(name: str, method: Any) -> Any:
    if name in COPYING:

        def ask_kept(self: Any, *args: Any, **kwargs: Any) -> Any:
            return getattr(self._rows(), name)(*args, **kwargs)

        ask: Any = ask_kept
    elif inspect.iscoroutinefunction(method):

        async def ask_async(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await getattr(self.get_queryset(), name)(*args, **kwargs)

        ask = ask_async
    else:

        def ask(self: Any, *args: Any, **kwargs: Any) -> Any:
            return getattr(self.get_queryset(), name)(*args, **kwargs)

    ask.__name__ = name
    ask.__qualname__ = f"Manager.{name}"
    ask.__doc__ = method.__doc__
    return ask


class Manager(BaseManager.from_queryset(QuerySet), Generic[M]):  # type: ignore[misc]
    """The default manager, ``objects``: every queryset method, on all rows of the model."""


class EmptyManager(Manager[Any]):
    """A manager of no rows."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def get_queryset(self) -> Any:
        return super().get_queryset().none()


routing.MANAGER.append(Manager)
