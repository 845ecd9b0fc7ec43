"""Each operation on both databases: what it does to the tables, and that the way back undoes it and keeps the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import crowsfoot
from crowsfoot import migrations, models
from crowsfoot.connection import connections
from crowsfoot.database import Database, databases
from crowsfoot.errors import FieldDoesNotExist, IntegrityError
from crowsfoot.migrations.migration import Migration
from crowsfoot.migrations.operations.base import Operation
from crowsfoot.migrations.optimizer import MigrationOptimizer
from crowsfoot.migrations.schema import SchemaEditor
from crowsfoot.migrations.state import ProjectState
from crowsfoot.models.tables import complete

COLUMNS = {
    "sqlite": """
        SELECT m.name, c.name, c.type, c."notnull", c.pk FROM sqlite_master m, pragma_table_xinfo(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'""",
    "postgresql": """
        SELECT table_name, column_name, data_type, character_maximum_length, is_nullable
        FROM information_schema.columns WHERE table_schema = current_schema()""",
}
RULES = {
    "sqlite": """
        SELECT m.name, i.name, i."unique", i.origin, (SELECT group_concat(x.name) FROM pragma_index_info(i.name) x)
        FROM sqlite_master m, pragma_index_list(m.name) i WHERE m.type = 'table' AND i.name NOT LIKE 'sqlite_%'
        UNION ALL SELECT m.name, f."table", f."from", f."to", f.on_delete
        FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'""",
    "postgresql": """
        SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid), ''
        FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'
        UNION ALL SELECT tablename, indexname, '', replace(indexdef, current_schema() || '.', ''), ''
        FROM pg_indexes WHERE schemaname = current_schema()""",
}
# PostgreSQL names a unique column's constraint itself where the column is made with its table.
UNIQUE = re.compile(r"_(?:key|[0-9a-f]{8}_uniq)\b")
ID = ("id", models.BigAutoField(primary_key=True))
START = [
    migrations.CreateModel("Author", [ID, ("name", models.CharField(max_length=50))]),
    migrations.CreateModel("Tag", [ID, ("word", models.CharField(max_length=50))]),
    migrations.CreateModel(
        "Post",
        [
            ID,
            ("title", models.CharField(max_length=50)),
            ("n", models.IntegerField(null=True)),
            ("slug", models.SlugField(unique=True)),
            ("author", models.ForeignKey("blog.author", models.CASCADE, related_name="posts")),
            ("tags", models.ManyToManyField("blog.tag", related_name="posts")),
        ],
        {"indexes": [models.Index(fields=["title", "-n"], name="by_title")]},
    ),
]


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    yield crowsfoot.connect(url)
    databases.close_all()


def begun() -> ProjectState:
    """The state of two models that are linked twice, with a row or two in each table."""
    state = forwards(ProjectState(), *START)
    author = state.apps.get_model("blog.Author").objects.create(name="Asha")
    post = author.posts.create(title="Hello", slug="hello")
    author.posts.create(title="Tips", slug="tips", n=2)
    post.tags.create(word="python")
    return state


def forwards(state: ProjectState, *operations: Operation) -> ProjectState:
    migration = Migration("0001", "blog")
    migration.operations = list(operations)
    with SchemaEditor(connections["default"]) as editor:
        return migration.apply(state, editor)


def backwards(state: ProjectState, *operations: Operation) -> None:
    """Take back operations that ``state`` is the one before of."""
    migration = Migration("0001", "blog")
    migration.operations = list(operations)
    with SchemaEditor(connections["default"]) as editor:
        migration.unapply(state, editor)


def rows(sql: str) -> list[Any]:
    with connections["default"].cursor() as cursor:
        return cursor.execute(sql).fetchall()


def structure() -> set[Any]:
    vendor = connections["default"].vendor
    rules = {tuple(UNIQUE.sub("_uniq", str(part)) for part in rule) for rule in rows(RULES[vendor])}
    return {*rows(COLUMNS[vendor]), *rules}


def content(state: ProjectState) -> dict[str, list[Any]]:
    """All rows, by table."""
    found = {}
    for model in state.apps.get_models(include_auto_created=True):
        if model._meta.can_migrate(None):
            found[model._meta.db_table] = sorted(model.objects.values_list(), key=repr)
    return found


