"""Cohorts for to-many relations: ``author.posts.…`` asked of one author after another is answered for several at once.

The first member that asks a question is answered alone. When the same question (the same shape and values) is asked of
a second member, it is answered for the next two members of the cohort, then four, then eight: a loop over N members
costs at most log2(N) + 2 queries and loads at most twice the rows that it uses. A prepared answer is handed out once. A
write to a table of the query, the end of a transaction, and age drop what was prepared.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Any, TypeAlias

from crowsfoot.drivers.run import Fetch, Operation
from crowsfoot.errors import EmptyResultSet
from crowsfoot.models.plans import Plan, row_maker
from crowsfoot.models.prefetch import prefetch
from crowsfoot.models.state import FETCH_ONE
from crowsfoot.persistence.cohort import SAVED, Cohort, saved
from crowsfoot.persistence.hydrate import columns_of, make_hydrator
from crowsfoot.persistence.session import Session
from crowsfoot.sql.peers import OWNER, can_batch, compile_for_owners

# Answers that were prepared longer ago than this are asked again (seconds).
MAX_AGE = 1.0
MISSING: Any = object()
# The plan for several owners, the tables that it reads, and what makes values of its rows.
Batch: TypeAlias = tuple[Plan, frozenset[str], Any]
# What the answer is where there is no row.
OF_NOTHING: dict[str, Any] = {"select": list, "count": int, "exists": bool}


class Asked:
    """One question as the members of a cohort ask it: who asked, how many are answered at once, what is prepared."""

    __slots__ = ("children", "position", "ready", "seen", "size", "stamp", "writes")

    def __init__(self, children: Cohort) -> None:
        self.size = 1
        self.position = 0
        self.seen: set[Any] = set()
        self.ready: dict[Any, Any] = {}
        self.stamp = 0.0
        self.writes: Any = None
        # The rows that arrive by one relation are one cohort, however many questions brought them.
        self.children = children


class Via:
    """The relation and the owner that a queryset of related rows belongs to; ``slot`` is where the owner's key is."""

    __slots__ = ("end", "names", "owner", "slot")

    def __init__(self, end: Any, owner: Any, names: list[str], slot: int) -> None:
        self.end = end
        self.owner = owner
        self.names = names
        self.slot = slot

    def key_of(self, member: Any) -> Any:
        """The key of another member, as the related rows hold it; None where it is not whole."""
        key, convert = key_of(member.__dict__, self.names), self.end.convert
        return key if convert is None or key is None else convert(key)

    def key_in(self, values: tuple[Any, ...]) -> Any:
        """The owner's key among the values of the queryset: one, or a tuple of several."""
        if len(self.names) == 1:
            return values[self.slot]
        return values[self.slot : self.slot + len(self.names)]


def key_of(held: dict[str, Any], names: list[str]) -> Any:
    """The key that an instance with these values holds under ``names``; None where it is not whole."""
    if len(names) == 1:
        return held.get(names[0])
    key = tuple(held.get(name) for name in names)
    return None if None in key else key


def has_peers(queryset: Any) -> bool:
    """Whether the owner of these related rows came with others who may ask the same."""
    origin = queryset._via.owner._origin
    return origin is not None and len(origin.members) > 1 and queryset._fetch_mode is not FETCH_ONE


class Question:
    """What is asked of the related rows: ``select``, ``count``, ``exists``, or the values of an ``aggregate``."""

    __slots__ = ("aggregation", "key", "operation", "queryset", "values")

    def __init__(self, queryset: Any, operation: str, aggregation: Any, shape: Hashable, values: Any) -> None:
        self.queryset = queryset
        self.operation = operation
        self.aggregation = aggregation
        self.key = operation, shape
        self.values = values

    def of_nothing(self) -> Any:
        return self.aggregation.of_nothing() if self.aggregation else OF_NOTHING[self.operation]()


def answer(session: Session, queryset: Any, operation: str, aggregation: Any = None) -> Operation[Any]:
    """The answer to ``select``, ``count``, ``exists`` or ``aggregate`` for the owner: prepared, or asked now.

    ``MISSING`` where the question cannot be asked for several owners; the caller then asks it for this one.
    """
    via = queryset._via
    cohort: Cohort = via.owner._origin
    sliced = bool(queryset._low) or queryset._high is not None
    shape = aggregation.shape() if aggregation else (None, ())
    if shape is None or not _can_batch(queryset, operation, sliced):
        return MISSING
    question = Question(queryset, operation, aggregation, *shape)
    batch = _plan(session, question)
    asked = _asked(cohort, question, () if batch is None else batch[0].said)
    key = via.key_in(queryset._values)
    if asked.ready and not _is_fresh(asked, session):
        asked.ready.clear()
    found = asked.ready.pop(key, MISSING)
    if found is not MISSING:
        if SAVED:
            saved(1)
        return found
    again = key in asked.seen
    asked.seen.add(key)
    owners = {key: via.owner}
    if not again:
        owners = _next_owners(cohort, asked, via, key)
        asked.size = 2 if asked.size == 1 else min(asked.size * 2, 1 << 16)
    answers = yield from _ask(session, question, batch, owners, asked)
    found = answers.pop(key)
    asked.ready.update(answers)
    return found


def _can_batch(queryset: Any, operation: str, sliced: bool) -> bool:
    key = "peers", operation, sliced
    plans = queryset._shape.plans
    if key not in plans:
        plans[key] = can_batch(queryset.query, operation, sliced)
    found: bool = plans[key]
    return found


