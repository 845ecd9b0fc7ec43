"""SELECT: a query's description to one statement, and what its rows hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from crowsfoot.errors import EmptyResultSet, FullResultSet, NotSupportedError
from crowsfoot.query.expressions import OrderBy, Value
from crowsfoot.query.inference import DECIMAL, UNKNOWN
from crowsfoot.query.loading import Loading
from crowsfoot.query.nodes import BaseExpression
from crowsfoot.query.pinned import Pinned
from crowsfoot.query.resolved import Col, ColumnTuple, Condition, Ref, RowKey
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import GROUP_BY_KEY, RANDOM, Query, Related, count_star, order_items
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.sql.compiler import Compiler, Slot
from crowsfoot.sql.conditions import compile_condition
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.joins import Source

Converter = Callable[[Any], Any]
Reader = Converter | None | tuple[Converter | None, ...]


@dataclass(slots=True)
class Row:
    """What a stretch of a result row is: one entity's attributes, the related rows after it, then further values."""

    entity: Entity
    attributes: list[tuple[Attribute, Converter | None]] = field(default_factory=list)
    related: list[tuple[Any, Row]] = field(default_factory=list)
    # A value of several columns has a tuple of converters.
    extras: list[tuple[str, Reader]] = field(default_factory=list)
    kind: str = "model"
    partial: bool = False
    # Whether the database sends further columns that nobody reads.
    unread: bool = False


@dataclass(slots=True)
class Compiled:
    """A statement ready for a driver: its text, how values are bound to it, and what its rows hold."""

    sql: str
    bind: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    row: Row | None = None


# What is computed may come in another type than a column's: PostgreSQL adds up bigints to a numeric.
COMPUTED: dict[str, Converter] = {"smallint": int, "integer": int, "bigint": int, "float": float}


