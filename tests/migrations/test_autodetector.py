"""What the autodetector finds between two states."""

from __future__ import annotations

from typing import Any

import pytest

from crowsfoot import migrations, models
from crowsfoot.conf import SettingsReference, settings
from crowsfoot.migrations.autodetector import MigrationAutodetector
from crowsfoot.migrations.graph import MigrationGraph
from crowsfoot.migrations.migration import Migration
from crowsfoot.migrations.questioner import (
    InteractiveMigrationQuestioner,
    MigrationQuestioner,
    NonInteractiveMigrationQuestioner,
    StopAsking,
)
from crowsfoot.migrations.state import ModelState, ProjectState
from crowsfoot.models.fields.base import NOT_PROVIDED

CASCADE = models.CASCADE


def key() -> tuple[str, Any]:
    return "id", models.BigAutoField(primary_key=True)


def state(*found: ModelState) -> ProjectState:
    project = ProjectState()
    for model in found:
        project.add_model(model)
    return project


def model(label: str, /, *, options: Any = None, bases: Any = None, managers: Any = None, **fields: Any) -> ModelState:
    app, _, name = label.partition(".")
    return ModelState(app, name, [key(), *fields.items()], options, bases, managers)


def text(**options: Any) -> Any:
    return models.CharField(max_length=100, **options)


def changes(
    before: ProjectState, after: ProjectState, questioner: Any = None, **answers: Any
) -> dict[str, list[Migration]]:
    answers.setdefault("ask_initial", True)
    graph = MigrationGraph()
    for app in sorted({app for app, _ in before.models}):
        graph.add_node((app, "0001_initial"), Migration("0001_initial", app))
    return MigrationAutodetector(before, after, questioner or MigrationQuestioner(answers)).changes(graph)


def found(before: ProjectState, after: ProjectState, app: str = "blog", **answers: Any) -> list[str]:
    """The operations of the only migration of an app, described."""
    (migration,) = changes(before, after, **answers)[app]
    return [operation.describe() for operation in migration.operations]


AUTHOR = model("blog.Author", name=text())
POST = model("blog.Post", title=text(), author=models.ForeignKey("blog.author", CASCADE))


def test_nothing() -> None:
    assert changes(state(AUTHOR, POST), state(AUTHOR, POST)) == {}


def test_the_spelling_of_a_target_does_not_matter() -> None:
    spelled = model("blog.Post", title=text(), author=models.ForeignKey("Author", CASCADE))
    assert changes(state(AUTHOR, POST), state(AUTHOR, spelled)) == {}
    before = model("blog.Node", up=models.ForeignKey("blog.Node", CASCADE))
    after = model("blog.Node", up=models.ForeignKey("self", CASCADE))
    assert changes(state(before), state(after)) == {}


def test_models_in_an_order_that_works() -> None:
    reader = model(
        "blog.A", post=models.ForeignKey("blog.post", CASCADE), writers=models.ManyToManyField("blog.author")
    )
    assert found(state(), state(reader, POST, AUTHOR)) == ["Create model Author", "Create model Post", "Create model A"]


@pytest.mark.capability(121)
def test_a_ring_in_one_app() -> None:
    a = model("blog.A", b=models.ForeignKey("blog.b", CASCADE))
    b = model("blog.B", a=models.ForeignKey("blog.a", CASCADE))
    assert found(state(), state(a, b)) == ["Create model A", "Create model B", "Add field b to a"]
    assert found(state(a, b), state()) == ["Remove field a from b", "Delete model A", "Delete model B"]


def test_a_ring_between_apps_takes_more_than_one_migration() -> None:
    author = model("blog.Author", favourite=models.ForeignKey("shop.book", CASCADE, null=True))
    book = model("shop.Book", author=models.ForeignKey("blog.author", CASCADE))
    made = changes(state(), state(author, book))
    assert [m.name for m in made["blog"]] == ["0001_initial", "0002_author_favourite"]
    assert [m.name for m in made["shop"]] == ["0001_initial"]
    assert made["shop"][0].dependencies == [("blog", "0001_initial")]
    assert set(made["blog"][1].dependencies) == {("shop", "0001_initial"), ("blog", "0001_initial")}


def test_a_dependency_on_another_apps_last_migration() -> None:
    price = model("shop.Price", n=models.IntegerField())
    linked = model("blog.Author", name=text(), price=models.ForeignKey("shop.price", CASCADE, null=True))
    (migration,) = changes(state(AUTHOR, price), state(linked, price))["blog"]
    assert sorted(migration.dependencies) == [("blog", "0001_initial"), ("shop", "0001_initial")]


def test_the_model_of_users_is_named_by_its_setting() -> None:
    target = SettingsReference(settings.AUTH_USER_MODEL, "AUTH_USER_MODEL")
    (migration,) = changes(state(), state(model("blog.Post", user=models.ForeignKey(target, CASCADE))))["blog"]
    assert migration.dependencies == [("auth", "__first__")]
    assert migration.dependencies[0].setting == "AUTH_USER_MODEL"


