"""One question about the related rows of one owner, asked for several owners at once.

``author.posts.filter(…)[:3]`` of one author becomes the same for a list of authors: the condition that ties the rows to
their owner compares with an array, each row tells whose it is, and a slice is cut for each owner by a window function.
"""

from __future__ import annotations

from typing import Any

from crowsfoot.errors import EmptyResultSet, NotSupportedError
from crowsfoot.query.depth import bounded
from crowsfoot.query.fanout import multiplies
from crowsfoot.query.inference import INTEGER
from crowsfoot.query.lookups import In
from crowsfoot.query.resolved import Col, ColumnTuple, Param
from crowsfoot.query.statements import Query, count_star
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.joins import Names
from crowsfoot.sql.select import SelectCompiler
from crowsfoot.sql.statement import Compiled, Row, statement

OWNER = "_crowsfoot_owner"
PLACE = "_crowsfoot_place"


def can_batch(query: Query, operation: str, sliced: bool) -> bool:
    """Whether the question can be asked for several owners in one statement with the same answers."""
    if query.tie is None or query.combined is not None or query.lock is not None or query.empty:
        return False
    if query.distinct_on or (query.distinct and sliced):
        return False
    if any(getattr(node, "contains_over_clause", False) for node in query.nodes()):
        return False  # a window would look at the rows of all owners
    return operation == "select" or not (sliced or query.distinct or query.is_aggregated)


def for_owners(query: Query) -> tuple[Query, Col | ColumnTuple]:
    """``query`` for an array of owners in the (first) slot of the one, and the column(s) that tell whose a row is."""
    assert query.tie is not None
    position, number = query.tie
    ties = query.steps[position : position + number]
    columns: list[Col] = [tie.lhs for tie in ties]
    column = columns[0] if number == 1 else ColumnTuple(list(columns))
    node = In(column, None)
    node.rhs = Param(ties[0].rhs.index, column.value_type, array=True)
    node.is_resolved = True
    steps = (*query.steps[:position], node, *query.steps[position + number :])
    return query.but(steps=steps, tie=None), column


@bounded
def compile_for_owners(
    dialect: Dialect, query: Query, operation: str, nodes: dict[str, Any]
) -> tuple[Compiled, SelectCompiler]:
    """The statement for ``select``, ``count``, ``exists`` or ``aggregate``, the last of ``nodes``.

    Instances tell whose they are by their own key or by a value called ``OWNER``, other rows by the last value. Counts
    and aggregates are grouped by owner, so that an owner without rows is in no group. Raises ``EmptyResultSet``.
    """
    asked, column = for_owners(query)
    if operation == "select":
        if asked.rows == "model" and not asked.is_sliced:
            bare_compiler = SelectCompiler(dialect, asked)
            sql, params = bare_compiler.select()
            if _tells(bare_compiler, column):
                return statement(dialect, sql, params, bare_compiler.row, bare_compiler.names), bare_compiler
        extra = (*asked.extra_columns, (OWNER, column))
        rows = "model" if asked.rows == "model" else "tuple"
        compiler: SelectCompiler = _Places(dialect, asked.but(extra_columns=extra, per=(OWNER,), rows=rows))
    else:
        bare = asked.without_order().but(
            related=(), hidden=frozenset(n for n, _ in query.annotations), extra_columns=()
        )
        if operation == "exists":
            bare = bare.but(columns=((OWNER, column),), distinct=True, rows="flat")
        else:
            values = tuple(nodes.items()) or (("n", count_star()),)
            bare = bare.but(columns=((OWNER, column), *values), grouping=(column,), rows="tuple")
            if len(values) > 1 and multiplies(query, nodes.values()):
                return _side_by_side(dialect, bare)
        compiler = SelectCompiler(dialect, bare)
    sql, params = compiler.select()
    return statement(dialect, sql, params, compiler.row, compiler.names), compiler


