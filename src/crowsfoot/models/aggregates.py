"""Aggregates, where Django has them: ``models.aggregates.Sum``."""

from crowsfoot.query.aggregates import *  # noqa: F403 - what it offers is said there
