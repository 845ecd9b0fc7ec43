"""What an instance does with its row: `save`, `delete`, `refresh_from_db`, and their awaitable twins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crowsfoot.database import databases
from crowsfoot.drivers.run import Operation
from crowsfoot.errors import DatabaseError, SynchronousOnlyOperation, unknown_name
from crowsfoot.models import routing, signals
from crowsfoot.models.attributes import answer, questions
from crowsfoot.models.conditional import forget
from crowsfoot.models.delete_plan import CAP, DeletePlan, read_delete_plan
from crowsfoot.models.deletion import Doomed, delete_instances
from crowsfoot.models.fields.base import DatabaseDefault
from crowsfoot.models.own_save import always_returned, is_usual
from crowsfoot.models.places import take_places
from crowsfoot.models.related_rows import forget_prefetched
from crowsfoot.models.write_plans import save_directly, save_planned
from crowsfoot.persistence.cohort import lone
from crowsfoot.persistence.save import insert_rows, update_row
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.query.expressions import name_of
from crowsfoot.schema.entity import Attribute
from crowsfoot.schema.relation import slot_of

LOOKUP_SEP = "__"


class Persistence:
    """The persistence half of `Model`."""

    # -- save ----------------------------------------------------------------------------------------------------------

    def save(
        self: Any,
        *,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[Any] | None = None,
    ) -> None:
        """Write this instance to its row, or to a new one. One statement (and one for each inherited table).

        ``update_fields`` writes these fields alone. Raises ``IntegrityError`` where a constraint is violated and
        ``NotUpdated`` where a forced update finds no row.
        """
        if update_fields is not None:
            update_fields = tuple(map(name_of, update_fields))
        if force_insert is False and not force_update and save_directly(self, update_fields, False, using):
            return
        alias = self._write_alias(using)
        options = self._save_options(alias, force_insert, force_update, update_fields)
        if options is not None:
            databases[alias].run(self._save, options)

    async def asave(
        self: Any,
        *,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[Any] | None = None,
    ) -> None:
        if not is_usual(type(self).save) and is_usual(type(self).asave):
            raise SynchronousOnlyOperation(
                f"{self._meta.label} has a save() of its own, which async code cannot run: give it an asave() too."
            )
        alias = self._write_alias(using)
        options = self._save_options(alias, force_insert, force_update, update_fields)
        if options is not None:
            await databases[alias].arun(self._save, options)

    # What a model has of its own in place of these is called where rows are created (see ``save_through``).
    save.is_usual = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    asave.is_usual = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]

    def _write_alias(self: Any, using: str | None) -> str:
        return using or routing.write(type(self), {"instance": self})

    def _save_options(
        self: Any, alias: str, force_insert: Any, force_update: bool, update_fields: Any
    ) -> dict[str, Any] | None:
        """The checked arguments of ``save``; None where there is nothing to save."""
        self._prepare_related_fields_for_save("save")
        if force_insert and (force_update or update_fields):
            raise ValueError("Cannot force both insert and updating in model saving.")
        _check_forced(type(self), force_insert)
        if update_fields is not None:
            if not update_fields:
                return None
            update_fields = frozenset(map(name_of, update_fields))
            meta = self._meta
            names = {n for f in meta.fields if not all(p.in_key for p in f.parts) for n in (f.name, f.attname)}
            unknown = sorted(update_fields - names)
            if unknown:
                raise ValueError(
                    "The following fields do not exist in this model, are m2m fields, primary keys, or are "
                    f"non-concrete fields: {', '.join(unknown)}. "
                    + unknown_name("field", unknown[0], meta.label, names)
                )
        elif not force_insert and self._origin is not None and self._origin.db == alias:
            held = self.__dict__
            fields = [f for f in self._meta.concrete_fields if not f.generated]
            loaded = {f.attname for f in fields if f.attname in held and not f.in_key}
            if len(loaded) < sum(not f.in_key for f in fields):
                update_fields = frozenset(loaded)
        return {"force_insert": force_insert, "force_update": force_update, "update_fields": update_fields}

    def _prepare_related_fields_for_save(self: Any, operation: str, fields: Any = None) -> None:
        """A related instance that was saved after it was assigned lends its key now; one never saved is refused."""
        held = self.__dict__
        for field in self._meta.fields:
            if not field.is_relation or (fields is not None and field not in fields):
                continue
            related = held.get(slot_of(field.name))
            if related is None:
                continue
            key = [(here.attname, getattr(related, there.attname)) for here, there in field.related_fields]
            if any(value is None for _, value in key) and not related._is_pk_set():
                back = field.relation.reverse if field.relation is not None else None
                if back is not None and back.accessor and not back.is_collection:
                    related.__dict__.pop(back.slot, None)
                raise ValueError(
                    f"{operation}() prohibited to prevent data loss due to unsaved related object '{field.name}'."
                )
            awaiting = held.get("_awaiting", ())
            if field.name in awaiting:
                awaiting.discard(field.name)
                for attname, value in key:
                    if held.get(attname) in (None, ""):
                        held[attname] = value

        for field in self._meta.private_fields:
            field.prepare_for_save(self, operation)

    def _save(self: Any, session: Session, options: dict[str, Any]) -> Operation[None]:
        """Save with signals, as an operation; inherited rows first, all in one transaction."""
        meta = type(self)._meta
        origin = meta.concrete_model if meta.proxy else type(self)
        fields = options.get("update_fields")
        update_fields = frozenset(fields) if fields is not None else None
        forced = options.get("force_insert") or False
        special = not isinstance(forced, bool) or options.get("force_update") or options.get("raw")
        if not special and (yield from save_planned(session, self, fields, forced)):
            return
        sender = type(self)
        auto = meta.auto_created
        raw = bool(options.get("raw"))
        for field in meta.private_fields:
            yield from field.settle(session, self)
        if not auto:
            yield from signals.tell(
                signals.pre_save, sender, instance=self, raw=raw, using=session.alias, update_fields=update_fields
            )
        writer = _Writer(self, session, update_fields, options.get("force_insert"), options.get("force_update"))
        writer.raw = raw
        if origin._meta.parents and not raw:
            updated = yield from atomically(session, writer.with_parents(origin))
        else:
            updated = yield from writer.table(origin)
        held = self.__dict__
        if self._origin is None or self._origin.db != session.alias:
            held["_origin"] = lone(session.alias, None if self._origin is None else self._origin.fetch_mode)
        held.pop("_adding", None)
        if not auto:
            yield from signals.tell(
                signals.post_save,
                sender,
                instance=self,
                created=not updated,
                update_fields=update_fields,
                raw=raw,
                using=session.alias,
            )

    # What a save does besides, users have their passwords validated, leaves no room for a plan.
    _save.is_usual = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]

    def save_base(
        self: Any,
        raw: bool = False,
        force_insert: Any = False,
        force_update: bool = False,
        using: Any = None,
        update_fields: Any = None,
    ) -> None:
        """``save`` without the checks of its arguments.

        ``raw`` writes the values as they are, and no inherited rows: what is loaded from elsewhere is complete.
        """
        options = {
            "force_insert": force_insert, "force_update": force_update, "update_fields": update_fields, "raw": raw,
        }  # fmt: skip
        databases[self._write_alias(using)].run(self._save, options)

    # -- delete --------------------------------------------------------------------------------------------------------

    def delete(self: Any, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete this row and do what each ``on_delete`` says to the rows that point at it.

        Returns how many rows were deleted, in all and by model. Raises ``ProtectedError`` or ``RestrictedError`` where
        a row that points here forbids it; then nothing is deleted.
        """
        alias = self._delete_alias(using)
        return databases[alias].run(delete_instances, [self], keep_parents=keep_parents)

    async def adelete(self: Any, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        alias = self._delete_alias(using)
        return await databases[alias].arun(delete_instances, [self], keep_parents=keep_parents)

    def delete_plan(
        self: Any, using: str | None = None, keep_parents: bool = False, *, cap: int | None = CAP
    ) -> DeletePlan:
        """What `delete` would do, as a tree of relations, rules and numbers of rows (`DeletePlan`). Changes nothing.

        A query for each relation that leaves rows that would go, which counts no further than ``cap`` (None: to the
        end) and loads nothing but the first rows that forbid the delete.
        """
        alias = self._delete_alias(using)
        return databases[alias].run(read_delete_plan, Doomed.of_instances([self], keep_parents), cap)

    async def adelete_plan(
        self: Any, using: str | None = None, keep_parents: bool = False, *, cap: int | None = CAP
    ) -> DeletePlan:
        """``delete_plan``, awaited."""
        alias = self._delete_alias(using)
        return await databases[alias].arun(read_delete_plan, Doomed.of_instances([self], keep_parents), cap)

    def _delete_alias(self: Any, using: str | None) -> str:
        if not self._is_pk_set():
            raise ValueError(
                f"{self._meta.object_name} object can't be deleted because its {self._meta.pk.attname} attribute is "
                "set to None."
            )
        return self._write_alias(using)

    # -- load ----------------------------------------------------------------------------------------------------------

    def load(self: Any, name: str) -> Any:
        """Load a to-one relation or a deferred field, for all instances of the same result, and return its value.

        One query, none where it is loaded. Raises ``FieldDoesNotExist`` for another name.
        """
        for question in questions(self, name):
            question.ask()
        return answer(self, name)

    async def aload(self: Any, name: str) -> Any:
        """``load`` in async code, where touching ``post.author`` before it is loaded raises an error."""
        for question in questions(self, name):
            await question.aask()
        return answer(self, name)

    # -- refresh -------------------------------------------------------------------------------------------------------

    def refresh_from_db(
        self: Any, using: str | None = None, fields: Iterable[Any] | None = None, from_queryset: Any = None
    ) -> None:
        """Read this row's values (or ``fields`` of it) again; related instances that were loaded are forgotten.

        One query.
        """
        asked = self._refresh_query(using, fields, from_queryset)
        if asked is not None:
            self._take(asked[0].get(), asked[1])

    # A deferred field of a lone instance is read by a model's own way of refreshing, where it has one.
    refresh_from_db.is_usual = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]

    async def arefresh_from_db(
        self: Any, using: str | None = None, fields: Iterable[Any] | None = None, from_queryset: Any = None
    ) -> None:
        asked = self._refresh_query(using, fields, from_queryset)
        if asked is not None:
            self._take(await asked[0].aget(), asked[1])

    def _refresh_query(self: Any, using: str | None, fields: Any, from_queryset: Any) -> Any:
        held = self.__dict__
        prefetched = self._prefetched_objects_cache
        names = None
        if fields is not None:
            names = list(map(name_of, fields))
            for name in [n for n in names if n in prefetched]:
                forget_prefetched(self, slot_of(name))
                names.remove(name)
            for name in [f.name for f in self._meta.private_fields if f.name in names]:
                held.pop(slot_of(name), None)
                names.remove(name)
            if not names:
                return None
            for name in names:
                if LOOKUP_SEP in name:
                    raise ValueError(
                        f'Found "{LOOKUP_SEP}" in fields argument. Relations and transforms are not allowed in fields.'
                    )
        else:
            for name in prefetched:
                forget_prefetched(self, slot_of(name))
        manager = from_queryset if from_queryset is not None else type(self)._base_manager
        alias = using or routing.read(type(self), {"instance": self})
        queryset = (manager.using(alias) if from_queryset is None or using else manager).filter(pk=self.pk)
        if names is not None:
            queryset = queryset.only(*names)
        else:
            deferred = self.get_deferred_fields()
            if deferred:
                queryset = queryset.only(*[f.attname for f in self._meta.concrete_fields if f.attname not in deferred])
        return queryset, names

    def _take(self: Any, fresh: Any, names: list[str] | None) -> None:
        held = self.__dict__
        new = fresh.__dict__
        for field in self._meta.fields:
            if not all(part.attname in new for part in field.parts):
                continue
            if names is not None and not {field.name, field.attname, field.key_field.name}.intersection(names):
                continue
            for part in field.parts:
                held[part.attname] = new[part.attname]
            if field.is_relation:
                slot = slot_of(field.name)
                held.pop(slot, None)
                if slot in new:
                    held[slot] = new[slot]
        for field in self._meta.private_fields if names is None else ():
            held.pop(slot_of(field.name), None)
        for rel in self._meta.related_objects:
            accessor = rel.get_accessor_name()
            if accessor and (names is None or accessor in names):
                held.pop(slot_of(accessor), None)
        forget(self)
        held["_origin"] = lone(fresh._origin.db, self._state.fetch_mode)

    # -- neighbours ----------------------------------------------------------------------------------------------------

    def _get_next_or_previous_by_FIELD(self: Any, field: Any, is_next: bool, **kwargs: Any) -> Any:
        if not self._is_pk_set():
            raise ValueError("get_next/get_previous cannot be used on unsaved objects.")
        op, order = ("gt", "") if is_next else ("lt", "-")
        value = getattr(self, field.attname)
        rows = type(self)._default_manager.using(self._state.db).filter(**kwargs)
        later = rows.filter(**{f"{field.name}__{op}": value}) | rows.filter(**{field.name: value, f"pk__{op}": self.pk})
        found = later.order_by(f"{order}{field.name}", f"{order}pk").first()
        if found is None:
            raise self.DoesNotExist(f"{self._meta.object_name} matching query does not exist.")
        return found


