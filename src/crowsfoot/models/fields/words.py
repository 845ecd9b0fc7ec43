"""What a field's column is: its logical type, each database's words for it, and a custom field's (``db_type``)."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from crowsfoot.database import DIALECTS
from crowsfoot.models.fields.internal import logical_type
from crowsfoot.schema import types
from crowsfoot.schema.types import LookupRegistry
from crowsfoot.sql.dialect import Dialect

_DIALECTS: Final = [kind() for kind in DIALECTS.values()]


def dialect_of(connection: Any) -> Dialect:
    """The dialect behind what Django's interface calls a connection."""
    return connection if isinstance(connection, Dialect) else connection.ops.dialect


def words_of(db_type: Any) -> dict[str, str]:
    """What a custom field's ``db_type`` or ``rel_db_type`` answers for each database; nothing for one of none."""
    said = {dialect.vendor: db_type(dialect) for dialect in _DIALECTS}
    return {vendor: words for vendor, words in said.items() if words is not None}


class FieldType(LookupRegistry):
    """The half of ``Field`` that says what its column is: the logical type, and each database's words for it."""

    internal_type: ClassVar[str | None] = None
    _type: types.Type | None

    def make_type(self) -> types.Type:
        """The logical type of this field's column."""
        made = logical_type(self)
        own = {} if type(self).db_type is FieldType.db_type else words_of(self.db_type)
        return made.worded(own)

    @property
    def type(self) -> types.Type:
        """The logical type, made once."""
        if self._type is None:
            self._type = self.make_type()
        return self._type

    @property
    def kind(self) -> str:
        return self.type.kind

    def get_internal_type(self) -> str:
        """Which of Django's fields this one is stored as; subclasses of a concrete field answer with its name."""
        return self.internal_type or type(self).__name__

    def db_type(self, connection: Any) -> str | None:
        """The database's words for the column; a custom field gives its own here. None where there are none."""
        made = logical_type(self)
        return None if made.kind == "any" else dialect_of(connection).built_in(made, self.is_identity)

    @property
    def is_identity(self) -> bool:
        """Whether the database numbers this column by itself."""
        return False

    def rel_db_type(self, connection: Any) -> str | None:
        """The database's words for a column that holds this one's values: of a foreign key, say."""
        return dialect_of(connection).column_type(self.rel_type)

    @property
    def rel_type(self) -> types.Type:
        """The logical type of a column that holds this one's values."""
        own = {} if type(self).rel_db_type is FieldType.rel_db_type else words_of(self.rel_db_type)
        return self.type.for_reference().worded(own)

    def db_check(self, connection: Any) -> str | None:
        """The condition that the column always meets, as SQL; None without one."""
        dialect, column = dialect_of(connection), getattr(self, "column", None)
        return None if column is None else dialect.column_check(self.type, dialect.quote_name(column))

    def db_type_parameters(self, connection: Any) -> dict[str, Any]:
        """The field's options by name, for a ``db_type`` that mentions them: ``"char(%(max_length)s)"``."""
        return dict(self.__dict__)

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        return {
            "type": self.db_type(connection),
            "check": self.db_check(connection),
            "collation": self.collation,
        }

    @property
    def collation(self) -> str | None:
        """How the database compares and orders the text of the column, where the field says so."""
        return getattr(self, "db_collation", None)

    def get_lookup(self, name: str) -> Any:
        return super().get_lookup(name) or (None if self._own(name) else self.type.get_lookup(name))

    def get_transform(self, name: str) -> Any:
        return super().get_transform(name) or (None if self._own(name) else self.type.get_transform(name))

    def _own(self, name: str) -> bool:
        return self.find_own(name) is not None
