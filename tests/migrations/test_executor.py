"""Migration files run on both databases: failures, fakes, squashed ones, several apps, and what is told about them."""

from __future__ import annotations

from typing import Any

import pytest
from migration_project import Project

from crowsfoot import models
from crowsfoot.connection import connections
from crowsfoot.errors import IntegrityError
from crowsfoot.migrations import commands
from crowsfoot.migrations.exceptions import (
    AmbiguityError,
    BadMigrationError,
    CircularDependencyError,
    InconsistentMigrationHistory,
    IrreversibleError,
    NodeNotFoundError,
)
from crowsfoot.migrations.executor import MigrationExecutor
from crowsfoot.migrations.loader import MigrationLoader
from crowsfoot.migrations.recorder import MigrationRecorder
from crowsfoot.migrations.state import ModelState, ProjectState
from crowsfoot.models import signals

NODE = "migrations.CreateModel('Node', [('id', models.BigAutoField(primary_key=True))]),"
ADD_N = "migrations.AddField('Node', 'n', models.IntegerField(default=0)),"


def file(project: Project, name: str, operations: str = "", app: str = "blog", **attributes: Any) -> None:
    """Write a migration by hand."""
    folder = project.root / app / "migrations"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    lines = [f"    {key} = {value!r}" for key, value in attributes.items()]
    (folder / f"{name}.py").write_text(
        "from crowsfoot import migrations, models\n\n"
        "def fail(apps, editor):\n    raise RuntimeError('no')\n\n"
        "class Migration(migrations.Migration):\n" + "\n".join(lines) + f"\n    operations = [{operations}]\n"
    )


def chain(project: Project, *steps: tuple[str, str]) -> None:
    """Migrations of the app blog, each after the one before."""
    before: list[tuple[str, str]] = []
    for name, operations in steps:
        file(project, name, operations, dependencies=before)
        before = [("blog", name)]


def applied() -> list[str]:
    return [name for _, name in MigrationRecorder(connections["default"]).applied_migrations()]


def test_a_failure_leaves_what_was_there(project: Project) -> None:
    chain(
        project,
        ("0001_a", NODE),
        ("0002_b", ADD_N + "migrations.RunPython(fail),"),
    )
    with pytest.raises(RuntimeError) as raised:
        project.migrate()
    assert raised.value.__notes__ == ["This was at 'Raw Python operation' of the migration blog.0002_b."]
    assert applied() == ["0001_a"]
    assert project.rows("SELECT * FROM blog_node") == []
    with connections["default"].cursor() as cursor:
        cursor.execute("INSERT INTO blog_node DEFAULT VALUES")
        assert len(cursor.execute("SELECT * FROM blog_node").fetchone()) == 1


def test_on_the_way_back_too(project: Project) -> None:
    chain(project, ("0001_a", NODE), ("0002_b", "migrations.RunPython(migrations.RunPython.noop, fail)," + ADD_N))
    project.migrate()
    with pytest.raises(RuntimeError):
        project.migrate("blog", "0001")
    assert applied() == ["0001_a", "0002_b"]
    assert project.rows("SELECT n FROM blog_node") == []


def test_no_way_back(project: Project) -> None:
    chain(project, ("0001_a", NODE), ("0002_b", ADD_N + "migrations.RunSQL('SELECT 1'),"))
    project.migrate()
    with pytest.raises(IrreversibleError, match=r"'Raw SQL operation' in blog\.0002_b is not reversible"):
        project.migrate("blog", "zero")
    assert applied() == ["0001_a", "0002_b"]
    assert project.rows("SELECT n FROM blog_node") == []


def test_fakes(project: Project) -> None:
    chain(project, ("0001_a", NODE), ("0002_b", ADD_N))
    assert len(project.migrate(fake=True)) == 2
    assert project.tables() == set()
    project.migrate("blog", "zero", fake=True)
    project.migrate("blog", "0001")
    assert project.tables() == {"blog_node"}


def test_a_first_migration_whose_tables_are_there(project: Project) -> None:
    chain(project, ("0001_a", NODE))
    project.migrate()
    MigrationRecorder(connections["default"]).flush()
    assert project.migrate(fake_initial=True) == ["blog.0001_a"]
    assert applied() == ["0001_a"]


def test_only_the_plan(project: Project) -> None:
    chain(project, ("0001_a", NODE), ("0002_b", ADD_N))
    assert project.migrate("blog", "0001", plan_only=True) == ["blog.0001_a"]
    assert project.migrate(plan_only=True) == ["blog.0001_a", "blog.0002_b"]
    assert project.tables() == set()


