"""Live objects as the API server gives them, as small as levers need them."""

from typing import Any


def workload(kind: str, api_version: str = "apps/v1", **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    """A workload of two containers at 1.0.0."""
    template = {
        "metadata": {"labels": {"app": "cart"}},
        "spec": {
            "containers": [
                {"name": "main", "image": "cart:1.0.0", "env": [{"name": "A", "value": "b"}]},
                {"name": "log", "image": "log:1.0.0"},
            ]
        },
    }
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": "cart",
            "namespace": "trade",
            "uid": "11111111-1111-1111-1111-111111111111",
            "resourceVersion": "7",
            "generation": 3,
        },
        "spec": {"replicas": 10, "template": template, **spec},
    }


DEPLOYMENT = workload(
    "Deployment",
    strategy={
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    },
    progressDeadlineSeconds=600,
)
CLONE_SET = workload(
    "CloneSet",
    "apps.kruise.io/v1beta1",
    updateStrategy={
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "20%", "scatterStrategy": [{"key": "a", "value": "b"}]},
    },
)
STATEFUL_SET = workload(
    "StatefulSet", updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
)
ADVANCED = workload(
    "StatefulSet",
    "apps.kruise.io/v1beta1",
    reserveOrdinals=[2, "4-5"],
    updateStrategy={"rollingUpdate": {"maxUnavailable": 2}},
)
DAEMON_SET = workload("DaemonSet", updateStrategy={"type": "RollingUpdate"})
