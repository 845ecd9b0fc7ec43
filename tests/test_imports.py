"""What ``import crowsfoot`` loads: a script that asks one question should not wait for what it never uses."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import crowsfoot
from crowsfoot import models

PACKAGE = Path(crowsfoot.__file__).parent

DECLARE = """
from crowsfoot import models
db = crowsfoot.connect("sqlite://:memory:")
class Author(models.Model):
    name = models.CharField(max_length=20)
    class Meta:
        app_label = "x"
"""
ASK = """
from crowsfoot.connection import connection
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE x_author (id INTEGER PRIMARY KEY, name TEXT)")
author = Author.objects.create(name="Asha")
assert [a.name for a in Author.objects.filter(name="Asha")] == ["Asha"]
author.save()
author.delete()
"""
RARE = {
    "argparse",
    "asyncio",
    "asyncpg",
    "crowsfoot.apps",
    "crowsfoot.cli",
    "crowsfoot.contrib",
    "crowsfoot.diagram",
    "crowsfoot.drift",
    "crowsfoot.drivers.pool",
    "crowsfoot.drivers.worker",
    "crowsfoot.migrations",
    "crowsfoot.models.constraints",
    "crowsfoot.models.fields.files",
    "crowsfoot.setup",
    "crowsfoot.sql.ddl",
    "crowsfoot.testing",
    "crowsfoot.watching",
    "html",
    "importlib.metadata",
    "logging",
    "psycopg",
    "socket",
    "ssl",
    "subprocess",
    "tomllib",
}


def loaded(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after ``code``, beyond those it starts with."""
    program = f"import sys; before = set(sys.modules)\nimport crowsfoot\n{code}\nprint(*set(sys.modules) - before)"
    environ = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("code", "most"),
    [("", 75), (DECLARE, 160), (DECLARE + ASK, 160)],
    ids=["imported", "declared", "asked"],
)
def test_what_few_programs_use_is_not_loaded(code: str, most: int) -> None:
    found = loaded(code)
    assert found & RARE == set()
    own = {name for name in found if name.startswith("crowsfoot")}
    assert len(own) <= most, f"{len(own)} modules: {sorted(own)}"


def test_a_missing_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'crowsfoot\.models' has no attribute 'ForeignKeys'"):
        models.ForeignKeys  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="ForeignKeys"):
        exec("from crowsfoot.models import ForeignKeys")


@pytest.mark.parametrize("face", [crowsfoot, models], ids=lambda face: face.__name__)
def test_all_names_are_there_from_the_start(face: object) -> None:
    """In a fresh interpreter: here others have asked for them already."""
    name = face.__name__  # type: ignore[attr-defined]
    listed = loaded(f"import {name} as face; assert set(face.__all__) <= set(dir(face))")
    assert not listed & RARE
    loaded(f"import {name} as face; [getattr(face, name) for name in face.__all__]; assert face.__all__")
    loaded(f"from {name} import *; import {name} as face; assert set(face.__all__) <= set(globals())")


def test_modules_are_there_by_their_own_names() -> None:
    loaded("from crowsfoot import models; assert models.fields.files.FileField is models.FileField")
    loaded("from crowsfoot import models; assert models.constraints.CheckConstraint is models.CheckConstraint")
    loaded("import crowsfoot; assert crowsfoot.watching.watch is crowsfoot.watch")


@pytest.mark.parametrize("path", ["__init__.py", "models/__init__.py", "models/fields/__init__.py"])
def test_type_checkers_are_told_what_is_loaded_later(path: str) -> None:
    tree = ast.parse((PACKAGE / path).read_text())
    [face] = [node for node in tree.body if isinstance(node, ast.If)]
    package = ".".join(("crowsfoot", *Path(path).parts[:-1]))
    told = set()
    for statement in face.body:
        assert isinstance(statement, ast.ImportFrom)
        told |= {(statement.module, alias.name) for alias in statement.names}
    [table] = [ast.literal_eval(node) for node in ast.walk(face.orelse[0]) if isinstance(node, ast.Dict)]
    later = {(module, name) for module, names in table.items() for name in names.split()}
    later |= {(package, module.removeprefix(f"{package}.")) for module, names in table.items() if not names}
    assert told == later
