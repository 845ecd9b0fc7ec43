"""Tortoise ORM in the two published benchmarks, of which the first one is its own."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.functions import Avg
from tortoise.models import Model
from tortoise.transactions import in_transaction

from benchmarks.adapters import films
from benchmarks.adapters.tortoise_models import TortoiseORM
from benchmarks.data import LEVELS


class Journal(Model):
    id = fields.BigIntField(primary_key=True)
    timestamp = fields.DatetimeField(auto_now_add=True)
    level = fields.SmallIntField(db_index=True)
    text = fields.CharField(max_length=255, db_index=True)

    class Meta:
        table = "bench_journal"


class Person(Model):
    id = fields.BigIntField(primary_key=True)
    first_name = fields.CharField(max_length=200)
    middle_name = fields.CharField(max_length=200)
    last_name = fields.CharField(max_length=200)
    image = fields.CharField(max_length=200)
    bio = fields.TextField()

    class Meta:
        table = "bench_person"


class User(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=200)
    image = fields.CharField(max_length=200)

    class Meta:
        table = "bench_user"


class Movie(Model):
    id = fields.BigIntField(primary_key=True)
    title = fields.CharField(max_length=200)
    image = fields.CharField(max_length=200)
    year = fields.IntField()
    description = fields.TextField()

    class Meta:
        table = "bench_movie"


class Director(Model):
    id = fields.BigIntField(primary_key=True)
    list_order = fields.IntField(null=True)
    movie: Any = fields.ForeignKeyField("models.Movie", related_name="directors_rel")
    person: Any = fields.ForeignKeyField("models.Person", related_name="directed_rel")

    class Meta:
        table = "bench_director"


class Cast(Model):
    id = fields.BigIntField(primary_key=True)
    list_order = fields.IntField(null=True)
    movie: Any = fields.ForeignKeyField("models.Movie", related_name="cast_rel")
    person: Any = fields.ForeignKeyField("models.Person", related_name="acted_in_rel")

    class Meta:
        table = "bench_cast"


class Review(Model):
    id = fields.BigIntField(primary_key=True)
    body = fields.TextField()
    rating = fields.IntField()
    creation_time = fields.DatetimeField()
    movie: Any = fields.ForeignKeyField("models.Movie", related_name="reviews")
    author: Any = fields.ForeignKeyField("models.User", related_name="reviews")

    class Meta:
        table = "bench_review"


PLACES = ("list_order", "person__last_name")


class Published(TortoiseORM):
    modules = (*TortoiseORM.modules, __name__)

    # -- orm-benchmarks ------------------------------------------------------------------------------------------------

    async def journal_single(self) -> Any:
        for item in range(self.sizes.singly):
            await Journal.create(level=LEVELS[item % 5], text=f"Insert from A, item {item}")

    async def journal_batch(self) -> Any:
        async with in_transaction():
            for item in range(self.sizes.journal):
                await Journal.create(level=LEVELS[item % 5], text=f"Insert from B, item {item}")

    async def journal_bulk(self) -> Any:
        numbers = range(self.sizes.journal)
        await Journal.bulk_create([Journal(level=LEVELS[i % 5], text=f"Insert from C, item {i}") for i in numbers])

    async def journal_large(self) -> Any:
        return [one for level in LEVELS for one in await Journal.filter(level=level)]

    async def journal_small(self) -> Any:
        found: list[Any] = []
        for level, offset in self.windows():
            found += await Journal.filter(level=level).order_by("id").limit(20).offset(offset)
        return found

    async def journal_get(self) -> Any:
        return [await Journal.get(id=key) for key in self.journal_keys()]

    async def journal_dicts(self) -> Any:
        return [one for level in LEVELS for one in await Journal.filter(level=level).values()]

    async def journal_tuples(self) -> Any:
        return [one for level in LEVELS for one in await Journal.filter(level=level).values_list()]

    async def journal_whole(self) -> Any:
        journals = await Journal.all()
        async with in_transaction():
            for journal in journals:
                journal.level = self.other(journal.level)
                journal.text = f"{journal.text} Update"
                await journal.save()

    async def journal_partial(self) -> Any:
        journals = await Journal.all()
        async with in_transaction():
            for journal in journals:
                journal.level = self.other(journal.level)
                await journal.save(update_fields=["level"])

    async def journal_delete(self) -> Any:
        journals = await Journal.all()
        async with in_transaction():
            for journal in journals:
                await journal.delete()

    # -- IMDBench ------------------------------------------------------------------------------------------------------

    async def imdb_get_movie(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            movie: Any = await Movie.annotate(mean=Avg("reviews__rating")).get(id=key)
            directors = await Director.filter(movie_id=key).select_related("person").order_by(*PLACES)
            cast = await Cast.filter(movie_id=key).select_related("person").order_by(*PLACES)
            reviews = await Review.filter(movie_id=key).select_related("author").order_by("-creation_time")
            found.append(
                films.movie_view(
                    movie,
                    movie.mean,
                    [one.person for one in directors],
                    [one.person for one in cast],
                    [(review, review.author) for review in reviews],
                )
            )
        return found

    async def imdb_get_person(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            person = await Person.get(id=key)
            rated = Movie.annotate(mean=Avg("reviews__rating")).order_by("year", "title")
            acted_in: list[Any] = await rated.filter(cast_rel__person_id=key)
            directed: list[Any] = await rated.filter(directors_rel__person_id=key)
            found.append(
                films.person_view(
                    person, [(movie, movie.mean) for movie in acted_in], [(movie, movie.mean) for movie in directed]
                )
            )
        return found

    async def imdb_get_user(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            user = await User.get(id=key)
            reviews = await Review.filter(author_id=key).select_related("movie").order_by("-creation_time").limit(10)
            rated = Movie.filter(id__in=[review.movie_id for review in reviews]).annotate(mean=Avg("reviews__rating"))
            # Instances, since values_list() cuts the mean of integers down to an integer.
            movies: list[Any] = await rated
            means = {movie.id: movie.mean for movie in movies}
            found.append(films.user_view(user, [(one, one.movie, means[one.movie_id]) for one in reviews]))
        return found

    async def imdb_update_movie(self) -> Any:
        found: list[str] = []
        for key in self.changed_keys():
            movie = await Movie.get(id=key)
            movie.title = f"{movie.title}---{movie.id}"
            await movie.save(update_fields=["title"])
            found.append(films.updated_view(movie))
        return found

    async def imdb_insert_user(self) -> Any:
        return [films.new_user_view(await User.create(**films.new_user(number))) for number in range(self.sizes.made)]

    async def imdb_insert_movie(self) -> Any:
        found: list[str] = []
        for number, director, keys in self.made():
            async with in_transaction():
                movie = await Movie.create(**films.new_movie(number))
                people = await Person.in_bulk([director, *keys], "id")
                cast = [people[key] for key in keys]
                await self._credit(movie, [people[director]], cast)
            found.append(films.new_movie_view(movie, [people[director]], cast))
        return found

    async def imdb_insert_movie_plus(self) -> Any:
        found: list[str] = []
        for number in range(self.sizes.made):
            async with in_transaction():
                movie = await Movie.create(**films.new_movie(number))
                people = [await Person.create(**values) for values in films.new_people(number)]
                await self._credit(movie, people[:1], people[1:])
            found.append(films.new_movie_view(movie, people[:1], people[1:]))
        return found

    async def _credit(self, movie: Movie, directors: list[Person], cast: list[Person]) -> None:
        await Director.bulk_create([Director(movie=movie, person=person) for person in directors])
        await Cast.bulk_create([Cast(movie=movie, person=person) for person in cast])


ADAPTER = Published
