"""SELECT: a query's description to one statement, and what its rows hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from crowsfoot.errors import EmptyResultSet, FieldError, FullResultSet, NotSupportedError
from crowsfoot.query.aggregates import Aggregate
from crowsfoot.query.depth import bounded
from crowsfoot.query.expressions import OrderBy
from crowsfoot.query.filtered import Pinned
from crowsfoot.query.inference import DECIMAL, MixedTypes
from crowsfoot.query.loading import Loading
from crowsfoot.query.nodes import BaseExpression
from crowsfoot.query.resolved import Col, ColumnTuple, Condition, Ref, RowKey
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import GROUP_BY_KEY, RANDOM, Query, Related, count_star, order_items
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.types import ValueType
from crowsfoot.sql import combined, qualify
from crowsfoot.sql.compiler import Compiler
from crowsfoot.sql.conditions import compile_condition
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.joins import Source, say
from crowsfoot.sql.outside import Named
from crowsfoot.sql.statement import Compiled, Converter, Row, statement

# What is computed may come in another type than a column's: PostgreSQL adds up bigints to a numeric.
COMPUTED: dict[str, Converter] = {
    "smallint": int, "integer": int, "bigint": int, "float": float,
    "decimal": lambda value: value if isinstance(value, Decimal) else Decimal(str(value)),
}  # fmt: skip
# A column of the SELECT clause, and its name where it has one.
Output: TypeAlias = tuple[str, str | None]
# WHERE, its parameters, HAVING, and its parameters.
Conditions: TypeAlias = tuple[str, list[Any], str, list[Any]]


class SelectCompiler(Compiler):
    """Compiles whole SELECT statements."""

    row: Row
    conditions: dict[Source, tuple[str, list[Any]]]
    # The conditions that need the window functions to be computed first.
    over_windows: list[Any]

    def select(self, *, subquery: bool = False, exists: bool = False, tie: str = "") -> tuple[str, list[Any]]:
        """The statement. ``exists`` selects nothing in particular; ``tie`` is a condition that binds a subquery."""
        query = self.query
        if query.empty:
            raise EmptyResultSet
        if query.combined is not None:
            return combined.select(self, subquery)
        outputs, params = self._outputs(exists)
        where = self._conditions(tie)
        unordered = exists or (subquery and not query.is_sliced and not query.distinct_on)
        if self.over_windows:
            return qualify.select(self, outputs, params, where, unordered)
        group = self._grouping(outputs)
        chosen = len(outputs)
        order, order_params = self._ordering(outputs, params, unordered)
        distinct, distinct_params = self._distinct()
        sql = f"SELECT {distinct}{', '.join(map(self.named, outputs))}"
        rest, rest_params = self._body(where, group)
        sql, params = sql + rest, distinct_params + params + rest_params
        if order:
            sql += f" ORDER BY {', '.join(order)}"
            params += order_params
        limit, limit_params = self._limits()
        sql, params = sql + limit + self._lock(), params + limit_params
        return (self.first_columns(sql, chosen, len(outputs)) if subquery else sql), params

    def _body(self, conditions: Conditions, group: tuple[list[str], list[Any]]) -> tuple[str, list[Any]]:
        """FROM, WHERE, GROUP BY and HAVING, once it is known which tables are joined."""
        where, where_params, having, having_params = conditions
        source, params = self.joins.render(self.quote_name, self._join_condition, self.query.tables)
        sql = f" FROM {source}"
        params = params + where_params
        if where:
            sql += f" WHERE {where}"
        if group[0]:
            sql += f" GROUP BY {', '.join(group[0])}"
            params += group[1]
        if having:
            sql += f" HAVING {having}"
            params += having_params
        return sql, params

    def named(self, output: Output) -> str:
        """A column of the SELECT clause, with its name where it has one."""
        text, name = output
        return text if name is None else f"{text} AS {self.quote_name(name)}"

    def first_columns(self, sql: str, count: int, of: int) -> str:
        """A statement without the columns at its end that it is only ordered by."""
        if count == of:
            return sql
        table = self.quote_name(self.names.take("chosen"))
        names = [self.quote_name(f"c{number}") for number in range(of)]
        return f"WITH {table} ({', '.join(names)}) AS ({sql}) SELECT {', '.join(names[:count])} FROM {table}"

    # -- what is selected ----------------------------------------------------------------------------------------------

    def _outputs(self, exists: bool) -> tuple[list[Output], list[Any]]:
        query = self.query
        if exists and not query.distinct and not query.is_aggregated:
            self.row = Row(query.entity, kind="tuple")
            return [("1", "a")], []
        if query.columns is not None:
            return self._chosen(query)
        outputs: list[Output] = []
        params: list[Any] = []
        self.row = self._entity(query.entity, (), Loading.of(query.deferred), query.related, outputs)
        self.row.kind = query.rows
        for name, node in query.selected_annotations:
            sql, more = self.value_of(node)
            outputs.append((sql, name))
            self._knows(node, name, len(outputs), (sql, more))
            params += more
            self.row.extras.append((name, self._reader(node)))
        self._extra_outputs(query, outputs, params)
        self._forget_shared_names()
        return outputs, params

    def _knows(self, node: Any, name: str, place: int, said: tuple[str, list[Any]]) -> None:
        """``node`` is selected: ORDER BY knows it by name, GROUP BY by its place, and windows in the same words."""
        self.selected[id(node)], self.places[id(node)], self.said[id(node)] = name, place, said

    def _forget_shared_names(self) -> None:
        """An annotation that is called as a column beside it cannot be ordered by under that name."""
        taken: set[str] = set()
        rows = [self.row]
        while rows:
            row = rows.pop()
            taken.update(attribute.column.name for attribute, _ in row.attributes)
            rows += [related for _, related in row.related]
        self.selected = {key: name for key, name in self.selected.items() if name not in taken}

    def _extra_outputs(self, query: Query, outputs: list[Output], params: list[Any]) -> None:
        for name, node in query.extra_columns:
            if isinstance(node, ColumnTuple):
                self._composite_output(name, node, outputs)
                continue
            sql, more = self.compile(node)
            outputs.append((sql, name))
            params += more
            self.row.extras.append((name, self._reader(node)))

    def _composite_output(self, name: str, node: ColumnTuple, outputs: list[Output]) -> None:
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
            row.attributes.append((attribute, self.reader(attribute.value_type, col)))
        for item in related:
            if item.named:
                loading.check_related(entity, item.end)
            way = (*ends, *walk(entity, item.end))
            inner = self._entity(item.end.target, way, loading.behind(item.end), item.children, outputs)
            row.related.append((item.end, inner))
        return row

    def _chosen(self, query: Query) -> tuple[list[Output], list[Any]]:
        outputs: list[Output] = []
        params: list[Any] = []
        self.row = Row(query.entity, kind=query.rows)
        for name, node in query.columns or ():
            if isinstance(node, ColumnTuple):
                self._composite_output(name, node, outputs)
                continue
            sql, more = self.value_of(node)
            outputs.append((sql, None if isinstance(node, Col) else name))
            if not isinstance(node, Col):
                source = getattr(node, "source", None)
                self._knows(node if source is None else source, name, len(outputs), (sql, more))
            params += more
            self.row.extras.append((name, self._reader(node)))
        self._extra_outputs(query, outputs, params)
        return outputs or [("1", None)], params

    def _reader(self, node: BaseExpression) -> Converter | None:
        """What turns a driver's value of an expression into the one handed out."""
        known = _type_of(node)
        steps: list[Converter | None] = []
        if known is not None:
            computed = not isinstance(node, Col)
            if computed and known.kind == "decimal" and not known.db_converters(self.dialect):
                known = DECIMAL  # what is computed has as many places as it has
            steps += [self.reader(known, node), COMPUTED.get(known.kind) if computed else None]
        steps += [_bound(converter, node, self.dialect) for converter in node.get_db_converters(self.dialect)]
        while isinstance(node, Ref):
            node = node.source
        if type(node).convert_value is not BaseExpression.convert_value:
            steps.append(_bound(node.convert_value, node, self.dialect))
        found = [step for step in steps if step is not None]
        return _chain(found, False) if len(found) > 1 else found[0] if found else None

    def reader(self, value_type: Any, node: BaseExpression | None = None) -> Converter | None:
        """What turns a driver's value into the field's: the dialect's converter, then the field's own."""
        own = value_type.db_converters(self.dialect, node)
        steps = [step for step in (self.dialect.reader(value_type), *own) if step is not None]
        if not steps:
            return None
        return _chain(steps, bool(own)) if own or len(steps) > 1 else steps[0]

    # -- conditions ----------------------------------------------------------------------------------------------------

    def _conditions(self, tie: str) -> Conditions:
        """WHERE and HAVING. A condition goes to HAVING when an aggregate is in it, and to neither for a window."""
        steps = _conjuncts(self.query.steps)
        self.over_windows = [step for step in steps if step.contains_over_clause]
        steps = [step for step in steps if not step.contains_over_clause]
        before = [step for step in steps if not step.contains_aggregate]
        after = [step for step in steps if step.contains_aggregate]
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
        if hop.condition is not None:
            said, more = say(self, hop.condition, parent.alias, source.alias)
            self.names.said.append(said)
            text = " AND ".join(part for part in (text, f"({said.sql})" if said.sql else "") if part)
            params += more
        if not text:
            raise ValueError(
                f"Join generated an empty ON clause. {source.end.owner.name}.{source.end.name} has neither fields to "
                "compare nor a condition: give its field a get_extra_restriction()."
            )
        sql, more = self.conditions.get(source, ("", []))
        return text + sql, params + more

    # -- grouping and order --------------------------------------------------------------------------------------------

    def _grouping(self, outputs: list[Output], also: Sequence[Any] = ()) -> tuple[list[str], list[Any]]:
        query = self.query
        if query.grouping is None:
            return [], []
        nodes: list[Any] = []
        if query.grouping is GROUP_BY_KEY:
            nodes += [Col(a.via, a) for a in query.entity.key]
            if query.columns is None:
                nodes += self._other_tables(query)
        else:
            nodes += query.grouping
        nodes += [n for _, n in query.output()]
        nodes += also
        nodes += [n for _, n in query.extra_columns]
        nodes += [item.expression for item in self._order_nodes() if isinstance(item, OrderBy)]
        nodes += self._beside_aggregates(query)
        found: dict[str, list[Any]] = {}
        for node in nodes:
            for part in node.get_group_by_cols():
                if getattr(part, "contains_aggregate", False):
                    continue
                if isinstance(part, Ref) and not part.source.get_group_by_cols():  # a constant, under its name
                    continue
                place = self.places.get(id(part.source if isinstance(part, Ref) else part))
                try:
                    # Said again, a subquery is another expression: it is grouped by as the column that it is.
                    sql, params = self.compile(part) if place is None else (str(place), [])
                    if place is None:  # and ordered by in the same words
                        self.said[id(part)] = sql, params
                except (EmptyResultSet, FullResultSet):  # a constant, which makes no groups
                    continue
                found.setdefault(sql, params)
        return list(found), [p for params in found.values() for p in params]

    def _beside_aggregates(self, query: Query) -> list[Any]:
        """Columns that HAVING compares as they are, where the key of the query's own table does not cover them."""
        found: list[Any] = []
        stack: list[Any] = [step for step in _conjuncts(query.steps) if step.contains_aggregate]
        while stack:
            node = stack.pop()
            if isinstance(node, Col):
                found.append(node)
            elif isinstance(node, BaseExpression) and not isinstance(node, Aggregate):
                stack += node.get_source_expressions()
        by_key = query.grouping is GROUP_BY_KEY
        return [col for col in found if col.ends or not by_key]

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

    def _ordering(self, outputs: list[Output], selected: list[Any], skip: bool = False) -> tuple[list[str], list[Any]]:
        """ORDER BY. What it needs among the columns is added to ``outputs``, and its parameters to ``selected``."""
        if skip:
            self._settle()
            return [], []
        parts: list[str] = []
        params = list[Any]()
        for item in self._order_nodes():
            if item is RANDOM:
                parts.append(f"{self.dialect.random} ASC")
                continue
            try:
                if self.query.distinct and not self.query.distinct_on:
                    selected += self._select_too(item.expression, outputs)
                sql, more = self.compile(self._by_name(item))
            except EmptyResultSet:
                continue
            if sql in parts:
                continue
            parts.append(sql)
            params += more
        self._settle()
        return parts, params

    def _by_name(self, item: OrderBy) -> OrderBy:
        """An order by an annotation that is selected goes by its name. A window, say, has to say it again."""
        found = item.copy()
        found.expression = self._named_or_same(item.expression)
        return found

    def _named_or_same(self, node: Any) -> Any:
        name = self.selected.get(id(node.source)) if isinstance(node, Ref) else None
        return node if name is None else Named(name, node)

    def _select_too(self, node: Any, outputs: list[Output]) -> list[Any]:
        """SELECT DISTINCT needs what it is ordered by among its columns."""
        if isinstance(node, Ref) and id(node.source) in self.selected:
            return []
        text, params = self.said[id(node)] = self.compile(node)
        if any(out == text for out, _ in outputs):
            return []
        outputs.append((text, None))
        self.row.unread = True
        return params

    def _distinct(self) -> tuple[str, list[Any]]:
        query = self.query
        if not query.distinct:
            return "", []
        if not query.distinct_on:
            return "DISTINCT ", []
        if not self.dialect.distinct_on:
            raise NotSupportedError("DISTINCT ON fields is not supported by this database backend")
        if query.is_aggregated:
            raise NotImplementedError("annotate() + distinct(fields) is not implemented.")
        compiled = [self.compile(self._named_or_same(node)) for node in query.distinct_on]
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
        choices = dict(self._lockable()) if lock.of else {}
        wrong = [name for name in lock.of if name not in choices]
        if wrong:
            raise FieldError(
                f"Invalid field name(s) given in select_for_update(of=(...)): {', '.join(wrong)}. Only relational "
                f"fields followed in the query are allowed. Choices are: {', '.join(choices)}."
            )
        return [self.joins.follow(choices[name], None).alias for name in lock.of]

    def _lockable(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """What ``of`` may name: the query's own rows, those selected beside them, and what these inherit from."""
        queue: list[tuple[str, tuple[Any, ...], Entity, tuple[Related, ...]]]
        queue = [("", (), self.query.entity, self.query.related)]
        while queue:
            name, ends, entity, related = queue.pop(0)
            yield name or "self", ends
            before = f"{name}__" if name else ""
            queue += [(before + link.name, (*ends, link), link.target, ()) for link in entity.concrete.parents]
            queue += [
                (before + item.end.name, (*ends, *walk(entity, item.end)), item.end.target, item.children)
                for item in related
            ]


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


def _type_of(node: BaseExpression) -> ValueType | None:
    """The type of what is selected; raises ``FieldError`` where it is made of types that do not go together."""
    try:
        return node.value_type
    except MixedTypes:
        raise
    except FieldError:
        return None


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


@bounded
def compile_select(dialect: Dialect, query: Query) -> Compiled:
    """A query as a statement. Raises ``EmptyResultSet`` where no row can match."""
    compiler = SelectCompiler(dialect, query)
    sql, params = compiler.select()
    return statement(dialect, sql, params, compiler.row, compiler.names)


@bounded
def compile_count(dialect: Dialect, query: Query) -> Compiled:
    """SELECT COUNT(*) of a query."""
    if query.distinct or query.is_sliced or query.is_aggregated or query.combined is not None or query.asks_windows:
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
        for _, node in query.output():
            for col in node.flatten():
                if isinstance(col, Col) and any(end.many for end in col.ends):  # it multiplies the rows
                    compiler.joins.reach(col.ends, col.attribute, col.group)
        sql, params = compiler.select()
    return statement(dialect, sql, params, names=compiler.names)


@bounded
def compile_exists(dialect: Dialect, query: Query) -> Compiled:
    """SELECT 1 … LIMIT 1."""
    compiler = SelectCompiler(dialect, query.but(lock=None))
    sql, params = compiler.select(exists=True)
    if not query.is_sliced:
        sql += " LIMIT 1"
    return statement(dialect, sql, params, names=compiler.names)
