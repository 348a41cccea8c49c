"""Waits until controllers know of something: of each kind they learn by a watch of its own."""

from typing import Any

from tests.controlplane.api import Api
from tests.controlplane.wait import until


def is_seen(live: Any) -> bool:  # noqa: ANN401 JSON
    """Whether the controller of an object has looked at it as it is now."""
    seen = (live.get("status") or {}).get("observedGeneration")
    return bool(seen == live["metadata"]["generation"])


def has_settled(deployment: Any, pods: int) -> bool:  # noqa: ANN401 JSON
    """Whether the status of a Deployment is of its present spec, and counts all pods available."""
    status = deployment.get("status") or {}
    counts = {status.get(key) for key in ("replicas", "updatedReplicas", "availableReplicas")}
    return is_seen(deployment) and counts == {pods}


def wait_seen(api: Api, path: str) -> None:
    """Wait until the controller of an object has looked at it as it is now.

    Pods that are made before get no container of a SidecarSet, for example.
    """
    until(f"the controller of {path} has looked at it", lambda: is_seen(api.get(path)))
