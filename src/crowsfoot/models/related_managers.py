"""Managers of related rows: what all of them share, and those of rows that hold the key themselves, ``author.posts``.

Each writes once, as operations, and has the sync and async method of every name.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from inspect import getattr_static
from typing import Any, Self, TypeAlias, TypeVar

from crowsfoot.database import Database, databases
from crowsfoot.drivers.run import Operation
from crowsfoot.errors import FieldFetchBlocked, SynchronousOnlyOperation
from crowsfoot.functional import unwrapped
from crowsfoot.models import routing
from crowsfoot.models.manager import BaseManager, Manager
from crowsfoot.models.own_save import save_through
from crowsfoot.models.peers import Side
from crowsfoot.models.queryset import QuerySet
from crowsfoot.models.related_rows import (
    NOT_LOADED,
    Prefetched,
    ask,
    described,
    forget_prefetched,
    lineage,
    only_queryset,
)
from crowsfoot.models.state import FETCH_RAISE
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.query.lookups import marks
from crowsfoot.query.related_values import is_a
from crowsfoot.query.resolved import Col, Param
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import Query
from crowsfoot.schema.relation import End

M = TypeVar("M")
# A related row may be given by its key where the relation has a link table.
Key: TypeAlias = int | str | uuid.UUID


new = object.__new__


def make_manager_class(mixin: Any, end: End, base: Any) -> Any:
    """The manager class of a to-many end: ``mixin`` on top of the target's default manager class ``base``."""
    absent = {name: Absent(why) for name, why in mixin.absent(end).items()}
    names = {"mixin": mixin, "end": end, "base_class": base, "model": end.target.model, **mixin.shared(end), **absent}
    if base.all is BaseManager.all:
        names["all"] = mixin.get_queryset  # which is what it would call
    made: Any = type(mixin.class_name, (mixin, base), names)
    made.is_usual = made.finds_usual()
    return made


