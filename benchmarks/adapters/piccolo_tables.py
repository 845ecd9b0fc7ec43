"""Piccolo: one event loop per process, joins by ``objects(Post.author)``, ``select`` where users take dictionaries."""

from __future__ import annotations

import asyncio
import json
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from piccolo.columns import (
    M2M,
    BigInt,
    DoublePrecision,
    ForeignKey,
    Integer,
    LazyTableReference,
    Serial,
    Text,
    Varchar,
)
from piccolo.engine.postgres import PostgresEngine
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.query.functions import Count
from piccolo.table import Table

from benchmarks.adapters.base import Adapter


class Author(Table, tablename="bench_author"):
    id: Serial
    name = Varchar(length=100)
    email = Varchar(length=100)
    born = Integer()


class Tag(Table, tablename="bench_tag"):
    id: Serial
    name = Varchar(length=50)


class Post(Table, tablename="bench_post"):
    id: Serial
    title = Varchar(length=200)
    body = Text()
    rank = Integer()
    author = ForeignKey(Author, db_column_name="author_id")
    tags = M2M(LazyTableReference("Link", module_path=__name__))


class Link(Table, tablename="bench_post_tags"):
    id: Serial
    post = ForeignKey(Post, db_column_name="post_id")
    tag = ForeignKey(Tag, db_column_name="tag_id")


class Comment(Table, tablename="bench_comment"):
    id: Serial
    text = Varchar(length=200)
    post = ForeignKey(Post, db_column_name="post_id")


class Entry(Table, tablename="bench_entry"):
    id: Serial
    name = Varchar(length=100)
    place = Varchar(length=100)
    level = Integer()
    weight = DoublePrecision()


class Shelf(Table, tablename="bench_shelf"):
    id: Serial
    name = Varchar(length=100)


class Reading(Table, tablename="bench_reading"):
    id: Serial
    name = Varchar(length=100)
    place = Varchar(length=100)
    note = Text()
    level = Integer()
    weight = DoublePrecision()
    height = DoublePrecision()
    count = BigInt()


