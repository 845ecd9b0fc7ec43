"""Files as values, and where they are kept. Knows nothing of models; the fields are in ``models.fields.files``."""

from crowsfoot.files.base import ContentFile, File

__all__ = ["ContentFile", "File"]
