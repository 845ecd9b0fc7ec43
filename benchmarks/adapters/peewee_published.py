"""peewee in the two published benchmarks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import peewee
from peewee import fn
from playhouse.postgres_ext import DateTimeTZField

from benchmarks.adapters import films
from benchmarks.adapters.peewee_models import Base, Peewee
from benchmarks.data import LEVELS


class Journal(Base):
    timestamp = DateTimeTZField(default=lambda: datetime.now(UTC))
    level = peewee.SmallIntegerField(index=True)
    text = peewee.CharField(index=True)

    class Meta:
        table_name = "bench_journal"


class Person(Base):
    first_name = peewee.CharField()
    middle_name = peewee.CharField()
    last_name = peewee.CharField()
    image = peewee.CharField()
    bio = peewee.TextField()

    class Meta:
        table_name = "bench_person"


class User(Base):
    name = peewee.CharField()
    image = peewee.CharField()

    class Meta:
        table_name = "bench_user"


class Movie(Base):
    title = peewee.CharField()
    image = peewee.CharField()
    year = peewee.IntegerField()
    description = peewee.TextField()

    class Meta:
        table_name = "bench_movie"


class Director(Base):
    list_order = peewee.IntegerField(null=True)
    movie = peewee.ForeignKeyField(Movie, backref="directors_rel")
    person = peewee.ForeignKeyField(Person, backref="directed_rel")

    class Meta:
        table_name = "bench_director"


class Cast(Base):
    list_order = peewee.IntegerField(null=True)
    movie = peewee.ForeignKeyField(Movie, backref="cast_rel")
    person = peewee.ForeignKeyField(Person, backref="acted_in_rel")

    class Meta:
        table_name = "bench_cast"


class Review(Base):
    body = peewee.TextField()
    rating = peewee.IntegerField()
    creation_time = DateTimeTZField()
    movie = peewee.ForeignKeyField(Movie, backref="reviews")
    author = peewee.ForeignKeyField(User, backref="reviews")

    class Meta:
        table_name = "bench_review"


Rated = Review.alias()
MEAN = Rated.select(fn.AVG(Rated.rating)).where(Rated.movie == Movie.id)


class Published(Peewee):
    # -- orm-benchmarks ------------------------------------------------------------------------------------------------

    def journal_single(self) -> Any:
        for item in range(self.sizes.singly):
            Journal.create(level=LEVELS[item % 5], text=f"Insert from A, item {item}")

    def journal_batch(self) -> Any:
        with self.database.atomic():
            for item in range(self.sizes.journal):
                Journal.create(level=LEVELS[item % 5], text=f"Insert from B, item {item}")

    def journal_bulk(self) -> Any:
        numbers = range(self.sizes.journal)
        Journal.bulk_create([Journal(level=LEVELS[i % 5], text=f"Insert from C, item {i}") for i in numbers])

    def journal_large(self) -> Any:
        return [one for level in LEVELS for one in Journal.select().where(Journal.level == level)]

    def journal_small(self) -> Any:
        found: list[Any] = []
        for level, offset in self.windows():
            journals = Journal.select().where(Journal.level == level).order_by(Journal.id)
            found.extend(journals.limit(20).offset(offset))
        return found

    def journal_get(self) -> Any:
        return [Journal.get_by_id(key) for key in self.journal_keys()]

    def journal_dicts(self) -> Any:
        return [one for level in LEVELS for one in Journal.select().where(Journal.level == level).dicts()]

    def journal_tuples(self) -> Any:
        return [one for level in LEVELS for one in Journal.select().where(Journal.level == level).tuples()]

    def journal_whole(self) -> Any:
        journals = list(Journal.select())
        with self.database.atomic():
            for journal in journals:
                journal.level = self.other(journal.level)
                journal.text = f"{journal.text} Update"
                journal.save()

    def journal_partial(self) -> Any:
        journals = list(Journal.select())
        with self.database.atomic():
            for journal in journals:
                journal.level = self.other(journal.level)
                journal.save(only=[Journal.level])

    def journal_delete(self) -> Any:
        journals = list(Journal.select())
        with self.database.atomic():
            for journal in journals:
                journal.delete_instance()

    # -- IMDBench ------------------------------------------------------------------------------------------------------

    def imdb_get_movie(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            movie = Movie.select(Movie, MEAN.alias("mean")).where(Movie.id == key).get()
            directors, cast = (
                Person.select().join(link).where(link.movie == key).order_by(link.list_order, Person.last_name)
                for link in (Director, Cast)
            )
            reviews = Review.select(Review, User).join(User).where(Review.movie == key)
            latest = [(review, review.author) for review in reviews.order_by(Review.creation_time.desc())]
            found.append(films.movie_view(movie, movie.mean, directors, cast, latest))
        return found

    def imdb_get_person(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            person = Person.get_by_id(key)
            rated = [
                Movie.select(Movie, MEAN.alias("mean"))
                .join(link)
                .where(link.person == key)
                .order_by(Movie.year, Movie.title)
                for link in (Cast, Director)
            ]
            acted_in, directed = ([(movie, movie.mean) for movie in movies] for movies in rated)
            found.append(films.person_view(person, acted_in, directed))
        return found

    def imdb_get_user(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            user = User.get_by_id(key)
            reviews = Review.select(Review, Movie, MEAN.alias("mean")).join(Movie).where(Review.author == key)
            latest = reviews.order_by(Review.creation_time.desc()).limit(10)
            found.append(films.user_view(user, [(one, one.movie, rating(one)) for one in latest]))
        return found

    def imdb_update_movie(self) -> Any:
        found: list[str] = []
        for key in self.changed_keys():
            movie = Movie.get_by_id(key)
            movie.title = f"{movie.title}---{movie.id}"
            movie.save(only=[Movie.title])
            found.append(films.updated_view(movie))
        return found

    def imdb_insert_user(self) -> Any:
        return [films.new_user_view(User.create(**films.new_user(number))) for number in range(self.sizes.made)]

    def imdb_insert_movie(self) -> Any:
        found: list[str] = []
        for number, director, keys in self.made():
            with self.database.atomic():
                movie = Movie.create(**films.new_movie(number))
                people = {one.id: one for one in Person.select().where(Person.id.in_([director, *keys]))}
                cast = [people[key] for key in keys]
                self._credit(movie, [people[director]], cast)
            found.append(films.new_movie_view(movie, [people[director]], cast))
        return found

    def imdb_insert_movie_plus(self) -> Any:
        found: list[str] = []
        for number in range(self.sizes.made):
            with self.database.atomic():
                movie = Movie.create(**films.new_movie(number))
                people = [Person(**values) for values in films.new_people(number)]
                Person.bulk_create(people)
                self._credit(movie, people[:1], people[1:])
            found.append(films.new_movie_view(movie, people[:1], people[1:]))
        return found

    def _credit(self, movie: Any, directors: list[Any], cast: list[Any]) -> None:
        for link, persons in ((Director, directors), (Cast, cast)):
            link.insert_many([{"movie": movie, "person": person} for person in persons]).execute()


def rating(review: Any) -> Any:
    """The mean selected beside a review and its movie: peewee hangs it on the one or the other."""
    return review.mean if hasattr(review, "mean") else review.movie.mean


ADAPTER = Published
