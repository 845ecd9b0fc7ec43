"""Plans of writes: how an instance of one model is saved by one statement, worked out once for a set of columns.

A plan (`RowWrite`) is text, a generated function from the instance to the statement's parameters, and what is done
with the answer. It serves sync code, which sends it directly (`save_directly`), and operations (`save_planned`). Where
more has to be done than sending one statement, there is none (None, or `Unplanned` once the values are seen), and the
general way is taken: inherited tables, composite keys, receivers of signals, expressions, values that are not loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from inspect import getattr_static
from typing import Any, NamedTuple

from crowsfoot.conf import settings
from crowsfoot.database import DEFAULT, databases
from crowsfoot.drivers.run import Execute, Fetch, Insert, Operation, Request
from crowsfoot.errors import DatabaseError, IntegrityError
from crowsfoot.models import signals
from crowsfoot.models.deferred import DeferredAttribute
from crowsfoot.models.fields.base import DatabaseDefault, Field
from crowsfoot.models.own_save import always_returned, is_usual
from crowsfoot.persistence.cohort import lone
from crowsfoot.persistence.integrity import explain
from crowsfoot.persistence.save import insert_plan, update_plan
from crowsfoot.persistence.session import Session
from crowsfoot.schema.entity import Attribute
from crowsfoot.schema.types import Boolean, Float, Integer, Text
from crowsfoot.sql.dialect import Dialect

Held = dict[str, Any]


class Unplanned(Exception):
    """An instance holds what a plan has no place for. Nothing was sent yet."""


# -- values ------------------------------------------------------------------------------------------------------------

# Types of which an instance of the Python class is bound as it is, unless a field says otherwise.
PLAIN = {Integer: "int", Text: "str", Float: "float", Boolean: "bool"}
OWN = "crowsfoot.models.fields."


class Column(NamedTuple):
    """One column that is written: its field, its attribute, and how a value given for it is prepared."""

    field: Any
    attribute: Attribute
    prepare: Callable[[Any], Any]
    is_hooked: bool = True

    def prepared(self, value: Any) -> Any:
        """The value as it is bound. Raises ``Unplanned`` for what is no value of Python's."""
        if isinstance(value, DatabaseDefault) or hasattr(value, "resolve_expression"):
            raise Unplanned
        return self.prepare(value)


def make_bind(model: Any, dialect: Dialect, columns: Sequence[Column], add: bool) -> Any:
    """``bind(held, instance)``: the parameters of a statement that writes these columns.

    ``held`` is the instance's dict. Raises ``Unplanned``, and ``KeyError`` where a value is not loaded.
    """
    scope: dict[str, Any] = {}
    lines: list[str] = []
    for number, column in enumerate(columns):
        field, value = column.field, f"v{number}"
        scope[f"p{number}"] = column.prepared
        hooked = _hook(model, field, add) if column.is_hooked else None
        if hooked is not None:  # after all others, which may turn out to be unplanned
            scope[f"h{number}"] = hooked
        found = f"held[{field.attname!r}]" if hooked is None else f"h{number}(o)"
        kind = PLAIN.get(type(field.type)) if _is_plain(field) else None
        step = [f"    {value} = {found}"]
        convert = f"{value} = p{number}({value})"
        step.append(
            f"    if {value} is not None and type({value}) is not {kind}: {convert}" if kind else f"    {convert}"
        )
        bind = dialect.binder(column.attribute.value_type)
        own = column.attribute.value_type.db_binder(dialect)  # type: ignore[attr-defined]  # pyright: ignore
        for binder, name in ((own, f"o{number}"), (bind, f"b{number}")):
            if binder is not None:
                scope[name] = binder
                step.append(f"    if {value} is not None: {value} = {name}({value})")
        lines = [*lines, *step] if hooked is not None else [*step, *lines]
    values = "".join(f"v{number}, " for number in range(len(columns)))
    exec("\n".join(["def bind(held, o):", *lines, f"    return ({values})"]), scope)
    return scope["bind"]


