"""The program as a whole: exit codes, help, and how errors read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import SOURCE, run

from crowsfoot.cli.console import CommandError, is_explained, problems, show_error
from crowsfoot.errors import ImproperlyConfigured, IntegrityError, ModelError


def crowsfoot(folder: Path, *words: str, **environment: str) -> tuple[int, str, str]:
    done = run(folder, "-m", "crowsfoot", *words, **environment)
    return done.returncode, done.stdout, done.stderr


def test_help_lists_the_commands(tmp_path: Path) -> None:
    code, out, err = crowsfoot(tmp_path)
    assert (code, err) == (0, "")
    assert crowsfoot(tmp_path, "--help") == (code, out, err)
    for command in ("startproject", "startapp", "makemigrations", "migrate", "shell", "check", "diagram"):
        assert f" {command} " in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["shel"], 'Did you mean "shell"?'),
        (["startproject"], "requires an argument"),
        (["check", "--databse", "x"], "Did you mean --database?"),
        (["shell", "-c"], "requires an argument"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2_and_a_hint(tmp_path: Path, words: list[str], sentence: str) -> None:
    code, out, err = crowsfoot(tmp_path, *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.endswith("--help tells what does.\n")


@pytest.mark.parametrize("command", ["shell", "check", "makemigrations", "migrate", "showmigrations", "diagram"])
def test_without_a_project_a_command_says_how_to_start_one(tmp_path: Path, command: str) -> None:
    code, out, err = crowsfoot(tmp_path, command)
    assert (code, out) == (1, "")
    assert "There is no project here" in err
    assert "crowsfoot startproject mysite" in err
    assert "Traceback" not in err


def test_traceback_is_shown_on_demand(tmp_path: Path) -> None:
    code, _, err = crowsfoot(tmp_path, "check", "--traceback")
    assert code == 1
    assert err.startswith("Traceback (most recent call last):")


@pytest.mark.parametrize(
    ("models", "title", "words"),
    [
        (
            "from crowsfoot import models\n\nclass Post(models.Model):\n    author = models.ForeignKey(Autor, 1)\n",
            "blog/models.py, line 4",
            "NameError: name 'Autor' is not defined",
        ),
        ("from crowsfoot import modles\n", "blog/models.py, line 1", "cannot import name 'modles'"),
        ("class Post(\n", "blog/models.py, line 1", "SyntaxError: '(' was never closed"),
        ("import nothing_such\n", "blog/models.py, line 1", "No module named 'nothing_such'"),
    ],
)
def test_an_error_in_the_project_is_told_by_its_line(project: Path, models: str, title: str, words: str) -> None:
    (project / "blog" / "models.py").write_text(models)
    done = run(project, "manage.py", "check")
    assert done.returncode == 1
    assert done.stderr.startswith(title + "\n")
    assert words in done.stderr
    assert models.splitlines()[int(title[-1]) - 1].strip() in done.stderr
    assert "Traceback" not in done.stderr


def test_the_project_file_is_told_of(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.crowsfoot]\napp = ["blog"]\n')
    done = run(project, "manage.py", "check")
    assert done.returncode == 1
    assert "The project is not set up right\n" in done.stderr
    assert "Did you mean 'apps'?" in done.stderr


@pytest.mark.parametrize("hidden", ["cyclopts", "rich", "tomlkit"])
def test_without_its_libraries_the_command_names_the_extra(tmp_path: Path, hidden: str) -> None:
    (tmp_path / hidden).mkdir()
    missing = f"raise ModuleNotFoundError('no {hidden}', name='{hidden}')\n"
    (tmp_path / hidden / "__init__.py").write_text(missing)
    done = run(tmp_path, "-m", "crowsfoot", "tour", PYTHONPATH=f"{tmp_path}:{SOURCE}")
    assert done.returncode == 1
    assert done.stderr == "Crowsfoot's commands need a few libraries: pip install 'crowsfoot[cli]'\n"


def test_a_module_that_is_missing_elsewhere_is_no_missing_extra(tmp_path: Path) -> None:
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "__init__.py").write_text("import nothing_such\n")
    done = run(tmp_path, "-m", "crowsfoot", PYTHONPATH=f"{tmp_path}:{SOURCE}")
    assert "No module named 'nothing_such'" in done.stderr


def test_errors_have_a_title_a_sentence_and_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(problems(), CommandError("The title", "What happened.", "What to do."))
    show_error(problems(), ModelError(["blog.Post: one.", "blog.Post: two."]))
    show_error(problems(), IntegrityError("blog_post.title [bold] is empty\nGive it a value."))
    assert capsys.readouterr().err.splitlines() == [
        "The title",
        "What happened.",
        "What to do.",
        "The models need a change",
        "2 problems in the models:",
        "  - blog.Post: one.",
        "  - blog.Post: two.",
        "The rows would break a rule of their tables",
        "blog_post.title [bold] is empty",
        "Give it a value.",
    ]


def test_only_errors_that_explain_themselves_are_shown_without_a_traceback() -> None:
    class Mine(ImproperlyConfigured):
        pass

    assert is_explained(Mine())
    assert is_explained(CommandError("a", "b"))
    assert not is_explained(TypeError())


def test_long_lines_are_not_folded_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert not sys.stderr.isatty()
    show_error(problems(), CommandError("The title", "word " * 100))
    assert len(capsys.readouterr().err.splitlines()) == 2
