"""The keyword options of fields, as type checkers see them.

``T`` is the type of the field's values: ``FieldOptions[str]`` asks for a default that is a string.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, TypedDict, TypeVar

from crowsfoot.models.constants import Deferrable
from crowsfoot.schema.relation import OnDelete

T = TypeVar("T")


class FieldOptions(TypedDict, Generic[T], total=False):
    """What every field takes."""

    primary_key: bool
    unique: bool
    blank: bool
    db_index: bool
    default: T | Callable[[], T]
    db_default: Any
    editable: bool
    serialize: bool
    unique_for_date: str | None
    unique_for_month: str | None
    unique_for_year: str | None
    choices: Any
    help_text: str
    db_column: str | None
    db_comment: str | None
    db_tablespace: str | None
    auto_created: bool
    validators: Sequence[Callable[[Any], None]]
    error_messages: dict[str, str] | None


class TextOptions(FieldOptions[T], Generic[T], total=False):
    """What fields of character strings take besides."""

    max_length: int | None
    db_collation: str | None


class SlugOptions(TextOptions[T], Generic[T], total=False):
    """What ``SlugField`` takes besides."""

    allow_unicode: bool


class BinaryOptions(FieldOptions[T], Generic[T], total=False):
    """What ``BinaryField`` takes besides."""

    max_length: int | None


class FileOptions(FieldOptions[str], total=False):
    """What ``FileField`` and ``ImageField`` take besides."""

    max_length: int | None


class PathOptions(FieldOptions[T], Generic[T], total=False):
    """What ``FilePathField`` takes besides."""

    max_length: int | None


class RelationOptions(FieldOptions[Any], total=False):
    """What the fields of relations take besides."""

    verbose_name: str | None
    name: str | None
    related_name: str | None
    related_query_name: str | None
    limit_choices_to: Any


class KeyOptions(RelationOptions, total=False):
    """What ``ForeignKey`` and ``OneToOneField`` take besides."""

    parent_link: bool
    to_field: str | None
    db_constraint: bool
    columns: Sequence[str]
    on_update: OnDelete | None
    deferrable: Deferrable | None
    constraint_name: str | None
    delete_orphan: bool


class LinkOptions(RelationOptions, total=False):
    """What ``ManyToManyField`` takes besides."""

    symmetrical: bool | None
    through: Any
    through_fields: tuple[str, str] | None
    db_constraint: bool
    db_table: str | None
    swappable: bool
    null: bool


class ComputedOptions(TypedDict, total=False):
    """What ``GeneratedField`` takes besides its expression."""

    name: str | None
    primary_key: bool
    unique: bool
    blank: Literal[True]
    null: bool
    db_index: bool
    editable: Literal[False]
    serialize: bool
    unique_for_date: str | None
    unique_for_month: str | None
    unique_for_year: str | None
    choices: Any
    help_text: str
    db_column: str | None
    db_comment: str | None
    db_tablespace: str | None
    auto_created: bool
    validators: Sequence[Callable[[Any], None]]
    error_messages: dict[str, str] | None
