"""Models with relations whose join has a condition of its own, beside equal fields or instead of them."""

from __future__ import annotations

from typing import Any

from crowsfoot import models
from crowsfoot.models.attributes import ReverseManyToOneDescriptor
from crowsfoot.models.lookups import Exact, StartsWith
from crowsfoot.translation import get_language


class Author(models.Model):
    name = models.CharField(max_length=100, unique=True)
    age = models.IntegerField(null=True)
    read: Any = models.ManyToManyField(
        "Wording", through="Memo", through_fields=("writer", "wording"), related_name="readers"
    )

    class Meta:
        app_label = "conditional"


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
        app_label = "conditional"


class Wording(models.Model):
    article: Any = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="wordings")
    language = models.CharField(max_length=2)
    title = models.CharField(max_length=50)

    class Meta:
        app_label = "conditional"
        unique_together = (("article", "language"),)


class Column(Article):
    author = models.CharField(max_length=20)

    class Meta:
        app_label = "conditional"


class ByOwnLanguage(models.ForeignObject[Any]):
    """The row of ``to`` in the language that this row names: which is known of an instance, and not in SQL."""

    requires_unique_target = False

    def get_extra_descriptor_filter(self, instance: Any) -> Any:
        return {"language": instance.language}


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

    writer: Any = models.ForeignKey(Author, on_delete=models.CASCADE, null=True, related_name="memos")
    language = models.CharField(max_length=2, default="en")
    article_no = models.IntegerField(null=True)
    checked_no = models.IntegerField(null=True)
    wording: Any = InLanguage(Wording, models.CASCADE, ["article_no"], ["article"], null=True, related_name="memos")
    checked: Any = InLanguage(Wording, models.SET_NULL, ["checked_no"], ["article"], null=True, related_name="+")
    own: Any = ByOwnLanguage(Wording, models.DO_NOTHING, ["article_no"], ["article"], related_name="+")
    lost: Any = Boundless(Author, models.DO_NOTHING, ["article_no"], ["id"], related_name="+")

    class Meta:
        app_label = "conditional"


class Region(models.Model):
    path = models.CharField(max_length=50, unique=True)
    outer: Any = Above("self", models.CASCADE, ["path"], ["path"], related_name="inner")

    class Meta:
        app_label = "conditional"
        ordering = ("path",)

    def __str__(self) -> str:
        return str(self.path)


TABLES = (Author, Article, Column, Wording, Memo, Region)
