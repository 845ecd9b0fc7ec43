"""The examples in the pages for users run, and print what the pages say. Those of one page are one program."""

from __future__ import annotations

import re
from doctest import ELLIPSIS
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from crowsfoot import models
from crowsfoot.database import DEFAULT, databases
from crowsfoot.models import expressions
from crowsfoot.models.aggregates import Aggregate
from crowsfoot.query import functions as all_functions
from crowsfoot.query.nodes import BaseExpression
from crowsfoot.query.quantifiers import COUNT, QUANTIFIERS
from crowsfoot.schema.relation import RULES
from crowsfoot.schema.types import LookupRegistry
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


# -- the query reference is complete -----------------------------------------------------------------------------------

REFERENCE = (GUIDE / "queries.md").read_text()
BLOCKS = "\n".join(re.findall(r"^```python\n(.*?)^```", REFERENCE, re.M | re.S))
PROSE = re.sub(r"^```.*?^```", "", REFERENCE, flags=re.M | re.S)
MENTIONED = {word for code in re.findall(r"`([^`]+)`", PROSE) for word in re.findall(r"\w+", code)}
AGGREGATES = {
    name
    for name, found in vars(models).items()
    if isinstance(found, type) and issubclass(found, Aggregate) and found is not Aggregate
}


def _with_subclasses(kind: type) -> set[type]:
    return {kind}.union(*(_with_subclasses(sub) for sub in kind.__subclasses__()))


def _lookups() -> set[str]:
    """The look-ups and transforms that every project has, not those that a test or a page has registered."""
    registries = [c for c in _with_subclasses(LookupRegistry) if c.__module__.startswith("crowsfoot.")]
    own = [c for c in registries if not c.__module__.startswith("crowsfoot.models.")]
    return {
        name
        for registry in own
        for name, lookup in vars(registry).get("class_lookups", {}).items()
        if lookup.__module__.startswith("crowsfoot.")
    }


def test_the_query_reference_names_every_method_of_a_queryset() -> None:
    assert {name for name in dir(models.QuerySet) if not name.startswith("_")} - MENTIONED == set()


def test_the_query_reference_names_every_expression() -> None:
    nodes = {name for name, c in vars(models).items() if isinstance(c, type) and issubclass(c, BaseExpression)}
    resolved = {"BaseExpression", "Col", "Combinable", "CombinedExpression", "ExpressionList", "NegatedExpression"}
    public = nodes | {"Q", "FilteredRelation"} | set(expressions.__all__) - resolved - {"Ref", "Star"}
    assert public - MENTIONED == set()


@pytest.mark.parametrize("names", [set(all_functions.__all__), AGGREGATES], ids=["functions", "aggregates"])
def test_the_query_reference_names_and_runs_every_function(names: set[str]) -> None:
    assert len(names) > 10
    assert names - MENTIONED == set()
    assert names - set(re.findall(r"\w+", BLOCKS)) == set()


def test_the_query_reference_names_and_runs_every_look_up() -> None:
    names = _lookups() | QUANTIFIERS | {COUNT}
    assert {"exact", "year", "has_key"} <= names
    named = {part for word in MENTIONED for part in word.split("__")}
    used = {part for word in re.findall(r"\w+", BLOCKS) for part in word.split("__")[1:]}
    assert names - named == set()
    assert names - used == set()
