"""The kinds that a live cluster is asked for, and the role that is enough to be answered."""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of object, as the API server serves it.

    Attributes:
        name: what the log calls the resource.
        group: API group, `""` for the core group.
        versions: those that the planner reads, the one it would rather have first.
        plural: as in the path.
        optional: whether a cluster may do without it.
    """

    name: str
    group: str
    versions: tuple[str, ...]
    plural: str
    optional: bool = False

    def root(self, version: str) -> str:
        """The path of the group in a version."""
        return f"/apis/{self.group}/{version}" if self.group else f"/api/{version}"


def _native(group: str, *plurals: str) -> list[Kind]:
    return [Kind(name=each, group=group, versions=("v1",), plural=each) for each in plurals]


def _kruise(name: str, plural: str, group: str = "apps.kruise.io") -> Kind:
    versions = ("v1beta1", "v1alpha1")
    return Kind(name=name, group=group, versions=versions, plural=plural, optional=True)


KINDS: Final = (
    *_native("", "pods", "nodes", "namespaces"),
    *_native("apps", "deployments", "replicasets", "statefulsets", "daemonsets"),
    *_native("apps", "controllerrevisions"),
    *_native("policy", "poddisruptionbudgets"),
    _kruise("clonesets", "clonesets"),
    _kruise("advancedstatefulsets", "statefulsets"),
    _kruise("advanceddaemonsets", "daemonsets"),
    _kruise("sidecarsets", "sidecarsets"),
    _kruise("podunavailablebudgets", "podunavailablebudgets", "policy.kruise.io"),
)


def observer_role(name: str) -> dict[str, Any]:
    """Give the ClusterRole of an observer: to read these kinds, and nothing else."""
    groups = dict.fromkeys(kind.group for kind in KINDS)
    rules = [
        {
            "apiGroups": [group],
            "resources": [kind.plural for kind in KINDS if kind.group == group],
            "verbs": ["get", "list", "watch"],
        }
        for group in groups
    ]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    }