class SelectCompiler(Compiler):
    """Compiles whole SELECT statements."""

    row: Row
    conditions: dict[Source, tuple[str, list[Any]]]

    def select(self, *, subquery: bool = False, exists: bool = False, tie: str = "") -> tuple[str, list[Any]]:
        """The statement. ``exists`` selects nothing in particular; ``tie`` is a condition that binds a subquery."""
        query = self.query
        if query.empty:
            raise EmptyResultSet
        if query.combined is not None:
            return self._combined(subquery)
        outputs, params = self._outputs(exists)
        where, where_params, having, having_params = self._conditions(tie)
        group = self._grouping(outputs)
        unordered = exists or (subquery and not query.is_sliced and not query.distinct_on)
        order, order_params = self._ordering(outputs, unordered)
        distinct, distinct_params = self._distinct()
        source, source_params = self.joins.render(self.quote_name, self._join_condition, query.tables)
        sql = f"SELECT {distinct}{', '.join(text for text, _ in outputs)} FROM {source}"
        params = distinct_params + params + source_params + where_params
        if where:
            sql += f" WHERE {where}"
        if group[0]:
            sql += f" GROUP BY {', '.join(group[0])}"
            params += group[1]
        if having:
            sql += f" HAVING {having}"
            params += having_params
        if order:
            sql += f" ORDER BY {', '.join(order)}"
            params += order_params
        limit, limit_params = self._limits()
        sql += limit + self._lock()
        return sql, params + limit_params

    # -- what is selected ----------------------------------------------------------------------------------------------

    def _outputs(self, exists: bool) -> tuple[list[tuple[str, str | None]], list[Any]]:
        query = self.query
        if exists and not query.distinct and not query.is_aggregated:
            self.row = Row(query.entity, kind="tuple")
            return [('1 AS "a"', None)], []
        if query.columns is not None:
            return self._chosen(query)
        outputs: list[tuple[str, str | None]] = []
        params: list[Any] = []
        self.row = self._entity(query.entity, (), Loading.of(query.deferred), query.related, outputs)
        self.row.kind = query.rows
        for name, node in query.selected_annotations:
            sql, more = self.value_of(node)
            outputs.append((f"{sql} AS {self.quote_name(name)}", name))
            self.selected[id(node)] = name
            params += more
            self.row.extras.append((name, self._reader(node)))
        self._extra_outputs(query, outputs, params)
        return outputs, params

    def _extra_outputs(self, query: Query, outputs: list[tuple[str, str | None]], params: list[Any]) -> None:
        for name, node in query.extra_columns:
            if isinstance(node, ColumnTuple):
                self._composite_output(name, node, outputs)
                continue
            sql, more = self.compile(node)
            outputs.append((f"{sql} AS {self.quote_name(name)}", name))
            params += more
            self.row.extras.append((name, self._reader(node)))

    def _composite_output(self, name: str, node: ColumnTuple, outputs: list[tuple[str, str | None]]) -> None:
        """A column for each part of a composite key, which become one tuple again."""
        outputs += [(self.compile(col)[0], None) for col in node.cols]
        self.row.extras.append((name, tuple(self._reader(col) for col in node.cols)))

    def _entity(
        self, entity: Entity, ends: tuple[Any, ...], loading: Loading, related: tuple[Related, ...], outputs: list[Any]
    ) -> Row:
        """Select the attributes of one entity and, behind them, those of the relations joined to it."""
        row = Row(entity, partial=loading.is_partial)
        for attribute in loading.attributes(entity):
            col = Col((*ends, *attribute.via), attribute)
            outputs.append((self.compile(col)[0], None))
            row.attributes.append((attribute, self.reader(attribute.value_type)))
        for item in related:
            if item.named:
                loading.check_related(entity, item.end)
            way = (*ends, *walk(entity, item.end))
            inner = self._entity(item.end.target, way, loading.behind(item.end), item.children, outputs)
            row.related.append((item.end, inner))
        return row

    def _chosen(self, query: Query) -> tuple[list[tuple[str, str | None]], list[Any]]:
        outputs: list[tuple[str, str | None]] = []
        params: list[Any] = []
        self.row = Row(query.entity, kind=query.rows)
        for name, node in query.columns or ():
            if isinstance(node, ColumnTuple):
                self._composite_output(name, node, outputs)
                continue
            sql, more = self.value_of(node)
            source = getattr(node, "source", None)
            if isinstance(node, Col):
                outputs.append((sql, None))
            else:
                outputs.append((f"{sql} AS {self.quote_name(name)}", name))
                self.selected[id(source if source is not None else node)] = name
            params += more
            self.row.extras.append((name, self._reader(node)))
        self._extra_outputs(query, outputs, params)
        return outputs or [("1", None)], params

    def _reader(self, node: BaseExpression) -> Converter | None:
        """What turns a driver's value of an expression into the one handed out."""
        known = node._output_field_or_none
        if known is not None and known.kind == "decimal" and not isinstance(node, Col) and not known.db_converters():
            known = DECIMAL  # what is computed has as many places as it has
        steps = [] if known is None else [self.reader(known)]
        if known is not None and not isinstance(node, Col) and known.kind in COMPUTED:
            steps.append(COMPUTED[known.kind])
        steps += [_bound(converter, node, self.dialect) for converter in node.get_db_converters(self.dialect)]
        while isinstance(node, Ref):
            node = node.source
        if type(node).convert_value is not BaseExpression.convert_value:
            steps.append(_bound(node.convert_value, node, self.dialect))
        found = [step for step in steps if step is not None]
        return _chain(found, False) if len(found) > 1 else found[0] if found else None

    def reader(self, value_type: Any) -> Converter | None:
        """What turns a driver's value into the field's: the dialect's converter, then the field's own."""
        own = value_type.db_converters()
        steps = [step for step in (self.dialect.reader(value_type), *own) if step is not None]
        if not steps:
            return None
        return _chain(steps, bool(own)) if own or len(steps) > 1 else steps[0]

    # -- conditions ----------------------------------------------------------------------------------------------------

    def _conditions(self, tie: str) -> tuple[str, list[Any], str, list[Any]]:
        """WHERE and HAVING. A condition goes to HAVING when an aggregate is in it."""
        before = [step for step in _conjuncts(self.query.steps) if not step.contains_aggregate]
        after = [step for step in _conjuncts(self.query.steps) if step.contains_aggregate]
        where, params = "", []
        rejected: frozenset[Source] = frozenset()
        try:
            if before:
                clause = compile_condition(self, Condition(before))
                where, params, rejected = clause.sql, clause.params, clause.if_true
                if tie and not clause.atomic:
                    where = where if clause.sql.count(" OR ") == 0 else clause.text
        except FullResultSet:
            pass
        if tie:
            where = f"{tie} AND {where}" if where else tie
        self.rejected = rejected | self.required
        having, having_params = "", []
        try:
            if after:
                clause = compile_condition(self, Condition(after))
                having, having_params = clause.sql, clause.params
        except FullResultSet:
            pass
        return where, params, having, having_params

    def _settle(self) -> None:
        """Compile the conditions of joins, which may join further tables; then the kind of each join is known."""
        self.conditions = {}
        while pending := [s for s in self.joins.root.walk() if s.on is not None and s not in self.conditions]:
            for source in pending:
                try:
                    sql, params = self.compile(source.on)
                except EmptyResultSet:
                    sql, params = self.dialect.false, []
                except FullResultSet:
                    sql, params = "", []
                self.conditions[source] = f" AND {sql}" if sql else "", params
                cols = [col for col in source.on.flatten() if isinstance(col, Col)]
                spoken_of = dict.fromkeys(self.joins.reach(c.ends, c.attribute, c.group)[0] for c in cols)
                apart = [s for s in spoken_of if s not in source.lineage() and source not in s.lineage()]
                source.needs = tuple(s for s in apart if s.parent is not None)
        self.joins.settle(self.rejected)

    def _join_condition(self, source: Source) -> tuple[str, list[Any]]:
        hop, parent, params = source.hop, source.parent, list[Any]()
        assert parent is not None
        equal, near, far = self.dialect.equal, hop.source.columns, hop.target.columns
        text = " AND ".join(
            equal(self.column(parent, a), near[a].type, self.column(source, b), far[b].type) for a, b in hop.pairs
        )
        sides: list[tuple[Any, Any]] = [(source, hop.where), (parent, hop.source_where)]
        for side, pairs in sides:
            for column, value in pairs:
                sql, more = self.row_key(RowKey(value))
                text += f" AND {self.column(side, column)} = {sql}"
                params += more
        sql, more = self.conditions.get(source, ("", []))
        return text + sql, params + more

    # -- grouping and order --------------------------------------------------------------------------------------------

    def _grouping(self, outputs: list[tuple[str, str | None]]) -> tuple[list[str], list[Any]]:
        query = self.query
        if query.grouping is None:
            return [], []
        nodes: list[Any] = []
        if query.grouping is GROUP_BY_KEY:
            nodes += [Col(a.via, a) for a in query.entity.key]
            if query.columns is None:
                nodes += self._other_tables(query)
            nodes += [n for _, n in query.selected_annotations]
        else:
            nodes += query.grouping
        nodes += [n for _, n in query.extra_columns]
        nodes += [item.expression for item in self._order_nodes() if isinstance(item, OrderBy)]
        found: dict[str, list[Any]] = {}
        for node in nodes:
            for part in node.get_group_by_cols():
                if getattr(part, "contains_aggregate", False):
                    continue
                sql, params = self.compile(part)
                found.setdefault(sql, params)
        return list(found), [p for params in found.values() for p in params]

    def _other_tables(self, query: Query) -> list[Any]:
        """Columns selected of tables other than the query's own: the key of its own table does not cover these."""
        nodes: list[Any] = [Col(a.via, a) for a in query.entity.attributes.values() if a.via]
        stack: list[tuple[tuple[Any, ...], Related]] = [((), item) for item in query.related]
        while stack:
            ends, item = stack.pop()
            here = (*ends, *walk(item.end.owner if ends else query.entity, item.end))
            nodes += [Col((*here, *a.via), a) for a in item.end.target.attributes.values()]
            stack += [(here, child) for child in item.children]
        return nodes

    def _order_nodes(self) -> list[Any]:
        query = self.query
        items = query.order
        if items is None:
            if not query.entity.ordering or query.is_aggregated:
                return []
            items = order_items(query, Scope(query), tuple(query.entity.ordering))
        return [item.reversed() for item in items] if query.flipped else list(items)

    def _ordering(self, outputs: list[tuple[str, str | None]], skip: bool) -> tuple[list[str], list[Any]]:
        if skip:
            self._settle()
            return [], []
        parts: list[str] = []
        params: list[Any] = []
        for item in self._order_nodes():
            if item is RANDOM:
                parts.append(f"{self.dialect.random} ASC")
                continue
            try:
                sql, more = self.compile(item)
            except EmptyResultSet:
                continue
            if sql in parts:
                continue
            if self.query.distinct and not self.query.distinct_on:
                self._select_too(item.expression, sql, outputs)
            parts.append(sql)
            params += more
        self._settle()
        return parts, params

    def _select_too(self, node: Any, sql: str, outputs: list[tuple[str, str | None]]) -> None:
        """SELECT DISTINCT needs what it is ordered by among its columns."""
        text, _ = self.compile(node)
        for out, name in outputs:
            if out == text or out.startswith(f"{text} AS ") or (name and self.quote_name(name) == text):
                return
        outputs.append((text, None))
        self.row.unread = True

    def _distinct(self) -> tuple[str, list[Any]]:
        query = self.query
        if not query.distinct:
            return "", []
        if not query.distinct_on:
            return "DISTINCT ", []
        if not self.dialect.distinct_on:
            raise NotSupportedError("DISTINCT ON fields is not supported by this database backend")
        compiled = [self.compile(node) for node in query.distinct_on]
        return f"DISTINCT ON ({', '.join(sql for sql, _ in compiled)}) ", [p for _, more in compiled for p in more]

    # -- the rest ------------------------------------------------------------------------------------------------------

    def _limits(self) -> tuple[str, list[Any]]:
        limit, offset = self.query.limits
        text, params = "", []
        if isinstance(limit, int):
            text = f" LIMIT {limit}"
        elif limit is not None:
            text, params = " LIMIT %s", self.compile(limit)[1]
        elif offset is not None and self.dialect.limit_needs_number:
            text = f" LIMIT {self.dialect.limit_needs_number}"
        if offset is not None:
            text += " OFFSET %s"
            params += self.compile(offset)[1]
        return text, params

    def _lock(self) -> str:
        lock = self.query.lock
        if lock is None:
            return ""
        tables = [self.quote_name(alias) for alias in self._locked(lock)]
        return self.dialect.lock(lock.nowait, lock.skip_locked, tables, lock.no_key)

    def _locked(self, lock: Any) -> list[str]:
        aliases = []
        for name in lock.of:
            ends: tuple[Any, ...] = ()
            here = self.query.entity
            for part in [] if name == "self" else name.split("__"):
                end: Any = here.resolve(part)
                ends, here = (*ends, end), end.target
            aliases.append(self.joins.follow(ends, None).alias)
        return aliases

    def _combined(self, subquery: bool) -> tuple[str, list[Any]]:
        """UNION and its kin. Each part is a compiler of its own; order and limits stand behind the whole."""
        query = self.query
        combined = query.combined
        assert combined is not None
        parts: list[str] = []
        params: list[Any] = []
        first = query.but(combined=None, order=(), limits=(None, None), flipped=False)
        for position, (part, offset) in enumerate([(first, 0), *combined.others]):
            compiler: Any = self.nested(part, offset)
            compiler.outer = self.outer
            try:
                sql, more = compiler.select()
            except EmptyResultSet:
                if combined.operator == "UNION" or (combined.operator == "EXCEPT" and position):
                    continue
                raise
            if position == 0 or not hasattr(self, "row"):
                self.row = compiler.row
            nested = part.is_sliced or part.combined is not None or part.order
            parts.append(f"SELECT * FROM ({sql})" + f" {self.quote_name('u' + str(position))}" if nested else sql)
            params += more
        if not parts:
            raise EmptyResultSet
        operator = f" {combined.operator} {'ALL ' if combined.all else ''}"
        sql = operator.join(parts)
        order = self._combined_order()
        if order:
            sql += f" ORDER BY {', '.join(order)}"
        limit, limit_params = self._limits()
        return sql + limit, params + limit_params

    def _combined_order(self) -> list[str]:
        """ORDER BY of a union refers to its columns by position."""
        names = [a.column.name for a, _ in self.row.attributes] + [name for name, _ in self.row.extras]
        aliases = [a.name for a, _ in self.row.attributes] + [name for name, _ in self.row.extras]
        found = []
        for item in self._order_nodes():
            node = item.expression
            name = getattr(node, "refs", None) or node.attribute.name
            if name not in aliases and name not in names:
                raise NotSupportedError(f"ORDER BY term does not match any column in the result set: {name!r}.")
            position = aliases.index(name) if name in aliases else names.index(name)
            found.append(f"{position + 1} {'DESC' if item.descending else 'ASC'}")
        return found


