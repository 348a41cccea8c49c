"""Definitions of the kinds of OpenKruise, as far as tests need them."""

from collections.abc import Iterator
from typing import Any

from tests.controlplane.fleet import KRUISE, Manifest

ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
SCALED = ("CloneSet", "StatefulSet")
SCALE = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.labelSelector",
}

NUMBER = {"x-kubernetes-int-or-string": True}
STRATEGY: dict[str, dict[str, Any]] = {
    "v1beta1": {"rollingUpdate": ANYTHING},
    "v1alpha1": {
        "partition": NUMBER,
        "maxUnavailable": NUMBER,
        "maxSurge": NUMBER,
        "paused": {"type": "boolean"},
        "priorityStrategy": ANYTHING,
        "scatterStrategy": {"type": "array", "items": ANYTHING},
        "inPlaceUpdateStrategy": ANYTHING,
    },
}
"""Of a CloneSet, besides its type."""


def definitions(*versions: str) -> Iterator[tuple[str, Manifest]]:
    """Definitions of the kinds, served in these versions; the first one is stored.

    They have a status and, where OpenKruise has it, a scale. They take anything but a strategy of
    the other version in a CloneSet: it is dropped with a warning. Nothing is converted.
    """
    for group, kinds in KRUISE.items():
        for plural, kind in kinds.items():
            name = f"{plural}.{group}"
            yield (
                f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}",
                {
                    "apiVersion": "apiextensions.k8s.io/v1",
                    "kind": "CustomResourceDefinition",
                    "metadata": {"name": name},
                    "spec": {
                        "group": group,
                        "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
                        "scope": "Cluster" if kind == "SidecarSet" else "Namespaced",
                        "versions": [
                            _version(kind, version, stored=version == versions[0])
                            for version in versions
                        ],
                    },
                },
            )


def _version(kind: str, version: str, *, stored: bool) -> Manifest:
    properties: dict[str, Any] = {}
    subresources: dict[str, Any] = {"status": {}}
    if kind in SCALED:
        properties["replicas"] = {"type": "integer", "default": 1}
        subresources["scale"] = SCALE
    if kind == "CloneSet":
        fields = {"type": {"type": "string"}, **STRATEGY[version]}
        properties["updateStrategy"] = {"type": "object", "properties": fields}
    spec = {**ANYTHING, "properties": properties}
    return {
        "name": version,
        "served": True,
        "storage": stored,
        "schema": {"openAPIV3Schema": {**ANYTHING, "properties": {"spec": spec}}},
        "subresources": subresources,
    }
