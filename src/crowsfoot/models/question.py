"""What every queryset carries: a shape, values, a slice and a database; and how one becomes the next."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType
from typing import Any, Generic, Self, TypeVar

from crowsfoot.conf import settings
from crowsfoot.database import DEFAULT, Database, databases
from crowsfoot.errors import NotSupportedError
from crowsfoot.models import routing
from crowsfoot.models.asked import AskedQuery
from crowsfoot.models.layout import share_keys
from crowsfoot.models.state import FetchMode
from crowsfoot.query.depth import bounded, too_deep
from crowsfoot.query.nodes import Uncacheable
from crowsfoot.query.shapes import Shape, root
from crowsfoot.query.statements import Query

M = TypeVar("M")
T = TypeVar("T")
# What a queryset holds, what loops write first.
KEYS = (
    "model", "_shape", "_values", "_side", "_owner", "_result_cache", "_prefetch_done", "_db", "_slot", "_bare",
    "_known", "_prefetch", "_fetch_mode", "_low", "_high", "_given_hints", "_sub",
)  # fmt: skip
# What the question of a prefetch is told by, where nothing was added to it.
PLAIN = frozenset({"model", "_shape", "_values", "_side", "_owner", "_db", "_slot"})


class Question(Generic[M]):
    """A question about rows of ``model``, as a value: every call gives a changed copy and leaves this one as it is.

    A copy shares its shape with every other queryset built by the same calls, so its SQL is compiled once.
    """

    # What a new queryset has, on the class, so that a copy carries only what was changed. ``_bare`` says that the shape
    # and the values alone are the question: no slice, no prefetch, no fetch mode. Related rows have an owner besides.
    _bare: bool = True
    _db: str | None = None
    _given_hints: Mapping[str, Any] = MappingProxyType({})
    _values: tuple[Any, ...] = ()
    _low: int = 0
    _high: int | None = None
    _result_cache: list[Any] | None = None
    _prefetch: tuple[Any, ...] = ()
    _prefetch_done: bool = False
    _fetch_mode: FetchMode | None = None
    # Owners that rows are known to belong to: of what relation, by which of the rows' attributes, and by key.
    _known: tuple[Any, ...] = ()
    _for_write: bool = False
    # Of related rows: the relation, the owner, and the slot that the owner's key is in.
    _side: Any = None
    _owner: Any = None
    _slot: int = 0
    _sub: tuple[Query, tuple[Any, ...]] | None = None
    _unread: bool = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        share_keys(cls, KEYS)

    def __init__(self, model: Any = None, query: Any = None, using: str | None = None, hints: Any = None) -> None:
        self.model = model
        if using is not None:
            self._db = using
        if hints:
            self._given_hints = hints
        self._shape: Shape = query if query is not None else model.__entity__.root or _root(model)

    @property
    def _query(self) -> Query:
        """The frozen description of this question, without its values."""
        return self._shape.query

    @property
    def query(self) -> AskedQuery:
        """The question as a value: ``str(queryset.query)`` is its SQL."""
        return AskedQuery(self._clone())

    @query.setter
    def query(self, asked: AskedQuery) -> None:
        """Ask what another queryset of this model asks: ``queryset.query = pickle.loads(kept)``."""
        other = asked.queryset
        if other.model is not self.model:
            raise TypeError(f"A queryset of {self.model._meta.label} can't ask for {other.model._meta.label}.")
        for name in ("_shape", "_values", "_low", "_high", "_bare"):
            setattr(self, name, getattr(other, name))
        self._side, self._owner = None, None
        self._sub, self._result_cache, self._prefetch_done = None, None, False

    @property
    def db(self) -> str:
        """The alias of the database that is asked."""
        if self._db is not None:
            return self._db
        if not settings.DATABASE_ROUTERS:
            if self._owner is not None and "instance" not in self._given_hints:
                origin = self._owner._origin
                return DEFAULT if origin is None else origin.db or DEFAULT
            return routing.home(self._given_hints) if self._given_hints else DEFAULT
        return routing.write(self.model, self._hints) if self._for_write else routing.read(self.model, self._hints)

    @property
    def _hints(self) -> Mapping[str, Any]:
        """What routers are told: of related rows, the owner."""
        return self._given_hints if self._owner is None else {**self._given_hints, "instance": self._owner}

    @property
    def _database(self) -> Database:
        return databases[self.db]

    @property
    def _owner_key(self) -> Any:
        """The key of the owner of related rows: a tuple of several."""
        slot, width = self._slot, self._side.width
        return self._values[slot] if width == 1 else self._values[slot : slot + width]

    def _answers(self) -> Callable[[Any, list[Any]], Question[M]]:
        """``answered(owner, rows)``: this question about the related rows of another owner, and its answer."""
        like = self._clone()
        like._owner = None
        if len(like._values) > 1 or like._side.width > 1 or not PLAIN.issuperset(like.__dict__):
            return like._answered
        new, cls, model, shape, side = object.__new__, type(self), like.model, like._shape, like._side
        db, key_of = like._db, like._side.key_of

        def answered(owner: Any, rows: list[Any]) -> Question[M]:
            key: Any = key_of(owner)
            if key is None:
                return like._answered(owner, rows)
            found = new(cls)
            found.model = model
            found._shape = shape
            found._values = (key,)
            found._side = side
            found._owner = owner
            if db is not None:
                found._db = db
            found._result_cache = rows
            return found

        return answered

    def _answered(self, owner: Any, rows: list[Any]) -> Self:
        """As ``_answers``, whatever the question is made of."""
        key: Any = self._side.key_of(owner)
        found = object.__new__(type(self))
        like = self
        values, slot, width = self._values, self._slot, self._side.width
        if key is None:
            like = self._change("none", lambda query: query.but(empty=True))
        elif len(values) > 1:
            values = (*values[:slot], *(key if width > 1 else (key,)), *values[slot + width :])
        else:
            values = (key,)
        held = found.__dict__
        held.update(like.__dict__)
        held.update(_owner=owner, _values=values, _result_cache=rows, _prefetch_done=True)
        return found

    @property
    def _known_related(self) -> tuple[Any, ...]:
        """The owners that the rows will know, the one of related rows among them."""
        side = self._side
        if side is None or not side.tells:
            return self._known
        return (*self._known, (side.back, side.remotes, {self._owner_key: self._owner}))

    # -- copies --------------------------------------------------------------------------------------------------------

    def _clone(self) -> Self:
        found = object.__new__(type(self))
        held = found.__dict__
        held.update(self.__dict__)
        if "_result_cache" in held:
            del held["_result_cache"]
        if "_prefetch_done" in held:
            del held["_prefetch_done"]
        if "_sub" in held:
            del held["_sub"]
        return found

    def _forget_rows(self) -> None:
        """Ask again when the rows are next wanted; so does the owner for whom they were prefetched."""
        if self._side is not None and self._owner is not None and self._result_cache is not None:
            kept = self._owner.__dict__
            if kept.get(self._side.slot) is self._result_cache:
                kept[self._side.slot] = self
        self._result_cache = None
        self._prefetch_done = False

    def _chain(self) -> Self:
        """Django's name for ``_clone``."""
        return self._clone()

    def _follow(self, key: Hashable, given: list[Any], build: Any) -> Self:
        """The copy that one call leads to: along the edge ``key`` of the shape, with ``given`` in its slots."""
        shape = self._shape
        try:
            if key is None:
                raise Uncacheable
            edge = shape.edges.get(key) or shape.grow(given, build, key)
            values = edge.values(given)
            shape = edge.shape
        except Uncacheable:
            shape, values = bounded(shape.detached)(build)
        except RecursionError:
            raise too_deep() from None
        found = self._clone()
        found._shape = shape
        if values:
            found._values = self._values + values
        return found

    def _change(self, key: Hashable, build: Any) -> Self:
        """A call without values: ``build`` makes the changed query."""
        return self._follow(key, [], lambda query: (build(query), None))

    def _refuse_slice(self, what: str) -> None:
        if self._low or self._high is not None:
            raise TypeError(f"Cannot {what} a query once a slice has been taken.")

    def _refuse_combined(self, name: str, how: str = "()") -> None:
        combined = self._query.combined
        if combined is not None:
            operator = {"UNION": "union", "INTERSECT": "intersection", "EXCEPT": "difference"}[combined.operator]
            raise NotSupportedError(f"Calling QuerySet.{name}{how} after {operator}() is not supported.")


def _root(model: Any) -> Shape:
    entity = model._meta.entity
    model._meta.apps.link()
    entity.ensure_ready()
    entity.root = root(Query(entity))
    return entity.root
