"""Small objects as the API lists them."""

from __future__ import annotations

import json
from typing import Any

UID = "401598b1-3f34-4eee-afe2-d156af76f{:03}"


def pod(number: int = 1, **changed: Any) -> dict[str, Any]:  # noqa: ANN401
    """A pod as the API lists it; `changed` replaces parts of its metadata."""
    metadata = {
        "name": f"cart-{number}",
        "namespace": "trade",
        "uid": UID.format(number),
        "resourceVersion": str(1000 + number),
        "creationTimestamp": "2026-11-23T09:30:59Z",
        "labels": {"app": "cart"},
        **changed,
    }
    container = {"name": "main", "image": "registry.example.com/cart:1.0.0"}
    return {
        "metadata": metadata,
        "spec": {"nodeName": "node-1", "containers": [container]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "restartCount": 0}]},
    }


def pod_list(*pods: dict[str, Any]) -> str:
    items = list(pods)
    return json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})
