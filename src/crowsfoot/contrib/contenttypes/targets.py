"""The accessor of a generic foreign key: the row of any model that an instance points at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from crowsfoot.contrib.contenttypes.models import ContentType, Key, key_of
from crowsfoot.database import Elsewhere, databases
from crowsfoot.drivers.run import Operation
from crowsfoot.errors import SynchronousOnlyOperation
from crowsfoot.models import routing
from crowsfoot.models.deferred import Question, column_question, peers_lacking, refuse_if_raising
from crowsfoot.persistence.asyncness import refuse_touch
from crowsfoot.persistence.cohort import SAVED, saved
from crowsfoot.persistence.session import Session
from crowsfoot.schema.relation import slot_of

# Under this name an instance keeps, by field, the type and key that its loaded target was found by.
FOUND_BY = "_generic_keys"


class GenericTarget:
    """The accessor of a `GenericForeignKey`."""

    def __init__(self, field: Any) -> None:
        self.field = field
        self.name = field.name
        self.slot = slot_of(field.name)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        if not self.is_cached(instance):
            instance.__dict__.pop(self.slot, None)
            if None in self._key(instance):
                return None
            refuse_if_raising(instance, self.name)
            refuse_touch(type(instance).__name__, self.name)
            asked = self.question(instance)
            asked.ask()
            if SAVED:
                saved(len(asked.args[0]) - 1)
        return self.answer(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        """Point at ``value``. Its content type is read where it is not remembered: in async code when it is saved."""
        kind = None
        if value is not None:
            with suppress(SynchronousOnlyOperation):
                kind = self.field.get_content_type(obj=value)
        self.field.point(instance, value, kind)

    def _key(self, instance: Any) -> tuple[Any, Any]:
        return held_key(instance, self.field)

    def _keep(self, instance: Any, target: Any, to_attr: str | None) -> None:
        if to_attr:
            instance.__dict__[to_attr] = target
        else:
            keep(instance, self.field, target)

    def is_cached(self, instance: Any) -> bool:
        """Whether the target is here, and still the one that the two fields point at."""
        held = instance.__dict__
        return self.slot in held and held.get(FOUND_BY, {}).get(self.name) == self._key(instance)

    # -- loading -------------------------------------------------------------------------------------------------------

    def questions(self, instance: Any) -> Iterator[Question]:
        """What to ask until the target is here; nothing where it is, or where there is none."""
        attributes = instance._meta.entity.attributes
        for name in (self.field.ct_field_attname, self.field.fk_field):
            if name not in instance.__dict__:
                yield column_question(instance, attributes[attributes_name(instance, name)])
        if not self.is_cached(instance) and None not in self._key(instance):
            yield self.question(instance)

    def question(self, instance: Any) -> Question:
        """The operation that loads the target, for the whole cohort."""
        alias = instance._state.db or routing.read(type(instance), {"instance": instance})
        return Question(alias, self.load, (peers_lacking(instance, self.slot),))

    def answer(self, instance: Any) -> Any:
        """The target that is here, or None."""
        return instance.__dict__.get(self.slot)

    def load(
        self, session: Session, instances: Sequence[Any], querysets: Iterable[Any] = (), to_attr: str | None = None
    ) -> Operation[None]:
        """Load the targets of ``instances``: one query for each model among them.

        ``querysets`` say how the rows of some models are read. Raises ``ValueError`` for two of the same model.
        """
        found = yield from self._found(session, instances, querysets)
        for instance in instances:
            self._keep(instance, found.get(self._key(instance)), to_attr)

    def _found(
        self, session: Session, instances: Sequence[Any], querysets: Iterable[Any]
    ) -> Operation[dict[tuple[Any, Any], Any]]:
        """The targets of ``instances``, by the type and key that these hold."""
        chosen = self._by_model(querysets)
        wanted: dict[Any, dict[Any, None]] = {}
        for kind, key in map(self._key, instances):
            if kind is not None and key is not None:
                wanted.setdefault(kind, {})[key] = None
        types = yield from ContentType.objects._of_ids(session, wanted)
        found: dict[tuple[Any, Any], Any] = {}
        for kind, keys in wanted.items():
            model = types[kind].model_class() if kind in types else None
            if model is not None:
                queryset = chosen.get(types[kind].natural_key())
                if queryset is None:
                    queryset = self._all(instances[0], model, session.alias)
                targets = yield from self._targets(session, queryset, model, instances[0], keys)
                found.update({(kind, key): target for key, target in targets.items()})
        return found

    def get_prefetch_querysets(
        self, instances: Sequence[Any], querysets: Sequence[Any] | None = None
    ) -> tuple[Any, ...]:
        """What prefetching asks, as with other relations (`crowsfoot.models.related_rows.described`), but for the
        first, which are the targets themselves. One query for each model among them."""
        alias = instances[0]._state.db or routing.read(type(instances[0]), {"instance": instances[0]})
        found = databases[alias].run(self._found, instances, querysets or ())

        def key_of_row(row: Any) -> Any:
            return row.pk, type(row)

        def key_of_instance(instance: Any) -> Any:
            target = found.get(self._key(instance))
            return None if target is None else key_of_row(target)

        rows = {id(row): row for row in found.values() if row is not None}
        return list(rows.values()), key_of_row, key_of_instance, True, self.name, False

    def _by_model(self, querysets: Iterable[Any]) -> Mapping[Key, Any]:
        chosen: dict[Key, Any] = {}
        for queryset in querysets:
            key = key_of(queryset.model, self.field.for_concrete_model)
            if key in chosen:
                raise ValueError("Only one queryset is allowed for each content type.")
            chosen[key] = queryset
        return chosen

    def _all(self, instance: Any, model: Any, alias: str) -> Any:
        queryset = model._base_manager.using(alias).all()
        origin = instance._origin
        return queryset if origin is None or origin.fetch_mode is None else queryset.fetch_mode(origin.fetch_mode)

    def _targets(
        self, session: Session, queryset: Any, model: Any, first: Any, members: Iterable[Any]
    ) -> Operation[dict[Any, Any]]:
        """The rows of one model by the keys in ``members``, which may be text where the model's are numbers."""
        prepare = model._meta.entity.key[0].value_type.prepare
        keys = {key: prepare(key) for key in members}
        rows = queryset.filter(pk__in=list(keys))
        if queryset._db is not None and queryset._db != session.alias:
            found = yield Elsewhere(queryset._db, rows._load)
        else:
            found = yield from rows._load(session)
        if first._origin is not None and len(first._origin.members) > 1:
            first._origin.children((self.field, model)).take(found)
        by_key = {prepare(row.pk): row for row in found}
        return {key: by_key.get(prepared) for key, prepared in keys.items()}

    def prefetch(
        self, session: Session, instances: list[Any], lookup: Any, last: bool
    ) -> Operation[tuple[list[Any], Sequence[Any]]]:
        """One step of ``prefetch_related()``: gives the targets. The look-ups of querysets are followed here."""
        to_attr = lookup.to_attr if last else None
        querysets = lookup.given_querysets if last else ()
        if to_attr:
            lacking = [instance for instance in instances if to_attr not in instance.__dict__]
        else:
            lacking = [instance for instance in instances if not self.is_cached(instance)]
        if lacking:
            yield from self.load(session, lacking, querysets, to_attr)
        found = [instance.__dict__.get(to_attr or self.slot) for instance in instances]
        return list({id(row): row for row in found if row is not None}.values()), ()


def held_key(instance: Any, field: Any) -> tuple[Any, Any]:
    """The content type's id and the key that an instance holds."""
    return getattr(instance, field.ct_field_attname), getattr(instance, field.fk_field)


def keep(instance: Any, field: Any, target: Any) -> None:
    """Remember what ``instance`` points at, and by which key."""
    held = instance.__dict__
    held[slot_of(field.name)] = target
    held.setdefault(FOUND_BY, {})[field.name] = held_key(instance, field)


def attributes_name(instance: Any, name: str) -> str:
    """The attribute that keeps the field ``name``."""
    return str(instance._meta.entity.aliases.get(name, name))
