"""The kinds that a live cluster is asked for, and the role that is enough to be answered."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of object, as the API server serves it.

    Attributes:
        name: what the log calls the resource.
        group: API group, `""` for the core group.
        versions: those that the planner reads, the one it would rather have first.
        plural: as in the path.
        list_kind: what a list of it says that it is, where an observer goes on without it;
            else `""`.
        may_be_refused: whether it goes on where its role, printed by an older version, does not
            let it read the kind.
    """

    name: str
    group: str
    versions: tuple[str, ...]
    plural: str
    list_kind: str = ""
    may_be_refused: bool = False

    @property
    def is_optional(self) -> bool:
        """Whether a cluster may do without it."""
        return bool(self.list_kind) and not self.may_be_refused

    def root(self, version: str) -> str:
        """The path of the group in a version."""
        return f"/apis/{self.group}/{version}" if self.group else f"/api/{version}"

    def empty_list(self) -> bytes:
        """What a server that does not serve it, or refuses it, would say if it had none."""
        api_version = f"{self.group}/{self.versions[0]}".lstrip("/")
        head = {"kind": self.list_kind, "apiVersion": api_version, "metadata": {}, "items": []}
        return msgspec.json.encode(head)


def _native(group: str, *plurals: str) -> list[Kind]:
    return [Kind(name=each, group=group, versions=("v1",), plural=each) for each in plurals]


def _kruise(name: str, plural: str, kind: str, group: str = "apps.kruise.io") -> Kind:
    versions = ("v1beta1", "v1alpha1")
    list_kind = f"{kind}List"
    return Kind(name=name, group=group, versions=versions, plural=plural, list_kind=list_kind)


KINDS: Final = (
    *_native("", "pods", "nodes", "namespaces"),
    *_native("apps", "deployments", "replicasets", "statefulsets", "daemonsets"),
    *_native("apps", "controllerrevisions"),
    *_native("policy", "poddisruptionbudgets"),
    _kruise("clonesets", "clonesets", "CloneSet"),
    _kruise("advancedstatefulsets", "statefulsets", "StatefulSet"),
    _kruise("advanceddaemonsets", "daemonsets", "DaemonSet"),
    _kruise("sidecarsets", "sidecarsets", "SidecarSet"),
    _kruise(
        "podunavailablebudgets",
        "podunavailablebudgets",
        "PodUnavailableBudget",
        "policy.kruise.io",
    ),
    Kind(
        name="resourcequotas",
        group="",
        versions=("v1",),
        plural="resourcequotas",
        list_kind="ResourceQuotaList",
        may_be_refused=True,
    ),
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
