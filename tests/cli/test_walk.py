"""The player of texts: parts, steps, expected errors, and how statements are shown."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from crowsfoot.cli.console import make_console
from crowsfoot.cli.walk import Block, Code, Heading, Player, Prose, layout, parse, steps
from crowsfoot.database import Database, connect, databases
from crowsfoot.drivers.run import Execute, Operation
from crowsfoot.persistence.session import Session


def play(text: str, *words: str, **names: object) -> str:
    file = io.StringIO()
    Player(make_console(file), {**names}, words).play(text, "text.md")
    return file.getvalue()


def fenced(source: str, words: str = "") -> str:
    return f"```python {words}\n{source}\n```\n"


@pytest.fixture
def database() -> Iterator[Database]:
    yield connect("sqlite://:memory:", "walk")
    databases.pop("walk").close()


def send(database: Database, sql: str, *values: object) -> None:
    def operation(session: Session) -> Operation[None]:
        yield Execute(sql, values)

    database.run(operation)


def test_a_text_has_headings_paragraphs_and_blocks() -> None:
    text = "# One\nTwo\nlines.\n\nNext.\n```python raises=KeyError sql=x\n{}[1]\n\n```\n```shell\nls\n```"
    assert list(parse(text)) == [
        Heading("One"),
        Prose("Two lines."),
        Prose("Next."),
        Code("{}[1]\n", 6, raises="KeyError", sql="x"),
        Block("ls"),
    ]


def test_a_step_is_a_statement_with_the_lines_before_it() -> None:
    code = Code("a = 1\n\n# b\nb = (\n    2)\nb", 10)
    assert [step.source for step in steps(code, "text.md")] == ["a = 1", "\n# b\nb = (\n    2)", "b"]
    assert [step.node.lineno for step in steps(code, "text.md")] == [11, 14, 16]


def test_values_and_prints_are_shown() -> None:
    assert play(fenced("a = 1\na + 1\nNone\nprint('x\\ny')")) == (
        "    a = 1\n    a + 1\n      → 2\n    None\n    print('x\\ny')\n    x\n    y\n\n"
    )


def test_names_live_on_from_block_to_block() -> None:
    assert "→ 3\n" in play(fenced("a = 1") + "And\n" + fenced("a + b"), b=2)


def test_blocks_for_other_words_are_left_out() -> None:
    assert play(fenced("1", "when=x")) == ""
    assert "→ 1" in play(fenced("1", "when=x"), "x")


def test_an_expected_error_is_a_result() -> None:
    assert "      → ZeroDivisionError: division by zero\n" in play(fenced("a = 1\na / 0", "raises=ZeroDivisionError"))


def test_only_the_last_statement_may_raise_it() -> None:
    with pytest.raises(ZeroDivisionError):
        play(fenced("1 / 0\n1 / 0", "raises=ZeroDivisionError"))


def test_another_error_is_an_error_with_its_place_in_the_text() -> None:
    with pytest.raises(KeyError) as found:
        play("# Title\n" + fenced("a = 1\n{}[a]", "raises=ZeroDivisionError"))
    last = found.traceback[-1]
    assert (str(last.path), last.lineno + 1) == ("text.md", 4)


def test_an_error_that_stays_away_is_one() -> None:
    with pytest.raises(AssertionError, match=r"text\.md, line 2: KeyError was expected"):
        play(fenced("1", "raises=KeyError"))


def test_statements_are_shown_with_their_values_apart(database: Database) -> None:
    shown = play(fenced("send(database, 'SELECT ?, ?', 1, 'x')"), send=send, database=database)
    assert "      │ SELECT ?, ?  with 1, 'x'\n" in shown


def test_statements_may_be_counted_instead(database: Database) -> None:
    code = "for sql in ['SELECT 1', 'SELECT 2', 'SELECT 3']: send(database, sql)"
    assert "      │ SELECT 2\n      │ and 2 more statements\n" in play(
        fenced(code, "sql=2"), send=send, database=database
    )
    assert "      │ 3 statements\n" in play(fenced(code, "sql=4"), send=send, database=database)


def test_a_table_is_laid_out_by_columns() -> None:
    assert layout('CREATE TABLE "a" ("b" decimal(5, 2) NOT NULL, "c" int) STRICT') == (
        'CREATE TABLE "a" (\n  "b" decimal(5, 2) NOT NULL,\n  "c" int\n) STRICT'
    )
    assert layout("SELECT (1, 2)") == "SELECT (1, 2)"
