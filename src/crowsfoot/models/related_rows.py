"""One relation loaded for many instances in one query: what prefetching, cohorts and touching a relation all do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple
from weakref import ref

from crowsfoot.database import Elsewhere
from crowsfoot.drivers.run import Operation
from crowsfoot.models.plans import Owned
from crowsfoot.persistence.cohort import Cohort
from crowsfoot.persistence.hydrate import uncollected
from crowsfoot.persistence.session import Session
from crowsfoot.query.conditions import Q
from crowsfoot.query.lookups import In, marks
from crowsfoot.query.paths import walk_to_owner
from crowsfoot.query.related_values import is_a
from crowsfoot.query.resolved import Col, ColumnTuple, Param
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Attribute
from crowsfoot.schema.relation import SLOT, slot_of

KEY = "_prefetch_related_val"
# What the slot of a relation has on the class: an instance that has nothing there has not loaded it.
NOT_LOADED: Any = object()
ORIGIN = attrgetter("_origin")
# An attribute of an instance as it is held there; AttributeError for a column that was left out, which is not loaded.
held_in: Callable[[Any, str], Any] = object.__getattribute__


class Prefetched(list[Any]):
    """The related rows that were prefetched for an instance; ``answered(owner, rows)`` makes a queryset of them."""

    __slots__ = ("answered",)
    answered: Callable[[Any, list[Any]], Any]

    def queryset(self, owner: Any) -> Any:
        """The rows as the answer of a queryset; it is made when it is asked for, most of them are never."""
        return self.answered(owner, self)

    def __reduce__(self) -> Any:
        return list, (), None, iter(self)  # where it is pickled, it is the answer of a queryset already


class PrefetchedCache(MutableMapping[str, Any]):
    """What was prefetched for an instance, as Django shows it: querysets that have their rows, by accessor."""

    def __init__(self, instance: Any) -> None:
        self._instance = instance

    def _slots(self) -> list[str]:
        """The slots of to-many relations in which there is something."""
        held = self._instance.__dict__
        return [name for name, kept in held.items() if name.startswith(SLOT) and _is_collection(kept)]

    def __getitem__(self, name: str) -> Any:
        kept = self._instance.__dict__.get(slot_of(name))
        if not _is_collection(kept):
            raise KeyError(name)
        return kept.queryset(self._instance) if type(kept) is Prefetched else kept

    def __setitem__(self, name: str, queryset: Any) -> None:
        self._instance.__dict__[slot_of(name)] = queryset

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        forget_prefetched(self._instance, slot_of(name))

    def __iter__(self) -> Iterator[str]:
        return iter([name.removeprefix(SLOT) for name in self._slots()])

    def __len__(self) -> int:
        return len(self._slots())


def _is_collection(kept: Any) -> bool:
    """Whether this is what the slot of a to-many relation holds, and not a related row."""
    return kept is not None and not hasattr(kept, "_meta")


class Asked(NamedTuple):
    """Related rows as one queryset, the keys that it asks for, and how a row and an instance tell the key by which they
    belong together; a row by its values under ``names``."""

    queryset: Any
    keys: list[Any]
    names: tuple[str, ...]
    key_of_row: Callable[[Any], Any]
    key_of_instance: Callable[[Any], Any]


def each_key(end: Any, instances: Sequence[Any]) -> list[Any]:
    """The key of each of ``instances`` as the rows that ``end`` leads to hold it, None where it is not whole."""
    keys = list(map(reader(end.anchors), instances))
    return keys if end.convert is None else [key if key is None else end.convert(key) for key in keys]


def keys_of(end: Any, instances: Sequence[Any], told: list[Any] | None = None) -> list[Any]:
    """The keys of ``instances`` as the rows that ``end`` leads to hold them, each once; ``told`` is ``each_key``."""
    keys = dict.fromkeys(each_key(end, instances) if told is None else told)
    keys.pop(None, None)
    return list(keys)


def ask(end: Any, instances: Sequence[Any], queryset: Any, told: list[Any] | None = None) -> Asked:
    """``queryset`` narrowed to the rows that ``end`` leads to from ``instances``; ``told`` is ``each_key``."""
    keys, columns = keys_of(end, instances, told), _columns(end, queryset._query)
    if queryset._low or queryset._high is not None or end.comes_back:
        asked = _narrowed(queryset, end, columns, keys, True)
        names = _key_names(len(columns))
        return Asked(asked, keys, names, lambda row: _taken(row, names), reader(end.anchors))
    asked = _narrowed(queryset, end, columns, keys, False)
    remotes = end.target.attributes_of(end.remote_columns)
    return Asked(asked, keys, tuple(a.name for a in remotes), reader(remotes), reader(end.anchors))


def described(asked: Asked, end: Any) -> tuple[Any, ...]:
    """``asked`` as Django's ``get_prefetch_querysets()`` gives it: the queryset, the keys of a row and of an instance,
    whether there is one row at most, where the answer is kept, and whether that is a descriptor (it is not)."""
    return asked.queryset, asked.key_of_row, asked.key_of_instance, not end.is_collection, end.accessor, False


def only_queryset(querysets: Sequence[Any] | None) -> Any:
    """The queryset given to ``get_prefetch_querysets()``, if there is one."""
    if querysets and len(querysets) != 1:
        raise ValueError("querysets argument of get_prefetch_querysets() should have a length of 1.")
    return querysets[0] if querysets else None


def _columns(end: Any, query: Query) -> list[Col]:
    """What tells whose a row is, seen from the entity of ``query``, which may be a child of the relation's target."""
    far = query.entity if is_a(query.entity, end.target) else end.target
    if not end.comes_back:
        found = [far.attributes[a.name] for a in end.target.attributes_of(end.remote_columns)]
        return [Col(a.via, a) for a in found]
    ends: list[Any] = []
    walk_to_owner(far, end.inverse, ends)
    back = (*ends, end.inverse)
    group = _group_of(query, back)
    return [Col(back, attribute, group) for attribute in end.anchors]


