"""Clusters that somebody gives by PLANNER_E2E_KUBECONFIG instead of control planes of our own.

Each context is one of them. What is there stays: a test works in namespaces that it makes and takes
away again, and is skipped where one of that name is there already.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.controlplane import fleet
from tests.controlplane.api import Api, is_refused
from tests.controlplane.binaries import binaries
from tests.controlplane.plane import ControlPlane
from tests.controlplane.ports import free_ports
from tests.controlplane.versions import served
from tests.controlplane.wait import until

VARIABLE = "PLANNER_E2E_KUBECONFIG"
NAMES = ("hangzhou", "shanghai")
MADE = {
    "/apis/apps/v1": ("deployments", "statefulsets", "daemonsets", "replicasets"),
    "/apis/apps.kruise.io/v1beta1": ("clonesets", "daemonsets"),
    "/apis/policy/v1": ("poddisruptionbudgets",),
    "/api/v1": ("pods",),
}
"""What tests of runs make in a namespace, owners first, by where it is."""


class GivenCluster:
    """A cluster of somebody else, as far as tests need one."""

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

    def proxied(self) -> Path:
        """Write a kubeconfig of the proxy, for whoever cannot log in as kubectl can."""
        server = {"server": f"http://127.0.0.1:{self._port}"}
        document = {
            "clusters": [{"name": self.name, "cluster": server}],
            "users": [{"name": self.name, "user": {}}],
            "contexts": [{"name": self.name, "context": {"cluster": self.name, "user": self.name}}],
            "current-context": self.name,
        }
        path = self._folder / f"{self.name}-proxied.json"
        path.write_text(json.dumps(document))
        return path


Plane = ControlPlane | GivenCluster
"""What a test of a run works on."""


def ours(plane: Plane) -> ControlPlane:
    """Give a plane of our own; a test that does what nobody does to others is skipped."""
    if isinstance(plane, GivenCluster):
        pytest.skip(f"{VARIABLE}: {plane.name} is not ours to break")
    return plane


def wants_room(planes: Mapping[str, Plane], *paths: str) -> None:
    """Skip where what a test makes, and removes, is there already, or no node is ready."""
    for plane in planes.values():
        if isinstance(plane, ControlPlane):
            continue
        for path in paths:
            if is_there(plane.admin, path):
                pytest.skip(f"{VARIABLE}: {plane.name} has {path} already, and it is not ours")
        if not any(map(_is_ready, plane.admin.get("/api/v1/nodes")["items"])):
            pytest.skip(f"{VARIABLE}: {plane.name} has no node that is ready")


def wants_kruise(planes: Mapping[str, Plane]) -> None:
    """Skip where a kind of OpenKruise that tests have is served in no version that we know."""
    for plane in planes.values():
        for group, kinds in fleet.KRUISE.items() if isinstance(plane, GivenCluster) else ():
            missing = [each for each in kinds if served(plane.admin, group, each) is None]
            if missing:
                names = f"{', '.join(sorted(missing))} of {group}"
                pytest.skip(f"{VARIABLE}: {plane.name} has no {names}; install OpenKruise there")


def vacate(plane: Plane, space: str) -> None:
    """Take everything away that a test made in a namespace, and wait until it is gone.

    A plane of our own keeps the empty namespace: whoever deletes one waits five seconds before its
    controller begins.
    """
    api, place = plane.admin, f"namespaces/{space}"
    if isinstance(plane, GivenCluster):
        api.delete(f"/api/v1/{place}")
        until("it is gone", lambda: not is_there(api, f"/api/v1/{place}"))
        return
    made = [f"{group}/{place}/{kind}" for group, kinds in MADE.items() for kind in kinds]
    there = [path for path in made if is_there(api, path)]

    def is_empty() -> bool:
        left = [path for path in there if api.get(path)["items"]]
        for path in left:
            api.delete(f"{path}?gracePeriodSeconds=0")
        return not left

    until("it is empty", is_empty)


def has_kubelets(plane: Plane) -> bool:
    """Whether kubelets run its pods; kwok plays those of our own."""
    if isinstance(plane, ControlPlane):
        return False
    return not all(map(_is_played, plane.admin.get("/api/v1/nodes")["items"]))


def wants_kwok(plane: Plane, what: str) -> None:
    """Skip where kubelets run the pods, for what only kwok does when it is told to."""
    if has_kubelets(plane):
        pytest.skip(f"{VARIABLE}: {plane.name} has nodes that kwok does not play; {what}")


def wants_kept(plane: Plane, path: str, rolling: Mapping[str, object]) -> None:
    """Skip where the server has dropped fields of a rolling update, for their gates are off."""
    if isinstance(plane, ControlPlane):
        return
    kept = plane.admin.get(path)["spec"]["updateStrategy"].get("rollingUpdate", {})
    if dropped := sorted(rolling.keys() - kept.keys()):
        pytest.skip(f"{VARIABLE}: {plane.name} drops {', '.join(dropped)}; its feature gate is off")


def is_there(api: Api, path: str) -> bool:
    """Whether an object, or a version of the API, is there."""
    return not is_refused(404, partial(api.get, path))


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
            stack.enter_context(_proxy(each["name"], port))
            found[name] = GivenCluster(name, each["name"], folder, port)
            until("kubectl proxy answers", partial(answers, found[name]))
        yield found


@contextmanager
def _proxy(context: str, port: int) -> Iterator[None]:
    command: Sequence[str | Path] = [
        binaries() / "kubectl", "--kubeconfig", os.environ[VARIABLE],
        "--context", context, "proxy", f"--port={port}", "--reject-methods=^$",
    ]  # fmt: skip
    # Ctrl-C is for the tests alone: they need it to take away what they made.
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as proxy:
        try:
            yield
        finally:
            proxy.terminate()


def answers(cluster: GivenCluster) -> bool:
    """Whether its API can be asked."""
    try:
        cluster.admin.get("/version")
    except OSError:
        return False
    return True


def _is_played(node: dict[str, dict[str, dict[str, str]]]) -> bool:
    about = node["metadata"]
    marked = "kwok.x-k8s.io/node" in about.get("annotations", {})
    return marked or about.get("labels", {}).get("type") == "kwok"


def _is_ready(node: dict[str, object]) -> bool:
    status = node.get("status") or {}
    assert isinstance(status, dict)
    conditions = status.get("conditions") or ()
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)
