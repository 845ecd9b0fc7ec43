"""Django, as its documentation advises; the expert walks are those that Crowsfoot's users write too."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import django
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Prefetch

from benchmarks.adapters.base import Adapter


def configure(url: str) -> None:
    """Settings for one database, before any model is declared."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        options = {"init_command": "PRAGMA synchronous = NORMAL", "transaction_mode": "IMMEDIATE"}
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": url.removeprefix("sqlite:///"), "OPTIONS": options}
    else:
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "HOST": parts.hostname,
            "PORT": parts.port or 5432,
            "USER": parts.username,
            "PASSWORD": parts.password or "",
            "CONN_MAX_AGE": None,
        }
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["benchmarks.adapters.django_app"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


class Django(Adapter):
    def open(self, url: str) -> None:
        configure(url)
        self.models = {model.__name__: model for model in apps.get_models()}
        connection.ensure_connection()

    def versions(self) -> dict[str, str]:
        return {"django": django.__version__}

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self) -> Any:
        readings = self.models["Reading"].objects
        return [readings.get(pk=key).name for key in range(1, self.sizes.gets + 1)]

    def get_author(self) -> Any:
        posts = self.models["Post"].objects.select_related("author")
        return [posts.get(pk=1 + number % self.sizes.posts).author.name for number in range(self.sizes.gets)]

    def flat(self) -> Any:
        return list(self.models["Reading"].objects.all())

    def flat_one(self) -> Any:
        return [reading.name for reading in self.models["Reading"].objects.all()]

    def flat_all(self) -> Any:
        readings = self.models["Reading"].objects.all()
        return [(r.id, r.name, r.place, r.note, r.level, r.weight, r.height, r.count) for r in readings]

    def naive_key(self) -> Any:
        return [post.author.name for post in self.models["Post"].objects.all()]

    def naive_reverse(self) -> Any:
        return self._reverse(self.models["Author"].objects.all())

    def naive_links(self) -> Any:
        return self._links(self.models["Post"].objects.all())

    def expert_key(self) -> Any:
        return [post.author.name for post in self.models["Post"].objects.select_related("author")]

    def expert_reverse(self) -> Any:
        return self._reverse(self.models["Author"].objects.prefetch_related("posts"))

    def expert_links(self) -> Any:
        return self._links(self.models["Post"].objects.prefetch_related("tags"))

    def naive_tree(self) -> Any:
        return self._tree(self.models["Author"].objects.all())

    def expert_tree(self) -> Any:
        return self._tree(self.models["Author"].objects.prefetch_related("posts__comments"))

    def _reverse(self, authors: Any) -> Any:
        return [(author.name, [post.title for post in author.posts.all()]) for author in authors]

    def _links(self, posts: Any) -> Any:
        return [(post.title, [tag.name for tag in post.tags.all()]) for post in posts]

    def _tree(self, authors: Any) -> Any:
        return [
            (author.name, [(post.title, [c.text for c in post.comments.all()]) for post in author.posts.all()])
            for author in authors
        ]

    def json_tree(self) -> Any:
        tags = Prefetch("tags", self.models["Tag"].objects.order_by("pk"))
        posts = Prefetch("posts", self.models["Post"].objects.order_by("pk").prefetch_related(tags))
        authors = self.models["Author"].objects.order_by("pk").prefetch_related(posts)
        return json.dumps(
            [
                {
                    "id": author.id,
                    "name": author.name,
                    "posts": [
                        {"title": post.title, "rank": post.rank, "tags": [tag.name for tag in post.tags.all()]}
                        for post in author.posts.all()
                    ],
                }
                for author in authors
            ]
        )

    def filter_two(self) -> Any:
        found: list[list[str]] = []
        for number in range(self.sizes.filters):
            born, tag = 1900 + number % 90, f"tag {1 + number % self.sizes.tags}"
            posts = self.models["Post"].objects.filter(author__born__gt=born, tags__name=tag).order_by("pk")[:5]
            found.append([post.title for post in posts])
        return found

    def counts(self) -> Any:
        authors = self.models["Author"].objects.annotate(number=Count("posts"))
        return [(author.name, author.number) for author in authors]

    # -- writing -------------------------------------------------------------------------------------------------------

    def insert_one(self) -> Any:
        with transaction.atomic():
            for number in range(self.sizes.entries):
                self.models["Entry"].objects.create(name=f"n{number}", place="p", level=number % 7, weight=number * 0.5)

    def insert_bulk(self) -> Any:
        entry = self.models["Entry"]
        entries = [entry(name=f"n{n}", place="p", level=n % 7, weight=n * 0.5) for n in range(self.sizes.bulk)]
        entry.objects.bulk_create(entries)
        first = min(entry.pk for entry in entries)
        return [entry.pk - first for entry in entries]

    def link_one(self) -> Any:
        posts = list(self.models["Post"].objects.filter(rank=0))
        with transaction.atomic():
            for number, post in enumerate(posts):
                post.tags.add(1 + number % self.sizes.tags)

    def link_bulk(self) -> Any:
        posts = list(self.models["Post"].objects.filter(rank=0).order_by("pk")[:20])
        tags = list(self.models["Tag"].objects.all())
        with transaction.atomic():
            for post in posts:
                post.tags.add(*tags)

    def update(self) -> Any:
        entries = list(self.models["Entry"].objects.all())
        with transaction.atomic():
            for entry in entries:
                entry.level += 1
                entry.save(update_fields=["level"])

    def delete_each(self) -> Any:
        shelves = list(self.models["Shelf"].objects.all())
        with transaction.atomic():
            for shelf in shelves:
                shelf.delete()

    def delete_all(self) -> Any:
        self.models["Shelf"].objects.all().delete()

    # -- many at once --------------------------------------------------------------------------------------------------

    async def tasks(self) -> Any:
        names: list[str] = []

        async def work(start: int) -> None:
            for step in range(16):
                key = 1 + (start * 16 + step) % self.sizes.readings
                names.append((await self.models["Reading"].objects.aget(pk=key)).name)

        await asyncio.gather(*map(work, range(self.sizes.tasks)))
        return names


ADAPTER = Django
