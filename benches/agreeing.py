"""An API server in memory that takes every write at once.

It keeps workloads and SidecarSets as they were written; of pods it knows no more than a deletion
needs, and its objects are as small as levers let them be.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from benches.controller import TAG
from benches.pod import REGISTRY
from planner.errors import ClusterError
from planner.kube.cluster import Answer, Call

Object = dict[str, Any]
_MANY = 1 << 30
_MAY = b'{"status":{"allowed":true}}'


class Agreeing:
    """The door to such a server.

    Attributes:
        replicas: of each workload, by namespace and name.
        uids: of pods that somebody has to delete, by path.
    """

    def __init__(self, replicas: Mapping[tuple[str, str], int], uids: Mapping[str, str]) -> None:
        self.replicas = replicas
        self.uids = uids
        self._objects: dict[str, Object] = {}

    def send(self, call: Call) -> Answer:
        """Do what is asked, and say how the object is then."""
        if call.path.startswith("/apis/authorization"):
            return Answer(body=_MAY)
        if call.path.startswith("/api/v1/"):
            return self._pod(call)
        live = self._objects.get(call.path) or self._new(call.path)
        if call.method == "PATCH" and "dryRun" not in call.query:
            assert isinstance(call.body, list)
            for operation in call.body:
                live = _patched(live, operation["path"].split("/")[1:], operation)
            metadata = live["metadata"]
            version = str(int(metadata["resourceVersion"]) + 1)
            live = {**live, "metadata": {**metadata, "resourceVersion": version}}
            self._objects[call.path] = live
        return Answer(body=json.dumps(live).encode())

    def _pod(self, call: Call) -> Answer:
        if call.method != "GET":
            return Answer(body=b"{}")
        uid = self.uids.get(call.path)
        if uid is None:
            raise ClusterError(404, f"{call.path} not found", reason="NotFound")
        return Answer(body=json.dumps({"metadata": {"uid": uid, "resourceVersion": "1"}}).encode())

    def _new(self, path: str) -> Object:
        """A workload or SidecarSet as it was before the run, all of its pods counted."""
        _, _, group, version, *place, name = path.split("/")
        namespace = place[1] if place[0] == "namespaces" else ""
        metadata = {"name": name, "namespace": namespace, "uid": name, "resourceVersion": "1"}
        imaged = [{"name": "main", "image": f"{REGISTRY}/{name}:{TAG.decode()}"}]
        spec: Object = {"containers": [{**imaged[0], "name": name}]}
        if namespace:
            replicas = self.replicas[namespace, name]
            spec = {"replicas": replicas, "template": {"spec": {"containers": imaged}}}
        status = {"replicas": _MANY, "updatedReplicas": _MANY, "availableReplicas": 0}
        return {
            "apiVersion": f"{group}/{version}",
            "kind": place[-1],
            "metadata": metadata,
            "spec": spec,
            "status": status,
        }

    def get(self, path: str, query: Mapping[str, str]) -> bytes:
        """Nobody lists anything here."""
        raise NotImplementedError(path, query)

    def stream(
        self, path: str, query: Mapping[str, str], *, silence_s: float
    ) -> AbstractContextManager[Iterator[bytes]]:
        """Nobody watches anything here."""
        raise NotImplementedError(path, query, silence_s)

    def interrupt(self) -> None:
        """Nothing is under way."""


def _patched(live: Any, path: list[str], operation: Mapping[str, Any]) -> Any:  # noqa: ANN401 JSON
    """Give an object with one operation of a JSON patch done; what it held before stays."""
    if not path:
        return operation["value"]
    key, rest = path[0].replace("~1", "/").replace("~0", "~"), path[1:]
    if isinstance(live, list):
        at = int(key)
        return [*live[:at], _patched(live[at], rest, operation), *live[at + 1 :]]
    if operation["op"] == "test":
        assert rest or live[key] == operation["value"], operation
        return {**live, key: _patched(live[key], rest, operation)}
    if operation["op"] == "remove" and not rest:
        return {name: value for name, value in live.items() if name != key}
    return {**live, key: _patched(live.get(key), rest, operation)}
