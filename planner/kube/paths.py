"""Where the API server keeps the objects that the planner writes."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class _Kind:
    group: str
    plural: str
    versions: tuple[str, ...]


_NATIVE: Final = ("v1",)
# The first one that is served is used.
_KRUISE: Final = ("v1beta1", "v1alpha1")

_KINDS: Final = {
    "Deployment": _Kind("apps", "deployments", _NATIVE),
    "StatefulSet": _Kind("apps", "statefulsets", _NATIVE),
    "DaemonSet": _Kind("apps", "daemonsets", _NATIVE),
    "CloneSet": _Kind("apps.kruise.io", "clonesets", _KRUISE),
    "AdvancedStatefulSet": _Kind("apps.kruise.io", "statefulsets", _KRUISE),
    "AdvancedDaemonSet": _Kind("apps.kruise.io", "daemonsets", _KRUISE),
    "SidecarSet": _Kind("apps.kruise.io", "sidecarsets", _KRUISE),
}


def group_of(kind: str) -> tuple[str, str]:
    """Group and plural of a kind, as roles name them."""
    known = _KINDS[kind]
    return known.group, known.plural


def object_paths(kind: str, namespace: str, name: str) -> tuple[str, ...]:
    """Give the paths under which an object may be served, the one to try first, first.

    Args:
        kind: those of OpenKruise that share a name with a native kind are called Advanced.
        namespace: empty for objects of the cluster itself.
        name: of the object.
    """
    known = _KINDS[kind]
    place = f"namespaces/{namespace}/" if namespace else ""
    return tuple(
        f"/apis/{known.group}/{version}/{place}{known.plural}/{name}" for version in known.versions
    )


NODES: Final = "/api/v1/nodes"
"""The path of all nodes."""


def pod_path(namespace: str, name: str) -> str:
    """The path of a pod."""
    return f"/api/v1/namespaces/{namespace}/pods/{name}"


def node_path(name: str) -> str:
    """The path of a node."""
    return f"{NODES}/{name}"