def _asked(cohort: Cohort, question: Question, said: tuple[Any, ...]) -> Asked:
    """The question among those of the cohort. It is another one when the conditions of its joins say something else."""
    queryset = question.queryset
    via = queryset._via
    values = queryset._values
    rest = (*values[: via.slot], *values[via.slot + len(via.names) :], *question.values, *said)
    key: Hashable = (question.key, queryset._shape, queryset._low, queryset._high, queryset.db, _hashable(rest))
    children = cohort.children(via.end)
    assert cohort.prepared is not None
    found: Asked | None = cohort.prepared.get(key)
    if found is None:
        found = cohort.prepared[key] = Asked(children)
    return found


def _hashable(values: tuple[Any, ...]) -> Hashable:
    try:
        hash(values)
    except TypeError:
        return tuple(repr(value) for value in values)
    return values


def _is_fresh(asked: Asked, session: Session) -> bool:
    tables, mark = asked.writes
    return time.monotonic() - asked.stamp < MAX_AGE and session.writes.mark(tables) == mark


def _next_owners(cohort: Cohort, asked: Asked, via: Via, key: Any) -> dict[Any, Any]:
    """The asking owner and those that come after it in the cohort and have not asked yet, by key."""
    found = {key: via.owner}
    members = cohort.members
    start = _position(members, via.owner, asked.position)
    position = start
    while len(found) < asked.size and position + 1 < len(members):
        position += 1
        member = members[position]()
        if member is None or type(member) is not type(via.owner):
            continue
        other = via.key_of(member)
        if other is not None and other not in asked.seen and other not in asked.ready:
            found[other] = member
    asked.position = start
    return found


def _position(members: list[Any], owner: Any, begin: int) -> int:
    """Where ``owner`` stands, looked for from where the last one stood."""
    for position in range(begin, len(members)):
        if members[position]() is owner:
            return position
    for position in range(min(begin, len(members))):
        if members[position]() is owner:
            return position
    return len(members)


def _ask(
    session: Session, question: Question, batch: Batch | None, owners: dict[Any, Any], asked: Asked
) -> Operation[dict[Any, Any]]:
    """Ask for these owners, in one query (and one per prefetch); the answers by key."""
    if batch is None:
        return {key: question.of_nothing() for key in owners}
    plan, tables, make = batch
    queryset, aggregation = question.queryset, question.aggregation
    values = list(queryset._all_values())
    values[queryset._via.slot] = list(owners)
    if aggregation:
        values += aggregation.values
    rows = yield Fetch(plan.sql, plan.bind(tuple(values)), plan.hydrate)
    asked.stamp, asked.writes = time.monotonic(), (tables, session.writes.mark(tables))
    if make is not None:
        return _values_shared_out(make, rows, owners)
    if question.operation == "select":
        asked.children.take(rows)
        if queryset._prefetch:
            yield from prefetch(session, rows, queryset._prefetch)
        return _shared_out(queryset._via, rows, owners)
    if question.operation == "exists":
        there = set(rows)
        return {key: key in there for key in owners}
    grouped = {key: aggregation.named(found) if aggregation else found[0] for key, *found in rows}
    return {key: grouped[key] if key in grouped else question.of_nothing() for key in owners}


def _shared_out(via: Via, rows: list[Any], owners: dict[Any, Any]) -> dict[Any, list[Any]]:
    """Rows by the key of their owner, whom they know where the way back is to one."""
    back = via.end.inverse
    name = back.accessor if not back.is_collection else None
    found: dict[Any, list[Any]] = {key: [] for key in owners}
    for row in rows:
        key = row.__dict__.pop(OWNER)
        found[key].append(row)
        if name:
            row.__dict__.setdefault(name, owners[key])
    return found


def _values_shared_out(make: Any, rows: list[Any], owners: dict[Any, Any]) -> dict[Any, list[Any]]:
    """What ``values()`` or ``values_list()`` chose, by the key of the owner, which stands behind it in each row."""
    found: dict[Any, list[Any]] = {key: [] for key in owners}
    for row in rows:
        found[row[-1]].append(make(row[:-1]))
    return found


def _plan(session: Session, question: Question) -> Batch | None:
    """The plan for several owners, kept on the shape, the tables that it reads, and what makes values of its rows."""
    queryset = question.queryset
    has_low, has_high, mode = queryset._low > 0, queryset._high is not None, queryset._fetch_mode
    key = (session.alias, "peers", question.key, has_low, has_high, mode)
    plans = queryset._shape.plans
    found: Batch | None = plans.get(key)
    if key not in plans or (found and found[0].said and not found[0].holds(session.dialect, queryset.query.entity)):
        query = queryset.query
        if has_low or has_high:
            query, _ = query.with_limits(1 if has_low else 0, 2 if has_high else None)
        nodes = question.aggregation.nodes if question.aggregation else {}
        try:
            compiled, compiler = compile_for_owners(session.dialect, query, question.operation, nodes)
        except EmptyResultSet:
            plans[key] = None
        else:
            assert compiled.row is not None
            hydrate, make = make_hydrator(compiled.row, session.alias, mode), None
            if question.operation == "select" and query.rows != "model":
                make = row_maker(query.rows, [name for name, _ in columns_of(compiled.row)][:-1])
            plans[key] = Plan(compiled, hydrate), frozenset(compiler.names.tables), make
        found = plans[key]
    return found
