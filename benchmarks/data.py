"""The tables and rows that every adapter works on: made once by plain SQL, then copied for each adapter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any


@dataclass(frozen=True)
class Sizes:
    """How much there is of everything."""

    authors: int = 500
    posts: int = 2_000
    tags: int = 100
    comments: int = 4_000
    readings: int = 20_000
    gets: int = 500
    filters: int = 100
    entries: int = 500
    bulk: int = 10_000
    shelves: int = 100
    tasks: int = 64
    # orm-benchmarks: so many rows are written, and three times as many are there to be read.
    journal: int = 500
    singly: int = 100
    # IMDBench, a twenty-fifth of its films; so many are asked for, and so many written.
    movies: int = 1_000
    asked: int = 100
    made: int = 50

    def smaller(self, divisor: int) -> Sizes:
        return Sizes(**{name: max(20, number // divisor) for name, number in vars(self).items()})

    @property
    def journals(self) -> int:
        return 3 * self.journal

    @property
    def people(self) -> int:
        return 4 * self.movies

    @property
    def reviews(self) -> int:
        return 20 * self.movies


# Names are those that Django's rules give models of an app called "bench". ``{key}`` is a key that counts by itself,
# ``{moment}`` the type of a moment.
MOVIE = "movie_id bigint NOT NULL REFERENCES bench_movie (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE"
PERSON = "person_id bigint NOT NULL REFERENCES bench_person (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE"
TABLES = {
    "bench_author": "id {key}, name varchar(100) NOT NULL, email varchar(100) NOT NULL, born integer NOT NULL",
    "bench_post": (
        "id {key}, title varchar(200) NOT NULL, body text NOT NULL, rank integer NOT NULL, "
        "author_id bigint NOT NULL REFERENCES bench_author (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE"
    ),
    "bench_tag": "id {key}, name varchar(50) NOT NULL",
    "bench_post_tags": (
        "id {key}, "
        "post_id bigint NOT NULL REFERENCES bench_post (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE, "
        "tag_id bigint NOT NULL REFERENCES bench_tag (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE, "
        "UNIQUE (post_id, tag_id)"
    ),
    "bench_comment": (
        "id {key}, text varchar(200) NOT NULL, "
        "post_id bigint NOT NULL REFERENCES bench_post (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE"
    ),
    # What is written to: it is filled before each run.
    "bench_entry": (
        "id {key}, name varchar(100) NOT NULL, place varchar(100) NOT NULL, level integer NOT NULL, "
        "weight double precision NOT NULL"
    ),
    "bench_shelf": "id {key}, name varchar(100) NOT NULL",
    "bench_book": (
        "id {key}, title varchar(100) NOT NULL, "
        "shelf_id bigint NOT NULL REFERENCES bench_shelf (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE"
    ),
    "bench_page": (
        "id {key}, number integer NOT NULL, "
        "book_id bigint NOT NULL REFERENCES bench_book (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE"
    ),
    "bench_reading": (
        "id {key}, name varchar(100) NOT NULL, place varchar(100) NOT NULL, note text NOT NULL, "
        "level integer NOT NULL, weight double precision NOT NULL, "
        "height double precision NOT NULL, count bigint NOT NULL"
    ),
    "bench_journal": "id {key}, timestamp {moment} NOT NULL, level smallint NOT NULL, text varchar(255) NOT NULL",
    "bench_person": (
        "id {key}, first_name varchar(200) NOT NULL, middle_name varchar(200) NOT NULL, "
        "last_name varchar(200) NOT NULL, image varchar(200) NOT NULL, bio text NOT NULL"
    ),
    "bench_user": "id {key}, name varchar(200) NOT NULL, image varchar(200) NOT NULL",
    "bench_movie": (
        "id {key}, title varchar(200) NOT NULL, image varchar(200) NOT NULL, year integer NOT NULL, "
        "description text NOT NULL"
    ),
    "bench_director": f"id {{key}}, list_order integer, {MOVIE}, {PERSON}",
    "bench_cast": f"id {{key}}, list_order integer, {MOVIE}, {PERSON}",
    "bench_review": (
        f"id {{key}}, body text NOT NULL, rating integer NOT NULL, creation_time {{moment}} NOT NULL, {MOVIE}, "
        "author_id bigint NOT NULL REFERENCES bench_user (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE"
    ),
}
INDEXES = (
    "CREATE INDEX bench_post_author ON bench_post (author_id)",
    "CREATE INDEX bench_post_tags_tag ON bench_post_tags (tag_id)",
    "CREATE INDEX bench_comment_post ON bench_comment (post_id)",
    "CREATE INDEX bench_book_shelf ON bench_book (shelf_id)",
    "CREATE INDEX bench_page_book ON bench_page (book_id)",
    "CREATE INDEX bench_journal_level ON bench_journal (level)",
    "CREATE INDEX bench_journal_text ON bench_journal (text)",
    "CREATE INDEX bench_director_movie ON bench_director (movie_id)",
    "CREATE INDEX bench_director_person ON bench_director (person_id)",
    "CREATE INDEX bench_cast_movie ON bench_cast (movie_id)",
    "CREATE INDEX bench_cast_person ON bench_cast (person_id)",
    "CREATE INDEX bench_review_movie ON bench_review (movie_id)",
    "CREATE INDEX bench_review_author ON bench_review (author_id)",
)
KEYS = {
    "sqlite": "integer NOT NULL PRIMARY KEY AUTOINCREMENT",
    "postgresql": "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
}
MOMENTS = {"sqlite": "timestamp", "postgresql": "timestamp with time zone"}
MOMENT = "2026-01-02 03:04:05.678901"
LEVELS = (10, 20, 30, 40, 50)
COLUMNS = {
    "bench_author": ("id", "name", "email", "born"),
    "bench_post": ("id", "title", "body", "rank", "author_id"),
    "bench_tag": ("id", "name"),
    "bench_post_tags": ("post_id", "tag_id"),
    "bench_comment": ("id", "text", "post_id"),
    "bench_reading": ("id", "name", "place", "note", "level", "weight", "height", "count"),
    "bench_journal": ("id", "timestamp", "level", "text"),
    "bench_person": ("id", "first_name", "middle_name", "last_name", "image", "bio"),
    "bench_user": ("id", "name", "image"),
    "bench_movie": ("id", "title", "image", "year", "description"),
    "bench_director": ("list_order", "movie_id", "person_id"),
    "bench_cast": ("list_order", "movie_id", "person_id"),
    "bench_review": ("id", "body", "rating", "creation_time", "movie_id", "author_id"),
}


def statements(database: str) -> list[str]:
    """What makes the tables on ``database``."""
    words = {"key": KEYS[database], "moment": MOMENTS[database]}
    made = [f"CREATE TABLE {name} ({columns.format(**words)})" for name, columns in TABLES.items()]
    return [*made, *INDEXES]


def counted(table: str, columns: str, values: str, number: int) -> str:
    """A statement that fills ``table`` with ``number`` rows; ``values`` are SQL in which ``n`` is the row's number."""
    numbers = f"WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {number}) SELECT n FROM c"
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM ({numbers}) AS counted"


