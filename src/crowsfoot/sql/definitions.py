"""Tables as text: what every column, constraint and index of an entity says in one dialect.

Schema changes are found by comparing these texts, so two descriptions that say the same in SQL are the same. The table
as it was is rendered in its new names (``Renames``): the database carries a rename into everything that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crowsfoot.errors import EmptyResultSet, FieldError, FullResultSet
from crowsfoot.query.expressions import Expression, OrderBy, Value
from crowsfoot.query.func import Collate
from crowsfoot.query.inference import UNKNOWN
from crowsfoot.query.lookups import In
from crowsfoot.query.resolved import Col, Param, Resolved
from crowsfoot.query.scope import Scope
from crowsfoot.query.statements import Query
from crowsfoot.schema import types
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.table import NO_DEFAULT, Column, ForeignKey, Index, Table, Unique
from crowsfoot.schema.types import ValueType
from crowsfoot.sql import names
from crowsfoot.sql.compiler import Compiler, Slot
from crowsfoot.sql.dialect import Dialect

TEXT = types.Text()


@dataclass(frozen=True, slots=True)
class Text:
    """An expression in SQL, the columns that it reads, and whether it is a plain value."""

    sql: str
    columns: frozenset[str] = frozenset()
    constant: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A constraint or an index: its name, all that is said after the name, and the columns it needs."""

    name: str
    text: str
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class UniqueRule(Rule):
    """``automatic`` marks ``unique=True``, which Django writes into the column's definition, without a name."""

    automatic: bool = False


@dataclass(frozen=True, slots=True)
class IndexRule(Rule):
    """``computed`` marks one with expressions or a condition, which depend on the types of columns."""

    unique: bool = False
    computed: bool = False


@dataclass(frozen=True, slots=True)
class ForeignRule(Rule):
    """``text`` is the REFERENCES clause; ``key`` are the columns that refer, in order."""

    key: tuple[str, ...] = ()
    target: str = ""
    target_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnText:
    """The parts of a column's definition. ``family`` says which types turn into each other by themselves."""

    name: str
    type: str
    family: str
    collation: str | None
    default: Text | None
    generated: Text | None
    stored: bool
    null: bool
    identity: bool
    check: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Renames:
    """What is called something else by now: a table's new name, and the new names of its columns by their old ones."""

    table: str
    columns: Mapping[str, str]


@dataclass(slots=True)
class TableText:
    """A whole table. ``name`` is its plain name, ``sql`` the quoted one, with its schema."""

    name: str
    sql: str
    schema: str | None
    columns: dict[str, ColumnText]
    primary_key: tuple[str, ...]
    comment: str | None
    uniques: dict[str, UniqueRule] = field(default_factory=dict[str, UniqueRule])
    checks: dict[str, Rule] = field(default_factory=dict[str, Rule])
    indexes: dict[str, IndexRule] = field(default_factory=dict[str, IndexRule])
    foreign_keys: dict[str, ForeignRule] = field(default_factory=dict[str, ForeignRule])

    @property
    def rules(self) -> list[Rule]:
        return [*self.uniques.values(), *self.checks.values(), *self.indexes.values(), *self.foreign_keys.values()]


class Verbatim(Resolved):
    """SQL that is finished already, inside an expression that is not."""

    def __init__(self, sql: str) -> None:
        super().__init__(UNKNOWN)
        self.sql = sql

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return self.sql.replace("%", "%%"), []


