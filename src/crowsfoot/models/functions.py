"""Database functions, where Django has them: ``from crowsfoot.models.functions import Upper``."""

from crowsfoot.query.functions import *  # noqa: F403 - what it offers is said there
