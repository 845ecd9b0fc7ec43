"""Relations: two ends, the hops between them, and the rule for deletes. The one place that describes a relation.

Everything else is read from here: accessors (``many``), INNER or LEFT (``minimum``), joins, EXISTS and prefetch
(``hops``), the delete plan (``on_delete``), constraints and migrations (``hops`` and ``on_delete``), and crow's-foot
diagrams (``minimum`` and ``many``). A new kind of relation is one more constructor at the end of this file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.table import Table


@dataclass(frozen=True, slots=True)
class OnDelete:
    """What happens to the rows that point at a row when that row is deleted.

    ``action`` is what ``delete()`` does with them: ``delete`` them, ``update`` their key, ``protect`` or ``restrict``
    (refuse), or ``nothing``. ``sql`` is the rule that the schema holds, so that the database does the same for a
    delete that Crowsfoot never sees. ``value`` gives the new key for ``update``; ``columns`` are the columns that an
    update sets where these are not all of the key's.
    """

    name: str
    action: str
    sql: str
    value: Any = None
    lazy: bool = False
    in_database: bool = False
    columns: tuple[str, ...] = ()

    @property
    def effect(self) -> str:
        """What becomes of the rows, whoever does it: ``action``, or what the database does by itself."""
        if not self.in_database:
            return self.action
        return CASCADE.action if self.sql == CASCADE.sql else SET_NULL.action

    def __call__(self, *columns: str) -> OnDelete:
        """This rule for only some columns of a composite key: ``SET_NULL("product_no")``."""
        return replace(self, columns=columns)

    def __repr__(self) -> str:
        return self.name


CASCADE = OnDelete("CASCADE", "delete", "CASCADE")
PROTECT = OnDelete("PROTECT", "protect", "RESTRICT")
RESTRICT = OnDelete("RESTRICT", "restrict", "NO ACTION")
SET_NULL = OnDelete("SET_NULL", "update", "SET NULL")
SET_DEFAULT = OnDelete("SET_DEFAULT", "update", "SET DEFAULT")
DO_NOTHING = OnDelete("DO_NOTHING", "nothing", "NO ACTION")
DB_CASCADE = OnDelete("DB_CASCADE", "nothing", "CASCADE", in_database=True)
DB_SET_NULL = OnDelete("DB_SET_NULL", "nothing", "SET NULL", in_database=True)
DB_SET_DEFAULT = OnDelete("DB_SET_DEFAULT", "nothing", "SET DEFAULT", in_database=True)
RULES = {
    rule.name: rule
    for rule in (
        CASCADE, PROTECT, RESTRICT, SET_NULL, SET_DEFAULT, DO_NOTHING, DB_CASCADE, DB_SET_NULL, DB_SET_DEFAULT,
    )
}  # fmt: skip


def SET(value: Any) -> OnDelete:
    """On delete, point the row at ``value`` instead: a key, a model instance, or a callable that returns either.

    A value that only Python can compute is not a rule that a database can hold, so the schema says NO ACTION.
    """
    return OnDelete("SET", "update", "NO ACTION", value=value, lazy=callable(value))


@dataclass(frozen=True, slots=True)
class KeyOf:
    """The key of the one row of ``entity`` that has these values, as ``(attribute name, value)`` pairs.

    Each database looks it up as part of the statement that needs it: the same row may have another key elsewhere.
    """

    entity: Entity
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class JoinCondition:
    """What a join demands beside equal columns. It may change, so each statement asks for it anew.

    ``ask(alias, related_alias)`` gives a node with ``as_sql``, or None for no condition; the aliases are those of the
    table that the relation was declared to and of the one that declared it. ``turned`` is the join seen from there.
    """

    ask: Callable[[str, str], Any]
    turned: bool = False

    def node(self, source: str, target: str) -> Any:
        """The condition of a join from a table under the alias ``source`` to one under ``target``."""
        return self.ask(source, target) if self.turned else self.ask(target, source)

    def reversed(self) -> JoinCondition:
        return replace(self, turned=not self.turned)


@dataclass(frozen=True, slots=True)
class Hop:
    """One join: ``source.source_columns = target.target_columns``, pair by pair.

    ``where`` adds conditions on the target's own columns, which hold a key: ``(column, whose)`` pairs; ``source_where``
    is the same on the source (it appears where a hop with ``where`` is walked backwards). ``condition`` is any other,
    perhaps of both tables; there may be no columns beside it.
    """

    source: Table
    source_columns: tuple[str, ...]
    target: Table
    target_columns: tuple[str, ...]
    where: tuple[tuple[str, KeyOf], ...] = ()
    source_where: tuple[tuple[str, KeyOf], ...] = ()
    condition: JoinCondition | None = None

    def reversed(self) -> Hop:
        turned = None if self.condition is None else self.condition.reversed()
        return Hop(
            self.target, self.target_columns, self.source, self.source_columns, self.source_where, self.where, turned
        )  # fmt: skip

    @property
    def is_equality(self) -> bool:
        """Whether equal columns are all that it asks for, so that a key at hand stands for the row that it leads to."""
        return not (self.where or self.source_where or self.condition)

    @property
    def identity(self) -> tuple[Any, ...]:
        """Equal for hops from the same row that arrive at the same rows: one join serves them all."""
        columns = self.source_columns, self.target.name, self.target_columns
        return *columns, self.where, self.source_where, self.condition

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return list(zip(self.source_columns, self.target_columns, strict=True))

    @property
    def compares_alike(self) -> bool:
        """Whether both sides are text, or neither is: a key may be kept as text beside keys of other kinds."""
        types = [(self.source.columns[a].type, self.target.columns[b].type) for a, b in self.pairs]
        return all((near.python is str) is (far.python is str) for near, far in types)


def slot_of(accessor: str) -> str:
    """The attribute under which an instance keeps what ``accessor`` shows.

    It is not the accessor's own name, on which the class has a descriptor: what has none is written without a dict
    being made for the instance.
    """
    return SLOT + accessor


SLOT = "_related_"


@dataclass(slots=True, eq=False)
class End:
    """A relation seen from one of its entities.

    ``name`` is its name in look-ups, ``accessor`` the attribute of an instance (None where the reverse side is switched
    off), ``minimum`` 0 or 1 and ``many`` say how few and how many rows of ``target`` an ``owner`` row has. ``field`` is
    the model field that declared the relation; the floors below ``models`` only carry it. ``convert`` makes the
    target's value out of the owner's, where their columns are of different types. ``narrow`` gives further look-ups for
    the related row of one instance, which may change too. ``slot`` is the attribute under which an instance keeps its
    one related row, or the rows that were prefetched.
    """

    owner: Entity
    name: str
    accessor: str | None
    target: Entity
    hops: tuple[Hop, ...]
    minimum: int
    many: bool
    field: Any = None
    convert: Callable[[Any], Any] | None = None
    narrow: Callable[[Any], Any] | None = None
    _alone: End | None = None
    slot: str = dataclasses.field(init=False)
    inverse: End = dataclasses.field(init=False)
    relation: Relation = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.slot = slot_of(self.accessor or self.name)

    @property
    def is_forward(self) -> bool:
        """True on the side that declared the relation."""
        return self.relation.forward is self

    @property
    def holds_key(self) -> bool:
        """True where the owner's own row holds the key of the target."""
        return self.points and self.hops[0].is_equality

    @property
    def points(self) -> bool:
        """True where an owner's row points at one row of the target, be its key all that says at which or not."""
        return self.is_forward and not self.many and len(self.hops) == 1

    @property
    def loaded_by(self) -> End:
        """The relation as an instance follows it: where ``narrow`` says what else is wanted, by equal columns alone."""
        if self.narrow is None or self.hops[0].condition is None or not self.hops[0].source_columns:
            return self
        if self._alone is None:
            self._alone = replace(self, hops=tuple(replace(hop, condition=None) for hop in self.hops))
            self._alone.inverse, self._alone.relation = self.inverse, self.relation
        return self._alone

    @property
    def is_conditional(self) -> bool:
        """Whether what it leads to depends on more than the rows, and so may change between two questions."""
        return self.narrow is not None or any(hop.condition is not None for hop in self.hops)

    @property
    def is_collection(self) -> bool:
        """Whether an instance has a manager for the far rows. So has, as in Django, one that holds a generic key: the
        row that it names is one of the model whose relation this is, or of another."""
        return self.many or (self.relation.is_generic and not self.is_forward)

    @property
    def comes_back(self) -> bool:
        """Whether a far row's own columns do not say whose it is: it is found by way of the inverse."""
        first, *others = self.hops
        return bool(others or first.source_where or first.condition)

    @property
    def anchors(self) -> tuple[Attribute, ...]:
        """The values of an owner that tell its far rows from those of other owners."""
        first, last = self.hops[0], self.hops[-1]
        if first.condition is not None or first.source_where or last.source_where:
            return self.owner.key
        return self.owner.attributes_of(self.local_columns)

    @property
    def local_columns(self) -> tuple[str, ...]:
        """The columns of the owner that the relation starts from."""
        return self.hops[0].source_columns

    @property
    def remote_columns(self) -> tuple[str, ...]:
        """The columns of the target that the relation arrives at: its key, where a join asks for more than equality."""
        hop = self.hops[-1]
        return hop.target_columns if hop.condition is None else self.target.key_columns

    def __reduce__(self) -> Any:
        forward = self.relation.forward
        return _end_of, (forward.owner, forward.name, self.is_forward)

    def __repr__(self) -> str:
        mark = ("1" if self.minimum else "0") + ("..n" if self.many else "..1")
        return f"<End {self.owner.label}.{self.name} -> {self.target.label} {mark}>"


