"""peewee: naive walks as they are written first, expert walks with ``join`` and ``prefetch``."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import peewee
from peewee import JOIN, fn

from benchmarks.adapters.base import Adapter

database: Any = peewee.DatabaseProxy()


class Base(peewee.Model):
    class Meta:
        database = database
        legacy_table_names = False


class Author(Base):
    name = peewee.CharField()
    email = peewee.CharField()
    born = peewee.IntegerField()

    class Meta:
        table_name = "bench_author"


class Tag(Base):
    name = peewee.CharField()

    class Meta:
        table_name = "bench_tag"


links: Any = peewee.DeferredThroughModel()


class Post(Base):
    title = peewee.CharField()
    body = peewee.TextField()
    rank = peewee.IntegerField()
    author = peewee.ForeignKeyField(Author, backref="posts")
    tags = peewee.ManyToManyField(Tag, backref="posts", through_model=links)

    class Meta:
        table_name = "bench_post"


class Link(Base):
    post = peewee.ForeignKeyField(Post, backref="links")
    tag = peewee.ForeignKeyField(Tag, backref="links")

    class Meta:
        table_name = "bench_post_tags"


links.set_model(Link)


class Comment(Base):
    text = peewee.CharField()
    post = peewee.ForeignKeyField(Post, backref="comments")

    class Meta:
        table_name = "bench_comment"


class Entry(Base):
    name = peewee.CharField()
    place = peewee.CharField()
    level = peewee.IntegerField()
    weight = peewee.DoubleField()

    class Meta:
        table_name = "bench_entry"


class Shelf(Base):
    name = peewee.CharField()

    class Meta:
        table_name = "bench_shelf"


class Reading(Base):
    name = peewee.CharField()
    place = peewee.CharField()
    note = peewee.TextField()
    level = peewee.IntegerField()
    weight = peewee.DoubleField()
    height = peewee.DoubleField()
    count = peewee.BigIntegerField()

    class Meta:
        table_name = "bench_reading"


class Peewee(Adapter):
    # A statement of SQLite has at most 32,766 parameters.
    most = 5_000

    def open(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "sqlite":
            pragmas = {"foreign_keys": 1, "synchronous": "normal"}
            self.database: Any = peewee.SqliteDatabase(
                url.removeprefix("sqlite:///"), pragmas=pragmas, returning_clause=True
            )
        else:
            self.database = peewee.PostgresqlDatabase(
                parts.path.lstrip("/"), host=parts.hostname, port=parts.port, user=parts.username, prefer_psycopg3=True
            )
        database.initialize(self.database)
        self.database.connect()

    def close(self) -> None:
        self.database.close()

    def versions(self) -> dict[str, str]:
        return {"peewee": peewee.__version__}

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self) -> Any:
        return [Reading.get_by_id(key).name for key in range(1, self.sizes.gets + 1)]

    def get_author(self) -> Any:
        posts = Post.select(Post, Author).join(Author)
        return [posts.where(Post.id == 1 + n % self.sizes.posts).get().author.name for n in range(self.sizes.gets)]

    def flat(self) -> Any:
        return list(Reading.select())

    def flat_one(self) -> Any:
        return [reading.name for reading in Reading.select()]

    def flat_all(self) -> Any:
        return [(r.id, r.name, r.place, r.note, r.level, r.weight, r.height, r.count) for r in Reading.select()]

    def naive_key(self) -> Any:
        return [post.author.name for post in Post.select()]

    def naive_reverse(self) -> Any:
        return [(author.name, [post.title for post in author.posts]) for author in Author.select()]

    def naive_links(self) -> Any:
        return [(post.title, [tag.name for tag in post.tags]) for post in Post.select()]

    def naive_tree(self) -> Any:
        return [
            (author.name, [(post.title, [c.text for c in post.comments]) for post in author.posts])
            for author in Author.select()
        ]

    def expert_key(self) -> Any:
        return [post.author.name for post in Post.select(Post, Author).join(Author)]

    def expert_reverse(self) -> Any:
        authors = peewee.prefetch(Author.select(), Post.select())
        return [(author.name, [post.title for post in author.posts]) for author in authors]

    def expert_links(self) -> Any:
        posts = peewee.prefetch(Post.select(), Link.select(Link, Tag).join(Tag))
        return [(post.title, [link.tag.name for link in post.links]) for post in posts]

    def expert_tree(self) -> Any:
        authors = peewee.prefetch(Author.select(), Post.select(), Comment.select())
        return [
            (author.name, [(post.title, [c.text for c in post.comments]) for post in author.posts])
            for author in authors
        ]

    def json_tree(self) -> Any:
        authors = peewee.prefetch(
            Author.select().order_by(Author.id),
            Post.select().order_by(Post.id),
            Link.select(Link, Tag).join(Tag).order_by(Tag.id),
        )
        return json.dumps(
            [
                {
                    "id": author.id,
                    "name": author.name,
                    "posts": [
                        {"title": post.title, "rank": post.rank, "tags": [link.tag.name for link in post.links]}
                        for post in author.posts
                    ],
                }
                for author in authors
            ]
        )

    def filter_two(self) -> Any:
        found: list[list[str]] = []
        base = Post.select().join(Author).switch(Post).join(Link).join(Tag).order_by(Post.id).limit(5)
        for number in range(self.sizes.filters):
            born, tag = 1900 + number % 90, f"tag {1 + number % self.sizes.tags}"
            found.append([post.title for post in base.where(Author.born > born, Tag.name == tag)])
        return found

    def counts(self) -> Any:
        query = Author.select(Author, fn.COUNT(Post.id).alias("number")).join(Post, JOIN.LEFT_OUTER).group_by(Author)
        return [(author.name, author.number) for author in query]

    # -- writing -------------------------------------------------------------------------------------------------------

    def insert_one(self) -> Any:
        with self.database.atomic():
            for number in range(self.sizes.entries):
                Entry.create(name=f"n{number}", place="p", level=number % 7, weight=number * 0.5)

    def insert_bulk(self) -> Any:
        entries = [Entry(name=f"n{n}", place="p", level=n % 7, weight=n * 0.5) for n in range(self.sizes.bulk)]
        with self.database.atomic():
            Entry.bulk_create(entries, batch_size=self.most)
        first = min(entry.id for entry in entries)
        return [entry.id - first for entry in entries]

    def link_one(self) -> Any:
        posts = list(Post.select().where(Post.rank == 0))
        with self.database.atomic():
            for number, post in enumerate(posts):
                post.tags.add(1 + number % self.sizes.tags)

    def link_bulk(self) -> Any:
        posts = list(Post.select().where(Post.rank == 0).order_by(Post.id).limit(20))
        tags = list(Tag.select())
        with self.database.atomic():
            for post in posts:
                post.tags.add(tags)

    def update(self) -> Any:
        entries = list(Entry.select())
        with self.database.atomic():
            for entry in entries:
                entry.level += 1
                entry.save(only=[Entry.level])

    def delete_each(self) -> Any:
        shelves = list(Shelf.select())
        with self.database.atomic():
            for shelf in shelves:
                shelf.delete_instance()

    def delete_all(self) -> Any:
        Shelf.delete().execute()


ADAPTER = Peewee
