"""Mistakes in relations: each is a sentence that says what to write instead, raised before any SQL is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import crowsfoot
from crowsfoot import models
from crowsfoot.database import databases
from crowsfoot.errors import ModelError
from crowsfoot.models.apps import Apps
from crowsfoot.models.attributes import install_relation
from crowsfoot.models.model import current


@pytest.fixture
def silent() -> Iterator[list[str]]:
    """A database that must not be asked anything: the statements that reached it."""
    sent: list[str] = []
    database = crowsfoot.connect("sqlite://:memory:", "silent")
    with current.use(Apps(install_relation)), database.watched(lambda sql, params: sent.append(sql)):
        yield sent
    database.close()
    del databases["silent"]


class Base(models.Model):
    class Meta:
        app_label = "errors"
        abstract = True


def model(name: str, /, **attributes: Any) -> Any:
    return type(models.Model)(name, (Base,), {"__module__": __name__, **attributes})


def no_on_delete() -> Any:
    model("Author")
    return model("Post", author=models.ForeignKey("Author"))


def no_on_delete_one_to_one() -> Any:
    model("User")
    return model("Profile", user=models.OneToOneField("User"))


def set_null_without_null() -> Any:
    model("Author")
    return model("Post", author=models.ForeignKey("Author", on_delete=models.SET_NULL))


def db_set_null_without_null() -> Any:
    model("Author")
    return model("Post", author=models.ForeignKey("Author", on_delete=models.DB_SET_NULL))


def set_default_without_default() -> Any:
    model("Author")
    return model("Post", author=models.ForeignKey("Author", on_delete=models.SET_DEFAULT))


def many_to_many_with_on_delete() -> Any:
    model("Tag")
    return model("Post", tags=models.ManyToManyField("Tag", on_delete=models.CASCADE))


def unknown_target() -> Any:
    model("Author")
    return model("Post", author=models.ForeignKey("Autor", on_delete=models.CASCADE))


def clashing_reverse_names() -> Any:
    model("Author")
    return model(
        "Post",
        author=models.ForeignKey("Author", on_delete=models.CASCADE, related_name="posts"),
        editor=models.ForeignKey("Author", on_delete=models.CASCADE, related_name="posts"),
    )


def clashing_default_names() -> Any:
    model("Author")
    return model(
        "Post",
        author=models.ForeignKey("Author", on_delete=models.CASCADE),
        editor=models.ForeignKey("Author", on_delete=models.CASCADE),
    )


def reverse_name_of_a_field() -> Any:
    model("Author", posts=models.IntegerField())
    return model("Post", author=models.ForeignKey("Author", on_delete=models.CASCADE, related_name="posts"))


def to_field_not_unique() -> Any:
    model("Author", name=models.CharField(max_length=10))
    return model("Post", author=models.ForeignKey("Author", on_delete=models.CASCADE, to_field="name"))


def to_field_unknown() -> Any:
    model("Author", name=models.CharField(max_length=10, unique=True))
    return model("Post", author=models.ForeignKey("Author", on_delete=models.CASCADE, to_field="nmae"))


def through_unknown() -> Any:
    model("Tag")
    return model("Post", tags=models.ManyToManyField("Tag", through="Taging"))


def through_without_a_key() -> Any:
    model("Tag")
    post = model("Post", tags=models.ManyToManyField("Tag", through="Tagging"))
    model("Tagging", post=models.ForeignKey("Post", on_delete=models.CASCADE))
    return post


def through_ambiguous() -> Any:
    model("Tag")
    post = model("Post", tags=models.ManyToManyField("Tag", through="Tagging"))
    model(
        "Tagging",
        post=models.ForeignKey("Post", on_delete=models.CASCADE),
        tag=models.ForeignKey("Tag", on_delete=models.CASCADE, related_name="+"),
        other=models.ForeignKey("Tag", on_delete=models.CASCADE, related_name="+"),
    )
    return post


MISTAKES: list[tuple[Callable[[], Any], list[str]]] = [
    (no_on_delete, ["errors.Post.author", "on_delete=models.CASCADE", "PROTECT", "null=True"]),
    (no_on_delete_one_to_one, ["errors.Profile.user", "on_delete=models.CASCADE"]),
    (set_null_without_null, ["errors.Post.author", "SET_NULL", "Add null=True"]),
    (db_set_null_without_null, ["errors.Post.author", "DB_SET_NULL", "Add null=True"]),
    (set_default_without_default, ["errors.Post.author", "SET_DEFAULT", "Add default="]),
    (many_to_many_with_on_delete, ["errors.Post.tags", "takes no on_delete", "through model"]),
    (unknown_target, ["errors.Post.author", "'errors.autor'", "Did you mean 'errors.Author'?"]),
    (clashing_reverse_names, ["'posts'", "errors.Post.editor", "errors.Post.author", "related_name="]),
    (clashing_default_names, ["'post_set'", "errors.Post.editor", "related_name='editor_posts'"]),
    (reverse_name_of_a_field, ["'posts'", "the field errors.Author.posts", "related_name="]),
    (to_field_not_unique, ["errors.Post.author", "errors.Author.name", "Add unique=True"]),
    (to_field_unknown, ["errors.Post.author", "'nmae'", "'name'"]),
    (through_unknown, ["errors.Post.tags", "'Taging'"]),
    (through_without_a_key, ["errors.Post.tags", "errors.Tagging", "one foreign key to errors.Post and one to Tag"]),
    (through_ambiguous, ["errors.Post.tags", "errors.Tagging", "tag, other", "through_fields=('tag'"]),
]


@pytest.mark.parametrize(("mistake", "words"), MISTAKES, ids=[m.__name__ for m, _ in MISTAKES])
def test_a_mistake_is_told_before_any_sql(mistake: Callable[[], Any], words: list[str], silent: list[str]) -> None:
    wrong = mistake()
    with pytest.raises(ModelError) as told:
        wrong.objects.using("silent").count()
    for word in words:
        assert word in str(told.value)
    with pytest.raises(ModelError):
        crowsfoot.create_tables(wrong, using="silent")
    assert silent == []


def test_what_is_no_rule_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match=r"models\.CASCADE, PROTECT or SET_NULL, not 'cascade'"):
        models.ForeignKey("Author", on_delete="cascade")


def test_all_mistakes_are_told_together(silent: list[str]) -> None:
    model("Author")
    post = model(
        "Post",
        author=models.ForeignKey("Author"),
        editor=models.ForeignKey("Author", on_delete=models.SET_NULL, related_name="+"),
        tags=models.ManyToManyField("Tga", on_delete=models.CASCADE),
    )
    with pytest.raises(ModelError) as told:
        post.objects.using("silent").count()
    assert len(told.value.problems) == 4
    assert all("errors.Post." in problem for problem in told.value.problems)
    assert silent == []


def test_a_model_beside_the_mistake_works(silent: list[str]) -> None:
    good = model("Note", text=models.TextField())
    unknown_target()
    crowsfoot.create_tables(good, using="silent")
    assert good.objects.using("silent").count() == 0


def test_a_target_may_come_later() -> None:
    with current.use(Apps(install_relation)) as apps:
        post = model("Post", author=models.ForeignKey("errors.Author", on_delete=models.CASCADE, related_name="posts"))
        assert apps.registry.pending
        author = model("Author")
        assert not apps.registry.pending
        assert post._meta.get_field("author").related_model is author
        assert author.posts.field is post._meta.get_field("author")
