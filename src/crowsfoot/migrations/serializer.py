"""Values as Python source: what migration files are written with."""

from __future__ import annotations

import builtins
import datetime
import decimal
import enum
import functools
import inspect
import ipaddress
import math
import os
import pathlib
import re
import types
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from crowsfoot import models
from crowsfoot.conf import SettingsReference
from crowsfoot.enums import Choices
from crowsfoot.migrations import operations
from crowsfoot.migrations.operations.base import Operation
from crowsfoot.models.fields.base import Field
from crowsfoot.models.manager import BaseManager
from crowsfoot.query.expressions import F
from crowsfoot.query.nodes import BaseExpression
from crowsfoot.schema.relation import RULES, OnDelete

OWN, DJANGO = "crowsfoot", "django"

# Modules here and what Django calls them; the longer name first where one begins with the other.
MODULES = (
    ("crowsfoot.query.functions", "django.db.models.functions"),
    ("crowsfoot.query.expressions", "django.db.models.expressions"),
    ("crowsfoot.models", "django.db.models"),
    ("crowsfoot.migrations", "django.db.migrations"),
    ("crowsfoot.files", "django.core.files"),
    ("crowsfoot.validators", "django.core.validators"),
    ("crowsfoot.timezones", "django.utils.timezone"),
    ("crowsfoot.contrib", "django.contrib"),
    ("crowsfoot.conf", "django.conf"),
)
# What a migration reads as ``models.X`` and ``migrations.X``, wherever it is defined.
MODELS = ("crowsfoot.models", "django.db.models", "crowsfoot.query", "crowsfoot.schema.relation", "crowsfoot.enums")
MIGRATIONS = ("crowsfoot.migrations", "django.db.migrations")


class Source(NamedTuple):
    """Python source and the import statements that it needs."""

    text: str
    imports: frozenset[str] = frozenset()


