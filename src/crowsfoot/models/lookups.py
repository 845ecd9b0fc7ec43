"""Look-ups and transforms, where Django has them: ``models.lookups.Exact``."""

from crowsfoot.query.lookups import *  # noqa: F403 - what it offers is said there
