"""`Related` and `RelatedOne`: annotations that are held against the relations, and change nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import crowsfoot
from crowsfoot import models
from crowsfoot.errors import ModelError
from crowsfoot.models.related_types import misfits
from crowsfoot.testing import isolated_registry


def blog(said: dict[str, Any], **on_tag: Any) -> Any:
    """A blog whose Author has the annotations ``said``."""

    class Author(models.Model):
        __annotations__ = said

        class Meta:
            app_label = "blog"

    class Post(models.Model):
        author = models.ForeignKey(Author, models.CASCADE, related_name="posts")
        editor = models.ForeignKey(Author, models.CASCADE, related_name="+")
        readers = models.ManyToManyField(Author, related_name="read")

        class Meta:
            app_label = "blog"

    class Profile(models.Model):
        author = models.OneToOneField(Author, models.CASCADE, related_name="profile")

        class Meta:
            app_label = "blog"

    return Author


class Post:
    """A name for annotations that are objects; which class it is does not matter."""


RIGHT: list[dict[str, Any]] = [
    {"posts": 'Related["Post"]'},
    {"posts": "models.Related[Post]"},
    {"posts": "crowsfoot.models.Related['blog.models.Post']"},
    {"posts": '"models.Related[Post]"'},
    {"posts": models.Related["Post"]},
    {"posts": models.Related[Post]},
    {"read": "models.Related[Post]"},
    {"profile": "models.RelatedOne[Profile]"},
    {"profile": models.RelatedOne["Profile"]},
    {
        "age": "int",
        "names": "list[str]",
        "odd": "not Python",
        "both": "int | None",
        "nobody": "elsewhere.Relation[Post]",
    },
    {"post": "elsewhere.Thing[Post]", "posts": list[int]},
]
WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"articles": 'Related["Post"]'},
        'blog.Author.articles is annotated Related["Post"], but '
        "no relation of blog.Post has related_name='articles'. The way back of "
        "blog.Post.author is called 'posts'. The way back of blog.Post.readers is called 'read'.",
    ),
    (
        {"articles": models.Related["Post"]},
        'blog.Author.articles is annotated Related["Post"], but '
        "no relation of blog.Post has related_name='articles'. The way back of "
        "blog.Post.author is called 'posts'. The way back of blog.Post.readers is called 'read'.",
    ),
    (
        {"posts": "models.Related[Profile]"},
        'blog.Author.posts is annotated Related["Profile"], but it is the way back of blog.Post.author. '
        'Write Related["Post"].',
    ),
    (
        {"posts": "models.Related[Pots]"},
        'blog.Author.posts is annotated Related["Pots"], but it is the way back of blog.Post.author. '
        'Write Related["Post"].',
    ),
    (
        {"posts": "models.RelatedOne[Post]"},
        'blog.Author.posts is annotated RelatedOne["Post"], but blog.Post.author leads back to any number of rows. '
        'Write Related["Post"].',
    ),
    (
        {"profile": models.Related["Profile"]},
        'blog.Author.profile is annotated Related["Profile"], but blog.Profile.author leads back to one row. '
        'Write RelatedOne["Profile"].',
    ),
    (
        {"profiles": "models.Related[Profil]"},
        "blog.Author.profiles is annotated Related[\"Profil\"], but the project has no model 'Profil'. "
        "Did you mean 'Profile'? Choices are: Author, Post, Profile.",
    ),
]


@pytest.mark.parametrize("said", RIGHT, ids=str)
def test_what_is_so_may_be_said(said: dict[str, Any]) -> None:
    with isolated_registry():
        author = blog(said)
        assert misfits(author) == []
        assert author._meta.apps.problems() == []


@pytest.mark.parametrize(("said", "sentence"), WRONG, ids=[str(said) for said, _ in WRONG])
def test_what_is_not_so_is_told(said: dict[str, Any], sentence: str) -> None:
    with isolated_registry():
        author = blog(said)
        assert misfits(author) == [sentence]
        assert author._meta.apps.problems() == [sentence]


QUESTIONS: list[Callable[[Any], Any]] = [
    lambda author: author.objects.count(),
    lambda author: author.objects.filter(posts__id=1),
    lambda author: crowsfoot.create_tables(author),
]


@pytest.mark.parametrize("ask", QUESTIONS)
def test_it_is_told_before_any_sql(ask: Callable[[Any], Any]) -> None:
    crowsfoot.connect("sqlite://:memory:")
    with isolated_registry():
        author = blog({"articles": 'Related["Post"]'})
        with pytest.raises(ModelError, match=r"no relation of blog\.Post has related_name='articles'"):
            ask(author)


def test_an_annotation_of_an_abstract_model_holds_for_its_children() -> None:
    with isolated_registry():

        class Person(models.Model):
            posts: models.Related[Any]

            class Meta:
                abstract = True
                app_label = "blog"

        Person.__annotations__["posts"] = "models.Related[Post]"

        class Author(Person):
            class Meta:
                app_label = "blog"

        class Reader(Person):
            class Meta:
                app_label = "blog"

        class Post(models.Model):
            author = models.ForeignKey(Author, models.CASCADE, related_name="posts")

            class Meta:
                app_label = "blog"

        assert misfits(Author) == []
        assert misfits(Reader) == [
            "blog.Reader.posts is annotated Related[\"Post\"], but no relation of blog.Post has related_name='posts'."
        ]


def test_a_child_inherits_what_its_parent_said() -> None:
    with isolated_registry():
        author = blog({"posts": 'Related["Post"]'})

        class Columnist(author):  # type: ignore[misc, valid-type]
            posts: models.Related[Post]

            class Meta:
                app_label = "blog"

        assert misfits(Columnist) == []


def test_nothing_is_put_on_the_class() -> None:
    """The annotation makes no attribute: the relation does."""
    with isolated_registry():

        class Lonely(models.Model):
            posts: models.Related[Post]

            class Meta:
                app_label = "blog"

        assert "posts" not in vars(Lonely)
        assert not hasattr(Lonely, "posts")


def test_a_model_has_neither_manager_nor_key_that_it_does_not_declare() -> None:
    """What type checkers see in every model is not there at run time."""
    assert not hasattr(models.Model, "objects")
    assert not hasattr(models.Model, "id")
    with isolated_registry():

        class Coded(models.Model):
            code = models.CharField(max_length=3, primary_key=True)
            everyone: models.Manager[Any] = models.Manager()

            class Meta:
                app_label = "blog"

        assert not hasattr(Coded, "objects")
        assert not hasattr(Coded, "id")
        assert not hasattr(Coded(code="x"), "id")
