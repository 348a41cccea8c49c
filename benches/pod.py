"""The text of a pod, in the shape in which a v1.36 API server lists it.

A shape depends on the workload's kind, its sidecars and the pod's state only; everything else is
a hole, so that a fleet needs some thirty shapes. Holes of a workload are bound once, those in
`POD_HOLES` for each pod.
"""

import json
from enum import StrEnum
from functools import cache

from benches.fields import managed_fields
from benches.template import Template
from benches.workload import Kind

POD_HOLES = ("suffix", "uid", "version", "node", "zone", "ip", "created", "ready")
REGISTRY = "registry.example.com"
_KRUISE = (Kind.CLONE_SET, Kind.ADVANCED_STATEFUL_SET)
_STATEFUL = (Kind.STATEFUL_SET, Kind.ADVANCED_STATEFUL_SET)


class State(StrEnum):
    """Whether a pod is ready, and if not why."""

    READY = "ready"
    CRASHING = "CrashLoopBackOff"
    PULLING = "ImagePullBackOff"


@cache
def pod_template(kind: Kind, sidecars: tuple[str, ...], state: State, *, ballast: bool) -> Template:
    """The pod of a workload; `ballast` adds `managedFields`, nearly half of a real pod's bytes."""
    pod = _pod(kind, sidecars, state)
    if ballast:
        manager = "kruise-manager" if kind in _KRUISE else "kube-controller-manager"
        # What a webhook injects is nobody's field.
        bare = _pod(kind, (), state)
        pod["metadata"] |= {
            "managedFields": managed_fields(bare, (manager, "kubelet"), "v1", "@created@")
        }
    return Template.of(pod)


def owner_reference(kind: Kind) -> dict[str, object]:
    """The controller of a pod: for a Deployment's pods its ReplicaSet."""
    owner = {Kind.DEPLOYMENT: "ReplicaSet", Kind.ADVANCED_STATEFUL_SET: "StatefulSet"}
    return {
        "apiVersion": "apps.kruise.io/v1beta1" if kind in _KRUISE else "apps/v1",
        "kind": owner.get(kind, str(kind)),
        "name": "@owner@",
        "uid": "@owner_uid@",
        "controller": True,
        "blockOwnerDeletion": True,
    }


def containers(kind: Kind) -> list[dict[str, object]]:
    """The containers of a workload's template."""
    return [
        {
            "name": "main",
            "image": f"{REGISTRY}/@workload@:@tag@",
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
            "readinessProbe": {
                "httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"},
                "timeoutSeconds": 1,
                "periodSeconds": 5,
                "successThreshold": 1,
                "failureThreshold": 3,
            },
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "Always" if kind in _KRUISE else "IfNotPresent",
        }
    ]


def sidecar_container(name: str) -> dict[str, object]:
    """The container of a SidecarSet, as the SidecarSet and the pods have it in common."""
    return {
        "name": name,
        "image": f"{REGISTRY}/{name}:1.0.0",
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }


def sidecar_hash(name: str, *, image: bool) -> str:
    """The stand-in for a SidecarSet's content hash, with or without the images."""
    return f"{'4cdx5f5zf9z9c8wv' if image else 'wf88b2bdbzfd56fc'}{name.encode().hex():0<48}"


def template_labels(sidecars: tuple[str, ...]) -> dict[str, str]:
    """The labels of a workload's template; a SidecarSet selects by the one named after it."""
    own = {"app": "@workload@", "team": "@team@", "tier": "core"}
    return own | {f"{name}.example.com/inject": "enabled" for name in sidecars}


def _pod(kind: Kind, sidecars: tuple[str, ...], state: State) -> dict[str, dict[str, object]]:
    metadata: dict[str, object] = {
        "name": "@prefix@-@suffix@",
        "generateName": "@prefix@-",
        "namespace": "@namespace@",
        "uid": "@uid@",
        "resourceVersion": "@version@",
        "generation": 1,
        "creationTimestamp": "@created@",
        "labels": dict(sorted(_labels(kind, sidecars).items())),
        "annotations": _annotations(kind, sidecars),
        "ownerReferences": [owner_reference(kind)],
    }
    return {
        "metadata": metadata,
        "spec": _spec(kind, sidecars),
        "status": _status(kind, sidecars, state),
    }


