"""The text of workloads and of their revisions, in the shape in which the API lists them."""

import json
from functools import cache
from random import Random

from benches.fields import managed_fields
from benches.pod import containers, owner_reference, template_labels
from benches.template import Template
from benches.workload import Kind, Workload, uuid

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# The list of each kind is one of these resources, with this API version.
API_VERSIONS = {
    Kind.CLONE_SET: "apps.kruise.io/v1alpha1",
    Kind.DEPLOYMENT: "apps/v1",
    Kind.STATEFUL_SET: "apps/v1",
    Kind.ADVANCED_STATEFUL_SET: "apps.kruise.io/v1beta1",
    Kind.DAEMON_SET: "apps/v1",
}


CREATED = b"2026-10-26T09:00:00Z"
TAG = b"1.0.0"
OLD_TAG = b"0.9.0"


def workload_values(workload: Workload) -> dict[str, bytes]:
    """What fills the holes that an object shares with its workload."""
    name, revision = workload.name.encode(), workload.revision.encode()
    deployment = workload.kind is Kind.DEPLOYMENT
    owner = b"%b-%b" % (name, revision) if deployment else name
    # A Deployment's pods hang on its ReplicaSet, whose uid follows from the Deployment's.
    owner_uid = uuid(Random(workload.uid)) if deployment else workload.uid
    return {
        "workload": name,
        "prefix": owner,
        "namespace": workload.namespace.encode(),
        "team": workload.team.encode(),
        "owner": owner,
        "owner_uid": owner_uid.encode(),
        "deployment_uid": workload.uid.encode(),
        "revision": revision,
        "current": (workload.old_revision or workload.revision).encode(),
        "tag": TAG,
        "config": revision,
        "created": CREATED,
        "version": b"%d" % (600_000 + workload.first),
        "replicas": b"%d" % workload.replicas,
        "healthy": b"%d" % (workload.replicas - workload.down),
        "updated": b"%d" % (workload.replicas - workload.old),
        "max_unavailable": json.dumps(workload.max_unavailable).encode(),
        "max_surge": json.dumps(workload.max_surge).encode(),
        "pod_update": workload.pod_update.encode(),
    }


@cache
def workload_template(kind: Kind, sidecars: tuple[str, ...], *, ballast: bool) -> Template:
    """The workload object; `ballast` adds managed fields and the last applied configuration."""
    metadata: dict[str, object] = {
        "name": "@workload@",
        "namespace": "@namespace@",
        "uid": "@owner_uid@",
        "resourceVersion": "@version@",
        "generation": 1,
        "creationTimestamp": "@created@",
        "labels": {"app": "@workload@", "team": "@team@"},
        "annotations": _own_annotations(kind),
    }
    if kind is Kind.DEPLOYMENT:
        metadata["uid"] = "@deployment_uid@"
    value: dict[str, object] = {
        "metadata": metadata,
        "spec": _spec(kind, sidecars),
        "status": _status(kind),
    }
    if ballast:
        metadata["annotations"] = _own_annotations(kind) | {_APPLIED: _applied(kind, sidecars)}
        managers = ("kubectl-client-side-apply", "kube-controller-manager")
        metadata["managedFields"] = managed_fields(value, managers, API_VERSIONS[kind], "@created@")
    return Template.of(_with_type(kind) | value)


@cache
def replica_set_template(sidecars: tuple[str, ...], *, ballast: bool) -> Template:
    """The one ReplicaSet of a Deployment."""
    labels = template_labels(sidecars) | {"pod-template-hash": "@revision@"}
    template = _pod_template(Kind.DEPLOYMENT, sidecars)
    template["metadata"] = {"labels": labels, "annotations": {"config-hash": "@config@"}}
    metadata: dict[str, object] = {
        "name": "@workload@-@revision@",
        "namespace": "@namespace@",
        "uid": "@owner_uid@",
        "resourceVersion": "@version@",
        "generation": 1,
        "creationTimestamp": "@created@",
        "labels": labels,
        "annotations": {
            "deployment.kubernetes.io/desired-replicas": "@replicas@",
            "deployment.kubernetes.io/max-replicas": "@replicas@",
            "deployment.kubernetes.io/revision": "1",
        },
        "ownerReferences": [
            owner_reference(Kind.DEPLOYMENT)
            | {"kind": "Deployment", "name": "@workload@", "uid": "@deployment_uid@"}
        ],
    }
    selector = {"app": "@workload@", "pod-template-hash": "@revision@"}
    value: dict[str, object] = {
        "metadata": metadata,
        "spec": {
            "replicas": "#replicas#",
            "selector": {"matchLabels": selector},
            "template": template,
        },
        "status": {
            "replicas": "#replicas#",
            "fullyLabeledReplicas": "#replicas#",
            "readyReplicas": "#healthy#",
            "availableReplicas": "#healthy#",
            "terminatingReplicas": 0,
            "observedGeneration": 1,
        },
    }
    if ballast:
        manager = "kube-controller-manager"
        metadata["managedFields"] = managed_fields(
            value, (manager, manager), "apps/v1", "@created@"
        )
    return Template.of(value)