def anew(state: ProjectState) -> set[Any]:
    """The structure that the state has where it is created at once."""
    tables = [model for model in state.apps.get_models(include_auto_created=True) if model._meta.can_migrate(None)]
    with SchemaEditor(connections["default"]) as editor:
        editor.run(editor.schema.drop_tables(map(complete, tables)))
        editor.run(editor.schema.create_tables(map(complete, tables)))
    return structure()


TWICE = models.GeneratedField(expression=models.F("id") * 2, output_field=models.BigIntegerField(), db_persist=True)
PROTECTED = models.ForeignKey("blog.author", models.PROTECT, null=True)
CASES: dict[str, list[Operation]] = {
    "create": [migrations.CreateModel("Note", [ID, ("post", models.OneToOneField("blog.post", models.CASCADE))])],
    "rename model": [migrations.RenameModel("Author", "Writer")],
    "rename model with links": [migrations.RenameModel("Post", "Text"), migrations.RenameModel("Tag", "Label")],
    "table": [migrations.AlterModelTable("Post", "texts"), migrations.AlterModelTable("Author", "writers")],
    "unique together": [migrations.AlterUniqueTogether("Post", {("title", "author")})],
    "options": [migrations.AlterModelOptions("Post", {"ordering": ["-title"], "verbose_name": "text"})],
    "add": [migrations.AddField("Post", "note", models.CharField(max_length=9, default="none"))],
    "add null": [migrations.AddField("Post", "day", models.DateField(null=True, db_index=True))],
    "add unique": [migrations.AddField("Post", "code", models.IntegerField(null=True, unique=True))],
    "add foreign key": [migrations.AddField("Post", "next", models.ForeignKey("self", models.SET_NULL, null=True))],
    "add link": [migrations.AddField("Author", "likes", models.ManyToManyField("blog.Post", related_name="fans"))],
    "add computed": [
        migrations.AddField(
            "Post",
            "twice",
            TWICE,
        )
    ],
    "alter": [migrations.AlterField("Post", "title", models.CharField(max_length=90, db_index=True))],
    "alter type": [migrations.AlterField("Post", "n", models.BigIntegerField(null=True))],
    "alter column": [migrations.AlterField("Post", "title", models.CharField(max_length=50, db_column="head"))],
    "alter key": [
        migrations.AlterField("Author", "id", models.AutoField(primary_key=True)),
        migrations.AlterField("Tag", "id", models.IntegerField(primary_key=True)),
    ],
    "alter relation": [migrations.AlterField("Post", "author", PROTECTED)],
    "rename": [migrations.RenameField("Post", "title", "headline"), migrations.RenameField("Post", "author", "writer")],
    "rename link": [migrations.RenameField("Post", "tags", "labels")],
    "rename key": [migrations.RenameField("Author", "id", "number")],
    "index": [migrations.AddIndex("Post", models.Index(fields=["n"], name="by_n"))],
    "rename index": [migrations.RenameIndex("Post", new_name="by_head", old_name="by_title")],
    "remove index": [migrations.RemoveIndex("Post", "by_title")],
    "check": [migrations.AddConstraint("Post", models.CheckConstraint(condition=models.Q(n__lt=9), name="few"))],
    "unique": [migrations.AddConstraint("Post", models.UniqueConstraint(fields=["title", "n"], name="once"))],
    "add and remove": [
        migrations.AddConstraint("Post", models.UniqueConstraint(fields=["title"], name="once")),
        migrations.RenameField("Post", "title", "headline"),
        migrations.RemoveConstraint("Post", "once"),
    ],
    "state alone": [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL('ALTER TABLE blog_post RENAME TO texts', 'ALTER TABLE texts RENAME TO blog_post')],
            [migrations.RunSQL("", state_operations=[migrations.AlterModelOptions("Post", {"db_table": "texts"})])],
        )
    ],
    "proxy": [migrations.CreateModel("Short", [], {"proxy": True}, ("blog.post",))],
    "inherited": [
        migrations.CreateModel(
            "Essay",
            [("post_ptr", models.OneToOneField("blog.post", models.CASCADE, parent_link=True, primary_key=True))],
            bases=("blog.post",),
        )
    ],
    "unmanaged": [migrations.CreateModel("View", [ID], {"managed": False})],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_there_and_back(database: Database, name: str) -> None:
    before = begun()
    tables, held = structure(), content(before)
    forwards(before, *CASES[name])
    backwards(before, *CASES[name])
    assert structure() == tables
    assert content(before) == held


