"""What a naive loop costs, for each kind of relation and each question: statements sent, and rows that the driver gave.

The rows are the same for all tests, so nothing here is written and kept. The first thousand of each model have two
related rows each, over every relation to many.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from math import ceil, log2
from typing import Any

import loop_models
import pytest
from loop_models import Card, Label, Note, Person, Topic

import crowsfoot
from crowsfoot.contrib.contenttypes.models import ContentType
from crowsfoot.database import Database, databases
from crowsfoot.drivers import postgresql_async, postgresql_sync, sqlite
from crowsfoot.errors import FieldFetchBlocked, ObjectDoesNotExist
from crowsfoot.models import FETCH_ONE, FETCH_RAISE, Count, F, Sum, Window, peers
from crowsfoot.models.functions import RowNumber

TABLES = loop_models.TABLES  # what the database has here
SIZES = (1, 10, 100, 1000)
MANY, ALL = 1000, 10_000
DRIVERS = (
    sqlite.SQLiteConnection,
    postgresql_sync.PostgreSQLConnection,
    postgresql_async.AsyncPostgreSQLConnection,
)


def fill() -> None:
    people = Person.objects.bulk_create([Person(name=f"p{n}", bio=f"bio {n}") for n in range(ALL)])
    some = people[:MANY]
    Card.objects.bulk_create([Card(person=person) for person in some[::2]])
    notes = Note.objects.bulk_create([Note(person=p, rank=rank) for p in [*some, people[-1]] for rank in (1, 2)])
    topics = Topic.objects.bulk_create([Topic(rank=number % 3) for number in range(len(notes))])
    link = Note.topics.through
    beside = [*topics[1:], topics[0]]
    pairs = [*zip(notes, topics, strict=True), *zip(notes, beside, strict=True)]
    link.objects.bulk_create([link(note=note, topic=topic) for note, topic in pairs])
    things = [thing for person, note in zip(some, notes[:MANY], strict=True) for thing in (person, note, person)]
    Label.objects.bulk_create([Label(thing=thing, rank=number % 4) for number, thing in enumerate(things)])


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    vendor = "sqlite" if request.param == "sqlite" else "postgres"
    databases["default"] = found = request.getfixturevalue(f"{vendor}_tables")(TABLES)
    ContentType.objects.clear_cache()
    if not Person.objects.exists():
        fill()
    ContentType.objects.get_for_models(Person, Note)  # a process asks once
    monkeypatch.setattr(peers, "MAX_AGE", 600)  # a busy machine is no reason to ask again
    yield found
    found.close()


class Rows:
    number = 0


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Rows:
    """The number of rows that the drivers gave, counted where they give them."""
    rows = Rows()

    def count(found: Any) -> Iterator[Any]:
        for row in found:
            rows.number += 1
            yield row

    for driver in DRIVERS:

        def fetch(self: Any, sql: str, params: Any, hydrate: Any, fetch: Any = driver.fetch) -> Any:
            return fetch(self, sql, params, lambda found: hydrate(count(found)))

        monkeypatch.setattr(driver, "fetch", fetch)
    return rows


@contextmanager
def costs(do: Any, given: Rows) -> Iterator[tuple[Any, Rows]]:
    rows, before = Rows(), given.number
    with do.captured() as sent:
        yield sent, rows
    rows.number = given.number - before


def allowed(size: int) -> int:
    return ceil(log2(size)) + 2


# -- to many -----------------------------------------------------------------------------------------------------------


async def keys(do: Any, rows: Any) -> list[Any]:
    return [row.pk for row in await do.rows(rows)]


async def in_any_order(do: Any, rows: Any) -> list[Any]:
    return sorted(await keys(do, rows))


async def first(do: Any, manager: Any) -> list[Any]:
    row = await do(manager.order_by("-rank", "pk").first)
    return [] if row is None else [row.pk]


async def get(do: Any, manager: Any) -> list[Any]:
    try:
        return [(await do(manager.get, rank=1)).pk]
    except ObjectDoesNotExist:
        return []


async def annotated(do: Any, manager: Any) -> list[Any]:
    rows = manager.annotate(n=Count("pk"), more=F("rank") + 1).filter(n=1).order_by("rank", "pk")
    return [(row.pk, row.n, row.more) for row in await do.rows(rows)]


# Each question as a function that gives the answer in a list, which is as long as the rows that it takes.
QUESTIONS: dict[str, Callable[[Any, Any], Awaitable[list[Any]]]] = {
    "all": lambda do, manager: in_any_order(do, manager.all()),
    "filter": lambda do, manager: in_any_order(do, manager.filter(rank__gt=1)),
    "exclude": lambda do, manager: in_any_order(do, manager.exclude(rank=F("pk"))),
    "order_by": lambda do, manager: keys(do, manager.order_by("-rank", "pk")),
    "slice": lambda do, manager: keys(do, manager.order_by("rank", "pk")[:1]),
    "page": lambda do, manager: keys(do, manager.order_by("rank", "pk")[1:3]),
    "first": first,
    "get": get,
    "values": lambda do, manager: do.rows(manager.order_by("rank", "pk").values("rank", twice=F("rank") + F("rank"))),
    "values_list": lambda do, manager: do.rows(manager.order_by("-rank").values_list("rank", flat=True)[:1]),
    "annotate": annotated,
    "annotate-values": lambda do, manager: do.rows(
        manager.values("rank").annotate(n=Count("pk")).order_by("rank").values_list("rank", "n", named=True)
    ),
    "count": lambda do, manager: one(do(manager.filter(rank__gt=1).count)),
    "exists": lambda do, manager: one(do(manager.filter(rank=2).exists)),
    "aggregate": lambda do, manager: one(
        do(manager.filter(rank__gt=1).aggregate, Sum("rank", default=0), n=Count("pk"))
    ),
}


async def one(answer: Awaitable[Any]) -> list[Any]:
    return [await answer]


TO_MANY = {
    "foreign-key-backwards": (Person, "notes"),
    "many-to-many": (Note, "topics"),
    "many-to-many-backwards": (Topic, "notes"),
    "generic": (Person, "labels"),
}
to_many = pytest.mark.parametrize(("model", "relation"), TO_MANY.values(), ids=TO_MANY)


@pytest.mark.capability(95, 96)
@pytest.mark.parametrize("question", QUESTIONS)
@to_many
async def test_loops_over_relations_to_many(do: Any, given: Rows, model: Any, relation: str, question: str) -> None:
    ask = QUESTIONS[question]
    rows = model.objects.order_by("pk")
    alone = [await ask(do, getattr(row, relation)) for row in await do.rows(rows.fetch_mode(FETCH_ONE)[:10])]
    for size in SIZES:
        with costs(do, given) as (sent, loaded):
            found = [await ask(do, getattr(row, relation)) for row in await do.rows(rows[:size])]
        assert found[:10] == alone[:size]
        assert len(sent) <= allowed(size)
        assert loaded.number <= size + sum(map(len, found)), "the members, and what was found: nothing besides"


ORDERS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "backwards": lambda rows: rows[::-1],
    "from-the-middle": lambda rows: rows[len(rows) // 2 :] + rows[: len(rows) // 2],
    "shuffled": lambda rows: sorted(rows, key=lambda row: row.pk * 7919 % 104729),
}


@pytest.mark.parametrize("order", ORDERS)
@to_many
async def test_loops_in_any_order(do: Any, given: Rows, model: Any, relation: str, order: str) -> None:
    rows = model.objects.order_by("pk")
    for size in SIZES:
        with costs(do, given) as (sent, loaded):
            members = ORDERS[order](await do.rows(rows[:size]))
            found = [await keys(do, getattr(row, relation).all()) for row in members]
        assert len(sent) <= allowed(size)
        assert loaded.number <= size + sum(map(len, found))


@to_many
async def test_loops_that_ask_each_member_again(do: Any, given: Rows, model: Any, relation: str) -> None:
    size = 100
    members = await do.rows(model.objects.order_by("pk")[:size])
    with costs(do, given) as (sent, _):
        first, second = [[await in_any_order(do, getattr(row, relation).all()) for row in members] for _ in range(2)]
        assert first == second
    assert len(sent) <= 2 * allowed(size)
    with costs(do, given) as (sent, loaded):
        for row in await do.rows(model.objects.order_by("pk")[:size]):
            for _ in range(3):
                assert len(await keys(do, getattr(row, relation).all())) > 0
    assert len(sent) <= 3 * allowed(size)
    assert loaded.number <= size + 3 * 2 * sum(map(len, first))


async def test_loops_in_which_the_same_row_asks_many_times(do: Any, given: Rows) -> None:
    """By way of each of its related rows, and as several instances of it in one result."""
    with costs(do, given) as (sent, _):
        notes = await do.rows(Note.objects.select_related("person").order_by("rank", "pk")[:1500])
        assert {await do(note.person.notes.count) for note in notes} == {2}
    assert len(sent) <= allowed(1500)
    twice = Person.objects.filter(notes__rank__gt=0).order_by("pk")[:200]
    with costs(do, given) as (sent, _):
        assert {await do(person.notes.count) for person in await do.rows(twice)} == {2}
    assert len(sent) <= allowed(200)


async def test_asking_one_member_again_and_again_asks_for_nobody_else(do: Any, given: Rows) -> None:
    members = await do.rows(Person.objects.order_by("pk")[:100])
    with costs(do, given) as (sent, loaded):
        for _ in range(20):
            assert len(await keys(do, members[7].notes.all())) == 2
    assert (len(sent), loaded.number) == (20, 40)


async def test_a_loop_in_a_loop_whatever_order_its_rows_have(do: Any, given: Rows) -> None:
    """The notes of a batch of people do not come person by person, but they are asked for their topics so."""

    async def walk() -> list[Any]:
        return [
            await keys(do, note.topics.all())
            for person in await do.rows(Person.objects.order_by("pk")[:100])
            for note in await do.rows(person.notes.order_by("rank", "pk"))
        ]

    with costs(do, given) as (sent, loaded):
        found = await walk()
    assert len(found) == 200
    assert len(sent) <= 1 + 2 * allowed(100) + allowed(200)
    assert loaded.number <= 100 + 2 * 200 + 2 * sum(map(len, found))


@to_many
async def test_a_loop_that_writes_loads_little_in_vain(do: Any, given: Rows, model: Any, relation: str) -> None:
    related = model._meta.get_field(relation).related_model
    used = 0

    async def read_and_write() -> None:
        nonlocal used
        for row in await do.rows(model.objects.order_by("pk")[:100]):
            used += len(await keys(do, getattr(row, relation).all()))
            await do(related.objects.filter(pk=-1).update, rank=F("rank") + 1)
        raise InterruptedError  # takes the writes back

    with costs(do, given) as (_, loaded), pytest.raises(InterruptedError):
        async with do.atomic():
            await read_and_write()
    assert loaded.number <= 100 + 2 * used


@pytest.mark.capability(96)
@pytest.mark.parametrize("question", ["all", "page", "count", "aggregate"])
@to_many
async def test_a_loop_that_ends_early(do: Any, given: Rows, model: Any, relation: str, question: str) -> None:
    ask = {**QUESTIONS, "count": lambda do, manager: one(do(manager.count))}[question]
    members = await do.rows(model.objects.order_by("pk")[:MANY])
    for used in (1, 2, 3, 5, 9, 20, 40):
        members = await do.rows(model.objects.order_by("pk")[:MANY])
        with costs(do, given) as (_, loaded):
            found = [await ask(do, getattr(row, relation)) for row in members[:used]]
        assert loaded.number <= 2 * sum(map(len, found))


@to_many
async def test_a_write_in_the_loop_is_seen(do: Any, model: Any, relation: str) -> None:
    related = model._meta.get_field(relation).related_model
    rows = model.objects.order_by("pk")[:12]

    async def least(row: Any) -> int:
        return min([found.rank for found in await do.rows(getattr(row, relation).all())])

    async def write_and_read() -> None:
        for row in await do.rows(rows):
            await do(related.objects.update, rank=F("rank") + 1)
            seen.append(await least(row))
        raise InterruptedError  # takes the writes back

    seen: list[int] = []
    with pytest.raises(InterruptedError):
        async with do.atomic():
            await write_and_read()
    before = [await least(row) for row in await do.rows(rows.all())]
    assert seen == [rank + number for number, rank in enumerate(before, 1)]


@to_many
async def test_windows_look_at_the_rows_of_one(do: Any, model: Any, relation: str) -> None:
    place = Window(RowNumber(), order_by=[F("rank"), F("pk")])
    for row in await do.rows(model.objects.order_by("pk")[:5]):
        rows = getattr(row, relation).annotate(place=place).order_by("place")
        assert [found.place for found in await do.rows(rows)] == [1, 2]


async def test_one_of_ten_thousand(do: Any, given: Rows) -> None:
    people = await do.rows(Person.objects.order_by("pk"))
    assert len(people) == ALL
    with costs(do, given) as (sent, loaded):
        notes = await do.rows(people[-1].notes.all())
    assert (len(sent), loaded.number) == (1, 2)
    assert {note.person_id for note in notes} == {people[-1].pk}


# -- to one ------------------------------------------------------------------------------------------------------------

TO_ONE = {
    "foreign-key": (Note.objects.all(), "person"),
    "one-to-one": (Card.objects.all(), "person"),
    "one-to-one-backwards": (Person.objects.filter(card__isnull=False), "card"),
    "generic": (Label.objects.all(), "thing"),
    "deferred": (Person.objects.only("name"), "bio"),
}
to_one = pytest.mark.parametrize(("rows", "name"), TO_ONE.values(), ids=TO_ONE)


async def touch(do: Any, row: Any, name: str) -> Any:
    return await row.aload(name) if do.is_async else getattr(row, name)


@pytest.mark.capability(94)
@to_one
async def test_loops_over_relations_to_one(do: Any, given: Rows, rows: Any, name: str) -> None:
    alone = [await touch(do, row, name) for row in await do.rows(rows.order_by("pk").fetch_mode(FETCH_ONE)[:10])]
    for size in SIZES:
        with costs(do, given) as (sent, loaded):
            members = await do.rows(rows.order_by("pk")[:size])
            found = [await touch(do, row, name) for row in members]
        assert found[:10] == alone[:size]
        assert len(sent) <= min(allowed(size), 3), "the members, and each model that is pointed at"
        assert loaded.number == len(members) + len(set(found))


# -- modes, and what is told -------------------------------------------------------------------------------------------


@pytest.mark.capability(93)
@to_many
async def test_fetch_raise_stops_managers(do: Any, model: Any, relation: str) -> None:
    row = await do(model.objects.order_by("pk").fetch_mode(FETCH_RAISE).first)
    for question in QUESTIONS.values():
        with do.queries(0), pytest.raises(FieldFetchBlocked, match=rf"{model.__name__}\.{relation}"):
            await question(do, getattr(row, relation))


@pytest.mark.capability(93)
@to_one
async def test_fetch_raise_stops_attributes(do: Any, rows: Any, name: str) -> None:
    row = await do(rows.order_by("pk").fetch_mode(FETCH_RAISE).first)
    with do.queries(0), pytest.raises(FieldFetchBlocked, match=rf"\.{name}"):
        getattr(row, name)


@to_many
async def test_watch_tells_what_loops_were_saved(do: Any, model: Any, relation: str) -> None:
    for question in QUESTIONS.values():
        with crowsfoot.watch() as watched:
            for row in await do.rows(model.objects.order_by("pk")[:100]):
                await question(do, getattr(row, relation))
        assert watched.sent <= allowed(100)
        assert watched.sent + watched.saved == 101
