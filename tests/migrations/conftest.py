from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from migration_project import Project, project_at


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'db.sqlite3'}"
    return str(request.getfixturevalue("postgres_schema"))


@pytest.fixture
def project(tmp_path: Path, url: str) -> Iterator[Project]:
    """A project with the empty apps blog and shop, on each database."""
    with project_at(tmp_path, url, "blog", "shop") as found:
        yield found


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Project]:
    """A project for tests that only write files."""
    with project_at(tmp_path, "sqlite://:memory:", "blog", "shop") as found:
        yield found
