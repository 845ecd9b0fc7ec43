"""`Model`: what an instance can do."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from crowsfoot.errors import (
    FieldDoesNotExist,
    MultipleObjectsReturned,
    ObjectDoesNotExist,
    ObjectNotUpdated,
    unknown_name,
)
from crowsfoot.models import routing, signals
from crowsfoot.models.attributes import ToOne
from crowsfoot.models.fields.base import DatabaseDefault
from crowsfoot.models.making import make_init
from crowsfoot.models.manager import Manager, Objects
from crowsfoot.models.metaclass import ModelBase, apps, current
from crowsfoot.models.missing import missing_attribute
from crowsfoot.models.options import PLANNED, Options
from crowsfoot.models.persist import Persistence
from crowsfoot.models.related_rows import Prefetched, PrefetchedCache
from crowsfoot.models.state import ModelState
from crowsfoot.models.typed import ImplicitKey
from crowsfoot.models.validation import Validation
from crowsfoot.schema.entity import FINDERS


class Deferred:
    """Stands for a value that was not loaded."""

    def __repr__(self) -> str:
        return "<Deferred field>"

    def __str__(self) -> str:
        return "<Deferred field>"


DEFERRED = Deferred()


class Model(Persistence, Validation, metaclass=ModelBase):
    """The base of all models. Fields are class attributes; ``objects`` is the way to the rows."""

    _meta: ClassVar[Options]
    # Where an instance came from, what prefetching brought and what its peers' questions did. They are attributes with
    # a default, and not looked up in ``__dict__``, for it is only made when somebody asks for it.
    _origin: Any = None
    _adding: bool | None = None
    _prepared: Any = None
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
        # A model without an ``__init__`` of its own gets one made for its fields, which comes here where it has to.
        self._take_arguments(args, kwargs)

    __init__.is_usual = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]

    def _take_arguments(self, args: Any, kwargs: dict[str, Any]) -> None:
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
        """The fields that ``__init__`` takes, kept after the first call."""
        meta = cls._meta
        found: tuple[Any, ...] | None = meta.init_fields
        if found is None:
            meta.apps.link()
            found = meta.concrete_fields
            if not meta.is_waiting:
                meta.init_fields = found
                meta.init_names = frozenset(name for field in found for name in (field.name, field.attname))
                PLANNED.add(meta)
                if getattr(cls.__init__, "is_usual", False) and super().__init__ is object.__init__:
                    made = make_init(cls, found, Model._take_arguments)
                    if made is not None:
                        made.__doc__ = Model.__init__.__doc__
                        cls.__init__ = made  # type: ignore[method-assign]
        return found

    @classmethod
    def __plain_init__(cls) -> bool:
        """Whether rows may become instances without running Python code of the model's author."""
        return (
            getattr(cls.__init__, "is_usual", False)
            and super().__init__ is object.__init__
            and cls.from_db.__func__ is Model.from_db.__func__  # type: ignore[attr-defined]
            and not signals.pre_init.has_listeners(cls)
            and not signals.post_init.has_listeners(cls)
            and cls.__setattr__ is object.__setattr__
        )

    @classmethod
    def from_db(cls, db: str, field_names: Any, values: Any, *, fetch_mode: Any = None) -> Self:
        """An instance from a row: ``values`` in the order of ``field_names``. Where overridden, called for each row."""
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
        key = self._meta.entity.key
        if len(key) == 1:
            return getattr(self, key[0].name)
        return tuple(getattr(self, attribute.name) for attribute in key)

    @pk.setter
    def pk(self, value: Any) -> None:
        names = type(self).__key_names__()
        if len(names) == 1:
            for link in self._meta.concrete_model._meta.parents.values():
                if link is not self._meta.pk:
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

    @property
    def _prefetched_objects_cache(self) -> PrefetchedCache:
        """Django's name for the querysets that prefetching has left here, by accessor. It may be changed."""
        return PrefetchedCache(self)

    @_prefetched_objects_cache.setter
    def _prefetched_objects_cache(self, querysets: Mapping[str, Any]) -> None:
        cache = PrefetchedCache(self)
        cache.clear()
        cache.update(querysets)

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
        state.pop("_known", None)
        for name, kept in state.items():
            if type(kept) is Prefetched:
                state[name] = kept.queryset(self)
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
FINDERS.append(lambda label: apps.get_model(label)._meta.entity)
signals.ModelSignal.apps = apps


__all__ = ["DEFERRED", "Model", "ModelBase", "apps", "current"]
