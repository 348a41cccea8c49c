"""One simulated cluster: its objects, and who is told when one of them changes."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, NamedTuple

from planner.simulate.pace import Pace
from planner.simulate.rules.inplace import same_template
from planner.simulate.rules.pods import (
    Object,
    annotations_of,
    is_active,
    labels_of,
    name_of,
    node_of,
    revision_of,
)
from planner.simulate.rules.sidecarset import INJECTED, is_waited_for
from planner.simulate.timeline import Timeline

DAEMONS: Final = ("DaemonSet", "AdvancedDaemonSet")
"""Kinds whose pods belong to nodes."""


class Key(NamedTuple):
    """Names an object; `kind` is AdvancedStatefulSet and AdvancedDaemonSet for OpenKruise's own."""

    kind: str
    namespace: str
    name: str


class PodName(NamedTuple):
    """Names a pod of a cluster."""

    namespace: str
    name: str


Watcher = Callable[[Object | None, Object | None], None]
"""Gets a pod before and after a change; None when it was not there, or is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a cluster begins with."""

    name: str
    minor: int
    pods: Iterable[Object]
    objects: Mapping[str, Iterable[Object]]
    """Workloads, ReplicaSets and SidecarSets by kind."""
    nodes: Iterable[Object]
    revisions: Iterable[Object] = ()
    """ControllerRevisions."""


