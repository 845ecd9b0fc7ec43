"""``shell``: Python with the project's models imported. A person gets a prompt; a pipe and ``-c`` run as a script."""

from __future__ import annotations

import ast
import asyncio
import code
import codeop
import inspect
import linecache
import platform
import sys
import traceback
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FunctionType
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from crowsfoot import models as models_module
from crowsfoot.cli.console import is_explained
from crowsfoot.cli.context import Context, Ctx, shown_url
from crowsfoot.database import databases
from crowsfoot.models.model import Model, apps

FILENAME = "<shell>"
"""What tracebacks call the code that was typed."""
PACKAGE = Path(__file__).parent.parent
AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

HELPERS = ("F", "Q", "Count", "Sum", "Avg", "Min", "Max", "Prefetch")
"""Names of ``crowsfoot.models`` that are there as well."""


def shell(
    *,
    command: Annotated[str | None, Parameter(name=["--command", "-c"])] = None,
    plain: Annotated[bool, Parameter(negative="")] = False,
    context: Ctx,
) -> int:
    """Python with all models imported; IPython where it is installed.

    Code may come through a pipe, or after -c. Each expression in it shows its value, as at a prompt, and 'await' works
    without a function around it.

    Parameters
    ----------
    command
        Run this code and leave.
    plain
        Python's own prompt, even where IPython is installed.
    """
    project = context.load()
    for sentence in apps.problems():
        context.err.print(Text.assemble(("The models need a change: ", "bold red"), sentence))
    names = namespace(apps.get_models())
    if command is not None or not sys.stdin.isatty():
        source = sys.stdin.read() if command is None else command
        return run_script(source, names, context.traceback)
    banner(context, names, shown_url(databases["default"], project) if "default" in databases else "no database")
    if not plain and find_spec("IPython") is not None:
        _ipython(names)
    else:
        _python(names, context.traceback)
    return 0


# -- what is there -----------------------------------------------------------------------------------------------------


def namespace(found: Iterable[Any]) -> dict[str, Any]:
    """The names of a shell: every model and a few helpers.

    Where two apps have a model of one name, the app that is installed later (the project's own, then) has the plain
    name, and the other is ``app_Model``.
    """
    names: dict[str, Any] = {"models": models_module, **{name: getattr(models_module, name) for name in HELPERS}}
    for model in found:
        name = model.__name__
        other: Any = names.get(name)
        if _is_model(other):
            names[f"{other._meta.app_label}_{name}"] = other
        names[name] = model
    return names


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Model)


def banner(context: Context, names: dict[str, Any], where: str) -> None:
    """Say where one is and what is imported."""
    context.out.print(Text.assemble(("Crowsfoot", "bold"), f" on Python {platform.python_version()}, {where}"))
    by_app: dict[str, list[str]] = {}
    for name, value in names.items():
        if _is_model(value):
            by_app.setdefault(value._meta.app_label, []).append(name)
    width = max(map(len, by_app), default=0)
    for label, listed in by_app.items():
        context.out.print(Text.assemble(f"  {label:<{width}}  ", (", ".join(sorted(listed)), "cyan")))
    helpers = ", ".join(["models", *(name for name in HELPERS if not _is_model(names[name]))])
    context.out.print(Text.assemble(f"  {'also':<{width}}  ", (helpers, "dim")))
    own = [listed for label, listed in by_app.items() if label not in {"auth", "contenttypes"}]
    example = sorted(own[-1] if own else [*by_app.values()][-1])[0] if by_app else "Author"
    context.out.print(f"They are imported. Try: {example}.objects.all()\n", style="dim")


# -- a script ----------------------------------------------------------------------------------------------------------


