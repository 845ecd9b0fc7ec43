"""Plans of writes: how an instance of one model is saved by one statement, worked out once for a set of columns.

A plan (`RowWrite`) is text, a generated function from the instance to the statement's parameters, and what is done
with the answer. It serves sync code, which sends it directly (`save_directly`), and operations (`save_planned`). Where
more has to be done than sending one statement, there is none (None, or `Unplanned` once the values are seen), and the
general way is taken: inherited tables, composite keys, receivers of signals, expressions, values that are not loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

from crowsfoot.conf import settings
from crowsfoot.database import DEFAULT, databases
from crowsfoot.drivers.run import Change, Fetch, Insert, Operation, Request
from crowsfoot.errors import DatabaseError, IntegrityError
from crowsfoot.models import signals
from crowsfoot.models.binding import OWN, Column, Unplanned, make_bind
from crowsfoot.models.many_plans import ManyInsert, ManyUpdate
from crowsfoot.models.options import PLANNED
from crowsfoot.models.own_save import always_returned, is_usual
from crowsfoot.persistence.cohort import Cohort, lone
from crowsfoot.persistence.integrity import explain
from crowsfoot.persistence.save import insert_plan, update_plan
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.schema.relation import slot_of
from crowsfoot.schema.types import Integer
from crowsfoot.sql.dialect import Dialect

Held = dict[str, Any]


# -- one statement -----------------------------------------------------------------------------------------------------


class RowWrite:
    """One statement that writes one row. ``take`` is given the answer, and says what to send next, if anything."""

    def __init__(self, of: ModelWrites, columns: Sequence[Column], table: str | None) -> None:
        self.of = of
        self.columns = columns
        # The table that is written to; None where rows of others may follow.
        self.table = table
        self.bind: Callable[[Held, Any], tuple[Any, ...]]
        self.request: Callable[[tuple[Any, ...]], Request]

    def take(self, held: Held, answer: Any) -> RowWrite | None:
        raise NotImplementedError

    def explain(self, error: IntegrityError, held: Held) -> Operation[None]:
        """Say in ``error`` what the row offends."""
        values = [column.prepare(held.get(column.field.attname)) for column in self.columns]
        attributes = [column.attribute for column in self.columns]
        yield from explain(self.of.dialect, error, self.of.entity, attributes, [values])


class RowInsert(RowWrite):
    """INSERT, without the key that the database gives or with the one that the instance has."""

    def __init__(self, of: ModelWrites, with_key: bool) -> None:
        columns = of.new_columns(with_key)
        super().__init__(of, columns, of.entity.table.name)
        asked = ([] if with_key else [of.key]) + [f for f in of.fields if f.generated or always_returned(f)]
        returning = tuple(of.entity.attributes[f.attname] for f in asked)
        dialect = of.dialect
        attributes = tuple(c.attribute for c in columns)
        compiled, hydrate = insert_plan(dialect, of.entity, attributes, 1, returning, None)
        self.gives_key = len(asked) == 1 and not with_key and of.knows_key
        if self.gives_key and dialect.key_is_rowid:
            compiled, _ = insert_plan(dialect, of.entity, attributes, 1, (), None)
        self.bind = make_bind(of.model, dialect, columns, True)
        self.names = tuple(a.name for a in returning)
        if not returning:
            self.request = partial(Change, compiled.sql)
        elif self.gives_key:
            self.request = partial(Insert, compiled.sql)
        else:
            assert hydrate is not None
            self.request = lambda params: Fetch(compiled.sql, params, hydrate)

    def take(self, held: Held, answer: Any) -> None:
        if self.gives_key:
            if answer is None:
                raise DatabaseError(f"The database gave no key for the new {self.of.entity.label}.")
            held[self.names[0]] = answer
        elif self.names:
            if not answer:
                raise DatabaseError(f"The database gave no key for the new {self.of.entity.label}.")
            held.update(zip(self.names, answer[0], strict=True))


class RowUpdate(RowWrite):
    """UPDATE of some fields, or of all; then an INSERT where there is no such row yet."""

    def __init__(self, of: ModelWrites, fields: Sequence[Any], is_partial: bool) -> None:
        columns = [Column(f, of.entity.attributes[f.attname], f.prepare_update) for f in fields]
        super().__init__(of, columns, None if of.entity.concrete.keys_follow else of.entity.table.name)
        self.is_partial = is_partial
        compiled, _ = update_plan(of.dialect, of.entity, tuple(c.attribute for c in columns), ())
        key = of.entity.key[0]
        last = Column(of.key, key, key.value_type.prepare, is_hooked=False)
        self.bind = make_bind(of.model, of.dialect, [*columns, last], False)
        self.request = partial(Change, compiled.sql)

    def take(self, held: Held, answer: Any) -> RowWrite | None:
        if answer > 0:
            return None
        if self.is_partial:
            raise self.of.model.NotUpdated("Save with update_fields did not affect any rows.")
        return self.of.insert(with_key=True)


# -- one model ---------------------------------------------------------------------------------------------------------


class ModelWrites:
    """What saving instances of one model to one database takes, as long as no field is added to any model."""

    def __init__(self, model: Any, alias: str, dialect: Dialect) -> None:
        meta = model._meta
        self.model, self.dialect, self.entity = model, dialect, meta.entity
        self.origin = lone(alias)
        self.key = meta.pk
        self.key_name = meta.pk.attname
        self.is_numbered = meta.pk.is_identity
        self.fields = meta.concrete_fields
        self.slots = tuple(slot_of(f.name) for f in meta.fields if f.is_relation)
        self.makes_key = meta.pk.has_default()
        # A new instance whose key came from a default cannot have a row yet.
        self.is_new_by_default = self.makes_key or meta.pk.has_db_default()
        self.inserts: dict[bool, RowInsert | None] = {}
        self.updates: dict[Any, RowUpdate | None] = {}
        # How one row is deleted, and for which receivers and relations that was found out (see `deletion`).
        self.straight: tuple[Any, Any] = (None, None)
        self.many_updates: dict[tuple[str, ...], ManyUpdate | None] = {}
        self.many: dict[tuple[bool, bool], ManyInsert | None] = {}
        self.is_plain = _has_plain_row(model)
        self._pre: Any = None
        self._post: Any = None
        self._is_silent = False

    def _listen(self) -> None:
        """Find out whether no receiver is told of saves of this model; to be done for every new list of receivers."""
        heard = signals.pre_save.has_listeners(self.model) or signals.post_save.has_listeners(self.model)
        self._is_silent = bool(self.model._meta.auto_created) or not heard
        self._pre, self._post = signals.pre_save.receivers, signals.post_save.receivers

    def new_columns(self, with_key: bool) -> list[Column]:
        """The columns of a new row."""
        fields = [f for f in self.fields if not f.generated and (with_key or f is not self.key)]
        return [Column(f, self.entity.attributes[f.attname], f.get_prep_value) for f in fields]

    def insert_many(self, with_key: bool, ignores: bool) -> ManyInsert | None:
        """The plan of an INSERT of many rows; None where more than their keys is to come back, or less is known."""
        kind = (with_key, ignores)
        if kind not in self.many:
            returned = any(f.generated or always_returned(f) for f in self.fields)
            columns = self.new_columns(with_key)
            possible = (with_key or self.knows_key) and columns and not returned and self._takes_arrays(columns)
            self.many[kind] = ManyInsert(self, with_key, ignores) if possible else None
        return self.many[kind]

    def update_many(self, names: tuple[str, ...]) -> ManyUpdate | None:
        """The plan of an UPDATE of these fields of many instances, None where values cannot be sent as they are."""
        if names not in self.many_updates:
            fields = [f for f in self.fields if f.attname in names]
            columns = [Column(f, self.entity.attributes[f.attname], f.prepare_update) for f in (self.key, *fields)]
            possible = not any(f.generated for f in fields) and self._takes_arrays(columns)
            self.many_updates[names] = ManyUpdate(self, fields) if possible else None
        return self.many_updates[names]

    def _takes_arrays(self, columns: Sequence[Column]) -> bool:
        """Whether values of these columns are told from each other in an array."""
        types = [column.attribute.value_type.type for column in columns]
        return self.dialect.key_is_rowid or all(
            t.__class__.__module__ == Integer.__module__ and not t.column_words for t in types
        )

    @cached_property
    def knows_key(self) -> bool:
        """Whether the database numbers new rows and its number is the key, as it is."""
        attribute = self.entity.attributes[self.key_name]
        if not self.is_numbered or self.dialect.reader(attribute.value_type) is not None:
            return False
        # Of a table that others look after nobody knows whether its key is the rowid.
        is_own = self.model._meta.managed or not self.dialect.key_is_rowid
        return is_own and not attribute.value_type.db_converters(self.dialect)

    def insert(self, with_key: bool) -> RowInsert | None:
        """The plan of an INSERT, None where the key has to come from elsewhere."""
        if with_key not in self.inserts:
            possible = with_key or self.is_numbered
            self.inserts[with_key] = RowInsert(self, with_key) if possible else None
        return self.inserts[with_key]

    def update(self, names: tuple[str, ...] | None) -> RowUpdate | None:
        """The plan of an UPDATE of these fields (None: of all); None where there is more to find out."""
        if names not in self.updates:
            if len(self.updates) > 100:
                self.updates.clear()
            self.updates[names] = self._update(names)
        return self.updates[names]

    def _update(self, names: tuple[str, ...] | None) -> RowUpdate | None:
        fields = [f for f in self.fields if not f.in_key and not f.generated]
        if names is not None:
            known = {name for f in fields for name in (f.name, f.attname)}
            fields = [f for f in fields if f.name in names or f.attname in names]
            if not known.issuperset(names):
                return None
        changed = {f.column for f in fields}
        computed = any(f.generated and changed & f.referenced_columns for f in self.fields)
        return None if computed or not fields else RowUpdate(self, fields, names is not None)

    def choose(self, instance: Any, held: Held, names: tuple[str, ...] | None, force_insert: bool) -> RowWrite | None:
        """The plan of the first statement that saves ``instance``; None where the general way has to be taken."""
        if signals.pre_save.receivers is not self._pre or signals.post_save.receivers is not self._post:
            self._listen()
        if not self._is_silent or "_adding" in held:
            return None
        for slot in self.slots:
            if slot in held:
                instance._prepare_related_fields_for_save("save")
                break
        key = held.get(self.key_name)
        if key is None:
            return None if names is not None or self.makes_key else self.insert(with_key=False)
        if self.is_numbered and type(key) is not int:
            return None
        if force_insert or (names is None and self.is_new_by_default and instance._origin is None):
            return self.insert(with_key=True)
        return self.updates.get(names) or self.update(names)


def _has_plain_row(model: Any) -> bool:
    """Whether an instance is one row of one table, with nobody's word in how it is saved."""
    meta = model._meta
    concrete = meta.concrete_model._meta
    return (
        is_usual(model.save)
        and is_usual(model.asave)
        and is_usual(model._save)
        and not (concrete.parents or meta.private_fields or concrete.private_fields)
        and not (concrete.order_with_respect_to or meta.select_on_save or meta.swapped)
        and len(concrete.pk.parts) == 1
        and all(len(f.parts) == 1 and f.key_field is f for f in meta.fields)
        # One of somebody else's may count how often it is asked, or give an expression.
        and all(type(f).pre_save.__module__.startswith(OWN) for f in meta.fields)
    )


