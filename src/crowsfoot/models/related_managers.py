"""Managers of related rows: ``author.posts`` and ``post.tags``.

Two classes: rows that hold the key themselves, and rows behind a link table. Each writes once, as operations, and has
the sync and async method of every name.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

from crowsfoot.database import Database, databases
from crowsfoot.drivers.run import Operation
from crowsfoot.errors import FieldFetchBlocked
from crowsfoot.models import routing, signals
from crowsfoot.models.manager import Manager
from crowsfoot.models.own_save import save_through
from crowsfoot.models.peers import Via
from crowsfoot.models.prefetch import CACHE, ask, described, lineage, only_queryset
from crowsfoot.models.queryset import QuerySet
from crowsfoot.models.state import FETCH_RAISE
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.query.conditions import Q
from crowsfoot.query.lookups import marks
from crowsfoot.query.resolved import Col, Param
from crowsfoot.query.scope import Scope, is_a
from crowsfoot.query.statements import Query
from crowsfoot.schema.relation import End

M = TypeVar("M")
# A related row may be given by its key where the relation has a link table.
Key: TypeAlias = int | str | uuid.UUID


def make_manager_class(end: End, base: Any) -> Any:
    """The manager class of a to-many end, on top of the target's default manager class ``base``."""
    mixin = getattr(end.field, "manager_mixin", None)
    if mixin is None:
        mixin = ManyRelatedManager if end.relation.link is not None else KeyManager
    kind = "RelatedManager" if mixin is KeyManager else mixin.__name__
    nullable = {} if mixin is ManyRelatedManager or end.inverse.minimum == 0 else dict.fromkeys(NEEDS_NULL, Missing())
    return type(kind, (mixin, base), {"end": end, "base_class": base, **nullable})


NEEDS_NULL = ("remove", "aremove", "clear", "aclear")


