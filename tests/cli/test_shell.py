"""``shell``: what is imported, and code from a pipe, from ``-c`` and at the prompt."""

from __future__ import annotations

import os
import pty
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command_line import SOURCE, run

from crowsfoot.cli.context import Context
from crowsfoot.cli.shell import banner, namespace, run_script
from crowsfoot.database import databases
from crowsfoot.errors import OperationalError
from crowsfoot.models.model import Model

MODELS = """
from django.db import models

class Author(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name
"""
TABLES = "import crowsfoot\ncrowsfoot.create_tables(Author)\n"


def model(app_label: str, name: str) -> Any:
    """A class that passes for a model, and is known to no registry."""
    made = type.__new__(type(Model), name, (Model,), {})
    type.__setattr__(made, "_meta", SimpleNamespace(app_label=app_label))
    return made


@pytest.mark.capability(125)
def test_every_model_has_its_name_and_the_later_app_comes_first() -> None:
    library, blog, author = model("library", "Tag"), model("blog", "Tag"), model("blog", "Author")
    names = namespace([library, blog, author])
    assert names["Tag"] is blog
    assert names["library_Tag"] is library
    assert names["Author"] is author
    assert {"models", "F", "Q", "Count"} <= set(names)


def test_the_banner_lists_the_models_by_app(context: Context) -> None:
    banner(context, namespace([model("auth", "User"), model("blog", "Tag"), model("blog", "Author")]), "sqlite:///db")
    shown = context.out.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert shown[1:3] == ["  auth  User", "  blog  Author, Tag"]
    assert "Author.objects.all()" in shown[-2]


def test_each_expression_shows_its_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_script("x = 'Asha'\nx\nNone\nif x:\n    x * 2\n_\n", {}) == 0
    assert capsys.readouterr().out == "'Asha'\n'AshaAsha'\n'AshaAsha'\n"


def test_await_works_without_a_function(capsys: pytest.CaptureFixture[str]) -> None:
    script = "import asyncio\nasync def three():\n    return 3\nloop = asyncio.get_running_loop\nawait three()\n"
    assert run_script(script + "[x async for x in aiter_of(2)]\n", {"aiter_of": aiter_of}) == 0
    assert capsys.readouterr().out == "3\n[0, 1]\n"


async def aiter_of(count: int) -> Any:
    for number in range(count):
        yield number


def test_a_future_import_holds_for_what_follows_and_ours_for_nothing() -> None:
    names: dict[str, Any] = {}
    assert run_script("def f(x: int): pass\nfrom __future__ import annotations\ndef g(x: int): pass\n", names) == 0
    assert names["f"].__annotations__ == {"x": int}
    assert names["g"].__annotations__ == {"x": "int"}


def test_nothing_runs_of_a_script_that_is_no_python(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_script("print('ran')\nx = = 2\n", {}) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert 'File "<shell>", line 2' in shown.err
    assert __file__ not in shown.err
    assert "run_script" not in shown.err


def test_an_error_ends_the_script_and_shows_its_own_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_script("def half(x):\n    return x / 0\n\nhalf(1)\nprint('on')\n", {}) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(
        'Traceback (most recent call last):\n  File "<shell>", line 4, in <module>\n    half(1)\n'
    )
    assert shown.err.endswith("ZeroDivisionError: division by zero\n")


def test_an_error_that_explains_itself_is_not_followed_into_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    names = {"databases": databases}
    assert run_script("databases['nowhere']\n", names) == 1
    short = capsys.readouterr().err
    assert "database.py" not in short
    assert "This project has no database 'nowhere'" in short
    assert run_script("databases['nowhere']\n", names, traceback=True) == 1
    assert "database.py" in capsys.readouterr().err


def test_the_cause_in_a_driver_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        try:
            raise KeyError("the driver's own words")
        except KeyError as error:
            raise OperationalError("no such table") from error

    run_script("fail()", {"fail": fail})
    assert "the driver's own words" not in capsys.readouterr().err


@pytest.fixture
def blog(project: Path) -> Path:
    (project / "blog" / "models.py").write_text(MODELS)
    done = run(project, "manage.py", "shell", "-c", TABLES)
    assert done.returncode == 0, done.stderr
    return project


def test_code_after_c_and_from_a_pipe(blog: Path) -> None:
    done = run(blog, "manage.py", "shell", "-c", "Author.objects.create(name='Asha')")
    assert (done.stdout, done.stderr) == ("<Author: Asha>\n", "")
    done = run(blog, "-m", "crowsfoot", "shell", stdin="Author.objects.all()\nawait Author.objects.acount()\n")
    assert (done.stdout, done.stderr) == ("<QuerySet [<Author: Asha>]>\n1\n", "")
    assert sorted(path.name for path in blog.glob("db*")) == ["db.sqlite3"]  # closed: nothing is left beside it


def test_the_exit_code_of_a_script_that_fails(blog: Path) -> None:
    assert run(blog, "manage.py", "shell", "-c", "Author.objects.get(name='Nobody')").returncode == 1
    assert run(blog, "manage.py", "shell", "-c", "raise SystemExit(7)").returncode == 7


def test_the_command_finds_the_project_of_manage_py(blog: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = run(elsewhere, str(blog / "manage.py"), "shell", "-c", "Author.objects.count()")
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("options", [[], ["--plain"]])
def test_a_person_gets_a_prompt(blog: Path, options: list[str]) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(blog)
        os.environ.update(PYTHONPATH=str(SOURCE), TERM="dumb", IPYTHONDIR=str(blog / ".ipython"), NO_COLOR="1")
        os.execv(sys.executable, [sys.executable, "manage.py", "shell", *options])
    shown = ""
    try:
        shown = converse(terminal, ["await Author.objects.acount() + 40\n", "1/0\n", "exit()\n"])
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).replace("\r", "")
    assert "sqlite:///db.sqlite3\n" in shown
    assert "  blog          Author\n" in shown
    assert re.search(r"^(Out\[1\]: )?40$", shown, re.MULTILINE)
    assert "ZeroDivisionError" in shown


def converse(terminal: int, lines: list[str]) -> str:
    """Type each line at the next prompt; returns all that was shown."""
    shown = ""
    waiting = list(lines)
    seen = 0
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux: the other side is gone
            return shown
        if not part:
            return shown
        shown += part.decode(errors="replace")
        prompts = shown.count(">>> ") + shown.count("]: ") - shown.count("Out[")
        if waiting and prompts > seen:
            seen = prompts
            os.write(terminal, waiting.pop(0).encode())
