"""Validation of instances: `full_clean` and its parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crowsfoot.errors import NON_FIELD_ERRORS, ValidationError
from crowsfoot.models.fields.base import DatabaseDefault


class Validation:
    """The validation half of `Model`."""

    def full_clean(
        self: Any, exclude: Iterable[str] | None = None, validate_unique: bool = True, validate_constraints: bool = True
    ) -> None:
        """Validate the fields, the instance, its unique values and its constraints; raises one ``ValidationError``.

        One query for each unique rule.
        """
        errors: dict[str, Any] = {}
        excluded = set(exclude or ())
        for step in (lambda: self.clean_fields(exclude=excluded), self.clean):
            try:
                step()
            except ValidationError as error:
                errors = error.update_error_dict(errors)
        checks = [(validate_unique, self.validate_unique), (validate_constraints, self.validate_constraints)]
        for wanted, check in checks:
            if wanted:
                excluded |= {name for name in errors if name != NON_FIELD_ERRORS}
                try:
                    check(exclude=excluded)
                except ValidationError as error:
                    errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def clean(self: Any) -> None:
        """For the model's author: checks over several fields; raise ``ValidationError``."""

    def clean_fields(self: Any, exclude: Iterable[str] | None = None) -> None:
        """Validate each field alone, and set it to the cleaned value."""
        errors: dict[str, Any] = {}
        excluded = set(exclude or ())
        for field in self._meta.fields:
            if field.name in excluded or field.generated:
                continue
            if field.is_relation and not field.concrete and not field.sets_columns:
                continue  # a ForeignObject: its fields are cleaned, each by itself
            raw = getattr(self, field.attname)
            if hasattr(raw, "resolve_expression") or type(raw).__name__ == "DatabaseDefault":
                continue
            if field.blank and raw in field.empty_values:
                continue
            try:
                setattr(self, field.attname, field.clean(raw, self))
            except ValidationError as error:
                errors[field.name] = error.error_list
        if errors:
            raise ValidationError(errors)

    def validate_unique(self: Any, exclude: Iterable[str] | None = None) -> None:
        """Look for rows that have the same unique values. One query for each rule."""
        errors: dict[str, list[Any]] = {}
        for model, names in self._unique_sets(set(exclude or ())):
            if self._has_twin(model, names):
                key = names[0] if len(names) == 1 else NON_FIELD_ERRORS
                errors.setdefault(key, []).append(self.unique_error_message(model, names))
        for name, error in self._unique_for_dates(set(exclude or ())):
            errors.setdefault(name, []).append(error)
        if errors:
            raise ValidationError(errors)

    def _unique_sets(self: Any, excluded: set[str]) -> list[tuple[Any, tuple[str, ...]]]:
        found: list[tuple[Any, tuple[str, ...]]] = []
        for model in [type(self), *self._meta.all_parents]:
            found += [(model, tuple(names)) for names in model._meta.unique_together if not excluded & set(names)]
            key = tuple(field.name for field in model._meta.pk_fields)
            if len(key) > 1 and not excluded & set(key):
                found.append((model, key))
            single = [field.name for field in model._meta.local_concrete_fields if field.unique]
            found += [(model, (name,)) for name in single if name not in excluded]
        return found

    def _has_twin(self: Any, model: Any, names: tuple[str, ...]) -> bool:
        conditions: dict[str, Any] = {}
        for name in names:
            field = self._meta.get_field(name)
            value = getattr(self, field.attname)
            if isinstance(value, DatabaseDefault):
                value = value.expression
            if value is None:
                return False
            if field.in_key and not self._state.adding:
                continue
            conditions[field.name if not field.is_relation else field.attname] = value
        if len(conditions) != len(names):
            return False
        rows = model._base_manager.filter(**conditions)
        if not self._state.adding and self._is_pk_set():
            rows = rows.exclude(pk=self.pk)
        return bool(rows.exists())

    def _unique_for_dates(self: Any, excluded: set[str]) -> Iterable[tuple[str, ValidationError]]:
        for field in self._meta.fields:
            options = {"date": field.unique_for_date, "year": field.unique_for_year, "month": field.unique_for_month}
            for part, option in options.items():
                if not option or field.name in excluded or option in excluded:
                    continue
                day = getattr(self, option)
                if day is None:
                    continue
                conditions = {field.name: getattr(self, field.attname)}
                parts = ("day", "month", "year") if part == "date" else (part,)
                conditions.update({f"{option}__{p}": getattr(day, p) for p in parts})
                rows = type(self)._base_manager.filter(**conditions)
                if not self._state.adding and self.pk is not None:
                    rows = rows.exclude(pk=self.pk)
                if rows.exists():
                    yield field.name, self.date_error_message(part, field.name, option)

    def date_error_message(self: Any, lookup_type: str, field_name: str, unique_for: str) -> ValidationError:
        meta = self._meta
        field = meta.get_field(field_name)
        return ValidationError(
            field.error_messages["unique_for_date"],
            code="unique_for_date",
            params={
                "model": self,
                "model_name": _first_upper(meta.verbose_name),
                "lookup_type": lookup_type,
                "field": field_name,
                "field_label": _first_upper(field.verbose_name),
                "date_field": unique_for,
                "date_field_label": _first_upper(meta.get_field(unique_for).verbose_name),
            },
        )

    def unique_error_message(self: Any, model_class: Any, unique_check: tuple[str, ...]) -> ValidationError:
        meta = model_class._meta
        params: dict[str, Any] = {
            "model": self, "model_class": model_class, "model_name": _first_upper(meta.verbose_name),
            "unique_check": unique_check,
        }  # fmt: skip
        if len(unique_check) == 1:
            field = meta.get_field(unique_check[0])
            params["field_label"] = _first_upper(field.verbose_name)
            return ValidationError(field.error_messages["unique"], code="unique", params=params)
        labels = [_first_upper(meta.get_field(name).verbose_name) for name in unique_check]
        params["field_labels"] = labels[0] if len(labels) == 1 else ", ".join(labels[:-1]) + f" and {labels[-1]}"
        return ValidationError(
            "%(model_name)s with this %(field_labels)s already exists.", code="unique_together", params=params
        )

    def validate_constraints(self: Any, exclude: Iterable[str] | None = None) -> None:
        """Check ``Meta.constraints`` against this instance and the rows that are there."""
        errors: dict[str, Any] = {}
        using = self._state.db
        for model in [type(self), *self._meta.all_parents]:
            for constraint in model._meta.constraints:
                try:
                    constraint.validate(model, self, exclude=set(exclude or ()), using=using or "default")
                except ValidationError as error:
                    names: tuple[str, ...] = getattr(constraint, "fields", ())
                    if getattr(error, "code", None) == "unique" and len(names) == 1:
                        errors.setdefault(names[0], []).append(error)
                    else:
                        errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def get_constraints(self: Any) -> list[tuple[Any, list[Any]]]:
        return [(m, m._meta.constraints) for m in [type(self), *self._meta.all_parents] if m._meta.constraints]


def _first_upper(text: Any) -> str:
    text = str(text)
    return text[:1].upper() + text[1:]
