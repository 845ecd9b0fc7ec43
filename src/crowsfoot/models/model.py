"""`Model` and its metaclass: how a class statement becomes an entity, and what an instance can do."""

from __future__ import annotations

import copy
import inspect
import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from crowsfoot.conf import settings
from crowsfoot.errors import (
    DatabaseError,
    FieldDoesNotExist,
    FieldError,
    MultipleObjectsReturned,
    ObjectDoesNotExist,
    ObjectNotUpdated,
    unknown_name,
)
from crowsfoot.models import routing, signals
from crowsfoot.models.apps import Apps, Current
from crowsfoot.models.attributes import ToOne, UncoveredField, install_relation
from crowsfoot.models.fields import AutoField, BigAutoField, SmallAutoField
from crowsfoot.models.fields.base import DatabaseDefault, Field
from crowsfoot.models.fields.foreign_key import OneToOneField
from crowsfoot.models.fields.many_to_many import ManyToManyField
from crowsfoot.models.links import make_link_model
from crowsfoot.models.manager import Manager, Objects
from crowsfoot.models.missing import class_attribute, missing_attribute
from crowsfoot.models.options import Options
from crowsfoot.models.persist import Persistence
from crowsfoot.models.places import add_place
from crowsfoot.models.related_types import misfits
from crowsfoot.models.state import ModelState
from crowsfoot.models.typed import ImplicitKey
from crowsfoot.models.validation import Validation
from crowsfoot.query.conditions import Q
from crowsfoot.schema.relation import CASCADE

apps = Apps(install_relation)
current = Current(apps)
AUTO_FIELDS = {cls.__name__: cls for cls in (AutoField, BigAutoField, SmallAutoField)}


class Deferred:
    """Stands for a value that was not loaded."""

    def __repr__(self) -> str:
        return "<Deferred field>"

    def __str__(self) -> str:
        return "<Deferred field>"


DEFERRED = Deferred()


class ModelBase(type):
    """The metaclass. It takes the fields off the class, so that reading ``post.title`` is one dict look-up, and answers
    ``Post.title`` with a typed path."""

    _meta: Options
    __entity__: Any

    def __new__(mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any], **kwargs: Any) -> Any:
        parents = [b for b in bases if isinstance(b, ModelBase)]
        if not parents:
            return super().__new__(mcs, name, bases, attrs)
        meta = attrs.pop("Meta", None)
        plain = {n: v for n, v in attrs.items() if not _contributes(v)}
        contributed = {n: v for n, v in attrs.items() if _contributes(v)}
        if "__classcell__" in attrs:
            plain["__classcell__"] = attrs["__classcell__"]
        cls: Any = super().__new__(mcs, name, bases, plain, **kwargs)
        abstract = getattr(meta, "abstract", False)
        meta = meta or _inherited_meta(cls, parents)
        options = Options(meta, _app_label(attrs["__module__"]), getattr(meta, "apps", None) or current.apps)
        options.contribute_to_class(cls, "_meta")
        options.abstract = abstract
        if abstract:  # for `class Meta(Base.Meta)`, which does not make the subclass abstract too
            meta.abstract = False
            cls.Meta = meta
        _Builder(cls, parents, contributed).build()
        return cls

    if TYPE_CHECKING:
        # To type checkers ``Post.author`` is the class ``Author``, so that they know its fields; these are what a path to a
        # relation has besides. A name that no field has is an error to them, hence no ``__getattr__``.
        through: Any

        def __eq__(cls, other: object) -> Any: ...
        def __ne__(cls, other: object) -> Any: ...
        def __hash__(cls) -> int: ...
        def in_(cls, values: Iterable[Any]) -> Q: ...
        def is_null(cls, value: bool = True) -> Q: ...

    else:

        def __getattr__(cls, name: str) -> Any:
            return class_attribute(cls, name)

    def __path__(cls, name: str) -> Any:
        """How a typed path goes on from this model by ``name``: a field's name, or ``(name, target)`` of a relation.

        None where there is no such field.
        """
        for field in [*cls._meta.fields, *cls._meta.many_to_many]:
            if name == field.name:
                return (name, lambda: field.related_model) if field.is_relation else name
            if name == getattr(field, "attname", None):
                return name
        if name == "pk":
            return name
        for rel in cls._meta._rels():
            if not rel.hidden and name in (rel.get_accessor_name(), rel.name):
                return rel.name, lambda: rel.related_model
        return None

    @property
    def _base_manager(cls) -> Any:
        return cls._meta.base_manager

    @property
    def _default_manager(cls) -> Any:
        return cls._meta.default_manager

    def add_to_class(cls, name: str, value: Any) -> None:
        """Add a field, a manager or a plain attribute to a model that exists already."""
        if _contributes(value):
            value.contribute_to_class(cls, name)
            if isinstance(value, Field) and cls._meta.entity is not None:
                _added_later(cls, value)
        else:
            setattr(cls, name, value)