class Piccolo(Adapter):
    tables: tuple[type[Table], ...] = (Author, Tag, Post, Link, Comment, Entry, Shelf, Reading)
    # A statement of SQLite has at most 32,766 parameters.
    most = 5_000

    async def open(self, url: str) -> None:  # type: ignore[override]
        parts = urlsplit(url)
        if parts.scheme == "sqlite":
            self.engine: Any = SQLiteEngine(path=url.removeprefix("sqlite:///"), log_queries=False)
        else:
            names = {"user": parts.username, "password": parts.password, "host": parts.hostname, "port": parts.port}
            self.engine = PostgresEngine({"database": parts.path.lstrip("/"), **names}, extensions=())
            await self.engine.start_connection_pool(min_size=1, max_size=10)
        for table in self.tables:
            table._meta.db = self.engine

    async def close(self) -> None:  # type: ignore[override]
        if isinstance(self.engine, PostgresEngine):
            await self.engine.close_connection_pool()

    def versions(self) -> dict[str, str]:
        return {"piccolo": version("piccolo")}

    # -- reading -------------------------------------------------------------------------------------------------------

    async def get(self) -> Any:
        return [(await Reading.objects().get(Reading.id == key)).name for key in range(1, self.sizes.gets + 1)]

    async def get_author(self) -> Any:
        found: list[str] = []
        for number in range(self.sizes.gets):
            post = await Post.objects(Post.author).get(Post.id == 1 + number % self.sizes.posts)
            found.append(post.author.name)
        return found

    async def flat(self) -> Any:
        return await Reading.objects()

    async def flat_one(self) -> Any:
        return [reading.name for reading in await Reading.objects()]

    async def flat_all(self) -> Any:
        readings = await Reading.objects()
        return [(r.id, r.name, r.place, r.note, r.level, r.weight, r.height, r.count) for r in readings]

    async def naive_key(self) -> Any:
        return [(await post.get_related(Post.author)).name for post in await Post.objects()]

    async def naive_reverse(self) -> Any:
        return [
            (author.name, [post.title for post in await Post.objects().where(Post.author == author.id)])
            for author in await Author.objects()
        ]

    async def naive_links(self) -> Any:
        return [(post.title, [tag.name for tag in await post.get_m2m(Post.tags)]) for post in await Post.objects()]

    async def naive_tree(self) -> Any:
        found: list[Any] = []
        for author in await Author.objects():
            posts = await Post.objects().where(Post.author == author.id)
            below = [(post.title, await Comment.objects().where(Comment.post == post.id)) for post in posts]
            found.append((author.name, [(title, [c.text for c in comments]) for title, comments in below]))
        return found

    async def expert_key(self) -> Any:
        return [post.author.name for post in await Post.objects(Post.author)]

    async def expert_reverse(self) -> Any:
        authors = await Author.objects()
        posts = grouped(await Post.objects().where(Post.author.is_in([author.id for author in authors])), "author")
        return [(author.name, [post.title for post in posts.get(author.id, ())]) for author in authors]

    async def expert_links(self) -> Any:
        posts = await Post.select(*Post.all_columns(exclude=[Post.tags]), Post.tags(Tag.name, as_list=True))
        return [(post["title"], post["tags"]) for post in posts]

    async def expert_tree(self) -> Any:
        authors, children = await Author.objects(), await Post.objects()
        comments = grouped(await Comment.objects(), "post")
        posts = grouped(children, "author")
        return [
            (author.name, [(post.title, [c.text for c in comments.get(post.id, ())]) for post in posts[author.id]])
            for author in authors
        ]

    async def json_tree(self) -> Any:
        posts: dict[int, list[Any]] = {}
        query = Post.select(Post.author, Post.title, Post.rank, Post.tags(Tag.id, Tag.name)).order_by(Post.id)
        for post in await query:
            posts.setdefault(post["author_id"], []).append(post)
        return json.dumps(
            [
                {
                    "id": author["id"],
                    "name": author["name"],
                    "posts": [
                        {
                            "title": post["title"],
                            "rank": post["rank"],
                            "tags": [tag["name"] for tag in sorted(post["tags"], key=lambda tag: tag["id"])],
                        }
                        for post in posts.get(author["id"], ())
                    ],
                }
                for author in await Author.select(Author.id, Author.name).order_by(Author.id)
            ]
        )

    async def filter_two(self) -> Any:
        found: list[list[str]] = []
        for number in range(self.sizes.filters):
            born, tag = 1900 + number % 90, f"tag {1 + number % self.sizes.tags}"
            # Conditions do not cross a many-to-many: the link table is asked, and brings the post with it.
            query = Link.objects(Link.post).where(Link.post.author.born > born, Link.tag.name == tag)
            found.append([link.post.title for link in await query.order_by(Link.post.id).limit(5)])
        return found

    async def counts(self) -> Any:
        # There is no way from an author to the posts: they are grouped by their author. All authors have some.
        query = Post.select(Post.author.name.as_alias("name"), Count(Post.id, alias="number"))
        query = query.group_by(Post.author.id, Post.author.name)
        return [(row["name"], row["number"]) for row in await query]

    # -- writing -------------------------------------------------------------------------------------------------------

    async def insert_one(self) -> Any:
        async with self.engine.transaction():
            for number in range(self.sizes.entries):
                await Entry.objects().create(name=f"n{number}", place="p", level=number % 7, weight=number * 0.5)

    async def insert_bulk(self) -> Any:
        entries = [Entry(name=f"n{n}", place="p", level=n % 7, weight=n * 0.5) for n in range(self.sizes.bulk)]
        async with self.engine.transaction():
            for start in range(0, len(entries), self.most):
                await Entry.insert(*entries[start : start + self.most])
        first = min(entry.id for entry in entries)
        return [entry.id - first for entry in entries]

    async def link_one(self) -> Any:
        posts = await Post.objects().where(Post.rank == 0)
        tags = {tag.id: tag for tag in await Tag.objects()}
        async with self.engine.transaction():
            for number, post in enumerate(posts):
                await post.add_m2m(tags[1 + number % self.sizes.tags], m2m=Post.tags)

    async def link_bulk(self) -> Any:
        posts = await Post.objects().where(Post.rank == 0).order_by(Post.id).limit(20)
        tags = await Tag.objects()
        async with self.engine.transaction():
            for post in posts:
                await post.add_m2m(*tags, m2m=Post.tags)

    async def update(self) -> Any:
        entries = await Entry.objects()
        async with self.engine.transaction():
            for entry in entries:
                entry.level += 1
                await entry.save(columns=[Entry.level])

    async def delete_each(self) -> Any:
        shelves = await Shelf.objects()
        async with self.engine.transaction():
            for shelf in shelves:
                await shelf.remove()

    async def delete_all(self) -> Any:
        await Shelf.delete(force=True)

    # -- many at once --------------------------------------------------------------------------------------------------

    async def tasks(self) -> Any:
        names: list[str] = []

        async def work(start: int) -> None:
            for step in range(16):
                reading = await Reading.objects().get(Reading.id == 1 + (start * 16 + step) % self.sizes.readings)
                names.append(reading.name)

        await asyncio.gather(*map(work, range(self.sizes.tasks)))
        return names


def grouped(rows: list[Any], owner: str) -> dict[Any, list[Any]]:
    """``rows`` by the key that the attribute ``owner`` holds."""
    found: dict[Any, list[Any]] = {}
    for row in rows:
        found.setdefault(getattr(row, owner), []).append(row)
    return found


ADAPTER = Piccolo
