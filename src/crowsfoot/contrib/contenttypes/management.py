"""What `migrate` does for content types: each model of an app gets its row."""

from __future__ import annotations

from typing import Any

from crowsfoot.database import DEFAULT
from crowsfoot.models import routing
from crowsfoot.models.model import apps as global_apps


def create_contenttypes(app_config: Any, using: str = DEFAULT, apps: Any = global_apps, **kwargs: Any) -> None:
    """Make the content types that an app's models lack in a database. At most two queries.

    A receiver of ``post_migrate``. ``apps`` holds the models as they are at that point of the migrations; where these
    have no ``ContentType``, nothing happens.
    """
    try:
        content_type = apps.get_model("contenttypes", "ContentType")
    except LookupError:
        return
    if not routing.allow_migrate(using, "contenttypes", model_name="contenttype", model=content_type):
        return
    names = sorted(model._meta.model_name for model in models_of(app_config, apps))
    if not names:
        return
    content_type.objects.clear_cache()
    rows = content_type.objects.using(using)
    existing = set(rows.filter(app_label=app_config.label).values_list("model", flat=True))
    missing = [content_type(app_label=app_config.label, model=name) for name in names if name not in existing]
    rows.bulk_create(missing, ignore_conflicts=True)


def models_of(app_config: Any, apps: Any) -> list[Any]:
    """The models of an app as ``apps`` has them."""
    return [model for model in apps.get_models() if model._meta.app_label == app_config.label]
