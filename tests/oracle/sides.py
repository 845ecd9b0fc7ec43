"""The two libraries, side by side on one database."""

from __future__ import annotations

import datetime
import random
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from oracle.graph import LABEL, define, fill

import crowsfoot
from crowsfoot import models as own
from crowsfoot.contrib.contenttypes import fields as own_generic
from crowsfoot.contrib.contenttypes.models import ContentType as OwnContentType
from crowsfoot.database import databases
from crowsfoot.transaction import atomic as own_atomic

DATABASE = "default"


class Side:
    """One library: the names that terms are built with, and a way to take back what was written."""

    def __init__(self, made: dict[str, Any], models: Any, atomic: Callable[[], Any], apart: bool) -> None:
        self.made = made
        given = {name: getattr(models, name) for name in dir(models)}  # vars() lacks what is loaded later
        self.names = {**vars(models.functions), **given, **made, "apart": apart}
        self.names |= {"datetime": datetime, "Decimal": Decimal, "UUID": UUID, "F": models.F}
        self.atomic = atomic

    def undone(self, do: Callable[[], Any]) -> Any:
        """What ``do`` gives, with what it wrote taken back."""
        found: list[Any] = []
        try:
            with self.atomic():
                found.append(do())
                raise Undo
        except Undo:
            return found[0]


class Undo(Exception):
    """Ends a transaction that is not to stay."""


def mine(url: str) -> Side:
    """Crowsfoot. The models are defined once for the process."""
    crowsfoot.connect(url)
    if not MADE:
        MADE.update(define(own, own_generic, OwnContentType))
    return Side(MADE, own, own_atomic, apart=False)


MADE: dict[str, Any] = {}
THEIRS: dict[str, Any] = {}


def both(url: str) -> tuple[Side, Side]:
    """Crowsfoot and Django on an empty database: its tables are made by Django, its rows by Crowsfoot.

    Crowsfoot's own tables would do for Django too, but for its deletes: rules that the database keeps (ON DELETE) take
    rows before Django has counted them.
    """
    own_side, other = mine(url), theirs(url)
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection

    with connection.schema_editor() as editor:
        for model in [ContentType, *THEIRS.values()]:
            editor.create_model(model)
    connection.close()
    OwnContentType.objects.clear_cache()
    fill(MADE, random.Random(1))
    ContentType.objects.clear_cache()
    return own_side, other


def close() -> None:
    """Let go of the database on both sides."""
    from django.db import connections

    connections.close_all()
    databases.close_all()


def theirs(url: str) -> Side:
    """Django, set up once for the process and pointed at this database."""
    from django.db import connections, models, transaction

    if not THEIRS:
        set_up_django()
        from django.contrib.contenttypes import fields
        from django.contrib.contenttypes.models import ContentType

        THEIRS.update(define(models, fields, ContentType))
        from django.apps import apps

        apps.all_models[LABEL].update({model._meta.model_name: model for model in THEIRS.values()})
        apps.clear_cache()
    if hasattr(connections._connections, DATABASE):
        connections[DATABASE].close()
        del connections[DATABASE]
    connections.settings[DATABASE].update(django_database(url))
    return Side(THEIRS, models, transaction.atomic, apart=True)


def set_up_django() -> None:
    import django
    from django.apps import AppConfig, apps
    from django.conf import settings

    settings.configure(
        DATABASES={DATABASE: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["django.contrib.contenttypes"],
        USE_TZ=True,
        TIME_ZONE="UTC",
    )
    django.setup()
    # Django finds the way back only in models of an installed app.
    app = AppConfig(LABEL, sys.modules[__name__])
    app.apps, app.models = apps, apps.all_models[LABEL]
    apps.app_configs[LABEL] = app


def django_database(url: str) -> dict[str, Any]:
    """A database URL in Django's terms."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path.removeprefix("/")}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": {"options": " ".join(parse_qs(parts.query).get("options", []))},
    }
