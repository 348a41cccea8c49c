"""The controllers of a simulated cluster: ask the rules, do what they say.

Every controller does one pass at a time and makes its writes one after the other; what changes
meanwhile it sees in its next pass.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from planner.simulate.cluster import Cluster, Key, PodName, owner_uid
from planner.simulate.nodes import change_images, delete_pod, make_pod
from planner.simulate.rules import (
    advancedstatefulset,
    cloneset,
    daemonset,
    deployment,
    sidecarset,
    statefulset,
)
from planner.simulate.rules.actions import (
    Action,
    Create,
    CreateReplicaSet,
    Delete,
    Finish,
    Label,
    Revisions,
    Scale,
    UpdateInPlace,
    UpdateSidecars,
)
from planner.simulate.rules.pods import (
    TEMPLATE_HASH_LABEL,
    Object,
    is_ready,
    name_of,
    ready_since,
)
from planner.simulate.write import (
    annotated,
    api_time,
    changed,
    labelled,
    sidecars_begun,
    update_begun,
    update_finished,
)

_AT_ONCE: Final = (Delete, Create)
"""Writes that the controller of a ReplicaSet makes by parallel calls."""


class Controllers:
    """Runs the controllers of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._busy: set[Key] = set()
        self._timers: set[tuple[Key, int]] = set()

    def settle(self) -> None:
        """Let every controller act that has something to look at and is not in the middle."""
        cluster = self._cluster
        while due := sorted(key for key in cluster.dirty if key not in self._busy):
            for key in due:
                cluster.dirty.pop(key, None)
                self._sync(key)

    def _sync(self, key: Key) -> None:
        actions = next_actions(self._cluster, key)
        self._wake_when_available(key)
        write_ms = self._cluster.pace.write_ms()
        if write_ms == 0 or len(actions) <= 1 or key.kind == "ReplicaSet":
            for action in actions:
                apply(self._cluster, key, action)
            if not write_ms or not actions:
                return
        else:
            for number, action in enumerate(actions):
                event = partial(apply, self._cluster, key, action)
                self._cluster.timeline.after(number * write_ms, event)
        self._busy.add(key)
        rest = write_ms if key.kind == "ReplicaSet" else write_ms * len(actions)
        self._cluster.timeline.after(rest, partial(self._busy.discard, key))

    def _wake_when_available(self, key: Key) -> None:
        """Availability comes with time and without an event."""
        workload = self._cluster.objects.get(key)
        wait_s = min_ready_of(workload) if workload else 0
        if not wait_s or workload is None:
            return
        for pod in _all_pods(self._cluster, key, workload):
            due_ms = (ready_since(pod) + wait_s) * 1000
            timer = (key, due_ms)
            if (
                is_ready(pod)
                and due_ms > self._cluster.timeline.now_ms
                and timer not in self._timers
            ):
                self._timers.add(timer)
                wait = due_ms - self._cluster.timeline.now_ms
                self._cluster.timeline.after(wait, partial(self._wake, timer))

    def _wake(self, timer: tuple[Key, int]) -> None:
        self._timers.discard(timer)
        self._cluster.dirty[timer[0]] = None


def min_ready_of(workload: Object) -> int:
    """`minReadySeconds`, wherever the kind keeps it."""
    spec = workload["spec"]
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    return int(spec.get("minReadySeconds") or rolling.get("minReadySeconds") or 0)


def _all_pods(cluster: Cluster, key: Key, workload: Object) -> list[Object]:
    if key.kind != "Deployment":
        return cluster.pods_of(workload)
    return [pod for each in cluster.replica_sets_of(workload) for pod in cluster.pods_of(each)]


def next_actions(cluster: Cluster, key: Key) -> Sequence[Action]:
    """What the controller of an object does next."""
    document = cluster.objects.get(key)
    rule = _RULES.get(key.kind)
    return [] if document is None or rule is None else rule(cluster, document)


def _revisions(cluster: Cluster, workload: Object) -> Revisions:
    update = cluster.update_revision(workload)
    return Revisions(
        current=cluster.current_revision(workload),
        update=update,
        templates=cluster.history_of(workload),
    )


def _clone_set(cluster: Cluster, document: Object) -> Sequence[Action]:
    pods, revisions = cluster.pods_of(document), _revisions(cluster, document)
    return cloneset.sync(document, pods, revisions, now=cluster.now)


def _stateful_set(cluster: Cluster, document: Object) -> Sequence[Action]:
    pods, revisions = cluster.pods_of(document), _revisions(cluster, document)
    return statefulset.sync(document, pods, revisions, minor=cluster.minor, now=cluster.now)


def _advanced_stateful_set(cluster: Cluster, document: Object) -> Sequence[Action]:
    pods, revisions = cluster.pods_of(document), _revisions(cluster, document)
    return advancedstatefulset.sync(document, pods, revisions, now=cluster.now)


