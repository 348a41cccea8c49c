"""Small workloads for the contract, as a person would write them."""

from typing import Any

NAMESPACE = "trade"
OLD = "registry.example.com/cart:1.0.0"
NEW = "registry.example.com/cart:1.1.0"
UIDS = {
    "cart": "00000000-0000-4000-8000-000000000001",
    "store": "00000000-0000-4000-8000-000000000002",
}


def template(image: str, **labels: str) -> dict[str, Any]:
    """A template of one container, with the gate of in-place updates."""
    return {
        "metadata": {"labels": {"app": "cart", **labels}},
        "spec": {
            "containers": [{"name": "main", "image": image}],
            "readinessGates": [{"conditionType": "InPlaceUpdateReady"}],
            "terminationGracePeriodSeconds": 30,
        },
    }


def clone_set(image: str, replicas: int = 10, **rolling: Any) -> dict[str, Any]:  # noqa: ANN401
    """A CloneSet of v1beta1; `rolling` are fields of its rolling update."""
    strategy = {"podUpdatePolicy": "InPlaceIfPossible", "maxUnavailable": 2, **rolling}
    return _workload(
        "apps.kruise.io/v1beta1", "CloneSet", "cart", image, replicas,
        {"type": "RollingUpdate", "rollingUpdate": strategy},
    )  # fmt: skip


def advanced_stateful_set(image: str, replicas: int = 10, **rolling: Any) -> dict[str, Any]:  # noqa: ANN401
    """An Advanced StatefulSet of v1beta1 whose pods may go in any number at once."""
    strategy = {"podUpdatePolicy": "InPlaceIfPossible", "maxUnavailable": 2, **rolling}
    workload = _workload(
        "apps.kruise.io/v1beta1", "StatefulSet", "store", image, replicas,
        {"type": "RollingUpdate", "rollingUpdate": strategy},
    )  # fmt: skip
    workload["spec"]["podManagementPolicy"] = "Parallel"
    return workload


def stateful_set(image: str, replicas: int = 5, **rolling: Any) -> dict[str, Any]:  # noqa: ANN401
    """A StatefulSet."""
    update = {"type": "RollingUpdate", "rollingUpdate": rolling}
    return _workload("apps/v1", "StatefulSet", "store", image, replicas, update)


def deployment(image: str, replicas: int = 10, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    """A Deployment; `spec` are further fields of its spec."""
    workload = _workload("apps/v1", "Deployment", "cart", image, replicas, None)
    return {**workload, "spec": {**workload["spec"], **spec}}


def sidecar_set(image: str, **strategy: Any) -> dict[str, Any]:  # noqa: ANN401
    """A SidecarSet that every pod of the tests gets; its hash follows from the image."""
    return {
        "apiVersion": "apps.kruise.io/v1beta1",
        "kind": "SidecarSet",
        "metadata": {
            "name": "mesh",
            "uid": "00000000-0000-4000-8000-000000000003",
            "annotations": {
                "kruise.io/sidecarset-hash": image,
                "kruise.io/sidecarset-hash-without-image": "mesh",
            },
        },
        "spec": {
            "selector": {"matchLabels": {"app": "cart"}},
            "containers": [{"name": "mesh", "image": image}],
            "updateStrategy": {"type": "RollingUpdate", "maxUnavailable": 2, **strategy},
        },
    }


def _workload(
    api_version: str,
    kind: str,
    name: str,
    image: str,
    replicas: int,
    update: dict[str, Any] | None,
) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "cart"}},
        "template": template(image),
    }
    if update is not None:
        spec["updateStrategy"] = update
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"namespace": NAMESPACE, "name": name, "uid": UIDS[name]},
        "spec": spec,
    }
