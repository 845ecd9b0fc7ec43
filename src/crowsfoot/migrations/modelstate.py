"""One model as a value: fields that are bound to no class, and relations by name."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from crowsfoot.errors import FieldDoesNotExist, unknown_name
from crowsfoot.migrations.utils import Key, is_made, resolve, together
from crowsfoot.models.manager import Manager
from crowsfoot.models.model import Model
from crowsfoot.models.options import META_NAMES

# Options that say where a class lives, which a state knows otherwise.
NOT_KEPT = {"apps", "app_label", "abstract", "auto_created"}
# Options that say which table a model has.
TABLE_OPTIONS = {"db_table", "managed", "proxy", "swappable"}
ORDER = "_order"


class ModelState:
    """A model by app and name.

    ``fields`` are by name, in order; ``options`` is what ``Meta`` says; ``bases`` are ``"app.model"`` for models and
    classes for everything else; ``managers`` are pairs. Raises ``ValueError`` for a field that belongs to a class, a
    relation to a class instead of a name, and an index without a name.
    """

    def __init__(
        self,
        app_label: str,
        name: str,
        fields: Iterable[tuple[str, Any]] | Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
        bases: tuple[Any, ...] | None = None,
        managers: Iterable[tuple[str, Any]] | None = None,
    ) -> None:
        self.app_label = app_label
        self.name = name
        self.fields: dict[str, Any] = dict(fields)
        self.options: dict[str, Any] = {"indexes": [], "constraints": [], **(options or {})}
        self.bases = tuple(bases) if bases else (Model,)
        self.managers = list(managers or [])
        for field_name, field in self.fields.items():
            self._check(field_name, field)
        for index in self.options["indexes"]:
            if not index.name:
                raise ValueError(f"Indexes of {self.label} need a name in migrations: {index!r} has none.")

    def _check(self, name: str, field: Any) -> None:
        if hasattr(field, "model"):
            raise ValueError(f"{self.label}.{name} belongs to {field.model._meta.label}; states take field.clone().")
        for what in ("to", "through"):
            reference = getattr(field, what, None)
            if field.is_relation and reference is not None and not isinstance(reference, str):
                label = reference._meta.label_lower
                raise ValueError(f"{self.label}.{name} names a class as {what}: write {label!r} in migrations.")

    @property
    def name_lower(self) -> str:
        return self.name.lower()

    @property
    def label(self) -> str:
        return f"{self.app_label}.{self.name}"

    @property
    def key(self) -> Key:
        return self.app_label, self.name_lower

    def base_keys(self) -> list[Key]:
        """The models that this one inherits from."""
        return [resolve(base, self.app_label, self.name) for base in self.bases if isinstance(base, str)]

    def get_field(self, field_name: str) -> Any:
        """The field of this name (``_order`` means the one that it orders by).

        Raises ``FieldDoesNotExist`` with the nearest one.
        """
        if field_name == ORDER:
            field_name = self.options.get("order_with_respect_to") or field_name
        if field_name not in self.fields:
            raise FieldDoesNotExist(unknown_name("field", field_name, self.label, self.fields))
        return self.fields[field_name]

    def get_index_by_name(self, name: str) -> Any:
        """The index of this name. Raises ``ValueError`` with the nearest one."""
        return self._by_name("index", self.options["indexes"], name)

    def get_constraint_by_name(self, name: str) -> Any:
        """The constraint of this name. Raises ``ValueError`` with the nearest one."""
        return self._by_name("constraint", self.options["constraints"], name)

    def _by_name(self, kind: str, things: Iterable[Any], name: str) -> Any:
        known = {thing.name: thing for thing in things}
        if name not in known:
            raise ValueError(unknown_name(kind, name, self.label, known))
        return known[name]

    def clone(self) -> Self:
        """A copy with dicts and lists of its own."""
        found = copy.copy(self)
        found.fields, found.options, found.managers = dict(self.fields), dict(self.options), list(self.managers)
        return found

    def key_names(self) -> set[str]:
        """The names of the fields without which the model has no key: more than one where that is composite."""
        keys = [field for field in self.fields.values() if field.primary_key]
        found = {name for name, field in self.fields.items() if field.primary_key}
        waiting = [name for field in keys for name in (*getattr(field, "field_names", ()), *_columns(field))]
        while waiting:
            name = waiting.pop()
            name = name if name in self.fields else name.removesuffix("_id")
            if name in self.fields and name not in found:
                found.add(name)
                waiting += _columns(self.fields[name])
        return found

    def with_keys_alone(self, names: Iterable[str]) -> Self:
        """A copy with nothing but the primary key and the fields of ``names``: what tables that refer to it need."""
        found = self.clone()
        kept_names = self.key_names() | set(names)
        found.fields = {name: field for name, field in self.fields.items() if name in kept_names}
        kept = {name: value for name, value in self.options.items() if name in TABLE_OPTIONS}
        found.options = {**kept, "indexes": [], "constraints": []}
        found.managers = []
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ModelState):
            return NotImplemented
        return (
            self.key == other.key
            and [(n, f.deconstruct()[1:]) for n, f in self.fields.items()]
            == [(n, f.deconstruct()[1:]) for n, f in other.fields.items()]
            and self.options == other.options
            and self.bases == other.bases
            and self.managers == other.managers
        )

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return f"<ModelState: {self.label!r}>"

    # -- from a class and back -----------------------------------------------------------------------------------------

    @classmethod
    def from_model(cls, model: Any, exclude_rels: bool = False) -> Self:
        """The state of a model class; without its relations where ``exclude_rels`` says so."""
        meta = model._meta
        fields: dict[str, Any] = {}
        keys = [field for field in meta.private_fields if field is meta.pk]
        for field in [*keys, *meta.local_fields, *meta.local_many_to_many]:
            if (field.name == ORDER and meta.order_with_respect_to) or field.key_field is not field:
                continue
            if not (exclude_rels and field.is_relation):
                fields[field.name] = _unbound(field)
        options = {
            name: _option(meta, name)
            for name in META_NAMES
            if name not in NOT_KEPT and name in meta.original_attrs
            and not (exclude_rels and name in ("unique_together", "order_with_respect_to", "index_together"))
        }  # fmt: skip
        return cls(meta.app_label, meta.object_name, fields, options, _bases(model), list(_managers(model)))

    def render(self, apps: Any) -> Any:
        """Make the model's class in ``apps``, where the models that it inherits from are already."""
        meta = type("Meta", (), {**self.options, "app_label": self.app_label, "apps": apps})
        bases = tuple(apps.get_model(*self._split(base)) if isinstance(base, str) else base for base in self.bases)
        body: dict[str, Any] = {name: field.clone() for name, field in self.fields.items()}
        body.update({name: _new_manager(manager) for name, manager in self.managers})
        body.update({"Meta": meta, "__module__": "__fake__"})
        return type(self.name, bases, body)

    def _split(self, base: str) -> Key:
        return resolve(base, self.app_label, self.name)


