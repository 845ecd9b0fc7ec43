"""The models of the behaviour tests: each kind of relation once."""

from __future__ import annotations

from typing import Any

from crowsfoot import models
from crowsfoot.models.attributes import ReverseManyToOneDescriptor
from crowsfoot.models.lookups import Exact, StartsWith
from crowsfoot.translation import get_language


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


class InLanguage(models.ForeignObject[Any]):
    """The row of ``to`` in the language that is active."""

    requires_unique_target = False

    def get_extra_restriction(self, alias: str, related_alias: str) -> Any:
        return Exact(self.related_model._meta.get_field("language").get_col(alias), get_language())


class InLanguageByColumns(InLanguage):
    """The same, which an instance looks up without a join."""

    def get_extra_descriptor_filter(self, instance: Any) -> Any:
        return {"language": get_language()}


class Article(models.Model):
    code = models.CharField(max_length=20)
    wording: Any = InLanguage("Wording", models.DO_NOTHING, ["id"], ["article"], null=True, related_name="shown_by")
    text: Any = InLanguageByColumns("Wording", models.DO_NOTHING, ["id"], ["article"], null=True, related_name="+")

    class Meta:
        app_label = "behaviour"


class Wording(models.Model):
    article: Any = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="wordings")
    language = models.CharField(max_length=2)
    title = models.CharField(max_length=50)

    class Meta:
        app_label = "behaviour"
        unique_together = (("article", "language"),)


class Above(models.ForeignObject[Any]):
    """The rows of ``to`` with whose field this row's begins: no fields are equal."""

    forward_related_accessor_class = ReverseManyToOneDescriptor
    requires_unique_target = False

    def get_joining_fields(self, reverse_join: bool = False) -> Any:
        return ()

    def get_extra_restriction(self, alias: str, related_alias: str) -> Any:
        ((near, far),) = self.related_fields
        return StartsWith(near.get_col(related_alias), far.get_col(alias))


class Boundless(Above):
    """A mistake: neither fields to compare nor a condition."""

    def get_extra_restriction(self, alias: str, related_alias: str) -> Any:
        return None


class Memo(models.Model):
    """Hangs on the wording of an article in the active language."""

    article_no = models.IntegerField(null=True)
    checked_no = models.IntegerField(null=True)
    wording: Any = InLanguage(Wording, models.CASCADE, ["article_no"], ["article"], null=True, related_name="memos")
    checked: Any = InLanguage(Wording, models.SET_NULL, ["checked_no"], ["article"], null=True, related_name="+")
    lost: Any = Boundless(Author, models.DO_NOTHING, ["article_no"], ["id"], related_name="+")

    class Meta:
        app_label = "behaviour"


class Region(models.Model):
    path = models.CharField(max_length=50, unique=True)
    outer: Any = Above("self", models.CASCADE, ["path"], ["path"], related_name="inner")

    class Meta:
        app_label = "behaviour"
        ordering = ("path",)

    def __str__(self) -> str:
        return str(self.path)


TABLES = (Author, Profile, Tag, Post, Chapter, Page, Draft, Document, Article, Wording, Memo, Region)
