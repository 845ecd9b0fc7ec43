"""Deletes in random graphs of models and rows, compared with a plain model of the rules that knows no SQL."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import crowsfoot
from crowsfoot import models
from crowsfoot.database import Database, databases
from crowsfoot.drivers.run import Execute, Operation
from crowsfoot.errors import IntegrityError, ProtectedError, RestrictedError
from crowsfoot.models.signals import post_delete, pre_delete
from crowsfoot.models.tables import complete
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.sql.ddl import Schema
from crowsfoot.testing import isolated_registry

RULES = ["CASCADE"] * 3 + ["RESTRICT"] * 2 + ["SET_NULL", "SET_DEFAULT", "SET", "PROTECT", "DO_NOTHING"]
WRITTEN_RULE = re.compile(" ON DELETE (CASCADE|RESTRICT|SET NULL|SET DEFAULT)")
# The row that SET_DEFAULT and SET lead to; there is one in every table.
SPARE = 1
Row = tuple[int, int]  # the number of a model, and a key


@dataclass(frozen=True)
class Key:
    """A foreign key of model ``owner``."""

    owner: int
    target: int
    rule: str
    constrained: bool

    @property
    def name(self) -> str:
        return f"m{self.owner}_to_m{self.target}_{self.rule.lower()}"


@dataclass
class Graph:
    """Models by number, each with the model it inherits from; keys; rows, and where each key of a row leads."""

    parents: list[int | None]
    keys: list[Key]
    rows: set[Row]
    values: dict[tuple[Row, Key], int]
    hooked: set[int]
    asked: tuple[int, list[int]]
    how: str
    rules_in_database: bool = True
    planned: bool = False

    # -- the rules, in memory ------------------------------------------------------------------------------------------

    def family(self, row: Row) -> Iterator[Row]:
        """The rows that are one with this row: of the model it inherits from, and of those that inherit from it."""
        model, key = row
        parent = self.parents[model]
        if parent is not None:
            yield parent, key
        for child, above in enumerate(self.parents):
            if above == model and (child, key) in self.rows:
                yield child, key

    def doomed(self) -> set[Row]:
        model, keys = self.asked
        found = {(model, key) for key in keys if (model, key) in self.rows}
        while True:
            more = {row for one in found for row in self.family(one)}
            more |= {
                row
                for (row, key), value in self.values.items()
                if key.rule == "CASCADE" and (key.target, value) in found
            }
            if more <= found:
                return found
            found |= more

    def pointing(self, rule: str, gone: set[Row]) -> set[Row]:
        return {row for (row, key), value in self.values.items() if key.rule == rule and (key.target, value) in gone}

    def foretold(self) -> Any:
        """What a plan says: how many rows go, by model, and how many each key that does not take rows leads to."""
        gone = self.doomed()
        reached = Counter(
            f"M{key.owner}.{key.name}"
            for (row, key), value in self.values.items()
            if key.rule != "CASCADE" and (key.target, value) in gone and (key.rule == "PROTECT" or row not in gone)
        )
        return dict(Counter(f"graph.M{model}" for model, _ in gone)), dict(reached)

    def expected(self) -> Any:
        """What a delete gives and leaves: an error and the rows it names, or counts, rows and keys."""
        gone = self.doomed()
        if protected := self.pointing("PROTECT", gone):
            return ProtectedError, protected
        if restricted := self.pointing("RESTRICT", gone) - gone:
            return RestrictedError, restricted
        left: dict[tuple[Row, Key], int] = {}
        for (row, key), value in self.values.items():
            if row in gone:
                continue
            if (key.target, value) not in gone or key.rule == "DO_NOTHING":
                left[row, key] = value
            elif key.rule != "SET_NULL":
                left[row, key] = SPARE
        if any(key.constrained and (key.target, value) in gone for (_, key), value in left.items()):
            return IntegrityError, None
        counts = Counter(f"graph.M{model}" for model, _ in gone)
        return (
            (sum(counts.values()), dict(counts)),
            self.rows - gone,
            left,
            {row for row in gone if row[0] in self.hooked},
        )


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    size = draw(st.integers(1, 4))
    number = st.integers(0, size - 1)
    parents = [draw(st.sampled_from([None, None, *range(i)])) for i in range(size)]
    made = st.builds(Key, number, number, st.sampled_from(RULES), st.booleans())
    keys = draw(st.lists(made, max_size=6, unique_by=lambda k: (k.owner, k.name)))
    rows = {(model, SPARE) for model in range(size)}
    for model, key in draw(st.lists(st.tuples(number, st.integers(2, 6)), max_size=12)):
        here: int | None = model
        while here is not None:
            rows.add((here, key))
            here = parents[here]
    values = {}
    for key in keys:
        there = st.sampled_from([None, *sorted(k for m, k in rows if m == key.target)])
        for row in sorted(rows):
            value = draw(there) if row[0] == key.owner else None
            if value is not None:
                values[row, key] = value
    asked = draw(number), draw(st.lists(st.integers(2, 6), min_size=1, max_size=3, unique=True))
    return Graph(
        parents, keys, rows, values, draw(st.sets(number)), asked,
        draw(st.sampled_from(["instance", "keys", "condition", "join"])), draw(st.booleans()), draw(st.booleans()),
    )  # fmt: skip


# -- the same with Crowsfoot -------------------------------------------------------------------------------------------


def rule(key: Key) -> dict[str, Any]:
    options: dict[str, Any] = {"null": True, "related_name": "+", "db_constraint": key.constrained}
    if key.rule == "SET_DEFAULT":
        options["default"] = (lambda: SPARE) if key.constrained else SPARE
    options["on_delete"] = models.SET(lambda: SPARE) if key.rule == "SET" else getattr(models, key.rule)
    return options


def define(graph: Graph) -> list[Any]:
    found: list[Any] = []
    for number, parent in enumerate(graph.parents):
        attributes: dict[str, Any] = {
            key.name: models.ForeignKey(f"graph.M{key.target}", **rule(key))
            for key in graph.keys
            if key.owner == number
        }
        attributes["Meta"] = type("Meta", (), {"app_label": "graph"})
        base = models.Model if parent is None else found[parent]
        if parent is not None:
            name = f"m{parent}_ptr"
            attributes[name] = models.OneToOneField(
                base, on_delete=models.CASCADE, parent_link=True, primary_key=True, related_name=f"child_{number}"
            )
        found.append(type(models.Model)(f"M{number}", (base,), {"__module__": __name__, **attributes}))
    return found


def send(session: Session, statements: list[str]) -> Operation[None]:
    for statement in statements:
        yield Execute(statement)


def create(database: Database, graph: Graph, made: list[Any]) -> None:
    statements = Schema(database.dialect).create_tables([complete(model) for model in made])
    if not graph.rules_in_database:  # as Django makes them
        statements = [WRITTEN_RULE.sub("", s).replace("INITIALLY IMMEDIATE", "INITIALLY DEFERRED") for s in statements]
    database.run(lambda session: atomically(session, send(session, statements)))


def fill(database: Database, graph: Graph, made: list[Any]) -> None:
    statements = []
    for model, key in sorted(graph.rows):
        meta = made[model]._meta
        columns = [meta.pk.column, *[meta.get_field(k.name).column for k in graph.keys if k.owner == model]]
        names, nulls = ", ".join(f'"{column}"' for column in columns), ", NULL" * (len(columns) - 1)
        statements.append(f'INSERT INTO "{meta.db_table}" ({names}) VALUES ({key}{nulls})')
    for ((model, pk), key), value in graph.values.items():
        meta = made[model]._meta
        column = meta.get_field(key.name).column
        statements.append(f'UPDATE "{meta.db_table}" SET "{column}" = {value} WHERE "{meta.pk.column}" = {pk}')
    database.run(lambda session: atomically(session, send(session, statements)))


def remaining(graph: Graph, made: list[Any]) -> tuple[set[Row], dict[tuple[Row, Key], int]]:
    rows: set[Row] = set()
    values: dict[tuple[Row, Key], int] = {}
    for number, model in enumerate(made):
        keys = [key for key in graph.keys if key.owner == number]
        for pk, *found in model.objects.values_list("pk", *[f"{key.name}_id" for key in keys]):
            rows.add((number, pk))
            values.update(
                {((number, pk), key): value for key, value in zip(keys, found, strict=True) if value is not None}
            )
    return rows, values


def asked(graph: Graph, made: list[Any]) -> Any:
    """What ``delete()`` is called on."""
    model, keys = graph.asked
    rows = made[model].objects
    if graph.how == "instance":
        return rows.get(pk=keys[0])
    if graph.how == "condition":
        return rows.filter(pk__gte=min(keys), pk__lte=max(keys))
    if graph.how == "join":
        name = next((key.name for key in graph.keys if key.owner == model), None)
        if name is not None:
            return rows.filter(
                models.Q(pk__in=keys) & (models.Q(**{f"{name}__pk__gte": 0}) | models.Q(**{f"{name}__isnull": True}))
            )
    return rows.filter(pk__in=keys)


def adjust(graph: Graph) -> None:
    """Say in the graph what is asked for in fact."""
    model, keys = graph.asked
    there = [key for key in range(2, 7) if (model, key) in graph.rows]
    if graph.how == "instance":
        graph.asked = model, [key for key in keys if key in there][:1]
        if not graph.asked[1]:
            graph.how = "keys"
    elif graph.how == "condition":
        graph.asked = model, [key for key in there if min(keys) <= key <= max(keys)]
        if not graph.asked[1]:
            graph.how, graph.asked = "keys", (model, keys)


@contextmanager
def hooks(graph: Graph, made: list[Any]) -> Iterator[tuple[list[Row], list[Row]]]:
    before: list[Row] = []
    after: list[Row] = []

    def note(into: list[Row]) -> Any:
        return lambda sender, instance, **named: into.append((made.index(sender), instance.pk))

    with ExitStack() as stack:
        for number in graph.hooked:
            for signal, into in ((pre_delete, before), (post_delete, after)):
                receiver = note(into)
                signal.connect(receiver, sender=made[number], weak=False)
                stack.callback(signal.disconnect, receiver, sender=made[number])
        yield before, after


def outcome(database: Database, graph: Graph, made: list[Any], in_async: bool) -> Any:
    what = asked(graph, made)
    plan = asyncio.run(awaited(database, what.adelete_plan)) if in_async else what.delete_plan()
    reached = {branch.relation: branch.count for branch in plan if branch.action not in ("delete", "up")}
    assert (plan.counts, reached) == graph.foretold()
    with hooks(graph, made) as (before, after):
        try:
            if in_async:
                counts = asyncio.run(awaited(database, plan.aexecute if graph.planned else what.adelete))
            else:
                counts = plan.execute() if graph.planned else what.delete()
        except (ProtectedError, RestrictedError) as error:
            blocking = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
            assert remaining(graph, made) == (graph.rows, graph.values)
            return type(error), {(made.index(type(row)), row.pk) for row in blocking}
        except IntegrityError:
            assert remaining(graph, made) == (graph.rows, graph.values)
            return IntegrityError, None
    assert sorted(before) == sorted(after)
    assert len(after) == len(set(after))
    return counts, *remaining(graph, made), set(after)


async def awaited(database: Database, call: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await call()
    finally:
        await database.aclose()


def compare(database: Database, graph: Graph, in_async: bool) -> None:
    adjust(graph)
    with isolated_registry():
        made = define(graph)
        create(database, graph, made)
        try:
            fill(database, graph, made)
            assert outcome(database, graph, made, in_async) == graph.expected()
        finally:
            if database.vendor == "postgresql":
                drops = [f'DROP TABLE "{model._meta.db_table}" CASCADE' for model in made]
                database.run(lambda session: atomically(session, send(session, drops)))


@pytest.mark.parametrize("in_async", [False, True], ids=["sync", "async"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graph=graphs())
def test_sqlite_does_what_the_rules_say(graph: Graph, in_async: bool) -> None:
    database = crowsfoot.connect("sqlite://:memory:")
    try:
        compare(database, graph, in_async)
    finally:
        databases.close_all()


@pytest.mark.parametrize("in_async", [False, True], ids=["sync", "async"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(graph=graphs())
def test_postgresql_does_what_the_rules_say(graph: Graph, in_async: bool, postgres_url: str) -> None:
    database = crowsfoot.connect(postgres_url)
    try:
        compare(database, graph, in_async)
    finally:
        databases.close_all()
