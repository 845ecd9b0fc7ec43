"""Saving by plans: what makes a plan step aside, and how many calls a save may cost."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour_models import Author, Post, Tag
from budgets import calls

from crowsfoot import models
from crowsfoot.errors import DatabaseError, IntegrityError
from crowsfoot.models import F, signals
from crowsfoot.models.functions import Upper
from crowsfoot.models.write_plans import writes_of

# BEGIN and COMMIT.
BLOCK = 2


async def test_a_receiver_that_comes_later_is_told_and_one_that_went_is_not(do: Any) -> None:
    told: list[tuple[str, bool]] = []

    def hear(instance: Any, created: bool, **named: Any) -> None:
        told.append((instance.name, created))

    asha = await do(Author.objects.create, name="Asha")
    signals.post_save.connect(hear, sender=Author)
    try:
        await do(Author.objects.create, name="Ben")
        await do(asha.save)
        await do(asha.save, update_fields=["name"])
        await do(Tag.objects.create, name="not an author")
    finally:
        signals.post_save.disconnect(hear, sender=Author)
    await do(asha.save)
    assert told == [("Ben", True), ("Asha", False), ("Asha", False)]


async def test_a_delete_is_planned_anew_for_a_receiver(do: Any) -> None:
    told: list[str] = []

    def hear(instance: Any, **named: Any) -> None:
        told.append(instance.title)

    async def doomed(name: str) -> Any:
        author = await do(Author.objects.create, name=name)
        for n in range(2):
            await do(Post.objects.create, title=f"{name}{n}", author=author)
        return author

    for _ in range(2):  # planned, and by the plan
        asha = await doomed("a")
        assert await do(asha.delete) == (3, {"behaviour.Post": 2, "behaviour.Author": 1})
        assert asha.pk is None
    signals.post_delete.connect(hear, sender=Post)
    try:
        assert await do((await doomed("b")).delete) == (3, {"behaviour.Post": 2, "behaviour.Author": 1})
    finally:
        signals.post_delete.disconnect(hear, sender=Post)
    assert sorted(told) == ["b0", "b1"]
    await do((await doomed("c")).delete)
    assert len(told) == 2
    gone = Author(pk=77)
    assert await do(gone.delete) == (0, {})
    assert gone.pk is None


async def test_the_row_that_is_gone_is_made_again_with_its_key(do: Any) -> None:
    asha = await do(Author.objects.create, name="Asha", age=40)
    await do(Author.objects.all().delete)
    with do.queries(2):
        await do(asha.save)
    assert await do(Author.objects.values_list("pk", "age").get) == (asha.pk, 40)
    await do(Author.objects.all().delete)
    with do.queries(1), pytest.raises(Author.NotUpdated, match="update_fields"):
        await do(asha.save, update_fields=["age"])


async def test_values_that_no_plan_has_a_place_for(do: Any) -> None:
    asha = await do(Author.objects.create, name="Asha", age=40)
    await do(asha.save)
    asha.age = F("age") + 1
    with do.queries(1):
        await do(asha.save, update_fields=["age"])
    assert asha.age == 41
    asha.age = F("age") + 1
    with do.queries(1):
        await do(asha.save)
    assert asha.age == 42
    with do.queries(1):
        made = await do(Author.objects.create, name=Upper(models.Value("ben")))
    assert (made.name, type(made.pk)) == ("BEN", int)
    some = await do(Author.objects.only("age").get, pk=asha.pk)
    some.age = 7
    with do.queries(1):
        await do(some.save)
    assert some.get_deferred_fields() == {"name"}
    some.pk = str(some.pk)
    with do.queries(1):
        await do(some.save)
    assert await do(Author.objects.values_list("name", "age").get, pk=asha.pk) == ("Asha", 7)


async def test_values_are_converted_and_refused_as_everywhere(do: Any) -> None:
    made = await do(Author.objects.create, name="Asha", age="40")
    assert await do(Author.objects.values_list("age", flat=True).get) == 40
    made.age = "old"
    with do.queries(0), pytest.raises(ValueError, match="Field 'age' expected a number but got 'old'"):
        await do(made.save, update_fields=["age"])
    with do.queries(0), pytest.raises(ValueError, match=r"do not exist in this model.*ages"):
        await do(made.save, update_fields=["ages"])
    with do.queries(0):
        await do(made.save, update_fields=iter([]))
    made.age = 41
    with do.queries(1):
        await do(made.save, update_fields=iter(["age"]))
    assert await do(Author.objects.values_list("age", flat=True).get) == 41


async def test_an_error_names_the_row_and_leaves_the_outer_block_usable(do: Any) -> None:
    await do(Author.objects.create, name="Asha")
    ben = await do(Author.objects.create, name="Ben")
    async with do.atomic():
        with pytest.raises(IntegrityError, match="name must be unique, and another row has 'Asha'") as caught:
            async with do.atomic():
                await do(Author.objects.create, name="Asha")
        assert caught.value.field.name == "name"
        ben.name = "Asha"
        with pytest.raises(IntegrityError, match="must be unique"):
            async with do.atomic():
                await do(ben.save, update_fields=["name"])
        ben.name = "Benno"
        await do(ben.save)
    with pytest.raises(IntegrityError, match=r"author points at behaviour\.Author 77, which is not there"):
        await do(Post.objects.create, title="P", author_id=77)
    assert await do(Author.objects.filter(name="Benno").count) == 1


async def test_a_related_row_saved_meanwhile_lends_its_key(do: Any) -> None:
    asha = Author(name="Asha")
    post = Post(title="P", author=asha)
    with do.queries(0), pytest.raises(ValueError, match="unsaved related object 'author'"):
        await do(post.save)
    post = Post(title="P", author=asha)
    await do(asha.save)
    with do.queries(1):
        await do(post.save)
    assert post.__dict__["author_id"] == asha.pk


async def test_links_are_one_statement_and_those_that_are_there_stay(do: Any) -> None:
    asha = await do(Author.objects.create, name="Asha")
    post = await do(Post.objects.create, title="P", author=asha)
    tags = [await do(Tag.objects.create, name=name) for name in "abc"]
    with do.queries(1):
        await do(post.tags.add, tags[0])
    with do.queries(1):
        await do(post.tags.add, *tags, tags[1].pk)
    with do.queries(1):
        await do(tags[0].posts.add, post.pk, post)
    with do.queries(0):
        await do(post.tags.add)
    await do(post.tags.add, str(tags[2].pk))
    assert await do(Post.tags.through.objects.count) == 3
    known = await do(Post.objects.prefetch_related("tags").get, pk=post.pk)
    await do(tags[1].delete)
    await do(known.tags.add, tags[0])
    assert {tag.name for tag in await do.rows(known.tags.all())} == {"a", "c"}


async def test_links_that_the_database_refuses_are_named(do: Any) -> None:
    asha = await do(Author.objects.create, name="Asha")
    post = await do(Post.objects.create, title="P", author=asha)
    with pytest.raises(IntegrityError, match=r"points at behaviour\.Tag 77, which is not there"):
        await do(post.tags.add, 77)
    with pytest.raises(IntegrityError, match=r"points at behaviour\.Tag 7[78], which is not there"):
        await do(post.tags.add, 77, 78)
    with do.queries(0), pytest.raises(TypeError, match="'Tag' instance expected"):
        await do(post.tags.add, asha)
    with do.queries(0), pytest.raises(ValueError, match="Cannot add"):
        await do(post.tags.add, Tag(name="unsaved"))


async def test_a_receiver_that_comes_later_is_told_of_links(do: Any) -> None:
    told: list[Any] = []

    def hear(action: str, pk_set: Any, **named: Any) -> None:
        told.append((action, pk_set))

    asha = await do(Author.objects.create, name="Asha")
    post = await do(Post.objects.create, title="P", author=asha)
    tag = await do(Tag.objects.create, name="a")
    await do(post.tags.add, tag)
    signals.m2m_changed.connect(hear, sender=Post.tags.through)
    try:
        other = await do(Tag.objects.create, name="b")
        await do(post.tags.add, tag, other)
    finally:
        signals.m2m_changed.disconnect(hear, sender=Post.tags.through)
    await do(post.tags.add, tag)
    assert told == [("pre_add", {other.pk}), ("post_add", {other.pk})]


TRIGGERS = {
    "sqlite": ["CREATE TRIGGER never BEFORE INSERT ON behaviour_tag BEGIN SELECT RAISE(IGNORE); END"],
    "postgresql": [
        "CREATE FUNCTION never() RETURNS trigger AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql",
        "CREATE TRIGGER never BEFORE INSERT ON behaviour_tag FOR EACH ROW EXECUTE FUNCTION never()",
    ],
}


async def test_a_row_that_a_trigger_refuses_gets_no_key(do: Any) -> None:
    await do(Tag.objects.create, name="before")
    for statement in TRIGGERS[do.vendor]:
        await do.sql(statement)
    try:
        with pytest.raises(DatabaseError, match=r"gave no key for the new behaviour\.Tag"):
            await do(Tag.objects.create, name="refused")
    finally:
        if do.vendor == "sqlite":
            await do.sql("DROP TRIGGER never")
        else:
            await do.sql("DROP FUNCTION never CASCADE")
    assert await do(Tag.objects.count) == 1


async def test_many_rows_are_one_statement_and_know_their_keys(do: Any) -> None:
    before = await do(Author.objects.create, name="before")
    authors = [Author(name=f"a{n}", age=n) for n in range(130)]
    with do.queries(1):
        await do(Author.objects.bulk_create, authors)
    assert [author.pk for author in authors] == list(range(before.pk + 1, before.pk + 131))
    assert await do(Author.objects.values_list("name", "age").get, pk=authors[77].pk) == ("a77", 77)
    assert (authors[5]._state.adding, authors[5]._state.db, len(authors[5]._state.peers)) == (False, "default", 130)
    more = [Author(pk=authors[-1].pk + 1000 + n, name=f"b{n}") for n in range(3)]
    with do.queries(1):
        await do(Author.objects.bulk_create, more)
    mixed = [Author(name="c"), Author(pk=more[-1].pk + 5, name="d")]
    await do(Author.objects.bulk_create, mixed)
    again = [Author(name=name) for name in ("a1", "e", "b2")]
    with do.queries(1):
        await do(Author.objects.bulk_create, again, ignore_conflicts=True)
    assert [author.pk for author in again] == [None] * 3
    assert await do(Author.objects.count) == 1 + 130 + 3 + 2 + 1
    posts = [Post(title=f"p{n}", author=authors[n]) for n in range(9)]
    with do.queries(2 + BLOCK):
        await do(Post.objects.bulk_create, posts, batch_size=5)
    assert [post.__dict__["author_id"] for post in posts] == [author.pk for author in authors[:9]]
    upper = [Tag(name="t"), Tag(name=Upper(models.Value("u")))]
    await do(Tag.objects.bulk_create, upper)
    assert [tag.name for tag in upper] == ["t", "U"]


async def test_many_rows_are_changed_by_one_statement(do: Any) -> None:
    authors = [Author(name=f"a{n}", age=n) for n in range(130)]
    await do(Author.objects.bulk_create, authors)
    for author in authors:
        setattr(author, "age", None if author.age == 5 else str(1000 + (author.age or 0)))  # noqa: B010
        author.name = author.name.upper()
    with do.queries(1):
        assert await do(Author.objects.bulk_update, authors, ["age", "name"]) == 130
    found = dict(await do.rows(Author.objects.values_list("name", "age")))
    assert (found["A4"], found["A5"], found["A129"], len(found)) == (1004, None, 1129, 130)
    gone = Author(pk=authors[-1].pk + 7, name="gone", age=1)
    with do.queries(1):
        assert await do(Author.objects.bulk_update, [authors[0], gone], ["age"]) == 1
    first, second = Author(pk=authors[0].pk, age=1), Author(pk=authors[0].pk, age=2)
    assert await do(Author.objects.bulk_update, [first, second], ["age"]) == 1
    setattr(first, "age", F("age") + 10)  # noqa: B010
    authors[1].age = 7
    assert await do(Author.objects.bulk_update, [first, authors[1]], ["age"]) == 2
    assert await do(Author.objects.filter(age__in=[7, 11]).count) == 2
    assert await do(Author.objects.filter(age=7).bulk_update, authors[:5], ["age"]) == 1
    with do.queries(2 + BLOCK):
        assert await do(Author.objects.bulk_update, authors[:4], ["age"], batch_size=2) == 4
    authors[3].name = authors[4].name
    with pytest.raises(IntegrityError, match="name must be unique"):
        await do(Author.objects.bulk_update, authors[2:6], ["name"])
    post = await do(Post.objects.create, title="P", author=authors[0])
    post.author, post.editor = authors[8], authors[9]
    assert await do(Post.objects.bulk_update, [post], ["author", "editor"]) == 1
    assert await do(Post.objects.values_list("author", "editor").get) == (authors[8].pk, authors[9].pk)
    post.author_id = 1
    with pytest.raises(IntegrityError, match=r"author points at behaviour\.Author 1, which is not there"):
        await do(Post.objects.bulk_update, [post], ["author"])


async def test_many_rows_are_all_or_none(do: Any) -> None:
    await do(Author.objects.create, name="a70")
    with pytest.raises(IntegrityError, match="name must be unique") as caught:
        await do(Author.objects.bulk_create, [Author(name=f"a{n}") for n in range(90)])
    assert caught.value.field.name == "name"
    with pytest.raises(IntegrityError, match="name must be unique"):
        await do(Author.objects.bulk_create, [Author(name=f"a{n}") for n in range(90)], batch_size=20)
    posts = [Post(title="p", author_id=99)]
    with pytest.raises(IntegrityError, match=r"author points at behaviour\.Author 99, which is not there"):
        await do(Post.objects.bulk_create, posts)
    async with do.atomic():
        with pytest.raises(IntegrityError):
            async with do.atomic():
                await do(Author.objects.bulk_create, [Author(name=f"a{n}") for n in range(90)])
        await do(Author.objects.bulk_create, [Author(name="b")])
    assert sorted(await do.rows(Author.objects.values_list("name", flat=True))) == ["a70", "b"]


async def test_rows_that_a_trigger_adds_do_not_confuse_keys(do: Any) -> None:
    if do.vendor != "sqlite":
        return  # PostgreSQL returns them
    await do.sql(
        "CREATE TRIGGER twice AFTER INSERT ON behaviour_tag WHEN NEW.name NOT LIKE 'x%' "
        "BEGIN INSERT INTO behaviour_tag (name) VALUES ('x' || NEW.name); END"
    )
    try:
        tags = [Tag(name=f"t{n}") for n in range(60)]
        await do(Tag.objects.bulk_create, tags)
        one = await do(Tag.objects.create, name="one")
    finally:
        await do.sql("DROP TRIGGER twice")
    found = {row.pk: row.name for row in await do.rows(Tag.objects.all())}
    assert [found[tag.pk] for tag in tags] == [tag.name for tag in tags]
    assert (found[one.pk], len(found)) == ("one", 122)


def test_a_model_is_made_in_every_way(database: Any) -> None:
    class Writer(models.Model):
        class Meta:
            app_label = "behaviour_made"

    class Base(models.Model):
        name = models.CharField(max_length=10, default="n")
        author: Any = models.ForeignKey(Writer, on_delete=models.CASCADE, null=True, related_name="+")

        class Meta:
            app_label = "behaviour_made"

    class Child(Base):
        size = models.IntegerField(default=3)

        class Meta:
            app_label = "behaviour_made"

    class Proxy(Base):
        class Meta:
            app_label = "behaviour_made"
            proxy = True

    class Own(Base):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.was_made = True

        class Meta:
            app_label = "behaviour_made"

    asha = Writer(pk=5)
    for _ in range(2):
        for kind in (Base, Child, Proxy, Own):
            made: Any = kind(author=asha)
            assert (made.name, made.author_id, made.author) == ("n", 5, asha)
            made = kind(4, "m")
            assert (made.id, made.name, made.author_id) == (4, "m", None)
            made = kind(author_id=7)
            assert made.author_id == 7
            with pytest.raises(TypeError, match=rf"{kind.__name__}\(\) got unexpected keyword arguments: 'nam'"):
                kind(nam="x")
            with pytest.raises(ValueError, match=r"must be a .Writer. instance"):
                kind(author="x")
        both: Any = Child(size=4, name="c")
        assert (both.size, both.name, Child().size) == (4, "c", 3)
        assert Own(name="o").was_made

    told: list[Any] = []

    def hear(sender: Any, kwargs: Any, **named: Any) -> None:
        told.append((sender, dict(kwargs)))

    signals.pre_init.connect(hear, sender=Base)
    try:
        Base(name="x")
    finally:
        signals.pre_init.disconnect(hear, sender=Base)
    assert told == [(Base, {"name": "x"})]


def test_a_field_added_later_is_taken_and_written(database: Any) -> None:
    class Made(models.Model):
        name = models.CharField(max_length=10)

        class Meta:
            app_label = "behaviour_late"

    Late: Any = Made
    assert vars(Late(name="a")).keys() == vars(Late(name="b")).keys() == {"id", "name"}
    before = writes_of(Late, database.alias, database.dialect)
    assert before is not None
    assert before is writes_of(Late, database.alias, database.dialect)
    Late.add_to_class("size", models.IntegerField(default=3))
    assert Late(name="a").size == 3
    after: Any = writes_of(Late, database.alias, database.dialect)
    assert [column.field.name for column in after.insert(with_key=False).columns] == ["name", "size"]
    with pytest.raises(TypeError, match="colour"):
        Late(name="a", colour="red")


def test_a_default_is_computed_for_each_instance(database: Any) -> None:
    numbers = iter(range(10))

    class Numbered(models.Model):
        number = models.IntegerField(default=lambda: next(numbers))
        tags = models.JSONField(default=list)

        class Meta:
            app_label = "behaviour_numbered"

    one, two, three = Numbered(), Numbered(), Numbered(number=7)
    assert (one.number, two.number, three.number) == (0, 1, 7)
    assert one.tags == []
    assert one.tags is not two.tags


# -- what it costs -----------------------------------------------------------------------------------------------------


def test_a_save_is_few_calls(database: Any) -> None:
    """The budgets of the hot paths: raise one only knowing why."""
    asha: Any = Author.objects.create(name="Asha", age=1)
    names = iter("bcdefgh")

    def change() -> None:
        asha.age += 1
        asha.save(update_fields=["age"])

    def change_all() -> None:
        asha.age += 1
        asha.save()

    def create() -> None:
        Author.objects.create(name=next(names), age=2)

    post = Post.objects.create(title="P", author=asha)
    tags = [Tag.objects.create(name=name) for name in "abc"]

    def link() -> None:
        post.tags.add(tags[0])

    def link_all() -> None:
        post.tags.add(*tags)

    doomed = iter([Post.objects.create(title="P", author=asha) for _ in range(2)])

    def delete() -> None:
        next(doomed).delete()

    for work, budget in ((delete, 110), (create, 21), (change, 14), (change_all, 14), (link, 19), (link_all, 21)):
        work()
        made = calls(work)
        assert made <= budget, f"{work.__name__}: {made} calls"
