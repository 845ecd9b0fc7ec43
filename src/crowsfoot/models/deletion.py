"""What `persistence.delete` needs of model classes: instances, signals, new values for keys, and refusals in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from crowsfoot.drivers.run import Change, Execute, Operation
from crowsfoot.errors import EmptyResultSet, IntegrityError, ProtectedError, RestrictedError
from crowsfoot.models import signals
from crowsfoot.models.fields.base import DatabaseDefault
from crowsfoot.models.write_plans import writes_of
from crowsfoot.persistence.consequences import PROTECT, Consequences, Edge
from crowsfoot.persistence.delete import Deletion
from crowsfoot.persistence.delete_statements import DeleteStatements, Known, narrowed
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.query.expressions import Value
from crowsfoot.query.shapes import Shape, root
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Entity
from crowsfoot.sql.write import compile_delete

Deleted = tuple[int, dict[str, int]]


class Doomed:
    """What a delete was asked for: saved instances of one model, or the rows of a queryset.

    ``origin`` is what ``delete()`` was called on, as signals name it; ``rows`` is the queryset that is read.
    ``keep_parents`` leaves the rows of the models that theirs inherits from.
    """

    instances: Sequence[Any] = ()
    rows: Any = None
    given: Known | None = None
    keep_parents = False

    def __init__(self, model: Any, origin: Any, shape: Shape, values: tuple[Any, ...]) -> None:
        self.model, self.origin, self.shape, self.values = model, origin, shape, values

    @classmethod
    def of_instances(cls, instances: list[Any], keep_parents: bool) -> Doomed:
        model = type(instances[0])
        keys = [key_of(instance) for instance in instances]
        many = len(keys) > 1
        origin, value = (instances, keys) if many else (instances[0], keys[0])
        doomed = cls(model, origin, root(Query(model._meta.entity)), (value,))
        doomed.instances, doomed.given, doomed.keep_parents = instances, Known(0, many), keep_parents
        return doomed

    @classmethod
    def of_rows(cls, rows: Any, origin: Any) -> Doomed:
        doomed = cls(rows.model, origin, rows._shape, rows.as_subquery()[1])
        doomed.rows = rows
        return doomed

    @property
    def entity(self) -> Entity:
        concrete: Entity = self.model._meta.entity.concrete
        return concrete

    def consequences(self, *, whole: bool = False) -> Consequences:
        """What hangs on the rows, kept with their shape until models are added."""
        key = ("consequences", self.keep_parents, whole, self.model._meta.apps.registry.version)
        found: Consequences | None = self.shape.plans.get(key)
        if found is None:
            found = Consequences(self.model._meta.entity, self.keep_parents, _is_swapped, whole=whole)
            self.shape.plans[key] = found
        return found

    def statements(self, session: Session) -> DeleteStatements:
        """What is sent to delete the rows, kept until signals are connected."""
        consequences = self.consequences()
        hooked = _hooked(consequences, self.model)
        key = ("delete", session.dialect, consequences, self.given, hooked)
        found: DeleteStatements | None = self.shape.plans.get(key)
        if found is None:
            found = DeleteStatements(session.dialect, consequences, self.shape.query, self.given, hooked)
            self.shape.plans[key] = found
        return found

    def label(self, entity: Entity) -> str:
        """How an entity is named in the counts: a proxy's rows by the proxy."""
        return str((self.model if entity is self.entity else entity.model)._meta.label)

    def delete(self, session: Session) -> Operation[Deleted]:
        """Delete the rows with all that hangs on them; gives ``(total, {label: number})``. Their instances lose their
        keys. Raises ``ProtectedError`` or ``RestrictedError`` before anything is changed."""
        if self.shape.query.empty:
            return 0, {}
        return (yield from _Deletion(session, self).finish())