class Missing:
    """An attribute that a manager has not: rows whose key may not be NULL cannot be taken out of the relation."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        raise AttributeError(f"'{owner.__name__}' object has no attribute '{self.name}': the key may not be NULL.")


class RelatedManager(Manager[M]):
    """What both kinds of related manager share. It costs nothing until a query runs."""

    end: Any
    base_class: Any
    do_not_call_in_templates = True

    def __init__(self, instance: Any) -> None:
        super().__init__()
        self.instance = instance
        self.model = self.end.target.model
        self.names = [a.name for a in self.end.owner.attributes_of(self.end.local_columns)]

    def __call__(self, *, manager: str) -> RelatedManager[M]:
        """Another manager of the target for the same relation: ``author.posts(manager="published")``."""
        named = getattr(self.model, manager)
        return make_manager_class(self.end, type(named))(self.instance)

    # -- reading -------------------------------------------------------------------------------------------------------

    @property
    def related_val(self) -> tuple[Any, ...]:
        """Django's name for ``key``."""
        return self.key

    @property
    def key(self) -> tuple[Any, ...]:
        return tuple(getattr(self.instance, name) for name in self.names)

    def _need_key(self) -> None:
        raise NotImplementedError

    def get_queryset(self: Any) -> QuerySet[M]:
        for instance in lineage(self.instance):
            cached = instance.__dict__.get(CACHE, {}).get(self.end.accessor)
            if cached is not None:
                return cached
        self._need_key()
        origin = self.instance._origin
        if origin is not None and origin.fetch_mode is FETCH_RAISE:
            raise FieldFetchBlocked(f"Fetching of {type(self.instance).__name__}.{self.end.accessor} blocked.")
        return self._narrowed(super().get_queryset())

    def _narrowed(self: Any, queryset: Any) -> Any:
        end, key = self.end, self.key
        queryset = queryset._clone()
        queryset._hints = {**queryset._hints, "instance": self.instance}
        if queryset._db is None and self._db:
            queryset._db = self._db
        origin = self.instance._origin
        if origin is not None and origin.fetch_mode is not None:
            queryset._fetch_mode = origin.fetch_mode
            queryset._bare = False
        if None in key:
            return queryset.none()
        shape = queryset._follow(("of", end), list(key), lambda query: _of(query, end, key))
        shape._bare = False
        shape._via = Via(end, self.instance, self.names, len(queryset._values))
        if not end.inverse.many and end.inverse.accessor:
            names = [attribute.name for attribute in end.target.attributes_of(end.remote_columns)]
            shape._known_related = ((end.inverse.accessor, names, {key if len(key) > 1 else key[0]: self.instance}),)
        return shape

    def get_prefetch_querysets(
        self: Any, instances: Sequence[Any], querysets: Sequence[Any] | None = None
    ) -> tuple[Any, ...]:
        """What prefetching asks: see `crowsfoot.models.prefetch.described`. Raises ``ValueError`` for two querysets."""
        queryset = only_queryset(querysets)
        rows = queryset if queryset is not None else self.base_class.get_queryset(self)
        return described(ask(self.end, instances, rows), self.end)

    def _remove_prefetched(self) -> None:
        for instance in lineage(self.instance):
            instance.__dict__.get(CACHE, {}).pop(self.end.accessor, None)

    # -- writing -------------------------------------------------------------------------------------------------------

    def _write_database(self: Any) -> Database:
        return databases[self._db or routing.write(self.model, {"instance": self.instance})]

    def create(self: Any, **kwargs: Any) -> M:
        """Make and save a row that belongs to this one."""
        return self._write_database().run(self._create, kwargs)

    async def acreate(self: Any, **kwargs: Any) -> M:
        return await self._write_database().arun(self._create, kwargs)

    def get_or_create(self: Any, defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        """The related row that meets the look-ups, else a new one with ``defaults``; and whether it is new."""
        return self._write_database().run(self._get_or_create, defaults, kwargs)

    async def aget_or_create(self: Any, defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        return await self._write_database().arun(self._get_or_create, defaults, kwargs)

    def update_or_create(self: Any, defaults: Any = None, create_defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        """The related row that meets the look-ups, changed to ``defaults``, else a new one; and whether it is new."""
        return self._write_database().run(self._update_or_create, defaults, create_defaults, kwargs)

    async def aupdate_or_create(
        self: Any, defaults: Any = None, create_defaults: Any = None, **kwargs: Any
    ) -> tuple[M, bool]:
        return await self._write_database().arun(self._update_or_create, defaults, create_defaults, kwargs)

    def add(self: Any, *objs: M | Key, **options: Any) -> None:
        """Take these rows into the relation; those that are in it already stay."""
        self._write_database().run(self._add, objs, **options)

    async def aadd(self: Any, *objs: M | Key, **options: Any) -> None:
        await self._write_database().arun(self._add, objs, **options)

    def remove(self: Any, *objs: M | Key, **options: Any) -> None:
        """Take these rows out of the relation."""
        self._write_database().run(self._remove, objs, **options)

    async def aremove(self: Any, *objs: M | Key, **options: Any) -> None:
        await self._write_database().arun(self._remove, objs, **options)

    def clear(self: Any, **options: Any) -> None:
        """Take all rows out of the relation."""
        self._write_database().run(self._clear, **options)

    async def aclear(self: Any, **options: Any) -> None:
        await self._write_database().arun(self._clear, **options)

    def set(self: Any, objs: Iterable[M | Key], **options: Any) -> None:
        """Make the relation hold exactly these rows; only differences are written (all, with ``clear=True``)."""
        self._write_database().run(self._set, objs, **options)

    async def aset(self: Any, objs: Iterable[M | Key], **options: Any) -> None:
        await self._write_database().arun(self._set, objs, **options)

    def _queryset(self: Any, session: Session) -> Any:
        """All rows that could belong to the relation, in the session's database."""
        return self.base_class.get_queryset(self).using(session.alias)


def _of(query: Query, end: End, key: tuple[Any, ...]) -> tuple[Query, Scope]:
    """A query on the far side of ``end``, narrowed to the owner with this key (which goes into slots)."""
    scope = Scope(query, query.group + 1)
    if len(end.hops) == 1:
        columns = [Col(a.via, a) for a in end.target.attributes_of(end.remote_columns)]
    else:
        columns = [Col((end.inverse,), a, scope.group) for a in end.owner.attributes_of(end.local_columns)]
    narrowed = query
    for column, value in zip(columns, key, strict=True):
        index, _ = scope.slot(value, None)
        node = column.output_field.get_lookup("exact")(column, Param(index, column.output_field))
        node.is_resolved = True
        narrowed = narrowed.with_step(node)
    for mark in marks(end.target, end.hops[0]) if len(end.hops) == 1 else ():
        narrowed = narrowed.with_step(mark)
    # The first filter() on a many-to-many manager speaks of the same link as the manager itself.
    sticky = len(end.hops) > 1
    tie = (len(query.steps), len(key))
    return narrowed.but(size=query.size + len(key), group=scope.group or 0, sticky=sticky, tie=tie), scope


class KeyManager(RelatedManager[M]):
    """Rows that hold the key themselves: the way back of a foreign key."""

    @property
    def forward(self) -> str:
        return str(self.end.inverse.name)

    def _need_key(self) -> None:
        if not self.instance._is_pk_set():
            raise ValueError(
                f"{type(self.instance).__name__!r} instance needs to have a primary key value before this relationship "
                "can be used."
            )

    def _need_value(self) -> None:
        """Rows can only be made to belong to an owner whose key is known."""
        self._need_key()
        for name, value in zip(self.names, self.key, strict=True):
            if value is None:
                raise ValueError(
                    f'"{self.instance!r}" needs to have a value for field "{name}" before this relationship can be '
                    "used."
                )

    def _check(self, obj: Any) -> None:
        if not isinstance(obj, self.model) or not is_a(type(obj).__entity__, self.end.target):
            raise TypeError(f"'{self.model._meta.object_name}' instance expected, got {obj!r}")

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
        if self.end.inverse.minimum:
            yield from self._add(session, objs, bulk=bulk)
            return
        if clear:
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


class ManyRelatedManager(RelatedManager[M]):
    """Rows behind a link table: either side of a many-to-many."""

    def __init__(self, instance: Any) -> None:
        super().__init__(instance)
        self.through = self.end.relation.link.model
        link = self.end.relation.link
        # The link's attributes for this side and for the other, and the names of their foreign keys.
        self.here = link.attributes_of(self.end.hops[0].target_columns)
        self.there = link.attributes_of(self.end.hops[1].source_columns)
        if instance is not None:
            self._need_key()

    @property
    def source_field_name(self) -> str:
        return str(self.here[0].field.key_field.name)

    @property
    def target_field_name(self) -> str:
        return str(self.there[0].field.key_field.name)

    def _need_key(self) -> None:
        name = type(self.instance).__name__
        if None in self.key:
            raise ValueError(
                f'"{self.instance!r}" needs to have a value for field "{self.names[0]}" before this many-to-many '
                "relationship can be used."
            )
        if not self.instance._is_pk_set():
            raise ValueError(
                f"{name!r} instance needs to have a primary key value before a many-to-many relationship can be used."
            )

    def _get_target_ids(self, objs: Iterable[Any]) -> list[Any]:
        """The keys of the other side: of instances, which are checked, or given. Keys of several fields are tuples."""
        targets = self.end.target.attributes_of(self.end.remote_columns)
        found: list[tuple[Any, ...]] = []
        for obj in objs:
            if hasattr(obj, "_meta"):
                if not is_a(type(obj).__entity__, self.end.target):
                    raise TypeError(f"'{self.model._meta.object_name}' instance expected, got {obj!r}")
                if not routing.allow_relation(obj, self.instance):
                    raise ValueError(
                        f'Cannot add "{obj!r}": instance is on database "{self.instance._state.db}", '
                        f'value is on database "{obj._state.db}"'
                    )
                key = tuple(getattr(obj, a.name) for a in targets)
                if None in key:
                    raise ValueError(f'Cannot add "{obj!r}": the value for field "{self.target_field_name}" is None')
            else:
                if hasattr(obj, "as_subquery"):
                    raise TypeError(f"'{self.model._meta.object_name}' instance expected, got {obj!r}")
                values = obj if isinstance(obj, tuple) and len(targets) > 1 else (obj,)
                key = tuple(a.value_type.prepare(v) for a, v in zip(targets, values, strict=True))
            found.append(key)
        return [plain(key) for key in dict.fromkeys(found)]

    # -- creating ------------------------------------------------------------------------------------------------------

    def _create(self, session: Session, kwargs: dict[str, Any]) -> Operation[Any]:
        through_defaults = kwargs.pop("through_defaults", None)
        return (yield from atomically(session, self._create_linked(session, kwargs, through_defaults)))

    def _create_linked(self, session: Session, kwargs: dict[str, Any], through_defaults: Any) -> Operation[Any]:
        row = yield from self._queryset(session)._create(session, kwargs)
        yield from self._add(session, (row,), through_defaults=through_defaults)
        return row

    def _get_or_create(self, session: Session, defaults: Any, kwargs: dict[str, Any]) -> Operation[Any]:
        through_defaults = kwargs.pop("through_defaults", None)
        rows = self._narrowed(self._queryset(session))
        row, made = yield from rows._get_or_create(session, defaults, kwargs)
        if made:
            yield from self._add(session, (row,), through_defaults=through_defaults)
        return row, made

    def _update_or_create(
        self, session: Session, defaults: Any, create_defaults: Any, kwargs: dict[str, Any]
    ) -> Operation[Any]:
        through_defaults = kwargs.pop("through_defaults", None)
        rows = self._narrowed(self._queryset(session))
        row, made = yield from rows._update_or_create(session, defaults, create_defaults, kwargs)
        if made:
            yield from self._add(session, (row,), through_defaults=through_defaults)
        return row, made

    # -- linking -------------------------------------------------------------------------------------------------------

    def _add(
        self, session: Session, objs: tuple[Any, ...], through_defaults: Any = None, raw: bool = False
    ) -> Operation[None]:
        self._remove_prefetched()
        ids = self._get_target_ids(objs)
        yield from atomically(session, self._link_both(session, ids, through_defaults, raw))

    def _link_both(self, session: Session, ids: list[Any], through_defaults: Any, raw: bool) -> Operation[None]:
        yield from self._link(session, ids, self.here, self.there, through_defaults, raw)
        if self.end.relation.symmetrical:
            yield from self._link(session, ids, self.there, self.here, through_defaults, raw)

    def _link(
        self, session: Session, ids: list[Any], here: Any, there: Any, through_defaults: Any, raw: bool
    ) -> Operation[None]:
        if not ids:
            return
        defaults = {k: v() if callable(v) else v for k, v in (through_defaults or {}).items()}
        ignored, _, fast = self._get_add_plan(here)
        if not fast:
            ids = self._get_missing_target_ids(ids, (yield from self._linked(session, ids, here, there)))
        self._send(session, "pre_add", ids, here, raw)
        if ids:
            rows = [self._row(here, there, key, defaults) for key in ids]
            links = self.through._default_manager.using(session.alias)
            yield from links._bulk_create(session, rows, ignore_conflicts=ignored)
        self._send(session, "post_add", ids, here, raw)

    def _get_add_plan(self, here: Any) -> tuple[bool, bool, bool]:
        """How links are added: whether links that are there may be ignored by the database, whether receivers are told,
        and whether it is fast, since nobody has to know which links are missing."""
        ignored = bool(self.through._meta.auto_created)
        told = self._tells(here) and signals.m2m_changed.has_listeners(self.through)
        return ignored, told, ignored and not told

    def _get_missing_target_ids(self, ids: list[Any], linked: set[Any]) -> list[Any]:
        """Which of ``ids`` have no link yet."""
        return [key for key in ids if key not in linked]

    def _linked(self, session: Session, ids: list[Any] | None, here: Any, there: Any) -> Operation[set[Any]]:
        """Which of ``ids`` (or which at all) this row is linked to. One query."""
        links = _side(here, [plain(self.key)]) & (_side(there, ids) if ids is not None else EVERY)
        names = [a.name for a in there]
        rows = self.through._default_manager.using(session.alias).filter(links).values_list(*names)
        return {plain(key) for key in (yield from rows._load(session))}

    def _row(self, here: Any, there: Any, key: Any, defaults: dict[str, Any]) -> Any:
        values = dict(zip([a.name for a in here], self.key, strict=True))
        values.update(zip([a.name for a in there], key if len(there) > 1 else (key,), strict=True))
        return self.through(**values, **defaults)

    def _remove(self, session: Session, objs: tuple[Any, ...], raw: bool = False) -> Operation[None]:
        self._remove_prefetched()
        if objs:
            yield from atomically(session, self._unlink(session, self._get_target_ids(objs), raw))

    def _unlink(self, session: Session, ids: list[Any], raw: bool) -> Operation[None]:
        self._send(session, "pre_remove", ids, self.here, raw)
        rows = self.through._default_manager.using(session.alias).filter(self._links(ids))
        yield from rows._delete(session)
        self._send(session, "post_remove", ids, self.here, raw)

    def _links(self, ids: list[Any] | None) -> Any:
        """The condition for the links of this row, to ``ids`` or to all."""
        own = [plain(self.key)]
        from_here = _side(self.here, own) & (_side(self.there, ids) if ids is not None else EVERY)
        if self.end.relation.symmetrical:
            from_there = _side(self.there, own) & (_side(self.here, ids) if ids is not None else EVERY)
            return from_here | from_there
        return from_here

    def _clear(self, session: Session, raw: bool = False) -> Operation[None]:
        self._remove_prefetched()
        yield from atomically(session, self._unlink_all(session, raw))

    def _unlink_all(self, session: Session, raw: bool) -> Operation[None]:
        self._send(session, "pre_clear", None, self.here, raw)
        rows = self.through._default_manager.using(session.alias).filter(self._links(None))
        yield from rows._delete(session)
        self._send(session, "post_clear", None, self.here, raw)

    def set_base(self, objs: Iterable[M | Key], *, raw: bool = False, **options: Any) -> None:
        """``set()`` for loaders of data: with ``raw`` the receivers of ``m2m_changed`` are told that rows which belong
        to these may not be there yet."""
        self._write_database().run(self._set, objs, raw=raw, **options)

    async def aset_base(self, objs: Iterable[M | Key], *, raw: bool = False, **options: Any) -> None:
        await self._write_database().arun(self._set, objs, raw=raw, **options)

    def _set(
        self,
        session: Session,
        objs: Iterable[Any],
        clear: bool = False,
        through_defaults: Any = None,
        raw: bool = False,
    ) -> Operation[None]:
        objs = tuple(objs)
        self._get_target_ids(objs)
        yield from atomically(session, self._replace(session, objs, clear, through_defaults, raw))

    def _replace(
        self, session: Session, objs: tuple[Any, ...], clear: bool, through_defaults: Any, raw: bool
    ) -> Operation[None]:
        if clear:
            yield from self._clear(session, raw)
            yield from self._add(session, objs, through_defaults, raw)
            return
        old = yield from self._linked(session, None, self.here, self.there)
        wanted = self._get_target_ids(objs)
        yield from self._remove(session, tuple(old.difference(wanted)), raw)
        yield from self._add(session, tuple(key for key in wanted if key not in old), through_defaults, raw)

    def _tells(self, here: Any) -> bool:
        """Whether receivers are told of links from this side: those of a symmetrical relation's other side follow."""
        return here is self.here or not self.end.relation.symmetrical

    def _send(self, session: Session, action: str, ids: list[Any] | None, here: Any, raw: bool) -> None:
        if not signals.m2m_changed.receivers or not self._tells(here):
            return
        signals.m2m_changed.send(
            sender=self.through, action=action, instance=self.instance, reverse=not self.end.is_forward,
            model=self.model, pk_set=None if ids is None else set(ids), using=session.alias, raw=raw,
        )  # fmt: skip


def _side(attributes: Any, ids: list[Any]) -> Any:
    """One side of a link is one of ``ids``."""
    name = attributes[0].name if len(attributes) == 1 else attributes[0].field.key_field.name
    return Q((name, ids[0])) if len(ids) == 1 else Q((f"{name}__in", ids))


def plain(key: Any) -> Any:
    """The key of a row as it is told: of one field its value, of several a tuple."""
    return key[0] if isinstance(key, tuple) and len(key) == 1 else key


EVERY = Q()