def run_script(source: str, names: dict[str, Any], traceback: bool = False) -> int:
    """Run ``source`` and show the value of each expression in it, as a prompt would; 1 if it ended in an error.

    An error is shown with the script's own lines, and what led to it inside Crowsfoot only where ``traceback`` asks for
    that. Nothing runs where the script is no Python.
    """
    names["__name__"] = "__main__"
    linecache.cache[FILENAME] = (len(source), None, source.splitlines(keepends=True), FILENAME)
    try:
        statements = compile(source, FILENAME, "exec", ast.PyCF_ONLY_AST | AWAIT, dont_inherit=True).body
    except (SyntaxError, ValueError) as error:
        print_error(error, traceback)
        return 1
    compiler: Any = _compiler()  # typed as if it took source only; it is `compile`, which takes a tree as well
    with Runner(names) as runner:
        for statement in statements:
            try:
                runner.run(compiler(ast.Interactive([statement]), FILENAME, "single"))
            except Exception as error:
                print_error(error, traceback)
                return 1
    return 0


def _compiler() -> codeop.Compile:
    """Compiles one statement after the other; a ``from __future__`` holds for those that follow."""
    compiler = codeop.Compile()
    compiler.flags |= AWAIT
    return compiler


class Runner:
    """Runs code in one namespace, and what it awaits in one event loop, which is made when it is first needed."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self._loop: asyncio.Runner | None = None

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None:
            with self._loop as loop:
                for database in databases.all():
                    loop.run(database.aclose())

    def run(self, compiled: CodeType) -> None:
        """Run code that was compiled in one of the modes "exec" and "single"."""
        if compiled.co_flags & inspect.CO_COROUTINE:
            self._loop = self._loop or asyncio.Runner()
            self._loop.run(FunctionType(compiled, self.names)())
        else:
            exec(compiled, self.names)


def print_error(error: BaseException, whole: bool) -> None:
    """Print a traceback that begins in the user's code; for an error that explains itself it ends there, too.

    ``whole`` is for all of it.
    """
    shown = traceback.TracebackException.from_exception(error)
    if not whole:
        frames = list(shown.stack)
        own = [number for number, frame in enumerate(frames) if frame.filename == FILENAME]
        frames = frames[own[0] :] if own else [frame for frame in frames if frame.filename != __file__]
        if is_explained(error):
            frames = [frame for frame in frames if not Path(frame.filename).is_relative_to(PACKAGE)]
            shown.__cause__ = shown.__context__ = None
        shown.stack = traceback.StackSummary.from_list(frames)
    print("".join(shown.format()), end="", file=sys.stderr)


# -- a prompt ----------------------------------------------------------------------------------------------------------


class Prompt(code.InteractiveConsole):
    """Python's prompt, with ``await``."""

    def __init__(self, names: dict[str, Any], runner: Runner, traceback: bool = False) -> None:
        super().__init__(names, FILENAME)
        self.runner = runner
        self.traceback = traceback
        self.compile.compiler.flags |= AWAIT

    def runcode(self, code: CodeType) -> None:
        """Run what was typed, in the runner."""
        try:
            self.runner.run(code)
        except SystemExit:
            raise
        except BaseException as error:
            print_error(error, self.traceback)


def _python(names: dict[str, Any], traceback: bool) -> None:
    names["__name__"] = "__console__"
    with _completion(names), Runner(names) as runner:
        Prompt(names, runner, traceback).interact(banner="", exitmsg="")


@contextmanager
def _completion(names: dict[str, Any]) -> Generator[None, None, None]:
    """Let Tab complete the names, where Python was built with readline."""
    if find_spec("readline") is None:
        yield
        return
    readline = import_module("readline")
    readline.set_completer(import_module("rlcompleter").Completer(names).complete)
    readline.parse_and_bind("tab: complete")
    try:
        yield
    finally:
        readline.set_completer(None)


def _ipython(names: dict[str, Any]) -> None:
    """IPython's prompt. It is imported here, and not above, because it takes longer than all other commands."""
    start = import_module("IPython").start_ipython
    config = import_module("traitlets.config").Config()
    config.TerminalIPythonApp.display_banner = False
    start(argv=[], user_ns=names, config=config)
