"""Crowsfoot, in its users' plain words."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import crowsfoot
from benchmarks.adapters.base import Adapter
from crowsfoot import models
from crowsfoot.transaction import atomic


class Author(models.Model):
    name = models.CharField(max_length=100)
    email = models.CharField(max_length=100)
    born = models.IntegerField()

    class Meta:
        app_label = "bench"


class Tag(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "bench"


class Post(models.Model):
    title = models.CharField(max_length=200)
    body = models.TextField()
    rank = models.IntegerField()
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")
    tags = models.ManyToManyField(Tag, related_name="posts")

    class Meta:
        app_label = "bench"


class Comment(models.Model):
    text = models.CharField(max_length=200)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments")

    class Meta:
        app_label = "bench"


class Entry(models.Model):
    name = models.CharField(max_length=100)
    place = models.CharField(max_length=100)
    level = models.IntegerField()
    weight = models.FloatField()

    class Meta:
        app_label = "bench"


class Shelf(models.Model):
    name = models.CharField(max_length=100)

    class Meta:
        app_label = "bench"


class Book(models.Model):
    title = models.CharField(max_length=100)
    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE, related_name="books")

    class Meta:
        app_label = "bench"


class Page(models.Model):
    number = models.IntegerField()
    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="pages")

    class Meta:
        app_label = "bench"


class Reading(models.Model):
    name = models.CharField(max_length=100)
    place = models.CharField(max_length=100)
    note = models.TextField()
    level = models.IntegerField()
    weight = models.FloatField()
    height = models.FloatField()
    count = models.BigIntegerField()

    class Meta:
        app_label = "bench"


class Crowsfoot(Adapter):
    def open(self, url: str) -> None:
        crowsfoot.connect(url)

    def versions(self) -> dict[str, str]:
        return {"crowsfoot": crowsfoot.__version__}

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self) -> Any:
        return [Reading.objects.get(pk=key).name for key in range(1, self.sizes.gets + 1)]

    def get_author(self) -> Any:
        posts = Post.objects.select_related("author")
        return [posts.get(pk=1 + number % self.sizes.posts).author.name for number in range(self.sizes.gets)]

    def flat(self) -> Any:
        return list(Reading.objects.all())

    def flat_one(self) -> Any:
        return [reading.name for reading in Reading.objects.all()]

    def flat_all(self) -> Any:
        readings = Reading.objects.all()
        return [(r.id, r.name, r.place, r.note, r.level, r.weight, r.height, r.count) for r in readings]

    def naive_key(self) -> Any:
        return [post.author.name for post in Post.objects.all()]

    def naive_reverse(self) -> Any:
        return [(author.name, [post.title for post in author.posts.all()]) for author in Author.objects.all()]

    def naive_links(self) -> Any:
        return [(post.title, [tag.name for tag in post.tags.all()]) for post in Post.objects.all()]

    def expert_key(self) -> Any:
        return [post.author.name for post in Post.objects.select_related("author")]

    def expert_reverse(self) -> Any:
        authors = Author.objects.prefetch_related("posts")
        return [(author.name, [post.title for post in author.posts.all()]) for author in authors]

    def expert_links(self) -> Any:
        posts = Post.objects.prefetch_related("tags")
        return [(post.title, [tag.name for tag in post.tags.all()]) for post in posts]

    def naive_tree(self) -> Any:
        return self._tree(Author.objects.all())

    def expert_tree(self) -> Any:
        return self._tree(Author.objects.prefetch_related("posts__comments"))

    def _tree(self, authors: Any) -> Any:
        return [
            (author.name, [(post.title, [c.text for c in post.comments.all()]) for post in author.posts.all()])
            for author in authors
        ]

    def json_tree(self) -> Any:
        tags = models.Prefetch("tags", Tag.objects.order_by("pk"))
        posts = models.Prefetch("posts", Post.objects.order_by("pk").prefetch_related(tags))
        authors = Author.objects.order_by("pk").prefetch_related(posts)
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
            posts = Post.objects.filter(author__born__gt=born, tags__name=tag).order_by("pk")[:5]
            found.append([post.title for post in posts])
        return found

    def counts(self) -> Any:
        return [(author.name, author.number) for author in Author.objects.annotate(number=models.Count("posts"))]

    # -- writing -------------------------------------------------------------------------------------------------------

    def insert_one(self) -> Any:
        with atomic():
            for number in range(self.sizes.entries):
                Entry.objects.create(name=f"n{number}", place="p", level=number % 7, weight=number * 0.5)

    def insert_bulk(self) -> Any:
        entries = [Entry(name=f"n{n}", place="p", level=n % 7, weight=n * 0.5) for n in range(self.sizes.bulk)]
        Entry.objects.bulk_create(entries)
        first = min(entry.pk for entry in entries)
        return [entry.pk - first for entry in entries]

    def link_one(self) -> Any:
        posts = list(Post.objects.filter(rank=0))
        with atomic():
            for number, post in enumerate(posts):
                post.tags.add(1 + number % self.sizes.tags)

    def link_bulk(self) -> Any:
        posts, tags = list(Post.objects.filter(rank=0).order_by("pk")[:20]), list(Tag.objects.all())
        with atomic():
            for post in posts:
                post.tags.add(*tags)

    def update(self) -> Any:
        entries = list(Entry.objects.all())
        with atomic():
            for entry in entries:
                entry.level += 1
                entry.save(update_fields=["level"])

    def delete_each(self) -> Any:
        shelves = list(Shelf.objects.all())
        with atomic():
            for shelf in shelves:
                shelf.delete()

    def delete_all(self) -> Any:
        Shelf.objects.all().delete()

    # -- many at once --------------------------------------------------------------------------------------------------

    async def tasks(self) -> Any:
        names: list[str] = []

        async def work(start: int) -> None:
            for step in range(16):
                reading = await Reading.objects.aget(pk=1 + (start * 16 + step) % self.sizes.readings)
                names.append(reading.name)

        await asyncio.gather(*map(work, range(self.sizes.tasks)))
        return names


ADAPTER = Crowsfoot
