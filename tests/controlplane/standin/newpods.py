"""Pods as the controllers make them and the webhooks complete them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from planner.simulate.rules.actions import Create
from planner.simulate.rules.pods import (
    IN_PLACE_READY,
    LIFECYCLE_LABEL,
    REVISION_LABEL,
    TEMPLATE_HASH_LABEL,
    Object,
    annotations_of,
    labels_of,
    name_of,
)
from planner.simulate.rules.selector import selects
from planner.simulate.rules.sidecarset import HASH, HASH_WITHOUT_IMAGE, INJECTED, covers
from tests.controlplane.standin.kinds import (
    ADVANCED_DAEMON_SET,
    ADVANCED_STATEFUL_SET,
    CLONE_SET,
    Kind,
)
from tests.controlplane.standin.revisions import owner_reference, safe_hash

INSTANCE_LABEL: Final = "apps.kruise.io/cloneset-instance-id"
RELATED_PUB: Final = "pub.kruise.io/related-pub"
_SIDECAR_ONLY: Final = (
    "podInjectPolicy",
    "shareVolumePolicy",
    "shareVolumeDevicePolicy",
    "transferEnv",
    "upgradeStrategy",
)
_HASH_LENGTH: Final = 64


def new_pod(
    kind: Kind, workload: Object, template: Object, create: Create, instance: str
) -> dict[str, Any]:
    """The manifest of a pod.

    Args:
        kind: of the workload.
        workload: it controls the pod.
        template: of the revision that the pod gets.
        create: what the rule says.
        instance: five characters by chance, for the name of a CloneSet's or DaemonSet's pod.
    """
    name = create.name or f"{name_of(workload)}-{instance}"
    spec = json.loads(json.dumps(template["spec"]))
    revision = f"{name_of(workload)}-{create.revision}"
    labels = {**labels_of(template), REVISION_LABEL: revision}
    if kind == CLONE_SET:
        labels |= {
            TEMPLATE_HASH_LABEL: create.revision,
            INSTANCE_LABEL: instance,
            LIFECYCLE_LABEL: "Normal",
        }
        spec["readinessGates"] = _with_gate(spec.get("readinessGates") or [])
    elif kind == ADVANCED_STATEFUL_SET:
        labels |= {
            "apps.kubernetes.io/pod-index": name.rpartition("-")[2],
            "statefulset.kubernetes.io/pod-name": name,
            LIFECYCLE_LABEL: "Normal",
        }
        spec |= {"hostname": name, "subdomain": workload["spec"].get("serviceName") or ""}
    elif kind == ADVANCED_DAEMON_SET:
        labels[REVISION_LABEL] = create.revision
        spec["nodeName"] = create.node
    metadata = {
        "namespace": workload["metadata"]["namespace"],
        "name": name,
        "generateName": f"{name_of(workload)}-",
        "labels": labels,
        "annotations": {**annotations_of(template)},
        "ownerReferences": [owner_reference(kind, workload)],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _with_gate(gates: list[dict[str, str]]) -> list[dict[str, str]]:
    if any(gate["conditionType"] == IN_PLACE_READY for gate in gates):
        return gates
    return [*gates, {"conditionType": IN_PLACE_READY}]


def hashed(sidecar_set: Object) -> dict[str, Any]:
    """A SidecarSet with the hashes of its containers in its annotations (hash.go)."""
    spec = sidecar_set["spec"]
    content = {"containers": spec.get("containers") or []}
    init = spec.get("initContainers") or []
    if any(each.get("restartPolicy") == "Always" for each in init):
        content["initContainers"] = init
    blank = {
        field: [{**each, "image": ""} for each in containers]
        for field, containers in content.items()
    }
    annotations = {
        **annotations_of(sidecar_set),
        HASH: safe_hash(content, _HASH_LENGTH),
        HASH_WITHOUT_IMAGE: safe_hash(blank, _HASH_LENGTH),
    }
    metadata = {**sidecar_set["metadata"], "annotations": annotations}
    return {**sidecar_set, "metadata": metadata}


def injected(pod: dict[str, Any], sidecar_sets: Iterable[Object], time: str) -> dict[str, Any]:
    """Add the containers of every SidecarSet that selects the pod.

    Args:
        pod: a manifest.
        sidecar_sets: with their hashes.
        time: now, as the API writes it.
    """
    for sidecar_set in sidecar_sets:
        spec = sidecar_set["spec"]
        paused = (spec.get("injectionStrategy") or {}).get("paused")
        if paused or not covers(sidecar_set, pod["metadata"]["namespace"]):
            continue
        if not selects(spec.get("selector"), labels_of(pod)):
            continue
        its = pod["spec"]
        before, after = _sidecars(spec)
        names = {each["name"] for each in (*before, *after)}
        own = [each for each in its["containers"] if each["name"] not in names]
        init = [*(its.get("initContainers") or ()), *map(_plain, spec.get("initContainers") or ())]
        volumes = [*(its.get("volumes") or ()), *(spec.get("volumes") or ())]
        changes = {"containers": [*before, *own, *after], "initContainers": init}
        marks = _marks(pod, sidecar_set, sorted(names), time)
        metadata = {**pod["metadata"], "annotations": {**annotations_of(pod), **marks}}
        pod = {**pod, "metadata": metadata, "spec": {**its, **changes, "volumes": volumes}}
    return pod


def _sidecars(spec: Object) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    before: list[dict[str, Any]] = []
    after: list[dict[str, Any]] = []
    for each in spec.get("containers") or ():
        place = after if each.get("podInjectPolicy") == "AfterAppContainer" else before
        place.append(_plain(each))
    return before, after


def _plain(container: Object) -> dict[str, Any]:
    """A container without what only SidecarSets know, and marked."""
    kept = {field: value for field, value in container.items() if field not in _SIDECAR_ONLY}
    env = [*(container.get("env") or ()), {"name": "IS_INJECTED", "value": "true"}]
    return {**kept, "env": env}


def _marks(pod: Object, sidecar_set: Object, containers: list[str], time: str) -> Mapping[str, str]:
    name, hashes, before = name_of(sidecar_set), annotations_of(sidecar_set), annotations_of(pod)
    listed = ",".join(filter(None, (before.get(INJECTED, ""), name)))
    return {
        INJECTED: listed,
        **{
            mark: with_hash(before.get(mark), name, hashes[mark], containers, time)
            for mark in (HASH, HASH_WITHOUT_IMAGE)
        },
    }


def with_hash(text: str | None, name: str, hash_: str, containers: list[str], time: str) -> str:
    """Put the hash of a SidecarSet into an annotation that keeps one for each set (util.go)."""
    entry = {
        "updateTimestamp": time,
        "hash": hash_,
        "sidecarSetName": name,
        "sidecarList": containers,
    }
    return json.dumps({**json.loads(text or "{}"), name: entry})
