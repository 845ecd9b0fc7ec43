"""`ForeignKey`, `OneToOneField` and `ManyToManyField`: how a model declares a relation.

Each is a declaration for the registry: it waits until its target is known, then makes its key column and one `Relation`,
from which everything else is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from crowsfoot.errors import FieldError, ValidationError, unknown_name
from crowsfoot.models.fields.base import BLANK_CHOICE_DASH, NOT_PROVIDED, Field
from crowsfoot.models.rels import ManyToManyRel, ManyToOneRel, OneToOneRel
from crowsfoot.schema import types
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.registry import PENDING, is_complete
from crowsfoot.schema.relation import OnDelete, Relation, many_to_many, many_to_one, one_to_one
from crowsfoot.schema.table import NO_DEFAULT, Column

T = TypeVar("T")
RECURSIVE = "self"


class RelatedField(Field[T]):
    """What the three relation fields share: the target, the names of the way back, and the checks of both."""

    is_relation = True
    empty_strings_allowed = False
    relation: Relation | None = None

    def __init__(
        self,
        to: Any,
        *,
        related_name: str | None = None,
        related_query_name: str | None = None,
        limit_choices_to: Any = None,
        on_delete: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.to = to
        self._related_name = related_name
        self._related_query_name = related_query_name
        self.limit_choices_to = limit_choices_to if limit_choices_to is not None else {}
        self.on_delete = on_delete
        self.remote_field = self.rel_class(self)

    # -- as a declaration ----------------------------------------------------------------------------------------------

    @property
    def owner(self) -> Entity:
        return self.model._meta.entity  # type: ignore[no-any-return]

    @property
    def target_label(self) -> str:
        """``app.model`` of the target, whether it was given as a class, ``"Model"``, ``"app.Model"`` or ``"self"``."""
        if not isinstance(self.to, str):
            label: str = self.to._meta.label_lower
            return label
        if self.to == RECURSIVE:
            return str(self.model._meta.label_lower)
        if "." in self.to:
            return self.model._meta.apps.swapped(self.to).lower()  # type: ignore[no-any-return]
        return f"{self.model._meta.app_label}.{self.to}".lower()

    @property
    def described(self) -> str:
        return str(self)

    @property
    def target_name(self) -> str:
        """The target's class name, known or not."""
        return self.to.rpartition(".")[2] if isinstance(self.to, str) else self.to.__name__

    def is_ready(self, target: Entity) -> bool:
        return is_complete(target) and is_complete(self.owner)

    def problems(self) -> Iterable[str]:
        yield from self.check()
        name = self._related_name
        if name is not None and not name.endswith("+") and not name.format_map(_Blank()).replace("%(class)s", "x").replace(
            "%(app_label)s", "x"
        ).replace("%(model_name)s", "x").isidentifier():
            yield f"{self}: related_name={name!r} is not a name that Python can use. Write a plain name, or '+' for no way back."

    # -- names of the way back -----------------------------------------------------------------------------------------

    @property
    def related_name(self) -> str | None:
        """The ``related_name`` with ``%(class)s`` and ``%(app_label)s`` filled in."""
        meta = self.model._meta
        given = self._related_name if self._related_name is not None else meta.default_related_name
        if given is None:
            return None
        words = {"class": meta.model_name, "model_name": meta.model_name, "app_label": meta.app_label.lower()}
        return str(given % words) if "%(" in given else str(given)

    @property
    def is_hidden(self) -> bool:
        """Whether the way back is switched off (``related_name="+"``)."""
        name = self.related_name
        return name is not None and name.endswith("+")

    def accessor_name(self) -> str | None:
        """The attribute of the target that leads back here, or None."""
        if self.is_hidden:
            return None
        if self.related_name:
            return self.related_name
        return str(self.model._meta.model_name) + ("" if self._unique_way_back else "_set")

    @property
    def _unique_way_back(self) -> bool:
        return False

    def related_query_name(self) -> str:
        """The name of the way back in look-ups."""
        if self._related_query_name:
            meta = self.model._meta
            return self._related_query_name % {"class": meta.model_name, "app_label": meta.app_label.lower()}
        name = self.related_name
        if name is None:
            return str(self.model._meta.model_name)
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}_{self.name}+" if name.endswith("+") else name

    def get_limit_choices_to(self) -> Any:
        return self.limit_choices_to() if callable(self.limit_choices_to) else self.limit_choices_to

    def get_choices(self, include_blank: bool = True, blank_choice: Any = BLANK_CHOICE_DASH, **options: Any) -> list[Any]:
        """The related rows as ``(key, text)`` pairs. One query."""
        limit = options.get("limit_choices_to") or self.get_limit_choices_to()
        rows = self.related_model._default_manager.complex_filter(limit)
        if options.get("ordering"):
            rows = rows.order_by(*options["ordering"])
        key = self.remote_field.get_related_field().attname
        return [*(blank_choice if include_blank else []), *[(getattr(row, key), str(row)) for row in rows]]

    # -- the Django face -----------------------------------------------------------------------------------------------

    @property
    def related_model(self) -> Any:  # type: ignore[override]
        self.model._meta.apps.link()
        if self.relation is not None:
            return self.relation.forward.target.model
        return self.to if not isinstance(self.to, str) else self.to

    @property
    def remote_field(self) -> Any:  # type: ignore[override]
        return self._rel

    @remote_field.setter
    def remote_field(self, value: Any) -> None:
        self._rel = value

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        self.remote_field = self.rel_class(self)
        super().contribute_to_class(cls, name, private_only)

    rel_class: Any = None

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs["to"] = self.to if isinstance(self.to, str) and self.to == RECURSIVE else self._to_label()
        if self._related_name is not None:
            kwargs["related_name"] = self._related_name
        if self._related_query_name is not None:
            kwargs["related_query_name"] = self._related_query_name
        if self.limit_choices_to:
            kwargs["limit_choices_to"] = self.limit_choices_to
        return name, path, args, kwargs

    def _to_label(self) -> str:
        if not isinstance(self.to, str):
            return str(self.to._meta.label_lower)
        if "." in self.to or not hasattr(self, "model"):
            return self.to.lower() if "." in self.to else self.to
        return self.target_label


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