class DefinitionCompiler(Compiler):
    """Compiles expressions of one table's own columns, by their bare names, with every value written out."""

    renames: Mapping[str, str] = {}
    scope: Scope

    def begin(self, scope: Scope, renames: Mapping[str, str]) -> None:
        self.bare = True
        self.scope = scope
        self.renames = renames
        self.used: set[str] = set()

    def render(self, node: Any) -> tuple[str, list[Any]]:
        if isinstance(node, Col):
            return self._own_column(node), []
        if isinstance(node, In) and isinstance(node.rhs, Param):
            return self._in_list(node, node.rhs)
        return super().render(node)

    def operand(self, mark: str, value_type: ValueType, *, of_column: bool) -> str:
        return mark  # it will be a literal, whose type the database tells

    def _own_column(self, node: Col) -> str:
        name = node.attribute.column.name
        if node.ends:  # the key of a relation is a column of this table's own, by another name
            end = node.ends[0]
            pairs = {there: here for here, there in end.hops[0].pairs}
            if len(node.ends) > 1 or not end.holds_key or name not in pairs:
                raise FieldError("Joined field references are not permitted in this query")
            name = pairs[name]
        name = self.renames.get(name, name)
        self.used.add(name)
        return self.quote_name(name)

    def _in_list(self, node: In, rhs: Param) -> tuple[str, list[Any]]:
        """A list item by item: neither a check nor a partial index may hold a subquery."""
        lhs, params = self.compile(node.lhs)
        items = self._value(rhs.index)
        marks = ", ".join("%s" for _ in items)
        return f"{lhs} IN ({marks})", [*params, *(Constant(item, rhs.value_type) for item in items)]

    def _value(self, index: int) -> Any:
        prepare = self.scope.preparers[index]
        value = self.scope.values[index]
        return value if prepare is None else prepare(value)

    def finished(self, node: Any) -> str:
        """``node`` as text without parameters; a condition that is constant says so."""
        try:
            sql, params = self.compile(node)
        except EmptyResultSet:
            return self.dialect.false
        except FullResultSet:
            return self.dialect.true
        return sql % tuple(self._literal(param) for param in params)

    def _literal(self, param: Any) -> str:
        value: Any = param
        value_type: ValueType = UNKNOWN
        if isinstance(param, Slot):
            value, value_type = self._value(param.index), param.value_type
            if param.item is not None:
                value = value[param.item]
        elif isinstance(param, Constant):
            value, value_type = param.value, param.value_type
        text = self.dialect.literal(value, value_type)
        # Two minus signs in a row would begin a comment, and a cast binds more tightly than a sign.
        return f"({text})" if text.startswith("-") else text


@dataclass(frozen=True, slots=True)
class Constant:
    """A value, rather than the number of a slot, as a parameter."""

    value: Any
    value_type: ValueType


