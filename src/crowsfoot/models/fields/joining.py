"""What `ForeignKey`, `OneToOneField` and `ForeignObject` say of their join: fields compared, and further conditions."""

from __future__ import annotations

from typing import Any, TypeVar

from crowsfoot.models.attributes import ToMany, ToOne
from crowsfoot.models.fields.related import RelatedField
from crowsfoot.models.rels import PathInfo
from crowsfoot.schema.relation import JoinCondition

T = TypeVar("T")


class JoiningField(RelatedField[T]):
    """A relation field whose rows are found by comparing fields of both models.

    A subclass may ask for more than equality, or for something else: see ``get_extra_restriction()`` and
    ``get_joining_fields()``.
    """

    # The accessors: the class that each side of the relation gives to its model.
    forward_related_accessor_class: Any = ToOne
    related_accessor_class: Any = ToMany

    # -- for subclasses ------------------------------------------------------------------------------------------------

    def get_joining_fields(self, reverse_join: bool = False) -> tuple[tuple[Any, Any], ...]:
        """The fields that a join compares, in pairs: this model's and the target's, or with ``reverse_join`` the other
        way round. Without any, the further condition alone says which rows belong together.
        """
        return tuple(self.reverse_related_fields if reverse_join else self.related_fields)

    def get_extra_restriction(self, alias: str, related_alias: str) -> Any:
        """What a join demands beside equal fields: a node with ``as_sql(compiler, connection)``, or None.

        ``alias`` is the target's table in the statement, ``related_alias`` this model's; ``field.get_col(alias)`` is a
        column of one. Asked again for each query, so it may depend on what is active at the time. Wherever the
        relation is followed in SQL, it holds: in look-ups, in ``select_related()``, in prefetches and for managers.
        """
        return None

    def get_extra_descriptor_filter(self, instance: Any) -> Any:
        """Look-ups (a dict or a ``Q``) that the related row of ``instance`` meets besides, when it is loaded.

        A field that has these is loaded by the values of its own fields and by them, without a join.
        """
        return {}

    # -- the fields compared -------------------------------------------------------------------------------------------

    @property
    def target_field(self) -> Any:
        """The field of the target that the relation points at."""
        raise NotImplementedError

    @property
    def local_related_fields(self) -> tuple[Any, ...]:
        """This model's fields of the pairs."""
        return self.parts

    @property
    def foreign_related_fields(self) -> tuple[Any, ...]:
        """The target's fields of the pairs."""
        return tuple(self.target_field.parts)

    @property
    def related_fields(self) -> list[tuple[Any, Any]]:
        return list(zip(self.local_related_fields, self.foreign_related_fields, strict=True))

    @property
    def reverse_related_fields(self) -> list[tuple[Any, Any]]:
        return [(far, near) for near, far in self.related_fields]

    def get_reverse_joining_fields(self) -> tuple[tuple[Any, Any], ...]:
        return self.get_joining_fields(reverse_join=True)

    def get_local_related_value(self, instance: Any) -> tuple[Any, ...]:
        """The values by which ``instance``, of this model, finds its related row."""
        return tuple(getattr(instance, field.attname) for field in self.local_related_fields)

    def get_foreign_related_value(self, instance: Any) -> tuple[Any, ...]:
        """The values by which ``instance``, of the target, is found."""
        return tuple(getattr(instance, field.attname) for field in self.foreign_related_fields)

    def get_path_info(self, filtered_relation: Any = None) -> list[PathInfo]:
        """The steps from this model to the target: one."""
        here, there = self.model._meta, self.related_model._meta
        return [PathInfo(here, there, self.foreign_related_fields, self, False, True, filtered_relation)]

    def get_reverse_path_info(self, filtered_relation: Any = None) -> list[PathInfo]:
        """The steps from the target to this model: one."""
        here, there = self.related_model._meta, self.model._meta
        return [PathInfo(here, there, (there.pk,), self.remote_field, not self.unique, False, filtered_relation)]

    # -- declaring -----------------------------------------------------------------------------------------------------

    @property
    def forward_accessor(self) -> Any:
        """The accessor of this model: one that the field put there itself, else one of its class."""
        own = self.model.__dict__.get(self.name)
        return own if getattr(own, "source", None) is self else self.forward_related_accessor_class(self)

    def _join(self, columns: tuple[str, ...], remotes: tuple[str, ...]) -> dict[str, Any]:
        """What the constructor of the relation is told of the join, given the columns that the field itself has."""
        kind = type(self)
        if kind.get_joining_fields is not JoiningField.get_joining_fields:
            pairs = self.get_joining_fields()
            columns, remotes = tuple(a.column for a, _ in pairs), tuple(b.column for _, b in pairs)
        asks = not columns or kind.get_extra_restriction is not JoiningField.get_extra_restriction
        narrows = kind.get_extra_descriptor_filter is not JoiningField.get_extra_descriptor_filter
        return {
            "columns": columns,
            "target_columns": remotes,
            "many": self.forward_accessor.many,
            "condition": JoinCondition(self.get_extra_restriction) if asks else None,
            "narrow": self.get_extra_descriptor_filter if narrows else None,
        }
