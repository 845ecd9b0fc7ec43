"""Loading what is related: `prefetch_related`, and the one operation that loads a relation for many instances at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from crowsfoot.drivers.run import Operation
from crowsfoot.errors import unknown_name
from crowsfoot.persistence.session import Session
from crowsfoot.query.lookups import In
from crowsfoot.query.resolved import Col, ColumnTuple, Param
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import Query

KEY = "_prefetch_related_val"
SEPARATOR = "__"


class Prefetch:
    """A relation to prefetch: ``queryset`` says which rows and how, ``to_attr`` puts them into a list of that name."""

    def __init__(self, lookup: str, queryset: Any = None, to_attr: str | None = None) -> None:
        if queryset is not None and queryset.query.rows != "model":
            raise ValueError("Prefetch querysets cannot use raw(), values(), and values_list().")
        self.prefetch_through = lookup
        self.prefetch_to = lookup
        self.queryset = queryset
        self.to_attr = to_attr
        if to_attr:
            self.prefetch_to = SEPARATOR.join([*lookup.split(SEPARATOR)[:-1], to_attr])

    def add_prefix(self, prefix: str) -> None:
        self.prefetch_to = prefix + SEPARATOR + self.prefetch_to
        self.prefetch_through = prefix + SEPARATOR + self.prefetch_through

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Prefetch) and self.prefetch_to == other.prefetch_to

    def __hash__(self) -> int:
        return hash((type(self), self.prefetch_to))

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if state["queryset"] is not None:
            queryset = state["queryset"]._clone()
            queryset._result_cache = []
            state["queryset"] = queryset
        return state


# -- one relation for many instances -----------------------------------------------------------------------------------


def children_of(session: Session, end: Any, instances: Sequence[Any], queryset: Any) -> Operation[dict[Any, list[Any]]]:
    """The rows that ``end`` leads to from ``instances``, by the key they belong to. One query."""
    owner = end.owner.attributes_of(end.local_columns)
    names = [attribute.name for attribute in owner]
    keys = _distinct(_key(instance, names) for instance in instances)
    if not keys:
        return {}
    asked, key_of = related_rows(end, owner, keys, queryset)
    rows = yield from asked._load(session)
    found: dict[Any, list[Any]] = {}
    for row in rows:
        found.setdefault(key_of(row), []).append(row)
    return found


def related_rows(end: Any, owner: Any, keys: list[Any], queryset: Any) -> tuple[Any, Callable[[Any], Any]]:
    """``queryset`` narrowed to the rows related to ``keys``, and how a row tells the key that it belongs to."""
    if end.holds_key or len(end.hops) == 1:
        attributes = end.target.attributes_of(end.remote_columns)
        names = [attribute.name for attribute in attributes]
        columns = [Col(a.via, a) for a in attributes]
        return _narrowed(queryset, end, columns, keys, None), lambda row: _key(row, names)
    columns = [Col((end.inverse,), attribute, 1) for attribute in owner]
    return _narrowed(queryset, end, columns, keys, columns), lambda row: _taken(row, len(columns))


def _taken(row: Any, width: int) -> Any:
    if width == 1:
        return row.__dict__[KEY]
    return tuple(row.__dict__[f"{KEY}{i}"] for i in range(width))


def _narrowed(queryset: Any, end: Any, columns: list[Col], keys: list[Any], extra: list[Col] | None) -> Any:
    """One edge of the queryset's shape: the key is one of ``keys``, bound as one array."""

    def build(query: Query) -> tuple[Query, Scope]:
        scope = Scope(query, 1 if extra else query.group + 1)
        if len(columns) == 1:
            column: Any = Col(columns[0].ends, columns[0].attribute, scope.group if extra else None)
            node = In(column, None)
            value_type = column.attribute.value_type
            index, _ = scope.slot(keys, None)
            node.rhs = Param(index, value_type, array=True)
        else:
            node = scope.build_lookup(ColumnTuple(list(columns)), In, keys)
        node.is_resolved = True
        query = query.filtered(scope, node)
        if extra:
            names = [KEY] if len(extra) == 1 else [f"{KEY}{i}" for i in range(len(extra))]
            named = tuple((n, Col(c.ends, c.attribute, scope.group)) for n, c in zip(names, extra, strict=True))
            query = query.but(extra_columns=(*query.extra_columns, *named))
        return query, scope

    return queryset._follow(("related", end), [keys], build)


