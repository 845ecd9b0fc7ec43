"""Tortoise ORM: one event loop per process, ``select_related`` and ``prefetch_related`` for the expert walks."""

from __future__ import annotations

import asyncio
import json
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from tortoise import Tortoise, fields
from tortoise.functions import Count
from tortoise.models import Model
from tortoise.query_utils import Prefetch
from tortoise.transactions import in_transaction

from benchmarks.adapters.base import Adapter


class Author(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)
    email = fields.CharField(max_length=100)
    born = fields.IntField()
    posts: fields.ReverseRelation[Post]

    class Meta:
        table = "bench_author"


class Tag(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=50)

    class Meta:
        table = "bench_tag"


class Post(Model):
    id = fields.BigIntField(primary_key=True)
    title = fields.CharField(max_length=200)
    body = fields.TextField()
    rank = fields.IntField()
    author: Any = fields.ForeignKeyField("models.Author", related_name="posts")
    tags: Any = fields.ManyToManyField(
        "models.Tag", related_name="posts", through="bench_post_tags", forward_key="tag_id", backward_key="post_id"
    )
    comments: fields.ReverseRelation[Comment]

    class Meta:
        table = "bench_post"


class Comment(Model):
    id = fields.BigIntField(primary_key=True)
    text = fields.CharField(max_length=200)
    post: Any = fields.ForeignKeyField("models.Post", related_name="comments")

    class Meta:
        table = "bench_comment"


class Entry(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)
    place = fields.CharField(max_length=100)
    level = fields.IntField()
    weight = fields.FloatField()

    class Meta:
        table = "bench_entry"


class Shelf(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)

    class Meta:
        table = "bench_shelf"


class Reading(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)
    place = fields.CharField(max_length=100)
    note = fields.TextField()
    level = fields.IntField()
    weight = fields.FloatField()
    height = fields.FloatField()
    count = fields.BigIntField()

    class Meta:
        table = "bench_reading"


class TortoiseORM(Adapter):
    modules: tuple[str, ...] = (__name__,)

    async def open(self, url: str) -> None:  # type: ignore[override]
        parts = urlsplit(url)
        if parts.scheme == "sqlite":
            place = f"sqlite://{url.removeprefix('sqlite:///')}?journal_mode=WAL&synchronous=NORMAL&foreign_keys=ON"
        else:
            place = parts._replace(scheme="asyncpg", query="minsize=1&maxsize=10").geturl()
        # Every call is a task of its own, which does not inherit the context of the one that connected.
        await Tortoise.init(db_url=place, modules={"models": list(self.modules)}, _enable_global_fallback=True)

    async def close(self) -> None:  # type: ignore[override]
        await Tortoise.close_connections()

    def versions(self) -> dict[str, str]:
        return {"tortoise": version("tortoise-orm")}

    # -- reading -------------------------------------------------------------------------------------------------------

    async def get(self) -> Any:
        return [(await Reading.get(id=key)).name for key in range(1, self.sizes.gets + 1)]

    async def get_author(self) -> Any:
        posts = self.sizes.posts
        found: list[str] = []
        for number in range(self.sizes.gets):
            post = await Post.get(id=1 + number % posts).select_related("author")
            found.append(post.author.name)
        return found

    async def flat(self) -> Any:
        return await Reading.all()

    async def flat_one(self) -> Any:
        return [reading.name for reading in await Reading.all()]

    async def flat_all(self) -> Any:
        readings = await Reading.all()
        return [(r.id, r.name, r.place, r.note, r.level, r.weight, r.height, r.count) for r in readings]

    async def naive_key(self) -> Any:
        return [(await post.author).name for post in await Post.all()]

    async def naive_reverse(self) -> Any:
        return [(author.name, [post.title for post in await author.posts]) for author in await Author.all()]

    async def naive_links(self) -> Any:
        return [(post.title, [tag.name for tag in await post.tags]) for post in await Post.all()]

    async def naive_tree(self) -> Any:
        return [
            (author.name, [(post.title, [c.text for c in await post.comments]) for post in await author.posts])
            for author in await Author.all()
        ]

    async def expert_key(self) -> Any:
        return [post.author.name for post in await Post.all().select_related("author")]

    async def expert_reverse(self) -> Any:
        authors = await Author.all().prefetch_related("posts")
        return [(author.name, [post.title for post in author.posts]) for author in authors]

    async def expert_links(self) -> Any:
        posts = await Post.all().prefetch_related("tags")
        return [(post.title, [tag.name for tag in post.tags]) for post in posts]

    async def expert_tree(self) -> Any:
        authors = await Author.all().prefetch_related("posts__comments")
        return [
            (author.name, [(post.title, [c.text for c in post.comments]) for post in author.posts])
            for author in authors
        ]

    async def json_tree(self) -> Any:
        tags = Prefetch("tags", queryset=Tag.all().order_by("id"))
        posts = Prefetch("posts", queryset=Post.all().order_by("id").prefetch_related(tags))
        return json.dumps(
            [
                {
                    "id": author.id,
                    "name": author.name,
                    "posts": [
                        {"title": post.title, "rank": post.rank, "tags": [tag.name for tag in post.tags]}
                        for post in author.posts
                    ],
                }
                for author in await Author.all().order_by("id").prefetch_related(posts)
            ]
        )

    async def filter_two(self) -> Any:
        found: list[list[str]] = []
        for number in range(self.sizes.filters):
            born, tag = 1900 + number % 90, f"tag {1 + number % self.sizes.tags}"
            posts = await Post.filter(author__born__gt=born, tags__name=tag).order_by("id").limit(5)
            found.append([post.title for post in posts])
        return found

    async def counts(self) -> Any:
        authors: list[Any] = await Author.annotate(number=Count("posts"))
        return [(author.name, author.number) for author in authors]

    # -- writing; there is no insert_bulk(), since bulk_create() does not learn the keys -------------------------------

    async def insert_one(self) -> Any:
        async with in_transaction():
            for number in range(self.sizes.entries):
                await Entry.create(name=f"n{number}", place="p", level=number % 7, weight=number * 0.5)

    async def link_one(self) -> Any:
        posts, tags = await Post.filter(rank=0), await Tag.in_bulk(range(1, self.sizes.tags + 1), "id")
        async with in_transaction():
            for number, post in enumerate(posts):
                await post.tags.add(tags[1 + number % self.sizes.tags])

    async def link_bulk(self) -> Any:
        posts, tags = await Post.filter(rank=0).order_by("id").limit(20), await Tag.all()
        async with in_transaction():
            for post in posts:
                await post.tags.add(*tags)

    async def update(self) -> Any:
        entries = await Entry.all()
        async with in_transaction():
            for entry in entries:
                entry.level += 1
                await entry.save(update_fields=["level"])

    async def delete_each(self) -> Any:
        shelves = await Shelf.all()
        async with in_transaction():
            for shelf in shelves:
                await shelf.delete()

    async def delete_all(self) -> Any:
        await Shelf.all().delete()

    # -- many at once --------------------------------------------------------------------------------------------------

    async def tasks(self) -> Any:
        names: list[str] = []

        async def work(start: int) -> None:
            for step in range(16):
                reading = await Reading.get(id=1 + (start * 16 + step) % self.sizes.readings)
                names.append(reading.name)

        await asyncio.gather(*map(work, range(self.sizes.tasks)))
        return names


ADAPTER = TortoiseORM
