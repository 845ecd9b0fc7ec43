"""Crowsfoot: a standalone relational mapper in which relationships come first, with Django's model API."""

from typing import TYPE_CHECKING

from crowsfoot.database import connect
from crowsfoot.later import later

if TYPE_CHECKING:
    from crowsfoot import models
    from crowsfoot.setup import create_tables
    from crowsfoot.watching import plan_cache, watch
else:
    __getattr__, __dir__ = later(
        __name__,
        {"crowsfoot.models": "", "crowsfoot.setup": "create_tables", "crowsfoot.watching": "plan_cache watch"},
    )

__version__ = "0.1.0"

__all__ = ["__version__", "connect", "create_tables", "models", "plan_cache", "watch"]
