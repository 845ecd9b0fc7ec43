"""The house of docs/design.md: imports go down only, and no file or function outgrows its one responsibility.

What is allowed stands in the tables below. The checker reads source text and imports nothing, so a half-written module
elsewhere cannot hide a fault; the last tests hand it trees with one fault each.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "crowsfoot"

# From the ground up. A module imports from its own package and from the floors below, which are listed before it. Two
# names in one row are neighbours, and neither imports the other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "naming", "loops", "later"),
    ("conf",),
    ("functional",),
    ("addresses", "enums", "project", "timezones", "dateparse", "translation", "trees"),
    ("encoder", "files"),
    ("validators",),
    ("schema",),
    ("query",),
    ("sql", "drivers"),
    ("persistence",),
    ("database",),
    ("connection",),
    ("transaction",),
    ("models",),
    ("setup",),
    ("drift",),
    ("watching",),
    ("apps",),
    ("migrations",),
    ("diagram",),
    ("testing",),
    ("contrib",),
    ("django",),
    ("studio",),
    ("cli",),
    ("__init__",),
    ("__main__",),
)

# Who may import which library, by path. The standard library is everybody's.
LIBRARIES: dict[str, set[str]] = {
    "drivers/sqlite*.py": {"apsw"},
    "drivers/postgresql*.py": {"psycopg", "asyncpg"},
    "contrib/auth/*": {"argon2"},
    "studio/*": {"starlette", "jinja2", "uvicorn"},
    "models/related_types.py": {"annotationlib"},  # the standard library's, from Python 3.14 on
    "cli/*": {"cyclopts", "rich", "tomlkit", "IPython"},
}

# Who may import a module by a name computed at run time, and which of Crowsfoot's own modules may be named that way.
# `database` loads the driver that a URL asks for, and nobody else does; the others load their users' code.
LOADERS: dict[str, tuple[str, ...]] = {
    "loops": (),  # asyncio
    "naming": (),  # logging
    "later": (),  # what the faces name
    "database": ("crowsfoot.drivers.",),
    # The hashers and the storage that the settings name by default.
    "conf": ("crowsfoot.contrib.auth.", "crowsfoot.files.storage."),
    "files": (),  # Pillow, when the first image is read
    "contrib": (),
    "apps": ("crowsfoot.contrib.",),
    "migrations": (),
    # It shows Crowsfoot's own modules under Django's names.
    "django": ("crowsfoot",),
    "cli": (),
}

# The packages that users import from. What they load only when it is asked for (``crowsfoot.later``) stands under
# TYPE_CHECKING as well, so that type checkers, and the rules above, see what it is.
FACES = ("__init__.py", "models/__init__.py", "models/fields/__init__.py")

LONGEST_FILE = 600
LONGEST_FUNCTION = 80

RULES = {
    "unplaced": "every module and package at the top of crowsfoot has its place in FLOORS",
    "floor": "imports go down only",
    "neighbour": "neighbours on one floor do not import each other",
    "cycle": "no module imports itself by way of others",
    "local import": "imports stand at the top of the module, not in a function",
    "type-checking import": "no import is hidden under TYPE_CHECKING; a Protocol lower down serves instead",
    "library": "a library is imported where LIBRARIES says, and nowhere else",
    "loader": "a module is loaded by a computed name where LOADERS says, and nowhere else",
    "long file": f"a file has at most {LONGEST_FILE} lines",
    "long function": f"a function has at most {LONGEST_FUNCTION} lines",
}


@dataclass(frozen=True, order=True)
class Fault:
    path: str
    line: int
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.what}"


@dataclass(frozen=True)
class Module:
    name: str  # dotted, as it is imported
    path: str  # relative to the package
    source: str
    tree: ast.Module

    @property
    def top(self) -> str:
        """The name of this module's floor."""
        return self.path.split("/")[0].removesuffix(".py")


