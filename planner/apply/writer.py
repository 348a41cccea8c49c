"""Writes to one cluster: guarded, paced, and safe to say twice.

What is tried and not kept is paced as what is, for webhooks and validation are asked all the same;
so are reviews of rights. Reads are not: of one object each they reach no webhook and commit
nothing, there is one at a time, and few go before each write.

A write of unknown outcome (no answer, an error of the server) is no conflict: it is waited for, as
long as a server may be away, and what it was about is read again before it is repeated. The
difference to what is wanted is made anew, and is empty when the first write came through.

Every write tests the resourceVersion that was read, and between reading and writing the claim is
checked. Whoever takes over touches what may be under way: a write that is held up after its check
finds another resourceVersion, so the object is read again and the claim checked again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

import msgspec

from planner.apply import answers
from planner.apply.levers.held import RUN, Object, annotated
from planner.apply.levers.patch import Operation, guarded
from planner.apply.tries import Timing, Tries, Turns
from planner.errors import ClusterError, DriftError, RunError
from planner.kube.cluster import Call, Cluster
from planner.kube.paths import NODES, node_path, object_paths, pod_path

FIELD_MANAGER: Final = "fleet-upgrade-planner"
_TOLD: Final = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
"""What goes with a write that changes an object. By itself a server drops a field that it does not
know, keeps the rest and warns; so it refuses all (`apiserver pkg/endpoints/handlers/patch.go`)."""
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
ANSWERED_S: Final = 300.0
"""How long a controller may take to look at an object before the run stops."""
LOOK_S: Final = 0.2
"""How often an object that is waited for is read."""

Outcome = Literal["done", "refused", "gone"]


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
        timing: Timing,
        dry_run: bool = False,
    ) -> None:
        """Make a writer.

        Args:
            name: of the cluster.
            door: to the cluster.
            claim: that this executor may write.
            writes_per_s: how many writes a second, kept or not.
            timing: how seconds go by.
            dry_run: the server checks everything and keeps nothing.
        """
        self.name = name
        self.writes = 0
        self._door = door
        self._claim = claim
        self._turns = Turns(writes_per_s, timing)
        self._wait = timing.wait
        self._dry_run = dry_run
        self._timing = timing
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

    def read_pod(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Read a pod; None when there is none."""
        return self._found(pod_path(namespace, name))

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
            ClusterError: it is away for too long, or fails at this for as long.
        """
        what = f"{self.name}/{namespace}/{kind}/{name}"
        tries = self._tries(what)
        refusal: tuple[str, ClusterError] | None = None
        while True:
            before = self.read(kind, namespace, name)
            if before is None:
                raise DriftError(f"{what} is gone")
            version = before["metadata"]["resourceVersion"]
            if refusal and refusal[0] == version:
                # A test that fails and an object that is not valid are told in the same words.
                raise RunError(f"{what}: {refusal[1]}") from refusal[1]
            patch = self._patch(before, lever(before), marked=marked)
            if not patch:
                return
            path = self._paths[kind, namespace, name]
            error = self._write(
                Call(method="PATCH", path=path, body=patch, content_type=JSON_PATCH)
            )
            if error is None:
                return
            if error.status == HTTPStatus.UNPROCESSABLE_ENTITY:
                refusal = (version, error)
            if not _again(tries, error):
                raise DriftError(f"{what} is changed by somebody else again and again")

    def _patch(self, before: Object, after: Object, *, marked: bool) -> list[Operation]:
        if not marked or not guarded(before, after):
            return guarded(before, after)
        return guarded(before, annotated(after, {RUN: self._claim.mark}))

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is kept."""
        return self._dry_run

    def wait_until(
        self,
        kind: str,
        namespace: str,
        name: str,
        holds: Callable[[Object], bool],
        *,
        for_s: float = ANSWERED_S,
    ) -> bool:
        """Wait until something holds of an object, or it is gone; says whether it does in time."""
        waited_s = 0.0
        while True:
            live = self.read(kind, namespace, name)
            if live is None or holds(live):
                return True
            if waited_s >= for_s:
                return False
            if self._wait(LOOK_S):
                raise ClusterError(0, "interrupted")
            waited_s += LOOK_S

    def touch(self, kind: str, namespace: str, name: str) -> None:
        """Mark an object as ours: whatever an executor before us is about to write fails."""
        if self.read(kind, namespace, name) is not None:
            self.pull(kind, namespace, name, lambda live: annotated(live, {RUN: self._claim.mark}))

    def merge_pod(
        self, namespace: str, name: str, uid: str, version: str, metadata: Mapping[str, Any]
    ) -> Written:
        """Set labels and annotations of a pod."""
        path = pod_path(namespace, name)
        tries = self._tries(f"{self.name}/{namespace}/{name}")
        while True:
            guard = {"uid": uid, "resourceVersion": version}
            body = {"metadata": {**guard, **metadata}}
            error = self._write(
                Call(method="PATCH", path=path, body=body, content_type=MERGE_PATCH)
            )
            if error is None:
                return Written("done")
            if came := self._came_of(answers.of_pod(error), error, tries):
                return came
            live = self._found(path)
            if live is None or live["metadata"]["uid"] != uid:
                return Written("gone")
            version = live["metadata"]["resourceVersion"]

    def ask(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Ask in turn what can only be asked by a POST that keeps nothing, as long as any read."""
        self._turns.take()
        return self._patient(Call(method="POST", path=path, body=body))

    def nodes_with(self, label: str) -> list[str]:
        """Names of the nodes that have a label."""
        call = Call(method="GET", path=NODES, query={"labelSelector": label})
        found = msgspec.json.decode(self._patient(call))
        return [node["metadata"]["name"] for node in found["items"]]

    def label_node(self, name: str, label: str, value: str | None) -> None:
        """Label a node, or take the label away; one that is gone needs none."""

        def is_labelled(live: Object) -> bool:
            return bool((live["metadata"].get("labels") or {}).get(label) == value)

        self._merge_node(name, is_labelled, {"metadata": {"labels": {label: value}}})

    def cordon_node(self, name: str) -> None:
        """Let no new pod come to a node; to one that is gone none comes."""

        def is_cordoned(live: Object) -> bool:
            return bool((live.get("spec") or {}).get("unschedulable"))

        self._merge_node(name, is_cordoned, {"spec": {"unschedulable": True}})

    def _merge_node(self, name: str, is_so: Callable[[Object], bool], change: Object) -> None:
        path = node_path(name)
        tries = self._tries(f"{self.name}/{name}")
        while True:
            live = self._found(path)
            if live is None or is_so(live):
                return
            guard = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
            body = {**change, "metadata": {**guard, **change.get("metadata", {})}}
            error = self._write(
                Call(method="PATCH", path=path, body=body, content_type=MERGE_PATCH)
            )
            if error is None:
                return
            if not _again(tries, error):
                raise RunError(f"{tries.what}: {error}") from error

    def remove(self, namespace: str, name: str, uid: str, *, evict: bool) -> Written:
        """Delete or evict a pod, as it is now and no other."""
        path = pod_path(namespace, name)
        tries = self._tries(f"{self.name}/{namespace}/{name}")
        while True:
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
            error = self._write(_removal(path, namespace, name, options, evict=evict))
            if error is None:
                return Written("done")
            if came := self._came_of(answers.of_removal(error), error, tries):
                return came

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

    def _write(self, call: Call) -> ClusterError | None:
        """Write in turn, what was read before and is guarded by its resourceVersion.

        Gives what the server says when it is no success.

        Raises:
            LeaseLostError: another executor has taken the run over.
            RunError: the server warns: what it warns of has to be looked at first.
        """
        query = dict(_TOLD) if call.method in ("PATCH", "POST") else {}
        self._turns.take()
        if self._dry_run:
            query["dryRun"] = "All"
        else:
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
            return error
        if answer.warnings:
            warned = "; ".join(answer.warnings)
            raise RunError(f"{self.name}{call.path}: the server warns: {warned}")
        return None

    def _patient(self, call: Call) -> bytes:
        """Read, for as long as the API server may be away."""
        tries = self._tries(f"{self.name}{call.path}")
        while True:
            try:
                return self._door.send(call).body
            except ClusterError as error:
                if not answers.is_passing(error):
                    raise
                tries.again("unknown", error)

    def _came_of(
        self, meaning: answers.Meaning, error: ClusterError, tries: Tries
    ) -> Written | None:
        """What came of a write to a pod; None when it has to be read and written again.

        Raises:
            RunError: it is refused for good; in a dry run, by anything but a budget without room.
        """
        if meaning == "gone":
            return Written("gone")
        for_now = meaning == "not-now" and (answers.is_full(error) or not self._dry_run)
        if for_now:
            return Written("refused", error.message)
        if meaning in ("unknown", "overtaken") and tries.again(meaning, error):
            return None
        if meaning == "overtaken" and not self._dry_run:
            return Written("refused", f"it changes all the time: {error.message}")
        raise RunError(f"{tries.what}: {error}") from error

    def _tries(self, what: str) -> Tries:
        return Tries(what, self._timing)


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


def _again(tries: Tries, error: ClusterError) -> bool:
    """Whether a write to anything but a pod is to be made anew."""
    meaning = answers.of_object(error)
    if meaning == "never":
        raise RunError(f"{tries.what}: {error}") from error
    return tries.again(meaning, error)
