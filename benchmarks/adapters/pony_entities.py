"""Pony: generator queries, its own batches for the naive walks, ``prefetch`` for the expert ones."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

import pony
from pony.orm import Database, PrimaryKey, Required, Set, count, db_session, flush, select

from benchmarks.adapters.base import Adapter

db: Any = Database()


class Author(db.Entity):
    _table_ = "bench_author"
    id = PrimaryKey(int, auto=True, size=64)
    name = Required(str)
    email = Required(str)
    born = Required(int)
    posts = Set("Post")


class Tag(db.Entity):
    _table_ = "bench_tag"
    id = PrimaryKey(int, auto=True, size=64)
    name = Required(str)
    posts = Set("Post", column="post_id")


class Post(db.Entity):
    _table_ = "bench_post"
    id = PrimaryKey(int, auto=True, size=64)
    title = Required(str)
    body = Required(str, sql_type="text")
    rank = Required(int)
    author = Required(Author, column="author_id")
    tags = Set(Tag, table="bench_post_tags", column="tag_id")
    comments = Set("Comment")


class Comment(db.Entity):
    _table_ = "bench_comment"
    id = PrimaryKey(int, auto=True, size=64)
    text = Required(str)
    post = Required(Post, column="post_id")


class Entry(db.Entity):
    _table_ = "bench_entry"
    id = PrimaryKey(int, auto=True, size=64)
    name = Required(str)
    place = Required(str)
    level = Required(int)
    weight = Required(float)


class Shelf(db.Entity):
    _table_ = "bench_shelf"
    id = PrimaryKey(int, auto=True, size=64)
    name = Required(str)
    books = Set("Book")


class Book(db.Entity):
    _table_ = "bench_book"
    id = PrimaryKey(int, auto=True, size=64)
    title = Required(str)
    shelf = Required(Shelf, column="shelf_id")
    pages = Set("Page")


class Page(db.Entity):
    _table_ = "bench_page"
    id = PrimaryKey(int, auto=True, size=64)
    number = Required(int)
    book = Required(Book, column="book_id")


class Reading(db.Entity):
    _table_ = "bench_reading"
    id = PrimaryKey(int, auto=True, size=64)
    name = Required(str)
    place = Required(str)
    note = Required(str, sql_type="text")
    level = Required(int)
    weight = Required(float)
    height = Required(float)
    count = Required(int, size=64)


@db.on_connect(provider="sqlite")
def prepare(database: Any, connection: Any) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")


class Pony(Adapter):
    def open(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "sqlite":
            db.bind(provider="sqlite", filename=url.removeprefix("sqlite:///"))
            # SQLite's own limit: with Pony's, 999, prefetch() of a many-to-many fails at the third batch (0.7.20).
            db.provider.max_params_count = 32_766
        else:
            names = {"user": parts.username, "password": parts.password or "", "host": parts.hostname}
            db.bind(provider="postgres", database=parts.path.lstrip("/"), port=parts.port or 5432, **names)
        db.generate_mapping(create_tables=False)

    def close(self) -> None:
        db.disconnect()

    def versions(self) -> dict[str, str]:
        return {"pony": pony.__version__}

    # -- reading -------------------------------------------------------------------------------------------------------

    @db_session
    def get(self) -> Any:
        return [Reading[key].name for key in range(1, self.sizes.gets + 1)]

    def get_author(self) -> Any:
        found: list[str] = []
        for number in range(self.sizes.gets):
            with db_session:
                found.append(Post[1 + number % self.sizes.posts].author.name)
        return found

    @db_session
    def flat(self) -> Any:
        return list(Reading.select())

    @db_session
    def flat_one(self) -> Any:
        return [reading.name for reading in Reading.select()]

    @db_session
    def flat_all(self) -> Any:
        readings = Reading.select()
        return [(r.id, r.name, r.place, r.note, r.level, r.weight, r.height, r.count) for r in readings]

    def naive_key(self) -> Any:
        return self._key()

    def naive_reverse(self) -> Any:
        return self._reverse()

    def naive_links(self) -> Any:
        return self._links()

    def naive_tree(self) -> Any:
        return self._tree()

    def expert_key(self) -> Any:
        return self._key(Author)

    def expert_reverse(self) -> Any:
        return self._reverse(Author.posts)

    def expert_links(self) -> Any:
        return self._links(Post.tags, Tag)

    def expert_tree(self) -> Any:
        return self._tree(Author.posts, Post.comments)

    @db_session
    def _key(self, *loaded: Any) -> Any:
        return [post.author.name for post in Post.select().prefetch(*loaded)]

    @db_session
    def _reverse(self, *loaded: Any) -> Any:
        authors = Author.select().prefetch(*loaded)
        return [(author.name, [post.title for post in author.posts]) for author in authors]

    @db_session
    def _links(self, *loaded: Any) -> Any:
        return [(post.title, [tag.name for tag in post.tags]) for post in Post.select().prefetch(*loaded)]

    @db_session
    def _tree(self, *loaded: Any) -> Any:
        return [
            (author.name, [(post.title, [c.text for c in post.comments]) for post in author.posts])
            for author in Author.select().prefetch(*loaded)
        ]

    @db_session
    def json_tree(self) -> Any:
        authors = Author.select().order_by(Author.id).prefetch(Author.posts, Post.tags, Tag)
        return json.dumps(
            [
                {
                    "id": author.id,
                    "name": author.name,
                    "posts": [
                        {
                            "title": post.title,
                            "rank": post.rank,
                            "tags": [tag.name for tag in sorted(post.tags, key=by_key)],
                        }
                        for post in sorted(author.posts, key=by_key)
                    ],
                }
                for author in authors
            ]
        )

    def filter_two(self) -> Any:
        found: list[list[str]] = []
        for number in range(self.sizes.filters):
            born, tag = 1900 + number % 90, f"tag {1 + number % self.sizes.tags}"
            with db_session:
                posts = select(p for p in Post for t in p.tags if p.author.born > born and t.name == tag)
                found.append([post.title for post in posts.order_by(Post.id)[:5]])
        return found

    @db_session
    def counts(self) -> Any:
        return [(author.name, number) for author, number in select((a, count(a.posts)) for a in Author)]

    # -- writing: what has changed is written at the end of a session, or when it is flushed ---------------------------

    @db_session
    def insert_one(self) -> Any:
        for number in range(self.sizes.entries):
            Entry(name=f"n{number}", place="p", level=number % 7, weight=number * 0.5)
            flush()

    @db_session
    def insert_bulk(self) -> Any:
        entries = [Entry(name=f"n{n}", place="p", level=n % 7, weight=n * 0.5) for n in range(self.sizes.bulk)]
        flush()
        first = min(entry.id for entry in entries)
        return [entry.id - first for entry in entries]

    @db_session
    def link_one(self) -> Any:
        tags = {tag.id: tag for tag in Tag.select()}
        for number, post in enumerate(list(Post.select(lambda p: p.rank == 0))):
            post.tags.add(tags[1 + number % self.sizes.tags])
            flush()

    @db_session
    def link_bulk(self) -> Any:
        tags = list(Tag.select())
        for post in list(Post.select(lambda p: p.rank == 0).order_by(Post.id)[:20]):
            post.tags.add(tags)
            flush()

    @db_session
    def update(self) -> Any:
        for entry in list(Entry.select()):
            entry.level += 1

    @db_session
    def delete_each(self) -> Any:
        for shelf in list(Shelf.select()):
            shelf.delete()

    @db_session
    def delete_all(self) -> Any:
        Shelf.select().delete(bulk=True)


by_key = attrgetter("id")

ADAPTER = Pony