def writes_of(model: Any, alias: str, dialect: Dialect) -> ModelWrites | None:
    """The plans of a model in one database; None where its instances are not saved by one statement."""
    meta = model._meta
    found: ModelWrites | None = meta.write_plans.get(alias)
    if found is None or found.dialect is not dialect:
        meta.apps.link()
        found = ModelWrites(model, alias, dialect)
        if not meta.is_waiting:
            meta.write_plans[alias] = found
            PLANNED.add(meta)
    return found if found.is_plain else None


# -- carried out -------------------------------------------------------------------------------------------------------


def save_directly(instance: Any, update_fields: Any, force_insert: bool, alias: str | None) -> bool:
    """Save by a plan on this thread's connection, without the machinery of operations. One statement, or an UPDATE and
    an INSERT. False where nothing was done, since there is no plan for it."""
    origin = instance._origin
    if not alias:
        if settings.DATABASE_ROUTERS:
            return False
        alias = DEFAULT if origin is None else str(origin.db or DEFAULT)
    database = databases[alias]
    plans = instance._meta.write_plans.get(alias)
    if plans is None or plans.dialect is not database.dialect or not plans.is_plain:
        plans = writes_of(type(instance), alias, database.dialect)
        if plans is None:
            return False
    held = instance.__dict__
    names = None if update_fields is None else tuple(update_fields)
    plan = plans.choose(instance, held, names, force_insert)
    if plan is None:
        return False
    while plan is not None:
        try:
            params = plan.bind(held, instance)
        except (KeyError, Unplanned):
            return False
        answer = database.carry(plan.request(params), plan.table, plan.explain, held)
        plan = plan.take(held, answer)
    if origin is None:
        held["_origin"] = plans.origin
    elif origin.db != alias:
        held["_origin"] = lone(alias, origin.fetch_mode)
    return True


