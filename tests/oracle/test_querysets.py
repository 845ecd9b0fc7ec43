"""Random querysets, asked of Crowsfoot and of Django on the same rows of SQLite and PostgreSQL: the answers are equal.

`make oracle` asks 5,000 questions of each database, the ordinary tests a few; `make oracle EXAMPLES=500 SEED=7` asks
others. The same seed makes the same questions. What is asked is said by the grammar (`chance`, `conditions`,
`expressions`, `grammar`), as terms that become Python code (`terms`); `graph` has the models and rows, `sides` the two
libraries, `answers` what is compared. What Django answers wrong is left out where the grammar says so. Django is a
development dependency on Python 3.12 and later.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

pytest.importorskip("django", reason="Django, the oracle, is not installed (it needs Python 3.12)")

from oracle.answers import Refused, ask
from oracle.chance import Chance
from oracle.grammar import Grammar, Question
from oracle.sides import Side, both, close
from oracle.terms import code

ASKED = "ORACLE_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "250"))
SEED = int(os.environ.get("ORACLE_SEED", "1"))
numbers = cache(lambda n: st.integers(0, n - 1))


@st.composite
def questions(draw: Callable[[Any], Any], vendor: str) -> Question:
    return Grammar(Chance(lambda n: draw(numbers(n))), vendor).question()


@pytest.fixture(params=["sqlite", "postgresql"])
def sides(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Side, Side]]:
    """The database's name, Crowsfoot and Django."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/oracle.db"
    else:
        url = request.getfixturevalue("postgres_schema")
    yield (request.param, *both(url))
    close()


def difference(own: Any, other: Any) -> tuple[Any, Any]:
    """The innermost place where two answers differ."""
    if type(own) is type(other) is list and len(own) == len(other):
        pairs = list(zip(own, other, strict=True))
    elif type(own) is type(other) is dict and own.keys() == other.keys():
        pairs = [(own[key], other[key]) for key in own]
    else:
        return own, other
    return next((difference(one, two) for one, two in pairs if one != two), (own, other))


def report(question: Question, vendor: str, own: Any, other: Any) -> str:
    """What differs, and how to ask it again."""
    one, two = difference(own, other)
    return f"""
on {vendor} the answers differ
  Crowsfoot: {one}
  Django:    {two}
Again: make oracle SEED={SEED} EXAMPLES={EXAMPLES}. Or paste, with tests/ on the path and an empty file:
  from oracle.sides import both
  own, django = both("sqlite:////tmp/oracle.db")
  globals().update(own.names)
  {code(question.term)}
  globals().update(django.names)
  {code(question.term, apart=True)}
"""


def test_equal_results(sides: tuple[str, Side, Side], capsys: pytest.CaptureFixture[str]) -> None:
    vendor, own, other = sides
    found: Counter[str] = Counter()

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(questions(vendor))
    def agree(question: Question) -> None:
        try:
            expected = ask(other, question)
        except Refused:
            found["refused"] += 1
            assume(False)
        try:
            answer = ask(own, question)
        except Refused as refused:
            answer = str(refused)
        if answer != expected:
            raise AssertionError(report(question, vendor, answer, expected))
        found["equal"] += 1
        found["with rows"] += expected not in ([], 0, None, {}, False)

    agree()
    if ASKED:
        with capsys.disabled():
            print(
                f"\n{vendor}: {found['equal']} questions, {found['with rows']} of them with an answer that is not "
                f"empty; all equal. {found['refused']} more were refused by Django. Seed {SEED}."
            )
    assert found["equal"] >= EXAMPLES
