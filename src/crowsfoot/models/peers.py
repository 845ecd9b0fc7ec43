"""Cohorts for to-many relations: ``author.posts.…`` asked of one author after another is answered for several at once.

The first member that asks a question is answered alone. When the same question (the same shape and values) is asked of
a second member, it is answered for two members of the cohort, then four, then eight (`ahead`): a loop over N members
costs at most log2(N) + 2 queries and loads at most twice the rows that it uses. A prepared answer is handed out once. A
write to a table of the query, the end of a transaction, and age drop what was prepared.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from operator import attrgetter
from time import monotonic
from typing import Any, TypeAlias

from crowsfoot import loops
from crowsfoot.conf import settings
from crowsfoot.database import databases
from crowsfoot.drivers.run import Fetch, Operation
from crowsfoot.errors import EmptyResultSet
from crowsfoot.models.ahead import Asked
from crowsfoot.models.plans import Plan, row_maker
from crowsfoot.models.prefetch import prefetch
from crowsfoot.models.related_rows import way_back
from crowsfoot.models.state import FETCH_ONE
from crowsfoot.persistence.cohort import SAVED, Cohort, saved
from crowsfoot.persistence.hydrate import OwnedHydrator, columns_of, make_hydrator, make_owned_hydrator
from crowsfoot.persistence.session import Session
from crowsfoot.query.shapes import Shape
from crowsfoot.schema.relation import End
from crowsfoot.schema.table import ANY_TABLE
from crowsfoot.sql.peers import OWNER, can_batch, compile_for_owners

# Answers that were prepared longer ago than this are asked again (seconds).
MAX_AGE = 1.0
# What the answer is where there is no row.
OF_NOTHING: dict[str, Callable[[], Any]] = {"select": list, "count": int, "exists": bool}
# What prefetching reads besides is not known before.
EVERY_TABLE = frozenset({ANY_TABLE})
# The plan for several owners, the tables that it reads, and what makes values of its rows.
Known: TypeAlias = tuple[Plan, frozenset[str], Any]
# What aggregates ask for besides: a key of their structure, and the values in them.
More: TypeAlias = tuple[Hashable, tuple[Any, ...]]
NOTHING: More = (None, ())


class Side:
    """A to-many end as the querysets of its rows see it: what all owners share, worked out once.

    ``names`` are the owner's attributes that its rows point at, and ``name`` is the only one where it is the owner's
    whole key (None elsewhere). ``remotes`` are the attributes of a row that point at it (on the far side of a link, the
    row's own key), and ``back`` is the slot in which a row keeps its one owner.
    """

    __slots__ = (
        "back",
        "edge",
        "end",
        "kept",
        "key_of",
        "name",
        "names",
        "owner",
        "remotes",
        "shape",
        "slot",
        "target",
        "tells",
        "width",
    )

    def __init__(self, end: End) -> None:
        self.end = end
        # The class of owners, unless they may be several.
        self.owner = end.owner.model if not end.owner.parents else None
        self.edge = ("of", end)
        # What a question about all rows of a usual owner is, once one was asked.
        self.shape: Shape | None = None
        self.slot = end.slot
        self.kept: Callable[[Any], Any] = attrgetter(end.slot)
        self.target = end.target
        self.names = [attribute.name for attribute in end.anchors]
        self.remotes = [attribute.name for attribute in end.target.attributes_of(end.remote_columns)]
        self.width = len(self.names)
        is_plain = (
            end.convert is None
            and not end.is_conditional
            and [attribute.name for attribute in end.owner.key] == self.names[:1]
        )
        self.name = self.names[0] if is_plain and self.width == 1 else None
        self.back = way_back(end)
        # Whether a row's own columns tell its one owner.
        self.tells = self.back is not None and not end.comes_back
        # The owner's key as the related rows hold it: a tuple of several, None where it is not whole.
        self.key_of: Callable[[Any], Any] = attrgetter(self.name) if self.name else partial(_key, end, self.names)

    def find_shape(self) -> Shape | None:
        """``shape``, found anew; None before the first question."""
        root = self.target.root
        edge = None if root is None else root.edges.get(self.edge)
        self.shape = None if edge is None else edge.shape
        return self.shape


class Batch:
    """The answers that one query brought: where from, when (in seconds and in writes), and from which tables."""

    __slots__ = ("expiry", "is_plain", "tables", "writes", "written")

    def __init__(self, session: Session, tables: frozenset[str]) -> None:
        self.writes = session.writes
        self.written = session.writes.number
        # Sync code asked, and no router has a word in what database is asked: sync code may have the answers at once.
        in_async = session.driver is not None or loops.running() is not None
        self.is_plain = not in_async and not settings.DATABASE_ROUTERS
        self.tables = tables
        self.expiry = monotonic() + MAX_AGE

    def held_until(self, later: Batch) -> bool:
        """Whether the answers counted still when a later batch was asked for."""
        if later.expiry >= self.expiry + MAX_AGE:
            return False
        return later.written == self.written or not self.writes.after(self.written, self.tables)

    def holds(self) -> bool:
        """Whether the answers count still: they are young, and nobody has written to their tables since."""
        if monotonic() >= self.expiry:
            return False
        number = self.writes.number
        if number != self.written:
            if self.writes.after(self.written, self.tables):
                self.expiry = 0.0
                return False
            self.written = number
        return True


# An answer that an owner holds: of what question, under which key, of which batch, the answer, and the one before it.
Prepared: TypeAlias = tuple[Hashable, Any, Batch, Any, Any]


def prepared_for(owner: Any, question: Hashable) -> Prepared | None:
    """The answer to ``question`` that ``owner`` holds, whether it counts still or not."""
    entry: Prepared | None = owner._prepared
    while entry is not None and entry[0] != question:
        entry = entry[-1]
    return entry


def drop(owner: Any, entry: Prepared) -> None:
    """Take the answer from the owner: each is handed out once."""
    newer: list[Prepared] = []
    held: Any = owner._prepared
    while held is not entry:
        newer.append(held)
        held = held[-1]
    rest = entry[-1]
    for held in reversed(newer):
        rest = (*held[:-1], rest)
    owner._prepared = rest


def take(owner: Any, question: Hashable, key: Any) -> Any:
    """The answer that is prepared for the owner with this key, or None; it is handed out once."""
    entry = prepared_for(owner, question)
    if entry is None:
        return None
    drop(owner, entry)
    _, of, batch, found, _ = entry
    if of != key or not batch.holds():
        return None
    if SAVED:
        saved(1)
    return found


def _key(end: End, names: list[str], owner: Any) -> Any:
    key = key_of(owner.__dict__, names)
    return key if end.convert is None or key is None else end.convert(key)


def key_of(held: dict[str, Any], names: list[str]) -> Any:
    """The key that an instance with these values holds under ``names``; None where it is not whole."""
    if len(names) == 1:
        return held.get(names[0])
    key = tuple(held.get(name) for name in names)
    return None if None in key else key


def has_peers(queryset: Any) -> bool:
    """Whether the owner of these related rows came with others who may ask the same."""
    origin = queryset._owner._origin
    return origin is not None and len(origin.members) > 1 and queryset._fetch_mode is not FETCH_ONE


def prepared_rows(queryset: Any) -> list[Any] | None:
    """The rows that are prepared for the owner, or None: what a loop over related rows asks for.

    Raises what ``Database.ready`` raises where async code has prepared them.
    """
    owner = queryset._owner
    if owner._prepared is None:
        return None
    question, key, batch, found, older = owner._prepared
    is_it = question is queryset._shape and queryset._bare and queryset._db is None and batch.is_plain
    if not is_it or older is not None or queryset._values[0] != key:
        return taken(queryset, "select")
    owner._prepared = None
    if (batch.writes.number != batch.written or monotonic() >= batch.expiry) and not batch.holds():
        return None
    if SAVED:
        saved(1)
    rows: list[Any] = found
    return rows


def taken(queryset: Any, operation: str, session: Session | None = None, more: More = NOTHING) -> Any:
    """The answer to ``select``, ``count``, ``exists`` or ``aggregate`` that is prepared for the owner, or None.

    It is handed out once. ``more`` is what aggregates ask for: a key of their structure, and the values in them.
    Without a ``session`` that of this thread is used; raises what ``Database.ready`` raises.
    """
    owner = queryset._owner
    if owner._prepared is None or owner._origin is None:
        return None
    alias = queryset._db or queryset.db
    key, question = _question(queryset, operation, alias, more)
    if session is None:
        databases[alias].ready()
    return take(owner, question, key)


def answer(session: Session, queryset: Any, operation: str, aggregation: Any = None) -> Operation[Any]:
    """The answer to ``select``, ``count``, ``exists`` or ``aggregate`` for the owner: prepared, or asked now.

    None where the question cannot be asked for several owners; the caller then asks it for this one.
    """
    more: More | None = aggregation.shape() if aggregation else NOTHING
    if more is None or not _can_batch(queryset, operation):
        return None
    plan = _plan(session, queryset, (operation, more[0]), aggregation)
    key, question = _question(queryset, operation, session.alias, more)
    if plan is not None and plan[0].said:
        question = question, plan[0].said  # it is another one when the conditions of its joins say something else
    owner = queryset._owner
    found = take(owner, question, key)
    if found is not None:
        return found
    asked = _asked(queryset, question)
    batch = Batch(session, EVERY_TABLE if queryset._prefetch else frozenset() if plan is None else plan[1])
    owners = asked.next_owners(owner, key, queryset._side.key_of, batch)
    answers = yield from _ask(session, queryset, operation, aggregation, plan, owners, asked)
    batch.expiry = monotonic() + MAX_AGE
    del owners[key]
    found = answers.pop(key)
    for owner, (other, ahead) in zip(owners.values(), answers.items(), strict=True):
        older = owner._prepared
        if older is not None and older[0] == question and not older[2].holds():
            older = older[-1]
        owner._prepared = (question, other, batch, ahead, older)
    return found


def _question(queryset: Any, operation: str, alias: str, more: More) -> tuple[Any, Hashable]:
    """The owner's key, and what is asked without whom: the same for all members of a cohort that ask it.

    The shape alone stands for all its rows in the cohort's database, which is what most loops ask for.
    """
    values = queryset._values
    if len(values) == 1 and operation == "select" and queryset._bare and alias == queryset._owner._origin.db:
        return values[0], queryset._shape
    slot = queryset._slot
    end = slot + queryset._side.width
    structure, more_values = more
    rest = _hashable((*values[:slot], *values[end:], *more_values))
    limits = queryset._low, queryset._high
    return queryset._owner_key, (operation, structure, queryset._shape, alias, limits, queryset._fetch_mode, rest)


def _can_batch(queryset: Any, operation: str) -> bool:
    key = "peers", operation, queryset._low > 0 or queryset._high is not None
    plans = queryset._shape.plans
    if key not in plans:
        plans[key] = can_batch(queryset._query, *key[1:])
    found: bool = plans[key]
    return found


def _asked(queryset: Any, question: Hashable) -> Asked:
    """The question among those that the owner's cohort asks."""
    cohort: Cohort = queryset._owner._origin
    known = cohort.prepared
    found: Asked | None = None if known is None else known.get(question)
    if found is None:
        found = Asked(cohort.children(queryset._side.end))
        assert cohort.prepared is not None
        cohort.prepared[question] = found
    return found


def _hashable(values: tuple[Any, ...]) -> Hashable:
    try:
        hash(values)
    except TypeError:
        return tuple(repr(value) for value in values)
    return values


def _ask(
    session: Session,
    queryset: Any,
    operation: str,
    aggregation: Any,
    known: Known | None,
    owners: dict[Any, Any],
    asked: Asked,
) -> Operation[dict[Any, Any]]:
    """Ask for these owners, in one query (and one per prefetch); the answers by key."""
    of_nothing = aggregation.of_nothing if aggregation else OF_NOTHING[operation]
    answers: dict[Any, Any] = {key: [] for key in owners} if of_nothing is list else {k: of_nothing() for k in owners}
    if known is None:
        return answers
    plan, _, make = known
    values = list(queryset._all_values())
    values[queryset._slot] = list(owners)
    if aggregation:
        values += aggregation.values
    hydrate = plan.hydrate
    if operation == "select" and make is None:
        hydrate = partial(_owned, hydrate, answers, owners, asked.children)
    rows = yield Fetch(plan.sql, plan.bind(tuple(values)), hydrate)
    if make is not None:
        for row in rows:
            answers[row[-1]].append(make(row[:-1]))
    elif operation == "select":
        if queryset._prefetch:
            yield from prefetch(session, rows, queryset._prefetch)
    elif operation == "exists":
        answers.update(dict.fromkeys(rows, True))
    else:
        answers.update((key, aggregation.named(found) if aggregation else found[0]) for key, *found in rows)
    return answers


def _owned(hydrate: OwnedHydrator, found: Any, owners: Any, cohort: Cohort, rows: Any) -> list[Any]:
    return hydrate(rows, found, owners, cohort)


def _plan(session: Session, queryset: Any, wanted: tuple[str, Hashable], aggregation: Any) -> Known | None:
    """The plan for several owners, kept on the shape, the tables that it reads, and what makes values of its rows."""
    has_low, has_high, mode = queryset._low > 0, queryset._high is not None, queryset._fetch_mode
    key = (session.alias, "peers", wanted, has_low, has_high, mode)
    plans = queryset._shape.plans
    found: Known | None = plans.get(key)
    if key not in plans or (found and found[0].said and not found[0].holds(session.dialect, queryset._query.entity)):
        query, side, (operation, _) = queryset._query, queryset._side, wanted
        if has_low or has_high:
            query, _ = query.with_limits(1 if has_low else 0, 2 if has_high else None)
        nodes = aggregation.nodes if aggregation else {}
        try:
            compiled, compiler = compile_for_owners(session.dialect, query, operation, nodes)
        except EmptyResultSet:
            plans[key] = None
        else:
            assert compiled.row is not None
            hydrate: Any = None
            make: Any = None
            if operation == "select" and query.rows == "model":
                shared = side.end.relation.link is not None
                is_told = any(name == OWNER for name, _ in compiled.row.extras)
                names = (OWNER,) if is_told else tuple(side.remotes)
                hydrate = make_owned_hydrator(compiled.row, session.alias, mode, names, side.back, shared)
            else:
                hydrate = make_hydrator(compiled.row, session.alias, mode)
                if operation == "select":
                    make = row_maker(query.rows, [name for name, _ in columns_of(compiled.row)][:-1])
            plans[key] = Plan(compiled, hydrate), frozenset(compiler.names.tables), make
        found = plans[key]
    return found