def _contributes(value: Any) -> bool:
    return not inspect.isclass(value) and hasattr(value, "contribute_to_class")


def _added_later(cls: Any, field: Any) -> None:
    if field.concrete:
        field.contribute_to_entity(cls._meta.entity)
    if field.is_relation:
        if isinstance(field, ManyToManyField) and field.through is None:
            make_link_model(Model, cls, field)
        cls._meta.apps.registry.declare(field)


def _inherited_meta(cls: Any, parents: list[Any]) -> Any:
    """Without a ``Meta`` of its own a model takes that of an abstract parent (not its being abstract)."""
    for parent in parents:
        meta = parent.__dict__.get("_meta")
        if meta is not None and meta.abstract and meta.meta is not None:
            return type("Meta", (meta.meta,), {"abstract": False})
    return None


def _app_label(module: str) -> str:
    """The app of a module: the installed app it is in, else its package (``blog.models`` is of ``blog``)."""
    for name in sorted(settings.INSTALLED_APPS, key=len, reverse=True):
        if module == name or module.startswith(f"{name}."):
            return str(name).rpartition(".")[2]
    parts = module.split(".")
    if module == "__main__":
        return "main"
    if "models" in parts[1:]:
        return parts[parts.index("models", 1) - 1]
    if parts[0] == "crowsfoot" and len(parts) > 2:
        return parts[2]
    return parts[-2] if len(parts) > 1 else parts[0]


