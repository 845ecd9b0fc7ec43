"""The examples in the pages for users run, and print what the pages say. Those of one page are one program."""

from __future__ import annotations

import re
from doctest import ELLIPSIS
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from crowsfoot.database import DEFAULT, databases
from crowsfoot.schema.relation import RULES
from crowsfoot.testing import isolated_registry

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "guide"
PAGES = [ROOT / "README.md", *sorted(GUIDE.glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_the_examples_of_a_page_run(page: Path) -> None:
    document = Sybil([PythonCodeBlockParser(doctest_optionflags=ELLIPSIS)], path=str(ROOT)).parse(page)
    document.namespace["__name__"] = "blog.models"
    examples = list(document.examples())
    assert examples
    before = databases.pop(DEFAULT, None)
    known = set(databases)
    try:
        with isolated_registry():
            for example in examples:
                example.evaluate()
    finally:
        for alias in set(databases) - known:
            databases.pop(alias).close()
        if before is not None:
            databases[DEFAULT] = before


def test_the_guide_says_what_each_rule_writes_into_the_schema() -> None:
    rows = re.findall(
        r"^\| `(\w+)(?:\(value\))?` \|.*\| `([A-Z ]+)` \|$", (GUIDE / "relationships.md").read_text(), re.M
    )
    assert dict(rows) == {name: rule.sql for name, rule in RULES.items()} | {"SET": "NO ACTION"}
