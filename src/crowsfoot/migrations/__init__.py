"""Migrations bring a database from one version of the models to the next; `django.db.migrations` here."""

from crowsfoot.migrations.migration import Migration as Migration
from crowsfoot.migrations.migration import swappable_dependency as swappable_dependency
from crowsfoot.migrations.operations import *  # noqa: F403
