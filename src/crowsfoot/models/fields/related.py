"""`RelatedField`: what `ForeignKey`, `OneToOneField` and `ManyToManyField` share.

Each is a declaration for the registry: it waits until its target is known, then makes its key column and one
`Relation`, from which everything else is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Self, TypeVar

from crowsfoot.conf import SettingsReference
from crowsfoot.enums import BLANK_CHOICE_DASH
from crowsfoot.models.fields.base import Field
from crowsfoot.models.rels import LoadedRelation, PathInfo, choices_among
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.registry import is_complete
from crowsfoot.schema.relation import Relation

T = TypeVar("T")
RECURSIVE = "self"


class RelatedField(LoadedRelation, Field[T]):
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
        if not isinstance(to, str) and not hasattr(to, "_meta"):
            kind = type(self).__name__
            raise TypeError(
                f"{kind}({to!r}) is invalid. First parameter to {kind} must be either a model, a model name, or the "
                f"string {RECURSIVE!r}"
            )
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
        return self.model._meta.entity

    @property
    def target_label(self) -> str:
        """``app.model`` of the target, whether it was given as a class, ``"Model"``, ``"app.Model"`` or ``"self"``."""
        if not isinstance(self.to, str):
            label: str = self.to._meta.label_lower
            return label
        if self.to == RECURSIVE:
            return str(self.model._meta.label_lower)
        if "." in self.to:
            return self.model._meta.apps.swapped(self.to).lower()
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

    @property
    def may_wait(self) -> bool:
        return False

    def unready(self, target: Entity) -> str:
        return f"{self.described} points at {target.label}, whose key depends on it in turn."

    def problems(self) -> Iterable[str]:
        yield from self.check()
        name = self._related_name
        if (
            name is not None
            and not name.endswith("+")
            and not name.format_map(_Blank())
            .replace("%(class)s", "x")
            .replace("%(app_label)s", "x")
            .replace("%(model_name)s", "x")
            .isidentifier()
        ):
            yield (
                f"{self}: related_name={name!r} is not a name that Python can use. "
                "Write a plain name, or '+' for no way back."
            )

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
        """The name of the way back in look-ups, as it was declared: ``"+"`` where there is none."""
        meta = self.model._meta
        if self._related_query_name:
            return self._related_query_name % {"class": meta.model_name, "app_label": meta.app_label.lower()}
        return self.related_name or str(meta.model_name)

    @property
    def end_name(self) -> str:
        """The name of the way back among the target's ends, where no two hidden ones are alike."""
        name = self.related_query_name()
        meta = self.model._meta
        return f"{meta.app_label}_{meta.model_name}_{self.name}+" if name.endswith("+") else name

    def get_forward_related_filter(self, obj: Any) -> dict[str, Any]:
        """The look-ups for the rows that point at ``obj`` by this field."""
        return {self.name: obj}

    def get_limit_choices_to(self) -> Any:
        return self.limit_choices_to() if callable(self.limit_choices_to) else self.limit_choices_to

    def get_choices(
        self, include_blank: bool = True, blank_choice: Any = BLANK_CHOICE_DASH, **options: Any
    ) -> list[Any]:
        """The related rows as ``(key, text)`` pairs. One query."""
        limit = options.get("limit_choices_to") or self.get_limit_choices_to()
        key = self.remote_field.get_related_field().attname
        found = choices_among(self.related_model, key, limit, options.get("ordering"))
        return [*(blank_choice if include_blank else []), *found]

    # -- the Django face -----------------------------------------------------------------------------------------------

    @property
    def related_model(self) -> Any:
        self.model._meta.apps.link()
        if self.relation is not None:
            return self.relation.forward.target.model
        return self.to

    @property
    def remote_field(self) -> Any:
        return self._rel

    @remote_field.setter
    def remote_field(self, value: Any) -> None:
        self._rel = value

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        self.remote_field = self.rel_class(self)
        super().contribute_to_class(cls, name, private_only)

    rel_class: Any = None

    @property
    def end(self) -> Any:
        """The relation as it is seen from this model; ``AttributeError`` while the target is not known."""
        return self.relation.forward  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]

    @property
    def cache_name(self) -> str:
        return self.name

    def get_path_info(self, filtered_relation: Any = None) -> list[PathInfo]:
        """The steps from this model to the target."""
        raise NotImplementedError

    def get_reverse_path_info(self, filtered_relation: Any = None) -> list[PathInfo]:
        """The steps from the target to this model."""
        raise NotImplementedError

    @cached_property
    def path_infos(self) -> list[PathInfo]:
        return self.get_path_info()

    @cached_property
    def reverse_path_infos(self) -> list[PathInfo]:
        return self.get_reverse_path_info()

    def __copy__(self) -> Self:
        found = super().__copy__()
        found.__dict__.pop("path_infos", None)
        found.__dict__.pop("reverse_path_infos", None)
        return found

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
        """The target in migrations: a model that a setting names is written as that setting."""
        if isinstance(self.to, SettingsReference):
            return self.to
        if not hasattr(self, "model") and isinstance(self.to, str):
            return self.to.lower() if "." in self.to else self.to
        label = self.target_label if isinstance(self.to, str) else str(self.to._meta.label_lower)
        setting = self.model._meta.apps.swappable_setting(label) if hasattr(self, "model") else None
        return label if setting is None else SettingsReference(label, setting)


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""
