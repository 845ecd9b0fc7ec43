"""Pony in the two published benchmarks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pony.orm import Optional, PrimaryKey, Required, Set, avg, commit, db_session, desc, flush, select

from benchmarks.adapters import films
from benchmarks.adapters.pony_entities import Pony, db
from benchmarks.data import LEVELS


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class Journal(db.Entity):
    _table_ = "bench_journal"
    id = PrimaryKey(int, auto=True, size=64)
    timestamp = Required(datetime, default=now)
    level = Required(int, size=16, index=True)
    text = Required(str, 255, index=True)


class Person(db.Entity):
    _table_ = "bench_person"
    id = PrimaryKey(int, auto=True, size=64)
    first_name = Required(str)
    middle_name = Optional(str)
    last_name = Required(str)
    image = Required(str)
    bio = Optional(str, sql_type="text")
    directed_rel = Set("Director")
    acted_in_rel = Set("Cast")


class User(db.Entity):
    _table_ = "bench_user"
    id = PrimaryKey(int, auto=True, size=64)
    name = Required(str)
    image = Required(str)
    reviews = Set("Review")


class Movie(db.Entity):
    _table_ = "bench_movie"
    id = PrimaryKey(int, auto=True, size=64)
    title = Required(str)
    image = Required(str)
    year = Required(int)
    description = Required(str, sql_type="text")
    directors_rel = Set("Director")
    cast_rel = Set("Cast")
    reviews = Set("Review")


class Director(db.Entity):
    _table_ = "bench_director"
    id = PrimaryKey(int, auto=True, size=64)
    list_order = Optional(int)
    movie = Required(Movie, column="movie_id")
    person = Required(Person, column="person_id")


class Cast(db.Entity):
    _table_ = "bench_cast"
    id = PrimaryKey(int, auto=True, size=64)
    list_order = Optional(int)
    movie = Required(Movie, column="movie_id")
    person = Required(Person, column="person_id")


class Review(db.Entity):
    _table_ = "bench_review"
    id = PrimaryKey(int, auto=True, size=64)
    body = Required(str, sql_type="text")
    rating = Required(int)
    creation_time = Required(datetime)
    movie = Required(Movie, column="movie_id")
    author = Required(User, column="author_id")


class Published(Pony):
    # -- orm-benchmarks ------------------------------------------------------------------------------------------------

    @db_session
    def journal_single(self) -> Any:
        for item in range(self.sizes.singly):
            Journal(level=LEVELS[item % 5], text=f"Insert from A, item {item}")
            commit()

    @db_session
    def journal_batch(self) -> Any:
        for item in range(self.sizes.journal):
            Journal(level=LEVELS[item % 5], text=f"Insert from B, item {item}")
            flush()

    @db_session
    def journal_bulk(self) -> Any:
        for item in range(self.sizes.journal):
            Journal(level=LEVELS[item % 5], text=f"Insert from C, item {item}")

    @db_session
    def journal_large(self) -> Any:
        return [one for level in LEVELS for one in select(j for j in Journal if j.level == level)]

    @db_session
    def journal_small(self) -> Any:
        found: list[Any] = []
        for level, offset in self.windows():
            found += select(j for j in Journal if j.level == level).order_by(Journal.id).limit(20, offset=offset)
        return found

    @db_session
    def journal_get(self) -> Any:
        return [Journal[key] for key in self.journal_keys()]

    @db_session
    def journal_dicts(self) -> Any:
        return [one.to_dict() for level in LEVELS for one in select(j for j in Journal if j.level == level)]

    @db_session
    def journal_tuples(self) -> Any:
        found: list[Any] = []
        for level in LEVELS:
            found += select((j.id, j.timestamp, j.level, j.text) for j in Journal if j.level == level)
        return found

    @db_session
    def journal_whole(self) -> Any:
        for journal in list(Journal.select()):
            journal.level = self.other(journal.level)
            journal.text = f"{journal.text} Update"

    @db_session
    def journal_partial(self) -> Any:
        for journal in list(Journal.select()):
            journal.level = self.other(journal.level)

    @db_session
    def journal_delete(self) -> Any:
        for journal in list(Journal.select()):
            journal.delete()

    # -- IMDBench: each answer in a session of its own -----------------------------------------------------------------

    def imdb_get_movie(self) -> Any:
        return [self._get_movie(key) for key in self.film_keys()]

    @db_session
    def _get_movie(self, key: int) -> str:
        movie = Movie[key]
        directors = select(d for d in Director if d.movie == movie).order_by(
            lambda d: (d.list_order, d.person.last_name)
        )
        cast = select(c for c in Cast if c.movie == movie).order_by(lambda c: (c.list_order, c.person.last_name))
        reviews = select(r for r in Review if r.movie == movie).order_by(desc(Review.creation_time)).prefetch(User)
        return films.movie_view(
            movie,
            avg(r.rating for r in Review if r.movie == movie),
            [one.person for one in directors.prefetch(Person)],
            [one.person for one in cast.prefetch(Person)],
            [(review, review.author) for review in reviews],
        )

    def imdb_get_person(self) -> Any:
        return [self._get_person(key) for key in self.film_keys()]

    @db_session
    def _get_person(self, key: int) -> str:
        person = Person[key]
        acted_in = select((c.movie, avg(c.movie.reviews.rating)) for c in Cast if c.person == person)
        directed = select((d.movie, avg(d.movie.reviews.rating)) for d in Director if d.person == person)
        return films.person_view(person, sorted(acted_in, key=by_year), sorted(directed, key=by_year))

    def imdb_get_user(self) -> Any:
        return [self._get_user(key) for key in self.film_keys()]

    @db_session
    def _get_user(self, key: int) -> str:
        user = User[key]
        reviews = select(r for r in Review if r.author == user).order_by(desc(Review.creation_time))
        latest = list(reviews.prefetch(Movie).limit(10))
        movies = [review.movie for review in latest]
        means = dict(select((r.movie, avg(r.rating)) for r in Review if r.movie in movies))
        return films.user_view(user, [(review, review.movie, means[review.movie]) for review in latest])

    def imdb_update_movie(self) -> Any:
        found: list[str] = []
        for key in self.changed_keys():
            with db_session:
                movie = Movie[key]
                movie.title = f"{movie.title}---{movie.id}"
                found.append(films.updated_view(movie))
        return found

    def imdb_insert_user(self) -> Any:
        found: list[str] = []
        for number in range(self.sizes.made):
            with db_session:
                user = User(**films.new_user(number))
                commit()
                found.append(films.new_user_view(user))
        return found

    def imdb_insert_movie(self) -> Any:
        found: list[str] = []
        for number, director, keys in self.made():
            with db_session:
                wanted = [director, *keys]
                people = {one.id: one for one in select(p for p in Person if p.id in wanted)}
                found.append(self._credited(number, [people[director]], [people[key] for key in keys]))
        return found

    def imdb_insert_movie_plus(self) -> Any:
        found: list[str] = []
        for number in range(self.sizes.made):
            with db_session:
                people = [Person(**values) for values in films.new_people(number)]
                found.append(self._credited(number, people[:1], people[1:]))
        return found

    def _credited(self, number: int, directors: list[Any], cast: list[Any]) -> str:
        movie = Movie(**films.new_movie(number))
        for person in directors:
            Director(movie=movie, person=person)
        for person in cast:
            Cast(movie=movie, person=person)
        commit()
        return films.new_movie_view(movie, directors, cast)


def by_year(rated: tuple[Any, Any]) -> tuple[int, str]:
    movie, _ = rated
    return movie.year, movie.title


ADAPTER = Published
