"""``tour``: what Crowsfoot does, shown on a small blog in a database of its own."""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from rich.console import Console

from crowsfoot import contrib
from crowsfoot.cli.console import output
from crowsfoot.cli.walk import Player
from crowsfoot.database import DEFAULT, Database, databases
from crowsfoot.drivers.run import Execute, Operation
from crowsfoot.drivers.url import parse_url
from crowsfoot.models.apps import Apps
from crowsfoot.models.attributes import install_relation
from crowsfoot.models.model import current
from crowsfoot.persistence.session import Session

TEXT = "tour.md"
CONTRIB = contrib.__name__


def tour(database: str | None = None, mermaid: bool = False, console: Console | None = None) -> int:
    """Build a blog, walk its relationships both ways, delete under every rule; show the code, the SQL and the results.

    It runs on SQLite, always in a temporary folder, or in a schema of its own in the PostgreSQL at the URL
    ``database``; both are gone at the end, as are the models. ``mermaid`` shows the drawing as Mermaid too.

    Returns 0. Raises ``ImproperlyConfigured`` for a URL that is none, ``OperationalError`` or ``ProgrammingError``
    where the database cannot be reached or lets no schema be made.
    """
    words = ["mermaid"] if mermaid else []
    with ExitStack() as stack:
        url = stack.enter_context(_place(database))
        stack.enter_context(_other_databases_aside())
        stack.enter_context(_fresh_models())
        text = files("crowsfoot.cli").joinpath(TEXT).read_text("utf-8")
        Player(console or output(), {"__name__": "blog.models", "url": url}, words).play(text, TEXT)
    return 0


# -- places to run -----------------------------------------------------------------------------------------------------


@contextmanager
def _place(database: str | None) -> Generator[str]:
    """The URL of an empty database, which is no more when the block ends."""
    if database is None or parse_url(database).scheme == "sqlite":
        with tempfile.TemporaryDirectory(prefix="crowsfoot-tour-") as folder:
            yield f"sqlite:///{Path(folder, 'blog.db')}"
        return
    schema = f"crowsfoot_tour_{secrets.token_hex(4)}"
    admin = Database("tour", database)
    admin.run(_send, f'CREATE SCHEMA "{schema}"')
    try:
        yield _in_schema(database, schema)
    finally:
        admin.run(_send, f'DROP SCHEMA "{schema}" CASCADE')
        admin.close()


def _send(session: Session, statement: str) -> Operation[None]:
    yield Execute(statement)


def _in_schema(url: str, schema: str) -> str:
    """The URL with an option by which every connection finds and makes tables in ``schema``."""
    place, _, query = url.partition("?")
    options = dict(parse_qsl(query))
    options["options"] = f"{options.get('options', '')} -csearch_path={schema}".strip()
    return f"{place}?{urlencode(options)}"


@contextmanager
def _other_databases_aside() -> Generator[None]:
    """Leave the default alias to the block; what it connected is closed at the end."""
    before = databases.pop(DEFAULT, None)
    try:
        yield
    finally:
        connected = databases.pop(DEFAULT, None)
        if connected is not None:
            asyncio.run(connected.aclose())
            connected.close()
        if before is not None:
            databases[DEFAULT] = before


@contextmanager
def _fresh_models() -> Generator[None]:
    """A registry for the block's models. Those of ``contrib`` are loaded once more in it: nobody else's may change."""
    loaded = {name: module for name, module in sys.modules.items() if _is_models(name)}
    for name in loaded:
        del sys.modules[name]
    try:
        with current.use(Apps(install_relation)):
            yield
    finally:
        for name, module in loaded.items():
            sys.modules[name] = module
            package: Any = sys.modules[name.rpartition(".")[0]]
            package.models = module


def _is_models(name: str) -> bool:
    return name.startswith(f"{CONTRIB}.") and name.endswith(".models")