def read_package(root: Path) -> dict[str, Module]:
    modules = {}
    for file in sorted(root.rglob("*.py")):
        path = file.relative_to(root).as_posix()
        name = ".".join(("crowsfoot", *file.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
        source = file.read_text()
        modules[name] = Module(name, path, source, ast.parse(source, str(file)))
    return modules


def check(root: Path) -> list[Fault]:
    modules = read_package(root)
    faults = [*cycles(modules)]
    for module in modules.values():
        faults += [*imports_by_floor(module, modules), *libraries(module), *hidden_imports(module)]
        faults += [*loaders(module), *lengths(module)]
    return sorted(set(faults))


# -- what a module imports ---------------------------------------------------------------------------------------------


def imported(module: Module) -> Iterator[tuple[ast.stmt, str, str | None]]:
    """What the module imports: the statement, the absolute name of the module, and the name taken from it, if any."""
    package = module.name if module.path.endswith("__init__.py") else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *([base] if base else [])])
            yield from ((node, base, alias.name) for alias in node.names)


def own_imports(module: Module, modules: dict[str, Module]) -> Iterator[tuple[int, str]]:
    """The modules of Crowsfoot that it imports; `from package import module` is an import of that module."""
    for node, base, name in imported(module):
        if base.split(".")[0] == "crowsfoot":
            yield node.lineno, f"{base}.{name}" if name and f"{base}.{name}" in modules else base


def floor_of(top: str) -> int | None:
    return next((number for number, names in enumerate(FLOORS) if top in names), None)


def imports_by_floor(module: Module, modules: dict[str, Module]) -> Iterator[Fault]:
    here = floor_of(module.top)
    if here is None:
        yield Fault(
            module.path, 1, "unplaced", f"{module.top!r} has no floor yet; place it in FLOORS in tests/test_house.py"
        )
        return
    for line, target in own_imports(module, modules):
        top = target.split(".")[1] if "." in target else "__init__"
        there = floor_of(top)
        if there is None or top == module.top:  # a module without a floor is reported itself
            continue
        if there == here:
            yield Fault(module.path, line, "neighbour", f"{module.top} and {top} stand side by side: {target}")
        elif there > here:
            yield Fault(module.path, line, "floor", f"{module.top} is below {top}, and imports {target}")


def cycles(modules: dict[str, Module]) -> Iterator[Fault]:
    """One fault for each import that closes a circle."""
    edges = {name: list(own_imports(module, modules)) for name, module in modules.items()}
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> Iterator[Fault]:
        for line, target in edges.get(name, ()):
            if target in trail:
                circle = " -> ".join([*trail[trail.index(target) :], target])
                yield Fault(modules[name].path, line, "cycle", circle)
            elif target not in done:
                yield from walk(target, [*trail, target])
        done.add(name)

    for name in edges:
        if name not in done:
            yield from walk(name, [name])


def libraries(module: Module) -> Iterator[Fault]:
    allowed = {"crowsfoot", "__future__"}.union(*(names for p, names in LIBRARIES.items() if fnmatch(module.path, p)))
    for node, base, _ in imported(module):
        library = base.split(".")[0]
        if library not in allowed and library not in sys.stdlib_module_names:
            yield Fault(module.path, node.lineno, "library", f"{library} is not for this module (LIBRARIES)")


def is_type_checking(test: ast.expr) -> bool:
    named = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    dotted = {node.attr for node in ast.walk(test) if isinstance(node, ast.Attribute)}
    return "TYPE_CHECKING" in named | dotted


def hidden_imports(module: Module) -> Iterator[Fault]:
    for outer in ast.walk(module.tree):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            rule, where = "local import", f"in {outer.name}()"
        elif isinstance(outer, ast.If) and is_type_checking(outer.test) and module.path not in FACES:
            rule, where = "type-checking import", "under TYPE_CHECKING"
        else:
            continue
        for node in ast.walk(outer):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield Fault(module.path, node.lineno, rule, f"{ast.unparse(node)} {where}")


