"""Piccolo in the two published benchmarks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from piccolo.columns import ForeignKey, Integer, Serial, SmallInt, Text, Timestamptz, Varchar
from piccolo.query.functions import Avg
from piccolo.table import Table

from benchmarks.adapters import films
from benchmarks.adapters.piccolo_tables import Piccolo
from benchmarks.data import LEVELS


def now() -> datetime:
    return datetime.now(UTC)


class Journal(Table, tablename="bench_journal"):
    id: Serial
    timestamp = Timestamptz(default=now)
    level = SmallInt(index=True)
    text = Varchar(length=255, index=True)


class Person(Table, tablename="bench_person"):
    id: Serial
    first_name = Varchar(length=200)
    middle_name = Varchar(length=200)
    last_name = Varchar(length=200)
    image = Varchar(length=200)
    bio = Text()


class User(Table, tablename="bench_user"):
    id: Serial
    name = Varchar(length=200)
    image = Varchar(length=200)


class Movie(Table, tablename="bench_movie"):
    id: Serial
    title = Varchar(length=200)
    image = Varchar(length=200)
    year = Integer()
    description = Text()


class Director(Table, tablename="bench_director"):
    id: Serial
    list_order = Integer(null=True, default=None)
    movie = ForeignKey(Movie, db_column_name="movie_id")
    person = ForeignKey(Person, db_column_name="person_id")


class Cast(Table, tablename="bench_cast"):
    id: Serial
    list_order = Integer(null=True, default=None)
    movie = ForeignKey(Movie, db_column_name="movie_id")
    person = ForeignKey(Person, db_column_name="person_id")


class Review(Table, tablename="bench_review"):
    id: Serial
    body = Text()
    rating = Integer()
    creation_time = Timestamptz()
    movie = ForeignKey(Movie, db_column_name="movie_id")
    author = ForeignKey(User, db_column_name="author_id")


class Published(Piccolo):
    tables = (*Piccolo.tables, Journal, Person, User, Movie, Director, Cast, Review)

    # -- orm-benchmarks ------------------------------------------------------------------------------------------------

    async def journal_single(self) -> Any:
        for item in range(self.sizes.singly):
            await Journal.objects().create(level=LEVELS[item % 5], text=f"Insert from A, item {item}")

    async def journal_batch(self) -> Any:
        async with self.engine.transaction():
            for item in range(self.sizes.journal):
                await Journal.objects().create(level=LEVELS[item % 5], text=f"Insert from B, item {item}")

    async def journal_bulk(self) -> Any:
        numbers = range(self.sizes.journal)
        await Journal.insert(*[Journal(level=LEVELS[i % 5], text=f"Insert from C, item {i}") for i in numbers])

    async def journal_large(self) -> Any:
        return [one for level in LEVELS for one in await Journal.objects().where(Journal.level == level)]

    async def journal_small(self) -> Any:
        found: list[Any] = []
        for level, offset in self.windows():
            query = Journal.objects().where(Journal.level == level).order_by(Journal.id).limit(20)
            found += await query.offset(offset)
        return found

    async def journal_get(self) -> Any:
        return [await Journal.objects().get(Journal.id == key) for key in self.journal_keys()]

    async def journal_dicts(self) -> Any:
        return [one for level in LEVELS for one in await Journal.select().where(Journal.level == level)]

    # There are no tuples.

    async def journal_whole(self) -> Any:
        journals = await Journal.objects()
        async with self.engine.transaction():
            for journal in journals:
                journal.level = self.other(journal.level)
                journal.text = f"{journal.text} Update"
                await journal.save()

    async def journal_partial(self) -> Any:
        journals = await Journal.objects()
        async with self.engine.transaction():
            for journal in journals:
                journal.level = self.other(journal.level)
                await journal.save(columns=[Journal.level])

    async def journal_delete(self) -> Any:
        journals = await Journal.objects()
        async with self.engine.transaction():
            for journal in journals:
                await journal.remove()

    # -- IMDBench ------------------------------------------------------------------------------------------------------

    async def _means(self, movies: list[int]) -> dict[int, Any]:
        """The means of ratings by movie."""
        query = Review.select(Review.movie.as_alias("movie"), Avg(Review.rating, alias="mean"))
        rows = await query.where(Review.movie.is_in(movies)).group_by(Review.movie)
        return {row["movie"]: row["mean"] for row in rows}

    async def imdb_get_movie(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            movie: Any = await Movie.objects().get(Movie.id == key)
            directors, cast = [
                await link.objects(link.person)
                .where(link.movie == key)
                .order_by(link.list_order)
                .order_by(link.person.last_name)
                for link in (Director, Cast)
            ]
            reviews = Review.objects(Review.author).where(Review.movie == key)
            latest: list[Any] = await reviews.order_by(Review.creation_time, ascending=False)
            found.append(
                films.movie_view(
                    movie,
                    (await self._means([key])).get(key),
                    [one.person for one in directors],
                    [one.person for one in cast],
                    [(review, review.author) for review in latest],
                )
            )
        return found

    async def imdb_get_person(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            person = await Person.objects().get(Person.id == key)
            credited = []
            for link in (Cast, Director):
                query = link.objects(link.movie).where(link.person == key)
                rows = await query.order_by(link.movie.year).order_by(link.movie.title)
                credited.append([row.movie for row in rows])
            movies = [movie.id for one in credited for movie in one]
            means = await self._means(movies) if movies else {}
            acted_in, directed = ([(movie, means.get(movie.id)) for movie in one] for one in credited)
            found.append(films.person_view(person, acted_in, directed))
        return found

    async def imdb_get_user(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            user = await User.objects().get(User.id == key)
            reviews = Review.objects(Review.movie).where(Review.author == key)
            latest: list[Any] = await reviews.order_by(Review.creation_time, ascending=False).limit(10)
            means = await self._means([review.movie.id for review in latest]) if latest else {}
            found.append(films.user_view(user, [(one, one.movie, means[one.movie.id]) for one in latest]))
        return found

    async def imdb_update_movie(self) -> Any:
        found: list[str] = []
        for key in self.changed_keys():
            movie: Any = await Movie.objects().get(Movie.id == key)
            movie.title = f"{movie.title}---{movie.id}"
            await movie.save(columns=[Movie.title])
            found.append(films.updated_view(movie))
        return found

    async def imdb_insert_user(self) -> Any:
        numbers = range(self.sizes.made)
        return [films.new_user_view(await User.objects().create(**films.new_user(number))) for number in numbers]

    async def imdb_insert_movie(self) -> Any:
        found: list[str] = []
        for number, director, keys in self.made():
            async with self.engine.transaction():
                movie = await Movie.objects().create(**films.new_movie(number))
                people = {one.id: one for one in await Person.objects().where(Person.id.is_in([director, *keys]))}
                cast = [people[key] for key in keys]
                await self._credit(movie, [people[director]], cast)
            found.append(films.new_movie_view(movie, [people[director]], cast))
        return found

    async def imdb_insert_movie_plus(self) -> Any:
        found: list[str] = []
        for number in range(self.sizes.made):
            async with self.engine.transaction():
                movie = await Movie.objects().create(**films.new_movie(number))
                people = [Person(**values) for values in films.new_people(number)]
                await Person.insert(*people)
                await self._credit(movie, people[:1], people[1:])
            found.append(films.new_movie_view(movie, people[:1], people[1:]))
        return found

    async def _credit(self, movie: Movie, directors: list[Person], cast: list[Person]) -> None:
        await Director.insert(*[Director(movie=movie, person=person) for person in directors])
        await Cast.insert(*[Cast(movie=movie, person=person) for person in cast])


ADAPTER = Published
