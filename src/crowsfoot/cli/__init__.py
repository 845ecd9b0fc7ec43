"""The command line: ``crowsfoot``, ``python -m crowsfoot`` and a project's ``manage.py``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

try:
    from crowsfoot.cli.app import main
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] not in {"cyclopts", "rich", "tomlkit"}:
        raise

    def main(argv: Sequence[str] | None = None, *, start: str | Path | None = None) -> int:
        """Say what is missing."""
        print("Crowsfoot's commands need a few libraries: pip install 'crowsfoot[cli]'", file=sys.stderr)
        return 1


__all__ = ["main"]