def _labels(kind: Kind, sidecars: tuple[str, ...]) -> dict[str, str]:
    labels = template_labels(sidecars) | {"topology.kubernetes.io/zone": "@zone@"}
    if kind is Kind.DEPLOYMENT:
        return labels | {"pod-template-hash": "@revision@"}
    if kind is Kind.DAEMON_SET:
        return labels | {"controller-revision-hash": "@revision@", "pod-template-generation": "1"}
    labels["controller-revision-hash"] = "@workload@-@revision@"
    if kind in _STATEFUL:
        labels["apps.kubernetes.io/pod-index"] = "@suffix@"
        labels["statefulset.kubernetes.io/pod-name"] = "@prefix@-@suffix@"
    else:
        labels["apps.kruise.io/cloneset-instance-id"] = "@suffix@"
        labels["pod-template-hash"] = "@revision@"
    if kind in _KRUISE:
        labels["lifecycle.apps.kruise.io/state"] = "Normal"
    return labels


def _annotations(kind: Kind, sidecars: tuple[str, ...]) -> dict[str, str]:
    annotations = {"config-hash": "@config@"}
    if sidecars:
        with_image = {name: _injected(name, image=True) for name in sidecars}
        without = {name: _injected(name, image=False) for name in sidecars}
        compact = (",", ":")
        annotations |= {
            "kruise.io/sidecarset-hash": json.dumps(with_image, separators=compact),
            "kruise.io/sidecarset-hash-without-image": json.dumps(without, separators=compact),
            "kruise.io/sidecarset-injected-list": ",".join(sidecars),
        }
    if kind in _KRUISE:
        annotations["lifecycle.apps.kruise.io/timestamp"] = "@ready@"
    return annotations


def _injected(name: str, *, image: bool) -> dict[str, object]:
    injected: dict[str, object] = {
        "updateTimestamp": "@created@",
        "hash": sidecar_hash(name, image=image),
        "sidecarSetName": name,
        "sidecarList": [name],
    }
    return injected | ({"controllerRevision": f"{name}-5d95d59489"} if image else {})


def _spec(kind: Kind, sidecars: tuple[str, ...]) -> dict[str, object]:
    mark = {"env": [{"name": "IS_INJECTED", "value": "true"}]}
    spec: dict[str, object] = {
        "containers": [*(sidecar_container(name) | mark for name in sidecars), *containers(kind)],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "nodeName": "@node@",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "tolerations": [_toleration("not-ready"), _toleration("unreachable")],
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }
    if kind in _STATEFUL:
        spec |= {"hostname": "@prefix@-@suffix@", "subdomain": "@workload@"}
    if kind in _KRUISE:
        gates = ("InPlaceUpdateReady", "KruisePodReady")
        spec["readinessGates"] = [{"conditionType": gate} for gate in gates]
    return spec


def _toleration(condition: str) -> dict[str, object]:
    return {
        "key": f"node.kubernetes.io/{condition}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }


def _status(kind: Kind, sidecars: tuple[str, ...], state: State) -> dict[str, object]:
    pulling = state is State.PULLING
    statuses = [_container_status(name, name, "1.0.0", State.READY) for name in sidecars]
    return {
        "phase": "Pending" if pulling else "Running",
        "conditions": [_condition(name, state) for name in _conditions(kind)],
        "podIP": "@ip@",
        "podIPs": [{"ip": "@ip@"}],
        "startTime": "@created@",
        "containerStatuses": [*statuses, _container_status("main", "@workload@", "@tag@", state)],
        "qosClass": "Burstable",
    }


def _conditions(kind: Kind) -> tuple[str, ...]:
    own = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    return own + (("InPlaceUpdateReady", "KruisePodReady") if kind in _KRUISE else ())


def _condition(name: str, state: State) -> dict[str, object]:
    condition: dict[str, object] = {
        "type": name,
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": "@created@" if name == "PodScheduled" else "@ready@",
    }
    if state is not State.READY and name in ("Ready", "ContainersReady"):
        condition |= {
            "status": "False",
            "reason": "ContainersNotReady",
            "message": "containers with unready status: [main]",
        }
    return condition


def _container_status(name: str, repository: str, tag: str, state: State) -> dict[str, object]:
    image = f"{REGISTRY}/{repository}:{tag}"
    waiting = {"waiting": {"reason": str(state), "message": f"back-off of container {name}"}}
    ready = state is State.READY
    started = state is not State.PULLING
    return {
        "name": name,
        "state": {"running": {"startedAt": "@ready@"}} if ready else waiting,
        "lastState": {},
        "ready": ready,
        "restartCount": 7 if state is State.CRASHING else 0,
        "image": image,
        "imageID": f"sha256:{image}" if started else "",
        "containerID": f"containerd://@uid@-{name}-0" if started else "",
        "started": ready,
    }
