"""Managers of rows behind a link table, ``post.tags``: either side of a many-to-many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from crowsfoot.conf import settings
from crowsfoot.database import DEFAULT, databases
from crowsfoot.drivers.run import Operation
from crowsfoot.errors import IntegrityError
from crowsfoot.functional import unwrapped
from crowsfoot.models import routing, signals
from crowsfoot.models.link_plans import links_of
from crowsfoot.models.related_managers import Key, RelatedManager
from crowsfoot.models.related_rows import NOT_LOADED
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.query.conditions import Q
from crowsfoot.query.related_values import is_a
from crowsfoot.schema.relation import End

M = TypeVar("M")


class ManyRelatedManager(RelatedManager[M]):
    """Rows behind a link table: either side of a many-to-many."""

    class_name = "ManyRelatedManager"

    through: Any
    # The link's attributes for this side and for the other.
    here: Any
    there: Any
    # How links are added, by database.
    link_plans: dict[str, Any]

    def __init__(self, instance: Any) -> None:
        super().__init__(instance)
        if instance is not None:
            self._need_key()

    @classmethod
    def shared(cls, end: End) -> dict[str, Any]:
        link = end.relation.link
        assert link is not None
        here, there = link.attributes_of(end.hops[0].target_columns), link.attributes_of(end.hops[1].source_columns)
        return {**super().shared(end), "through": link.model, "here": here, "there": there, "link_plans": {}}

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
                f'"{self.instance!r}" needs to have a value for field "{self.side.names[0]}" before this many-to-many '
                "relationship can be used."
            )
        if not self.instance._is_pk_set():
            raise ValueError(
                f"{name!r} instance needs to have a primary key value before a many-to-many relationship can be used."
            )

    def _get_target_ids(self, objs: Iterable[Any]) -> list[Any]:
        """The keys of the other side: of instances, which are checked, or given. Keys of several fields are tuples."""
        targets = self._targets
        found: list[tuple[Any, ...]] = []
        for obj in map(unwrapped, objs):
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

    @property
    def _rows_database(self: Any) -> Any:
        return self._routed(type(self.instance))

    @property
    def _links_database(self: Any) -> Any:
        return self._routed(self.through)

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

    def _given(self, session: Session, kwargs: dict[str, Any]) -> Operation[dict[str, Any]]:
        return {name: value for name, value in kwargs.items() if name != "through_defaults"}
        yield

    def _take_in(self, session: Session, row: Any, kwargs: dict[str, Any]) -> Operation[None]:
        yield from self._add(session, (row,), through_defaults=kwargs.get("through_defaults"))

    # -- linking -------------------------------------------------------------------------------------------------------

    def add(self: Any, *objs: M | Key, **options: Any) -> None:
        """Link these rows, given as instances or by their keys; those that are linked already stay.

        One statement where nobody is told of it and the link table is the relation's own; else also a query for those
        that are there, in a transaction.
        """
        if options or settings.DATABASE_ROUTERS or not self._add_directly(objs):
            super().add(*objs, **options)

    def _add_directly(self: Any, objs: tuple[Any, ...]) -> bool:
        """Link by a plan on this thread's connection, the direct way; False where there is none."""
        origin = self.instance._origin
        database = databases[self._db or (origin and origin.db) or DEFAULT]
        plan = links_of(self, database.alias, database.dialect)
        keys = None if plan is None else plan.keys(self.instance, objs)
        if plan is None or keys is None:
            return False
        if self.side.kept(self.instance) is not NOT_LOADED or type(self.instance) is not self.side.owner:
            self._remove_prefetched()
        if objs:
            database.carry(plan.request(keys), plan.table, plan.explain, keys)
        return True

    def _add_planned(self, session: Session, objs: tuple[Any, ...]) -> Operation[bool]:
        """``_add_directly`` as part of an operation."""
        plan = links_of(self, session.alias, session.dialect)
        keys = None if plan is None else plan.keys(self.instance, objs)
        if plan is None or keys is None:
            return False
        self._remove_prefetched()
        if objs:
            session.wrote(plan.table)
            try:
                yield plan.request(keys)
            except IntegrityError as error:
                yield from plan.explain(error, keys)
                raise
        return True

    def _add(
        self, session: Session, objs: tuple[Any, ...], through_defaults: Any = None, raw: bool = False
    ) -> Operation[None]:
        is_general = through_defaults or raw or settings.DATABASE_ROUTERS
        if not is_general and (yield from self._add_planned(session, objs)):
            return
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
        yield from self._send(session, "pre_add", ids, here, raw)
        if ids:
            rows = [self._row(here, there, key, defaults) for key in ids]
            links = self.through._default_manager.using(session.alias)
            yield from links._bulk_create(session, rows, ignore_conflicts=ignored)
        yield from self._send(session, "post_add", ids, here, raw)

    def _get_add_plan(self, here: Any) -> tuple[bool, bool, bool]:
        """How links are added: whether links that are there may be ignored by the database, whether receivers are told,
        and whether it is fast, since nobody has to know which links are missing."""
        ignored = bool(self.through._meta.auto_created)
        told = self._tells(here) and signals.m2m_changed.has_listeners(self.through)
        return ignored, told, ignored and not told

    usual_add_plan = _get_add_plan

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
        yield from self._send(session, "pre_remove", ids, self.here, raw)
        seen = self._seen(session)
        held = ids if seen is None or not ids else seen.filter(_side(self._targets, ids))
        yield from self._unlink_held(session, held)
        yield from self._send(session, "post_remove", ids, self.here, raw)

    def _unlink_held(self, session: Session, held: Any) -> Operation[None]:
        rows = self.through._default_manager.using(session.alias).filter(self._links(held))
        yield from rows._delete(session)

    def _seen(self, session: Session) -> Any:
        """The keys of the rows that the target's manager shows, as a queryset; None where it shows all."""
        rows = self.base_class.get_queryset(self)
        if not (rows._query.steps or rows._query.empty):
            return None
        return rows.using(session.alias).values_list(*[a.name for a in self._targets])

    @property
    def _targets(self) -> Any:
        """The attributes of the other side's rows that links name."""
        return self.end.target.attributes_of(self.end.remote_columns)

    def _links(self, ids: Any) -> Any:
        """The condition for the links of this row, to ``ids`` (a list, or a queryset of keys) or, with None, to all."""
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
        yield from self._send(session, "pre_clear", None, self.here, raw)
        yield from self._unlink_held(session, self._seen(session))
        yield from self._send(session, "post_clear", None, self.here, raw)

    def set_base(self, objs: Iterable[M | Key], *, raw: bool = False, **options: Any) -> None:
        """``set()`` for loaders of data: with ``raw`` the receivers of ``m2m_changed`` are told that rows which belong
        to these may not be there yet."""
        self._links_database.run(self._set, objs, raw=raw, **options)

    async def aset_base(self, objs: Iterable[M | Key], *, raw: bool = False, **options: Any) -> None:
        await self._links_database.arun(self._set, objs, raw=raw, **options)

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

    def _send(self, session: Session, action: str, ids: list[Any] | None, here: Any, raw: bool) -> Operation[None]:
        if not signals.m2m_changed.receivers or not self._tells(here):
            return
        pk_set = None if ids is None else set(ids)
        yield from signals.tell(
            signals.m2m_changed, self.through, action=action, instance=self.instance,
            reverse=not self.end.is_forward, model=self.model, pk_set=pk_set, using=session.alias, raw=raw,
        )  # fmt: skip


def _side(attributes: Any, ids: Any) -> Any:
    """One side of a link is one of ``ids``, a list or a queryset of keys."""
    name = attributes[0].name if len(attributes) == 1 else attributes[0].field.key_field.name
    return Q((name, ids[0])) if isinstance(ids, list) and len(ids) == 1 else Q((f"{name}__in", ids))


def plain(key: Any) -> Any:
    """The key of a row as it is told: of one field its value, of several a tuple."""
    return key[0] if isinstance(key, tuple) and len(key) == 1 else key


EVERY = Q()