def _check_forced(model: Any, force_insert: Any) -> None:
    """Raise ``TypeError`` unless ``force_insert`` is a bool, or a tuple of models whose rows the instance has."""
    if isinstance(force_insert, bool):
        return
    if not isinstance(force_insert, tuple):
        raise TypeError("force_insert must be a bool or tuple.")
    for member in force_insert:
        if not isinstance(member, type(model)):
            raise TypeError(f"Invalid force_insert member. {member!r} must be a model subclass.")
        if not issubclass(model, member):
            base, name = member.__qualname__, model.__qualname__
            raise TypeError(f"Invalid force_insert member. {base} must be a base of {name}.")


class _Writer:
    """Writes one instance: each table of its model, by UPDATE or INSERT."""

    def __init__(
        self, instance: Any, session: Session, update_fields: Any, force_insert: Any, force_update: Any
    ) -> None:
        self.instance = instance
        self.session = session
        self.update_fields = update_fields
        # Inherited rows may be there already: True forces the instance's own table alone.
        self.force_insert = (type(instance)._meta.concrete_model,) if force_insert is True else force_insert
        self.force_update = bool(force_update)
        self.written: dict[Any, bool] = {}
        self.raw = False

    def with_parents(self, model: Any) -> Operation[bool]:
        """The rows of the inherited models first, since this one's key is theirs."""
        inserted = yield from self._parents(model, self.update_fields)
        return (yield from self.table(model, force_insert=inserted))

    def _parents(self, model: Any, update_fields: Any) -> Operation[bool]:
        instance = self.instance
        inserted = False
        for parent, field in model._meta.parents.items():
            if field is None:
                continue
            held = instance.__dict__
            own = held.get(parent._meta.pk.attname)
            linked = held.get(field.attname)
            if own is None and linked is not None:
                held[parent._meta.pk.attname] = linked
            if parent not in self.written:  # a model may be inherited by two ways
                above = yield from self._parents(parent, update_fields)
                updated = yield from self.table(parent, force_insert=above or self._forces(parent))
                self.written[parent] = not updated
            inserted = inserted or self.written[parent]
            held[field.attname] = instance.__dict__.get(field.target_field.attname)
            held.pop(slot_of(field.name), None)
        return inserted

    def _forces(self, model: Any) -> bool:
        forced = self.force_insert
        return bool(forced) and isinstance(forced, tuple) and issubclass(model, forced)

    def table(self, model: Any, force_insert: bool = False) -> Operation[bool]:
        """Write the row of one table; returns whether it was an UPDATE."""
        instance, session, meta = self.instance, self.session, model._meta
        fields = [f for f in meta.local_concrete_fields if not f.generated]
        others = [f for f in fields if not f.in_key]
        if self.update_fields is not None:
            chosen = {p for f in meta.fields if {f.name, f.attname} & self.update_fields for p in f.parts}
            others = [f for f in others if f in chosen]
        key = self._key(meta)
        is_set = None not in key
        if not is_set and (self.force_update or self.update_fields is not None):
            raise ValueError("Cannot force an update in save() with no primary key.")
        force_insert = force_insert or self._forces(model) or self._is_new(meta, is_set)
        if is_set and not force_insert and not self.force_update and type(instance)._meta.select_on_save:
            rows = model._base_manager.using(session.alias).filter(pk=key[0] if len(key) == 1 else key)
            force_insert = not (yield from rows._exists(session))
        if is_set and not force_insert:
            updated = yield from self._update(model, others, key)
            if updated:
                return True
            if self.force_update:
                raise instance.NotUpdated("Forced update did not affect any rows.")
            if self.update_fields is not None:
                raise instance.NotUpdated("Save with update_fields did not affect any rows.")
        yield from self._insert(session, meta, fields, is_set)
        return False

    def _key(self, meta: Any) -> tuple[Any, ...]:
        """The key, with the default that makes one (a UUID, say)."""
        held = self.instance.__dict__
        for field in meta.pk_fields:
            if held.get(field.attname) is None:
                value = field.get_default() if field.has_default() or field.is_relation else None
                if field.has_default():
                    held[field.attname] = value
        values = tuple(held.get(a.name) for a in meta.entity.key)
        return tuple(None if isinstance(v, DatabaseDefault) else v for v in values)

    def _is_new(self, meta: Any, is_set: bool) -> bool:
        """A new instance whose key came from a default cannot have a row yet."""
        if not is_set:
            return True
        made = all(field.has_default() or field.has_db_default() for field in meta.pk_fields)
        new = self.instance._state.adding and made
        return bool(new and not self.force_update and self.update_fields is None)

    def _value(self, field: Any, add: bool) -> Any:
        return getattr(self.instance, field.attname) if self.raw else field.pre_save(self.instance, add)

    def _update(self, model: Any, fields: list[Any], key: tuple[Any, ...]) -> Operation[bool]:
        meta, session = model._meta, self.session
        values: list[Any] = []
        attributes: list[Attribute] = []
        for field in fields:
            value = self._value(field, False)
            if isinstance(value, DatabaseDefault):
                continue
            attributes.append(meta.entity.attributes[field.attname])
            values.append(value if hasattr(value, "resolve_expression") else field.prepare_update(value))
        prepared = tuple(a.value_type.prepare(v) for a, v in zip(meta.entity.key, key, strict=True))
        if not attributes:
            rows = model._base_manager.using(session.alias).filter(pk=key[0] if len(key) == 1 else key)
            return self.update_fields is not None or bool((yield from rows._exists(session)))
        returning = self._refreshed(meta, attributes, values)
        found = yield from update_row(session, meta.entity, tuple(attributes), values, prepared, returning)
        if returning and found:
            self.instance.__dict__.update(zip([a.name for a in returning], found, strict=True))
        return bool(found)

    def _refreshed(self, meta: Any, attributes: list[Attribute], values: list[Any]) -> tuple[Attribute, ...]:
        """What the database computes in an UPDATE: generated columns, and fields set to an expression."""
        found = [a for a, v in zip(attributes, values, strict=True) if hasattr(v, "resolve_expression")]
        generated = [f for f in meta.local_concrete_fields if f.generated]
        changed = {a.column.name for a in attributes}.union(f.column for f in generated)
        found += [meta.entity.attributes[f.attname] for f in generated if changed & f.referenced_columns]
        return tuple(found)

    def _insert(self, session: Session, meta: Any, fields: list[Any], is_set: bool) -> Operation[None]:
        instance = self.instance
        values: list[Any] = []
        attributes: list[Attribute] = []
        returning: list[Attribute] = []
        entity = meta.entity
        if meta.order_with_respect_to:
            yield from take_places(session, meta.model, [instance])
        for field in fields:
            attribute = entity.attributes[field.attname]
            value = self._value(field, True)
            if field.in_key and not is_set and (value is None or isinstance(value, DatabaseDefault)):
                returning.append(attribute)
                continue
            if isinstance(value, DatabaseDefault):
                returning.append(attribute)
                continue
            if hasattr(value, "resolve_expression"):
                returning.append(attribute)
                values.append(value)
            else:
                values.append(field.get_prep_value(value))
                if always_returned(field):
                    returning.append(attribute)
                if field.is_identity:
                    instance.__dict__[field.attname] = values[-1]
            attributes.append(attribute)
        returning += [entity.attributes[f.attname] for f in meta.local_concrete_fields if f.generated]
        found = yield from insert_rows(session, entity, tuple(attributes), [values], tuple(returning))
        if returning:
            if not found:
                raise DatabaseError(f"The database gave no key for the new {meta.label}.")
            instance.__dict__.update(zip([a.name for a in returning], found[0], strict=True))
