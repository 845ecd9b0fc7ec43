"""Migrations: Python files that bring a database from one version of the models to the next. As `django.db.migrations`."""

from crowsfoot.migrations.migration import Migration, swappable_dependency
from crowsfoot.migrations.operations import *  # noqa: F403
