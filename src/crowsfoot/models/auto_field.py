"""The primary key of models that declare none: which field makes it."""

from __future__ import annotations

from typing import Any, Final

from crowsfoot.conf import import_string, settings
from crowsfoot.errors import ImproperlyConfigured
from crowsfoot.models import fields
from crowsfoot.models.fields import AutoField

SETTING: Final = "DEFAULT_AUTO_FIELD"
_OWN: Final = ("django.db.models.", "crowsfoot.models.")


def implicit_key() -> AutoField:
    """A new key, of the class that DEFAULT_AUTO_FIELD names.

    Raises ``ImproperlyConfigured`` where the setting names nothing, ``ValueError`` where that is no ``AutoField``.
    """
    path: Any = settings.DEFAULT_AUTO_FIELD
    if not path:
        raise ImproperlyConfigured(f"{SETTING} must not be empty. Write {_OWN[0]}BigAutoField, for example.")
    module, _, name = str(path).rpartition(".")
    try:
        found: Any = getattr(fields, name) if f"{module}." in _OWN else import_string(str(path))
    except (AttributeError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{SETTING} refers to the module '{path}' that could not be imported.") from error
    if not isinstance(found, type) or not issubclass(found, AutoField):
        raise ValueError(f"Primary key '{path}' referred by {SETTING} must subclass AutoField.")
    return found(verbose_name="ID", primary_key=True, auto_created=True)
