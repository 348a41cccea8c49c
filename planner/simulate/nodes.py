"""What the scheduler, the kubelets and the webhooks do with pods."""

from collections.abc import Mapping
from functools import partial
from uuid import UUID

from planner.simulate.cluster import Cluster, digest
from planner.simulate.rules.pods import (
    IN_PLACE_GRACE,
    IN_PLACE_READY,
    LIFECYCLE_LABEL,
    REVISION_LABEL,
    TEMPLATE_HASH_LABEL,
    Object,
    annotations_of,
    container_statuses,
    images_of,
    is_leaving,
    labels_of,
    name_of,
    node_of,
    revision_of,
)
from planner.simulate.rules.selector import selects
from planner.simulate.rules.sidecarset import HASH, HASH_WITHOUT_IMAGE, INJECTED, covers
from planner.simulate.write import (
    annotated,
    api_time,
    changed,
    conditioned,
    in_grace,
    joined,
    started,
    stopped,
    with_images,
)

_GRACE_DEFAULT_S = 30


def make_pod(
    cluster: Cluster,
    owner: Object,
    template: Object,
    *,
    revision: str,
    name: str = "",
    node: str = "",
) -> Object:
    """Create a pod of a template, injected, placed, and Ready when its time has come."""
    count = str(next(cluster.numbers))
    metadata, spec = template.get("metadata") or {}, template["spec"]
    unique = digest(cluster.name, owner["metadata"]["uid"], count)
    name = name or f"{name_of(owner)}-{unique[:5]}"
    its_labels = {**(metadata.get("labels") or {})}
    if owner["kind"] == "ReplicaSet":
        its_labels[TEMPLATE_HASH_LABEL] = revision
    else:
        its_labels[REVISION_LABEL] = f"{name_of(owner)}-{revision}"
    gates = list(spec.get("readinessGates") or ())
    if owner["kind"] == "CloneSet":
        its_labels[LIFECYCLE_LABEL] = "Normal"
        if not any(gate["conditionType"] == IN_PLACE_READY for gate in gates):
            gates.append({"conditionType": IN_PLACE_READY})
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "namespace": owner["metadata"]["namespace"],
            "name": name,
            "uid": str(UUID(unique[5:37], version=4)),
            "creationTimestamp": api_time(cluster.timeline.now_ms // 1000),
            "labels": its_labels,
            "annotations": {**(metadata.get("annotations") or {})},
            "ownerReferences": [
                {
                    "kind": owner["kind"],
                    "name": name_of(owner),
                    "uid": owner["metadata"]["uid"],
                    "controller": True,
                }
            ],
        },
        "spec": {**spec, "readinessGates": gates},
        "status": {"phase": "Pending"},
    }
    pod = _injected(cluster, pod)
    if node:
        pod = changed(pod, "spec", nodeName=node)
    cluster.write_pod(pod)
    # The scheduler is behind the controllers: it sees the pod, then binds it.
    cluster.timeline.after(2 * cluster.pace.write_ms(), partial(_place, cluster, owner, pod))
    return pod


def _injected(cluster: Cluster, pod: Object) -> Object:
    """Add the containers of every SidecarSet that selects the pod (sidecarset webhook)."""
    for key, sidecar_set in cluster.objects.items():
        spec = sidecar_set["spec"]
        if key.kind != "SidecarSet" or not selects(spec.get("selector"), labels_of(pod)):
            continue
        if not covers(sidecar_set, pod["metadata"]["namespace"]):
            continue
        if (spec.get("injectionStrategy") or {}).get("paused"):
            continue
        added = list(spec.get("containers") or ())
        names = {each["name"] for each in added}
        own = [each for each in pod["spec"]["containers"] if each["name"] not in names]
        pod = changed(pod, "spec", containers=[*added, *own])
        pod = annotated(pod, _marks(pod, sidecar_set))
    return pod


def _marks(pod: Object, sidecar_set: Object) -> Mapping[str, str]:
    """The annotations that say with what a pod was injected."""
    name, hashes = name_of(sidecar_set), annotations_of(sidecar_set)
    before = annotations_of(pod)
    listed = ",".join(filter(None, (before.get(INJECTED, ""), name)))
    return {
        INJECTED: listed,
        **{
            mark: joined(before.get(mark), name, hashes.get(mark, ""))
            for mark in (HASH, HASH_WITHOUT_IMAGE)
        },
    }


