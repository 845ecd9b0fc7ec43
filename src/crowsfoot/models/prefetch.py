"""`prefetch_related`: relations loaded level by level, one query for each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from inspect import getattr_static
from typing import Any

from crowsfoot.database import databases
from crowsfoot.drivers.run import Operation
from crowsfoot.errors import FieldDoesNotExist, unknown_name
from crowsfoot.models import routing
from crowsfoot.models.related_rows import (
    NOT_LOADED,
    base_queryset,
    end_of,
    held_in,
    load_to_many,
    load_to_one,
    parts,
    reader,
    rows_of,
    way_back,
)
from crowsfoot.persistence.session import Session
from crowsfoot.query.expressions import name_of
from crowsfoot.query.related_values import is_a

SEPARATOR = "__"
# Relations that were found missing by a prefetch whose queryset left the related row out, and the keys they had then.
ABSENT = "_absent"


class Prefetch:
    """A relation to prefetch: ``queryset`` says which rows and how, ``to_attr`` puts them into a list of that name.

    A sliced queryset is sliced for each owner. Raises ``ValueError`` for a queryset that does not make instances.
    """

    def __init__(self, lookup: Any, queryset: Any = None, to_attr: str | None = None) -> None:
        if queryset is not None and getattr(queryset.query, "rows", None) != "model":
            raise ValueError("Prefetch querysets cannot use raw(), values(), and values_list().")
        lookup = name_of(lookup)
        self.prefetch_through = lookup
        self.prefetch_to = lookup
        self.queryset = queryset
        self.to_attr = to_attr
        if to_attr:
            self.prefetch_to = SEPARATOR.join([*lookup.split(SEPARATOR)[:-1], to_attr])

    @property
    def given_querysets(self) -> Sequence[Any]:
        """The querysets that were given: one, or none."""
        return () if self.queryset is None else (self.queryset,)

    def add_prefix(self, prefix: str) -> None:
        self.prefetch_to = prefix + SEPARATOR + self.prefetch_to
        self.prefetch_through = prefix + SEPARATOR + self.prefetch_through

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Prefetch):
            return NotImplemented
        return self.prefetch_to == other.prefetch_to

    def __hash__(self) -> int:
        return hash((type(self), self.prefetch_to))

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if state["queryset"] is not None:
            state["queryset"] = state["queryset"].unread()
        return state


def prefetch_related_objects(model_instances: Iterable[Any], *related_lookups: str | Prefetch) -> None:
    """``prefetch_related()`` for instances that are here already: one query for each step that is not loaded yet.

    Raises ``AttributeError`` for a name that is no attribute and ``ValueError`` for one that is no relation.
    """
    instances = list(model_instances)
    if instances:
        databases[_alias_of(instances)].run(prefetch, instances, related_lookups)


async def aprefetch_related_objects(model_instances: Iterable[Any], *related_lookups: str | Prefetch) -> None:
    instances = list(model_instances)
    if instances:
        await databases[_alias_of(instances)].arun(prefetch, instances, related_lookups)


def _alias_of(instances: list[Any]) -> str:
    return routing.read(type(instances[0]), {"instance": instances[0]})


def prefetch(session: Session, instances: list[Any], lookups: Iterable[Any]) -> Operation[None]:
    """Load every relation named by ``lookups``, level by level: one query for each step that is not loaded yet.

    Raises ``AttributeError`` for a name that is no attribute and ``ValueError`` for one that is no relation.
    """
    done: dict[str, Reached] = {}
    # Relations whose default manager's own prefetches were taken up: once each, as they may lead round in a circle.
    followed: set[Any] = set()
    pending = list(reversed([as_prefetch(lookup) for lookup in lookups]))
    while pending:
        lookup = pending.pop()
        if lookup.prefetch_to in done:
            if lookup.queryset is not None:
                raise ValueError(
                    f"'{lookup.prefetch_to}' lookup was already seen with a different queryset. "
                    "You may need to adjust the ordering of your lookups."
                )
            continue
        through = lookup.prefetch_through.split(SEPARATOR)
        target = lookup.prefetch_to.split(SEPARATOR)
        for level, name in enumerate(through):
            path = SEPARATOR.join(target[: level + 1])
            if path in done:
                continue
            current = done[SEPARATOR.join(target[:level])].rows() if level else instances
            if not current:
                break
            last = level == len(through) - 1
            done[path], more = yield from _level(session, current, name, lookup, last, followed)
            for inner in reversed(more):
                nested = as_prefetch(inner)
                nested.add_prefix(path)
                pending.append(nested)


class Reached:
    """The rows that a step led to. They are collected when a further step asks for them, and once."""

    def __init__(self, collect: Callable[[], list[Any]]) -> None:
        self._collect = collect
        self._rows: list[Any] | None = None

    def rows(self) -> list[Any]:
        if self._rows is None:
            self._rows = self._collect()
        return self._rows


def as_prefetch(lookup: Any) -> Prefetch:
    """A name, or a ``Prefetch``, as a ``Prefetch`` of its own."""
    if not isinstance(lookup, Prefetch):
        return Prefetch(lookup)
    found = Prefetch.__new__(type(lookup))
    found.__dict__.update(lookup.__dict__)
    return found


def _level(
    session: Session, instances: list[Any], name: str, lookup: Prefetch, last: bool, followed: set[Any]
) -> Operation[tuple[Reached, Sequence[Any]]]:
    """One step of one look-up. Returns what it leads to, and the look-ups of the queryset that it used."""
    groups = _asked_together(instances, name)
    if len(groups) > 1:  # as a generic foreign key leads to
        found: list[Reached] = []
        nested: list[Any] = []
        for alike in groups:
            reached, inner = yield from _level(session, alike, name, lookup, last, followed)
            found.append(reached)
            nested += inner
        return Reached(lambda: [row for reached in found for row in reached.rows()]), nested
    first = instances[0]
    end = end_of(first, name)
    if end is None:
        return (yield from _by_attribute(session, instances, name, lookup, last))
    given = lookup.queryset if last else None
    if given is not None:
        _check_model(lookup, end, given)
    to_attr = lookup.to_attr if last else None
    if to_attr:
        for kind in dict.fromkeys(map(type, instances)):
            _check_to_attr(kind, to_attr)
    lacking = _lacking(instances, end, to_attr)
    more: Sequence[Any] = ()
    if lacking:
        queryset = given if given is not None else base_queryset(first, end, session.alias)
        if queryset._prefetch:
            more = queryset._prefetch if given is not None or end not in followed else ()
            followed.add(end)
            queryset = queryset._clone()
            queryset._prefetch = ()
        back = way_back(end)
        if any(as_prefetch(inner).prefetch_to.split(SEPARATOR)[0] == end.inverse.accessor for inner in more):
            back = None  # the rows are told by a look-up of their own, which may want other columns
        load = load_to_many if end.is_collection else load_to_one
        if len(set(map(type, lacking))) > 1:
            load = end.field.load_together
        for followed_end, members, rows in parts(end, lacking, queryset):
            yield from load(session, followed_end, members, rows, to_attr, back)
        if given is not None and not end.is_collection and not to_attr:
            _remember_absent(end, lacking)
    return Reached(lambda: _reached(instances, end, to_attr)), more


def _asked_together(instances: list[Any], name: str) -> list[list[Any]]:
    """The instances by what loads ``name`` for them: those of one model, or of models whose relations have one target
    and say so (``shared_rows``)."""
    kinds = dict.fromkeys(map(type, instances))
    if len(kinds) == 1:
        return [instances]
    groups: dict[Any, list[Any]] = {}
    for instance in instances:
        end = end_of(instance, name)
        shared = getattr(end.field, "shared_rows", None) if end is not None and end.is_forward else None
        groups.setdefault(shared or type(instance), []).append(instance)
    return list(groups.values())


def _check_model(lookup: Prefetch, end: Any, queryset: Any) -> None:
    """Raise ``ValueError`` for a queryset whose rows are no rows of the model that the relation leads to."""
    if not is_a(queryset._query.entity, end.target):
        raise ValueError(
            f"Prefetch({lookup.prefetch_through!r}) takes a QuerySet for {end.target.label}, which "
            f"{end.owner.label}.{end.accessor} leads to, not one for {queryset._query.entity.label}."
        )


def _check_to_attr(model: Any, to_attr: str) -> None:
    try:
        model._meta.get_field(to_attr)
    except FieldDoesNotExist:
        return
    raise ValueError(f"to_attr={to_attr} conflicts with a field on the {model._meta.object_name} model.")


def _lacking(instances: list[Any], end: Any, to_attr: str | None) -> list[Any]:
    """The instances on which the relation is not loaded yet."""
    name = end.accessor
    if to_attr:
        return [instance for instance in instances if to_attr not in instance.__dict__]
    if end.is_collection:
        slot = end.slot
        return [instance for instance in instances if held_in(instance, slot) is NOT_LOADED]
    return [instance for instance in instances if not getattr_static(type(instance), name).is_cached(instance)]


def _remember_absent(end: Any, instances: Iterable[Any]) -> None:
    """A related row that the prefetch's queryset left out is not asked for again."""
    key_of = reader(end.anchors)
    for instance in instances:
        if instance.__dict__[end.slot] is None:
            instance.__dict__.setdefault(ABSENT, {})[end.accessor] = key_of(instance)