def test_progress_is_told(project: Project) -> None:
    chain(project, ("0001_a", NODE))
    told: list[str] = []
    project.migrate(progress=lambda action, migration, fake: told.append(f"{action} {migration.name} {fake}"))
    project.migrate("blog", "zero", progress=lambda action, *rest: told.append(action))
    assert told == ["apply_start 0001_a False", "apply_success 0001_a False", "unapply_start", "unapply_success"]


def test_signals_are_sent_for_each_app(project: Project) -> None:
    chain(project, ("0001_a", NODE))
    heard: list[Any] = []

    def hear(sender: Any, using: str, apps: Any, plan: Any, **rest: Any) -> None:
        heard.append((sender.label, using, bool(apps.all_models), len(plan)))

    signals.pre_migrate.connect(hear)
    signals.post_migrate.connect(hear)
    try:
        project.migrate()
    finally:
        signals.pre_migrate.disconnect(hear)
        signals.post_migrate.disconnect(hear)
    assert [h for h in heard if not h[2]] == [("blog", "default", False, 1), ("shop", "default", False, 1)]
    assert [h for h in heard if h[2]] == [("blog", "default", True, 1), ("shop", "default", True, 1)]


def test_several_apps(project: Project) -> None:
    file(project, "0001_x", NODE, app="shop", dependencies=[("blog", "0001_x")])
    file(project, "0001_x", NODE)
    file(project, "0002_y", ADD_N, dependencies=[("blog", "__first__"), ("shop", "__latest__"), ("blog", "0001_x")])
    assert project.migrate("blog") == ["blog.0001_x", "shop.0001_x", "blog.0002_y"]
    assert project.migrate("blog", "zero") == ["-blog.0002_y", "-shop.0001_x", "-blog.0001_x"]


def test_run_before(project: Project) -> None:
    file(project, "0001_x", NODE, app="blog")
    file(project, "0001_x", NODE, app="shop", run_before=[("blog", "0001_x")])
    assert project.migrate("blog") == ["shop.0001_x", "blog.0001_x"]


def squashed(project: Project) -> None:
    chain(project, ("0001_a", NODE), ("0002_b", ADD_N))
    file(project, "0001_squashed_0002_b", NODE + ADD_N, replaces=[("blog", "0001_a"), ("blog", "0002_b")])
    file(project, "0003_c", "migrations.RemoveField('Node', 'n'),", dependencies=[("blog", "0002_b")])


def test_a_squashed_migration_runs_in_place_of_others(project: Project) -> None:
    squashed(project)
    assert project.migrate() == ["blog.0001_squashed_0002_b", "blog.0003_c"]
    assert applied() == ["0001_a", "0002_b", "0001_squashed_0002_b", "0003_c"]
    assert project.migrate("blog", "zero") == ["-blog.0003_c", "-blog.0001_squashed_0002_b"]
    assert applied() == []


def test_a_squashed_migration_is_recorded_once_the_others_have_run(project: Project) -> None:
    chain(project, ("0001_a", NODE), ("0002_b", ADD_N))
    project.migrate()
    squashed(project)
    assert project.migrate() == ["blog.0003_c"]
    assert sorted(applied()) == ["0001_a", "0001_squashed_0002_b", "0002_b", "0003_c"]


def test_the_others_go_on_where_they_have_begun(project: Project) -> None:
    chain(project, ("0001_a", NODE))
    project.migrate()
    squashed(project)
    assert project.migrate() == ["blog.0002_b", "blog.0003_c"]


def test_without_a_transaction(project: Project) -> None:
    file(project, "0001_a", NODE + "migrations.RunPython(fail),", atomic=False)
    with pytest.raises(RuntimeError):
        project.migrate()
    assert project.tables() == {"blog_node"}
    assert applied() == []


def test_migrations_side_by_side(project: Project) -> None:
    file(project, "0001_a", NODE)
    for name in ("0002_b", "0002_c"):
        file(project, name, dependencies=[("blog", "0001_a")])
    with pytest.raises(BadMigrationError, match="blog: 0002_b, 0002_c"):
        project.migrate()
    with pytest.raises(BadMigrationError, match="--merge"):
        project.make()
    (one,) = commands.make_migrations(merge=True)
    assert one.name == "0003_merge_0002_b_0002_c"
    assert project.migrate() == ["blog.0001_a", "blog.0002_b", "blog.0002_c", "blog.0003_merge_0002_b_0002_c"]