@pytest.mark.parametrize("name", [name for name in CASES if name != "state alone"])
def test_the_tables_are_those_of_the_new_state(database: Database, name: str) -> None:
    after = forwards(begun(), *CASES[name])
    there = structure()
    assert there == anew(after)


@pytest.mark.parametrize("name", CASES)
def test_rows_are_there_in_the_new_state(database: Database, name: str) -> None:
    before = begun()
    counts = sorted(len(found) for found in content(before).values())
    after = forwards(before, *CASES[name])
    if name == "state alone":  # the state alone does not know the new table
        return
    assert [n for n in sorted(len(found) for found in content(after).values()) if n] == counts


@pytest.mark.parametrize("name", CASES)
def test_an_operation_says_what_it_is(name: str) -> None:
    for operation in CASES[name]:
        assert operation.describe()
        assert operation.formatted_description()[1] == " "
        assert repr(operation).startswith(f"<{type(operation).__name__}")


def test_a_new_field_is_filled(database: Database) -> None:
    after = forwards(
        begun(),
        migrations.AddField("post", "kept", models.IntegerField(default=3)),
        migrations.AddField("post", "once", models.IntegerField(default=4), preserve_default=False),
        migrations.AddField("post", "blank", models.TextField(blank=True)),
        migrations.AddField("post", "made", models.DateTimeField(auto_now_add=True)),
        migrations.AlterField("post", "n", models.IntegerField(default=9), preserve_default=False),
    )
    post = after.apps.get_model("blog.Post")
    assert list(post.objects.order_by("id").values_list("kept", "once", "blank", "n")) == [(3, 4, "", 9), (3, 4, "", 2)]
    assert post.objects.filter(made__isnull=False).count() == 2
    assert not post._meta.get_field("once").has_default()


def test_rows_without_a_value_stop_the_migration(database: Database) -> None:
    before = begun()
    tables, held = structure(), content(before)
    with pytest.raises(IntegrityError) as raised:
        forwards(
            before,
            migrations.AddField("Post", "note", models.TextField(default="x")),
            migrations.AddField("Post", "m", models.IntegerField()),
        )
    assert raised.value.__notes__ == ["This was at 'Add field m to Post' of the migration blog.0001."]
    assert structure() == tables
    assert content(before) == held


def test_removed_things_are_gone(database: Database) -> None:
    before = begun()
    after = forwards(
        before,
        migrations.RemoveField("Post", "tags"),
        migrations.DeleteModel("Tag"),
        migrations.RemoveField("Post", "slug"),
    )
    assert {table for table, *_ in rows(COLUMNS[database.vendor])} == {"blog_author", "blog_post"}
    assert [len(found) for found in content(after).values()] == [1, 2]


def test_python_sees_the_models_of_its_time(database: Database) -> None:
    seen: list[Any] = []

    def there(apps: Any, editor: Any) -> None:
        post = apps.get_model("blog", "Post")
        seen.extend(post.objects.using(editor.connection.alias).order_by("id").values_list("headline", flat=True))
        post.objects.update(headline="done")

    def back(apps: Any, editor: Any) -> None:
        apps.get_model("blog", "Post").objects.update(headline="undone")

    operations = [migrations.RenameField("Post", "title", "headline"), migrations.RunPython(there, back)]
    before = begun()
    forwards(before, *operations)
    assert seen == ["Hello", "Tips"]
    backwards(before, *operations)
    assert rows("SELECT DISTINCT title FROM blog_post") == [("undone",)]


def test_what_python_does_goes_with_the_transaction(database: Database) -> None:
    def there(apps: Any, editor: Any) -> None:
        apps.get_model("blog", "Author").objects.create(name="Bo")
        raise RuntimeError("no")

    before = begun()
    with pytest.raises(RuntimeError):
        forwards(before, migrations.RunPython(there))
    assert rows("SELECT name FROM blog_author") == [("Asha",)]


def test_sql_with_and_without_parameters(database: Database) -> None:
    forwards(
        begun(),
        migrations.RunSQL(
            [
                ("UPDATE blog_post SET title = %s WHERE n = %s", ["50%", 2]),
                "UPDATE blog_post SET slug = 'a%' WHERE n IS NULL",
            ]
        ),
        migrations.RunSQL("INSERT INTO blog_author (name) VALUES ('a%'); INSERT INTO blog_author (name) VALUES ('b');"),
    )
    assert rows("SELECT title, slug FROM blog_post ORDER BY id") == [("Hello", "a%"), ("50%", "tips")]
    assert rows("SELECT name FROM blog_author ORDER BY id") == [("Asha",), ("a%",), ("b",)]


