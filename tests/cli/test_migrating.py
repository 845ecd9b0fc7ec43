"""The commands of migrations, as people run them."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest
from command_line import run

from crowsfoot.cli import migrating
from crowsfoot.cli.console import is_explained, problems, show_error
from crowsfoot.cli.context import Context
from crowsfoot.migrations.questioner import InteractiveMigrationQuestioner, StopAsking

AUTHOR = "from crowsfoot import models\n\nclass Author(models.Model):\n    name = models.CharField(max_length=100)\n"


@pytest.fixture
def blog(project: Path) -> Path:
    (project / "blog" / "models.py").write_text(AUTHOR)
    return project


def manage(folder: Path, *words: str) -> CompletedProcess[str]:
    return run(folder, "manage.py", *words)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "blog" / "migrations").glob("0*.py"))


def test_check_and_dry_run_write_nothing(blog: Path) -> None:
    done = manage(blog, "makemigrations", "--check")
    assert done.returncode == 1
    assert "python manage.py makemigrations" in done.stderr
    done = manage(blog, "makemigrations", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "class Migration(migrations.Migration):" in done.stdout
    assert files(blog) == []


def test_from_the_first_migration_and_back_to_zero(blog: Path) -> None:
    assert manage(blog, "makemigrations", "blog", "--name", "authors").returncode == 0
    assert files(blog) == ["0001_authors.py"]
    sql = manage(blog, "sqlmigrate", "blog", "0001").stdout
    assert 'CREATE TABLE "blog_author"' in sql
    assert 'DROP TABLE "blog_author"' in manage(blog, "sqlmigrate", "blog", "0001", "--backwards").stdout
    plan = manage(blog, "migrate", "blog", "--plan").stdout
    assert plan == "+ blog.0001_authors\n    Create model Author\n"
    assert manage(blog, "showmigrations", "blog").stdout == "blog\n [ ] 0001_authors\n"
    done = manage(blog, "migrate", "blog")
    assert done.stdout == "  + blog.0001_authors\nsqlite:///db.sqlite3: 1 migration done.\n"
    assert manage(blog, "showmigrations", "blog").stdout == "blog\n [X] 0001_authors\n"
    assert manage(blog, "migrate", "blog").stdout.startswith("Nothing to do: ")
    assert manage(blog, "migrate", "blog", "zero").stdout.startswith("  - blog.0001_authors\n")


def test_migrate_tells_when_the_models_have_changed_since(blog: Path) -> None:
    done = manage(blog, "migrate")
    assert done.returncode == 0
    assert "python manage.py makemigrations" in done.stderr


def test_without_a_terminal_a_question_is_an_error_with_its_remedy(blog: Path) -> None:
    manage(blog, "makemigrations")
    (blog / "blog" / "models.py").write_text(AUTHOR + "    age = models.IntegerField()\n")
    done = manage(blog, "makemigrations")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("No migration was written\n")
    assert "default=" in done.stderr
    assert "Traceback" not in done.stderr
    assert files(blog) == ["0001_initial.py"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["makemigrations", "blgo"], "Did you mean 'blog'?"),
        (["makemigrations", "--empty"], "--empty makes a file for one app"),
        (["makemigrations", "blog", "--name", "2nd try"], "is to be imported"),
        (["migrate", "blgo"], "Did you mean 'blog'?"),
        (["migrate", "blog", "0009"], "0009"),
        (["migrate", "--database", "defalt"], "Did you mean 'default'?"),
        (["showmigrations", "blgo"], "Did you mean 'blog'?"),
        (["sqlmigrate", "blog", "0009"], "0009"),
    ],
)
def test_names_that_do_not_exist_are_a_wrong_command_line(blog: Path, words: list[str], sentence: str) -> None:
    done = manage(blog, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_person_is_asked(
    context: Context, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(["perhaps", "y"])
    monkeypatch.setattr("builtins.input", lambda: next(answers))
    asker = migrating.make_questioner(context, ["blog"], interactive=True)
    assert isinstance(asker, InteractiveMigrationQuestioner)
    assert asker.ask_merge("blog") is True
    assert context.err.file.getvalue().count("blog") == 2  # type: ignore[attr-defined]

    def gone() -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", gone)
    with pytest.raises(StopAsking) as caught:
        asker.ask_merge("blog")
    assert is_explained(caught.value)
    show_error(problems(), caught.value)
    assert capsys.readouterr().err == "No migration was written\nThere was no answer.\n"
