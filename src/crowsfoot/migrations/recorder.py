"""`MigrationRecorder`: the table of applied migrations, the one that Django keeps too."""

from __future__ import annotations

from typing import Any

from crowsfoot import timezones
from crowsfoot.connection import Connection
from crowsfoot.database import Database
from crowsfoot.drivers.run import Execute, Fetch, Operation
from crowsfoot.models.apps import Apps
from crowsfoot.models.attributes import install_relation
from crowsfoot.models.fields import BigAutoField, CharField, DateTimeField
from crowsfoot.models.model import Model
from crowsfoot.models.tables import complete
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.sql.ddl import Schema

TABLE = "django_migrations"
EXISTS = {
    "sqlite": f"SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = '{TABLE}'",
    "postgresql": f"SELECT 1 WHERE to_regclass('{TABLE}') IS NOT NULL",
}


class AppliedMigration(Model):
    """One row: a migration that has been applied."""

    id: Any = BigAutoField(primary_key=True)
    app = CharField(max_length=255)
    name = CharField(max_length=255)
    applied = DateTimeField(default=timezones.now)

    class Meta:
        apps = Apps(install_relation)
        app_label = "migrations"
        db_table = TABLE

    def __str__(self) -> str:
        return f"Migration {self.name} for {self.app}"


class MigrationRecorder:
    """Reads and writes which migrations a database has. Nothing is remembered between calls."""

    Migration = AppliedMigration

    def __init__(self, connection: Connection | Database) -> None:
        self.connection = connection.database if isinstance(connection, Connection) else connection

    @property
    def migration_qs(self) -> Any:
        return AppliedMigration.objects.using(self.connection.alias)

    def has_table(self) -> bool:
        """Whether the table is there. One query."""
        return bool(self.connection.run(_fetch, EXISTS[self.connection.vendor]))

    def ensure_schema(self) -> None:
        """Make the table where it is missing."""
        if not self.has_table():
            statements = Schema(self.connection.dialect).create_table(complete(AppliedMigration))
            self.connection.run(lambda session: atomically(session, _execute(statements)))

    def applied_migrations(self) -> dict[tuple[str, str], Any]:
        """The rows by ``(app, name)``, in the order they were applied. Two queries."""
        if not self.has_table():
            return {}
        return {(row.app, row.name): row for row in self.migration_qs.order_by("id")}

    def record_applied(self, app: str, name: str) -> None:
        self.ensure_schema()
        self.migration_qs.create(app=app, name=name)

    def record_unapplied(self, app: str, name: str) -> None:
        self.ensure_schema()
        self.migration_qs.filter(app=app, name=name).delete()

    def flush(self) -> None:
        """Forget every migration."""
        self.migration_qs.all().delete()


def _fetch(session: Session, sql: str) -> Operation[list[Any]]:
    return (yield Fetch(sql, (), list))


def _execute(statements: list[str]) -> Operation[None]:
    for statement in statements:
        yield Execute(statement)
