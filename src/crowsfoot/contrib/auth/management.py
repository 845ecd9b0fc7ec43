"""What `migrate` does for permissions: each model of an app gets its own."""

from __future__ import annotations

from typing import Any

from crowsfoot.contrib.auth import get_permission_codename
from crowsfoot.contrib.contenttypes.management import create_contenttypes, models_of
from crowsfoot.database import DEFAULT
from crowsfoot.models import routing
from crowsfoot.models.model import apps as global_apps


def create_permissions(app_config: Any, using: str = DEFAULT, apps: Any = global_apps, **kwargs: Any) -> None:
    """Make the permissions that an app's models lack in a database, and their content types. At most five queries.

    A receiver of ``post_migrate``. ``apps`` holds the models as they are at that point of the migrations; where these
    have no ``Permission``, nothing happens.
    """
    try:
        permission = apps.get_model("auth", "Permission")
        content_type = apps.get_model("contenttypes", "ContentType")
    except LookupError:
        return
    if not routing.allow_migrate(using, "auth", model_name="permission", model=permission):
        return
    create_contenttypes(app_config, using=using, apps=apps)
    of_app = models_of(app_config, apps)
    types = content_type.objects.db_manager(using).get_for_models(*of_app, for_concrete_models=False)
    rows = permission.objects.using(using)
    existing = set(
        rows.filter(content_type__in=[found.pk for found in types.values()])
        .order_by()
        .values_list("content_type_id", "codename")
    )
    missing = [
        permission(content_type=types[model], codename=codename, name=name)
        for model in of_app
        for codename, name in _permissions(model._meta)
        if (types[model].pk, codename) not in existing
    ]
    rows.bulk_create(missing, ignore_conflicts=True)


def _permissions(meta: Any) -> list[tuple[str, str]]:
    """Codename and name of each permission of a model."""
    name = meta.verbose_name_raw
    usual = [(get_permission_codename(action, meta), f"Can {action} {name}") for action in meta.default_permissions]
    return [*usual, *meta.permissions]
