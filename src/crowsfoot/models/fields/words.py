"""What databases call the types of fields, and what custom fields call theirs (Django's ``db_type``)."""

from __future__ import annotations

from typing import Any, Final

from crowsfoot.database import DIALECTS
from crowsfoot.sql.dialect import Dialect

_DIALECTS: Final = [kind() for kind in DIALECTS.values()]


def dialect_of(connection: Any) -> Dialect:
    """The dialect behind what Django's interface calls a connection."""
    return connection if isinstance(connection, Dialect) else connection.ops.dialect


def words_of(db_type: Any) -> dict[str, str]:
    """What a custom field's ``db_type`` or ``rel_db_type`` answers for each database; nothing for one of none."""
    said = {dialect.vendor: db_type(dialect) for dialect in _DIALECTS}
    return {vendor: words for vendor, words in said.items() if words is not None}