def _daemon_set(cluster: Cluster, document: Object) -> Sequence[Action]:
    pods, nodes = cluster.pods_of(document), cluster.matching_nodes(document)
    return daemonset.sync(document, pods, nodes, _revisions(cluster, document), now=cluster.now)


def _deployment(cluster: Cluster, document: Object) -> Sequence[Action]:
    sets = cluster.replica_sets_of(document)
    pods = {name_of(each): cluster.pods_of(each) for each in sets}
    return deployment.sync(document, sets, pods, now=cluster.now)


def _replica_set(cluster: Cluster, document: Object) -> Sequence[Action]:
    owner = owner_uid(document)
    siblings = cluster.replica_sets_owned(owner) if owner else [document]
    related = [pod for each in siblings for pod in cluster.pods_of(each)]
    pods = cluster.pods_of(document)
    return deployment.sync_replica_set(document, pods, related, now=cluster.now)


def _sidecar_set(cluster: Cluster, document: Object) -> Sequence[Action]:
    if cluster.waiting_for(document):
        return sidecarset.sync(document, cluster.injected_with(name_of(document)))
    cluster.quiet.add(Key("SidecarSet", "", name_of(document)))
    return []


_RULES: Final[dict[str, Callable[[Cluster, Object], Sequence[Action]]]] = {
    "CloneSet": _clone_set,
    "StatefulSet": _stateful_set,
    "AdvancedStatefulSet": _advanced_stateful_set,
    "DaemonSet": _daemon_set,
    "AdvancedDaemonSet": _daemon_set,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "SidecarSet": _sidecar_set,
}


def apply(cluster: Cluster, key: Key, action: Action) -> None:
    """Do what a rule says; what is gone meanwhile is passed over, as a 404 is."""
    owner = cluster.objects.get(key)
    if owner is None:
        return
    match action:
        case Create():
            _create(cluster, owner, action)
        case CreateReplicaSet():
            _create_replica_set(cluster, owner, action)
        case Scale():
            replica_set = cluster.objects[Key("ReplicaSet", key.namespace, action.replica_set)]
            noted = annotated(replica_set, {deployment.MAX_REPLICAS: str(action.max_replicas)})
            cluster.write("ReplicaSet", changed(noted, "spec", replicas=action.replicas))
        case _:
            namespace = action.namespace if isinstance(action, UpdateSidecars) else key.namespace
            pod = cluster.pods.get(PodName(namespace, action.pod))
            if pod is not None:
                _apply_to_pod(cluster, owner, pod, action)


def _apply_to_pod(
    cluster: Cluster,
    owner: Object,
    pod: Object,
    action: Delete | UpdateInPlace | Finish | Label | UpdateSidecars,
) -> None:
    now = cluster.timeline.now_ms
    match action:
        case Delete():
            delete_pod(cluster, pod)
        case UpdateInPlace():
            begun = update_begun(pod, name_of(owner), action.revision, action.images, now)
            change_images(cluster, begun, action.images, grace_s=action.grace_s)
        case Finish():
            cluster.write_pod(update_finished(pod, now))
        case Label():
            cluster.write_pod(labelled(pod, action.labels))
        case UpdateSidecars():
            begun = sidecars_begun(pod, action.sidecar_set, action.hash, action.images)
            change_images(cluster, begun, action.images)


def _create(cluster: Cluster, owner: Object, action: Create) -> None:
    history = cluster.history_of(owner)
    template = history.get(action.revision, owner["spec"]["template"])
    if action.name and PodName(owner["metadata"]["namespace"], action.name) in cluster.pods:
        return
    make_pod(cluster, owner, template, revision=action.revision, name=action.name, node=action.node)


def _create_replica_set(cluster: Cluster, owner: Object, action: CreateReplicaSet) -> None:
    revision = cluster.update_revision(owner)
    template = owner["spec"]["template"]
    metadata = template.get("metadata") or {}
    its_labels = {**(metadata.get("labels") or {}), TEMPLATE_HASH_LABEL: revision}
    reference = {
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    replica_set = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "namespace": owner["metadata"]["namespace"],
            "name": f"{name_of(owner)}-{revision}",
            "uid": f"{owner['metadata']['uid']}/{revision}",
            "creationTimestamp": api_time(cluster.timeline.now_ms // 1000),
            "labels": its_labels,
            "annotations": {deployment.MAX_REPLICAS: str(action.max_replicas)},
            "ownerReferences": [reference],
        },
        "spec": {
            "replicas": action.replicas,
            "selector": {"matchLabels": its_labels},
            "template": {**template, "metadata": {**metadata, "labels": its_labels}},
        },
    }
    cluster.write("ReplicaSet", replica_set)
