"""SQLAlchemy's ORM: declarative, a session for each workload, loader options for the expert walks."""

from __future__ import annotations

import asyncio
import json
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship, selectinload

from benchmarks.adapters.base import Adapter


class Base(DeclarativeBase):
    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


links = sa.Table(
    "bench_post_tags",
    Base.metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("post_id", sa.ForeignKey("bench_post.id", ondelete="CASCADE")),
    sa.Column("tag_id", sa.ForeignKey("bench_tag.id", ondelete="CASCADE")),
)


class Author(Base):
    __tablename__ = "bench_author"
    name: Mapped[str]
    email: Mapped[str]
    born: Mapped[int]
    posts: Mapped[list[Post]] = relationship(back_populates="author")


class Tag(Base):
    __tablename__ = "bench_tag"
    name: Mapped[str]


class Post(Base):
    __tablename__ = "bench_post"
    title: Mapped[str]
    body: Mapped[str]
    rank: Mapped[int]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("bench_author.id", ondelete="CASCADE"))
    author: Mapped[Author] = relationship(back_populates="posts")
    tags: Mapped[list[Tag]] = relationship(secondary=links)
    comments: Mapped[list[Comment]] = relationship()


class Comment(Base):
    __tablename__ = "bench_comment"
    text: Mapped[str]
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("bench_post.id", ondelete="CASCADE"))


class Entry(Base):
    __tablename__ = "bench_entry"
    name: Mapped[str]
    place: Mapped[str]
    level: Mapped[int]
    weight: Mapped[float]