def _end_of(owner: Entity, name: str, is_forward: bool) -> End:
    forward: End = owner.ends[name]
    return forward if is_forward else forward.inverse


@dataclass(slots=True, eq=False)
class Relation:
    """Two ends, what a delete does, and the link entity of a many-to-many.

    ``on_update`` is what the database does with the keys of rows that point at a row whose own key changes.
    ``delete_orphan`` says that a row which is taken out of the relation is deleted.
    ``constrained`` says whether the database holds the key (Django's ``db_constraint``); ``symmetrical`` marks a
    many-to-many on one entity whose links count both ways; ``is_parent`` marks the link of a model to the model that it
    inherits from.
    """

    forward: End
    reverse: End
    on_delete: OnDelete
    link: Entity | None = None
    constrained: bool = True
    symmetrical: bool = False
    is_parent: bool = False
    on_update: OnDelete | None = None
    delete_orphan: bool = False

    def __post_init__(self) -> None:
        for end, other in ((self.forward, self.reverse), (self.reverse, self.forward)):
            end.inverse = other
            end.relation = self

    @property
    def ends(self) -> tuple[End, End]:
        return self.forward, self.reverse

    @property
    def is_generic(self) -> bool:
        """Whether the far rows say themselves of which entity's rows they hold the key."""
        return bool(self.forward.hops[0].where)

    def __repr__(self) -> str:
        return f"<Relation {self.forward!r} {self.on_delete}>"


