"""One question about the related rows of one owner, asked for several owners at once.

``author.posts.filter(…)[:3]`` of one author becomes the same for a list of authors: the condition that ties the rows to their
owner compares with an array, each row tells whose it is, and a slice is cut for each owner by a window function.
"""

from __future__ import annotations

from typing import Any

from crowsfoot.query.inference import INTEGER
from crowsfoot.query.lookups import In
from crowsfoot.query.resolved import Col, Param
from crowsfoot.query.statements import Query, count_star
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.select import Compiled, SelectCompiler, make_binder

OWNER = "_crowsfoot_owner"
PLACE = "_crowsfoot_place"


def can_batch(query: Query, operation: str, sliced: bool) -> bool:
    """Whether the question can be asked for several owners in one statement with the same answers."""
    if query.tie is None or query.tie[1] != 1 or query.combined is not None or query.lock is not None or query.empty:
        return False
    if query.is_aggregated or query.distinct_on or query.rows != "model" or query.columns is not None:
        return False
    return not (query.distinct and (sliced or operation != "select")) and not (sliced and operation != "select")


def for_owners(query: Query) -> tuple[Query, Col]:
    """``query`` for an array of owners in the slot of the one, and the column that tells whose a row is."""
    assert query.tie is not None
    position, _ = query.tie
    tie = query.steps[position]
    column: Col = tie.lhs
    node = In(column, None)
    node.rhs = Param(tie.rhs.index, column.attribute.value_type, array=True)
    node.is_resolved = True
    steps = (*query.steps[:position], node, *query.steps[position + 1 :])
    return query.but(steps=steps, tie=None), column


def compile_for_owners(dialect: Dialect, query: Query, operation: str) -> tuple[Compiled, SelectCompiler]:
    """The statement for ``select``, ``count`` or ``exists``. Raises ``EmptyResultSet``."""
    asked, column = for_owners(query)
    if operation == "select":
        compiler: SelectCompiler = _Places(dialect, asked.but(extra_columns=(*asked.extra_columns, (OWNER, column))))
    else:
        bare = asked.without_order().but(
            related=(), hidden=frozenset(n for n, _ in query.annotations), extra_columns=()
        )
        if operation == "count":
            bare = bare.but(columns=((OWNER, column), ("n", count_star())), grouping=(column,), rows="tuple")
        else:
            bare = bare.but(columns=((OWNER, column),), distinct=True, rows="flat")
        compiler = SelectCompiler(dialect, bare)
    sql, params = compiler.select()
    return Compiled(dialect.finish(sql, len(params)), make_binder(dialect, params), compiler.row), compiler


class _Places(SelectCompiler):
    """Numbers the rows of each owner and keeps those between the limits, where there are limits."""

    def select(self, *, subquery: bool = False, exists: bool = False, tie: str = "") -> tuple[str, list[Any]]:
        limit, offset = self.query.limits
        if limit is None and offset is None:
            return super().select()
        self.query = self.query.but(limits=(None, None))
        outputs, params = self._outputs(False)
        where, where_params, _, _ = self._conditions("")
        order, order_params = self._ordering(outputs, False)
        source, source_params = self.joins.render(self.quote_name, self._join_conditions)
        owner = self.compile(dict(self.query.extra_columns)[OWNER])[0]
        by = f" ORDER BY {', '.join(order)}" if order else ""
        names = [f"c{number}" for number in range(len(outputs))]
        columns = [
            f"{_bare(text, name, self.quote_name)} AS {alias}"
            for (text, name), alias in zip(outputs, names, strict=True)
        ]
        place = self.quote_name(PLACE)
        inner = f"SELECT {', '.join(columns)}, ROW_NUMBER() OVER (PARTITION BY {owner}{by}) AS {place} FROM {source}"
        inner += f" WHERE {where}" if where else ""
        bounds, bound_params = self._bounds(limit, offset, place)
        sql = (
            f"SELECT {', '.join(names)} FROM ({inner}) AS {self.quote_name('numbered')} WHERE {bounds} ORDER BY {place}"
        )
        return sql, params + order_params + source_params + where_params + bound_params

    def _bounds(self, limit: Any, offset: Any, place: str) -> tuple[str, list[Any]]:
        parts: list[str] = []
        params: list[Any] = []
        mark = self.dialect.cast_parameter("%s", INTEGER)
        if offset is not None:
            parts.append(f"{place} > {mark}")
            params += self.compile(offset)[1]
        if limit is not None:
            parts.append(f"{place} <= {mark}" + ("" if offset is None else f" + {mark}"))
            params += self.compile(limit)[1] + (self.compile(offset)[1] if offset is not None else [])
        return " AND ".join(parts), params


def _bare(text: str, name: str | None, quote: Any) -> str:
    return text.removesuffix(f" AS {quote(name)}") if name is not None else text
