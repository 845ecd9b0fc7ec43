"""What loggers and modules are called: by the package's own names, or by Django's after ``django.install()``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

_ROOT = ["crowsfoot"]
# Other names of modules, which hold for what is inside too, and of packages whose modules keep their own names.
_MODULES: dict[str, str] = {}
_PACKAGES: dict[str, str] = {}


def log(name: str) -> Any:
    """The logger called ``name`` under the root: ``crowsfoot.db.backends.base``, say. For errors that nobody raises.

    Most programs have none, and don't load the module for it.
    """
    return import_module("logging").getLogger(f"{_ROOT[0]}.{name}")


def module_name(module: str) -> str:
    """The name of a module, or of the nearest package around it, for who imports from it."""
    for prefix, name in _PACKAGES.items():
        if module.startswith(prefix):
            return name + module.removeprefix(prefix)
    package = module
    while package:
        if package in _MODULES:
            return _MODULES[package]
        package = package.rpartition(".")[0]
    return module


def rename(root: str, modules: Mapping[str, str], packages: Mapping[str, str]) -> None:
    """Log under ``root`` and call modules by other names from now on. Prefixes in ``packages`` end with a dot."""
    _ROOT[0] = root
    _MODULES.update(modules)
    _PACKAGES.update(packages)
