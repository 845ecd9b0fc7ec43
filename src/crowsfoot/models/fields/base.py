"""`Field`: what every model field shares. Django's interface, so that a field written for Django works here."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, overload

from crowsfoot import enums, validators
from crowsfoot.errors import ValidationError
from crowsfoot.functional import Promise, evaluated
from crowsfoot.models.fields.checks import check_field
from crowsfoot.models.fields.words import FieldType
from crowsfoot.models.typed import FieldPath
from crowsfoot.naming import module_name
from crowsfoot.query.expressions import Combinable
from crowsfoot.query.resolved import AliasedCol
from crowsfoot.schema import types
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.table import NO_DEFAULT, Column
from crowsfoot.schema.types import Converter

T = TypeVar("T")


class NOT_PROVIDED:
    """Stands for a default that was not given."""


class Field(FieldType, Generic[T]):
    """A value of a model, kept in one column.

    Subclasses give ``make_type`` (the logical type), and where they need to, ``to_python`` (for validation),
    ``get_prep_value`` (for queries) and ``from_db_value`` (after loading). ``T`` is the type of the values.
    """

    empty_strings_allowed = True
    empty_values: ClassVar[list[Any]] = list(validators.EMPTY_VALUES)
    default_validators: Sequence[Callable[[Any], None]] = []
    default_error_messages: ClassVar[dict[str, str]] = {
        "invalid_choice": "Value %(value)r is not a valid choice.",
        "null": "This field cannot be null.",
        "blank": "This field cannot be blank.",
        "unique": "%(model_name)s with this %(field_label)s already exists.",
        "unique_for_date": "%(field_label)s must be unique for %(date_field_label)s %(lookup_type)s.",
    }
    system_check_deprecated_details: ClassVar[Any] = None
    descriptor_class: ClassVar[Any] = None
    """What stands on the class for the field's attribute, made with the field; None where the instance's dict does."""

    many_to_many: bool | None = None
    many_to_one: bool | None = None
    one_to_many: bool | None = None
    one_to_one: bool | None = None
    is_relation = False
    related_model: Any = None
    remote_field: Any = None
    hidden = False
    concrete = True
    generated = False
    auto_created = False
    allowed_default = False
    description = "A field"
    counter: ClassVar[Any] = itertools.count()
    auto_counter: ClassVar[Any] = itertools.count(-1000)

    # Set by ``contribute_to_class``.
    model: Any
    name: str
    attname: str
    column: str

    def __init__(
        self,
        verbose_name: str | None = None,
        name: str | None = None,
        primary_key: bool = False,
        max_length: int | None = None,
        unique: bool = False,
        blank: bool = False,
        null: bool = False,
        db_index: bool = False,
        rel: Any = None,
        default: Any = NOT_PROVIDED,
        editable: bool = True,
        serialize: bool = True,
        unique_for_date: str | None = None,
        unique_for_month: str | None = None,
        unique_for_year: str | None = None,
        choices: Any = None,
        help_text: str = "",
        db_column: str | None = None,
        db_tablespace: str | None = None,
        auto_created: bool = False,
        validators: Iterable[Callable[[Any], None]] = (),
        error_messages: dict[str, str] | None = None,
        db_comment: str | None = None,
        db_default: Any = NOT_PROVIDED,
    ) -> None:
        self.name = name  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
        self.verbose_name = verbose_name
        self._verbose_name = verbose_name
        self.primary_key = primary_key
        self.max_length = max_length
        self._unique = unique
        self.blank = blank
        self.null = null
        self.db_index = db_index
        self.remote_field = rel
        self.default = default
        self.db_default = db_default
        self.editable = editable
        self.serialize = serialize
        self.unique_for_date = unique_for_date
        self.unique_for_month = unique_for_month
        self.unique_for_year = unique_for_year
        self.choices = choices
        self.help_text = help_text
        self.db_column = db_column
        self._db_tablespace = db_tablespace
        self.db_tablespace = db_tablespace
        self.auto_created = auto_created
        self.db_comment = db_comment
        self._validators = list(validators)
        self._error_messages = error_messages
        self.error_messages = self._messages(error_messages)
        self.creation_counter = next(self.auto_counter if auto_created else self.counter)
        self._type: types.Type | None = None

    def _messages(self, given: dict[str, str] | None) -> dict[str, str]:
        found: dict[str, str] = {}
        for klass in reversed(type(self).__mro__):
            found.update(getattr(klass, "default_error_messages", {}))
        return {**found, **(given or {})}

    # -- as the class attribute: types only; the metaclass and the instance's own dict answer at run time --------------

    @overload
    def __get__(self, instance: None, owner: Any) -> FieldPath[T]: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> T: ...
    def __get__(self, instance: Any, owner: Any) -> Any:
        return self

    if TYPE_CHECKING:  # at run time it would keep an expression with `output_field = CharField()` from setting its own

        def __set__(self, instance: Any, value: T | Combinable) -> None: ...

    if not TYPE_CHECKING:  # so that ``isinstance(field, ForeignKey["Post"])`` is what it says

        def __class_getitem__(cls, item: Any) -> Any:
            return cls

    # -- values --------------------------------------------------------------------------------------------------------

    def to_python(self, value: Any) -> Any:
        """``value`` as this field's Python type; raises ``ValidationError``. Validation begins with it."""
        return value

    def prepare(self, value: Any) -> Any:
        """The canonical value that queries bind for ``value``."""
        return self.get_prep_value(value)

    @property
    def preparer(self) -> Callable[[Any], Any]:
        """``prepare``, or ``Unless`` where it has nothing to do for values of one class."""
        return self.prepare

    def get_prep_value(self, value: Any) -> Any:
        value = evaluated(value)
        try:
            return self.type.prepare(value)
        except (TypeError, ValueError) as error:
            sentence = f"Field {self.name!r} expected {self.type.expected} but got {value!r}."
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(sentence) from error

    def prepare_update(self, value: Any) -> Any:
        """The canonical value that an UPDATE of this column binds. Raises ``TypeError`` for an instance of a model."""
        if hasattr(value, "_meta") and not self.is_relation:
            raise TypeError(
                f"Tried to update field {self} with a model instance, {value!r}. Use a value compatible with "
                f"{type(self).__name__}."
            )
        return self.get_prep_value(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return value if prepared else self.get_prep_value(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return value if hasattr(value, "as_sql") else self.get_db_prep_value(value, connection, prepared=False)

    def db_binder(self, connection: Any) -> Callable[[Any], Any] | None:
        """A custom field's own conversion of a prepared value, as a function; None for the dialect's.

        Like Django's connection, ``connection`` has a ``vendor`` and ``ops``.
        """
        if type(self).get_db_prep_value is Field.__dict__["get_db_prep_value"]:
            return None
        return lambda value: self.get_db_prep_value(value, connection, prepared=True)

    def db_converters(self, connection: Any, expression: Any = None) -> list[Converter]:
        """A custom field's own conversion of what the database gives, after the dialect's."""
        from_db_value = getattr(self, "from_db_value", None)
        if from_db_value is None:
            return []

        def convert(value: Any) -> Any:
            return from_db_value(value, expression, connection)

        convert.takes_none = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
        return [convert]

    def get_default(self) -> Any:
        """The value a new instance has where none is given."""
        if self.has_default():
            return self.default() if callable(self.default) else self.default
        if self.has_db_default():
            return DatabaseDefault(self.db_default)
        return "" if self.empty_strings_allowed and not self.null and self.type.python is str else None

    def has_default(self) -> bool:
        return self.default is not NOT_PROVIDED

    def has_db_default(self) -> bool:
        return self.db_default is not NOT_PROVIDED

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """The value about to be saved; a field may set it here, as ``auto_now`` does."""
        return getattr(model_instance, self.attname)

    def value_from_object(self, obj: Any) -> Any:
        return getattr(obj, self.attname)

    def value_to_string(self, obj: Any) -> str:
        return str(self.value_from_object(obj))

    def save_form_data(self, instance: Any, data: Any) -> None:
        setattr(instance, self.name, data)

    # -- validation ----------------------------------------------------------------------------------------------------

    @cached_property
    def validators(self) -> list[Callable[[Any], None]]:
        """The validators of the class and of the options; a list that a subclass may append to."""
        return [*self.default_validators, *self._validators]

    def clean(self, value: Any, model_instance: Any) -> Any:
        """``value`` converted and validated; raises ``ValidationError``."""
        value = self.to_python(value)
        self.validate(value, model_instance)
        self.run_validators(value)
        return value

    def validate(self, value: Any, model_instance: Any) -> None:
        if not self.editable:
            return
        if self.choices is not None and value not in self.empty_values and not self._is_choice(value):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice", params={"value": value})
        if value is None and not self.null:
            raise ValidationError(self.error_messages["null"], code="null")
        if not self.blank and value in self.empty_values:
            raise ValidationError(self.error_messages["blank"], code="blank")

    def _is_choice(self, value: Any) -> bool:
        return any(value == key for key, _ in self.flatchoices)

    def run_validators(self, value: Any) -> None:
        if value in self.empty_values:
            return
        errors: list[ValidationError] = []
        for validate in self.validators:
            try:
                validate(value)
            except ValidationError as refusal:
                error: Any = refusal
                if error.error_list == [error] and error.code in self.error_messages:
                    error.message = self.error_messages[str(error.code)]
                errors.extend(error.error_list)
        if errors:
            raise ValidationError(errors)

    @property
    def choices(self) -> Any:
        """What may be chosen: pairs of a value and a label, or of a group and such pairs; None where anything may."""
        return self._choices

    @choices.setter
    def choices(self, value: Any) -> None:
        self._choices = enums.normalize_choices(value)

    @property
    def flatchoices(self) -> list[tuple[Any, Any]]:
        return list(enums.flatten_choices(self.choices)) if self.choices is not None else []

    def get_choices(
        self, include_blank: bool = True, blank_choice: Any = enums.BLANK_CHOICE_DASH, **options: Any
    ) -> list[Any]:
        found = list(self.choices or [])
        blank = any(choice in ("", None) for choice, _ in self.flatchoices)
        return [*blank_choice, *found] if include_blank and not blank else found

    # -- membership ----------------------------------------------------------------------------------------------------

    @property
    def unique(self) -> bool:
        return self._unique or self.primary_key

    @property
    def parts(self) -> tuple[Field[Any], ...]:
        """The fields of its columns: itself, but for a key of several columns."""
        return (self,)

    @property
    def key_field(self) -> Field[Any]:
        """The field that it is declared as: itself, but for one column of a foreign key of several."""
        return self

    @property
    def in_key(self) -> bool:
        """Whether its column is the primary key, or one of it."""
        return self.primary_key or self._in_key

    _in_key = False

    @property
    def db_returning(self) -> bool:
        """Whether an INSERT has to ask what the database made of this column."""
        return self.has_db_default()

    def get_attname(self) -> str:
        return self.name

    def get_attname_column(self) -> tuple[str, str]:
        attname = self.get_attname()
        return attname, self.db_column or attname

    def set_attributes_from_name(self, name: str) -> None:
        self.name = self.name or name
        self.attname, self.column = self.get_attname_column()
        if self.verbose_name is None and self.name:
            self.verbose_name = self.name.replace("_", " ")

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        """Become the field ``name`` of model ``cls``."""
        self.set_attributes_from_name(name)
        self.model = cls
        cls._meta.add_field(self, private=private_only)
        if self.descriptor_class is not None:
            setattr(cls, self.attname, self.descriptor_class(self))
        if self.choices is not None and f"get_{self.name}_display" not in cls.__dict__:
            setattr(cls, f"get_{self.name}_display", _display(self))

    def inherited_by(self, cls: Any) -> None:
        """What a private field does where a model inherits its own: nothing, unless the field says otherwise."""

    def prepare_for_save(self, instance: Any, operation: str) -> None:
        """What a private field does before its instance is saved. Raises ``ValueError`` where that must not happen."""

    def settle(self, session: Any, instance: Any) -> Iterator[Any]:
        """What a private field asks the database before its instance is written, as an operation."""
        return iter(())

    def get_filter_kwargs_for_object(self, obj: Any) -> dict[str, Any]:
        """The look-ups for the rows that hold in this field what ``obj`` holds."""
        return {self.attname: getattr(obj, self.attname)}

    def column_default(self) -> Any:
        """The default that the schema holds: ``db_default``, or ``NO_DEFAULT``."""
        return self.db_default if self.has_db_default() else NO_DEFAULT

    def contribute_to_entity(self, entity: Entity) -> None:
        """Add this field's attribute and column to the entity of its model."""
        column = self.make_column()
        entity.table.add([column])
        entity.add_attribute(Attribute(entity, self.attname, column, self, field=self), self.name)

    def make_column(self) -> Column:
        """The column of this field."""
        return Column(
            self.column,
            self.type,
            null=self.null and not self.primary_key,
            default=self.column_default(),
            identity=self.is_identity,
            collation=self.collation,
            comment=self.db_comment,
        )

    # -- migrations ----------------------------------------------------------------------------------------------------

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        """``(name, path, args, kwargs)`` that make an equal field; only what differs from the defaults is named."""
        plain: dict[str, Any] = {
            "primary_key": False, "max_length": None, "blank": False, "null": False, "db_index": False,
            "default": NOT_PROVIDED, "db_default": NOT_PROVIDED, "editable": True, "serialize": True,
            "unique_for_date": None, "unique_for_month": None, "unique_for_year": None, "choices": None,
            "help_text": "", "db_column": None, "db_comment": None, "auto_created": False,
        }  # fmt: skip
        given: dict[str, Any] = {
            "verbose_name": self._verbose_name, "unique": self._unique, "db_tablespace": self._db_tablespace,
            "error_messages": self._error_messages, "validators": self._validators,
        }  # fmt: skip
        kwargs = {name: value for name, value in given.items() if not (value is None or value is False or value == [])}
        for name, default in plain.items():
            value = getattr(self, name)
            if name == "choices" and isinstance(value, enums.CallableChoiceIterator):
                value = value.func
            if value is not default and (default is NOT_PROVIDED or value != default):
                kwargs[name] = value
        klass = type(self)
        path = f"{klass.__module__}.{klass.__qualname__}"
        if klass.__module__.startswith("crowsfoot.models"):
            path = f"django.db.models.{klass.__qualname__}"
        return self.name, path, [], kwargs

    def clone(self) -> Self:
        """A new field like this one, not yet of any model."""
        _, _, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        found = copy.copy(self)
        if self.remote_field is not None:
            found.remote_field = copy.copy(self.remote_field)
            found.remote_field.field = found
        memo[id(self)] = found
        return found

    def __copy__(self) -> Self:
        found = type(self).__new__(type(self))
        found.__dict__ = self.__dict__.copy()
        found.__dict__.pop("cached_col", None)
        return found

    def __reduce__(self) -> Any:
        if not hasattr(self, "model"):
            return _unbound_field, (type(self),), self.__dict__.copy()
        return _load_field, (self.model, self.name)

    def get_col(self, alias: str, output_field: Any = None) -> AliasedCol:
        """The field's column in a table that goes by ``alias`` in a statement, for conditions of one's own."""
        if alias == self.model._meta.db_table and output_field in (None, self):
            return self.cached_col
        return AliasedCol(alias, self, (output_field or self).value_field)

    @cached_property
    def cached_col(self) -> AliasedCol:
        """The column in the field's own table."""
        return AliasedCol(self.model._meta.db_table, self, self.value_field)

    @property
    def value_field(self) -> Field[Any]:
        """The field that the values of the column are of: a key's target, what a generated one puts out, or itself."""
        return self

    def check(self, **kwargs: Any) -> list[str]:
        """What is wrong with the field's options, one sentence each."""
        return list(check_field(self))

    def check_warnings(self) -> list[str]:
        """What is allowed but probably not meant, one sentence each."""
        return []

    # -- order and equality --------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Field):
            same_model = self.__dict__.get("model") == other.__dict__.get("model")
            return bool(self.creation_counter == other.creation_counter and same_model)
        return NotImplemented

    def __lt__(self, other: Field[Any]) -> bool:
        """By the order in which they were written; copies of one by the models that inherit it."""
        return self._place < other._place

    def __gt__(self, other: Field[Any]) -> bool:
        return self._place > other._place

    @property
    def _place(self) -> tuple[int, str, str]:
        model = self.__dict__.get("model")
        label, name = ("", "") if model is None else (model._meta.app_label, model._meta.model_name)
        return self.creation_counter, label, name

    def __hash__(self) -> int:
        return hash(self.creation_counter)

    def __str__(self) -> str:
        model = getattr(self, "model", None)
        return f"{model._meta.label}.{self.name}" if model is not None else repr(self)

    def __repr__(self) -> str:
        name = getattr(self, "name", None)
        path = f"{module_name(type(self).__module__)}.{type(self).__qualname__}"
        return f"<{path}: {name}>" if name is not None else f"<{path}>"


class DatabaseDefault:
    """The value of a field that the database will fill in when the instance is saved."""

    def __init__(self, expression: Any) -> None:
        self.expression = expression

    def __repr__(self) -> str:
        return "<DatabaseDefault>"


def _display(field: Field[Any]) -> Callable[[Any], Any]:
    def display(self: Any) -> Any:
        value = getattr(self, field.attname)
        # By equality, not by hash: a value may be a list. What has no choice is shown as it is.
        found = next((label for key, label in field.flatchoices if key == value), value)
        return str(found) if isinstance(found, Promise) else found

    return display


def _unbound_field(kind: type[Field[Any]]) -> Field[Any]:
    return kind.__new__(kind)


def _load_field(model: Any, name: str) -> Any:
    return model._meta.get_field(name)
