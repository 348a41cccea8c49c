"""A recorded upgrade once more: the same pods on a real API server, moved by the stand-in.

Pods are made with the names, labels, containers and status that they had when the upgrade began,
since when they were Ready and how often they had restarted included. What follows is read like the
recording, so that both are measured by the same code.
"""

from __future__ import annotations

import json
from functools import partial
from itertools import groupby
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from planner.simulate.rules.sidecarset import HASH, HASH_WITHOUT_IMAGE
from tests.agreement.operations import RESOURCES, Operation
from tests.agreement.recording import Change, Pod, Recording, Written, pod_of
from tests.agreement.taken import belongs, taken_by, ways_of
from tests.controlplane import fleet
from tests.controlplane.api import RefusedError
from tests.controlplane.plane import STAND_IN
from tests.controlplane.standin.kinds import (
    ADVANCED_STATEFUL_SET,
    CLONE_SET,
    POD,
    REVISION,
    SIDECAR_SET,
    Kind,
)
from tests.controlplane.standin.link import MERGE, Link, Server, watch
from tests.controlplane.standin.newpods import hashed
from tests.controlplane.wait import until
from tests.simulate.replay import Simulated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tests.controlplane.plane import ControlPlane

Object = dict[str, Any]
KINDS: Final[Mapping[str, Kind]] = {
    "CloneSet": CLONE_SET,
    "AdvancedStatefulSet": ADVANCED_STATEFUL_SET,
    "SidecarSet": SIDECAR_SET,
}


class Stage:
    """The pods of one upgrade on a plane whose stand-in does not run."""

    def __init__(
        self,
        plane: ControlPlane,
        operation: Operation,
        recording: Recording,
        clock: Callable[[], float],
    ) -> None:
        self._plane, self._operation, self._recording = plane, operation, recording
        self._clock = clock
        self._server = Server.of(plane.kubeconfig())
        self._link = Link(self._server)
        self._kind = KINDS[operation.kind]
        (documents,) = recording.documents_at([operation.observed_until])
        self._recorded = {
            (each["metadata"]["namespace"], each["metadata"]["name"]): each
            for each in documents.values()
            if belongs(operation, pod_of(each))
        }
        self._hashes = dict(_hashes(recording, operation))
        self._made: dict[str, Object] = {}
        self._lock = Lock()
        self._changes: list[Change] = []
        self._pods: dict[str, Pod] = {}

    def replay(self) -> Simulated:
        """Do what people did, and give what the stand-in's controllers did then."""
        spaces = {space for space, _ in self._recorded}
        for space in spaces:
            self._plane.admin.apply(*fleet.namespace(space))
        *_, first = (it for it in self._versions() if it.t < self._operation.begin)
        try:
            self._fill(first.document)
            return self._run()
        finally:
            self._plane.stop_process(STAND_IN)
            self._link.send("DELETE", self._path)
            for space in spaces:
                for kind in (POD, REVISION):
                    self._link.send("DELETE", kind.path(space), {"gracePeriodSeconds": 0})
            until("the pods are gone", lambda: not self._link.get(POD.everywhere)["items"])
            self._link.close()

    @property
    def _path(self) -> str:
        return self._kind.path(self._operation.namespace, self._operation.workload)

    def _versions(self) -> Iterator[Written]:
        """What people wrote of the workload, each generation once."""
        its = self._operation
        key = (RESOURCES[its.kind], its.namespace, its.workload)
        seen = 0
        for written in self._recording.written:
            generation = written.document["metadata"]["generation"]
            if (written.resource, written.namespace, written.name) == key and generation > seen:
                seen = generation
                yield written

    def _fill(self, workload: Object) -> None:
        """Make the workload, its history and its pods, and wait until they are as they were."""
        its = self._operation
        metadata = {"name": its.workload, "namespace": its.namespace or None}
        manifest = {
            "apiVersion": self._kind.api_version,
            "kind": self._kind.name,
            "metadata": metadata,
            "spec": _of_v1beta1(workload),
        }
        made = self._link.send("POST", self._path.rpartition("/")[0], manifest)
        owner = {} if self._kind == SIDECAR_SET else {"uid": made["metadata"]["uid"]}
        for each in self._recording.items("controllerrevisions"):
            if _owner(each).get("uid") == workload["metadata"]["uid"] and owner:
                kept = {key: each[key] for key in ("data", "revision")}
                revision = {**kept, "metadata": _metadata(each, owner)}
                self._link.send("POST", REVISION.path(its.namespace), revision)
        by_age = sorted(self._recorded.values(), key=_created)
        for _, together in groupby(by_age, key=_created):
            for pod in together:
                self._make(pod, owner)
            if self._kind != ADVANCED_STATEFUL_SET:
                # Others go by their age where nothing else is between two pods.
                until("the next second", partial(_is_past, self._clock, int(self._clock()) + 1))
        until("the pods run", self._all_run)
        for pod in self._recorded.values():
            status = {key: pod["status"][key] for key in ("conditions", "containerStatuses")}
            self._link.send("PATCH", f"{_path_of(pod)}/status", {"status": status}, MERGE)

    def _make(self, pod: Object, owner: Object) -> None:
        metadata = _metadata(pod, owner)
        text = json.dumps(metadata.get("annotations") or {})
        for recorded, here in self._hashes.items():
            text = text.replace(recorded, here)
        metadata["annotations"] = json.loads(text)
        path = POD.path(metadata["namespace"])
        made = self._link.send("POST", path, {"metadata": metadata, "spec": pod["spec"]})
        self._made[made["metadata"]["uid"]] = pod

    def _all_run(self) -> bool:
        pods = self._link.get(POD.everywhere)["items"]
        return all(pod["status"].get("containerStatuses") for pod in pods)

    def _run(self) -> Simulated:
        found = self._link.get(POD.everywhere)
        before = [self._read(pod) for pod in found["items"]]
        self._pods = {pod.uid: pod for pod in before}
        version = found["metadata"]["resourceVersion"]
        Thread(target=self._follow, args=(version,), daemon=True).start()
        if self._plane.has_process(STAND_IN):
            self._plane.start_process(STAND_IN)
        else:
            self._plane.start_stand_in()
        until("the stand-in has looked", lambda: self._link.get(self._path).get("status"))
        begin, really = self._clock(), taken_by(self._operation, self._recording)
        later = [each for each in self._versions() if each.t >= self._operation.begin]
        for written in (each for each in later if each.t < self._operation.end):
            # People looked at the pods, not at a clock.
            count = sum(each.t < written.t for each in really)
            until(f"{count} pods are taken", partial(self._has_taken, begin, count))
            change = {"spec": _of_v1beta1(written.document)}
            self._link.send("PATCH", self._path, change, MERGE)
        until("all pods have moved", lambda: self._is_over(begin, len(really)))
        return Simulated(before, self._shifted(begin))

    def _follow(self, version: str) -> None:
        try:
            for event in watch(self._server, POD.everywhere, version):
                if event["type"] != "BOOKMARK":
                    self._note(self._read(event["object"]), gone=event["type"] == "DELETED")
        except (OSError, RefusedError, ValueError):
            return

    def _note(self, pod: Pod, *, gone: bool) -> None:
        with self._lock:
            before, after = self._pods.get(pod.uid), None if gone else pod
            self._changes.append(Change(t=self._clock(), uid=pod.uid, before=before, after=after))
            if after is None:
                self._pods.pop(pod.uid, None)
            else:
                self._pods[pod.uid] = after

    def _read(self, pod: Object) -> Pod:
        """A pod, one of the recorded by the names of that."""
        recorded = self._made.get(pod["metadata"]["uid"])
        if recorded:
            known = {key: recorded["metadata"][key] for key in ("uid", "ownerReferences")}
            pod = {**pod, "metadata": {**pod["metadata"], **known}}
        return pod_of(pod)

    def _shifted(self, begin: float) -> list[Change]:
        """What happened, as if it had begun when it was recorded."""
        with self._lock:
            return [
                Change(
                    t=each.t - begin + self._operation.begin,
                    uid=each.uid,
                    before=each.before,
                    after=each.after,
                )
                for each in self._changes
            ]

    def _has_taken(self, begin: float, count: int) -> bool:
        """Whether so many pods were taken."""
        listed = [pod_of(each) for each in self._recorded.values()]
        return len(ways_of(self._operation, Simulated(listed, self._shifted(begin)))) >= count

    def _is_over(self, begin: float, count: int) -> bool:
        with self._lock:
            serving = sum(pod.serves for pod in self._pods.values())
        return serving == len(self._recorded) and self._has_taken(begin, count)


