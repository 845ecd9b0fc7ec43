"""A database that the real Django made is opened: its users log in, its permissions hold, its migrations are known."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import crowsfoot
from crowsfoot.conf import settings
from crowsfoot.contrib.auth import authenticate
from crowsfoot.contrib.auth.hashers import identify_hasher
from crowsfoot.contrib.auth.models import Group, Permission, User
from crowsfoot.contrib.contenttypes.models import ContentType

pytestmark = pytest.mark.skipif(find_spec("django") is None, reason="Django 6 needs Python 3.12")

MAKE = """
import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django.sqlite3"}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sites"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"],
    SITE_ID=1,
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import Group, Permission, User
user = User.objects.create_user("asha", "asha@example.com", "secret")
user.user_permissions.add(Permission.objects.get(codename="add_user"))
editors = Group.objects.create(name="editors")
editors.permissions.add(Permission.objects.get(codename="view_site"))
user.groups.add(editors)
"""
PROJECT = """
[tool.crowsfoot]
apps = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sites"]
[tool.crowsfoot.databases]
default = "sqlite:///django.sqlite3"
"""
MIGRATE = """
from crowsfoot.apps import load_project
from crowsfoot.migrations.commands import migrate, show_migrations

load_project()
print([name for _, name, applied in show_migrations() if not applied])
print(migrate())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose database Django has made."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").write_text(PROJECT)
    subprocess.run([sys.executable, "-c", MAKE], cwd=folder, check=True)
    return folder


def test_its_users_are_users(folder: Path) -> None:
    database = crowsfoot.connect(f"sqlite:///{folder}/django.sqlite3")
    try:
        hashers = ["Argon2PasswordHasher", "PBKDF2PasswordHasher"]
        with settings.override(PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in hashers]):
            assert authenticate(username="asha", password="wrong") is None
            user = authenticate(username="asha", password="secret")
            assert user.email == "asha@example.com"
            assert identify_hasher(User.objects.get().password).algorithm == "argon2"
            assert authenticate(username="asha", password="secret") == user
        assert user.get_all_permissions() == {"auth.add_user", "sites.view_site"}
        assert Group.objects.get().user_set.get() == user
        assert Permission.objects.get(codename="view_site").content_type.app_label == "sites"
        ContentType.objects.clear_cache()
        assert ContentType.objects.get_for_model(User).pk == ContentType.objects.get(model="user").pk
    finally:
        ContentType.objects.clear_cache()
        database.close()


def test_its_migrations_are_applied(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MIGRATE], cwd=folder, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() == ["[]", "[]"]
