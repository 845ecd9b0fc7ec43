"""SQLAlchemy's ORM in the two published benchmarks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from benchmarks.adapters import films
from benchmarks.adapters.sqlalchemy_orm import Base, SQLAlchemy
from benchmarks.data import LEVELS


class Journal(Base):
    __tablename__ = "bench_journal"
    timestamp: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), default=lambda: datetime.now(UTC))
    level: Mapped[int] = mapped_column(sa.SmallInteger, index=True)
    text: Mapped[str] = mapped_column(index=True)


class Person(Base):
    __tablename__ = "bench_person"
    first_name: Mapped[str]
    middle_name: Mapped[str]
    last_name: Mapped[str]
    image: Mapped[str]
    bio: Mapped[str]


class User(Base):
    __tablename__ = "bench_user"
    name: Mapped[str]
    image: Mapped[str]


class Movie(Base):
    __tablename__ = "bench_movie"
    title: Mapped[str]
    image: Mapped[str]
    year: Mapped[int]
    description: Mapped[str]
    reviews: Mapped[list[Review]] = relationship(back_populates="movie")


class Director(Base):
    __tablename__ = "bench_director"
    list_order: Mapped[int | None]
    movie_id: Mapped[int] = mapped_column(sa.ForeignKey("bench_movie.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("bench_person.id", ondelete="CASCADE"))
    movie: Mapped[Movie] = relationship()
    person: Mapped[Person] = relationship()


class Cast(Base):
    __tablename__ = "bench_cast"
    list_order: Mapped[int | None]
    movie_id: Mapped[int] = mapped_column(sa.ForeignKey("bench_movie.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("bench_person.id", ondelete="CASCADE"))
    movie: Mapped[Movie] = relationship()
    person: Mapped[Person] = relationship()


class Review(Base):
    __tablename__ = "bench_review"
    body: Mapped[str]
    rating: Mapped[int]
    creation_time: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    movie_id: Mapped[int] = mapped_column(sa.ForeignKey("bench_movie.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("bench_user.id", ondelete="CASCADE"))
    movie: Mapped[Movie] = relationship(back_populates="reviews")
    author: Mapped[User] = relationship()


MEAN = select(func.avg(Review.rating)).where(Review.movie_id == Movie.id).correlate(Movie).scalar_subquery()


class Published(SQLAlchemy):
    # -- orm-benchmarks ------------------------------------------------------------------------------------------------

    def journal_single(self) -> Any:
        with Session(self.engine) as session:
            for item in range(self.sizes.singly):
                session.add(Journal(level=LEVELS[item % 5], text=f"Insert from A, item {item}"))
                session.commit()

    def journal_batch(self) -> Any:
        with Session(self.engine) as session, session.begin():
            for item in range(self.sizes.journal):
                session.add(Journal(level=LEVELS[item % 5], text=f"Insert from B, item {item}"))
                session.flush()

    def journal_bulk(self) -> Any:
        numbers = range(self.sizes.journal)
        with Session(self.engine) as session, session.begin():
            session.add_all([Journal(level=LEVELS[i % 5], text=f"Insert from C, item {i}") for i in numbers])

    def journal_large(self) -> Any:
        with Session(self.engine) as session:
            return [one for level in LEVELS for one in session.scalars(select(Journal).where(Journal.level == level))]

    def journal_small(self) -> Any:
        found: list[Journal] = []
        with Session(self.engine) as session:
            for level, offset in self.windows():
                query = select(Journal).where(Journal.level == level).order_by(Journal.id).limit(20).offset(offset)
                found += session.scalars(query)
        return found

    def journal_get(self) -> Any:
        with Session(self.engine) as session:
            return [session.get_one(Journal, key) for key in self.journal_keys()]

    def journal_dicts(self) -> Any:
        query = select(Journal.id, Journal.timestamp, Journal.level, Journal.text)
        with Session(self.engine) as session:
            found = (session.execute(query.where(Journal.level == level)).mappings() for level in LEVELS)
            return [dict(one) for rows in found for one in rows]

    def journal_tuples(self) -> Any:
        query = select(Journal.id, Journal.timestamp, Journal.level, Journal.text)
        with Session(self.engine) as session:
            return [tuple(one) for level in LEVELS for one in session.execute(query.where(Journal.level == level))]

    def journal_whole(self) -> Any:
        with Session(self.engine) as session, session.begin():
            for journal in session.scalars(select(Journal)).all():
                journal.level = self.other(journal.level)
                journal.text = f"{journal.text} Update"

    def journal_partial(self) -> Any:
        with Session(self.engine) as session, session.begin():
            for journal in session.scalars(select(Journal)).all():
                journal.level = self.other(journal.level)

    def journal_delete(self) -> Any:
        with Session(self.engine) as session, session.begin():
            for journal in session.scalars(select(Journal)).all():
                session.delete(journal)

    # -- IMDBench ------------------------------------------------------------------------------------------------------

    def imdb_get_movie(self) -> Any:
        return [self._get_movie(key) for key in self.film_keys()]

    def _get_movie(self, key: int) -> str:
        with Session(self.engine) as session:
            movie, rating = session.execute(select(Movie, MEAN).where(Movie.id == key)).one()
            directors, cast = (
                session.scalars(
                    select(Person)
                    .join(link, link.person_id == Person.id)
                    .where(link.movie_id == key)
                    .order_by(link.list_order, Person.last_name)
                ).all()
                for link in (Director, Cast)
            )
            reviews = session.scalars(
                select(Review)
                .where(Review.movie_id == key)
                .order_by(Review.creation_time.desc())
                .options(joinedload(Review.author, innerjoin=True))
            ).all()
            return films.movie_view(movie, rating, directors, cast, [(review, review.author) for review in reviews])

    def imdb_get_person(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            with Session(self.engine) as session:
                person = session.get_one(Person, key)
                acted_in, directed = (
                    [
                        (movie, rating)
                        for movie, rating in session.execute(
                            select(Movie, MEAN)
                            .join(link, link.movie_id == Movie.id)
                            .where(link.person_id == key)
                            .order_by(Movie.year, Movie.title)
                        )
                    ]
                    for link in (Cast, Director)
                )
                found.append(films.person_view(person, acted_in, directed))
        return found

    def imdb_get_user(self) -> Any:
        found: list[str] = []
        for key in self.film_keys():
            with Session(self.engine) as session:
                user = session.get_one(User, key)
                query = select(Review, Movie, MEAN).join(Review.movie).where(Review.author_id == key)
                rows = session.execute(query.order_by(Review.creation_time.desc()).limit(10))
                found.append(films.user_view(user, [(review, movie, rating) for review, movie, rating in rows]))
        return found

    def imdb_update_movie(self) -> Any:
        found: list[str] = []
        for key in self.changed_keys():
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                movie = session.get_one(Movie, key)
                movie.title = f"{movie.title}---{movie.id}"
            found.append(films.updated_view(movie))
        return found

    def imdb_insert_user(self) -> Any:
        found: list[str] = []
        for number in range(self.sizes.made):
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                session.add(user := User(**films.new_user(number)))
            found.append(films.new_user_view(user))
        return found

    def imdb_insert_movie(self) -> Any:
        found: list[str] = []
        for number, director, keys in self.made():
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                rows = session.scalars(select(Person).where(Person.id.in_([director, *keys])))
                people = {person.id: person for person in rows}
                cast = [people[key] for key in keys]
                movie = self._credited(session, number, [people[director]], cast)
            found.append(films.new_movie_view(movie, [people[director]], cast))
        return found

    def imdb_insert_movie_plus(self) -> Any:
        found: list[str] = []
        for number in range(self.sizes.made):
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                people = [Person(**values) for values in films.new_people(number)]
                movie = self._credited(session, number, people[:1], people[1:])
            found.append(films.new_movie_view(movie, people[:1], people[1:]))
        return found

    def _credited(self, session: Session, number: int, directors: list[Person], cast: list[Person]) -> Movie:
        movie = Movie(**films.new_movie(number))
        session.add(movie)
        session.add_all(Director(movie=movie, person=person) for person in directors)
        session.add_all(Cast(movie=movie, person=person) for person in cast)
        return movie


ADAPTER = Published
