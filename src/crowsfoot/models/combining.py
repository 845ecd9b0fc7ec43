"""Sets of rows combined: `union`, `intersection`, `difference`, and ``&``, ``|``, ``^``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, Self, TypeVar

from crowsfoot.errors import NotSupportedError
from crowsfoot.models.chaining import Chaining
from crowsfoot.models.question import Question
from crowsfoot.query.conditions import Q
from crowsfoot.query.resolved import Col, parts
from crowsfoot.query.scope import Scope
from crowsfoot.query.shapes import Shape
from crowsfoot.query.statements import Combined, Query

M = TypeVar("M")
T = TypeVar("T")
SIGNS = {"AND": "&", "OR": "|", "XOR": "^"}


class Combining(Chaining[M], Generic[M]):
    """The combining part of `QuerySet`."""

    # -- combination ---------------------------------------------------------------------------------------------------

    def union(self, *others: Question[Any], all: bool = False) -> Self:
        """The rows of any of these querysets, each once unless ``all``."""
        querysets: list[Any] = [self, *others]
        asked = [qs for qs in querysets if not qs._query.empty]
        if not asked:
            return self
        return asked[0]._combine("UNION", all, asked[1:])

    def intersection(self, *others: Question[Any]) -> Self:
        """The rows that all of these querysets have."""
        if self._query.empty or any(qs._query.empty for qs in others):
            return self.none()
        return self._combine("INTERSECT", False, others)

    def difference(self, *others: Question[Any]) -> Self:
        """The rows that this queryset has and the others have not."""
        if self._query.empty:
            return self
        return self._combine("EXCEPT", False, [qs for qs in others if not qs._query.empty])

    def _combine(self: Any, operator: str, all: bool, others: Iterable[Any]) -> Any:
        parts: list[tuple[Query, int]] = []
        values: list[Any] = []
        for queryset in (self, *others):
            query, more = queryset.as_subquery()
            parts.append((query, len(values)))
            values += more
        found = self._clone()
        found._known, found._side = self._known_related, None
        found._bare = self._bare and not found._known
        found._low, found._high = 0, None
        combined = Combined(operator, all, tuple(parts))
        base = parts[0][0].but(related=(), lock=None, distinct=False, distinct_on=())
        found._shape = Shape(
            base.but(combined=combined, order=None, flipped=False, limits=(None, None), size=len(values))
        )
        found._values = tuple(values)
        return found

    def _merge_sets(self, other: Any, connector: str) -> Any:
        """``&``, ``|`` and ``^``: rows by key in both, either or exactly one."""
        if self.model is not other.model and self.model._meta.concrete_model is not other.model._meta.concrete_model:
            raise TypeError("Cannot combine queries on two different base models.")
        if self._query.combined is not None or other._query.combined is not None:
            raise TypeError(f"Cannot use {SIGNS[connector]} operator with combined queryset.")
        if self._query.empty or other._query.empty:
            if connector == "AND":
                return self if self._query.empty else other
            return other if self._query.empty else self
        if connector == "AND" and (self._low or self._high is not None or other._low or other._high is not None):
            raise TypeError("Cannot combine queries once a slice has been taken.")
        if all(qs._query.is_plain and not qs._low and qs._high is None for qs in (self, other)):
            return self._merge_conditions(other, connector)
        left = (
            self if self._is_plain else self._clone().order_by() if not (self._low or self._high is not None) else self
        )
        one, two = Q(pk__in=left._keys()), Q(pk__in=other._keys())
        condition = one & two if connector == "AND" else one | two if connector == "OR" else one ^ two
        found = self._all_rows().filter(condition)
        if self._query.order is not None and not self._low and self._high is None:
            order = self._query.order
            found = found._change(None, lambda query: query.but(order=order, flipped=self._query.flipped))
        found._known = _merged(self._known_related, other._known_related)
        found._prefetch, found._fetch_mode = self._prefetch, self._fetch_mode
        found._bare = self._bare and not found._known
        return found

    def _merge_conditions(self: Any, other: Any, connector: str) -> Any:
        """As ``_merge_sets`` where conditions are all that differs: they are said together, without subqueries."""

        def build(query: Query) -> tuple[Query, Scope]:
            scope = Scope(query)
            scope.values, scope.preparers = list(other._values), [None] * len(other._values)
            return query.merged(other._query, connector), scope

        found = self._follow(("merge", connector, other._shape), list(other._values), build)
        found._known, found._side = _merged(self._known_related, other._known_related), None
        found._bare = self._bare and not found._known
        return found

    def _all_rows(self: Any) -> Any:
        """All rows of the model, with what this queryset computes and loads for each of its own.

        Raises ``NotSupportedError`` for an annotation that speaks of the related rows which a condition found.
        """
        query = self._query
        if query.columns is not None or query.tables:
            return type(self)(self.model, using=self._db)
        for name, node in query.annotations:
            if any(isinstance(part, Col) and part.group and any(end.many for end in part.ends) for part in parts(node)):
                raise NotSupportedError(
                    f"The annotation {name!r} is about related rows that filter() chose, and querysets that are "
                    "sliced, distinct or grouped are combined by their keys. Annotate after combining them."
                )
        found = self._clone()
        found._low, found._high, found._side, found._owner, found._bare = 0, None, None, None, True
        bare: dict[str, Any] = {"steps": (), "tie": None, "order": None, "flipped": False, "distinct_on": ()}
        return found._change("all rows", lambda query: query.but(**bare, extra_columns=(), per=()))

    @property
    def _is_plain(self) -> bool:
        return not (self._low or self._high is not None)

    def _keys(self: Any) -> Any:
        """The keys of these rows, as a subquery."""
        return self.values("pk") if self._query.columns is None else self

    def __and__(self, other: Question[Any]) -> Self:
        return self._merge_sets(other, "AND")

    def __or__(self, other: Question[Any]) -> Self:
        return self._merge_sets(other, "OR")

    def __xor__(self, other: Question[Any]) -> Self:
        return self._merge_sets(other, "XOR")


def _merged(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    """The known owners of rows that come through the relations of either queryset."""
    found: dict[str, tuple[Any, dict[Any, Any]]] = {}
    for name, attnames, instances in (*one, *other):
        _, known = found.setdefault(name, (attnames, {}))
        known.update(instances)
    return tuple((name, attnames, known) for name, (attnames, known) in found.items())
