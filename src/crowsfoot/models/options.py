"""`Options`: a model's ``_meta``. What ``class Meta`` said, the fields, and the entity that lower floors work with."""

from __future__ import annotations

import bisect
import re
from collections import ChainMap
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet

from crowsfoot.conf import settings
from crowsfoot.database import databases
from crowsfoot.errors import FieldDoesNotExist, unknown_name
from crowsfoot.models.rels import leads_down, reverse_rels
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.table import Table

META_NAMES = (
    "verbose_name", "verbose_name_plural", "db_table", "db_table_comment", "ordering", "unique_together", "permissions",
    "get_latest_by", "order_with_respect_to", "app_label", "db_tablespace", "abstract", "managed", "proxy", "swappable",
    "auto_created", "apps", "default_permissions", "select_on_save", "default_related_name", "required_db_features",
    "required_db_vendor", "base_manager_name", "default_manager_name", "indexes", "constraints", "index_together",
)  # fmt: skip


# The options that hold what was worked out for their models.
PLANNED: WeakSet[Options] = WeakSet()


def forget_plans() -> None:
    """Work out anew how instances are made and written: fields were added, perhaps to a model that others inherit."""
    for meta in list(PLANNED):
        PLANNED.discard(meta)
        meta.init_fields, meta.init_names = None, frozenset()
        meta.write_plans.clear()
        if hasattr(vars(meta.model).get("__init__"), "is_made"):
            del meta.model.__init__


def camel_case_to_spaces(name: str) -> str:
    return re.sub(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))", r" \1", name).strip().lower()


