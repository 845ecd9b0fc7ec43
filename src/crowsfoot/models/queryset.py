"""`QuerySet`: a lazy question about one model's rows. Each method gives a changed copy; iterating asks the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Hashable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Generic, Literal, Self, TypeVar, overload

from crowsfoot.conf import settings
from crowsfoot.database import DEFAULT, Database, databases
from crowsfoot.drivers.run import Fetch, Operation
from crowsfoot.errors import EmptyResultSet, FieldError, NotSupportedError, ProgrammingError
from crowsfoot.models import peers, routing
from crowsfoot.models.plans import Plan, select_plan
from crowsfoot.models.prefetch import Prefetch, prefetch
from crowsfoot.models.reading import Reading
from crowsfoot.models.related_tree import merge, tree
from crowsfoot.models.state import FetchMode
from crowsfoot.models.typed import Condition, FieldPath
from crowsfoot.models.writing import Writing
from crowsfoot.persistence.session import Session
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F, OrderBy
from crowsfoot.query.nodes import Uncacheable
from crowsfoot.query.scope import Scope
from crowsfoot.query.shapes import SCALARS, Shape, freeze, root
from crowsfoot.query.statements import Combined, Lock, Query, order_items, select_items
from crowsfoot.query.subqueries import Exists, Subquery

M = TypeVar("M")
T = TypeVar("T")
REPR_SIZE = 20


class QuerySet(Reading[M], Writing[M], Generic[M]):
    """Rows of ``model``. Nothing is sent until the rows are needed; then one query (and one per prefetch) is.

    A copy shares its shape with every other queryset built by the same calls, so its SQL is compiled once.
    """

    # What a new queryset has, on the class, so that a copy carries only what was changed. ``_bare`` says that the shape
    # and the values alone are the question: no slice, no prefetch, no fetch mode, no known owner.
    _bare: bool = True
    _db: str | None = None
    _hints: Mapping[str, Any] = MappingProxyType({})
    _values: tuple[Any, ...] = ()
    _low: int = 0
    _high: int | None = None
    _result_cache: list[Any] | None = None
    _prefetch: tuple[Any, ...] = ()
    _prefetch_done: bool = False
    _fetch_mode: FetchMode | None = None
    _known_related: tuple[Any, ...] = ()
    _for_write: bool = False
    _via: Any = None
    _sub: tuple[Query, tuple[Any, ...]] | None = None

    def __init__(self, model: Any = None, query: Any = None, using: str | None = None, hints: Any = None) -> None:
        self.model = model
        if using is not None:
            self._db = using
        if hints:
            self._hints = hints
        self._shape: Shape = query if query is not None else model.__entity__.root or _root(model)

    @property
    def query(self) -> Query:
        """The frozen description of this question, without its values."""
        return self._shape.query

    @property
    def db(self) -> str:
        """The alias of the database that is asked."""
        if self._db is not None:
            return self._db
        if not settings.DATABASE_ROUTERS:
            return DEFAULT
        return routing.write(self.model, self._hints) if self._for_write else routing.read(self.model, self._hints)

    @property
    def _database(self) -> Database:
        return databases[self.db]

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

    def _chain(self) -> Self:
        """Django's name for ``_clone``."""
        return self._clone()

    def _follow(self, key: Hashable, given: list[Any], build: Any) -> Self:
        """The copy that one call leads to: along the edge ``key`` of the shape, with ``given`` in its slots."""
        shape = self._shape
        if key is None:
            shape, values = shape.detached(build)
        else:
            try:
                edge = shape.edges.get(key) or shape.grow(given, build, key)
                values = edge.values(given)
                shape = edge.shape
            except Uncacheable:
                shape, values = shape.detached(build)
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

    def _refuse_combined(self, name: str) -> None:
        combined = self.query.combined
        if combined is not None:
            operator = {"UNION": "union", "INTERSECT": "intersection", "EXCEPT": "difference"}[combined.operator]
            raise NotSupportedError(f"Calling QuerySet.{name}() after {operator}() is not supported.")

    # -- conditions ----------------------------------------------------------------------------------------------------

    def all(self) -> Self:
        """A copy of this queryset, not yet asked."""
        found = self._clone()
        found._sub = None
        return found

    def filter(self, *args: Condition, **kwargs: Any) -> Self:
        """The rows that meet every condition. Conditions of one call on a to-many relation hold for one related row.

        Raises ``FieldError`` for an unknown name or look-up, and ``ValueError``, ``TypeError`` or ``ValidationError``
        for a value that cannot be compared.
        """
        self._refuse_combined("filter")
        return self._where(False, args, kwargs)

    def exclude(self, *args: Condition, **kwargs: Any) -> Self:
        """The rows that do not meet all the conditions."""
        self._refuse_combined("exclude")
        return self._where(True, args, kwargs)

    def _where(self, negated: bool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Self:
        if (self._low or self._high is not None) and (args or kwargs):
            self._refuse_slice("filter")
        given = list(kwargs.values())
        kinds = tuple(map(type, given))
        key: Hashable
        if not args and SCALARS.issuperset(kinds):
            key = (negated, *kwargs, *kinds)
            edge = self._shape.edges.get(key)
            if edge is not None:  # built before: the way that a loop takes
                found = self._clone()
                found._shape = edge.shape
                try:
                    found._values = self._values + edge.values(given)
                    return found
                except Uncacheable:  # this value needs SQL of its own
                    key = None
        else:
            kwargs = {name: _listed(value) for name, value in kwargs.items()}
            given = []
            try:
                frozen = tuple([freeze(arg, given) for arg in args])
                key = (negated, frozen, tuple([(name, freeze(value, given)) for name, value in kwargs.items()]))
            except Uncacheable:
                key = None

        def build(query: Query) -> tuple[Query, Scope]:
            q = Q.create([*args, *kwargs.items()], negated=negated and bool(args or kwargs))
            scope = query.filter_scope()
            return query.filtered(scope, scope.resolve_condition(q)), scope

        return self._follow(key, given, build)

    def complex_filter(self, filter_obj: Q | Mapping[str, Any]) -> Self:
        """``filter()`` by a ``Q`` or by a dict of look-ups."""
        return self.filter(filter_obj) if isinstance(filter_obj, Q) else self.filter(**filter_obj)

    def none(self) -> Self:
        """No rows, without a query."""
        return self._change("none", lambda query: query.but(empty=True))

    # -- annotations ---------------------------------------------------------------------------------------------------

    def annotate(self, *args: Any, **kwargs: Any) -> Self:
        """Add computed values to each row, by name: ``annotate(n=Count("posts"))``."""
        self._refuse_combined("annotate")
        return self._annotate(args, kwargs, select=True)

    def alias(self, *args: Any, **kwargs: Any) -> Self:
        """Like ``annotate``, for use in later calls only: the values are not selected."""
        self._refuse_combined("alias")
        return self._annotate(args, kwargs, select=False)

    def _annotate(self, args: tuple[Any, ...], kwargs: dict[str, Any], select: bool) -> Self:
        found = self._named(args, kwargs)
        self._check_names(found)
        given: list[Any] = []
        try:
            key: Hashable = ("annotate", select, tuple([(name, freeze(e, given)) for name, e in found.items()]))
        except Uncacheable:
            key = None

        def build(query: Query) -> tuple[Query, Scope]:
            start = query.size
            values: list[Any] = []
            preparers: list[Any] = []
            for name, expression in found.items():
                scope = Scope(query)
                node = expression.resolve_expression(scope)
                query = query.annotated(name, node, scope, selected=select)
                values += scope.values
                preparers += scope.preparers
            whole = Scope(query, start=start)
            whole.values, whole.preparers = values, preparers
            return query, whole

        return self._follow(key, given, build)

    def _named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Annotations by name; an aggregate without one is called after its field: ``posts__count``."""
        found: dict[str, Any] = {}
        for arg in args:
            if not hasattr(arg, "resolve_expression"):
                raise TypeError(f"QuerySet.annotate() received non-expression(s): {arg}.")
            try:
                name = arg.default_alias
            except (AttributeError, TypeError):
                raise TypeError("Complex annotations require an alias") from None
            if name in kwargs:
                raise ValueError(
                    f"The named annotation '{name}' conflicts with the default name for another annotation."
                )
            found[name] = arg
        for name, value in kwargs.items():
            if not hasattr(value, "resolve_expression"):
                if hasattr(value, "as_subquery"):
                    value = Subquery(value)
                else:
                    raise TypeError(f"QuerySet.annotate() received non-expression(s): {value}.")
            found[name] = value
        return found

    def _check_names(self, names: Iterable[str]) -> None:
        taken = {n for f in self.model._meta.get_fields() for n in (f.name, getattr(f, "attname", f.name))}
        if self.query.columns is not None:
            taken = set()
        for name in names:
            if any(c in name for c in " \"'`;%\t\n\r.\\[]()$#-/*") or not name:
                raise ValueError(
                    "Column aliases cannot contain whitespace characters, hashes, control characters, quotation marks, "
                    "semicolons, percent signs, parentheses, dashes, slashes, dollars or dots."
                )
            if name in taken:
                raise ValueError(f"The annotation '{name}' conflicts with a field on the model.")

    # -- order and choice ----------------------------------------------------------------------------------------------

    def order_by(self, *names: Any) -> Self:
        """Order by these names (``-`` in front for descending, ``?`` for random) and expressions; none clears the order."""
        self._refuse_slice("reorder")
        given: list[Any] = []
        try:
            key: Hashable = ("order", tuple([n if isinstance(n, str) else freeze(n, given) for n in names]))
        except Uncacheable:
            key = None

        def build(query: Query) -> tuple[Query, Scope]:
            scope = Scope(query)
            return query.ordered(order_items(query, scope, names), scope), scope

        return self._follow(key, given, build)

    def reverse(self) -> Self:
        """The same rows in the opposite order."""
        if self._low or self._high is not None:
            raise TypeError("Cannot reverse a query once a slice has been taken.")
        return self._change("reverse", lambda query: query.but(flipped=not query.flipped))

    def distinct(self, *names: str) -> Self:
        """Each row once; with names (on PostgreSQL) the first row for each combination of these."""
        self._refuse_combined("distinct")
        if self._low or self._high is not None:
            raise TypeError("Cannot create distinct fields once a slice has been taken.")

        def build(query: Query) -> tuple[Query, Scope]:
            scope = Scope(query)
            nodes = tuple(F(name).resolve_expression(scope) for name in names)
            return query.but(distinct=True, distinct_on=nodes), scope

        return self._follow(("distinct", names), [], build)

    def values(self, *fields: Any, **expressions: Any) -> QuerySet[dict[str, Any]]:
        """Rows as dicts of these fields; all concrete fields without arguments."""
        self._refuse_combined_values("values")
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
        names: list[Any] = []
        expressions: dict[str, Any] = {}
        number = 1
        for field in fields:
            if hasattr(field, "resolve_expression") and not type(field).__name__.endswith("Path"):
                alias = getattr(field, "default_alias", None) if hasattr(type(field), "default_alias") else None
                name = alias or f"{type(field).__name__.lower()}{number}"
                number += 1
                expressions[name] = field
                names.append(name)
            else:
                names.append(field)
        if flat and not fields:
            names = [self.model._meta.pk.name]
        return self._select("flat" if flat else "named" if named else "tuple", tuple(names), expressions)

    def _refuse_combined_values(self, name: str) -> None:
        if self.query.combined is not None and self.query.combined.operator != "UNION":
            return

    def _select(self, rows: str, fields: tuple[Any, ...], expressions: dict[str, Any]) -> QuerySet[Any]:
        plain = tuple(f if isinstance(f, str) else f.name for f in fields)
        base = self._annotate((), expressions, select=True) if expressions else self
        if expressions and rows == "dict":
            plain = (*plain, *expressions)

        def build(query: Query) -> tuple[Query, Scope]:
            scope = Scope(query)
            names = plain or _all_names(query)
            for name in expressions:
                if name not in names:
                    names = (*names, name)
            return query.selecting(rows, select_items(query, scope, names), scope), scope

        return base._follow(("values", rows, plain, tuple(expressions)), [], build)

    def only(self, *fields: Any) -> Self:
        """Load these fields (and the key); the others are loaded for all peers when one is touched."""
        return self._defer(fields, False)

    def defer(self, *fields: Any) -> Self:
        """Do not load these fields until they are touched; ``defer(None)`` loads all."""
        return self._defer(fields, True)

    def _defer(self, fields: tuple[Any, ...], defer: bool) -> Self:
        if self.query.columns is not None:
            raise TypeError(f"Cannot call {'defer' if defer else 'only'}() after .values() or .values_list()")
        if fields == (None,):
            if not defer:
                raise TypeError("Cannot pass None as an argument to only().")
            return self._change("defer none", lambda query: query.but(deferred=(frozenset(), True)))
        names = tuple(_name(f) for f in fields)
        return self._change(("defer", defer, names), lambda query: _deferred(query, names, defer))

    def select_related(self, *fields: Any) -> Self:
        """Load to-one relations by joins in the same query; without names all that cannot be NULL; ``None`` for none."""
        self._refuse_combined("select_related")
        if self.query.columns is not None:
            raise TypeError("Cannot call select_related() after .values() or .values_list()")
        if fields == (None,):
            return self._change("related none", lambda query: query.but(related=()))
        names = tuple(_name(f) for f in fields)
        return self._change(
            ("related", names), lambda query: query.but(related=merge(query.related, tree(query.entity, names)))
        )  # fmt: skip

    def prefetch_related(self, *lookups: Any) -> Self:
        """Load these relations for all rows, each with one more query; ``None`` forgets what was asked before."""
        self._refuse_combined("prefetch_related")
        found = self._clone()
        if lookups == (None,):
            found._prefetch = ()
        else:
            found._bare = False
            found._prefetch = (*self._prefetch, *[x if isinstance(x, Prefetch) else _name(x) for x in lookups])
        return found

    def fetch_mode(self, fetch_mode: FetchMode) -> Self:
        """What touching an unloaded value of these rows does: ``FETCH_PEERS``, ``FETCH_ONE`` or ``FETCH_RAISE``."""
        found = self._clone()
        found._bare = False
        found._fetch_mode = fetch_mode
        return found

    def using(self, alias: str | None) -> Self:
        """Ask the database of this alias."""
        found = self._clone()
        found._db = alias
        return found

    def select_for_update(
        self, nowait: bool = False, skip_locked: bool = False, of: tuple[str, ...] = (), no_key: bool = False
    ) -> Self:
        """Lock the rows until the end of the transaction, where the database can."""
        if nowait and skip_locked:
            raise ValueError("The nowait option cannot be used with skip_locked.")
        self._refuse_combined("select_for_update")
        lock = Lock(nowait, skip_locked, tuple(of), no_key)
        found = self._change(("lock", lock), lambda query: query.but(lock=lock))
        found._for_write = True
        return found

    # -- combination ---------------------------------------------------------------------------------------------------

    def union(self, *others: QuerySet[Any], all: bool = False) -> Self:
        """The rows of any of these querysets, each once unless ``all``."""
        querysets: list[Any] = [self, *others]
        asked = [qs for qs in querysets if not qs.query.empty]
        if not asked:
            return self
        return asked[0]._combine("UNION", all, asked[1:])

    def intersection(self, *others: QuerySet[Any]) -> Self:
        """The rows that all of these querysets have."""
        if self.query.empty or any(qs.query.empty for qs in others):
            return self.none()
        return self._combine("INTERSECT", False, others)

    def difference(self, *others: QuerySet[Any]) -> Self:
        """The rows that this queryset has and the others have not."""
        if self.query.empty:
            return self
        return self._combine("EXCEPT", False, [qs for qs in others if not qs.query.empty])

    def _combine(self, operator: str, all: bool, others: Iterable[Any]) -> Any:
        first_query, first_values = self.as_subquery()
        size = first_query.size
        parts: list[tuple[Query, int]] = []
        values = list(first_values)
        for other in others:
            query, more = other.as_subquery()
            parts.append((query, size))
            size += query.size
            values += more
        found = self._clone()
        found._via = None
        found._low, found._high = 0, None
        combined = Combined(operator, all, tuple(parts))
        base = first_query
        if first_query.is_sliced or first_query.combined is not None or first_query.order:
            combined = Combined(operator, all, ((first_query, 0), *parts))
        found._shape = Shape(base.but(combined=combined, order=(), flipped=False, limits=(None, None), size=size, steps=base.steps))
        found._values = tuple(values)
        return found

    def _merge_sets(self, other: Any, connector: str) -> Any:
        """``&``, ``|`` and ``^``: rows by key in both, either or exactly one."""
        if self.model is not other.model and self.model._meta.concrete_model is not other.model._meta.concrete_model:
            raise TypeError("Cannot combine queries on two different base models.")
        for qs in (self, other):
            if qs.query.combined is not None:
                raise NotSupportedError("Combining querysets that were combined by union() is not supported.")
        if self.query.empty or other.query.empty:
            if connector == "AND":
                return self if self.query.empty else other
            return other if self.query.empty else self
        if self._low or self._high is not None or other._low or other._high is not None:
            if connector == "AND":
                raise TypeError("Cannot combine queries once a slice has been taken.")
        left = self if self._is_plain else self._clone().order_by() if not (self._low or self._high is not None) else self
        one, two = Q(pk__in=left._keys()), Q(pk__in=other._keys())
        base = type(self)(self.model, using=self._db)
        condition = one & two if connector == "AND" else one | two if connector == "OR" else one ^ two
        found = base.filter(condition)
        if self.query.order is not None and not self._low and self._high is None:
            order = self.query.order
            found = found._change(None, lambda query: query.but(order=order, flipped=self.query.flipped))
        return found

    @property
    def _is_plain(self) -> bool:
        return not (self._low or self._high is not None)

    def _keys(self) -> Any:
        """The keys of these rows, as a subquery."""
        return self.values("pk") if self.query.columns is None else self

    def __and__(self, other: QuerySet[Any]) -> Self:
        return self._merge_sets(other, "AND")

    def __or__(self, other: QuerySet[Any]) -> Self:
        return self._merge_sets(other, "OR")

    def __xor__(self, other: QuerySet[Any]) -> Self:
        return self._merge_sets(other, "XOR")

    # -- as part of another query --------------------------------------------------------------------------------------

    def as_subquery(self) -> tuple[Query, tuple[Any, ...]]:
        """The description with its slice, and the values of all its slots."""
        if self._sub is None:
            query = self.query
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
                raise ValueError(
                    "The QuerySet value for an exact lookup must be limited to one result using slicing."
                )
        elif found.lookup_name == "exact":
            raise ValueError("The QuerySet value for an exact lookup must be limited to one result using slicing.")
        if self.has_chosen_columns:
            return self
        attribute = getattr(lhs, "attribute", None)
        name = "pk"
        if attribute is not None and attribute.entity is not self.query.entity:
            name = "pk"
        elif attribute is not None and attribute.field is not None and not attribute.field.primary_key:
            name = attribute.name if attribute.name in self.query.entity.attributes else "pk"
        whole = self._clone()
        whole._low, whole._high = 0, None
        chosen = whole._select("tuple", (name,), {})
        chosen._low, chosen._high = self._low, self._high
        return chosen

    @property
    def has_chosen_columns(self) -> bool:
        return self.query.columns is not None

    @property
    def __entity__(self) -> Any:
        return self.query.entity

    def freeze(self, out: list[Any]) -> Hashable:
        """This queryset as part of the key of another shape."""
        query, values = self.as_subquery()
        if any(isinstance(v, (list, tuple, set)) for v in values):
            pass
        out.extend(values)
        return QuerySet, self._shape, self._low, self._high

    def resolve_expression(self, query: Any = None, *args: Any, **kwargs: Any) -> Any:
        """A queryset among expressions is a subquery."""
        return Subquery(self).resolve_expression(query, *args, **kwargs)

    as_subquery.queryset_only = for_lookup.queryset_only = True  # type: ignore[attr-defined]
    freeze.queryset_only = resolve_expression.queryset_only = True  # type: ignore[attr-defined]

    # -- running -------------------------------------------------------------------------------------------------------

    def _plan(self, db: Database | Session, operation: str) -> Plan | None:
        """What to send for ``operation``, compiled once per shape and database; None where no row can match."""
        mode = self._fetch_mode
        key = (db.alias, operation, self._low > 0, self._high is not None, mode)
        plan = self._shape.plans.get(key, MISSING)
        if plan is MISSING:
            try:
                plan = select_plan(self.query, db.dialect, db.alias, operation, self._low > 0, self._high is not None, mode)
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
            if self._via is not None and peers.has_peers(self):
                self._database.run(self._load)
            else:
                self._result_cache = self._ask("select")
        if self._prefetch and not self._prefetch_done:
            self._database.run(self._prefetch_all)

    def _load(self, session: Session) -> Operation[list[Any]]:
        """All rows, prefetched relations included, as an operation."""
        if self._result_cache is None:
            self._result_cache = yield from self._rows(session)
        if self._prefetch and not self._prefetch_done:
            yield from self._prefetch_all(session)
        return self._result_cache

    def _rows(self, session: Session) -> Operation[list[Any]]:
        if self._via is not None and peers.has_peers(self):
            found: list[Any] = yield from peers.answer(session, self, "select")
            if found is not peers.MISSING:
                self._prefetch_done = True
                return found
        plan = self._plan(session, "select")
        if plan is None or (self._high is not None and self._high <= self._low):
            return []
        rows: list[Any] = yield Fetch(plan.sql, self._bound(plan), plan.hydrate)
        if self._known_related:
            self._set_known(rows)
        return rows

    def _prefetch_all(self, session: Session) -> Operation[None]:
        if self._result_cache and self.query.columns is None:
            yield from prefetch(session, self._result_cache, self._prefetch)
        self._prefetch_done = True

    def _set_known(self, rows: Iterable[Any]) -> None:
        """Rows that came through a relation know the instance they came from."""
        if self.query.columns is not None:
            return
        for name, attname, instances in self._known_related:
            for row in rows:
                instance = instances.get(row.__dict__.get(attname))
                if instance is not None and name not in row.__dict__:
                    row.__dict__[name] = instance

    def __iter__(self) -> Iterator[M]:
        self._fetch_all()
        assert self._result_cache is not None
        return iter(self._result_cache)

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
        return list(self._sliced(k, k + 1))[0]

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
        shown: list[Any] = [*rows[:REPR_SIZE], "...(remaining elements truncated)..."] if len(rows) > REPR_SIZE else rows
        return f"<{type(self).__name__} {shown!r}>"

    def __copy__(self) -> Self:
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__)
        return found

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._clone()

    def __getstate__(self) -> dict[str, Any]:
        self._fetch_all()
        rows = self._result_cache
        return {"model": self.model._meta.label_lower, "rows": rows, "db": self._db, "prefetch_done": True}

    def __setstate__(self, state: dict[str, Any]) -> None:
        model = routing.model_of(state["model"])
        QuerySet.__init__(self, model, using=state["db"])
        self._result_cache, self._prefetch_done = state["rows"], True

    @property
    def ordered(self) -> bool:
        """Whether the rows come in an order that was asked for."""
        query = self.query
        if query.empty:
            return True
        if query.order is not None:
            return bool(query.order)
        return bool(query.entity.ordering) and not query.is_aggregated

    @classmethod
    def as_manager(cls) -> Any:
        """A manager with this queryset's methods."""
        manager = routing.MANAGER[0].from_queryset(cls)()
        manager._built_with_asmanager = True
        return manager

    as_manager.queryset_only = True  # type: ignore[attr-defined]

    def _add_hints(self, **hints: Any) -> None:
        self._hints = {**self._hints, **hints}


MISSING: Any = object()


class _IsEmpty(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, QuerySet) and instance.query.empty


class EmptyQuerySet(metaclass=_IsEmpty):
    """``isinstance(queryset, EmptyQuerySet)`` tells whether ``none()`` was called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("EmptyQuerySet can't be instantiated")


def _root(model: Any) -> Shape:
    entity = model._meta.entity
    model._meta.apps.link()
    entity.ensure_ready()
    entity.root = root(Query(entity))
    return entity.root


def _listed(value: Any) -> Any:
    """Iterators are read once, here."""
    return list(value) if hasattr(value, "__next__") else value


def _name(field: Any) -> str:
    if isinstance(field, str):
        return field
    if isinstance(field, F) and isinstance(field._path, str):
        return field._path
    raise FieldError(f"{field!r} is not the name of a field.")


def _index(value: Any) -> int | None:
    return None if value is None else int(value)


def _all_names(query: Query) -> tuple[str, ...]:
    """What ``values()`` selects without arguments: every concrete field, then the annotations."""
    names = [a.name for a in query.entity.attributes.values()]
    return (*names, *[name for name, _ in query.selected_annotations])


def _deferred(query: Query, names: tuple[str, ...], defer: bool) -> Query:
    """Names may lead through ``select_related``; there they choose the columns of the related row."""
    own: set[str] = set()
    nested: dict[str, list[str]] = {}
    for name in names:
        first, _, rest = name.partition("__")
        if rest and first in query.entity.ends:
            nested.setdefault(first, []).append(rest)
            if not defer:
                own.add(first)
        else:
            own.add(name)
    attributes = frozenset(_attnames(query.entity, own))
    current, was_defer = query.deferred
    if defer:
        chosen = (current | attributes, True) if was_defer else (current - attributes, False)
    elif was_defer and not current:
        chosen = (attributes, False)
    elif was_defer:
        chosen = (attributes - current, False) if attributes else (current, True)
    else:
        chosen = (attributes, False)
    if not own and nested and not defer:
        chosen = query.deferred
    related = tuple(_only(item, nested.get(item.end.name), defer) for item in query.related)
    return query.but(deferred=chosen, related=related)


def _attnames(entity: Any, names: Iterable[str]) -> list[str]:
    found = []
    for name in names:
        if name == "pk":
            found += [a.name for a in entity.key]
            continue
        attname = entity.aliases.get(name, name)
        if attname not in entity.attributes:
            entity.resolve(name)
            continue
        found.append(attname)
    return found


def _only(item: Any, names: list[str] | None, defer: bool) -> Any:
    if not names:
        return item
    inner = _deferred(Query(item.end.target, related=item.children), tuple(names), defer)
    return type(item)(item.end, inner.related, inner.deferred)


__all__ = ["Exists", "OrderBy", "ProgrammingError", "QuerySet"]