class Renderer:
    """Renders entities in one dialect. The queries it compiles are never run, so it needs no database."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    # -- names ---------------------------------------------------------------------------------------------------------

    def quote(self, name: str) -> str:
        return self.dialect.quote_name(name) % ()  # undo the doubling of % in text that takes parameters

    def columns(self, columns: tuple[str, ...]) -> str:
        return ", ".join(self.quote(name) for name in columns)

    def qualified(self, name: str, schema: str | None = None) -> str:
        """A table's or an index's quoted name, behind its schema's."""
        written, plain = names.split_name(name)
        schema = schema or written
        return f"{self.quote(schema)}.{self.quote(plain)}" if schema else self.quote(plain)

    def text_literal(self, text: str) -> str:
        return self.dialect.literal(text, TEXT)

    # -- expressions ---------------------------------------------------------------------------------------------------

    def expression(
        self, entity: Entity, node: Any, renames: Mapping[str, str] | None = None, *, condition: bool = False
    ) -> Text:
        """An expression, or a ``Q`` as a condition, over the entity's own columns.

        Raises ``FieldError`` on an unknown name or a relation, ``NotSupportedError`` on a value without a literal.
        """
        compiler, scope = self._compiler(entity, renames)
        resolved = scope.resolve_condition(node) if condition else node.resolve_expression(scope)
        text = compiler.finished(resolved)
        return Text(text, frozenset(compiler.used), isinstance(node, Value))

    def indexed(self, entity: Entity, node: Any, renames: Mapping[str, str]) -> Text:
        """An expression as an index takes it: in brackets, with its direction and the like behind them."""
        compiler, scope = self._compiler(entity, renames)
        node = node.resolve_expression(scope)
        wrappers: list[Expression] = []
        while isinstance(node, (OrderBy, Collate)) or getattr(node, "is_index_wrapper", False):
            wrappers.append(node)
            node = node.get_source_expressions()[0]
        text = compiler.finished(node)
        if not isinstance(node, Col):
            text = f"({text})"
        for wrapper in reversed(wrappers):
            around = wrapper.copy()
            around.set_source_expressions([Verbatim(text)])
            text = compiler.finished(around)
        return Text(text.removesuffix(" ASC"), frozenset(compiler.used), False)

    def _compiler(self, entity: Entity, renames: Mapping[str, str] | None) -> tuple[DefinitionCompiler, Scope]:
        query = Query(entity)
        scope = Scope(query)
        compiler = DefinitionCompiler(self.dialect, query)
        compiler.begin(scope, renames or {})
        return compiler, scope

    def value(self, entity: Entity, column: Column, value: Any) -> Text:
        """A value of a column, or an expression for it. Raises ``NotSupportedError`` where it has no literal."""
        if isinstance(value, Value):
            value = value.meant
        elif hasattr(value, "resolve_expression"):
            text = self.expression(entity, value)
            return Text(f"({text.sql})", text.columns, False)
        sql = self.dialect.literal(column.type.prepare(value), column.type)
        return Text(sql) if not sql.startswith("CAST(") else Text(f"({sql})", constant=False)

    # -- parts of a table ----------------------------------------------------------------------------------------------

    def table(
        self, entity: Entity, moved: Renames | None = None, targets: Mapping[str, Renames] | None = None
    ) -> TableText:
        """The table of ``entity``, in the names that ``moved`` gives it and those of ``targets``, by their old names.

        Raises ``FieldError`` and ``NotSupportedError`` as ``expression`` does.
        """
        table = entity.table
        renames: Mapping[str, str] = moved.columns if moved else {}
        name = moved.table if moved else table.name
        text = TableText(
            names.split_name(name)[1],
            self.qualified(name, table.schema),
            table.schema or names.split_name(name)[0] or None,
            {},
            tuple(renames.get(column, column) for column in table.primary_key),
            table.comment if self.dialect.comments else None,
        )
        for column in table.columns.values():
            rendered = self.column(entity, column, renames)
            text.columns[rendered.name] = rendered
        for check in table.checks:
            condition = self.expression(entity, check.condition, renames, condition=True)
            text.checks[check.name] = Rule(check.name, f"CHECK ({condition.sql})", condition.columns)
        for key in table.foreign_keys:
            text.foreign_keys[key.name] = self.foreign_key(key, renames, targets or {})
        for unique in table.uniques:
            self._unique(text, entity, unique, renames)
        for index in table.indexes:
            text.indexes[index.name] = self.index(text.sql, entity, index, renames)
        if self.dialect.index_options:
            self._like_indexes(text, table, renames)
        return text

    def column(self, entity: Entity, column: Column, renames: Mapping[str, str]) -> ColumnText:
        name = renames.get(column.name, column.name)
        identity = column.identity and (self.dialect.index_options or len(entity.table.primary_key) == 1)
        generated = None
        if column.generated is not None:
            generated = self.expression(entity, column.generated.expression, renames)
        collation = column.collation or getattr(column.type, "collation", None)
        return ColumnText(
            name,
            self.dialect.column_type(column.type, identity),
            "custom" if column.type.own_words(self.dialect.vendor) else column.type.kind,
            None if collation is None else self.quote(collation),
            None if column.default is NO_DEFAULT else self.value(entity, column, column.default),
            generated,
            column.generated is not None and column.generated.stored,
            column.null,
            identity,
            None if identity else self.dialect.column_check(column.type, self.quote(name)),
            column.comment if self.dialect.comments else None,
        )

    def foreign_key(self, key: ForeignKey, renames: Mapping[str, str], targets: Mapping[str, Renames]) -> ForeignRule:
        there = targets.get(key.target) or Renames(key.target, {})
        columns = tuple(renames.get(column, column) for column in key.columns)
        target_columns = tuple(there.columns.get(column, column) for column in key.target_columns)
        action = "" if key.on_delete == "NO ACTION" else f" ON DELETE {key.on_delete}"
        if key.is_partial:
            # A database that cannot empty some of the columns leaves it to delete(), and refuses other deletes.
            some = self.columns(tuple(renames.get(column, column) for column in key.null_columns))
            action = f"{action} ({some})" if action and self.dialect.sets_some_columns else ""
        if key.on_update != "NO ACTION":
            action += f" ON UPDATE {key.on_update}"
        references = f"REFERENCES {self.qualified(there.table)} ({self.columns(target_columns)}){action}"
        # Keys are checked at the statement unless declared otherwise, but a block may ask to defer them.
        text = f"{references} DEFERRABLE INITIALLY {key.deferrable.upper()}"
        return ForeignRule(key.name, text, frozenset(columns), columns, there.table, target_columns)

    def _unique(self, text: TableText, entity: Entity, unique: Unique, renames: Mapping[str, str]) -> None:
        if not self.dialect.index_options and (unique.deferrable or unique.nulls_distinct is False):
            return  # as in Django: a rule that the database cannot hold is not held by a stricter one
        columns = tuple(renames.get(column, column) for column in unique.columns)
        plain = unique.deferrable is None and unique.nulls_distinct is None
        generic = plain and names.is_unique_name(unique.name, entity.table.name, unique.columns)
        if unique.is_index or (generic and len(columns) > 1 and self.dialect.rebuilds_tables):
            # Django keeps unique_together as an index on SQLite.
            text.indexes[unique.name] = self.index(text.sql, entity, unique, renames)
            return
        nulls = {None: "", True: " NULLS DISTINCT", False: " NULLS NOT DISTINCT"}[unique.nulls_distinct]
        nulls = nulls if self.dialect.index_options else ""
        deferrable = f" DEFERRABLE INITIALLY {unique.deferrable.upper()}" if unique.deferrable else ""
        text.uniques[unique.name] = UniqueRule(
            unique.name,
            f"UNIQUE{nulls} ({self.columns(columns)}){deferrable}",
            frozenset(columns),
            generic and len(columns) == 1,
        )

    def index(self, table: str, entity: Entity, index: Index | Unique, renames: Mapping[str, str]) -> IndexRule:
        options = self.dialect.index_options
        used: set[str] = set()
        parts: list[str] = []
        classes = index.opclasses if options else ()
        columns: tuple[Any, ...] = index.columns  # with a direction each, but for those of a Unique
        for position, item in enumerate(columns):
            plain, descending = (item, False) if isinstance(item, str) else item
            column = renames.get(plain, plain)
            used.add(column)
            parts.append(
                self.quote(column)
                + (f" {classes[position]}" if position < len(classes) else "")
                + (" DESC" if descending else "")
            )
        for expression in index.expressions:
            text = self.indexed(entity, expression, renames)
            used |= text.columns
            parts.append(text.sql)
        method = index.method if isinstance(index, Index) and options else None
        tail = ""
        if index.include and options:
            include = tuple(renames.get(column, column) for column in index.include)
            used.update(include)
            tail = f" INCLUDE ({self.columns(include)})"
        if isinstance(index, Unique) and index.nulls_distinct is not None and options:
            tail += " NULLS DISTINCT" if index.nulls_distinct else " NULLS NOT DISTINCT"
        if index.condition is not None:
            condition = self.expression(entity, index.condition, renames, condition=True)
            used |= condition.columns
            tail += f" WHERE {condition.sql}"
        using = f" USING {method}" if method else ""
        computed = bool(index.expressions or index.condition is not None)
        whole = f"ON {table}{using} ({', '.join(parts)}){tail}"
        return IndexRule(index.name, whole, frozenset(used), isinstance(index, Unique), computed)

    def _like_indexes(self, text: TableText, table: Table, renames: Mapping[str, str]) -> None:
        """Django gives PostgreSQL a second index on each string that is indexed or unique, because only one with
        another operator class serves LIKE. Columns with a collation are left out: it may be nondeterministic.
        """
        wanted = set(table.primary_key) if len(table.primary_key) == 1 else set[str]()
        for unique in table.uniques:
            single = len(unique.columns) == 1 and not unique.is_index
            if single and names.is_unique_name(unique.name, table.name, unique.columns):
                wanted.update(unique.columns)
        for index in table.indexes:
            if len(index.columns) == 1 and names.is_field_index_name(index.name, table.name, index.columns[0][0]):
                wanted.add(index.columns[0][0])
        for column in table.columns.values():
            now = renames.get(column.name, column.name)
            rendered = text.columns[now]
            kind = next((k for k in ("varchar", "text") if rendered.type.startswith(k)), None)
            if column.name in wanted and kind and "[" not in rendered.type and rendered.collation is None:
                name = names.like_index_name(table.name, column.name)
                like = f"ON {text.sql} ({self.quote(now)} {kind}_pattern_ops)"
                text.indexes[name] = IndexRule(name, like, frozenset({now}))

    # -- whole definitions ---------------------------------------------------------------------------------------------

    def column_sql(
        self, table: TableText, column: ColumnText, *, default: Text | None = None, keys: bool = True
    ) -> str:
        """A column as CREATE TABLE or ADD COLUMN has it. ``default`` replaces its own; ``keys`` adds its keys."""
        default = default or column.default
        parts = [self.quote(column.name), column.type]
        if column.collation:
            parts.append(f"COLLATE {column.collation}")
        if default is not None:
            parts.append(f"DEFAULT {default.sql}")
        if column.generated is not None:
            parts.append(f"GENERATED ALWAYS AS ({column.generated.sql}) {'STORED' if column.stored else 'VIRTUAL'}")
        else:
            parts.append("NULL" if column.null else "NOT NULL")
        if keys and table.primary_key == (column.name,):
            parts.append("PRIMARY KEY")
        elif keys and any(rule.automatic and column.name in rule.columns for rule in table.uniques.values()):
            parts.append("UNIQUE")
        if column.check is not None:
            parts.append(f"CHECK ({column.check})")
        if column.identity:
            parts.append(self.dialect.identity_suffix)
        if keys and self.dialect.rebuilds_tables:
            parts.extend(rule.text for rule in table.foreign_keys.values() if rule.key == (column.name,))
        return " ".join(parts)

    def create_table(self, table: TableText, name: str | None = None) -> str:
        """CREATE TABLE with everything that stands inside it; ``name`` (quoted) is another name for the table."""
        parts = [self.column_sql(table, column) for column in table.columns.values()]
        rules: list[Rule] = [rule for rule in table.uniques.values() if not rule.automatic]
        rules.extend(table.checks.values())
        parts.extend(f"CONSTRAINT {self.quote(rule.name)} {rule.text}" for rule in rules)
        if len(table.primary_key) > 1:
            parts.append(f"PRIMARY KEY ({self.columns(table.primary_key)})")
        if self.dialect.rebuilds_tables:
            parts.extend(
                f"CONSTRAINT {self.quote(rule.name)} {self.foreign_key_sql(rule)}"
                for rule in table.foreign_keys.values()
                if len(rule.key) > 1
            )
        return f"CREATE TABLE {name or table.sql} ({', '.join(parts)})"

    def foreign_key_sql(self, rule: ForeignRule) -> str:
        return f"FOREIGN KEY ({self.columns(rule.key)}) {rule.text}"

    def create_index(self, rule: IndexRule) -> str:
        return f"CREATE {'UNIQUE ' if rule.unique else ''}INDEX {self.quote(rule.name)} {rule.text}"