class Options:
    """Django's ``Model._meta``. The public names are Django's; ``entity`` is what queries are built on."""

    def __init__(self, meta: Any, app_label: str, apps: Any) -> None:
        self.apps = apps
        self.app_label = app_label
        self.local_fields: list[Any] = []
        self.local_many_to_many: list[Any] = []
        self.private_fields: list[Any] = []
        self.local_managers: list[Any] = []
        self.parents: dict[Any, Any] = {}
        self.meta = meta
        self.verbose_name: Any = None
        self.verbose_name_plural: Any = None
        self.db_table = ""
        self.db_table_comment = ""
        self.ordering: Any = []
        self.unique_together: Any = []
        self.indexes: list[Any] = []
        self.constraints: list[Any] = []
        self.get_latest_by: Any = None
        self.order_with_respect_to: Any = None
        self.abstract = False
        self.managed = True
        self.proxy = False
        self.proxy_for_model: Any = None
        self.concrete_model: Any = None
        self.swappable: str | None = None
        self.auto_created: Any = False
        self.default_related_name: str | None = None
        self.default_permissions: Any = ("add", "change", "delete", "view")
        self.permissions: Any = []
        self.base_manager_name: str | None = None
        self.default_manager_name: str | None = None
        self.select_on_save = False
        self.db_tablespace = ""
        self.required_db_features: Any = []
        self.required_db_vendor: Any = None
        self.index_together: Any = []
        self.pk: Any = None
        self.auto_field: Any = None
        self.original_attrs: dict[str, Any] = {}
        self.entity: Any = None
        self.unknown_options: list[str] = []
        self._managers: dict[str, Any] | None = None
        self._default: Any = None
        # What is worked out once for all instances of the model, until a field is added to any: the fields that a new
        # one takes, and their names, and how it is written, by database.
        self.init_fields: tuple[Any, ...] | None = None
        self.init_names: frozenset[str] = frozenset()
        self.write_plans: dict[str, Any] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether a relation of the model waits for its target: then it does not have all its columns yet."""
        pending = self.apps.registry.pending
        return any(issubclass(self.model, declaration.owner.model) for declaration in pending)

    # -- setting up ----------------------------------------------------------------------------------------------------

    def contribute_to_class(self, cls: Any, name: str) -> None:
        cls._meta = self
        self.model = cls
        self.object_name = cls.__name__
        self.model_name = cls.__name__.lower()
        self.verbose_name = camel_case_to_spaces(self.object_name)
        if self.meta is not None:
            self._read_meta()
        self.unique_together = _pairs(self.unique_together)
        if self.verbose_name_plural is None:
            self.verbose_name_plural = f"{self.verbose_name}s"
        if not self.db_table:
            self.db_table = f"{self.app_label}_{self.model_name}"
        if not self.abstract:
            self.indexes = [self._renamed(index) for index in self.indexes]
            self.constraints = [self._renamed(constraint) for constraint in self.constraints]

    def _read_meta(self) -> None:
        known = {n: v for n, v in vars(self.meta).items() if not n.startswith("_")}
        for option in META_NAMES:
            if option in known:
                self.original_attrs[option] = known.pop(option)
                setattr(self, option, self.original_attrs[option])
            elif hasattr(self.meta, option):
                setattr(self, option, getattr(self.meta, option))
                self.original_attrs[option] = getattr(self.meta, option)
        self.app_label = getattr(self.meta, "app_label", self.app_label)
        self.indexes, self.constraints = list(self.indexes), list(self.constraints)
        if known:
            name = sorted(known)[0]
            raise TypeError(
                f"'class Meta' got invalid attribute(s): {','.join(sorted(known))}. "
                + unknown_name("option", name, "Meta", META_NAMES)
            )

    def _renamed(self, rule: Any) -> Any:
        """A copy of an index or a constraint that is this model's own, ``%(class)s`` in its name filled in."""
        copy = rule.clone()
        copy.name = rule.name % {"app_label": self.app_label.lower(), "class": self.model_name}
        return copy

    def make_entity(self) -> None:
        """The entity of this model; a proxy shares all but the name with the model it stands for."""
        if self.proxy:
            concrete = self.concrete_model._meta.entity
            self.entity = Entity(self.label, concrete.table)
            self.entity.concrete = concrete
            for shared in ("attributes", "aliases", "parents", "refused"):
                setattr(self.entity, shared, getattr(concrete, shared))
            self.entity.ends = ChainMap({}, concrete.ends)
            self.entity.key = concrete.key
        else:
            self.entity = Entity(self.label, Table(self.db_table, comment=self.db_table_comment or None))
        self.entity.model = self.model

    def fill_entity(self) -> None:
        """Give the entity its attributes and key, once all fields are there."""
        entity = self.entity
        if not self.proxy:
            for field in self.local_concrete_fields:
                field.contribute_to_entity(entity)
            self.fill_key()
        entity.ordering = tuple(self.ordering or ())
        for index in self.indexes:
            if not index.name:
                index.set_name_with_model(self.model)

    def fill_key(self) -> None:
        """Tell the entity its key, as far as its columns are known."""
        try:
            fields = () if self.pk is None else self.pk.parts
        except FieldDoesNotExist:  # a composite key names what is no field, as ``problems`` will say
            return
        if fields and all(field.attname in self.entity.attributes for field in fields):
            self.entity.key = tuple(self.entity.attributes[field.attname] for field in fields)
            self.entity.table.primary_key = tuple(field.column for field in fields)
            for field in fields:
                field._in_key = True

    def inherit(self, link: Any) -> None:
        """Put the attributes of an inherited model before the model's own, reached through ``link``."""
        entity = self.entity
        entity.parents.append(link)
        inherited: dict[str, Attribute] = {}
        for attribute in link.target.attributes.values():
            inherited[attribute.name] = Attribute(
                attribute.entity, attribute.name, attribute.column, attribute.value_type,
                via=(link, *attribute.via), field=attribute.field,
            )  # fmt: skip
        own = dict(entity.attributes)
        entity.attributes.clear()
        entity.attributes.update({**inherited, **own})
        for alias, name in link.target.aliases.items():
            entity.aliases.setdefault(alias, name)

    def declarations(self) -> list[Any]:
        """The relations that this model declares: none where it only stands for another, or another for it."""
        if self.swapped:
            return []
        fields = [] if self.proxy else [*self.local_fields, *self.local_many_to_many]
        found = [f for f in [*fields, *self.private_fields] if f.is_relation and hasattr(f, "declare")]
        return [f for f in found if f.model is self.model]

    def add_field(self, field: Any, private: bool = False) -> None:
        forget_plans()
        if private:
            self.private_fields.append(field)
        elif field.is_relation and field.many_to_many:
            bisect.insort(self.local_many_to_many, field)
        else:
            bisect.insort(self.local_fields, field)
            self.setup_pk(field)

    def setup_pk(self, field: Any) -> None:
        if self.pk is None and field.primary_key:
            self.pk = field
            field.serialize = False

    def add_manager(self, manager: Any) -> None:
        self.local_managers.append(manager)
        self._managers = self._default = None

    # -- names ---------------------------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        return f"{self.app_label}.{self.object_name}"

    @property
    def label_lower(self) -> str:
        return f"{self.app_label}.{self.model_name}"

    @property
    def verbose_name_raw(self) -> str:
        return str(self.verbose_name)

    @property
    def swapped(self) -> str | None:
        """The label of the model that a setting puts in place of this one."""
        if not self.swappable:
            return None
        label = getattr(settings, self.swappable, None)
        return str(label) if label and str(label).lower() != self.label_lower else None

    def can_migrate(self, connection: Any) -> bool:
        """Whether the model has a table that is looked after here; a database's alias says where.

        A model may require a kind of database, or features of it: it has no table where these are missing.
        """
        if self.proxy or self.swapped or not self.managed:
            return False
        if connection is None or not (self.required_db_vendor or self.required_db_features):
            return True
        alias = connection if isinstance(connection, str) else connection.alias
        database = databases[alias]
        if self.required_db_vendor:
            return bool(self.required_db_vendor == database.vendor)
        return all(getattr(database.dialect.features, name, False) for name in self.required_db_features)

    # -- fields --------------------------------------------------------------------------------------------------------

    @property
    def fields(self) -> tuple[Any, ...]:
        """Forward fields but many-to-many ones: those of inherited models first."""
        return self._of_all(lambda meta: meta.local_fields)

    @property
    def concrete_fields(self) -> tuple[Any, ...]:
        return tuple(f for f in self.fields if f.concrete)

    @property
    def local_concrete_fields(self) -> tuple[Any, ...]:
        return tuple(f for f in self.local_fields if f.concrete)

    @property
    def many_to_many(self) -> tuple[Any, ...]:
        return self._of_all(lambda meta: meta.local_many_to_many)

    @property
    def related_objects(self) -> tuple[Any, ...]:
        """The relations that other models declare to this one. Hidden ones are left out, but for many-to-many."""
        return tuple(rel for rel in self._rels() if rel.many_to_many or not rel.hidden)

    def _rels(self) -> tuple[Any, ...]:
        return self._of_all(Options._own_rels)

    def _own_rels(self) -> list[Any]:
        return [] if self.proxy or self.entity is None else reverse_rels(self.entity, self.apps.registry)

    def _of_all(self, own: Callable[[Options], Iterable[Any]], above: bool = True) -> tuple[Any, ...]:
        """What ``own`` says of each inherited model and then of this one, each thing once.

        The ways from inherited models to their children are left out. Without ``above`` it is this model alone; what a
        proxy stands for is itself.
        """
        found: dict[Any, None] = {}
        for parent in self.parents:
            meta = parent._meta
            if above or meta.concrete_model is self.concrete_model:
                inherited = meta._of_all(own, above)
                found.update(dict.fromkeys(f for f in inherited if not leads_down(f) or f.model is self.concrete_model))
        found.update(dict.fromkeys(own(self)))
        return tuple(found)

    def get_fields(self, include_parents: bool = True, include_hidden: bool = False) -> tuple[Any, ...]:
        """Reverse relations, fields and many-to-many fields: those of each inherited model first, generic ones last.

        ``include_parents=False`` leaves out what is inherited, ``include_hidden`` adds relations without a way back.
        """

        def own(meta: Options) -> list[Any]:
            rels = [rel for rel in meta._own_rels() if include_hidden or not rel.hidden]
            return [*rels, *meta.local_fields, *meta.local_many_to_many]

        return (*self._of_all(own, above=include_parents), *self.private_fields)

    def get_field(self, field_name: str) -> Any:
        """The field or reverse relation of this name. Raises ``FieldDoesNotExist`` with the nearest one.

        While the models of installed apps are being imported, nobody knows all that will point here: only fields are
        found.
        """
        for field in [*self.fields, *self.many_to_many, *self.private_fields]:
            if field_name == field.name or (field_name == getattr(field, "attname", None)):
                return field
        if not self.apps.models_ready:
            raise FieldDoesNotExist(
                f"{self.object_name} has no field named '{field_name}'. The app cache isn't ready yet, so if this is "
                "an auto-created related field, it won't be available yet. Ask once all models are imported, as in "
                "AppConfig.ready()."
            )
        for rel in self._rels():
            if rel.name == field_name:
                return rel
        names = [f.name for f in [*self.fields, *self.many_to_many]]
        near = unknown_name("field", field_name, self.label, names)
        raise FieldDoesNotExist(f"{self.object_name} has no field named '{field_name}'. {near}")

    @property
    def fields_map(self) -> dict[str, Any]:
        return {rel.name: rel for rel in self._rels()}

    @property
    def pk_fields(self) -> list[Any]:
        return list(self.pk.parts)

    def unique_sets(self) -> list[tuple[str, ...]]:
        """The sets of field names that are unique together without a condition."""
        found = [tuple(names) for names in self.unique_together]
        for constraint in self.constraints:
            names = getattr(constraint, "fields", ())
            if names and getattr(constraint, "condition", None) is None and hasattr(constraint, "nulls_distinct"):
                found.append(tuple(names))
        return found

    @property
    def total_unique_constraints(self) -> list[Any]:
        return [
            c for c in self.constraints
            if getattr(c, "fields", ()) and hasattr(c, "nulls_distinct") and getattr(c, "condition", None) is None
        ]  # fmt: skip

    # -- inheritance ---------------------------------------------------------------------------------------------------

    @property
    def all_parents(self) -> tuple[Any, ...]:
        found: dict[Any, None] = {}
        for parent in self.parents:
            found[parent] = None
            found.update(dict.fromkeys(parent._meta.all_parents))
        return tuple(found)

    def get_parent_list(self) -> list[Any]:
        return list(self.all_parents)

    def get_ancestor_link(self, ancestor: Any) -> Any:
        if ancestor in self.parents:
            return self.parents[ancestor]
        for parent in self.parents:
            link = parent._meta.get_ancestor_link(ancestor)
            if link is not None:
                return self.parents[parent] or link
        return None

    # -- managers ------------------------------------------------------------------------------------------------------

    @property
    def managers_map(self) -> dict[str, Any]:
        """Managers by name; those of nearer classes hide those of farther ones."""
        if self._managers is None:
            found: dict[str, Any] = {}
            for klass in self.model.__mro__:
                meta = klass.__dict__.get("_meta")
                for manager in meta.local_managers if meta is not None else []:
                    if manager.name not in found:
                        found[manager.name] = manager if klass is self.model else manager.bound_to(self.model)
            ordered = sorted(found.values(), key=lambda m: m.creation_counter)
            self._managers = {m.name: m for m in ordered}
        return self._managers

    @property
    def managers(self) -> tuple[Any, ...]:
        return tuple(self.managers_map.values())

    def _inherited(self, option: str) -> str | None:
        for klass in self.model.__mro__:
            meta = klass.__dict__.get("_meta")
            if meta is not None and getattr(meta, option, None):
                return str(getattr(meta, option))
        return None

    @property
    def default_manager(self) -> Any:
        if self._default is None:
            name = self._inherited("default_manager_name")
            self._default = self._named(name, "default_manager_name") if name else next(iter(self.managers), None)
        return self._default

    @property
    def base_manager(self) -> Any:
        name = self._inherited("base_manager_name")
        return self._named(name, "base_manager_name") if name else self.model._plain_manager()

    def _named(self, name: str, option: str) -> Any:
        try:
            return self.managers_map[name]
        except KeyError:
            raise ValueError(f"{self.object_name} has no manager named {name!r} ({option})") from None

    def problems(self) -> list[str]:
        """What is wrong with the model's fields and options, one sentence each."""
        found: list[str] = []
        for field in self.local_fields:
            if not field.is_relation:
                found += field.check()
        names = {f.name for f in [*self.fields, *self.many_to_many]} | {f.attname for f in self.fields}
        for field in self.private_fields:
            if not hasattr(field, "declare"):
                found += field.check()
        for names_together in self.unique_together:
            for name in names_together:
                if name not in names:
                    found.append(unknown_name("field", name, f"unique_together of {self.label}", names))
        for item in self.ordering or ():
            if isinstance(item, str) and item != "?" and "__" not in item:
                name = item.lstrip("-+")
                if name not in {*names, "pk"} and name not in self.entity.names:
                    found.append(unknown_name("field", name, f"ordering of {self.label}", names))
        return found

    def __repr__(self) -> str:
        return f"<Options for {self.object_name}>"

    def __str__(self) -> str:
        return self.label_lower


def _pairs(option: Any) -> tuple[tuple[str, ...], ...]:
    """``unique_together`` may be one pair or several."""
    if not option:
        return ()
    if all(isinstance(name, str) for name in option):
        return (tuple(option),)
    return tuple(tuple(names) for names in option)
