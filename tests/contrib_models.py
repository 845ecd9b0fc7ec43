"""Models for the tests of contrib: another model of users, and models to have content types of."""

from __future__ import annotations

from typing import Any

from crowsfoot import models
from crowsfoot.contrib.auth.base_user import AbstractBaseUser, BaseUserManager


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