def loaders(module: Module) -> Iterator[Fault]:
    """Modules loaded by name where none may be, and names of Crowsfoot's own modules where others may be."""
    lines = {node.lineno for node, base, name in imported(module) if (base, name) == ("importlib", "import_module")}
    for node in ast.walk(module.tree):
        match node:
            case ast.Name(id="__import__") | ast.Attribute(attr="import_module"):
                lines.add(node.lineno)
    if module.top not in LOADERS:
        what = f"{module.top} may not load modules by name (LOADERS)"
        yield from (Fault(module.path, line, "loader", what) for line in lines)
        return
    if not lines:
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Constant) or not str(node.value).startswith("crowsfoot."):
            continue
        text = str(node.value)
        if all(part.isidentifier() for part in text.strip(".").split(".")) and not text.startswith(LOADERS[module.top]):
            yield Fault(module.path, node.lineno, "loader", f"{module.top} may not load {text}")


def lengths(module: Module) -> Iterator[Fault]:
    lines = module.source.count("\n")
    if lines > LONGEST_FILE:
        yield Fault(module.path, lines, "long file", f"{lines} lines: which responsibility has been hiding in it?")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            long = (node.end_lineno or node.lineno) - node.lineno + 1
            if long > LONGEST_FUNCTION:
                yield Fault(module.path, node.lineno, "long function", f"{node.name}() has {long} lines")


# -- Crowsfoot itself --------------------------------------------------------------------------------------------------


@cache
def faults_of_crowsfoot() -> tuple[Fault, ...]:
    return tuple(check(PACKAGE))


@pytest.mark.parametrize("rule", RULES)
def test_the_house_is_in_order(rule: str) -> None:
    found = [f"src/crowsfoot/{fault}" for fault in faults_of_crowsfoot() if fault.rule == rule]
    if found:
        pytest.fail(f"{RULES[rule]}\n\n" + "\n".join(found), pytrace=False)


def test_the_house_is_not_empty() -> None:
    assert "crowsfoot" in read_package(PACKAGE)


# -- the checker itself ------------------------------------------------------------------------------------------------

SOUND = {
    "__init__.py": "from crowsfoot.models.model import Model\n",
    "errors.py": "import json\nfrom __future__ import annotations\n",
    "schema/__init__.py": "from crowsfoot.schema.table import Table\n",
    "schema/types.py": "from .. import errors\n",
    "schema/table.py": "from crowsfoot.schema import types\nfrom .types import Type\n",
    "sql/compiler.py": "from crowsfoot.schema import Table\n",
    "drivers/sqlite.py": "import apsw\nfrom importlib.metadata import version\n",
    "persistence/load.py": "from crowsfoot.drivers.run import Request\n",
    "drivers/run.py": "",
    "database.py": "from importlib import import_module\ndriver = import_module('crowsfoot.drivers.sqlite')\n",
    "models/model.py": "from crowsfoot import errors\nfrom crowsfoot.database import Database\n",
    "apps.py": "import importlib\n\ndef load(name: str) -> object:\n    return importlib.import_module(name)\n",
    "cli/main.py": "import cyclopts\nfrom crowsfoot import models\nfrom crowsfoot.models import model\n",
    "models/__init__.py": "if TYPE_CHECKING:\n    from crowsfoot.models.model import Model\n",
}

