"""What all tests share: examples that may take their time, and a real PostgreSQL server."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Contracts and what tests share say what they compared, too.
pytest.register_assert_rewrite("tests.controlplane", "tests.simulate.contract")

HOW_TO_GET_IT = "PostgreSQL is not installed; apt-get install postgresql"
USER = "planner"
PASSWORD = "open-sesame"  # noqa: S105 of a server that lives as long as the tests
PORT_TRIES = 5
# The server is thrown away, so it need not survive anything.
SETTINGS = "fsync=off full_page_writes=off synchronous_commit=off unix_socket_directories=''"

CONTROL_PLANES = "tests/controlplane/test_"
RELEASES = ("apply", "disturbed", "release", "touched")
"""Modules on both planes of the shop whose tests take as long as those of all others on planes."""

_database_numbers = count(1)

# How long an example takes depends on what else the machine does: no test fails by the clock.
settings.register_profile("planner", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("planner")


class ControlPlanesTogether(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives one worker the tests of control planes, and another one the longest: half of the time.

    With a third set two cores are so busy that a pod of a StatefulSet was once deleted anew right
    after it had come back at its target, by whom is not known. Marks of groups would say the same,
    but pytest-xdist 3.8 does not see them under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        if not nodeid.startswith(CONTROL_PLANES):
            return nodeid
        module = nodeid.removeprefix(CONTROL_PLANES).partition(".py")[0]
        return CONTROL_PLANES + (RELEASES[0] if module in RELEASES else "")


@pytest.hookimpl(optionalhook=True)  # there is none without pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ControlPlanesTogether:
    """Answer pytest-xdist, which asks how to spread the tests."""
    return ControlPlanesTogether(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Answer pytest-xdist how many workers `-n auto` means.

    Two of them have control planes, for which they also wait: a third one has everything else.
    """
    return max(3, os.cpu_count() or 0)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a server's maintenance database; skips when PostgreSQL is not installed."""
    tools = _find_tools()
    if tools is None:
        if os.environ.get("PLANNER_REQUIRE_POSTGRESQL") == "1":
            pytest.fail(HOW_TO_GET_IT)
        pytest.skip(HOW_TO_GET_IT)
    folder = Path(tempfile.mkdtemp(prefix="planner-postgresql-"))
    try:
        account = _account(folder)
        _init(tools, account, folder)
        port = _start(tools, account, folder)
        yield f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"
        _run([*account, str(tools / "pg_ctl"), "stop", "-m", "immediate", "-D", str(folder / "db")])
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """URL of an empty database of its own for one test."""
    name = f"test_{next(_database_numbers)}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return postgresql_server.removesuffix("postgres") + name


def _find_tools() -> Path | None:
    on_path = shutil.which("initdb")
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: float(path.parts[-3]),
        reverse=True,
    )
    found = [Path(on_path)] if on_path else installed
    return found[0].resolve().parent if found else None


def _account(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root, so root hands it to the account of the package."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres")
    return ["runuser", "-u", "postgres", "--"]


def _init(tools: Path, account: Sequence[str], folder: Path) -> None:
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    options = ["--auth", "scram-sha-256", "--username", USER, "--pwfile", str(password)]
    options += ["--encoding", "UTF8", "--no-sync", "--pgdata", str(folder / "db")]
    _run([*account, str(tools / "initdb"), *options])


def _start(tools: Path, account: Sequence[str], folder: Path) -> int:
    settings = [f"-c {setting}" for setting in SETTINGS.split()]
    for _ in range(PORT_TRIES):
        port = _free_port()
        options = " ".join([*settings, f"-p {port}", "-h 127.0.0.1"])
        command = [*account, str(tools / "pg_ctl"), "start", "-w", "-D", str(folder / "db")]
        # Another program may take the port before the server does.
        if _run([*command, "-l", str(folder / "log"), "-o", options], check=False) == 0:
            return port
    pytest.fail(f"PostgreSQL does not start: {(folder / 'log').read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(command: Sequence[str], *, check: bool = True) -> int:
    # The server outlives pg_ctl and would keep a pipe open, so output goes nowhere.
    done = subprocess.run(
        command, check=False, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if check and done.returncode:
        pytest.fail(f"{' '.join(command)} exited with {done.returncode}")
    return done.returncode