def _place(cluster: Cluster, owner: Object, pod: Object) -> None:
    """Choose the node with the fewest pods; a workload that found none before finds none now."""
    live = cluster.live(pod)
    if live is None or owner["metadata"]["uid"] in cluster.unplaceable:
        return
    node = node_of(live) or min(
        (
            name
            for name, its in cluster.nodes.items()
            if name not in cluster.lost and not its["spec"].get("unschedulable")
        ),
        key=lambda name: (cluster.crowd[name], name),
        default="",
    )
    if not node:
        return
    if not node_of(live):
        cluster.write_pod(changed(live, "spec", nodeName=node))
    duration = cluster.pace.start_ms(live)
    if duration is not None:
        cluster.timeline.after(duration, partial(_start, cluster, live))


def _start(cluster: Cluster, pod: Object) -> None:
    """Every container of a new pod runs."""
    live = cluster.live(pod)
    if live is None or is_leaving(live) or node_of(live) in cluster.lost:
        return
    now = cluster.timeline.now_ms
    running: Object = changed(live, "status", phase="Running")
    for gate in live["spec"].get("readinessGates") or ():
        running = conditioned(running, gate["conditionType"], holds=True, now_ms=now)
    for container in live["spec"]["containers"]:
        running = started(running, container["name"], container["image"], now)
    cluster.write_pod(running)


def end_leaving(cluster: Cluster) -> None:
    """Pods whose deletion had begun before the beginning end in their time."""
    for pod in cluster.pods.values():
        if is_leaving(pod):
            _plan_end(cluster, pod)


def delete_pod(cluster: Cluster, pod: Object) -> None:
    """Begin to end a pod; it is gone when its time has come, never on a lost node."""
    live = cluster.live(pod)
    if live is None or is_leaving(live):
        return
    if not node_of(live):
        cluster.forget_pod(live)
        return
    now = cluster.timeline.now_ms
    leaving = changed(live, "metadata", deletionTimestamp=api_time(now // 1000))
    cluster.write_pod(leaving)
    _plan_end(cluster, live)


def _plan_end(cluster: Cluster, pod: Object) -> None:
    grace = pod["spec"].get("terminationGracePeriodSeconds")
    grace = _grace_of_owner(cluster, pod) if grace is None else grace
    duration = cluster.pace.termination_ms(pod, grace)
    cluster.timeline.after(duration, partial(_end, cluster, pod))


def _grace_of_owner(cluster: Cluster, pod: Object) -> int:
    """The log does not keep it of pods; it is the same in the template."""
    key = cluster.workload_of(pod)
    template = cluster.objects[key]["spec"]["template"] if key else {"spec": {}}
    grace: int | None = template["spec"].get("terminationGracePeriodSeconds")
    return _GRACE_DEFAULT_S if grace is None else grace


def _end(cluster: Cluster, pod: Object) -> None:
    live = cluster.live(pod)
    if live is not None and node_of(live) not in cluster.lost:
        cluster.forget_pod(live)


def change_images(
    cluster: Cluster, pod: Object, images: Mapping[str, str], *, grace_s: int = 0
) -> None:
    """Write new images into a pod, after a grace period; the containers stop and come back."""
    if grace_s:
        cluster.write_pod(in_grace(pod, images))
        cluster.timeline.after(grace_s * 1000, partial(_end_grace, cluster, pod, images))
        return
    names = [name for name, image in images.items() if images_of(pod).get(name) != image]
    now = cluster.timeline.now_ms
    if node_of(pod) in cluster.lost:
        cluster.write_pod(with_images(pod, images))
        return
    cluster.write_pod(stopped(with_images(pod, images), names, now))
    for name in names:
        duration = cluster.pace.restart_ms(pod, name, images[name])
        if duration is not None:
            event = partial(_restart, cluster, pod, name, images[name])
            cluster.timeline.after(duration, event)


def _end_grace(cluster: Cluster, pod: Object, images: Mapping[str, str]) -> None:
    live = cluster.live(pod)
    # Dropped when the revision has moved on meanwhile (finishGracePeriod).
    if live is not None and not is_leaving(live) and revision_of(live) == revision_of(pod):
        change_images(cluster, annotated(live, {IN_PLACE_GRACE: None}), images)


def _restart(cluster: Cluster, pod: Object, name: str, image: str) -> None:
    live = cluster.live(pod)
    if live is None or is_leaving(live) or node_of(live) in cluster.lost:
        return
    if images_of(live).get(name) == image and not container_statuses(live)[name]["ready"]:
        cluster.write_pod(started(live, name, image, cluster.timeline.now_ms))


def lose_node(cluster: Cluster, node: str) -> None:
    """A node is gone: its pods are not Ready any more, and nothing on it ends or starts."""
    cluster.lost.add(node)
    now = cluster.timeline.now_ms
    for pod in [pod for pod in cluster.pods.values() if node_of(pod) == node]:
        names = [each["name"] for each in pod["spec"]["containers"]]
        cluster.write_pod(stopped(pod, names, now))
