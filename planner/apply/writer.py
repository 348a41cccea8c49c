"""Writes to one cluster: guarded, paced, and safe to say twice.

A write of unknown outcome (no answer, an error of the server) is read again before it is repeated:
the difference to what is wanted is made anew, and is empty when the first write came through.

Every write tests the resourceVersion that was read, and between reading and writing the claim is
checked. Whoever takes over touches what may be under way: a write that is held up after its check
finds another resourceVersion, so the object is read again and the claim checked again.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

import msgspec

from planner.apply.levers.held import RUN, Object, annotated
from planner.apply.levers.patch import guarded
from planner.errors import ClusterError, DriftError, RunError
from planner.kube.cluster import Call, Cluster
from planner.kube.paths import NODES, node_path, object_paths, pod_path

FIELD_MANAGER: Final = "fleet-upgrade-planner"
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
ATTEMPTS: Final = 8
"""How often something that moved on meanwhile is read and written again."""
SILENT_S: Final = 300.0
"""How long an API server may be away before the run stops."""
LOOK_S: Final = 0.2
"""How often an object that is waited for is read."""
BACKOFF_S: Final = (0.2, 5.0)
"""The first wait and the longest one."""

Outcome = Literal["done", "refused", "gone"]
_CONFLICTS: Final = (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write: `refused` may be tried later, `gone` is another pod by now."""

    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """That an executor may write.

    Attributes:
        mark: run and epoch; every object that is written carries it.
        check: raises LeaseLostError when another executor has taken the run over.
    """

    mark: str
    check: Callable[[], None]


