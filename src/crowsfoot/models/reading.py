"""What querysets answer with one question: `get`, `first`, `count`, `exists`, `aggregate`, `in_bulk`, `iterator`, …

Each is an operation written once, and two thin methods that drive it: ``count()`` and ``acount()``.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from typing import Any, Generic, TypeVar

from crowsfoot.conf import settings
from crowsfoot.database import databases
from crowsfoot.drivers.run import CloseCursor, Fetch, FetchRows, OpenCursor, Operation
from crowsfoot.models import peers
from crowsfoot.models.aggregation import aggregate
from crowsfoot.models.chaining import only_expressions
from crowsfoot.models.plans import MAX_GET_RESULTS, row_maker
from crowsfoot.models.prefetch import prefetch
from crowsfoot.models.raw import RawQuerySet
from crowsfoot.persistence.session import Session
from crowsfoot.query.expressions import F
from crowsfoot.query.functions.datetime import Trunc
from crowsfoot.query.inference import DATE, DATETIME
from crowsfoot.query.paths import check_alias
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import GROUP_BY_KEY, Query, has_key

M = TypeVar("M")
DATE_KINDS = ("year", "month", "week", "day")
TIME_KINDS = ("hour", "minute", "second")


BULK_KEY = "_crowsfoot_key"


def _with_key(query: Query, field_name: str) -> Query:
    """A query of values with the key of each row behind them, as tuples."""
    key = F(field_name).resolve_expression(Scope(query))
    return query.but(rows="tuple", columns=(*query.output(), (BULK_KEY, key)))


def _keyed(query: Query, field_name: str) -> Callable[[tuple[Any, ...]], tuple[Any, Any]]:
    """What makes a key, and the value that ``query`` asks for, of a row with its key behind it.

    As in Django named tuples have the key in them.
    """
    names = [name for name, _ in query.output()]
    if query.rows != "named" or field_name in names:
        make = row_maker(query.rows, names)
        return lambda row: (row[-1], make(row[:-1]))
    make = row_maker("named", [field_name, *names])
    return lambda row: (row[-1], make((row[-1], *row[:-1])))


class Reading(Generic[M]):
    """The reading half of `QuerySet`."""

    # -- one row -------------------------------------------------------------------------------------------------------

    def get(self: Any, *args: Any, **kwargs: Any) -> M:
        """The one row that meets the conditions. One query.

        Raises the model's ``DoesNotExist`` where there is none and ``MultipleObjectsReturned`` where there are several.
        """
        return self._get_by(args, kwargs)

    def _get_by(self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not args:
            # The way of a loop: a shape that was built before is asked without a copy of this queryset.
            given = [*kwargs.values()]
            if len(given) == 1:
                edge = self._shape.edges.get((False, *kwargs, type(given[0])))
            else:
                edge = self._shape.edges.get((False, *kwargs, *map(type, given)))
            if edge is not None and self._bare and self._side is None:
                alias = self._db or self.db
                plan = edge.shape.gets.get(alias)
                if plan is not None:
                    rows = databases[alias].fetch(plan.sql, plan.bind(self._values + edge.values(given)), plan.hydrate)
                    return rows[0] if len(rows) == 1 else self._one(rows)
        queryset = self._to_get(args, kwargs)
        if queryset._side is not None and peers.has_peers(queryset):
            return queryset._database.run(queryset._get)
        rows = queryset._ask("get")
        if queryset._bare and queryset._side is None:
            plan = queryset._plan(queryset._database, "get")
            if plan is not None and not plan.said:
                queryset._shape.gets[queryset.db] = plan
        return queryset._one(rows)

    async def aget(self: Any, *args: Any, **kwargs: Any) -> M:
        return await self._database.arun(self._to_get(args, kwargs)._get)

    def _to_get(self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not (args or kwargs):
            return self
        if self._shape.query.combined is not None:
            self._refuse_combined("get", "(...) with filters")
        return self._where(False, args, kwargs)

    def _ask(self: Any, operation: str) -> list[Any]:
        """The rows of one question, sent directly."""
        plan = self._plan(self._database, operation)
        if plan is None or (self._high is not None and self._high <= self._low):
            return []
        rows: list[Any] = self._database.fetch(plan.sql, self._bound(plan), plan.hydrate)
        self._set_known(rows)
        if self._prefetch and operation == "get" and self._query.columns is None:
            self._database.run(prefetch, rows, self._prefetch)
        return rows

    def _get(self: Any, session: Session) -> Operation[M]:
        if self._side is not None and peers.has_peers(self):
            rows = yield from peers.answer(session, self, "select")
            if rows is not None:
                return self._one(rows)
        plan = self._plan(session, "get")
        rows = []
        if plan is not None and not (self._high is not None and self._high <= self._low):
            rows = yield Fetch(plan.sql, self._bound(plan), plan.hydrate)
        self._set_known(rows)
        if rows and self._prefetch and self._query.columns is None:
            yield from prefetch(session, rows, self._prefetch)
        return self._one(rows)

    def _one(self: Any, rows: list[Any]) -> M:
        if len(rows) == 1:
            return rows[0]
        model = self.model
        if not rows:
            raise model.DoesNotExist(f"{model._meta.object_name} matching query does not exist.")
        number = len(rows) if len(rows) < MAX_GET_RESULTS else f"more than {MAX_GET_RESULTS - 1}"
        raise model.MultipleObjectsReturned(
            f"get() returned more than one {model._meta.object_name} -- it returned {number}!"
        )

    def first(self: Any) -> M | None:
        """The first row in the order (by key where there is none), None where there is no row. One query."""
        return next(iter(self._first_of("first")), None)

    async def afirst(self: Any) -> M | None:
        return await _afirst(self._first_of("first"))

    def last(self: Any) -> M | None:
        """The last row in the order (by key where there is none), None where there is no row. One query."""
        return next(iter(self._first_of("last")), None)

    async def alast(self: Any) -> M | None:
        return await _afirst(self._first_of("last"))

    def _first_of(self: Any, which: str) -> Any:
        ordered = self
        if not self.ordered and self._query.order is None:  # order_by() without a name asks for no order at all
            grouping = self._query.grouping
            if grouping and grouping is not GROUP_BY_KEY and not has_key(self._query.entity, grouping):
                raise TypeError(
                    f"Cannot use QuerySet.{which}() on an unordered queryset performing aggregation. "
                    "Add an ordering with order_by()."
                )
            if which == "first":
                ordered = self.order_by("pk") if not (self._low or self._high is not None) else self
            else:
                ordered = self.order_by("-pk")
        elif which == "last":
            ordered = self.reverse()
        return ordered[:1]

    def earliest(self: Any, *fields: Any) -> M:
        """The row with the smallest value of these fields (``Meta.get_latest_by`` without any). One query."""
        return self._earliest(fields, False).get()

    async def aearliest(self: Any, *fields: Any) -> M:
        return await self._earliest(fields, False).aget()

    def latest(self: Any, *fields: Any) -> M:
        """The row with the largest value of these fields (``Meta.get_latest_by`` without any). One query."""
        return self._earliest(fields, True).get()

    async def alatest(self: Any, *fields: Any) -> M:
        return await self._earliest(fields, True).aget()

    def _earliest(self: Any, fields: tuple[str, ...], flip: bool) -> Any:
        names: Any = fields or self.model._meta.get_latest_by
        if not names:
            raise ValueError(
                "earliest() and latest() require either fields as positional arguments or 'get_latest_by' in the "
                "model's Meta."
            )
        if self._low or self._high is not None:
            raise TypeError("Cannot change a query once a slice has been taken.")
        names = (names,) if isinstance(names, str) else tuple(names)
        found = self.order_by(*names)
        return (found.reverse() if flip else found)[:1]

    # -- questions about all rows --------------------------------------------------------------------------------------

    def count(self: Any) -> int:
        """The number of rows. One query, or none where the rows are here already."""
        if self._result_cache is not None:
            return len(self._result_cache)
        return self._database.run(self._count)

    async def acount(self: Any) -> int:
        if self._result_cache is not None:
            return len(self._result_cache)
        return await self._database.arun(self._count)

    def _count(self: Any, session: Session) -> Operation[int]:
        if self._side is not None and peers.has_peers(self):
            prepared = yield from peers.answer(session, self, "count")
            if prepared is not None:
                return int(prepared)
        plan = self._plan(session, "count")
        if plan is None or (self._high is not None and self._high <= self._low):
            return 0
        found: int = yield Fetch(plan.sql, self._bound(plan), plan.hydrate)
        return found

    def exists(self: Any) -> bool:
        """Whether there is any row. One query, or none where the rows are here already."""
        if self._result_cache is not None:
            return bool(self._result_cache)
        return self._database.run(self._exists)

    async def aexists(self: Any) -> bool:
        if self._result_cache is not None:
            return bool(self._result_cache)
        return await self._database.arun(self._exists)

    def _exists(self: Any, session: Session) -> Operation[bool]:
        if self._side is not None and peers.has_peers(self):
            prepared = yield from peers.answer(session, self, "exists")
            if prepared is not None:
                return bool(prepared)
        plan = self._plan(session, "exists")
        if plan is None or (self._high is not None and self._high <= self._low):
            return False
        found: bool = yield Fetch(plan.sql, self._bound(plan), plan.hydrate)
        return found

    def contains(self: Any, obj: Any) -> bool:
        """Whether ``obj`` is one of the rows. One query, or none where the rows are here already."""
        asked = self._contains(obj)
        return asked if isinstance(asked, bool) else asked.exists()

    async def acontains(self: Any, obj: Any) -> bool:
        asked = self._contains(obj)
        return asked if isinstance(asked, bool) else await asked.aexists()

    def _contains(self: Any, obj: Any) -> Any:
        self._refuse_combined("contains")
        if self._query.columns is not None:
            raise TypeError("Cannot call QuerySet.contains() after .values() or .values_list().")
        if not hasattr(obj, "_meta"):
            raise TypeError("'obj' must be a model instance.")
        if obj._meta.concrete_model is not self.model._meta.concrete_model:
            return False
        if obj.pk is None:
            raise ValueError("QuerySet.contains() cannot be used on unsaved objects.")
        return obj in self._result_cache if self._result_cache is not None else self.filter(pk=obj.pk)

    def aggregate(self: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Values computed over all rows, by name: ``aggregate(Avg("age"))`` is ``{"age__avg": 34.5}``. One query."""
        return self._database.run(self._aggregate, self._aggregates(args, kwargs))

    async def aaggregate(self: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return await self._database.arun(self._aggregate, self._aggregates(args, kwargs))

    def _aggregates(self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if self._query.distinct_on:
            raise NotImplementedError("aggregate() + distinct(fields) not implemented.")
        only_expressions("aggregate", (*args, *kwargs.values()))
        found = {}
        for arg in args:
            try:
                found[arg.default_alias] = arg
            except (AttributeError, TypeError):
                raise TypeError("Complex aggregates require an alias") from None
        found.update(kwargs)
        for name in found:
            check_alias(name)
        return found

    def _aggregate(self: Any, session: Session, found: dict[str, Any]) -> Operation[dict[str, Any]]:
        return (yield from aggregate(session, self, found))

    # -- many rows -----------------------------------------------------------------------------------------------------

    def in_bulk(self: Any, id_list: Iterable[Any] | None = None, *, field_name: Any = "pk") -> dict[Any, M]:
        """Rows by key (or by another unique field): those of ``id_list``, or all. One query."""
        found, pair = self._bulk(id_list, field_name)
        return {} if found is None else dict(map(pair, found))

    async def ain_bulk(self: Any, id_list: Iterable[Any] | None = None, *, field_name: Any = "pk") -> dict[Any, M]:
        found, pair = self._bulk(id_list, field_name)
        return {} if found is None else dict([pair(row) async for row in found])

    def _bulk(
        self: Any, id_list: Iterable[Any] | None, field_name: str
    ) -> tuple[Any, Callable[[Any], tuple[Any, Any]]]:
        """The rows to ask for, if any, and what makes a key and a value of each."""
        if self._low or self._high is not None:
            raise TypeError("Cannot use 'limit' or 'offset' with in_bulk().")
        (field_name,) = self._names((field_name,))
        meta = self.model._meta
        attname = "pk"
        if field_name != "pk":
            field = meta.get_field(field_name)
            attname = field.attname
            unique = field.unique or (field_name,) in meta.unique_sets() or [field.attname] == [
                n.attribute.name for n in self._query.distinct_on
            ]  # fmt: skip
            if not unique:
                raise ValueError(f"in_bulk()'s field_name must be a unique field but '{field_name}' isn't.")
            if field.is_relation and self.query.columns is None:  # as in Django the related rows are the keys
                return self.select_related(field_name)._bulk_by(id_list, field_name, field.name)
        return self._bulk_by(id_list, field_name, attname)

    def _bulk_by(
        self: Any, id_list: Iterable[Any] | None, field_name: str, attname: str
    ) -> tuple[Any, Callable[[Any], tuple[Any, Any]]]:
        keyed, pair = self._clone(), lambda row: (getattr(row, attname), row)
        if self._query.columns is not None:
            keyed = self._change(("bulk", field_name), lambda query: _with_key(query, field_name))
            pair = _keyed(self._query, field_name)
        if id_list is None:
            return keyed, pair
        keys = list(id_list)
        return (keyed.filter(**{f"{field_name}__in": keys}) if keys else None), pair

    def iterator(self: Any, chunk_size: int | None = None) -> Iterator[M]:
        """The rows, read in parts and not kept. One query (and each prefetch once per part, for which ``chunk_size`` is
        needed)."""
        return self._iterate(self._chunk(chunk_size))

    def _iterate(self: Any, size: int) -> Iterator[M]:
        database = self._database
        source = self._stream(size)
        cursor = database.run(source.open)
        try:
            while rows := database.run(source.read, cursor):
                yield from rows
        finally:
            database.run(source.close, cursor)

    async def aiterator(self: Any, chunk_size: int = 2000) -> AsyncIterator[M]:
        size = self._chunk(chunk_size)
        database = self._database
        if database.has_one_connection and database.async_session is None:
            # Kept for the whole loop, it would keep the loop's own queries waiting forever.
            for row in await self._clone()._afetch_all():
                yield row
            return
        source = self._stream(size)
        async with AsyncExitStack() as stack:
            session = database.async_session
            if session is None:
                session = await stack.enter_async_context(database.acquired())
            cursor = await database.drive(session, source.open)
            try:
                while rows := await database.drive(session, source.read, cursor):
                    for row in rows:
                        yield row
            finally:
                await database.drive(session, source.close, cursor)

    def _chunk(self: Any, chunk_size: int | None) -> int:
        if chunk_size is None:
            if self._prefetch:
                raise ValueError("chunk_size must be provided when using QuerySet.iterator() after prefetch_related().")
            return 2000
        if chunk_size <= 0:
            raise ValueError("Chunk size must be strictly positive.")
        return chunk_size

    def _stream(self: Any, size: int) -> Stream:
        return Stream(self._clone(), size)

    # -- other kinds of rows -------------------------------------------------------------------------------------------

    def raw(
        self: Any, raw_query: str, params: Any = (), translations: Any = None, using: str | None = None
    ) -> RawQuerySet[M]:
        """Instances from SQL of one's own, with ``%s`` for each of ``params``. One query, when they are needed."""
        found: RawQuerySet[M] = RawQuerySet(
            raw_query, self.model, params, translations, using or self._db, self._hints, self._fetch_mode
        )
        return found.prefetch_related(*self._prefetch) if self._prefetch else found

    def dates(self: Any, field_name: Any, kind: str, order: str = "ASC") -> Any:
        """The dates of a field cut off at ``year``, ``month``, ``week`` or ``day``, each once, in order. One query."""
        if kind not in DATE_KINDS:
            raise ValueError("'kind' must be one of 'year', 'month', 'week', or 'day'.")
        (field_name,) = self._names((field_name,))
        return self._cut_off("datefield", Trunc(field_name, kind, output_field=DATE), field_name, order)

    def datetimes(
        self: Any, field_name: Any, kind: str, order: str = "ASC", tzinfo: datetime.tzinfo | None = None
    ) -> Any:
        """The moments of a field cut off at ``year`` to ``second``, each once, in order. One query."""
        if kind not in (*DATE_KINDS, *TIME_KINDS):
            raise ValueError("'kind' must be one of 'year', 'month', 'week', 'day', 'hour', 'minute', or 'second'.")
        (field_name,) = self._names((field_name,))
        zone = tzinfo if settings.USE_TZ else None
        cut = Trunc(field_name, kind, output_field=DATETIME, tzinfo=zone)
        return self._cut_off("datetimefield", cut, field_name, order)

    def _cut_off(self: Any, name: str, cut: Any, field_name: str, order: str) -> Any:
        if order not in ("ASC", "DESC"):
            raise ValueError("'order' must be either 'ASC' or 'DESC'.")
        found = self.annotate(**{name: cut, "plain_field": F(field_name)}).values_list(name, flat=True).distinct()
        return found.filter(plain_field__isnull=False).order_by(("-" if order == "DESC" else "") + name)

    def explain(self: Any, *, format: str | None = None, **options: Any) -> str:
        """The database's plan for this query, as text. One query.

        PostgreSQL knows the formats TEXT, JSON, YAML and XML, and options such as ``analyze=True``. Raises
        ``ValueError`` for what the database does not know.
        """
        return self._database.run(self._explain, format, options)

    async def aexplain(self: Any, *, format: str | None = None, **options: Any) -> str:
        return await self._database.arun(self._explain, format, options)

    def _explain(self: Any, session: Session, format: str | None, options: dict[str, Any]) -> Operation[str]:
        words = session.dialect.explain(format, options)
        plan = self._plan(session, "select")
        if plan is None:
            return ""
        rows = yield Fetch(f"{words} {plan.sql}", self._bound(plan), list)
        return "\n".join(" ".join(_as_text(column) for column in row) for row in rows)


async def _afirst(found: Any) -> Any:
    """The first of what slicing gave: a queryset, or a list where the rows were here."""
    rows = found if isinstance(found, list) else await found._afetch_all()
    return rows[0] if rows else None


def _as_text(column: Any) -> str:
    return json.dumps(column) if isinstance(column, (list, dict)) else str(column)


class Stream:
    """A queryset read in parts: three operations, and the hydrator of its rows."""

    def __init__(self, queryset: Any, size: int) -> None:
        self.queryset = queryset
        self.size = size
        self.hydrate: Any = None

    def open(self, session: Session) -> Operation[Any]:
        queryset = self.queryset
        plan = queryset._plan(session, "select")
        if plan is None or (queryset._high is not None and queryset._high <= queryset._low):
            return None
        self.hydrate = plan.hydrate
        return (yield OpenCursor(plan.sql, queryset._bound(plan)))

    def read(self, session: Session, cursor: Any) -> Operation[list[Any]]:
        if cursor is None:
            return []
        rows = yield FetchRows(cursor, self.size)
        found: list[Any] = self.hydrate(rows) if rows else []
        if found:
            self.queryset._set_known(found)
            if self.queryset._prefetch:
                yield from prefetch(session, found, self.queryset._prefetch)
        return found

    def close(self, session: Session, cursor: Any) -> Operation[None]:
        if cursor is not None:
            yield CloseCursor(cursor)
