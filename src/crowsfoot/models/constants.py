"""Names that Django keeps in ``django.db.models.constants``."""

from enum import Enum

LOOKUP_SEP = "__"


class OnConflict(Enum):
    IGNORE = "ignore"
    UPDATE = "update"
