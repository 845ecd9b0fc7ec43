"""Expressions to SQL text with ``%s`` for each parameter: one short method per kind of node."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from crowsfoot.errors import EmptyResultSet, FullResultSet, NotSupportedError
from crowsfoot.query.aggregates import Aggregate, has_filter
from crowsfoot.query.expressions import (
    CombinedExpression,
    ExpressionWrapper,
    NegatedExpression,
    OrderBy,
    RawSQL,
    Sliced,
    Value,
)
from crowsfoot.query.fanout import unfolded
from crowsfoot.query.func import Case, Func, When
from crowsfoot.query.inference import UNKNOWN, TupleType
from crowsfoot.query.lookups import In, IsNull, Lookup, PatternLookup, marks
from crowsfoot.query.nodes import BaseExpression
from crowsfoot.query.resolved import (
    Closure,
    Col,
    ColumnTuple,
    Condition,
    DefaultValue,
    Embedded,
    Everything,
    ExpressionList,
    Nothing,
    Param,
    Ref,
    RelatedAggregate,
    RelatedCount,
    RelatedExists,
    ResolvedOuterRef,
    RowKey,
    Star,
)
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import Query, count_star
from crowsfoot.query.subqueries import Exists, Subquery
from crowsfoot.query.tuples import TupleLookup
from crowsfoot.schema.table import ANY_TABLE
from crowsfoot.schema.types import ValueType
from crowsfoot.sql.conditions import compile_condition
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.joins import JoinTree, Names, Source

SIDES = re.compile(r"({lhs}|{rhs})")


class Slot:
    """A parameter of a compiled statement: the value in slot ``index``, or its part ``item``, as a ``value_type``."""

    __slots__ = ("array", "index", "item", "value_type")

    def __init__(self, index: int, value_type: ValueType, item: int | None = None, array: bool = False) -> None:
        self.index = index
        self.value_type = value_type
        self.item = item
        self.array = array

    @property
    def identity(self) -> tuple[Any, ...]:
        """Equal for slots that bind the same value in the same way."""
        return self.index, self.item, self.array, self.value_type.type


class Compiler:
    """Compiles the expressions of one query. Subqueries have a compiler each, which knows the one around it."""

    def __init__(
        self, dialect: Dialect, query: Query, outer: Compiler | None = None, offset: int = 0, names: Names | None = None
    ) -> None:
        self.dialect = dialect
        self.query = unfolded(query)
        self.outer = outer
        self.offset = offset
        self.names = names if names is not None else Names()
        self.joins = JoinTree(query.entity.table, self.names)
        self.quote_name = dialect.quote_name
        self.quote_name_unless_alias = dialect.quote_name
        # The names of the annotations that are selected, and their places among the columns, by identity.
        self.selected: dict[int, str] = {}
        self.places: dict[int, int] = {}
        # What is selected, or what GROUP BY and DISTINCT have taken, in SQL: said again, a subquery has other names in
        # it, and is another one.
        self.said: dict[int, tuple[str, list[Any]]] = {}
        self.bare = False
        # Joins that a subquery's tie to its outer query cannot do without.
        self.required: set[Source] = set()

    # -- entry ---------------------------------------------------------------------------------------------------------

    def compile(self, node: Any) -> tuple[str, list[Any]]:
        """``(sql, params)`` of any node; a node's own ``as_<vendor>`` or ``as_sql`` goes first."""
        vendor = getattr(node, self.dialect.as_vendor, None)
        sql, params = (vendor or node.as_sql)(self, self.dialect)
        return sql, list(params)

    def render(self, node: Any) -> tuple[str, list[Any]]:
        """How this package says ``node``; found by its class, as methods are."""
        for klass in type(node).__mro__:
            how = RENDERERS.get(klass)
            if how is not None:
                return how(self, node)
        raise NotSupportedError(f"{type(node).__name__} has no SQL: give it an as_sql(compiler, connection) method.")

    def nested(self, query: Query, offset: int) -> Compiler:
        return type(self)(self.dialect, query, self, self.offset + offset, self.names)

    def select(self, *, subquery: bool = False, exists: bool = False, tie: str = "") -> tuple[str, list[Any]]:
        """The whole SELECT of this compiler's query (`select.SelectCompiler` says it)."""
        raise NotImplementedError

    # -- leaves --------------------------------------------------------------------------------------------------------

    def col(self, node: Col) -> tuple[str, list[Any]]:
        if self.bare:
            return self.quote_name(node.attribute.column.name), []
        source, column = self.joins.reach(node.ends, node.attribute, node.group)
        return self.column(source, column), []

    def column(self, source: Source, column: str) -> str:
        return f"{self.quote_name(source.alias)}.{self.quote_name(column)}"

    def ref(self, node: Ref) -> tuple[str, list[Any]]:
        return self.compile(node.source)

    def outer_ref(self, node: ResolvedOuterRef) -> tuple[str, list[Any]]:
        compiler: Compiler | None = self
        for _ in range(node.depth):
            compiler = compiler.outer if compiler is not None else None
        if compiler is None:
            raise ValueError("This queryset contains a reference to an outer query and may only be used in a subquery.")
        scope = Scope(compiler.query)
        scope.check_root(node.root, node.name)
        return compiler.compile(scope.resolve_ref(node.name))

    def _need_composite(self, node: TupleLookup, rhs: ResolvedOuterRef) -> None:
        compiler: Compiler | None = self
        for _ in range(rhs.depth):
            compiler = compiler.outer if compiler is not None else None
        if compiler is not None and not Scope(compiler.query).resolve_ref(rhs.name).is_composite:
            raise ValueError("Composite field lookups only work with composite expressions.")

    def param(self, node: Param) -> tuple[str, list[Any]]:
        slot = Slot(node.index + self.offset, node.value_type, node.item, node.array)
        return (self.dialect.cast_parameter("%s", node.value_type) if node.cast else "%s"), [slot]

    def value(self, node: Value) -> tuple[str, list[Any]]:
        """A value that was given no slot: in a condition of a join, which is not kept for other values."""
        known = node._output_field_or_none or UNKNOWN
        return self.dialect.cast_parameter("%s", known), [node]

    def star(self, node: Star) -> tuple[str, list[Any]]:
        return "*", []

    def nothing(self, node: Nothing) -> tuple[str, list[Any]]:
        raise EmptyResultSet

    def everything(self, node: Everything) -> tuple[str, list[Any]]:
        raise FullResultSet

    def default_value(self, node: DefaultValue) -> tuple[str, list[Any]]:
        return "DEFAULT", []

    def raw(self, node: RawSQL) -> tuple[str, list[Any]]:
        self.names.tables.add(ANY_TABLE)
        for col in node.inherited:
            self.joins.reach(col.ends, col.attribute, None)
        return f"({node.sql})", [p for param in node.params for p in self.compile(param)[1]]

    # -- composition ---------------------------------------------------------------------------------------------------

    def combined(self, node: CombinedExpression) -> tuple[str, list[Any]]:
        lhs, params = self.compile(node.lhs)
        rhs, more = self.compile(node.rhs)
        return self.dialect.combine(node, lhs, rhs), params + more

    def wrapper(self, node: ExpressionWrapper) -> tuple[str, list[Any]]:
        return self.value_of(node.expression)

    def negated(self, node: NegatedExpression) -> tuple[str, list[Any]]:
        try:
            sql, params = self.compile(node.expression)
        except EmptyResultSet:
            return self.dialect.true, []
        return f"NOT {sql}" if sql.startswith("(") else f"NOT ({sql})", params

    def condition(self, node: Condition) -> tuple[str, list[Any]]:
        clause = compile_condition(self, node)
        return clause.text, clause.params

    def value_of(self, node: Any) -> tuple[str, list[Any]]:
        """A node where a value is wanted: a constant condition is said as true or false."""
        try:
            return self.compile(node)
        except EmptyResultSet:
            return self.dialect.false if node.conditional else "NULL", []
        except FullResultSet:
            return self.dialect.true, []

    def case(self, node: Case) -> tuple[str, list[Any]]:
        parts: list[str] = []
        params: list[Any] = []
        for case in node.cases:
            try:
                sql, more = self.compile(case)
            except EmptyResultSet:
                continue
            except FullResultSet:
                default, more = self.compile(case.result)
                break
            parts.append(sql)
            params.extend(more)
        else:
            default, more = self.compile(node.default)
        if not parts:
            return default, more
        return f"CASE {' '.join(parts)} ELSE {default} END", params + more

    def when(self, node: When) -> tuple[str, list[Any]]:
        condition, params = self.compile(node.condition)
        result, more = self.compile(node.result)
        return f"WHEN {condition} THEN {result}", params + more

    def sliced(self, node: Sliced) -> tuple[str, list[Any]]:
        sql, params = self.compile(node.expression)
        length = "" if node.length is None else f", {node.length}"
        return f"SUBSTR({sql}, {node.start + 1}{length})", params

    def order_by(self, node: OrderBy) -> tuple[str, list[Any]]:
        sql, params = self.repeated(node.expression)
        known = getattr(node.expression, "_output_field_or_none", None)
        if known is not None:
            sql = self.dialect.sort_key(sql, known)
        direction = "DESC" if node.descending else "ASC"
        nulls = " NULLS FIRST" if node.nulls_first else " NULLS LAST" if node.nulls_last else ""
        return f"{sql} {direction}{nulls}", params

    def repeated(self, node: Any) -> tuple[str, list[Any]]:
        """``node`` in the words that were taken for it before, where a subquery in others would be another one."""
        if isinstance(node, Ref) and id(node.source) in self.said:
            return self.said[id(node.source)]
        inner = node.expression if type(node) is ExpressionWrapper else node
        return self.said.get(id(node)) or self.said.get(id(inner)) or self.compile(node)

    def column_tuple(self, node: ColumnTuple) -> tuple[str, list[Any]]:
        sql, params = self.expression_list(ExpressionList(*node.cols))
        return f"({sql})", params

    def expression_list(self, node: ExpressionList, compared: Any = None) -> tuple[str, list[Any]]:
        """Expressions behind commas, as what ``compared`` is compared with."""
        known = None if compared is None else compared._output_field_or_none
        compiled = [self.compile(e) for e in node.expressions]
        texts = [self.dialect.comparable(sql, known) for sql, _ in compiled]
        return ", ".join(texts), [p for _, params in compiled for p in params]

    # -- aggregates ----------------------------------------------------------------------------------------------------

    def aggregate(
        self, node: Aggregate, over: tuple[str, list[Any]] | None = None, **extra: Any
    ) -> tuple[str, list[Any]]:
        """An aggregate; ``over`` is the OVER clause that makes it a window function."""
        sources = [self.compile(e) for e in node.source_expressions]
        params = [p for _, more in sources for p in more]
        ordering = [self.compile(e) for e in node.order_by]
        params += [p for _, more in ordering for p in more]
        where = ""
        if has_filter(node.filter):
            try:
                sql, more = self.compile(node.filter)
                where, params = f" FILTER (WHERE {sql})", params + more
            except FullResultSet:
                pass
            except EmptyResultSet:
                where = f" FILTER (WHERE {self.dialect.false})"
        data = {**node.extra, **extra}
        template = data.get("template") or node.sql.get(self.dialect.vendor, node.template)
        text = template % {
            **data,
            "function": data.get("function") or node.function,
            "distinct": "DISTINCT " if node.distinct else "",
            "expressions": node.arg_joiner.join(sql for sql, _ in sources),
            "order_by": f" ORDER BY {', '.join(sql for sql, _ in ordering)}" if ordering else "",
            "filter": where,
        }
        if over is not None:
            text, params = text + over[0], params + over[1]
        known = node._output_field_or_none
        if node.widened and known is not None:
            text = self.dialect.as_number(text, known)
        if node.default is None:
            return text, params
        default, more = self.compile(node.default)
        return f"COALESCE({text}, {default})", params + more

    # -- look-ups ------------------------------------------------------------------------------------------------------

    def lookup(self, node: Lookup) -> tuple[str, list[Any]]:
        lhs, params = self.value_of(node.lhs)
        lhs = _closed(node.lhs, lhs)
        if isinstance(node.rhs, Embedded):
            rhs, more = self.embedded(node.rhs)
        else:
            if isinstance(node, TupleLookup) and isinstance(node.rhs, ResolvedOuterRef):
                self._need_composite(node, node.rhs)
            rhs, more = self.compile_operand(node.rhs, node)
            if isinstance(node.rhs, BaseExpression) and not isinstance(node.rhs, Param):
                types = node.lhs._output_field_or_none, node.rhs._output_field_or_none
                lhs, rhs = self.dialect.compared(lhs, *types), self.dialect.compared(rhs, *reversed(types))
        text = node.sql.get(self.dialect.vendor) or node.sql.get("")
        if text is None:
            raise NotSupportedError(
                f"{type(node).__name__} has no SQL: give it an as_sql(compiler, connection) method."
            )
        sides = {"{lhs}": (lhs, params), "{rhs}": (rhs, more)}
        parts = [sides.get(part, (part, [])) for part in SIDES.split(text)]
        return "".join(sql for sql, _ in parts), [param for _, given in parts for param in given]

    def compile_operand(self, rhs: Any, node: Lookup) -> tuple[str, list[Any]]:
        """The right side of a look-up: a slot, or an expression."""
        if isinstance(rhs, ExpressionList):
            compiled = [self.compile_operand(e, node) for e in rhs.expressions]
            return " AND ".join(sql for sql, _ in compiled), [p for _, more in compiled for p in more]
        if isinstance(rhs, ColumnTuple):
            compiled = [self.compile_operand(e, node) for e in rhs.cols]
            return f"({', '.join(sql for sql, _ in compiled)})", [p for _, more in compiled for p in more]
        if not hasattr(rhs, "resolve_expression"):  # of a look-up made by hand
            prepared = Value(node.prepare(rhs), node.rhs_type)
            return self.operand("%s", node.rhs_type, of_column=True), [prepared]
        sql, params = self.compile(rhs)
        if not isinstance(rhs, Param):
            sql = _closed(rhs, sql)
            return (self.dialect.pattern(node.pattern, sql) if isinstance(node, PatternLookup) else sql), params
        return self.operand(sql, rhs.value_type, of_column=isinstance(node.lhs, Col)), params

    def operand(self, mark: str, value_type: ValueType, *, of_column: bool) -> str:
        """A parameter that something of ``value_type`` is compared with."""
        return self.dialect.operand(mark, value_type, of_column=of_column)

    def isnull(self, node: IsNull) -> tuple[str, list[Any]]:
        if isinstance(node.lhs, ColumnTuple):
            joiner, mark = (" OR ", "IS NULL") if node.rhs else (" AND ", "IS NOT NULL")
            return "(" + joiner.join(f"{self.compile(col)[0]} {mark}" for col in node.lhs.cols) + ")", []
        sql, params = self.value_of(node.lhs)
        return f"{_closed(node.lhs, sql)} IS {'' if node.rhs else 'NOT '}NULL", params

    def in_list(self, node: In) -> tuple[str, list[Any]]:
        lhs, params = self.compile(node.lhs)
        lhs, rhs = _closed(node.lhs, lhs), node.rhs
        if isinstance(rhs, Embedded):
            sql, more = self.embedded(rhs)
            return f"{lhs} IN {sql}", params + more
        if isinstance(rhs, ExpressionList):
            sql, more = self.expression_list(rhs, node.lhs)
            lhs = self.dialect.comparable(lhs, node.lhs._output_field_or_none)
            return f"{lhs} IN ({'VALUES ' if node.lhs.is_composite else ''}{sql})", params + more
        if isinstance(node.lhs, ColumnTuple) and isinstance(rhs, Param):
            key: Any = node.lhs.value_type
            parts = key.parts
            return self.dialect.in_tuples(lhs, parts), params + self._tuples(rhs, parts)
        if not hasattr(rhs, "resolve_expression"):  # made by hand
            values = [Value(value, node.rhs_type) for value in node.prepare(rhs)]
            if not values:
                raise EmptyResultSet
            return f"{lhs} IN ({', '.join(['%s'] * len(values))})", [*params, *values]
        sql, more = self.compile(rhs)
        if isinstance(rhs, (Subquery, Closure)):
            return f"{lhs} IN {sql}", params + more
        return self.dialect.in_array(lhs, sql, node.lhs), params + more

    def _tuples(self, rhs: Param, parts: tuple[ValueType, ...]) -> list[Any]:
        """A list of tuples as parameters: one, or one for each part."""
        index = rhs.index + self.offset
        if self.dialect.binds_tuples:
            return [Slot(index, TupleType(parts), None, True)]
        return [Slot(index, part, position, True) for position, part in enumerate(parts)]

    # -- subqueries ----------------------------------------------------------------------------------------------------

    def _inside(self, node: Embedded | Subquery) -> Compiler:
        """A compiler for a queryset that stands in an expression."""
        compiler = self.nested(node.statement, node.offset)
        inner, here = node.statement.using, self.dialect.alias
        if inner not in (None, here):
            raise ValueError(
                "Subqueries aren't allowed across different databases. Force the inner query to be evaluated using "
                f"`list(inner_query)`. It asks {inner!r} for {node.statement.entity.label}, the outer one {here!r}."
            )
        for _ in range(node.skips):
            compiler.outer = compiler.outer.outer if compiler.outer is not None else None
        return compiler

    def embedded(self, node: Embedded | Subquery) -> tuple[str, list[Any]]:
        compiler = self._inside(node)
        sql, params = compiler.select(subquery=True)
        return f"({sql})", params

    def subquery(self, node: Subquery) -> tuple[str, list[Any]]:
        try:
            sql, params = self.embedded(node)
        except EmptyResultSet:
            if node.empty_result_set_value is None:
                return "NULL", []
            raise
        return node.template.replace("(%(subquery)s)", sql), params

    def exists(self, node: Exists) -> tuple[str, list[Any]]:
        compiler = self._inside(node)
        sql, params = compiler.select(subquery=True, exists=True)
        return f"EXISTS({sql})", params

    def related_exists(self, node: RelatedExists) -> tuple[str, list[Any]]:
        """EXISTS over the far side of a relation, tied to this query's row by the way back."""
        compiler, tie = self._tied(node, node.statement)
        sql, params = compiler.select(subquery=True, exists=True, tie=tie)
        return f"EXISTS({sql})", params

    def related_count(self, node: RelatedCount) -> tuple[str, list[Any]]:
        """The number of rows on the far side of a relation."""
        counted = node.statement.but(columns=(("n", count_star()),), rows="tuple")
        compiler, tie = self._tied(node, counted)
        sql, params = compiler.select(subquery=True, tie=tie)
        return f"({sql})", params

    def related_aggregate(self, node: RelatedAggregate) -> tuple[str, list[Any]]:
        """An aggregate over the far side of a relation."""
        compiler, tie = self._tied(node, node.statement)
        sql, params = compiler.select(subquery=True, tie=tie)
        return f"({sql})", params

    def _tied(self, node: RelatedExists, statement: Query) -> tuple[Compiler, str]:
        """A compiler for the far side of a relation, and the condition that ties it to this query's row."""
        back = node.end.inverse
        if len(back.hops) == 1 and back.hops[0].source_where:
            return self._tied_by_columns(node, statement)
        compiler = self.nested(statement, node.offset)
        pairs = []
        for near in node.end.anchors:
            outside, _ = self.compile(Col((*node.prefix, *near.via), near, node.group))
            # Group 0: the way back is a join of its own, whatever the conditions join.
            source, column = compiler.joins.reach((back,), near, 0)
            compiler.required |= set(source.lineage())
            pairs.append(f"{compiler.column(source, column)} = {outside}")
        return compiler, " AND ".join(pairs)

    def _tied_by_columns(self, node: RelatedExists, statement: Query) -> tuple[Compiler, str]:
        """As ``_tied`` where the far row itself holds the key and says whose key it is."""
        hop, owner = node.end.hops[0], node.end.owner
        conditions = marks(node.end.target, hop)
        compiler = self.nested(statement.but(steps=(*statement.steps, *conditions)), node.offset)
        pairs = []
        for near, far in hop.pairs:
            attribute = owner.attribute_of(near)
            outside, _ = self.compile(Col((*node.prefix, *attribute.via), attribute, node.group))
            inside = compiler.column(compiler.joins.root, far)
            inner, outer = hop.target.columns[far].type, hop.source.columns[near].type
            pairs.append(self.dialect.equal(inside, inner, outside, outer))
        return compiler, " AND ".join(pairs)

    def row_key(self, node: RowKey) -> tuple[str, list[Any]]:
        """The subquery that finds one row's key; it reads nothing of the query around it."""
        entity, quote = node.key_of.entity, self.quote_name
        self.names.tables.add(entity.table.name)
        attributes = [entity.attributes[name] for name, _ in node.key_of.values]
        wanted = " AND ".join(f"{quote(a.column.name)} = %s" for a in attributes)
        values = [Value(value, a.value_type) for a, (_, value) in zip(attributes, node.key_of.values, strict=True)]
        key = quote(entity.key[0].column.name)
        return f"(SELECT {key} FROM {quote(entity.table.name)} WHERE {wanted})", values


