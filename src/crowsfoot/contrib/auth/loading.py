"""Objects that settings name by their dotted path."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from crowsfoot.apps import real_name


def load(path: str) -> Any:
    """The object at ``path``; a path in Django's packages means Crowsfoot's. Raises ``ImportError`` that names it."""
    module, _, name = real_name(path).rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (AttributeError, ValueError) as error:
        raise ImportError(f"{path!r} names nothing: {error}") from error
