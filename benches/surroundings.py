"""The text of what is around the workloads: nodes, namespaces, budgets, SidecarSets, version."""

import json
from functools import cache

from benches.controller import CREATED
from benches.fields import managed_fields
from benches.layout import PODS_PER_NODE_MAX
from benches.pod import sidecar_container, sidecar_hash
from benches.template import Template
from benches.workload import Budget

KRUISE_POLICY = "policy.kruise.io/v1alpha1"
KRUISE_APPS = "apps.kruise.io/v1alpha1"


def version() -> bytes:
    """The answer of `/version`."""
    minor = {"minor": "36", "emulationMinor": "36", "minCompatibilityMinor": "35"}
    major = {"major": "1", "emulationMajor": "1", "minCompatibilityMajor": "1"}
    build = {"gitVersion": "v1.36.3", "gitTreeState": "", "compiler": "gc"}
    return json.dumps(major | minor | build | {"platform": "linux/amd64"}, indent=2).encode()


@cache
def node_template(*, ballast: bool) -> Template:
    """A Ready node of 110 pods."""
    metadata: dict[str, object] = {
        "name": "@node@",
        "uid": "@uid@",
        "resourceVersion": "@version@",
        "creationTimestamp": "@created@",
        "labels": {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": "@node@",
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": "m8.4xlarge",
            "topology.kubernetes.io/zone": "@zone@",
        },
        "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
    }
    room = {"cpu": "16", "memory": "64Gi", "pods": str(PODS_PER_NODE_MAX)}
    status = {
        "capacity": room,
        "allocatable": room,
        "conditions": [
            {
                "type": name,
                "status": "True" if name == "Ready" else "False",
                "lastHeartbeatTime": "@created@",
                "lastTransitionTime": "@created@",
                "reason": reason,
                "message": "",
            }
            for name, reason in (
                ("Ready", "KubeletReady"),
                ("MemoryPressure", "KubeletHasSufficientMemory"),
                ("DiskPressure", "KubeletHasNoDiskPressure"),
                ("PIDPressure", "KubeletHasSufficientPID"),
            )
        ],
        "addresses": [{"type": "Hostname", "address": "@node@"}],
        "nodeInfo": {"kubeletVersion": "v1.36.3", "operatingSystem": "linux"},
    }
    value: dict[str, object] = {"metadata": metadata, "spec": {}, "status": status}
    if ballast:
        metadata["managedFields"] = managed_fields(value, ("kubelet",) * 2, "v1", "@created@")
    return Template.of(value)


@cache
def namespace_template() -> Template:
    """A namespace with its team as a label."""
    metadata = {
        "name": "@namespace@",
        "uid": "@uid@",
        "resourceVersion": "@version@",
        "creationTimestamp": "@created@",
        "labels": {"kubernetes.io/metadata.name": "@namespace@", "team": "@team@"},
    }
    spec = {"finalizers": ["kubernetes"]}
    return Template.of({"metadata": metadata, "spec": spec, "status": {"phase": "Active"}})


@cache
def budget_template(source: str, field: str) -> Template:
    """A PodDisruptionBudget (`pdb`) or PodUnavailableBudget (`pub`) over one workload."""
    value: dict[str, object] = {
        "metadata": {
            "name": "@workload@",
            "namespace": "@namespace@",
            "uid": "@uid@",
            "resourceVersion": "@version@",
            "generation": 1,
            "creationTimestamp": "@created@",
        },
        "spec": {field: "#value#", "selector": {"matchLabels": {"app": "@workload@"}}},
        "status": _budget_status(source),
    }
    if source == "pdb":
        return Template.of(value)
    return Template.of({"apiVersion": KRUISE_POLICY, "kind": "PodUnavailableBudget"} | value)


def desired_healthy(budget: Budget, replicas: int) -> int:
    """The pods that have to be healthy; percentages round up, as both controllers do."""
    count = budget.value
    if isinstance(count, str):
        count = -(-replicas * int(count.removesuffix("%")) // 100)
    return max(0, replicas - count) if budget.field == "maxUnavailable" else count


def sidecar_set(name: str, *, matched: int, uid: str) -> bytes:
    """A SidecarSet that selects by the label named after it."""
    container = sidecar_container(name) | {
        "podInjectPolicy": "BeforeAppContainer",
        "shareVolumePolicy": {"type": "disabled"},
        "upgradeStrategy": {"upgradeType": "ColdUpgrade"},
    }
    value = {
        "apiVersion": KRUISE_APPS,
        "kind": "SidecarSet",
        "metadata": {
            "name": name,
            "uid": uid,
            "resourceVersion": "1000",
            "generation": 1,
            "creationTimestamp": CREATED.decode(),
            "annotations": _sidecar_hashes(name),
        },
        "spec": {
            "containers": [container],
            "injectionStrategy": {},
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {f"{name}.example.com/inject": "enabled"}},
            "updateStrategy": {"maxUnavailable": "20%", "partition": 0, "type": "RollingUpdate"},
        },
        "status": {
            "latestRevision": f"{name}-5d95d59489",
            "observedGeneration": 1,
            **dict.fromkeys(("matchedPods", "updatedPods"), matched),
        },
    }
    return json.dumps(value, separators=(",", ":")).encode()


def sidecar_revision(name: str, *, uid: str, owner_uid: str) -> bytes:
    """The ControllerRevision of a SidecarSet, in Kruise's own namespace."""
    owner = {"apiVersion": "apps.kruise.io/v1beta1", "kind": "SidecarSet", "name": name}
    value = {
        "metadata": {
            "name": f"{name}-5d95d59489",
            "namespace": "kruise-system",
            "uid": uid,
            "resourceVersion": "1001",
            "creationTimestamp": CREATED.decode(),
            "labels": {
                "controller.kubernetes.io/hash": "5d95d59489",
                "kruise.io/sidecarset-name": name,
            },
            "annotations": _sidecar_hashes(name),
            "ownerReferences": [
                owner | {"uid": owner_uid, "controller": True, "blockOwnerDeletion": True}
            ],
        },
        "data": {"spec": {"$patch": "replace", "containers": [sidecar_container(name)]}},
        "revision": 1,
    }
    return json.dumps(value, separators=(",", ":")).encode()


def _sidecar_hashes(name: str) -> dict[str, str]:
    return {
        "kruise.io/sidecarset-hash": sidecar_hash(name, image=True),
        "kruise.io/sidecarset-hash-without-image": sidecar_hash(name, image=False),
    }


def _budget_status(source: str) -> dict[str, object]:
    if source == "pub":
        return {
            "totalReplicas": "#replicas#",
            "currentAvailable": "#healthy#",
            "desiredAvailable": "#desired#",
            "unavailableAllowed": "#allowed#",
            "observedGeneration": 1,
        }
    return {
        "expectedPods": "#replicas#",
        "currentHealthy": "#healthy#",
        "desiredHealthy": "#desired#",
        "disruptionsAllowed": "#allowed#",
        "observedGeneration": 1,
    }
