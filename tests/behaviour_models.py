"""The models of the behaviour tests: each kind of relation once."""

from __future__ import annotations

from typing import Any

from crowsfoot import models


class Author(models.Model):
    name = models.CharField(max_length=100, unique=True)
    age = models.IntegerField(null=True)

    class Meta:
        app_label = "behaviour"

    def __str__(self) -> str:
        return str(self.name)


class Profile(models.Model):
    author: Any = models.OneToOneField(Author, on_delete=models.CASCADE, related_name="profile")
    motto = models.CharField(max_length=100, default="")

    class Meta:
        app_label = "behaviour"


class Tag(models.Model):
    name = models.CharField(max_length=50, unique=True)

    class Meta:
        app_label = "behaviour"

    def __str__(self) -> str:
        return str(self.name)


class Post(models.Model):
    title = models.CharField(max_length=200)
    rank = models.IntegerField(default=0)
    author: Any = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")
    editor: Any = models.ForeignKey(Author, on_delete=models.SET_NULL, null=True, related_name="edited")
    tags: Any = models.ManyToManyField(Tag, related_name="posts")

    class Meta:
        app_label = "behaviour"
        get_latest_by = "rank"

    def __str__(self) -> str:
        return str(self.title)


class Chapter(models.Model):
    post: Any = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="chapters")
    title = models.CharField(max_length=200)

    class Meta:
        app_label = "behaviour"
        order_with_respect_to = "post"


class Page(models.Model):
    """A model with a ``save()`` of its own."""

    post: Any = models.ForeignKey(Post, on_delete=models.CASCADE, null=True, related_name="pages")
    title = models.CharField(max_length=200)
    slug = models.CharField(max_length=200)

    class Meta:
        app_label = "behaviour"

    def save(self, **options: Any) -> None:
        self.slug = self.title.lower()
        super().save(**options)

    async def asave(self, **options: Any) -> None:
        self.slug = self.title.lower()
        await super().asave(**options)


class Draft(models.Model):
    """A model with a ``save()`` of its own, and nothing for async code."""

    title = models.CharField(max_length=200)

    class Meta:
        app_label = "behaviour"

    def save(self, **options: Any) -> None:
        self.title = self.title.strip()
        super().save(**options)


class Document(models.Model):
    file = models.FileField(upload_to="documents", unique=True)

    class Meta:
        app_label = "behaviour"


class Absent(models.Model):
    """A model whose table is never made."""

    name = models.CharField(max_length=10)

    class Meta:
        app_label = "behaviour"


TABLES = (Author, Profile, Tag, Post, Chapter, Page, Draft, Document)
