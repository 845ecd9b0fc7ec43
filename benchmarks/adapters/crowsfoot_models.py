"""Crowsfoot, in its users' plain words."""

from __future__ import annotations

from typing import Any

import crowsfoot
from benchmarks.adapters.base import Adapter
from crowsfoot import models


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

    def get(self) -> Any:
        return [Reading.objects.get(pk=key).name for key in range(1, self.sizes.gets + 1)]

    def flat(self) -> Any:
        return list(Reading.objects.all())

    def naive_key(self) -> Any:
        return [post.author.name for post in Post.objects.all()]

    def naive_reverse(self) -> Any:
        return [(author.name, [post.title for post in author.posts.all()]) for author in Author.objects.all()]

    def naive_links(self) -> Any:
        return [(post.title, [tag.name for tag in post.tags.all()]) for post in Post.objects.all()]


ADAPTER = Crowsfoot
