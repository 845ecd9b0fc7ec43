"""Names that many modules of this package need: Django keeps some in ``django.db.models.constants``."""

from enum import Enum

LOOKUP_SEP = "__"


class OnConflict(Enum):
    IGNORE = "ignore"
    UPDATE = "update"


class Deferrable(Enum):
    """When a constraint is checked: as the transaction ends, or at the statement unless a block asks otherwise."""

    DEFERRED = "deferred"
    IMMEDIATE = "immediate"

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}.{self.name}"