def _group_of(query: Query, ends: tuple[Any, ...]) -> int | None:
    """The call whose join to the links is this one too: conditions and annotations that reach through the links speak
    of the link to the owner. A join of its own where there is none."""
    stack: list[Any] = [*query.steps, *[node for _, node in query.annotations]]
    while stack:
        node = stack.pop()
        if isinstance(node, Col) and len(node.ends) >= len(ends):
            *before, last = node.ends[: len(ends)]
            if tuple(before) == ends[:-1] and last.hops[0].identity == ends[-1].hops[0].identity:
                return node.group
        if not getattr(node, "contains_aggregate", False):  # what is counted is not narrowed to one owner
            stack += [e for e in getattr(node, "get_source_expressions", list)() if e is not None]
    return query.group + 1


def children_of(
    session: Session,
    end: Any,
    instances: Sequence[Any],
    queryset: Any,
    cohort: Cohort | None = None,
    back: str | None = None,
    told: list[Any] | None = None,
    kind: type[list[Any]] = list,
) -> Operation[dict[Any, list[Any]]]:
    """The rows that ``end`` leads to from ``instances``, by the key they belong to, in lists of this ``kind``. One
    query.

    They are members of ``cohort``, or of one of their own. A row that belongs to several instances is one instance.
    ``back`` is the slot in which each keeps the one that it belongs to, where nobody has told it yet; ``told`` is what
    ``each_key`` gave.
    """
    asked = ask(end, instances, queryset, told)
    if not asked.keys:
        return {}
    rows = asked.queryset
    elsewhere: str | None = None if queryset._db in (None, session.alias) else queryset._db
    if cohort is None or elsewhere is not None:
        cohort = Cohort(elsewhere or session.alias, (), queryset._fetch_mode)
    if not rows._prefetch and rows._result_cache is None:
        owners = _owners(asked, instances) if back and not rows._known_related and end.convert is None else {}
        back_there = back if owners else None
        owned = Owned(asked.names, end.relation.link is not None, back_there, cohort.is_listed)
        work = rows._by_owner
        by_owner: dict[Any, list[Any]] | None
        if elsewhere is not None:
            by_owner = yield Elsewhere(elsewhere, work, owned, owners, cohort, kind)
        else:
            by_owner = yield from work(session, owned, owners, cohort, kind)
        if by_owner is not None:
            if back and not owners:
                tell(end, instances, by_owner, back)
            return by_owner
    found = yield from _sorted(session, asked, elsewhere)
    cohort.take(row for rows in found.values() for row in rows)
    if back:
        tell(end, instances, found, back)
    return found


def _owners(asked: Asked, instances: Sequence[Any]) -> dict[Any, Any]:
    """The first instance of each key, by the key; empty where a key may be written in another way than its rows have
    it."""
    if set(map(type, asked.keys)) != {int}:
        return {}
    owners = dict(zip(map(asked.key_of_instance, reversed(instances)), reversed(instances), strict=True))
    owners.pop(None, None)
    return owners


def tell(end: Any, instances: Sequence[Any], found: dict[Any, list[Any]], back: str) -> None:
    """Have each row know the instance that it belongs to, unless it knows one."""
    for instance, rows in zip(instances, _shared_out(found, end, instances), strict=True):
        for row in rows:
            row.__dict__.setdefault(back, instance)


