"""What a database says of its own tables: their columns, and their foreign keys with the actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crowsfoot.schema.table import ForeignKey

# Both begin with the schema, whether a plain name finds the table there, and the table. A column goes on with its name
# and whether it may be NULL; a key with what belongs together, the column, the target, its column (None: the primary
# key), and the actions.
COLUMNS = {
    "sqlite": """
        SELECT '', 1, t.name, c.name, c."notnull" = 0
        FROM sqlite_master t JOIN pragma_table_xinfo(t.name) c WHERE t.type = 'table'
    """,
    "postgresql": """
        SELECT n.nspname::text, pg_table_is_visible(t.oid), t.relname::text, c.attname::text, NOT c.attnotnull
        FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
        JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
        WHERE t.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    """,
}
KEYS = {
    "sqlite": """
        SELECT '', 1, t.name, k.id, k."from", k."table", k."to", k.on_delete, k.on_update
        FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) k WHERE t.type = 'table' ORDER BY t.name, k.id, k.seq
    """,
    "postgresql": """
        SELECT n.nspname::text, pg_table_is_visible(t.oid), t.relname::text, k.oid::bigint, here.attname::text,
               other.relname::text, there.attname::text, k.confdeltype::text, k.confupdtype::text
        FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
        JOIN pg_class other ON other.oid = k.confrelid
        CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair(here, there, place)
        JOIN pg_attribute here ON here.attrelid = t.oid AND here.attnum = pair.here
        JOIN pg_attribute there ON there.attrelid = other.oid AND there.attnum = pair.there
        WHERE k.contype = 'f' ORDER BY k.oid, pair.place
    """,
}
# PostgreSQL says actions in letters.
ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


@dataclass(slots=True)
class Found:
    """A table as it is: whether each column may be NULL, and its foreign keys by their columns."""

    columns: dict[str, bool] = field(default_factory=dict[str, bool])
    keys: dict[tuple[str, ...], ForeignKey] = field(default_factory=dict[tuple[str, ...], ForeignKey])


Catalogue = dict[tuple[str, str], Found]


def read(columns: Iterable[Sequence[Any]], keys: Iterable[Sequence[Any]]) -> Catalogue:
    """Tables by schema and name, and by ``""`` and name where the plain name finds them."""
    found: Catalogue = {}
    for schema, visible, table, column, null in columns:
        here = found.setdefault((schema, table), Found())
        here.columns[column] = bool(null)
        if visible:
            found["", table] = here
    parts: dict[Any, list[Sequence[Any]]] = {}
    for row in keys:
        parts.setdefault((row[0], row[2], row[3]), []).append(row)
    for (schema, table, _), rows in parts.items():
        key = _key(rows)
        found[schema, table].keys[key.columns] = key
    return found


def _key(rows: list[Sequence[Any]]) -> ForeignKey:
    columns = tuple(str(row[4]) for row in rows)
    target_columns = tuple(str(row[6]) for row in rows if row[6] is not None)
    target, on_delete, on_update = str(rows[0][5]), str(rows[0][7]), str(rows[0][8])
    return ForeignKey(
        "",
        columns,
        target,
        target_columns,
        ACTIONS.get(on_delete, on_delete),
        on_update=ACTIONS.get(on_update, on_update),
    )