class Serializer:
    """Writes values as source. ``package`` is whose names the source uses: ``crowsfoot`` or ``django``.

    Raises ``ValueError`` for what source cannot say: a lambda, a function inside of a function, an open file.
    """

    def __init__(self, package: str = OWN) -> None:
        self.package = package
        self.front = "crowsfoot" if package == OWN else "django.db"

    def serialize(self, value: Any) -> Source:
        """The source of one value."""
        for kind, write in WRITERS:
            if isinstance(value, kind):
                return write(self, value)
        if hasattr(value, "deconstruct"):
            path, args, kwargs = value.deconstruct()
            return self.call(self.path(path), args, kwargs)
        if isinstance(value, Iterable):
            return self.sequence(list(value), "(", ")")
        raise ValueError(
            f"Cannot serialize: {value!r}. A migration can hold plain values, classes, functions of modules, and what "
            "has a deconstruct() method."
        )

    # -- names ---------------------------------------------------------------------------------------------------------

    def name(self, module: str, qualname: str) -> Source:
        """What a module calls ``qualname``, in the words of a migration."""
        first = qualname.partition(".")[0]
        for front, holder, modules in (("models", models, MODELS), ("migrations", operations, MIGRATIONS)):
            if hasattr(holder, first) and any(_is_in(module, name) for name in modules):
                return Source(f"{front}.{qualname}", frozenset({f"from {self.front} import {front}"}))
        for own, django in MODULES:
            before, after = (django, own) if self.package == OWN else (own, django)
            if _is_in(module, before):
                module = after + module.removeprefix(before)
                break
        return Source(f"{module}.{qualname}", frozenset({f"import {module}"}))

    def path(self, path: str) -> Source:
        module, _, name = path.rpartition(".")
        return self.name(module, name)

    # -- shapes --------------------------------------------------------------------------------------------------------

    def call(self, function: Source, args: Iterable[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Source:
        """``function(args, name=value)``."""
        imports = set(function.imports)
        said: list[str] = []
        named: list[str] = []
        for value in args:
            source = self.serialize(value)
            said.append(source.text)
            imports |= source.imports
        for name, value in sorted((kwargs or {}).items()):
            source = self.serialize(value)
            imports |= source.imports
            named.append(f"{name}={source.text}" if name.isidentifier() else f"**{{{name!r}: {source.text}}}")
        return Source(f"{function.text}({', '.join([*said, *named])})", frozenset(imports))

    def sequence(self, values: Iterable[Any], left: str, right: str) -> Source:
        parts = [self.serialize(value) for value in values]
        comma = "," if left.endswith("(") and right == ")" and len(parts) == 1 else ""
        return joined(left + ", ".join(part.text for part in parts) + comma + right, parts)

    def mapping(self, value: Mapping[Any, Any]) -> Source:
        pairs = [(self.serialize(k), self.serialize(v)) for k, v in value.items()]
        text = ", ".join(f"{k.text}: {v.text}" for k, v in pairs)
        return joined(f"{{{text}}}", [part for pair in pairs for part in pair])

    def function(self, value: Any) -> Source:
        if isinstance(getattr(value, "__self__", None), type):
            return self.name(value.__self__.__module__, f"{value.__self__.__qualname__}.{value.__name__}")
        if value.__name__ == "<lambda>":
            raise ValueError(
                f"Cannot serialize function: lambda. Give it a name at the top of a module: {_where(value)}"
            )
        module = value.__module__
        if module is None:
            raise ValueError(f"Cannot serialize function {value!r}: No module")
        if "<locals>" in value.__qualname__:
            raise ValueError(
                f"Could not find function {value.__name__} in {module}. It is defined inside of another function; move "
                f"it to the top of its module, so that migrations can import it: {_where(value)}"
            )
        if "." in value.__qualname__ and inspect.ismethod(value):
            raise ValueError(f"Cannot serialize {value!r}: it belongs to an instance. Use a function of a module.")
        return self.name(module, value.__qualname__)

    def type(self, value: type) -> Source:
        if value is type(None):
            return Source("type(None)")
        if value.__module__ == builtins.__name__:
            return Source(value.__name__)
        if value is models.Model:
            return self.name("crowsfoot.models", "Model")
        return self.name(value.__module__, value.__qualname__)

    def datetime(self, value: datetime.datetime) -> Source:
        if value.tzinfo is not None and value.tzinfo is not datetime.UTC:
            value = value.astimezone(datetime.UTC)
        return Source(repr(value), frozenset({"import datetime"}))

    def float(self, value: float) -> Source:
        return Source(repr(value) if math.isfinite(value) else f'float("{value}")')

    def enumeration(self, value: enum.Enum) -> Source:
        klass = self.name(type(value).__module__, type(value).__qualname__)
        if isinstance(value, enum.Flag):
            members = [m.name for m in value] or [value.name]
        else:
            members = [value.name]
        return Source(" | ".join(f"{klass.text}[{name!r}]" for name in members), klass.imports)

    def regex(self, value: re.Pattern[Any]) -> Source:
        flags = value.flags & ~re.compile(value.pattern).flags
        args = [value.pattern, *([re.RegexFlag(flags)] if flags else [])]
        return self.call(Source("re.compile", frozenset({"import re"})), args)

    def partial(self, value: Any) -> Source:
        inner = [self.serialize(part) for part in (value.func, value.args, value.keywords)]
        kind = f"functools.{type(value).__name__}"
        text = f"{kind}({inner[0].text}, *{inner[1].text}, **{inner[2].text})"
        return joined(text, [*inner, Source("", frozenset({"import functools"}))])

    def rule(self, value: OnDelete) -> Source:
        if value.name not in RULES:
            return self.call(self.name("crowsfoot.models", "SET"), [value.value])
        plain = self.name("crowsfoot.models", value.name)
        return self.call(plain, value.columns) if value.columns else plain

    def setting(self, value: SettingsReference) -> Source:
        return Source(f"settings.{value.setting_name}", frozenset({f"from {self.package}.conf import settings"}))

    def field(self, value: Any) -> Source:
        _, path, args, kwargs = value.deconstruct()
        return self.call(self.path(path), args, kwargs)

    def manager(self, value: Any) -> Source:
        as_manager, path, queryset_path, args, kwargs = value.deconstruct()
        if as_manager:
            source = self.path(queryset_path)
            return Source(f"{source.text}.as_manager()", source.imports)
        return self.call(self.path(path), args, kwargs)

    def expression(self, value: Any) -> Source:
        args, kwargs = value._init
        return self.call(self.name(type(value).__module__, type(value).__qualname__), args, kwargs)

    def reference(self, value: F) -> Source:
        return self.call(self.name(type(value).__module__, type(value).__qualname__), [value.name])

    def operation(self, value: Operation) -> Source:
        name, args, kwargs = value.deconstruct()
        return self.call(self.name(type(value).__module__, name), args, kwargs)


def joined(text: str, parts: Iterable[Source]) -> Source:
    """Text with the imports of all its parts."""
    return Source(text, frozenset(found for part in parts for found in part.imports))


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _where(function: Any) -> str:
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else repr(function)


def _imported(module: str) -> Callable[[Serializer, Any], Source]:
    return lambda _, value: Source(repr(value), frozenset({f"import {module}"}))


def _plain(_: Serializer, value: Any) -> Source:
    return Source(repr(value))


# The first that fits writes a value, so that a kind stands before those that it is one of.
WRITERS: tuple[tuple[Any, Callable[[Serializer, Any], Source]], ...] = (
    (SettingsReference, Serializer.setting),
    (Field, Serializer.field),
    (BaseManager, Serializer.manager),
    (Operation, Serializer.operation),
    (OnDelete, Serializer.rule),
    (F, Serializer.reference),
    (type, Serializer.type),
    (Choices, lambda self, value: self.serialize(value.value)),
    (re.RegexFlag, Serializer.enumeration),
    (enum.Enum, Serializer.enumeration),
    (float, Serializer.float),
    ((bool, int, types.NoneType, bytes, str, range, complex, types.EllipsisType), _plain),
    (decimal.Decimal, lambda _, value: Source(repr(value), frozenset({"from decimal import Decimal"}))),
    (datetime.datetime, Serializer.datetime),
    ((datetime.date, datetime.time, datetime.timedelta, datetime.timezone), _imported("datetime")),
    (uuid.UUID, lambda _, value: Source(f"uuid.{value!r}", frozenset({"import uuid"}))),
    (
        (ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network),
        lambda _, value: Source(f"ipaddress.{value!r}", frozenset({"import ipaddress"})),
    ),
    (list, lambda self, value: self.sequence(value, "[", "]")),
    (frozenset, lambda self, value: self.sequence(sorted(value, key=repr), "frozenset([", "])")),
    (set, lambda self, value: self.sequence(sorted(value, key=repr), *(("{", "}") if value else ("set(", ")")))),
    (tuple, lambda self, value: self.sequence(value, "(", ")")),
    (Mapping, Serializer.mapping),
    (functools.partial, Serializer.partial),
    (re.Pattern, Serializer.regex),
    (
        pathlib.PurePath,
        lambda self, value: self.call(
            Source(
                "pathlib.PurePosixPath" if isinstance(value, pathlib.PurePosixPath) else "pathlib.PureWindowsPath",
                frozenset({"import pathlib"}),
            ),
            [value.as_posix()],
        ),
    ),
    (os.PathLike, lambda self, value: self.serialize(os.fspath(value))),
    (
        (types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools._lru_cache_wrapper),
        Serializer.function,
    ),
    (BaseExpression, Serializer.expression),
)
