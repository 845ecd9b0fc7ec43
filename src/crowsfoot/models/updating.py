"""What querysets change: `update` and `bulk_update`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Generic, TypeVar

from crowsfoot.database import databases
from crowsfoot.drivers.run import Execute, Operation
from crowsfoot.errors import EmptyResultSet, FieldError, IntegrityError
from crowsfoot.models.fields.composite import CompositePrimaryKey
from crowsfoot.models.write_plans import update_planned
from crowsfoot.persistence.integrity import explain
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.query.depth import bounded
from crowsfoot.query.expressions import F, Value, name_of
from crowsfoot.query.func import Case, When
from crowsfoot.query.functions.comparison import Cast
from crowsfoot.query.nodes import Uncacheable
from crowsfoot.query.resolved import Param, Ref
from crowsfoot.query.scope import Scope
from crowsfoot.query.shapes import freeze
from crowsfoot.query.statements import Query
from crowsfoot.sql.statement import Compiled
from crowsfoot.sql.write import compile_update

M = TypeVar("M")


class Updating(Generic[M]):
    """The changing part of `QuerySet`: sets of rows, and fields of many instances."""

    _result_cache: list[Any] | None

    @property
    def _write_to(self: Any) -> Any:
        self._for_write = True
        return databases[self.db]

    def update(self: Any, **kwargs: Any) -> int:
        """Set fields of all rows to values or expressions; the number of rows. One statement, without signals."""
        self._check_update()
        self._forget_rows()
        return self._write_to.run(self._update, kwargs)

    async def aupdate(self: Any, **kwargs: Any) -> int:
        self._check_update()
        self._forget_rows()
        return await self._write_to.arun(self._update, kwargs)

    def _check_update(self: Any) -> None:
        self._refuse_combined("update")
        if self._low or self._high is not None:
            raise TypeError("Cannot update a query once a slice has been taken.")
        if self._query.distinct_on:
            raise TypeError("Cannot call update() after .distinct(*fields).")
        for item in self._query.order or ():
            node = getattr(item, "expression", None)
            node = node.source if isinstance(node, Ref) else node
            if getattr(node, "contains_aggregate", False):
                raise FieldError(
                    f"Cannot update when ordering by an aggregate: {node!r}. Call order_by() before update()."
                )

    def _update(self: Any, session: Session, kwargs: dict[str, Any]) -> Operation[int]:
        attributes = self.model._meta.entity.attributes
        above: dict[Any, dict[str, Any]] = {}  # what is kept in the tables of inherited models, by the way to each
        here: dict[str, Any] = {}
        for name, value in kwargs.items():
            attribute = attributes.get(getattr(self.model._meta.get_field(name), "attname", None))
            way = above.setdefault(attribute.via, {}) if attribute is not None and attribute.via else here
            way[name] = value
        if not above:
            return (yield from self._update_own(session, here))
        return (yield from atomically(session, self._update_inherited(session, here, above)))

    def _update_own(self: Any, session: Session, kwargs: dict[str, Any]) -> Operation[int]:
        rows = self._assigned(kwargs)
        query, slots = rows._query, rows._values
        if not query.assigned:
            return 0
        session.updates(query.entity)
        compiled = rows._update_plan(session)
        if compiled is None:
            return 0
        try:
            count: int = yield Execute(compiled.sql, compiled.bind(slots))
        except IntegrityError as error:
            given = [(a, slots[node.index]) for a, node in query.assigned if isinstance(node, Param)]
            attributes, values = [a for a, _ in given], [value for _, value in given]
            yield from explain(session.dialect, error, query.entity, attributes, [values])
            raise
        return count

    def _assigned(self: Any, kwargs: dict[str, Any]) -> Any:
        """This queryset with what an UPDATE sets: an edge of its shape, so that its SQL is written once."""
        kwargs = {name: self._key_of(name, value) for name, value in kwargs.items()}
        given: list[Any] = []
        try:
            key: Hashable = ("update", tuple([(name, _freeze(value, given)) for name, value in kwargs.items()]))
        except Uncacheable:
            key = None

        def build(query: Query) -> tuple[Query, Scope]:
            scope = Scope(query)
            found = [pair for name, value in kwargs.items() for pair in self._assignments(query, scope, name, value)]
            return query.but(assigned=tuple(found), size=query.start_after(scope)), scope

        return self._follow(key, given, build)

    def _update_plan(self: Any, session: Session) -> Compiled | None:
        """The statement that sets what is assigned; None where there can be no row."""
        plans, key = self._shape.plans, (session.alias, "update")
        if key in plans:
            kept: Compiled | None = plans[key]
            return kept
        plain = self._query.but(related=(), columns=None, lock=None).without_order()
        try:
            compiled = compile_update(session.dialect, plain, plain.assigned)
        except EmptyResultSet:
            compiled = None
        if compiled is None or not compiled.said:
            plans[key] = compiled
        return compiled

    def _key_of(self: Any, name: str, value: Any) -> Any:
        """The key of an instance that a foreign key of one column is set to; any other value as it is."""
        if not hasattr(value, "_meta"):
            return value
        field = self.model._meta.get_field(name)
        return _key_for(field, name, value) if field.concrete and field.is_relation else value

    def _update_inherited(
        self: Any, session: Session, here: dict[str, Any], above: dict[Any, dict[str, Any]]
    ) -> Operation[int]:
        """Fields of inherited tables are updated there, by the keys of theirs that the query finds first."""
        links = [_link(self._query.entity, via) for via in above]
        found = list((yield from self.values_list(*links)._load(session)))
        if here:
            yield from self._update_own(session, here)
        for position, (via, kwargs) in enumerate(above.items()):
            rows = via[-1].target.model._base_manager.using(session.alias)
            yield from rows.filter(pk__in=[row[position] for row in found])._update(session, kwargs)
        return len(found)

    @bounded
    def _assignments(self: Any, query: Any, scope: Scope, name: str, value: Any) -> list[tuple[Any, Any]]:
        """The columns that ``name=value`` sets: several for a foreign key of several columns."""
        field = self.model._meta.get_field(name)
        if field.concrete or not getattr(field, "sets_columns", False):
            return [self._assignment(query, scope, field, name, value)]
        end = field.relation.forward
        if value is not None and hasattr(value, "_meta"):
            value = _key_for(field, name, value)
        if value is None:
            own = query.entity.attributes_of(field.own_columns)
            return [(attribute, Param(scope.slot(None, None)[0], attribute.value_type)) for attribute in own]
        attributes = query.entity.attributes_of(end.local_columns)
        index = scope.slot(value, field.get_prep_value)[0]
        return [(a, Param(index, a.value_type, place)) for place, a in enumerate(attributes)]

    def _assignment(self: Any, query: Any, scope: Scope, field: Any, name: str, value: Any) -> tuple[Any, Any]:
        if isinstance(field, CompositePrimaryKey):
            raise FieldError(f"Composite primary key fields must be updated individually. Name those of {field}.")
        if not getattr(field, "concrete", False) or field.many_to_many or (field.auto_created and not field.concrete):
            raise FieldError(f"Cannot update model field {field!r} (only concrete fields are permitted).")
        if field.generated:
            raise FieldError(f"Cannot update {field}: the database computes it.")
        attribute = query.entity.attributes[field.attname]
        if hasattr(value, "resolve_expression"):
            node = value.resolve_expression(scope, allow_joins=False, for_save=True)
            said = node.source if isinstance(node, Ref) else node
            if node.contains_aggregate:
                raise FieldError(f"Aggregate functions are not allowed in this query ({field.name}={said!r}).")
            if node.is_composite:
                raise FieldError(
                    f"Composite primary keys expressions are not allowed in this query ({field.name}=F('pk'))."
                )
            if node.contains_over_clause:
                raise FieldError(f"Window expressions are not allowed in this query ({field.name}={said!r}).")
            return attribute, node
        if hasattr(value, "_meta"):
            raise TypeError(f"Unable to use {value!r} as a value of {field}: it is a model instance.")
        return attribute, Param(scope.slot(value, field.get_prep_value)[0], attribute.value_type)

    # -- many instances ------------------------------------------------------------------------------------------------

    def bulk_update(self: Any, objs: Iterable[M], fields: Iterable[Any], batch_size: int | None = None) -> int:
        """Write these fields of many instances, one statement for each batch, without signals; the number of rows."""
        checked = self._bulk_update_options(objs, fields, batch_size)
        return self._write_to.run(self._bulk_update, *checked) if checked[0] else 0

    async def abulk_update(self: Any, objs: Iterable[M], fields: Iterable[Any], batch_size: int | None = None) -> int:
        checked = self._bulk_update_options(objs, fields, batch_size)
        return await self._write_to.arun(self._bulk_update, *checked) if checked[0] else 0

    def _bulk_update_options(self: Any, objs: Any, fields: Any, batch_size: Any) -> tuple[list[Any], list[Any], Any]:
        if batch_size is not None and batch_size <= 0:
            raise ValueError("Batch size must be a positive integer.")
        if not fields:
            raise ValueError("Field names must be given to bulk_update().")
        objs = list(objs)
        meta = self.model._meta
        fields = list(fields)
        for path in fields:
            if isinstance(path, F):
                Scope(self._query).check_root(path._root, name_of(path))
        if not all(o._is_pk_set() for o in objs):
            raise ValueError("All bulk_update() objects must have a primary key set.")
        found = [meta.get_field(name_of(name)) for name in fields]
        if any(not f.concrete or f.many_to_many for f in found):
            raise ValueError("bulk_update() can only be used with concrete fields.")
        if any(f.in_key for f in found):
            raise ValueError("bulk_update() cannot be used with primary key fields.")
        relations = frozenset(f.name for f in found if f.is_relation)
        for obj in objs if relations or meta.private_fields else ():
            obj._prepare_related_fields_for_save("bulk_update", found)
        return objs, found, batch_size

    def _bulk_update(
        self: Any, session: Session, objs: list[Any], fields: list[Any], batch_size: Any
    ) -> Operation[int]:
        if self._shape is self.model.__entity__.root:  # all rows
            count = yield from update_planned(session, self.model, objs, fields, batch_size)
            if count is not None:
                return int(count)
        return (yield from atomically(session, self._update_batches(session, objs, fields, batch_size)))

    def _update_batches(
        self: Any, session: Session, objs: list[Any], fields: list[Any], batch_size: Any
    ) -> Operation[int]:
        size = max(1, session.dialect.max_query_params // (2 * len(fields) + 1) // 4)
        size = min(size, batch_size or size)
        count = 0
        rows = self.using(session.alias)
        for start in range(0, len(objs), size):
            batch = objs[start : start + size]
            changes: dict[str, Any] = {}
            for field in fields:
                via = self.model._meta.entity.attributes[field.attname].via
                key = _link(self._query.entity, via) if via else "pk"
                whens = []
                for obj in batch:
                    value = getattr(obj, field.attname)
                    if value is None and field.kind == "json":  # NULL; JSON's own null is JSONNull()
                        value = Cast(None, field)
                    elif not hasattr(value, "resolve_expression"):
                        value = Value(value, output_field=field)
                    whens.append(When(pk=getattr(obj, key), then=value))
                case = Case(*whens, output_field=field)
                # PostgreSQL takes a CASE whose values are parameters for text.
                changes[field.attname] = Cast(case, field) if session.dialect.casts_cases else case
            count += yield from rows.filter(pk__in=[o.pk for o in batch])._update(session, changes)
        return count


def _link(entity: Any, via: Any) -> str:
    """The attribute that holds the key of the row that ``via`` leads to, in the table of an inherited model."""
    name: str = entity.attribute_in(via[-1].owner.table, via[-1].local_columns[0]).name
    return name


def _key_for(field: Any, name: str, instance: Any) -> Any:
    """What a foreign key is set to so that it points at ``instance``."""
    target = field.relation.forward.target
    if not isinstance(instance, target.model._meta.concrete_model):
        raise ValueError(f'Cannot update "{name}" with {instance!r}: it must be a "{target.name}" instance.')
    key = getattr(instance, field.target_field.attname)
    if key is None:
        raise ValueError(f"Unsaved model instance {instance!r} cannot be used in an ORM query.")
    return key


def _freeze(value: Any, given: list[Any]) -> Hashable:
    """A key for how a value is assigned, which is the same for all but expressions and None; values go to ``given``."""
    if hasattr(value, "resolve_expression"):
        return freeze(value, given)
    given.append(value)
    return value is None