def test_an_empty_migration(project: Project) -> None:
    chain(project, ("0001_a", NODE))
    (one,) = commands.make_migrations(["blog"], empty=True, name="fill")
    assert one.name == "0002_fill"
    assert "('blog', '0001_a')" in one.text
    assert project.migrate() == ["blog.0001_a", "blog.0002_fill"]


def test_a_dry_run_writes_nothing(written: Project) -> None:
    written.write("class Node(models.Model):\n    pass\n")
    (one,) = commands.make_migrations(dry_run=True)
    assert "CreateModel" in one.text
    assert not one.path.parent.exists()


def test_files_that_are_wrong(written: Project) -> None:
    file(written, "0001_a", NODE, dependencies=[("blog", "0000_x")])
    with pytest.raises(NodeNotFoundError, match=r"blog\.0001_a depends on blog\.0000_x, which does not exist"):
        MigrationLoader(None)


def test_a_file_without_a_migration(written: Project) -> None:
    file(written, "0001_a")
    (written.root / "blog" / "migrations" / "0002_b.py").touch()
    with pytest.raises(BadMigrationError, match="0002_b in app blog has no Migration class"):
        MigrationLoader(None)


def test_files_that_depend_on_each_other(written: Project) -> None:
    file(written, "0001_a", dependencies=[("blog", "0002_b")])
    file(written, "0002_b", dependencies=[("blog", "0001_a")])
    with pytest.raises(CircularDependencyError, match=r"blog\.0001_a, blog\.0002_b"):
        MigrationLoader(None)


def test_an_unknown_app_or_migration(written: Project) -> None:
    chain(written, ("0001_a", NODE), ("0002_b", ADD_N), ("0002_bb", ""))
    with pytest.raises(LookupError, match=r"'blogg'\. Did you mean 'blog'"):
        written.migrate("blogg")
    with pytest.raises(LookupError, match=r"has no migration '0003'"):
        written.migrate("blog", "0003")
    with pytest.raises(AmbiguityError, match="0002_b, 0002_bb"):
        written.migrate("blog", "0002")
    with pytest.raises(LookupError, match="'shop' does not have migrations"):
        written.migrate("shop")


def test_a_history_that_cannot_be(project: Project) -> None:
    chain(project, ("0001_a", NODE), ("0002_b", ADD_N))
    MigrationRecorder(connections["default"]).record_applied("blog", "0002_b")
    with pytest.raises(InconsistentMigrationHistory, match=r"blog\.0002_b is applied before its dependency"):
        project.migrate()


def test_constraints_that_rows_break(project: Project) -> None:
    chain(
        project,
        ("0001_a", NODE + ADD_N),
        ("0002_b", "migrations.AlterField('Node', 'n', models.IntegerField(unique=True)),"),
    )
    project.migrate("blog", "0001")
    with connections["default"].cursor() as cursor:
        for _ in range(2):
            cursor.execute("INSERT INTO blog_node (n) VALUES (3)")
    with pytest.raises(IntegrityError):
        project.migrate()
    assert project.rows("SELECT n FROM blog_node") == [(3,), (3,)]
    assert applied() == ["0001_a"]


def test_states_are_shared(written: Project) -> None:
    """Classes are made once for a state that does not change, and only those that are needed."""
    chain(written, ("0001_a", NODE), ("0002_b", ADD_N))
    state = MigrationExecutor(connections["default"]).loader.project_state()
    assert state.clone().apps is state.apps
    copy = state.clone()
    copy.remove_field("blog", "node", "n")
    assert "n" in state.models["blog", "node"].fields
    assert copy.apps is not state.apps


def test_a_state_renders_no_more_than_it_is_asked_for() -> None:
    state = ProjectState()
    for name, to in (("A", None), ("B", "a"), ("C", "b"), ("D", "c")):
        fields: dict[str, Any] = {"id": models.BigAutoField(primary_key=True), "n": models.IntegerField()}
        if to is not None:
            fields["to"] = models.ForeignKey(f"blog.{to}", models.CASCADE)
        state.add_model(ModelState("blog", name, fields))
    rendered = state.rendered([("blog", "c")]).all_models["blog"]
    assert {name: [f.name for f in model._meta.fields] for name, model in rendered.items()} == {
        "b": ["id"],
        "c": ["id", "n", "to"],
    }