def walk(entity: Entity, end: Any) -> tuple[Any, ...]:
    """The ends from ``entity`` to ``end``, parent links included where an inherited model owns it."""
    if isinstance(end, Pinned):
        return end.path
    links: list[Any] = []
    here = entity
    while here.ends.get(end.name) is not end:
        for link in here.parents:
            if link.target.find(end.name) is end:
                links.append(link)
                here = link.target
                break
        else:
            break
    return (*links, end)


def _conjuncts(steps: tuple[Any, ...]) -> list[Any]:
    """The conditions that are joined by AND at the top."""
    found: list[Any] = []
    stack = list(reversed(steps))
    while stack:
        step = stack.pop()
        if isinstance(step, Condition) and step.connector == "AND" and not step.negated:
            stack.extend(reversed(step.children))
        else:
            found.append(step)
    return found


def _bound(converter: Any, node: Any, dialect: Dialect) -> Converter:
    """A converter of an expression's own, which also takes the expression and the connection."""
    return lambda value: converter(value, node, dialect)


def _chain(steps: list[Converter], nullable: bool) -> Converter:
    first, rest = steps[0], steps[1:]

    def read(value: Any) -> Any:
        value = first(value)
        for step in rest:
            value = step(value)
        return value

    return read


# -- whole statements --------------------------------------------------------------------------------------------------