class ForeignKey(RelatedField[T]):
    """Many rows of this model point at one row of ``to``.

    ``on_delete`` says what happens to them when that row is deleted, ``related_name`` names the way back, ``to_field``
    points at another unique field than the primary key. ``db_constraint=False`` keeps the key out of the database.
    """

    many_to_one = True
    many_to_many = False
    one_to_many = False
    one_to_one = False
    rel_class: Any = ManyToOneRel

    def __init__(
        self,
        to: Any,
        on_delete: Any = NOT_PROVIDED,
        related_name: str | None = None,
        related_query_name: str | None = None,
        limit_choices_to: Any = None,
        parent_link: bool = False,
        to_field: str | None = None,
        db_constraint: bool = True,
        **options: Any,
    ) -> None:
        if not callable(on_delete) and on_delete is not NOT_PROVIDED:
            raise TypeError(f"on_delete must be callable. Write models.CASCADE, PROTECT or SET_NULL, not {on_delete!r}.")
        options.setdefault("db_index", True)
        super().__init__(
            to,
            related_name=related_name,
            related_query_name=related_query_name,
            limit_choices_to=limit_choices_to,
            on_delete=None if on_delete is NOT_PROVIDED else on_delete,
            **options,
        )
        self.parent_link = parent_link
        self.to_field = to_field if to_field is not None or isinstance(to, str) else None
        self.db_constraint = db_constraint
        self._target_field: Any = None

    # -- declaring -----------------------------------------------------------------------------------------------------

    def is_ready(self, target: Entity) -> bool:
        if self.to_field is None:
            return is_complete(target)
        found = target.attributes.get(target.aliases.get(self.to_field, self.to_field))
        return found is not None and found.column.type is not PENDING

    def declare(self, target: Entity) -> Relation:
        attribute = target.key[0]
        if self.to_field is not None:
            attribute = target.attributes[target.aliases.get(self.to_field, self.to_field)]
        self._target_field = attribute.field
        self._type = attribute.column.type
        owner = self.owner
        own = owner.attributes[self.attname]
        own.column = self.make_column()
        owner.table.add([own.column])
        self.relation = self._construct(
            owner,
            self.name,
            target,
            (self.column,),
            (attribute.column.name,),
            self.on_delete,
            accessor=self.accessor_name(),
            query_name=self.related_query_name(),
            nullable=self.null,
            constrained=self.db_constraint,
            is_parent=self.parent_link,
            field=self,
        )
        return self.relation

    @staticmethod
    def _construct(*args: Any, **options: Any) -> Relation:
        return many_to_one(*args, **options)

    def check(self, **kwargs: Any) -> list[str]:
        found: list[str] = []
        rule = self.on_delete
        if rule is None:
            found.append(
                f"{self} says not what happens when the {self.target_name} it points at is deleted. "
                "Write on_delete=models.CASCADE (delete this row too), PROTECT (refuse) or SET_NULL (with null=True)."
            )
        elif not isinstance(rule, OnDelete):
            found.append(f"{self}: on_delete={rule!r} is no rule. Write one of models.CASCADE, PROTECT, RESTRICT, SET_NULL…")
        elif rule.name in ("SET_NULL", "DB_SET_NULL") and not self.null:
            found.append(f"{self} has on_delete={rule} but its column may not be NULL. Add null=True, or choose another rule.")
        elif rule.name == "SET_DEFAULT" and not self.has_default() and not self.has_db_default():
            found.append(f"{self} has on_delete=SET_DEFAULT but no default. Add default=…, or choose another rule.")
        elif rule.name == "DB_SET_DEFAULT" and not self.has_db_default():
            found.append(f"{self} has on_delete=DB_SET_DEFAULT but no db_default. Add db_default=…, or choose another rule.")
        if self.to_field is not None and self._target_field is None and self.relation is None:
            target = self.model._meta.apps.registry.entities.get(self.target_label)
            if target is not None:
                found.append(f"{self}: to_field: {unknown_name('field', self.to_field, target.label, target.attributes)}")
        elif self._target_field is not None and not self._target_field.unique and not self._is_unique_in_meta():
            found.append(
                f"{self} points at {self._target_field}, which is not unique. Add unique=True there, or leave out to_field."
            )
        return found

    def _is_unique_in_meta(self) -> bool:
        meta = self._target_field.model._meta
        return any(tuple(names) == (self._target_field.name,) for names in meta.unique_sets())

    def make_column(self) -> Column:
        linked = self._type is not None
        return Column(
            self.column,
            self._type if self._type is not None else PENDING,
            null=self.null and not self.primary_key,
            default=self.column_default() if linked else NO_DEFAULT,
            comment=self.db_comment,
        )

    def column_default(self) -> Any:
        """``SET_DEFAULT`` needs its constant in the schema, where the database can find it."""
        if self.has_db_default():
            return self.db_default
        sets = isinstance(self.on_delete, OnDelete) and self.on_delete.name == "SET_DEFAULT"
        if sets and self.has_default() and not callable(self.default):
            return self.get_prep_value(_key_of(self.default, self.target_field))
        return NO_DEFAULT

    # -- type and values -----------------------------------------------------------------------------------------------

    def make_type(self) -> types.Type:
        return self.target_field.type  # type: ignore[no-any-return]

    @property
    def target_field(self) -> Any:
        """The field of the target that the column holds the value of."""
        if self._target_field is None and hasattr(self, "model"):
            self.model._meta.apps.link()
        if self._target_field is None and not isinstance(self.to, str):
            meta = self.to._meta
            return meta.get_field(self.to_field) if self.to_field else meta.pk
        if self._target_field is None:
            raise FieldError(f"{self} points at {self.target_label!r}, which is not known yet.")
        return self._target_field

    def get_attname(self) -> str:
        return f"{self.name}_id"

    def get_attname_column(self) -> tuple[str, str]:
        attname = self.get_attname()
        return attname, self.db_column or attname

    def get_lookup(self, name: str) -> Any:
        return self.find_plain(name, "get_lookup")

    def get_transform(self, name: str) -> Any:
        return self.find_plain(name, "get_transform")

    def find_plain(self, name: str, what: str) -> Any:
        found = getattr(Field, what)(self, name)
        return found or getattr(self.target_field, what)(name)

    def to_python(self, value: Any) -> Any:
        return self.target_field.to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        try:
            return self.target_field.get_prep_value(_key_of(value, self.target_field))
        except (TypeError, ValueError) as error:
            target = f"Field {self.target_field.name!r}"
            raise type(error)(str(error).replace(target, f"Field {self.name!r}", 1)) from error

    def db_converters(self) -> list[Any]:
        return self.target_field.db_converters()  # type: ignore[no-any-return]

    @property
    def db_binder(self) -> Any:
        return self.target_field.db_binder

    def get_default(self) -> Any:
        default = super().get_default()
        return _key_of(default, self.target_field) if hasattr(default, "_meta") else default

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None or (value == "" and self.target_field.type.python is not str):
            return None
        return self.target_field.get_db_prep_save(value, connection)

    def validate(self, value: Any, model_instance: Any) -> None:
        if self.parent_link:
            return
        super().validate(value, model_instance)
        if value is None:
            return
        manager = self.related_model._base_manager
        using = getattr(getattr(model_instance, "_state", None), "db", None)
        found = (manager.using(using) if using else manager).filter(**{self.target_field.name: value})
        if self.limit_choices_to:
            found = found.complex_filter(self.get_limit_choices_to())
        if not found.exists():
            raise ValidationError(
                self.error_messages["invalid"],
                code="invalid",
                params={
                    "model": self.related_model._meta.verbose_name, "pk": value, "field": self.target_field.name,
                    "value": value,
                },
            )  # fmt: skip

    default_error_messages = {  # noqa: RUF012
        "invalid": "%(model)s instance with %(field)s %(value)r is not a valid choice."
    }

    def formfield(self, **kwargs: Any) -> Any:
        raise NotImplementedError("Crowsfoot has no forms.")

    # -- the Django face -----------------------------------------------------------------------------------------------

    @property
    def foreign_related_fields(self) -> tuple[Any, ...]:
        return (self.target_field,)

    @property
    def local_related_fields(self) -> tuple[Any, ...]:
        return (self,)

    @property
    def related_fields(self) -> list[tuple[Any, Any]]:
        return [(self, self.target_field)]

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if kwargs.pop("db_index", False) is False:
            kwargs["db_index"] = False
        kwargs["on_delete"] = self.on_delete
        if self.parent_link:
            kwargs["parent_link"] = True
        if self.db_constraint is not True:
            kwargs["db_constraint"] = self.db_constraint
        if self.to_field is not None:
            kwargs["to_field"] = self.to_field
        return name, path, args, kwargs


