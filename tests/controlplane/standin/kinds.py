"""The kinds that the stand-in reads, and where they are in the API."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of the API; it is the same one in whichever version it is served."""

    group: str
    plural: str
    name: str
    namespaced: bool = True
    version: str = field(default="v1", compare=False)

    @property
    def api_version(self) -> str:
        """As objects write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def prefix(self) -> str:
        """Path of the version of its group."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"

    @property
    def everywhere(self) -> str:
        """Path of the collection over all namespaces."""
        return f"{self.prefix}/{self.plural}"

    def path(self, namespace: str, name: str = "") -> str:
        """Path of an object, or without a name of its collection."""
        place = f"{self.prefix}/namespaces/{namespace}" if self.namespaced else self.prefix
        return f"{place}/{self.plural}" + (f"/{name}" if name else "")


class Key(NamedTuple):
    """Names an object."""

    kind: Kind
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """Its path in the API."""
        return self.kind.path(self.namespace, self.name)


_KRUISE: Final = "apps.kruise.io"
# The one that is wanted first; until it is known what is served, this one is waited for.
_VERSIONS: Final = ("v1beta1", "v1alpha1")
POD: Final = Kind(group="", plural="pods", name="Pod")
NODE: Final = Kind(group="", plural="nodes", name="Node", namespaced=False)
REVISION: Final = Kind(group="apps", plural="controllerrevisions", name="ControllerRevision")
REPLICA_SET: Final = Kind(group="apps", plural="replicasets", name="ReplicaSet")
DEPLOYMENT: Final = Kind(group="apps", plural="deployments", name="Deployment")
STATEFUL_SET: Final = Kind(group="apps", plural="statefulsets", name="StatefulSet")


def _kruise(plural: str, name: str, group: str = _KRUISE, *, namespaced: bool = True) -> Kind:
    version = _VERSIONS[0]
    return Kind(group=group, plural=plural, name=name, namespaced=namespaced, version=version)


CLONE_SET: Final = _kruise("clonesets", "CloneSet")
ADVANCED_STATEFUL_SET: Final = _kruise("statefulsets", "StatefulSet")
ADVANCED_DAEMON_SET: Final = _kruise("daemonsets", "DaemonSet")
SIDECAR_SET: Final = _kruise("sidecarsets", "SidecarSet", namespaced=False)
UNAVAILABLE_BUDGET: Final = _kruise(
    "podunavailablebudgets", "PodUnavailableBudget", "policy.kruise.io"
)
WORKLOADS: Final = (CLONE_SET, ADVANCED_STATEFUL_SET, ADVANCED_DAEMON_SET)
NATIVE: Final = (REPLICA_SET, DEPLOYMENT, STATEFUL_SET)
KINDS: Final = (POD, NODE, REVISION, *NATIVE, *WORKLOADS, SIDECAR_SET, UNAVAILABLE_BUDGET)


def as_served(kind: Kind, versions_of: Callable[[str], Collection[str]]) -> Kind:
    """A kind in the version in which it is read and written.

    Args:
        kind: any.
        versions_of: gives the versions in which a definition (`plural.group`) is served; none when
            there is no such definition.
    """
    if "." not in kind.group:
        return kind
    served = versions_of(f"{kind.plural}.{kind.group}")
    return replace(kind, version=next((it for it in _VERSIONS if it in served), _VERSIONS[0]))
