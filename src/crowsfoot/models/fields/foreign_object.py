"""`ForeignObject`: a to-one relation over fields that the model has anyway. It adds no column and no constraint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from crowsfoot.errors import FieldDoesNotExist, unknown_name
from crowsfoot.models.fields.foreign_key import ForeignKey
from crowsfoot.models.rels import ForeignObjectRel
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.relation import OnDelete

T = TypeVar("T")


class ForeignObject(ForeignKey[T]):
    """Many rows of this model point at one row of ``to``: at the one whose ``to_fields`` equal their ``from_fields``.

    The database does not know of it; ``delete()`` keeps ``on_delete`` all the same. A ``ForeignKey`` with ``columns``
    is the same with a constraint. ``to_fields`` have to be unique together, unless a subclass says otherwise in
    ``requires_unique_target``: what it adds in ``get_extra_restriction()`` may leave one row of several.
    """

    concrete = False
    sets_columns = False
    # One with the foreign key's: what is registered for either serves both, as Django has it of ForeignObject.
    class_lookups: ClassVar[dict[str, Any]] = ForeignKey.class_lookups
    rel_class: Any = ForeignObjectRel

    def __init__(
        self, to: Any, on_delete: Any, from_fields: Sequence[str], to_fields: Sequence[str | None], **options: Any
    ) -> None:
        if not from_fields or len(from_fields) != len(to_fields):
            raise ValueError(
                f"ForeignObject has {len(from_fields)} from_fields and {len(to_fields)} to_fields: "
                "it takes as many of each, and at least one."
            )
        options.update(db_constraint=False, db_index=False, columns=from_fields)
        super().__init__(to, on_delete, **options)
        self.from_fields = tuple(from_fields)
        self.to_fields = tuple(to_fields)

    def get_attname_column(self) -> tuple[str, Any]:
        return self.name, None

    def is_ready(self, target: Entity) -> bool:
        return not self._missing() and super().is_ready(target)

    @property
    def may_wait(self) -> bool:
        """True where the model has not the fields that are compared: whoever uses the relation is told."""
        return self.relation is None and bool(self._missing())

    def _missing(self) -> list[str]:
        entity = self.owner
        return [name for name in self.from_fields if entity.aliases.get(name, name) not in entity.attributes]

    def unready(self, target: Entity) -> str:
        missing = self._missing()
        if not missing:
            return super().unready(target)
        return f"{self}: from_fields: {unknown_name('field', missing[0], self.owner.label, self.owner.attributes)}"

    def _remotes(self, target: Entity) -> tuple[Attribute, ...]:
        names = [target.key[0].name if name is None and target.key else str(name) for name in self.to_fields]
        found = [target.attributes.get(target.aliases.get(name, name)) for name in names]
        return () if None in found else tuple(a for a in found if a is not None)

    def check(self, **kwargs: Any) -> list[str]:
        found = super().check(**kwargs)
        target = self.model._meta.apps.registry.entities.get(self.target_label)
        sides = [(self.owner, "from_fields", self.from_fields)]
        if target is not None:
            sides.append((target, "to_fields", tuple(name for name in self.to_fields if name is not None)))
        for entity, option, names in sides:
            for name in names:
                if entity.aliases.get(name, name) not in entity.attributes:
                    found.append(f"{self}: {option}: {unknown_name('field', name, entity.label, entity.attributes)}")
        return found

    def _check_rule(self, rule: OnDelete) -> list[str]:
        """Whether the fields may be emptied is for them to say; ``null`` is about the relation."""
        return []

    def _check_target(self) -> list[str]:
        target = self.model._meta.apps.registry.entities.get(self.target_label)
        if not self.requires_unique_target or target is None or self.relation is None:
            return []
        meta, fields = target.model._meta, self.foreign_related_fields
        names = {field.name for field in fields}
        whole = [*meta.unique_sets(), tuple(field.name for field in meta.pk_fields)]
        if any(field.unique for field in fields) or any(names.issuperset(unique) for unique in whole):
            return []
        listed = ", ".join(repr(field.name) for field in fields)
        return [
            f"{self}: no subset of the fields {listed} on model {meta.object_name!r} is unique. Add unique=True to one "
            "of them, or a UniqueConstraint over some."
        ]

    @property
    def local_related_fields(self) -> tuple[Any, ...]:
        return tuple(_named(self.model._meta, name) for name in self.from_fields)

    @property
    def foreign_related_fields(self) -> tuple[Any, ...]:
        meta = self.related_model._meta
        return tuple(meta.pk if name is None else _named(meta, name) for name in self.to_fields)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        for option in ("columns", "db_constraint", "db_index"):
            kwargs.pop(option, None)
        kwargs["from_fields"], kwargs["to_fields"] = self.from_fields, self.to_fields
        return name, path, args, kwargs


def _named(meta: Any, name: str) -> Any:
    for field in meta.concrete_fields:
        if name in (field.name, field.attname):
            return field
    raise FieldDoesNotExist(unknown_name("field", name, meta.label, [f.name for f in meta.fields]))
