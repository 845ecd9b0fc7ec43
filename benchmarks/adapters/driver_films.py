"""Hand-written code for IMDBench over psycopg: a query for each part of an answer, none for each row."""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks.adapters import films
from benchmarks.adapters.driver_published import Published


class Person(NamedTuple):
    id: int
    first_name: str
    middle_name: str
    last_name: str
    image: str
    bio: str


class User(NamedTuple):
    id: int
    name: str
    image: str


class Movie(NamedTuple):
    id: int
    title: str
    image: str
    year: int
    description: str


class Review(NamedTuple):
    id: int
    body: str
    rating: int


PERSON = "p.id, p.first_name, p.middle_name, p.last_name, p.image, p.bio"
MOVIE = "m.id, m.title, m.image, m.year, m.description"
MEAN = "(SELECT avg(rating) FROM bench_review WHERE movie_id = m.id)"


class Films(Published):
    def _credited(self, table: str, movie: int) -> list[Person]:
        sql = f"SELECT {PERSON} FROM {table} c JOIN bench_person p ON p.id = c.person_id WHERE c.movie_id = %s"
        return [Person(*row) for row in self.cursor.execute(f"{sql} ORDER BY c.list_order, p.last_name", (movie,))]

    def imdb_get_movie(self) -> Any:
        execute, found = self.cursor.execute, []
        for key in self.film_keys():
            *values, rating = execute(f"SELECT {MOVIE}, {MEAN} FROM bench_movie m WHERE m.id = %s", (key,)).fetchone()
            sql = (
                "SELECT r.id, r.body, r.rating, u.id, u.name, u.image FROM bench_review r "
                "JOIN bench_user u ON u.id = r.author_id WHERE r.movie_id = %s ORDER BY r.creation_time DESC"
            )
            reviews = [(Review(*row[:3]), User(*row[3:])) for row in execute(sql, (key,))]
            directors, cast = (self._credited(table, key) for table in ("bench_director", "bench_cast"))
            found.append(films.movie_view(Movie(*values), rating, directors, cast, reviews))
        return found

    def _movies(self, table: str, person: int) -> list[tuple[Movie, Any]]:
        sql = f"SELECT {MOVIE}, {MEAN} FROM {table} c JOIN bench_movie m ON m.id = c.movie_id WHERE c.person_id = %s"
        rows = self.cursor.execute(f"{sql} ORDER BY m.year, m.title", (person,))
        return [(Movie(*values), rating) for *values, rating in rows]

    def imdb_get_person(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            row = self.cursor.execute(f"SELECT {PERSON} FROM bench_person p WHERE p.id = %s", (key,)).fetchone()
            acted_in, directed = (self._movies(table, key) for table in ("bench_cast", "bench_director"))
            found.append(films.person_view(Person(*row), acted_in, directed))
        return found

    def imdb_get_user(self) -> Any:
        execute, found = self.cursor.execute, []
        for key in self.film_keys():
            user = User(*execute("SELECT id, name, image FROM bench_user WHERE id = %s", (key,)).fetchone())
            sql = (
                f"SELECT r.id, r.body, r.rating, {MOVIE}, {MEAN} FROM bench_review r "
                "JOIN bench_movie m ON m.id = r.movie_id WHERE r.author_id = %s ORDER BY r.creation_time DESC LIMIT 10"
            )
            rows = execute(sql, (key,)).fetchall()
            found.append(films.user_view(user, [(Review(*row[:3]), Movie(*row[3:8]), row[8]) for row in rows]))
        return found

    def imdb_update_movie(self) -> Any:
        execute, found = self.cursor.execute, []
        for key in self.changed_keys():
            movie = Movie(*execute(f"SELECT {MOVIE} FROM bench_movie m WHERE id = %s", (key,)).fetchone())
            movie = movie._replace(title=f"{movie.title}---{movie.id}")
            execute("UPDATE bench_movie SET title = %s WHERE id = %s", (movie.title, key))
            found.append(films.updated_view(movie))
        return found

    def imdb_insert_user(self) -> Any:
        found: list[str] = []
        sql = "INSERT INTO bench_user (name, image) VALUES (%(name)s, %(image)s) RETURNING id"
        for number in range(self.sizes.made):
            values = films.new_user(number)
            (key,) = self.cursor.execute(sql, values).fetchone()
            found.append(films.new_user_view(User(key, **values)))
        return found

    def imdb_insert_movie(self) -> Any:
        found: list[str] = []
        for number, director, cast in self.made():
            with self.connection.transaction():
                movie = self._movie(number)
                sql = f"SELECT {PERSON} FROM bench_person p WHERE p.id = ANY(%s)"
                people = {row[0]: Person(*row) for row in self.cursor.execute(sql, ([director, *cast],))}
                self._credit(movie, [people[director]], [people[key] for key in cast])
            found.append(films.new_movie_view(movie, [people[director]], [people[key] for key in cast]))
        return found

    def imdb_insert_movie_plus(self) -> Any:
        found: list[str] = []
        columns = "first_name, middle_name, last_name, image, bio"
        for number in range(self.sizes.made):
            with self.connection.transaction():
                movie = self._movie(number)
                rows = [tuple(values.values()) for values in films.new_people(number)]
                marks = ", ".join(["(%s, %s, %s, %s, %s)"] * len(rows))
                sql = f"INSERT INTO bench_person ({columns}) VALUES {marks} RETURNING id"
                keys = self.cursor.execute(sql, [value for row in rows for value in row]).fetchall()
                people = [Person(key, *row) for (key,), row in zip(keys, rows, strict=True)]
                self._credit(movie, people[:1], people[1:])
            found.append(films.new_movie_view(movie, people[:1], people[1:]))
        return found

    def _movie(self, number: int) -> Movie:
        values = films.new_movie(number)
        sql = (
            "INSERT INTO bench_movie (title, image, year, description) "
            "VALUES (%(title)s, %(image)s, %(year)s, %(description)s) RETURNING id"
        )
        (key,) = self.cursor.execute(sql, values).fetchone()
        return Movie(key, **values)

    def _credit(self, movie: Movie, directors: list[Person], cast: list[Person]) -> None:
        for table, persons in (("bench_director", directors), ("bench_cast", cast)):
            marks = ", ".join(["(%s, %s)"] * len(persons))
            values = [key for person in persons for key in (movie.id, person.id)]
            self.cursor.execute(f"INSERT INTO {table} (movie_id, person_id) VALUES {marks}", values)
