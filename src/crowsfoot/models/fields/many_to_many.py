"""`ManyToManyField`: a relation whose keys are rows of a link table."""

from __future__ import annotations

from typing import Any, TypeVar, Unpack, overload

from crowsfoot.errors import FieldError
from crowsfoot.models.fields.keywords import LinkOptions
from crowsfoot.models.fields.related import RECURSIVE, RelatedField
from crowsfoot.models.link_managers import ManyRelatedManager
from crowsfoot.models.rels import ManyToManyRel, PathInfo
from crowsfoot.models.typed import IsModel
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.relation import Relation, many_to_many

T = TypeVar("T")
M = TypeVar("M", bound=IsModel)


class ManyToManyField(RelatedField[T]):
    """Many rows of this model with many rows of ``to``, through a link table that is made unless ``through`` names one.

    ``symmetrical`` (the default for ``"self"``) makes each link count both ways. ``through_fields`` names the two
    foreign keys of the link model where it has more than one to a side.
    """

    many_to_many = True
    many_to_one = False
    one_to_many = False
    one_to_one = False
    concrete = False
    rel_class = ManyToManyRel

    @overload
    def __init__(self: ManyToManyField[M], to: type[M], **options: Unpack[LinkOptions]) -> None: ...
    @overload
    def __init__(self: ManyToManyField[Any], to: str, **options: Unpack[LinkOptions]) -> None: ...
    def __init__(
        self,
        to: Any,
        related_name: str | None = None,
        related_query_name: str | None = None,
        limit_choices_to: Any = None,
        symmetrical: bool | None = None,
        through: Any = None,
        through_fields: tuple[str, str] | None = None,
        db_constraint: bool = True,
        db_table: str | None = None,
        swappable: bool = True,
        on_delete: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(
            to,
            related_name=related_name,
            related_query_name=related_query_name,
            limit_choices_to=limit_choices_to,
            on_delete=on_delete,
            **options,
        )
        if through is not None and db_table is not None:
            raise ValueError("Cannot specify a db_table if an intermediary model is used.")
        self.symmetrical = (to == RECURSIVE) if symmetrical is None else symmetrical
        self.through = through
        self.through_fields = through_fields
        self.db_constraint = db_constraint
        self.db_table = db_table

    # As with other fields, for type checkers alone.
    @overload  # type: ignore[override]
    def __get__(self, instance: None, owner: Any) -> type[T]: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> ManyRelatedManager[T]: ...
    def __get__(self, instance: Any, owner: Any) -> Any:
        return self

    def get_attname_column(self) -> tuple[str, Any]:
        return self.name, None

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        unnamed = self._related_name is None or self._hidden_by_symmetry
        if self.symmetrical and unnamed and self._is_recursive(cls):
            self._related_name = f"{name}_rel_+"
            self._hidden_by_symmetry = True
        elif self._related_name == "+" or (self._related_name or "").endswith("+"):
            self._related_name = f"_{cls._meta.app_label}_{cls.__name__.lower()}_{name}_+"
            self._given_name = "+"
        super().contribute_to_class(cls, name, private_only)

    _hidden_by_symmetry = False
    _given_name: str | None = None

    def _is_recursive(self, cls: Any) -> bool:
        return self.to == RECURSIVE or self.to is cls or self.to in (cls.__name__, cls._meta.object_name)

    # -- declaring -----------------------------------------------------------------------------------------------------

    @property
    def link_model(self) -> Any:
        """The model of the link table, or None while a ``through`` given by name is not known."""
        if isinstance(self.through, str):
            label = self.through if "." in self.through else f"{self.model._meta.app_label}.{self.through}"
            return self.model._meta.apps.all_models_by_label.get(label.lower())
        return self.through

    def is_ready(self, target: Entity) -> bool:
        model = self.link_model
        if model is None or not super().is_ready(target):
            return False
        return self._link_ends(model._meta.entity, target) is not None

    def _link_ends(self, link: Entity, target: Entity) -> tuple[Any, Any] | None:
        """The link's ends to this model and to the target, or None while they are not linked."""
        if self.through_fields:
            names = list(self.through_fields)
            found = [link.ends.get(name) for name in names]
            return None if None in found else (found[0], found[1])
        forward = [end for end in link.ends.values() if end.points and end.owner is link]
        to_owner = [end for end in forward if end.target.concrete is self.owner.concrete]
        to_target = [end for end in forward if end.target.concrete is target.concrete]
        if self.owner.concrete is target.concrete:
            return (to_owner[0], to_owner[1]) if len(to_owner) >= 2 else None
        return (to_owner[0], to_target[0]) if to_owner and to_target else None

    def declare(self, target: Entity) -> Relation:
        link = self.link_model._meta.entity
        ends = self._link_ends(link, target)
        assert ends is not None
        self.through = self.link_model
        self.relation = many_to_many(
            self.owner,
            self.name,
            target,
            link,
            *ends,
            accessor=self.accessor_name(),
            query_name=self.end_name,
            symmetrical=self.symmetrical and target.concrete is self.owner.concrete,
            constrained=self.db_constraint,
            field=self,
        )
        return self.relation

    def check(self, **kwargs: Any) -> list[str]:
        found: list[str] = []
        if self.on_delete is not None:
            found.append(
                f"{self} is a ManyToManyField and takes no on_delete: deleting either side deletes the links, never "
                "the other side. Leave on_delete out; rules of your own belong to the foreign keys of a through model."
            )
        model = self.link_model
        if model is None:
            found.append(f"{self}: through={self.through!r} is not a model of this project.")
        elif self.relation is None and self.target_label in self.model._meta.apps.registry.entities:
            found.append(
                f"{self}: the link model {model._meta.label} needs one foreign key to {self.owner.label} and one to "
                f"{self.target_name}; name them in through_fields=(…, …)."
            )
        elif (
            self.through_fields is None
            and model is not None
            and not model._meta.auto_created
            and self.relation is not None
        ):
            found += self._ambiguous(model._meta.entity)
        return found

    def _ambiguous(self, link: Entity) -> list[str]:
        assert self.relation is not None
        target = self.relation.forward.target
        expected = 2 if target.concrete is self.owner.concrete else 1
        sides = {self.owner.concrete, target.concrete}
        found = []
        for side in sides:
            keys = [e.name for e in link.ends.values() if e.points and e.owner is link and e.target.concrete is side]
            if len(keys) > expected:
                found.append(
                    f"{self}: {link.label} has several foreign keys to {side.label} ({', '.join(keys)}). Say which two "
                    f"make the link: through_fields=({keys[0]!r}, …)."
                )
        return found

    # -- the steps, as Django shows them -------------------------------------------------------------------------------

    def get_path_info(self, filtered_relation: Any = None) -> list[PathInfo]:
        return self._steps(self.m2m_field_name(), self.m2m_reverse_field_name(), filtered_relation)

    def get_reverse_path_info(self, filtered_relation: Any = None) -> list[PathInfo]:
        return self._steps(self.m2m_reverse_field_name(), self.m2m_field_name(), filtered_relation)

    def _steps(self, here: str, there: str, filtered_relation: Any) -> list[PathInfo]:
        """Back along the link's field ``here``, and forward along its field ``there``."""
        link = self.link_model._meta
        return [
            *link.get_field(here).get_reverse_path_info(),
            *link.get_field(there).get_path_info(filtered_relation),
        ]

    # -- values --------------------------------------------------------------------------------------------------------

    def value_from_object(self, obj: Any) -> Any:
        return [] if obj.pk is None else list(getattr(obj, self.attname).all())

    def make_column(self) -> Any:
        raise FieldError(f"{self} has no column.")

    def m2m_db_table(self) -> str:
        return str(self.link_model._meta.db_table)

    def m2m_column_name(self) -> str:
        assert self.relation is not None
        return self.relation.forward.hops[0].target_columns[0]

    def m2m_reverse_name(self) -> str:
        assert self.relation is not None
        return self.relation.forward.hops[1].source_columns[0]

    def m2m_field_name(self) -> str:
        return self._link_name(0, True)

    def m2m_reverse_field_name(self) -> str:
        return self._link_name(1, False)

    def _link_name(self, hop: int, target: bool) -> str:
        assert self.relation is not None
        assert self.relation.link is not None
        hops = self.relation.forward.hops[hop]
        column = hops.target_columns[0] if target else hops.source_columns[0]
        return str(self.relation.link.attribute_of(column).field.name)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("on_delete", None)
        if self._hidden_by_symmetry:
            kwargs.pop("related_name", None)
        elif self._given_name:
            kwargs["related_name"] = self._given_name
        if self.db_table is not None:
            kwargs["db_table"] = self.db_table
        if self.db_constraint is not True:
            kwargs["db_constraint"] = self.db_constraint
        if self.symmetrical is not (self.to == RECURSIVE):
            kwargs["symmetrical"] = self.symmetrical
        if self.through is not None:
            made = not isinstance(self.through, str) and self.through._meta.auto_created
            if not made:
                kwargs["through"] = self.through if isinstance(self.through, str) else self.through._meta.label
        if self.through_fields is not None:
            kwargs["through_fields"] = self.through_fields
        return name, path, args, kwargs
