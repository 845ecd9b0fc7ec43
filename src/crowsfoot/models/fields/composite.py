"""`CompositePrimaryKey`: a primary key of several fields. Its value is the tuple of theirs; it has no column itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crowsfoot.errors import FieldDoesNotExist, unknown_name
from crowsfoot.models.fields.base import NOT_PROVIDED, Field

PK = "pk"


class CompositePrimaryKey(Field[tuple[Any, ...]]):
    """The fields of these names are the model's primary key together: ``pk = CompositePrimaryKey("tenant", "number")``.

    Raises ``ValueError`` for fewer than two names, and for options that a key of several columns cannot have.
    """

    concrete = False
    description = "A primary key of several fields"

    def __init__(self, *field_names: str, **options: Any) -> None:
        if not all(isinstance(name, str) for name in field_names) or len(set(field_names)) != len(field_names):
            raise ValueError("CompositePrimaryKey args must be unique strings.")
        if not field_names:
            raise ValueError("CompositePrimaryKey args must be unique strings. Name at least two fields.")
        if len(field_names) == 1:
            raise ValueError("CompositePrimaryKey must include at least two fields.")
        for option, refusal in REFUSED.items():
            given = options.get(option, FITTING[option])
            if given is not FITTING[option]:
                raise ValueError(f"CompositePrimaryKey {refusal}")
        options.update(primary_key=True, editable=False, blank=True)
        super().__init__(**options)
        self.field_names = field_names

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        if name != PK:
            raise ValueError("'CompositePrimaryKey' must be named pk.")
        super().contribute_to_class(cls, name, private_only=True)
        cls._meta.pk = self

    def get_attname_column(self) -> tuple[str, Any]:
        return self.name, None

    @property
    def parts(self) -> tuple[Field[Any], ...]:
        """The fields whose columns are the key, in order. Raises ``FieldDoesNotExist`` for a name that is no field."""
        return tuple(part for name in self.field_names for part in self._named(name).parts)

    def _named(self, name: str) -> Any:
        # By the fields alone: ways back are not known while models are still being made.
        fields = self.model._meta.fields
        for field in fields:
            if name in (field.name, field.attname):
                return field
        raise FieldDoesNotExist(unknown_name("field", name, self.model._meta.label, [field.name for field in fields]))

    def check(self, **kwargs: Any) -> list[str]:
        return list(self._problems())

    def _problems(self) -> Iterator[str]:
        seen: dict[str, str] = {}
        if any(field.primary_key for field in self.model._meta.fields):
            yield f"{self.model._meta.label}: The model cannot have more than one field with 'primary_key=True'."
        for name in self.field_names:
            try:
                field = self._named(name)
            except FieldDoesNotExist as error:
                yield f"{self}: {name!r} cannot be included in the composite primary key. {error}"
                continue
            for part in field.parts:
                what = f"{self}: {name!r} cannot be included in the composite primary key."
                if part.null:
                    yield f"{what} {name!r} field may not set 'null=True'."
                if part.generated:
                    yield f"{what} {name!r} field is a generated field."
                if part.attname in seen:
                    yield f"{what} {name!r} and {seen[part.attname]!r} are the same fields."
                seen.setdefault(part.attname, name)

    def prepare_for_save(self, instance: Any, operation: str) -> None:
        """Nothing to do: its fields are saved, each by itself."""

    def inherited_by(self, cls: Any) -> None:
        """A proxy has the key of the model it stands for; a model with a table of its own has its link to this one."""
        if cls._meta.proxy:
            cls._meta.private_fields.append(self)

    def make_column(self) -> Any:
        raise TypeError(f"{self} has no column: its fields have.")

    def get_default(self) -> Any:
        return tuple(field.get_default() for field in self.parts)

    def get_prep_value(self, value: Any) -> Any:
        return tuple(field.get_prep_value(item) for field, item in zip(self.parts, value, strict=True))

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, _, kwargs = super().deconstruct()
        return name, path, list(self.field_names), kwargs

    def clone(self) -> CompositePrimaryKey:
        return CompositePrimaryKey(*self.field_names)


REFUSED = {
    "default": "cannot have a default.",
    "db_default": "cannot have a database default.",
    "db_column": "cannot have a db_column.",
    "editable": "cannot be editable.",
    "primary_key": "must be a primary key.",
    "blank": "must be blank.",
}
FITTING: dict[str, Any] = {
    "default": NOT_PROVIDED, "db_default": NOT_PROVIDED, "db_column": None, "editable": False, "primary_key": True,
    "blank": True,
}  # fmt: skip