class Absent:
    """A method that a manager has not, and why."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        raise AttributeError(f"'{owner.__name__}' object has no attribute '{self.name}': {self.why}.")


class RelatedManager(Manager[M]):
    """What both kinds of related manager share. It holds the owner and nothing else until a query runs."""

    mixin: Any
    end: Any
    base_class: Any
    side: Side
    # Whether nobody has a word in how managers and querysets of this relation are made, and it starts from a plain key.
    is_usual: bool = False
    class_name = "RelatedManager"
    do_not_call_in_templates = True

    def __init__(self, instance: Any) -> None:
        super().__init__()
        self.instance = instance

    @classmethod
    def shared(cls, end: End) -> dict[str, Any]:
        """What all managers of one relation have in common, by name."""
        return {"side": Side(end)}

    @classmethod
    def finds_usual(cls) -> bool:
        """What ``is_usual`` is."""
        base, rows = cls.base_class, cls._queryset_class
        return (
            cls.side.name is not None
            and base.__init__ is BaseManager.__init__
            and base.__new__ is BaseManager.__new__
            and base.get_queryset is BaseManager.get_queryset
            and rows.__init__ is QuerySet.__init__
        )

    def __call__(self, *, manager: str) -> RelatedManager[M]:
        """Another manager of the target for the same relation: ``author.posts(manager="published")``."""
        named = getattr(self.model, manager)
        return make_manager_class(self.mixin, self.end, type(named))(self.instance)

    @classmethod
    def absent(cls, end: End) -> dict[str, str]:
        """The methods that managers of this relation do not have, and why."""
        return {}

    # -- reading -------------------------------------------------------------------------------------------------------

    @property
    def related_val(self) -> tuple[Any, ...]:
        """Django's name for ``key``."""
        return self.key

    @property
    def key(self) -> tuple[Any, ...]:
        return tuple(getattr(self.instance, name) for name in self.side.names)

    def _need_key(self) -> None:
        if not self.instance._is_pk_set():
            raise ValueError(
                f"{type(self.instance).__name__!r} instance needs to have a primary key value before this relationship "
                "can be used."
            )

    def db_manager(self, using: str | None = None, hints: Any = None) -> Self:
        found = super().db_manager(using, hints)
        found.is_usual = False
        return found

    def get_queryset(self: Any) -> QuerySet[M]:
        instance, side = self.instance, self.side
        kept = side.kept(instance)
        if kept is not NOT_LOADED:
            return kept.answered(instance, kept) if type(kept) is Prefetched else kept
        origin = instance._origin
        if origin is not None and origin.fetch_mode is None and type(instance) is side.owner and self.is_usual:
            key, shape = side.key_of(instance), side.shape
            if shape is None or shape.is_forgotten or side.target.root is None:
                shape = side.find_shape()
            if key is not None and shape is not None:
                # The way of a loop: what _narrowed() does, where nothing has to be found out.
                rows: QuerySet[M] = new(self._queryset_class)
                rows.model = self.model
                rows._shape = shape
                rows._values = (key,)
                rows._side = side
                rows._owner = instance
                return rows
        for holder in () if type(instance) is side.owner else lineage(instance):
            kept = holder.__dict__.get(side.slot)
            if kept is not None:
                return kept.queryset(holder) if type(kept) is Prefetched else kept
        self._need_key()
        if origin is not None and origin.fetch_mode is FETCH_RAISE:
            raise FieldFetchBlocked(f"Fetching of {type(instance).__name__}.{self.end.accessor} blocked.")
        return self._narrowed(super().get_queryset())

    def _narrowed(self: Any, queryset: Any) -> Any:
        side, key, instance = self.side, self.key, self.instance
        queryset = queryset._clone()
        queryset._owner = instance
        if queryset._db is None and self._db:
            queryset._db = self._db
        origin = instance._origin
        if origin is not None and origin.fetch_mode is not None:
            queryset._fetch_mode = origin.fetch_mode
            queryset._bare = False
        if None in key:
            return queryset.none()
        found = queryset._follow(side.edge, list(key), lambda query: _of(query, side.end, key))
        found._side, found._slot = side, len(queryset._values)
        return found

    def get_prefetch_querysets(
        self: Any, instances: Sequence[Any], querysets: Sequence[Any] | None = None
    ) -> tuple[Any, ...]:
        """What prefetching asks: see `crowsfoot.models.related_rows.described`. Raises ``ValueError`` for two."""
        queryset = only_queryset(querysets)
        rows = queryset if queryset is not None else self.base_class.get_queryset(self)
        return described(ask(self.end, instances, rows), self.end)

    def _remove_prefetched(self) -> None:
        for instance in lineage(self.instance):
            forget_prefetched(instance, self.end.slot)

    # -- writing -------------------------------------------------------------------------------------------------------

    def _routed(self: Any, model: Any) -> Database:
        """The database that ``model`` is written to on behalf of this instance."""
        return databases[self._db or routing.write(model, {"instance": self.instance})]

    @property
    def _rows_database(self: Any) -> Database:
        """The database that related rows are made in."""
        return self._routed(self.model)

    @property
    def _links_database(self: Any) -> Database:
        """The database in which rows are taken into the relation, and out of it."""
        return self._routed(self.model)

    def create(self: Any, **kwargs: Any) -> M:
        """Make and save a row that belongs to this one."""
        made: M = self._make("create", kwargs)
        return made

    async def acreate(self: Any, **kwargs: Any) -> M:
        made: M = await self._amake("create", kwargs)
        return made

    def get_or_create(self: Any, defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        """The related row that meets the look-ups, else a new one with ``defaults``; and whether it is new."""
        found: tuple[M, bool] = self._make("get_or_create", kwargs, defaults)
        return found

    async def aget_or_create(self: Any, defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        found: tuple[M, bool] = await self._amake("get_or_create", kwargs, defaults)
        return found

    def update_or_create(self: Any, defaults: Any = None, create_defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        """The related row that meets the look-ups, changed to ``defaults``, else a new one; and whether it is new."""
        found: tuple[M, bool] = self._make("update_or_create", kwargs, defaults, create_defaults)
        return found

    async def aupdate_or_create(
        self: Any, defaults: Any = None, create_defaults: Any = None, **kwargs: Any
    ) -> tuple[M, bool]:
        found: tuple[M, bool] = await self._amake("update_or_create", kwargs, defaults, create_defaults)
        return found

    def _make(self: Any, name: str, kwargs: dict[str, Any], *defaults: Any) -> Any:
        """``create()`` and the like; through that of the target's manager, where it has one of its own."""
        database = self._rows_database
        if not self._has_own(name):
            return database.run(getattr(self, f"_{name}"), *defaults, kwargs)
        given = database.run(self._given, kwargs)
        found = getattr(super(RelatedManager, self.db_manager(database.alias)), name)(*defaults, **given)
        if name == "create" or found[1]:
            database.run(self._take_in, found if name == "create" else found[0], kwargs)
        return found

    async def _amake(self: Any, name: str, kwargs: dict[str, Any], *defaults: Any) -> Any:
        database = self._rows_database
        if not self._has_own(f"a{name}"):
            if self._has_own(name):
                raise SynchronousOnlyOperation(
                    f"The manager of {self.model._meta.label} has a {name}() of its own, which async code cannot run: "
                    f"give it an a{name}() too."
                )
            return await database.arun(getattr(self, f"_{name}"), *defaults, kwargs)
        given = await database.arun(self._given, kwargs)
        found = await getattr(super(RelatedManager, self.db_manager(database.alias)), f"a{name}")(*defaults, **given)
        if name == "create" or found[1]:
            await database.arun(self._take_in, found if name == "create" else found[0], kwargs)
        return found

    def _has_own(self: Any, name: str) -> bool:
        """Whether the target's manager, or its queryset, has a method of its own in place of the usual one."""
        return getattr(self.base_class, name) is not getattr(Manager, name)

    def _given(self, session: Session, kwargs: dict[str, Any]) -> Operation[dict[str, Any]]:
        """What a row is made of that belongs to this one."""
        raise NotImplementedError

    def _take_in(self, session: Session, row: Any, kwargs: dict[str, Any]) -> Operation[None]:
        """Have a row that was made belong to this one, where it does not by what it is made of."""
        yield from ()

    def add(self: Any, *objs: M | Key, **options: Any) -> None:
        """Take these rows into the relation; those that are in it already stay."""
        self._links_database.run(self._add, tuple(map(unwrapped, objs)), **options)

    async def aadd(self: Any, *objs: M | Key, **options: Any) -> None:
        await self._links_database.arun(self._add, tuple(map(unwrapped, objs)), **options)

    def remove(self: Any, *objs: M | Key, **options: Any) -> None:
        """Take these rows out of the relation."""
        self._links_database.run(self._remove, tuple(map(unwrapped, objs)), **options)

    async def aremove(self: Any, *objs: M | Key, **options: Any) -> None:
        await self._links_database.arun(self._remove, tuple(map(unwrapped, objs)), **options)

    def clear(self: Any, **options: Any) -> None:
        """Take all rows out of the relation."""
        self._links_database.run(self._clear, **options)

    async def aclear(self: Any, **options: Any) -> None:
        await self._links_database.arun(self._clear, **options)

    def set(self: Any, objs: Iterable[M | Key], **options: Any) -> None:
        """Make the relation hold exactly these rows; only differences are written (all, with ``clear=True``)."""
        self._links_database.run(self._set, tuple(map(unwrapped, objs)), **options)

    async def aset(self: Any, objs: Iterable[M | Key], **options: Any) -> None:
        await self._links_database.arun(self._set, tuple(map(unwrapped, objs)), **options)

    def _queryset(self: Any, session: Session) -> Any:
        """All rows that could belong to the relation, in the session's database and with the owner's fetch mode."""
        rows, origin = self.base_class.get_queryset(self).using(session.alias), self.instance._origin
        return rows if origin is None or origin.fetch_mode is None else rows.fetch_mode(origin.fetch_mode)


def _of(query: Query, end: End, key: tuple[Any, ...]) -> tuple[Query, Scope]:
    """A query on the far side of ``end``, narrowed to the owner with this key (which goes into slots)."""
    scope = Scope(query, query.group + 1)
    if end.comes_back:
        columns = [Col((end.inverse,), a, scope.group) for a in end.anchors]
    else:
        columns = [Col(a.via, a) for a in end.target.attributes_of(end.remote_columns)]
    narrowed = query
    for column, value in zip(columns, key, strict=True):
        index, _ = scope.slot(value, None)
        node = column.value_type.get_lookup("exact")(column, Param(index, column.value_type))
        node.is_resolved = True
        narrowed = narrowed.with_step(node)
    for mark in () if end.comes_back else marks(end.target, end.hops[0]):
        narrowed = narrowed.with_step(mark)
    # The first filter() on a many-to-many manager speaks of the same link as the manager itself.
    sticky = len(end.hops) > 1
    tie = (len(query.steps), len(key))
    return narrowed.but(size=query.size + len(key), group=scope.group or 0, sticky=sticky, tie=tie), scope


NEED_NULL = ("remove", "aremove", "clear", "aclear")


class KeyManager(RelatedManager[M]):
    """Rows that hold the key themselves: the way back of a foreign key."""

    @classmethod
    def absent(cls, end: End) -> dict[str, str]:
        gives_up = end.inverse.minimum == 0 or end.relation.delete_orphan
        return {} if gives_up else dict.fromkeys(NEED_NULL, "the key may not be NULL")

    @property
    def forward(self) -> str:
        return str(self.end.inverse.name)

    def _need_value(self) -> None:
        """Rows can only be made to belong to an owner whose key is known."""
        if not self.end.hops[0].source_columns:
            raise TypeError(
                f"{self.end.owner.name}.{self.end.accessor} says by a condition which rows belong to it, and sets no "
                "field of theirs: change the fields that the condition reads."
            )
        self._need_key()
        for name, value in zip(self.side.names, self.key, strict=True):
            if value is None:
                raise ValueError(
                    f'"{self.instance!r}" needs to have a value for field "{name}" before this relationship can be '
                    "used."
                )

    def _check(self, obj: Any) -> None:
        if not isinstance(obj, self.model) or not is_a(type(obj).__entity__, self.end.target):
            raise TypeError(f"'{self.model._meta.object_name}' instance expected, got {obj!r}")

    def _check_database(self, obj: Any) -> None:
        """Raise ``ValueError`` where the routers do not let the two be related."""
        getattr_static(self.model, self.forward).check(obj, self.instance)

    def _belonging(self, session: Session) -> Operation[dict[str, Any]]:
        """What a row holds that belongs to this owner, by field name."""
        return {self.forward: self.instance}
        yield

    def _given(self, session: Session, kwargs: dict[str, Any]) -> Operation[dict[str, Any]]:
        self._need_value()
        return {**kwargs, **(yield from self._belonging(session))}

    def _create(self, session: Session, kwargs: dict[str, Any]) -> Operation[Any]:
        self._remove_prefetched()
        given = yield from self._given(session, kwargs)
        return (yield from self._queryset(session)._create(session, given))

    def _get_or_create(self, session: Session, defaults: Any, kwargs: dict[str, Any]) -> Operation[Any]:
        given = yield from self._given(session, kwargs)
        return (yield from self._queryset(session)._get_or_create(session, defaults, given))

    def _update_or_create(
        self, session: Session, defaults: Any, create_defaults: Any, kwargs: dict[str, Any]
    ) -> Operation[Any]:
        given = yield from self._given(session, kwargs)
        return (yield from self._queryset(session)._update_or_create(session, defaults, create_defaults, given))

    def _add(self, session: Session, objs: tuple[Any, ...], bulk: bool = True) -> Operation[None]:
        self._need_value()
        self._remove_prefetched()
        for obj in objs:
            self._check(obj)
            self._check_database(obj)
            if bulk and (obj._state.adding or obj._state.db != session.alias):
                raise ValueError(f"{obj!r} instance isn't saved. Use bulk=False or save the object first.")
        belonging = yield from self._belonging(session)
        for obj in objs:
            for name, value in belonging.items():
                setattr(obj, name, value)
        if bulk:
            rows = self.model._base_manager.using(session.alias).filter(pk__in=[obj.pk for obj in objs])
            yield from rows._update(session, belonging)
            return
        yield from atomically(session, self._save_each(session, objs))

    def _save_each(self, session: Session, objs: Iterable[Any]) -> Operation[None]:
        for obj in objs:
            yield from save_through(session, obj, {})

    def _remove(self, session: Session, objs: tuple[Any, ...], bulk: bool = True) -> Operation[None]:
        if not objs:
            return
        self._need_value()
        key = self.key
        attnames = [a.name for a in self.end.target.attributes_of(self.end.remote_columns)]
        for obj in objs:
            self._check(obj)
            if tuple(getattr(obj, name) for name in attnames) != key:
                raise self.end.owner.model.DoesNotExist(f"{obj!r} is not related to {self.instance!r}.")
        yield from self._empty(session, self._queryset(session).filter(pk__in=[obj.pk for obj in objs]), bulk)

    def _clear(self, session: Session, bulk: bool = True) -> Operation[None]:
        self._need_value()
        yield from self._empty(session, self._narrowed(self._queryset(session)), bulk)

    def _empty(self, session: Session, rows: Any, bulk: bool) -> Operation[None]:
        self._remove_prefetched()
        if self.end.relation.delete_orphan:
            yield from self._narrowed(rows)._delete(session)
            return
        if bulk:
            yield from self._narrowed(rows)._update(session, {self.forward: None})
            return
        found = yield from rows._load(session)
        yield from atomically(session, self._save_empty(session, found))

    def _save_empty(self, session: Session, rows: Iterable[Any]) -> Operation[None]:
        for row in rows:
            setattr(row, self.forward, None)
            yield from save_through(session, row, {"update_fields": [self.forward]})

    def _set(self, session: Session, objs: Iterable[Any], bulk: bool = True, clear: bool = False) -> Operation[None]:
        self._need_value()
        yield from atomically(session, self._replace(session, tuple(objs), bulk, clear))

    def _replace(self, session: Session, objs: tuple[Any, ...], bulk: bool, clear: bool) -> Operation[None]:
        orphans = self.end.relation.delete_orphan
        if self.end.inverse.minimum and not orphans:
            yield from self._add(session, objs, bulk=bulk)
            return
        if clear and not orphans:  # what is deleted cannot be added again
            yield from self._clear(session, bulk=bulk)
            yield from self._add(session, objs, bulk=bulk)
            return
        old = yield from self._narrowed(self._queryset(session))._load(session)
        wanted = list(objs)
        gone = []
        for row in old:
            if row in wanted:
                wanted.remove(row)
            else:
                gone.append(row)
        yield from self._remove(session, tuple(gone), bulk=bulk)
        yield from self._add(session, tuple(wanted), bulk=bulk)
