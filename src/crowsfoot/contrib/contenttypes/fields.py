"""Relations to a row of any model: `GenericForeignKey` on the rows that point, `GenericRelation` as the way back."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from crowsfoot.contrib.contenttypes.managers import GenericOwnerManager, GenericRelatedObjectManager
from crowsfoot.contrib.contenttypes.models import ContentType, Key, key_of
from crowsfoot.database import Elsewhere, databases
from crowsfoot.drivers.run import Operation
from crowsfoot.errors import SynchronousOnlyOperation, unknown_name
from crowsfoot.models import routing
from crowsfoot.models.deferred import Question, column_question, peers_lacking, refuse_if_raising
from crowsfoot.models.fields.base import Field
from crowsfoot.models.fields.foreign_key import ForeignKey
from crowsfoot.models.fields.related import RelatedField
from crowsfoot.models.places import add_order_methods
from crowsfoot.models.prefetch import end_of, give_rows, keys_of, load_to_many
from crowsfoot.models.rels import ForeignObjectRel
from crowsfoot.persistence.asyncness import refuse_touch
from crowsfoot.persistence.cohort import SAVED, saved
from crowsfoot.persistence.session import Session
from crowsfoot.query.conditions import Q
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.relation import End, KeyOf, Relation, generic

M = TypeVar("M")
# Under this name an instance keeps, by field, the type and key that its loaded target was found by.
FOUND_BY = "_generic_keys"


class GenericForeignKey(Field[Any]):
    """Points at a row of any model, by two fields: ``ct_field`` says of which model, ``fk_field`` which row.

    Touching it loads the targets of the whole cohort, in one query for each model among them (and one for content types
    that are not remembered). A target that is gone is None. With ``for_concrete_model=False`` a proxy's rows are told
    from those of the model that it stands for.
    """

    is_relation = True
    concrete = False
    many_to_many = False
    many_to_one = True
    one_to_many = False
    one_to_one = False
    column: Any

    def __init__(
        self, ct_field: str = "content_type", fk_field: str = "object_id", for_concrete_model: bool = True
    ) -> None:
        super().__init__(editable=False)
        self.ct_field = ct_field
        self.fk_field = fk_field
        self.for_concrete_model = for_concrete_model

    def get_attname_column(self) -> tuple[str, Any]:
        return self.name, None

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = True) -> None:
        super().contribute_to_class(cls, name, private_only=True)
        target = GenericTarget(self)
        setattr(cls, name, target)
        cls._prefetchers = {**getattr(cls, "_prefetchers", {}), name: target.prefetch}

    def inherited_by(self, cls: Any) -> None:
        """A child of the model has this field too."""
        copy.copy(self).contribute_to_class(cls, self.name)

    def prepare_for_save(self, instance: Any, operation: str) -> None:
        """A target that was saved after it was assigned lends its key now; one never saved is refused."""
        target = instance.__dict__.get(self.name)
        if target is None or getattr(instance, self.fk_field) is not None:
            return
        if not target._is_pk_set():
            del instance.__dict__[self.name]
            raise ValueError(
                f"{operation}() prohibited to prevent data loss due to unsaved related object '{self.name}'."
            )
        setattr(instance, self.name, target)

    def settle(self, session: Session, instance: Any) -> Operation[None]:
        """The content type of a target that was assigned where it could not be asked for. One query, or none."""
        target = instance.__dict__.get(self.name)
        if target is not None and getattr(instance, self.ct_field_attname) is None:
            kind = yield from ContentType.objects._of_model(session, type(target), self.for_concrete_model)
            self.point(instance, target, kind)

    def point(self, instance: Any, target: Any, kind: ContentType | None) -> None:
        """Have ``instance`` point at ``target``, which is of this content type."""
        setattr(instance, self.ct_field, kind)
        setattr(instance, self.fk_field, None if target is None else target.pk)
        keep(instance, self, target)

    @property
    def ct_field_attname(self) -> str:
        return str(self.model._meta.get_field(self.ct_field).attname)

    def is_cached(self, instance: Any) -> bool:
        return GenericTarget(self).is_cached(instance)

    def get_content_type(self, obj: Any = None, id: Any = None, using: str | None = None, model: Any = None) -> Any:
        """The content type of an instance or a model, or the one with this id. No query where it is remembered."""
        if obj is not None:
            types = ContentType.objects.db_manager(obj._state.db)
            return types.get_for_model(obj, for_concrete_model=self.for_concrete_model)
        types = ContentType.objects.db_manager(using)
        if id is not None:
            return types.get_for_id(id)
        if model is not None:
            return types.get_for_model(model, for_concrete_model=self.for_concrete_model)
        raise TypeError(
            "Impossible arguments to GFK.get_content_type! It takes an instance (obj), a content type's id, or a model."
        )

    def get_filter_kwargs_for_object(self, obj: Any) -> dict[str, Any]:
        """What the rows that point where ``obj`` points hold."""
        return {name: getattr(obj, name) for name in (self.fk_field, self.ct_field_attname)}

    def contribute_to_entity_later(self, entity: Entity) -> None:
        entity.refused[self.name] = (
            f"Field {self.name!r} does not generate an automatic reverse relation and therefore cannot be used for "
            "reverse querying. If it is a GenericForeignKey, consider adding a GenericRelation."
        )

    def get_forward_related_filter(self, obj: Any) -> dict[str, Any]:
        """What the rows that point at ``obj`` hold."""
        return {self.fk_field: obj.pk, self.ct_field: ContentType.objects.get_for_model(obj).pk}

    def check(self, **kwargs: Any) -> list[str]:
        """What is wrong with the two fields, one sentence each."""
        meta = self.model._meta
        names = [field.name for field in meta.fields]
        unknown = [name for name in (self.ct_field, self.fk_field) if name not in names]
        found = [str(self) + ": " + unknown_name("field", name, meta.label, names) for name in unknown]
        field = next((field for field in meta.fields if field.name == self.ct_field), None)
        if field is None:
            return found
        if not isinstance(field, ForeignKey):
            found.append(f"{self}: {field} is not a ForeignKey. It has to be one, to 'contenttypes.ContentType'.")
        elif field.target_label != ContentType._meta.label_lower:
            found.append(
                f"{self}: {field} is not a ForeignKey to 'contenttypes.ContentType', but to {field.target_label}."
            )
        elif field.on_delete.in_database:
            found.append(f"{self}: {field} cannot have {field.on_delete}. Use the rule without DB_ in its name.")
        return found


class GenericTarget:
    """The accessor of a `GenericForeignKey`."""

    def __init__(self, field: GenericForeignKey) -> None:
        self.field = field
        self.name = field.name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        if not self.is_cached(instance):
            instance.__dict__.pop(self.name, None)
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
        return self.name in held and held.get(FOUND_BY, {}).get(self.name) == self._key(instance)

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
        return Question(alias, self.load, (peers_lacking(instance, self.name),))

    def answer(self, instance: Any) -> Any:
        """The target that is here, or None."""
        return instance.__dict__.get(self.name)

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
        """What prefetching asks, as with other relations (`crowsfoot.models.prefetch.described`), but for the first,
        which are the targets themselves. One query for each model among them."""
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
        found = [instance.__dict__.get(to_attr or self.name) for instance in instances]
        return list({id(row): row for row in found if row is not None}.values()), ()


def held_key(instance: Any, field: GenericForeignKey) -> tuple[Any, Any]:
    """The content type's id and the key that an instance holds."""
    return getattr(instance, field.ct_field_attname), getattr(instance, field.fk_field)