@pytest.mark.parametrize(
    ("before", "after", "expected", "name"),
    [
        ({"a": text()}, {}, ["Remove field a from post"], "remove_post_a"),
        ({}, {"a": text(null=True)}, ["Add field a to post"], "post_a"),
        ({"a": text()}, {"a": text(unique=True)}, ["Alter field a on post"], "alter_post_a"),
        ({"a": text()}, {"b": text()}, ["Rename field a on post to b"], "rename_a_post_b"),
        (
            {"a": text()},
            {"b": text(db_column="a")},
            ["Alter field a on post", "Rename field a on post to b"],
            "alter_post_a_rename_a_post_b",
        ),
        (
            {"a": models.ManyToManyField("blog.author")},
            {"a": models.ForeignKey("blog.author", CASCADE, null=True)},
            ["Remove field a from post", "Add field a to post"],
            "remove_post_a_post_a",
        ),
    ],
)
def test_fields(before: Any, after: Any, expected: list[str], name: str) -> None:
    old, new = (state(AUTHOR, model("blog.Post", **fields)) for fields in (before, after))
    made = changes(old, new, ask_rename=True)["blog"][0]
    assert [operation.describe() for operation in made.operations] == expected
    assert made.name == f"0002_{name}"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"unique_together": {("a", "b")}}, ["Alter unique_together for post (1 constraint(s))"]),
        ({"unique_together": {("a", "b")}}, {}, ["Alter unique_together for post (0 constraint(s))"]),
        ({}, {"ordering": ["a"]}, ["Change Meta options on post"]),
        ({"verbose_name": "x"}, {}, ["Change Meta options on post"]),
        ({}, {"db_table": "texts"}, ["Rename table for post to texts"]),
        ({"db_table": "texts"}, {}, ["Rename table for post to (default)"]),
        ({}, {"db_table_comment": "Texts"}, ["Alter post table comment"]),
        ({}, {"indexes": [models.Index(fields=["a"], name="x")]}, ["Create index x on field(s) a of model post"]),
        ({"indexes": [models.Index(fields=["a"], name="x")]}, {}, ["Remove index x from post"]),
        (
            {"indexes": [models.Index(fields=["a"], name="x")]},
            {"indexes": [models.Index(fields=["a"], name="y")]},
            ["Rename index x on post to y"],
        ),
        (
            {"constraints": [models.UniqueConstraint(fields=["a"], name="x")]},
            {"constraints": [models.UniqueConstraint(fields=["b"], name="x")]},
            ["Remove constraint x from model post", "Create constraint x on model post"],
        ),
        (
            {"constraints": [models.UniqueConstraint(fields=["a"], name="x")]},
            {"constraints": [models.UniqueConstraint(fields=["a"], name="x", violation_error_message="No.")]},
            ["Alter constraint x on post"],
        ),
    ],
)
def test_options(before: Any, after: Any, expected: list[str]) -> None:
    old, new = (state(model("blog.Post", options=options, a=text(), b=text())) for options in (before, after))
    assert found(old, new) == expected


def test_a_renamed_field_takes_its_indexes_along() -> None:
    old = model(
        "blog.Post",
        options={"indexes": [models.Index(fields=["-a"], name="x")], "unique_together": {("a", "id")}},
        a=text(),
    )
    new = model(
        "blog.Post",
        options={"indexes": [models.Index(fields=["-b"], name="x")], "unique_together": {("b", "id")}},
        b=text(),
    )
    assert found(state(old), state(new), ask_rename=True) == ["Rename field a on post to b"]


def test_a_renamed_field_takes_its_conditions_along() -> None:
    def rules(name: str) -> list[Any]:
        return [
            models.CheckConstraint(condition=models.Q(**{f"{name}__gt": models.F(name)}) | ~models.Q(id=1), name="c"),
            models.UniqueConstraint(models.functions.Lower(name), name="u"),
        ]

    old, new = (model("blog.Post", options={"constraints": rules(name)}, **{name: text()}) for name in ("a", "b"))
    assert found(state(old), state(new), ask_rename=True) == ["Rename field a on post to b"]


def test_renamed_models() -> None:
    writer = model("blog.Writer", name=text())
    post = model("blog.Post", title=text(), author=models.ForeignKey("blog.writer", CASCADE))
    assert found(state(AUTHOR, POST), state(writer, post), ask_rename_model=True) == ["Rename model Author to Writer"]
    assert "Delete model Author" in found(state(AUTHOR, POST), state(writer, post))


def test_a_model_that_goes_with_what_refers_to_it() -> None:
    plain = model("blog.Post", title=text())
    assert found(state(AUTHOR, POST), state(plain)) == ["Remove field author from post", "Delete model Author"]
    gone = ["Remove field author from post", "Delete model Author", "Delete model Post"]
    assert found(state(AUTHOR, POST), state()) == gone


