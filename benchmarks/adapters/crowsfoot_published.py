"""Crowsfoot in the two published benchmarks."""

from __future__ import annotations

from typing import Any

from benchmarks.adapters import films
from benchmarks.adapters.crowsfoot_models import Crowsfoot
from benchmarks.data import LEVELS
from crowsfoot import models
from crowsfoot.transaction import atomic


class Journal(models.Model):
    timestamp = models.DateTimeField(auto_now_add=True)
    level = models.SmallIntegerField(db_index=True)
    text = models.CharField(max_length=255, db_index=True)

    class Meta:
        app_label = "bench"


class Person(models.Model):
    first_name = models.CharField(max_length=200)
    middle_name = models.CharField(max_length=200, blank=True)
    last_name = models.CharField(max_length=200)
    image = models.CharField(max_length=200)
    bio = models.TextField(blank=True)

    class Meta:
        app_label = "bench"


class User(models.Model):
    name = models.CharField(max_length=200)
    image = models.CharField(max_length=200)

    class Meta:
        app_label = "bench"


class Movie(models.Model):
    title = models.CharField(max_length=200)
    image = models.CharField(max_length=200)
    year = models.IntegerField()
    description = models.TextField()
    directors = models.ManyToManyField(Person, through="Director", related_name="directed")
    cast = models.ManyToManyField(Person, through="Cast", related_name="acted_in")

    class Meta:
        app_label = "bench"


class Director(models.Model):
    list_order = models.IntegerField(null=True)
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="directors_rel")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="directed_rel")

    class Meta:
        app_label = "bench"


class Cast(models.Model):
    list_order = models.IntegerField(null=True)
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="cast_rel")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="acted_in_rel")

    class Meta:
        app_label = "bench"


class Review(models.Model):
    body = models.TextField()
    rating = models.IntegerField()
    creation_time = models.DateTimeField()
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="reviews")
    author = models.ForeignKey(User, on_delete=models.CASCADE, related_name="reviews")

    class Meta:
        app_label = "bench"


class Published(Crowsfoot):
    # -- orm-benchmarks ------------------------------------------------------------------------------------------------

    def journal_single(self) -> Any:
        for item in range(self.sizes.singly):
            Journal.objects.create(level=LEVELS[item % 5], text=f"Insert from A, item {item}")

    def journal_batch(self) -> Any:
        with atomic():
            for item in range(self.sizes.journal):
                Journal.objects.create(level=LEVELS[item % 5], text=f"Insert from B, item {item}")

    def journal_bulk(self) -> Any:
        numbers = range(self.sizes.journal)
        Journal.objects.bulk_create([Journal(level=LEVELS[i % 5], text=f"Insert from C, item {i}") for i in numbers])

    def journal_large(self) -> Any:
        return [one for level in LEVELS for one in Journal.objects.filter(level=level)]

    def journal_small(self) -> Any:
        found: list[Any] = []
        for level, offset in self.windows():
            found += Journal.objects.filter(level=level).order_by("id")[offset : offset + 20]
        return found

    def journal_get(self) -> Any:
        return [Journal.objects.get(id=key) for key in self.journal_keys()]

    def journal_dicts(self) -> Any:
        return [one for level in LEVELS for one in Journal.objects.filter(level=level).values()]

    def journal_tuples(self) -> Any:
        return [one for level in LEVELS for one in Journal.objects.filter(level=level).values_list()]

    def journal_whole(self) -> Any:
        journals = list(Journal.objects.all())
        with atomic():
            for journal in journals:
                journal.level = self.other(journal.level)
                journal.text = f"{journal.text} Update"
                journal.save()

    def journal_partial(self) -> Any:
        journals = list(Journal.objects.all())
        with atomic():
            for journal in journals:
                journal.level = self.other(journal.level)
                journal.save(update_fields=["level"])

    def journal_delete(self) -> Any:
        journals = list(Journal.objects.all())
        with atomic():
            for journal in journals:
                journal.delete()

    # -- IMDBench ------------------------------------------------------------------------------------------------------

    def imdb_get_movie(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            movie: Any = Movie.objects.annotate(rating=models.Avg("reviews__rating")).get(pk=key)
            directors = movie.directors_rel.select_related("person").order_by("list_order", "person__last_name")
            cast = movie.cast_rel.select_related("person").order_by("list_order", "person__last_name")
            reviews = movie.reviews.select_related("author").order_by("-creation_time")
            found.append(
                films.movie_view(
                    movie,
                    movie.rating,
                    [one.person for one in directors],
                    [one.person for one in cast],
                    [(review, review.author) for review in reviews],
                )
            )
        return found

    def imdb_get_person(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            person: Any = Person.objects.get(pk=key)
            rated = [
                movies.annotate(rating=models.Avg("reviews__rating")).order_by("year", "title")
                for movies in (person.acted_in, person.directed)
            ]
            acted_in, directed = ([(movie, movie.rating) for movie in movies] for movies in rated)
            found.append(films.person_view(person, acted_in, directed))
        return found

    def imdb_get_user(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            user: Any = User.objects.get(pk=key)
            reviews = user.reviews.select_related("movie").annotate(mean=models.Avg("movie__reviews__rating"))
            latest = [(review, review.movie, review.mean) for review in reviews.order_by("-creation_time")[:10]]
            found.append(films.user_view(user, latest))
        return found

    def imdb_update_movie(self) -> Any:
        found: list[str] = []
        for key in self.changed_keys():
            movie = Movie.objects.get(pk=key)
            movie.title = f"{movie.title}---{movie.pk}"
            movie.save(update_fields=["title"])
            found.append(films.updated_view(movie))
        return found

    def imdb_insert_user(self) -> Any:
        numbers = range(self.sizes.made)
        return [films.new_user_view(User.objects.create(**films.new_user(number))) for number in numbers]

    def imdb_insert_movie(self) -> Any:
        found: list[str] = []
        for number, director, cast in self.made():
            with atomic():
                movie = Movie.objects.create(**films.new_movie(number))
                people = Person.objects.in_bulk([director, *cast])
                self._credit(movie, [people[director]], [people[key] for key in cast])
            found.append(films.new_movie_view(movie, [people[director]], [people[key] for key in cast]))
        return found

    def imdb_insert_movie_plus(self) -> Any:
        found: list[str] = []
        for number in range(self.sizes.made):
            with atomic():
                movie = Movie.objects.create(**films.new_movie(number))
                people = Person.objects.bulk_create([Person(**values) for values in films.new_people(number)])
                self._credit(movie, people[:1], people[1:])
            found.append(films.new_movie_view(movie, people[:1], people[1:]))
        return found

    def _credit(self, movie: Any, directors: list[Any], cast: list[Any]) -> None:
        Director.objects.bulk_create([Director(movie=movie, person=person) for person in directors])
        Cast.objects.bulk_create([Cast(movie=movie, person=person) for person in cast])


ADAPTER = Published
