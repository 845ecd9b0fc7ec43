"""What `persistence.delete` needs of model classes: instances, signals, new values for keys, and refusals in words."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from crowsfoot.drivers.run import Execute, Operation
from crowsfoot.errors import EmptyResultSet, ProtectedError, RestrictedError
from crowsfoot.models import signals
from crowsfoot.models.fields.base import DatabaseDefault
from crowsfoot.persistence.consequences import PROTECT, Consequences, Edge
from crowsfoot.persistence.delete import Deletion
from crowsfoot.persistence.delete_statements import DeleteStatements, Known, narrowed
from crowsfoot.persistence.session import Session
from crowsfoot.query.expressions import Value
from crowsfoot.query.shapes import Shape, root
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Entity
from crowsfoot.sql.write import compile_delete

Deleted = tuple[int, dict[str, int]]


def delete_instances(session: Session, instances: Iterable[Any], keep_parents: bool = False) -> Operation[Deleted]:
    """Delete saved instances of one model with all that hangs on their rows; gives ``(total, {label: number})``.

    Their keys are None afterwards. ``keep_parents`` leaves the rows of the models that theirs inherits from. Raises
    ``ProtectedError`` or ``RestrictedError`` before anything is changed.
    """
    given = list(instances)
    if not given:
        return 0, {}
    model = type(given[0])
    many = len(given) > 1
    shape = root(Query(model._meta.entity))
    statements = _statements(session, shape, model, Known(0, many), keep_parents)
    deletion = _Deletion(session, statements, model, given[0] if not many else given)
    keys = [deletion.key(instance) for instance in given]
    deletion.values[0] = keys if many else keys[0]
    if statements.consequences.root in statements.hooked:
        deletion.instances[statements.consequences.root] = given
    return (yield from deletion.finish(given))


def delete_queryset(session: Session, rows: Any, raw: bool = False, origin: Any = None) -> Operation[Any]:
    """Delete a queryset's rows with all that hangs on them; gives ``(total, {label: number})``.

    ``raw`` deletes these rows alone, without rules and signals, and gives their number. ``origin`` is the queryset
    that receivers of signals are told, where it is not ``rows``.
    """
    query, values = rows.as_subquery()
    if raw:
        return (yield from _delete_alone(session, query, values))
    if query.empty:
        return 0, {}
    statements = _statements(session, rows._shape, rows.model, None, False)
    deletion = _Deletion(session, statements, rows.model, rows if origin is None else origin, values)
    deletion.rows = rows
    return (yield from deletion.finish([]))


def _delete_alone(session: Session, query: Query, values: tuple[Any, ...]) -> Operation[int]:
    try:
        compiled = compile_delete(session.dialect, query)
    except EmptyResultSet:
        return 0
    session.wrote(query.entity.table.name)
    count: int = yield Execute(compiled.sql, compiled.bind(values))
    return count


def _statements(
    session: Session, shape: Shape, model: Any, given: Known | None, keep_parents: bool
) -> DeleteStatements:
    """What is sent to delete ``shape``'s rows, kept with it until models are added or signals are connected."""
    key: tuple[Any, ...] = ("consequences", keep_parents, model._meta.apps.registry.version)
    consequences: Consequences | None = shape.plans.get(key)
    if consequences is None:
        consequences = shape.plans[key] = Consequences(model._meta.entity.concrete, keep_parents, _is_swapped)
    hooked = _hooked(consequences, model)
    key = ("delete", session.dialect, consequences, given, hooked)
    statements: DeleteStatements | None = shape.plans.get(key)
    if statements is None:
        statements = shape.plans[key] = DeleteStatements(session.dialect, consequences, shape.query, given, hooked)
    return statements


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
    """A delete of rows of ``model``. ``origin`` is what ``delete()`` was called on: an instance or a queryset."""

    def __init__(
        self, session: Session, statements: DeleteStatements, model: Any, origin: Any, values: tuple[Any, ...] = ()
    ) -> None:
        super().__init__(session, statements, values)
        self.model = model
        self.origin = origin
        # Of a queryset, the one that is read.
        self.rows: Any = None

    def finish(self, given: list[Any]) -> Operation[Deleted]:
        """Run, and take the keys from the instances that are gone."""
        counts = yield from self.run()
        for instance in [*given, *(i for loaded in self.instances.values() for i in loaded)]:
            for attribute in instance._meta.entity.key:
                setattr(instance, attribute.name, None)
        root = self.statements.consequences.root
        labels = {(self.model._meta if e is root else e.model._meta).label: count for e, count in counts.items()}
        return sum(labels.values()), labels

    # -- rows ----------------------------------------------------------------------------------------------------------

    def load(self, what: Entity | Edge) -> Operation[list[Any]]:
        model = (what.target if isinstance(what, Edge) else what).model
        rows = model._base_manager.using(self.session.alias).all()
        shape = self.statements.loaders.get((what, rows._shape))
        if shape is None:
            query = narrowed(rows.query, self.statements.loading(what))
            shape = self.statements.loaders[what, rows._shape] = Shape(
                query.but(size=rows.query.size + self.statements.size)
            )
        rows._shape, rows._values = shape, (*rows._values, *self.values)
        return list((yield from rows._load(self.session)))

    def load_root(self) -> Operation[list[Any]]:
        return list((yield from self.rows._load(self.session)))

    def key(self, instance: Any) -> Any:
        key = [a.value_type.prepare(getattr(instance, a.name)) for a in instance._meta.entity.key]
        return key[0] if len(key) == 1 else tuple(key)

    # -- rules ---------------------------------------------------------------------------------------------------------

    def refuse(self, action: str, blockers: dict[Edge, list[Any]]) -> None:
        """As in Django, a protected row is named by the relation through which the delete came near it, and a
        restricted one by its own."""
        protected = action == PROTECT
        names = dict.fromkeys(f"'{(edge.top if protected else edge).label}'" for edge in blockers)
        kind = "protected" if protected else "restricted"
        message = (
            f"Cannot delete some instances of model {self.model.__name__!r} because they are referenced through {kind} "
            f"foreign keys: {', '.join(names)}."
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
                signal, type(instance), instance=instance, using=self.session.alias, origin=self.origin
            )
