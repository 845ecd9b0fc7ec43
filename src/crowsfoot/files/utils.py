"""Names of files: which are safe, and what becomes of those that are not."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from crowsfoot.errors import SuspiciousFileOperation


def validate_file_name(name: Any, allow_relative_path: bool = False) -> Any:
    """``name`` itself, where it names a file: without folders, or below one with ``allow_relative_path``.

    Raises ``SuspiciousFileOperation`` for a name that is none (``""``, ``".."``), and for one that leads elsewhere.
    """
    text = str(name).replace("\\", "/")
    if text.rpartition("/")[2] in {"", ".", ".."}:
        raise SuspiciousFileOperation(f"Could not derive file name from '{name}'")
    if allow_relative_path:
        refuse_traversal(text, name)
        if PurePosixPath(text).is_absolute():
            raise SuspiciousFileOperation(f"Detected path traversal attempt in '{name}'")
    elif "/" in text:
        raise SuspiciousFileOperation(f"File name '{name}' includes path elements")
    return name


def refuse_traversal(path: str, shown: Any = None) -> None:
    """Raise ``SuspiciousFileOperation`` for a path that climbs: one of its steps is ``..``."""
    if ".." in PurePosixPath(path).parts:
        raise SuspiciousFileOperation(f"Detected path traversal attempt in '{path if shown is None else shown}'")


def get_valid_filename(name: Any) -> str:
    """A name of letters, digits, ``_``, ``-`` and ``.``: spaces become underscores, everything else goes.

    Raises ``SuspiciousFileOperation`` where nothing remains of it.

    >>> get_valid_filename("john's portrait in 2004.jpg")
    'johns_portrait_in_2004.jpg'
    """
    found = re.sub(r"[^-\w.]", "", str(name).strip().replace(" ", "_"))
    if found in {"", ".", ".."}:
        raise SuspiciousFileOperation(f"Could not derive file name from '{name}'")
    return found
