"""Names of a package whose modules are loaded when somebody first asks for them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def later(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` for a package that gives the names in ``modules``: from the full name of a module
    to what is taken from it, with spaces between. A module of the package is there by its own name too.

    Asked for once, a name stands in the package as if it had been imported.
    """
    source = {name: module for module, names in modules.items() for name in names.split()}
    inside = f"{package}."
    source |= {module.removeprefix(inside): "" for module in modules if module.rpartition(".")[0] == package}
    space = vars(sys.modules[package])

    def get(name: str) -> Any:
        module = source.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = space[name] = getattr(import_module(module), name) if module else import_module(inside + name)
        return found

    def names() -> list[str]:
        return sorted({*space, *source})

    return get, names
