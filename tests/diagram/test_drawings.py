"""Drawings to the letter: the blog, and each shape of relation."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import pytest

from crowsfoot import models
from crowsfoot.diagram import legend, to_mermaid, to_text
from crowsfoot.errors import ModelError
from crowsfoot.testing import isolated_registry


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    with isolated_registry():
        yield


def blog() -> list[Any]:
    class Author(models.Model):
        name = models.CharField(max_length=100)

    class Tag(models.Model):
        name = models.CharField(max_length=50)

    class Post(models.Model):
        title = models.CharField(max_length=200)
        author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")
        tags = models.ManyToManyField(Tag, related_name="posts")

    class User(models.Model):
        username = models.CharField(max_length=150, unique=True)

    class Profile(models.Model):
        user = models.OneToOneField(User, on_delete=models.CASCADE)
        bio = models.TextField(blank=True)

    return [Author, Post, Tag, User, Profile]


def drawn(text: str) -> str:
    return dedent(text).removeprefix("\n")


@pytest.mark.capability(123)
def test_the_blog() -> None:
    assert to_text(blog()) == drawn(BLOG)


def test_the_blog_in_plain_characters() -> None:
    assert to_text(blog()[3:], ascii=True) == drawn(USERS_IN_ASCII)


def test_the_blog_where_there_is_little_room() -> None:
    assert to_text(blog()[:3], 60) == drawn(NARROW_BLOG)


def test_drawings_stand_side_by_side_where_there_is_room() -> None:
    first, *_ = to_text(blog(), 200).splitlines()
    assert first.count("┌") == 5


def test_relations_to_models_that_are_not_drawn_are_left_out() -> None:
    _, post, *_ = blog()
    assert to_text([post]) == drawn("""
        ┌───────────────┐
        │ Post          │
        ├───────────────┤
        │ id         PK │
        │ title         │
        │ author_id  FK │
        └───────────────┘
        """)


def test_no_models_make_no_drawing() -> None:
    assert to_text([]) == ""
    assert to_mermaid([]) == "erDiagram\n"


def test_a_relation_to_oneself_and_one_that_may_be_empty() -> None:
    class Category(models.Model):
        parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
        similar = models.ManyToManyField("self")

    assert to_text([Category]) == drawn(CATEGORY)


def test_a_one_to_one_that_may_be_empty() -> None:
    class Seat(models.Model):
        row = models.IntegerField()

    class Guest(models.Model):
        seat = models.OneToOneField(Seat, null=True, on_delete=models.PROTECT)

    assert to_text([Seat, Guest]) == drawn(GUEST)


def membership(**fields: Any) -> tuple[Any, Any, Any]:
    class Person(models.Model):
        name = models.CharField(max_length=50)

    class Group(models.Model):
        members = models.ManyToManyField(Person, through="Membership")

    keys = {
        "person": models.ForeignKey(Person, on_delete=models.CASCADE),
        "group": models.ForeignKey(Group, on_delete=models.CASCADE),
    }
    membership = type(models.Model)("Membership", (models.Model,), {"__module__": __name__, **keys, **fields})
    return Person, Group, membership


def test_a_link_with_values_of_its_own_is_a_box() -> None:
    assert to_text(membership(since=models.DateField())) == drawn(MEMBERSHIP)


def test_a_link_that_is_not_asked_for_is_a_line() -> None:
    person, group, _ = membership(since=models.DateField())
    assert to_text([person, group]) == drawn(MEMBERS)


def test_a_link_of_two_keys_is_a_line() -> None:
    assert to_text(membership()) == drawn(MEMBERS)


def test_a_hidden_link_table_is_a_line() -> None:
    author, post, tag, *_ = blog()
    assert to_text([author, post, tag, post.tags.through]) == to_text([author, post, tag])


def test_a_link_stays_where_its_line_has_no_other_end() -> None:
    _, post, *_ = blog()
    assert "Post_tags" in to_text([post, post.tags.through])


def test_a_proxy_is_the_model_it_stands_for() -> None:
    class Post(models.Model):
        pass

    class Draft(Post):
        class Meta:
            proxy = True

    class Note(models.Model):
        draft = models.ForeignKey(Draft, on_delete=models.CASCADE)

    assert to_mermaid([Draft, Note]).splitlines()[-1] == '    Post ||--o{ Note : "draft CASCADE"'


def test_inheritance_is_a_one_to_one() -> None:
    class Place(models.Model):
        pass

    class Restaurant(Place):
        pass

    text = to_mermaid([Place, Restaurant])
    assert '    Place ||--o| Restaurant : "place_ptr CASCADE"\n' in text
    assert "        bigint place_ptr_id PK, FK\n" in text


def test_models_of_one_name_are_told_apart_by_their_apps() -> None:
    def tag(app: str) -> Any:
        meta = type("Meta", (), {"app_label": app})
        return type(models.Model)("Tag", (models.Model,), {"__module__": __name__, "Meta": meta})

    blog, shop = tag("blog"), tag("shop")
    assert "│ blog.Tag │   │ shop.Tag │" in to_text([blog, shop])
    assert '    "blog.Tag" {' in to_mermaid([blog, shop])


def test_models_that_are_not_sound_are_refused() -> None:
    class Post(models.Model):
        author = models.ForeignKey("Autor", on_delete=models.CASCADE)

    with pytest.raises(ModelError, match="autor"):
        to_text([Post])


def test_the_legend() -> None:
    assert legend() == "─o┼─ zero or one   ─┼┼─ exactly one   ─o< zero or many   ─┼< one or many"
    assert legend(ascii=True) == "-o|- zero or one   -||- exactly one   -o< zero or many   -|< one or many"


def test_the_blog_as_mermaid() -> None:
    class Price(models.Model):
        amount = models.DecimalField(max_digits=5, decimal_places=2, null=True)

    assert to_mermaid([*blog(), Price]) == drawn(MERMAID)


BLOG = """
┌──────────┐                        ┌───────────────┐             ┌──────────┐
│ Author   │                        │ Post          │             │ Tag      │
├──────────┤                        ├───────────────┤             ├──────────┤
│ id    PK │─┼┼── author CASCADE ─o<│ id         PK │>o─ tags ──o<│ id    PK │
│ name     │                        │ title         │             │ name     │
└──────────┘                        │ author_id  FK │             └──────────┘
                                    └───────────────┘

