"""JSON fields and what reads into them, where Django has them: ``from crowsfoot.models.fields.json import KT``."""

from crowsfoot.models.fields.other import JSONField as JSONField
from crowsfoot.query.json import *  # noqa: F403 - what it offers is said there
