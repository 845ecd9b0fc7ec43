"""The metaclass of `Model`: how a class statement becomes an entity."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from crowsfoot.conf import settings
from crowsfoot.errors import (
    DatabaseError,
    FieldError,
    MultipleObjectsReturned,
    ObjectDoesNotExist,
    ObjectNotUpdated,
)
from crowsfoot.models import signals
from crowsfoot.models.apps import Apps, Current
from crowsfoot.models.attributes import install_relation
from crowsfoot.models.auto_field import implicit_key
from crowsfoot.models.deferred import DeferredAttribute
from crowsfoot.models.fields.base import Field
from crowsfoot.models.fields.foreign_key import OneToOneField
from crowsfoot.models.fields.many_to_many import ManyToManyField
from crowsfoot.models.layout import share_keys
from crowsfoot.models.links import make_link_model
from crowsfoot.models.manager import Manager
from crowsfoot.models.missing import class_attribute
from crowsfoot.models.options import Options
from crowsfoot.models.places import add_place
from crowsfoot.models.related_types import misfits
from crowsfoot.models.typed import FieldPath
from crowsfoot.persistence.integrity import Tables
from crowsfoot.query.conditions import Q
from crowsfoot.schema.relation import CASCADE, slot_of

apps = Apps(install_relation)
current = Current(apps)
Tables.find = current.entity_of


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
        home = getattr(meta, "apps", None) or current.apps
        options = Options(meta, _app_label(attrs["__module__"], home), home)
        options.contribute_to_class(cls, "_meta")
        options.abstract = abstract
        if abstract:  # for `class Meta(Base.Meta)`, which does not make the subclass abstract too
            meta.abstract = False
            cls.Meta = meta
        _Builder(cls, parents, contributed).build()
        return cls

    if TYPE_CHECKING:
        # To type checkers ``Post.author`` is the class ``Author``, so that they know its fields; these are what a path
        # to a relation has besides. A name that no field has is an error to them, hence no ``__getattr__``.
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
                return (name, partial(getattr, field, "related_model")) if field.is_relation else name
            if name == getattr(field, "attname", None):
                return name
        if name == "pk":
            return name
        for rel in cls._meta._rels():
            if not rel.hidden and name in (rel.get_accessor_name(), rel.name):
                return rel.name, partial(getattr, rel, "related_model")
        return None

    @property
    def pk(cls) -> FieldPath[Any]:
        """The path to the primary key, whatever its name."""
        return FieldPath("pk", cls)

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
            make_link_model(_root(cls), cls, field)
        cls._meta.apps.registry.declare(field)


def _inherited_meta(cls: Any, parents: list[Any]) -> Any:
    """Without a ``Meta`` of its own a model takes that of an abstract parent (not its being abstract)."""
    for parent in parents:
        meta = parent.__dict__.get("_meta")
        if meta is not None and meta.abstract and meta.meta is not None:
            return type("Meta", (meta.meta,), {"abstract": False})
    return None


def _app_label(module: str, apps: Apps) -> str:
    """The app of a module: the installed app it is in, else its package (``blog.models`` is of ``blog``)."""
    package = apps.package_of(module)
    if package is not None:
        return package.label
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
                make_link_model(_root(cls), cls, field)
        meta.apps.register_model(meta.app_label, cls)
        for field in meta.private_fields:
            if hasattr(field, "contribute_to_entity_later"):
                field.contribute_to_entity_later(meta.entity)
        address = settings.ABSOLUTE_URL_OVERRIDES.get(meta.label_lower)
        if address is not None:
            cls.get_absolute_url = address
        related = [slot_of(field.name) for field in meta.fields if field.is_relation]
        share_keys(cls, [*meta.entity.attributes, "_origin", "_prepared", *related])
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
        name = self.cls.__name__
        for parent in self.parents:
            if parent._meta.abstract and parent._meta.fields:
                raise TypeError(f"Abstract base class containing model fields not permitted for proxy model {name!r}.")
        bases = {p._meta.concrete_model: p for p in reversed(self.parents) if not p._meta.abstract}
        if not bases:
            raise TypeError(f"Proxy model {name!r} has no non-abstract model base class.")
        if len(bases) > 1:
            raise TypeError(f"Proxy model {name!r} has more than one non-abstract model base class.")
        (base,) = bases.values()
        if base._meta.swapped:
            raise TypeError(f"{name} cannot proxy the swapped model {base._meta.swapped!r}.")
        meta.proxy_for_model = base
        meta.concrete_model = base._meta.concrete_model
        meta.db_table = meta.concrete_model._meta.db_table
        meta.pk = meta.concrete_model._meta.pk
        meta.parents = {meta.concrete_model: None}

    def _inherit(self) -> None:
        """Copy the fields of abstract parents; link to the concrete ones."""
        cls, meta = self.cls, self.meta
        own = {f.name for f in [*meta.local_fields, *meta.local_many_to_many, *meta.private_fields]}
        taken = set(own)
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
                continue
            for field in parent.private_fields:
                if field.name not in taken and not _hidden(cls, base, field.name):
                    taken.add(field.name)
                    field.inherited_by(cls)
            if not meta.proxy and not meta.abstract and self._is_direct(base):
                taken.add(self._link_to(base).name)
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

    def _link_to(self, base: Any) -> Any:
        """The field that links to a concrete parent: declared here or in an abstract parent, or made."""
        cls, meta = self.cls, self.meta
        base = base._meta.concrete_model
        field = next((f for f in meta.local_fields if _links(f, base)), None)
        if field is None:
            field = next((f for f in meta.local_fields if isinstance(f, OneToOneField) and _targets(f, base)), None)
        if field is None and (declared := self._abstract_link(base)) is not None:
            field = copy.deepcopy(declared)
            field.contribute_to_class(cls, field.name)
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
        return field

    def _abstract_link(self, base: Any) -> Any:
        """The link to ``base`` that an abstract parent declares, which may stand behind ``base`` among the parents."""
        metas = [
            klass.__dict__["_meta"]
            for klass in self.cls.__mro__[1:]
            if isinstance(klass, ModelBase) and "_meta" in klass.__dict__
        ]
        return next((f for meta in metas if meta.abstract for f in meta.local_fields if _links(f, base)), None)

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
        implicit_key(meta.apps.package_labelled(meta.app_label)).contribute_to_class(self.cls, "id")

    def _uncover(self) -> None:
        """A plain value on a base class must not answer for a field that was not loaded."""
        for field in self.meta.fields:
            known = (klass.__dict__[field.attname] for klass in self.cls.__mro__ if field.attname in klass.__dict__)
            value = next(known, field)
            if value is not field and not hasattr(type(value), "__get__"):
                setattr(self.cls, field.attname, DeferredAttribute(field))

    def _managers(self) -> None:
        if not self.meta.managers:
            if any(f.name == "objects" for f in self.meta.fields):
                raise ValueError(
                    f"Model {self.cls.__name__} must specify a custom Manager, because it has a field named 'objects'."
                )
            manager = Manager()
            manager.auto_created = True
            manager.contribute_to_class(self.cls, "objects")


def _root(cls: Any) -> Any:
    """The ``Model`` that ``cls`` goes back to."""
    return next(base for base in reversed(cls.__mro__) if isinstance(base, ModelBase))


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