class Writer:
    """One cluster as one executor sees it.

    Attributes:
        writes: how many writes were made; dry runs do not count.
    """

    def __init__(
        self,
        name: str,
        door: Cluster,
        *,
        claim: Claim,
        writes_per_s: int,
        wait: Callable[[float], bool],
        dry_run: bool = False,
    ) -> None:
        """Make a writer.

        Args:
            name: of the cluster.
            door: to the cluster.
            claim: that this executor may write.
            writes_per_s: how many writes a second.
            wait: lets seconds go by; gives True when the executor has to end.
            dry_run: the server checks everything and keeps nothing.
        """
        self.name = name
        self.writes = 0
        self._door = door
        self._claim = claim
        self._gap_s = 1.0 / writes_per_s
        self._next_s = 0.0
        self._wait = wait
        self._dry_run = dry_run
        self._paths: dict[tuple[str, str, str], str] = {}

    def read(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        """Read an object; None when there is none."""
        paths = object_paths(kind, namespace, name)
        known = self._paths.get((kind, namespace, name))
        for path in (known,) if known else paths:
            try:
                answer = self._patient(Call(method="GET", path=path))
            except ClusterError as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise
                continue
            self._paths[kind, namespace, name] = path
            found: dict[str, Any] = msgspec.json.decode(answer)
            return found
        return None

    def pull(
        self,
        kind: str,
        namespace: str,
        name: str,
        lever: Callable[[Object], Object],
        *,
        marked: bool = True,
    ) -> None:
        """Make an object as a lever wants it; nothing is written when it is so already.

        `marked` is False for an object that is given back to its owner.

        Raises:
            DriftError: the object is gone, or is changed again and again by somebody else.
            RunError: the server refuses what is wanted, or warns of it.
        """
        what = f"{self.name}/{namespace}/{kind}/{name}"
        refusal: tuple[str, ClusterError] | None = None
        for _ in range(ATTEMPTS):
            before = self.read(kind, namespace, name)
            if before is None:
                raise DriftError(f"{what} is gone")
            if refusal and refusal[0] == before["metadata"]["resourceVersion"]:
                # A test that fails and an object that is not valid are told in the same words.
                raise RunError(f"{what}: {refusal[1]}") from refusal[1]
            after = lever(before)
            if not guarded(before, after):
                return
            patch = guarded(before, annotated(after, {RUN: self._claim.mark}) if marked else after)
            path = self._paths[kind, namespace, name]
            call = Call(method="PATCH", path=path, body=patch, content_type=JSON_PATCH)
            try:
                self._write(call)
            except ClusterError as error:
                if error.status not in _CONFLICTS:
                    raise RunError(f"{what}: {error}") from error
                if error.status == HTTPStatus.UNPROCESSABLE_ENTITY:
                    refusal = (before["metadata"]["resourceVersion"], error)
                continue
            return
        raise DriftError(f"{what} is changed by somebody else again and again")

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is kept."""
        return self._dry_run

    def wait_until(
        self, kind: str, namespace: str, name: str, holds: Callable[[Object], bool]
    ) -> None:
        """Wait until something holds of an object.

        Raises:
            RunError: it does not in time, as when its controller is away.
        """
        waited_s = 0.0
        while waited_s < SILENT_S:
            live = self.read(kind, namespace, name)
            if live is None or holds(live):
                return
            if self._wait(LOOK_S):
                raise ClusterError(0, "interrupted")
            waited_s += LOOK_S
        raise RunError(f"{self.name}/{namespace}/{kind}/{name}: its controller does not answer")

    def touch(self, kind: str, namespace: str, name: str) -> None:
        """Mark an object as ours: whatever an executor before us is about to write fails."""
        if self.read(kind, namespace, name) is not None:
            self.pull(kind, namespace, name, lambda live: annotated(live, {RUN: self._claim.mark}))

    def merge_pod(
        self, namespace: str, name: str, uid: str, version: str, metadata: Mapping[str, Any]
    ) -> Written:
        """Set labels and annotations of a pod."""
        path = pod_path(namespace, name)
        for _ in range(ATTEMPTS):
            guard = {"uid": uid, "resourceVersion": version}
            call = Call(
                method="PATCH",
                path=path,
                body={"metadata": {**guard, **metadata}},
                content_type=MERGE_PATCH,
            )
            try:
                self._write(call)
            except ClusterError as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    return Written("gone")
                if error.status not in _CONFLICTS:
                    raise RunError(f"{self.name}/{namespace}/{name}: {error}") from error
            else:
                return Written("done")
            live = self._found(path)
            if live is None or live["metadata"]["uid"] != uid:
                return Written("gone")
            version = live["metadata"]["resourceVersion"]
        return Written("refused", "it changes all the time")

    def nodes_with(self, label: str) -> list[str]:
        """Names of the nodes that have a label."""
        call = Call(method="GET", path=NODES, query={"labelSelector": label})
        found = msgspec.json.decode(self._patient(call))
        return [node["metadata"]["name"] for node in found["items"]]

    def label_node(self, name: str, label: str, value: str | None) -> None:
        """Label a node, or take the label away; one that is gone needs none."""
        path = node_path(name)
        for _ in range(ATTEMPTS):
            live = self._found(path)
            if live is None or (live["metadata"].get("labels") or {}).get(label) == value:
                return
            guard = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
            body = {"metadata": {**guard, "labels": {label: value}}}
            try:
                self._write(Call(method="PATCH", path=path, body=body, content_type=MERGE_PATCH))
            except ClusterError as error:
                if error.status not in _CONFLICTS:
                    raise RunError(f"{self.name}/{name}: {error}") from error
                continue
            return
        raise RunError(f"{self.name}/{name}: the node cannot be labelled")

    def remove(self, namespace: str, name: str, uid: str, *, evict: bool) -> Written:
        """Delete or evict a pod, as it is now and no other."""
        path = pod_path(namespace, name)
        what = f"{self.name}/{namespace}/{name}"
        for _ in range(ATTEMPTS):
            live = self._found(path)
            if live is None or live["metadata"]["uid"] != uid:
                return Written("gone")
            metadata = live["metadata"]
            if metadata.get("deletionTimestamp"):
                return Written("done")
            guard = {"uid": uid, "resourceVersion": metadata["resourceVersion"]}
            options: dict[str, Any] = {"preconditions": guard}
            if self._dry_run:
                # Where a deletion has a body, the server does not look at the query.
                options["dryRun"] = ["All"]
            call = _removal(path, namespace, name, options, evict=evict)
            try:
                self._write(call)
            except ClusterError as error:
                if error.status == HTTPStatus.CONFLICT:
                    continue
                return _unremoved(what, error)
            return Written("done")
        return Written("refused", "it changes all the time")

    def touch_pod(self, namespace: str, name: str, uid: str) -> None:
        """Mark a pod as ours, as `touch` does."""
        live = self._found(pod_path(namespace, name))
        if live is not None and live["metadata"]["uid"] == uid:
            version = live["metadata"]["resourceVersion"]
            self.merge_pod(namespace, name, uid, version, {"annotations": {RUN: self._claim.mark}})

    def _found(self, path: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = msgspec.json.decode(
                self._patient(Call(method="GET", path=path))
            )
        except ClusterError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return found

    def _write(self, call: Call) -> None:
        """Write in turn, what was read before and is guarded by its resourceVersion.

        Raises:
            LeaseLostError: another executor has taken the run over.
            RunError: the server warns: what it warns of has to be looked at first.
        """
        query = {"fieldManager": FIELD_MANAGER} if call.method in ("PATCH", "POST") else {}
        if self._dry_run:
            query["dryRun"] = "All"
        else:
            self._in_turn()
            self._claim.check()
            self.writes += 1
        sent = Call(
            method=call.method,
            path=call.path,
            query=query,
            body=call.body,
            content_type=call.content_type,
        )
        try:
            answer = self._door.send(sent)
        except ClusterError as error:
            if not _is_passing(error):
                raise
            # Whether it was done nobody knows: whoever asked reads again.
            self._rest(error, 0)
            raise ClusterError(HTTPStatus.CONFLICT, error.message) from error
        if answer.warnings:
            raise RunError(f"{self.name}: the server warns: {'; '.join(answer.warnings)}")

    def _patient(self, call: Call) -> bytes:
        """Read, for as long as the API server may be away."""
        waited = 0.0
        for attempt in range(1000):
            try:
                return self._door.send(call).body
            except ClusterError as error:
                if not _is_passing(error) or waited > SILENT_S:
                    raise
                waited += self._rest(error, attempt)
        raise AssertionError  # the waits add up

    def _rest(self, error: ClusterError, attempt: int) -> float:
        first, longest = BACKOFF_S
        seconds = max(min(first * 2.0**attempt, longest), error.retry_after_s)
        if self._wait(seconds):
            raise error
        return seconds

    def _in_turn(self) -> None:
        now = time.monotonic()
        if self._next_s > now and self._wait(self._next_s - now):
            raise ClusterError(0, "interrupted")
        self._next_s = max(now, self._next_s) + self._gap_s


def _removal(
    path: str, namespace: str, name: str, options: Mapping[str, Any], *, evict: bool
) -> Call:
    if not evict:
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **options}
        return Call(method="DELETE", path=path, body=body)
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"namespace": namespace, "name": name},
        "deleteOptions": options,
    }
    return Call(method="POST", path=f"{path}/eviction", body=eviction)


def _unremoved(what: str, error: ClusterError) -> Written:
    """What it means that a pod was not removed."""
    if error.status == HTTPStatus.NOT_FOUND:
        return Written("gone")
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Written("refused", error.message)
    raise RunError(f"{what}: {error}") from error


def _is_passing(error: ClusterError) -> bool:
    """No answer, an error of the server, or too many requests of the server itself."""
    overloaded = error.status == HTTPStatus.TOO_MANY_REQUESTS and error.retry_after_s > 0
    return error.status == 0 or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or overloaded