def _hook(model: Any, field: Any, add: bool) -> Callable[[Any], Any] | None:
    """What gives the value to be saved, where it is not what the instance holds."""
    if type(field).pre_save is not Field.pre_save:
        quiet = type(field).pre_save.__module__ == f"{OWN}dates" and not (
            field.auto_now or (field.auto_now_add and add)
        )
        return None if quiet else partial(_before_save, field, add)
    described = getattr_static(model, field.attname, None)
    if described is None or type(described) is DeferredAttribute or not hasattr(type(described), "__get__"):
        return None
    return partial(_before_save, field, add)


def _before_save(field: Any, add: bool, instance: Any) -> Any:
    return field.pre_save(instance, add)


def _is_plain(field: Any) -> bool:
    """Whether nobody has a word in what is bound for a value that has the field's Python class already."""
    while field.is_relation and field.concrete:
        if not type(field).get_prep_value.__module__.startswith(OWN):
            return False
        field = field.target_field
    kind = type(field)
    methods = (kind.get_prep_value, kind.to_python, kind.prepare_update, kind.get_db_prep_value, kind.db_binder)
    return all(method.__module__.startswith(OWN) for method in methods)


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
        fields = [f for f in of.fields if not f.generated and (with_key or f is not of.key)]
        columns = [Column(f, of.entity.attributes[f.attname], f.get_prep_value) for f in fields]
        super().__init__(of, columns, of.entity.table.name)
        asked = ([] if with_key else [of.key]) + [f for f in of.fields if f.generated or always_returned(f)]
        returning = tuple(of.entity.attributes[f.attname] for f in asked)
        dialect = of.dialect
        attributes = tuple(c.attribute for c in columns)
        compiled, hydrate = insert_plan(dialect, of.entity, attributes, 1, returning, None)
        # Of a table that others look after nobody knows whether its key is the rowid.
        is_known = of.model._meta.managed or not dialect.key_is_rowid
        row = compiled.row
        self.gives_key = (
            row is not None and len(asked) == 1 and not with_key and row.attributes[0][1] is None and is_known
        )
        if self.gives_key and dialect.key_is_rowid:
            compiled, _ = insert_plan(dialect, of.entity, attributes, 1, (), None)
        self.bind = make_bind(of.model, dialect, columns, True)
        self.names = tuple(a.name for a in returning)
        if not returning:
            self.request = partial(Execute, compiled.sql)
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
        self.request = partial(Execute, compiled.sql)

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
        self.relations = tuple(f.name for f in meta.fields if f.is_relation)
        self.makes_key = meta.pk.has_default()
        # A new instance whose key came from a default cannot have a row yet.
        self.is_new_by_default = self.makes_key or meta.pk.has_db_default()
        self.inserts: dict[bool, RowInsert | None] = {}
        self.updates: dict[Any, RowUpdate | None] = {}
        self.is_plain = _has_plain_row(model)
        self._pre: Any = None
        self._post: Any = None
        self._is_silent = False

    def _listen(self) -> None:
        """Find out whether no receiver is told of saves of this model; to be done for every new list of receivers."""
        heard = signals.pre_save.has_listeners(self.model) or signals.post_save.has_listeners(self.model)
        self._is_silent = bool(self.model._meta.auto_created) or not heard
        self._pre, self._post = signals.pre_save.receivers, signals.post_save.receivers

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
        for name in self.relations:
            if name in held:
                instance._prepare_related_fields_for_save("save")
                break
        key = held.get(self.key_name)
        if key is None:
            return None if names is not None or self.makes_key else self.insert(with_key=False)
        if self.is_numbered and type(key) is not int:
            return None
        if force_insert or (names is None and self.is_new_by_default and instance._origin is None):
            return self.insert(with_key=True)
        return self.update(names)


def _has_plain_row(model: Any) -> bool:
    """Whether an instance is one row of one table, with nobody's word in how it is saved."""
    meta = model._meta
    concrete = meta.concrete_model._meta
    return (
        is_usual(model.save)
        and is_usual(model.asave)
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
            meta.keep(meta.write_plans, alias, found)
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
    if origin is None or origin.db != alias:
        held["_origin"] = plans.origin
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
    if instance._origin is None or instance._origin.db != session.alias:
        held["_origin"] = plans.origin
    return True
