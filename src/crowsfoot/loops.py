"""asyncio for those who may do without it: a process that runs no event loop does not load it.

Loading it takes longer than loading all models. Modules that only async code needs import asyncio themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from sys import modules
from typing import Any

Runner: Callable[[], Any]
current_task: Callable[[], Any]


def running() -> Any:
    """The event loop that runs in this thread, None where there is none. To be called as ``loops.running()``: once
    somebody has loaded asyncio, its own function stands here."""
    if "asyncio" not in modules:
        return None
    globals()["running"] = found = import_module("asyncio")._get_running_loop
    return found()


def __getattr__(name: str) -> Any:
    """The other names above, which async code asks for."""
    if name not in __annotations__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module("asyncio"), name)
    return found