def test_a_broken_key_undoes_the_migration(database: Database) -> None:
    if database.vendor != "sqlite":
        pytest.skip("PostgreSQL refuses the statement itself")
    before = begun()
    with pytest.raises(IntegrityError, match="row 1 of blog_post refers to a row of blog_author, which is not there"):
        forwards(before, migrations.RunSQL("UPDATE blog_post SET author_id = 77 WHERE id = 1"))
    assert rows("SELECT author_id FROM blog_post WHERE id = 1") == [(1,)]
    assert rows("PRAGMA foreign_keys") == [(1,)]


def test_a_link_table_cannot_become_a_column(database: Database) -> None:
    before = begun()
    with pytest.raises(ValueError, match="not compatible types"):
        forwards(
            before, migrations.AlterField("Post", "tags", models.ForeignKey("blog.tag", models.CASCADE, null=True))
        )


def test_names_that_are_not_there() -> None:
    state = ProjectState()
    START[0].state_forwards("blog", state)
    with pytest.raises(LookupError, match=r"has no model 'blog\.Autor'\. Did you mean 'blog\.Author'"):
        migrations.DeleteModel("Autor").state_forwards("blog", state)
    with pytest.raises(FieldDoesNotExist, match="Did you mean 'name'"):
        migrations.RemoveField("Author", "nam").state_forwards("blog", state)
    with pytest.raises(ValueError, match="twice"):
        migrations.CreateModel("Post", [ID, ID])


def optimized(*operations: Operation) -> list[str]:
    return [operation.describe() for operation in MigrationOptimizer().optimize(operations, "blog")]


TEXT = models.TextField()
POST = migrations.CreateModel("Post", [ID, ("a", models.IntegerField())], {"unique_together": {("a", "id")}})


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([POST, migrations.DeleteModel("Post")], []),
        ([POST, migrations.RenameModel("Post", "Text")], ["Create model Text"]),
        ([POST, migrations.AddField("Post", "b", models.IntegerField())], ["Create model Post"]),
        ([POST, migrations.AlterModelOptions("Post", {"ordering": ["a"]})], ["Create model Post"]),
        (
            [POST, START[0], migrations.AddField("Post", "b", models.ForeignKey("blog.author", models.CASCADE))],
            ["Create model Author", "Create model Post"],
        ),
        (
            [POST, START[0], migrations.AddField("Author", "b", models.ForeignKey("blog.post", models.CASCADE))],
            ["Create model Post", "Create model Author"],
        ),
        (
            [migrations.AddField("Post", "b", models.IntegerField()), migrations.AlterField("Post", "b", TEXT)],
            ["Add field b to Post"],
        ),
        ([migrations.AddField("Post", "b", models.IntegerField()), migrations.RemoveField("Post", "b")], []),
        ([migrations.RemoveField("Post", "a"), migrations.DeleteModel("Post")], ["Delete model Post"]),
        (
            [migrations.RenameField("Post", "a", "b"), migrations.RenameField("Post", "b", "c")],
            ["Rename field a on Post to c"],
        ),
        ([migrations.RunSQL("x", elidable=True), POST], ["Create model Post"]),
        (
            [POST, migrations.RunSQL("x"), migrations.DeleteModel("Post")],
            ["Create model Post", "Raw SQL operation", "Delete model Post"],
        ),
    ],
)  # fmt: skip
def test_operations_that_can_be_one(operations: list[Operation], expected: list[str]) -> None:
    assert optimized(*operations) == expected


def test_a_folded_model_is_the_same_model() -> None:
    operations = [
        POST,
        migrations.AddField("Post", "b", models.IntegerField(default=1), preserve_default=False),
        migrations.AlterField("Post", "a", models.TextField()),
        migrations.RenameField("Post", "a", "c"),
        migrations.AddIndex("Post", models.Index(fields=["b"], name="i")),
        migrations.AlterModelTable("Post", "texts"),
        migrations.RenameIndex("Post", new_name="j", old_name="i"),
    ]
    (one,) = MigrationOptimizer().optimize(operations, "blog")
    whole, folded = ProjectState(), ProjectState()
    for operation in operations:
        operation.state_forwards("blog", whole)
    one.state_forwards("blog", folded)
    assert whole == folded
    assert folded.models["blog", "post"].options["unique_together"] == {("c", "id")}
