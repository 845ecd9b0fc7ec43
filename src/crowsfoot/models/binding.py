"""How values get from instances into the parameters of a statement: functions that are generated for its columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from inspect import getattr_static
from typing import Any, NamedTuple

from crowsfoot.models.deferred import DeferredAttribute
from crowsfoot.models.fields.base import DatabaseDefault, Field
from crowsfoot.schema.entity import Attribute
from crowsfoot.schema.types import Boolean, Float, Integer, Text
from crowsfoot.sql.dialect import Dialect


class Unplanned(Exception):
    """An instance holds what a plan has no place for. Nothing was sent yet."""


# Types of which an instance of the Python class is bound as it is, unless a field says otherwise.
PLAIN = {Integer: "int", Text: "str", Float: "float", Boolean: "bool"}
OWN = "crowsfoot.models.fields."


class Column(NamedTuple):
    """One column that is written: its field, its attribute, and how a value given for it is prepared."""

    field: Any
    attribute: Attribute
    prepare: Callable[[Any], Any]
    is_hooked: bool = True

    def prepared(self, value: Any) -> Any:
        """The value as it is bound. Raises ``Unplanned`` for what is no value of Python's."""
        if isinstance(value, DatabaseDefault) or hasattr(value, "resolve_expression"):
            raise Unplanned
        return self.prepare(value)


def make_bind(model: Any, dialect: Dialect, columns: Sequence[Column], add: bool) -> Any:
    """``bind(held, instance)``: the parameters of a statement that writes these columns.

    ``held`` is the instance's dict. Raises ``Unplanned``, and ``KeyError`` where a value is not loaded.
    """
    scope: dict[str, Any] = {}
    lines = _value_lines(model, dialect, columns, add, "held[{!r}]", scope)
    values = "".join(f"v{number}, " for number in range(len(columns)))
    return _function("bind(held, o)", [*lines, f"return ({values})"], scope)


def make_bind_all(model: Any, dialect: Dialect, columns: Sequence[Column], add: bool, refused: str) -> Any:
    """``bind_all(instances)``: the values of many instances, row after row in one list; where the dialect takes arrays,
    as many lists as columns.

    Raises ``Unplanned``, also where the condition ``refused`` holds for an instance ``o``.
    """
    scope: dict[str, Any] = {"model": model, "Unplanned": Unplanned}
    lines = _value_lines(model, dialect, columns, add, "o.{}", scope)
    check = f"if type(o) is not model or {refused}: raise Unplanned"
    if dialect.key_is_rowid:
        starts, result = ["values = []", "add = values.extend"], "values"
        lines.append(f"add(({''.join(f'v{number}, ' for number in range(len(columns)))}))")
    else:
        starts = [f"c{number} = []" for number in range(len(columns))]
        lines += [f"c{number}.append(v{number})" for number in range(len(columns))]
        result = f"[{', '.join(f'c{number}' for number in range(len(columns)))}]"
    body = [f"    {line}" for line in (check, *lines)]
    return _function("bind_all(instances)", [*starts, "for o in instances:", *body, f"return {result}"], scope)


def _function(head: str, lines: Sequence[str], scope: dict[str, Any]) -> Any:
    exec("\n".join([f"def {head}:", *[f"    {line}" for line in lines]]), scope)
    return scope[head.partition("(")[0]]


def _value_lines(
    model: Any, dialect: Dialect, columns: Sequence[Column], add: bool, source: str, scope: dict[str, Any]
) -> list[str]:
    """Lines that put what is bound for each column into ``v0``, ``v1``, …, from the instance ``o``."""
    lines: list[str] = []
    for number, column in enumerate(columns):
        field, value = column.field, f"v{number}"
        scope[f"p{number}"] = column.prepared
        hooked = _hook(model, field, add) if column.is_hooked else None
        if hooked is not None:  # after all others, which may turn out to be unplanned
            scope[f"h{number}"] = hooked
        found = source.format(field.attname) if hooked is None else f"h{number}(o)"
        kind = PLAIN.get(type(field.type)) if _is_plain(field) else None
        step = [f"{value} = {found}"]
        unless = f"if {value} is not None and type({value}) is not {kind}: " if kind else ""
        step.append(f"{unless}{value} = p{number}({value})")
        bind = dialect.binder(column.attribute.value_type)
        own = column.attribute.value_type.db_binder(dialect)  # type: ignore[attr-defined]  # pyright: ignore
        for binder, name in ((own, f"o{number}"), (bind, f"b{number}")):
            if binder is not None:
                scope[name] = binder
                step.append(f"if {value} is not None: {value} = {name}({value})")
        lines = [*lines, *step] if hooked is not None else [*step, *lines]
    return lines


def _hook(model: Any, field: Any, add: bool) -> Callable[[Any], Any] | None:
    """What gives the value to be saved, where it is not what the instance holds."""
    if type(field).pre_save is not Field.pre_save:
        quiet = type(field).pre_save.__module__ == f"{OWN}dates" and not (
            field.auto_now or (field.auto_now_add and add)
        )
        return None if quiet else partial(_before_save, field, add)
    described = getattr_static(model, field.attname, None)
    if described is None or type(described) is DeferredAttribute or not hasattr(type(described), "__get__"):
        return None
    return partial(_before_save, field, add)


def _before_save(field: Any, add: bool, instance: Any) -> Any:
    return field.pre_save(instance, add)


def _is_plain(field: Any) -> bool:
    """Whether nobody has a word in what is bound for a value that has the field's Python class already."""
    while field.is_relation and field.concrete:
        if not type(field).get_prep_value.__module__.startswith(OWN):
            return False
        field = field.target_field
    kind = type(field)
    methods = (kind.get_prep_value, kind.to_python, kind.prepare_update, kind.get_db_prep_value, kind.db_binder)
    return all(method.__module__.startswith(OWN) for method in methods)