def keep(instance: Any, field: GenericForeignKey, target: Any) -> None:
    """Remember what ``instance`` points at, and by which key."""
    held = instance.__dict__
    held[field.name] = target
    held.setdefault(FOUND_BY, {})[field.name] = held_key(instance, field)


def attributes_name(instance: Any, name: str) -> str:
    """The attribute that keeps the field ``name``."""
    return str(instance._meta.entity.aliases.get(name, name))


def by_kind(instances: Iterable[Any]) -> list[list[Any]]:
    """The instances of each model among them."""
    found: dict[type, list[Any]] = {}
    for instance in instances:
        found.setdefault(type(instance), []).append(instance)
    return list(found.values())


# -- the way back ------------------------------------------------------------------------------------------------------


class GenericRel(ForeignObjectRel):
    """The way back of a `GenericRelation`, as ``_meta`` shows it."""

    def get_accessor_name(self, model: Any = None) -> str | None:
        return None if self.field.is_hidden else str(self.field.related_query_name())

    @property
    def target_field(self) -> Any:
        return self.field.model._meta.pk


class GenericRelation(RelatedField[M]):
    """The rows of ``to`` that point at this model's rows by a generic foreign key.

    ``content_type_field`` and ``object_id_field`` are the two fields of that key. ``related_query_name`` lets look-ups
    on ``to`` come back here, and is the name of a manager there, which can be prefetched. The related rows go when the
    row that they point at is deleted.
    """

    many_to_many = False
    many_to_one = False
    one_to_many = True
    one_to_one = False
    concrete = False
    auto_created = False
    rel_class = GenericRel
    manager_mixin = GenericRelatedObjectManager
    reverse_manager_mixin = GenericOwnerManager
    db_constraint = False

    def __init__(
        self,
        to: Any,
        object_id_field: str = "object_id",
        content_type_field: str = "content_type",
        for_concrete_model: bool = True,
        related_query_name: str | None = None,
        limit_choices_to: Any = None,
        **options: Any,
    ) -> None:
        options = {"null": True, "blank": True, "editable": False, "serialize": False, **options}
        super().__init__(
            to,
            related_name="+",
            related_query_name=related_query_name,
            limit_choices_to=limit_choices_to,
            **options,
        )
        self.object_id_field_name = object_id_field
        self.content_type_field_name = content_type_field
        self.for_concrete_model = for_concrete_model

    def get_attname_column(self) -> tuple[str, Any]:
        return self.name, None

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = True) -> None:
        super().contribute_to_class(cls, name, private_only=True)

    def inherited_by(self, cls: Any) -> None:
        """A child of the model has a relation of its own: rows that point at it say that it is the child.

        So has a proxy, where rows tell it from the model it stands for.
        """
        if cls._meta.proxy and self.for_concrete_model:
            cls._meta.private_fields.append(self)
            return
        field = copy.copy(self)
        field._related_query_name = None
        field.relation = None
        field.contribute_to_class(cls, self.name)

    # -- declaring -----------------------------------------------------------------------------------------------------

    @property
    def is_hidden(self) -> bool:
        """Whether look-ups on the target cannot come back."""
        return self._related_query_name is None

    def related_query_name(self) -> str:
        meta = self.model._meta
        if self._related_query_name is None:
            return f"{meta.app_label}_{meta.model_name}_{self.name}+"
        return self._related_query_name % {"class": meta.model_name, "app_label": meta.app_label.lower()}

    def _far(self, target: Entity) -> tuple[Attribute | None, Any]:
        """The target's attribute that holds the key, and its end to the content types; None while it is not known."""
        name = self.object_id_field_name
        return target.attributes.get(target.aliases.get(name, name)), target.find(self.content_type_field_name)

    def is_ready(self, target: Entity) -> bool:
        held, whose = self._far(target)
        known = held is not None and getattr(whose, "holds_key", False) and whose.owner.table is held.entity.table
        return known and super().is_ready(target)

    @property
    def may_wait(self) -> bool:
        """True where the target is there and has no generic foreign key: whoever uses the relation is told."""
        return self.relation is None and self.target_label in self.model._meta.apps.registry.entities

    def unready(self, target: Entity) -> str:
        names = f"{self.content_type_field_name!r} and {self.object_id_field_name!r}"
        return (
            f"{self.described} is a GenericRelation to {target.label}, which has no GenericForeignKey made of the "
            f"fields {names}. Add them there, or name others with content_type_field= and object_id_field=."
        )

    def contribute_to_entity_later(self, entity: Entity) -> None:
        """What a look-up by its name is told as long as it is not linked."""
        entity.refused[self.name] = f"{self.described} is a GenericRelation to a model that has no GenericForeignKey."

    def declare(self, target: Entity) -> Relation:
        held, whose = self._far(target)
        assert held is not None
        self._add_order_methods(target.model)
        app_label, model = key_of(self.model, self.for_concrete_model)
        key = KeyOf(whose.target, (("app_label", app_label), ("model", model)))
        columns = tuple(attribute.column.name for attribute in self.owner.key)
        self.relation = generic(
            self.owner,
            self.name,
            target,
            columns,
            held,
            ((whose.local_columns[0], key),),
            query_name=self.related_query_name(),
            field=self,
        )
        return self.relation

    def _add_order_methods(self, model: Any) -> None:
        """Where the target's rows are ordered with respect to their generic foreign key, this model has their order."""
        names = (self.content_type_field_name, self.object_id_field_name)
        for field in model._meta.private_fields:
            is_order = field.name == model._meta.order_with_respect_to
            if is_order and names == (getattr(field, "ct_field", None), getattr(field, "fk_field", None)):
                add_order_methods(self.model, model, field)

    # -- loading -------------------------------------------------------------------------------------------------------

    @property
    def shared_rows(self) -> Any:
        """Equal for relations to the same rows, from whichever models: they are prefetched together."""
        target = self.relation.forward.target if self.relation is not None else None
        return target, self.content_type_field_name, self.object_id_field_name

    def load_together(
        self,
        session: Session,
        end: End,
        instances: Sequence[Any],
        queryset: Any,
        to_attr: str | None = None,
        back: str | None = None,
    ) -> Operation[None]:
        """As `load_to_many`, for instances of several models. One query, and those for content types; one for each
        model where the queryset is sliced, or of another database."""
        parts = [(end_of(alike[0], self.name), alike) for alike in by_kind(instances)]
        if queryset._low or queryset._high is not None or (queryset._db or session.alias) != session.alias:
            for end, alike in parts:
                yield from load_to_many(session, end, alike, queryset, to_attr, back)
            return
        wanted = Q()
        found: dict[Any, dict[Any, list[Any]]] = {}
        types = []
        for end, alike in parts:
            kind = yield from ContentType.objects._of_model(session, end.field.model, end.field.for_concrete_model)
            types.append(kind.pk)
            keys = keys_of(end, alike)
            wanted |= Q((self.content_type_field_name, kind.pk), (f"{self.object_id_field_name}__in", keys))
        whose = queryset.model._meta.get_field(self.content_type_field_name).attname
        for row in (yield from queryset.filter(wanted)._load(session)):
            of_type = found.setdefault(getattr(row, whose), {})
            of_type.setdefault(getattr(row, self.object_id_field_name), []).append(row)
        for (end, alike), kind in zip(parts, types, strict=True):
            give_rows(end, alike, found.get(kind, {}), queryset, to_attr, back)

    # -- the Django face -----------------------------------------------------------------------------------------------

    def get_content_type(self) -> ContentType:
        """The content type that rows of the relation hold. One query, or none."""
        return ContentType.objects.get_for_model(self.model, for_concrete_model=self.for_concrete_model)

    @property
    def target_field(self) -> Any:
        return self.model._meta.pk

    def get_internal_type(self) -> str:
        return "ManyToManyField"

    def value_to_string(self, obj: Any) -> str:
        """The keys of the related rows, as JSON. One query."""
        return str([row.pk for row in getattr(obj, self.name).all()])


__all__ = ["GenericForeignKey", "GenericRel", "GenericRelation"]
