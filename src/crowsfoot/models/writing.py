"""What querysets write: `create`, `bulk_create`, `update`, `delete`, `get_or_create`, …

Each is an operation written once, and two thin methods that drive it: ``create()`` and ``acreate()``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from crowsfoot.conf import settings
from crowsfoot.database import databases
from crowsfoot.drivers.run import Operation
from crowsfoot.errors import FieldDoesNotExist, FieldError, IntegrityError, unknown_name
from crowsfoot.models import routing
from crowsfoot.models.delete_plan import CAP, DeletePlan, read_delete_plan
from crowsfoot.models.deletion import Doomed, delete_alone
from crowsfoot.models.fields.base import DatabaseDefault, Field
from crowsfoot.models.own_save import always_returned, save_through
from crowsfoot.models.places import take_places
from crowsfoot.models.updating import Updating
from crowsfoot.models.write_plans import insert_planned, save_directly
from crowsfoot.persistence.cohort import Cohort
from crowsfoot.persistence.save import insert_rows
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.query.expressions import Value, name_of
from crowsfoot.schema.relation import slot_of
from crowsfoot.sql.write import Conflict

M = TypeVar("M")


class Writing(Updating[M], Generic[M]):
    """The writing half of `QuerySet`."""

    # -- one row -------------------------------------------------------------------------------------------------------

    def create(self: Any, **kwargs: Any) -> M:
        """Make an instance and save it. One statement. Raises ``TypeError`` for names that are no fields."""
        model = self.model
        plain = model._meta.init_names  # of fields, which need no closer look
        obj = model(**kwargs) if plain.issuperset(kwargs) else self._new(kwargs)
        alias = routing.write(model, self._hints) if self._db is None and settings.DATABASE_ROUTERS else self.db
        if not save_directly(obj, None, True, alias):
            databases[alias].run(save_new, obj)
        if self._fetch_mode is not None:
            obj._state.fetch_mode = self._fetch_mode
        return obj

    async def acreate(self: Any, **kwargs: Any) -> M:
        return await self._write_to.arun(self._create, kwargs)

    def _create(self: Any, session: Session, kwargs: dict[str, Any]) -> Operation[M]:
        obj = self._new(kwargs)
        yield from save_new(session, obj)
        if self._fetch_mode is not None:
            obj._state.fetch_mode = self._fetch_mode
        return obj

    def _new(self: Any, kwargs: dict[str, Any]) -> Any:
        reverse = {r.get_accessor_name() for r in self.model._meta.related_objects if r.one_to_one} & set(kwargs)
        if reverse:
            raise ValueError(f"The following fields do not exist in this model: {', '.join(sorted(reverse))}")
        return self.model(**kwargs)

    def get_or_create(self: Any, defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        """The row that meets the look-ups, else a new one made of them and ``defaults``; and whether it is new.

        One query where the row is there, else two statements in a savepoint; safe where another transaction makes the
        same row, given that a unique constraint holds.
        """
        return self._write_to.run(self._get_or_create, defaults, kwargs)

    async def aget_or_create(self: Any, defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        return await self._write_to.arun(self._get_or_create, defaults, kwargs)

    def _get_or_create(self: Any, session: Session, defaults: Any, kwargs: dict[str, Any]) -> Operation[Any]:
        rows = self.using(session.alias)
        try:
            return (yield from rows.filter(**kwargs)._get(session)), False
        except self.model.DoesNotExist:
            pass
        params = self._params(defaults, kwargs)
        try:
            made = yield from atomically(session, rows._create(session, _called(params)), savepoint=True)
            return made, True
        except IntegrityError:
            try:
                return (yield from rows.filter(**kwargs)._get(session)), False
            except self.model.DoesNotExist:
                pass
            raise

    def update_or_create(self: Any, defaults: Any = None, create_defaults: Any = None, **kwargs: Any) -> tuple[M, bool]:
        """The row that meets the look-ups, with ``defaults`` set, or a new one; and if it is new. In a transaction."""
        return self._write_to.run(self._update_or_create, defaults, create_defaults, kwargs)

    async def aupdate_or_create(
        self: Any, defaults: Any = None, create_defaults: Any = None, **kwargs: Any
    ) -> tuple[M, bool]:
        found = await self._write_to.arun(self._update_or_create, defaults, create_defaults, kwargs)
        return found

    def _update_or_create(
        self: Any, session: Session, defaults: Any, create_defaults: Any, kwargs: dict[str, Any]
    ) -> Operation[Any]:
        update = defaults or {}
        new = update if create_defaults is None else create_defaults
        return (yield from atomically(session, self._update_or_make(session, update, new, kwargs), savepoint=True))

    def _update_or_make(
        self: Any, session: Session, update: dict[str, Any], new: dict[str, Any], kwargs: dict[str, Any]
    ) -> Operation[Any]:
        rows = self.using(session.alias)
        obj, made = yield from rows.select_for_update()._get_or_create(session, new, kwargs)
        if made:
            return obj, True
        for name, value in _called(update).items():
            setattr(obj, name, value)
        meta = self.model._meta
        names = set(update)
        known = {n for f in meta.concrete_fields if not f.in_key for n in (f.name, f.attname)}
        options: dict[str, Any] = {}
        if names <= known:
            for field in meta.local_concrete_fields:
                if not (field.in_key or type(field).pre_save is Field.pre_save):
                    names.add(field.name)
                    if field.name != field.attname:
                        names.add(field.attname)
            if not names:
                return obj, False
            options["update_fields"] = names & known
        obj._prepare_related_fields_for_save("save")
        yield from save_through(session, obj, options)
        return obj, False

    def _params(self: Any, defaults: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        """What a new row is made of: the look-ups that name fields, and the defaults."""
        params = {k: v for k, v in kwargs.items() if "__" not in k}
        params.update(defaults or {})
        meta = self.model._meta
        invalid = []
        for name in params:
            if name == "pk":
                continue
            try:
                meta.get_field(name)
            except FieldDoesNotExist:
                declared = getattr(self.model, name, None)
                if not (isinstance(declared, property) and declared.fset):
                    invalid.append(name)
        if invalid:
            listed = "', '".join(sorted(invalid))
            near = unknown_name("field", sorted(invalid)[0], meta.label, [f.name for f in meta.fields])
            raise FieldError(f"Invalid field name(s) for model {meta.object_name}: '{listed}'. {near}")
        return params

    # -- many rows -----------------------------------------------------------------------------------------------------

    def bulk_create(
        self: Any,
        objs: Iterable[M],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Any = None,
        unique_fields: Any = None,
    ) -> list[M]:
        """Insert many instances, one statement for each batch and without signals; returns them with their keys."""
        options = self._bulk_options(objs, batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields)
        return self._write_to.run(self._bulk_create, **options) if options["objs"] else options["objs"]

    async def abulk_create(
        self: Any,
        objs: Iterable[M],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Any = None,
        unique_fields: Any = None,
    ) -> list[M]:
        options = self._bulk_options(objs, batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields)
        return await self._write_to.arun(self._bulk_create, **options) if options["objs"] else options["objs"]

    def _bulk_options(
        self: Any, objs: Any, batch_size: Any, ignore: bool, update: bool, update_fields: Any, unique_fields: Any
    ) -> dict[str, Any]:
        if batch_size is not None and batch_size <= 0:
            raise ValueError("Batch size must be a positive integer.")
        meta = self.model._meta
        for parent in meta.all_parents:
            if parent._meta.concrete_model is not meta.concrete_model:
                raise ValueError("Can't bulk create a multi-table inherited model")
        conflict = self._conflict(ignore, update, update_fields, unique_fields)
        objs = list(objs)
        relations = frozenset(slot_of(f.name) for f in meta.fields if f.is_relation)
        for obj in objs if relations or meta.private_fields else ():
            if meta.private_fields or not relations.isdisjoint(obj.__dict__):
                obj._prepare_related_fields_for_save("bulk_create")
        return {"objs": objs, "batch_size": batch_size, "ignore_conflicts": ignore, "conflict": conflict}

    def _conflict(self: Any, ignore: bool, update: bool, update_fields: Any, unique_fields: Any) -> Conflict | None:
        if ignore and update:
            raise ValueError("ignore_conflicts and update_conflicts are mutually exclusive.")
        if not update:
            return None
        update_fields, unique_fields = (names and [*map(name_of, names)] for names in (update_fields, unique_fields))
        if not update_fields:
            raise ValueError("Fields that will be updated when a row insertion fails on conflicts must be provided.")
        if not unique_fields:
            raise ValueError("Unique fields that can trigger the upsert must be provided.")
        meta = self.model._meta
        changed = [part for n in update_fields for part in meta.get_field(n).parts]
        unique = [part for n in unique_fields for part in (meta.pk if n == "pk" else meta.get_field(n)).parts]
        for fields, what in ((changed, "with update_fields"), (unique, "with unique_fields")):
            if any(not f.concrete or f.many_to_many for f in fields):
                raise ValueError(f"bulk_create() can only be used with concrete fields {what.replace('with', 'in')}.")
        if any(f.in_key for f in changed):
            raise ValueError("bulk_create() cannot be used with primary keys in update_fields.")
        attributes = meta.entity.attributes
        return Conflict([attributes[f.attname] for f in unique], [attributes[f.attname] for f in changed])

    def _bulk_create(
        self: Any,
        session: Session,
        objs: Sequence[Any],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        conflict: Conflict | None = None,
    ) -> Operation[list[Any]]:
        if ignore_conflicts:
            conflict = IGNORE
        is_plain = conflict is None or conflict is IGNORE
        if is_plain and (yield from insert_planned(session, self.model, objs, batch_size, ignore_conflicts)):
            return list(objs)
        meta = self.model._meta.concrete_model._meta
        batches = list(_batches(meta, session.dialect.max_query_params, objs, batch_size))
        work = self._insert_all(session, meta, objs, batches, conflict)
        is_one = len(batches) == 1 and not meta.private_fields and not meta.order_with_respect_to
        yield from work if is_one else atomically(session, work)  # one statement is all or nothing by itself
        return list(objs)

    def _insert_all(
        self: Any, session: Session, meta: Any, objs: Sequence[Any], batches: list[Any], conflict: Conflict | None
    ) -> Operation[None]:
        for field in meta.private_fields:
            for obj in objs:
                yield from field.settle(session, obj)
        if meta.order_with_respect_to:
            yield from take_places(session, self.model, objs)
        for group, fields, unset in batches:
            yield from self._insert_batch(session, meta, group, fields, unset, conflict)

    def _insert_batch(
        self: Any,
        session: Session,
        meta: Any,
        objs: Sequence[Any],
        fields: list[Any],
        unset: tuple[Any, ...],
        conflict: Conflict | None,
    ) -> Operation[None]:
        attributes = meta.entity.attributes
        rows = [[_saved(field, obj) for field in fields] for obj in objs]
        dropped = [i for i in range(len(fields)) if all(isinstance(row[i], DatabaseDefault) for row in rows)]
        asked = [i for i, field in enumerate(fields) if i in dropped or _comes_back(field, [row[i] for row in rows])]
        returning = [attributes[fields[i].attname] for i in asked]
        kept = [i for i in range(len(fields)) if i not in dropped]
        rows = [[_default_or(row[i]) for i in kept] for row in rows]
        returning += [attributes[field.attname] for field in unset]
        returning += [attributes[f.attname] for f in meta.local_concrete_fields if f.generated]
        if conflict is not None and conflict is IGNORE:
            returning = []
        columns = tuple(attributes[fields[i].attname] for i in kept)
        if not columns and len(rows) > 1:
            work = (self._insert_empty(session, meta.entity, obj, returning, conflict) for obj in objs)
            yield from atomically(session, _one_by_one(work))
            return
        found = yield from insert_rows(session, meta.entity, columns, rows, tuple(returning), conflict)
        _filled(session, objs, returning, found)

    def _insert_empty(
        self: Any, session: Session, entity: Any, obj: Any, returning: list[Any], conflict: Conflict | None
    ) -> Operation[None]:
        found = yield from insert_rows(session, entity, (), [[]], tuple(returning), conflict)
        _filled(session, [obj], returning, found)

    # -- sets of rows --------------------------------------------------------------------------------------------------

    def delete(self: Any) -> tuple[int, dict[str, int]]:
        """Delete all rows and do what each ``on_delete`` says; how many rows were deleted, in all and by model."""
        self._check_delete()
        self._forget_rows()
        return self._write_to.run(self._delete)

    async def adelete(self: Any) -> tuple[int, dict[str, int]]:
        self._check_delete()
        self._forget_rows()
        return await self._write_to.arun(self._delete)

    delete.alters_data = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    delete.queryset_only = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    adelete.queryset_only = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]

    def _check_delete(self: Any) -> None:
        self._refuse_combined("delete")
        if self._low or self._high is not None:
            raise TypeError("Cannot use 'limit' or 'offset' with delete().")
        if self._query.distinct_on:
            raise TypeError("Cannot call delete() after .distinct(*fields).")
        if self._query.columns is not None:
            raise TypeError("Cannot call delete() after .values() or .values_list()")

    def _delete(self: Any, session: Session) -> Operation[tuple[int, dict[str, int]]]:
        return (yield from self._doomed(session.alias).delete(session))

    def delete_plan(self: Any, *, cap: int | None = CAP) -> DeletePlan:
        """What `delete` would do, as a tree of relations, rules and numbers of rows (`DeletePlan`). Changes nothing.

        A query for each relation that leaves rows that would go, which counts no further than ``cap`` (None: to the
        end) and loads nothing but the first rows that forbid the delete.
        """
        self._check_delete()
        return self._write_to.run(read_delete_plan, self._doomed(self._write_to.alias), cap)

    async def adelete_plan(self: Any, *, cap: int | None = CAP) -> DeletePlan:
        """``delete_plan``, awaited."""
        self._check_delete()
        return await self._write_to.arun(read_delete_plan, self._doomed(self._write_to.alias), cap)

    delete_plan.queryset_only = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    adelete_plan.queryset_only = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]

    def _doomed(self: Any, alias: str) -> Doomed:
        return Doomed.of_rows(self.order_by().select_related(None).using(alias), self)

    def _raw_delete(self: Any, using: str) -> int:
        """Delete the rows of this table alone, without rules and signals."""
        return databases[using].run(delete_alone, self)


IGNORE = Conflict()


def _batches(meta: Any, room: int, objs: Sequence[Any], size: int | None) -> Iterator[tuple[Any, Any, Any]]:
    """Instances that one INSERT takes, with the fields that it writes and those of the key that it leaves out."""
    fields = [f for f in meta.local_concrete_fields if not f.generated]
    groups: dict[tuple[Any, ...], list[Any]] = {(): []}  # by the fields of the key that the database will fill
    for obj in objs:
        groups.setdefault(tuple(field for field in meta.pk_fields if _lacks_key(obj, field)), []).append(obj)
    for unset, group in groups.items():
        chosen = [f for f in fields if f not in unset]
        most = max(1, room // max(1, len(chosen)))
        step = min(most, size or most)
        for start in range(0, len(group), step):
            yield group[start : start + step], chosen, unset


def _one_by_one(operations: Iterable[Operation[None]]) -> Operation[None]:
    for operation in operations:
        yield from operation


def _lacks_key(obj: Any, field: Any) -> bool:
    """Whether the database is to fill this field of the key; a default of Python's is taken here."""
    value = getattr(obj, field.attname)
    if value is None and field.has_default():
        value = field.get_default()
        setattr(obj, field.attname, value)
    return value is None or isinstance(value, DatabaseDefault)