def many_to_one(
    owner: Entity,
    name: str,
    target: Entity,
    columns: tuple[str, ...],
    target_columns: tuple[str, ...],
    on_delete: OnDelete,
    *,
    accessor: str | None,
    query_name: str,
    nullable: bool = False,
    unique: bool = False,
    constrained: bool = True,
    is_parent: bool = False,
    on_update: OnDelete | None = None,
    delete_orphan: bool = False,
    many: bool = False,
    condition: JoinCondition | None = None,
    narrow: Callable[[Any], Any] | None = None,
    field: Any = None,
) -> Relation:
    """The foreign key: many ``owner`` rows point at one ``target`` row through their own ``columns``.

    With a ``condition`` it may be at ``many``, and the columns may be none.
    """
    hop = Hop(owner.table, columns, target.table, target_columns, condition=condition)
    return Relation(
        End(owner, name, name, target, (hop,), 0 if nullable or many else 1, many, field, narrow=narrow),
        End(target, query_name, accessor, owner, (hop.reversed(),), 0, not unique, field),
        on_delete,
        constrained=constrained,
        is_parent=is_parent,
        on_update=on_update,
        delete_orphan=delete_orphan,
    )


def one_to_one(
    owner: Entity,
    name: str,
    target: Entity,
    columns: tuple[str, ...],
    target_columns: tuple[str, ...],
    on_delete: OnDelete,
    **options: Any,
) -> Relation:
    """A foreign key whose columns are unique, so that the way back is to one row as well."""
    return many_to_one(owner, name, target, columns, target_columns, on_delete, unique=True, **options)


def many_to_many(
    owner: Entity,
    name: str,
    target: Entity,
    link: Entity,
    to_owner: End,
    to_target: End,
    *,
    accessor: str | None,
    query_name: str,
    symmetrical: bool = False,
    constrained: bool = True,
    field: Any = None,
) -> Relation:
    """Many ``owner`` rows with many ``target`` rows, through the two foreign keys of ``link``."""
    out, into = to_owner.hops[0].reversed(), to_target.hops[0]
    return Relation(
        End(owner, name, name, target, (out, into), 0, True, field),
        End(target, query_name, accessor, owner, (into.reversed(), out.reversed()), 0, True, field),
        CASCADE,
        link=link,
        constrained=constrained,
        symmetrical=symmetrical,
    )


def generic(
    owner: Entity,
    name: str,
    target: Entity,
    columns: tuple[str, ...],
    held: Attribute,
    where: tuple[tuple[str, KeyOf], ...],
    *,
    query_name: str,
    field: Any = None,
) -> Relation:
    """Many ``target`` rows that name a row of any entity: by its key, which they have in ``held``, and by ``where``,
    which says whose key it is. Both may be in the table of an entity that the target inherits from."""
    hop = Hop(owner.table, columns, held.entity.table, (held.column.name,), where)
    hops = (hop, *[link.hops[0].reversed() for link in reversed(held.via)])
    back = tuple(hop.reversed() for hop in reversed(hops))
    convert = held.value_type.prepare if not (held.via or hop.compares_alike) else None
    return Relation(
        End(owner, name, name, target, hops, 0, True, field, convert),
        End(target, query_name, None if query_name.endswith("+") else query_name, owner, back, 0, False, field),
        CASCADE,
        constrained=False,
    )
