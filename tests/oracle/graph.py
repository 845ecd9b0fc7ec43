"""The models that are asked, written once for both libraries, the rows in them, and the same as plain data.

The graph has a foreign key that may be NULL and one that may not, a self-reference, a one-to-one, a many-to-many with
and without a model of its own, one to itself in both manners, two steps of multi-table inheritance, a generic relation
and a model with an order of its own.
"""

from __future__ import annotations

import datetime
import random
import uuid
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

LABEL = "oracle"


def define(models: Any, generic: Any, kinds: Any) -> dict[str, Any]:
    """The models, by either library: ``generic`` is its module of generic relations, ``kinds`` its ``ContentType``."""

    class Place(models.Model):
        name = models.CharField(max_length=20)
        rating = models.IntegerField(null=True)

        class Meta:
            app_label = LABEL
            ordering = ["name", "id"]

    class Author(models.Model):
        name = models.CharField(max_length=20)
        nick = models.CharField(max_length=20, null=True)
        age = models.IntegerField(null=True)
        born = models.DateField(null=True)
        mentor = models.ForeignKey("self", models.SET_NULL, null=True, related_name="pupils")
        home = models.ForeignKey(Place, models.CASCADE, null=True, related_name="residents")
        follows = models.ManyToManyField("self", symmetrical=False, related_name="followers")
        notes = generic.GenericRelation("Note", related_query_name="author")

        class Meta:
            app_label = LABEL

    class Shop(Place):
        opened = models.DateField(null=True)
        owner = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="shops")

        class Meta:
            app_label = LABEL

    class Cafe(Shop):
        seats = models.IntegerField()

        class Meta:
            app_label = LABEL

    class Profile(models.Model):
        bio = models.CharField(max_length=20)
        author = models.OneToOneField(Author, models.CASCADE, related_name="profile")
        shop = models.OneToOneField(Shop, models.SET_NULL, null=True, related_name="sponsored")

        class Meta:
            app_label = LABEL

    class Tag(models.Model):
        name = models.CharField(max_length=20, null=True)
        parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
        related = models.ManyToManyField("self")

        class Meta:
            app_label = LABEL

    class Post(models.Model):
        title = models.CharField(max_length=20)
        score = models.IntegerField(null=True)
        likes = models.IntegerField(default=0)
        ratio = models.FloatField(null=True)
        price = models.DecimalField(max_digits=8, decimal_places=2)
        public = models.BooleanField(default=True)
        sent = models.DateTimeField(null=True)
        spent = models.DurationField(null=True)
        code = models.UUIDField()
        data = models.JSONField(default=dict)
        author = models.ForeignKey(Author, models.CASCADE, related_name="posts")
        editor = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="edited")
        tags = models.ManyToManyField(Tag, related_name="posts")
        readers = models.ManyToManyField(Author, through="Reading", related_name="read")
        notes = generic.GenericRelation("Note", related_query_name="post")

        class Meta:
            app_label = LABEL

    class Reading(models.Model):
        reader = models.ForeignKey(Author, models.CASCADE, related_name="readings")
        post = models.ForeignKey(Post, models.CASCADE, related_name="readings")
        stars = models.IntegerField(null=True)

        class Meta:
            app_label = LABEL

    class Note(models.Model):
        text = models.CharField(max_length=20)
        content_type = models.ForeignKey(kinds, models.CASCADE)
        object_id = models.BigIntegerField()
        target = generic.GenericForeignKey("content_type", "object_id")

        class Meta:
            app_label = LABEL

    found = [Place, Author, Shop, Cafe, Profile, Tag, Post, Reading, Note]
    return {model.__name__: model for model in found}


# -- as plain data -----------------------------------------------------------------------------------------------------

# The kind of each field: what may be compared with it and computed from it.
FIELDS: dict[str, dict[str, str]] = {
    "Place": {"id": "int", "name": "text", "rating": "int"},
    "Shop": {"id": "int", "name": "text", "rating": "int", "opened": "date"},
    "Cafe": {"id": "int", "name": "text", "opened": "date", "seats": "int"},
    "Author": {"id": "int", "name": "text", "nick": "text", "age": "int", "born": "date"},
    "Profile": {"id": "int", "bio": "text"},
    "Tag": {"id": "int", "name": "text"},
    "Post": {
        "id": "int", "title": "text", "score": "int", "likes": "int", "ratio": "float", "price": "decimal",
        "public": "bool", "sent": "moment", "spent": "span", "code": "uuid",
    },
    "Reading": {"id": "int", "stars": "int"},
    "Note": {"id": "int", "text": "text", "object_id": "int"},
}  # fmt: skip


class Way(NamedTuple):
    """A relation from one model: where it leads, to how many rows, and whether it is a column of its own."""

    target: str
    many: bool = False
    column: bool = False


