"""Blocking calls inside a running event loop: how they are refused, and which awaitable is named instead."""

from __future__ import annotations

import os
import sys
from typing import Any

from crowsfoot import loops
from crowsfoot.errors import SynchronousOnlyOperation

# For notebooks, whose loop runs all the time and has nobody else to serve. The second is Django's name.
ALLOWED_BY = ("CROWSFOOT_ALLOW_ASYNC_UNSAFE", "DJANGO_ALLOW_ASYNC_UNSAFE")
INSTEAD = {
    "__iter__": "async for row in queryset: … (or: rows = [row async for row in queryset])",
    "_iterate": "async for row in queryset.aiterator(): …",
    "__len__": "await queryset.acount()",
    "__bool__": "await queryset.aexists()",
    "__contains__": "await queryset.acontains(obj)",
    "__getitem__": "await queryset.afirst(), or: rows = [row async for row in queryset[a:b]]",
    "__repr__": "rows = [row async for row in queryset], and show those",
    "__enter__": "async with atomic(): …",
    "__exit__": "async with atomic(): …",
}


def refuse(what: str, instead: str) -> None:
    """Raise ``SynchronousOnlyOperation``, unless the environment allows blocking calls in async code."""
    if not any(map(os.environ.get, ALLOWED_BY)):
        raise SynchronousOnlyOperation(
            f"{what} waits for the database, which would stop the event loop that runs in this thread. "
            f"Write instead: {instead}"
        )


def refuse_touch(model: str, name: str) -> None:
    """``refuse`` to load ``model.name`` where code touches it in a running event loop."""
    if loops.running() is not None:
        refuse(
            f"{model}.{name} is not loaded. Loading it now",
            f"await {model.lower()}.aload({name!r}), before the value is used.",
        )


def refuse_caller() -> None:
    """``refuse`` the public method of this package by which user code came here."""
    name, owner = "A query", None
    twin = "the awaitable method of the same name with an 'a' in front"
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("crowsfoot."):
        called = frame.f_code.co_name
        subject: object = frame.f_locals.get("self")
        if subject is not None:
            if hasattr(type(subject), f"a{called}"):
                name, owner, twin = f"{called}()", subject, f"await ….a{called}(…)"
            elif called in INSTEAD:
                name, owner, twin = called, subject, INSTEAD[called]
        frame = frame.f_back  # type: ignore[assignment]
    refuse(f"{_named(owner)}{name}", twin)


def _named(subject: Any) -> str:
    return "" if subject is None else f"{type(subject).__name__}."
