"""``check`` and ``diagram``."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import run

SOUND = """
from django.contrib.auth.models import User
from django.db import models

class Author(models.Model):
    name = models.CharField(max_length=100)

class Post(models.Model):
    title = models.CharField(max_length=200)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")

class Profile(models.Model):
    user = models.OneToOneField(User, on_delete=models.CASCADE)
"""
UNSOUND = """
from django.db import models

class Post(models.Model):
    title = models.CharField(max_length=-1)
    author = models.ForeignKey("Autor", on_delete=models.CASCADE)
    tag = models.ForeignKey("self", on_delete=models.SET_NULL)
"""


@pytest.fixture
def blog(project: Path) -> Path:
    (project / "blog" / "models.py").write_text(SOUND)
    return project


def test_sound_models(blog: Path) -> None:
    done = run(blog, "manage.py", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The models are sound (")
    assert not (blog / "db.sqlite3").exists()


def test_problems_are_listed(project: Path) -> None:
    (project / "blog" / "models.py").write_text(UNSOUND)
    done = run(project, "manage.py", "check")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0] == "3 problems found"
    for words in ("max_length", "blog.autor", "null=True"):
        assert words in done.stderr
    shell = run(project, "manage.py", "shell", "-c", "1 + 1")
    assert (shell.returncode, shell.stdout) == (0, "2\n")
    assert shell.stderr.count("The models need a change: ") == 3
    draw = run(project, "manage.py", "diagram")
    assert draw.returncode == 1
    assert draw.stderr.startswith("The models need a change\n3 problems in the models:\n")


def test_a_database_is_looked_at_on_demand(blog: Path) -> None:
    done = run(blog, "manage.py", "check", "blog", "--database", "default")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "3 problems found"
    assert "blog.Post: the table blog_post is not there." in done.stderr
    assert "python manage.py migrate" in done.stderr
    run(blog, "manage.py", "shell", "-c", "import crowsfoot; crowsfoot.create_tables()")
    done = run(blog, "manage.py", "check", "--database", "default")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("sqlite:///db.sqlite3 has all their tables, columns and foreign keys.\n")
    changed = SOUND.replace("on_delete=models.CASCADE, related_name", "on_delete=models.PROTECT, related_name")
    (blog / "blog" / "models.py").write_text(changed)
    done = run(blog, "manage.py", "check", "--database", "default")
    assert done.returncode == 1
    assert "blog.Post.author: the database says ON DELETE CASCADE, and the model RESTRICT." in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["check", "blgo"], "This project has no app 'blgo'. Did you mean 'blog'?"),
        (["check", "--database", "defalt"], "This project has no database 'defalt'. Did you mean 'default'?"),
        (["diagram", "blgo"], "This project has no app 'blgo'. Did you mean 'blog'?"),
    ],
)
def test_unknown_names(blog: Path, words: list[str], sentence: str) -> None:
    done = run(blog, "manage.py", *words)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_the_diagram_shows_the_projects_models_and_what_they_point_to(blog: Path) -> None:
    done = run(blog, "manage.py", "diagram", PYTHONIOENCODING="utf-8")
    assert done.returncode == 0, done.stderr
    for box in ("Author", "Post", "Profile", "User"):
        assert f" {box} " in done.stdout
    assert "ContentType" not in done.stdout
    assert " User " not in run(blog, "manage.py", "diagram", "blog").stdout
    assert run(blog, "manage.py", "diagram", PYTHONIOENCODING="ascii").stdout.isascii()
    assert run(blog, "manage.py", "diagram", "--mermaid").stdout.startswith("erDiagram\n")
