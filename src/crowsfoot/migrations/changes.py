"""From two states to SQL: what an operation means for the tables.

An operation only says which models it changes and what is called something else afterwards. The tables of both states
are completed and compared; so the way back is the same comparison with the states exchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crowsfoot import timezones
from crowsfoot.migrations.state import ProjectState
from crowsfoot.migrations.utils import Key, is_made
from crowsfoot.models import routing
from crowsfoot.models.tables import complete
from crowsfoot.sql.ddl import Change, Schema, Statements

ORDER = "_order"


@dataclass(frozen=True, slots=True)
class ModelChange:
    """One model before and after; None where it is not there. ``fields`` are renamed fields, new names by old ones.

    ``referring`` says that other tables may have to follow. ``one_off`` is a field whose default is for the rows that
    are there and for nothing else, by its name.
    """

    before: Key | None
    after: Key | None
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    referring: bool = False
    one_off: tuple[str, Any] | None = None
    hints: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def reversed(self) -> ModelChange:
        """The way back."""
        back = {new: old for old, new in self.fields.items()}
        return replace(self, before=self.after, after=self.before, fields=back, one_off=None)


def statements(
    schema: Schema, alias: str, from_state: ProjectState, to_state: ProjectState, change: ModelChange
) -> Statements:
    """The statements that lead from one state's tables to the other's, in the database ``alias``.

    Raises ``ModelError`` for relations that lead nowhere, and ``ValueError`` for a field that becomes a many-to-many
    one or ceases to be one.
    """
    changes = [change, *_followers(from_state, to_state, change)]
    old_apps = from_state.rendered(c.before for c in changes if c.before is not None)
    new_apps = to_state.rendered(c.after for c in changes if c.after is not None)
    pairs: list[tuple[Any, Any, ModelChange]] = []
    for one in changes:
        old = None if one.before is None else old_apps.all_models[one.before[0]][one.before[1]]
        new = None if one.after is None else new_apps.all_models[one.after[0]][one.after[1]]
        if _is_migrated(new or old, alias, one.hints):
            pairs.append((old, new, one))
            pairs.extend(_links(old, new, one, alias))
    return _said(schema, pairs)


def _followers(from_state: ProjectState, to_state: ProjectState, change: ModelChange) -> Iterator[ModelChange]:
    """The models with columns that refer to the changed one."""
    if not change.referring or change.before is None or change.after is None:
        return
    for key in from_state.referring([change.before]):
        if key != change.before and key in to_state.models:
            yield ModelChange(key, key, hints=change.hints)


def _is_migrated(model: Any, alias: str, hints: Mapping[str, Any]) -> bool:
    """Whether a model has a table that migrations look after, in this database."""
    meta = model._meta
    if not meta.can_migrate(alias):
        return False
    return routing.allow_migrate(alias, meta.app_label, model_name=meta.model_name, **{**hints, "model": model})


def _links(old: Any, new: Any, change: ModelChange, alias: str) -> Iterator[tuple[Any, Any, ModelChange]]:
    """The link tables that were made for the model's many-to-many fields, before and after."""
    before, after = _made_links(old), _made_links(new)
    for name, link in before.items():
        found = after.pop(change.fields.get(name, name), None)
        columns: dict[str, str] = {}
        if found is None and new is not None:
            _refuse_other_kind(new, change.fields.get(name, name), link)
        if found is not None:
            fields = zip(link._meta.local_concrete_fields, found._meta.local_concrete_fields, strict=True)
            columns = {one.name: other.name for one, other in fields}
        yield link, found, ModelChange(None, None, columns)
    for name, link in after.items():
        if old is not None:
            back = {later: earlier for earlier, later in change.fields.items()}
            _refuse_other_kind(old, back.get(name, name), link)
        yield None, link, ModelChange(None, None)


def _made_links(model: Any) -> dict[str, Any]:
    fields = model._meta.local_many_to_many if model is not None else ()
    return {f.name: f.link_model for f in fields if f.link_model is not None and is_made(f.link_model)}


def _refuse_other_kind(model: Any, name: str, link: Any) -> None:
    """A column cannot become a link table, nor a link table somebody's through model."""
    known = {f.name: f for f in [*model._meta.local_fields, *model._meta.local_many_to_many]}
    if name in known:
        raise ValueError(
            f"{model._meta.label}.{name} cannot be altered between a ManyToManyField with a link table of its own "
            f"({link._meta.db_table}) and any other field: they are not compatible types (you cannot alter to or from "
            "M2M fields, or add or remove through= on M2M fields). Remove the field and add another."
        )


def _said(schema: Schema, pairs: list[tuple[Any, Any, ModelChange]]) -> Statements:
    gone = [complete(old) for old, new, _ in pairs if new is None]
    made = [complete(new) for old, new, _ in pairs if old is None]
    kept = [
        Change(complete(old), complete(new), _renamed_columns(old, new, change.fields), _fill(old, new, change))
        for old, new, change in pairs
        if old is not None and new is not None
    ]
    out = Statements()
    if gone:
        out.take(schema.drop_tables(gone))
    if kept:
        out.take(schema.alter(kept))
    if made:
        out.take(schema.create_tables(made))
    return out


def _counterparts(old: Any, new: Any, fields: Mapping[str, str]) -> Iterable[tuple[Any, Any]]:
    """Each column field of ``new`` and the one it was in ``old``, or None."""
    known = {_place(f, fields): f for f in old._meta.local_concrete_fields}
    return [(known.get(_place(f, {})), f) for f in new._meta.local_concrete_fields]


def _place(field: Any, fields: Mapping[str, str]) -> tuple[str, int | None]:
    """The field that a column belongs to, under its new name, and which one of several columns it is."""
    name = field.key_field.name
    return fields.get(name, name), None if field.key_field is field else field.place


def _renamed_columns(old: Any, new: Any, fields: Mapping[str, str]) -> dict[str, str]:
    pairs = _counterparts(old, new, fields)
    return {was.column: now.column for was, now in pairs if was is not None and was.column != now.column}


def _fill(old: Any, new: Any, change: ModelChange) -> dict[str, Any]:
    """Values for rows that are there: in columns that are new, and in those that may no longer be NULL."""
    found: dict[str, Any] = {}
    for was, now in _counterparts(old, new, change.fields):
        if now.generated or (was is not None and (now.null or not was.null)):
            continue
        given = now
        one_off = change.one_off is not None and change.one_off[0] == now.key_field.name
        if change.one_off is not None and one_off:
            given = change.one_off[1]
        value = effective_default(given, now)
        if one_off and now.key_field is not now and value is not None:
            value = value[now.place]
        if value is not None:
            found[now.column] = now.get_prep_value(value)
    return found


def effective_default(given: Any, bound: Any) -> Any:
    """What existing rows get for a field: its default, an empty string where that is allowed, or the current time.

    None where there is no such value, or where the database itself has one. ``given`` has the default, ``bound`` is the
    same field of a class.
    """
    if given.has_default():
        return given.default() if callable(given.default) else given.default
    if bound.has_db_default():
        return None
    if bound.name == ORDER:
        return 0
    if not bound.null and bound.blank and bound.empty_strings_allowed:
        return b"" if bound.get_internal_type() == "BinaryField" else ""
    if getattr(bound, "auto_now", False) or getattr(bound, "auto_now_add", False):
        return _current_time(bound.get_internal_type())
    return None


def _current_time(internal_type: str) -> Any:
    now = timezones.now()
    if internal_type == "DateTimeField":
        return now
    return now.date() if internal_type == "DateField" else now.time()


__all__ = ["ModelChange", "effective_default", "statements"]
