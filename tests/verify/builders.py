"""Builders of observed rows: small fleets with good defaults, one override at a time."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

NOW_S = 1_795_426_440
TIME = "2026-11-23T09:34:00Z"
READY, DELETING, PENDING, RUNNING, SUCCEEDED, READY_KNOWN = (
    1,
    1 << 1,
    1 << 2,
    1 << 3,
    1 << 4,
    1 << 9,
)
MIRROR, EMPTY_DIR = 1 << 7, 1 << 8
LABEL_POD_NAME, LABEL_POD_INDEX, LABEL_INSTANCE_ID, LABEL_REVISION = (
    1 << bit for bit in (10, 11, 12, 13)
)
REGISTRY = "registry.example.com"

Row = dict[str, Any]

_API = {
    "Deployment": ("deployments", "apps", "apps/v1", "Deployment"),
    "StatefulSet": ("statefulsets", "apps", "apps/v1", "StatefulSet"),
    "DaemonSet": ("daemonsets", "apps", "apps/v1", "DaemonSet"),
    "CloneSet": ("clonesets", "apps.kruise.io", "apps.kruise.io/v1alpha1", "CloneSet"),
    "AdvancedStatefulSet": (
        "advancedstatefulsets",
        "apps.kruise.io",
        "apps.kruise.io/v1beta1",
        "StatefulSet",
    ),
    "AdvancedDaemonSet": (
        "advanceddaemonsets",
        "apps.kruise.io",
        "apps.kruise.io/v1beta1",
        "DaemonSet",
    ),
}


def uid_of(*names: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))


def row(cluster: str, event: str, resource: str, **columns: Any) -> Row:  # noqa: ANN401
    empty = dict.fromkeys(
        (
            *("uid", "namespace", "name", "document", "node", "owner", "revision", "labels"),
            *("annotations", "spec", "status", "created_s", "ready_since_s", "restarts", "flags"),
        )
    )
    fixed = {"cluster": cluster, "event": event, "resource": resource, "time_ms": NOW_S * 1000}
    return {**empty, "resource_version": 100, **fixed, **columns}


def document_row(cluster: str, resource: str, document: dict[str, Any]) -> Row:
    metadata = document.get("metadata", {})
    namespace, name = metadata.get("namespace", ""), metadata.get("name", "")
    return row(
        cluster,
        "observed",
        resource,
        uid=metadata.get("uid", uid_of(cluster, resource, namespace, name)),
        namespace=namespace,
        name=name,
        document=json.dumps(document),
    )


@dataclass(frozen=True, kw_only=True)
class App:
    """A workload and its pods."""

    name: str = "cart"
    kind: str = "CloneSet"
    cluster: str = "hangzhou"
    namespace: str = "trade"
    pods: int = 4
    replicas: int | None = None
    tag: str = "1.0.0"
    labels: dict[str, str] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)
    down: frozenset[int] = frozenset()
    columns: dict[int, dict[str, Any]] = field(default_factory=dict)
    sidecars: dict[str, str] = field(default_factory=dict)
    sidecar_hash: str = "same"
    own_template: dict[str, Any] | None = None
    first_node: int = 0

    @property
    def image(self) -> str:
        return f"{REGISTRY}/{self.name}:{self.tag}"

    @property
    def wanted(self) -> str:
        return f"{REGISTRY}/{self.name}:2.0.0"

    @property
    def uid(self) -> str:
        return uid_of(self.cluster, self.namespace, self.kind, self.name)

    @property
    def pod_labels(self) -> dict[str, str]:
        return {"app": self.name, **self.labels}

    @property
    def template(self) -> dict[str, Any]:
        return {
            "metadata": {"labels": self.pod_labels},
            "spec": {"containers": [{"name": "main", "image": self.image}]},
        }

    def pod_name(self, index: int) -> str:
        if self.kind.endswith("StatefulSet"):
            return f"{self.name}-{index}"
        return f"{self.name}-{index:05}"

    def pod_uid(self, index: int) -> str:
        return uid_of(self.cluster, self.namespace, self.pod_name(index))

    def node(self, index: int) -> str:
        return f"node-{self.first_node + index:04}"

    def subject(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.kind}/{self.name}"

    def pod_subject(self, index: int) -> str:
        return f"{self.cluster}/{self.namespace}/{self.pod_name(index)}"

    def rows(self) -> list[Row]:
        return [self._workload_row(), *self._revision_rows(), *map(self.pod_row, range(self.pods))]

    def _workload_row(self) -> Row:
        resource, _, api_version, kind = _API[self.kind]
        if self.kind == "CloneSet" and "rollingUpdate" in self.spec.get("updateStrategy", {}):
            api_version = "apps.kruise.io/v1beta1"  # Its shape; v1alpha1 is flat.
        replicas = self.pods if self.replicas is None else self.replicas
        count = {} if kind == "DaemonSet" else {"replicas": replicas}
        document = {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": self.name, "namespace": self.namespace, "uid": self.uid},
            "spec": {**count, "template": self.template, **self.spec},
            "status": {"desiredNumberScheduled": replicas},
        }
        return document_row(self.cluster, resource, document)

    def _revision_rows(self) -> list[Row]:
        _, _, api_version, kind = _API[self.kind]
        name = f"{self.name}-aaa"
        template = self.own_template or self.template
        metadata = {
            "name": name,
            "namespace": self.namespace,
            "uid": uid_of(self.uid, "revision"),
            "ownerReferences": [
                {
                    "apiVersion": api_version,
                    "kind": kind,
                    "name": self.name,
                    "uid": self.uid,
                    "controller": True,
                }
            ],
        }
        if self.kind == "Deployment":
            document = {"metadata": metadata, "spec": {"template": template}}
            return [document_row(self.cluster, "replicasets", document)]
        patch = {"spec": {"template": {"$patch": "replace", **template}}}
        return [
            document_row(self.cluster, "controllerrevisions", {"metadata": metadata, "data": patch})
        ]

    def pod_row(self, index: int) -> Row:
        _, group, _, kind = _API[self.kind]
        if self.kind == "Deployment":
            owner = f"apps|ReplicaSet|{self.name}-aaa|{uid_of(self.uid, 'revision')}"
        else:
            owner = f"{group}|{kind}|{self.name}|{self.uid}"
        sidecars = [
            {"name": name, "image": f"{REGISTRY}/{name}:{tag}"}
            for name, tag in self.sidecars.items()
        ]
        flags = RUNNING | READY_KNOWN | (0 if index in self.down else READY)
        columns: dict[str, Any] = {
            "uid": self.pod_uid(index),
            "namespace": self.namespace,
            "name": self.pod_name(index),
            "node": self.node(index),
            "owner": owner,
            "revision": f"{self.name}-aaa",
            "labels": json.dumps(self.pod_labels),
            "annotations": json.dumps(self._annotations()),
            "spec": json.dumps({"containers": [*sidecars, *self.template["spec"]["containers"]]}),
            "status": "[]",
            "created_s": NOW_S - 1000,
            "ready_since_s": NOW_S - 900,
            "restarts": 0,
            "flags": flags,
        }
        return row(self.cluster, "observed", "pods", **{**columns, **self.columns.get(index, {})})

    def _annotations(self) -> dict[str, str]:
        if not self.sidecars:
            return {}
        images = {name: {"hash": "with-image"} for name in self.sidecars}
        without = {name: {"hash": self.sidecar_hash} for name in self.sidecars}
        return {
            "kruise.io/sidecarset-hash": json.dumps(images),
            "kruise.io/sidecarset-hash-without-image": json.dumps(without),
        }


def sidecar_set(
    name: str,
    *,
    cluster: str = "hangzhou",
    tag: str = "1.0.0",
    **update: Any,  # noqa: ANN401
) -> Row:
    document = {
        "metadata": {
            "name": name,
            "annotations": {"kruise.io/sidecarset-hash-without-image": "same"},
        },
        "spec": {
            "selector": {"matchLabels": {name: "enabled"}},
            "containers": [{"name": name, "image": f"{REGISTRY}/{name}:{tag}"}],
            "updateStrategy": update,
        },
    }
    return document_row(cluster, "sidecarsets", document)


def budget(
    name: str,
    *,
    cluster: str = "hangzhou",
    namespace: str = "trade",
    resource: str = "poddisruptionbudgets",
    selector: dict[str, Any] | None = None,
    **spec: Any,  # noqa: ANN401
) -> Row:
    matched = {"matchLabels": {"app": name}} if selector is None else selector
    document = {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": matched, **spec},
    }
    return document_row(cluster, resource, document)


def version(cluster: str = "hangzhou", minor: str = "34") -> Row:
    return document_row(cluster, "versions", {"major": "1", "minor": minor})


def node(name: str, zone: str, cluster: str = "hangzhou", **more: str) -> Row:
    labels = {"topology.kubernetes.io/zone": zone, **more}
    return document_row(cluster, "nodes", {"metadata": {"name": name, "labels": labels}})


def request(**spec: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "double-11"},
        "spec": spec,
    }


def upgrade(*apps: App) -> list[dict[str, str]]:
    """Rules that take every app to its wanted image."""
    return [{"from": f"{REGISTRY}/{app.name}", "to": app.wanted} for app in apps]