def save_new(session: Session, obj: Any) -> Operation[None]:
    """Save a new instance, as ``create`` does; a ``save`` of the model's own is called where it has one."""
    obj._prepare_related_fields_for_save("save")
    yield from save_through(session, obj, {"force_insert": True})


def _called(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value() if callable(value) else value for name, value in params.items()}


def _saved(field: Any, obj: Any) -> Any:
    value = field.pre_save(obj, True)
    if isinstance(value, DatabaseDefault) or hasattr(value, "resolve_expression"):
        return value
    return field.get_prep_value(value)


def _comes_back(field: Any, values: list[Any]) -> bool:
    """Whether the database is asked what it made of a column."""
    return always_returned(field) or any(hasattr(value, "resolve_expression") for value in values)


def _default_or(value: Any) -> Any:
    """A row of a batch that leaves a column to the database, among others that do not."""
    if isinstance(value, DatabaseDefault):
        expression = value.expression
        return expression if hasattr(expression, "resolve_expression") else Value(expression)
    return value


def _filled(session: Session, objs: Sequence[Any], returning: list[Any], rows: list[Any]) -> None:
    """Give new rows what the database filled in, and their origin."""
    names = [a.name for a in returning]
    for obj, row in zip(objs, rows, strict=False):
        obj.__dict__.update(zip(names, row, strict=True))
    cohort = Cohort(session.alias, objs)
    for obj in objs:
        obj.__dict__["_origin"] = cohort
        obj.__dict__.pop("_adding", None)
