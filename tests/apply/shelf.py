"""An API server as small as a writer needs it: objects on a shelf, patched as they are told."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from planner.apply.tries import Timing
from planner.apply.writer import Claim, Writer
from planner.errors import ClusterError
from planner.kube.cluster import Answer, Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

Manifest = dict[str, Any]


class Server:
    """What every API server of these tests has in common.

    Attributes:
        seconds: that went by while somebody waited.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def send(self, call: Call) -> Answer:
        raise NotImplementedError

    def get(self, path: str, query: Mapping[str, str]) -> bytes:
        return self.send(Call(method="GET", path=path, query=query)).body

    def stream(
        self, path: str, query: Mapping[str, str], *, silence_s: float
    ) -> AbstractContextManager[Iterator[bytes]]:
        raise AssertionError(path, query, silence_s)

    def interrupt(self) -> None:
        raise AssertionError

    def wait(self, seconds: float) -> bool:
        self.seconds += seconds
        return False

    def writer(self, *, dry_run: bool = False, writes_per_s: int = 1000) -> Writer:
        """Somebody who writes to it, and has all the time there is."""
        return Writer(
            "hz",
            self,
            claim=Claim(mark="r/1", check=lambda: None),
            writes_per_s=writes_per_s,
            timing=Timing(self.wait, lambda: self.seconds),
            dry_run=dry_run,
        )


class Shelf(Server):
    """Objects by path; what is refused is told by path.

    Attributes:
        objects: as they are now.
        refusals: what the server says of a write to a path.
        writes: that it was sent.
    """

    def __init__(self, objects: Mapping[str, Manifest]) -> None:
        super().__init__()
        self.writes: list[Call] = []
        self.objects = {path: copy.deepcopy(it) for path, it in objects.items()}
        self.refusals: dict[str, ClusterError] = {}

    def send(self, call: Call) -> Answer:
        if call.method != "GET":
            self.writes.append(call)
        found = self.objects.get(call.path)
        if found is None:
            raise ClusterError(404, f"{call.path} not found", reason="NotFound")
        if call.method != "GET" and call.path in self.refusals:
            raise self.refusals[call.path]
        if call.method == "PATCH":
            patched = _json if isinstance(call.body, list) else _merged
            found = self.objects[call.path] = patched(copy.deepcopy(found), call.body)
        return Answer(body=json.dumps(found).encode())


def _merged(before: Any, change: Any) -> Any:  # noqa: ANN401 JSON
    if not isinstance(change, dict):
        return change
    after = dict(before) if isinstance(before, dict) else {}
    for key, value in change.items():
        if value is None:
            after.pop(key, None)
        else:
            after[key] = _merged(after.get(key), value)
    return after


def _json(before: Manifest, operations: list[Manifest]) -> Manifest:
    for each in operations:
        *path, last = (
            key.replace("~1", "/").replace("~0", "~") for key in each["path"].split("/")[1:]
        )
        place: Any = before
        for key in path:
            place = place[int(key) if isinstance(place, list) else key]
        match each["op"]:
            case "test":
                assert place[last] == each["value"]
            case "remove":
                del place[last]
            case _:
                place[int(last) if isinstance(place, list) else last] = each["value"]
    return before


class Agreeing(Shelf):
    """An API server that has every workload it is asked for, and lets everybody do everything."""

    def __init__(self) -> None:
        super().__init__({})

    def send(self, call: Call) -> Answer:
        if call.path.startswith("/apis/authorization"):
            return Answer(body=json.dumps({"status": {"allowed": True}}).encode())
        if call.method != "GET":
            self.writes.append(call)
            if call.path in self.refusals:
                raise self.refusals[call.path]
            return Answer(body=b"{}")
        name = call.path.rpartition("/")[2]
        found = {
            "apiVersion": "/".join(call.path.split("/")[2:4]),
            "kind": "Workload",
            "metadata": {"name": name, "namespace": "trade", "uid": name, "resourceVersion": "1"},
            "spec": {"template": {"spec": {"containers": []}}},
        }
        return Answer(body=json.dumps(found).encode())


class Keeping(Agreeing):
    """One that also keeps what is written to workloads, some of which their owners paused."""

    def __init__(self, *paused: str) -> None:
        super().__init__()
        self._paused = paused

    def send(self, call: Call) -> Answer:
        answer = super().send(call)
        if "/deployments/" not in call.path and "/clonesets/" not in call.path:
            return answer
        if call.method == "GET" and call.path not in self.objects:
            made = json.loads(answer.body)
            made["spec"]["paused"] = made["metadata"]["name"] in self._paused
            self.objects[call.path] = made
        return Shelf.send(self, call)
