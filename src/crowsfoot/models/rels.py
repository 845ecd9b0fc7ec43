"""Reverse relations as Django's ``_meta`` shows them: each is a view of one `End` and the field that declared it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from crowsfoot.enums import BLANK_CHOICE_DASH
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.registry import Registry
from crowsfoot.schema.relation import slot_of


class PathInfo(NamedTuple):
    """One step of a relation, as Django describes it: from one model's ``_meta`` to another's.

    ``target_fields`` are the fields arrived at, ``join_field`` the field or way back that is followed, ``direct`` is
    True for the former. ``m2m`` says whether there may be several rows.
    """

    from_opts: Any
    to_opts: Any
    target_fields: tuple[Any, ...]
    join_field: Any
    m2m: bool
    direct: bool
    filtered_relation: Any


UNKNOWN: Any = object()


class LoadedRelation:
    """Django's four methods for the related instance that an instance has loaded, shared by fields and ways back."""

    cache_name: Any

    def get_cached_value(self, instance: Any, default: Any = UNKNOWN) -> Any:
        """The related instance that is here; ``default``, or ``KeyError``, where none is."""
        found = instance.__dict__.get(slot_of(self.cache_name), default)
        if found is UNKNOWN:
            raise KeyError(self.cache_name)
        return found

    def is_cached(self, instance: Any) -> bool:
        return slot_of(self.cache_name) in instance.__dict__

    def set_cached_value(self, instance: Any, value: Any) -> None:
        """Keep ``value`` as the related instance, and change nothing else."""
        instance.__dict__[slot_of(self.cache_name)] = value

    def delete_cached_value(self, instance: Any) -> None:
        del instance.__dict__[slot_of(self.cache_name)]


class ForeignObjectRel(LoadedRelation):
    """The way back of a relation field. Its facts are read from the field and its relation."""

    auto_created = True
    concrete = False
    editable = False
    is_relation = True
    null = True
    empty_strings_allowed = False
    many_to_many = False
    many_to_one = False
    one_to_many = True
    one_to_one = False
    remote_name = ""

    def __init__(self, field: Any) -> None:
        self.field = field

    @property
    def model(self) -> Any:
        """The model that the field points at."""
        return self.field.related_model

    @property
    def related_model(self) -> Any:
        """The model that has the field."""
        return self.field.model

    @property
    def remote_field(self) -> Any:
        return self.field

    @property
    def target_field(self) -> Any:
        return self.field.target_field

    @property
    def on_delete(self) -> Any:
        return self.field.on_delete

    @property
    def related_name(self) -> Any:
        return self.field.related_name

    @property
    def related_query_name(self) -> Any:
        return self.field._related_query_name

    @property
    def limit_choices_to(self) -> Any:
        return self.field.limit_choices_to

    @property
    def parent_link(self) -> bool:
        return bool(getattr(self.field, "parent_link", False))

    @property
    def parts(self) -> tuple[ForeignObjectRel]:
        """Itself, as with a field of one column: it has none."""
        return (self,)

    @property
    def multiple(self) -> bool:
        return not self.one_to_one

    @property
    def symmetrical(self) -> bool:
        return bool(getattr(self.field, "symmetrical", False))

    @property
    def through(self) -> Any:
        return getattr(self.field, "link_model", None)

    @property
    def through_fields(self) -> Any:
        return getattr(self.field, "through_fields", None)

    @property
    def db_constraint(self) -> bool:
        return bool(self.field.db_constraint)

    @property
    def field_name(self) -> str:
        return str(self.field.target_field.name)

    @property
    def name(self) -> str:
        """The name of the way back in look-ups."""
        return str(self.field.related_query_name())

    @property
    def hidden(self) -> bool:
        return bool(self.field.is_hidden)

    def is_hidden(self) -> bool:
        return self.hidden

    def get_accessor_name(self, model: Any = None) -> str | None:
        if self.symmetrical and self.model is self.related_model:
            return None
        name: str | None = self.field.related_name if self.hidden else self.field.accessor_name()
        return name

    accessor_name = property(get_accessor_name)
    cache_name = property(get_accessor_name)

    @property
    def end(self) -> Any:
        """The relation as it is seen from the model that the field points at."""
        return self.field.relation.reverse

    def get_joining_fields(self) -> tuple[tuple[Any, Any], ...]:
        """The fields that a join compares, in pairs: those of the model that the field points at come first."""
        pairs: tuple[tuple[Any, Any], ...] = self.field.get_reverse_joining_fields()
        return pairs

    def get_extra_restriction(self, alias: str, related_alias: str) -> Any:
        """What a join demands besides, seen from here: ``alias`` is the table of the model that has the field."""
        return self.field.get_extra_restriction(related_alias, alias)

    def get_path_info(self, filtered_relation: Any = None) -> list[PathInfo]:
        """The steps to the model that has the field."""
        found: list[PathInfo] = self.field.get_reverse_path_info(filtered_relation)
        return found

    @cached_property
    def path_infos(self) -> list[PathInfo]:
        return self.get_path_info()

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles take over: all but the steps, which lead from other models for another field."""
        state = self.__dict__.copy()
        state.pop("path_infos", None)
        return state

    def get_related_field(self) -> Any:
        return self.field.target_field

    def get_choices(
        self,
        include_blank: bool = True,
        blank_choice: Iterable[tuple[Any, Any]] = BLANK_CHOICE_DASH,
        limit_choices_to: Any = None,
        ordering: Sequence[str] = (),
    ) -> list[tuple[Any, Any]]:
        """The rows that have the field as ``(key, text)`` pairs. One query."""
        limit = limit_choices_to or self.field.get_limit_choices_to()
        found = choices_among(self.related_model, "pk", limit, ordering)
        return [*(blank_choice if include_blank else []), *found]

    def get_internal_type(self) -> str:
        return str(self.field.get_internal_type())

    def get_lookup(self, name: str) -> Any:
        return self.field.get_lookup(name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.related_model._meta.label_lower}>"


class ManyToOneRel(ForeignObjectRel):
    pass


class OneToOneRel(ManyToOneRel):
    one_to_many = False
    one_to_one = True


class ManyToManyRel(ForeignObjectRel):
    one_to_many = False
    many_to_many = True

    def get_related_field(self) -> Any:
        relation = self.field.relation
        if relation is None:
            return self.model._meta.pk
        return relation.forward.target.attribute_of(relation.forward.remote_columns[0]).field


def choices_among(model: Any, key: str, limit: Any, ordering: Sequence[str] | None) -> list[tuple[Any, str]]:
    """The rows of a model as ``(key, text)`` pairs. One query."""
    rows = model._default_manager.complex_filter(limit)
    ordering = ordering or model._meta.ordering
    if ordering:
        rows = rows.order_by(*ordering)
    return [(getattr(row, key), str(row)) for row in rows]


def reverse_rels(entity: Entity, registry: Registry) -> list[Any]:
    """The ways back that end at ``entity`` itself, of relations whose columns are not known yet too."""
    registry.link()
    fields = [end.field for end in entity.ends.values() if not end.is_forward and end.field is not None]
    for declaration in registry.pending:
        target = registry.entities.get(declaration.target_label)
        if target is not None and target.concrete is entity:
            fields.append(declaration)
    return list(dict.fromkeys(field.remote_field for field in fields))


def leads_down(field: Any) -> bool:
    """Whether it is the way from a model to one that inherits from it."""
    return isinstance(field, ForeignObjectRel) and field.parent_link