def _side_by_side(dialect: Dialect, query: Query) -> tuple[Compiled, SelectCompiler]:
    """Values grouped by owner, the first of the columns: each computed apart from the others, then joined by it.

    Over one set of joins they would count pairs. All have the same owners: those with any row.
    """
    assert query.columns is not None
    owner, *values = query.columns
    names, quote = Names(), dialect.quote_name
    compilers = [SelectCompiler(dialect, query.but(columns=(owner, item)), names=names) for item in values]
    said = [compiler.select() for compiler in compilers]
    tables = [quote(names.take("value")) for _ in compilers]
    keys = [quote(f"owner{number}") for number in range(compilers[0].row.width - 1)]
    header = ", ".join([*keys, quote("value")])
    parts = [f"{table} ({header}) AS ({sql})" for table, (sql, _) in zip(tables, said, strict=True)]
    first, *others = tables
    chosen = [f"{first}.{key}" for key in keys] + [f"{table}.{quote('value')}" for table in tables]
    sql = f"WITH {', '.join(parts)} SELECT {', '.join(chosen)} FROM {first}"
    for table in others:
        sql += f" INNER JOIN {table} ON ({' AND '.join(f'{table}.{key} = {first}.{key}' for key in keys)})"
    row = Row(query.entity, kind="tuple")
    row.extras = [compilers[0].row.extras[0], *[compiler.row.extras[1] for compiler in compilers]]
    params = [param for _, more in said for param in more]
    return statement(dialect, sql, params, row, names), compilers[0]


def _tells(compiler: SelectCompiler, column: Col | ColumnTuple) -> bool:
    """Whether the rows hold what tells their owner anyway, as the rows of a foreign key do."""
    columns = column.get_group_by_cols()
    row = compiler.row
    assert row is not None
    held = [attribute for attribute, _ in row.attributes]
    return all(isinstance(c, Col) and not c.ends and c.attribute in held for c in columns)


@bounded
def compile_per_owner(dialect: Dialect, query: Query) -> Compiled:
    """A sliced query whose slice is cut for each value of the columns in ``query.per``. Raises ``EmptyResultSet``."""
    compiler = _Places(dialect, query)
    sql, params = compiler.select()
    return statement(dialect, sql, params, compiler.row, compiler.names)


class _Places(SelectCompiler):
    """Numbers the rows of each owner and keeps those between the limits, where there are limits.

    Equal rows of a ``distinct()`` query have one place, and become one row when the places are compared.
    """

    def select(self, *, subquery: bool = False, exists: bool = False, tie: str = "") -> tuple[str, list[Any]]:
        query = self.query
        limit, offset = query.limits
        if not query.per or not query.is_sliced:
            return super().select(subquery=subquery, exists=exists, tie=tie)
        if query.empty:
            raise EmptyResultSet
        if query.distinct_on:
            raise NotSupportedError("A queryset with distinct(fields) cannot be sliced for each owner.")
        if query.asks_windows:
            raise NotSupportedError("A queryset with conditions about windows cannot be sliced for each owner.")
        self.query = query = query.but(limits=(None, None))
        outputs, params = self._outputs(False)
        where, where_params, having, having_params = self._conditions("")
        self.selected.clear()  # a window does not know the names of the columns beside it
        group, group_params = self._grouping(outputs)
        order, order_params = self._ordering(outputs, params)
        if query.distinct:
            order += [self.compile(Col(a.via, a))[0] for a in query.entity.key]
        source, source_params = self.joins.render(self.quote_name, self._join_condition, query.tables)
        extra = dict(query.extra_columns)
        owner = ", ".join(self.compile(col)[0] for name in query.per for col in extra[name].get_group_by_cols())
        by = f" ORDER BY {', '.join(order)}" if order else ""
        names = [f"c{number}" for number in range(len(outputs))]
        columns = [f"{text} AS {alias}" for (text, _), alias in zip(outputs, names, strict=True)]
        place = self.quote_name(PLACE)
        number = "DENSE_RANK" if query.distinct else "ROW_NUMBER"
        inner = f"SELECT {', '.join(columns)}, {number}() OVER (PARTITION BY {owner}{by}) AS {place} FROM {source}"
        inner += f" WHERE {where}" if where else ""
        inner += f" GROUP BY {', '.join(group)}" if group else ""
        inner += f" HAVING {having}" if having else ""
        bounds, bound_params = self._bounds(limit, offset, place)
        same = f" GROUP BY {', '.join(names)}, {place}" if query.distinct else ""
        numbered = self.quote_name("numbered")
        sql = f"SELECT {', '.join(names)} FROM ({inner}) AS {numbered} WHERE {bounds}{same} ORDER BY {place}"
        inside = params + order_params + source_params + where_params + group_params + having_params
        return sql, inside + bound_params

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
