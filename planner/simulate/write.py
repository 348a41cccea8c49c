"""Objects with something changed: what writes make of a pod. Nothing is changed in place."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from planner.simulate.rules.pods import (
    IN_PLACE_GRACE,
    IN_PLACE_READY,
    IN_PLACE_STATE,
    LIFECYCLE_LABEL,
    REVISION_LABEL,
    Object,
    annotations_of,
    condition,
    container_statuses,
    is_true,
    labels_of,
    lifecycle_state,
)
from planner.simulate.rules.sidecarset import HASH, UPDATE_STATE


@lru_cache(maxsize=4096)
def api_time(seconds: int) -> str:
    """Write seconds since the epoch as the API does."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def changed(thing: Object, part: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- any JSON
    """Replace fields of `metadata`, `spec` or `status`."""
    return {**thing, part: {**thing[part], **fields}}


def labelled(pod: Object, labels: Mapping[str, str | None]) -> dict[str, Any]:
    """Set labels; None takes one away."""
    merged = {**labels_of(pod), **labels}
    return changed(
        pod, "metadata", labels={key: text for key, text in merged.items() if text is not None}
    )


def annotated(pod: Object, annotations: Mapping[str, str | None]) -> dict[str, Any]:
    """Set annotations; None takes one away."""
    merged = {**annotations_of(pod), **annotations}
    kept = {key: text for key, text in merged.items() if text is not None}
    return changed(pod, "metadata", annotations=kept)


def joined(text: str | None, sidecar_set: str, value: str) -> str:
    """Put the hash of a SidecarSet into an annotation that keeps one for each set."""
    return json.dumps({**json.loads(text or "{}"), sidecar_set: {"hash": value}})


def conditioned(pod: Object, kind: str, *, holds: bool, now_ms: int) -> dict[str, Any]:
    """Set a condition; its time changes only when it does."""
    status = "True" if holds else "False"
    before = condition(pod, kind)
    if before is not None and before["status"] == status:
        return dict(pod)
    others = [each for each in pod["status"].get("conditions") or () if each["type"] != kind]
    its = {"type": kind, "status": status, "lastTransitionTime": api_time(now_ms // 1000)}
    return changed(pod, "status", conditions=[*others, its])


def judged(pod: Object, now_ms: int) -> dict[str, Any]:
    """Set Ready as the kubelet does: every container ready and every readiness gate True."""
    statuses = container_statuses(pod)
    containers = pod["spec"]["containers"]
    up = all(statuses.get(each["name"], {}).get("ready") for each in containers)
    gates = pod["spec"].get("readinessGates") or ()
    holds = up and all(is_true(pod, gate["conditionType"]) for gate in gates)
    return conditioned(pod, "Ready", holds=holds, now_ms=now_ms)


def with_images(pod: Object, images: Mapping[str, str]) -> dict[str, Any]:
    """Change images in the spec."""
    containers = [
        {**each, "image": images.get(each["name"], each["image"])}
        for each in pod["spec"]["containers"]
    ]
    return changed(pod, "spec", containers=containers)


def stopped(pod: Object, names: Iterable[str], now_ms: int) -> dict[str, Any]:
    """Containers are down; their status still tells the old image."""
    return judged(_with_statuses(pod, {name: {"ready": False} for name in names}), now_ms)


def started(pod: Object, name: str, image: str, now_ms: int) -> dict[str, Any]:
    """A container runs an image and is ready."""
    restarts = container_statuses(pod).get(name, {}).get("restartCount")
    its = {
        "image": image,
        "imageID": f"sha256:{image}",
        "ready": True,
        "restartCount": 0 if restarts is None else restarts + 1,
    }
    return judged(changed(_with_statuses(pod, {name: its}), "status", phase="Running"), now_ms)


def _with_statuses(pod: Object, changes: Mapping[str, Mapping[str, object]]) -> dict[str, Any]:
    statuses = {name: dict(status) for name, status in container_statuses(pod).items()}
    for name, change in changes.items():
        statuses[name] = {"name": name, **statuses.get(name, {}), **change}
    return changed(pod, "status", containerStatuses=list(statuses.values()))


def update_begun(
    pod: Object, workload: str, revision: str, images: Mapping[str, str], now_ms: int
) -> dict[str, Any]:
    """Take a pod out of service for an in-place update, and write down what it was before.

    Source: openkruise/kruise pkg/util/inplaceupdate/inplace_update.go, updatePodInPlace.
    """
    statuses = container_statuses(pod)
    before = {name: {"imageID": statuses.get(name, {}).get("imageID", "")} for name in images}
    state = {"revision": f"{workload}-{revision}", "lastContainerStatuses": before}
    labels = {REVISION_LABEL: f"{workload}-{revision}"}
    if lifecycle_state(pod):
        labels[LIFECYCLE_LABEL] = "Updating"
    begun = annotated(labelled(pod, labels), {IN_PLACE_STATE: json.dumps(state)})
    if condition(pod, IN_PLACE_READY) is not None:
        begun = conditioned(begun, IN_PLACE_READY, holds=False, now_ms=now_ms)
    return judged(begun, now_ms)


def in_grace(pod: Object, images: Mapping[str, str]) -> dict[str, Any]:
    """Keep the new images for later."""
    return annotated(pod, {IN_PLACE_GRACE: json.dumps(images)})


def update_finished(pod: Object, now_ms: int) -> dict[str, Any]:
    """Give a pod back to service after an in-place update."""
    finished: Object = pod
    if lifecycle_state(pod):
        finished = labelled(pod, {LIFECYCLE_LABEL: "Normal"})
    if condition(pod, IN_PLACE_READY) is not None:
        finished = conditioned(finished, IN_PLACE_READY, holds=True, now_ms=now_ms)
    return judged(finished, now_ms)


def sidecars_begun(
    pod: Object, sidecar_set: str, hash_: str, images: Mapping[str, str]
) -> dict[str, Any]:
    """Write the hash of a SidecarSet and what its containers were before.

    Source: openkruise/kruise pkg/control/sidecarcontrol, UpdatePodAnnotationsInUpgrade.
    """
    statuses = container_statuses(pod)
    before = {name: {"imageID": statuses.get(name, {}).get("imageID", "")} for name in images}
    annotations = annotations_of(pod)
    hashes = joined(annotations.get(HASH), sidecar_set, hash_)
    states = json.loads(annotations.get(UPDATE_STATE, "{}"))
    states[sidecar_set] = {"revision": hash_, "lastContainerStatuses": before}
    return annotated(pod, {HASH: hashes, UPDATE_STATE: json.dumps(states)})
