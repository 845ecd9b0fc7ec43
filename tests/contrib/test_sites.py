"""Sites."""

from __future__ import annotations

from typing import Any

import pytest

from crowsfoot.conf import settings
from crowsfoot.contrib.sites.models import Site
from crowsfoot.errors import ImproperlyConfigured, ValidationError


def test_the_current_site_is_a_setting(call: Any) -> None:
    site = call(Site.objects, "create", domain="example.com", name="Example")
    assert Site._meta.db_table == "django_site"
    with pytest.raises(ImproperlyConfigured, match="SITE_ID"):
        call(Site.objects, "get_current")
    with settings.override(SITE_ID=site.pk):
        assert call(Site.objects, "get_current") == site
    with settings.override(SITE_ID=site.pk + 1), pytest.raises(Site.DoesNotExist):
        call(Site.objects, "get_current")
    assert call(Site.objects, "get_by_natural_key", *site.natural_key()) == site
    assert str(site) == "example.com"


def test_a_domain_has_no_spaces(db: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        Site(domain="example .com", name="x").full_clean()
    assert caught.value.message_dict == {"domain": ["The domain name cannot contain any spaces or tabs."]}
