"""`python -m tests.controlplane.cost`: what a run asks of an API server, beside `kubectl rollout`.

The same Deployment goes to a new version twice: by `kubectl set image` and `kubectl rollout
status`, and by `planner apply`. The API server's own audit log says what each of them asked. What
the controllers and kubelets do for it is the same for both and not counted.
"""

import json
import tempfile
from collections import Counter
from pathlib import Path

from tests.controlplane import fleet
from tests.controlplane.conftest import add_nodes, wait_all_ready
from tests.controlplane.plane import ControlPlane
from tests.controlplane.running import Operator

PODS = 60
NAME = "web"
IMAGE = "registry.example.com/web"
READS = ("get", "list", "watch")
REQUEST = {
    "apiVersion": "planner/v1",
    "kind": "UpgradeRequest",
    "metadata": {"name": "cost"},
    "spec": {"target": {"images": [{"from": IMAGE, "to": f"{IMAGE}:3.0.0"}]}},
}


def measure() -> dict[str, Counter[str]]:
    """Requests by client and verb."""
    plane = ControlPlane("cost", audited=True)
    try:
        plane.start()
        add_nodes(plane, 10)
        for path, manifest in (
            fleet.namespace(fleet.NAMESPACE),
            fleet.workload("Deployment", NAME, replicas=PODS, image=f"{IMAGE}:1.0.0"),
        ):
            plane.admin.apply(path, manifest)
        wait_all_ready(plane, PODS)
        by_kubectl(plane)
        by_planner(plane)
        return counted(plane.audit_log)
    finally:
        plane.stop()


def by_kubectl(plane: ControlPlane) -> None:
    """Change the image and wait until every pod has it."""
    space = ("-n", fleet.NAMESPACE)
    plane.kubectl(*space, "set", "image", f"deployment/{NAME}", f"main={IMAGE}:2.0.0")
    plane.kubectl(*space, "rollout", "status", f"deployment/{NAME}")


def by_planner(plane: ControlPlane) -> None:
    """Observe, plan and carry out."""
    with tempfile.TemporaryDirectory() as folder:
        operator = Operator(Path(folder), {plane.name: plane})
        operator.observe()
        plan = operator.plan(json.dumps(REQUEST))
        with operator.apply(plan, unaudited="it would ask the server, too") as running:
            if running.end():
                raise RuntimeError(running.errors)


def counted(log: Path) -> dict[str, Counter[str]]:
    """Requests of each client, `planner` or `kubectl`, by verb; dry runs apart."""
    counts: dict[str, Counter[str]] = {"kubectl": Counter(), "planner": Counter()}
    for line in log.read_text().splitlines():
        event = json.loads(line)
        agent = str(event.get("userAgent", ""))
        client = "kubectl" if agent.startswith("kubectl") else "planner"
        if client == "planner" and not agent.startswith("OpenAPI-Generator"):
            continue
        verb = event["verb"]
        if event.get("objectRef", {}).get("resource") == "selfsubjectaccessreviews":
            # It asks, although it is posted.
            verb = "get"
        if "dryRun=All" in event["requestURI"]:
            verb = "dry run"
        counts[client][verb] += 1
    return counts


def main() -> None:
    """Print the table."""
    counts = measure()
    print("| client | requests | reads | writes | dry runs | writes a pod |")  # noqa: T201
    print("| --- | --- | --- | --- | --- | --- |")  # noqa: T201
    for client, verbs in counts.items():
        reads = sum(verbs[verb] for verb in READS)
        dry, total = verbs["dry run"], verbs.total()
        writes = total - reads - dry
        share = f"{writes / PODS:.2f}"
        print(f"| {client} | {total} | {reads} | {writes} | {dry} | {share} |")  # noqa: T201


if __name__ == "__main__":
    main()
