"""Django in the two published benchmarks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.db.models import Avg

from benchmarks.adapters import films
from benchmarks.adapters.django_models import Django
from benchmarks.data import LEVELS


class Published(Django):
    def open(self, url: str) -> None:
        super().open(url)
        self.bench = SimpleNamespace(**self.models)

    # -- orm-benchmarks ------------------------------------------------------------------------------------------------

    def journal_single(self) -> Any:
        for item in range(self.sizes.singly):
            self.bench.Journal.objects.create(level=LEVELS[item % 5], text=f"Insert from A, item {item}")

    def journal_batch(self) -> Any:
        with transaction.atomic():
            for item in range(self.sizes.journal):
                self.bench.Journal.objects.create(level=LEVELS[item % 5], text=f"Insert from B, item {item}")

    def journal_bulk(self) -> Any:
        journal, numbers = self.bench.Journal, range(self.sizes.journal)
        journal.objects.bulk_create([journal(level=LEVELS[i % 5], text=f"Insert from C, item {i}") for i in numbers])

    def journal_large(self) -> Any:
        return [one for level in LEVELS for one in self.bench.Journal.objects.filter(level=level)]

    def journal_small(self) -> Any:
        found: list[Any] = []
        for level, offset in self.windows():
            found += self.bench.Journal.objects.filter(level=level).order_by("id")[offset : offset + 20]
        return found

    def journal_get(self) -> Any:
        return [self.bench.Journal.objects.get(id=key) for key in self.journal_keys()]

    def journal_dicts(self) -> Any:
        return [one for level in LEVELS for one in self.bench.Journal.objects.filter(level=level).values()]

    def journal_tuples(self) -> Any:
        return [one for level in LEVELS for one in self.bench.Journal.objects.filter(level=level).values_list()]

    def journal_whole(self) -> Any:
        journals = list(self.bench.Journal.objects.all())
        with transaction.atomic():
            for journal in journals:
                journal.level = self.other(journal.level)
                journal.text = f"{journal.text} Update"
                journal.save()

    def journal_partial(self) -> Any:
        journals = list(self.bench.Journal.objects.all())
        with transaction.atomic():
            for journal in journals:
                journal.level = self.other(journal.level)
                journal.save(update_fields=["level"])

    def journal_delete(self) -> Any:
        journals = list(self.bench.Journal.objects.all())
        with transaction.atomic():
            for journal in journals:
                journal.delete()

    # -- IMDBench ------------------------------------------------------------------------------------------------------

    def imdb_get_movie(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            movie: Any = self.bench.Movie.objects.annotate(rating=Avg("reviews__rating")).get(pk=key)
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
            person: Any = self.bench.Person.objects.get(pk=key)
            rated = [
                movies.annotate(rating=Avg("reviews__rating")).order_by("year", "title")
                for movies in (person.acted_in, person.directed)
            ]
            acted_in, directed = ([(movie, movie.rating) for movie in movies] for movies in rated)
            found.append(films.person_view(person, acted_in, directed))
        return found

    def imdb_get_user(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            user: Any = self.bench.User.objects.get(pk=key)
            reviews = user.reviews.select_related("movie").annotate(mean=Avg("movie__reviews__rating"))
            latest = [(review, review.movie, review.mean) for review in reviews.order_by("-creation_time")[:10]]
            found.append(films.user_view(user, latest))
        return found

    def imdb_update_movie(self) -> Any:
        found: list[str] = []
        for key in self.changed_keys():
            movie = self.bench.Movie.objects.get(pk=key)
            movie.title = f"{movie.title}---{movie.pk}"
            movie.save(update_fields=["title"])
            found.append(films.updated_view(movie))
        return found

    def imdb_insert_user(self) -> Any:
        numbers = range(self.sizes.made)
        return [films.new_user_view(self.bench.User.objects.create(**films.new_user(number))) for number in numbers]

    def imdb_insert_movie(self) -> Any:
        found: list[str] = []
        for number, director, cast in self.made():
            with transaction.atomic():
                movie = self.bench.Movie.objects.create(**films.new_movie(number))
                people = self.bench.Person.objects.in_bulk([director, *cast])
                self._credit(movie, [people[director]], [people[key] for key in cast])
            found.append(films.new_movie_view(movie, [people[director]], [people[key] for key in cast]))
        return found

    def imdb_insert_movie_plus(self) -> Any:
        found: list[str] = []
        for number in range(self.sizes.made):
            with transaction.atomic():
                movie = self.bench.Movie.objects.create(**films.new_movie(number))
                people = self.bench.Person.objects.bulk_create(
                    [self.bench.Person(**values) for values in films.new_people(number)]
                )
                self._credit(movie, people[:1], people[1:])
            found.append(films.new_movie_view(movie, people[:1], people[1:]))
        return found

    def _credit(self, movie: Any, directors: list[Any], cast: list[Any]) -> None:
        self.bench.Director.objects.bulk_create(
            [self.bench.Director(movie=movie, person=person) for person in directors]
        )
        self.bench.Cast.objects.bulk_create([self.bench.Cast(movie=movie, person=person) for person in cast])


ADAPTER = Published
