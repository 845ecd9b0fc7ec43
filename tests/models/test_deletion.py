"""Each ``on_delete`` rule, on SQLite and PostgreSQL, blocking and awaited, from one body."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import crowsfoot
from crowsfoot import models
from crowsfoot.database import Database, databases
from crowsfoot.drivers.run import Execute, Operation
from crowsfoot.errors import IntegrityError, ProtectedError, RestrictedError
from crowsfoot.models.signals import post_delete, pre_delete
from crowsfoot.persistence.session import Session
from crowsfoot.testing import isolated_registry
from crowsfoot.transaction import atomic

CALLS: list[str] = []


def spare() -> Any:
    """The author that keys go to; counted, for it must not be asked for in vain."""
    CALLS.append("spare")
    return Author.objects.get_or_create(name="spare")[0]


def spare_key() -> Any:
    return spare().pk


class Gone(models.Model):
    class Meta:
        app_label = "gone"
        abstract = True


with isolated_registry():

    class Author(Gone):
        name = models.CharField(max_length=20)

    class Pen(Author):
        class Meta:
            app_label = "gone"
            proxy = True

    class Cascade(Gone):
        author = models.ForeignKey(Author, on_delete=models.CASCADE, null=True, related_name="cascades")

    class Null(Gone):
        author = models.ForeignKey(Author, on_delete=models.SET_NULL, null=True, related_name="nulls")

    class Default(Gone):
        author = models.ForeignKey(Author, on_delete=models.SET_DEFAULT, default=1, null=True)

    class CalledDefault(Gone):
        author = models.ForeignKey(Author, on_delete=models.SET_DEFAULT, default=spare_key, null=True)

    class Value(Gone):
        author = models.ForeignKey(Author, on_delete=models.SET(1), null=True)

    class Called(Gone):
        author = models.ForeignKey(Author, on_delete=models.SET(spare), null=True)

    class Protected(Gone):
        author = models.ForeignKey(Author, on_delete=models.PROTECT, null=True)

    class Restricted(Gone):
        author = models.ForeignKey(Author, on_delete=models.RESTRICT, null=True)
        cascade = models.ForeignKey(Cascade, on_delete=models.CASCADE, null=True)

    class Nothing(Gone):
        author = models.ForeignKey(Author, on_delete=models.DO_NOTHING, null=True)

    class InDatabase(Gone):
        author = models.ForeignKey(Author, on_delete=models.DB_CASCADE, null=True)

    class NullInDatabase(Gone):
        author = models.ForeignKey(Author, on_delete=models.DB_SET_NULL, null=True)

    class DefaultInDatabase(Gone):
        author = models.ForeignKey(Author, on_delete=models.DB_SET_DEFAULT, db_default=1, null=True)

    class Below(Gone):
        cascade = models.ForeignKey(Cascade, on_delete=models.CASCADE, null=True)
        protected = models.ForeignKey(Cascade, on_delete=models.PROTECT, null=True, related_name="+")

    class Tag(Gone):
        authors = models.ManyToManyField(Author, related_name="tags")

    class Folder(Gone):
        name = models.CharField(max_length=20, default="")
        parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="inside")
        origin = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="copies")

    class Hen(Gone):
        egg = models.ForeignKey("Egg", on_delete=models.CASCADE, null=True, related_name="hens")

    class Egg(Gone):
        hen = models.ForeignKey(Hen, on_delete=models.CASCADE, null=True, related_name="eggs")

    class Place(Gone):
        name = models.CharField(max_length=20, default="")

    class Bar(Place):
        class Meta:
            app_label = "gone"

    class WineBar(Bar):
        class Meta:
            app_label = "gone"

    class Visit(Gone):
        place = models.ForeignKey(Place, on_delete=models.CASCADE)

    class Drink(Gone):
        bar = models.ForeignKey(Bar, on_delete=models.CASCADE)


MODELS = [
    Author, Cascade, Null, Default, CalledDefault, Value, Called, Protected, Restricted, Nothing, InDatabase,
    NullInDatabase, DefaultInDatabase, Below, Tag, Folder, Hen, Egg, Place, Bar, WineBar, Visit, Drink,
]  # fmt: skip


class Ground:
    """A database with empty tables, and deletes in it, blocking or awaited."""

    def __init__(self, database: Database, in_async: bool) -> None:
        self.database = database
        self.in_async = in_async
        self.sent: list[str] = []

    def delete(self, what: Any, **options: Any) -> Any:
        """``what.delete()``; notes the statements that it sends, but for those that begin and end a transaction."""
        self.sent.clear()
        with self.database.watched(lambda sql, params: self.sent.append(sql)):
            try:
                return asyncio.run(self._adelete(what, options)) if self.in_async else what.delete(**options)
            finally:
                self.sent[:] = [sql for sql in self.sent if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK"))]

    async def _adelete(self, what: Any, options: dict[str, Any]) -> Any:
        try:
            return await what.adelete(**options)
        finally:
            await self.database.aclose()


def send(session: Session, words: str) -> Operation[None]:
    tables = ", ".join(f'"{model._meta.db_table}"' for model in [*MODELS, Tag.authors.through])
    yield Execute(words.format(tables))


@pytest.fixture(scope="module")
def postgres_tables(postgres_url: str) -> Iterator[str]:
    """The URL of a PostgreSQL with the tables of these models."""
    database = crowsfoot.connect(postgres_url)
    crowsfoot.create_tables(*MODELS)
    yield postgres_url
    database.run(send, "DROP TABLE {} CASCADE")
    databases.close_all()


@pytest.fixture(params=["sqlite", "sqlite-async", "postgresql", "postgresql-async"])
def ground(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Ground]:
    CALLS.clear()
    if request.param.startswith("postgresql"):
        database = crowsfoot.connect(request.getfixturevalue("postgres_tables"))
        yield Ground(database, request.param.endswith("async"))
        database.run(send, "TRUNCATE {} RESTART IDENTITY CASCADE")
    else:
        database = crowsfoot.connect(f"sqlite:///{tmp_path}/gone.db")
        crowsfoot.create_tables(*MODELS)
        yield Ground(database, request.param.endswith("async"))
        databases.close_all()


@pytest.fixture
def author(ground: Ground) -> Any:
    """An author beside the one with key 1, to whom keys are set."""
    assert Author.objects.create(name="spare").pk == 1
    return Author.objects.create(name="Asha")


def asked(author: Any, how: str) -> Any:
    return author if how == "instance" else Author.objects.filter(name="Asha")


@pytest.fixture(params=["instance", "queryset"])
def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# -- the rules ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "key"),
    [
        (Cascade, "gone"), (Null, None), (Default, 1), (CalledDefault, 1), (Value, 1), (Called, 1),
        (InDatabase, "gone"), (NullInDatabase, None), (DefaultInDatabase, 1),
    ],
)  # fmt: skip
def test_rules_that_let_a_row_go(ground: Ground, author: Any, how: str, model: Any, key: Any) -> None:
    if ground.in_async and model in (CalledDefault, Called):
        pytest.skip("the callable asks the database, which blocks")
    hit = model.objects.create(author=author)
    kept = model.objects.create(author_id=1)
    counts = {"gone.Author": 1}
    if model is Cascade:
        counts["gone.Cascade"] = 1
    assert ground.delete(asked(author, how)) == (sum(counts.values()), counts)
    left = dict(model.objects.values_list("pk", "author_id"))
    assert left == ({kept.pk: 1} if key == "gone" else {hit.pk: key, kept.pk: 1})
    assert author.pk is (None if how == "instance" else author.pk)


@pytest.mark.parametrize(("model", "error", "kind"), [
    (Protected, ProtectedError, "protected"), (Restricted, RestrictedError, "restricted"),
])  # fmt: skip
@pytest.mark.capability(37)
def test_rules_that_forbid(ground: Ground, author: Any, how: str, model: Any, error: Any, kind: str) -> None:
    blocking = {model.objects.create(author=author), model.objects.create(author=author)}
    Cascade.objects.create(author=author)
    with pytest.raises(error) as caught:
        ground.delete(asked(author, how))
    assert str(caught.value) == (
        "Cannot delete some instances of model 'Author' because they are referenced through "
        f"{kind} foreign keys: '{model.__name__}.author'."
    )
    assert getattr(caught.value, f"{kind}_objects") == blocking
    assert all(sql.startswith("SELECT") for sql in ground.sent)
    assert (Author.objects.count(), Cascade.objects.count()) == (2, 1)
    assert author.pk == 2


def test_do_nothing_leaves_it_to_the_database(ground: Ground, author: Any, how: str) -> None:
    Nothing.objects.create(author=author)
    Cascade.objects.create(author=author)
    with pytest.raises(IntegrityError):
        ground.delete(asked(author, how))
    assert (Author.objects.count(), Cascade.objects.count()) == (2, 1)


def test_a_protected_row_further_down_names_the_way_to_it(ground: Ground, author: Any) -> None:
    blocking = Below.objects.create(protected=Cascade.objects.create(author=author))
    with pytest.raises(ProtectedError, match=r"'Cascade\.author'") as caught:
        ground.delete(author)
    assert caught.value.protected_objects == {blocking}


@pytest.mark.capability(38)
def test_restrict_yields_to_a_cascade_that_takes_the_row_too(ground: Ground, author: Any, how: str) -> None:
    Restricted.objects.create(author=author, cascade=Cascade.objects.create(author=author))
    counts = {"gone.Author": 1, "gone.Cascade": 1, "gone.Restricted": 1}
    assert ground.delete(asked(author, how)) == (3, counts)


def test_an_open_transaction_goes_on_after_a_refusal(ground: Ground, author: Any) -> None:
    if ground.in_async:
        pytest.skip("the block here is a blocking one")
    Protected.objects.create(author=author)
    with atomic():
        with pytest.raises(ProtectedError):
            author.delete()
        Author.objects.create(name="later")
    assert Author.objects.count() == 3


# -- what is counted, and what it costs --------------------------------------------------------------------------------


def test_a_value_is_not_computed_for_nothing(ground: Ground, author: Any) -> None:
    CalledDefault.objects.create(author_id=1)
    assert ground.delete(author) == (1, {"gone.Author": 1})
    assert CALLS == []


def test_rows_that_are_not_there(ground: Ground, author: Any) -> None:
    Author.objects.filter(pk=author.pk).delete()
    assert ground.delete(author) == (0, {})
    assert author.pk is None
    assert ground.delete(Author.objects.filter(name="nobody")) == (0, {})
    assert ground.delete(Author.objects.none()) == (0, {})
    assert ground.sent == []


def test_an_unsaved_instance(ground: Ground) -> None:
    with pytest.raises(ValueError, match="Author object can't be deleted because its id attribute is set to None"):
        ground.delete(Author(name="new"))


@pytest.mark.capability(45)
def test_one_statement_a_table_and_no_row_is_loaded(ground: Ground, author: Any, how: str) -> None:
    for _ in range(3):
        cascade = Cascade.objects.create(author=author)
        Below.objects.create(cascade=cascade)
        Null.objects.create(author=author)
    author.tags.add(Tag.objects.create())
    counts = {"gone.Author": 1, "gone.Cascade": 3, "gone.Below": 3, "gone.Tag_authors": 1}
    assert ground.delete(asked(author, how)) == (8, counts)
    deleted = [sql.split('"')[1] for sql in ground.sent if sql.startswith("DELETE")]
    assert len(deleted) == len(set(deleted))
    assert deleted.index("gone_below") < deleted.index("gone_cascade") < deleted.index("gone_author")
    assert sum(sql.startswith("SELECT") for sql in ground.sent) == 5  # PROTECT twice, RESTRICT, two callables
    assert Null.objects.filter(author=None).count() == 3


def test_a_table_that_nothing_hangs_on_is_one_statement(ground: Ground, author: Any) -> None:
    Below.objects.create()
    Below.objects.create()
    assert ground.delete(Below.objects.filter(cascade=None)) == (2, {"gone.Below": 2})
    assert len(ground.sent) == 1


def test_a_condition_that_the_delete_itself_would_change(ground: Ground, author: Any) -> None:
    Cascade.objects.create(author=author)
    assert ground.delete(Author.objects.filter(cascades__isnull=False))[1] == {"gone.Author": 1, "gone.Cascade": 1}
    first = Folder.objects.create(name="first")
    Folder.objects.create(name="copy", origin=first)
    assert ground.delete(Folder.objects.filter(copies__isnull=False)) == (1, {"gone.Folder": 1})
    assert list(Folder.objects.values_list("name", "origin")) == [("copy", None)]


def test_a_delete_forgets_what_was_prepared(ground: Ground, author: Any) -> None:
    writes = ground.database.session.writes
    before = writes.number
    assert not writes.after(before, ["gone_below"])
    ground.delete(Below.objects.all())
    assert writes.after(before, ["gone_below"])


def test_a_proxy_is_named_as_it_was_asked(ground: Ground, author: Any) -> None:
    Cascade.objects.create(author=author)
    assert ground.delete(Pen.objects.filter(name="Asha")) == (2, {"gone.Pen": 1, "gone.Cascade": 1})


# -- circles and trees -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [3, 5000])
def test_a_chain_of_any_length(ground: Ground, number: int) -> None:
    Folder.objects.bulk_create([Folder(pk=n, parent_id=n + 1 if n < number else None) for n in range(number, 0, -1)])
    Folder.objects.create(pk=number + 1)
    ground.database.run(send, "ANALYZE")  # of a table it knows nothing of, PostgreSQL reads all rows at each level
    plan = Folder.objects.filter(pk=number).delete_plan()
    assert [branch.count for branch in plan] == [1, number - 1]
    assert ground.delete(Folder.objects.get(pk=number)) == (number, {"gone.Folder": number})
    assert Folder.objects.get().pk == number + 1
    assert len(ground.sent) <= 3 + number // 900


def test_a_chain_whose_keys_rise(ground: Ground) -> None:
    Folder.objects.bulk_create([Folder(pk=n, parent_id=n - 1 or None) for n in range(1, 2001)])
    assert ground.delete(Folder.objects.filter(parent=None)) == (2000, {"gone.Folder": 2000})


def test_rows_in_a_circle(ground: Ground) -> None:
    one = Folder.objects.create()
    two = Folder.objects.create(parent=one)
    Folder.objects.filter(pk=one.pk).update(parent=two)
    assert ground.delete(two) == (2, {"gone.Folder": 2})


@pytest.mark.capability(121)
def test_tables_in_a_circle(ground: Ground) -> None:
    first = egg = Egg.objects.create()
    for _ in range(20):
        hen = Hen.objects.create(egg=egg)
        egg = Egg.objects.create(hen=hen)
    Hen.objects.filter(pk=1).update(egg=egg)
    Hen.objects.create()
    assert ground.delete(first) == (1, {"gone.Egg": 1})
    assert ground.delete(egg) == (40, {"gone.Egg": 20, "gone.Hen": 20})
    assert Hen.objects.count() == 1


# -- inheritance -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Place, Bar, WineBar])
def test_a_row_goes_with_the_rows_that_it_inherits(ground: Ground, model: Any, how: str) -> None:
    other = WineBar.objects.create(name="other")
    bar = WineBar.objects.create(name="bar")
    Visit.objects.create(place_id=bar.pk)
    Drink.objects.create(bar_id=bar.pk)
    Drink.objects.create(bar_id=other.pk)
    what = model.objects.get(pk=bar.pk) if how == "instance" else model.objects.filter(name="bar")
    counts = {f"gone.{name}": 1 for name in ("Place", "Bar", "WineBar", "Visit", "Drink")}
    assert ground.delete(what) == (5, counts)
    assert [WineBar.objects.get(), Drink.objects.get().bar_id] == [other, other.pk]


def test_parents_can_be_kept(ground: Ground) -> None:
    bar = WineBar.objects.create(name="bar")
    Visit.objects.create(place_id=bar.pk)
    Drink.objects.create(bar_id=bar.pk)
    assert ground.delete(bar, keep_parents=True) == (1, {"gone.WineBar": 1})
    assert (Place.objects.count(), Bar.objects.count(), Visit.objects.count(), Drink.objects.count()) == (1, 1, 1, 1)


# -- signals -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard() -> Iterator[list[tuple[str, str, Any]]]:
    """What signals of these models said: before or after, the sender, and the key."""
    found: list[tuple[str, str, Any]] = []

    def before(sender: Any, instance: Any, origin: Any, **named: Any) -> None:
        found.append(("before", sender.__name__, instance.pk))
        assert origin is not None

    def after(sender: Any, instance: Any, **named: Any) -> None:
        found.append(("after", sender.__name__, instance.pk))

    for model in (Author, Cascade):
        pre_delete.connect(before, sender=model)
        post_delete.connect(after, sender=model)
    yield found
    for model in (Author, Cascade):
        pre_delete.disconnect(before, sender=model)
        post_delete.disconnect(after, sender=model)


@pytest.mark.capability(33)
def test_signals_are_sent_for_each_row_in_order(ground: Ground, author: Any, how: str, heard: list[Any]) -> None:
    rows = [Cascade.objects.create(author=author) for _ in range(2)]
    Below.objects.create(cascade=rows[0])
    ground.delete(asked(author, how))
    assert heard == [
        ("before", "Cascade", 1), ("before", "Cascade", 2), ("before", "Author", 2),
        ("after", "Cascade", 2), ("after", "Cascade", 1), ("after", "Author", 2),
    ]  # fmt: skip
    assert not any("gone_below" in sql and sql.startswith("SELECT") and "protected" not in sql for sql in ground.sent)


def test_the_instance_of_a_signal_is_the_one_that_was_deleted(ground: Ground, author: Any) -> None:
    seen: list[Any] = []

    def receiver(instance: Any, origin: Any, using: str, **named: Any) -> None:
        seen.append((instance is author, origin is author, using))

    pre_delete.connect(receiver, sender=Author)
    try:
        ground.delete(author)
    finally:
        pre_delete.disconnect(receiver, sender=Author)
    assert seen == [(True, True, "default")]


def test_what_comes_in_between_is_caught_by_the_constraint(ground: Ground, author: Any) -> None:
    """A row that appears after the check for protected ones: the database refuses, and nothing is gone."""
    if ground.in_async:
        pytest.skip("the receiver writes, which blocks")
    Cascade.objects.create(author=author)

    def receiver(instance: Any, **named: Any) -> None:
        Protected.objects.create(author=instance)

    pre_delete.connect(receiver, sender=Author)
    try:
        with pytest.raises(IntegrityError) as caught:
            ground.delete(author)
    finally:
        pre_delete.disconnect(receiver, sender=Author)
    assert (caught.value.model, caught.value.field) == (Protected, Protected._meta.get_field("author"))
    assert caught.value.relation is Protected._meta.get_field("author").relation.forward
    assert "still points at the gone.Author by author: delete it first" in str(caught.value)
    assert (Author.objects.count(), Cascade.objects.count(), Protected.objects.count()) == (2, 1, 0)
    assert author.pk == 2


# -- models that come later --------------------------------------------------------------------------------------------


def test_a_model_that_comes_later_is_heeded() -> None:
    database = crowsfoot.connect("sqlite://:memory:")
    try:
        with isolated_registry():
            owner = type(models.Model)("Owner", (Gone,), {"__module__": __name__})
            asked = owner.objects.filter(pk__gt=0)
            crowsfoot.create_tables(owner)
            owner.objects.create()
            assert asked.delete() == (1, {"gone.Owner": 1})
            key = models.ForeignKey(owner, on_delete=models.CASCADE)
            later = type(models.Model)("Later", (Gone,), {"__module__": __name__, "owner": key})
            crowsfoot.create_tables(later)
            later.objects.create(owner=owner.objects.create())
            assert asked.delete() == (2, {"gone.Owner": 1, "gone.Later": 1})
    finally:
        database.close()
        databases.close_all()
