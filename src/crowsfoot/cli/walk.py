"""Plays a text in Markdown: prints its prose, and runs its Python statement by statement, with the SQL that each sent.

The text is the only place where the code stands; what is shown is what has run. Words after ```` ```python ```` say how
a block is played:

- ``raises=ProtectedError``: its last statement must raise that;
- ``sql=blog_``: show only the statements in which this regular expression is found, and count the others;
- ``when=mermaid``: play it only if the player was given that word.
"""

from __future__ import annotations

import ast
import io
import linecache
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

from crowsfoot.database import databases

INDENT = 4
BARS = "│|"
PLAIN = str.maketrans("─│┼├┤┌┐└┘", "-||++++++")
LONGEST_VALUES = 200
Sent = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """What is shown as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Python to run. ``line`` is the one before its first."""

    source: str
    line: int
    raises: str = ""
    sql: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement: its source with the comments before it, and what runs it."""

    source: str
    node: ast.stmt


def parse(text: str) -> Iterator[Heading | Prose | Block | Code]:
    """The parts of a text: headings (``## …``), paragraphs, and blocks."""
    lines = text.splitlines()
    paragraph: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if paragraph and (not line.strip() or line.startswith(("#", "```"))):
            yield Prose(" ".join(paragraph))
            paragraph = []
        if line.startswith("```"):
            end = lines.index("```", at)
            language, *words = line.removeprefix("```").split()
            block = "\n".join(lines[at:end])
            if language == "python":
                yield Code(block, at, **dict(word.split("=", 1) for word in words))
            else:
                yield Block(block)
            at = end + 1
        elif line.startswith("#"):
            yield Heading(line.lstrip("# "))
        elif line.strip():
            paragraph.append(line.strip())
    if paragraph:
        yield Prose(" ".join(paragraph))


def steps(code: Code, file: str) -> Iterator[Step]:
    """The statements of a block, each with the lines from the end of the one before it."""
    lines = code.source.splitlines()
    start = 0
    for node in ast.parse(code.source, file).body:
        end = node.end_lineno or node.lineno
        source = "\n".join(lines[start:end])
        start = end
        yield Step(source, ast.increment_lineno(node, code.line))


class Player:
    """Plays texts on a console in one namespace, as a shell would. ``words`` choose among blocks (``when=``)."""

    def __init__(self, console: Console, namespace: dict[str, Any], words: Collection[str] = ()) -> None:
        self.console = console
        self.namespace = namespace
        self.words = words
        self.plain = not console.encoding.lower().startswith("utf")

    def play(self, text: str, file: str) -> None:
        """Play a text. Raises what its code raises, and ``AssertionError`` where an expected exception stayed away."""
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        for part in parse(text):
            if isinstance(part, Heading):
                self.console.print()
                self.console.print(Rule(Text(part.text, "bold"), characters="-" if self.plain else "─"))
                self.console.print()
            elif isinstance(part, Prose):
                self._prose(part.text)
            elif isinstance(part, Block):
                for line in part.text.splitlines():
                    self._print(Text(line, "bold cyan"), INDENT)
                self.console.print()
            elif not part.when or part.when in self.words:
                self._code(part, file)

    # -- running -------------------------------------------------------------------------------------------------------

    def _code(self, code: Code, file: str) -> None:
        found = list(steps(code, file))
        for step in found:
            self._source(step.source)
            raises = code.raises if step is found[-1] else ""
            sent, printed, result = self._run(step, file, raises)
            self._sent(sent, code.sql)
            self._result(printed, result)
        self.console.print()

    def _run(self, step: Step, file: str, raises: str) -> tuple[list[Sent], str, str]:
        """Run a statement: what it sent, what it printed, and how its value (or its error) reads."""
        sent: list[Sent] = []
        printed = io.StringIO()
        with ExitStack() as stack:
            for database in databases.all():
                stack.enter_context(database.watched(lambda sql, values: sent.append((sql, values))))
            stack.enter_context(redirect_stdout(printed))
            try:
                result = self._value(step.node, file)
            except Exception as error:
                if type(error).__name__ != raises:
                    raise
                return sent, printed.getvalue(), f"{raises}: {error}"
        assert not raises, f"{file}, line {step.node.lineno}: {raises} was expected"
        return sent, printed.getvalue(), result

    def _value(self, node: ast.stmt, file: str) -> str:
        """Run a statement; the ``repr`` of its value as a shell shows it, or nothing."""
        if not isinstance(node, ast.Expr):
            exec(compile(ast.Module([node], []), file, "exec"), self.namespace)
            return ""
        value = eval(compile(ast.Expression(node.value), file, "eval"), self.namespace)
        return "" if value is None else repr(value)

    # -- showing -------------------------------------------------------------------------------------------------------

    def _prose(self, text: str) -> None:
        shown = Text()
        for number, part in enumerate(text.split("`")):
            shown.append(part, "bold cyan" if number % 2 else "")
        self._print(shown, fold=True)
        self.console.print()

    def _source(self, source: str) -> None:
        for line in Syntax("", "python", theme="ansi_dark", background_color="default").highlight(source).split("\n"):
            line.rstrip()
            self._print(line, INDENT)

    def _sent(self, sent: Sequence[Sent], only: str) -> None:
        chosen = [pair for pair in sent if re.search(only, pair[0])]
        for sql, values in chosen:
            text = Text(layout(sql), "blue")
            if values:
                text.append(self._values(values), "dim")
            self._print(text, INDENT + 2, BARS[self.plain])
        if len(chosen) < len(sent):
            others = len(sent) - len(chosen)
            text = Text(
                f"{'and ' if chosen else ''}{others} {'more ' if chosen else ''}statement{'s'[: others > 1]}", "dim"
            )
            self._print(text, INDENT + 2, BARS[self.plain])

    def _values(self, values: Any) -> str:
        text = ", ".join(map(repr, values))
        return "  with " + (text if len(text) <= LONGEST_VALUES else text[:LONGEST_VALUES] + " …")

    def _result(self, printed: str, result: str) -> None:
        for line in printed.splitlines():
            self.console.print(Text(" " * INDENT + self._fit(line), "green"), soft_wrap=True)
        if result:
            self._print(Text(self._fit(result), "green"), INDENT + 2, "=>" if self.plain else "→")

    def _fit(self, text: str) -> str:
        """``text`` as far as the console can say it."""
        if not self.plain:
            return text
        return text.translate(PLAIN).encode(self.console.encoding, "replace").decode(self.console.encoding)

    def _print(self, text: Text, indent: int = 0, mark: str = "", fold: bool = False) -> None:
        """Print with an indent, folded on a terminal (or with ``fold``) and as it is elsewhere."""
        margin = " " * indent + (mark + " " if mark else "")
        width = max(20, min(self.console.width, 100) - len(margin))
        folded = text.wrap(self.console, width) if fold or not self.console.soft_wrap else text.split("\n")
        for number, line in enumerate(folded):
            line.rstrip()
            repeated = number == 0 or mark in BARS
            shown = Text.assemble((margin if repeated else " " * len(margin), "dim"), line)
            shown.rstrip()
            self.console.print(shown, soft_wrap=True)


def layout(sql: str) -> str:
    """A ``CREATE TABLE`` with a line for each column; other statements as they are."""
    if not sql.startswith("CREATE TABLE"):
        return sql
    head, _, rest = sql.partition("(")
    parts: list[str] = []
    depth = start = 0
    for at, character in enumerate(rest):
        depth += (character == "(") - (character == ")")
        if depth < 0 or (character == "," and not depth):
            parts.append(rest[start:at].strip())
            start = at + 1
            if depth < 0:
                break
    return f"{head}(\n  " + ",\n  ".join(parts) + f"\n){rest[start:]}"


__all__ = ["Player", "layout", "parse", "steps"]
