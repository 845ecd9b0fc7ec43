"""Hand-written code over a bare driver, as somebody writes it who knows the relations and wants few queries.

It builds the same objects as a mapper: instances, linked to each other. Each table is asked once, with a list of keys;
joins instead of lists were measured too, and were slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.adapters.base import Adapter


class Author:
    __slots__ = ("born", "email", "id", "name", "posts")

    def __init__(self, id: int, name: str, email: str, born: int) -> None:
        self.id = id
        self.name = name
        self.email = email
        self.born = born


class Post:
    __slots__ = ("author", "author_id", "body", "id", "rank", "tags", "title")

    def __init__(self, id: int, title: str, body: str, rank: int, author_id: int) -> None:
        self.id = id
        self.title = title
        self.body = body
        self.rank = rank
        self.author_id = author_id


class Tag:
    __slots__ = ("id", "name")

    def __init__(self, id: int, name: str) -> None:
        self.id = id
        self.name = name


class Reading:
    __slots__ = ("count", "height", "id", "level", "name", "note", "place", "weight")

    def __init__(
        self, id: int, name: str, place: str, note: str, level: int, weight: float, height: float, count: int
    ) -> None:
        self.id = id
        self.name = name
        self.place = place
        self.note = note
        self.level = level
        self.weight = weight
        self.height = height
        self.count = count


AUTHOR = "SELECT id, name, email, born FROM bench_author"
POST = "SELECT id, title, body, rank, author_id FROM bench_post"
READING = "SELECT id, name, place, note, level, weight, height, count FROM bench_reading"
TAG = "SELECT id, name FROM bench_tag"
LINK = "SELECT post_id, tag_id FROM bench_post_tags"


class Driver(Adapter):
    """``cursor`` is the driver's; ``mark`` how it writes a parameter."""

    cursor: Any
    mark = "?"

    def among(self, keys: Sequence[int]) -> tuple[str, Sequence[Any]]:
        """The condition that a key is one of ``keys``, and its parameters."""
        return f" IN ({', '.join('?' * len(keys))})", keys

    def get(self) -> Any:
        execute, sql = self.cursor.execute, f"{READING} WHERE id = {self.mark}"
        return [Reading(*execute(sql, (key,)).fetchone()).name for key in range(1, self.sizes.gets + 1)]

    def flat(self) -> Any:
        return [Reading(*row) for row in self.cursor.execute(READING)]

    def naive_key(self) -> Any:
        posts = [Post(*row) for row in self.cursor.execute(POST)]
        condition, params = self.among(list({post.author_id for post in posts}))
        authors = {row[0]: Author(*row) for row in self.cursor.execute(f"{AUTHOR} WHERE id{condition}", params)}
        for post in posts:
            post.author = authors[post.author_id]
        return [post.author.name for post in posts]

    def naive_reverse(self) -> Any:
        authors = {row[0]: Author(*row) for row in self.cursor.execute(AUTHOR)}
        for author in authors.values():
            author.posts = []
        condition, params = self.among(list(authors))
        for row in self.cursor.execute(f"{POST} WHERE author_id{condition}", params):
            post = Post(*row)
            post.author = author = authors[post.author_id]
            author.posts.append(post)
        return [(author.name, [post.title for post in author.posts]) for author in authors.values()]

    def naive_links(self) -> Any:
        posts = {row[0]: Post(*row) for row in self.cursor.execute(POST)}
        for post in posts.values():
            post.tags = []
        condition, params = self.among(list(posts))
        links = self.cursor.execute(f"{LINK} WHERE post_id{condition}", params).fetchall()
        condition, params = self.among(list({tag for _, tag in links}))
        tags = {row[0]: Tag(*row) for row in self.cursor.execute(f"{TAG} WHERE id{condition}", params)}
        for post_id, tag_id in links:
            posts[post_id].tags.append(tags[tag_id])
        return [(post.title, [tag.name for tag in post.tags]) for post in posts.values()]
