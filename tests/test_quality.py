"""The code passes ruff, mypy and pyright. What they look at, and how strictly, stands in pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCOPES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]


def existing(paths: list[str]) -> list[str]:
    return [path for path in paths if (ROOT / path).exists()]


def run(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n\n{done.stdout}", pytrace=False)


def test_ruff_finds_nothing() -> None:
    run("ruff", "check", ".")


def test_the_code_is_formatted() -> None:
    """`make format` does it."""
    run("ruff", "format", "--check", ".")


def test_mypy_finds_nothing() -> None:
    run("mypy", *existing(SCOPES["mypy"]["files"]))


@pytest.mark.capability(105, 107)
def test_pyright_finds_nothing() -> None:
    run("pyright", "--pythonpath", sys.executable)
