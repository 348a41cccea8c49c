"""`python -m tests.controlplane.cost`: what a run asks of an API server, beside kubectl.

The same change is made twice of each workload: by `kubectl set image` and `kubectl rollout status`
(of a CloneSet `kubectl patch`, as kubectl cannot wait for one), and by `planner apply`. The API
server's own audit log says what each of them asked. What the controllers and kubelets do for it is
the same for both and not counted.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.controlplane import fleet, shop
from tests.controlplane.conftest import add_nodes, is_ready, wait_all_ready
from tests.controlplane.definitions import definitions
from tests.controlplane.plane import ControlPlane
from tests.controlplane.running import Operator
from tests.controlplane.wait import until

PODS = 60
ROLLED_OUT = "Deployment"
IN_PLACE = "CloneSet, in place"
WITH_SIDECAR = "CloneSet and its SidecarSet, in place"
NAMES = {ROLLED_OUT: "web", IN_PLACE: "order", WITH_SIDECAR: "cart"}
MESH = "mesh"
READS = ("get", "list", "watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one client asked of the API server for one change.

    Attributes:
        what: was changed.
        client: who changed it.
        verbs: of its requests; dry runs apart.
        told: writes that the run itself says it took; none of kubectl.
    """

    what: str
    client: str
    verbs: Counter[str]
    told: int | None

    def row(self) -> Sequence[object]:
        """Of the table."""
        reads = sum(self.verbs[verb] for verb in READS)
        dry, total = self.verbs["dry run"], self.verbs.total()
        writes = total - reads - dry
        told = "" if self.told is None else self.told
        return self.what, self.client, total, reads, writes, told, dry, f"{writes / PODS:.2f}"


def measure() -> Iterator[Cost]:
    """Make every change by each client, one after the other."""
    plane = ControlPlane("cost", audited=True)
    try:
        plane.start(first=definitions("v1beta1", "v1alpha1"))
        plane.start_stand_in()
        add_nodes(plane, 10)
        for path, manifest in manifests():
            plane.admin.apply(path, manifest)
        wait_all_ready(plane, PODS * len(NAMES))
        for what in NAMES:
            for client, change in (("kubectl", by_kubectl), ("planner", by_planner)):
                before = plane.audit_log.stat().st_size
                told = change(plane, what)
                verbs = counted(plane.audit_log, client, before)
                yield Cost(what=what, client=client, verbs=verbs, told=told)
    finally:
        plane.stop()


def manifests() -> Iterator[tuple[str, fleet.Manifest]]:
    """A workload of each kind, and the SidecarSet of one of them."""
    yield fleet.namespace(fleet.NAMESPACE)
    rolling = {**shop.IN_PLACE, "maxUnavailable": "25%"}
    sidecars = {
        "selector": {"matchLabels": shop.MESHED},
        "containers": [{"name": MESH, "image": image(MESH, "1.0.0")}],
        "updateStrategy": {"type": "RollingUpdate", "maxUnavailable": "25%"},
    }
    yield fleet.custom("apps.kruise.io", "v1beta1", "sidecarsets", MESH, sidecars)
    for what, name in NAMES.items():
        old = image(name, "1.0.0")
        if what == ROLLED_OUT:
            yield fleet.workload("Deployment", name, replicas=PODS, image=old)
            continue
        template = fleet.template(name, old, shop.MESHED if what == WITH_SIDECAR else None)
        template["spec"]["readinessGates"] = shop.GATES
        spec = {
            "replicas": PODS,
            "selector": {"matchLabels": {"app": name}},
            "template": template,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        }
        yield fleet.custom("apps.kruise.io", "v1beta1", "clonesets", name, spec)


def image(name: str, tag: str) -> str:
    return f"{fleet.REGISTRY}/{name}:{tag}"


def by_kubectl(plane: ControlPlane, what: str) -> None:
    """Change the image and wait until every pod has it."""
    name, tag = NAMES[what], "2.0.0"
    run = partial(plane.kubectl, "-n", fleet.NAMESPACE)
    if what == ROLLED_OUT:
        run("set", "image", f"deployment/{name}", f"main={image(name, tag)}")
        run("rollout", "status", f"deployment/{name}")
        return
    run(*patching(f"cloneset/{name}", "/spec/template/spec/containers/0/image", image(name, tag)))
    if what == WITH_SIDECAR:
        run(*patching(f"sidecarset/{MESH}", "/spec/containers/0/image", image(MESH, tag)))
    until("every pod has it", lambda: all(serves_at(tag, pod) for pod in pods(plane, name)))


def patching(thing: str, path: str, to: str) -> Sequence[str]:
    change = json.dumps([{"op": "replace", "path": path, "value": to}])
    return ("patch", thing, "--type=json", "-p", change)


def pods(plane: ControlPlane, name: str) -> list[Any]:
    place = f"/api/v1/namespaces/{fleet.NAMESPACE}/pods?labelSelector=app%3D{name}"
    found: list[Any] = plane.admin.get(place)["items"]
    return found


def serves_at(tag: str, pod: Any) -> bool:  # noqa: ANN401 JSON
    running = pod["status"].get("containerStatuses", ())
    return is_ready(pod) and all(each["image"].endswith(tag) for each in running)


def by_planner(plane: ControlPlane, what: str) -> int:
    """Observe, plan and carry out, and give the writes that the run says it took."""
    name, tag = NAMES[what], "3.0.0"
    images = [{"from": image(name, "x").removesuffix(":x"), "to": image(name, tag)}]
    target: dict[str, Any] = {"images": images}
    if what == WITH_SIDECAR:
        target["sidecars"] = [{"sidecarSet": MESH, "container": MESH, "to": image(MESH, tag)}]
    request = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "cost"},
        "spec": {"target": target},
    }
    with tempfile.TemporaryDirectory() as folder:
        operator = Operator(Path(folder), {plane.name: plane})
        operator.observe()
        plan = operator.plan(json.dumps(request))
        with operator.apply(plan, unaudited="it would ask the server, too") as running:
            if running.end():
                raise RuntimeError(running.errors)
            (ended,) = running.said("ended")
            return int(ended["writes"])


def counted(log: Path, client: str, begin: int) -> Counter[str]:
    """Requests of a client since its audit log was so long, by verb; dry runs apart."""
    agent = {"kubectl": "kubectl", "planner": "OpenAPI-Generator"}[client]
    counts: Counter[str] = Counter()
    for line in log.read_bytes()[begin:].splitlines():
        event = json.loads(line)
        if not str(event.get("userAgent", "")).startswith(agent):
            continue
        verb = event["verb"]
        if event.get("objectRef", {}).get("resource") == "selfsubjectaccessreviews":
            # It asks, although it is posted.
            verb = "get"
        if "dryRun=All" in event["requestURI"]:
            verb = "dry run"
        counts[verb] += 1
    return counts


def main() -> None:
    """Print the table."""
    columns = (
        "what", "client", "requests", "reads", "writes", "writes it tells",
        "dry runs", "writes a pod",
    )  # fmt: skip
    print(f"| {' | '.join(columns)} |")  # noqa: T201
    print(f"|{' --- |' * len(columns)}")  # noqa: T201
    for cost in measure():
        print(f"| {' | '.join(map(str, cost.row()))} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
