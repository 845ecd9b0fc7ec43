"""Several databases: queries stay where their instance is from, and routers are asked with the right model."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

import crowsfoot
from crowsfoot import models
from crowsfoot.conf import settings
from crowsfoot.database import databases
from crowsfoot.errors import SynchronousOnlyOperation
from crowsfoot.models.routing import ConnectionRouter, router
from crowsfoot.setup import create_tables
from crowsfoot.testing import isolated_registry


class StoryManager(models.Manager["Story"]):
    """``create()`` of its own: it takes a title in any case."""

    def create(self, shout: bool = False, **kwargs: Any) -> Any:
        if shout:
            kwargs["title"] = kwargs["title"].upper()
        return super().create(**kwargs)


with isolated_registry():

    class Writer(models.Model):
        name = models.CharField(max_length=50)
        born = models.IntegerField(default=0)

        class Meta:
            app_label = "split"

    class Story(models.Model):
        title = models.CharField(max_length=50)
        author: Any = models.ForeignKey(Writer, models.CASCADE, null=True, related_name="stories")
        readers: Any = models.ManyToManyField(Writer, related_name="reads")

        objects = StoryManager()

        class Meta:
            app_label = "split"


class Asked:
    """A router that notes what it is asked, and leaves the answer to others."""

    def __init__(self) -> None:
        self.reads: list[Any] = []
        self.writes: list[Any] = []

    def db_for_read(self, model: Any, **hints: Any) -> None:
        self.reads.append((model, hints.get("instance")))

    def db_for_write(self, model: Any, **hints: Any) -> None:
        self.writes.append((model, hints.get("instance")))


class Apart:
    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return False

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "other"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "other"


@pytest.fixture
def two(tmp_path: Path) -> Generator[None]:
    for alias in ("default", "other"):
        crowsfoot.connect(f"sqlite:///{tmp_path / alias}.db", alias)
        create_tables(Writer, Story, using=alias)
    yield
    databases.close_all()


def story_in(alias: str) -> Any:
    """A story by and for the one writer of a database; both have the same keys in each."""
    writer = Writer.objects.using(alias).create(name=alias)
    story = Story.objects.using(alias).create(title=alias, author=writer)
    story.readers.add(writer)
    return story


def test_related_rows_are_those_of_the_instances_database(two: None) -> None:
    for alias in ("default", "other"):
        story_in(alias)
    story: Any = Story.objects.using("other").get()
    assert list(story.readers.values_list("name", flat=True)) == ["other"]
    assert [writer.name for writer in story.readers.filter(name="other")] == ["other"]
    assert story.author.stories.get().title == "other"
    assert story.readers.update(born=1900) == 1
    assert list(Writer.objects.values_list("born", flat=True)) == [0]


def test_rows_of_two_databases_are_not_related(two: None) -> None:
    here, there = story_in("default"), story_in("other")
    with pytest.raises(ValueError, match="router prevents this relation"):
        here.author.stories.add(there)
    with pytest.raises(ValueError, match='value is on database "other"'):
        here.author.reads.add(there)
    with pytest.raises(ValueError, match="router prevents this relation"):
        here.author = there.author


def test_routers_are_asked_about_new_instances_too() -> None:
    with settings.override(DATABASE_ROUTERS=[Apart()]), pytest.raises(ValueError, match="router prevents"):
        Story(title="new").author = Writer(name="new")


def test_routers_are_asked_with_what_is_written(two: None) -> None:
    story = story_in("default")
    writer, asked = story.author, Asked()
    with settings.override(DATABASE_ROUTERS=[asked]):
        story.readers.add(writer)
        assert (Story.readers.through, story) in asked.writes
        asked.writes.clear()
        story.readers.create(name="new")
        assert asked.writes[0] == (Story, story)
        writer.stories.create(title="new")
        assert asked.writes[-1] == (Story, writer)
        story.refresh_from_db()
        assert asked.reads[-1] == (Story, story)


def test_what_was_not_loaded_is_saved_to_another_database(two: None) -> None:
    story = story_in("other")
    few = Writer.objects.using("other").only("born").get(pk=story.author_id)
    few.save(using="default")
    assert Writer.objects.get().name == "other"


def test_the_targets_manager_makes_related_rows(two: None) -> None:
    story = story_in("other")
    assert story.author.stories.create(title="new", shout=True).title == "NEW"
    read = story.author.reads.create(title="read", shout=True)
    assert (read.title, read._state.db, list(read.readers.all())) == ("READ", "other", [story.author])

    async def create() -> None:
        await story.author.stories.acreate(title="new")

    with pytest.raises(SynchronousOnlyOperation, match=r"give it an acreate\(\) too"):
        asyncio.run(create())


def test_the_router_of_the_settings_and_of_ones_own(two: None) -> None:
    assert router.routers == []
    assert router.db_for_read(Story) == "default"
    own = ConnectionRouter([Apart(), Asked()])
    assert [type(one).__name__ for one in own.routers] == ["Apart", "Asked"]
    assert own.db_for_write(Story) == "other"
    assert own.allow_migrate_model("other", Story)
    assert not own.allow_migrate_model("default", Story)
    assert own.allow_relation(Story(), Story()) is False
    with settings.override(DATABASE_ROUTERS=["crowsfoot.models.routing.ConnectionRouter"]):
        assert [type(one) for one in router.routers] == [ConnectionRouter]