def _columns(field: Any) -> tuple[str, ...]:
    """The names of the columns of a foreign key of several; some may be other fields."""
    return tuple(getattr(field, "columns", ()))


def _unbound(field: Any) -> Any:
    found = field.clone()
    through = getattr(found, "through", None)
    if through is not None and not isinstance(through, str):
        found.through = None if is_made(through) else through._meta.label
    return found


def _option(meta: Any, name: str) -> Any:
    if name in ("unique_together", "index_together"):
        return together(getattr(meta, name))
    if name in ("indexes", "constraints"):
        return [thing.clone() for thing in getattr(meta, name)]
    return meta.original_attrs[name]


def _bases(model: Any) -> tuple[Any, ...]:
    """What the model inherits from: models by name, abstract ones replaced by what they inherit from."""
    order = list(model.__mro__)
    flat = sorted(set(_flat(model)), key=order.index)
    bases = tuple(base._meta.label_lower if hasattr(base, "_meta") else base for base in flat)
    is_model = any(isinstance(base, str) or issubclass(base, Model) for base in bases)
    return bases if is_model else (Model,)


def _flat(model: Any) -> Iterator[Any]:
    for base in model.__bases__:
        meta = base.__dict__.get("_meta")
        if meta is not None and meta.abstract:
            yield from _flat(base)
        else:
            yield base


def _managers(model: Any) -> Iterator[tuple[str, Any]]:
    """The managers that migrations may use, and a plain one in the place of a default manager that they may not."""
    meta = model._meta
    found: list[tuple[str, Any]] = []
    plain = None
    for manager in meta.managers:
        if manager.use_in_migrations:
            found.append((manager.name, _new_manager(manager)))
        elif manager is meta.base_manager or manager is meta.default_manager:
            plain = Manager()
            found.append((manager.name, plain))
    if not (len(found) == 1 and found[0] == ("objects", plain)):
        yield from found


def _new_manager(manager: Any) -> Any:
    """A manager like this one, of no model yet."""
    as_manager, _, queryset_path, args, kwargs = manager.deconstruct()
    if as_manager or queryset_path:
        return manager._queryset_class.as_manager()
    return type(manager)(*args, **kwargs)
