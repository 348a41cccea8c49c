"""What a running pod is told, as patches of one version of it: who wrote meanwhile wins."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from planner.simulate.rules.actions import UpdateInPlace, UpdateSidecars
from planner.simulate.rules.pods import (
    IN_PLACE_GRACE,
    IN_PLACE_READY,
    IN_PLACE_STATE,
    LIFECYCLE_LABEL,
    REVISION_LABEL,
    TEMPLATE_HASH_LABEL,
    Object,
    annotations_of,
    condition,
    container_statuses,
    labels_of,
    lifecycle_state,
    revision_of,
    seconds,
)
from planner.simulate.rules.sidecarset import HASH, UPDATE_STATE
from tests.controlplane.standin.newpods import with_hash

LIFECYCLE_TIME: Final = "lifecycle.apps.kruise.io/timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A strategic merge patch; `status` when it is of the status."""

    change: Mapping[str, Any]
    status: bool = False


def begin_update(pod: Object, workload: str, action: UpdateInPlace, time: str) -> Iterator[Patch]:
    """Take a pod out of service, then write revision and images (inplace_update.go, Update)."""
    if condition(pod, IN_PLACE_READY) is not None:
        yield _gate(time, "False", "StartInPlaceUpdate")
    revision = f"{workload}-{action.revision}"
    state = {"revision": revision, "updateTimestamp": time, "updateImages": True}
    labels: dict[str, str] = {REVISION_LABEL: revision}
    annotations: dict[str, str | None] = {}
    if TEMPLATE_HASH_LABEL in labels_of(pod):
        labels[TEMPLATE_HASH_LABEL] = action.revision
    elif "-" not in labels_of(pod).get(REVISION_LABEL, ""):
        labels[REVISION_LABEL] = action.revision
    if lifecycle_state(pod):
        labels[LIFECYCLE_LABEL] = "Updating"
        annotations[LIFECYCLE_TIME] = time
    if action.grace_s:
        grace = {
            "revision": revision,
            "containerImages": action.images,
            "graceSeconds": action.grace_s,
        }
        annotations[IN_PLACE_GRACE] = json.dumps(grace)
        annotations[IN_PLACE_STATE] = json.dumps({**state, "lastContainerStatuses": None})
        yield Patch(change={"metadata": {"labels": labels, "annotations": annotations}})
        return
    annotations[IN_PLACE_STATE] = json.dumps(_with_statuses(pod, state, action.images))
    metadata = {"labels": labels, "annotations": annotations}
    yield Patch(change={"metadata": metadata, "spec": _images(action.images)})


def _gate(time: str, status: str, reason: str) -> Patch:
    """The gate, and Ready with it when it shuts; the kubelet opens Ready again."""
    its = {"type": IN_PLACE_READY, "status": status, "reason": reason, "lastTransitionTime": time}
    conditions = [its]
    if status == "False":
        ready = {"type": "Ready", "status": status, "lastTransitionTime": time}
        conditions.append({**ready, "reason": "ReadinessGatesNotReady"})
    return Patch(change={"status": {"conditions": conditions}}, status=True)


def _with_statuses(
    pod: Object, state: Mapping[str, Any], images: Mapping[str, str]
) -> dict[str, Any]:
    return {**state, "lastContainerStatuses": _image_ids(pod, images)}


def _image_ids(pod: Object, images: Mapping[str, str]) -> dict[str, dict[str, str]]:
    statuses = container_statuses(pod)
    return {name: {"imageID": statuses.get(name, {}).get("imageID", "")} for name in images}


def _images(images: Mapping[str, str]) -> dict[str, Any]:
    return {"containers": [{"name": name, "image": image} for name, image in images.items()]}


def grace_left_s(pod: Object, now: float) -> float | None:
    """Seconds to the end of a grace period, None when there is none."""
    text = annotations_of(pod).get(IN_PLACE_GRACE)
    if not text:
        return None
    state = json.loads(annotations_of(pod).get(IN_PLACE_STATE, "{}"))
    begun = seconds(state.get("updateTimestamp", ""))
    left: float = begun + json.loads(text).get("graceSeconds", 0) - now
    return left


def end_grace(pod: Object) -> Iterator[Patch]:
    """Write the images that were kept, unless the revision has moved on (finishGracePeriod)."""
    kept = json.loads(annotations_of(pod)[IN_PLACE_GRACE])
    annotations: dict[str, str | None] = {IN_PLACE_GRACE: None}
    if kept["revision"].rpartition("-")[2] != revision_of(pod):
        yield Patch(change={"metadata": {"annotations": annotations}})
        return
    images = kept["containerImages"]
    state = json.loads(annotations_of(pod)[IN_PLACE_STATE])
    annotations[IN_PLACE_STATE] = json.dumps(_with_statuses(pod, state, images))
    yield Patch(change={"metadata": {"annotations": annotations}, "spec": _images(images)})


def finish_update(pod: Object, time: str) -> Iterator[Patch]:
    """Give a pod back to service."""
    if condition(pod, IN_PLACE_READY) is not None:
        yield _gate(time, "True", "")
    if lifecycle_state(pod):
        metadata = {
            "labels": {LIFECYCLE_LABEL: "Normal"},
            "annotations": {LIFECYCLE_TIME: time},
        }
        yield Patch(change={"metadata": metadata})


def label(labels: Mapping[str, str | None], time: str) -> Iterator[Patch]:
    """Set labels; None takes one away."""
    metadata: dict[str, Any] = {"labels": dict(labels)}
    if LIFECYCLE_LABEL in labels:
        metadata["annotations"] = {LIFECYCLE_TIME: time}
    yield Patch(change={"metadata": metadata})


def update_sidecars(pod: Object, action: UpdateSidecars, time: str) -> Iterator[Patch]:
    """Write the images of a SidecarSet, its hash, and what ran before (updatePodSidecarAndHash)."""
    annotations, name = annotations_of(pod), action.sidecar_set
    hashes = with_hash(annotations.get(HASH), name, action.hash, sorted(action.images), time)
    states = json.loads(annotations.get(UPDATE_STATE, "{}"))
    states[name] = {
        "revision": action.hash,
        "updateTimestamp": time,
        "lastContainerStatuses": _image_ids(pod, action.images),
    }
    written = {HASH: hashes, UPDATE_STATE: json.dumps(states)}
    yield Patch(change={"metadata": {"annotations": written}, "spec": _images(action.images)})
