"""Where errors go that nobody raises: loggers under ``crowsfoot``, or under ``django`` after ``django.install()``."""

from __future__ import annotations

import logging

_ROOT = ["crowsfoot"]


def log(name: str) -> logging.Logger:
    """The logger called ``name`` under the root: ``crowsfoot.db.backends.base``, say."""
    return logging.getLogger(f"{_ROOT[0]}.{name}")


def name_root(name: str) -> None:
    """Have everything logged under ``name`` from now on."""
    _ROOT[0] = name
