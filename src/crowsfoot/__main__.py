"""``python -m crowsfoot`` is the command ``crowsfoot``."""

import sys

from crowsfoot.cli import main

if __name__ == "__main__":
    sys.exit(main())
