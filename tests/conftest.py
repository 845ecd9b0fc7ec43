"""A PostgreSQL for every test that asks for one: `postgres_url`, `postgres_schema`, `fresh_postgres_url`.

The server is, in this order: the one that CROWSFOOT_TEST_POSTGRES names; the one at 127.0.0.1:5432, if it lets in the
user `postgres`; a throwaway cluster, started from the PostgreSQL programs installed here (which is what
CROWSFOOT_TEST_POSTGRES=throwaway asks for). Tests only ever touch databases of their own, made there and dropped again.

Without a server these tests are skipped, and the terminal summary says so; with CI=true they fail.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

try:
    import psycopg
except ImportError:
    psycopg = None  # type: ignore[assignment]

pytest_plugins = ["scorecard"]

WANTED = os.environ.get("CROWSFOOT_TEST_POSTGRES", "")
USUAL = "postgresql://postgres@127.0.0.1:5432/postgres"
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
HOW_TO = (
    "install PostgreSQL's server programs, or start a server at 127.0.0.1:5432, "
    "or set CROWSFOOT_TEST_POSTGRES=postgresql://user:password@host/database"
)


class NoServer(Exception):
    """Why there is no PostgreSQL to test with."""


@dataclasses.dataclass(frozen=True)
class Server:
    """What the run found: where to connect, or why not; and the cluster's folder, if it was started for this run."""

    url: str = ""
    missing: str = ""
    cluster: str = ""

    def database_url(self, name: str) -> str:
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()


# -- one server for the whole run: the first worker that needs it looks for it, the controller ends it -----------------

STATE = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", {}).get("crowsfoot_state")
    config.stash[STATE] = Path(given or tempfile.mkdtemp(prefix="crowsfoot-tests-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["crowsfoot_state"] = str(node.config.stash[STATE])


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or STATE not in config.stash:
        return
    found = known_server(config.stash[STATE])
    if found and found.cluster:
        stop_cluster(Path(found.cluster))
    shutil.rmtree(config.stash[STATE], ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = known_server(config.stash[STATE])
    if found and found.missing:
        terminalreporter.write_line(
            f"PostgreSQL half {'failed' if IN_CI or WANTED else 'skipped'}: {found.missing}. To run it, {HOW_TO}.",
            yellow=True,
        )


def known_server(state: Path) -> Server | None:
    record = state / "server.json"
    return Server(**json.loads(record.read_text())) if record.exists() else None


def server_of_this_run(state: Path) -> Server:
    with (state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = known_server(state)
        if found is None:
            try:
                found = find_server()
            except NoServer as error:
                found = Server(missing=" ".join(str(error).split()))
            (state / "server.json").write_text(json.dumps(dataclasses.asdict(found)))
        return found


def find_server() -> Server:
    if psycopg is None:
        raise NoServer("psycopg is not installed")
    if WANTED == "throwaway":
        return start_cluster()
    if WANTED:
        connect(WANTED).close()
        return Server(url=WANTED)
    try:
        connect(USUAL).close()
    except NoServer as at_the_usual_place:
        try:
            return start_cluster()
        except NoServer as here:
            raise NoServer(f"{at_the_usual_place}; {here}") from here
    return Server(url=USUAL)


def connect(url: str) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise NoServer(str(error).splitlines()[0].removeprefix("connection failed: ")) from error


# -- a throwaway cluster -----------------------------------------------------------------------------------------------


def server_programs() -> Path:
    """The folder of initdb and pg_ctl; Debian keeps them off the PATH."""
    on_path = shutil.which("pg_ctl")
    folders = [Path(on_path).resolve().parent] if on_path else []
    installed = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    folders += sorted(installed, key=lambda folder: [int(n) for n in folder.parent.name.split("-") if n.isdigit()])[
        ::-1
    ]
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise NoServer("no PostgreSQL server programs (initdb, pg_ctl) are installed here")


def unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root, so root runs it as somebody else."""
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name: user for user in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return {"user": known[name].pw_uid, "group": known[name].pw_gid, "extra_groups": []}
    raise NoServer("PostgreSQL does not run as root, and there is neither a user 'postgres' nor 'nobody'")


def run_program(cluster: Path, program: str, *arguments: str) -> None:
    """One of the server programs, as the owner of the cluster and without the caller's PGPORT, PGDATA and so on."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    command = [str(server_programs() / program), "-D", str(cluster / "data"), *arguments]
    try:
        done = subprocess.run(
            command, cwd=cluster, env=environment, capture_output=True, text=True, timeout=120, **unprivileged()
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NoServer(f"{program} did not run ({error})") from error
    if done.returncode:
        log = cluster / "log"
        written = log.read_text(errors="replace") if log.exists() else ""
        raise NoServer(f"{program} failed ({done.stderr or done.stdout} {written[-500:]})")


def start_cluster() -> Server:
    server_programs()
    owner = unprivileged()
    # Not pytest's temporary folder: the path of a Unix socket is short, and another user must be able to get there.
    cluster = Path(tempfile.mkdtemp(prefix="crowsfoot-pg-", dir="/tmp"))
    if owner:
        os.chown(cluster, owner["user"], owner["group"])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = (
        f"-F -c listen_addresses=127.0.0.1 -p {port} -k {cluster} -c full_page_writes=off -c synchronous_commit=off"
    )
    try:
        try:
            run_program(cluster, "initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        except NoServer:  # not every system has that locale
            run_program(cluster, "initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        run_program(cluster, "pg_ctl", "-w", "-t", "60", "-l", str(cluster / "log"), "-o", options, "start")
    except NoServer:
        shutil.rmtree(cluster, ignore_errors=True)
        raise
    return Server(url=f"postgresql://postgres@127.0.0.1:{port}/postgres", cluster=str(cluster))


def stop_cluster(cluster: Path) -> None:
    try:
        run_program(cluster, "pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(cluster, ignore_errors=True)


# -- fixtures ----------------------------------------------------------------------------------------------------------


@contextmanager
def database_of_its_own(server: Server) -> Iterator[str]:
    name = f"crowsfoot_test_{secrets.token_hex(6)}"
    with connect(server.url) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        yield server.database_url(name)
    finally:
        with connect(server.url) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> Server:
    found = server_of_this_run(pytestconfig.stash[STATE])
    if found.missing:
        # A server that was asked for by name and is not there is a mistake, not a reason to test less.
        (pytest.fail if IN_CI or WANTED else pytest.skip)(f"PostgreSQL: {found.missing}")
    return found


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The URL of a database that the tests of this session (under xdist: of this worker) share."""
    with database_of_its_own(postgres_server) as url:
        yield url


@pytest.fixture
def fresh_postgres_url(postgres_server: Server) -> Iterator[str]:
    """The URL of an empty database that nothing but this test uses."""
    with database_of_its_own(postgres_server) as url:
        yield url


@pytest.fixture
def postgres_schema(postgres_url: str) -> Iterator[str]:
    """The URL of an empty schema in the session's database, which is made much faster than a database."""
    name = f"test_{secrets.token_hex(4)}"
    admin = connect(postgres_url)
    admin.execute(f"CREATE SCHEMA {name}")
    yield f"{postgres_url}?options=-c%20search_path%3D{name}"
    admin.execute("SET client_min_messages = warning")
    admin.execute(f"DROP SCHEMA {name} CASCADE")
    admin.close()
