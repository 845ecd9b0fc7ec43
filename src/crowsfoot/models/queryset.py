"""`QuerySet`: a lazy question about one model's rows. Each method gives a changed copy; iterating asks the database."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import AsyncIterator, Generator, Hashable, Iterable, Iterator, Mapping
from typing import Any, Generic, Literal, Self, TypeVar, overload

from crowsfoot.database import Database
from crowsfoot.drivers.run import Fetch, Operation
from crowsfoot.errors import EmptyResultSet, TransactionManagementError
from crowsfoot.models import peers, routing
from crowsfoot.models.combining import Combining
from crowsfoot.models.plans import Owned, Plan, select_plan
from crowsfoot.models.prefetch import prefetch
from crowsfoot.models.reading import Reading
from crowsfoot.models.typed import FieldPath
from crowsfoot.models.writing import Writing
from crowsfoot.persistence.cohort import Cohort
from crowsfoot.persistence.hydrate import uncollected
from crowsfoot.persistence.session import Session
from crowsfoot.query.expressions import Extra, OrderBy, name_of
from crowsfoot.query.paths import check_alias
from crowsfoot.query.resolved import Col
from crowsfoot.query.scope import Scope
from crowsfoot.query.shapes import Shape
from crowsfoot.query.statements import Query, order_items, select_items
from crowsfoot.query.subqueries import Subquery

M = TypeVar("M")
T = TypeVar("T")
REPR_SIZE = 20


class QuerySet(Combining[M], Reading[M], Writing[M], Generic[M]):
    """Rows of ``model``. Nothing is sent until the rows are needed; then one query (and one per prefetch) is.

    What narrows, orders and shapes the question is in `chaining` and `combining`, what answers it in `reading`, what
    changes rows in `writing`.
    """

    def __class_getitem__(cls, *args: Any) -> Any:
        return cls

    # -- values --------------------------------------------------------------------------------------------------------

    def values(self, *fields: Any, **expressions: Any) -> QuerySet[dict[str, Any]]:
        """Rows as dicts of these fields; all concrete fields without arguments."""
        return self._select("dict", fields, expressions)

    @overload
    def values_list(self, field: FieldPath[T], /, *, flat: Literal[True]) -> QuerySet[T]: ...
    @overload
    def values_list(self, *fields: Any, flat: Literal[False] = False) -> QuerySet[tuple[Any, ...]]: ...
    @overload
    def values_list(self, *fields: Any, flat: bool = False, named: bool = False) -> QuerySet[Any]: ...
    def values_list(self, *fields: Any, flat: bool = False, named: bool = False) -> Any:
        """Rows as tuples; with ``flat`` the values of one field, with ``named`` namedtuples."""
        if flat and named:
            raise TypeError("'flat' and 'named' can't be used together.")
        if flat and len(fields) > 1:
            raise TypeError("'flat' is not valid when values_list is called with more than one field.")
        if flat and not fields:
            fields = (self.model._meta.pk.name,)
        self._names([field for field in fields if isinstance(field, FieldPath)])
        return self._choose("flat" if flat else "named" if named else "tuple", *_numbered(fields))

    def _select(self, rows: str, fields: tuple[Any, ...], expressions: dict[str, Any]) -> QuerySet[Any]:
        plain = {name: name for name in self._names(fields)}
        return self._choose(rows, plain, expressions)

    def _choose(self, rows: str, paths: dict[str, str], expressions: dict[str, Any]) -> QuerySet[Any]:
        """Select what ``paths`` lead to, by name, and ``expressions``; everything where there are none."""
        if expressions:
            self._refuse_combined("annotate")
        base = self._annotate((), expressions, select=True) if expressions else self
        paths = {**paths, **{name: name for name in expressions}}
        for name in paths:
            check_alias(name)

        def build(query: Query) -> tuple[Query, Scope]:
            scope = Scope(query)
            chosen = paths or {name: name for name in _all_names(query)}
            return query.selecting(rows, select_items(scope, chosen), scope), scope

        return base._follow(("values", rows, tuple(paths.items())), [], build)

    # -- as part of another query --------------------------------------------------------------------------------------

    def as_subquery(self) -> tuple[Query, tuple[Any, ...]]:
        """The description with its slice, and the values of all its slots."""
        if self._sub is None:
            query = self._query
            limits: tuple[int, ...] = ()
            if self._low or self._high is not None:
                query, limits = query.with_limits(self._low, self._high)
                query = query.but(empty=query.empty or (self._high is not None and self._high <= self._low))
            self._sub = query, self._values + limits
        return self._sub

    def for_lookup(self, lhs: Any, found: Any) -> QuerySet[Any]:
        """This queryset as the right side of a look-up: of the key alone, where no columns were chosen."""
        if self._low or self._high is not None:
            if found.lookup_name == "exact" and (self._high is None or self._high - self._low != 1):
                raise ValueError("The QuerySet value for an exact lookup must be limited to one result using slicing.")
        elif found.lookup_name == "exact":
            raise ValueError("The QuerySet value for an exact lookup must be limited to one result using slicing.")
        if self.has_chosen_columns:
            return self
        whole = self._clone()
        whole._low, whole._high = 0, None
        chosen = whole._select("tuple", self._compared(lhs, found), {})
        chosen._low, chosen._high = self._low, self._high
        return chosen

    def _compared(self, lhs: Any, found: Any) -> tuple[str, ...]:
        """The names of what a row is compared by: the fields that a relation points at, else the key."""
        if lhs.is_composite and not found.takes_list:
            return ("pk",)
        here = self._query.entity
        attributes = [getattr(col, "attribute", None) for col in (lhs.cols if lhs.is_composite else [lhs])]
        if any(a is None or a.entity is not here or a.field is None for a in attributes):
            return ("pk",)
        names = tuple(a.name for a in attributes if a is not None)
        return ("pk",) if len(names) == 1 and here.attributes[names[0]].field.primary_key else names

    @property
    def has_chosen_columns(self) -> bool:
        return self._query.columns is not None

    @property
    def __entity__(self) -> Any:
        return self._query.entity

    def freeze(self, out: list[Any]) -> Hashable:
        """This queryset as part of the key of another shape."""
        out.extend(self.as_subquery()[1])
        return QuerySet, self._shape, self._low, self._high, self.bound_to

    @property
    def bound_to(self) -> str | None:
        """The alias of the database that alone may answer this as a subquery, as ``using()`` said; related rows of
        which nobody said so go with the query around them."""
        return self._db

    def resolve_expression(self, query: Any = None, *args: Any, **kwargs: Any) -> Any:
        """A queryset among expressions is a subquery."""
        return Subquery(self).resolve_expression(query, *args, **kwargs)

    as_subquery.queryset_only = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    for_lookup.queryset_only = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    freeze.queryset_only = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    resolve_expression.queryset_only = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]

    # -- running -------------------------------------------------------------------------------------------------------

    def _plan(self, db: Database | Session, operation: str | Owned) -> Plan | None:
        """What to send for ``operation``, compiled once per shape and database; None where no row can match."""
        if self._shape.query.lock is not None:
            _check_lock(db)
        mode = self._fetch_mode
        key = (db.alias, operation, self._low > 0, self._high is not None, mode)
        plan = self._shape.plans.get(key, MISSING)
        if plan is MISSING or (plan is not None and plan.said and not plan.holds(db.dialect, self._query.entity)):
            try:
                plan = select_plan(
                    self._query, db.dialect, db.alias, operation, self._low > 0, self._high is not None, mode
                )
            except EmptyResultSet:
                plan = None
            self._shape.plans[key] = plan
        return plan

    def _bound(self, plan: Plan) -> tuple[Any, ...]:
        return plan.bind(self._all_values())

    def _all_values(self) -> tuple[Any, ...]:
        """The values of every slot, those of the limits at the end."""
        if self._high is not None:
            return (*self._values, self._high - self._low, self._low) if self._low else (*self._values, self._high)
        return (*self._values, self._low) if self._low else self._values

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            if self._side is not None and peers.has_peers(self):
                self._database.run(self._load)
            else:
                self._result_cache = self._ask("select")
        if self._prefetch and not self._prefetch_done:
            with uncollected():
                self._database.run(self._prefetch_all)

    def _load(self, session: Session) -> Operation[list[Any]]:
        """All rows, prefetched relations included, as an operation."""
        if self._result_cache is None:
            self._result_cache = yield from self._rows(session)
        if self._prefetch and not self._prefetch_done:
            yield from self._prefetch_all(session)
        return self._result_cache

    def _rows(self, session: Session) -> Operation[list[Any]]:
        if self._side is not None and peers.has_peers(self):
            found: list[Any] | None = yield from peers.answer(session, self, "select")
            if found is not None:
                self._prefetch_done = True
                return found
        plan = self._plan(session, "select")
        if plan is None or (self._high is not None and self._high <= self._low):
            return []
        rows: list[Any] = yield Fetch(plan.sql, self._bound(plan), plan.hydrate)
        self._set_known(rows)
        return rows

    def _by_owner(
        self, session: Session, owned: Owned, owners: Mapping[Any, Any], cohort: Cohort, kind: type[list[Any]]
    ) -> Operation[dict[Any, list[Any]] | None]:
        """All rows as new members of ``cohort``, in lists (of this ``kind``) by what tells whose they are; None where
        they don't tell.

        One query, without what is to be prefetched.
        """
        plan = self._plan(session, owned)
        found: dict[Any, list[Any]] = defaultdict(kind)
        if plan is None or (self._high is not None and self._high <= self._low):
            return found
        hydrate = plan.hydrate
        if hydrate is None:
            return None
        rows = yield Fetch(plan.sql, self._bound(plan), lambda rows: hydrate(rows, found, owners, cohort))
        self._set_known(rows)
        return found

    def _prefetch_all(self, session: Session) -> Operation[None]:
        if self._result_cache and self._query.columns is None:
            yield from prefetch(session, self._result_cache, self._prefetch)
        self._prefetch_done = True

    def _set_known(self, rows: Iterable[Any]) -> None:
        """Rows that came through a relation know the instance they came from."""
        known = self._known_related
        if not known or self._query.columns is not None:
            return
        for name, key, instances in known:
            for row in rows:
                instance = instances.get(peers.key_of(row.__dict__, key))
                if instance is not None and name not in row.__dict__:
                    row.__dict__[name] = instance

    def __iter__(self) -> Iterator[M]:
        found = self._result_cache
        if found is None and self._side is not None:
            found = peers.prepared_rows(self)
            if found is not None:  # the way of a loop over related rows
                self._result_cache, self._prefetch_done = found, True
                return iter(found)
        if found is None or (self._prefetch and not self._prefetch_done):
            self._fetch_all()
            found = self._result_cache
            assert found is not None
        return iter(found)

    async def _afetch_all(self) -> list[Any]:
        if self._result_cache is None or (self._prefetch and not self._prefetch_done):
            return await self._database.arun(self._load)
        return self._result_cache

    def __aiter__(self) -> AsyncIterator[M]:
        async def rows() -> AsyncIterator[M]:
            for row in await self._afetch_all():
                yield row

        return rows()

    def __await__(self) -> Generator[Any, None, list[M]]:
        return self._afetch_all().__await__()

    def __len__(self) -> int:
        self._fetch_all()
        assert self._result_cache is not None
        return len(self._result_cache)

    def __bool__(self) -> bool:
        self._fetch_all()
        return bool(self._result_cache)

    @overload
    def __getitem__(self, k: int) -> M: ...
    @overload
    def __getitem__(self, k: slice) -> Self: ...
    def __getitem__(self, k: Any) -> Any:
        """A row by number, or a slice: a copy with a limit (a list, when the rows are here or a step is given)."""
        if not isinstance(k, (int, slice)):
            raise TypeError(f"QuerySet indices must be integers or slices, not {type(k).__name__}.")
        bounds = (k,) if isinstance(k, int) else (k.start, k.stop)
        if any(b is not None and b < 0 for b in bounds):
            raise ValueError("Negative indexing is not supported.")
        if self._result_cache is not None:
            return self._result_cache[k]
        if isinstance(k, slice):
            found = self._sliced(k.start, k.stop)
            return list(found)[:: k.step] if k.step else found
        rows = list(self._sliced(k, k + 1))
        return rows[0]

    def _sliced(self, start: int | None, stop: int | None) -> Self:
        found = self._clone()
        found._bare = False
        start, stop = _index(start), _index(stop)
        if stop is not None:
            found._high = self._low + stop if self._high is None else min(self._high, self._low + stop)
        if start is not None:
            found._low = self._low + start if self._high is None else min(self._high, self._low + start)
        return found

    def __repr__(self) -> str:
        rows = list(self[: REPR_SIZE + 1])
        shown: list[Any] = (
            [*rows[:REPR_SIZE], "...(remaining elements truncated)..."] if len(rows) > REPR_SIZE else rows
        )
        return f"<{type(self).__name__} {shown!r}>"

    def __copy__(self) -> Self:
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__)
        return found

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        found = self._clone()
        if found._owner is not None:
            found._owner = copy.deepcopy(found._owner, memo)
        return found

    def unread(self) -> Self:
        """A copy that is pickled without being read: the question alone."""
        found = self._clone()
        found._unread = True
        return found

    unread.queryset_only = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]

    def __getstate__(self) -> dict[str, Any]:
        """The question with its answer: what was not read is read now."""
        if not self._unread:
            self._fetch_all()
        dropped = ("model", "_shape", "_sub", "_given_hints", "_known", "_side", "_owner", "_slot", "_unread")
        state = {name: value for name, value in self.__dict__.items() if name not in dropped}
        alias = self._db if self._unread else self.db
        return {**state, "_db": alias, "model": self.model._meta.label_lower, "query": self._query}

    def __setstate__(self, state: dict[str, Any]) -> None:
        QuerySet.__init__(self, routing.model_of(state.pop("model")), Shape(state.pop("query")))
        self.__dict__.update(state)

    @property
    def ordered(self) -> bool:
        """Whether the rows come in an order that was asked for."""
        query = self._query
        if query.empty:
            return True
        if query.order is not None:
            return bool(query.order)
        return bool(query.entity.ordering) and not query.is_aggregated

    @property
    def totally_ordered(self) -> bool:
        """Whether the order leaves no two rows in doubt: it has the whole key in it, or a set of unique fields."""
        query = self._query
        if query.order == () or (query.order is None and not self.ordered):
            return False
        items = query.order if query.order is not None else order_items(query, Scope(query), query.entity.ordering)
        cols = [item.expression for item in items if isinstance(item, OrderBy)]
        own = {col.attribute.name for col in cols if isinstance(col, Col) and col.ends == col.attribute.via}
        meta = self.model._meta
        fields = [f for f in meta.concrete_fields if f.unique and not f.null]
        sets = [tuple(meta.get_field(n) for n in names) for names in meta.unique_sets()]
        whole = [s for s in sets if not any(f.null for f in s)]
        return any({f.attname for f in fields} <= own for fields in [meta.pk_fields, *[(f,) for f in fields], *whole])

    @classmethod
    def as_manager(cls) -> Any:
        """A manager with this queryset's methods."""
        manager = routing.MANAGER[0].from_queryset(cls)()
        manager._built_with_asmanager = True
        return manager

    as_manager.queryset_only = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]

    def _add_hints(self, **hints: Any) -> None:
        self._given_hints = {**self._given_hints, **hints}


