"""`ForeignKey` and `OneToOneField`: relations whose key is a column of the model's own table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from crowsfoot.errors import FieldError, ValidationError, unknown_name
from crowsfoot.models.attributes import ToOne
from crowsfoot.models.constants import Deferrable
from crowsfoot.models.fields.base import NOT_PROVIDED, Field
from crowsfoot.models.fields.joining import JoiningField
from crowsfoot.models.fields.key_parts import spread
from crowsfoot.models.fields.keywords import KeyOptions
from crowsfoot.models.rels import ManyToOneRel, OneToOneRel
from crowsfoot.models.typed import IsModel
from crowsfoot.schema import types
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.registry import PENDING
from crowsfoot.schema.relation import OnDelete, Relation, many_to_one, one_to_one
from crowsfoot.schema.table import NO_DEFAULT, Column

T = TypeVar("T")
M = TypeVar("M", bound=IsModel)


class ForeignKey(JoiningField[T]):
    """Many rows of this model point at one row of ``to``.

    ``on_delete`` says what happens to them when that row is deleted, ``related_name`` names the way back, ``to_field``
    points at another unique field than the primary key. ``db_constraint=False`` keeps the key out of the database.

    With ``delete_orphan=True`` a row that the other side takes out of its rows, by ``remove()``, ``set()`` or
    ``clear()``, is deleted.

    ``on_update`` says what the database does with the key when that of the target changes: one of the rules of
    ``on_delete``, without it a change is refused as long as rows point there. ``deferrable=Deferrable.DEFERRED`` has
    the key checked as the transaction ends. ``constraint_name`` names the constraint; SQLite keeps no such names.

    A key to a model with a composite primary key has a column for each part of it: ``order_tenant_id`` and
    ``order_number``, or those that ``columns`` names in their order. A name among them that the model has already, as a
    field or a foreign key, is shared: ``columns=("tenant", "order_number")``.
    """

    many_to_one = True
    many_to_many = False
    one_to_many = False
    one_to_one = False
    rel_class: Any = ManyToOneRel
    class_lookups: ClassVar[dict[str, Any]] = {}
    # What is registered for all fields compares plain values, as Django has it.
    lookups_apart = True
    # Whether ``update()`` may set the key, whatever number of columns that means.
    sets_columns = True
    # Whether the field pointed at has to be unique.
    requires_unique_target = True
    # Where the key stands among the attributes of its model, once it has several columns.
    place = 0
    # The columns that the key may change alone: those that it shares with nothing else.
    own_columns: tuple[str, ...] = ()

    @overload
    def __init__(
        self: ForeignKey[M | None],
        to: type[M],
        on_delete: OnDelete,
        *,
        null: Literal[True],
        **options: Unpack[KeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ForeignKey[M],
        to: type[M],
        on_delete: OnDelete,
        *,
        null: Literal[False] = False,
        **options: Unpack[KeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ForeignKey[Any], to: str, on_delete: OnDelete, *, null: bool = False, **options: Unpack[KeyOptions]
    ) -> None: ...
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
        columns: Sequence[str] = (),
        on_update: OnDelete | None = None,
        deferrable: Deferrable | None = None,
        constraint_name: str | None = None,
        delete_orphan: bool = False,
        **options: Any,
    ) -> None:
        if not callable(on_delete) and on_delete is not NOT_PROVIDED:
            raise TypeError(
                f"on_delete must be callable. Write models.CASCADE, PROTECT or SET_NULL, not {on_delete!r}."
            )
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
        self.columns = tuple(columns)
        self.on_update = on_update
        self.deferrable = deferrable
        self.constraint_name = constraint_name
        self.delete_orphan = delete_orphan
        self._target_field: Any = None

    # As with other fields, for type checkers alone: a key is a path to its target's fields on the class.
    @overload  # type: ignore[override]
    def __get__(self: ForeignKey[M | None], instance: None, owner: Any) -> type[M]: ...
    @overload
    def __get__(self: ForeignKey[M], instance: None, owner: Any) -> type[M]: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> T: ...
    def __get__(self, instance: Any, owner: Any) -> Any:
        return self

    # -- declaring -----------------------------------------------------------------------------------------------------

    def is_ready(self, target: Entity) -> bool:
        remotes = self._remotes(target)
        if not remotes or any(remote.column.type is PENDING for remote in remotes):
            return False
        return not self.columns or len(self.columns) == len(remotes)

    def _remotes(self, target: Entity) -> tuple[Attribute, ...]:
        """The attributes of the target that the key points at; empty while they are not known."""
        if self.to_field is None:
            return target.key
        found = target.attributes.get(target.aliases.get(self.to_field, self.to_field))
        return () if found is None or found.via else (found,)  # an inherited one is not in the target's table

    def declare(self, target: Entity) -> Relation:
        remotes = self._remotes(target)
        first = remotes[0]
        several = len(remotes) > 1 or bool(self.columns)
        self._target_field = target.model._meta.pk if len(remotes) > 1 else first.field
        locals_ = spread(self, remotes) if several else (self._own_attribute(first),)
        own = [a for a in locals_ if a.field.key_field is self] or [a for a in locals_ if a.column.null] or locals_
        self.own_columns = tuple(attribute.column.name for attribute in own)
        self.relation = self._construct(
            self.owner,
            self.name,
            target,
            on_delete=self._rule(locals_),
            accessor=self.accessor_name(),
            query_name=self.end_name,
            nullable=self.null or any(attribute.column.null for attribute in locals_),
            constrained=self.db_constraint,
            is_parent=self.parent_link,
            on_update=self.on_update,
            delete_orphan=self.delete_orphan,
            field=self,
            **self._join(tuple(a.column.name for a in locals_), tuple(a.column.name for a in remotes)),
        )
        if several:
            self.model._meta.fill_key()
        return self.relation

    def _own_attribute(self, remote: Attribute) -> Attribute:
        """The attribute of a key of one column, now that the type of that is known."""
        self._type = remote.column.type if remote.field is None else remote.field.rel_type
        own = self.owner.attributes[self.attname]
        own.column = self.make_column()
        self.owner.table.add([own.column])
        return own

    def _rule(self, locals_: tuple[Attribute, ...]) -> Any:
        """What a delete does, with the columns that it empties by name: without any, those that are the key's own."""
        rule = self.on_delete
        if not isinstance(rule, OnDelete) or "SET_NULL" not in rule.name or len(locals_) == 1:
            return rule
        aliases = self.owner.aliases
        by_name = {attribute.name: attribute.column.name for attribute in locals_}
        named = [by_name[aliases.get(n, n)] for n in rule.columns if aliases.get(n, n) in by_name]
        return rule(*(named or self.own_columns))

    @property
    def parts(self) -> tuple[Field[Any], ...]:
        if self.concrete or self.relation is None:
            return (self,)
        return tuple(a.field for a in self.owner.attributes_of(self.relation.forward.hops[0].source_columns))

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
            found.append(
                f"{self}: on_delete={rule!r} is no rule. Write one of models.CASCADE, PROTECT, RESTRICT, SET_NULL…"
            )
        else:
            found += [*self._check_rule(rule), *self._check_emptied(rule)]
        found += self._check_constraint()
        found += self._check_columns()
        if self.to_field is not None and self._target_field is None and self.relation is None:
            target = self.model._meta.apps.registry.entities.get(self.target_label)
            if target is not None:
                inherited = self._inherited_target(target)
                unknown = f"{self}: to_field: {unknown_name('field', self.to_field, target.label, target.attributes)}"
                found.append(inherited or unknown)
        else:
            found += self._check_target()
        return found

    def _check_rule(self, rule: OnDelete) -> list[str]:
        """What the rule asks of the key that is not so."""
        found: list[str] = []
        if rule.name in ("SET_NULL", "DB_SET_NULL") and not self.null:
            found.append(
                f"{self} has on_delete={rule} but its column may not be NULL. Add null=True, or choose another rule."
            )
        elif rule.name == "SET_DEFAULT" and not self.has_default() and not self.has_db_default():
            found.append(f"{self} has on_delete=SET_DEFAULT but no default. Add default=…, or choose another rule.")
        elif rule.name == "DB_SET_DEFAULT" and not self.has_db_default():
            found.append(
                f"{self} has on_delete=DB_SET_DEFAULT but no db_default. Add db_default=…, or choose another rule."
            )
        if self.relation is None:
            return found
        emptied = self.relation.on_delete.columns if len(self.parts) > 1 and "SET_NULL" in rule.name else ()
        found += [
            f"{self} has on_delete={rule} but its column {part.column!r} may not be NULL. Name one that may, as in "
            f"on_delete=models.{rule}(…), give the key a column of its own in columns=…, or choose another rule."
            for part in self.parts
            if part.column in emptied and not part.null
        ]
        return found

    def _check_emptied(self, rule: OnDelete) -> list[str]:
        """The columns that the rule names and the key has not."""
        names = [] if self.relation is None else [n for part in self.parts for n in (part.name, part.attname)]
        return [
            unknown_name("column", n, f"on_delete of {self}", names) for n in rule.columns if names and n not in names
        ]

    def _check_target(self) -> list[str]:
        """Whether each key leads to one row at most."""
        target = self._target_field
        if not self.requires_unique_target or target is None or target.unique or self._is_unique_in_meta():
            return []
        return [f"{self} points at {target}, which is not unique. Add unique=True there, or leave out to_field."]

    def _check_constraint(self) -> list[str]:
        """What is wrong with the options that only the constraint has."""
        rule = self.on_update
        if rule is None:
            return []
        if not isinstance(rule, OnDelete) or rule.value is not None:
            return [f"{self}: on_update={rule!r} is no rule that a database has. Write CASCADE, SET_NULL or RESTRICT."]
        if not self.db_constraint:
            return [f"{self} has on_update={rule}, which the database follows, but db_constraint=False. Choose one."]
        if rule.sql == "SET NULL" and not self.null:
            return [f"{self} has on_update={rule} but its column may not be NULL. Add null=True, or choose another."]
        if rule.sql == "SET DEFAULT" and self.column_default() is NO_DEFAULT:
            return [f"{self} has on_update={rule} but no db_default. Add db_default=…, or choose another rule."]
        return []

    def _inherited_target(self, target: Entity) -> str | None:
        """The sentence for a ``to_field`` that the target has from a model whose table is another."""
        known = target.attributes.get(target.aliases.get(self.to_field, self.to_field)) if self.to_field else None
        if known is None or not known.via:
            return None
        return f"'{self}' refers to field '{self.to_field}' which is not local to model '{target.label}'."

    def _check_columns(self) -> list[str]:
        """What is wrong with the names of the key's columns, and with those that its rule empties."""
        found: list[str] = []
        target = self.model._meta.apps.registry.entities.get(self.target_label)
        remotes = () if target is None else self._remotes(target)
        if target is not None and remotes and self.columns and len(self.columns) != len(remotes):
            wanted = ", ".join(remote.name for remote in remotes)
            found.append(
                f"{self} has {len(self.columns)} columns, but the key of {target.label} has {len(remotes)}: "
                f"name one for each of {wanted}."
            )
        if self.parent_link and target is not None and len(remotes) > 1:
            found.append(
                f"{self}: {self.model._meta.label} cannot inherit the table of {target.label}, whose key is composite. "
                f"Make {target.name} abstract, or point at it with a OneToOneField of its own."
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
        return self.target_field.rel_type

    def db_type(self, connection: Any) -> str | None:
        return self.target_field.rel_db_type(connection)

    @property
    def target_field(self) -> Any:
        """The field of the target that the column holds the value of."""
        if self._target_field is None and hasattr(self, "model"):
            self.model._meta.apps.link()
        if self._target_field is None and not isinstance(self.to, str):
            meta = self.to._meta
            inherited = None if meta.entity is None else self._inherited_target(meta.entity)
            if inherited is not None:
                raise FieldError(inherited)
            return meta.get_field(self.to_field) if self.to_field else meta.pk
        if self._target_field is None:
            raise FieldError(f"{self} points at {self.target_label!r}, which is not known yet.")
        return self._target_field

    @property
    def value_field(self) -> Any:
        """The field that the key's values are of in the end. Raises ``ValueError`` where keys go round in a circle."""
        field: Any = self
        seen: list[Any] = []
        while field.is_relation:
            if field in seen or (field.relation is None and field._target_field is None):
                raise ValueError(f"Cannot resolve output_field: the key of {self} is not known.")
            seen.append(field)
            field = field.target_field
        return field

    def get_attname(self) -> str:
        return f"{self.name}_id"

    def get_attname_column(self) -> tuple[str, str]:
        attname = self.get_attname()
        return attname, self.db_column or attname

    def to_python(self, value: Any) -> Any:
        return self.target_field.to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        if not self.concrete:
            key = None if value is None else _key_of(value, self.target_field)
            return (None,) * len(self.parts) if key is None else self.target_field.get_prep_value(key)
        try:
            return self.target_field.get_prep_value(_key_of(value, self.target_field))
        except (TypeError, ValueError) as error:
            target = f"Field {self.target_field.name!r}"
            raise type(error)(str(error).replace(target, f"Field {self.name!r}", 1)) from error

    def db_converters(self, connection: Any, expression: Any = None) -> list[Any]:
        return self.target_field.db_converters(connection, expression)

    def db_binder(self, connection: Any) -> Any:
        return self.target_field.db_binder(connection)

    def value_from_object(self, obj: Any) -> Any:
        """The key that an instance holds; None where it is not whole."""
        if self.concrete:
            return super().value_from_object(obj)
        key = tuple(getattr(obj, part.attname) for part in self.parts)
        return None if None in key else key

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

    default_error_messages = {"invalid": "%(model)s instance with %(field)s %(value)r is not a valid choice."}

    def formfield(self, **kwargs: Any) -> Any:
        raise NotImplementedError("Crowsfoot has no forms.")

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
        if self.columns:
            kwargs["columns"] = self.columns
        for option in ("on_update", "deferrable", "constraint_name"):
            if getattr(self, option) is not None:
                kwargs[option] = getattr(self, option)
        if self.delete_orphan:
            kwargs["delete_orphan"] = True
        return name, path, args, kwargs


class OneToOneField(ForeignKey[T]):
    """A foreign key that is unique: each row here points at one row of ``to``, and no two rows at the same one."""

    many_to_one = False
    one_to_one = True
    rel_class = OneToOneRel
    related_accessor_class = ToOne

    @overload
    def __init__(
        self: OneToOneField[M | None],
        to: type[M],
        on_delete: OnDelete,
        *,
        null: Literal[True],
        **options: Unpack[KeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: OneToOneField[M],
        to: type[M],
        on_delete: OnDelete,
        *,
        null: Literal[False] = False,
        **options: Unpack[KeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: OneToOneField[Any], to: str, on_delete: OnDelete, *, null: bool = False, **options: Unpack[KeyOptions]
    ) -> None: ...
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


def _key_of(value: Any, field: Any) -> Any:
    """A model instance given as a key stands for its value of ``field``."""
    if not hasattr(value.__class__, "_meta"):
        return value
    return getattr(value, field.attname) if hasattr(value, field.attname) else value.pk