def delete_instances(session: Session, instances: Iterable[Any], keep_parents: bool = False) -> Operation[Deleted]:
    """Delete saved instances of one model (see ``Doomed.delete``)."""
    given = list(instances)
    if len(given) == 1 and not keep_parents:
        plan = straight_of(session, given[0])
        if plan is not None:
            return (yield from plan.delete(session, given[0]))
    return (yield from Doomed.of_instances(given, keep_parents).delete(session)) if given else (0, {})


class Straight:
    """The delete of one row of a model, where that is one statement for each table, known beforehand."""

    def __init__(self, doomed: Doomed, statements: DeleteStatements) -> None:
        consequences = statements.consequences
        self.rest: list[Any] = [[]] * (statements.size - 1)
        self.table = None if consequences.edges else consequences.root.table.name
        entities = [entity for group in consequences.order for entity in group]
        self.steps = [(doomed.label(entity), entity, statements.delete(entity)) for entity in entities]
        self.is_constant = all(statement is not None and not statement.passing for _, _, statement in self.steps)

    def delete(self, session: Session, instance: Any) -> Operation[Deleted]:
        """What ``Doomed.delete`` does."""
        work = self._carry_out(session, instance)
        return (yield from (work if len(self.steps) == 1 else atomically(session, work)))

    def _carry_out(self, session: Session, instance: Any) -> Operation[Deleted]:
        values = (key_of(instance), *self.rest)
        session.wrote(self.table)
        counts: dict[str, int] = {}
        for label, entity, statement in self.steps:
            assert statement is not None
            try:
                count = yield Change(statement.sql, statement.bind(values))
            except IntegrityError as error:
                yield from _Deletion(session, Doomed.of_instances([instance], False))._explain(error, entity)
                raise
            if count:
                counts[label] = count
        for attribute in instance._meta.entity.key:
            setattr(instance, attribute.name, None)
        return sum(counts.values()), counts


def straight_of(session: Session, instance: Any) -> Straight | None:
    """How one instance is deleted in this database, worked out once until models or receivers of signals are added;
    None where that is more than a statement for each table."""
    plans = writes_of(type(instance), session.alias, session.dialect)
    if plans is None:
        return None
    now = (signals.pre_delete.receivers, signals.post_delete.receivers, instance._meta.apps.registry.version)
    known, found = plans.straight
    if known is None or known[0] is not now[0] or known[1] is not now[1] or known[2] != now[2]:
        doomed = Doomed.of_instances([instance], False)
        statements = doomed.statements(session)
        made = Straight(doomed, statements) if statements.is_straight else None
        found = made if made is not None and made.is_constant else None
        plans.straight = (now, found)
    return found


def delete_alone(session: Session, rows: Any) -> Operation[int]:
    """Delete a queryset's rows alone, without rules and signals; gives their number."""
    query, values = rows.as_subquery()
    try:
        compiled = compile_delete(session.dialect, query)
    except EmptyResultSet:
        return 0
    session.wrote(query.entity.table.name)
    count: int = yield Execute(compiled.sql, compiled.bind(values))
    return count


def _is_swapped(entity: Entity) -> bool:
    return bool(entity.model._meta.swapped)


def _hooked(consequences: Consequences, model: Any) -> frozenset[Entity]:
    """The entities whose rows signals are sent for. Link models that Crowsfoot made send none."""
    if not (signals.pre_delete.receivers or signals.post_delete.receivers):
        return frozenset()
    found = []
    for entity in consequences.entities:
        sender = model if entity is consequences.root else entity.model
        listened = signals.pre_delete.has_listeners(sender) or signals.post_delete.has_listeners(sender)
        if listened and not sender._meta.auto_created:
            found.append(entity)
    return frozenset(found)