class _Builder:
    """Builds one model class: inheritance, fields, key, managers, registration."""

    def __init__(self, cls: Any, parents: list[Any], contributed: dict[str, Any]) -> None:
        self.cls = cls
        self.meta: Options = cls._meta
        self.parents = [p for p in parents if p.__dict__.get("_meta") is not None]
        self.contributed = contributed

    def build(self) -> None:
        cls, meta = self.cls, self.meta
        if not meta.abstract:
            self._exceptions()
            self._proxy()
        for name, value in self.contributed.items():
            value.contribute_to_class(cls, name)
        if meta.proxy and meta.local_fields:
            raise FieldError(f"Proxy model '{cls.__name__}' contains model fields.")
        self._inherit()
        if meta.abstract:
            return
        self._meta_of_parents()
        if meta.order_with_respect_to:
            add_place(cls)
        self._key()
        self._uncover()
        self._managers()
        if cls.__doc__ is None:
            cls.__doc__ = f"{cls.__name__}({', '.join(f.name for f in meta.fields)})"
        meta.make_entity()
        cls.__entity__ = meta.entity
        meta.fill_entity()
        meta.entity.ensure_ready = lambda: meta.apps.registry.ensure(meta.entity)
        meta.entity.misfits = lambda: misfits(cls)
        for field in meta.local_many_to_many:
            if field.through is None and not meta.swapped:
                make_link_model(Model, cls, field)
        meta.apps.register_model(meta.app_label, cls)
        for field in meta.private_fields:
            if hasattr(field, "contribute_to_entity_later"):
                field.contribute_to_entity_later(meta.entity)
        signals.class_prepared.send(sender=cls)

    def _exceptions(self) -> None:
        """Each model has exceptions of its own, below those of the models it inherits from."""
        cls = self.cls
        for name, roots in (
            ("DoesNotExist", (ObjectDoesNotExist,)),
            ("MultipleObjectsReturned", (MultipleObjectsReturned,)),
            ("NotUpdated", (ObjectNotUpdated, DatabaseError)),
        ):
            bases = tuple(getattr(p, name) for p in self.parents if not p._meta.abstract) or roots
            names = {"__module__": cls.__module__, "__qualname__": f"{cls.__qualname__}.{name}"}
            setattr(cls, name, type(name, bases, names))

    def _proxy(self) -> None:
        meta = self.meta
        meta.concrete_model = self.cls
        if not meta.proxy:
            return
        base = next((p for p in self.cls.__mro__[1:] if getattr(p, "_meta", None) and not p._meta.abstract), None)
        if base is None:
            raise TypeError(f"Proxy model '{self.cls.__name__}' has no non-abstract model base class.")
        meta.proxy_for_model = base
        meta.concrete_model = base._meta.concrete_model
        meta.db_table = meta.concrete_model._meta.db_table
        meta.pk = meta.concrete_model._meta.pk
        meta.parents = dict(base._meta.parents)

    def _inherit(self) -> None:
        """Copy the fields of abstract parents; link to the concrete ones."""
        cls, meta = self.cls, self.meta
        own = {f.name for f in [*meta.local_fields, *meta.local_many_to_many, *meta.private_fields]}
        taken = {n for n in own}
        for base in cls.__mro__[1:]:
            parent = base.__dict__.get("_meta")
            if not isinstance(parent, Options):
                continue
            if parent.abstract:
                for field in [*parent.local_fields, *parent.local_many_to_many, *parent.private_fields]:
                    if field.name in taken or field.name in cls.__dict__ or _hidden(cls, base, field.name):
                        continue
                    taken.add(field.name)
                    copy.deepcopy(field).contribute_to_class(cls, field.name)
            elif not meta.proxy and not meta.abstract and self._is_direct(base):
                self._link_to(base)
                for field in [*parent.fields, *parent.many_to_many]:
                    if field.name in own and field.name != "id":
                        raise FieldError(
                            f"Local field {field.name!r} in class {cls.__name__!r} clashes with field of the same name "
                            f"from base class {base.__name__!r}."
                        )
                taken |= {f.name for f in parent.fields}

    def _is_direct(self, base: Any) -> bool:
        """Whether no other concrete parent inherits from ``base`` already."""
        if base in self.cls.__bases__ and any(_links(field, base) for field in self.meta.local_fields):
            return True
        concrete = [p for p in self.cls.__mro__[1:] if _is_concrete(p)]
        return not any(p is not base and issubclass(p, base) for p in concrete)

    def _link_to(self, base: Any) -> None:
        cls, meta = self.cls, self.meta
        base = base._meta.concrete_model
        field = next(
            (f for f in meta.local_fields if isinstance(f, OneToOneField) and f.to is base and f.parent_link), None
        )
        if field is None:
            field = next((f for f in meta.local_fields if isinstance(f, OneToOneField) and _targets(f, base)), None)
        if field is None:
            name = f"{base._meta.model_name}_ptr"
            if any(own.name == name for own in meta.local_fields):
                raise FieldError(
                    f"Auto-generated field {name!r} in class {cls.__name__!r} for parent_link to base class "
                    f"{base.__name__!r} clashes with declared field of the same name."
                )
            key = meta.pk is None
            field = OneToOneField(base, on_delete=CASCADE, auto_created=True, parent_link=True, primary_key=key)
            field.contribute_to_class(cls, name)
        field.parent_link = True
        meta.parents[base] = field
        if meta.pk is None or (meta.pk is not field and not any(f.primary_key for f in meta.local_fields)):
            meta.pk = field
            field.primary_key = True

    def _meta_of_parents(self) -> None:
        """A child without ordering or get_latest_by of its own has its parent's."""
        meta = self.meta
        for parent in self.parents:
            given = meta.original_attrs
            if not parent._meta.abstract:
                if "ordering" not in given:
                    meta.ordering = parent._meta.ordering
                if "get_latest_by" not in given:
                    meta.get_latest_by = parent._meta.get_latest_by
                break

    def _key(self) -> None:
        meta = self.meta
        if meta.pk is not None or meta.proxy:
            return
        if meta.parents:
            meta.pk = next(iter(meta.parents.values()))
            meta.pk.primary_key = True
            return
        name = settings.DEFAULT_AUTO_FIELD.rpartition(".")[2]
        auto = AUTO_FIELDS.get(name, BigAutoField)(verbose_name="ID", primary_key=True, auto_created=True)
        auto.contribute_to_class(self.cls, "id")

    def _uncover(self) -> None:
        """A plain value on a base class must not answer for a field that was not loaded."""
        for field in self.meta.fields:
            known = (klass.__dict__[field.attname] for klass in self.cls.__mro__ if field.attname in klass.__dict__)
            value = next(known, field)
            if value is not field and not hasattr(type(value), "__get__"):
                setattr(self.cls, field.attname, UncoveredField(field.attname))

    def _managers(self) -> None:
        if not self.meta.managers:
            if any(f.name == "objects" for f in self.meta.fields):
                raise ValueError(
                    f"Model {self.cls.__name__} must specify a custom Manager, because it has a field named 'objects'."
                )
            manager = Manager()
            manager.auto_created = True
            manager.contribute_to_class(self.cls, "objects")


