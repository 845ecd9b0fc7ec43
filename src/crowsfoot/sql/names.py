"""Names of constraints, indexes and link tables, by Django's rules: a database that Django made is found as it is.

Most functions take ``limit``, the longest name that the database allows. ``LIMIT`` is PostgreSQL's. Django knows none
on SQLite (pass None): there a table name is never shortened, and an index name only at 200 characters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from crowsfoot.schema.relation import End

LIMIT = 63
UNLIMITED_INDEX = 200


def digest(*parts: str, length: int) -> str:
    """The first ``length`` hexadecimal digits of the MD5 sum of ``parts`` in a row (a name, not a secret)."""
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()[:length]


def split_name(identifier: str) -> tuple[str, str]:
    """``(schema, name)`` of a name that may be written ``schema"."name``; the schema is empty where there is none."""
    schema, separator, name = identifier.strip('"').partition('"."')
    return (schema, name) if separator else ("", schema)


def truncate_name(identifier: str, limit: int | None = LIMIT, hash_length: int = 4) -> str:
    """``identifier``, its end replaced by a digest of the whole where it is longer than ``limit``."""
    schema, name = split_name(identifier)
    if limit is None or len(name) <= limit:
        return identifier
    before = f'{schema}"."' if schema else ""
    return f"{before}{name[: limit - hash_length]}{digest(name, length=hash_length)}"


def index_name(table: str, columns: Sequence[str], suffix: str = "", limit: int | None = LIMIT) -> str:
    """The name of an index or a constraint over ``columns``: ``blog_post_author_id_dd7a8485`` and ``suffix``.

    Too long a name keeps the beginning of its table and columns, and its digest whole.
    """
    _, table = split_name(table)
    limit = limit or UNLIMITED_INDEX
    tail = digest(table, *columns, length=8) + suffix
    joined = "_".join(columns)
    name = f"{table}_{joined}_{tail}"
    if len(name) <= limit:
        return name
    if len(tail) > limit / 3:
        tail = tail[: limit // 3]
    room = (limit - len(tail)) // 2 - 1
    name = f"{table[:room]}_{joined[:room]}_{tail}"
    # Oracle's rule, which Django applies everywhere.
    return f"D{name[:-1]}" if name[0] == "_" or name[0].isdigit() else name


def like_index_name(table: str, column: str, limit: int | None = LIMIT) -> str:
    """The name of the index that serves LIKE on PostgreSQL: ``blog_post_slug_b95473f2_like``."""
    return index_name(table, [column], "_like", limit)


def unique_name(table: str, columns: Sequence[str], limit: int | None = LIMIT) -> str:
    """The name of ``unique=True`` and of ``unique_together``: ``blog_post_title_author_id_6fc015c6_uniq``."""
    return index_name(table, columns, "_uniq", limit)


def foreign_key_name(
    table: str, columns: Sequence[str], to_table: str, to_columns: Sequence[str], limit: int | None = LIMIT
) -> str:
    """The name of a foreign key: ``blog_post_author_id_dd7a8485_fk_blog_author_id``."""
    _, target = split_name(to_table)
    return index_name(table, columns, f"_fk_{target}_{'_'.join(to_columns)}", limit)


def key_name(end: End) -> str:
    """The name of the constraint of a relation whose key ``end`` holds: one of its own, or Django's."""
    hop = end.hops[0]
    own: str | None = getattr(end.field, "constraint_name", None)
    return own or foreign_key_name(hop.source.name, hop.source_columns, hop.target.name, hop.target_columns)


def check_name(table: str, column: str, limit: int | None = LIMIT) -> str:
    """The name of a column's own check where Django adds it to a table that exists: ``blog_post_n_900e04e0_check``."""
    return index_name(table, [column], "_check", limit)


def meta_index_name(table: str, columns: Sequence[tuple[str, bool]], suffix: str = "idx") -> str:
    """The name of a ``Meta.indexes`` entry that has none: ``blog_post_title_ba79e0_idx``.

    ``columns`` are ``(name, descending)`` pairs, as in ``schema.Index``.
    """
    _, table = split_name(table)
    hashed = digest(table, *(f"-{name}" if descending else name for name, descending in columns), suffix, length=6)
    name = f"{table[:11]}_{columns[0][0][:7]}_{hashed}_{suffix}"
    return f"D{name[1:]}" if name[0] == "_" or name[0].isdigit() else name


def link_table_name(table: str, field: str, limit: int | None = LIMIT) -> str:
    """The name of a many-to-many's own link table: ``blog_post_tags``."""
    return truncate_name(f"{table.strip(chr(34))}_{field}", limit)


def is_unique_name(name: str, table: str, columns: Sequence[str]) -> bool:
    """Whether ``name`` is what ``unique_name`` gives, rather than a name that a model chose."""
    return name in (unique_name(table, columns), unique_name(table, columns, None))


def is_field_index_name(name: str, table: str, column: str) -> bool:
    """Whether ``name`` is what ``db_index=True`` gives."""
    return name in (index_name(table, [column]), index_name(table, [column], limit=None))


def postgresql_name(table: str, column: str, label: str) -> str:
    """The name that PostgreSQL gives a constraint made without one: ``blog_post_slug_key``, ``blog_post_pkey``.

    Its rule: the longer of the table and the column loses a byte until all fits into 63.
    """
    _, table = split_name(table)
    first, second = table.encode(), column.encode()
    room = LIMIT - len(label) - 1 - (1 if column else 0)
    while len(first) + len(second) > room:
        if len(first) > len(second):
            first = first[:-1]
        else:
            second = second[:-1]
    parts = [first.decode(errors="ignore"), second.decode(errors="ignore"), label]
    return "_".join(part for part in parts if part)