┌──────────────┐                       ┌────────────────┐
│ User         │                       │ Profile        │
├──────────────┤                       ├────────────────┤
│ id        PK │─┼┼── user CASCADE ─o┼─│ id       PK    │
│ username  UK │                       │ user_id  FK UK │
└──────────────┘                       │ bio            │
                                       └────────────────┘
"""

USERS_IN_ASCII = """
+--------------+                       +----------------+
| User         |                       | Profile        |
+--------------+                       +----------------+
| id        PK |-||-- user CASCADE -o|-| id       PK    |
| username  UK |                       | user_id  FK UK |
+--------------+                       | bio            |
                                       +----------------+
"""

NARROW_BLOG = """
┌──────────┐                ┌───────────────┐
│ Author   │                │ Post          │
├──────────┤                ├───────────────┤
│ id    PK │─┼┼── author ─o<│ id         PK │
│ name     │                │ title         │
└──────────┘                │ author_id  FK │>o─ tags ─┐
                            └───────────────┘          │
                                                       │
                            ┌───────────────┐          │
                            │ Tag           │          │
                            ├───────────────┤          │
                            │ id    PK      │>o────────┘
                            │ name          │
                            └───────────────┘
"""

MERMAID = """
erDiagram
    Author {
        bigint id PK
        char(100) name
    }
    Post {
        bigint id PK
        char(200) title
        bigint author_id FK
    }
    Tag {
        bigint id PK
        char(50) name
    }
    User {
        bigint id PK
        char(150) username UK
    }
    Profile {
        bigint id PK
        bigint user_id FK, UK
        text bio
    }
    Price {
        bigint id PK
        decimal(5-2) amount "nullable"
    }
    Author ||--o{ Post : "author CASCADE"
    Post }o--o{ Tag : "tags"
    User ||--o| Profile : "user CASCADE"
"""

CATEGORY = """
┌───────────────┐
│ Category      │
├───────────────┤
│ id         PK │>o─ parent SET_NULL ─┐
│ parent_id  FK │─┼o──────────────────┘
│               │>o─ similar ─────────┐
│               │>o───────────────────┘
└───────────────┘
"""

GUEST = """
┌─────────┐                       ┌────────────────┐
│ Seat    │                       │ Guest          │
├─────────┤                       ├────────────────┤
│ id   PK │─┼o── seat PROTECT ─o┼─│ id       PK    │
│ row     │                       │ seat_id  FK UK │
└─────────┘                       └────────────────┘
"""

MEMBERSHIP = """
┌──────────┐
│ Person   │
├──────────┤
│ id    PK │
│ name     │─┼┼──┐                    ┌───────────────┐
└──────────┘     │                    │ Membership    │
                 │                    ├───────────────┤
┌──────────┐     └─ person CASCADE ─o<│ id         PK │
│ Group    │                          │ since         │
├──────────┤                          │ person_id  FK │
│ id  PK   │─┼┼───── group CASCADE ─o<│ group_id   FK │
└──────────┘                          └───────────────┘
"""

MEMBERS = """
┌────────┐                ┌──────────┐
│ Group  │                │ Person   │
├────────┤                ├──────────┤
│ id  PK │>o─ members ──o<│ id    PK │
└────────┘                │ name     │
                          └──────────┘
"""
