"""Clusters that somebody gives by PLANNER_E2E_KUBECONFIG instead of control planes of our own.

Each context is one of them. What is there stays: only the namespaces of the tests come and go.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.controlplane.api import Api
from tests.controlplane.binaries import binaries
from tests.controlplane.plane import ControlPlane
from tests.controlplane.ports import free_ports
from tests.controlplane.wait import until

VARIABLE = "PLANNER_E2E_KUBECONFIG"
NAMES = ("hangzhou", "shanghai")


class GivenCluster:
    """A cluster of somebody else, as far as tests of runs need one."""

    def __init__(self, name: str, context: str, folder: Path, port: int) -> None:
        self.name = name
        self._context = context
        self._folder = folder
        self._port = port

    @property
    def admin(self) -> Api:
        """The API as the user of the context, by way of `kubectl proxy`."""
        return Api(port=self._port, token="", certificate=None)

    def kubeconfig(self, user: str = "admin") -> Path:
        """Write a kubeconfig of this context alone, as JSON."""
        if user != "admin":
            pytest.skip(f"{VARIABLE} gives no user {user}")
        path = self._folder / f"{self.name}.json"
        path.write_text(kubectl("config", "view", "--minify", "--flatten", "--raw",
                                "--context", self._context, "-o", "json"))  # fmt: skip
        return path

    def restart_api_server(self, *_: object) -> None:
        """Nobody restarts somebody else's API server."""
        pytest.skip(f"{VARIABLE}: its API server is not ours to restart")


Plane = ControlPlane | GivenCluster
"""What a test of a run works on."""


def kubectl(*arguments: str) -> str:
    """Run kubectl with the kubeconfig that was given."""
    program = str(binaries() / "kubectl")
    command = [program, "--kubeconfig", os.environ[VARIABLE], *arguments]
    return str(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def is_given() -> bool:
    """Whether somebody gives clusters."""
    return bool(os.environ.get(VARIABLE))


@contextmanager
def given_clusters() -> Iterator[dict[str, GivenCluster]]:
    """The clusters of the first contexts, at most two, by the names that tests have for them."""
    contexts = json.loads(kubectl("config", "view", "-o", "json"))["contexts"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = {}
        for name, each in zip(NAMES, contexts, strict=False):
            (port,) = free_ports(1)
            command = [
                binaries() / "kubectl", "--kubeconfig", os.environ[VARIABLE],
                "--context", each["name"], "proxy", f"--port={port}", "--reject-methods=^$",
            ]  # fmt: skip
            proxy = stack.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL))
            stack.callback(proxy.terminate)
            found[name] = GivenCluster(name, each["name"], folder, port)
            until("kubectl proxy answers", partial(answers, found[name]))
        yield found


def answers(cluster: GivenCluster) -> bool:
    """Whether its API can be asked."""
    try:
        cluster.admin.get("/version")
    except OSError:
        return False
    return True