def _reached(instances: list[Any], end: Any, to_attr: str | None) -> list[Any]:
    """The related rows that are on the instances now, each once where several share it."""
    found: list[Any]
    if not end.is_collection:
        name = to_attr or end.slot
        found = [instance.__dict__.get(name) for instance in instances]
    elif to_attr:
        found = [row for instance in instances for row in instance.__dict__[to_attr]]
    else:
        slot = end.slot
        found = [row for instance in instances for row in rows_of(held_in(instance, slot))]
    return list({id(row): row for row in found if row is not None}.values())


def _by_attribute(
    session: Session, instances: list[Any], name: str, lookup: Prefetch, last: bool
) -> Operation[tuple[Reached, Sequence[Any]]]:
    """A name that is no relation: a descriptor that can prefetch itself, or what an earlier look-up put there."""
    first = instances[0]
    special = getattr(type(first), "_prefetchers", {}).get(name)
    if special is not None:
        rows, more = yield from special(session, instances, lookup, last)
        return Reached(lambda: rows), more
    if not hasattr(first, name):
        names = [f.name for f in first._meta.get_fields()]
        raise AttributeError(
            f"Cannot find '{name}' on {first._meta.object_name} object, '{lookup.prefetch_through}' is an invalid "
            f"parameter to prefetch_related(). {unknown_name('relation', name, first._meta.label, names)}"
        )
    if last and not isinstance(getattr(first, name), list):
        raise ValueError(
            f"'{lookup.prefetch_through}' does not resolve to an item that supports prefetching - this is an invalid "
            "parameter to prefetch_related()."
        )
    found: list[Any] = []
    for instance in instances:
        value = getattr(instance, name)
        if isinstance(value, list):
            found += value
        elif value is not None:
            found.append(value)
    return Reached(lambda: found), ()
    yield