@cache
def revision_template(kind: Kind, sidecars: tuple[str, ...], *, ballast: bool) -> Template:
    """One ControllerRevision of a workload other than a Deployment."""
    hash_label = "controller.kubernetes.io/hash"
    if kind is Kind.DAEMON_SET:
        hash_label = "controller-revision-hash"
    template = {"$patch": "replace"} | _pod_template(kind, sidecars)
    applied = {_APPLIED: _applied(kind, sidecars)}
    # Native controllers copy the workload's annotations, CloneSets do not.
    copies = ballast and kind in (Kind.STATEFUL_SET, Kind.DAEMON_SET)
    return Template.of(
        {
            "metadata": {
                "name": "@workload@-@revision@",
                "namespace": "@namespace@",
                "uid": "@revision_uid@",
                "resourceVersion": "@version@",
                "creationTimestamp": "@created@",
                "labels": template_labels(sidecars) | {hash_label: "@revision@"},
                "annotations": applied if copies else {},
                "ownerReferences": [owner_reference(kind)],
            },
            "data": {"spec": {"template": template}},
            "revision": "#number#",
        }
    )


def _with_type(kind: Kind) -> dict[str, object]:
    """Lists of built-in resources leave the type of their items out, custom ones do not."""
    if "kruise" not in API_VERSIONS[kind]:
        return {}
    return {
        "apiVersion": API_VERSIONS[kind],
        "kind": "CloneSet" if kind is Kind.CLONE_SET else "StatefulSet",
    }


def _own_annotations(kind: Kind) -> dict[str, str]:
    if kind is Kind.DEPLOYMENT:
        return {"deployment.kubernetes.io/revision": "1"}
    if kind is Kind.DAEMON_SET:
        return {"deprecated.daemonset.template.generation": "1"}
    return {}


def _applied(kind: Kind, sidecars: tuple[str, ...]) -> str:
    metadata = {"name": "@workload@", "namespace": "@namespace@", "annotations": {}}
    applied = {
        "apiVersion": API_VERSIONS[kind],
        "kind": "StatefulSet" if kind is Kind.ADVANCED_STATEFUL_SET else str(kind),
        "metadata": metadata,
        # Without the strategy, whose values would need escaping here and nowhere else.
        "spec": {"template": _pod_template(kind, sidecars), "replicas": "#replicas#"},
    }
    return json.dumps(applied, separators=(",", ":")) + "\n"


def _pod_template(kind: Kind, sidecars: tuple[str, ...]) -> dict[str, object]:
    spec: dict[str, object] = {
        "containers": containers(kind),
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }
    if kind in (Kind.CLONE_SET, Kind.ADVANCED_STATEFUL_SET):
        spec["readinessGates"] = [{"conditionType": "InPlaceUpdateReady"}]
    annotations = {"config-hash": "@config@"}
    metadata = {"labels": template_labels(sidecars), "annotations": annotations}
    return {"metadata": metadata, "spec": spec}


def _spec(kind: Kind, sidecars: tuple[str, ...]) -> dict[str, object]:
    spec: dict[str, object] = {
        "selector": {"matchLabels": {"app": "@workload@"}},
        "template": _pod_template(kind, sidecars),
        "revisionHistoryLimit": 10,
        **_strategy(kind),
    }
    if kind is not Kind.DAEMON_SET:
        spec["replicas"] = "#replicas#"
    if kind in (Kind.STATEFUL_SET, Kind.ADVANCED_STATEFUL_SET):
        spec |= {"serviceName": "@workload@", "podManagementPolicy": "Parallel"}
    return spec


def _strategy(kind: Kind) -> dict[str, object]:
    unavailable: dict[str, object] = {"maxUnavailable": "#max_unavailable#"}
    surge: dict[str, object] = {"maxSurge": "#max_surge#"}
    if kind is Kind.CLONE_SET:
        partition: dict[str, object] = {"partition": 0, "type": "@pod_update@"}
        return {"updateStrategy": unavailable | surge | partition, "scaleStrategy": {}}
    if kind is Kind.DEPLOYMENT:
        strategy = {"type": "RollingUpdate", "rollingUpdate": unavailable | surge}
        return {"strategy": strategy, "progressDeadlineSeconds": 600}
    if kind is Kind.DAEMON_SET:
        rolling = unavailable | surge
    elif kind is Kind.STATEFUL_SET:
        rolling = {"partition": 0} | unavailable
    else:
        rolling = {"partition": 0, "podUpdatePolicy": "@pod_update@", "minReadySeconds": 0}
        rolling |= unavailable
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}


def _status(kind: Kind) -> dict[str, object]:
    if kind is Kind.DAEMON_SET:
        scheduled = (
            *("currentNumberScheduled", "desiredNumberScheduled", "updatedNumberScheduled"),
            *("numberReady", "numberAvailable"),
        )
        counts = dict.fromkeys(scheduled, "#replicas#")
        return {"numberMisscheduled": 0, "observedGeneration": 1, **counts}
    status: dict[str, object] = {
        "observedGeneration": 1,
        "replicas": "#replicas#",
        "readyReplicas": "#healthy#",
        "availableReplicas": "#healthy#",
        "updatedReplicas": "#updated#",
    }
    if kind is Kind.DEPLOYMENT:
        return status | {"terminatingReplicas": 0, "conditions": _deployment_conditions()}
    names = {"currentRevision": "@workload@-@current@", "updateRevision": "@workload@-@revision@"}
    status |= {"collisionCount": 0, **names}
    if kind is not Kind.STATEFUL_SET:
        status["labelSelector"] = "app=@workload@"
    return status


def _deployment_conditions() -> list[dict[str, object]]:
    return [
        {
            "type": name,
            "status": "True",
            "lastUpdateTime": "@created@",
            "lastTransitionTime": "@created@",
            "reason": reason,
            "message": "",
        }
        for name, reason in (
            ("Available", "MinimumReplicasAvailable"),
            ("Progressing", "NewReplicaSetAvailable"),
        )
    ]