class _Deletion(Deletion):
    """A delete of rows of ``model``. ``origin`` is what ``delete()`` was called on: instances or a queryset."""

    def __init__(self, session: Session, doomed: Doomed) -> None:
        super().__init__(session, doomed.statements(session), doomed.values)
        self.doomed = doomed
        if doomed.instances and doomed.entity in self.statements.hooked:
            self.instances[doomed.entity] = list(doomed.instances)

    def finish(self) -> Operation[Deleted]:
        """Run, and take the keys from the instances that are gone."""
        counts = yield from self.run()
        for instance in [*self.doomed.instances, *(i for loaded in self.instances.values() for i in loaded)]:
            for attribute in instance._meta.entity.key:
                setattr(instance, attribute.name, None)
        labels = {self.doomed.label(entity): count for entity, count in counts.items()}
        return sum(labels.values()), labels

    # -- rows ----------------------------------------------------------------------------------------------------------

    def load(self, what: Entity | Edge) -> Operation[list[Any]]:
        rows = loading(self.statements, what, self.session.alias, self.values)
        return list((yield from rows._load(self.session)))

    def load_root(self) -> Operation[list[Any]]:
        return list((yield from self.doomed.rows._load(self.session)))

    def key(self, instance: Any) -> Any:
        return key_of(instance)

    # -- rules ---------------------------------------------------------------------------------------------------------

    def refuse(self, action: str, blockers: dict[Edge, list[Any]]) -> None:
        """As in Django, a protected row is named by the relation through which the delete came near it, and a
        restricted one by its own."""
        protected = action == PROTECT
        names = dict.fromkeys(f"'{(edge.top if protected else edge).label}'" for edge in blockers)
        kind = "protected" if protected else "restricted"
        message = (
            f"Cannot delete some instances of model {self.doomed.model.__name__!r} because they are referenced through "
            f"{kind} foreign keys: {', '.join(names)}."
        )
        rows = {row for found in blockers.values() for row in found}
        raise ProtectedError(message, rows) if protected else RestrictedError(message, rows)

    def computes(self, edge: Edge) -> bool:
        rule, field = edge.rule, edge.end.field
        return rule.lazy or (rule.name == "SET_DEFAULT" and callable(field.default))

    def new_value(self, edge: Edge) -> Any:
        rule, field = edge.rule, edge.end.field
        if rule.name == "SET_NULL":
            return None if len(edge.target_columns) == 1 else (None,) * len(edge.target_columns)
        value = field.get_default() if rule.name == "SET_DEFAULT" else rule.value() if rule.lazy else rule.value
        if isinstance(value, DatabaseDefault):
            value = value.expression
        if isinstance(value, Value):
            value = value.value
        return value if hasattr(value, "resolve_expression") else field.get_prep_value(value)

    # -- signals -------------------------------------------------------------------------------------------------------

    def before(self, instances: list[Any]) -> Operation[None]:
        instances.sort(key=attrgetter("pk"))
        yield from self._send(signals.pre_delete, instances)

    def after(self, instances: list[Any]) -> Operation[None]:
        yield from self._send(signals.post_delete, reversed(instances))

    def _send(self, signal: Any, instances: Iterable[Any]) -> Operation[None]:
        for instance in instances:
            yield from signals.tell(
                signal, type(instance), instance=instance, using=self.session.alias, origin=self.doomed.origin
            )


def loading(statements: DeleteStatements, what: Entity | Edge, alias: str, values: list[Any]) -> Any:
    """A queryset of the rows that ``statements.loading`` describes, by their model's base manager."""
    model = (what.target if isinstance(what, Edge) else what).model
    rows = model._base_manager.using(alias).all()
    shape = statements.loaders.get((what, rows._shape))
    if shape is None:
        query = narrowed(rows._query, statements.loading(what))
        shape = statements.loaders[what, rows._shape] = Shape(query.but(size=rows._query.size + statements.size))
    rows._shape, rows._values = shape, (*rows._values, *values)
    return rows


def key_of(instance: Any) -> Any:
    """The key of an instance, as it is bound."""
    key = [a.value_type.prepare(getattr(instance, a.name)) for a in instance._meta.entity.key]
    return key[0] if len(key) == 1 else tuple(key)
