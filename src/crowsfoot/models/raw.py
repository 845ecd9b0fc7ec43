"""`QuerySet.raw()`: instances from SQL of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from operator import itemgetter
from typing import Any, Generic, Self, TypeVar

from crowsfoot.connection import translate
from crowsfoot.database import databases
from crowsfoot.drivers.connection import Answer
from crowsfoot.drivers.run import Operation, Raw
from crowsfoot.errors import FieldDoesNotExist
from crowsfoot.models import routing
from crowsfoot.models.prefetch import prefetch
from crowsfoot.persistence.hydrate import make_hydrator
from crowsfoot.persistence.session import Session
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.sql.select import SelectCompiler
from crowsfoot.sql.statement import Row

M = TypeVar("M")


class RawQuery:
    """The SQL of a `RawQuerySet` and its parameters."""

    def __init__(self, sql: str, params: Any = ()) -> None:
        self.sql = sql
        self.params = params

    def __str__(self) -> str:
        if self.params is None:
            return self.sql
        return self.sql % (self.params if isinstance(self.params, Mapping) else tuple(self.params))

    def __repr__(self) -> str:
        return f"<RawQuery: {self}>"


class RawQuerySet(Generic[M]):
    """Instances of ``model`` from the rows of ``raw_query``. Nothing is sent until they are needed; then one query is.

    Columns go to the fields that they belong to (``translations`` are names of columns and of the fields meant); a
    field that no column belongs to is deferred, and a column of no field becomes an attribute. Rows must hold the
    primary key.
    """

    def __init__(
        self,
        raw_query: str,
        model: Any = None,
        params: Any = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
        hints: Mapping[str, Any] | None = None,
        fetch_mode: Any = None,
    ) -> None:
        self.raw_query = raw_query
        self.model = model
        self.params = params
        self.translations = dict(translations or {})
        self.query = RawQuery(raw_query, params)
        self._db = using
        self._hints = dict(hints or {})
        self._fetch_mode = fetch_mode
        self._prefetch: tuple[Any, ...] = ()
        self._columns: tuple[str, ...] | None = None
        self._result_cache: list[M] | None = None

    @property
    def db(self) -> str:
        """The alias of the database that is asked."""
        return self._db or routing.read(self.model, self._hints)

    @property
    def columns(self) -> list[str]:
        """The names of the result's columns, translated. One query, where it was not sent before."""
        self._fetch_all()
        return list(self._columns or ())

    def _clone(self) -> Self:
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__, _result_cache=None, _columns=None)
        return found

    def using(self, alias: str | None) -> Self:
        """Ask the database of this alias."""
        found = self._clone()
        found._db = alias
        return found

    def prefetch_related(self, *lookups: Any) -> Self:
        """Load these relations for all rows, each with one more query; ``None`` forgets what was asked before."""
        found = self._clone()
        found._prefetch = () if len(lookups) == 1 and lookups[0] is None else (*self._prefetch, *lookups)
        return found

    # -- running -------------------------------------------------------------------------------------------------------

    def _load(self, session: Session) -> Operation[list[M]]:
        if self._result_cache is None:
            session.wrote()  # nobody knows what the SQL does
            answer: Answer = yield Raw(*translate(session.dialect, self.raw_query, self.params))
            rows = self._hydrated(session, answer)
            if rows and self._prefetch:
                yield from prefetch(session, rows, self._prefetch)
            self._result_cache = rows
        return self._result_cache

    def _hydrated(self, session: Session, answer: Answer) -> list[M]:
        self._columns = tuple(self.translations.get(name, name) for name in answer.columns)
        places = {name: place for place, name in reversed(list(enumerate(self._columns)))}
        entity: Entity = self.model._meta.entity
        known = _by_column(entity)
        found = [(known[name], place) for name, place in places.items() if name in known]
        loaded = {attribute.name for attribute, _ in found}
        if any(attribute.name not in loaded for attribute in entity.key):
            raise FieldDoesNotExist("Raw query must include the primary key")
        compiler = SelectCompiler(session.dialect, Query(entity))
        row = Row(entity, partial=len(loaded) < len(entity.attributes))
        row.attributes = [(attribute, compiler.reader(attribute.value_type)) for attribute, _ in found]
        row.extras = [(name, None) for name in places if name not in known]
        order = [place for _, place in found] + [place for name, place in places.items() if name not in known]
        hydrate = make_hydrator(row, session.alias, self._fetch_mode)
        if len(order) == 1:
            return hydrate([(values[order[0]],) for values in answer.rows])
        return hydrate(map(itemgetter(*order), answer.rows))

    def _fetch_all(self) -> list[M]:
        if self._result_cache is None:
            databases[self.db].run(self._load)
        assert self._result_cache is not None
        return self._result_cache

    async def _afetch_all(self) -> list[M]:
        if self._result_cache is None:
            await databases[self.db].arun(self._load)
        assert self._result_cache is not None
        return self._result_cache

    def __iter__(self) -> Iterator[M]:
        return iter(self._fetch_all())

    def iterator(self) -> Iterator[M]:
        """The rows, not kept here."""
        return iter(self._clone())

    async def __aiter__(self) -> AsyncIterator[M]:
        for row in await self._afetch_all():
            yield row

    def __await__(self) -> Generator[Any, None, list[M]]:
        return self._afetch_all().__await__()

    def __len__(self) -> int:
        return len(self._fetch_all())

    def __bool__(self) -> bool:
        return bool(self._fetch_all())

    def __getitem__(self, k: Any) -> Any:
        return self._fetch_all()[k]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.query}>"


def _by_column(entity: Entity) -> dict[str, Attribute]:
    """Attributes by the name of their column, and by their own; those of the entity's own table come first."""
    own, inherited = entity.own_attributes, [a for a in entity.attributes.values() if a.via]
    ordered = [*inherited, *own]
    return {**{a.name: a for a in ordered}, **{a.column.name: a for a in ordered}}
