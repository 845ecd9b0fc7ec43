"""What is measured. An adapter implements a workload as a method of the same name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.data import COLUMNS, MOMENT, Sizes, counted


def as_it_is(result: Any) -> Any:
    return result


def all_fields(found: Any) -> list[tuple[Any, ...]]:
    return sorted(tuple(getattr(row, name) for name in COLUMNS["bench_reading"]) for row in found)


def by_owner(found: Any) -> list[tuple[Any, list[Any]]]:
    return sorted((owner, sorted(items)) for owner, items in found)


def by_two_owners(found: Any) -> list[tuple[Any, list[Any]]]:
    return sorted((owner, by_owner(items)) for owner, items in found)


def nothing(sizes: Sizes) -> list[str]:
    return []


# The groups, in the order of the tables, and what they are called there.
GROUPS = {
    "reads": "reads",
    "writes": "writes",
    "naive": "naive walks",
    "tasks": "64 tasks",
    "orm-benchmarks": "orm-benchmarks",
    "imdbench": "IMDBench",
}


@dataclass(frozen=True)
class Workload:
    """One thing to do, counted in a ``group`` with others.

    ``facts`` makes of the method's result what has to be equal for all adapters; that is not timed. A workload that
    writes says how the database looks ``before`` each run, and what ``after`` asks for has to be equal. ``base`` is the
    adapter that the others are compared with where it is not the usual one, ``limit`` the most that Crowsfoot may take,
    in times of that.
    """

    name: str
    group: str
    title: str
    facts: Callable[[Any], Any] = as_it_is
    before: Callable[[Sizes], list[str]] = nothing
    after: str | None = None
    base: str | None = None
    limit: float | None = None
    databases: tuple[str, ...] = ("sqlite", "postgresql")


# -- what writes find --------------------------------------------------------------------------------------------------


def no_entries(sizes: Sizes) -> list[str]:
    return ["DELETE FROM bench_entry"]


def some_entries(sizes: Sizes) -> list[str]:
    values = "n, 'n' || n, 'p', n % 7, n * 0.5"
    return [*no_entries(sizes), counted("bench_entry", "id, name, place, level, weight", values, sizes.entries)]


def no_links(sizes: Sizes) -> list[str]:
    """Every tenth post, those of rank 0, has no tags."""
    return ["DELETE FROM bench_post_tags WHERE post_id IN (SELECT id FROM bench_post WHERE rank = 0)"]


def shelves(sizes: Sizes) -> list[str]:
    number = sizes.shelves
    return [
        "DELETE FROM bench_shelf",
        counted("bench_shelf", "id, name", "n, 'shelf ' || n", number),
        counted("bench_book", "id, title, shelf_id", f"n, 'book ' || n, 1 + n % {number}", 5 * number),
        counted("bench_page", "id, number, book_id", f"n, n, 1 + n % {5 * number}", 20 * number),
    ]


ENTRIES = "SELECT name, place, level, weight FROM bench_entry ORDER BY name"
LINKS = "SELECT post_id, tag_id FROM bench_post_tags ORDER BY post_id, tag_id"
LEFT = "SELECT (SELECT count(*) FROM bench_shelf), (SELECT count(*) FROM bench_book), (SELECT count(*) FROM bench_page)"

SERVERS = ("postgresql",)
OWN = (
    Workload("get", "reads", "get by key, 500 times", limit=2.0),
    Workload("get_author", "reads", "get with its author, 500 times"),
    Workload("flat", "reads", "20,000 rows of 8 columns", all_fields, limit=1.8),
    Workload("flat_one", "reads", "20,000 rows, one field read", sorted),
    Workload("flat_all", "reads", "20,000 rows, all fields read", sorted),
    Workload("naive_key", "naive", "naive walk over a foreign key, 2,000 posts", sorted, limit=1.6),
    Workload("naive_reverse", "naive", "naive walk over a reverse key, 500 authors", by_owner, limit=1.6),
    Workload("naive_links", "naive", "naive walk over a many-to-many, 2,000 posts", by_owner, limit=1.6),
    Workload("expert_key", "reads", "the foreign key by select_related", sorted),
    Workload("expert_reverse", "reads", "the reverse key by prefetch_related", by_owner),
    Workload("expert_links", "reads", "the many-to-many by prefetch_related", by_owner),
    Workload("naive_tree", "naive", "authors, posts, comments: a naive walk", by_two_owners),
    Workload("expert_tree", "reads", "authors, posts, comments: prefetched", by_two_owners),
    Workload("json_tree", "reads", "JSON of authors, posts and names of tags"),
    Workload("filter_two", "reads", "filter over two relations, 100 times"),
    Workload("counts", "reads", "500 authors with the number of posts", sorted),
    Workload("insert_one", "writes", "500 inserts one by one", before=no_entries, after=ENTRIES),
    Workload("insert_bulk", "writes", "10,000 inserts in bulk, keys known", sorted, before=no_entries, after=ENTRIES),
    Workload("link_one", "writes", "a tag added to each of 200 posts", before=no_links, after=LINKS),
    Workload("link_bulk", "writes", "100 tags added to each of 20 posts", before=no_links, after=LINKS),
    Workload("update", "writes", "500 loaded rows changed and saved", before=some_entries, after=ENTRIES),
    Workload("delete_each", "writes", "100 cascades, a delete for each", before=shelves, after=LEFT),
    Workload("delete_all", "writes", "100 cascades in one delete", before=shelves, after=LEFT),
    Workload("tasks", "tasks", "1,024 gets in 64 tasks, to asyncpg.Pool", sorted, base="asyncpg", databases=SERVERS),
)

# -- what others have published: github.com/tortoise/orm-benchmarks and github.com/geldata/imdbench --------------------


def no_items(sizes: Sizes) -> list[str]:
    """Nothing but what is there to be read."""
    return ["DELETE FROM bench_journal WHERE text LIKE 'Insert%'"]


def items(sizes: Sizes) -> list[str]:
    values = f"n, '{MOMENT}', 10 * (1 + n % 5), 'Item ' || n"
    return ["DELETE FROM bench_journal", counted("bench_journal", "id, timestamp, level, text", values, sizes.journals)]


def of_items(found: Any) -> list[tuple[Any, ...]]:
    return [(item.id, item.level, item.text) for item in sorted(found, key=lambda item: item.id)]


def of_dicts(found: Any) -> list[tuple[Any, ...]]:
    return sorted((item["id"], item["level"], item["text"]) for item in found)


def of_tuples(found: Any) -> list[tuple[Any, ...]]:
    return sorted((key, level, text) for key, _, level, text in found)


def old_titles(sizes: Sizes) -> list[str]:
    return ["UPDATE bench_movie SET title = split_part(title, '---', 1) WHERE title LIKE '%---%'"]


def no_new_films(sizes: Sizes) -> list[str]:
    """Nothing but what is there to be read."""
    tables = {"bench_user": "name", "bench_movie": "title", "bench_person": "first_name"}
    return [f"DELETE FROM {table} WHERE {column} LIKE 'new %'" for table, column in tables.items()]


def without_keys(found: Any) -> Any:
    """What was made, without the keys that depend on what was made before."""
    return [re.sub(r'"id": \d+', '"id": 0', text) for text in found]


ITEMS = "SELECT level, text FROM bench_journal ORDER BY level, text"
JOURNAL = tuple(
    Workload(f"journal_{name}", "orm-benchmarks", title, **more)
    for name, title, more in (
        ("single", "A. insert: single, 100 times", {"before": no_items, "after": ITEMS}),
        ("batch", "B. insert: batch, 500 in a transaction", {"before": no_items, "after": ITEMS}),
        ("bulk", "C. insert: bulk, 500", {"before": no_items, "after": ITEMS}),
        ("large", "D. filter: large, 5 times 300", {"facts": of_items, "before": no_items}),
        ("small", "E. filter: small, 100 times 20", {"facts": of_items, "before": no_items}),
        ("get", "F. get, 1,000 times", {"facts": of_items, "before": no_items}),
        ("dicts", "G. filter: dict, 5 times 300", {"facts": of_dicts, "before": no_items}),
        ("tuples", "H. filter: tuple, 5 times 300", {"facts": of_tuples, "before": no_items}),
        ("whole", "I. update: whole, 1,500", {"before": items, "after": ITEMS}),
        ("partial", "J. update: partial, 1,500", {"before": items, "after": ITEMS}),
        ("delete", "K. delete, 1,500", {"before": items, "after": ITEMS}),
    )
)
TITLES = "SELECT title FROM bench_movie ORDER BY title"
USERS = "SELECT name, image FROM bench_user ORDER BY name"
CAST = (
    "SELECT m.title, m.image, m.year, m.description, p.first_name, p.last_name, r.role FROM bench_movie m JOIN "
    "(SELECT 'd' AS role, movie_id, person_id FROM bench_director UNION ALL "
    "SELECT 'c', movie_id, person_id FROM bench_cast) r ON r.movie_id = m.id "
    "JOIN bench_person p ON p.id = r.person_id ORDER BY 1, 5, 6, 7"
)
FILMS = tuple(
    Workload(f"imdb_{name}", "imdbench", title, databases=SERVERS, **more)
    for name, title, more in (
        ("get_movie", "get movie, 100 times", {}),
        ("get_person", "get person, 100 times", {}),
        ("get_user", "get user, 100 times", {}),
        ("update_movie", "update movie, 50 times", {"before": old_titles, "after": TITLES}),
        ("insert_user", "insert user, 50 times", {"facts": without_keys, "before": no_new_films, "after": USERS}),
        ("insert_movie", "insert movie, 50 times", {"facts": without_keys, "before": no_new_films, "after": CAST}),
        (
            "insert_movie_plus",
            "insert movie with new persons, 50 times",
            {"facts": without_keys, "before": no_new_films, "after": CAST},
        ),
    )
)
WORKLOADS = (*OWN, *JOURNAL, *FILMS)
BY_NAME = {workload.name: workload for workload in WORKLOADS}