def _sorted(session: Session, asked: Asked, alias: str | None) -> Operation[dict[Any, list[Any]]]:
    """The rows by the key that each tells once it is an instance."""
    if alias is not None:
        rows = yield Elsewhere(alias, asked.queryset._load)
    else:
        rows = yield from asked.queryset._load(session)
    found: dict[Any, list[Any]] = {}
    for key, row in zip(map(asked.key_of_row, rows), rows, strict=True):
        if key in found:
            found[key].append(row)
        else:
            found[key] = [row]
    return found


def _key_names(width: int) -> tuple[str, ...]:
    """The names under which a row has the key of the instance that it belongs to, where it is no value of its own."""
    return (KEY,) if width == 1 else tuple(f"{KEY}{i}" for i in range(width))


def _taken(row: Any, names: tuple[str, ...]) -> Any:
    key = tuple(row.__dict__[name] for name in names)
    return key[0] if len(key) == 1 else key


def _narrowed(queryset: Any, end: Any, columns: list[Col], keys: list[Any], selected: bool) -> Any:
    """One edge of the queryset's shape: the key is one of ``keys``, bound as one array.

    ``selected`` has each row tell its key; a slice is cut for each of them then.
    """

    def build(query: Query) -> tuple[Query, Scope]:
        scope = Scope(query, query.group + 1)
        node = In(columns[0] if len(columns) == 1 else ColumnTuple(list(columns)), None)
        index, _ = scope.slot(keys, None)
        node.rhs = Param(index, node.lhs.output_field, array=True)
        node.is_resolved = True
        query = query.filtered(scope, node)
        for mark in () if end.comes_back else marks(end.target, end.hops[0]):
            query = query.with_step(mark)
        if selected:
            names = _key_names(len(columns))
            query = query.but(extra_columns=(*query.extra_columns, *zip(names, columns, strict=True)), per=names)
        return query, scope

    found = queryset._follow(("related", end, selected), [keys], build)
    found._bare = False
    return found


def reader(attributes: Sequence[Attribute]) -> Callable[[Any], Any]:
    """How an instance tells its key: a tuple of several, None where it is not whole."""
    read = attrgetter(*[attribute.name for attribute in attributes])
    return read if len(attributes) == 1 else lambda instance: _whole(read(instance))


def _whole(key: tuple[Any, ...]) -> tuple[Any, ...] | None:
    return None if None in key else key


def _prepared(instance: Any, attributes: Any) -> Any:
    """A key that was written as text, say, as the value that the database gives."""
    key = tuple(a.value_type.prepare(getattr(instance, a.name)) for a in attributes)
    return key[0] if len(key) == 1 else key


def _shared_out(
    found: dict[Any, list[Any]], end: Any, instances: Sequence[Any], told: list[Any] | None = None
) -> list[list[Any]]:
    """The rows that belong to each instance, in the order of the instances; ``told`` is what ``each_key`` gave."""
    keys = each_key(end, instances) if told is None else told
    there: list[Any] = list(map(found.get, keys))
    if all(there):
        return there
    # Keys of these types are compared as they are; in a tuple there may be others.
    kinds = set(map(type, found)) - {tuple}
    lists: list[list[Any]] = []
    for key, instance in zip(keys, instances, strict=True):
        rows = found.get(key)
        if rows is None:
            is_known = not found or key is None or type(key) in kinds or end.convert is not None
            rows = [] if is_known else found.get(_prepared(instance, end.anchors), [])
        lists.append(rows)
    return lists


def way_back(end: Any) -> str | None:
    """The slot in which a related row keeps the one instance that it belongs to."""
    return end.inverse.slot if end.inverse.accessor and not end.inverse.is_collection else None


def load_to_one(
    session: Session,
    end: Any,
    instances: Sequence[Any],
    queryset: Any,
    to_attr: str | None = None,
    back: str | None = None,
) -> Operation[None]:
    """Load a to-one relation onto instances that lack it; equal keys share one instance. One query.

    With ``to_attr`` the related instances are kept under that name, and not as the relation's. ``back`` is the slot
    in which each of them keeps the instance that it belongs to.
    """
    origin = instances[0]._origin if instances else None
    cohort = origin.children(end) if origin is not None and len(origin.members) > 1 else None
    told = each_key(end, instances)
    found = yield from children_of(session, end, instances, queryset, cohort, back, told)
    slot = end.slot
    with uncollected():
        for instance, rows in zip(instances, _shared_out(found, end, instances, told), strict=True):
            row = rows[0] if rows else None
            if to_attr:
                instance.__dict__[to_attr] = row
            else:
                setattr(instance, slot, row)


