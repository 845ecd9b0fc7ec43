"""`Site`: a web site with its domain (``django.contrib.sites.models``)."""

from __future__ import annotations

import string
from typing import Any

from crowsfoot import models
from crowsfoot.conf import settings
from crowsfoot.errors import ImproperlyConfigured, ValidationError
from crowsfoot.models.manager import Manager


def _simple_domain_name_validator(value: str) -> None:
    if any(space in value for space in string.whitespace):
        raise ValidationError("The domain name cannot contain any spaces or tabs.", code="invalid")


class SiteManager(Manager["Site"]):
    """Finds the site that the setting SITE_ID names."""

    use_in_migrations = True

    def get_current(self) -> Site:
        """The site of the setting SITE_ID. One query. Raises ``ImproperlyConfigured`` and ``Site.DoesNotExist``."""
        return self.get(pk=_site_id())

    async def aget_current(self) -> Site:
        return await self.aget(pk=_site_id())

    def get_by_natural_key(self, domain: str) -> Site:
        return self.get(domain=domain)

    async def aget_by_natural_key(self, domain: str) -> Site:
        return await self.aget(domain=domain)


def _site_id() -> Any:
    chosen = getattr(settings, "SITE_ID", None)
    if not chosen:
        raise ImproperlyConfigured("The setting SITE_ID names no site. Create a Site and set SITE_ID to its id.")
    return chosen


class Site(models.Model):
    """A web site: the domain it is found at, and the name it is called by."""

    id = models.AutoField(auto_created=True, primary_key=True, verbose_name="ID")
    domain = models.CharField("domain name", max_length=100, validators=[_simple_domain_name_validator], unique=True)
    name = models.CharField("display name", max_length=50)

    objects = SiteManager()

    class Meta:
        db_table = "django_site"
        verbose_name = "site"
        verbose_name_plural = "sites"
        ordering = ["domain"]

    def __str__(self) -> str:
        return self.domain

    def natural_key(self) -> tuple[str]:
        return (self.domain,)