ONE, COLUMN, MANY = (False, False), (False, True), (True, False)
PLACE = {"residents": Way("Author", *MANY)}
SHOP = {**PLACE, "owner": Way("Author", *COLUMN), "sponsored": Way("Profile", *ONE)}
RELATIONS: dict[str, dict[str, Way]] = {
    "Place": {**PLACE, "shop": Way("Shop", *ONE)},
    "Shop": {**SHOP, "place_ptr": Way("Place", *COLUMN), "cafe": Way("Cafe", *ONE)},
    "Cafe": {**SHOP, "shop_ptr": Way("Shop", *COLUMN)},
    "Author": {
        "mentor": Way("Author", *COLUMN), "home": Way("Place", *COLUMN), "profile": Way("Profile", *ONE),
        "posts": Way("Post", *MANY), "edited": Way("Post", *MANY), "pupils": Way("Author", *MANY),
        "follows": Way("Author", *MANY), "followers": Way("Author", *MANY), "shops": Way("Shop", *MANY),
        "read": Way("Post", *MANY), "readings": Way("Reading", *MANY), "notes": Way("Note", *MANY),
    },
    "Profile": {"author": Way("Author", *COLUMN), "shop": Way("Shop", *COLUMN)},
    "Tag": {
        "parent": Way("Tag", *COLUMN), "children": Way("Tag", *MANY), "related": Way("Tag", *MANY),
        "posts": Way("Post", *MANY),
    },
    "Post": {
        "author": Way("Author", *COLUMN), "editor": Way("Author", *COLUMN), "tags": Way("Tag", *MANY),
        "readers": Way("Author", *MANY), "readings": Way("Reading", *MANY), "notes": Way("Note", *MANY),
    },
    "Reading": {"reader": Way("Author", *COLUMN), "post": Way("Post", *COLUMN)},
    "Note": {},
}  # fmt: skip


# -- rows --------------------------------------------------------------------------------------------------------------


def fill(made: dict[str, Any], chance: random.Random) -> None:
    """Some rows, with missing values, missing relations and equal values among them."""
    pick = chance.choice
    days = [date(2023, 12, 31), date(2024, 1, 1), date(2024, 2, 29)]
    places = [made["Place"].objects.create(name=pick("abc"), rating=pick([None, 1, 2])) for _ in range(3)]
    authors: list[Any] = []
    for _ in range(8):
        values = {"name": pick(["a", "b", "c", "Ab"]), "nick": pick([None, "", "a", "x"]), "age": pick([None, 1, 2, 3])}
        ways = {"mentor": pick([None, *authors]), "home": pick([None, *places]), "born": pick([None, *days])}
        authors.append(made["Author"].objects.create(**values, **ways))
    shops = []
    for number in range(5):
        values = {"name": pick("abc"), "rating": pick([None, 1, 2]), "opened": pick([None, *days])}
        owner = pick([None, *authors])
        if number % 2:
            shops.append(made["Cafe"].objects.create(**values, owner=owner, seats=number).shop_ptr)
        else:
            shops.append(made["Shop"].objects.create(**values, owner=owner))
    authors[0].home = shops[0].place_ptr
    authors[0].save()
    for author in authors[::2]:
        shop = shops.pop() if len(shops) > 2 else None
        made["Profile"].objects.create(bio=pick("abc"), author=author, shop=shop)
    for author in authors:
        author.follows.set(chance.sample(authors, chance.randrange(3)))
    tags: list[Any] = []
    for _ in range(6):
        tags.append(made["Tag"].objects.create(name=pick([None, "a", "b", "c"]), parent=pick([None, *tags])))
    for tag in tags[:3]:
        tag.related.add(*chance.sample(tags, 2))
    fill_posts(made, chance, authors, tags)


def fill_posts(made: dict[str, Any], chance: random.Random, authors: list[Any], tags: list[Any]) -> None:
    pick = chance.choice
    moments = [datetime.datetime(2024, month, 28, hour, 30, 15, tzinfo=UTC) for month in (1, 2) for hour in (0, 9, 23)]
    posts = []
    for number in range(14):
        post = made["Post"].objects.create(
            title=pick(["a", "b", "c", "Ba", "50%"]),
            score=pick([None, 1, 2, 3]),
            likes=pick([0, 1, 5]),
            ratio=pick([None, 0.5, 1.0, 2.25]),
            price=pick([Decimal("0.50"), Decimal("1.00"), Decimal("2.25")]),
            public=pick([True, False]),
            sent=pick([None, *moments]),
            spent=pick([None, timedelta(minutes=5), timedelta(days=1, seconds=2)]),
            code=uuid.UUID(int=number % 5 + 1),
            data=pick([{}, {"lang": "en"}, {"lang": "de", "n": 2}, {"n": None, "by": {"age": 3}}]),
            author=pick(authors),
            editor=pick([None, *authors]),
        )
        post.tags.set(chance.sample(tags, chance.randrange(4)))
        for reader in chance.sample(authors, chance.randrange(3)):
            made["Reading"].objects.create(reader=reader, post=post, stars=pick([None, 1, 2, 3]))
        posts.append(post)
    for target in [*chance.sample(posts, 5), *chance.sample(authors, 4)]:
        made["Note"].objects.create(text=pick("abc"), target=target)