def test_inheritance_and_proxies() -> None:
    base = model("blog.Base", a=text())
    child = ModelState(
        "blog",
        "Achild",
        [("base_ptr", models.OneToOneField("blog.base", CASCADE, primary_key=True, parent_link=True))],
        bases=("blog.base",),
    )
    proxy = ModelState("blog", "Aproxy", [], {"proxy": True}, ("blog.base",))
    assert found(state(), state(child, proxy, base)) == [
        "Create model Base",
        "Create model Achild",
        "Create proxy model Aproxy",
    ]
    assert found(state(base, child, proxy), state()) == [
        "Delete model Achild",
        "Delete model Aproxy",
        "Delete model Base",
    ]


def test_unmanaged_models_are_only_known() -> None:
    before = model("blog.Post", options={"managed": False}, a=text())
    after = model("blog.Post", options={"managed": False}, b=text())
    assert changes(state(before), state(after)) == {}


def test_one_off_defaults_are_asked_for() -> None:
    old, new = state(model("blog.Post")), state(model("blog.Post", n=models.IntegerField()))
    (operation,) = changes(old, new, ask_not_null_addition=5)["blog"][0].operations
    assert (operation.field.default, operation.preserve_default) == (5, False)  # type: ignore[attr-defined]
    assert new.models["blog", "post"].fields["n"].default is NOT_PROVIDED
    with pytest.raises(StopAsking, match="'n' on model 'post' is new"):
        changes(old, new, NonInteractiveMigrationQuestioner())


@pytest.mark.parametrize(
    "field",
    [
        text(default=""), text(null=True), text(blank=True), models.DateField(auto_now=True), text(db_default=""),
        models.ManyToManyField("self"),
        models.GeneratedField(expression=models.F("id"), output_field=models.IntegerField(), db_persist=True),
    ],
)  # fmt: skip
def test_nothing_is_asked_where_rows_get_a_value(field: Any) -> None:
    old, new = state(model("blog.Post")), state(model("blog.Post", n=field))
    (operation,) = changes(old, new, NonInteractiveMigrationQuestioner({"ask_initial": True}))["blog"][0].operations
    assert operation.preserve_default  # type: ignore[attr-defined]


def test_null_no_more() -> None:
    old, new = (state(model("blog.Post", n=models.IntegerField(null=null))) for null in (True, False))
    (asked,) = changes(old, new, ask_not_null_alteration=3)["blog"][0].operations
    assert (asked.field.default, asked.preserve_default) == (3, False)  # type: ignore[attr-defined]
    (left,) = changes(old, new, NonInteractiveMigrationQuestioner())["blog"][0].operations
    assert (left.field.default, left.preserve_default) == (NOT_PROVIDED, True)  # type: ignore[attr-defined]


def test_a_person_is_asked() -> None:
    said: list[str] = []
    answers = iter(["nonsense", "1", "oops(", "datetime.date(2026, 1, 2)", "y", "?", "n", "2"])
    asker = InteractiveMigrationQuestioner(lambda question: said.append(question) or next(answers), said.append)
    assert str(asker.ask_not_null_addition("day", "post")) == "2026-01-02"
    assert asker.ask_rename("post", "a", "b", text())
    assert not asker.ask_merge("blog")
    assert asker.ask_not_null_alteration("n", "post") is NOT_PROVIDED
    assert any("Was post.a renamed to post.b (a CharField)?" in line for line in said)
    with pytest.raises(StopAsking):
        InteractiveMigrationQuestioner(lambda _: "2", said.append).ask_not_null_addition("n", "post")


def test_long_names_are_cut() -> None:
    after = model("blog.Post", **{f"quite_a_long_name_of_a_field_{n}": text(null=True) for n in range(4)})
    (migration,) = changes(state(model("blog.Post")), state(after))["blog"]
    assert migration.name == "0002_post_quite_a_long_name_of_a_field_0_and_more"


def test_only_the_apps_that_were_asked_for_and_what_they_need() -> None:
    price, shelf = model("shop.Price"), model("attic.Shelf")
    post = model("blog.Post", price=models.ForeignKey("shop.price", CASCADE))
    detector = MigrationAutodetector(state(), state(price, post, shelf), MigrationQuestioner({"ask_initial": True}))
    assert set(detector.changes(MigrationGraph(), trim_to_apps={"blog"})) == {"blog", "shop"}


@pytest.mark.parametrize(
    ("name", "number"), [("0001_initial", 1), ("0012", 12), ("start", None), ("0001_squashed_0004_x", 4)]
)
def test_numbers(name: str, number: int | None) -> None:
    assert MigrationAutodetector.parse_number(name) == number


def test_the_found_operations_lead_to_the_new_state() -> None:
    before = state(AUTHOR, POST)
    tag = model(
        "blog.Tag",
        word=text(unique=True),
        options={"ordering": ["word"], "indexes": [models.Index(fields=["word"], name="w")]},
    )
    post = model(
        "blog.Post",
        headline=text(),
        tags=models.ManyToManyField("blog.tag"),
        options={"unique_together": {("headline", "id")}},
    )
    after = state(AUTHOR, post, tag)
    for migration in changes(before, after, ask_rename=True)["blog"]:
        before = migration.mutate_state(before)
    assert changes(before, after) == {}
    assert isinstance(migration.operations[0], migrations.CreateModel)
