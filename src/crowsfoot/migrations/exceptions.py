"""What can be wrong with migrations themselves."""

from __future__ import annotations

from crowsfoot.errors import DatabaseError


class AmbiguityError(Exception):
    """More than one migration begins with the name that was given."""


class BadMigrationError(Exception):
    """A migration file without a ``Migration`` class, or with one that contradicts itself."""


class CircularDependencyError(Exception):
    """Migrations that depend on each other in a ring."""


class InconsistentMigrationHistory(Exception):
    """A migration is recorded as applied before one that it depends on."""


class InvalidBasesError(ValueError):
    """A model inherits from one that is not there."""


class IrreversibleError(RuntimeError):
    """A migration that has no way back is to be taken back."""


class NodeNotFoundError(LookupError):
    """A migration depends on one that does not exist."""

    def __init__(self, message: str, node: tuple[str, str], origin: object = None) -> None:
        self.message, self.node, self.origin = message, node, origin
        super().__init__(message)

    def __repr__(self) -> str:
        return f"NodeNotFoundError({self.node!r})"


class MigrationSchemaMissing(DatabaseError):
    """The table of applied migrations is not there and cannot be made."""


class InvalidMigrationPlan(ValueError):
    """A plan that goes both forwards and backwards."""