class Cluster:
    """The objects of a cluster. Pods are replaced by every write, never changed."""

    def __init__(self, contents: Contents, timeline: Timeline, pace: Pace) -> None:
        self.name = contents.name
        self.minor = contents.minor
        self.timeline = timeline
        self.pace = pace
        self.nodes = {name_of(node): node for node in contents.nodes}
        self.lost: set[str] = set()
        self.pods: dict[PodName, Object] = {}
        self.by_uid: dict[str, PodName] = {}
        self.objects: dict[Key, Object] = {}
        self.dirty: dict[Key, None] = {}
        self.quiet: set[Key] = set()
        self.watchers: list[Watcher] = []
        self.crowd: Counter[str] = Counter()
        self.numbers = count(1)
        self._names: dict[str, dict[PodName, None]] = {}
        self._owner: dict[str, Key] = {}
        self._replica_sets: dict[str, dict[Key, None]] = {}
        self._injected: dict[str, dict[PodName, None]] = {}
        self._waiting: dict[str, tuple[Object, set[PodName]]] = {}
        self._stale: dict[str, set[PodName]] = {}
        """Pods whose metadata changed since somebody asked whether their SidecarSet waits."""
        self._histories: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._current: dict[str, str] = {}
        self._update: dict[str, tuple[Mapping[str, Any], str]] = {}
        self._daemon_nodes: dict[str, dict[str, None]] = {}
        for kind, documents in contents.objects.items():
            for document in documents:
                self.write(kind, document)
                self._note_revision(document)
        for revision in contents.revisions:
            self._note_history(revision)
        for pod in contents.pods:
            self.write_pod(pod)
        self.unplaceable = {
            owner_uid(pod) for pod in self.pods.values() if is_active(pod) and not node_of(pod)
        }
        self.dirty.clear()

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.timeline.now_ms / 1000

    def write(self, kind: str, document: Object) -> None:
        """Create or replace a workload, ReplicaSet or SidecarSet."""
        key = Key(kind, document["metadata"].get("namespace", ""), name_of(document))
        self.objects[key] = document
        self.quiet.discard(key)
        self._owner[document["metadata"]["uid"]] = key
        if kind == "ReplicaSet":
            self._replica_sets.setdefault(owner_uid(document), {})[key] = None
        self._touch(document["metadata"]["uid"])

    def write_pod(self, pod: Object) -> None:
        """Create or replace a pod."""
        name = PodName(pod["metadata"]["namespace"], name_of(pod))
        before = self.pods.get(name)
        if before is not None and before["metadata"]["uid"] != pod["metadata"]["uid"]:
            self.forget_pod(before)
            before = None
        self.pods[name] = pod
        if before is None:
            self.by_uid[pod["metadata"]["uid"]] = name
            self._names.setdefault(owner_uid(pod), {})[name] = None
            for sidecar_set in filter(None, annotations_of(pod).get(INJECTED, "").split(",")):
                self._injected.setdefault(sidecar_set, {})[name] = None
        if node_of(pod) and (before is None or not node_of(before)):
            self.crowd[node_of(pod)] += 1
        self._told(before, pod)

    def forget_pod(self, pod: Object) -> None:
        """A pod is gone."""
        name = PodName(pod["metadata"]["namespace"], name_of(pod))
        self.pods.pop(name)
        self.by_uid.pop(pod["metadata"]["uid"])
        self._names[owner_uid(pod)].pop(name)
        for names in self._injected.values():
            names.pop(name, None)
        self.crowd[node_of(pod)] -= 1
        self._told(pod, None)

    def _told(self, before: Object | None, after: Object | None) -> None:
        pod = after or before
        assert pod is not None  # a change is of something
        self._touch(owner_uid(pod))
        same_metadata = before and after and before["metadata"] is after["metadata"]
        for sidecar_set in filter(None, annotations_of(pod).get(INJECTED, "").split(",")):
            if not same_metadata:
                name = PodName(pod["metadata"]["namespace"], name_of(pod))
                self._stale.setdefault(sidecar_set, set()).add(name)
            key = Key("SidecarSet", "", sidecar_set)
            if key in self.objects and not (same_metadata and key in self.quiet):
                self.quiet.discard(key)
                self.dirty[key] = None
        for watcher in self.watchers:
            watcher(before, after)

    def _touch(self, uid: str) -> None:
        """Whoever has to look again: the controller of the object, and that of its owner."""
        while key := self._owner.get(uid):
            self.dirty[key] = None
            uid = owner_uid(self.objects[key])

    def live(self, pod: Object) -> Object | None:
        """The pod as it is now; None when it is gone or another has its name."""
        found = self.pods.get(PodName(pod["metadata"]["namespace"], name_of(pod)))
        same = found is not None and found["metadata"]["uid"] == pod["metadata"]["uid"]
        return found if same else None

    def pods_of(self, owner: Object) -> list[Object]:
        """The pods that an object controls."""
        return [self.pods[name] for name in self._names.get(owner["metadata"]["uid"], ())]

    def injected_with(self, sidecar_set: str) -> list[Object]:
        """The pods that have the containers of a SidecarSet."""
        return [self.pods[name] for name in self._injected.get(sidecar_set, ())]

    def waiting_for(self, sidecar_set: Object) -> bool:
        """Whether any pod waits for a SidecarSet, at once or later."""
        name = name_of(sidecar_set)
        document, waiting = self._waiting.get(name, (None, set()))
        stale = self._stale.pop(name, set())
        if document is not sidecar_set:
            waiting.clear()
            stale = set(self._injected.get(name, ()))
        for each in stale:
            pod = self.pods.get(each)
            if pod is not None and is_waited_for(sidecar_set, pod):
                waiting.add(each)
            else:
                waiting.discard(each)
        self._waiting[name] = sidecar_set, waiting
        return bool(waiting)

    def replica_sets_of(self, deployment: Object) -> list[Object]:
        """The ReplicaSets that a Deployment controls."""
        return self.replica_sets_owned(deployment["metadata"]["uid"])

    def replica_sets_owned(self, uid: str) -> list[Object]:
        """The ReplicaSets of an owner."""
        return [self.objects[key] for key in self._replica_sets.get(uid, ())]

    def workload_of(self, pod: Object) -> Key | None:
        """The workload of a pod: its owner, or the Deployment of its ReplicaSet."""
        key = self._owner.get(owner_uid(pod))
        if key is not None and key.kind == "ReplicaSet":
            return self._owner.get(owner_uid(self.objects[key]), key)
        return key

    def history_of(self, workload: Object) -> Mapping[str, Mapping[str, Any]]:
        """Templates of a workload by the hash of their revision."""
        return self._histories.get(workload["metadata"]["uid"], {})

    def update_revision(self, workload: Object) -> str:
        """The hash of the revision of the workload's template; a new one gets a new hash."""
        uid, template = workload["metadata"]["uid"], workload["spec"]["template"]
        known = self._update.get(uid)
        if known is not None and known[0] is template:
            return known[1]
        history = self._histories.setdefault(uid, {})
        same = (name for name, its in history.items() if same_template(its, template))
        # Not a digest of the template: that is redacted with the salt of its log.
        revision = next(same, None) or digest(uid, str(len(history)))[:10]
        history[revision] = template
        self._update[uid] = (template, revision)
        return revision

    def current_revision(self, workload: Object) -> str:
        """The hash of the revision that the workload comes from.

        It becomes the update revision when every pod is there (updateStatus of the controllers).
        """
        uid, update = workload["metadata"]["uid"], self.update_revision(workload)
        pods = self.pods_of(workload)
        if uid not in self._current or all(revision_of(pod) == update for pod in pods):
            self._current[uid] = update
        return self._current[uid]

    def _note_revision(self, workload: Object) -> None:
        """What a workload's own status tells of its revisions; an old status tells nothing."""
        status, uid = workload.get("status") or {}, workload["metadata"]["uid"]
        current = str(status.get("currentRevision") or "").rpartition("-")[2]
        if current:
            self._current[uid] = current
        told = status.get("updateRevision") or status.get("daemonSetHash") or ""
        up_to_date = status.get("observedGeneration", 0) >= workload["metadata"].get(
            "generation", 0
        )
        if told and up_to_date:
            history = self._histories.setdefault(uid, {})
            history[str(told).rpartition("-")[2]] = workload["spec"]["template"]

    def _note_history(self, revision: Object) -> None:
        template = ((revision.get("data") or {}).get("spec") or {}).get("template")
        if template is not None:
            history = self._histories.setdefault(owner_uid(revision), {})
            history.setdefault(name_of(revision).rpartition("-")[2], template)

    def matching_nodes(self, daemon_set: Object) -> list[Object]:
        """The nodes that have, or had, a pod of a DaemonSet: where it should run."""
        uid = daemon_set["metadata"]["uid"]
        if uid not in self._daemon_nodes:
            self._daemon_nodes[uid] = {node_of(pod): None for pod in self.pods_of(daemon_set)}
        return [self.nodes[name] for name in self._daemon_nodes[uid] if name in self.nodes]


def owner_uid(thing: Object) -> str:
    """The uid of an object's controller, empty when it has none."""
    owners = thing["metadata"].get("ownerReferences") or ()
    return next((each["uid"] for each in owners if each.get("controller")), "")


def digest(*texts: str) -> str:
    """Hexadecimal characters that follow from texts; for names and uids that look like chance."""
    return hashlib.sha256("/".join(texts).encode()).hexdigest()


def zone_of(node: Object) -> str:
    """The zone in a node's labels."""
    return labels_of(node).get("topology.kubernetes.io/zone", "")