def _key(instance: Any, names: list[str]) -> Any:
    if len(names) == 1:
        return getattr(instance, names[0])
    key = tuple(getattr(instance, name) for name in names)
    return None if None in key else key


def _prepared(instance: Any, attributes: Any) -> Any:
    """A key that was written as text, say, as the value that the database gives."""
    key = tuple(a.value_type.prepare(getattr(instance, a.name)) for a in attributes)
    return key[0] if len(key) == 1 else key


def _distinct(keys: Iterable[Any]) -> list[Any]:
    return [key for key in dict.fromkeys(keys) if key is not None]


def load_to_one(session: Session, end: Any, instances: Sequence[Any], queryset: Any) -> Operation[None]:
    """Load a to-one relation onto instances that lack it; equal keys share one instance. One query."""
    found = yield from children_of(session, end, instances, queryset)
    origin = instances[0]._origin if instances else None
    if origin is not None and len(origin.members) > 1:
        origin.children(end).take(row for rows in found.values() for row in rows)
    owner = end.owner.attributes_of(end.local_columns)
    names = [a.name for a in owner]
    back = end.inverse.accessor if not end.inverse.many else None
    for instance in instances:
        row = found.get(_key(instance, names)) or found.get(_prepared(instance, owner))
        related = row[0] if row else None
        instance.__dict__[end.accessor] = related
        if related is not None and back:
            related.__dict__[back] = instance


def load_to_many(
    session: Session, end: Any, instances: Sequence[Any], queryset: Any, name: str, to_list: bool
) -> Operation[list[Any]]:
    """Load a to-many relation onto instances, as a manager's answer or as a list. One query. Returns the rows."""
    found = yield from children_of(session, end, instances, queryset)
    names = [a.name for a in end.owner.attributes_of(end.local_columns)]
    back = end.inverse.accessor if not end.inverse.many else None
    every: list[Any] = []
    for instance in instances:
        rows = found.get(_key(instance, names), [])
        if back:
            for row in rows:
                row.__dict__[back] = instance
        every += rows
        if to_list:
            instance.__dict__[name] = rows
            continue
        answer = getattr(instance, end.accessor).get_queryset() if queryset is None else queryset._clone()
        answer._result_cache = rows
        answer._prefetch_done = True
        instance.__dict__.setdefault("_prefetched_objects_cache", {})[name] = answer
    return every


# -- prefetch_related --------------------------------------------------------------------------------------------------


def prefetch(session: Session, instances: list[Any], lookups: Iterable[Any]) -> Operation[None]:
    """Load every relation named by ``lookups``, level by level: one query for each step that is not loaded yet.

    Raises ``AttributeError`` for a name that is no attribute and ``ValueError`` for one that is no relation.
    """
    done: dict[str, list[Any]] = {}
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
        current = instances
        through = lookup.prefetch_through.split(SEPARATOR)
        target = lookup.prefetch_to.split(SEPARATOR)
        for level, name in enumerate(through):
            if not current:
                break
            path = SEPARATOR.join(target[: level + 1])
            last = level == len(through) - 1
            if path in done:
                current = done[path]
                continue
            current, more = yield from _level(session, current, name, lookup, last)
            if last or not any(isinstance(x, Prefetch) and x.queryset is not None for x in [lookup]):
                done[path] = current
            for inner in reversed(more):
                nested = as_prefetch(inner)
                nested.add_prefix(path)
                pending.append(nested)


