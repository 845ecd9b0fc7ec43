"""Managers: ``Post.objects``. A manager makes querysets and offers their methods."""

from __future__ import annotations

import copy
import datetime
import inspect
import itertools
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Never, Self, TypeVar, overload

from crowsfoot.models import routing
from crowsfoot.models.queryset import QuerySet
from crowsfoot.models.raw import RawQuerySet
from crowsfoot.models.reading import Reading
from crowsfoot.models.state import FetchMode
from crowsfoot.models.typed import Condition, FieldPath
from crowsfoot.models.writing import Writing
from crowsfoot.query.conditions import Q

M = TypeVar("M")
T = TypeVar("T")
DJANGO_MODULE = "django.db.models.manager"


class BaseManager(Generic[M]):
    """What all managers share. ``from_queryset`` gives a class with a queryset's methods on it."""

    counter: ClassVar[Any] = itertools.count()
    auto_created = False
    use_in_migrations = False
    _queryset_class: ClassVar[Any] = QuerySet
    _built_with_asmanager = False
    _plain = False
    _kept: Any = None
    _constructor_args: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    creation_counter: int = -1
    model: Any = None
    name: Any = None
    _db: str | None = None
    _hints: Mapping[str, Any] = MappingProxyType({})

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._constructor_args = (args, kwargs)
        return self

    def __init__(self) -> None:
        self.creation_counter = next(BaseManager.counter)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None and self.model is owner and self._plain:
            return self
        if instance is not None:
            raise AttributeError(f"Manager isn't accessible via {type(instance).__name__} instances")
        meta = owner._meta
        if meta.abstract:
            raise AttributeError(f"Manager isn't available; {owner._meta.object_name} is abstract")
        if meta.swapped:
            raise AttributeError(f"Manager isn't available; '{meta.label}' has been swapped for '{meta.swapped}'")
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

    def get_queryset(self) -> QuerySet[M]:
        """The rows that this manager speaks of; override it to leave some out."""
        if self._db is None and not self._hints:
            return self._queryset_class(model=self.model)
        return self._queryset_class(model=self.model, using=self._db, hints=self._hints)

    def _rows(self) -> QuerySet[M]:
        """``get_queryset()`` for a method that only copies the queryset: then one serves every call."""
        found = self._kept
        if found is not None and found._shape is found._shape.query.entity.root:
            return found
        found = self.get_queryset()
        if type(self).get_queryset is BaseManager.get_queryset and self._db is None and not self._hints:
            self._kept = found
        return found

    def all(self) -> QuerySet[M]:
        return self.get_queryset()

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
        module, name = type(self).__module__, type(self).__name__
        if not hasattr(sys.modules.get(module), name):
            raise ValueError(
                f"Could not find manager {name} in {module.replace(__name__, DJANGO_MODULE)}.\n"
                "Please note that you need to inherit from managers you dynamically generated with 'from_queryset()'."
            )
        path = f"{DJANGO_MODULE}.Manager" if module.startswith("crowsfoot.models") else f"{module}.{name}"
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
        theirs = method is not getattr(QuerySet, name, None)
        if hasattr(cls, name) and not (theirs and getattr(cls, name) is getattr(Manager, name, None)):
            continue  # the manager's own, or the usual one for a method that the queryset class leaves as it is
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

        found: Any = ask_kept
    elif inspect.iscoroutinefunction(method):

        async def ask_async(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await getattr(self.get_queryset(), name)(*args, **kwargs)

        found = ask_async
    else:

        def ask(self: Any, *args: Any, **kwargs: Any) -> Any:
            return getattr(self.get_queryset(), name)(*args, **kwargs)

        found = ask

    found.__name__ = name
    found.__qualname__ = f"Manager.{name}"
    found.__doc__ = method.__doc__
    return found


class Manager(BaseManager[M]):
    """The default manager, ``objects``: every queryset method, on all rows of the model."""

    # The methods of `QuerySet` that make sense on all rows, with its signatures; their docstrings are taken from there.
    # Those that only copy the queryset share one for all calls (``_rows``).

    # For type checkers, ``objects = Manager()`` is one of the model that it is written in.
    if TYPE_CHECKING:

        @overload
        def __init__(self: Manager[Never]) -> None: ...
        @overload
        def __init__(self) -> None: ...
        def __init__(self) -> None: ...

        @overload  # type: ignore[override]
        def __get__(self: Manager[Never], instance: None, owner: type[T]) -> Manager[T]: ...
        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        def __get__(self, instance: Any, owner: Any = None) -> Any: ...

    # -- copies --------------------------------------------------------------------------------------------------------

    def filter(self, *args: Condition, **kwargs: Any) -> QuerySet[M]:
        return self._rows().filter(*args, **kwargs)

    def exclude(self, *args: Condition, **kwargs: Any) -> QuerySet[M]:
        return self._rows().exclude(*args, **kwargs)

    def complex_filter(self, filter_obj: Q | Mapping[str, Any]) -> QuerySet[M]:
        return self._rows().complex_filter(filter_obj)

    def none(self) -> QuerySet[M]:
        return self._rows().none()

    def annotate(self, *args: Any, **kwargs: Any) -> QuerySet[M]:
        return self._rows().annotate(*args, **kwargs)

    def alias(self, *args: Any, **kwargs: Any) -> QuerySet[M]:
        return self._rows().alias(*args, **kwargs)

    def order_by(self, *names: Any) -> QuerySet[M]:
        return self._rows().order_by(*names)

    def reverse(self) -> QuerySet[M]:
        return self._rows().reverse()

    def distinct(self, *fields: Any) -> QuerySet[M]:
        return self._rows().distinct(*fields)

    def values(self, *fields: Any, **expressions: Any) -> QuerySet[dict[str, Any]]:
        return self._rows().values(*fields, **expressions)

    @overload
    def values_list(self, field: FieldPath[T], /, *, flat: Literal[True]) -> QuerySet[T]: ...
    @overload
    def values_list(self, *fields: Any, flat: Literal[False] = False) -> QuerySet[tuple[Any, ...]]: ...
    @overload
    def values_list(self, *fields: Any, flat: bool = False, named: bool = False) -> QuerySet[Any]: ...
    def values_list(self, *fields: Any, flat: bool = False, named: bool = False) -> Any:
        return self._rows().values_list(*fields, flat=flat, named=named)

    def only(self, *fields: Any) -> QuerySet[M]:
        return self._rows().only(*fields)

    def defer(self, *fields: Any) -> QuerySet[M]:
        return self._rows().defer(*fields)

    def select_related(self, *fields: Any) -> QuerySet[M]:
        return self._rows().select_related(*fields)

    def prefetch_related(self, *lookups: Any) -> QuerySet[M]:
        return self._rows().prefetch_related(*lookups)

    def fetch_mode(self, fetch_mode: FetchMode) -> QuerySet[M]:
        return self._rows().fetch_mode(fetch_mode)

    def using(self, alias: str | None) -> QuerySet[M]:
        return self._rows().using(alias)

    def select_for_update(
        self, nowait: bool = False, skip_locked: bool = False, of: tuple[Any, ...] = (), no_key: bool = False
    ) -> QuerySet[M]:
        return self._rows().select_for_update(nowait, skip_locked, of, no_key)

    def union(self, *others: QuerySet[Any], all: bool = False) -> QuerySet[M]:
        return self.get_queryset().union(*others, all=all)

    def intersection(self, *others: QuerySet[Any]) -> QuerySet[M]:
        return self.get_queryset().intersection(*others)

    def difference(self, *others: QuerySet[Any]) -> QuerySet[M]:
        return self.get_queryset().difference(*others)

    def extra(
        self,
        select: Mapping[str, Any] | None = None,
        where: Sequence[str] | None = None,
        params: Sequence[Any] | None = None,
        tables: Sequence[str] | None = None,
        order_by: Sequence[str] | None = None,
        select_params: Sequence[Any] | None = None,
    ) -> QuerySet[M]:
        return self.get_queryset().extra(select, where, params, tables, order_by, select_params)

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self, *args: Condition, **kwargs: Any) -> M:
        rows = self._kept
        if rows is None or rows._shape is not rows._shape.query.entity.root:
            rows = self._rows()
        if type(rows).get is Reading.get:  # nobody's own: its arguments need not be packed twice
            return rows._get_by(args, kwargs)
        return rows.get(*args, **kwargs)

    async def aget(self, *args: Condition, **kwargs: Any) -> M:
        return await self.get_queryset().aget(*args, **kwargs)

    def first(self) -> M | None:
        return self.get_queryset().first()

    async def afirst(self) -> M | None:
        return await self.get_queryset().afirst()

    def last(self) -> M | None:
        return self.get_queryset().last()

    async def alast(self) -> M | None:
        return await self.get_queryset().alast()

    def earliest(self, *fields: Any) -> M:
        return self.get_queryset().earliest(*fields)

    async def aearliest(self, *fields: Any) -> M:
        return await self.get_queryset().aearliest(*fields)

    def latest(self, *fields: Any) -> M:
        return self.get_queryset().latest(*fields)

    async def alatest(self, *fields: Any) -> M:
        return await self.get_queryset().alatest(*fields)

    def count(self) -> int:
        return self.get_queryset().count()

    async def acount(self) -> int:
        return await self.get_queryset().acount()

    def exists(self) -> bool:
        return self.get_queryset().exists()

    async def aexists(self) -> bool:
        return await self.get_queryset().aexists()

    def contains(self, obj: Any) -> bool:
        return self.get_queryset().contains(obj)

    async def acontains(self, obj: Any) -> bool:
        return await self.get_queryset().acontains(obj)

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return self.get_queryset().aggregate(*args, **kwargs)

    async def aaggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return await self.get_queryset().aaggregate(*args, **kwargs)

    def in_bulk(self, id_list: Iterable[Any] | None = None, *, field_name: Any = "pk") -> dict[Any, M]:
        return self.get_queryset().in_bulk(id_list, field_name=field_name)

    async def ain_bulk(self, id_list: Iterable[Any] | None = None, *, field_name: Any = "pk") -> dict[Any, M]:
        return await self.get_queryset().ain_bulk(id_list, field_name=field_name)

    def iterator(self, chunk_size: int | None = None) -> Iterator[M]:
        return self.get_queryset().iterator(chunk_size)

    def aiterator(self, chunk_size: int = 2000) -> AsyncIterator[M]:
        return self.get_queryset().aiterator(chunk_size)

    def raw(
        self, raw_query: str, params: Any = (), translations: Any = None, using: str | None = None
    ) -> RawQuerySet[M]:
        return self.get_queryset().raw(raw_query, params, translations, using)

    def dates(self, field_name: Any, kind: str, order: str = "ASC") -> QuerySet[Any]:
        return self.get_queryset().dates(field_name, kind, order)

    def datetimes(
        self, field_name: Any, kind: str, order: str = "ASC", tzinfo: datetime.tzinfo | None = None
    ) -> QuerySet[Any]:
        return self.get_queryset().datetimes(field_name, kind, order, tzinfo)

    def explain(self, *, format: str | None = None, **options: Any) -> str:
        return self.get_queryset().explain(format=format, **options)

    async def aexplain(self, *, format: str | None = None, **options: Any) -> str:
        return await self.get_queryset().aexplain(format=format, **options)

    # -- writing -------------------------------------------------------------------------------------------------------

    def create(self, **kwargs: Any) -> M:
        rows = self._rows()
        if type(rows).create is Writing.create:  # nobody's own: it leaves the queryset as it is
            return rows.create(**kwargs)
        return self.get_queryset().create(**kwargs)

    async def acreate(self, **kwargs: Any) -> M:
        return await self.get_queryset().acreate(**kwargs)

    def get_or_create(self, defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        return self.get_queryset().get_or_create(defaults, **kwargs)

    async def aget_or_create(self, defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        return await self.get_queryset().aget_or_create(defaults, **kwargs)

    def update_or_create(self, defaults: Any = None, create_defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        return self.get_queryset().update_or_create(defaults, create_defaults, **kwargs)

    async def aupdate_or_create(
        self, defaults: Any = None, create_defaults: Any = None, **kwargs: Any
    ) -> tuple[M, bool]:
        return await self.get_queryset().aupdate_or_create(defaults, create_defaults, **kwargs)

    def bulk_create(
        self,
        objs: Iterable[M],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Any = None,
        unique_fields: Any = None,
    ) -> list[M]:
        rows = self.get_queryset()
        return rows.bulk_create(objs, batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields)

    async def abulk_create(
        self,
        objs: Iterable[M],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Any = None,
        unique_fields: Any = None,
    ) -> list[M]:
        rows = self.get_queryset()
        return await rows.abulk_create(
            objs, batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields
        )

    def bulk_update(self, objs: Iterable[M], fields: Iterable[Any], batch_size: int | None = None) -> int:
        return self.get_queryset().bulk_update(objs, fields, batch_size)

    async def abulk_update(self, objs: Iterable[M], fields: Iterable[Any], batch_size: int | None = None) -> int:
        return await self.get_queryset().abulk_update(objs, fields, batch_size)

    def update(self, **kwargs: Any) -> int:
        return self.get_queryset().update(**kwargs)

    async def aupdate(self, **kwargs: Any) -> int:
        return await self.get_queryset().aupdate(**kwargs)


class Objects:
    """What type checkers see in the ``objects`` of a model that declares no manager. Nothing has it at run time."""

    def __get__(self, instance: None, owner: type[T]) -> Manager[T]:
        raise NotImplementedError


def _document() -> None:
    """A method of the same name means the same."""
    for name, method in inspect.getmembers(Manager, inspect.isfunction):
        if method.__doc__ is None:
            method.__doc__ = getattr(getattr(QuerySet, name, None), "__doc__", None)


_document()


class EmptyManager(Manager[Any]):
    """A manager of no rows."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def get_queryset(self) -> Any:
        return super().get_queryset().none()


routing.MANAGER.append(Manager)
