"""`create_tables`: the tables of models without migrations, for scripts and tests."""

from __future__ import annotations

from typing import Any

from crowsfoot.database import DEFAULT, databases
from crowsfoot.drivers.run import Execute, Operation
from crowsfoot.errors import ModelError
from crowsfoot.models.model import current
from crowsfoot.models.tables import complete
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.sql.ddl import Schema


def create_tables(*models: Any, using: str = DEFAULT) -> None:
    """Create the tables of ``models`` (of all models, without any) and of their many-to-many links.

    Those whose ``Meta`` asks for another database, by ``required_db_vendor`` or ``required_db_features``, are left out.
    Raises ``ModelError`` with everything that is wrong with the models, before any SQL is sent.
    """
    wanted = list(models) or current.apps.get_models(include_auto_created=True)
    for model in list(wanted):
        for field in model._meta.local_many_to_many:
            link = field.link_model
            if link is not None and link._meta.auto_created and link not in wanted:
                wanted.append(link)
    problems = [p for model in wanted for p in _problems(model)]
    if problems:
        raise ModelError(list(dict.fromkeys(problems)))
    entities = [complete(model) for model in wanted if model._meta.can_migrate(using)]
    database = databases[using]
    statements = Schema(database.dialect).create_tables(entities)
    database.run(lambda session: atomically(session, _execute(session, statements)))


def _execute(session: Session, statements: list[str]) -> Operation[None]:
    for statement in statements:
        yield Execute(statement)


def _problems(model: Any) -> list[str]:
    meta = model._meta
    return [*meta.apps.registry.problems(meta.entity), *meta.problems()]
