"""Hand-written code over a bare driver, as somebody writes it who knows the relations and wants few queries.

It builds the same objects as a mapper: instances, linked to each other. Each table is asked once, with a list of keys;
joins instead of lists were measured too, and were slower.
"""

from __future__ import annotations

import json
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
    __slots__ = ("author", "author_id", "body", "comments", "id", "rank", "tags", "title")

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


class Comment:
    __slots__ = ("id", "post_id", "text")

    def __init__(self, id: int, text: str, post_id: int) -> None:
        self.id = id
        self.text = text
        self.post_id = post_id


class Entry:
    __slots__ = ("id", "level", "name", "place", "weight")

    def __init__(self, id: int | None, name: str, place: str, level: int, weight: float) -> None:
        self.id = id
        self.name = name
        self.place = place
        self.level = level
        self.weight = weight


AUTHOR = "SELECT id, name, email, born FROM bench_author"
POST = "SELECT id, title, body, rank, author_id FROM bench_post"
READING = "SELECT id, name, place, note, level, weight, height, count FROM bench_reading"
COMMENT = "SELECT id, text, post_id FROM bench_comment"
ENTRY = "SELECT id, name, place, level, weight FROM bench_entry"
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

    def get_author(self) -> Any:
        execute = self.cursor.execute
        sql = (
            "SELECT p.id, p.title, p.body, p.rank, p.author_id, a.id, a.name, a.email, a.born "
            f"FROM bench_post p JOIN bench_author a ON a.id = p.author_id WHERE p.id = {self.mark}"
        )
        found: list[str] = []
        for number in range(self.sizes.gets):
            row = execute(sql, (1 + number % self.sizes.posts,)).fetchone()
            post = Post(*row[:5])
            post.author = Author(*row[5:])
            found.append(post.author.name)
        return found

    def flat(self) -> Any:
        return [Reading(*row) for row in self.cursor.execute(READING)]

    def flat_one(self) -> Any:
        return [reading.name for reading in self.flat()]

    def flat_all(self) -> Any:
        return [(r.id, r.name, r.place, r.note, r.level, r.weight, r.height, r.count) for r in self.flat()]

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

    # An expert writes the same for a walk that a mapper's user writes naively.
    expert_key = naive_key
    expert_reverse = naive_reverse
    expert_links = naive_links

    def naive_tree(self) -> Any:
        authors = {row[0]: Author(*row) for row in self.cursor.execute(AUTHOR)}
        for author in authors.values():
            author.posts = []
        condition, params = self.among(list(authors))
        posts: dict[int, Post] = {}
        for row in self.cursor.execute(f"{POST} WHERE author_id{condition}", params):
            post = posts[row[0]] = Post(*row)
            post.comments = []
            post.author = author = authors[post.author_id]
            author.posts.append(post)
        condition, params = self.among(list(posts))
        for row in self.cursor.execute(f"{COMMENT} WHERE post_id{condition}", params):
            comment = Comment(*row)
            posts[comment.post_id].comments.append(comment)
        return [
            (author.name, [(post.title, [comment.text for comment in post.comments]) for post in author.posts])
            for author in authors.values()
        ]

    expert_tree = naive_tree

    def json_tree(self) -> Any:
        rows = self.cursor.execute("SELECT id, name FROM bench_author ORDER BY id").fetchall()
        authors = {key: {"id": key, "name": name, "posts": []} for key, name in rows}
        posts: dict[int, dict[str, Any]] = {}
        for key, title, rank, author in self.cursor.execute(
            "SELECT id, title, rank, author_id FROM bench_post ORDER BY id"
        ):
            post = posts[key] = {"title": title, "rank": rank, "tags": []}
            authors[author]["posts"].append(post)
        for post_id, tag in self.cursor.execute(
            "SELECT l.post_id, t.name FROM bench_post_tags l JOIN bench_tag t ON t.id = l.tag_id ORDER BY t.id"
        ):
            posts[post_id]["tags"].append(tag)
        return json.dumps(list(authors.values()))

    def filter_two(self) -> Any:
        sql = (
            "SELECT p.id, p.title, p.body, p.rank, p.author_id FROM bench_post p "
            "JOIN bench_author a ON a.id = p.author_id JOIN bench_post_tags l ON l.post_id = p.id "
            f"JOIN bench_tag t ON t.id = l.tag_id WHERE a.born > {self.mark} AND t.name = {self.mark} "
            "ORDER BY p.id LIMIT 5"
        )
        found: list[list[str]] = []
        for number in range(self.sizes.filters):
            born, tag = 1900 + number % 90, f"tag {1 + number % self.sizes.tags}"
            found.append([post.title for post in [Post(*row) for row in self.cursor.execute(sql, (born, tag))]])
        return found

    def counts(self) -> Any:
        sql = (
            "SELECT a.id, a.name, a.email, a.born, count(p.id) FROM bench_author a "
            "LEFT JOIN bench_post p ON p.author_id = a.id GROUP BY a.id, a.name, a.email, a.born"
        )
        return [(Author(*row[:4]).name, row[4]) for row in self.cursor.execute(sql)]

    # -- writing -------------------------------------------------------------------------------------------------------

    def insert_one(self) -> Any:
        execute, marks = self.cursor.execute, ", ".join([self.mark] * 4)
        sql = f"INSERT INTO bench_entry (name, place, level, weight) VALUES ({marks}) RETURNING id"
        execute("BEGIN")
        for number in range(self.sizes.entries):
            entry = Entry(None, f"n{number}", "p", number % 7, number * 0.5)
            ((entry.id,),) = execute(sql, (entry.name, entry.place, entry.level, entry.weight)).fetchall()
        execute("COMMIT")

    def insert_bulk(self) -> Any:
        entries = [Entry(None, f"n{n}", "p", n % 7, n * 0.5) for n in range(self.sizes.bulk)]
        self.insert_all(entries)
        first = min(entry.id for entry in entries if entry.id is not None)
        return [entry.id - first for entry in entries if entry.id is not None]

    def insert_all(self, entries: list[Entry]) -> None:
        """Write these in one go, and let them know their keys."""
        raise NotImplementedError

    def link_one(self) -> Any:
        execute = self.cursor.execute
        sql = f"INSERT INTO bench_post_tags (post_id, tag_id) VALUES ({self.mark}, {self.mark}) ON CONFLICT DO NOTHING"
        posts = [Post(*row) for row in execute(f"{POST} WHERE rank = 0").fetchall()]
        execute("BEGIN")
        for number, post in enumerate(posts):
            execute(sql, (post.id, 1 + number % self.sizes.tags))
        execute("COMMIT")

    def link_bulk(self) -> Any:
        execute = self.cursor.execute
        posts = [Post(*row) for row in execute(f"{POST} WHERE rank = 0 ORDER BY id LIMIT 20").fetchall()]
        tags = [Tag(*row) for row in execute(TAG).fetchall()]
        pairs = ", ".join([f"({self.mark}, {self.mark})"] * len(tags))
        sql = f"INSERT INTO bench_post_tags (post_id, tag_id) VALUES {pairs} ON CONFLICT DO NOTHING"
        execute("BEGIN")
        for post in posts:
            execute(sql, [key for tag in tags for key in (post.id, tag.id)])
        execute("COMMIT")

    def update(self) -> Any:
        execute = self.cursor.execute
        entries = [Entry(*row) for row in execute(ENTRY).fetchall()]
        sql = f"UPDATE bench_entry SET level = {self.mark} WHERE id = {self.mark}"
        execute("BEGIN")
        for entry in entries:
            entry.level += 1
            execute(sql, (entry.level, entry.id))
        execute("COMMIT")

    def delete_each(self) -> Any:
        execute = self.cursor.execute
        keys = [row[0] for row in execute("SELECT id FROM bench_shelf").fetchall()]
        execute("BEGIN")
        for key in keys:
            execute(f"DELETE FROM bench_shelf WHERE id = {self.mark}", (key,))
        execute("COMMIT")

    def delete_all(self) -> Any:
        self.cursor.execute("DELETE FROM bench_shelf")
