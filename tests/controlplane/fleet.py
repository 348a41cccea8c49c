"""Manifests of a fleet: nodes, workloads of every kind, budgets, and the kinds of OpenKruise."""

import os
from collections.abc import Iterator
from typing import Any

NAMESPACE = "trade"
# kwok's kubelets start whatever they are told to; others want one that is there.
REGISTRY = os.environ.get("PLANNER_E2E_REGISTRY", "registry.example.com")
KRUISE = {
    "apps.kruise.io": {
        "clonesets": "CloneSet",
        "statefulsets": "StatefulSet",
        "daemonsets": "DaemonSet",
        "sidecarsets": "SidecarSet",
    },
    "policy.kruise.io": {"podunavailablebudgets": "PodUnavailableBudget"},
}
Manifest = dict[str, Any]


def nodes(count: int, *, version: str = "v1.34.4") -> Iterator[tuple[str, Manifest]]:
    """Nodes of kwok over three zones."""
    room = {"cpu": "16", "memory": "64Gi", "pods": "250"}
    info = {
        "kubeletVersion": version,
        "containerRuntimeVersion": "containerd://2.0.4",
        "operatingSystem": "linux",
        "architecture": "amd64",
    }
    for index in range(count):
        name = f"node-{index:04d}"
        labels = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "topology.kubernetes.io/zone": f"zone-{'abc'[index % 3]}",
        }
        yield (
            f"/api/v1/nodes/{name}",
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": name,
                    "labels": labels,
                    "annotations": {"kwok.x-k8s.io/node": "fake"},
                },
                "spec": {},
                "status": {"allocatable": room, "capacity": room, "nodeInfo": info},
            },
        )


def namespace(name: str) -> tuple[str, Manifest]:
    """A namespace."""
    return (
        f"/api/v1/namespaces/{name}",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
    )


def template(app: str, image: str, labels: dict[str, str] | None = None) -> Manifest:
    """Template of pods of one container."""
    return {
        "metadata": {"labels": {"app": app, **(labels or {})}},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "main",
                    "image": image,
                    "env": [{"name": "PASSWORD", "value": "open-sesame"}],
                    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
                }
            ],
        },
    }


def workload(
    kind: str,
    name: str,
    *,
    replicas: int = 1,
    image: str = f"{REGISTRY}/web:1.0.0",
    space: str = NAMESPACE,
    labels: dict[str, str] | None = None,
    **spec: Any,  # noqa: ANN401 JSON
) -> tuple[str, Manifest]:
    """A Deployment, StatefulSet or DaemonSet."""
    body = {
        "selector": {"matchLabels": {"app": name}},
        "template": template(name, image, labels),
        **spec,
    }
    if kind != "DaemonSet":
        body["replicas"] = replicas
    if kind == "StatefulSet":
        body |= {"serviceName": name, "podManagementPolicy": "Parallel"}
    return (
        f"/apis/apps/v1/namespaces/{space}/{kind.lower()}s/{name}",
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": space},
            "spec": body,
        },
    )


def budget(name: str, maximum: int | str, *, space: str = NAMESPACE) -> tuple[str, Manifest]:
    """A PodDisruptionBudget over the pods of a workload."""
    return (
        f"/apis/policy/v1/namespaces/{space}/poddisruptionbudgets/{name}",
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": name, "namespace": space},
            "spec": {"maxUnavailable": maximum, "selector": {"matchLabels": {"app": name}}},
        },
    )


def quota(name: str, *, space: str = NAMESPACE, **hard: str) -> tuple[str, Manifest]:
    """A ResourceQuota; a dot in the name of a resource is written as `_`."""
    return (
        f"/api/v1/namespaces/{space}/resourcequotas/{name}",
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": name, "namespace": space},
            "spec": {"hard": {key.replace("_", "."): amount for key, amount in hard.items()}},
        },
    )


def custom(
    group: str, version: str, plural: str, name: str, spec: Manifest, *, space: str = NAMESPACE
) -> tuple[str, Manifest]:
    """An object of a kind of OpenKruise."""
    kind = KRUISE[group][plural]
    place = "" if kind == "SidecarSet" else f"/namespaces/{space}"
    metadata = {"name": name} | ({"namespace": space} if place else {})
    return (
        f"/apis/{group}/{version}{place}/{plural}/{name}",
        {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": metadata, "spec": spec},
    )