def compile_select(dialect: Dialect, query: Query) -> Compiled:
    """A query as a statement. Raises ``EmptyResultSet`` where no row can match."""
    compiler = SelectCompiler(dialect, query)
    sql, params = compiler.select()
    return statement(dialect, sql, params, compiler.row)


def compile_count(dialect: Dialect, query: Query) -> Compiled:
    """SELECT COUNT(*) of a query."""
    if query.distinct or query.is_sliced or query.is_aggregated or query.combined is not None:
        ordered = query if query.is_sliced else query.without_order()
        compiler = SelectCompiler(dialect, ordered.but(related=(), lock=None))
        inner, params = compiler.select()
        sql = f"SELECT COUNT(*) FROM ({inner}) {dialect.quote_name('subquery')}"
    else:
        counted = query.without_order().but(
            columns=(("n", count_star()),),
            rows="tuple",
            extra_columns=(),
            lock=None,
        )
        compiler = SelectCompiler(dialect, counted)
        sql, params = compiler.select()
    return statement(dialect, sql, params)


def compile_exists(dialect: Dialect, query: Query) -> Compiled:
    """SELECT 1 … LIMIT 1."""
    compiler = SelectCompiler(dialect, query)
    sql, params = compiler.select(exists=True)
    if not query.is_sliced:
        sql += " LIMIT 1"
    return statement(dialect, sql, params)


