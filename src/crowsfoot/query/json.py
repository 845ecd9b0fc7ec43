"""Look-ups into JSON: ``filter(data__author__name="Asha")``, ``data__has_key="tags"``, ``data__contains={"n": 1}``.

A name that is no look-up is a key, or the number of an array's item. SQLite's ``->`` gives JSON text, so both databases
compare JSON with JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self

from crowsfoot.query.expressions import F, Value
from crowsfoot.query.inference import TEXT
from crowsfoot.query.lookups import (
    EndsWith,
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IContains,
    IEndsWith,
    IExact,
    In,
    IRegex,
    IsNull,
    IStartsWith,
    LessThan,
    LessThanOrEqual,
    Lookup,
    Regex,
    StartsWith,
    TextLookup,
    Transform,
)  # fmt: skip
from crowsfoot.query.resolved import Param
from crowsfoot.schema.types import JSON, JSON_NULL, ValueType

__all__ = [
    "KT", "ContainedBy", "DataContains", "HasAnyKeys", "HasKey", "HasKeys", "JSONNull", "KeyTextTransform",
    "KeyTransform",
]  # fmt: skip


class JSONNull(Value):
    """JSON's own null, which is a value; None is the NULL of a column that has none."""

    def __init__(self) -> None:
        super().__init__(None, output_field=JSON())


# -- keys --------------------------------------------------------------------------------------------------------------


class KeyTransform(Transform):
    """What stands under a key of an object, or under a number of an array; NULL where nothing does."""

    arrow = "->"
    long_arrow = "#>"
    null_strict = True

    def __init__(self, key_name: Any, expression: Any, **extra: Any) -> None:
        super().__init__(expression, **extra)
        self.key_name = str(key_name)

    def path(self) -> tuple[Any, list[str]]:
        """The expression that the whole chain of keys starts from, and the keys."""
        keys: list[str] = []
        node: Any = self
        while isinstance(node, KeyTransform):
            keys.insert(0, node.key_name)
            node = node.lhs
        return node, keys

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        node, keys = self.path()
        sql, params = compiler.compile(node)
        if len(keys) > 1:
            return f"({sql} {self.long_arrow} ARRAY[{', '.join(quoted(compiler, key) for key in keys)}])", params
        number = item_number(keys[0])
        return f"({sql} {self.arrow} {quoted(compiler, keys[0]) if number is None else number})", params

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        node, keys = self.path()
        sql, params = compiler.compile(node)
        return f"({sql} {self.arrow} {quoted(compiler, json_path(keys))})", params


class KeyTextTransform(KeyTransform):
    """As ``KeyTransform``, as text: a string without its quotes."""

    arrow = "->>"
    long_arrow = "#>>"
    _output_field = TEXT

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """SQLite has no booleans and gives numbers as such: all is text here."""
        node, keys = self.path()
        sql, params = compiler.compile(node)
        path = quoted(compiler, json_path(keys))
        kind = f"CASE JSON_TYPE({sql}, {path}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
        return f"({kind} ELSE CAST({sql} ->> {path} AS TEXT) END)", [*params, *params]

    @classmethod
    def from_lookup(cls, lookup: str) -> Self:
        """``KT("data__author__name")``: for annotations, orders and functions."""
        name, *keys = lookup.split("__")
        if not keys:
            raise ValueError("Lookup must contain key or index transforms.")
        node: Any = F(name)
        for key in keys:
            node = cls(key, node)
        return node


KT = KeyTextTransform.from_lookup


def quoted(compiler: Any, text: str) -> str:
    """A key as SQL text. It is part of the query's shape, like the name of a column."""
    literal: str = compiler.dialect.literal(text, TEXT)
    return literal.replace("%", "%%")


def item_number(key: str) -> int | None:
    """The number of an array's item, counted from the end where it is negative; None for a key."""
    try:
        return int(key)
    except ValueError:
        return None


def json_path(keys: list[str]) -> str:
    """SQLite's words for a chain of keys."""
    path = "$"
    for key in keys:
        number = item_number(key)
        if number is None:
            path += f".{json.dumps(key)}"
        else:
            path += f"[{number}]" if number >= 0 else f"[#{number}]"
    return path


def key_transform(name: str) -> Callable[[Any], KeyTransform]:
    """What a look-up's name means that is no look-up of JSON."""
    return lambda node: KeyTransform(name, node)


JSON.keys = staticmethod(key_transform)


# -- look-ups of JSON --------------------------------------------------------------------------------------------------


@JSON.register_lookup
class JSONExact(Exact):
    can_use_none_as_rhs = True
    sql: ClassVar = {"sqlite": "JSON({lhs}) = JSON({rhs})", "postgresql": "{lhs} = {rhs}"}

    def prepare(self, value: Any) -> Any:
        return JSON_NULL if value is None else super().prepare(value)


@JSON.register_lookup
class JSONIn(In):
    def prepare(self, value: Any) -> Any:
        return super().prepare([JSON_NULL if item is None else item for item in value])

    def expressions(self, items: Iterable[Any]) -> list[Any]:
        """Plain values become JSON, those that come as a ``Value`` of another type too."""
        return [self._as_json(item) for item in super().expressions(items)]

    def _as_json(self, item: Any) -> Any:
        known = item._output_field if isinstance(item, Value) else None
        if not isinstance(item, Value) or (known is not None and known.kind == "json"):
            return item
        if item.value is None and known is not None:
            return Value(None)  # NULL, which nothing equals
        return Value(item.value if known is None else known.prepare(item.value), self.compared_type)