def load_to_many(
    session: Session,
    end: Any,
    instances: Sequence[Any],
    queryset: Any,
    to_attr: str | None = None,
    back: str | None = None,
) -> Operation[None]:
    """Load a to-many relation onto instances, as their managers' answer or as a list called ``to_attr``. One query."""
    told = each_key(end, instances)
    cohort = None if to_attr or not back else _cohort_behind(end.slot, instances, session.alias, queryset)
    kind = list if to_attr else Prefetched
    found = yield from children_of(session, end, instances, queryset, cohort, back, told, kind)
    give_rows(end, instances, found, queryset, to_attr, told)


def _cohort_behind(slot: str, owners: Sequence[Any], alias: str, queryset: Any) -> Cohort | None:
    """The cohort of rows that know their owners, who hold them as what was prefetched: nobody has to list them before
    one of them wants to know its peers. None where the owners have not come together."""
    origins = set(map(ORIGIN, owners))
    origin = origins.pop()
    if origins or origin is None or origin.is_lone:
        return None
    parents = ref(origin)

    def rows() -> Iterator[Any]:
        cohort = parents()
        for member in () if cohort is None else cohort.members:
            owner = member()
            if owner is not None:
                yield from rows_of(owner.__dict__.get(slot))

    return Cohort.unlisted(alias, rows, queryset._fetch_mode)


def forget_prefetched(instance: Any, slot: str) -> None:
    """Drop what was prefetched. The rows are listed as peers before they can no longer be found."""
    for row in rows_of(instance.__dict__.pop(slot, None))[:1]:
        _ = row._origin and row._origin.members


def rows_of(kept: Any) -> Sequence[Any]:
    """The rows in what the slot of a to-many relation holds: a list, a queryset, or None."""
    rows: Sequence[Any] = kept if isinstance(kept, list) else getattr(kept, "_result_cache", None) or ()
    return rows


def give_rows(
    end: Any,
    instances: Sequence[Any],
    found: dict[Any, list[Any]],
    queryset: Any,
    to_attr: str | None,
    told: list[Any] | None = None,
) -> None:
    """Have each of ``instances`` know its rows: those that ``found`` has for its key."""
    with uncollected():
        pairs = zip(instances, _shared_out(found, end, instances, told), strict=True)
        if to_attr:
            for instance, rows in pairs:
                instance.__dict__[to_attr] = rows
            return
        slot, answered, origin = end.slot, None, None
        for instance, rows in pairs:
            if answered is None or instance._origin is not origin:
                answer = getattr(instance, end.accessor)._narrowed(queryset)
                answer._result_cache, answer._prefetch_done = rows, True
                setattr(instance, slot, answer)
                if answer._side is not None:
                    answered, origin = answer._answers(), instance._origin
                continue
            if type(rows) is not Prefetched:
                rows = Prefetched(rows)
            rows.answered = answered
            setattr(instance, slot, rows)


def narrowed(queryset: Any, look_ups: Any) -> Any:
    """``queryset`` with the look-ups (a dict or a ``Q``) that an end's ``narrow`` gave."""
    if not look_ups:
        return queryset
    return queryset.filter(look_ups) if isinstance(look_ups, Q) else queryset.filter(**look_ups)


def parts(end: Any, instances: Sequence[Any], queryset: Any) -> Iterator[tuple[Any, Sequence[Any], Any]]:
    """The end, the instances and the queryset of each query that loads a relation: one query, unless the instances want
    rows that meet different look-ups."""
    if end.narrow is None:
        yield end, instances, queryset
        return
    groups: list[tuple[Any, list[Any]]] = []
    for instance in instances:
        wanted = end.narrow(instance)
        known = next((members for look_ups, members in groups if look_ups == wanted), None)
        if known is None:
            groups.append((wanted, [instance]))
        else:
            known.append(instance)
    for look_ups, members in groups:
        yield end.loaded_by, members, narrowed(queryset, look_ups)


def lineage(instance: Any) -> Iterator[Any]:
    """An instance, and those of the models it inherits from that are here: what was loaded for one, all have."""
    stack = [instance]
    while stack:
        here = stack.pop()
        yield here
        found = [here.__dict__.get(link.slot) for link in type(here).__entity__.parents]
        stack += [parent for parent in found if parent is not None]


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
    manager = model._default_manager if end.is_collection else model._base_manager
    queryset = manager.get_queryset().using(alias)
    origin = instance._origin
    if origin is not None and origin.fetch_mode is not None:
        queryset = queryset.fetch_mode(origin.fetch_mode)
    return queryset
