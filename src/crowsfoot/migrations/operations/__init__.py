"""The steps that migrations are made of."""

from crowsfoot.migrations.operations.fields import AddField, AlterField, RemoveField, RenameField
from crowsfoot.migrations.operations.indexes import (
    AddConstraint,
    AddIndex,
    AlterConstraint,
    RemoveConstraint,
    RemoveIndex,
    RenameIndex,
)
from crowsfoot.migrations.operations.models import (
    AlterIndexTogether,
    AlterModelManagers,
    AlterModelOptions,
    AlterModelTable,
    AlterModelTableComment,
    AlterOrderWithRespectTo,
    AlterUniqueTogether,
    CreateModel,
    DeleteModel,
    RenameModel,
)
from crowsfoot.migrations.operations.special import RunPython, RunSQL, SeparateDatabaseAndState

__all__ = [
    "AddConstraint",
    "AddField",
    "AddIndex",
    "AlterConstraint",
    "AlterField",
    "AlterIndexTogether",
    "AlterModelManagers",
    "AlterModelOptions",
    "AlterModelTable",
    "AlterModelTableComment",
    "AlterOrderWithRespectTo",
    "AlterUniqueTogether",
    "CreateModel",
    "DeleteModel",
    "RemoveConstraint",
    "RemoveField",
    "RemoveIndex",
    "RenameField",
    "RenameIndex",
    "RenameModel",
    "RunPython",
    "RunSQL",
    "SeparateDatabaseAndState",
]