@JSON.register_lookup
class DataContains(Lookup):
    """Whether the right side's keys and items are all in the left."""

    lookup_name = "contains"
    sql: ClassVar = {"sqlite": "crowsfoot_json_contains({lhs}, {rhs})", "postgresql": "{lhs} @> {rhs}"}


@JSON.register_lookup
class ContainedBy(Lookup):
    """Whether the left side's keys and items are all in the right."""

    lookup_name = "contained_by"
    sql: ClassVar = {"sqlite": "crowsfoot_json_contains({rhs}, {lhs})", "postgresql": "{lhs} <@ {rhs}"}


@JSON.register_lookup
class HasKey(TextLookup):
    """Whether there is such a key. ``F("data__a__b")`` stands for a chain of keys, not for what is found there."""

    lookup_name = "has_key"
    sql: ClassVar = {
        "sqlite": "EXISTS(SELECT 1 FROM json_each({lhs}) WHERE key = {rhs})",
        "postgresql": "{lhs} ? {rhs}",
    }

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        if not isinstance(self.rhs, KeyTransform):
            return super().as_sql(compiler, connection)
        found = self.lhs
        for key in self.rhs.path()[1]:
            found = KeyTransform(key, found).resolve_expression()
        sql: tuple[str, list[Any]] = compiler.compile(IsNull(found, False))
        return sql


class _Keys(Lookup):
    """A look-up whose value is a list of keys."""

    @property
    def rhs_type(self) -> ValueType:
        return TEXT

    def prepare(self, value: Any) -> Any:
        return [str(item) for item in value]

    def bind(self, index: int) -> Lookup:
        self.rhs = Param(index, TEXT, array=True)
        return self


@JSON.register_lookup
class HasKeys(_Keys):
    lookup_name = "has_keys"
    sql: ClassVar = {
        "sqlite": "{lhs} IS NOT NULL AND NOT EXISTS(SELECT 1 FROM json_each({rhs}) wanted WHERE wanted.value NOT IN "
        "(SELECT key FROM json_each({lhs}) WHERE key IS NOT NULL))",
        "postgresql": "{lhs} ?& {rhs}",
    }


@JSON.register_lookup
class HasAnyKeys(_Keys):
    lookup_name = "has_any_keys"
    sql: ClassVar = {
        "sqlite": "EXISTS(SELECT 1 FROM json_each({lhs}) WHERE key IN (SELECT value FROM json_each({rhs})))",
        "postgresql": "{lhs} ?| {rhs}",
    }


# -- look-ups of what stands under a key -------------------------------------------------------------------------------


class _AsText:
    """A look-up of text looks at a string without its quotes."""

    def __init__(self, lhs: Any, rhs: Any) -> None:
        if isinstance(lhs, KeyTransform) and not isinstance(lhs, KeyTextTransform):
            text = KeyTextTransform(lhs.key_name, lhs.lhs)
            lhs = text.resolve_expression() if lhs.is_resolved else text
        super().__init__(lhs, rhs)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@KeyTransform.register_lookup
class KeyIContains(_AsText, IContains):
    pass


@KeyTransform.register_lookup
class KeyStartsWith(_AsText, StartsWith):
    pass


@KeyTransform.register_lookup
class KeyIStartsWith(_AsText, IStartsWith):
    pass


@KeyTransform.register_lookup
class KeyEndsWith(_AsText, EndsWith):
    pass


@KeyTransform.register_lookup
class KeyIEndsWith(_AsText, IEndsWith):
    pass


@KeyTransform.register_lookup
class KeyIExact(_AsText, IExact):
    pass


@KeyTransform.register_lookup
class KeyRegex(_AsText, Regex):
    pass


@KeyTransform.register_lookup
class KeyIRegex(_AsText, IRegex):
    pass


# SQLite compares numbers, and texts, once they are out of the JSON.
@KeyTransform.register_lookup
class KeyGreaterThan(GreaterThan):
    sql: ClassVar = {"sqlite": "({lhs} ->> '$') > ({rhs} ->> '$')", "postgresql": "{lhs} > {rhs}"}


@KeyTransform.register_lookup
class KeyGreaterThanOrEqual(GreaterThanOrEqual):
    sql: ClassVar = {"sqlite": "({lhs} ->> '$') >= ({rhs} ->> '$')", "postgresql": "{lhs} >= {rhs}"}


@KeyTransform.register_lookup
class KeyLessThan(LessThan):
    sql: ClassVar = {"sqlite": "({lhs} ->> '$') < ({rhs} ->> '$')", "postgresql": "{lhs} < {rhs}"}


@KeyTransform.register_lookup
class KeyLessThanOrEqual(LessThanOrEqual):
    sql: ClassVar = {"sqlite": "({lhs} ->> '$') <= ({rhs} ->> '$')", "postgresql": "{lhs} <= {rhs}"}
