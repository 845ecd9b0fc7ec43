"""Database functions, with Django's names. Importing this package makes those that are look-ups known."""

import crowsfoot.query.json  # noqa: F401  (the look-ups into JSON)  # pyright: ignore[reportUnusedImport]
from crowsfoot.query.functions import comparison, datetime, json, math, text, uuid, window
from crowsfoot.query.functions.comparison import *  # noqa: F403
from crowsfoot.query.functions.datetime import *  # noqa: F403
from crowsfoot.query.functions.json import *  # noqa: F403
from crowsfoot.query.functions.math import *  # noqa: F403
from crowsfoot.query.functions.text import *  # noqa: F403
from crowsfoot.query.functions.uuid import *  # noqa: F403
from crowsfoot.query.functions.window import *  # noqa: F403

__all__ = []
for _module in (comparison, datetime, json, math, text, uuid, window):
    __all__ += _module.__all__  # pyright: ignore[reportUnsupportedDunderAll]
