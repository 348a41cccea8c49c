"""Objects as the API writes them, from what is observed at a position of the log."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from planner.simulate.cluster import Contents
from planner.simulate.rules.pods import MIRROR, REVISION_LABEL, Object
from planner.simulate.rules.sidecarset import HASH, INJECTED
from planner.simulate.write import api_time

if TYPE_CHECKING:
    from planner.verify.observed import Observed
    from planner.verify.pods import Pod

KINDS: Final = {
    "deployments": "Deployment",
    "replicasets": "ReplicaSet",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "clonesets": "CloneSet",
    "advancedstatefulsets": "AdvancedStatefulSet",
    "advanceddaemonsets": "AdvancedDaemonSet",
    "sidecarsets": "SidecarSet",
    "poddisruptionbudgets": "PodDisruptionBudget",
    "podunavailablebudgets": "PodUnavailableBudget",
}


def pods_of(observed: "Observed", cluster: str) -> Iterator[Object]:
    """The pods of a cluster that have not ended, by namespace and name."""
    pods = [pod for (its, _), pod in observed.pods.items() if its == cluster and not pod.finished]
    yield from map(_api_pod, sorted(pods, key=lambda pod: (pod.namespace, pod.name)))


def documents_of(observed: "Observed", cluster: str, resource: str) -> list[Object]:
    """The objects of one resource of a cluster, by namespace and name."""
    return sorted(
        observed.documents(cluster, resource),
        key=lambda each: (each["metadata"].get("namespace", ""), each["metadata"]["name"]),
    )


def minor_of(observed: "Observed", cluster: str) -> int:
    """Minor version of a cluster's Kubernetes; 0 when it was not observed."""
    for version in observed.documents(cluster, "versions"):
        digits = "".join(filter(str.isdigit, str(version.get("minor", ""))))
        return int(digits or 0)
    return 0


def _api_pod(pod: "Pod") -> dict[str, Any]:
    owner = pod.owner
    labels = dict(pod.labels)
    if pod.revision and REVISION_LABEL not in labels and "pod-template-hash" not in labels:
        labels[REVISION_LABEL] = pod.revision
    metadata: dict[str, Any] = {
        "namespace": pod.namespace,
        "name": pod.name,
        "uid": pod.uid,
        "creationTimestamp": api_time(pod.created_s),
        "labels": labels,
        "annotations": dict(_annotations(pod.annotations)),
    }
    if pod.mirror:
        metadata["annotations"].setdefault(MIRROR, pod.uid)
    if owner is not None:
        reference = {"kind": owner.kind, "name": owner.name, "uid": owner.uid, "controller": True}
        metadata["ownerReferences"] = [reference]
    if pod.deleting:
        metadata["deletionTimestamp"] = api_time(pod.created_s)
    gates = [{"conditionType": gate} for gate in sorted(pod.readiness_gates)]
    spec: dict[str, Any] = {
        "containers": [{"name": name, "image": image} for name, image in pod.images.items()],
        "initContainers": [
            {"name": name, "image": image} for name, image in pod.init_images.items()
        ],
        "readinessGates": gates,
    }
    if pod.node:
        spec["nodeName"] = pod.node
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": spec,
        "status": _status(pod),
    }


def _annotations(annotations: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Annotations are text; the log keeps some of them read, and not the list of injected sets."""
    for key, value in annotations.items():
        yield key, value if isinstance(value, str) else json.dumps(value)
    hashes = annotations.get(HASH)
    if hashes and INJECTED not in annotations:
        names = json.loads(hashes) if isinstance(hashes, str) else hashes
        yield INJECTED, ",".join(names)


def _status(pod: "Pod") -> dict[str, Any]:
    ready = {
        "type": "Ready",
        "status": "True" if pod.ready else "False",
        "lastTransitionTime": api_time(pod.ready_since_s or pod.created_s),
    }
    gates = [
        {"type": gate, "status": "True", "lastTransitionTime": ready["lastTransitionTime"]}
        for gate in sorted(pod.readiness_gates)
    ]
    # The log does not say which container keeps a pod from being Ready: the next restart of one of
    # them is taken to mend it, as plans take it.
    started = bool(pod.node)
    statuses = [
        {
            "name": name,
            "image": image,
            "imageID": f"sha256:{image}",
            "ready": started,
            "restartCount": pod.restarts,
        }
        for name, image in pod.images.items()
    ]
    return {"phase": pod.phase, "conditions": [ready, *gates], "containerStatuses": statuses}


def contents_of(observed: "Observed", cluster: str) -> Contents:
    """Everything that a simulated cluster begins with."""
    return Contents(
        name=cluster,
        minor=minor_of(observed, cluster),
        pods=list(pods_of(observed, cluster)),
        objects={kind: documents_of(observed, cluster, name) for name, kind in KINDS.items()},
        nodes=documents_of(observed, cluster, "nodes"),
        revisions=documents_of(observed, cluster, "controllerrevisions"),
    )
