"""Users: who they are (``authenticate``), and what they may do (``user.has_perm``)."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from crowsfoot.conf import settings
from crowsfoot.contrib.auth.loading import load
from crowsfoot.errors import ImproperlyConfigured, PermissionDenied
from crowsfoot.models.model import apps

verbose_name = "Authentication and Authorization"


def get_user_model() -> Any:
    """The model of users that is in force: that of the setting AUTH_USER_MODEL. Raises ``ImproperlyConfigured``."""
    label = settings.AUTH_USER_MODEL
    if label.count(".") != 1:
        raise ImproperlyConfigured(f"AUTH_USER_MODEL must be of the form 'app_label.model_name', not {label!r}.")
    try:
        return apps.get_model(label)
    except LookupError as error:
        raise ImproperlyConfigured(
            f"AUTH_USER_MODEL refers to model '{label}' that has not been installed. {error} Add its app to the "
            "project's apps ('crowsfoot.contrib.auth' for auth.User), or import its models."
        ) from error


# -- backends ----------------------------------------------------------------------------------------------------------


def load_backend(path: str) -> Any:
    """A backend by its dotted path. Raises ``ImportError``."""
    return load(path)()


def get_backends() -> list[Any]:
    """The backends of AUTHENTICATION_BACKENDS, in order. Raises ``ImproperlyConfigured``."""
    return [backend for backend, _ in _backends()]


def _backends() -> list[tuple[Any, str]]:
    found: list[tuple[Any, str]] = []
    for path in settings.AUTHENTICATION_BACKENDS:
        try:
            found.append((load_backend(path), path))
        except ImportError as error:
            raise ImproperlyConfigured(f"AUTHENTICATION_BACKENDS: {path!r} cannot be imported: {error}") from error
    if not found:
        raise ImproperlyConfigured(
            "No authentication backends have been defined. Does AUTHENTICATION_BACKENDS contain anything?"
        )
    return found


def _compatible_backends(request: Any, credentials: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """The backends whose ``authenticate`` takes these credentials."""
    for backend, path in _backends():
        try:
            inspect.signature(backend.authenticate).bind(request, **credentials)
        except TypeError:
            continue
        yield backend, path


def authenticate(request: Any = None, **credentials: Any) -> Any:
    """The user whom these credentials prove, or None: ``authenticate(username="asha", password="…")``.

    The backends of AUTHENTICATION_BACKENDS are asked in turn; the first that knows the user is noted on it as
    ``backend``, and one that raises ``PermissionDenied`` ends the matter. With ``ModelBackend`` it is one query (and
    one more when the password's hash is renewed), it takes as long for an unknown user as for a known one, and no value
    of the credentials makes it raise.
    """
    for backend, path in _compatible_backends(request, credentials):
        try:
            user = backend.authenticate(request, **credentials)
        except PermissionDenied:
            return None
        if user is not None:
            user.backend = path
            return user
    return None


async def aauthenticate(request: Any = None, **credentials: Any) -> Any:
    for backend, path in _compatible_backends(request, credentials):
        try:
            user = await backend.aauthenticate(request, **credentials)
        except PermissionDenied:
            return None
        if user is not None:
            user.backend = path
            return user
    return None


def get_permission_codename(action: str, opts: Any) -> str:
    """The codename of a model's permission: ``add_post``. ``opts`` is the model's ``_meta``."""
    return f"{action}_{opts.model_name}"