def statement(dialect: Dialect, sql: str, params: list[Any], row: Row | None = None) -> Compiled:
    """Compiled text and its parameters, as a driver takes them."""
    numbers, bound = list(range(1, len(params) + 1)), params
    if dialect.numbered_parameters:
        found: dict[Any, int] = {}
        bound = []
        for place, param in enumerate(params):
            key = param.identity if isinstance(param, Slot) else (place,)
            if key not in found:
                bound.append(param)
                found[key] = len(bound)
            numbers[place] = found[key]
    return Compiled(dialect.numbered(sql, numbers), make_binder(dialect, bound), row)


def make_binder(dialect: Dialect, params: list[Any]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """A generated function from a query's slot values to a driver's parameters."""
    if not params:
        return lambda values: ()
    names: dict[str, Any] = {}
    terms: list[str] = []
    for number, param in enumerate(params):
        term, value_type = _term(param, number, names)
        array = isinstance(param, Slot) and param.array
        bind = dialect.array_binder(value_type) if array else dialect.binder(value_type)
        own = getattr(value_type, "db_binder", None)
        if own is not None:  # a custom field converts first
            bind = _after(_each(own) if array else own, bind)
        if bind is None:
            terms.append(term)
            continue
        names[f"b{number}"] = bind
        terms.append(f"b{number}({term})" if array else f"(None if {term} is None else b{number}({term}))")
    source = f"lambda v: ({', '.join(terms)},)"
    made: Callable[[tuple[Any, ...]], tuple[Any, ...]] = eval(source, names)
    return made


def _each(convert: Converter) -> Converter:
    return lambda values: [convert(value) for value in values]


def _after(first: Converter, then: Converter | None) -> Converter:
    return first if then is None else lambda value: then(first(value))


def _term(param: Any, number: int, names: dict[str, Any]) -> tuple[str, Any]:
    if isinstance(param, Slot):
        if param.array and param.item is not None:
            return f"[t[{param.item}] for t in v[{param.index}]]", param.value_type
        return f"v[{param.index}]" + ("" if param.item is None else f"[{param.item}]"), param.value_type
    constant = param if isinstance(param, Value) else Value(param)
    names[f"c{number}"] = constant.value
    return f"c{number}", constant._output_field or constant._resolve_output_field() or ANY


ANY = UNKNOWN
