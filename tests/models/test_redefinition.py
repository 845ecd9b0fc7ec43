"""A model that is defined again takes the place of the first, as a module's later class does: the relations follow."""

from __future__ import annotations

from typing import Any

from crowsfoot import models
from crowsfoot.models.apps import Apps
from crowsfoot.models.attributes import install_relation
from crowsfoot.models.model import current


def blog() -> Apps:
    apps = Apps(install_relation)
    with current.use(apps):

        class Author(models.Model):
            class Meta:
                app_label = "blog"

        class Comment(models.Model):
            post = models.ForeignKey("Post", on_delete=models.CASCADE, related_name="comments")

            class Meta:
                app_label = "blog"

        class Tag(models.Model):
            class Meta:
                app_label = "blog"

        class Post(models.Model):
            author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")

            class Meta:
                app_label = "blog"

        redefine(Post, tags=models.ManyToManyField(Tag, related_name="tagged"))
    return apps


def redefine(model: Any, **fields: Any) -> Any:
    meta = type("Meta", (), {"app_label": model._meta.app_label})
    return type(models.Model)(model.__name__, (models.Model,), {"__module__": model.__module__, "Meta": meta, **fields})


def test_the_relations_of_the_first_are_gone() -> None:
    apps = blog()
    assert apps.problems() == []
    author = apps.get_model("blog.Author")
    assert not hasattr(author, "posts")
    assert "posts" not in author._meta.entity.ends


def test_relations_from_and_to_the_second_are_linked() -> None:
    apps = blog()
    post = apps.get_model("blog.Post")
    comment, tag = apps.get_model("blog.Comment"), apps.get_model("blog.Tag")
    assert comment._meta.entity.ends["post"].target is post._meta.entity
    assert hasattr(post, "comments")
    assert tag._meta.entity.ends["tagged"].target is post._meta.entity
    assert post.tags.through._meta.entity.ends["post"].target is post._meta.entity
