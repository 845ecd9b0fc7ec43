"""Relations to a row of any model: `GenericForeignKey` on the rows that point, `GenericRelation` as the way back."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from crowsfoot.contrib.contenttypes.managers import GenericOwnerManager, GenericRelatedObjectManager
from crowsfoot.contrib.contenttypes.models import ContentType, key_of
from crowsfoot.contrib.contenttypes.targets import GenericTarget, keep
from crowsfoot.drivers.run import Operation
from crowsfoot.errors import unknown_name
from crowsfoot.models.fields.base import Field
from crowsfoot.models.fields.foreign_key import ForeignKey
from crowsfoot.models.fields.related import RelatedField
from crowsfoot.models.places import add_order_methods
from crowsfoot.models.related_rows import end_of, give_rows, keys_of, load_to_many, tell
from crowsfoot.models.rels import ForeignObjectRel
from crowsfoot.persistence.session import Session
from crowsfoot.query.conditions import Q
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.relation import End, KeyOf, Relation, generic, slot_of

M = TypeVar("M")


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
        target = instance.__dict__.get(slot_of(self.name))
        if target is None or getattr(instance, self.fk_field) is not None:
            return
        if not target._is_pk_set():
            raise ValueError(
                f"{operation}() prohibited to prevent data loss due to unsaved related object '{self.name}'."
            )
        setattr(instance, self.name, target)

    def settle(self, session: Session, instance: Any) -> Operation[None]:
        """The content type of a target that was assigned where it could not be asked for. One query, or none."""
        target = instance.__dict__.get(slot_of(self.name))
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
            query_name=self.end_name,
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
            rows = found.get(kind, {})
            if back:
                tell(end, alike, rows, back)
            give_rows(end, alike, rows, queryset, to_attr)

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
