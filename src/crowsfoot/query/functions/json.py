"""JSON values made of expressions."""

from __future__ import annotations

from typing import Any, ClassVar

from crowsfoot.query.expressions import Value
from crowsfoot.query.func import Func
from crowsfoot.query.inference import TEXT
from crowsfoot.schema import types

__all__ = ["JSONArray", "JSONObject"]


class _JSON(Func):
    _output_field = types.JSON()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        """A JSON column is text to SQLite, which would be quoted again."""
        node = self.copy()
        node.source_expressions = [
            _Parsed(e) if (known := e._output_field_or_none) is not None and known.kind == "json" else e
            for e in self.source_expressions
        ]
        return Func.as_sql(node, compiler, connection, **extra)


class _Parsed(Func):
    function = "JSON"
    _output_field = types.JSON()


class JSONArray(_JSON):
    """``JSONArray("name", "age")``: ``["Asha", 41]``."""

    function = "JSON_ARRAY"
    sql: ClassVar = {"postgresql": "JSONB_BUILD_ARRAY(%(expressions)s)"}


class JSONObject(_JSON):
    """``JSONObject(name="name", years="age")``: ``{"name": "Asha", "years": 41}``."""

    function = "JSON_OBJECT"
    sql: ClassVar = {"postgresql": "JSONB_BUILD_OBJECT(%(expressions)s)"}

    def __init__(self, **fields: Any) -> None:
        parts = [part for key, value in fields.items() for part in (Value(key, output_field=TEXT), value)]
        super().__init__(*parts)