def as_prefetch(lookup: Any) -> Prefetch:
    """A name, or a ``Prefetch``, as a ``Prefetch`` of its own."""
    if not isinstance(lookup, Prefetch):
        return Prefetch(lookup)
    found = Prefetch.__new__(Prefetch)
    found.__dict__.update(lookup.__dict__)
    return found


def _level(session: Session, instances: list[Any], name: str, lookup: Prefetch, last: bool) -> Operation[Any]:
    """One step of one look-up. Returns the rows it leads to, and the look-ups of the queryset it used."""
    first = instances[0]
    end = end_of(first, name)
    if end is None:
        return (yield from _by_attribute(session, instances, name, lookup, last))
    queryset = lookup.queryset if last and lookup.queryset is not None else base_queryset(first, end, session.alias)
    more = queryset._prefetch if last and lookup.queryset is not None else ()
    if more:
        queryset = queryset._clone()
        queryset._prefetch = ()
    if end.many:
        attr = lookup.to_attr if last and lookup.to_attr else None
        cached = attr or end.accessor
        lacking = [i for i in instances if attr or cached not in i.__dict__.get("_prefetched_objects_cache", ())]
        if lacking:
            yield from load_to_many(session, end, lacking, queryset, cached, bool(attr))
        return _every(instances, cached, bool(attr)), more
    yield from _to_one_level(session, instances, end, queryset, lookup, last)
    found = [i.__dict__.get(lookup.to_attr if last and lookup.to_attr else end.accessor) for i in instances]
    return list({id(x): x for x in found if x is not None}.values()), more


def _to_one_level(
    session: Session, instances: list[Any], end: Any, queryset: Any, lookup: Prefetch, last: bool
) -> Operation[None]:
    renamed = lookup.to_attr if last else None
    fresh = last and lookup.queryset is not None
    lacking = [i for i in instances if fresh or end.accessor not in i.__dict__]
    if lacking:
        yield from load_to_one(session, end, lacking, queryset)
    if renamed:
        for instance in instances:
            instance.__dict__[renamed] = instance.__dict__.pop(end.accessor, None)


def _every(instances: list[Any], name: str, to_list: bool) -> list[Any]:
    found: list[Any] = []
    for instance in instances:
        found += instance.__dict__[name] if to_list else instance._prefetched_objects_cache[name]._result_cache
    return found


def _by_attribute(session: Session, instances: list[Any], name: str, lookup: Prefetch, last: bool) -> Operation[Any]:
    """A name that is no relation: a descriptor that can prefetch itself, or a list that an earlier look-up made."""
    first = instances[0]
    special = getattr(type(first), "_prefetchers", {}).get(name)
    if special is not None:
        return (yield from special(session, instances, lookup, last))
    if not hasattr(first, name):
        names = [f.name for f in first._meta.get_fields()]
        raise AttributeError(
            f"Cannot find '{name}' on {first._meta.object_name} object, '{lookup.prefetch_through}' is an invalid parameter "
            f"to prefetch_related(). {unknown_name('relation', name, first._meta.label, names)}"
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
    return found, ()
    yield


def end_of(instance: Any, accessor: str) -> Any:
    """The relation end behind an accessor of an instance, or None."""
    entity = type(instance)._meta.entity
    stack = [entity]
    while stack:
        here = stack.pop()
        for end in here.ends.values():
            if end.accessor == accessor:
                return end
        stack += [link.target for link in here.parents]
    return None


def base_queryset(instance: Any, end: Any, alias: str) -> Any:
    """All rows that an end can lead to: by the default manager for collections, by the base manager for single ones."""
    model = end.target.model
    manager = model._default_manager if end.many else model._base_manager
    queryset = manager.get_queryset().using(alias)
    origin = instance._origin
    if origin is not None and origin.fetch_mode is not None:
        queryset = queryset.fetch_mode(origin.fetch_mode)
    return queryset