def _is_concrete(cls: Any) -> bool:
    meta = cls.__dict__.get("_meta")
    return isinstance(meta, Options) and not meta.abstract


def _links(field: Any, base: Any) -> bool:
    return isinstance(field, OneToOneField) and field.parent_link and _targets(field, base)


def _targets(field: Any, base: Any) -> bool:
    if isinstance(field.to, str):
        return bool(field.to.lower() in (base._meta.label_lower, base._meta.model_name))
    return field.to is base


def _hidden(cls: Any, base: Any, name: str) -> bool:
    """Whether a class between ``cls`` and ``base`` sets the field's name to something else, such as None."""
    for klass in cls.__mro__:
        if klass is base:
            return False
        if name in klass.__dict__:
            return True
    return False


class Model(Persistence, Validation, metaclass=ModelBase):
    """The base of all models. Fields are class attributes; ``objects`` is the way to the rows."""

    _meta: ClassVar[Options]
    _origin: Any = None
    DoesNotExist: ClassVar[type[ObjectDoesNotExist]]
    MultipleObjectsReturned: ClassVar[type[MultipleObjectsReturned]]
    NotUpdated: ClassVar[type[ObjectNotUpdated]]

    if TYPE_CHECKING:  # what a model has unless it declares another manager or another key
        objects = Objects()
        id = ImplicitKey()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """A new instance, not yet saved. Arguments are field values, by position in the order of the fields or by name.

        Raises ``TypeError`` for names that are no fields, with the nearest one.
        """
        cls = type(self)
        if cls._meta.abstract:
            raise TypeError("Abstract models cannot be instantiated.")
        if signals.pre_init.receivers:
            signals.pre_init.send(sender=cls, args=args, kwargs=kwargs)
        fields = cls.__init_fields__()
        if len(args) > len(fields):
            raise IndexError("Number of args exceeds number of fields")
        held = self.__dict__
        for field, value in zip(fields, args, strict=False):
            if value is not DEFERRED:
                if field.name in kwargs or field.attname in kwargs:
                    raise TypeError(
                        f"{cls.__qualname__}() got both positional and keyword arguments for field '{field.name}'."
                    )
                if field.is_relation and not hasattr(value, "_meta"):
                    held[field.attname] = value  # pyright: ignore[reportIndexIssue]
                else:
                    setattr(self, field.name, value)
        for field in fields[len(args) :]:
            if field.attname in kwargs:
                held[field.attname] = kwargs.pop(field.attname)  # pyright: ignore[reportIndexIssue]
            elif field.is_relation and field.name in kwargs:
                _set_related(self, field, kwargs.pop(field.name))
            elif not field.generated:
                held[field.attname] = field.get_default()  # pyright: ignore[reportIndexIssue]
        if kwargs:
            _set_others(self, kwargs)
        super().__init__()  # of a plain class that is mixed in
        if signals.post_init.receivers:
            signals.post_init.send(sender=cls, instance=self)

    @classmethod
    def __init_fields__(cls) -> tuple[Any, ...]:
        """The fields that ``__init__`` takes, kept on the class after the first call."""
        found: tuple[Any, ...] | None = cls.__dict__.get("_init_fields")
        if found is None:
            cls._meta.apps.link()
            found = cls._meta.concrete_fields
            if not cls._meta.apps.registry.pending:
                cls._init_fields = found  # type: ignore[attr-defined]
        return found

    @classmethod
    def __plain_init__(cls) -> bool:
        """Whether rows may become instances without running Python code of the model's author."""
        return (
            cls.__init__ is Model.__init__
            and super(Model, cls).__init__ is object.__init__
            and cls.from_db.__func__ is Model.from_db.__func__  # type: ignore[attr-defined]
            and not signals.pre_init.has_listeners(cls)
            and not signals.post_init.has_listeners(cls)
            and cls.__setattr__ is object.__setattr__
        )

    @classmethod
    def from_db(cls, db: str, field_names: Any, values: Any, *, fetch_mode: Any = None) -> Self:
        """An instance from a row: ``values`` in the order of ``field_names``. Overridden, it is called for every row."""
        given = dict(zip(field_names, values, strict=True))
        return cls(*[given.get(f.attname, DEFERRED) for f in cls.__init_fields__()])

    @classmethod
    def _plain_manager(cls) -> Any:
        found = cls.__dict__.get("_plain")
        if found is None:
            found = Manager()
            found.name = "_base_manager"
            found.model = cls
            found.auto_created = True
            cls._plain = found  # type: ignore[attr-defined]
        return found

    if not TYPE_CHECKING:  # to type checkers a name that the class has not is an error

        def __getattr__(self, name: str) -> Any:
            return missing_attribute(self, name)

    # -- identity ------------------------------------------------------------------------------------------------------

    @property
    def pk(self) -> Any:
        """The primary key's value, whatever its name."""
        names = type(self).__key_names__()
        if len(names) == 1:
            return getattr(self, names[0])
        return tuple(getattr(self, name) for name in names)

    @pk.setter
    def pk(self, value: Any) -> None:
        names = type(self).__key_names__()
        if len(names) == 1:
            for link in self._meta.parents.values():
                if link and link is not self._meta.pk:
                    setattr(self, link.target_field.attname, value)
            setattr(self, names[0], value)
            self._set_inherited_keys(value)
            return
        if value is None:
            value = (None,) * len(names)
        if not isinstance(value, (tuple, list)):
            raise ValueError(f"'pk' must be a list or a tuple. {self._meta.label} has the key {names}, not {value!r}.")
        if len(value) != len(names):
            raise ValueError(f"'pk' must have {len(names)} elements. {self._meta.label} has the key {names}.")
        for name, part in zip(names, value, strict=True):
            setattr(self, name, part)

    def _set_inherited_keys(self, value: Any) -> None:
        field = self._meta.pk
        while getattr(field, "parent_link", False):
            field = field.target_field
            self.__dict__[field.attname] = value  # pyright: ignore[reportIndexIssue]

    @classmethod
    def __key_names__(cls) -> tuple[str, ...]:
        return tuple(attribute.name for attribute in cls._meta.entity.key)

    @property
    def _state(self) -> ModelState:
        return ModelState(self)

    def _is_pk_set(self, meta: Any = None) -> bool:
        pk = self.pk
        parts = pk if isinstance(pk, tuple) else (pk,)
        return not any(part is None or isinstance(part, DatabaseDefault) for part in parts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        if self._meta.concrete_model is not other._meta.concrete_model:
            return False
        mine = self.pk
        return self is other if mine is None else bool(mine == other.pk)

    def __hash__(self) -> int:
        if not self._is_pk_set():
            raise TypeError("Model instances without primary key value are unhashable")
        return hash(self.pk)

    def __str__(self) -> str:
        return f"{type(self).__name__} object ({self.pk})"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def __reduce__(self) -> Any:
        state = self.__getstate__()
        state["_crowsfoot_version"] = VERSION
        return _unpickled, (self._meta.label_lower,), state

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_prepared", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state.pop("_crowsfoot_version", VERSION) != VERSION:
            warnings.warn(f"Pickled by another version of Crowsfoot than {VERSION}.", RuntimeWarning, stacklevel=2)
        self.__dict__.update(state)  # pyright: ignore[reportAttributeAccessIssue]

    def serializable_value(self, field_name: str) -> Any:
        """The value of a field as it is stored: the key, for a foreign key."""
        try:
            field = self._meta.get_field(field_name)
        except FieldDoesNotExist:
            return getattr(self, field_name)
        return getattr(self, field.attname)

    def get_deferred_fields(self) -> set[str]:
        """The names of the fields that are not loaded."""
        held = self.__dict__
        return {f.attname for f in self._meta.concrete_fields if f.attname not in held}


VERSION = "0.1"


def _unpickled(label: str) -> Any:
    model = apps.get_model(label)
    return model.__new__(model)


def _set_related(instance: Model, field: Any, value: Any) -> None:
    if value is None or hasattr(value, "_meta"):
        setattr(instance, field.name, value)
    else:
        setattr(instance, field.name, value)  # raises the error that names what was expected


def _set_others(instance: Model, kwargs: dict[str, Any]) -> None:
    """Keyword arguments that are no fields: ``pk`` and the model's properties; all else is a mistake."""
    cls = type(instance)
    meta = cls._meta
    unknown = []
    for name, value in kwargs.items():
        declared = inspect.getattr_static(cls, name, None)
        if name == "pk" or isinstance(declared, (property, ToOne)) or any(f.name == name for f in meta.private_fields):
            if value is not DEFERRED:
                setattr(instance, name, value)
        elif any(f.name == name for f in meta.many_to_many):
            raise TypeError(
                f"Direct assignment to the forward side of a many-to-many set is prohibited. Use {name}.set() instead."
            )
        else:
            unknown.append(name)
    if unknown:
        listed = ", ".join(f"'{name}'" for name in unknown)
        names = [f.name for f in meta.fields]
        hint = unknown_name("field", unknown[0], meta.label, names).partition(" Did you mean ")[2].partition("?")[0]
        raise TypeError(
            f"{cls.__name__}() got unexpected keyword arguments: {listed}" + (f". Did you mean {hint}?" if hint else "")
        )


routing.MODELS.append(apps)
signals.ModelSignal.get_model = staticmethod(lambda label: apps.get_model(label))


def models_of(module: str) -> list[Any]:
    """The models that were defined in a module."""
    return [model for model in current.apps.get_models() if model.__module__ == module and module in sys.modules]