class Shelf(Base):
    __tablename__ = "bench_shelf"
    name: Mapped[str]
    books: Mapped[list[Book]] = relationship(passive_deletes=True, cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = "bench_book"
    title: Mapped[str]
    shelf_id: Mapped[int] = mapped_column(sa.ForeignKey("bench_shelf.id", ondelete="CASCADE"))


class Reading(Base):
    __tablename__ = "bench_reading"
    name: Mapped[str]
    place: Mapped[str]
    note: Mapped[str]
    level: Mapped[int]
    weight: Mapped[float]
    height: Mapped[float]
    count: Mapped[int] = mapped_column(sa.BigInteger)


class SQLAlchemy(Adapter):
    def open(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self.engine = sa.create_engine(url if self.is_sqlite else url.replace("postgresql:", "postgresql+psycopg:"))
        if self.is_sqlite:
            event.listen(self.engine, "connect", prepare)
        self.later = (
            None
            if self.is_sqlite
            else create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"), pool_size=10, max_overflow=0)
        )

    def versions(self) -> dict[str, str]:
        return {"sqlalchemy": sa.__version__}

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self) -> Any:
        with Session(self.engine) as session:
            return [session.get_one(Reading, key).name for key in range(1, self.sizes.gets + 1)]

    def get_author(self) -> Any:
        query = select(Post).options(joinedload(Post.author))
        found: list[str] = []
        for number in range(self.sizes.gets):
            with Session(self.engine) as session:
                post = session.scalars(query.where(Post.id == 1 + number % self.sizes.posts)).one()
                found.append(post.author.name)
        return found

    def flat(self) -> Any:
        with Session(self.engine, expire_on_commit=False) as session:
            return session.scalars(select(Reading)).all()

    def flat_one(self) -> Any:
        return [reading.name for reading in self.flat()]

    def flat_all(self) -> Any:
        return [(r.id, r.name, r.place, r.note, r.level, r.weight, r.height, r.count) for r in self.flat()]

    def naive_key(self) -> Any:
        return self._key(select(Post))

    def naive_reverse(self) -> Any:
        return self._reverse(select(Author))

    def naive_links(self) -> Any:
        return self._links(select(Post))

    def expert_key(self) -> Any:
        return self._key(select(Post).options(joinedload(Post.author)))

    def expert_reverse(self) -> Any:
        return self._reverse(select(Author).options(selectinload(Author.posts)))

    def expert_links(self) -> Any:
        return self._links(select(Post).options(selectinload(Post.tags)))

    def naive_tree(self) -> Any:
        return self._tree(select(Author))

    def expert_tree(self) -> Any:
        return self._tree(select(Author).options(selectinload(Author.posts).selectinload(Post.comments)))

    def _key(self, query: Any) -> Any:
        with Session(self.engine) as session:
            return [post.author.name for post in session.scalars(query).all()]

    def _reverse(self, query: Any) -> Any:
        with Session(self.engine) as session:
            return [(author.name, [post.title for post in author.posts]) for author in session.scalars(query).all()]

    def _links(self, query: Any) -> Any:
        with Session(self.engine) as session:
            return [(post.title, [tag.name for tag in post.tags]) for post in session.scalars(query).all()]

    def _tree(self, query: Any) -> Any:
        with Session(self.engine) as session:
            return [
                (author.name, [(post.title, [c.text for c in post.comments]) for post in author.posts])
                for author in session.scalars(query).all()
            ]

    def json_tree(self) -> Any:
        query = select(Author).order_by(Author.id).options(selectinload(Author.posts).selectinload(Post.tags))
        with Session(self.engine) as session:
            return json.dumps(
                [
                    {
                        "id": author.id,
                        "name": author.name,
                        "posts": [
                            {
                                "title": post.title,
                                "rank": post.rank,
                                "tags": [tag.name for tag in sorted(post.tags, key=by_key)],
                            }
                            for post in sorted(author.posts, key=by_key)
                        ],
                    }
                    for author in session.scalars(query)
                ]
            )

    def filter_two(self) -> Any:
        found: list[list[str]] = []
        base = select(Post).join(Post.author).join(Post.tags).order_by(Post.id).limit(5)
        for number in range(self.sizes.filters):
            born, tag = 1900 + number % 90, f"tag {1 + number % self.sizes.tags}"
            with Session(self.engine) as session:
                posts = session.scalars(base.where(Author.born > born, Tag.name == tag))
                found.append([post.title for post in posts])
        return found

    def counts(self) -> Any:
        query = select(Author, func.count(Post.id)).outerjoin(Author.posts).group_by(Author.id)
        with Session(self.engine) as session:
            return [(author.name, number) for author, number in session.execute(query)]

    # -- writing -------------------------------------------------------------------------------------------------------

    def insert_one(self) -> Any:
        with Session(self.engine) as session, session.begin():
            for number in range(self.sizes.entries):
                session.add(Entry(name=f"n{number}", place="p", level=number % 7, weight=number * 0.5))
                session.flush()

    def insert_bulk(self) -> Any:
        entries = [Entry(name=f"n{n}", place="p", level=n % 7, weight=n * 0.5) for n in range(self.sizes.bulk)]
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.add_all(entries)
        first = min(entry.id for entry in entries)
        return [entry.id - first for entry in entries]

    def link_one(self) -> Any:
        with Session(self.engine) as session, session.begin():
            posts = session.scalars(select(Post).where(Post.rank == 0)).all()
            for number, post in enumerate(posts):
                self._link(session, [{"post_id": post.id, "tag_id": 1 + number % self.sizes.tags}])

    def link_bulk(self) -> Any:
        with Session(self.engine) as session, session.begin():
            posts = session.scalars(select(Post).where(Post.rank == 0).order_by(Post.id).limit(20)).all()
            tags = session.scalars(select(Tag)).all()
            for post in posts:
                self._link(session, [{"post_id": post.id, "tag_id": tag.id} for tag in tags])

    def _link(self, session: Session, rows: list[dict[str, int]]) -> None:
        dialect: Any = sqlite if self.is_sqlite else postgresql
        session.execute(dialect.insert(links).values(rows).on_conflict_do_nothing())

    def update(self) -> Any:
        with Session(self.engine) as session, session.begin():
            for entry in session.scalars(select(Entry)).all():
                entry.level += 1

    def delete_each(self) -> Any:
        with Session(self.engine) as session, session.begin():
            for shelf in session.scalars(select(Shelf)).all():
                session.delete(shelf)

    def delete_all(self) -> Any:
        with Session(self.engine) as session, session.begin():
            session.execute(sa.delete(Shelf))

    # -- many at once --------------------------------------------------------------------------------------------------

    async def tasks(self) -> Any:
        assert self.later is not None
        names: list[str] = []

        async def work(start: int) -> None:
            for step in range(16):
                async with AsyncSession(self.later) as session:
                    reading = await session.get_one(Reading, 1 + (start * 16 + step) % self.sizes.readings)
                    names.append(reading.name)

        await asyncio.gather(*map(work, range(self.sizes.tasks)))
        return names


def prepare(connection: Any, record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


by_key = attrgetter("id")

ADAPTER = SQLAlchemy