MISSING: Any = object()


def _check_lock(db: Database | Session) -> None:
    """Raise ``TransactionManagementError`` where rows would be locked for the length of one statement."""
    session = db.session if isinstance(db, Database) else db
    locks = db.dialect.lock(False, False, [], False)
    if locks and session.autocommit and not session.in_atomic_block:
        raise TransactionManagementError("select_for_update cannot be used outside of a transaction.")


class _IsEmpty(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, QuerySet) and instance._query.empty


class EmptyQuerySet(metaclass=_IsEmpty):
    """``isinstance(queryset, EmptyQuerySet)`` tells whether ``none()`` was called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("EmptyQuerySet can't be instantiated")


def _index(value: Any) -> int | None:
    return None if value is None else int(value)


def _all_names(query: Query) -> tuple[str, ...]:
    """What ``values()`` selects without arguments: what ``extra()`` added, every concrete field, the annotations."""
    added = [name for name, node in query.selected_annotations if isinstance(node, Extra)]
    others = [name for name, _ in query.selected_annotations if name not in added]
    return (*added, *query.entity.attributes, *others)


def _numbered(fields: tuple[Any, ...]) -> tuple[dict[str, str], dict[str, Any]]:
    """The columns of ``values_list()``, as paths by name, and the expressions among them.

    An expression has its default alias, or its class, with a number behind it as its name; and so has a field that is
    named twice.
    """
    plain = {name_of(field) for field in fields if not _is_expression(field)}
    paths: dict[str, str] = {}
    expressions: dict[str, Any] = {}
    number = 1
    for field in fields:
        is_expression = _is_expression(field)
        if is_expression:
            alias = getattr(field, "default_alias", None) if hasattr(type(field), "default_alias") else None
            path = alias or type(field).__name__.lower()
        else:
            path = name_of(field)
        name = path
        if is_expression or path in paths:
            while (name := f"{path}{number}") in paths or name in plain:
                number += 1
        if is_expression:
            expressions[name] = field
        paths[name] = name if is_expression else path
    return paths, expressions


def _is_expression(field: Any) -> bool:
    return hasattr(field, "resolve_expression") and not isinstance(field, FieldPath)