def _hashes(recording: Recording, operation: Operation) -> Iterator[tuple[str, str]]:
    """The hashes of the SidecarSet's versions: recorded, and as the stand-in computes them."""
    for written in recording.written if operation.kind == "SidecarSet" else ():
        if (written.resource, written.name) == (RESOURCES["SidecarSet"], operation.workload):
            here = hashed(written.document)["metadata"]["annotations"]
            its = written.document["metadata"]["annotations"]
            yield from ((its[mark], here[mark]) for mark in (HASH, HASH_WITHOUT_IMAGE))


def _of_v1beta1(document: Object) -> Object:
    """The spec as v1beta1 has it: v1alpha1 keeps a CloneSet's strategy flat."""
    spec = dict(document["spec"])
    if (document["kind"], document["apiVersion"]) == ("CloneSet", "apps.kruise.io/v1alpha1"):
        flat = dict(spec["updateStrategy"])
        rolling = {"podUpdatePolicy": flat.pop("type"), **flat}
        spec["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    return spec


def _metadata(thing: Object, owner: Object) -> Object:
    """What is kept of an object's metadata; `owner` has the uid that its controller has here."""
    its = thing["metadata"]
    kept = {key: its[key] for key in ("name", "namespace", "labels", "annotations") if key in its}
    if owner:
        kept["ownerReferences"] = [{**_owner(thing), **owner}]
    return kept


def _owner(thing: Object) -> Object:
    references: Iterable[Object] = thing["metadata"].get("ownerReferences") or ()
    return next(iter(references), {})


def _is_past(clock: Callable[[], float], time: float) -> bool:
    return clock() >= time


def _created(pod: Object) -> str:
    return str(pod["metadata"]["creationTimestamp"])


def _path_of(pod: Object) -> str:
    return POD.path(pod["metadata"]["namespace"], pod["metadata"]["name"])