def save_planned(session: Session, instance: Any, names: Any, force_insert: bool) -> Operation[bool]:
    """`save_directly` as part of an operation."""
    plans = writes_of(type(instance), session.alias, session.dialect)
    if plans is None:
        return False
    held = instance.__dict__
    plan = plans.choose(instance, held, names if names is None else tuple(names), force_insert)
    if plan is None:
        return False
    while plan is not None:
        try:
            params = plan.bind(held, instance)
        except (KeyError, Unplanned):
            return False
        session.wrote(plan.table)
        try:
            answer = yield plan.request(params)
        except IntegrityError as error:
            yield from plan.explain(error, held)
            raise
        plan = plan.take(held, answer)
    origin = instance._origin
    if origin is None:
        held["_origin"] = plans.origin
    elif origin.db != session.alias:
        held["_origin"] = lone(session.alias, origin.fetch_mode)
    return True


def insert_planned(
    session: Session, model: Any, instances: Sequence[Any], batch_size: int | None, ignores: bool
) -> Operation[bool]:
    """Insert many new instances by a plan, without signals: one request for each batch, in a transaction if there are
    several. False where nothing was done, since there is no plan for it."""
    plans = writes_of(model, session.alias, session.dialect)
    if plans is None or not instances:
        return False
    with_key = getattr(instances[0], plans.key_name) is not None
    plan = plans.insert_many(with_key, ignores)
    if plan is None:
        return False
    work = plan.send_all(session, instances, batch_size or len(instances))
    try:
        keys = yield from (atomically(session, work) if batch_size and batch_size < len(instances) else work)
    except Unplanned:
        return False
    if keys is None:
        return False
    for instance, key in zip(instances, keys, strict=False):
        setattr(instance, plans.key_name, key)
    cohort = Cohort(session.alias, instances)
    for instance in instances:
        instance._origin = cohort
        if instance._adding is not None:
            del instance.__dict__["_adding"]
    return True


def update_planned(
    session: Session, model: Any, instances: Sequence[Any], fields: Sequence[Any], batch_size: int | None
) -> Operation[int | None]:
    """Write these fields of many instances by a plan: one request for each batch, in a transaction if there are
    several. Gives the number of rows; None where nothing was done, since there is no plan for it."""
    plans = writes_of(model, session.alias, session.dialect)
    plan = None if plans is None else plans.update_many(tuple(dict.fromkeys(f.attname for f in fields)))
    if plan is None or len({instance.pk for instance in instances}) < len(instances):
        return None  # of two instances of one row the first counts
    size = batch_size or len(instances)
    batches = [instances[start : start + size] for start in range(0, len(instances), size)]
    try:
        bound = [plan.bind(batch) for batch in batches]
    except Unplanned:
        return None
    work = plan.send_all(session, batches, bound)
    return (yield from (work if len(batches) == 1 else atomically(session, work)))
