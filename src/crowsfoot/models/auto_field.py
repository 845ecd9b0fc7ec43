"""The primary key of models that declare none: which field makes it."""

from __future__ import annotations

from typing import Any, Final

from crowsfoot.conf import import_string, settings
from crowsfoot.errors import ImproperlyConfigured
from crowsfoot.models import fields
from crowsfoot.models.apps import Package
from crowsfoot.models.fields import AutoField

SETTING: Final = "DEFAULT_AUTO_FIELD"
_OWN: Final = ("django.db.models.", "crowsfoot.models.")


def implicit_key(package: Package | None) -> AutoField:
    """A new key, of the class that the app or the setting DEFAULT_AUTO_FIELD names.

    Raises ``ImproperlyConfigured`` where that names nothing, ``ValueError`` where it is no ``AutoField``.
    """
    given = None if package is None else package.auto_field
    path, source = (settings.DEFAULT_AUTO_FIELD, SETTING) if given is None else given
    if not path:
        raise ImproperlyConfigured(f"{source} must not be empty. Write {_OWN[0]}BigAutoField, for example.")
    module, _, name = str(path).rpartition(".")
    try:
        found: Any = getattr(fields, name) if f"{module}." in _OWN else import_string(str(path))
    except (AttributeError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{source} refers to the module '{path}' that could not be imported.") from error
    if not isinstance(found, type) or not issubclass(found, AutoField):
        raise ValueError(f"Primary key '{path}' referred by {source} must subclass AutoField.")
    return found(verbose_name="ID", primary_key=True, auto_created=True)
