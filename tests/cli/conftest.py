"""What the tests of the command line share."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from crowsfoot.cli.console import make_console
from crowsfoot.cli.context import Context
from crowsfoot.cli.scaffold import startapp, startproject


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A context in an empty folder; what is printed is in ``context.out.file.getvalue()``."""
    return Context("crowsfoot", tmp_path, make_console(io.StringIO()), make_console(io.StringIO()))


@pytest.fixture
def project(tmp_path: Path, context: Context) -> Path:
    """A project with the app "blog", which has no models yet."""
    startproject("mysite", Path(), context=context)
    startapp("blog", context=context)
    return tmp_path
