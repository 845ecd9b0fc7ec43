"""`MigrationExecutor`: brings a database forwards and backwards along the graph of migrations."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from crowsfoot.connection import Connection
from crowsfoot.database import Database
from crowsfoot.drivers.run import Fetch
from crowsfoot.migrations.exceptions import InvalidMigrationPlan
from crowsfoot.migrations.graph import Node
from crowsfoot.migrations.loader import MigrationLoader
from crowsfoot.migrations.migration import Migration
from crowsfoot.migrations.operations import AddField, CreateModel
from crowsfoot.migrations.recorder import MigrationRecorder
from crowsfoot.migrations.schema import SchemaEditor
from crowsfoot.migrations.state import ProjectState

Plan: TypeAlias = list[tuple[Migration, bool]]
"""Migrations in the order to run them; True marks one that is taken back."""
Progress: TypeAlias = Callable[..., None]
"""Called as ``progress(action, migration, fake)``; ``action`` is one of ``apply_start``, ``apply_success``,
``unapply_start``, ``unapply_success``."""


class MigrationExecutor:
    """Runs migrations on one database. Each is a transaction with its record; a failed one leaves nothing behind."""

    def __init__(self, connection: Connection | Database, progress_callback: Progress | None = None) -> None:
        self.connection = connection if isinstance(connection, Connection) else Connection(connection)
        self.database = self.connection.database
        self.loader = MigrationLoader(self.database)
        self.recorder = MigrationRecorder(self.database)
        self.progress_callback = progress_callback

    # -- plans ---------------------------------------------------------------------------------------------------------

    def migration_plan(self, targets: Iterable[tuple[str, str | None]], clean_start: bool = False) -> Plan:
        """What leads to ``targets``: ``(app, name)``, or ``(app, None)`` for no migration of the app at all.

        A target that is applied already means that all that came after it, in its own app, is taken back.
        """
        applied = {} if clean_start else dict(self.loader.applied_migrations)
        graph = self.loader.graph
        plan: Plan = []
        for target in targets:
            app, name = target
            backwards: Iterable[Node] = ()
            if name is None:
                backwards = [step for root in graph.root_nodes(app) for step in graph.backwards_plan(root)]
            elif (app, name) in applied:
                node = graph.replaced.get((app, name), (app, name))
                later = sorted(child for child in graph.children[node] if child[0] == app)
                backwards = [step for child in later for step in graph.backwards_plan(child)]
            else:
                for step in graph.forwards_plan((app, name)):
                    if step not in applied:
                        plan.append((graph.nodes[step], False))
                        applied[step] = graph.nodes[step]
            for step in backwards:
                if step in applied:
                    plan.append((graph.nodes[step], True))
                    del applied[step]
        return plan

    # -- running -------------------------------------------------------------------------------------------------------

    def migrate(
        self,
        targets: Iterable[tuple[str, str | None]] | None,
        plan: Plan | None = None,
        state: ProjectState | None = None,
        fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:
        """Run ``plan`` (by default what leads to ``targets``); returns the state that the database is in then.

        ``fake`` only records. ``fake_initial`` only records an app's first migration where its tables are there.
        Raises ``InvalidMigrationPlan`` for a plan that goes both ways, ``IrreversibleError``, and whatever a migration
        raises; those before it stay.
        """
        if plan is None:
            plan = self.migration_plan(targets or [])
        directions = {backwards for _, backwards in plan}
        if len(directions) > 1:
            listed = ", ".join(f"{migration} {'back' if backwards else 'on'}" for migration, backwards in plan)
            raise InvalidMigrationPlan(
                f"A plan cannot go forwards and backwards at once; migrate one app after the other. This one: {listed}"
            )
        self.recorder.ensure_schema()
        if True in directions:
            return self._all_backwards(plan, fake)
        state = self._all_forwards(plan, state, fake, fake_initial)
        self.check_replacements()
        return state

    def _full_plan(self) -> list[Migration]:
        return [m for m, _ in self.migration_plan(self.loader.graph.leaf_nodes(), clean_start=True)]

    def applied_state(self, without: Container[Node] = ()) -> ProjectState:
        """The state that the database was in when the migrations were read, but for some."""
        state = self.loader.start_state()
        for migration in self._full_plan():
            if migration.key in self.loader.applied_migrations and migration.key not in without:
                migration.mutate_state(state, preserve=False)
        return state

    def _all_forwards(self, plan: Plan, state: ProjectState | None, fake: bool, fake_initial: bool) -> ProjectState:
        if state is None:
            state = self.applied_state()
        for migration, _ in plan:
            state = self.apply_migration(state, migration, fake, fake_initial)
        return state

    def _all_backwards(self, plan: Plan, fake: bool) -> ProjectState:
        wanted = {migration.key for migration, _ in plan}
        before: dict[Node, ProjectState] = {}
        state = self.loader.start_state()
        for migration in self._full_plan():
            if migration.key not in self.loader.applied_migrations:
                continue
            if migration.key in wanted:
                before[migration.key] = state
                state = state.clone()
            migration.mutate_state(state, preserve=False)
        for migration, _ in plan:
            self.unapply_migration(before[migration.key], migration, fake)
        return self.applied_state(without=wanted)

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        """Run one migration and record it, in one transaction; returns the state behind it."""
        self._tell("apply_start", migration, fake)
        if not fake and fake_initial:
            fake, _ = self.detect_soft_applied(state, migration)
        if fake:
            state = migration.mutate_state(state)
            self.record_migration(migration)
        else:
            with SchemaEditor(self.connection, atomic=migration.atomic) as editor:
                state = migration.apply(state, editor)
                self.record_migration(migration)
        self._tell("apply_success", migration, fake)
        return state

    def unapply_migration(self, state: ProjectState, migration: Migration, fake: bool = False) -> ProjectState:
        """Take one migration back and strike its record out, in one transaction. ``state`` is the one before it."""
        self._tell("unapply_start", migration, fake)
        if fake:
            self._strike_out(migration)
        else:
            with SchemaEditor(self.connection, atomic=migration.atomic) as editor:
                state = migration.unapply(state, editor)
                self._strike_out(migration)
        self._tell("unapply_success", migration, fake)
        return state

    def _tell(self, action: str, migration: Migration, fake: bool) -> None:
        if self.progress_callback is not None:
            self.progress_callback(action, migration, fake)

    # -- records -------------------------------------------------------------------------------------------------------

    def record_migration(self, migration: Migration) -> None:
        """Record a migration, or those that it replaces, which it stands for."""
        for app, name in _replaced_last(migration):
            if (app, name) not in self.loader.applied_migrations or (app, name) == migration.key:
                self.recorder.record_applied(app, name)

    def _strike_out(self, migration: Migration) -> None:
        for app, name in _replaced_last(migration):
            self.recorder.record_unapplied(app, name)

    def check_replacements(self) -> None:
        """Record squashed migrations whose predecessors have all been applied by now."""
        applied = self.recorder.applied_migrations()
        for key, migration in self.loader.replacements.items():
            if key not in applied and all(tuple(other) in applied for other in migration.replaces):
                self.recorder.record_applied(*key)

    # -- reading -------------------------------------------------------------------------------------------------------

    def collect_sql(self, plan: Sequence[tuple[Migration, bool]]) -> list[str]:
        """The statements that ``plan`` would run, with comments between them."""
        collected: list[str] = []
        state: ProjectState | None = None
        for migration, backwards in plan:
            editor = SchemaEditor(self.connection, collect_sql=True, atomic=migration.atomic)
            if state is None:
                state = self.loader.project_state(migration.key, at_end=False)
            state = migration.unapply(state, editor) if backwards else migration.apply(state, editor)
            statements = editor.collected_sql
            if migration.atomic:
                statements = [f"{self.database.dialect.begin};", *statements, "COMMIT;"]
            collected.extend(statements)
        return collected

    def detect_soft_applied(self, state: ProjectState | None, migration: Migration) -> tuple[bool, ProjectState]:
        """Whether all tables and columns that an initial migration would make are there; and the state behind it."""
        before = state if state is not None else self.loader.project_state(migration.key, at_end=False)
        after = migration.mutate_state(before)
        initial = migration.initial
        if initial is None:
            initial = not any(app == migration.app_label for app, _ in migration.dependencies)
        if not initial:
            return False, after
        wanted = list(_made(migration, after))
        return bool(wanted) and all(self._is_there(table, columns) for table, columns in wanted), after

    def _is_there(self, table: str, columns: set[str]) -> bool:
        found = self.database.run(_columns, self.connection.vendor, table)
        return bool(found) and columns <= found


def _replaced_last(migration: Migration) -> list[Node]:
    return [*map(tuple, migration.replaces), migration.key]  # type: ignore[list-item]  # pyright: ignore[reportReturnType]


def _made(migration: Migration, state: ProjectState) -> Iterator[tuple[str, set[str]]]:
    """The tables with columns that a migration adds."""
    for operation in migration.operations:
        if isinstance(operation, CreateModel):
            model = state.apps.get_model(migration.app_label, operation.name)
            if model._meta.can_migrate(None):
                yield model._meta.db_table, {f.column for f in model._meta.local_concrete_fields}
        elif isinstance(operation, AddField):
            model = state.apps.get_model(migration.app_label, operation.model_name)
            field = model._meta.get_field(operation.name)
            if field.many_to_many:
                yield field.m2m_db_table(), set()
            else:
                yield model._meta.db_table, {part.column for part in field.parts}


COLUMNS = {
    "sqlite": "SELECT name FROM pragma_table_xinfo({})",
    "postgresql": "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(quote_ident({})) AND attnum > 0",
}


def _columns(session: Any, vendor: str, table: str) -> Any:
    sql = COLUMNS[vendor].format(session.dialect.placeholder(1))
    return (yield Fetch(sql, [table], lambda rows: {str(row[0]) for row in rows}))