def _func(self: Compiler, node: Any) -> tuple[str, list[Any]]:
    sql, params = Func.as_sql(node, self, self.dialect)
    return sql, params


def _closed(node: Any, sql: str) -> str:
    """A side of a look-up that is a condition itself, in parentheses."""
    said = node.source if isinstance(node, Ref) else node
    return f"({sql})" if isinstance(said, (Lookup, Condition, ExpressionWrapper)) else sql


RENDERERS: dict[type, Callable[[Compiler, Any], tuple[str, list[Any]]]] = {
    Col: Compiler.col,
    Ref: Compiler.ref,
    ResolvedOuterRef: Compiler.outer_ref,
    Param: Compiler.param,
    Value: Compiler.value,
    RowKey: Compiler.row_key,
    Star: Compiler.star,
    Nothing: Compiler.nothing,
    Everything: Compiler.everything,
    DefaultValue: Compiler.default_value,
    RawSQL: Compiler.raw,
    CombinedExpression: Compiler.combined,
    NegatedExpression: Compiler.negated,
    ExpressionWrapper: Compiler.wrapper,
    Condition: Compiler.condition,
    Case: Compiler.case,
    When: Compiler.when,
    Sliced: Compiler.sliced,
    OrderBy: Compiler.order_by,
    Exists: Compiler.exists,
    Subquery: Compiler.subquery,
    RelatedExists: Compiler.related_exists,
    RelatedCount: Compiler.related_count,
    RelatedAggregate: Compiler.related_aggregate,
    Func: _func,
    ColumnTuple: Compiler.column_tuple,
    ExpressionList: Compiler.expression_list,
    IsNull: Compiler.isnull,
    In: Compiler.in_list,
    Lookup: Compiler.lookup,
}
