"""Models that change at random: what is detected and migrated leaves nothing to detect, and keeps every row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import crowsfoot
from crowsfoot import migrations, models
from crowsfoot.connection import connections
from crowsfoot.database import databases
from crowsfoot.migrations.autodetector import MigrationAutodetector
from crowsfoot.migrations.graph import MigrationGraph
from crowsfoot.migrations.questioner import MigrationQuestioner
from crowsfoot.migrations.schema import SchemaEditor
from crowsfoot.migrations.state import ModelState, ProjectState

LABELS = ["One", "Two", "Three"]


def relation(kind: Any, **options: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(LABELS).map(lambda to: kind(f"blog.{to}", related_name="+", **options))


# What a name may be: a text does not become a number, nor a column a link table.
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "word": st.one_of(
        st.builds(models.CharField, max_length=st.sampled_from([20, 40]), db_index=st.booleans(), default=st.just("x")),
        st.builds(models.TextField, blank=st.just(True), null=st.booleans()),
    ),
    "n": st.one_of(
        st.builds(models.IntegerField, null=st.booleans(), default=st.just(5)),
        st.builds(models.BigIntegerField, db_index=st.booleans(), default=st.just(6)),
    ),
    "column": st.builds(
        models.IntegerField, null=st.booleans(), default=st.just(5), db_column=st.sampled_from([None, "number"])
    ),
    "to": st.one_of(
        relation(models.ForeignKey, on_delete=models.CASCADE, null=True),
        relation(models.OneToOneField, on_delete=models.PROTECT, null=True),
    ),
    "link": st.sampled_from(["link", None]).flatmap(
        lambda column: relation(models.ForeignKey, on_delete=models.SET_NULL, null=True, db_column=column)
    ),
    "many": relation(models.ManyToManyField),
}
NAMES = [*FIELDS, *(f"{kind}_more" for kind in FIELDS if kind not in ("column", "link"))]
RULES = st.lists(
    st.sampled_from(
        [
            models.Index(fields=["base"], name="by_base"),
            models.Index(fields=["-base", "id"], name="by_both"),
            models.UniqueConstraint(fields=["id", "base"], name="once"),
            models.CheckConstraint(condition=models.Q(base__gte=0), name="positive"),
        ]
    ),
    unique_by=lambda rule: rule.name,
)


@st.composite
def states(draw: Any) -> ProjectState:
    """Some of three models, with fields of all kinds that point at those that are there."""
    labels = draw(st.lists(st.sampled_from(LABELS), min_size=1, unique=True))
    state = ProjectState()
    for label in labels:
        fields: dict[str, Any] = {"id": models.BigAutoField(primary_key=True), "base": models.IntegerField(default=1)}
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
            field = draw(FIELDS[name.removesuffix("_more")])
            if field.is_relation and field.to.removeprefix("blog.") not in labels:
                continue
            fields[name] = field.clone()
        rules = draw(RULES)
        options = {
            "indexes": [_named(rule, label) for rule in rules if isinstance(rule, models.Index)],
            "constraints": [_named(rule, label) for rule in rules if not isinstance(rule, models.Index)],
            # In another order than in RULES: to PostgreSQL two equal rules of one CREATE TABLE are one.
            "unique_together": {("base", "id")} if draw(st.booleans()) else set(),
        }
        state.add_model(ModelState("blog", label, fields, options))
    return state


def _named(rule: Any, label: str) -> Any:
    found = rule.clone()
    found.name = f"{label.lower()}_{rule.name}"
    return found


def changes(before: ProjectState, after: ProjectState, **answers: Any) -> list[Any]:
    questioner = MigrationQuestioner({"ask_initial": True, "ask_not_null_alteration": "filled", **answers})
    found = MigrationAutodetector(before, after, questioner).changes(MigrationGraph())
    return found.get("blog", [])


@pytest.fixture
def connected(url: str) -> Iterator[Any]:
    crowsfoot.connect(url)
    yield connections["default"]
    databases.close_all()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(first=states(), second=states(), renames=st.booleans())
def test_random_changes(connected: Any, first: ProjectState, second: ProjectState, renames: bool) -> None:
    note(f"{said(first)}\n{said(second)}")
    empty = ProjectState()
    begun = changes(empty, first)
    state = run(empty, begun)
    try:
        for label in sorted(name for _, name in first.models):
            model = state.apps.get_model("blog", label)
            for base in (7, 8):
                model.objects.create(base=base)
        made = changes(state, second, ask_rename=renames)
        before, state = state, run(state, made)
        assert changes(state, second) == []
        for _, name in first.models:
            if ("blog", name) in second.models:
                rows = state.apps.get_model("blog", name).objects.order_by("id").values_list("base", flat=True)
                assert list(rows) == [7, 8]
        state = back(before, made)
        for _, name in first.models:
            if ("blog", name) in second.models:
                assert state.apps.get_model("blog", name).objects.count() == 2
    finally:
        drop(state)


def said(state: ProjectState) -> Any:
    """A state for people to read."""
    found = {}
    for (_, name), model in state.models.items():
        fields = {n: (type(f).__name__, f.deconstruct()[3]) for n, f in model.fields.items()}
        found[name] = {**fields, "options": model.options}
    return found


def run(state: ProjectState, made: list[Any]) -> ProjectState:
    for migration in made:
        with SchemaEditor(connections["default"]) as editor:
            state = migration.apply(state, editor)
    return state


def back(state: ProjectState, made: list[Any]) -> ProjectState:
    states = [state]
    for migration in made:
        states.append(migration.mutate_state(states[-1]))
    for number, migration in reversed(list(enumerate(made))):
        with SchemaEditor(connections["default"]) as editor:
            migration.unapply(states[number], editor)
    return state


def drop(state: ProjectState) -> None:
    run(state, changes(state, ProjectState()))


def test_it_is_not_empty() -> None:
    assert migrations.CreateModel.__name__ in {
        type(o).__name__ for m in changes(ProjectState(), _one()) for o in m.operations
    }


def _one() -> ProjectState:
    state = ProjectState()
    state.add_model(ModelState("blog", "One", [("id", models.BigAutoField(primary_key=True))]))
    return state
