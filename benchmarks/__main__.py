"""``python benchmarks`` and ``python -m benchmarks`` are the same command."""

import sys
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.command import main

if __name__ == "__main__":
    sys.exit(main())
