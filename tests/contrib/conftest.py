"""A database with the tables of contrib, and calls that are sync or async."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import contrib_models as club
import pytest

import crowsfoot
from crowsfoot.conf import settings
from crowsfoot.contrib.auth.models import Group, Permission, User
from crowsfoot.contrib.contenttypes.models import ContentType
from crowsfoot.contrib.sites.models import Site
from crowsfoot.database import Database

FAST = ["crowsfoot.contrib.auth.hashers.MD5PasswordHasher", "crowsfoot.contrib.auth.hashers.PBKDF2PasswordHasher"]


@pytest.fixture(autouse=True, scope="module")
def fast_hashes() -> Iterator[None]:
    with settings.override(PASSWORD_HASHERS=FAST):
        yield


class Caller:
    """``call(manager, "create", name="x")``: ``create``, or ``acreate`` on an event loop of the test's own."""

    def __init__(self, runner: asyncio.Runner | None) -> None:
        self.runner = runner

    def __call__(self, target: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
        if self.runner is None:
            return getattr(target, name)(*args, **kwargs)
        return self.runner.run(getattr(target, f"a{name}")(*args, **kwargs))

    def rows(self, queryset: Any) -> list[Any]:
        if self.runner is None:
            return list(queryset)

        async def collect() -> list[Any]:
            return [row async for row in queryset]

        return self.runner.run(collect())


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, db: Database) -> Iterator[Caller]:
    if request.param == "sync":
        yield Caller(None)
        return
    with asyncio.Runner() as runner:
        yield Caller(runner)
        runner.run(db.aclose())


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{request.getfixturevalue('tmp_path')}/club.db"
    else:
        url = request.getfixturevalue("postgres_schema")
    database = crowsfoot.connect(url)
    crowsfoot.create_tables(ContentType, Permission, Group, User, Site, club.Member, club.Badge, club.Article)
    ContentType.objects.clear_cache()
    yield database
    ContentType.objects.clear_cache()
    database.close()