def rows(sizes: Sizes) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """The rows by table, the same ones each time."""
    chance = Random(2026)
    yield "bench_author", [(i, f"author {i}", f"a{i}@example.com", 1900 + i % 100) for i in range(1, sizes.authors + 1)]
    owners = [1 + i % sizes.authors for i in range(sizes.posts)]
    chance.shuffle(owners)
    yield "bench_post", [(i + 1, f"title {i}", "word " * 20, i % 10, owners[i]) for i in range(sizes.posts)]
    yield "bench_tag", [(i, f"tag {i}") for i in range(1, sizes.tags + 1)]
    tags = range(1, sizes.tags + 1)
    links = [(post, tag) for post in range(1, sizes.posts + 1) for tag in sorted(chance.sample(tags, post % 5))]
    yield "bench_post_tags", links
    posts = [1 + i % sizes.posts for i in range(sizes.comments)]
    chance.shuffle(posts)
    yield "bench_comment", [(i + 1, f"comment {i}", posts[i]) for i in range(sizes.comments)]
    yield (
        "bench_reading",
        [(i, f"n{i}", f"p{i % 97}", "x" * 40, i % 9, i / 3, i / 7, i * 1_000) for i in range(1, sizes.readings + 1)],
    )
    yield (
        "bench_journal",
        [(i, MOMENT, LEVELS[i % 5], f"Item {i}") for i in range(1, sizes.journals + 1)],
    )


def films(sizes: Sizes) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """The rows of IMDBench's tables, the same ones each time. Middle names and orders are missing here and there."""
    chance = Random(2026)
    people, movies = range(1, sizes.people + 1), range(1, sizes.movies + 1)
    yield (
        "bench_person",
        [
            (i, f"first {i}", f"middle {i}" if i % 3 else "", f"last {i % 50}", f"p{i}.jpeg", "bio " * 10)
            for i in people
        ],
    )
    yield "bench_user", [(i, f"user {i}", f"u{i}.jpeg") for i in movies]
    yield "bench_movie", [(i, f"movie {i}", f"m{i}.jpeg", 1950 + i % 70, "plot " * 20) for i in movies]
    yield (
        "bench_director",
        [(place, i, one) for i in movies for place, one in enumerate(chance.sample(people, 1 + i % 2))],
    )
    yield "bench_cast", [(place, i, one) for i in movies for place, one in enumerate(chance.sample(people, 8))]
    start = datetime.fromisoformat(MOMENT)
    yield (
        "bench_review",
        [
            (
                i,
                "word " * 15,
                chance.randrange(11),
                start + timedelta(minutes=i),
                chance.choice(movies),
                chance.choice(movies),
            )
            for i in range(1, sizes.reviews + 1)
        ],
    )
