"""Chaining: the methods of a queryset that narrow, order and shape its question. None of them sends anything."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, Self, TypeVar

from crowsfoot.errors import FieldError
from crowsfoot.models.prefetch import Prefetch
from crowsfoot.models.question import Question
from crowsfoot.models.related_tree import merge, tree
from crowsfoot.models.state import FetchMode
from crowsfoot.models.typed import Condition, FieldPath, RelationPath
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import Extra, F, RawSQL, name_of
from crowsfoot.query.filtered import FilteredRelation, check_name, join
from crowsfoot.query.inference import BOOLEAN
from crowsfoot.query.loading import ALL, changed, check
from crowsfoot.query.nodes import Uncacheable
from crowsfoot.query.paths import check_alias
from crowsfoot.query.scope import Scope
from crowsfoot.query.shapes import SCALARS, freeze
from crowsfoot.query.statements import Lock, Query, order_items
from crowsfoot.query.subqueries import Subquery

M = TypeVar("M")
T = TypeVar("T")


class Chaining(Question[M], Generic[M]):
    """The chaining part of `QuerySet`."""

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
        if "_connector" in kwargs or "_negated" in kwargs:
            names = "', '".join(sorted({"_connector", "_negated"}.intersection(kwargs)))
            raise TypeError(f"The following kwargs are invalid: '{names}'")
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
        return self._with_values(found, select)

    def _with_values(self, found: dict[str, Any], select: bool) -> Self:
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
                if isinstance(expression, FilteredRelation):
                    query, scope = join(query, name, expression)
                else:
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
        only_expressions("annotate", (*args, *kwargs.values()))
        for arg in args:
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
            found[name] = Subquery(value) if hasattr(value, "as_subquery") else value
        return found

    def _check_names(self, named: dict[str, Any]) -> None:
        taken = {n for f in self.model._meta.get_fields() for n in (f.name, getattr(f, "attname", f.name))}
        if self._query.columns is not None:
            taken = set()
        for name, expression in named.items():
            if isinstance(expression, FilteredRelation):
                check_name(name)
            check_alias(name)
            if name in taken:
                raise ValueError(f"The annotation '{name}' conflicts with a field on the model.")

    def extra(
        self,
        select: Mapping[str, Any] | None = None,
        where: Sequence[str] | None = None,
        params: Sequence[Any] | None = None,
        tables: Sequence[str] | None = None,
        order_by: Sequence[str] | None = None,
        select_params: Sequence[Any] | None = None,
    ) -> Self:
        """SQL of one's own inside the query: values by name, conditions, further tables, an order. Prefer ``RawSQL``.

        Never build it from what a user sent; ``params`` and ``select_params`` are the values of its ``%s``, in order.
        """
        self._refuse_combined("extra")
        self._refuse_slice("change")
        found: Any = self
        if select:
            values = iter(select_params or ())
            pieces = {name: str(sql) for name, sql in select.items()}
            chosen = {name: Extra(sql, list(islice(values, _marks(sql)))) for name, sql in pieces.items()}
            for name in chosen:
                check_alias(name)
            everything = self._query.has_all_columns
            found = found._with_values(chosen, select=everything)
            if everything and self._query.columns is not None:
                found = found._select(self._query.rows, (), {})
        if where:
            condition = RawSQL(" AND ".join(f"({part})" for part in where), list(params or ()), BOOLEAN)
            found = found._where(False, (condition,), {})
        if tables:
            names = tuple(tables)
            found = found._change(("tables", names), lambda query: query.but(tables=(*query.tables, *names)))
        if order_by:
            found = found.order_by(*[_own_order(name) if "." in name else name for name in order_by])
        return found

    # -- order and choice ----------------------------------------------------------------------------------------------

    def order_by(self, *names: Any) -> Self:
        """Order by names (``-`` before one for descending, ``?`` for random) and expressions; none clears the order."""
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

    def distinct(self, *fields: Any) -> Self:
        """Each row once; with names (on PostgreSQL) the first row for each combination of these."""
        self._refuse_combined("distinct")
        if self._low or self._high is not None:
            raise TypeError("Cannot create distinct fields once a slice has been taken.")
        names = self._names(fields)

        def build(query: Query) -> tuple[Query, Scope]:
            scope = Scope(query)
            scope.annotations = {n: node for n, node in query.annotations if n not in query.hidden}
            nodes = tuple(F(name).resolve_expression(scope) for name in names)
            return query.but(distinct=True, distinct_on=nodes), scope

        return self._follow(("distinct", names), [], build)

    def only(self, *fields: Any) -> Self:
        """Load these fields (and the key); the others are loaded for all peers when one is touched."""
        return self._defer(fields, False)

    def defer(self, *fields: Any) -> Self:
        """Do not load these fields until they are touched; ``defer(None)`` loads all."""
        return self._defer(fields, True)

    def _defer(self, fields: tuple[Any, ...], defer: bool) -> Self:
        self._refuse_combined("defer" if defer else "only")
        if self._query.columns is not None:
            raise TypeError(f"Cannot call {'defer' if defer else 'only'}() after .values() or .values_list()")
        if _is_none(fields):
            if not defer:
                raise TypeError("Cannot pass None as an argument to only().")
            return self._change("defer none", lambda query: query.but(deferred=ALL))
        names = self._names(fields)
        named = self._query.relation_map
        if not defer and any(name.split("__")[0] in named for name in names):
            raise ValueError("only() is not supported with FilteredRelation.")

        def build(query: Query) -> Query:
            check(query.entity, names, named)
            return query.but(deferred=changed(query.deferred, names, defer, query.entity))

        return self._change(("defer", defer, names), build)

    def select_related(self, *fields: Any) -> Self:
        """Load to-one relations by joins in the same query; without names all that are never NULL; ``None``: none."""
        self._refuse_combined("select_related")
        if self._query.columns is not None:
            raise TypeError("Cannot call select_related() after .values() or .values_list()")
        if _is_none(fields):
            return self._change("related none", lambda query: query.but(related=()))
        names = self._names(fields)
        for field in fields:
            self._check_relation(field, "select_related", many=False)

        def build(query: Query) -> Query:
            return query.but(related=merge(query.related, tree(query.entity, names, query.relation_map)))

        return self._change(("related", names), build)

    def prefetch_related(self, *lookups: Any) -> Self:
        """Load these relations for all rows, each with one more query; ``None`` forgets what was asked before."""
        self._refuse_combined("prefetch_related")
        found = self._clone()
        if _is_none(lookups):
            found._prefetch = ()
        else:
            self._names([given for given in lookups if not isinstance(given, Prefetch)])
            for given in lookups:
                name = given.prefetch_to if isinstance(given, Prefetch) else name_of(given)
                self._check_relation(given, "prefetch_related", many=True)
                if name.split("__")[0] in self._query.relation_map:
                    raise ValueError("prefetch_related() is not supported with FilteredRelation.")
            found._bare = False
            found._prefetch = (*self._prefetch, *[x if isinstance(x, Prefetch) else name_of(x) for x in lookups])
        return found

    def fetch_mode(self, fetch_mode: FetchMode) -> Self:
        """What touching an unloaded value of these rows does: ``FETCH_PEERS``, ``FETCH_ONE`` or ``FETCH_RAISE``."""
        found = self._clone()
        found._bare = False
        found._fetch_mode = fetch_mode
        return found

    def _names(self, fields: Iterable[Any]) -> tuple[str, ...]:
        """The names of fields, given as strings or paths of this model. Raises ``FieldError`` for anything else."""
        names = []
        for field in fields:
            names.append(name_of(field))
            if isinstance(field, FieldPath):
                Scope(self._query).check_root(field._root, names[-1])
        return tuple(names)

    def _check_relation(self, field: Any, method: str, many: bool) -> None:
        """Raise ``FieldError`` where a typed path leads to no relation that ``method`` loads.

        Names are looked at when the queryset is asked, as in Django.
        """
        if not isinstance(field, FieldPath):
            return
        ends = Scope(self._query).parse(tuple(field._path.split("__"))).ends
        said = f"{method}() loads relations, and {field._root.__name__}.{field._path.replace('__', '.')}"
        if not isinstance(field, RelationPath):
            raise FieldError(f"{said} is a field.")
        if not many and any(end.many for end in ends):
            raise FieldError(f"{said} leads to many rows: prefetch_related() loads those.")

    def using(self, alias: str | None) -> Self:
        """Ask the database of this alias."""
        found = self._clone()
        found._db = alias
        return found

    def select_for_update(
        self, nowait: bool = False, skip_locked: bool = False, of: tuple[Any, ...] = (), no_key: bool = False
    ) -> Self:
        """Lock the rows until the end of the transaction, where the database can."""
        if nowait and skip_locked:
            raise ValueError("The nowait option cannot be used with skip_locked.")
        self._refuse_combined("select_for_update")
        lock = Lock(nowait, skip_locked, self._names(of), no_key)
        found = self._change(("lock", lock), lambda query: query.but(lock=lock))
        found._for_write = True
        return found


def only_expressions(method: str, values: Iterable[Any]) -> None:
    """Raise ``TypeError`` for what is no expression."""
    wrong = [str(value) for value in values if not hasattr(value, "resolve_expression")]
    if wrong:
        raise TypeError(f"QuerySet.{method}() received non-expression(s): {', '.join(wrong)}.")


def _marks(sql: str) -> int:
    """How many values SQL of one's own takes; a percent sign is written twice in it."""
    return sql.replace("%%", "").count("%s")


def _own_order(name: str) -> Any:
    """``table.column`` as it stands, with ``-`` before it for descending."""
    node = RawSQL(name.removeprefix("-"), [])
    return node.desc() if name.startswith("-") else node.asc()


def _is_none(given: tuple[Any, ...]) -> bool:
    return len(given) == 1 and given[0] is None  # not by ==, which makes a condition of a path


def _listed(value: Any) -> Any:
    """Iterators are read once, here."""
    return list(value) if hasattr(value, "__next__") else value
