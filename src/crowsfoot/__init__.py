"""Crowsfoot: a standalone relational mapper in which relationships come first, with Django's model API."""

from crowsfoot import models
from crowsfoot.database import connect
from crowsfoot.setup import create_tables
from crowsfoot.watching import watch

__version__ = "0.1.0"

__all__ = ["__version__", "connect", "create_tables", "models", "watch"]
