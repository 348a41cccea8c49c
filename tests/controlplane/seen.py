"""Waits until controllers know of something: of each kind they learn by a watch of its own."""

from tests.controlplane.api import Api
from tests.controlplane.wait import until


def wait_seen(api: Api, path: str) -> None:
    """Wait until the controller of an object has looked at it as it is now.

    Pods that are made before get no container of a SidecarSet, for example.
    """

    def is_seen() -> bool:
        live = api.get(path)
        seen = (live.get("status") or {}).get("observedGeneration")
        return bool(seen == live["metadata"]["generation"])

    until(f"the controller of {path} has looked at it", is_seen)