# The fault, the file it is written into, the text, and the line and words of the report.
FAULTY = [
    ("unplaced", "attic.py", "import json\n", 1, "place it in FLOORS"),
    ("unplaced", "attic/box.py", "", 1, "'attic' has no floor"),
    (
        "floor",
        "schema/types.py",
        "import json\nfrom crowsfoot.models.model import Model\n",
        2,
        "schema is below models",
    ),
    ("floor", "schema/types.py", "from crowsfoot import database\n", 1, "crowsfoot.database"),
    ("floor", "schema/types.py", "from ..models import Model\n", 1, "crowsfoot.models"),
    ("floor", "schema/types.py", "import crowsfoot.sql.compiler\n", 1, "crowsfoot.sql.compiler"),
    ("floor", "cli/main.py", "from crowsfoot import connect\n", 1, "cli is below __init__"),
    ("neighbour", "sql/compiler.py", "from crowsfoot.drivers.run import run\n", 1, "sql and drivers"),
    ("neighbour", "drivers/run.py", "from crowsfoot.sql import compiler\n", 1, "drivers and sql"),
    ("cycle", "schema/types.py", "from crowsfoot.schema.table import Table\n", 1, "crowsfoot.schema.types"),
    ("cycle", "schema/types.py", "from crowsfoot.schema import Table\n", 1, "crowsfoot.schema ->"),
    ("cycle", "errors.py", "import crowsfoot.errors\n", 1, "crowsfoot.errors -> crowsfoot.errors"),
    ("local import", "errors.py", "def f():\n    import json\n", 2, "import json in f()"),
    ("local import", "errors.py", "async def f():\n    if f:\n        from json import loads\n", 3, "in f()"),
    ("local import", "errors.py", "class C:\n    def m(self):\n        import json\n", 3, "in m()"),
    ("type-checking import", "errors.py", "if TYPE_CHECKING:\n    import json\n", 2, "import json"),
    ("type-checking import", "errors.py", "if typing.TYPE_CHECKING and 1:\n    from json import loads\n", 2, "json"),
    ("type-checking import", "errors.py", "if not TYPE_CHECKING:\n    pass\nelse:\n    import json\n", 4, "json"),
    ("library", "models/model.py", "import apsw\n", 1, "apsw"),
    ("library", "drivers/sqlite.py", "from psycopg.rows import tuple_row\n", 1, "psycopg"),
    ("library", "contrib/admin/site.py", "import argon2\n", 1, "argon2"),
    ("library", "errors.py", "import django\n", 1, "django"),
    ("loader", "models/model.py", "import importlib\nimportlib.import_module('json')\n", 2, "models may not load"),
    ("loader", "models/model.py", "__import__('json')\n", 1, "models may not load"),
    ("loader", "models/model.py", "from importlib import import_module as load\n", 1, "models may not load"),
    (
        "loader",
        "apps.py",
        "from importlib import import_module as load\nload('json')\nload('crowsfoot.cli')\n",
        3,
        "apps may not load crowsfoot.cli",
    ),
    (
        "loader",
        "database.py",
        "from importlib import import_module\nimport_module('crowsfoot.models')\n",
        2,
        "crowsfoot.models",
    ),
    ("long file", "errors.py", "\n" * 601, 601, "601 lines"),
    ("long function", "errors.py", "\ndef f():\n" + "    pass\n" * 80, 2, "f() has 81 lines"),
]


def build(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def test_the_checker_passes_a_sound_house(tmp_path: Path) -> None:
    assert check(build(tmp_path, SOUND)) == []


def test_the_checker_allows_exactly_the_limits(tmp_path: Path) -> None:
    long = "def f():\n" + "    pass\n" * (LONGEST_FUNCTION - 1)
    assert check(build(tmp_path, {"errors.py": long + "\n" * (LONGEST_FILE - LONGEST_FUNCTION)})) == []


@pytest.mark.parametrize(
    ("rule", "path", "text", "line", "words"),
    FAULTY,
    ids=[f"{rule} {path} {n}" for n, (rule, path, *_) in enumerate(FAULTY)],
)
def test_the_checker_finds(tmp_path: Path, rule: str, path: str, text: str, line: int, words: str) -> None:
    found = [fault for fault in check(build(tmp_path, {**SOUND, path: text})) if fault.rule == rule]
    assert [(fault.path, fault.line) for fault in found if words in fault.what] == [(path, line)]


def test_every_rule_is_tried() -> None:
    assert {rule for rule, *_ in FAULTY} == set(RULES)
