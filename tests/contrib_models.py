"""Models for the tests of contrib: another model of users, and models to have content types of."""

from __future__ import annotations

from typing import Any

from crowsfoot import models
from crowsfoot.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from crowsfoot.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from crowsfoot.contrib.contenttypes.models import ContentType


class MemberManager(BaseUserManager):
    """Finds members without regard to case."""

    def get_by_natural_key(self, username: Any) -> Any:
        return self.get(email__iexact=username)

    async def aget_by_natural_key(self, username: Any) -> Any:
        return await self.aget(email__iexact=username)


class Member(AbstractBaseUser):
    """Logs in with an address."""

    email = models.EmailField(unique=True)

    objects = MemberManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        app_label = "club"


class Badge(AbstractBaseUser):
    """Logs in with a number."""

    number = models.IntegerField(unique=True)

    objects = BaseUserManager()

    USERNAME_FIELD = "number"

    class Meta:
        app_label = "club"


class Article(models.Model):
    title = models.CharField(max_length=50)

    class Meta:
        app_label = "club"
        permissions = [("print_article", "Can print")]


class News(Article):
    class Meta:
        app_label = "club"
        proxy = True
        default_permissions = ("view",)


class Label(models.Model):
    """Sticks to a row of any model."""

    text = models.CharField(max_length=50)
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveIntegerField()
    thing = GenericForeignKey()

    class Meta:
        app_label = "shelf"
        ordering = ["text"]


class Note(models.Model):
    """Keeps the key of the row it is about as text."""

    kind = models.ForeignKey(ContentType, models.CASCADE)
    about_key = models.CharField(max_length=40)
    about = GenericForeignKey("kind", "about_key")
    text = models.CharField(max_length=50)

    class Meta:
        app_label = "shelf"


class Trophy(models.Model):
    name = models.CharField(max_length=50)
    labels = GenericRelation(Label, related_query_name="trophy")
    notes = GenericRelation(Note, object_id_field="about_key", content_type_field="kind", related_query_name="trophy")

    class Meta:
        app_label = "shelf"


class Flag(models.Model):
    """Sticks to a row of any model, and tells a proxy from the model it stands for."""

    text = models.CharField(max_length=50)
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveIntegerField()
    pole = GenericForeignKey(for_concrete_model=False)

    class Meta:
        app_label = "shelf"


class Pole(models.Model):
    flags = GenericRelation(Flag, for_concrete_model=False)

    class Meta:
        app_label = "shelf"


class Mast(Pole):
    class Meta:
        app_label = "shelf"
        proxy = True


class Cup(Trophy):
    """Its labels are not those of the trophy that it is, too."""

    litres = models.IntegerField(default=1)

    class Meta:
        app_label = "shelf"


class Court(models.Model):
    name = models.CharField(max_length=50)
    labels = GenericRelation(Label)

    class Meta:
        app_label = "shelf"