def _key_of(value: Any, field: Any) -> Any:
    """A model instance given as a key stands for its value of ``field``."""
    if not hasattr(value, "_meta"):
        return value
    return getattr(value, field.attname) if hasattr(value, field.attname) else value.pk


class OneToOneField(ForeignKey[T]):
    """A foreign key that is unique: each row here points at one row of ``to``, and no two rows at the same one."""

    many_to_one = False
    one_to_one = True
    rel_class = OneToOneRel

    def __init__(self, to: Any, on_delete: Any = NOT_PROVIDED, to_field: str | None = None, **options: Any) -> None:
        options["unique"] = True
        super().__init__(to, on_delete, to_field=to_field, **options)

    @property
    def _unique_way_back(self) -> bool:
        return True

    @staticmethod
    def _construct(*args: Any, **options: Any) -> Relation:
        return one_to_one(*args, **options)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("unique", None)
        return name, path, args, kwargs


class ManyToManyField(RelatedField[T]):
    """Many rows of this model with many rows of ``to``, through a link table that is made unless ``through`` names one.

    ``symmetrical`` (the default for ``"self"``) makes each link count both ways. ``through_fields`` names the two foreign
    keys of the link model where it has more than one to a side.
    """

    many_to_many = True
    many_to_one = False
    one_to_many = False
    one_to_one = False
    concrete = False
    rel_class = ManyToManyRel

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

    def get_attname_column(self) -> tuple[str, Any]:  # type: ignore[override]
        return self.name, None

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        if self.symmetrical and self._related_name is None and self._is_recursive(cls):
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
        forward = [end for end in link.ends.values() if end.holds_key and end.owner is link]
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
            query_name=self.related_query_name(),
            symmetrical=self.symmetrical and target.concrete is self.owner.concrete,
            constrained=self.db_constraint,
            field=self,
        )
        return self.relation

    def check(self, **kwargs: Any) -> list[str]:
        found: list[str] = []
        if self.on_delete is not None:
            found.append(
                f"{self} is a ManyToManyField and takes no on_delete: deleting either side deletes the links, never the other "
                "side. Leave on_delete out; rules of your own belong to the foreign keys of a through model."
            )
        model = self.link_model
        if model is None:
            found.append(f"{self}: through={self.through!r} is not a model of this project.")
        elif self.relation is None and self.target_label in self.model._meta.apps.registry.entities:
            found.append(
                f"{self}: the link model {model._meta.label} needs one foreign key to {self.owner.label} and one to "
                f"{self.target_name}; name them in through_fields=(…, …)."
            )
        elif self.through_fields is None and model is not None and not model._meta.auto_created and self.relation is not None:
            found += self._ambiguous(model._meta.entity)
        return found

    def _ambiguous(self, link: Entity) -> list[str]:
        assert self.relation is not None
        target = self.relation.forward.target
        expected = 2 if target.concrete is self.owner.concrete else 1
        sides = {self.owner.concrete, target.concrete}
        found = []
        for side in sides:
            keys = [e.name for e in link.ends.values() if e.holds_key and e.owner is link and e.target.concrete is side]
            if len(keys) > expected:
                found.append(
                    f"{self}: {link.label} has several foreign keys to {side.label} ({', '.join(keys)}). Say which two make "
                    f"the link: through_fields=({keys[0]!r}, …)."
                )
        return found

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
        assert self.relation is not None and self.relation.link is not None
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


__all__ = ["NOT_PROVIDED", "ForeignKey", "ManyToManyField", "OneToOneField"]
