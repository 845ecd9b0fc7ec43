"""What code costs, counted in calls: the same on every machine, however busy it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import crowsfoot

PACKAGE = str(Path(crowsfoot.__file__).parent)


def calls(work: Callable[[], Any]) -> int:
    """How many functions of the package ``work`` calls, those that are generated included."""
    count = 0

    def count_calls(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith((PACKAGE, "<string>"))

    sys.setprofile(count_calls)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def calls_and_builtins(work: Callable[[], Any]) -> tuple[int, int]:
    """``calls``, and how many functions written in C these call themselves."""
    own = builtin = 0

    def count_calls(frame: Any, event: str, argument: Any) -> None:
        nonlocal own, builtin
        if event in ("call", "c_call") and frame.f_code.co_filename.startswith((PACKAGE, "<string>")):
            own += event == "call"
            builtin += event == "c_call"

    sys.setprofile(count_calls)
    try:
        work()
    finally:
        sys.setprofile(None)
    return own, builtin


def crossings(work: Callable[[], Any]) -> tuple[set[str], int]:
    """The files of the package that ``work`` comes by, and how often a call goes from one file to another.

    What is generated is in no file; a call from it, or to it, counts all the same.
    """
    files: set[str] = set()
    count = 0

    def look(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        if event != "call" or not frame.f_code.co_filename.startswith((PACKAGE, "<string>")):
            return
        if frame.f_code.co_filename != "<string>":
            files.add(frame.f_code.co_filename)
        back = frame.f_back
        count += back is None or back.f_code.co_filename != frame.f_code.co_filename

    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
    return files, count
