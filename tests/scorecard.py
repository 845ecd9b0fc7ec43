"""The scorecard, docs/scorecard.md: the capabilities that Crowsfoot has, each shown by tests marked with its number.

``pytest -m capability --write-scorecard`` runs the marked tests and writes the page: if one of them fails, or has no
database to run on, nothing is written and the run fails. tests/test_scorecard.py holds the page to the marks.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "scorecard.md"
GROUPS: list[dict[str, Any]] = tomllib.loads((ROOT / "tests" / "capabilities.toml").read_text())["group"]
CAPABILITIES: dict[int, dict[str, Any]] = {row["id"]: row for group in GROUPS for row in group["capabilities"]}

Marked = dict[str, tuple[int, ...]]  # the numbers of capabilities, by the test that shows them

INTRODUCTION = """\
# The scorecard

What a mapper can do for relationships, in {all} rows, and whether Crowsfoot does it: **{have} yes**. Each `yes` is tied
to tests, which ran on SQLite and PostgreSQL and passed when this page was written. The test run itself writes it
(`make test ARGS="-m capability --write-scorecard"`), and every run compares it with what the tests claim. Where it says
`not yet`, the words behind it tell what there is instead, or what it will come with.

The last columns are for comparison, as of November 2026: Django 6.1, from its source and by trying, and SQLAlchemy 2.1,
from its documentation. `part` is limited, by recipe or by an official package beside it; `?` was not established.
"""


def render(marked: Marked) -> str:
    """The page, for the tests that show what they are marked with."""
    tests = {number: sorted(t for t in marked if number in marked[t]) for number in CAPABILITIES}
    have = sum(map(bool, tests.values()))
    parts = [INTRODUCTION.format(all=len(CAPABILITIES), have=have)]
    for group in GROUPS:
        numbers = [row["id"] for row in group["capabilities"]]
        parts.append(f"\n## {group['title']}: {sum(bool(tests[n]) for n in numbers)} of {len(numbers)}\n")
        parts.append("| | capability | Crowsfoot | shown by | Django | SQLAlchemy |\n|---|---|---|---|---|---|")
        parts += [_row(CAPABILITIES[number], tests[number]) for number in numbers]
    return "\n".join(parts) + "\n"


def _row(capability: dict[str, Any], tests: list[str]) -> str:
    answer = "**yes**" if tests else f"not yet: {capability['planned']}"
    if tests and "note" in capability:
        answer += f": {capability['note']}"
    links = ", ".join(f"[{test.partition('::')[2]}](../{test.partition('::')[0]})" for test in tests)
    cells = (capability["id"], capability["is"], answer, links, capability["django"], capability["sqlalchemy"])
    return f"| {' | '.join(map(str, cells))} |"


# -- the marks, as they stand in the source ----------------------------------------------------------------------------


def marks(folder: Path) -> Marked:
    """The marked tests under ``folder``, found without importing or running anything."""
    found: Marked = {}
    for file in sorted(folder.rglob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                numbers = tuple(n for decorator in node.decorator_list for n in _numbers(decorator))
                if numbers:
                    found[f"{file.relative_to(folder.parent).as_posix()}::{node.name}"] = numbers
    return found


def _numbers(decorator: ast.expr) -> Iterator[int]:
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.capability":
        yield from (ast.literal_eval(argument) for argument in decorator.args)


def faults(marked: Marked) -> list[str]:
    """What does not fit: numbers that are nobody's, and capabilities that are both here and planned, or neither."""
    used = {number for numbers in marked.values() for number in numbers}
    found = [f"There is no capability {number}." for number in sorted(used - set(CAPABILITIES))]
    for number, row in CAPABILITIES.items():
        if number in used and "planned" in row:
            found.append(f"Capability {number} is shown by a test, so it is not planned any more.")
        if number not in used and "planned" not in row:
            found.append(f"Capability {number} has neither a test nor words that say what is planned.")
    return found


# -- the run that writes -----------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-scorecard", action="store_true", help="write docs/scorecard.md if all marked tests pass")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "capability(*numbers): shows these rows of docs/scorecard.md")
    if config.getoption("--write-scorecard") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Writer())


class Writer:
    """Listens to the reports, which under xdist come from the workers, and writes the page at the end."""

    def __init__(self) -> None:
        self.marked = marks(ROOT / "tests")
        self.passed: set[str] = set()
        self.others: set[str] = set()
        self.told = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            test = report.nodeid.partition("[")[0]
            (self.passed if report.passed else self.others).add(test)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        yield
        without = sorted(test for test in self.marked if test in self.others or test not in self.passed)
        self.told = "\n".join(["docs/scorecard.md was not written, since these did not run and pass:", *without])
        if without or faults(self.marked):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self.told = "\n".join([self.told, *faults(self.marked)])
        else:
            PAGE.write_text(render(self.marked))
            self.told = f"docs/scorecard.md was written: {len(self.marked)} marked tests ran and passed."

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(self.told)
